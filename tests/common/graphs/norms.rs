//! Batch norms and ReLUs in every order, read once or more often.

use densenet_wgpu::network::{Value, Window};

use super::{GROWTH, Net, Odd, POINTWISE, odd};

/// Batch norms and ReLUs in every order, read once or more often.
pub(crate) fn norms() -> Vec<Odd> {
    let orders = ["n", "r", "nr", "rn", "nn", "rr", "nrn", "rnr", "nnrr", "rrnn", "nrnr"];
    let mut cases = Vec::new();
    let apply = |net: &mut Net, order: &str, x: Value| order.chars().fold(x, |x, step| if step == 'n' { net.norm(x) } else { net.relu(x) });
    for (index, order) in orders.into_iter().enumerate() {
        let (channels, [height, width], batch) = [(3, [5, 6], 1), (5, [1, 1], 3), (1, [7, 7], 3)][index % 3];
        let shape = [channels, height, width];
        let words: Vec<&str> = order.chars().map(|step| if step == 'n' { "norm" } else { "ReLU" }).collect();
        let words = words.join(", ");
        cases.push(odd(format!("{words} of the input"), batch, shape, |net, x| {
            apply(net, order, x);
        }));
        cases.push(odd(format!("3x3 conv, {words}"), batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 9, GROWTH);
            apply(net, order, x);
        }));
        cases.push(odd(format!("1x1 conv, {words}, 1x1 conv"), batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 9, POINTWISE);
            let x = apply(net, order, x);
            net.conv(x, 3, POINTWISE);
        }));
        cases.push(odd(format!("{words} of a concat, its 1x1 conv grows it"), batch, shape, |net, x| {
            let first = net.conv(x, 4, GROWTH);
            let second = net.relu(first);
            let both = net.concat(&[first, second]);
            let y = apply(net, order, both);
            let y = net.conv(y, 3, POINTWISE);
            let y = apply(net, order, y);
            net.concat(&[both, y]);
        }));
        cases.push(odd(
            format!("max pool, {words}, read by a 1x1 conv, a 3x3 conv, a mean pool and the output"),
            batch,
            shape,
            |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = apply(net, order, x);
                let a = net.conv(x, 2, POINTWISE);
                let b = net.conv(x, 3, GROWTH);
                let c = net.avg_pool(x, Window::square(3, 1, 1));
                let d = net.avg_pool(x, POINTWISE);
                net.concat(&[a, b, c, d, x]);
            },
        ));
        cases.push(odd(format!("conv read before and after {words}"), batch, shape, |net, x| {
            let before = net.conv(x, 5, GROWTH);
            let after = apply(net, order, before);
            let again = net.conv(after, 5, POINTWISE);
            net.concat(&[again, before, after]);
        }));
        cases.push(odd(format!("global mean, linear, {words}"), batch, shape, |net, x| {
            let x = apply(net, order, x);
            let x = net.global_pool(x);
            let x = net.linear(x, 6);
            apply(net, order, x);
        }));
        cases.push(odd(format!("max pool, {words}, global mean"), batch, shape, |net, x| {
            let x = net.max_pool(x, POINTWISE);
            let x = apply(net, order, x);
            net.global_pool(x);
        }));
        cases.push(odd(format!("global mean, {words}, 1x1 conv"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = apply(net, order, x);
            net.conv(x, 3, POINTWISE);
        }));
    }
    cases.push(odd("two ReLUs of one norm", 3, [3, 5, 5], |net, x| {
        let x = net.conv(x, 4, GROWTH);
        let x = net.norm(x);
        let [a, b] = [net.relu(x), net.relu(x)];
        let a = net.conv(a, 3, POINTWISE);
        let b = net.conv(b, 3, GROWTH);
        net.concat(&[a, b, x]);
    }));
    cases
}
