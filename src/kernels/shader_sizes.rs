//! Sizes of tiles, which are constants of their shaders.

/// Declares the sizes that a convolution's shader may be given, and their constants in the shader's order. What must hold
/// between them is for `is_sound` to say, and for the `const_assert`s of the shader.
macro_rules! shader_sizes {
    ($($size:ident: $constant:literal,)*) => {
        /// Sizes of a tile that its shader computes rightly with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct Sizes {
            $($size: usize,)*
        }

        impl Sizes {
            const CONSTANTS: [&str; [$($constant),*].len()] = [$($constant),*];

            /// Sizes in the order of their constants; `None` where the shader would not compute rightly with them.
            pub(super) const fn new([$($size),*]: [usize; Self::CONSTANTS.len()]) -> Option<Self> {
                // Before any are multiplied.
                let are_small = $(matches!($size, 1..=$crate::kernels::shader_sizes::LARGEST_SIZE))&&*;
                let sizes = Self { $($size),* };
                if are_small && sizes.is_sound() { Some(sizes) } else { None }
            }

            /// Those of a tile: in a constant, so that others do not compile.
            const fn of_tile(sizes: [usize; Self::CONSTANTS.len()]) -> Self {
                Self::new(sizes).expect("sizes that are sound")
            }

            /// The shader's constants with these sizes, in its order.
            pub(super) fn constants(self) -> impl Iterator<Item = (&'static str, usize)> {
                Self::CONSTANTS.into_iter().zip([$(self.$size),*])
            }
        }
    };
}

pub(super) use shader_sizes;

/// The largest size of a tile: no product of theirs overflows.
pub(super) const LARGEST_SIZE: usize = 256;
