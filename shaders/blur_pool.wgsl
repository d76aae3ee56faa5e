// Blur pooling: at every other pixel the mean of the 3x3 pixels around it, weighted (1, 2, 1) along each axis.
// The picture goes on mirrored at its outermost pixels: row -1 is row 1, row H is row H - 2.
//
// An invocation owns one output pixel of one channel.

alias Source = f32;
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
    pixels: u32,         // of all output images
    image_pixels: u32,   // of one output image
    src_height: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

const WEIGHTS: vec3<f32> = vec3<f32>(0.25, 0.5, 0.25);

// The three of `size` source rows or columns around an output position.
fn around(position: u32, size: u32) -> vec3<u32> {
    let centre = 2u * position;
    let before = select(centre - 1u, 1u, centre == 0u);
    let after = select(centre + 1u, size - 2u, centre + 1u == size);
    return vec3<u32>(before, centre, after);
}

fn row_mean(row: u32, columns: vec3<u32>) -> f32 {
    return dot(WEIGHTS, vec3<f32>(f32(src[row + columns.x]), f32(src[row + columns.y]), f32(src[row + columns.z])));
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
    let pixel = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if pixel >= params.pixels {
        return;
    }
    let channel = group.y;
    let image = pixel / params.image_pixels;
    let pixel_in_image = pixel - image * params.image_pixels;
    let y = pixel_in_image / params.dst.width;
    let x = pixel_in_image - y * params.dst.width;

    let plane = params.src.offset + image * params.src.image + channel * params.src.plane;
    let rows = plane + around(y, params.src_height) * params.src.width;
    let columns = around(x, params.src.width);
    let means = vec3<f32>(row_mean(rows.x, columns), row_mean(rows.y, columns), row_mean(rows.z, columns));
    dst[params.dst.offset + image * params.dst.image + channel * params.dst.plane + pixel_in_image] = stored(dot(WEIGHTS, means));
}
