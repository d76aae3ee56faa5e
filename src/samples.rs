//! Pictures as 8-bit samples, with the tables that make of each sample what the network takes.
//!
//! They are a quarter of the bytes of the numbers that they become, so they are what goes to a device
//! ([`Engine::run_pictures`](crate::Engine::run_pictures)). A table says the number of each sample outright: whoever looks
//! it up, a device or [`Samples::values`], gets the same bits.

/// One picture and what its samples stand for.
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
