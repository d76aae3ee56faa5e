//! A kernel in several dispatches.

use super::kernel::WORKGROUPS_PER_DIMENSION;
use super::{Kernel, conv_tiled};

impl Kernel {
    /// The same work in at least `count` dispatches, as far as it has groups of pixels: for convolutions whose shaders take their
    /// first group as a parameter. Any other kernel stays whole.
    pub(crate) fn split(&self, count: u64) -> Vec<Self> {
        let [_, channel_groups, _] = self.workgroups;
        let Some(first) = conv_tiled::first_group(self).filter(|_| count > 1) else { return vec![self.clone()] };
        let pixel_groups = self.pixel_groups();
        let each = (u64::from(pixel_groups) / count).clamp(1, WORKGROUPS_PER_DIMENSION as u64) as u32;
        let part = |begin: u32| {
            let mut part = self.clone();
            part.params[first.clone()].copy_from_slice(&begin.to_ne_bytes());
            part.workgroups = [each.min(pixel_groups - begin), channel_groups, 1];
            part
        };
        (0..pixel_groups).step_by(each as usize).map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Shader, Variant};

    #[test]
    fn a_kernel_is_split_into_all_of_its_groups() {
        let params = conv_tiled::no_params();
        let first = |part: &Kernel| {
            let bytes = &part.params[conv_tiled::first_group(part).unwrap()];
            u32::from_ne_bytes(bytes.try_into().unwrap())
        };
        for (groups, count) in [(1, 5), (7, 3), (7, 100), (200_000, 2), (200_000, 1000)] {
            let whole = Kernel::new(Variant::new(Shader::ConvTiled), &params, groups, 4);
            let parts = whole.split(count);
            let mut next = 0;
            for part in &parts {
                assert!(part.is_dispatchable() && part.workgroups[1..] == [4, 1]);
                assert_eq!(first(part), next);
                next += part.workgroups[0];
            }
            // Those of z may be some more than there are pixels for.
            assert!((groups..groups + 4).contains(&(next as usize)), "{groups} in {count}: {next}");
            let largest = parts.iter().map(Kernel::pixel_groups).max().unwrap();
            assert!(largest == 1 || u64::from(largest) * count <= u64::from(next), "{groups} in {count}: {largest}");
        }
        let pool = Kernel::new(Variant::new(Shader::Pool), &params, 7, 1);
        assert_eq!((pool.split(3), pool.clone().split(1)), (vec![pool.clone()], vec![pool]));
    }
}
