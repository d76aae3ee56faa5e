//! A shader with its constants chosen.

use std::fmt;

use super::unroll::unroll;
use super::{Constant, Dtypes, Precision, Shader};

/// The first line of a shader that uses 16-bit floats.
const ENABLE_F16: &str = "enable f16;\n";

/// A shader with its constants chosen: what one pipeline is made from.
///
/// ```
/// use densenet_wgpu::internal::Shader;
///
/// let variants = Shader::Pool.variants();
/// let half = variants.iter().find(|variant| variant.uses_f16()).expect("pools run in 16 bits too");
/// assert!(half.source().starts_with("enable f16;"));
/// assert!(half.to_string().starts_with("pool 64"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Variant {
    pub(crate) shader: Shader,
    constants: Vec<(&'static str, Constant)>,
}

impl Variant {
    pub(crate) fn new(shader: Shader) -> Self {
        Self { shader, constants: Vec::new() }
    }

    /// The shader.
    pub fn shader(&self) -> Shader {
        self.shader
    }

    /// The constants and aliases at its top that are given a value.
    pub fn constants(&self) -> &[(&'static str, Constant)] {
        &self.constants
    }

    pub(crate) fn size(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, Constant::Size(value)));
        self
    }

    /// The sizes of a tile.
    pub(super) fn sizes(self, sizes: impl Iterator<Item = (&'static str, usize)>) -> Self {
        sizes.fold(self, |variant, (name, size)| variant.size(name, size as u32))
    }

    pub(super) fn named(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, Constant::Named(value)));
        self
    }

    pub(crate) fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.constants.push((name, Constant::Flag(value)));
        self
    }

    pub(crate) fn alias(mut self, name: &'static str, ty: &'static str) -> Self {
        self.constants.push((name, Constant::Type(ty)));
        self
    }

    /// The dtypes of source, weights and target.
    pub(super) fn dtypes(self, dtypes: Dtypes) -> Self {
        self.copies(dtypes.source, dtypes.target).alias("Weight", dtypes.weights.name())
    }

    /// The dtypes of source and target, for a shader without weights.
    pub(super) fn copies(self, source: Precision, target: Precision) -> Self {
        self.alias("Source", source.name()).alias("Target", target.name())
    }

    /// Whether the shader uses 16-bit floats.
    pub fn uses_f16(&self) -> bool {
        self.constants.iter().any(|(_, constant)| *constant == Constant::Type("f16"))
    }

    /// The shader's text with this variant's constants, and its marked loops unrolled.
    ///
    /// # Panics
    /// Where the shader has no such constant, or a loop that is marked and cannot be unrolled: a mistake in this crate, which the
    /// shader tests would see.
    pub fn source(&self) -> String {
        let unrolled = unroll(&self.with_loops());
        let text =
            unrolled.unwrap_or_else(|line| panic!("{}.wgsl has a loop that cannot be unrolled: `{}`", self.shader.file(), line.trim()));
        if self.uses_f16() && !text.starts_with(ENABLE_F16) { format!("{ENABLE_F16}{text}") } else { text }
    }

    /// The shader's text with this variant's constants, and no loop unrolled.
    pub(super) fn with_loops(&self) -> String {
        let varied = vary(&self.shader.source(), &self.constants);
        varied.unwrap_or_else(|missing| panic!("{}.wgsl has no line `{missing}…`", self.shader.file()))
    }
}

/// `source` with these constants, or the beginning of a line that it lacks.
fn vary(source: &str, constants: &[(&str, Constant)]) -> Result<String, String> {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for (name, value) in constants {
        let declaration = value.declaration(name);
        let Some(line) = lines.iter_mut().find(|line| line.starts_with(&declaration)) else { return Err(declaration) };
        *line = format!("{declaration}{value};");
    }
    Ok(lines.join("\n") + "\n")
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shader.name())?;
        let sizes: Vec<String> =
            self.constants.iter().filter_map(|(_, c)| if let Constant::Size(n) = c { Some(n.to_string()) } else { None }).collect();
        if !sizes.is_empty() {
            write!(f, " {}", sizes.join("x"))?;
        }
        for (name, constant) in &self.constants {
            if *constant == Constant::Flag(true) {
                write!(f, " {}", name.to_lowercase())?;
            }
        }
        let mut types: Vec<&str> =
            self.constants.iter().filter_map(|(_, c)| if let Constant::Type(ty) = c { Some(*ty) } else { None }).collect();
        types.retain(|ty| !ty.starts_with("coop_mat")); // their side is one of the sizes
        if types.iter().all(|ty| *ty == types[0]) {
            types.truncate(1);
        }
        if !types.is_empty() && types != ["f32"] { write!(f, " {}", types.join(">")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "const WIDTH: u32 = 1u;\nconst WIDTH_IS_ODD: bool = true;\nalias Number = f32;\nalias Numbers = array<Number, WIDTH>;\n";

    #[test]
    fn aliases_vary_like_constants() {
        let values = [("Number", Constant::Type("vec4<f32>")), ("WIDTH", Constant::Size(2)), ("WIDTH_IS_ODD", Constant::Flag(false))];
        let expected =
            "const WIDTH: u32 = 2u;\nconst WIDTH_IS_ODD: bool = false;\nalias Number = vec4<f32>;\nalias Numbers = array<Number, WIDTH>;\n";
        assert_eq!(vary(FILE, &values).unwrap(), expected);
        assert_eq!(vary(FILE, &[("Numb", Constant::Type("u32"))]).unwrap_err(), "alias Numb = ");
        assert_eq!(vary(FILE, &[("Number", Constant::Size(1))]).unwrap_err(), "const Number: u32 = ");
        let variant = Variant::new(Shader::Copy).size("WORKGROUP", 32).alias("Number", "vec4<f32>");
        assert_eq!(variant.to_string(), "copy 32 vec4<f32>");
    }
}
