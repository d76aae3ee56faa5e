// Pooling over a window: the maximum, where padding never wins, or (MEAN) the mean, where padding counts as zeros.
// With PROLOGUE each tap is max(src * scale[c] + shift[c], prologue_floor) first: a transition's batch norm and ReLU.
//
// An invocation owns one output pixel of one channel.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;
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
    pixels: u32,          // of all output images
    image_pixels: u32,    // of one output image
    src_height: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
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
    let pixel = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if pixel >= params.pixels {
        return;
    }
    let channel = group.y;
    let image = pixel / params.image_pixels;
    let pixel_in_image = pixel - image * params.image_pixels;
    let y = pixel_in_image / params.dst.width;
    let x = pixel_in_image - y * params.dst.width;
    let window_y = i32(y * params.stride_y) - i32(params.padding_y);
    let window_x = i32(x * params.stride_x) - i32(params.padding_x);
    let first_y = u32(max(window_y, 0));
    let first_x = u32(max(window_x, 0));
    let end_y = u32(min(window_y + i32(params.kernel_height), i32(params.src_height)));
    let end_x = u32(min(window_x + i32(params.kernel_width), i32(params.src.width)));

    var norm = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    if PROLOGUE {
        norm = vec4<f32>(weights[params.weight_offset + channel]);
    }
    let plane = params.src.offset + image * params.src.image + channel * params.src.plane;
    var sum = 0.0;
    var highest = params.lowest;
    for (var src_y = first_y; src_y < end_y; src_y++) {
        for (var src_x = first_x; src_x < end_x; src_x++) {
            var tap = f32(src[plane + src_y * params.src.width + src_x]);
            if PROLOGUE {
                tap = at_least(fma(tap, norm.x, norm.y), params.prologue_floor);
            }
            sum += tap;
            highest = larger(tap, highest);
        }
    }
    let mean = sum / f32(params.kernel_height * params.kernel_width);
    dst[params.dst.offset + image * params.dst.image + channel * params.dst.plane + pixel_in_image] = stored(select(highest, mean, MEAN));
}
