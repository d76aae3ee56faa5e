//! A plan's memory as a picture: how a dense block's buffer grows.

use super::Plan;
use crate::drawing::{Anchor, Drawing, INK, PALE};
use crate::kernels::Region;

const LEFT: f64 = 90.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 90.0;

/// Pixels of the least wide step, and of the picture between the edges.
const LEAST_STEP: f64 = 6.0;
const LEAST_WIDTH: f64 = 1080.0;

/// Pixels that all buffers share by their bytes, and the least that one gets.
const BUFFERS: f64 = 480.0;
const LEAST_BUFFER: f64 = 16.0;
const GAP: f64 = 22.0;

const WRITTEN: &str = "#aa3377";
const READ: &str = "#88ccee";
const HELD: &str = "#dddddd";

/// Where steps and buffers are in the picture.
struct Lanes {
    step: f64,
    /// Top and height of each buffer.
    lanes: Vec<[f64; 2]>,
    byte_buffers: Vec<u64>,
}

impl Plan {
    /// An SVG of the memory: a lane for each activation buffer, as high as it is large, and time from left to right, a
    /// column for each step. What a step writes is dark, what it reads is light, what is kept for later steps is grey: a
    /// dense block's buffer fills from the top, a layer's channels at a time.
    pub fn svg(&self) -> String {
        let lanes = Lanes::new(self);
        let bottom = lanes.lanes.last().map_or(TOP, |[top, height]| top + height);
        let right = lanes.x(self.steps.len());
        let mut drawing = Drawing::new(right + RIGHT, bottom + 90.0);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let title = format!(
            "{} x {}, {}, {}: {} steps, {:.2} MiB of activations, at most {:.2} MiB of them alive at once; with weights {:.2} MiB",
            self.options.batch,
            self.input.shape,
            self.options.tuning.precision().name(),
            if self.options.fusion { "fused" } else { "unfused" },
            self.steps.len(),
            mebibytes(self.byte_buffers().sum()),
            mebibytes(self.byte_peak),
            mebibytes(self.byte_total()),
        );
        drawing.text([LEFT, 30.0], 15.0, Anchor::Start, &title);
        for (index, (colour, words)) in [(WRITTEN, "written"), (READ, "read"), (HELD, "kept for a later step")].into_iter().enumerate() {
            let x = LEFT + 90.0 * index as f64;
            drawing.rectangle([x, 44.0], [10.0, 10.0], colour, "");
            drawing.text([x + 15.0, 53.0], 11.0, Anchor::Start, words);
        }
        for (buffer, &[top, height]) in lanes.lanes.iter().enumerate() {
            drawing.rectangle([LEFT, top], [right - LEFT, height], "#f6f6f6", "");
            let name = format!("{} {:.2} MiB", super::text::name(buffer), mebibytes(lanes.byte_buffers[buffer]));
            drawing.text([LEFT - 6.0, top + 12.0], 10.0, Anchor::End, &name);
        }
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(last) = self.last_reader(index) {
                lanes.draw(&mut drawing, step.target, index + 1..last, HELD, &step.name);
            }
        }
        for (index, step) in self.steps.iter().enumerate() {
            let words = format!("{}\n{} -> {}", step.name, super::text::region(step.source), super::text::region(step.target));
            lanes.draw(&mut drawing, step.source, index..index + 1, READ, &words);
            lanes.draw(&mut drawing, step.target, index..index + 1, WRITTEN, &words);
        }
        self.modules(&mut drawing, &lanes, bottom);
        drawing.finish()
    }

    /// The last step that reads of what step `index` writes, before something else is written there.
    fn last_reader(&self, index: usize) -> Option<usize> {
        let target = self.steps[index].target;
        let later = self.steps.iter().enumerate().skip(index + 1);
        let alive = later.take_while(|(_, step)| !overlap(step.target, target));
        alive.filter(|(_, step)| overlap(step.source, target)).map(|(index, _)| index).last()
    }

    fn modules(&self, drawing: &mut Drawing, lanes: &Lanes, bottom: f64) {
        let mut first = 0;
        for (index, steps) in self.steps.chunk_by(|a, b| a.module() == b.module()).enumerate() {
            let [begin, end] = [lanes.x(first), lanes.x(first + steps.len())];
            drawing.line([begin, TOP - 12.0], [begin, bottom + 6.0], PALE);
            drawing.line([begin + 1.0, bottom + 6.0], [end - 1.0, bottom + 6.0], INK);
            let name = steps[0].module().rsplit('.').next().unwrap_or_default();
            drawing.text([(begin + end) / 2.0, bottom + 22.0 + 14.0 * (index % 3) as f64], 10.0, Anchor::Middle, name);
            first += steps.len();
        }
        drawing.text([LEFT, bottom + 76.0], 11.0, Anchor::Start, "a column is a step; point at one for its layer and its channels");
    }
}

/// Bytes of its buffer from a region's first channel to the end of its last.
fn span(region: Region) -> [u64; 2] {
    let bytes = region.precision.bytes();
    let images = if region.element_image > region.element_plane { region.batch } else { 1 };
    let elements = images * region.shape.channels * region.element_plane;
    [region.element_offset * bytes, (region.element_offset + elements) * bytes].map(|byte| byte as u64)
}

fn overlap(a: Region, b: Region) -> bool {
    let ([a_first, a_end], [b_first, b_end]) = (span(a), span(b));
    a.buffer == b.buffer && a_first < b_end && b_first < a_end
}

impl Lanes {
    fn new(plan: &Plan) -> Self {
        let byte_buffers: Vec<u64> = plan.byte_buffers().collect();
        let bytes: u64 = byte_buffers.iter().sum();
        let mut top = TOP;
        let lane = |&buffer: &u64| {
            let height = (BUFFERS * buffer as f64 / bytes.max(1) as f64).max(LEAST_BUFFER);
            let lane = [top, height];
            top += height + GAP;
            lane
        };
        let lanes = byte_buffers.iter().map(lane).collect();
        Self { step: (LEAST_WIDTH / plan.steps.len().max(1) as f64).max(LEAST_STEP), lanes, byte_buffers }
    }

    fn x(&self, step: usize) -> f64 {
        LEFT + self.step * step as f64
    }

    fn draw(&self, drawing: &mut Drawing, region: Region, steps: std::ops::Range<usize>, colour: &str, words: &str) {
        if steps.is_empty() {
            return;
        }
        let [top, height] = self.lanes[region.buffer];
        let [first, end] = span(region).map(|byte| top + height * byte as f64 / self.byte_buffers[region.buffer].max(1) as f64);
        let [left, right] = [self.x(steps.start), self.x(steps.end)];
        drawing.rectangle([left, first], [right - left, (end - first).max(0.6)], colour, words);
    }
}
