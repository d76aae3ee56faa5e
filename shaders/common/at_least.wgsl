// max(x, least), but NaN stays NaN, which max may swallow: numbers that grew too large must not turn into an answer.
fn at_least(x: f32, least: f32) -> f32 {
    let is_nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
    return select(max(x, least), x, is_nan);
}
