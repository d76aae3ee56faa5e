// 1x1 convolution of channel planes: dst[o, p] = max(bias[o] + sum over c of weight[c, o] * x[c, p], floor),
// where x is src or, with PROLOGUE, max(src * scale[c] + shift[c], prologue_floor): batch norm and ReLU on the way in.
//
// An invocation owns TILE_CHANNELS output channels of TILE_QUADS quads (4 neighbouring pixels); a workgroup owns
// WORKGROUP * TILE_QUADS quads of the same channels, so that weights are read at one address by all its invocations.
// Images meet inside a plane: nothing here knows where one ends.

const WORKGROUP: u32 = 32u;
const TILE_CHANNELS: u32 = 8u;
const TILE_QUADS: u32 = 2u;
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
@group(0) @binding(1) var<storage, read> src: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

const ROW_HEAD: u32 = select(0u, 1u, PROLOGUE);

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first_quad = (group.z * groups.x + group.x) * WORKGROUP * TILE_QUADS + lane;
    if first_quad >= params.quads {
        return;
    }
    let first_channel = group.y * TILE_CHANNELS;

    var source: array<u32, TILE_QUADS>;
    for (var q = 0u; q < TILE_QUADS; q++) {
        source[q] = params.src_offset + min(first_quad + q * WORKGROUP, params.quads - 1u);
    }
    var sums: array<array<vec4<f32>, TILE_QUADS>, TILE_CHANNELS>;
    var row = params.weight_offset;
    for (var c = 0u; c < params.in_channels; c++) {
        var x: array<vec4<f32>, TILE_QUADS>;
        for (var q = 0u; q < TILE_QUADS; q++) {
            x[q] = src[source[q]];
            source[q] += params.src_plane;
        }
        if PROLOGUE {
            let norm = weights[row];
            for (var q = 0u; q < TILE_QUADS; q++) {
                x[q] = max(fma(x[q], vec4(norm.x), vec4(norm.y)), vec4(params.prologue_floor));
            }
        }
        for (var o = 0u; o < TILE_CHANNELS; o += 4u) {
            let weight = weights[row + ROW_HEAD + (first_channel + o) / 4u];
            for (var q = 0u; q < TILE_QUADS; q++) {
                sums[o][q] = fma(x[q], vec4(weight.x), sums[o][q]);
                sums[o + 1u][q] = fma(x[q], vec4(weight.y), sums[o + 1u][q]);
                sums[o + 2u][q] = fma(x[q], vec4(weight.z), sums[o + 2u][q]);
                sums[o + 3u][q] = fma(x[q], vec4(weight.w), sums[o + 3u][q]);
            }
        }
        row += ROW_HEAD + params.weight_row;
    }

    for (var o = 0u; o < TILE_CHANNELS; o++) {
        let channel = first_channel + o;
        if channel < params.out_channels {
            let bias = weights[row + channel / 4u][channel % 4u];
            for (var q = 0u; q < TILE_QUADS; q++) {
                let quad = first_quad + q * WORKGROUP;
                if quad < params.quads {
                    dst[params.dst_offset + channel * params.dst_plane + quad] = max(sums[o][q] + vec4(bias), vec4(params.floor));
                }
            }
        }
    }
}
