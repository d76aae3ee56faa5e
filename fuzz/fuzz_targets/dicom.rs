//! Mutated DICOM files are refused or read.

#![no_main]

use std::panic;

use densenet_wgpu::image::Decoding;

libfuzzer_sys::fuzz_target!(
    init: {
        // The JPEG-LS decoder panics on purpose where its sums overflow, which the library catches; the fuzzer would end.
        let ends = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.location().is_some_and(|location| location.file().contains("pure_jpegls")) {
                ends(info);
            }
        }));
    },
    |bytes: &[u8]| {
        // A few bytes of header may stand for a hundred million pixels, which would take too long.
        let decoding = Decoding::default().with_max_pixels(1 << 20).with_voi_lut(true);
        let _ = decoding.decode(bytes);
    }
);
