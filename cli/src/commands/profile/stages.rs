//! The stages of the library's work: how long each took, and within which other.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Stages shorter than this many milliseconds have no line of their own.
const LEAST_MS: f64 = 0.05;

/// A finished stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Stage {
    /// Its name.
    name: &'static str,
    /// Its object: a shader variant, a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    of: String,
    /// Number of equal stages within the same stage.
    times: usize,
    /// When the first of them began, in milliseconds after the first stage.
    begin_ms: f64,
    /// Their total time. Stages on several threads overlap.
    ms: f64,
    /// The stages within it, in the order in which they began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<Stage>,
}

/// A finished stage, and which one it was within.
#[derive(Debug)]
struct Passed {
    id: u64,
    parent: Option<u64>,
    name: &'static str,
    of: String,
    begin_ms: f64,
    ms: f64,
}

/// Records the stages of the library.
#[derive(Clone)]
pub(crate) struct Stages {
    start: Instant,
    over: Arc<Mutex<Option<Vec<Passed>>>>,
}

impl Stages {
    /// Starts recording. Call it once per process.
    pub(crate) fn listen() -> Self {
        let stages = Self { start: Instant::now(), over: Arc::new(Mutex::new(Some(Vec::new()))) };
        // If another subscriber is set, nothing is recorded.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(stages.clone()));
        stages
    }

    /// The stages so far, in the order in which they began. Stops recording.
    pub(crate) fn finish(&self) -> ColdStart {
        let ms = self.start.elapsed().as_secs_f64() * 1e3;
        let mut passed = self.over.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        passed.sort_by(|a, b| a.begin_ms.total_cmp(&b.begin_ms));
        ColdStart { ms, stages: within(&passed, None) }
    }
}

/// The stages within `parent`. Stages with the same name and object are merged.
fn within(passed: &[Passed], parent: Option<u64>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for Passed { id, name, of, begin_ms, ms, .. } in passed.iter().filter(|stage| stage.parent == parent) {
        let inner = within(passed, Some(*id));
        match stages.iter_mut().find(|stage| (stage.name, &stage.of) == (name, of)) {
            Some(stage) if inner.is_empty() && stage.stages.is_empty() => {
                stage.times += 1;
                stage.ms += ms;
            }
            _ => stages.push(Stage { name, of: of.clone(), times: 1, begin_ms: *begin_ms, ms: *ms, stages: inner }),
        }
    }
    stages
}

/// An open span.
struct Open {
    begin: Instant,
    of: String,
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stages {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut of = Words::default();
            attributes.record(&mut of);
            span.extensions_mut().insert(Open { begin: Instant::now(), of: of.0 });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(Open { begin, of }) = extensions.get() else { return };
        let (begin_ms, ms) = ((*begin - self.start).as_secs_f64() * 1e3, begin.elapsed().as_secs_f64() * 1e3);
        let parent = span.parent().map(|parent| parent.id().into_u64());
        if let Some(over) = self.over.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            over.push(Passed { id: id.into_u64(), parent, name: span.name(), of: of.clone(), begin_ms, ms });
        }
    }
}

/// The fields of a span, joined.
#[derive(Default)]
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let before = if self.0.is_empty() { "" } else { ", " };
        // Writing to a `String` cannot fail.
        let _ = match field.name() {
            "batch" | "images" => write!(self.0, "{before}{} {value:?}", field.name()),
            _ => write!(self.0, "{before}{value:?}"),
        };
    }
}

/// The stages up to the first result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ColdStart {
    /// Total time.
    ms: f64,
    /// Its stages, nested.
    stages: Vec<Stage>,
}

impl fmt::Display for ColdStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cold start, until the first result: {:.1} ms", self.ms)?;
        self.stages.iter().try_for_each(|stage| stage.line(f, 0))
    }
}

impl Stage {
    /// Writes a line, and those of the stages within; none for a very short stage.
    fn line(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let Self { name, of, times, ms, stages, .. } = self;
        if *ms < LEAST_MS {
            return Ok(());
        }
        let times = if *times == 1 { String::new() } else { format!("{times} x ") };
        let of = if of.is_empty() { String::new() } else { format!("  {of}") };
        writeln!(f, "{ms:>10.1} ms  {:indent$}{times}{name}{of}", "", indent = 2 * depth)?;
        stages.iter().try_for_each(|stage| stage.line(f, depth + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_within_each_other_and_equal_ones_are_one() {
        let passed = |id, parent, name, begin_ms| Passed { id, parent, name, of: String::new(), begin_ms, ms: 1.5 };
        let all =
            [passed(1, None, "outer", 0.0), passed(2, Some(1), "wait", 0.1), passed(3, Some(1), "wait", 2.0), passed(4, None, "last", 4.0)];
        let text = ColdStart { ms: 6.0, stages: within(&all, None) }.to_string();
        assert_eq!(text.lines().skip(1).map(str::trim).collect::<Vec<_>>(), ["1.5 ms  outer", "3.0 ms    2 x wait", "1.5 ms  last"]);
    }
}
