// Pooling over a square window at stride 2, as in the stem and the transitions: the maximum, where padding never wins, or
// (MEAN) the mean, where padding counts as zeros.
// With PROLOGUE each tap is max(src * scale[c] + shift[c], prologue_floor) first: a transition's batch norm and ReLU.
// For software adapters, whose loads cost much more than their arithmetic.
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

// use: at_least, larger, layout, pool_prologue, stored, strip

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

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if number >= params.strips {
        return;
    }
    let channel = group.y;
    let strip = strip_at(number);
    let window_y = i32(strip.y * STRIDE) - i32(params.padding_y);
    let first_y = u32(max(window_y, 0));
    let end_y = u32(min(window_y + i32(KERNEL), i32(params.src_height)));
    let window_x = i32(strip.x * STRIDE) - i32(params.padding_x);

    let norm = norm_of(channel);
    let plane = params.src.offset + strip.image * params.src.image + channel * params.src.plane;
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
            taps[i] = normalised(f32(src[line + u32(clamp(src_x, 0, i32(params.src.width) - 1))]), norm);
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
    let line = params.dst.offset + strip.image * params.dst.image + channel * params.dst.plane + strip.y * params.dst.width;
    for (var i = 0u; i < TILE_PIXELS; i++) {
        let mean = sums[i] / f32(KERNEL * KERNEL);
        if strip.x + i < params.dst.width {
            dst[line + strip.x + i] = stored(select(highest[i], mean, MEAN));
        }
    }
}
