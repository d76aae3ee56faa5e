//! Mutated pictures of any format are refused or read.

#![no_main]

use std::io::Cursor;

use densenet_wgpu::image::{Decoding, Picture, SampleRange};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A few bytes of header may stand for a hundred million pixels, which would take too long.
    let decoding = Decoding::default().with_max_pixels(1 << 20).with_truncated(true).with_sample_range(SampleRange::Own);
    let is_read = decoding.decode(bytes).is_ok();
    assert!(Picture::recognises(Cursor::new(bytes)) || !is_read, "read, and passed over in folders");
});
