// Batch norm, ReLU, or one after the other, element by element: dst = max(src * scale[c] + shift[c], floor).
//
// An invocation owns one pixel of one channel.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;
const NORM: bool = true;

// use: at_least, layout, pixel, stored

struct Params {
    src: Layout,
    dst: Layout,
    pixels: u32,         // of all images
    image_pixels: u32,
    weight_offset: u32,  // quads, one a channel
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
    let pixel = own_pixel(group, groups, lane);
    if pixel.number >= params.pixels {
        return;
    }
    var x = f32(src[place(params.src, pixel)]);
    if NORM {
        let norm = vec4<f32>(weights[params.weight_offset + pixel.channel]);
        x = fma(x, norm.x, norm.y);
    }
    dst[place(params.dst, pixel)] = stored(at_least(x, params.floor));
}
