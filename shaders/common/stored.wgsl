// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

// x as dst holds it: NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind the next ReLU.
fn stored(x: f32) -> Target {
    let bits = bitcast<u32>(x);
    let is_beyond = (bits & 0x7fffffffu) >= 0x477ff000u;  // 65520, the least that rounds to infinity
    return Target(bitcast<f32>(bits | select(0u, 0x7fffffffu, TARGET_IS_HALF & is_beyond)));
}
