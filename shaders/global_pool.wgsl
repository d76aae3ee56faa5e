// Mean of each channel over a whole image, after (PROLOGUE) max(src * scale[c] + shift[c], prologue_floor): a DenseNet's last
// batch norm and ReLU.
//
// A workgroup owns one channel of one image, an invocation every WORKGROUP-th pixel of it: their sums are added up at the
// end, which keeps the rounding error of large pictures small.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 32u;
const PROLOGUE: bool = true;

// use: at_least, layout, pool_prologue, stored

struct Params {
    src: Layout,
    dst: Layout,
    images: u32,
    pixels: u32,         // of one image
    weight_offset: u32,  // quads, one a channel
    prologue_floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

var<workgroup> sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let image = group.z * groups.x + group.x;
    if image >= params.images {
        return;
    }
    let channel = group.y;
    let norm = norm_of(channel);
    let plane = params.src.offset + image * params.src.image + channel * params.src.plane;
    var sum = 0.0;
    for (var pixel = lane; pixel < params.pixels; pixel += WORKGROUP) {
        sum += normalised(f32(src[plane + pixel]), norm);
    }
    sums[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        var total = 0.0;
        for (var i = 0u; i < WORKGROUP; i++) {
            total += sums[i];
        }
        dst[params.dst.offset + image * params.dst.image + channel * params.dst.plane] = stored(total / f32(params.pixels));
    }
}
