//! Every shader in every variant: valid, translatable for each backend, within WebGPU's defaults, and laid out as the
//! Rust side says.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use densenet_wgpu::internal::{Constant, Shader, Variant};
use densenet_wgpu::network::Stem;
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::tuning::{Tile, Workgroup};
use densenet_wgpu::{Config, Plan};
use naga::valid::FunctionInfo;
use naga::{AddressSpace, Block, Expression, Function, Handle, Statement, StorageAccess, TypeInner};

mod translation;
mod written;
use translation::{COMMON, Parsed};

/// WebGPU's default limit.
const STORAGE_BUFFERS: usize = 8;

/// Names and texts of everything that is compiled: the files with their default constants, and every variant.
fn modules() -> Vec<(String, String)> {
    let file = |shader: Shader| (format!("shaders/{}.wgsl", shader.file()), shader.source());
    let variants = Shader::ALL.into_iter().flat_map(Shader::variants);
    Shader::ALL.into_iter().map(file).chain(variants.map(|variant| (variant.to_string(), variant.source()))).collect()
}

#[test]
fn every_variant_is_valid_and_translates_for_every_backend() {
    for (name, source) in modules() {
        let shader = Parsed::new(&name, &source);
        assert_eq!(shader.module.entry_points.len(), 1, "{name}: one entry point");
        assert_eq!(shader.module.entry_points[0].name, "main", "{name}");
        assert!(shader.module.overrides.is_empty(), "{name}: constants vary by text, never by `override` (shaders/README.md)");
        // Without checks as the engine compiles them, and with checks as its tests do.
        for checks in [false, true] {
            assert_eq!(shader.spirv(checks)[0], 0x0723_0203, "{name}: SPIR-V's magic number");
            shader.msl(checks);
            for shader_model in shader.shader_models() {
                shader.hlsl(checks, shader_model);
            }
        }
    }
}

/// HLSL has no store to a component of a vector, or a column of a matrix, whose index is not constant: FXC unrolls loops
/// around one for minutes, and then gives up.
#[test]
fn no_shader_for_hlsl_stores_by_an_index_into_a_vector() {
    let shaders = modules().into_iter().map(|(name, source)| (Parsed::new(&name, &source), name));
    for (shader, name) in shaders.filter(|(shader, _)| !shader.shader_models().is_empty()) {
        assert_eq!(stores_into_vectors(&shader), 0, "{name}: fill an array instead, and make the vector of it");
    }
    let stores = |store: &str| {
        let body = format!("var quads: array<vec4<f32>, 2>; for (var i = 0u; i < 2u; i++) {{ {store} = 1.0; }}");
        stores_into_vectors(&Parsed::new(store, &format!("@compute @workgroup_size(1) fn main() {{ {body} }}")))
    };
    assert_eq!(["quads[i].x", "quads[i][1]", "quads[1][i]", "quads[i][i]"].map(stores), [0, 0, 1, 1]);
}

/// Counts stores into a vector or matrix by an index that is not constant.
fn stores_into_vectors(shader: &Parsed) -> usize {
    let Parsed { module, info, .. } = shader;
    let bodies = module.functions.iter().map(|(handle, function)| (function, &info[handle]));
    let entries = module.entry_points.iter().enumerate().map(|(index, entry)| (&entry.function, info.get_entry_point(index)));
    let is_vector = |inner: &TypeInner| match *inner {
        TypeInner::Pointer { base, .. } => matches!(module.types[base].inner, TypeInner::Vector { .. } | TypeInner::Matrix { .. }),
        TypeInner::ValuePointer { size, .. } => size.is_some(),
        _ => false,
    };
    let count = |(function, info): (&Function, &FunctionInfo)| {
        let is_into_vector = |mut pointer: Handle<Expression>| loop {
            match function.expressions[pointer] {
                Expression::Access { base, .. } if is_vector(info[base].ty.inner_with(&module.types)) => break true,
                Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => pointer = base,
                _ => break false,
            }
        };
        stores(&function.body).into_iter().filter(|pointer| is_into_vector(*pointer)).count()
    };
    bodies.chain(entries).map(count).sum()
}

/// The pointers that a block and all blocks within it store to.
fn stores(block: &Block) -> Vec<Handle<Expression>> {
    let within = |statement: &Statement| match statement {
        Statement::Store { pointer, .. } => vec![*pointer],
        Statement::Block(block) => stores(block),
        Statement::If { accept, reject, .. } => [accept, reject].into_iter().flat_map(stores).collect(),
        Statement::Switch { cases, .. } => cases.iter().flat_map(|case| stores(&case.body)).collect(),
        Statement::Loop { body, continuing, .. } => [body, continuing].into_iter().flat_map(stores).collect(),
        _ => Vec::new(),
    };
    block.iter().flat_map(within).collect()
}

/// The largest workgroup that a variant may have: the one its tile asks for.
fn asked(variant: &Variant) -> Workgroup {
    let has_sizes =
        |tile: &Tile| tile.sizes().into_iter().all(|(name, size)| variant.constants().contains(&(name, Constant::Size(size as u32))));
    let tile = Tile::all().find(|tile| tile.shader() == variant.shader() && has_sizes(tile));
    tile.map_or_else(Workgroup::default, Tile::workgroup)
}

#[test]
fn every_variant_fits_webgpus_default_limits_or_what_its_tile_asks_for() {
    let files = Shader::ALL.map(|shader| (shader.name().to_owned(), shader.source(), Workgroup::default()));
    let variants = Shader::ALL.into_iter().flat_map(Shader::variants);
    for (name, source, largest) in files.into_iter().chain(variants.map(|v| (v.to_string(), v.source(), asked(&v)))) {
        let Parsed { module, .. } = Parsed::new(&name, &source);
        let invocations = module.entry_points[0].workgroup_size.iter().product();
        let shared = module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::WorkGroup);
        // WebGPU counts each variable in units of 16 bytes.
        let bytes = shared.map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx()).next_multiple_of(16)).sum();
        let workgroup = Workgroup { invocations, bytes };
        assert!(workgroup.fits(largest), "{name}: {workgroup:?}, at most {largest:?}");
        let storage = module.global_variables.iter().filter(|(_, variable)| matches!(variable.space, AddressSpace::Storage { .. })).count();
        assert!(storage <= STORAGE_BUFFERS, "{name}: {storage} storage buffers, at most {STORAGE_BUFFERS}");
    }
}

#[test]
fn bindings_follow_the_house_rules() {
    let read = AddressSpace::Storage { access: StorageAccess::LOAD };
    let write = AddressSpace::Storage { access: StorageAccess::LOAD | StorageAccess::STORE };
    let rules = [(0, "params", AddressSpace::Uniform), (1, "src", read), (2, "weights", read), (3, "dst", write)];
    for (name, source) in modules() {
        let Parsed { module, .. } = Parsed::new(&name, &source);
        let mut bindings = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            if let Some(binding) = variable.binding {
                assert_eq!(binding.group, 0, "{name}");
                bindings.push((binding.binding, variable.name.as_deref().unwrap_or_default(), variable.space));
            } else {
                assert_eq!(variable.space, AddressSpace::WorkGroup, "{name}: a variable that is neither bound nor shared");
            }
        }
        bindings.sort_by_key(|(binding, ..)| *binding);
        // A kernel without weights leaves them out.
        let rules: Vec<_> = rules.into_iter().filter(|rule| rule.0 != 2 || bindings.iter().any(|b| b.0 == 2)).collect();
        assert_eq!(bindings, rules, "{name}: bindings differ from shaders/README.md");
    }
}

#[test]
fn params_are_laid_out_as_in_rust() {
    for shader in Shader::ALL {
        let file = format!("shaders/{}.wgsl", shader.file());
        let Parsed { module, .. } = Parsed::new(&file, &shader.source());
        for (name, (fields, bytes)) in [("Params", shader.params_layout())].into_iter().chain(Shader::common_layouts()) {
            let Some((_, naga::Type { inner: TypeInner::Struct { members, span }, .. })) =
                module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name))
            else {
                assert_ne!(name, "Params", "{file} has none");
                continue;
            };
            let wgsl: Vec<(&str, usize)> = members.iter().map(|member| (member.name.as_deref().unwrap(), member.offset as usize)).collect();
            assert_eq!(wgsl, fields, "{name} of {file} (left) and of src/kernels differ: make them equal");
            assert_eq!(*span as usize, bytes, "{file}: size of {name}");
        }
    }
}

/// The beginning of the line that declares a constant or an alias.
fn declaration((name, constant): &(&str, Constant)) -> String {
    match constant {
        Constant::Size(_) | Constant::Named(_) | Constant::Flag(_) => format!("const {name}: "),
        Constant::Type(_) => format!("alias {name} = "),
    }
}

#[test]
fn variants_differ_from_their_file_in_constants_at_its_top_only() {
    for shader in Shader::ALL {
        let file = shader.source();
        let file: Vec<&str> = file.lines().collect();
        let top = file.iter().position(|line| line.starts_with("struct Params")).unwrap();
        for variant in shader.variants() {
            for constant in variant.constants() {
                let start = declaration(constant);
                let everywhere = file.iter().filter(|line| line.contains(&start)).count();
                let at_top = file[..top].iter().filter(|line| line.starts_with(&start)).count();
                assert_eq!((everywhere, at_top), (1, 1), "{variant}: `{start}` must be before `struct Params`, once");
            }
            let expected = file.iter().map(|&line| {
                let set = variant.constants().iter().find(|constant| line.starts_with(&declaration(constant)));
                set.map_or(line.to_owned(), |(_, value)| format!("{} = {value};", line.split(" = ").next().unwrap()))
            });
            let source = variant.source();
            let source = if file[0] == "enable f16;" { &source } else { source.strip_prefix("enable f16;\n").unwrap_or(&source) };
            let (source, expected): (Vec<_>, Vec<_>) = (source.lines().collect(), expected.collect());
            let unrolled = unrolled(&file);
            assert_eq!(source[..unrolled.start], expected[..unrolled.start], "{variant}");
            let behind = &expected[unrolled.end..];
            assert_eq!(source[source.len() - behind.len()..], *behind, "{variant}");
            assert_eq!(source.len() == expected.len(), unrolled.is_empty(), "{variant}");
            assert!(source.iter().all(|line| !line.contains("// unrolled")), "{variant}");
        }
    }
}

/// The lines from the first loop that is unrolled to the end of the last one.
fn unrolled(file: &[&str]) -> Range<usize> {
    let margin = |line: usize| file[line].len() - file[line].trim_start().len();
    let marked: Vec<usize> = (0..file.len()).filter(|&line| file[line].ends_with("// unrolled")).collect();
    let Some(&first) = marked.first() else { return file.len()..file.len() };
    let outermost = marked.iter().map(|&line| margin(line)).min();
    let last = marked.iter().rfind(|&&line| Some(margin(line)) == outermost).map_or(first, |&line| line);
    let end = (last..file.len()).find(|&line| file[line].trim() == "}" && margin(line) == margin(last));
    first..end.map_or(last, |line| line + 1)
}

#[test]
fn common_files_are_there_for_a_use() {
    let mut used = BTreeSet::new();
    for shader in Shader::ALL {
        let source = shader.source();
        let files: Vec<&str> = source.split(COMMON).collect();
        for (index, file) in files.iter().enumerate().skip(1) {
            let name = file.split(".wgsl").next().unwrap();
            let others = || files.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, file)| file.lines());
            let code = || others().filter(|line| !line.starts_with("//"));
            let declared = file.lines().filter_map(|line| line.strip_prefix("fn ").or_else(|| line.strip_prefix("struct ")));
            let mut names = declared.map(|rest| rest.split(['(', ' ']).next().unwrap());
            assert!(names.any(|name| code().any(|line| line.contains(name))), "shaders/{}.wgsl has no use for {name}", shader.file());
            used.insert(name.to_owned());
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders/common");
    let there = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(there.collect::<BTreeSet<_>>(), used, "the files of shaders/common (left), and those that a shader uses");
}

#[test]
fn variants_are_distinct() {
    for shader in Shader::ALL {
        let variants = shader.variants();
        assert!(!variants.is_empty() && variants.iter().all(|variant| variant.shader() == shader), "{}", shader.name());
        let sources: BTreeSet<String> = variants.iter().map(Variant::source).collect();
        assert_eq!(sources.len(), variants.len(), "{}: two variants have the same text", shader.name());
        let labels: BTreeSet<String> = variants.iter().map(Variant::to_string).collect();
        assert_eq!(labels.len(), variants.len(), "{}: two variants have the same label, {labels:?}", shader.name());
    }
}

/// The other tests look at every variant that runs.
#[test]
fn plans_use_no_other_variants() {
    let tested: Vec<Variant> = Shader::ALL.into_iter().flat_map(Shader::variants).collect();
    let cifar = Config::imagenet(12, &[4, 4, 4], 24).with_classes(Some(10)).with_stem(Stem::Cifar);
    let plain = cifar.clone().with_compression(1.0).with_bottleneck(false);
    let odd = Config::imagenet(5, &[2, 3, 1], 7).with_channels(1).with_bn_size(3);
    let norm_last = odd.clone().with_final_relu(false);
    let named = Config::names().map(|name| (name.to_owned(), Config::named(name).unwrap()));
    let own = [("CIFAR", cifar), ("without bottleneck", plain), ("odd", odd), ("without the final ReLU", norm_last)]
        .map(|(name, config)| (name.to_owned(), config));
    for (name, config) in named.chain(own) {
        for [height, width] in [[224, 224], [97, 131], [32, 32]] {
            let graph = config.graph(height, width).unwrap();
            for (fusion, batch) in [(true, 1), (true, 3), (false, 1), (false, 3)] {
                let plan = Plan::new(&graph, PlanOptions::default().with_batch(batch).with_fusion(fusion)).unwrap();
                for step in plan.steps() {
                    let variant = &step.kernel.variant;
                    assert!(
                        tested.contains(variant),
                        "{name} at {height}x{width}: {} runs `{variant}`, which variants() of {} lacks",
                        step.name,
                        variant.shader().name()
                    );
                }
            }
        }
    }
}
