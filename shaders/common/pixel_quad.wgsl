// Four neighbouring output pixels: where their images begin in src, and their windows in those.
struct PixelQuad {
    image: array<u32, 4>,
    y: array<i32, 4>,
    x: array<i32, 4>,
    exists: array<bool, 4>,
}

fn pixel_quad(layer: Params, first_pixel: u32) -> PixelQuad {
    var quad: PixelQuad;
    for (var i = 0u; i < 4u; i++) {
        let pixel = first_pixel + i;
        quad.exists[i] = pixel < layer.pixels;
        let image = min(pixel, layer.pixels - 1u) / layer.image_pixels;
        let pixel_in_image = min(pixel, layer.pixels - 1u) - image * layer.image_pixels;
        let y = pixel_in_image / layer.dst.width;
        quad.image[i] = layer.src.offset + image * layer.src.image;
        quad.y[i] = i32(y * layer.window.stride_y) - i32(layer.window.padding_y);
        quad.x[i] = i32((pixel_in_image - y * layer.dst.width) * layer.window.stride_x) - i32(layer.window.padding_x);
    }
    return quad;
}
