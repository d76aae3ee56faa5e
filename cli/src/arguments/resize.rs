//! `--resize MODE[:FILTER]`.

use std::fmt;
use std::str::FromStr;

use densenet_wgpu::internal::{DEFAULT_SIZE, suggestion};
use densenet_wgpu::preprocessing::{Filter, Preprocessing, Resize, ResizeMode};

/// How pictures are resized, instead of the model's own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resizing {
    mode: Mode,
    filter: Option<Filter>,
}

/// How the sides of a picture change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    ShortSide,
    LongSide,
    Cover,
    Square,
    Squash,
}

const MODES: [(&str, Mode); 5] = [
    ("short_side", Mode::ShortSide),
    ("long_side", Mode::LongSide),
    ("cover", Mode::Cover),
    ("square", Mode::Square),
    ("squash", Mode::Squash),
];

const FILTERS: [(&str, Filter); 8] = [
    ("nearest", Filter::Nearest),
    ("bilinear", Filter::Bilinear),
    ("bicubic", Filter::Bicubic),
    ("lanczos", Filter::Lanczos),
    ("linear", Filter::Linear),
    ("cubic", Filter::Cubic),
    ("area", Filter::Area),
    ("adaptive_area", Filter::AdaptiveArea),
];

impl Resizing {
    /// The same preprocessing with the same size, resized this way. If the mode is already the same, only the filter changes; another mode
    /// crops no additional border.
    pub(crate) fn applied(self, own: &Preprocessing) -> Preprocessing {
        let filter = self.filter.unwrap_or_else(|| own.resize.map_or(Filter::Bilinear, |resize| resize.filter));
        if let Some(resize) = own.resize.filter(|resize| self.mode == Mode::of(resize.mode)) {
            return own.clone().with_resize(Some(Resize { filter, ..resize }));
        }
        let size = own.size().unwrap_or(DEFAULT_SIZE);
        let side = size[0].max(size[1]);
        let is_square = size == [side, side];
        let (mode, is_whole) = match self.mode {
            Mode::ShortSide => (ResizeMode::ShortSide(side), false),
            Mode::LongSide => (ResizeMode::LongSide(side), is_square),
            Mode::Cover => (ResizeMode::Cover(size), false),
            Mode::Square => (ResizeMode::Square(side), is_square),
            Mode::Squash => (ResizeMode::Squash(size), true),
        };
        let crop = if is_whole { None } else { Some(size) };
        own.clone().with_crop(crop).with_resize(Some(Resize { filter, mode }))
    }
}

impl Mode {
    fn of(mode: ResizeMode) -> Self {
        match mode {
            ResizeMode::ShortSide(_) => Self::ShortSide,
            ResizeMode::LongSide(_) => Self::LongSide,
            ResizeMode::Cover(_) => Self::Cover,
            ResizeMode::Square(_) => Self::Square,
            _ => Self::Squash,
        }
    }
}

impl FromStr for Resizing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mode, filter) = text.split_once(':').map_or((text, None), |(mode, filter)| (mode, Some(filter)));
        let filter = filter.map(|filter| named("filter", filter, &FILTERS)).transpose()?;
        Ok(Self { mode: named("mode", mode, &MODES)?, filter })
    }
}

/// As written on the command line.
impl fmt::Display for Resizing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self.mode, &MODES))?;
        self.filter.map_or(Ok(()), |filter| write!(f, ":{}", name(filter, &FILTERS)))
    }
}

/// The value of that name. Hyphens and underscores are equivalent.
fn named<T: Copy>(what: &str, text: &str, known: &[(&str, T)]) -> Result<T, String> {
    let text = text.replace('-', "_");
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("expected MODE or MODE:FILTER with a {what} of {}{}", names.join(", "), suggestion(&text, names.iter().copied()))
    })
}

fn name<T: PartialEq>(value: T, known: &[(&'static str, T)]) -> &'static str {
    known.iter().find(|(_, other)| *other == value).map_or("", |(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, own: &Preprocessing) -> String {
        text.parse::<Resizing>().unwrap().applied(own).to_string()
    }

    #[test]
    fn the_size_stays_whatever_the_mode() {
        let own = Preprocessing::torchvision(3);
        for (text, expected) in [
            ("squash", "squashed to 224x224 (bilinear), 0 to 1"),
            ("squash:linear", "squashed to 224x224 (bilinear, not antialiased), 0 to 1"),
            ("short-side:cubic", "short side to 256 (bicubic, not antialiased), crop 224x224"),
            ("cover:area", "resized to cover 224x224 (area), crop 224x224"),
            ("long_side:lanczos", "long side to 224 (Lanczos), padded to 224x224, 0 to 1"),
            ("square:nearest", "square from the centre to 224x224 (nearest), 0 to 1"),
        ] {
            assert!(applied(text, &own).starts_with(expected), "{text}: {}", applied(text, &own));
            text.parse::<Resizing>().unwrap().applied(&own).check().unwrap();
        }
        let oblong = own.sized(96, 128).with_crop(Some([96, 128]));
        for (text, expected) in [
            ("squash", "squashed to 96x128"),
            ("long_side", "long side to 128 (bilinear), padded to 128x128, crop 96x128"),
            ("square", "square from the centre to 128x128 (bilinear), crop 96x128"),
        ] {
            assert!(applied(text, &oblong).starts_with(expected), "{text}: {}", applied(text, &oblong));
        }
        let squashed = "squash:area".parse::<Resizing>().unwrap().applied(&own);
        assert!(applied("short_side", &squashed).starts_with("short side to 224 (area), crop 224x224"));
    }

    #[test]
    fn words_are_read_and_written() {
        for text in ["squash", "short_side:linear", "cover:adaptive_area"] {
            assert_eq!(text.parse::<Resizing>().unwrap().to_string(), text);
        }
        for (text, part) in
            [("sqash", "did you mean squash?"), ("squash:linaer", "did you mean linear?"), ("", "a mode of"), ("squash:", "a filter of")]
        {
            let error = text.parse::<Resizing>().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
