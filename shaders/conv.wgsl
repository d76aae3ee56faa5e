// Convolution with any kernel, stride and zero padding:
// dst[o, y, x] = max(bias[o] + sum over c, ky, kx of weight[c, ky, kx, o] * src[c, y * stride + ky - padding, ...], floor).
// For software adapters, whose loads cost much more than their arithmetic.
//
// An invocation owns TILE_CHANNELS output channels of a strip of TILE_PIXELS neighbouring pixels; a workgroup owns
// WORKGROUP strips of the same channels. A tap's weights are loaded by LANES invocations, a quad each, and broadcast
// through the subgroup: so none may leave before the end, and subgroups have a multiple of LANES.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 8u;
const TILE_CHANNELS: u32 = 32u;
const TILE_PIXELS: u32 = 4u;

// use: at_least, layout, stored, strip, strip_sums, window

struct Params {
    src: Layout,
    dst: Layout,
    window: Window,
    strips: u32,          // of all images
    row_strips: u32,      // in one row
    image_strips: u32,    // in one image
    in_channels: u32,
    out_channels: u32,
    weight_offset: u32,   // quads
    weight_row: u32,      // quads of one tap's row
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

const LANES: u32 = 8u;

// All lanes are there to broadcast weights, a quad each, and hold all channels.
const_assert WORKGROUP % LANES == 0u;
const_assert TILE_CHANNELS % 4u == 0u;
const_assert TILE_PIXELS % 4u == 0u;
const_assert TILE_CHANNELS <= 4u * LANES;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
    let lane = subgroup_invocation % LANES;
    let number = (group.z * groups.x + group.x) * WORKGROUP + invocation;
    let first_channel = group.y * TILE_CHANNELS;
    let strip = strip_at(min(number, params.strips - 1u));
    let src_y0 = i32(strip.y * params.window.stride_y) - i32(params.window.padding_y);
    let src_x0 = i32(strip.x * params.window.stride_x) - i32(params.window.padding_x);

    var sums: StripSums;
    var row = params.weight_offset + min(first_channel / 4u + lane, params.weight_row - 1u);
    var plane = params.src.offset + strip.image * params.src.image;
    for (var c = 0u; c < params.in_channels; c++) {
        for (var ky = 0u; ky < params.window.kernel_height; ky++) {
            let src_y = src_y0 + i32(ky);
            let line_inside = src_y >= 0 && src_y < i32(params.window.src_height);
            let line = plane + u32(clamp(src_y, 0, i32(params.window.src_height) - 1)) * params.src.width;
            for (var kx = 0u; kx < params.window.kernel_width; kx++) {
                var x: array<f32, TILE_PIXELS>;
                for (var i = 0u; i < TILE_PIXELS; i++) {
                    let src_x = src_x0 + i32(i * params.window.stride_x + kx);
                    let inside = line_inside & (src_x >= 0) & (src_x < i32(params.window.src_width));
                    x[i] = select(0.0, f32(src[line + u32(clamp(src_x, 0, i32(params.window.src_width) - 1))]), inside);
                }
                let lane_weights = vec4<f32>(weights[row]);
                row += params.weight_row;
                for (var o = 0u; o < TILE_CHANNELS; o++) {  // unrolled
                    let weight = vec4(subgroupShuffle(lane_weights[o % 4u], o / 4u));
                    for (var i = 0u; i < TILE_PIXELS; i += 4u) {  // unrolled
                        sums[o][i / 4u] = fma(vec4(x[i], x[i + 1u], x[i + 2u], x[i + 3u]), weight, sums[o][i / 4u]);
                    }
                }
            }
        }
        plane += params.src.plane;
    }

    store_strip(&sums, vec4<f32>(weights[row]), first_channel, strip, number < params.strips);
}
