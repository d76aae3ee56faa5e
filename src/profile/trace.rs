//! A profile as a trace for ui.perfetto.dev and chrome://tracing.
//!
//! Google: *Trace Event Format* (Chrome's JSON): complete events, in microseconds.

use serde::Serialize;
use serde_json::{Value, json};

use super::Profile;

const HOST: u32 = 1;
const DEVICE: u32 = 2;
const STEPS: u32 = 1;
const MODULES: u32 = 2;

/// An event with a duration.
#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    cat: &'a str,
    ph: &'static str,
    ts: f64,
    dur: f64,
    pid: u32,
    tid: u32,
    args: Value,
}

impl Profile {
    /// One run with a pass per step, as JSON in Chrome's *Trace Event Format*: the work of the host (upload, encode, submit, wait) and, on
    /// separate tracks, the device's steps and their modules.
    ///
    /// Host and device have different clocks: the device's passes are placed so that the last one ends with the wait for it, but the first
    /// does not begin before its submission. Has no events if the profile was read from a file, which contains no run.
    pub fn trace(&self) -> String {
        let Some(timeline) = &self.timeline else { return json!({ "traceEvents": [] }).to_string() };
        let micros = |seconds: f64| seconds * 1e6;
        let event = |name, cat, [begin, end]: [f64; 2], [pid, tid]: [u32; 2], args| {
            json!(Event { name, cat, ph: "X", ts: micros(begin), dur: micros(end - begin), pid, tid, args })
        };
        let named = |kind: &str, pid, tid, name: &str| json!({ "name": kind, "ph": "M", "pid": pid, "tid": tid, "args": { "name": name } });
        let mut events = vec![
            named("process_name", HOST, 0, "host"),
            named("thread_name", HOST, STEPS, "run"),
            named("process_name", DEVICE, 0, &self.device),
            named("thread_name", DEVICE, STEPS, "steps"),
            named("thread_name", DEVICE, MODULES, "modules"),
        ];
        let stages = [0.0, timeline.uploaded, timeline.encoded, timeline.submitted, timeline.finished];
        for (name, bounds) in ["upload", "encode", "submit", "wait"].into_iter().zip(stages.windows(2)) {
            events.push(event(name, "host", [bounds[0], bounds[1]], [HOST, STEPS], json!({})));
        }
        let origin = (timeline.finished - timeline.span()).max(timeline.submitted);
        let passes: Vec<[f64; 2]> = timeline.passes.iter().map(|pass| pass.map(|seconds| origin + seconds)).collect();
        for (step, &pass) in self.steps.iter().zip(&passes) {
            let args = json!({
                "kernel": step.kernel, "layers": step.layers, "flops": step.flops, "bytes": step.bytes,
                "bound by": step.bound, "median ms": step.gpu_ms,
            });
            events.push(event(&step.name, &step.operation, pass, [DEVICE, STEPS], args));
        }
        let mut first = 0;
        for steps in self.steps.chunk_by(|a, b| a.module == b.module) {
            let last = first + steps.len() - 1;
            events.push(event(
                &steps[0].module,
                "module",
                [passes[first][0], passes[last][1]],
                [DEVICE, MODULES],
                json!({ "steps": steps.len() }),
            ));
            first = last + 1;
        }
        let about = json!({ "model": self.model, "device": self.device, "driver": self.driver, "batch": self.batch, "size": self.size });
        json!({ "displayTimeUnit": "ms", "otherData": about, "traceEvents": events }).to_string()
    }
}
