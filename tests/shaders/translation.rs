//! WGSL in every language that drivers and browsers are given, as wgpu-hal's backends translate it.

use std::collections::BTreeMap;

use naga::back::{hlsl, msl, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ResourceBinding, ShaderStage, SourceLocation, StorageAccess};

/// A shader that naga has parsed and validated.
pub(crate) struct Parsed {
    name: String,
    source: String,
    pub(crate) module: Module,
    pub(crate) info: ModuleInfo,
    capabilities: Capabilities,
}

/// A shader in HLSL.
pub(crate) struct Hlsl {
    pub(crate) text: String,
    /// The function that is its `main`.
    pub(crate) entry: String,
}

impl Parsed {
    /// Fails with the shader's name, the place in its file and naga's message where it is not valid.
    pub(crate) fn new(name: &str, source: &str) -> Self {
        let place = |location: Option<SourceLocation>| location.map_or_else(|| name.to_owned(), |at| place(name, source, at.line_number));
        let parsed = naga::front::wgsl::parse_str(source);
        let module = parsed.unwrap_or_else(|e| panic!("{}: {}", place(e.location(source)), e.emit_to_string(source)));
        let capabilities = capabilities(source);
        let validated = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
        let info = validated.unwrap_or_else(|e| panic!("{}: {}", place(e.location(source)), e.emit_to_string(source)));
        Self { name: name.to_owned(), source: source.to_owned(), module, info, capabilities }
    }

    /// What a device must be able to do to run it, beyond WebGPU's defaults.
    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// SPIR-V for a device with Vulkan 1.3 that has all that the shader uses; with naga's checks, or without.
    pub(crate) fn spirv(&self, checks: bool) -> Vec<u32> {
        let target = |binding: u32| spv::BindingInfo { descriptor_set: 0, binding, binding_array_size: None };
        let options = spv::Options {
            lang_version: (1, 6),
            flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
            bounds_check_policies: policies(checks),
            zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
            force_loop_bounding: checks,
            emit_int_div_checks: checks,
            use_storage_input_output_16: true,
            binding_map: self.bindings().map(|(binding, _)| (binding, target(binding.binding))).collect(),
            ..Default::default()
        };
        let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".into() };
        let words = spv::write_vec(&self.module, &self.info, &options, Some(&entry));
        words.unwrap_or_else(|e| panic!("{} to SPIR-V: {e}", self.name))
    }

    /// MSL 2.3, the first with matrices.
    pub(crate) fn msl(&self, checks: bool) -> String {
        let options = msl::Options { lang_version: (2, 3), bounds_check_policies: policies(checks), ..Default::default() };
        let translated = msl::write_string(&self.module, &self.info, &options, &msl::PipelineOptions::default());
        let (text, translated) = translated.unwrap_or_else(|e| panic!("{} to MSL: {e}", self.name));
        let entry = translated.entry_point_names[0].as_ref().unwrap_or_else(|e| panic!("{} to MSL: {e}", self.name));
        assert!(text.contains(&format!("kernel void {entry}(")), "{}: no kernel {entry} in\n{text}", self.name);
        text
    }

    /// The shader models that can express it: of DXC all from the first that can, of FXC its last. None for matrices.
    pub(crate) fn shader_models(&self) -> Vec<hlsl::ShaderModel> {
        if self.capabilities.contains(Capabilities::COOPERATIVE_MATRIX) {
            return Vec::new();
        }
        let mut models = vec![hlsl::ShaderModel::V6_6, hlsl::ShaderModel::V6_2];
        if !self.capabilities.contains(Capabilities::SHADER_FLOAT16) {
            models.push(hlsl::ShaderModel::V6_0);
        }
        if self.capabilities.is_empty() {
            models.push(hlsl::ShaderModel::V5_1);
        }
        models
    }

    /// HLSL of one of its [`Parsed::shader_models`].
    pub(crate) fn hlsl(&self, checks: bool, shader_model: hlsl::ShaderModel) -> Hlsl {
        // Each kind of register is counted on its own; wgpu's own constants come after ours.
        let mut registers: BTreeMap<char, u32> = BTreeMap::new();
        let mut next = |kind| {
            let register = registers.entry(kind).or_default();
            *register += 1;
            hlsl::BindTarget { register: *register - 1, ..Default::default() }
        };
        let binding_map = self.bindings().map(|(binding, kind)| (binding, next(kind))).collect();
        let options = hlsl::Options {
            shader_model,
            binding_map,
            fake_missing_bindings: false,
            special_constants_binding: Some(next('b')),
            zero_initialize_workgroup_memory: false,
            restrict_indexing: checks,
            force_loop_bounding: checks,
            ..Default::default()
        };
        let entry = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, "main".into())) };
        let mut text = String::new();
        let translated = hlsl::Writer::new(&mut text, &options, &entry).write(&self.module, &self.info, None);
        let translated = translated.unwrap_or_else(|e| panic!("{} to HLSL: {e}", self.name));
        let entry = translated.entry_point_names[0].as_ref().unwrap_or_else(|e| panic!("{} to HLSL: {e}", self.name)).clone();
        assert!(text.contains(&format!("void {entry}(")), "{}: no function {entry} in\n{text}", self.name);
        Hlsl { text, entry }
    }

    /// WGSL as the standard has it. naga knows subgroups without the line that enables them, and refuses it. None for matrices,
    /// which are naga's own.
    pub(crate) fn standard_wgsl(&self) -> Option<String> {
        let enable = if self.capabilities.contains(Capabilities::SUBGROUP) { "enable subgroups;\n" } else { "" };
        (!self.capabilities.contains(Capabilities::COOPERATIVE_MATRIX)).then(|| format!("{enable}{}", self.source))
    }

    /// Its bindings in the order of their numbers, each with the letter of the register that it gets in HLSL.
    fn bindings(&self) -> impl Iterator<Item = (ResourceBinding, char)> {
        let kind = |space| match space {
            AddressSpace::Uniform => 'b',
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => 'u',
            _ => 't',
        };
        let bindings = self.module.global_variables.iter().filter_map(|(_, variable)| Some((variable.binding?, kind(variable.space))));
        bindings.collect::<BTreeMap<_, _>>().into_iter()
    }
}

/// The beginning of the line above the text of a file of `shaders/common/`.
pub(crate) const COMMON: &str = "// shaders/common/";

/// The file that a line of a shader's source is from, and its number there. Of a variant's own file the number is that in the variant.
fn place(name: &str, source: &str, line: u32) -> String {
    let before = source.lines().take(line as usize).enumerate();
    match before.filter(|(_, text)| text.starts_with(COMMON)).last() {
        Some((heading, file)) => format!("{name}, {}:{}", file.trim_start_matches("// "), line as usize - heading - 1),
        None => format!("{name}:{line}"),
    }
}

#[test]
fn errors_are_placed_in_their_own_file() {
    let source = "const A: u32 = 1u;\n// shaders/common/first.wgsl\nfirst\n// shaders/common/second.wgsl\nB\nC\n";
    let places = [1, 3, 6].map(|line| place("shaders/x.wgsl", source, line));
    assert_eq!(places, ["shaders/x.wgsl:1", "shaders/x.wgsl, shaders/common/first.wgsl:1", "shaders/x.wgsl, shaders/common/second.wgsl:2"]);
}

fn capabilities(source: &str) -> Capabilities {
    let mut capabilities = Capabilities::empty();
    capabilities.set(Capabilities::SHADER_FLOAT16, source.starts_with("enable f16;"));
    capabilities.set(Capabilities::SUBGROUP, source.contains("subgroupShuffle") || source.contains("@builtin(subgroup_id)"));
    capabilities.set(Capabilities::COOPERATIVE_MATRIX, source.contains("enable wgpu_cooperative_matrix;"));
    capabilities
}

fn policies(checks: bool) -> BoundsCheckPolicies {
    let policy = if checks { BoundsCheckPolicy::Restrict } else { BoundsCheckPolicy::Unchecked };
    BoundsCheckPolicies { index: policy, buffer: policy, image_load: policy, binding_array: policy }
}
