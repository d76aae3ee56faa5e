//! Networks that end in a picture, in the middle, or where they began.

use densenet_wgpu::network::{Value, Window};

use super::{GROWTH, Net, Odd, POINTWISE, odd};

/// Networks that end in a picture, in the middle, or where they began.
pub(crate) fn outputs() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (channels, [height, width], batch) in [(3, [4, 4], 1), (3, [5, 7], 3), (1, [1, 1], 1), (9, [1, 1], 3)] {
        let shape = [channels, height, width];
        let mut case = |name: &str, verbs: fn(&mut Net, Value)| cases.push(odd(name, batch, shape, verbs));
        case("nothing but the input", |_, _| {});
        case("the input, after layers that nobody needs", |net, x| {
            net.conv(x, 3, GROWTH);
            net.output(x);
        });
        case("a conv as output", |net, x| {
            net.conv(x, 3, GROWTH);
        });
        case("a ReLU as output", |net, x| {
            net.relu(x);
        });
        case("a norm that others read as output", |net, x| {
            let conv = net.conv(x, 3, GROWTH);
            let norm = net.norm(conv);
            let relu = net.relu(norm);
            net.conv(relu, 2, POINTWISE);
            net.output(norm);
        });
        case("a conv before its norm as output", |net, x| {
            let conv = net.conv(x, 3, GROWTH);
            net.norm_relu(conv);
            net.output(conv);
        });
        case("a concat's part as output", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            net.concat(&[a, b]);
            net.output(b);
        });
        case("a part as output, of a concat that is needed", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let c = net.conv(both, 4, GROWTH);
            net.concat(&[c, both]);
            net.output(c);
        });
        case("a concat as output", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            net.concat(&[a, b]);
        });
        case("a pool as output", |net, x| {
            net.max_pool(x, Window::square(3, 1, 1));
        });
        case("a picture and what the network makes of it", |net, x| {
            let conv = net.conv(x, 3, POINTWISE);
            let relu = net.relu(conv);
            net.outputs(&[relu, x, conv]);
        });
        case("one value as two outputs", |net, x| {
            let pool = net.max_pool(x, Window::square(3, 1, 1));
            let conv = net.conv(x, 5, GROWTH);
            net.outputs(&[pool, conv, pool, conv]);
        });
        case("a head and a map of the same features", |net, x| {
            let both = net.concat(&[x, x]);
            let features = net.norm_relu(both);
            let pooled = net.global_pool(features);
            let logits = net.linear(pooled, 6);
            let map = net.conv(features, 6, POINTWISE);
            net.outputs(&[logits, map, pooled]);
        });
        case("outputs that others read, and parts of a concat", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let norm = net.norm(both);
            let relu = net.relu(norm);
            let last = net.conv(relu, 4, POINTWISE);
            net.outputs(&[b, norm, last, both, relu]);
        });
        case("dead branches", |net, x| {
            let dead = net.conv(x, 3, GROWTH);
            let live = net.conv(x, 3, POINTWISE);
            let dead = net.concat(&[dead, live]);
            net.norm_relu(dead);
            net.relu(live);
        });
    }
    cases
}
