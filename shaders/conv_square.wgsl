// Convolution with a KERNEL x KERNEL window at STRIDE, zero padding KERNEL / 2: 3x3 at stride 1, by which a dense layer grows
// its block, and 7x7 at stride 2, the stem.
// dst[o, y, x] = max(bias[o] + sum over c, ky, kx of weight[c, ky, kx, o] * src[c, STRIDE * y + ky - PADDING, ...], floor).
// For software adapters, whose loads cost much more than their arithmetic.
//
// An invocation owns TILE_CHANNELS output channels of a strip of TILE_PIXELS neighbouring pixels; a workgroup owns
// WORKGROUP strips of the same channels. A tap's weights are loaded by LANES invocations, a quad each, and broadcast
// through the subgroup: so none may leave before the end, and subgroups have a multiple of LANES. There are more sums than
// registers: each is visited once for a row of the window, all for one output channel at a time.
// Taps outside the picture are read from a clamped address and replaced by zero: memory there holds another row or image.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 8u;
const TILE_CHANNELS: u32 = 32u;
const TILE_PIXELS: u32 = 4u;
const KERNEL: u32 = 3u;
const STRIDE: u32 = 1u;

// use: at_least, layout, stored, strip, strip_sums

struct Params {
    src: Layout,
    dst: Layout,
    strips: u32,          // of all images
    row_strips: u32,      // in one row
    image_strips: u32,    // in one image
    src_height: u32,
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
const PADDING: i32 = i32(KERNEL / 2u);
// Of one row, for a whole strip.
const WINDOW_PIXELS: u32 = STRIDE * (TILE_PIXELS - 1u) + KERNEL;
// The same with what is beyond the strip's end.
const PADDED_WINDOW: u32 = STRIDE * (4u * QUADS - 1u) + KERNEL;

// All lanes are there to broadcast weights, a quad each, and hold all channels.
const_assert WORKGROUP % LANES == 0u;
const_assert TILE_CHANNELS % 4u == 0u;
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

    var column: array<u32, WINDOW_PIXELS>;
    var column_inside: array<bool, WINDOW_PIXELS>;
    for (var i = 0u; i < WINDOW_PIXELS; i++) {
        let src_x = i32(STRIDE * strip.x + i) - PADDING;
        column_inside[i] = src_x >= 0 && src_x < i32(params.src.width);
        column[i] = u32(clamp(src_x, 0, i32(params.src.width) - 1));
    }

    var sums: StripSums;
    var row = params.weight_offset + min(first_channel / 4u + lane, params.weight_row - 1u);
    var plane = params.src.offset + strip.image * params.src.image;
    for (var c = 0u; c < params.in_channels; c++) {
        for (var ky = 0u; ky < KERNEL; ky++) {
            let src_y = i32(STRIDE * strip.y + ky) - PADDING;
            let line_inside = src_y >= 0 && src_y < i32(params.src_height);
            let line = plane + u32(clamp(src_y, 0, i32(params.src_height) - 1)) * params.src.width;
            var window: array<f32, PADDED_WINDOW>;
            for (var i = 0u; i < WINDOW_PIXELS; i++) {
                window[i] = select(0.0, f32(src[line + column[i]]), line_inside & column_inside[i]);
            }
            var taps: array<array<vec4<f32>, QUADS>, KERNEL>;
            var lane_weights: array<vec4<f32>, KERNEL>;
            for (var kx = 0u; kx < KERNEL; kx++) {  // unrolled
                for (var i = 0u; i < TILE_PIXELS; i += 4u) {  // unrolled
                    taps[kx][i / 4u] = vec4(
                        window[STRIDE * i + kx],
                        window[STRIDE * (i + 1u) + kx],
                        window[STRIDE * (i + 2u) + kx],
                        window[STRIDE * (i + 3u) + kx],
                    );
                }
                lane_weights[kx] = vec4<f32>(weights[row]);
                row += params.weight_row;
            }
            for (var o = 0u; o < TILE_CHANNELS; o++) {  // unrolled
                for (var kx = 0u; kx < KERNEL; kx++) {  // unrolled
                    let weight = vec4(subgroupShuffle(lane_weights[kx][o % 4u], o / 4u));
                    for (var i = 0u; i < TILE_PIXELS; i += 4u) {  // unrolled
                        sums[o][i / 4u] = fma(taps[kx][i / 4u], weight, sums[o][i / 4u]);
                    }
                }
            }
        }
        plane += params.src.plane;
    }

    store_strip(&sums, vec4<f32>(weights[row]), first_channel, strip, number < params.strips);
}
