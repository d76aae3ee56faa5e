// Mean of each channel over a whole image, after (PROLOGUE) max(src * scale[c] + shift[c], prologue_floor): a DenseNet's last batch norm and ReLU.
//
// An invocation owns one channel of one image. Rows are summed apart and then together, which keeps the rounding error
// of large pictures small.

const WORKGROUP: u32 = 64u;
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
    images: u32,
    channels: u32,
    height: u32,
    weight_offset: u32,  // quads, one a channel
    prologue_floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let image = group.z * groups.x + group.x;
    let channel = group.y * WORKGROUP + lane;
    if channel >= params.channels || image >= params.images {
        return;
    }
    var norm = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    if PROLOGUE {
        norm = weights[params.weight_offset + channel];
    }
    var line = params.src.offset + image * params.src.image + channel * params.src.plane;
    var sum = 0.0;
    for (var y = 0u; y < params.height; y++) {
        var line_sum = 0.0;
        for (var x = 0u; x < params.src.width; x++) {
            var tap = src[line + x];
            if PROLOGUE {
                tap = max(fma(tap, norm.x, norm.y), params.prologue_floor);
            }
            line_sum += tap;
        }
        sum += line_sum;
        line += params.src.width;
    }
    dst[params.dst.offset + image * params.dst.image + channel * params.dst.plane] = sum / f32(params.height * params.src.width);
}
