// TILE_PIXELS neighbouring pixels of an output row, from x on. Strips are numbered through all images.
struct Strip {
    image: u32,
    y: u32,
    x: u32,
}

fn strip_at(number: u32) -> Strip {
    let image = number / params.image_strips;
    let in_image = number - image * params.image_strips;
    let y = in_image / params.row_strips;
    return Strip(image, y, (in_image - y * params.row_strips) * TILE_PIXELS);
}
