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

// use: at_least, larger, layout, pixel, pool_prologue, stored, window

struct Params {
    src: Layout,
    dst: Layout,
    window: Window,
    pixels: u32,          // of all output images
    image_pixels: u32,    // of one output image
    weight_offset: u32,   // quads, one a channel
    prologue_floor: f32,
    lowest: f32,          // minus infinity, which WGSL has no constant for
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let pixel = own_pixel(group, groups, lane);
    if pixel.number >= params.pixels {
        return;
    }
    let window = params.window;
    let y = pixel.in_image / params.dst.width;
    let x = pixel.in_image - y * params.dst.width;
    let window_y = i32(y * window.stride_y) - i32(window.padding_y);
    let window_x = i32(x * window.stride_x) - i32(window.padding_x);
    let first_y = u32(max(window_y, 0));
    let first_x = u32(max(window_x, 0));
    let end_y = u32(min(window_y + i32(window.kernel_height), i32(window.src_height)));
    let end_x = u32(min(window_x + i32(window.kernel_width), i32(window.src_width)));

    let norm = norm_of(pixel.channel);
    let plane = params.src.offset + pixel.image * params.src.image + pixel.channel * params.src.plane;
    var sum = 0.0;
    var highest = params.lowest;
    for (var src_y = first_y; src_y < end_y; src_y++) {
        for (var src_x = first_x; src_x < end_x; src_x++) {
            let tap = normalised(f32(src[plane + src_y * params.src.width + src_x]), norm);
            sum += tap;
            highest = larger(tap, highest);
        }
    }
    let mean = sum / f32(window.kernel_height * window.kernel_width);
    dst[place(params.dst, pixel)] = stored(select(highest, mean, MEAN));
}
