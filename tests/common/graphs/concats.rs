//! Concats: grown in place where they can be, copied where they cannot.

use densenet_wgpu::network::{Value, Window};

use super::{GROWTH, Net, Odd, POINTWISE, odd, window};

/// Concats: grown in place where they can be, copied where they cannot.
pub(crate) fn concats() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (channels, [height, width], batch) in [(3, [4, 4], 1), (1, [3, 5], 3), (5, [1, 1], 2), (2, [7, 7], 3)] {
        let shape = [channels, height, width];
        let mut case = |name: &str, verbs: fn(&mut Net, Value)| cases.push(odd(name, batch, shape, verbs));
        case("concat of the input alone", |net, x| {
            net.concat(&[x]);
        });
        case("concat of the input with itself", |net, x| {
            net.concat(&[x, x]);
        });
        case("concat of the input and a conv", |net, x| {
            let y = net.conv(x, 3, GROWTH);
            net.concat(&[x, y]);
        });
        case("concat of a conv alone, normed", |net, x| {
            let y = net.conv(x, 3, GROWTH);
            let y = net.concat(&[y]);
            net.norm_relu(y);
        });
        case("concat with a repeated part", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(x, 2, POINTWISE);
            net.concat(&[a, b, a]);
        });
        case("concat of concats", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, x]);
            let all = net.concat(&[left, right]);
            let all = net.norm_relu(all);
            net.conv(all, 4, POINTWISE);
        });
        case("one value in two concats", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, a]);
            let left = net.conv(left, 3, POINTWISE);
            net.concat(&[left, right]);
        });
        case("one value in two concats of one concat", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, a]);
            net.concat(&[left, right]);
        });
        case("a value and a concat that repeats it", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let twice = net.concat(&[a, a]);
            net.concat(&[a, twice]);
        });
        case("a concat, and a part of it twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            net.concat(&[both, a, a]);
        });
        case("a concat and its last part", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let more = net.concat(&[both, b]);
            net.concat(&[more, both]);
        });
        case("a concat twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            net.concat(&[both, both]);
        });
        case("the same concat made twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let once = net.concat(&[a, b]);
            let again = net.concat(&[a, b]);
            let once = net.conv(once, 3, GROWTH);
            net.concat(&[once, again]);
        });
        case("a dense block", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 6, POINTWISE);
                let y = net.norm_relu(y);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
            net.norm_relu(x);
        });
        case("a dense block without bottlenecks", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
            net.norm_relu(x);
        });
        case("a dense block of flat lists", |net, x| {
            let mut parts = vec![net.conv(x, 4, GROWTH)];
            for _ in 0..4 {
                let y = net.concat(&parts);
                let y = net.norm_relu(y);
                let y = net.conv(y, 6, POINTWISE);
                let y = net.norm_relu(y);
                parts.push(net.conv(y, 3, GROWTH));
            }
            let all = net.concat(&parts);
            net.norm_relu(all);
        });
        case("a dense block on the input", |net, x| {
            let mut x = x;
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
        });
        case("new parts in front", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, POINTWISE);
                x = net.concat(&[y, x]);
            }
        });
        case("a 1x1 conv of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(a, 5, POINTWISE);
            let c = net.relu(b);
            net.concat(&[a, b, c]);
        });
        case("a 3x3 conv of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(a, 5, GROWTH);
            net.concat(&[b, a]);
        });
        case("a pool of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.max_pool(a, Window::square(3, 1, 1));
            let c = net.avg_pool(a, Window::square(3, 1, 1));
            net.concat(&[c, a, b]);
        });
        case("parts that a third concat reads in other order", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let first = net.concat(&[a, b, c]);
            let second = net.concat(&[c, b, a]);
            let first = net.conv(first, 4, POINTWISE);
            let second = net.conv(second, 4, POINTWISE);
            net.concat(&[first, second, b]);
        });
        case("a concat that is pooled and read whole", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let pooled = net.avg_pool(both, POINTWISE);
            net.concat(&[pooled, both]);
        });
        case("a concat read by every kernel", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let parts = [
                net.conv(both, 2, POINTWISE),
                net.conv(both, 2, GROWTH),
                net.conv(both, 2, window([3, 1], [1, 1], [1, 0])),
                net.relu(both),
                net.norm(both),
                net.max_pool(both, POINTWISE),
                net.avg_pool(both, POINTWISE),
                b,
            ];
            net.concat(&parts);
        });
        case("means of a part and of the whole", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let [part, whole] = [net.global_pool(b), net.global_pool(both)];
            let all = net.concat(&[part, whole]);
            net.linear(all, 3);
        });
    }
    cases
}
