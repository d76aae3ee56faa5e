// Blur pooling: at every other pixel the mean of the 3x3 pixels around it, weighted (1, 2, 1) along each axis.
// The picture goes on mirrored at its outermost pixels: row -1 is row 1, row H is row H - 2.
//
// An invocation owns one output pixel of one channel.

alias Source = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;

// use: layout, pixel, stored

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
    let y = pixel.in_image / params.dst.width;
    let x = pixel.in_image - y * params.dst.width;

    let plane = params.src.offset + pixel.image * params.src.image + pixel.channel * params.src.plane;
    let rows = plane + around(y, params.src_height) * params.src.width;
    let columns = around(x, params.src.width);
    let means = vec3<f32>(row_mean(rows.x, columns), row_mean(rows.y, columns), row_mean(rows.z, columns));
    dst[place(params.dst, pixel)] = stored(dot(WEIGHTS, means));
}
