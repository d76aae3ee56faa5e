//! Models by name: bundled ones, which run without a download, and those that others have published on the Hugging Face hub.
//!
//! ```
//! use densenet_wgpu::models;
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//! assert_eq!(model.config.num_classes, Some(10));
//! let published = models::published("densenet121").expect("it is published");
//! assert_eq!(published.repository, "timm/densenet121.tv_in1k");
//! assert!(models::names().chain(models::published_names()).all(|name| !name.contains('/')));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod bundled;
mod open;
mod published;

pub use bundled::{bundled, names};
pub use open::{open, open_with_options, open_with_progress};
pub use published::{Published, preset, published, published_names};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_model() {
        let all: Vec<&str> = names().chain(published_names()).collect();
        for name in &all {
            assert_eq!(all.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        for name in published_names() {
            assert_eq!(published(name).unwrap().name, name);
        }
        assert!(published("no such model").is_none());
        assert!(published("digits").is_none());
    }
}
