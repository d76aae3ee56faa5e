//! The library's stages as they pass: how long each took, and within which.

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

/// A stage that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Stage {
    /// What it is.
    name: &'static str,
    /// What of: a shader's variant, a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    of: String,
    /// How many of the same there were within the same stage.
    times: usize,
    /// When the first of them began, from the beginning of all stages, in milliseconds.
    begin_ms: f64,
    /// How long they took. Stages on several threads overlap.
    ms: f64,
    /// The stages within it, in the order in which they began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<Stage>,
}

/// A stage that is over, and which one it was within.
#[derive(Debug)]
struct Passed {
    id: u64,
    parent: Option<u64>,
    name: &'static str,
    of: String,
    begin_ms: f64,
    ms: f64,
}

/// Listens to the library from its making until it is asked.
#[derive(Clone)]
pub(crate) struct Stages {
    start: Instant,
    over: Arc<Mutex<Option<Vec<Passed>>>>,
}

impl Stages {
    /// Begins to listen. To be called once in a process.
    pub(crate) fn listen() -> Self {
        let stages = Self { start: Instant::now(), over: Arc::new(Mutex::new(Some(Vec::new()))) };
        // Where somebody else listens already, there is nothing to show.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(stages.clone()));
        stages
    }

    /// What has passed so far, in the order in which it began. Listens no more.
    pub(crate) fn finish(&self) -> ColdStart {
        let ms = self.start.elapsed().as_secs_f64() * 1e3;
        let mut passed = self.over.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        passed.sort_by(|a, b| a.begin_ms.total_cmp(&b.begin_ms));
        ColdStart { ms, stages: within(&passed, None) }
    }
}

/// The stages within `parent`. Those of the same name of the same thing are one.
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

/// What a span is while it is open.
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

/// A span's fields, one after the other.
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

/// What passed until the first result was there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ColdStart {
    /// All of it.
    ms: f64,
    /// Its stages, and theirs.
    stages: Vec<Stage>,
}

impl fmt::Display for ColdStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cold start, until the first result: {:.1} ms", self.ms)?;
        self.stages.iter().try_for_each(|stage| stage.line(f, 0))
    }
}

impl Stage {
    /// One line, and those of the stages within; none for one that is over at once.
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
