//! The device that an adapter opens as.

/// A device that was opened.
pub(super) struct Opened {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// The side of the matrices that its shaders can multiply.
    pub(super) matrix: Option<u32>,
}

/// Features that are requested if the adapter has them.
fn wanted_features() -> wgpu::Features {
    wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE
}

/// Opens the adapter, with cooperative matrices if it has them.
pub(super) async fn request(adapter: &wgpu::Adapter) -> Result<Opened, wgpu::RequestDeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("densenet"),
        required_features: adapter.features() & wanted_features(),
        required_limits: adapter.limits(),
        ..Default::default()
    };
    if let Some(matrix) = matrix(adapter) {
        let with_matrices = wgpu::DeviceDescriptor {
            required_features: descriptor.required_features | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX,
            // SAFETY: users of the feature may run into bugs of wgpu. The only user is one shader, whose matrices are complete and in
            // bounds, and which the tests compare with the reference on every device that runs it.
            experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
            ..descriptor.clone()
        };
        if let Ok((device, queue)) = adapter.request_device(&with_matrices).await {
            return Ok(Opened { device, queue, matrix: Some(matrix) });
        }
    }
    let (device, queue) = adapter.request_device(&descriptor).await?;
    Ok(Opened { device, queue, matrix: None })
}

/// The side of the largest matrices of 16-bit floats that the adapter multiplies with 32-bit accumulators.
fn matrix(adapter: &wgpu::Adapter) -> Option<u32> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let properties = adapter.cooperative_matrix_properties();
    let multiplies =
        |side: &u32| properties.iter().any(|p| [p.m_size, p.n_size, p.k_size] == [*side; 3] && (p.ab_type, p.cr_type) == (F16, F32));
    [16, 8].into_iter().find(multiplies)
}
