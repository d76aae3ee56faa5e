//! What a classifier ends with, and nonlinearities other than ReLU.

use densenet_wgpu::network::Nonlinearity;

use super::{GROWTH, Odd, POINTWISE, odd};

/// What a classifier ends with.
pub(crate) fn heads() -> Vec<Odd> {
    let mut cases = Vec::new();
    for features in 1..=17 {
        let channels = [1, 3, 5, 17, 64][features % 5];
        cases.push(odd(format!("linear to {features}"), 1 + features % 3, [channels, 1, 1], |net, x| {
            net.linear(x, features);
        }));
    }
    for (channels, [height, width], features, batch) in
        [(5, [7, 7], 10, 3), (65, [3, 4], 257, 2), (130, [1, 1], 1000, 1), (2, [1, 33], 3, 3), (3, [97, 131], 4, 2)]
    {
        let shape = [channels, height, width];
        cases.push(odd("global mean of the input", batch, shape, |net, x| {
            net.global_pool(x);
        }));
        cases.push(odd(format!("global mean, linear to {features}, ReLU, linear"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = net.linear(x, features);
            let x = net.relu(x);
            net.linear(x, 5);
        }));
        cases.push(odd("global maximum of the input", batch, shape, |net, x| {
            net.global_max_pool(x);
        }));
        cases.push(odd(format!("global maximum and mean, norm, linear to {features}, ReLU, norm, linear"), batch, shape, |net, x| {
            let x = net.conv(x, 9, POINTWISE);
            let x = net.norm_relu(x);
            let parts = [net.global_max_pool(x), net.global_pool(x)];
            let x = net.concat(&parts);
            let x = net.norm(x);
            let x = net.linear(x, features);
            let x = net.relu(x);
            let x = net.norm(x);
            net.linear(x, 5);
        }));
        cases.push(odd(format!("1x1 conv, norm, ReLU, global mean, linear to {features}"), batch, shape, |net, x| {
            let x = net.conv(x, 9, POINTWISE);
            let y = net.norm_relu(x);
            let y = net.global_pool(y);
            net.linear(y, features);
        }));
    }
    cases.push(odd("global mean of a large picture", 1, [2, 512, 509], |net, x| {
        let x = net.max_pool(x, POINTWISE);
        let x = net.norm_relu(x);
        net.global_pool(x);
    }));
    cases
}

/// Every nonlinearity but ReLU, alone and between everything that fuses.
pub(super) const NONLINEARITIES: [Nonlinearity; 6] = [
    Nonlinearity::LeakyRelu { slope: 0.2 },
    Nonlinearity::Sigmoid,
    Nonlinearity::Silu,
    Nonlinearity::Tanh,
    Nonlinearity::Gelu,
    Nonlinearity::GeluTanh,
];

/// Nonlinearities other than ReLU: of the input, of planes, between layers of a head.
pub(crate) fn nonlinearities() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (index, nonlinearity) in NONLINEARITIES.into_iter().enumerate() {
        let (channels, [height, width], batch) = [(3, [5, 7], 1), (5, [1, 1], 3), (1, [9, 15], 3), (67, [3, 1], 2)][index % 4];
        let shape = [channels, height, width];
        cases.push(odd(format!("{nonlinearity} of the input"), batch, shape, |net, x| {
            net.nonlinearity(x, nonlinearity);
        }));
        cases.push(odd(format!("conv, norm, {nonlinearity}, norm, ReLU, concat of all"), batch, shape, |net, x| {
            let conv = net.conv(x, 9, GROWTH);
            let norm = net.norm(conv);
            let y = net.nonlinearity(norm, nonlinearity);
            let z = net.norm_relu(y);
            let both = net.concat(&[conv, y, z]);
            net.conv(both, 2, POINTWISE);
        }));
        cases.push(odd(format!("mean, linear, {nonlinearity}, norm, linear, ReLU, {nonlinearity}, linear"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = net.linear(x, 67);
            let x = net.nonlinearity(x, nonlinearity);
            let x = net.norm(x);
            let x = net.linear(x, 13);
            let x = net.relu(x);
            let x = net.nonlinearity(x, nonlinearity);
            net.linear(x, 5);
        }));
    }
    cases
}
