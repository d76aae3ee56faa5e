//! Pools of the input, of planes, after batch norm and ReLU, and around 1x1 convolutions.

use densenet_wgpu::network::Window;

use super::{GROWTH, HALVE, Odd, POINTWISE, odd, window};

/// Pooling of the input, of planes, after batch norm and ReLU, and around 1x1 convolutions.
pub(crate) fn pools() -> Vec<Odd> {
    let windows = [
        POINTWISE,
        HALVE,
        Window::square(2, 1, 0),
        Window::square(2, 2, 1),
        Window::square(3, 2, 1),
        Window::square(3, 3, 0),
        Window::square(3, 1, 1),
        Window::square(5, 2, 2),
        Window::square(7, 7, 0),
        window([2, 1], [1, 2], [1, 0]),
        window([1, 3], [3, 1], [0, 1]),
        window([4, 3], [2, 3], [2, 0]),
    ];
    let mut cases = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        let [height, width] = [[7, 7], [8, 9], [9, 13], [15, 7]][index % 4];
        for (channels, batch) in [(3, 3), (9, 1)] {
            let shape = [channels, height, width];
            cases.push(odd(format!("{window} max pool of the input"), batch, shape, |net, x| {
                net.max_pool(x, window);
            }));
            cases.push(odd(format!("{window} mean pool of the input"), batch, shape, |net, x| {
                net.avg_pool(x, window);
            }));
            cases.push(odd(format!("conv, norm, {window} max pool, ReLU, {window} mean pool"), batch, [channels, 51, 53], |net, x| {
                let x = net.conv(x, 3, POINTWISE);
                let x = net.norm(x);
                let x = net.max_pool(x, window);
                let x = net.relu(x);
                net.avg_pool(x, window);
            }));
            cases.push(odd(format!("max pool, norm, ReLU, {window} mean pool"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                net.avg_pool(x, window);
            }));
            // Without padding the two commute, even with a bias; with padding they do not.
            cases.push(odd(format!("norm, ReLU, 1x1 conv with bias, {window} mean pool"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, 7, POINTWISE);
                net.avg_pool(x, window);
            }));
        }
    }
    for (channels, [height, width], batch) in [(3, [2, 2], 1), (3, [5, 7], 3), (33, [14, 14], 1)] {
        let shape = [channels, height, width];
        cases.push(odd("a transition", batch, shape, |net, x| {
            let x = net.concat(&[x, x]);
            let x = net.norm_relu(x);
            let x = net.conv(x, channels, POINTWISE);
            let x = net.avg_pool(x, HALVE);
            let x = net.norm_relu(x);
            net.conv(x, 5, POINTWISE);
        }));
        cases.push(odd("1x1 conv of the input, mean pool", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv, ReLU, mean pool: they do not commute", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let x = net.relu(x);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv, norm, mean pool", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let x = net.norm(x);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv that a mean pool and something else read", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let pooled = net.avg_pool(x, HALVE);
            let other = net.max_pool(x, HALVE);
            net.concat(&[other, pooled]);
        }));
        cases.push(odd("1x1 conv that is pooled twice", batch, shape, |net, x| {
            let x = net.conv(x, 5, POINTWISE);
            let once = net.avg_pool(x, HALVE);
            let twice = net.avg_pool(x, HALVE);
            net.concat(&[once, twice]);
        }));
        cases.push(odd("1x1 conv that is pooled and is the output", batch, shape, |net, x| {
            let conv = net.conv(x, 5, POINTWISE);
            net.avg_pool(conv, HALVE);
            net.output(conv);
        }));
        cases.push(odd("1x1 conv pooled in a block", batch, shape, |net, x| {
            let first = net.max_pool(x, HALVE);
            let y = net.norm_relu(x);
            let y = net.conv_with_bias(y, 4, POINTWISE);
            let second = net.avg_pool(y, HALVE);
            let both = net.concat(&[first, second]);
            let grown = net.conv(both, 3, GROWTH);
            net.concat(&[both, grown]);
        }));
        cases.push(odd("two mean pools after one 1x1 conv", batch, [channels, 4 * height, 4 * width], |net, x| {
            let x = net.conv(x, 5, POINTWISE);
            let x = net.avg_pool(x, HALVE);
            net.avg_pool(x, HALVE);
        }));
    }
    for [height, width] in [[2, 2], [2, 7], [7, 2], [3, 3], [4, 6], [5, 8], [9, 13], [61, 66]] {
        for (channels, batch) in [(1, 1), (5, 3)] {
            let shape = [channels, height, width];
            cases.push(odd("blur pool of the input", batch, shape, |net, x| {
                net.blur_pool(x);
            }));
            cases.push(odd("3x3 conv, norm, blur pool, norm, ReLU, 1x1 conv", batch, shape, |net, x| {
                let x = net.conv(x, channels, GROWTH);
                let x = net.norm(x);
                let x = net.blur_pool(x);
                let x = net.norm_relu(x);
                net.conv(x, 3, POINTWISE);
            }));
            cases.push(odd("max pool, norm, ReLU, blur pool", batch, shape, |net, x| {
                let x = net.max_pool(x, GROWTH);
                let x = net.norm_relu(x);
                net.blur_pool(x);
            }));
            cases.push(odd("blur pools of a concat and of its last part, in a concat", batch, shape, |net, x| {
                let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
                let both = net.concat(&[a, b]);
                let [whole, part] = [both, b].map(|x| net.blur_pool(x));
                net.concat(&[whole, part]);
            }));
        }
    }
    cases
}
