// Where src has what one tap of four windows wants of the first channel, and whether it lies in the picture.
struct Tap {
    source: array<u32, 4>,
    inside: array<bool, 4>,
}

fn tap_of(layer: Params, pixels: PixelQuad, ky: u32, kx: u32) -> Tap {
    var tap: Tap;
    for (var i = 0u; i < 4u; i++) {
        let y = pixels.y[i] + i32(ky);
        let x = pixels.x[i] + i32(kx);
        tap.inside[i] = pixels.exists[i] & (y >= 0) & (y < i32(layer.window.src_height)) & (x >= 0) & (x < i32(layer.window.src_width));
        tap.source[i] = select(0u, pixels.image[i] + u32(y) * layer.src.width + u32(x), tap.inside[i]);
    }
    return tap;
}
