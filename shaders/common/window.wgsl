// A window that moves over a source picture.
struct Window {
    src_height: u32,
    src_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
}
