//! Convolutions: every window, every tile's edge.

use densenet_wgpu::network::Window;

use super::{GROWTH, Odd, POINTWISE, odd, window};

/// Input and output channels on both sides of every tile's edge.
const CHANNELS: [[usize; 2]; 12] =
    [[1, 1], [1, 9], [3, 5], [5, 3], [7, 8], [8, 7], [9, 1], [31, 33], [33, 31], [4, 64], [64, 128], [130, 17]];

/// 1x1 convolutions: from the input, from planes, with everything that joins them before and after.
pub(crate) fn pointwise() -> Vec<Odd> {
    let sizes = [[1, 1], [1, 5], [3, 1], [2, 2], [7, 7], [16, 16], [13, 20], [33, 19]];
    let mut cases = Vec::new();
    for (index, [channels, out]) in CHANNELS.into_iter().enumerate() {
        for (offset, batch) in [(0, 1), (3, 3), (5, 2)] {
            let [height, width] = sizes[(index + offset) % sizes.len()];
            let shape = [channels, height, width];
            cases.push(odd(format!("1x1 conv of the input to {out}"), batch, shape, |net, x| {
                net.conv(x, out, POINTWISE);
            }));
            cases.push(odd(format!("norm, ReLU, 1x1 conv to {out}, norm, ReLU"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, POINTWISE);
                net.norm_relu(x);
            }));
            cases.push(odd(format!("1x1 conv to {out} of planes, ReLU"), batch, shape, |net, x| {
                let x = net.relu(x);
                let x = net.conv(x, out, POINTWISE);
                net.relu(x);
            }));
        }
    }
    cases
}

/// 3x3 convolutions of stride 1: every width from 1 to 9, every tile's edge.
pub(crate) fn growth() -> Vec<Odd> {
    let mut cases = Vec::new();
    for width in 1..=9 {
        for (height, batch) in [(1, 1), (2, 3), (7, 1), (5, 3)] {
            cases.push(odd("3x3 conv, 3 to 5", batch, [3, height, width], |net, x| {
                net.conv(x, 5, GROWTH);
            }));
        }
    }
    for (index, [channels, out]) in CHANNELS.into_iter().enumerate() {
        for batch in [1, 3] {
            let [height, width] = [[4, 6], [7, 7], [14, 14], [1, 17], [17, 1]][(index + batch) % 5];
            cases.push(odd(format!("1x1 conv to {channels}, 3x3 conv to {out}, norm, ReLU"), batch, [2, height, width], |net, x| {
                let x = net.conv_with_bias(x, channels, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, GROWTH);
                net.norm_relu(x);
            }));
        }
    }
    cases.push(odd("3x3 conv of a large picture", 1, [3, 61, 67], |net, x| {
        let x = net.conv(x, 9, GROWTH);
        net.conv(x, 33, GROWTH);
    }));
    cases
}

/// Every other window a convolution can have.
pub(crate) fn windows() -> Vec<Odd> {
    let windows = [
        Window::square(1, 2, 0),
        Window::square(1, 3, 0),
        Window::square(1, 1, 1),
        Window::square(2, 1, 0),
        Window::square(2, 2, 1),
        Window::square(3, 1, 0),
        Window::square(3, 1, 2),
        Window::square(3, 2, 1),
        Window::square(3, 3, 1),
        Window::square(4, 2, 1),
        Window::square(5, 1, 2),
        Window::square(5, 2, 4),
        Window::square(7, 1, 3),
        Window::square(7, 2, 3),
        Window::square(7, 3, 0),
        window([3, 1], [1, 1], [1, 0]),
        window([1, 3], [1, 1], [0, 1]),
        window([3, 3], [1, 2], [1, 1]),
        window([3, 3], [2, 1], [1, 1]),
        window([3, 3], [1, 1], [1, 0]),
        window([5, 2], [3, 1], [0, 1]),
        window([1, 7], [2, 3], [1, 3]),
    ];
    let mut cases = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        for (offset, batch) in [(0, 1), (2, 3)] {
            let [height, width] = [[7, 7], [8, 9], [11, 13], [9, 7], [16, 21]][(index + offset) % 5];
            let [channels, out] = CHANNELS[(index + offset) % 8];
            cases.push(odd(format!("{window} conv of the input to {out}"), batch, [channels, height, width], |net, x| {
                net.conv(x, out, window);
            }));
            cases.push(odd(format!("norm, ReLU, {window} conv to {out}, norm, ReLU"), batch, [channels, height, width], |net, x| {
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, window);
                net.norm_relu(x);
            }));
        }
    }
    let larger_than_the_picture = [([5, 5], [2, 2], [1, 1]), ([7, 7], [3, 3], [1, 2]), ([3, 3], [4, 4], [2, 1]), ([1, 5], [0, 2], [4, 1])];
    for (kernel, padding, [height, width]) in larger_than_the_picture {
        cases.push(odd(format!("{kernel:?} conv padded by {padding:?}"), 3, [3, height, width], |net, x| {
            net.conv(x, 5, window(kernel, [1, 2], padding));
        }));
    }
    for (channels, [height, width]) in [(1, [224, 224]), (3, [97, 131]), (3, [64, 64])] {
        cases.push(odd("a DenseNet's stem", 1, [channels, height, width], |net, x| {
            let x = net.conv(x, 24, Window::square(7, 2, 3));
            let x = net.norm_relu(x);
            net.max_pool(x, Window::square(3, 2, 1));
        }));
    }
    cases
}
