//! Pictures as 8-bit samples, with the tables that make of each sample what the network takes.
//!
//! They are a quarter of the bytes of the numbers that they become, so they are what goes to a device
//! ([`Input::pictures`](crate::engine::Input::pictures)). A table says the number of each sample outright: whoever looks
//! it up, a device or [`Samples::values`], gets the same bits.
//!
//! ```
//! use densenet_wgpu::preprocessing::Samples;
//!
//! // One pixel of two channels: the first counts from 0 to 1, the second from -128.
//! let tables = [std::array::from_fn(|sample| sample as f32 / 255.0), std::array::from_fn(|sample| sample as f32 - 128.0)];
//! let samples = Samples { bytes: &[255, 0], tables: &tables };
//! assert_eq!(samples.values(), [1.0, -128.0]);
//! ```

/// One picture and what its samples stand for.
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
    /// For each channel, what a sample of 0, 1, … 255 becomes.
    pub tables: &'a [[f32; 256]],
}

impl Samples<'_> {
    /// What the network's input tensor holds for this picture, `[C, H, W]`.
    pub fn values(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.bytes.len());
        for (channel, table) in self.tables.iter().enumerate() {
            values.extend(self.bytes.iter().skip(channel).step_by(self.tables.len()).map(|&sample| table[usize::from(sample)]));
        }
        values
    }
}
