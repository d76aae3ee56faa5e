// Pooling over a square window at stride 2, as in the stem and the transitions: the maximum, where padding never wins, or
// (MEAN) the mean, where padding counts as zeros.
// With PROLOGUE each tap is max(src * scale[c] + shift[c], prologue_floor) first: a transition's batch norm and ReLU.
// For devices whose loads cost much more than their arithmetic: processors that play a GPU.
//
// An invocation owns a strip of TILE_PIXELS neighbouring output pixels of one channel: it loads and normalises what their
// windows share once.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 32u;
const TILE_PIXELS: u32 = 4u;
const KERNEL: u32 = 2u;
const MEAN: bool = true;
const PROLOGUE: bool = true;

// Where element (n, c, y, x) lies: offset + n * image + c * plane + y * width + x.
struct Layout {
    offset: u32,
    plane: u32,
    image: u32,
    width: u32,
}

struct Params {
    src: Layout,
    dst: Layout,
    strips: u32,          // of all images
    row_strips: u32,      // in one row
    image_strips: u32,    // in one image
    src_height: u32,
    padding_y: u32,
    padding_x: u32,
    weight_offset: u32,   // quads, one a channel
    prologue_floor: f32,
    lowest: f32,          // minus infinity, which WGSL has no constant for
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

const STRIDE: u32 = 2u;
const WINDOW_PIXELS: u32 = STRIDE * (TILE_PIXELS - 1u) + KERNEL;

// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

// max(x, least), but NaN stays NaN, which max may swallow: numbers that grew too large must not turn into an answer.
fn at_least(x: f32, least: f32) -> f32 {
    let is_nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
    return select(max(x, least), x, is_nan);
}

// The larger of the two, or the NaN among them.
fn larger(a: f32, b: f32) -> f32 {
    let b_is_nan = (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u;
    return select(at_least(a, b), b, b_is_nan);
}

// x as dst holds it: NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind the next ReLU.
fn stored(x: f32) -> Target {
    let bits = bitcast<u32>(x);
    let is_beyond = (bits & 0x7fffffffu) >= 0x477ff000u;  // 65520, the least that rounds to infinity
    return Target(bitcast<f32>(bits | select(0u, 0x7fffffffu, TARGET_IS_HALF & is_beyond)));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let strip = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if strip >= params.strips {
        return;
    }
    let channel = group.y;
    let image = strip / params.image_strips;
    let strip_in_image = strip - image * params.image_strips;
    let y = strip_in_image / params.row_strips;
    let x0 = (strip_in_image - y * params.row_strips) * TILE_PIXELS;
    let window_y = i32(y * STRIDE) - i32(params.padding_y);
    let first_y = u32(max(window_y, 0));
    let end_y = u32(min(window_y + i32(KERNEL), i32(params.src_height)));
    let window_x = i32(x0 * STRIDE) - i32(params.padding_x);

    var norm = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    if PROLOGUE {
        norm = vec4<f32>(weights[params.weight_offset + channel]);
    }
    let plane = params.src.offset + image * params.src.image + channel * params.src.plane;
    var sums: array<f32, TILE_PIXELS>;
    var highest: array<f32, TILE_PIXELS>;
    for (var i = 0u; i < TILE_PIXELS; i++) {
        highest[i] = params.lowest;
    }
    for (var src_y = first_y; src_y < end_y; src_y++) {
        let line = plane + src_y * params.src.width;
        var taps: array<f32, WINDOW_PIXELS>;
        var inside: array<bool, WINDOW_PIXELS>;
        for (var i = 0u; i < WINDOW_PIXELS; i++) {
            let src_x = window_x + i32(i);
            inside[i] = src_x >= 0 && src_x < i32(params.src.width);
            taps[i] = f32(src[line + u32(clamp(src_x, 0, i32(params.src.width) - 1))]);
            if PROLOGUE {
                taps[i] = at_least(fma(taps[i], norm.x, norm.y), params.prologue_floor);
            }
        }
        for (var i = 0u; i < TILE_PIXELS; i++) {
            for (var kx = 0u; kx < KERNEL; kx++) {
                let tap = taps[STRIDE * i + kx];
                let is_inside = inside[STRIDE * i + kx];
                sums[i] += select(0.0, tap, is_inside);
                highest[i] = select(highest[i], larger(tap, highest[i]), is_inside);
            }
        }
    }
    let line = params.dst.offset + image * params.dst.image + channel * params.dst.plane + y * params.dst.width;
    for (var i = 0u; i < TILE_PIXELS; i++) {
        let mean = sums[i] / f32(KERNEL * KERNEL);
        if x0 + i < params.dst.width {
            dst[line + x0 + i] = stored(select(highest[i], mean, MEAN));
        }
    }
}
