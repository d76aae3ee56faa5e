//! Pictures as 8-bit samples, with tables that map each sample to the network's input.
//!
//! Samples are a quarter of the size of the values, so they are what is uploaded to a device
//! ([`Input::pictures`](crate::engine::Input::pictures)). A table lists the value of each sample, so a device and [`Samples::values`] get
//! the same bits.
//!
//! ```
//! use densenet_wgpu::preprocessing::Samples;
//!
//! // One pixel of two channels: the first counts from 0 to 1, the second from -128.
//! let tables = [std::array::from_fn(|sample| sample as f32 / 255.0), std::array::from_fn(|sample| sample as f32 - 128.0)];
//! let samples = Samples { bytes: &[255, 0], tables: &tables };
//! assert_eq!(samples.values(), [1.0, -128.0]);
//! ```

/// One picture and the values of its samples.
///
/// ```
/// use densenet_wgpu::preprocessing::Samples;
///
/// let double: [f32; 256] = std::array::from_fn(|sample| 2.0 * sample as f32);
/// let grey = Samples { bytes: &[1, 2, 3, 4], tables: &[double] }; // 2x2 pixels of one channel
/// assert_eq!(grey.values(), [2.0, 4.0, 6.0, 8.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Samples<'a> {
    /// The samples `[H, W, C]`: row by row from the top, the channels of a pixel side by side.
    pub bytes: &'a [u8],
    /// For each channel, the value of each sample from 0 to 255.
    pub tables: &'a [[f32; 256]],
}

impl Samples<'_> {
    /// The network's input for this picture, `[C, H, W]`.
    pub fn values(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.bytes.len());
        for (channel, table) in self.tables.iter().enumerate() {
            values.extend(self.bytes.iter().skip(channel).step_by(self.tables.len()).map(|&sample| table[usize::from(sample)]));
        }
        values
    }
}
