// The larger of the two, or the NaN among them.
fn larger(a: f32, b: f32) -> f32 {
    let b_is_nan = (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u;
    return select(at_least(a, b), b, b_is_nan);
}
