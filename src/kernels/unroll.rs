//! Unrolls the loops of a shader that are marked for it.
//!
//! Software adapters' compilers do not unroll loops with long bodies, and keep the arrays that these index in memory. Where a
//! loop's line ends in `// unrolled`, its body is written once for each of its turns, with the number in place of its variable.

use std::ops::Range;

/// The end of the line of a loop to unroll.
const MARK: &str = "{  // unrolled";

/// `source` with its marked loops unrolled, or the line of one that cannot be: the bounds must be numbers, or constants that are
/// declared as numbers, and the closing brace indented like the loop.
pub(super) fn unroll(source: &str) -> Result<String, String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut text = String::with_capacity(source.len());
    write(&lines, source, &mut text)?;
    Ok(text)
}

fn write(lines: &[impl AsRef<str>], source: &str, text: &mut String) -> Result<(), String> {
    let mut at = 0;
    while let Some(line) = lines.get(at).map(AsRef::as_ref) {
        at += 1;
        if !line.ends_with(MARK) {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        let margin = &line[..line.len() - line.trim_start().len()];
        let turns = Turns::parse(line.trim_start(), source).ok_or(line)?;
        let end = lines[at..].iter().position(|line| line.as_ref().strip_prefix(margin) == Some("}")).ok_or(line)?;
        for turn in turns.range.step_by(turns.step) {
            let body: Vec<String> = lines[at..at + end].iter().map(|line| with_number(line.as_ref(), turns.variable, turn)).collect();
            text.push_str(&format!("{margin}{{\n"));
            write(&body, source, text)?;
            text.push_str(&format!("{margin}}}\n"));
        }
        at += end + 1;
    }
    Ok(())
}

/// The turns of a loop.
struct Turns<'a> {
    variable: &'a str,
    range: Range<usize>,
    step: usize,
}

impl<'a> Turns<'a> {
    /// Of `for (var i = 0u; i < 8u; i++) {  // unrolled`, or with `i += 2u`.
    fn parse(line: &'a str, source: &str) -> Option<Self> {
        let header = line.strip_prefix("for (var ")?.strip_suffix(MARK)?.strip_suffix(") ")?;
        let [first, last, step] = header.split("; ").collect::<Vec<_>>()[..] else { return None };
        let (variable, first) = first.split_once(" = ")?;
        let last = last.strip_prefix(variable)?.strip_prefix(" < ")?;
        let step = match step.strip_prefix(variable)? {
            "++" => 1,
            step => number(step.strip_prefix(" += ")?, source)?,
        };
        Some(Self { variable, range: number(first, source)?..number(last, source)?, step })
    }
}

/// The value of `8u`, or of a constant that is declared so.
fn number(text: &str, source: &str) -> Option<usize> {
    let literal = |text: &str| text.strip_suffix('u')?.parse().ok();
    literal(text).or_else(|| {
        let declaration = format!("const {text}: u32 = ");
        literal(source.lines().find_map(|line| line.strip_prefix(&declaration))?.strip_suffix(';')?)
    })
}

/// The line with a number in place of the variable, but not of a member of the same name.
fn with_number(line: &str, variable: &str, number: usize) -> String {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(in_name) {
        text.push_str(&rest[..start]);
        let name = &rest[start..];
        let name = &name[..name.find(|c| !in_name(c)).unwrap_or(name.len())];
        if name == variable && !text.ends_with('.') {
            text.push_str(&format!("{number}u"));
        } else {
            text.push_str(name);
        }
        rest = &rest[start + name.len()..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_loops_are_unrolled() {
        let source = "
const SIZE: u32 = 4u;
for (var o = 0u; o < SIZE; o += 2u) {  // unrolled
    let foo = so.o + o;
    for (var i = 1u; i < 3u; i++) {  // unrolled
        x[o][i] += i_o;
    }
    for (var j = 0u; j < o; j++) {
        y[o][j]();
    }
}
o();
";
        let unrolled = "
const SIZE: u32 = 4u;
{
    let foo = so.o + 0u;
    {
        x[0u][1u] += i_o;
    }
    {
        x[0u][2u] += i_o;
    }
    for (var j = 0u; j < 0u; j++) {
        y[0u][j]();
    }
}
{
    let foo = so.o + 2u;
    {
        x[2u][1u] += i_o;
    }
    {
        x[2u][2u] += i_o;
    }
    for (var j = 0u; j < 2u; j++) {
        y[2u][j]();
    }
}
o();
";
        assert_eq!(unroll(source).unwrap(), unrolled);
        assert_eq!(unroll("a\n    b\n").unwrap(), "a\n    b\n");
    }

    #[test]
    fn a_loop_that_cannot_be_unrolled_is_named() {
        for header in [
            "for (var i = 0u; i < SIZE; i++) {  // unrolled",
            "for (var i = 0u; i <= 3u; i++) {  // unrolled",
            "for (var i = 3u; i > 0u; i--) {  // unrolled",
            "while i < 3u {  // unrolled",
        ] {
            let source = format!("const OTHER: u32 = 3u;\n{header}\n}}\n");
            assert_eq!(unroll(&source).unwrap_err(), header);
        }
        let endless = "for (var i = 0u; i < 2u; i++) {  // unrolled";
        assert_eq!(unroll(&format!("{endless}\n  }}\n")).unwrap_err(), endless);
    }
}
