// Fully connected layer: dst[n, o] = max(bias[o] + sum over k of weight[k, o] * src[n, k], floor).
//
// An invocation owns four neighbouring output features of one image.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;

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

// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

// max(x, least), but NaN stays NaN, which max may swallow: numbers that grew too large must not turn into an answer.
fn at_least(x: vec4<f32>, least: f32) -> vec4<f32> {
    let is_nan = (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
    return select(max(x, vec4(least)), x, is_nan);
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
    let image = group.z * groups.x + group.x;
    let quad = group.y * WORKGROUP + lane;
    if quad * 4u >= params.out_features || image >= params.images {
        return;
    }
    var sum = vec4<f32>();
    var row = params.weight_offset + quad;
    var source = params.src.offset + image * params.src.image;
    for (var k = 0u; k < params.in_features; k++) {
        sum = fma(vec4(f32(src[source])), vec4<f32>(weights[row]), sum);
        source += params.src.plane;
        row += params.weight_row;
    }
    sum = at_least(sum + vec4<f32>(weights[row]), params.floor);
    for (var i = 0u; i < 4u; i++) {
        let feature = quad * 4u + i;
        if feature < params.out_features {
            dst[params.dst.offset + image * params.dst.image + feature * params.dst.plane] = stored(sum[i]);
        }
    }
}
