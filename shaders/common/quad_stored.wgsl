// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

// Four elements as dst holds them: NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind
// the next ReLU.
fn quad_stored(x: vec4<f32>) -> vec4<Target> {
    let bits = bitcast<vec4<u32>>(x);
    let is_beyond = (bits & vec4(0x7fffffffu)) >= vec4(0x477ff000u);  // 65520, the least that rounds to infinity
    return vec4<Target>(bitcast<vec4<f32>>(bits | select(vec4(0u), vec4(0x7fffffffu), vec4(TARGET_IS_HALF) & is_beyond)));
}
