//! The identity of a device's files in the cache.

use std::any::TypeId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use super::device::Gpu;
use super::summary::shader_compiler;
use crate::cache::{SealedFile, checksum};
use crate::kernels::{Shader, Variant};

impl Gpu {
    pub(super) fn pipeline_file(&self) -> Option<SealedFile> {
        self.device().features().contains(wgpu::Features::PIPELINE_CACHE).then(|| self.cache_file("pipelines"))?
    }

    /// The cache's file of this kind for this adapter, its drivers and shader compilers, and the sources of the shaders.
    pub(crate) fn cache_file(&self, kind: &str) -> Option<SealedFile> {
        let info = self.device().adapter_info();
        self.cache().file(kind, &info.name, &identity(&info, self.device().features()).each_ref().map(String::as_str))
    }
}

/// Everything that may change how a device compiles the shaders.
fn identity(info: &wgpu::AdapterInfo, features: wgpu::Features) -> [String; 8] {
    [
        info.name.clone(),
        info.backend.to_string(),
        format!("vendor {:04x}, device {:04x}", info.vendor, info.device),
        info.driver.clone(),
        info.driver_info.clone(),
        format!("compiled by {}", shader_compiler(info, features)),
        translator(),
        format!("shaders {:016x}", *SHADERS),
    ]
}

/// A checksum of the shader sources, with loops unrolled.
static SHADERS: LazyLock<u64> = LazyLock::new(|| {
    let texts: Vec<String> = Shader::ALL.into_iter().map(|shader| Variant::new(shader).source()).collect();
    checksum(texts.join("\n").as_bytes())
});

/// The version of wgpu, and so of naga, which translates shaders: the id of a type differs between versions of its crate.
fn translator() -> String {
    let mut hasher = DefaultHasher::new();
    TypeId::of::<wgpu::Device>().hash(&mut hasher);
    format!("wgpu {:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::device::open_gpu;

    #[test]
    fn what_one_shader_compiler_did_is_not_held_against_another() {
        let gpu = open_gpu();
        let info = gpu.device().adapter_info();
        let subgroups = wgpu::Features::SUBGROUP;
        let dx12 = wgpu::AdapterInfo { backend: wgpu::Backend::Dx12, ..info.clone() };
        let [fxc, dxc] = [wgpu::Features::empty(), subgroups].map(|features| identity(&dx12, features));
        assert_ne!(fxc, dxc);
        let vulkan = wgpu::AdapterInfo { backend: wgpu::Backend::Vulkan, ..info.clone() };
        assert_eq!(identity(&vulkan, wgpu::Features::empty()), identity(&vulkan, subgroups), "there the driver compiles");

        // A verdict that FXC's kernels got.
        let folder = tempfile::tempdir().unwrap();
        let gpu = gpu.with_cache(Cache::at(folder.path()));
        let file = |identity: [String; 8]| gpu.cache().file("verdicts", &info.name, &identity.each_ref().map(String::as_str)).unwrap();
        file(fxc.clone()).write(b"wrong");
        assert_eq!(file(fxc).read().as_deref(), Some(&b"wrong"[..]));
        assert_eq!(file(dxc).read(), None);
        assert_eq!(gpu.cache_file("verdicts").unwrap().read(), None);
    }
}
