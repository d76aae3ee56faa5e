//! `infer`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::models;
use densenet_wgpu::verify::Reference;
use tempfile::TempDir;

use crate::{CPU, assert_refused, assert_says, bytes, densenet, folder, stderr, stdout};

/// Writes a `.npy` file as NumPy would.
pub(crate) fn write_npy(path: &Path, descr: &str, fortran: bool, shape: &[usize], data: &[u8]) {
    let order = if fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({}), }}", shape.trim_end_matches(' '));
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header.push('\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(path, [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()).unwrap();
}

fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.37).sin()).collect()
}

/// Shape and values of a `.npy` file.
pub(crate) fn read_npy(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let content = fs::read(path).unwrap();
    let npy = npyz::NpyFile::new(&content[..]).unwrap();
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

struct Infer {
    folder: TempDir,
}

impl Infer {
    fn new() -> Self {
        Self { folder: folder() }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.npy")
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.npy")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = densenet();
        command.arg("infer").arg(self.input()).args(CPU).arg("--output").arg(self.output());
        command.args(arguments).output().unwrap()
    }
}

#[test]
fn infer_is_the_network_and_nothing_else() {
    let infer = Infer::new();
    let [count, height, width] = [3, 37, 41];
    let input = ramp(count * 3 * height * width);
    write_npy(&infer.input(), "<f4", false, &[count, 3, height, width], &bytes(&input));
    let output = infer.run(&["--batch", "2"]);
    assert_says(&output, 0, &["out.npy: [3, 10]"]);
    assert_eq!(stdout(&output), "");
    let model = models::bundled("digits").unwrap().unwrap();
    let graph = model.graph(height, width).unwrap();
    let reference = Reference::new(graph.clone(), model.weights).unwrap();
    assert_eq!(read_npy(&infer.output()), (vec![3, 10], reference.run(&input, height, width).unwrap()));

    for layer in ["features.denseblock1.denselayer2.conv1", "features.transition1.conv", "features.norm5"] {
        assert_says(&infer.run(&["--layer", layer]), 0, &[]);
        let value = graph.find(layer).unwrap();
        let shape = graph.shape(value);
        let expected = vec![count as u64, shape.channels as u64, shape.height as u64, shape.width as u64];
        assert_eq!(read_npy(&infer.output()), (expected, reference.run_to(&input, height, width, value).unwrap()), "{layer}");
    }
    let left = fs::read_dir(infer.folder.path()).unwrap().count();
    assert_eq!(left, 2, "nothing but input and output");
}

#[test]
fn infer_computes_the_same_on_the_default_device() {
    let infer = Infer::new();
    let [count, height, width] = [3, 47, 35];
    write_npy(&infer.input(), "<f4", false, &[count, 3, height, width], &bytes(&ramp(count * 3 * height * width)));
    let gpu_output = infer.folder.path().join("gpu.npy");
    for (arguments, precision, tolerance) in [
        (&["--batch", "2"][..], "f32", 2e-5),
        (&["--no-fusion"], "f32", 2e-5),
        (&["--batch-invariant", "--layer", "features.denseblock1.denselayer2.conv1"], "f32", 2e-5),
        (&["--batch", "2"], "f16", 2e-2),
        (&[], "auto", 2e-2),
    ] {
        assert_says(&infer.run(arguments), 0, &[]);
        let mut command = densenet();
        command.arg("infer").arg(infer.input()).args(["--model", "digits", "--output"]).arg(&gpu_output);
        assert_says(&command.args(arguments).args(["--precision", precision]).output().unwrap(), 0, &[]);
        let [(shape, expected), (gpu_shape, found)] = [infer.output(), gpu_output.clone()].map(|path| read_npy(&path));
        assert_eq!(shape, gpu_shape);
        for (expected, found) in expected.chunks_exact(expected.len() / count).zip(found.chunks_exact(found.len() / count)) {
            let largest = expected.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
            let off = expected.iter().zip(found).fold(0_f32, |off, (a, b)| off.max((a - b).abs()));
            assert!(off <= tolerance * largest, "{arguments:?} in {precision}: {off} of {largest}");
        }
    }
}

#[test]
fn infer_says_what_is_wrong_with_an_array() {
    let infer = Infer::new();
    let image = [1, 3, 32, 32];
    let good = bytes(&ramp(3 * 32 * 32));
    let mut nan = ramp(3 * 32 * 32);
    nan[32 * 32 + 5 * 32 + 7] = f32::NAN;
    type Case<'a> = (&'a str, bool, &'a [usize], &'a [u8], &'a [&'a str]);
    let cases: [Case; 9] = [
        ("<f8", false, &image, &[0; 8 * 3 * 32 * 32], &["expected float32", "found float64", "astype('float32')"]),
        ("|u1", false, &image, &[0; 3 * 32 * 32], &["found uint8"]),
        ("<i4", false, &image, &good, &["found", "<i4"]),
        ("<f4", false, &[3, 32, 32], &good, &["expected 4 dimensions [N, C, H, W], found 3 [3, 32, 32]", "array[None]"]),
        ("<f4", true, &image, &good, &["found Fortran order", "ascontiguousarray"]),
        ("<f4", false, &[3, 1, 32, 32], &good, &["expected 3 channels", "found 1"]),
        ("<f4", false, &image, &bytes(&nan), &["expected finite values, found NaN at [0, 1, 5, 7]"]),
        ("<f4", false, &[100, 3, 32, 32], &good, &["it was cut off"]),
        ("<f4", false, &[64, 3, 4, 4], &good, &["too small", "3x4x4"]),
    ];
    for (descr, fortran, shape, data, parts) in cases {
        write_npy(&infer.input(), descr, fortran, shape, data);
        let output = infer.run(&[]);
        assert_says(&output, 1, parts);
        assert!(stderr(&output).contains("in.npy: "), "{}", stderr(&output));
        assert!(!infer.output().exists());
    }
    fs::write(infer.input(), "not an array").unwrap();
    assert_says(&infer.run(&[]), 1, &["expected a .npy file"]);
    fs::remove_file(infer.input()).unwrap();
    assert_says(&infer.run(&[]), 1, &["in.npy: cannot be opened"]);
}

#[test]
fn infer_refuses_what_it_cannot_begin() {
    let infer = Infer::new();
    write_npy(&infer.input(), "<f4", false, &[1, 3, 32, 32], &bytes(&ramp(3 * 32 * 32)));
    assert_refused(&infer.run(&["--layer", "features.denseblok1"]), &["no layer is called", "did you mean \"features.denseblock1\""]);
    let mut command = densenet();
    command.arg("infer").arg(infer.input()).args(CPU).arg("--output").arg(infer.folder.path().join("none/out.npy"));
    assert_refused(&command.output().unwrap(), &["none/out.npy"]);
    let mut command = densenet();
    command.arg("infer").arg(infer.input()).args(CPU).arg("--output").arg(infer.folder.path());
    assert_refused(&command.output().unwrap(), &["expected a file to write"]);
}
