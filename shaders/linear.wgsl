// Fully connected layer: dst[n, o] = max(bias[o] + sum over k of weight[k, o] * src[n, k], floor).
//
// An invocation owns four neighbouring output features of one image.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;
const TILE_DEPTH: u32 = 8u;

// use: layout, quad_at_least, stored

struct Params {
    src: Layout,
    dst: Layout,
    images: u32,
    in_features: u32,
    out_features: u32,
    weight_offset: u32,  // quads
    weight_row: u32,     // quads of one input feature's row
    floor: f32,
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
    let image = group.z * groups.x + group.x;
    let quad = group.y * WORKGROUP + lane;
    if quad * 4u >= params.out_features || image >= params.images {
        return;
    }
    var sum = vec4<f32>();
    var row = params.weight_offset + quad;
    var source = params.src.offset + image * params.src.image;
    for (var first = 0u; first < params.in_features; first += TILE_DEPTH) {
        let depth = min(TILE_DEPTH, params.in_features - first);
        var x: array<f32, TILE_DEPTH>;
        var weight: array<vec4<f32>, TILE_DEPTH>;
        for (var k = 0u; k < TILE_DEPTH; k++) {  // unrolled
            x[k] = select(0.0, f32(src[source + min(k, depth - 1u) * params.src.plane]), k < depth);
            weight[k] = vec4<f32>(weights[row + min(k, depth - 1u) * params.weight_row]);
        }
        for (var k = 0u; k < TILE_DEPTH; k++) {  // unrolled
            sum = fma(vec4(x[k]), weight[k], sum);
        }
        source += depth * params.src.plane;
        row += depth * params.weight_row;
    }
    sum = quad_at_least(sum + vec4<f32>(weights[row]), params.floor);
    for (var i = 0u; i < 4u; i++) {
        let feature = quad * 4u + i;
        if feature < params.out_features {
            dst[params.dst.offset + image * params.dst.image + feature * params.dst.plane] = stored(sum[i]);
        }
    }
}
