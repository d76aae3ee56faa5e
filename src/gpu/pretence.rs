//! Device properties that tests replace.

/// What [`Gpu::pretending`](crate::Gpu::pretending) changes of a device. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pretence {
    /// What kind of device it says it is, where it is to say something else: kernels are chosen by it, the precision, and
    /// how much is submitted at once.
    pub device_type: Option<wgpu::DeviceType>,
    /// Whether the arrays that shaders read and write lie in structs: then GPU-assisted validation sees what goes beyond their
    /// ends. It looks through one level of pointers, and naga makes two of an array that is bound by itself.
    pub arrays_in_structs: bool,
    /// Floating point operations after which work is submitted: then small networks are cut into several submissions too.
    pub flops_per_submission: Option<u64>,
    /// How many times slower than it is its runs seem.
    pub slowdown: Option<f64>,
    /// Bytes of activations that an engine finds memory for.
    pub byte_pool: Option<u64>,
    /// What is wrong with the timestamps.
    pub clock: Option<BrokenClock>,
}

/// Unusable timestamps, as some drivers return them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenClock {
    /// All are zero.
    Zero,
    /// All are the same.
    Equal,
    /// Every pass ends when it begins.
    Coarse,
    /// Every pass ends before it begins.
    Backwards,
    /// The first was never written.
    Unwritten,
}

impl BrokenClock {
    /// The begin and end of each pass as such a clock returns them.
    pub(crate) fn of(self, ticks: Vec<[u64; 2]>) -> Vec<[u64; 2]> {
        let first = ticks.first().map_or(0, |pass| pass[0]);
        let broken = |(pass, [begin, end]): (usize, [u64; 2])| match self {
            Self::Zero => [0; 2],
            Self::Equal => [first; 2],
            Self::Coarse => [begin; 2],
            Self::Backwards => [end, begin],
            Self::Unwritten => [if pass == 0 { 0 } else { begin }, end],
        };
        ticks.into_iter().enumerate().map(broken).collect()
    }
}

/// The shader with every directly bound array wrapped in a struct.
pub(crate) fn arrays_in_structs(source: &str) -> String {
    let mut text = source.to_owned();
    for line in source.lines().filter(|line| line.contains("var<storage")) {
        let Some((binding, (name, array))) =
            line.split_once("> ").and_then(|(b, rest)| Some((b, rest.trim_end_matches(';').split_once(": ")?)))
        else {
            continue;
        };
        text = text.replace(line, &format!("struct {name}_struct {{ all: {array} }}\n{binding}> {name}: {name}_struct;"));
        text = with_member(&text, name);
    }
    text
}

/// `name[` as `name.all[`, where it is a whole word.
fn with_member(text: &str, name: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&format!("{name}[")) {
        let is_word = !rest[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '.');
        made += &rest[..at + name.len()];
        made += if is_word { ".all" } else { "" };
        rest = &rest[at + name.len()..];
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Shader;

    #[test]
    fn every_bound_array_is_in_a_struct_and_the_shader_valid() {
        let mut arrays = 0;
        for shader in Shader::ALL {
            for variant in shader.variants() {
                let text = arrays_in_structs(&variant.source());
                let module = naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{variant}: {}", e.emit_to_string(&text)));
                for (_, global) in module.global_variables.iter().filter(|(_, global)| global.binding.is_some()) {
                    let is_struct = matches!(module.types[global.ty].inner, naga::TypeInner::Struct { .. });
                    assert!(is_struct, "{variant}: {:?}", global.name);
                    arrays += 1;
                }
            }
        }
        assert!(arrays > 100, "{arrays}");
    }
}
