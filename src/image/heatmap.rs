//! A class activation map over its picture.

use super::{Picture, View};
use crate::error::{Error, Result};

/// How much each position in a picture contributes to a class, in units of its logit.
/// [`Checkpoint::with_class_maps`](crate::Checkpoint::with_class_maps) computes the values.
///
/// ```
/// use densenet_wgpu::image::{Heatmap, Picture};
/// use densenet_wgpu::verify::Reference;
/// use densenet_wgpu::models;
///
/// # fn main() -> densenet_wgpu::Result<()> {
/// let mut model = models::bundled("digits").expect("it is bundled")?;
/// let picture = Picture::open("examples/digits/3-1474-64.png")?;
/// let preprocessing = model.complete_description(None).preprocessing;
/// let input = preprocessing.apply(&picture)?;
/// let (graph, weights) = model.with_class_maps(input.height, input.width)?;
/// let shape = graph.shape(graph.outputs()[1]);
///
/// let outputs = Reference::new(graph, weights)?.run_all(&input.values, input.height, input.width)?;
/// let best = &model.postprocessing().top_k(&outputs[0], 1)?[0];
/// let map = outputs[1][best.index * shape.pixels()..][..shape.pixels()].to_vec();
/// let figure = Heatmap::new(shape.height, shape.width, map)?.figure(
///     &picture,
///     preprocessing.view(picture.height(), picture.width()),
///     &[format!("a {}", best.label)],
/// )?;
/// let mut png = Vec::new();
/// figure.write_png(&mut png)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

/// The opacity of a colour.
const OPACITY: f32 = 0.5;

impl Heatmap {
    /// A map from its values `[height, width]`. Errors if the sizes do not agree, or are zero.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Result<Self> {
        if values.is_empty() || height.checked_mul(width) != Some(values.len()) {
            let expected = format!("a map of {height}x{width} places, at least one");
            return Err(Error::Input { expected, found: format!("{} values", values.len()) });
        }
        Ok(Self { height, width, values })
    }

    /// The smallest and the largest value; none if no value is finite.
    pub fn range(&self) -> Option<[f32; 2]> {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        Some([finite().min_by(f32::total_cmp)?, finite().max_by(f32::total_cmp)?])
    }

    /// The picture in three channels, with the map's colours over the part that the network saw, `view`. Values between positions are
    /// interpolated linearly; a position that is not finite has no colour.
    ///
    /// Colours are the scale *inferno* (S. van der Walt, N. Smith, 2015), from black for the smallest value of the map to light
    /// yellow for the largest, half transparent.
    pub fn overlay(&self, picture: &Picture, view: View) -> Picture {
        let samples = match picture.channels {
            1 => picture.samples.iter().flat_map(|&grey| [grey; 3]).collect(),
            channels => picture.samples.chunks_exact(channels).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        };
        let mut overlay = Picture { channels: 3, samples, ..*picture };
        self.cover(&mut overlay, [picture.height, picture.width], view);
        overlay
    }

    /// Blends the map's colours into the first `rows` and `columns` of `picture`, of three channels, where `view` is.
    pub(super) fn cover(&self, picture: &mut Picture, [rows, columns]: [usize; 2], view: View) {
        let Some(range) = self.range() else { return };
        let colours = colours();
        let columns = taps(view.left, view.width, columns, self.width);
        for (y, row) in taps(view.top, view.height, rows, self.height).into_iter().enumerate() {
            let Some(row) = row else { continue };
            for (x, column) in columns.iter().enumerate() {
                let Some(column) = column else { continue };
                let value = self.between(&row, column);
                if value.is_finite() {
                    let at = (y * picture.width + x) * 3;
                    let pixel = &mut picture.samples[at..at + 3];
                    pixel.iter_mut().zip(colours[colour_index(value, range)]).for_each(|(sample, colour)| *sample = blend(*sample, colour));
                }
            }
        }
    }

    fn between(&self, row: &Tap, column: &Tap) -> f32 {
        let at = |y: usize| {
            let places = &self.values[y * self.width..(y + 1) * self.width];
            mix(places[column.first], places[column.second], column.share)
        };
        mix(at(row.first), at(row.second), row.share)
    }
}

/// The colours of the scale, starting with the smallest value.
pub(super) fn colours() -> [[u8; 3]; 256] {
    std::array::from_fn(|index| {
        let colorous::Color { r, g, b } = colorous::INFERNO.eval_rational(index, 256);
        [r, g, b]
    })
}

/// The colour of `value`: the first if all values are equal.
fn colour_index(value: f32, [least, most]: [f32; 2]) -> usize {
    // Halved, so that no difference overflows.
    let (above, span) = (value / 2.0 - least / 2.0, most / 2.0 - least / 2.0);
    let share = if span > 0.0 { above / span } else { 0.0 };
    (share.clamp(0.0, 1.0) * 255.0).round() as usize
}

/// A picture's sample under a colour.
pub(super) fn blend(sample: u8, colour: u8) -> u8 {
    mix(f32::from(sample), f32::from(colour), OPACITY).round() as u8
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    // A position with weight zero may be NaN.
    if share == 0.0 { a } else { a * (1.0 - share) + b * share }
}

/// Two neighbouring positions, and the weight of the second.
struct Tap {
    first: usize,
    second: usize,
    share: f32,
}

/// For each of `pixels` along a side of a picture, the places of a map of `places` whose `length` begins at `begin`; none
/// for pixels whose centre lies outside.
fn taps(begin: f64, length: f64, pixels: usize, places: usize) -> Vec<Option<Tap>> {
    let tap = |pixel: usize| {
        let inside = (pixel as f64 + 0.5 - begin) / length;
        if !(0.0..1.0).contains(&inside) {
            return None;
        }
        let place = (inside * places as f64 - 0.5).clamp(0.0, (places - 1) as f64);
        let first = place as usize;
        Some(Tap { first, second: (first + 1).min(places - 1), share: (place - first as f64) as f32 })
    };
    (0..pixels).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize) -> Picture {
        Picture::new(height, width, 1, vec![100; height * width]).unwrap()
    }

    fn pixel(picture: &Picture, y: usize, x: usize) -> [u8; 3] {
        let at = (y * picture.width() + x) * 3;
        [0, 1, 2].map(|channel| picture.samples()[at + channel])
    }

    #[test]
    fn the_map_covers_what_was_seen_and_nothing_else() {
        let map = Heatmap::new(1, 2, vec![-1.0, 3.0]).unwrap();
        let view = View { top: 1.0, left: 2.0, height: 2.0, width: 4.0 };
        let overlay = map.overlay(&grey(4, 8), view);
        let colours = colours();
        let under = |index: usize| colours[index].map(|colour| blend(100, colour));
        for y in 0..4 {
            for x in 0..8 {
                // Halfway between the places' centres is between pixels 3 and 4; beyond the centres nothing changes.
                let expected = match (y, x) {
                    (1..3, 2) => under(0),
                    (1..3, 3) => under((0.25f32 * 255.0).round() as usize),
                    (1..3, 4) => under((0.75f32 * 255.0).round() as usize),
                    (1..3, 5) => under(255),
                    _ => [100; 3],
                };
                assert_eq!(pixel(&overlay, y, x), expected, "{y} {x}");
            }
        }
    }

    #[test]
    fn any_map_has_a_picture() {
        let view = View { top: 0.0, left: 0.0, height: 5.0, width: 5.0 };
        for (values, coloured) in [
            (vec![2.0; 4], true),
            (vec![f32::NAN; 4], false),
            (vec![f32::NAN, 1.0, 2.0, f32::INFINITY], true),
            (vec![f32::MIN, f32::MAX, 0.0, 0.0], true),
            (vec![0.0, -0.0, 0.0, -0.0], true),
        ] {
            let overlay = Heatmap::new(2, 2, values.clone()).unwrap().overlay(&grey(5, 5), view);
            assert_eq!(overlay.samples().iter().any(|&sample| sample != 100), coloured, "{values:?}");
        }
        assert!(Heatmap::new(2, 2, vec![0.0; 3]).is_err() && Heatmap::new(0, 3, Vec::new()).is_err());
    }

    #[test]
    fn the_scale_becomes_brighter_from_end_to_end() {
        let colours = colours();
        // ITU-R BT.709.
        let brightness = |[r, g, b]: [u8; 3]| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
        assert!(colours.windows(8).all(|pair| brightness(pair[7]) > brightness(pair[0])));
    }
}
