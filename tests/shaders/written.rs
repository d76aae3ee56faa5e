//! What other programs compile and count: every variant in each language, and what DenseNet-121 runs of them.
//!
//! `DENSENET_TRANSLATIONS=FOLDER cargo test --test shaders -- --ignored translations_are_written` writes it. In the folder are
//! `list.tsv` (file, target, entry point, what a device must have, variant), the files it names, and what a GPU runs: in
//! `steps.tsv` a discrete one without matrices in 32-bit floats, in `steps-integrated.tsv` and `steps-discrete.tsv` those with few
//! registers, as Intel's, in 32-bit and in 16-bit floats. A step is batch, floating-point operations, bytes read and written, workgroups, turns of the loop
//! over a kernel's taps, input channels, variant.

use std::env;
use std::fs;
use std::path::Path;

use densenet_wgpu::internal::{Constant, Shader, Variant};
use densenet_wgpu::planning::{PlanOptions, Step};
use densenet_wgpu::tuning::{Capabilities, Tuning, Workgroup};
use densenet_wgpu::{Config, Plan, Precision};
use naga::back::hlsl::ShaderModel;
use naga::valid::Capabilities as Features;

use crate::translation::Parsed;

#[test]
#[ignore = "writes files, to the folder that DENSENET_TRANSLATIONS names"]
fn translations_are_written() {
    let folder = env::var_os("DENSENET_TRANSLATIONS").expect("DENSENET_TRANSLATIONS must name a folder, for the files to be written to");
    let folder = Path::new(&folder);
    let write =
        |file: &str, bytes: &[u8]| fs::write(folder.join(file), bytes).unwrap_or_else(|e| panic!("{}: {e}", folder.join(file).display()));
    fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut list = String::new();
    for (number, variant) in Shader::ALL.into_iter().flat_map(Shader::variants).enumerate() {
        let name = variant.to_string();
        let shader = Parsed::new(&name, &variant.source());
        let needs = needs(&shader, &variant);
        let mut add = |ending: &str, target: &str, entry: &str, bytes: &[u8]| {
            let file = format!("{number:03}.{ending}");
            write(&file, bytes);
            list += &format!("{file}\t{target}\t{entry}\t{needs}\t{name}\n");
        };
        let spirv: Vec<u8> = shader.spirv(false).into_iter().flat_map(u32::to_le_bytes).collect();
        add("spv", "spirv1.6", "main", &spirv);
        // What FXC compiles, and what DXC on a device of today.
        for model in shader.shader_models().into_iter().filter(|model| matches!(model, ShaderModel::V5_1 | ShaderModel::V6_6)) {
            let hlsl = shader.hlsl(false, model);
            let target = format!("cs_{}", model.to_str());
            add(&format!("{target}.hlsl"), &target, &hlsl.entry, hlsl.text.as_bytes());
        }
        if let Some(text) = shader.standard_wgsl() {
            add("wgsl", "webgpu", "main", text.as_bytes());
        }
    }
    write("list.tsv", list.as_bytes());
    let workgroup = Workgroup { invocations: 1024, bytes: 32768 };
    let discrete = Capabilities { discrete: true, workgroup, ..Capabilities::default() };
    write("steps.tsv", BATCHES.map(|batch| steps(batch, discrete, Precision::F32)).concat().as_bytes());
    let few_registers = Capabilities { subgroup: Some([8, 32]), f16: true, workgroup, ..Capabilities::default() };
    for (file, discrete) in [("steps-integrated.tsv", false), ("steps-discrete.tsv", true)] {
        let capabilities = Capabilities { discrete, ..few_registers };
        let lines = BATCHES.map(|batch| [Precision::F32, Precision::F16].map(|precision| steps(batch, capabilities, precision)).concat());
        write(file, lines.concat().as_bytes());
    }
}

/// What a device must have for the shader, as words: `f16`, `subgroups`, and of matrices their side and the subgroup's size.
fn needs(shader: &Parsed, variant: &Variant) -> String {
    let features = shader.capabilities();
    let size = |name| match variant.constants().iter().find(|(constant, _)| *constant == name) {
        Some((_, Constant::Size(size))) => Some(*size),
        _ => None,
    };
    let words = [
        features.contains(Features::SHADER_FLOAT16).then(|| "f16".to_owned()),
        features.contains(Features::SUBGROUP).then(|| "subgroups".to_owned()),
        size("FRAGMENT").map(|side| format!("matrix={side}")),
        size("SUBGROUP").map(|size| format!("subgroup={size}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const BATCHES: [usize; 2] = [1, 32];

/// The steps of DenseNet-121 for pictures of 224x224, as the rule plans them for a device that can do this.
fn steps(batch: usize, capabilities: Capabilities, precision: Precision) -> String {
    let graph = Config::densenet121().graph(224, 224).expect("a DenseNet-121");
    let tuning = Tuning::new(capabilities).with_precision(precision);
    let options = PlanOptions::default().with_batch(batch).with_tuning(tuning);
    let plan = Plan::new(&graph, options).expect("a plan for any GPU");
    let line = |step: &Step| {
        let convolution = step.tile.map(|(_, convolution)| convolution);
        let taps = convolution.map_or(0, |convolution| convolution.window.kernel.iter().product());
        let channels = convolution.map_or(0, |convolution| convolution.source.shape.channels);
        let workgroups: u32 = step.kernel.workgroups.iter().product();
        format!("{batch}\t{}\t{}\t{workgroups}\t{taps}\t{channels}\t{}\n", step.flops, step.bytes, step.kernel.variant)
    };
    plan.steps().iter().map(line).collect()
}
