// The pixel of one channel that an invocation owns. Pixels are numbered through all images.
struct Pixel {
    number: u32,
    image: u32,
    channel: u32,
    in_image: u32,
}

fn own_pixel(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> Pixel {
    let number = (group.z * groups.x + group.x) * WORKGROUP + lane;
    let image = number / params.image_pixels;
    return Pixel(number, image, group.y, number - image * params.image_pixels);
}

// Where it lies in a tensor.
fn place(tensor: Layout, pixel: Pixel) -> u32 {
    return tensor.offset + pixel.image * tensor.image + pixel.channel * tensor.plane + pixel.in_image;
}
