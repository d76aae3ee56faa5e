//! Mutated HDF5 files of Keras are refused or loaded.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = densenet_wgpu::Checkpoint::from_bytes(bytes, "fuzz");
});
