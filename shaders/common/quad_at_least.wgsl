// at_least of each element.
fn quad_at_least(x: vec4<f32>, least: f32) -> vec4<f32> {
    let is_nan = (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
    return select(max(x, vec4(least)), x, is_nan);
}
