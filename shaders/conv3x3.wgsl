// 3x3 convolution, stride 1, zero padding 1, of channel planes: the convolution by which a dense layer grows its block.
// dst[o, y, x] = max(bias[o] + sum over c, ky, kx of weight[c, ky, kx, o] * src[c, y + ky - 1, x + kx - 1], floor).
//
// An invocation owns TILE_CHANNELS output channels of a strip of TILE_PIXELS neighbouring pixels in TILE_ROWS rows; a workgroup owns
// WORKGROUP strips of the same channels, so that weights are read at one address by all its invocations.
// Taps outside the picture are read from a clamped address and replaced by zero: memory there holds another row or image.

const WORKGROUP: u32 = 32u;
const TILE_CHANNELS: u32 = 4u;
const TILE_PIXELS: u32 = 7u;
const TILE_ROWS: u32 = 2u;

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
    height: u32,
    in_channels: u32,
    out_channels: u32,
    weight_offset: u32,   // quads
    weight_row: u32,      // quads of one tap's row
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

const WINDOW_PIXELS: u32 = TILE_PIXELS + 2u;
const WINDOW_ROWS: u32 = TILE_ROWS + 2u;

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
    let strip_row = strip_in_image / params.row_strips;
    let y0 = strip_row * TILE_ROWS;
    let x0 = (strip_in_image - strip_row * params.row_strips) * TILE_PIXELS;

    var column: array<u32, WINDOW_PIXELS>;
    var column_inside: array<bool, WINDOW_PIXELS>;
    for (var i = 0u; i < WINDOW_PIXELS; i++) {
        let x = i32(x0 + i) - 1;
        column_inside[i] = x >= 0 && x < i32(params.src.width);
        column[i] = u32(clamp(x, 0, i32(params.src.width) - 1));
    }
    var line: array<u32, WINDOW_ROWS>;
    var line_inside: array<bool, WINDOW_ROWS>;
    for (var i = 0u; i < WINDOW_ROWS; i++) {
        let y = i32(y0 + i) - 1;
        line_inside[i] = y >= 0 && y < i32(params.height);
        line[i] = params.src.offset + image * params.src.image + u32(clamp(y, 0, i32(params.height) - 1)) * params.src.width;
    }

    var sums: array<array<array<f32, TILE_PIXELS>, TILE_ROWS>, TILE_CHANNELS>;
    var row = params.weight_offset + first_channel / 4u;
    for (var c = 0u; c < params.in_channels; c++) {
        var window: array<array<f32, WINDOW_PIXELS>, WINDOW_ROWS>;
        for (var r = 0u; r < WINDOW_ROWS; r++) {
            for (var i = 0u; i < WINDOW_PIXELS; i++) {
                window[r][i] = select(0.0, src[line[r] + column[i]], line_inside[r] & column_inside[i]);
            }
            line[r] += params.src.plane;
        }
        for (var ky = 0u; ky < 3u; ky++) {
            for (var kx = 0u; kx < 3u; kx++) {
                for (var o = 0u; o < TILE_CHANNELS; o += 4u) {
                    let weight = weights[row + o / 4u];
                    for (var r = 0u; r < TILE_ROWS; r++) {
                        for (var i = 0u; i < TILE_PIXELS; i++) {
                            let x = window[r + ky][i + kx];
                            sums[o][r][i] = fma(x, weight.x, sums[o][r][i]);
                            sums[o + 1u][r][i] = fma(x, weight.y, sums[o + 1u][r][i]);
                            sums[o + 2u][r][i] = fma(x, weight.z, sums[o + 2u][r][i]);
                            sums[o + 3u][r][i] = fma(x, weight.w, sums[o + 3u][r][i]);
                        }
                    }
                }
                row += params.weight_row;
            }
        }
    }

    for (var o = 0u; o < TILE_CHANNELS; o++) {
        let channel = first_channel + o;
        if channel < params.out_channels {
            let bias = weights[row + o / 4u][o % 4u];
            let target_plane = params.dst.offset + image * params.dst.image + channel * params.dst.plane;
            for (var r = 0u; r < TILE_ROWS; r++) {
                for (var i = 0u; i < TILE_PIXELS; i++) {
                    if y0 + r < params.height && x0 + i < params.src.width {
                        dst[target_plane + (y0 + r) * params.src.width + x0 + i] = max(sums[o][r][i] + bias, params.floor);
                    }
                }
            }
        }
    }
}
