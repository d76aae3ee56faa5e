// With PROLOGUE the batch norm of a channel, (scale, shift, 0, 0): what each tap of a pool goes through first.
fn norm_of(channel: u32) -> vec4<f32> {
    var norm = vec4<f32>(1.0, 0.0, 0.0, 0.0);
    if PROLOGUE {
        norm = vec4<f32>(weights[params.weight_offset + channel]);
    }
    return norm;
}

fn normalised(value: f32, norm: vec4<f32>) -> f32 {
    var tap = value;
    if PROLOGUE {
        tap = at_least(fma(tap, norm.x, norm.y), params.prologue_floor);
    }
    return tap;
}
