//! What varies at the top of a shader.

use std::fmt;

/// The value of a constant, or the type of an alias, at the top of a shader.
///
/// ```
/// use densenet_wgpu::internal::Constant;
///
/// let values = [Constant::Size(8), Constant::Named(3), Constant::Flag(true), Constant::Type("f16")];
/// assert_eq!(values.map(|constant| constant.to_string()), ["8u", "3u", "true", "f16"]); // as WGSL has them
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constant {
    /// A `u32`: a workgroup's size or a tile's.
    Size(u32),
    /// A `u32` that the shader's name says already: a window's side.
    Named(u32),
    /// A `bool`: a part of the shader that is there or not.
    Flag(bool),
    /// A type: what an `alias` stands for.
    Type(&'static str),
}

impl Constant {
    /// How the line begins that declares `name`, up to the value.
    pub(super) fn declaration(&self, name: &str) -> String {
        match self {
            Self::Size(_) | Self::Named(_) => format!("const {name}: u32 = "),
            Self::Flag(_) => format!("const {name}: bool = "),
            Self::Type(_) => format!("alias {name} = "),
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(number) | Self::Named(number) => write!(f, "{number}u"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Type(ty) => f.write_str(ty),
        }
    }
}
