//! What is kept from one start to the next changes no answer and fails nothing, whatever has become of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use densenet_wgpu::devices::Cache;
use densenet_wgpu::{Config, Engine, EngineOptions, Gpu, Input, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{open_gpu, own_device, untested};
use common::{seeded_input, seeded_weights};

fn gpu() -> Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open_gpu).clone()
}

/// What a small network makes of a picture on this device.
fn run(gpu: &Gpu) -> Vec<f32> {
    let graph = Config::imagenet(6, &[2, 2], 9).with_classes(Some(7)).graph(40, 33).unwrap();
    let engine = Engine::new(gpu, &graph, &seeded_weights(&graph, 3), EngineOptions::default()).unwrap();
    engine.run(Input::values(&seeded_input(1, 3 * 40 * 33), [40, 33])).unwrap()
}

fn run_with(folder: &Path) -> Vec<f32> {
    run(&gpu().with_cache(Cache::at(folder)))
}

fn without_cache() -> &'static [f32] {
    static OUTPUT: OnceLock<Vec<f32>> = OnceLock::new();
    OUTPUT.get_or_init(|| run(&gpu().with_cache(Cache::off())))
}

/// Where this device's pipelines are kept in the folder; `None` where it cannot hand them out.
fn pipelines(folder: &Path) -> Option<PathBuf> {
    gpu().with_cache(Cache::at(folder)).pipeline_cache_file()
}

#[test]
fn a_second_start_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made/when/needed");
    for _ in 0..2 {
        assert_eq!(run_with(&cache), without_cache());
    }
    // Mesa's software device hands out a header with nothing behind it, which is not kept.
    if let Some(file) = pipelines(&cache).filter(|_| gpu().device().adapter_info().device_type != wgpu::DeviceType::Cpu) {
        assert!(file.is_file(), "{} is missing", file.display());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    } else {
        untested(&gpu(), "whether pipelines are kept: it has none to keep");
    }
}

#[test]
fn any_other_content_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = pipelines(folder.path()) else { return untested(&gpu(), "kept pipelines, which it does not hand out") };
    assert_eq!(run_with(folder.path()), without_cache());
    let whole = fs::read(&file).unwrap_or_default();
    let halved = whole[..whole.len() / 2].to_vec();
    let damaged: Vec<u8> = whole.iter().rev().copied().collect();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for content in [Vec::new(), halved, damaged, b"another program's".to_vec(), vec![0xff; 1 << 20]] {
        fs::write(&file, &content).unwrap();
        assert_eq!(run_with(folder.path()), without_cache());
        assert!(whole.is_empty() || fs::read(&file).unwrap() != content, "what is of no use is replaced");
    }
}

// Those who run tests as root can write to any folder: these cannot be written by anyone.
#[test]
fn a_folder_that_cannot_be_written_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let not_a_folder = folder.path().join("file");
    fs::write(&not_a_folder, "untouched").unwrap();
    assert_eq!(run_with(&not_a_folder), without_cache());
    assert_eq!(run_with(&not_a_folder.join("below")), without_cache());
    assert_eq!(fs::read(&not_a_folder).unwrap(), b"untouched");
    assert_eq!(run_with(Path::new("\0")), without_cache());

    fs::write(folder.path().join("pipelines"), "untouched").unwrap();
    assert_eq!(run_with(folder.path()), without_cache());
    assert_eq!(fs::read(folder.path().join("pipelines")).unwrap(), b"untouched");

    if let Some(file) = pipelines(&folder.path().join("cache")) {
        fs::create_dir_all(&file).unwrap();
        assert_eq!(run_with(&folder.path().join("cache")), without_cache());
        assert!(file.is_dir());
    }
}

#[test]
fn several_engines_and_devices_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let shared = gpu().with_cache(Cache::at(folder.path()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(run(&shared), without_cache()));
            scope.spawn(|| assert_eq!(run_with(folder.path()), without_cache()));
        }
    });
    let other = open_gpu().with_cache(Cache::at(folder.path()));
    assert_eq!(run(&other), without_cache());
}

#[test]
fn a_programs_own_device_keeps_nothing_unless_told() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let own = Gpu::from_device(device, queue);
    assert_eq!((own.cache(), own.pipeline_cache_file()), (&Cache::off(), None));
    // Its device was not asked for the feature; nor for subgroups, so that its kernels are others than elsewhere.
    let expected = run(&own);
    let folder = tempfile::tempdir().unwrap();
    let told = own.with_cache(Cache::at(folder.path()));
    assert_eq!(told.pipeline_cache_file(), None);
    assert_eq!(run(&told), expected);
    assert!(!folder.path().join("pipelines").exists());
    // What the checks found needs no feature.
    assert!(folder.path().join("verdicts").is_dir());
}

#[test]
fn without_a_cache_there_is_no_file() {
    let off = gpu().with_cache(Cache::off());
    assert_eq!((off.cache().folder(), off.pipeline_cache_file()), (None, None));
    assert_eq!(run(&off), without_cache());
}
