//! Which part of a picture a network sees, and at which size.

use super::crop::window;
use super::resize::Part;
use crate::weights::{Filter, Preprocessing, Resize, ResizeMode};

/// The part of a picture that a network sees, in the picture's pixels. It extends beyond the picture if that was padded.
///
/// ```
/// use densenet_wgpu::preprocessing::Preprocessing;
///
/// let view = Preprocessing::torchvision(3).view(512, 512); // resized to 256, of which 224 are seen
/// assert_eq!((view.top, view.left, view.height, view.width), (32.0, 32.0, 448.0, 448.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Number of rows above it.
    pub top: f64,
    /// Number of columns to the left of it.
    pub left: f64,
    /// Its height.
    pub height: f64,
    /// Its width.
    pub width: f64,
}

impl Preprocessing {
    /// The part of a picture of `height` x `width` pixels that the network sees.
    pub fn view(&self, height: usize, width: usize) -> View {
        let Part { rows, columns } = self.source([height, width]);
        let (_, [resized_height, resized_width]) = self.resized([rows.len(), columns.len()]);
        let canvas = self.canvas([resized_height, resized_width]);
        let [seen_height, seen_width] = self.crop.unwrap_or(canvas);
        // Start and length of the visible part along one side.
        let along = |source: std::ops::Range<usize>, resized: usize, canvas: usize, seen: usize| {
            let (cropped, before) = window(resized, canvas, seen);
            let scale = source.len() as f64 / resized.max(1) as f64;
            [source.start as f64 + (cropped.start as f64 - before as f64) * scale, seen as f64 * scale]
        };
        let [top, height] = along(rows, resized_height, canvas[0], seen_height);
        let [left, width] = along(columns, resized_width, canvas[1], seen_width);
        View { top, left, height, width }
    }

    /// The same preprocessing for a network input of `height` x `width` pixels.
    ///
    /// The crop, or without one the squashed or padded size, becomes `height` x `width`. The size before a crop grows in the ratio of the
    /// larger of the two sides (256 before a crop of 224 becomes 512 before one of 448), so that the model sees the same part of a square
    /// picture, and no new border appears.
    ///
    /// ```
    /// use densenet_wgpu::preprocessing::Preprocessing;
    ///
    /// let finer = Preprocessing::torchvision(3).sized(448, 448);
    /// assert!(finer.to_string().starts_with("short side to 512 (bilinear), crop 448x448"));
    /// ```
    pub fn sized(&self, height: usize, width: usize) -> Self {
        let old = self.size().unwrap_or([height, width]);
        let scaled = |side: usize, old: usize, new: usize| ((side * new) as f64 / old as f64).round() as usize;
        let mode = self.resize.map(|resize| match (resize.mode, self.crop) {
            (ResizeMode::Cover([h, w]), _) => ResizeMode::Cover([scaled(h, old[0], height), scaled(w, old[1], width)]),
            (ResizeMode::Squash([h, w]), Some(crop)) => ResizeMode::Squash([scaled(h, crop[0], height), scaled(w, crop[1], width)]),
            (ResizeMode::Squash(_), None) => ResizeMode::Squash([height, width]),
            (ResizeMode::ShortSide(side), _) => ResizeMode::ShortSide(scaled(side, old[0], height).max(scaled(side, old[1], width))),
            (ResizeMode::LongSide(side), _) => ResizeMode::LongSide(scaled(side, old[0], height).max(scaled(side, old[1], width))),
            (ResizeMode::Square(side), _) => ResizeMode::Square(scaled(side, old[0], height).max(scaled(side, old[1], width))),
        });
        let is_whole = match mode {
            Some(ResizeMode::Squash(_)) => true,
            Some(ResizeMode::LongSide(side) | ResizeMode::Square(side)) => [side, side] == [height, width],
            Some(ResizeMode::ShortSide(_) | ResizeMode::Cover(_)) | None => false,
        };
        let crop = if is_whole && self.crop.is_none() { None } else { Some([height, width]) };
        let resize = self.resize.zip(mode).map(|(resize, mode)| Resize { mode, ..resize });
        Self { crop, resize, ..self.clone() }
    }

    /// The part of a picture of this height and width that is resized.
    pub(super) fn source(&self, [height, width]: [usize; 2]) -> Part {
        let is_square = matches!(self.resize, Some(Resize { mode: ResizeMode::Square(_), .. }));
        let side = height.min(width);
        let along = |size: usize| if is_square { size / 2 - side / 2..size / 2 - side / 2 + side } else { 0..size };
        Part { rows: along(height), columns: along(width) }
    }

    /// The filter, and the height and width that a picture of this size is resized to.
    pub(super) fn resized(&self, [height, width]: [usize; 2]) -> (Filter, [usize; 2]) {
        let Some(resize) = self.resize else { return (Filter::Nearest, [height, width]) };
        let size = match resize.mode {
            ResizeMode::Squash(size) => size,
            ResizeMode::Square(side) => [side, side],
            ResizeMode::Cover([least_height, least_width]) => {
                let ratio = (height as f64 / least_height as f64).min(width as f64 / least_width as f64);
                [height, width].map(|side| (side as f64 / ratio).round_ties_even() as usize)
            }
            // torchvision truncates the long side.
            ResizeMode::ShortSide(side) if width <= height => [side * height / width, side],
            ResizeMode::ShortSide(side) => [side, side * width / height],
            ResizeMode::LongSide(side) if width <= height => [side, shorter(side, width, height)],
            ResizeMode::LongSide(side) => [shorter(side, height, width), side],
        };
        (resize.filter, size)
    }

    /// The size of the canvas in which a picture resized to `resized` is centred.
    pub(super) fn canvas(&self, resized: [usize; 2]) -> [usize; 2] {
        match self.resize.map(|resize| resize.mode) {
            Some(ResizeMode::LongSide(side)) => [side, side],
            _ => resized,
        }
    }
}

/// The shorter side of a picture whose longer one becomes `side`: Pillow's `ImageOps.contain`, which rounds half to even,
/// but at least one pixel, unlike Pillow.
fn shorter(side: usize, short: usize, long: usize) -> usize {
    ((short as f64 / long as f64 * side as f64).round_ties_even() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_what_was_cropped() {
        let torchvision = Preprocessing::torchvision(3);
        // The short side becomes 256; of 341 columns (torchvision truncates 341.33) 224 are seen, from (341 - 224) / 2 = 58 on.
        let scale = 400.0 / 341.0;
        let view = View { top: 16.0 * 300.0 / 256.0, left: 58.0 * scale, height: 224.0 * 300.0 / 256.0, width: 224.0 * scale };
        assert_eq!(torchvision.view(300, 400), view);
        // Twice the size, the same part, as far as whole pixels allow.
        let finer = torchvision.sized(448, 448).view(300, 400);
        assert!((finer.left - view.left).abs() < 1.0 && (finer.height - view.height).abs() < 1e-9, "{finer:?}");
        let padded = Preprocessing { resize: None, crop: Some([10, 20]), ..torchvision.clone() };
        assert_eq!(padded.view(5, 30), View { top: -2.0, left: 5.0, height: 10.0, width: 20.0 });
        let whole = Preprocessing { crop: None, resize: None, ..torchvision };
        assert_eq!(whole.view(7, 9), View { top: 0.0, left: 0.0, height: 7.0, width: 9.0 });
        let long_side = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::LongSide(8) });
        let bordered = Preprocessing { resize: long_side, ..whole.clone() };
        assert_eq!(bordered.view(8, 16), View { top: -4.0, left: 0.0, height: 16.0, width: 16.0 });
        // Of another size: 24 of 48 rows are the picture's, 32 are seen, from the 8th on.
        let scale = 8.0 / 24.0;
        let cropped = bordered.sized(32, 48).view(8, 16);
        assert_eq!(cropped, View { top: -4.0 * scale, left: 0.0, height: 32.0 * scale, width: 48.0 * (16.0 / 48.0) });
        // 400x300 covers 303x168 with 303x227; half of what is too much is 7.5 rows and 33.5 columns, rounded to even.
        let cover = Some(Resize { filter: Filter::Bicubic, mode: ResizeMode::Cover([303, 168]) });
        let oblong = Preprocessing { resize: cover, crop: Some([288, 160]), ..bordered };
        let [down, across] = [400.0 / 303.0, 300.0 / 227.0];
        let view = View { top: 8.0 * down, left: 34.0 * across, height: 288.0 * down, width: 160.0 * across };
        assert_eq!(oblong.view(400, 300), view);
        let square = Preprocessing { resize: Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::Square(8) }), crop: None, ..whole };
        assert_eq!(square.view(16, 21), View { top: 0.0, left: 2.0, height: 16.0, width: 16.0 });
        assert_eq!(square.sized(8, 4).view(21, 16), View { top: 2.0, left: 4.0, height: 16.0, width: 8.0 });
        assert_eq!(square.sized(16, 16).resize.unwrap().mode, ResizeMode::Square(16));
        assert_eq!(oblong.view(4000, 300).height, 288.0 * (4000.0 / 2240.0), "the shorter side against its own");
    }

    #[test]
    fn another_size_keeps_what_the_model_sees() {
        let torchvision = Preprocessing::torchvision(3);
        let doubled = torchvision.sized(448, 448);
        assert_eq!(doubled.crop, Some([448, 448]));
        assert_eq!(doubled.resize.unwrap().mode, ResizeMode::ShortSide(512));
        assert_eq!(torchvision.sized(224, 224), torchvision);
        assert_eq!(torchvision.sized(97, 131).resize.unwrap().mode, ResizeMode::ShortSide(150));
        let squash = Resize { filter: Filter::Bicubic, mode: ResizeMode::Squash([64, 64]) };
        let digits = Preprocessing { crop: None, resize: Some(squash), ..torchvision };
        assert_eq!(digits.sized(32, 48).size(), Some([32, 48]));
        assert_eq!(digits.sized(64, 64), digits);
        let padded = Preprocessing { resize: Some(Resize { mode: ResizeMode::LongSide(64), ..squash }), ..digits };
        assert_eq!((padded.size(), padded.sized(64, 64)), (Some([64, 64]), padded.clone()));
        assert_eq!((padded.sized(32, 48).resize.unwrap().mode, padded.sized(32, 48).crop), (ResizeMode::LongSide(48), Some([32, 48])));
    }
}
