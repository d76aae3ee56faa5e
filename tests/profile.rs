//! A profile is whole, adds up, and can be read by others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::profile::{Bound, Ceilings, Clock, Comparison, Granularity, Profile};
use densenet_wgpu::{Config, Engine, EngineOptions, Gpu, Input, Plan, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{open_gpu, own_device, untested};
use common::{seeded_input, seeded_weights};

const SIZE: [usize; 2] = [97, 131];

/// What tests need no measurement for: a device of a thousand operations a byte.
const CEILINGS: Ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.02 };

fn engine(fusion: bool) -> Engine {
    let graph = Config::densenet121().graph(SIZE[0], SIZE[1]).unwrap();
    let options = EngineOptions::default().with_fusion(fusion);
    Engine::new(&open_gpu(), &graph, &seeded_weights(&graph, 1), options).unwrap()
}

fn measure(engine: &Engine, runs: usize) -> Profile {
    let input = seeded_input(2, 2 * 3 * SIZE[0] * SIZE[1]);
    Profile::measure(engine, Input::values(&input, SIZE), runs, CEILINGS).unwrap()
}

/// Two pictures through DenseNet-121, measured once for all tests.
fn profile() -> &'static Profile {
    static PROFILE: OnceLock<Profile> = OnceLock::new();
    PROFILE.get_or_init(|| measure(&engine(true), 3))
}

#[test]
fn every_step_of_the_plan_is_there() {
    let profile = profile();
    let plan = engine(true).plan(2, SIZE[0], SIZE[1]).unwrap();
    let names = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>();
    assert_eq!(names(&mut profile.steps.iter().map(|s| s.name.clone())), names(&mut plan.steps().iter().map(|s| s.name.clone())));
    assert_eq!((profile.batch, profile.size, profile.fusion, profile.precision.as_str()), (2, SIZE, true, "f32"));
    for (step, planned) in profile.steps.iter().zip(plan.steps()) {
        assert_eq!((step.flops, step.bytes, &step.layers), (planned.flops, planned.bytes, &planned.layers));
        assert!(step.gpu_ms > 0.0, "{}", step.name);
        assert!((step.gflops - step.flops as f64 / step.gpu_ms / 1e6).abs() < 1e-9);
    }
    let shares: f64 = profile.steps.iter().map(|step| step.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
}

#[test]
fn totals_are_of_all_steps() {
    let profile = profile();
    for totals in [profile.by_operation(), profile.by_module()] {
        let sum = totals.iter().fold((0, 0.0, 0), |sum, total| (sum.0 + total.steps, sum.1 + total.gpu_ms, sum.2 + total.flops));
        assert_eq!((sum.0, sum.2), (profile.steps.len(), profile.steps.iter().map(|step| step.flops).sum()));
        assert!((sum.1 - profile.sum_gpu_ms).abs() < 1e-6);
    }
    let steps: BTreeMap<String, usize> = profile.by_operation().into_iter().map(|total| (total.name, total.steps)).collect();
    assert_eq!((steps["1x1 convolution"], steps["3x3 convolution"], steps["7x7 convolution"], steps["linear"]), (61, 58, 1, 1));
    let modules: Vec<String> = profile.by_module().into_iter().map(|total| total.name).collect();
    assert_eq!(modules[..3], ["features", "features.denseblock1", "features.transition1"]);
}

#[test]
fn the_sum_is_of_the_steps() {
    let profile = profile();
    let sum: f64 = profile.steps.iter().map(|step| step.gpu_ms).sum();
    assert!((profile.sum_gpu_ms - sum).abs() < 1e-6 && profile.total_gpu_ms > 0.0 && profile.wall_ms > 0.0, "{profile:?}");
}

/// The machine that plays the device has other work too: one quiet moment of several is enough.
#[test]
#[ignore = "it takes a quiet machine: scripts/acceptance.sh"]
fn the_sum_is_the_independent_total_within_a_tenth() {
    let engine = engine(true);
    let mut seen = Vec::new();
    for _ in 0..8 {
        let profile = measure(&engine, 3);
        if profile.clock != Clock::Gpu {
            return untested(engine.gpu(), "the sum of the steps beside the total: it has no timestamps");
        }
        seen.push(profile.sum_gpu_ms / profile.total_gpu_ms);
        if (seen[seen.len() - 1] - 1.0).abs() <= 0.1 {
            return;
        }
    }
    panic!("the sum is so many times the total: {seen:?}");
}

#[test]
fn what_bounds_a_step_is_its_longest_floor() {
    for step in &profile().steps {
        let floors = [
            (Bound::Compute, step.flops as f64 / CEILINGS.gflops / 1e6),
            (Bound::Bandwidth, step.bytes as f64 / CEILINGS.gigabytes_per_second / 1e6),
            (Bound::Launch, CEILINGS.launch_ms),
        ];
        let longest = floors.iter().fold(0.0, |most: f64, (_, ms)| most.max(*ms));
        let (_, own) = floors.iter().find(|(bound, _)| *bound == step.bound).unwrap();
        assert_eq!(*own, longest, "{}: {floors:?}", step.name);
    }
    assert_eq!(profile().steps[0].bound, Bound::Compute);
}

#[test]
fn a_profile_is_json_and_comes_back() {
    let profile = profile();
    let text = serde_json::to_string(profile).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in ["device", "driver", "total_gpu_ms", "sum_gpu_ms", "wall_ms", "clock", "ceilings"] {
        assert!(!value[key].is_null(), "{key}");
    }
    for key in ["name", "kernel", "gpu_ms", "flops", "bytes", "gflops", "bound", "share"] {
        assert!(!value["steps"][0][key].is_null(), "{key}");
    }
    let back: Profile = serde_json::from_str(&text).unwrap();
    let same = Comparison::new(&back, profile);
    assert!(same.steps.iter().chain(&same.modules).all(|change| change.difference_ms().abs() < 1e-9));
}

#[test]
fn a_comparison_leaves_nothing_out() {
    let unfused = Plan::new(&Config::densenet121().graph(97, 131).unwrap(), PlanOptions::default().with_fusion(false)).unwrap();
    assert!(unfused.steps().len() > profile().steps.len());
    let mut slower = profile().clone();
    let slowed = slower.steps.iter_mut().find(|step| step.name == "features.transition2.conv").unwrap();
    slowed.gpu_ms += 100.0;
    slower.steps.retain(|step| step.name != "classifier");
    let comparison = Comparison::new(profile(), &slower);
    assert_eq!(comparison.steps[0].name, "features.transition2.conv");
    assert_eq!(comparison.modules[0].name, "features.transition2");
    assert!((comparison.steps[0].difference_ms() - 100.0).abs() < 1e-9);
    let gone = comparison.steps.iter().find(|change| change.name == "classifier").unwrap();
    assert!(gone.now_ms.is_none() && gone.before_ms.is_some() && gone.ratio().is_none());
    let text = comparison.to_string();
    assert!(text.contains("features.transition2.conv") && text.contains("+100.000"), "{text}");
}

/// A program's own device, which it opened without timestamps.
#[test]
fn without_timestamps_the_host_times_steps_alone_and_says_so() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let graph = Config::imagenet(6, &[2, 2], 10).with_classes(Some(4)).graph(64, 64).unwrap();
    let gpu = Gpu::from_device(device, queue);
    let engine = Engine::new(&gpu, &graph, &seeded_weights(&graph, 1), EngineOptions::default()).unwrap();
    let input = seeded_input(2, 3 * 64 * 64);
    let steps = engine.time(Input::values(&input, [64, 64]), Granularity::Step).unwrap();
    assert_eq!((steps.clock, steps.passes.len()), (Clock::Host, engine.plan(1, 64, 64).unwrap().steps().len()));
    assert!(steps.passes.iter().flatten().is_sorted(), "{:?}", steps.passes);
    assert_eq!(engine.time(Input::values(&input, [64, 64]), Granularity::Run).unwrap().passes.len(), 1);
    let profile = Profile::measure(&engine, Input::values(&input, [64, 64]), 2, CEILINGS).unwrap();
    assert!(profile.to_string().contains("this device has no usable timestamps"), "{profile}");
}

/// Chrome's format: complete events whose tracks do not overlap, and names for the tracks.
#[test]
fn a_trace_has_tracks_whose_events_follow_each_other() {
    #[derive(serde::Deserialize)]
    struct Trace {
        #[serde(rename = "traceEvents")]
        events: Vec<Event>,
    }
    #[derive(serde::Deserialize)]
    struct Event {
        name: String,
        ph: String,
        pid: u32,
        tid: u32,
        ts: Option<f64>,
        dur: Option<f64>,
        args: BTreeMap<String, serde_json::Value>,
    }
    let trace: Trace = serde_json::from_str(&profile().trace()).unwrap();
    let mut tracks: BTreeMap<(u32, u32), Vec<&Event>> = BTreeMap::new();
    for event in trace.events.iter().filter(|event| event.ph == "X") {
        tracks.entry((event.pid, event.tid)).or_default().push(event);
    }
    assert_eq!(tracks.len(), 3, "host, steps, modules");
    for (track, events) in &tracks {
        let named = trace.events.iter().any(|event| event.ph == "M" && event.name == "thread_name" && (event.pid, event.tid) == *track);
        assert!(named, "{track:?}");
        for pair in events.windows(2) {
            let end = pair[0].ts.unwrap() + pair[0].dur.unwrap();
            assert!(pair[0].dur.unwrap() >= 0.0 && pair[1].ts.unwrap() >= end - 1e-3, "{} and {}", pair[0].name, pair[1].name);
        }
    }
    let host: Vec<&str> = tracks[&(1, 1)].iter().map(|event| event.name.as_str()).collect();
    assert_eq!(host, ["upload", "encode", "submit", "wait"]);
    let steps = &tracks[&(2, 1)];
    assert_eq!(steps.len(), profile().steps.len());
    assert!(steps.iter().all(|step| step.args.contains_key("kernel") && step.args.contains_key("bound by")));
}

/// Read as XML: a bar and a point for each step, each with its name.
#[test]
fn a_picture_has_every_step_twice() {
    let svg = profile().svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let titles = |element: &str| {
        let elements = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", element)));
        let title = |node: roxmltree::Node| Some(node.first_element_child()?.text()?.lines().next()?.to_owned());
        elements.filter_map(title).collect::<Vec<String>>()
    };
    let mut expected: Vec<String> = profile().steps.iter().map(|step| step.name.clone()).collect();
    assert_eq!(titles("rect"), expected);
    let mut points = titles("circle");
    points.sort();
    expected.sort();
    assert_eq!(points, expected);
}

#[test]
fn a_plan_is_drawn_and_written() {
    let plan = Plan::new(&Config::densenet121().graph(224, 224).unwrap(), PlanOptions::default()).unwrap();
    let svg = plan.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let written = document.descendants().filter(|node| node.attribute("fill") == Some("#aa3377") && node.first_element_child().is_some());
    assert_eq!(written.count(), plan.steps().len());
    let json: serde_json::Value = serde_json::from_str(&plan.json()).unwrap();
    assert_eq!(json["byte_total"], plan.byte_total());
    let step = &json["steps"][2];
    assert_eq!(
        (step["name"].as_str(), &step["reads"]["channels"]),
        (Some("features.denseblock1.denselayer1.conv1"), &serde_json::json!([0, 64]))
    );
    assert_eq!(json["steps"].as_array().unwrap().len(), plan.steps().len());
}

#[test]
fn a_run_is_timed_as_a_whole_or_by_steps() {
    let engine = engine(true);
    let input = seeded_input(2, 3 * SIZE[0] * SIZE[1]);
    let whole = engine.time(Input::values(&input, SIZE), Granularity::Run).unwrap();
    assert_eq!(whole.passes.len(), 1);
    let steps = engine.time(Input::values(&input, SIZE), Granularity::Step).unwrap();
    assert_eq!(steps.passes.len(), engine.plan(1, SIZE[0], SIZE[1]).unwrap().steps().len());
    for timeline in [whole, steps] {
        let moments = [0.0, timeline.uploaded, timeline.encoded, timeline.submitted, timeline.finished];
        assert!(moments.is_sorted(), "{moments:?}");
        assert!(timeline.span() > 0.0 && timeline.span() <= timeline.finished, "{} {}", timeline.span(), timeline.finished);
    }
    assert!(engine.time(Input::values(&input[1..], SIZE), Granularity::Run).is_err());
}
