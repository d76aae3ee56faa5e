// Convolution with any kernel, stride and zero padding, as a matrix product whose operands pass through workgroup memory:
// dst[o, y, x] = max(bias[o] + sum over c, ky, kx of weight[c, ky, kx, o] * x[c, y * stride + ky - padding, ...], floor),
// where x is src or, with PROLOGUE (1x1 only), max(src * scale[c] + shift[c], prologue_floor). For any GPU.
//
// A workgroup owns TILE_CHANNELS output channels of TILE_PIXELS pixels, counted through all images; an invocation owns
// THREAD_CHANNELS of THREAD_PIXELS of them. For every tap of the kernel, TILE_DEPTH input channels at a time are staged.
// With SLICES above 1 as many groups of invocations share the input channels between them, and add up their sums at the
// end, always in the same order: for small pictures, which have too few tiles to keep a GPU busy.

alias Source = f32;
alias Weight = f32;
alias Target = f32;
const TILE_CHANNELS: u32 = 64u;
const TILE_PIXELS: u32 = 64u;
const TILE_DEPTH: u32 = 16u;
const THREAD_CHANNELS: u32 = 4u;
const THREAD_PIXELS: u32 = 4u;
const SLICES: u32 = 1u;
const PROLOGUE: bool = true;

// use: layout, pixel_quad, quad_at_least, quad_stored, window

struct Params {
    src: Layout,
    dst: Layout,
    window: Window,
    first_group: u32,     // of this dispatch, along pixels
    pixels: u32,          // of all output images
    image_pixels: u32,    // of one output image
    in_channels: u32,
    out_channels: u32,
    weight_offset: u32,   // quads
    weight_row: u32,      // quads of one tap's row, without the prologue's
    prologue_floor: f32,
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<Weight>>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

const ROW_HEAD: u32 = select(0u, 1u, PROLOGUE);
const CHANNEL_QUADS: u32 = TILE_CHANNELS / 4u;
const PIXEL_QUADS: u32 = TILE_PIXELS / 4u;
const THREAD_CHANNEL_QUADS: u32 = THREAD_CHANNELS / 4u;
const THREAD_PIXEL_QUADS: u32 = THREAD_PIXELS / 4u;
const THREAD_ROWS: u32 = TILE_CHANNELS / THREAD_CHANNELS;
const THREAD_COLUMNS: u32 = TILE_PIXELS / THREAD_PIXELS;
const SLICE: u32 = THREAD_ROWS * THREAD_COLUMNS;  // invocations
const WORKGROUP: u32 = SLICE * SLICES;
// How many channels a slice stages at once, and how often: constants, so that compilers unroll the loops and no load waits
// for the one before.
const WEIGHT_STEP: u32 = SLICE / CHANNEL_QUADS;
const WEIGHT_STEPS: u32 = (TILE_DEPTH + WEIGHT_STEP - 1u) / WEIGHT_STEP;
const PIXEL_STEP: u32 = SLICE / PIXEL_QUADS;
const PIXEL_STEPS: u32 = (TILE_DEPTH + PIXEL_STEP - 1u) / PIXEL_STEP;

// Invocations own whole quads, and together the tile; those of a slice stage whole rows of it.
const_assert THREAD_CHANNELS % 4u == 0u;
const_assert THREAD_PIXELS % 4u == 0u;
const_assert TILE_CHANNELS % THREAD_CHANNELS == 0u;
const_assert TILE_PIXELS % THREAD_PIXELS == 0u;
const_assert SLICE % CHANNEL_QUADS == 0u;
const_assert SLICE % PIXEL_QUADS == 0u;
// Each has room for a quad of sums in the place of the pixels.
const_assert SLICES == 1u || SLICE <= TILE_DEPTH * PIXEL_QUADS;
// Every WebGPU device runs it.
const_assert WORKGROUP <= 256u;
const_assert SLICES * TILE_DEPTH * (CHANNEL_QUADS + PIXEL_QUADS) * 16u <= 16384u;

var<workgroup> weight_tile: array<vec4<f32>, SLICES * TILE_DEPTH * CHANNEL_QUADS>;
var<workgroup> pixel_tile: array<vec4<f32>, SLICES * TILE_DEPTH * PIXEL_QUADS>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    // Read once: compilers read them again in every turn of a loop.
    let layer = params;
    // Constants where there is one slice, so that places in workgroup memory are.
    let slice = select(0u, invocation / SLICE, SLICES > 1u);
    let thread = select(invocation, invocation % SLICE, SLICES > 1u);
    let first_pixel = (layer.first_group + group.z * groups.x + group.x) * TILE_PIXELS;
    let first_channel = group.y * TILE_CHANNELS;
    let taps = layer.window.kernel_height * layer.window.kernel_width;
    let row_quads = ROW_HEAD + layer.weight_row;
    let staged_weights = slice * TILE_DEPTH * CHANNEL_QUADS;
    let staged_pixels = slice * TILE_DEPTH * PIXEL_QUADS;

    // What this invocation stages: one quad of pixels in every PIXEL_STEP-th channel, one of weights in every WEIGHT_STEP-th.
    let stage_quad = thread % PIXEL_QUADS;
    let stage_pixels = pixel_quad(layer, first_pixel + stage_quad * 4u);
    let weight_quad = min(first_channel / 4u + thread % CHANNEL_QUADS, layer.weight_row - 1u);

    let thread_row = thread / THREAD_COLUMNS;
    let thread_column = thread % THREAD_COLUMNS;
    let own_weights = staged_weights + thread_row * THREAD_CHANNEL_QUADS;
    let own_pixels = staged_pixels + thread_column;
    var sums: array<array<vec4<f32>, THREAD_PIXEL_QUADS>, THREAD_CHANNELS>;

    let rounds = (layer.in_channels + SLICES * TILE_DEPTH - 1u) / (SLICES * TILE_DEPTH);
    for (var ky = 0u; ky < layer.window.kernel_height; ky++) {
        for (var kx = 0u; kx < layer.window.kernel_width; kx++) {
            // Written out here: as a function that conv_matrix could share, FXC takes more than 20 s for it.
            let tap = ky * layer.window.kernel_width + kx;
            var source: array<u32, 4>;
            var inside: array<bool, 4>;
            for (var i = 0u; i < 4u; i++) {
                let y = stage_pixels.y[i] + i32(ky);
                let x = stage_pixels.x[i] + i32(kx);
                inside[i] = stage_pixels.exists[i] & (y >= 0) & (y < i32(layer.window.src_height)) & (x >= 0) & (x < i32(layer.window.src_width));
                source[i] = select(0u, stage_pixels.image[i] + u32(y) * layer.src.width + u32(x), inside[i]);
            }
            for (var round = 0u; round < rounds; round++) {
                let first = (round * SLICES + slice) * TILE_DEPTH;
                workgroupBarrier();
                for (var step = 0u; step < WEIGHT_STEPS; step++) {
                    let depth = thread / CHANNEL_QUADS + step * WEIGHT_STEP;
                    if TILE_DEPTH % WEIGHT_STEP != 0u && depth >= TILE_DEPTH { break; }
                    let row = layer.weight_offset + (min(first + depth, layer.in_channels - 1u) * taps + tap) * row_quads;
                    weight_tile[staged_weights + depth * CHANNEL_QUADS + thread % CHANNEL_QUADS] = vec4<f32>(weights[row + ROW_HEAD + weight_quad]);
                }
                for (var step = 0u; step < PIXEL_STEPS; step++) {
                    let depth = thread / PIXEL_QUADS + step * PIXEL_STEP;
                    if TILE_DEPTH % PIXEL_STEP != 0u && depth >= TILE_DEPTH { break; }
                    let channel = min(first + depth, layer.in_channels - 1u);
                    let has_channel = first + depth < layer.in_channels;
                    var values: array<f32, 4>;
                    for (var i = 0u; i < 4u; i++) {
                        let value = f32(src[source[i] + channel * layer.src.plane]);
                        values[i] = select(0.0, value, inside[i] & has_channel);
                    }
                    var x = vec4(values[0], values[1], values[2], values[3]);
                    if PROLOGUE {
                        let norm = vec4<f32>(weights[layer.weight_offset + channel * row_quads]);
                        let normalised = quad_at_least(fma(x, vec4(norm.x), vec4(norm.y)), layer.prologue_floor);
                        x = select(vec4<f32>(), normalised, has_channel);
                    }
                    pixel_tile[staged_pixels + depth * PIXEL_QUADS + stage_quad] = x;
                }
                workgroupBarrier();
                for (var depth = 0u; depth < TILE_DEPTH; depth++) {
                    var x: array<vec4<f32>, THREAD_PIXEL_QUADS>;
                    for (var q = 0u; q < THREAD_PIXEL_QUADS; q++) {
                        x[q] = pixel_tile[own_pixels + depth * PIXEL_QUADS + q * THREAD_COLUMNS];
                    }
                    for (var o = 0u; o < THREAD_CHANNELS; o += 4u) {
                        let weight = weight_tile[own_weights + depth * CHANNEL_QUADS + o / 4u];
                        for (var q = 0u; q < THREAD_PIXEL_QUADS; q++) {
                            sums[o][q] = fma(x[q], vec4(weight.x), sums[o][q]);
                            sums[o + 1u][q] = fma(x[q], vec4(weight.y), sums[o + 1u][q]);
                            sums[o + 2u][q] = fma(x[q], vec4(weight.z), sums[o + 2u][q]);
                            sums[o + 3u][q] = fma(x[q], vec4(weight.w), sums[o + 3u][q]);
                        }
                    }
                }
            }
        }
    }

    // Where each of its pixels goes, in the first channel.
    var is_pixel: array<array<bool, 4>, THREAD_PIXEL_QUADS>;
    var place: array<array<u32, 4>, THREAD_PIXEL_QUADS>;
    for (var q = 0u; q < THREAD_PIXEL_QUADS; q++) {
        for (var i = 0u; i < 4u; i++) {
            let pixel = first_pixel + (q * THREAD_COLUMNS + thread_column) * 4u + i;
            let image = pixel / layer.image_pixels;
            is_pixel[q][i] = pixel < layer.pixels;
            place[q][i] = layer.dst.offset + image * layer.dst.image + pixel - image * layer.image_pixels;
        }
    }
    let biases = layer.weight_offset + layer.in_channels * taps * row_quads;

    // The tiles are done with: the slices' sums pass through the place of the pixels, a channel at a time.
    for (var o = 0u; o < THREAD_CHANNELS; o++) {
        if SLICES > 1u {
            for (var q = 0u; q < THREAD_PIXEL_QUADS; q++) {
                workgroupBarrier();
                pixel_tile[invocation] = sums[o][q];
                workgroupBarrier();
                for (var other = 1u; other < SLICES; other++) {
                    sums[o][q] += pixel_tile[other * SLICE + thread];
                }
            }
        }
        let channel = first_channel + thread_row * THREAD_CHANNELS + o;
        if slice == 0u && channel < layer.out_channels {
            let bias = f32(weights[biases + channel / 4u][channel % 4u]);
            for (var q = 0u; q < THREAD_PIXEL_QUADS; q++) {
                let result = quad_stored(quad_at_least(sums[o][q] + vec4(bias), layer.floor));
                for (var i = 0u; i < 4u; i++) {
                    if is_pixel[q][i] {
                        dst[place[q][i] + channel * layer.dst.plane] = result[i];
                    }
                }
            }
        }
    }
}
