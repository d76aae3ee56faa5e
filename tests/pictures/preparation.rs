//! From a picture to the tensor: torchvision's, and that of each preset's source.

use std::collections::HashMap;

use densenet_wgpu::image::Picture;
use densenet_wgpu::preprocessing::{Filter, Preprocessing, Preset, Resize, ResizeMode};
use proptest::prelude::*;

use crate::resizing::{filter, floats};
use crate::{assert_same, fixture, npz, pictures, size};

/// The preprocessing that `<mode>-<size>-<filter>-<crop>-<channels>` names.
fn preprocessing(name: &str) -> Preprocessing {
    let [mode, wanted, filter_name, crop, channels] = name.split('-').collect::<Vec<_>>()[..] else { panic!("{name}") };
    let mode = match mode {
        "short_side" | "ten_crop" => ResizeMode::ShortSide(wanted.parse().unwrap()),
        "long_side" => ResizeMode::LongSide(wanted.parse().unwrap()),
        "cover" => ResizeMode::Cover(size(wanted)),
        "squash" => ResizeMode::Squash(size(wanted)),
        _ => panic!("{name}"),
    };
    let crop = (crop != "whole").then(|| [crop.parse().unwrap(); 2]);
    let resize = Some(Resize { filter: filter(filter_name), mode });
    Preprocessing::torchvision(channels.parse().unwrap()).with_resize(resize).with_crop(crop)
}

#[test]
fn resize_and_crop_are_torchvisions() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let expected = pictures("preprocessed.npz");
    assert_eq!(expected.len(), 30);
    for (name, expected) in expected {
        if name.starts_with("ten_crop") {
            let crops = preprocessing(&name).ten_crops(&source).unwrap();
            let samples: Vec<u8> = crops.iter().flat_map(|crop| crop.picture.samples()).copied().collect();
            assert_same(&name, &Picture::new(expected.height(), expected.width(), 3, samples).unwrap(), &expected);
        } else {
            assert_same(&name, &preprocessing(&name).prepare(&source).unwrap().picture, &expected);
        }
    }
}

#[test]
fn pictures_of_random_sizes_are_torchvisions() {
    let (sources, expected): (Vec<_>, Vec<_>) = pictures("random.npz").into_iter().partition(|(name, _)| !name.contains('-'));
    let sources: HashMap<String, Picture> = sources.into_iter().collect();
    assert_eq!((sources.len(), expected.len()), (40, 200));
    for (name, expected) in expected {
        let (number, named) = name.split_once('-').unwrap();
        assert_same(&name, &preprocessing(named).prepare(&sources[number]).unwrap().picture, &expected);
    }
}

/// skimage smooths before it resizes, here the filter is as wide as the pixels that it makes one of: numbers differ, places do
/// not. A square that lies half a pixel elsewhere has five times these differences.
#[test]
fn radiographs_are_nearly_torchxrayvisions() {
    let arrays: HashMap<String, Vec<u8>> = npz::read(&fixture("../torchxrayvision.npz")).into_iter().collect();
    let preprocessing = Preset::Xrv.preprocessing(1).sized(56, 56);
    for (name, [height, width]) in [("wide", [150, 181]), ("tall", [181, 150])] {
        let samples: Vec<u8> = npyz::NpyFile::new(&arrays[name][..]).unwrap().into_vec().unwrap();
        let expected: Vec<f32> = npyz::NpyFile::new(&arrays[&format!("{name}-56")][..]).unwrap().into_vec().unwrap();
        let found = preprocessing.apply(&Picture::new(height, width, 1, samples).unwrap()).unwrap();
        assert_eq!((found.height, found.width, found.values.len()), (56, 56, expected.len()));
        let off: Vec<f64> = found.values.iter().zip(&expected).map(|(a, b)| f64::from((a - b).abs())).collect();
        let (mean, most) = (off.iter().sum::<f64>() / off.len() as f64, off.iter().copied().fold(0.0, f64::max));
        assert!(mean < 8.0 && most < 64.0, "{name}: of 2048 steps {mean} on average, {most} at most");
    }
}

#[test]
fn ten_crops_need_a_crop_and_a_picture_as_large() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let uncropped = preprocessing("short_side-40-bilinear-whole-3").ten_crops(&source).unwrap_err().to_string();
    assert!(uncropped.contains("found a preprocessing without a crop: short side to 40"), "{uncropped}");
    let small = preprocessing("short_side-40-bilinear-50-3").ten_crops(&source).unwrap_err().to_string();
    assert!(small.contains("found one of 40x56 pixels for crops of 50x50"), "{small}");
}

#[test]
fn the_tensor_is_torchvisions() {
    let (_, tensor) = npz::read(&fixture("preprocessed.npz")).into_iter().find(|(name, _)| name == "tensor").unwrap();
    let expected: Vec<f32> = npyz::NpyFile::new(&tensor[..]).unwrap().into_vec().unwrap();
    let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(40) });
    let preprocessing = Preprocessing::torchvision(3).with_resize(resize).with_crop(Some([37, 37]));
    let input = preprocessing.apply(&Picture::open(fixture("source.png")).unwrap()).unwrap();
    assert_eq!((input.height, input.width), (37, 37));
    assert!(input.values == expected, "the tensor differs from torchvision's");
}

#[test]
fn a_model_of_four_channels_takes_no_picture() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let error = Preprocessing::torchvision(4).apply(&source).unwrap_err().to_string();
    assert!(error.contains("1 or 3 channels") && error.contains("found a model of 4"), "{error}");
}

#[test]
fn a_very_long_picture_costs_no_more_than_its_crop() {
    let source = Picture::new(1, 60_000, 3, vec![77; 180_000]).unwrap();
    let prepared = Preprocessing::torchvision(3).prepare(&source).unwrap();
    assert!(prepared.picture.samples().iter().all(|&sample| sample == 77));
    let uncropped = Preprocessing::torchvision(3).with_crop(None);
    let error = uncropped.apply(&source).unwrap_err().to_string();
    assert!(error.contains("would become 15360000x256"), "{error}");
}

proptest! {
    #[test]
    fn any_picture_fits_any_size(size in [1..50_usize, 1..50], wanted in [1..70_usize, 1..70], short in 1..70_usize, level: u8) {
        let source = Picture::new(size[0], size[1], 3, vec![level; size[0] * size[1] * 3]).unwrap();
        let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(short) });
        let preprocessing = Preprocessing::torchvision(3).with_resize(resize).with_crop(Some(wanted));
        let input = preprocessing.apply(&source).unwrap();
        prop_assert_eq!([input.height, input.width], wanted);
        prop_assert_eq!(input.values.len(), 3 * wanted[0] * wanted[1]);
        prop_assert!(input.values.iter().all(|value| value.is_finite()));
        let sized = preprocessing.sized(wanted[1], wanted[0]).apply(&source).unwrap();
        prop_assert_eq!([sized.width, sized.height], wanted);
    }
}

#[test]
fn presets_are_their_sources_within_a_level() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let mut compared = Vec::new();
    for (name, content) in npz::read(&fixture("interpolated.npz")) {
        let Some(preset) = Preset::named(&name) else { continue };
        let (shape, expected) = floats(&name, &content);
        let preprocessing = preset.preprocessing(shape[0] as usize).sized(32, 24);
        let found = preprocessing.apply(&source).unwrap();
        assert_eq!([found.height, found.width, found.values.len()], [32, 24, expected.len()], "{name}");
        // One level of 255, or of as many as the resized picture has, over the least standard deviation.
        let level = if name == "monai-tensor" { 1.0 / 200.0 } else { 1.0 / 255.0 / 0.224 + 1e-6 };
        let off = found.values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= level, "{name}: {off}, more than {level}");
        compared.push(name);
    }
    compared.sort();
    assert_eq!(compared, ["monai-tensor", "opencv", "tensorflow"]);
}
