// 1x1 convolution of channel planes: dst[o, p] = max(bias[o] + sum over c of weight[c, o] * x[c, p], floor),
// where x is src or, with PROLOGUE, max(src * scale[c] + shift[c], prologue_floor): batch norm and ReLU on the way in.
// For devices whose loads cost much more than their arithmetic: processors that play a GPU.
//
// An invocation owns TILE_CHANNELS output channels of TILE_QUADS quads (4 neighbouring pixels); a workgroup owns
// WORKGROUP * TILE_QUADS quads of the same channels. What all of its invocations need is loaded once by LANES of them,
// a quad each, and handed round in registers: so none may leave before the end, and subgroups have a multiple of LANES.
// Images meet inside a plane: nothing here knows where one ends.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 8u;
const TILE_CHANNELS: u32 = 32u;
const TILE_QUADS: u32 = 1u;
const PROLOGUE: bool = true;

struct Params {
    quads: u32,          // of a plane
    in_channels: u32,
    out_channels: u32,
    src_offset: u32,     // quads
    src_plane: u32,      // quads
    dst_offset: u32,     // quads
    dst_plane: u32,      // quads
    weight_offset: u32,  // quads
    weight_row: u32,     // quads of one input channel's row, without the prologue's
    prologue_floor: f32,
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<Source>>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<Target>>;

// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

const LANES: u32 = 8u;
const ROW_HEAD: u32 = select(0u, 1u, PROLOGUE);

// All lanes are there to hand weights round, a quad each, and hold all channels.
const_assert WORKGROUP % LANES == 0u;
const_assert TILE_CHANNELS % 4u == 0u;
const_assert TILE_CHANNELS <= 4u * LANES;

// max(x, least), but NaN stays NaN, which max may swallow: numbers that grew too large must not turn into an answer.
fn at_least(x: vec4<f32>, least: f32) -> vec4<f32> {
    let is_nan = (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
    return select(max(x, vec4(least)), x, is_nan);
}

// x as dst holds it: NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind the next ReLU.
fn stored(x: vec4<f32>) -> vec4<Target> {
    let bits = bitcast<vec4<u32>>(x);
    let is_beyond = (bits & vec4(0x7fffffffu)) >= vec4(0x477ff000u);  // 65520, the least that rounds to infinity
    return vec4<Target>(bitcast<vec4<f32>>(bits | select(vec4(0u), vec4(0x7fffffffu), vec4(TARGET_IS_HALF) & is_beyond)));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
    let lane = subgroup_invocation % LANES;
    let first_quad = (group.z * groups.x + group.x) * WORKGROUP * TILE_QUADS + invocation;
    let first_channel = group.y * TILE_CHANNELS;

    var source: array<u32, TILE_QUADS>;
    for (var q = 0u; q < TILE_QUADS; q++) {
        source[q] = params.src_offset + min(first_quad + q * WORKGROUP, params.quads - 1u);
    }
    var sums: array<array<vec4<f32>, TILE_QUADS>, TILE_CHANNELS>;
    let row_quads = ROW_HEAD + params.weight_row;
    let lane_quad = min(first_channel / 4u + lane, params.weight_row - 1u);
    var row = params.weight_offset;
    for (var first = 0u; first < params.in_channels; first += LANES) {
        let depth = min(LANES, params.in_channels - first);
        var norms = vec4<f32>();
        if PROLOGUE {
            norms = vec4<f32>(weights[row + min(lane, depth - 1u) * row_quads]);
        }
        for (var c = 0u; c < depth; c++) {
            let lane_weights = vec4<f32>(weights[row + ROW_HEAD + lane_quad]);
            row += row_quads;
            let scale = subgroupShuffle(norms.x, c);
            let shift = subgroupShuffle(norms.y, c);
            var x: array<vec4<f32>, TILE_QUADS>;
            for (var q = 0u; q < TILE_QUADS; q++) {
                x[q] = vec4<f32>(src[source[q]]);
                source[q] += params.src_plane;
                if PROLOGUE {
                    x[q] = at_least(fma(x[q], vec4(scale), vec4(shift)), params.prologue_floor);
                }
            }
            for (var o = 0u; o < TILE_CHANNELS; o += 4u) {
                let weight = subgroupShuffle(lane_weights, o / 4u);
                for (var q = 0u; q < TILE_QUADS; q++) {
                    sums[o][q] = fma(x[q], vec4(weight.x), sums[o][q]);
                    sums[o + 1u][q] = fma(x[q], vec4(weight.y), sums[o + 1u][q]);
                    sums[o + 2u][q] = fma(x[q], vec4(weight.z), sums[o + 2u][q]);
                    sums[o + 3u][q] = fma(x[q], vec4(weight.w), sums[o + 3u][q]);
                }
            }
        }
    }

    let lane_bias = vec4<f32>(weights[row + lane_quad]);
    for (var o = 0u; o < TILE_CHANNELS; o++) {
        let channel = first_channel + o;
        let bias = subgroupShuffle(lane_bias, o / 4u)[o % 4u];
        if channel < params.out_channels {
            for (var q = 0u; q < TILE_QUADS; q++) {
                let quad = first_quad + q * WORKGROUP;
                if quad < params.quads {
                    dst[params.dst_offset + channel * params.dst_plane + quad] = stored(at_least(sums[o][q] + vec4(bias), params.floor));
                }
            }
        }
    }
}
