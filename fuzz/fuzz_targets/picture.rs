//! Mutated pictures of any format: refused or read, never more.

#![no_main]

use densenet_wgpu::image::{Decoding, SampleRange};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A header of some bytes may stand for a hundred million pixels; here it is time that counts.
    let decoding = Decoding::default().with_max_pixels(1 << 20).with_truncated(true).with_sample_range(SampleRange::Own);
    let _ = decoding.decode(bytes);
});
