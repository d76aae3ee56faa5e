//! A profile as a picture: the steps as bars, and as points under the device's roofline.
//!
//! S. Williams, A. Waterman, D. Patterson: *Roofline: An Insightful Visual Performance Model*, CACM 2009.

use super::{Bound, Profile, StepProfile};
use crate::drawing::{Anchor, Drawing, INK, PALE};

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 860.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 50.0;

/// Tol's bright colours, which people with any colour vision can distinguish.
const fn colour(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "#4477aa",
        Bound::Bandwidth => "#ee6677",
        Bound::Launch => "#ccbb44",
    }
}

/// A plot with logarithmic axes.
struct Chart {
    /// Left, top, right and bottom edge.
    edges: [f64; 4],
    /// The smallest and the largest power of ten of each axis.
    powers: [[i32; 2]; 2],
}

impl Chart {
    fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let [left, top, right, bottom] = self.edges;
        let part = |value: f64, [least, most]: [i32; 2]| ((value.log10() - f64::from(least)) / f64::from(most - least)).clamp(0.0, 1.0);
        [left + part(x, self.powers[0]) * (right - left), bottom - part(y, self.powers[1]) * (bottom - top)]
    }
}

impl Profile {
    /// An SVG: a bar for each step, grouped by module, with its time as height and the colour of what limits it; below, a point for each
    /// step under the device's roofline, sized by its share; steps without multiply-adds beside it, by their bytes per second.
    pub fn svg(&self) -> String {
        let mut drawing = Drawing::new(WIDTH, HEIGHT);
        let Self { model, batch, size: [height, width], precision, total_gpu_ms, device, driver, .. } = self;
        let fusion = if self.fusion { "fused" } else { "unfused" };
        drawing.text(
            [LEFT, 30.0],
            18.0,
            Anchor::Start,
            &format!("{model}, {batch} x {height}x{width}, {precision}, {fusion}: {total_gpu_ms:.2} ms"),
        );
        drawing.text([LEFT, 50.0], 11.0, Anchor::Start, &format!("{device}, {driver}"));
        self.bars(&mut drawing);
        self.roofline(&mut drawing);
        self.traffic(&mut drawing);
        self.legend(&mut drawing);
        drawing.finish()
    }

    fn bars(&self, drawing: &mut Drawing) {
        let [top, bottom] = [80.0, 380.0];
        let longest = self.steps.iter().fold(0.0, |most: f64, step| most.max(step.gpu_ms)).max(f64::MIN_POSITIVE);
        let modules: Vec<&[StepProfile]> = self.steps.chunk_by(|a, b| a.module == b.module).collect();
        // A gap of two bars between modules.
        let places = self.steps.len() + 2 * modules.len().saturating_sub(1);
        let place = (RIGHT - LEFT) / places.max(1) as f64;
        for tick in 0..=4 {
            let y = bottom - (bottom - top) * f64::from(tick) / 4.0;
            drawing.line([LEFT, y], [RIGHT, y], PALE);
            drawing.text([LEFT - 6.0, y + 4.0], 11.0, Anchor::End, &format!("{:.2}", longest * f64::from(tick) / 4.0));
        }
        drawing.text([LEFT - 6.0, top - 8.0], 11.0, Anchor::End, "ms");
        let mut x = LEFT;
        for (index, steps) in modules.iter().enumerate() {
            let begin = x;
            for step in *steps {
                let bar = (bottom - top) * step.gpu_ms / longest;
                drawing.rectangle([x, bottom - bar], [(place * 0.85).max(0.5), bar], colour(step.bound), &words(step));
                x += place;
            }
            let share: f64 = steps.iter().map(|step| step.share).sum();
            let name = steps[0].module.rsplit('.').next().unwrap_or_default();
            // Names alternate between three lines, because some modules are narrower than their names.
            let y = bottom + 16.0 + 14.0 * (index % 3) as f64;
            drawing.line([begin, bottom + 3.0], [x - place * 0.15, bottom + 3.0], INK);
            drawing.text([(begin + x) / 2.0, y], 10.0, Anchor::Middle, &format!("{name} {:.0} %", 100.0 * share));
            x += 2.0 * place;
        }
    }

    fn roofline(&self, drawing: &mut Drawing) {
        let [peak, bandwidth] = [self.ceilings.gflops, self.ceilings.gigabytes_per_second];
        let computing = || self.steps.iter().filter(|step| step.flops > 0 && step.gpu_ms > 0.0);
        let intensity = |step: &StepProfile| step.flops as f64 / step.bytes as f64;
        let least = computing().fold(1.0, |least: f64, step| least.min(step.gflops));
        let powers = [[-1, 4], [least.log10().floor() as i32, peak.log10().ceil() as i32]];
        let chart = Chart { edges: [LEFT, 470.0, 820.0, 810.0], powers };
        let [left, top, right, bottom] = chart.edges;
        drawing.text([left, top - 14.0], 13.0, Anchor::Start, "roofline: GFLOP/s over FLOP per byte");
        for power in powers[0][0]..=powers[0][1] {
            let [x, _] = chart.at(10f64.powi(power), 1.0);
            drawing.line([x, top], [x, bottom], PALE);
            drawing.text([x, bottom + 16.0], 11.0, Anchor::Middle, &format!("{}", 10f64.powi(power)));
        }
        for power in powers[1][0]..=powers[1][1] {
            let [_, y] = chart.at(1.0, 10f64.powi(power));
            drawing.line([left, y], [right, y], PALE);
            drawing.text([left - 6.0, y + 4.0], 11.0, Anchor::End, &format!("{}", 10f64.powi(power)));
        }
        let ridge = peak / bandwidth;
        let [lowest, highest] = [10f64.powi(powers[0][0]), 10f64.powi(powers[0][1])];
        let foot = lowest.max(10f64.powi(powers[1][0]) / bandwidth);
        drawing.line(chart.at(foot, foot * bandwidth), chart.at(ridge, peak), INK);
        drawing.line(chart.at(ridge, peak), chart.at(highest, peak), INK);
        let [x, y] = chart.at(highest, peak);
        drawing.text([x - 4.0, y - 5.0], 11.0, Anchor::End, &format!("{peak:.0} GFLOP/s, {bandwidth:.1} GB/s"));
        for step in computing() {
            drawing.circle(chart.at(intensity(step), step.gflops), radius(step), colour(step.bound), &words(step));
        }
    }

    /// Steps that only move data, by their fraction of the device's bandwidth.
    fn traffic(&self, drawing: &mut Drawing) {
        let others: Vec<&StepProfile> = self.steps.iter().filter(|step| step.flops == 0 && step.gpu_ms > 0.0).collect();
        let chart = Chart { edges: [900.0, 470.0, RIGHT, 810.0], powers: [[0, 1], [-2, 1]] };
        let [left, top, right, bottom] = chart.edges;
        drawing.text([left, top - 14.0], 13.0, Anchor::Start, "no multiply-adds: share of GB/s");
        for (share, words) in [(0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %"), (10.0, "1000 %")] {
            let [_, y] = chart.at(1.0, share);
            drawing.line([left, y], [right, y], if share == 1.0 { INK } else { PALE });
            drawing.text([left - 6.0, y + 4.0], 11.0, Anchor::End, words);
        }
        drawing.text([left, bottom + 16.0], 11.0, Anchor::Start, "in the order in which they run");
        for (index, step) in others.iter().enumerate() {
            let [_, y] = chart.at(1.0, step.share_of_bandwidth);
            let x = left + (right - left) * (index as f64 + 0.5) / others.len() as f64;
            drawing.circle([x, y], radius(step), colour(step.bound), &words(step));
        }
    }

    fn legend(&self, drawing: &mut Drawing) {
        for (index, bound) in [Bound::Compute, Bound::Bandwidth, Bound::Launch].into_iter().enumerate() {
            let x = 790.0 + 125.0 * index as f64;
            let steps = self.steps.iter().filter(|step| step.bound == bound).count();
            drawing.rectangle([x, 22.0], [10.0, 10.0], colour(bound), "");
            drawing.text([x + 15.0, 31.0], 11.0, Anchor::Start, &format!("{bound} ({steps})"));
        }
        drawing.text([780.0, 31.0], 11.0, Anchor::End, "bound by");
        drawing.text(
            [LEFT, HEIGHT - 12.0],
            11.0,
            Anchor::Start,
            "a point's area is the step's share of the time; point at a bar or a point for its name",
        );
    }
}

fn radius(step: &StepProfile) -> f64 {
    2.5 + 40.0 * (step.share / std::f64::consts::PI).sqrt()
}

fn words(step: &StepProfile) -> String {
    let StepProfile { name, kernel, gpu_ms, share, gflops, gigabytes_per_second, bound, .. } = step;
    format!(
        "{name}\n{kernel}\n{gpu_ms:.3} ms, {:.1} %\n{gflops:.1} GFLOP/s, {gigabytes_per_second:.1} GB/s\nbound by {bound}",
        100.0 * share
    )
}
