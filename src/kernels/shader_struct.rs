//! Structs as shaders lay them out.

/// Declares the Rust twin of a shader's struct, and the table by which a test compares the two.
macro_rules! shader_struct {
    ($(#[$doc:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        pub(crate) struct $name {
            $($field: $type,)*
        }

        impl $name {
            pub(crate) const FIELDS: &[(&str, usize)] = &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*];
        }
    };
}

pub(super) use shader_struct;

/// Name and byte offset of each field of a struct, and its size in bytes.
pub type StructLayout = (&'static [(&'static str, usize)], usize);
