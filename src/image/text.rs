//! Text in a picture, in Noto Sans Mono.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::Picture;

const HEIGHT: RasterHeight = RasterHeight::Size16;

/// Width of a character in pixels, at `scale` times the size of the font.
pub(super) const fn char_width(scale: usize) -> usize {
    get_raster_width(FontWeight::Regular, HEIGHT) * scale
}

/// Height of a line, in pixels.
pub(super) const fn line_height(scale: usize) -> usize {
    HEIGHT.val() * scale
}

/// `text` as lines of at most `columns` characters, broken between words where they are short enough; at most `most`
/// lines, the last of which says that there were more.
pub(super) fn wrapped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    let count = |line: &str| line.chars().count();
    for word in text.split_whitespace() {
        if !line.is_empty() && count(&line) + 1 + count(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if count(&line) == columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = last.chars().take(columns.saturating_sub(1)).chain(['…']).collect();
        }
    }
    lines
}

/// Writes one line in white on `picture`, of three channels, whose upper left corner is at row `top`, column `left`.
/// Text that does not fit is cut off. Characters missing in the font become its replacement character.
pub(super) fn write(picture: &mut Picture, text: &str, [top, left]: [usize; 2], scale: usize) {
    let (width, height) = (picture.width, picture.height);
    for (position, character) in text.chars().enumerate() {
        let raster = |character| get_raster(character, FontWeight::Regular, HEIGHT);
        let Some(glyph) = raster(character).or_else(|| raster('\u{fffd}')) else { continue };
        let left = left + position * char_width(scale);
        for y in 0..line_height(scale).min(height.saturating_sub(top)) {
            for x in 0..char_width(scale).min(width.saturating_sub(left)) {
                let ink = glyph.pixel(x / scale, y / scale).unwrap_or(0);
                let at = ((top + y) * width + left + x) * 3;
                picture.samples[at..at + 3].iter_mut().for_each(|sample| *sample = (*sample).max(ink));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("great white shark", 11, 3), ["great white", "shark"]);
        assert_eq!(wrapped("pneumonoultramicroscopic", 10, 3), ["pneumonoul", "tramicrosc", "opic"]);
        assert_eq!(wrapped("a b c d e f", 3, 2), ["a b", "c …"]);
        assert_eq!(wrapped("", 3, 2), [""]);
        assert_eq!(wrapped("weiß", 4, 1), ["weiß"]);
    }

    #[test]
    fn words_stay_on_the_picture() {
        let mut picture = Picture::new(20, 30, 3, vec![0; 20 * 30 * 3]).unwrap();
        write(&mut picture, "Wörter, 文字 and more", [8, 12], 2);
        let row = |y: usize| picture.samples[y * 90..(y + 1) * 90].iter().any(|&sample| sample > 0);
        assert!((0..8).all(|y| !row(y)) && (8..20).any(row));
    }
}
