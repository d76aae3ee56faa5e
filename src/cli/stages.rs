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
    /// From the beginning of them all, in milliseconds.
    begin_ms: f64,
    /// How long it took. Stages on several threads overlap.
    ms: f64,
    /// How many stages it is within.
    depth: usize,
}

/// Listens to the library from its making until it is asked.
#[derive(Clone)]
pub(crate) struct Stages {
    start: Instant,
    over: Arc<Mutex<Option<Vec<Stage>>>>,
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
        let mut stages = self.over.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        stages.sort_by(|a, b| a.begin_ms.total_cmp(&b.begin_ms).then(a.depth.cmp(&b.depth)));
        ColdStart { ms, stages }
    }
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
        let depth = span.scope().skip(1).count();
        if let Some(over) = self.over.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            over.push(Stage { name: span.name(), of: of.clone(), begin_ms, ms, depth });
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
        for Stage { name, of, ms, depth, .. } in self.stages.iter().filter(|stage| stage.ms >= LEAST_MS) {
            writeln!(f, "{ms:>10.1} ms  {:indent$}{name}{}{of}", "", if of.is_empty() { "" } else { "  " }, indent = 2 * depth)?;
        }
        Ok(())
    }
}
