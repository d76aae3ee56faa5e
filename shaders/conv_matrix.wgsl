enable f16;
enable wgpu_cooperative_matrix;

// What conv_tiled.wgsl computes, by a GPU's matrix units: what is multiplied is rounded to 16-bit floats, the sums are
// of 32 bits.
//
// A workgroup owns TILE_CHANNELS output channels of TILE_PIXELS pixels, counted through all images; a subgroup owns
// SUBGROUP_CHANNELS of SUBGROUP_PIXELS of them, as matrices of FRAGMENT x FRAGMENT. For every tap of the kernel,
// TILE_DEPTH input channels at a time are staged, with zeros for padding and for channels beyond the last: matrices are
// always whole. FOLDED takes the taps into the depth, so that a stem's few input channels fill matrices too: depths are all
// taps of the first channel, then those of the second, as the weights' rows lie. With SLICES above 1 as many groups of
// subgroups share the depths between them, and their sums are added at the end, always in the same order. Which elements of
// a matrix an invocation holds is not known: sums leave by workgroup memory too, one matrix of each subgroup at a time.

alias Source = f16;
alias Weight = f16;
alias Target = f16;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
const FRAGMENT: u32 = 16u;
const SUBGROUP: u32 = 32u;
const TILE_CHANNELS: u32 = 64u;
const TILE_PIXELS: u32 = 64u;
const TILE_DEPTH: u32 = 32u;
const SUBGROUP_CHANNELS: u32 = 32u;
const SUBGROUP_PIXELS: u32 = 32u;
const SLICES: u32 = 1u;
const PROLOGUE: bool = true;
const FOLDED: bool = false;

// use: at_least, layout, pixel_quad, quad_at_least, stored, window

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

// Whether src holds 16-bit floats, which cannot tell these two apart.
const SOURCE_IS_HALF: bool = Source(1.0) == Source(1.0001);

const ROW_HEAD: u32 = select(0u, 1u, PROLOGUE);
const CHANNEL_QUADS: u32 = TILE_CHANNELS / 4u;
const PIXEL_QUADS: u32 = TILE_PIXELS / 4u;
const SUBGROUP_COLUMNS: u32 = TILE_PIXELS / SUBGROUP_PIXELS;
const SUBGROUPS: u32 = TILE_CHANNELS / SUBGROUP_CHANNELS * SUBGROUP_COLUMNS;  // of a slice
const SLICE: u32 = SUBGROUPS * SUBGROUP;  // invocations
const WORKGROUP: u32 = SLICE * SLICES;
const ROWS: u32 = SUBGROUP_CHANNELS / FRAGMENT;  // of a subgroup's matrices
const COLUMNS: u32 = SUBGROUP_PIXELS / FRAGMENT;
const ELEMENTS: u32 = FRAGMENT * FRAGMENT;
// From one channel or pixel to the next: depths lie side by side, so that an invocation loads several of a matrix at once, and 8
// elements of nothing let its rows lie in different banks of workgroup memory.
const STRIDE: u32 = TILE_DEPTH + 8u;

// Subgroups own whole matrices, and together the tile; invocations hold whole rows of a matrix, and those of a slice stage
// whole rows of the tile.
const_assert FRAGMENT == 8u || FRAGMENT == 16u;
const_assert SUBGROUP % FRAGMENT == 0u;
const_assert SUBGROUP_CHANNELS % FRAGMENT == 0u;
const_assert SUBGROUP_PIXELS % FRAGMENT == 0u;
const_assert TILE_DEPTH % FRAGMENT == 0u;
const_assert TILE_CHANNELS % SUBGROUP_CHANNELS == 0u;
const_assert TILE_PIXELS % SUBGROUP_PIXELS == 0u;
const_assert SLICE % CHANNEL_QUADS == 0u;
const_assert SLICE % PIXEL_QUADS == 0u;
// A norm is a channel's: several depths would share one.
const_assert !(PROLOGUE && FOLDED);
// No GPU has larger workgroups.
const_assert WORKGROUP <= 1024u;

var<workgroup> weight_tile: array<f16, SLICES * TILE_CHANNELS * STRIDE>;
var<workgroup> pixel_tile: array<f16, SLICES * TILE_PIXELS * STRIDE>;
var<workgroup> sum_tile: array<f32, SLICES * SUBGROUPS * ELEMENTS>;

// x, but NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind the next ReLU.
fn in_reach(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(x);
    let is_beyond = (bits & vec4(0x7fffffffu)) >= vec4(0x477ff000u);  // 65520, the least that rounds to infinity
    return bitcast<vec4<f32>>(bits | select(vec4(0u), vec4(0x7fffffffu), is_beyond));
}

// Where src has what one tap of four windows wants of the first channel, and whether it lies in the picture.
struct Tap {
    source: array<u32, 4>,
    inside: array<bool, 4>,
}

fn tap_of(pixels: PixelQuad, ky: u32, kx: u32) -> Tap {
    var tap: Tap;
    for (var i = 0u; i < 4u; i++) {
        let y = pixels.y[i] + i32(ky);
        let x = pixels.x[i] + i32(kx);
        tap.inside[i] = pixels.exists[i] & (y >= 0) & (y < i32(params.window.src_height)) & (x >= 0) & (x < i32(params.window.src_width));
        tap.source[i] = select(0u, pixels.image[i] + u32(y) * params.src.width + u32(x), tap.inside[i]);
    }
    return tap;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
    @builtin(subgroup_id) subgroup_id: u32,
    @builtin(subgroup_size) subgroup_size: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // More subgroups than these there are where they are smaller than SUBGROUP: see the end.
    let subgroup = min(subgroup_id, SUBGROUPS * SLICES - 1u);
    let slice = subgroup / SUBGROUPS;
    let subgroup_row = subgroup % SUBGROUPS / SUBGROUP_COLUMNS;
    let subgroup_column = subgroup % SUBGROUP_COLUMNS;
    let thread = (subgroup % SUBGROUPS) * SUBGROUP + lane;
    let first_pixel = (params.first_group + group.z * groups.x + group.x) * TILE_PIXELS;
    let first_channel = group.y * TILE_CHANNELS;
    let taps = params.window.kernel_height * params.window.kernel_width;
    let row_quads = ROW_HEAD + params.weight_row;
    let staged_weights = slice * TILE_CHANNELS * STRIDE;
    let staged_pixels = slice * TILE_PIXELS * STRIDE;

    // What this invocation stages: one quad of pixels in every so many channels, and one of weights.
    let stage_quad = thread % PIXEL_QUADS;
    let stage_pixels = pixel_quad(params, first_pixel + stage_quad * 4u);
    let weight_quad = min(first_channel / 4u + thread % CHANNEL_QUADS, params.weight_row - 1u);

    var sums: array<array<MatrixC, COLUMNS>, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
        for (var j = 0u; j < COLUMNS; j++) {
            sums[i][j] = MatrixC();
        }
    }

    let depths = select(params.in_channels, params.in_channels * taps, FOLDED);
    let rounds = (depths + SLICES * TILE_DEPTH - 1u) / (SLICES * TILE_DEPTH);
    for (var ky = 0u; ky < select(params.window.kernel_height, 1u, FOLDED); ky++) {
        for (var kx = 0u; kx < select(params.window.kernel_width, 1u, FOLDED); kx++) {
            var tap = tap_of(stage_pixels, ky, kx);
            for (var round = 0u; round < rounds; round++) {
                let first = (round * SLICES + slice) * TILE_DEPTH;
                workgroupBarrier();
                for (var depth = thread / CHANNEL_QUADS; depth < TILE_DEPTH; depth += SLICE / CHANNEL_QUADS) {
                    let weight_depth = min(first + depth, depths - 1u);
                    let row = select(weight_depth * taps + ky * params.window.kernel_width + kx, weight_depth, FOLDED);
                    let weight = vec4<f16>(weights[params.weight_offset + row * row_quads + ROW_HEAD + weight_quad]);
                    let place = staged_weights + thread % CHANNEL_QUADS * 4u * STRIDE + depth;
                    weight_tile[place] = weight.x;
                    weight_tile[place + 1u * STRIDE] = weight.y;
                    weight_tile[place + 2u * STRIDE] = weight.z;
                    weight_tile[place + 3u * STRIDE] = weight.w;
                }
                for (var depth = thread / PIXEL_QUADS; depth < TILE_DEPTH; depth += SLICE / PIXEL_QUADS) {
                    let exists = first + depth < depths;
                    var channel = min(first + depth, depths - 1u);
                    if FOLDED {
                        let own_tap = channel % taps;
                        channel /= taps;
                        let own_ky = own_tap / params.window.kernel_width;
                        tap = tap_of(stage_pixels, own_ky, own_tap - own_ky * params.window.kernel_width);
                    }
                    var values: array<f32, 4>;
                    for (var i = 0u; i < 4u; i++) {
                        let value = f32(src[tap.source[i] + channel * params.src.plane]);
                        values[i] = select(0.0, value, tap.inside[i] & exists);
                    }
                    var x = vec4(values[0], values[1], values[2], values[3]);
                    if PROLOGUE {
                        let norm = vec4<f32>(weights[params.weight_offset + channel * row_quads]);
                        let normalised = quad_at_least(fma(x, vec4(norm.x), vec4(norm.y)), params.prologue_floor);
                        x = select(vec4<f32>(), normalised, exists);
                    }
                    if PROLOGUE || !SOURCE_IS_HALF {
                        x = in_reach(x);
                    }
                    let pixels = vec4<f16>(x);
                    let place = staged_pixels + stage_quad * 4u * STRIDE + depth;
                    pixel_tile[place] = pixels.x;
                    pixel_tile[place + 1u * STRIDE] = pixels.y;
                    pixel_tile[place + 2u * STRIDE] = pixels.z;
                    pixel_tile[place + 3u * STRIDE] = pixels.w;
                }
                workgroupBarrier();
                for (var depth = 0u; depth < TILE_DEPTH; depth += FRAGMENT) {
                    var a: array<MatrixA, ROWS>;
                    for (var i = 0u; i < ROWS; i++) {
                        let place = staged_weights + (subgroup_row * SUBGROUP_CHANNELS + i * FRAGMENT) * STRIDE + depth;
                        a[i] = coopLoadT<MatrixA>(&weight_tile[place], STRIDE);
                    }
                    for (var j = 0u; j < COLUMNS; j++) {
                        let place = staged_pixels + (subgroup_column * SUBGROUP_PIXELS + j * FRAGMENT) * STRIDE + depth;
                        let b = coopLoad<MatrixB>(&pixel_tile[place], STRIDE);
                        for (var i = 0u; i < ROWS; i++) {
                            sums[i][j] = coopMultiplyAdd(a[i], b, sums[i][j]);
                        }
                    }
                }
            }
        }
    }

    // An invocation finishes every so many rows of its subgroup's matrix; those of all slices divide them between them.
    let column = lane % FRAGMENT;
    let first_row = slice * (SUBGROUP / FRAGMENT) + lane / FRAGMENT;
    for (var j = 0u; j < COLUMNS; j++) {
        let pixel = first_pixel + subgroup_column * SUBGROUP_PIXELS + j * FRAGMENT + column;
        let image = pixel / params.image_pixels;
        let first_place = params.dst.offset + image * params.dst.image + pixel - image * params.image_pixels;
        for (var i = 0u; i < ROWS; i++) {
            let own = subgroup * ELEMENTS;
            workgroupBarrier();
            coopStoreT(sums[i][j], &sum_tile[own], FRAGMENT);
            workgroupBarrier();
            for (var row = first_row; row < FRAGMENT; row += SLICES * (SUBGROUP / FRAGMENT)) {
                var sum = 0.0;
                for (var other = 0u; other < SLICES; other++) {
                    sum += sum_tile[(other * SUBGROUPS + subgroup % SUBGROUPS) * ELEMENTS + row * FRAGMENT + column];
                }
                let channel = first_channel + subgroup_row * SUBGROUP_CHANNELS + i * FRAGMENT + row;
                if pixel < params.pixels && channel < params.out_channels && subgroup_size == SUBGROUP {
                    let bias = f32(weights[params.weight_offset + params.in_channels * taps * row_quads + channel / 4u][channel % 4u]);
                    dst[first_place + channel * params.dst.plane] = stored(at_least(sum + bias, params.floor));
                }
            }
        }
    }

    // Subgroups of another size hold matrices otherwise: nothing of what was computed is an answer.
    if subgroup_size != SUBGROUP {
        let nan = bitcast<f32>(params.pixels | 0x7fffffffu);
        for (var element = invocation; element < TILE_CHANNELS * TILE_PIXELS; element += WORKGROUP) {
            let pixel = first_pixel + element % TILE_PIXELS;
            let channel = first_channel + element / TILE_PIXELS;
            if pixel < params.pixels && channel < params.out_channels {
                let image = pixel / params.image_pixels;
                let place = params.dst.offset + image * params.dst.image + pixel - image * params.image_pixels;
                dst[place + channel * params.dst.plane] = Target(nan);
            }
        }
    }
}
