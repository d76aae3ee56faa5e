// A nonlinearity other than ReLU, element by element: dst = f(src), for every finite number; NaN stays NaN.
//
// An invocation owns one pixel of one channel. Nothing overflows on the way: exponents are never above 0.

alias Source = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;

// use: layout, pixel, stored

struct Params {
    src: Layout,
    dst: Layout,
    pixels: u32,         // of all images
    image_pixels: u32,
    nonlinearity: u32,   // 0 leaky ReLU, 1 sigmoid, 2 SiLU, 3 tanh, 4 GELU, 5 GELU's approximation by tanh
    slope: f32,          // of a leaky ReLU below 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// Near 0 the polynomial of S. L. Moshier's Cephes (tanhf.c); WGSL's own tanh is exact neither there nor, on some devices, far away.
fn hyperbolic_tangent(x: f32) -> f32 {
    let small = clamp(x, -1.0, 1.0);
    let square = small * small;
    var polynomial = fma(-5.70498872745e-3, square, 2.06390887954e-2);
    polynomial = fma(polynomial, square, -5.37397155531e-2);
    polynomial = fma(polynomial, square, 1.33314422036e-1);
    polynomial = fma(polynomial, square, -3.33332819422e-1);
    let near = fma(polynomial * square, small, small);
    let e = exp(-2.0 * abs(x));
    let far = select(-1.0, 1.0, x >= 0.0) * (1.0 - e) / (1.0 + e);
    return select(far, near, abs(x) < 0.625);
}

// x times the normal distribution's share below x, by the complementary error function of W. H. Press et al.: Numerical Recipes
// (2nd edition, section 6.2, erfcc), whose error is below 1.2e-7 of it everywhere. Beyond 12 it is 0 in 32 bits.
fn gelu(x: f32) -> f32 {
    let z = min(abs(x) * 0.7071067811865476, 12.0);
    let t = 1.0 / (1.0 + 0.5 * z);
    var polynomial = fma(0.17087277, t, -0.82215223);
    polynomial = fma(polynomial, t, 1.48851587);
    polynomial = fma(polynomial, t, -1.13520398);
    polynomial = fma(polynomial, t, 0.27886807);
    polynomial = fma(polynomial, t, -0.18628806);
    polynomial = fma(polynomial, t, 0.09678418);
    polynomial = fma(polynomial, t, 0.37409196);
    polynomial = fma(polynomial, t, 1.00002368);
    polynomial = fma(polynomial, t, -1.26551223);
    let tail = 0.5 * t * exp(polynomial - z * z);
    return x * select(tail, 1.0 - tail, x >= 0.0);
}

// x * (1 + tanh(u)) / 2, which is x * sigmoid(2 * u). Beyond 20 the sigmoid is 0 or 1 in 32 bits.
fn gelu_by_tanh(x: f32) -> f32 {
    let near = clamp(x, -20.0, 20.0);
    return x * sigmoid(1.5957691216057308 * fma(0.044715 * near * near, near, near));
}

fn computed(x: f32) -> f32 {
    switch params.nonlinearity {
        case 0u: { return select(x, x * params.slope, x < 0.0); }
        case 1u: { return sigmoid(x); }
        case 2u: { return x * sigmoid(x); }
        case 3u: { return hyperbolic_tangent(x); }
        case 4u: { return gelu(x); }
        default: { return gelu_by_tanh(x); }
    }
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
    let x = f32(src[place(params.src, pixel)]);
    let is_nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
    let y = select(computed(x), x, is_nan);
    dst[place(params.dst, pixel)] = stored(y);
}
