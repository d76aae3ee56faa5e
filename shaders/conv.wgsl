// Convolution with any kernel, stride and zero padding:
// dst[o, y, x] = max(bias[o] + sum over c, ky, kx of weight[c, ky, kx, o] * src[c, y * stride + ky - padding, ...], floor).
//
// An invocation owns TILE_CHANNELS output channels of a strip of TILE_PIXELS neighbouring pixels; a workgroup owns WORKGROUP strips of
// the same channels, so that weights are read at one address by all its invocations.

const WORKGROUP: u32 = 32u;
const TILE_CHANNELS: u32 = 8u;
const TILE_PIXELS: u32 = 8u;

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
    strips: u32,          // of all images
    row_strips: u32,      // in one row
    image_strips: u32,    // in one image
    in_channels: u32,
    out_channels: u32,
    src_height: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    weight_offset: u32,   // quads
    weight_row: u32,      // quads of one tap's row
    floor: f32,
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
    let strip = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if strip >= params.strips {
        return;
    }
    let first_channel = group.y * TILE_CHANNELS;
    let image = strip / params.image_strips;
    let strip_in_image = strip - image * params.image_strips;
    let y = strip_in_image / params.row_strips;
    let x0 = (strip_in_image - y * params.row_strips) * TILE_PIXELS;
    let src_y0 = i32(y * params.stride_y) - i32(params.padding_y);
    let src_x0 = i32(x0 * params.stride_x) - i32(params.padding_x);

    var sums: array<array<f32, TILE_PIXELS>, TILE_CHANNELS>;
    var row = params.weight_offset + first_channel / 4u;
    var plane = params.src.offset + image * params.src.image;
    for (var c = 0u; c < params.in_channels; c++) {
        for (var ky = 0u; ky < params.kernel_height; ky++) {
            let src_y = src_y0 + i32(ky);
            let line_inside = src_y >= 0 && src_y < i32(params.src_height);
            let line = plane + u32(clamp(src_y, 0, i32(params.src_height) - 1)) * params.src.width;
            for (var kx = 0u; kx < params.kernel_width; kx++) {
                var x: array<f32, TILE_PIXELS>;
                for (var i = 0u; i < TILE_PIXELS; i++) {
                    let src_x = src_x0 + i32(i * params.stride_x + kx);
                    let inside = line_inside & (src_x >= 0) & (src_x < i32(params.src.width));
                    x[i] = select(0.0, src[line + u32(clamp(src_x, 0, i32(params.src.width) - 1))], inside);
                }
                for (var o = 0u; o < TILE_CHANNELS; o += 4u) {
                    let weight = weights[row + o / 4u];
                    for (var i = 0u; i < TILE_PIXELS; i++) {
                        sums[o][i] = fma(x[i], weight.x, sums[o][i]);
                        sums[o + 1u][i] = fma(x[i], weight.y, sums[o + 1u][i]);
                        sums[o + 2u][i] = fma(x[i], weight.z, sums[o + 2u][i]);
                        sums[o + 3u][i] = fma(x[i], weight.w, sums[o + 3u][i]);
                    }
                }
                row += params.weight_row;
            }
        }
        plane += params.src.plane;
    }

    for (var o = 0u; o < TILE_CHANNELS; o++) {
        let channel = first_channel + o;
        if channel < params.out_channels {
            let bias = weights[row + o / 4u][o % 4u];
            let line = params.dst.offset + image * params.dst.image + channel * params.dst.plane + y * params.dst.width;
            for (var i = 0u; i < TILE_PIXELS; i++) {
                if x0 + i < params.dst.width {
                    dst[line + x0 + i] = max(sums[o][i] + bias, params.floor);
                }
            }
        }
    }
}
