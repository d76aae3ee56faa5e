// 1x1 convolution of channel planes: dst[o, p] = max(bias[o] + sum over c of weight[c, o] * x[c, p], floor),
// where x is src or, where rows of weights begin with a norm, max(src * scale[c] + shift[c], prologue_floor): batch norm and
// ReLU on the way in. Both are one variant, since compiling one takes longer than it could save.
// For software adapters, whose loads cost much more than their arithmetic.
//
// An invocation owns TILE_CHANNELS output channels of TILE_QUADS quads (4 neighbouring pixels); a workgroup owns
// WORKGROUP * TILE_QUADS quads of the same channels. What all of its invocations need is loaded once by LANES of them,
// a quad each, and broadcast through the subgroup: so none may leave before the end, and subgroups have a multiple of LANES.
// There are more sums than registers: each is visited once for TILE_DEPTH input channels, all for one output channel at a
// time. Neighbouring workgroups own other channels of the same pixels, which are in the cache then.
// Images meet inside a plane: nothing here knows where one ends.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 8u;
const TILE_CHANNELS: u32 = 32u;
const TILE_QUADS: u32 = 1u;
const TILE_DEPTH: u32 = 2u;

// use: quad_at_least, quad_stored

struct Params {
    quads: u32,          // of a plane
    in_channels: u32,
    out_channels: u32,
    src_offset: u32,     // quads
    src_plane: u32,      // quads
    dst_offset: u32,     // quads
    dst_plane: u32,      // quads
    weight_offset: u32,  // quads
    weight_row: u32,     // quads of one input channel's row, without its norm
    weight_norm: u32,    // quads of the norm before them, or 0
    prologue_floor: f32,
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<Source>>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<Target>>;

const LANES: u32 = 8u;
const LANE_CHANNELS: u32 = 4u * LANES;
const LANE_QUADS: u32 = (TILE_CHANNELS + LANE_CHANNELS - 1u) / LANE_CHANNELS;

// All lanes are there to broadcast weights and norms.
const_assert WORKGROUP % LANES == 0u;
const_assert TILE_CHANNELS % 4u == 0u;
const_assert TILE_DEPTH <= LANES;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_invocation_id) subgroup_invocation: u32,
) {
    let lane = subgroup_invocation % LANES;
    let first_quad = (group.z * groups.y + group.y) * WORKGROUP * TILE_QUADS + invocation;
    let first_channel = group.x * TILE_CHANNELS;

    var source: array<u32, TILE_QUADS>;
    for (var q = 0u; q < TILE_QUADS; q++) {
        source[q] = params.src_offset + min(first_quad + q * WORKGROUP, params.quads - 1u);
    }
    var sums: array<array<vec4<f32>, TILE_QUADS>, TILE_CHANNELS>;
    let row_quads = params.weight_norm + params.weight_row;
    var lane_quad: array<u32, LANE_QUADS>;
    for (var l = 0u; l < LANE_QUADS; l++) {
        lane_quad[l] = min(first_channel / 4u + l * LANES + lane, params.weight_row - 1u);
    }
    var row = params.weight_offset;
    for (var first = 0u; first < params.in_channels; first += TILE_DEPTH) {
        let depth = min(TILE_DEPTH, params.in_channels - first);
        let norms = select(vec4(1.0, 0.0, 0.0, 0.0), vec4<f32>(weights[row + min(lane, depth - 1u) * row_quads]), params.weight_norm > 0u);
        var x: array<array<vec4<f32>, TILE_QUADS>, TILE_DEPTH>;
        var lane_weights: array<array<vec4<f32>, LANE_QUADS>, TILE_DEPTH>;
        for (var c = 0u; c < TILE_DEPTH; c++) {  // unrolled
            let channel = min(c, depth - 1u);
            for (var q = 0u; q < TILE_QUADS; q++) {  // unrolled
                let value = vec4<f32>(src[source[q] + channel * params.src_plane]);
                let normalised = fma(value, vec4(subgroupShuffle(norms.x, c)), vec4(subgroupShuffle(norms.y, c)));
                x[c][q] = select(vec4<f32>(), quad_at_least(normalised, params.prologue_floor), c < depth);
            }
            for (var l = 0u; l < LANE_QUADS; l++) {
                lane_weights[c][l] = vec4<f32>(weights[row + channel * row_quads + params.weight_norm + lane_quad[l]]);
            }
        }
        for (var o = 0u; o < TILE_CHANNELS; o++) {  // unrolled
            for (var c = 0u; c < TILE_DEPTH; c++) {  // unrolled
                let weight = subgroupShuffle(lane_weights[c][o / LANE_CHANNELS][o % 4u], o / 4u % LANES);
                for (var q = 0u; q < TILE_QUADS; q++) {  // unrolled
                    sums[o][q] = fma(x[c][q], vec4(weight), sums[o][q]);
                }
            }
        }
        row += depth * row_quads;
        for (var q = 0u; q < TILE_QUADS; q++) {
            source[q] += depth * params.src_plane;
        }
    }

    // A loop whose index is not known would keep all sums in memory, from the first on.
    var results: array<array<vec4<f32>, TILE_QUADS>, TILE_CHANNELS>;
    for (var o = 0u; o < TILE_CHANNELS; o++) {  // unrolled
        for (var q = 0u; q < TILE_QUADS; q++) {  // unrolled
            results[o][q] = sums[o][q];
        }
    }
    var lane_bias: array<vec4<f32>, LANE_QUADS>;
    for (var l = 0u; l < LANE_QUADS; l++) {
        lane_bias[l] = vec4<f32>(weights[row + lane_quad[l]]);
    }
    for (var o = 0u; o < TILE_CHANNELS; o++) {
        let channel = first_channel + o;
        let bias = subgroupShuffle(lane_bias[o / LANE_CHANNELS], o / 4u % LANES)[o % 4u];
        if channel < params.out_channels {
            for (var q = 0u; q < TILE_QUADS; q++) {
                let quad = first_quad + q * WORKGROUP;
                if quad < params.quads {
                    dst[params.dst_offset + channel * params.dst_plane + quad] = quad_stored(quad_at_least(results[o][q] + vec4(bias), params.floor));
                }
            }
        }
    }
}
