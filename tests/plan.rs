//! Plans: what they hold, and that every step finds in memory what the graph says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use densenet_wgpu::internal::{Pack, Region, Shader};
use densenet_wgpu::network::{Conv, HeadLayer, Node, Nonlinearity, Op, Shape, Stem, Window};
use densenet_wgpu::planning::{PlanOptions, Step};
use densenet_wgpu::tuning::{Capabilities, Tile, Tuning, Workgroup};
use densenet_wgpu::{Config, Error, Graph, Plan, Precision};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

#[path = "common/graphs.rs"]
mod graphs;

/// The plan for a software device, whose kernels are the strictest about memory: one reads and writes whole quads.
fn plan(graph: &Graph, batch: usize, fusion: bool) -> Plan {
    let capabilities = Capabilities { software: true, subgroup: Some([8, 8]), ..Default::default() };
    let tuning = Tuning::new(capabilities);
    Plan::new(graph, PlanOptions::default().with_batch(batch).with_fusion(fusion).with_tuning(tuning)).unwrap()
}

fn densenet121(height: usize, width: usize) -> Graph {
    Config::densenet121().graph(height, width).unwrap()
}

fn is_copy(step: &Step) -> bool {
    step.kernel.variant.shader() == Shader::Copy
}

#[test]
fn densenet121_is_planned_as_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/densenet121.plan.txt");
    let text = Plan::new(&densenet121(224, 224), PlanOptions::default()).unwrap().to_string();
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = golden.lines().zip(text.lines()).enumerate().find(|(_, (golden, now))| golden != now);
    let (line, (golden_line, now)) = differing.unwrap_or((golden.lines().count().min(text.lines().count()), ("the end", "or another end")));
    assert!(
        text == golden,
        "the plan differs from {} from line {} on:\n  was: {golden_line}\n  now: {now}\n\
         If that is meant: `BLESS=1 cargo test --test plan`, then review the difference with `git diff tests/golden`",
        path.display(),
        line + 1,
    );
}

#[test]
fn matrix_units_compute_convolutions_where_they_can() {
    let gpu = Capabilities {
        subgroup: Some([32, 32]),
        f16: true,
        discrete: true,
        matrix: Some(16),
        workgroup: Workgroup { invocations: 1024, bytes: 48 << 10 },
        ..Default::default()
    };
    let shaders = |capabilities: Capabilities, precision: Precision, batch: usize| -> HashSet<Shader> {
        let tuning = Tuning::new(capabilities).with_precision(precision);
        let plan = Plan::new(&densenet121(224, 224), PlanOptions::default().with_batch(batch).with_tuning(tuning)).unwrap();
        plan.steps().iter().map(|step| step.kernel.variant.shader()).filter(|shader| shader.name().starts_with("conv")).collect()
    };
    let small = Workgroup::default();
    for able in [gpu, Capabilities { discrete: false, ..gpu }, Capabilities { workgroup: small, ..gpu }] {
        for batch in [1, 16] {
            assert_eq!(shaders(able, Precision::F16, batch), [Shader::ConvMatrix].into(), "{able:?}, batch {batch}");
        }
    }
    assert_eq!(shaders(gpu, Precision::F32, 1), [Shader::ConvTiled].into());
    for unable in [
        Capabilities { matrix: None, ..gpu },
        Capabilities { subgroup: None, ..gpu },
        Capabilities { subgroup: Some([4, 16]), ..gpu },
        Capabilities { workgroup: Workgroup { bytes: 8 << 10, ..small }, ..gpu },
    ] {
        assert_eq!(shaders(unable, Precision::F16, 1), [Shader::ConvTiled].into(), "{unable:?}");
    }
    // A stem's three channels would leave most of a matrix's depth empty.
    let plan =
        Plan::new(&densenet121(224, 224), PlanOptions::default().with_tuning(Tuning::new(gpu).with_precision(Precision::F16))).unwrap();
    let folded = plan.steps().iter().map(|step| step.kernel.variant.to_string().contains(" folded"));
    assert_eq!(folded.enumerate().filter_map(|(index, folded)| folded.then_some(index)).collect::<Vec<_>>(), [0]);
    let software = shaders(Capabilities { software: true, ..gpu }, Precision::F16, 1);
    assert!(!software.contains(&Shader::ConvMatrix), "{software:?}");
}

/// The tiles that the rule chooses for a DenseNet-121.
fn tiles(capabilities: Capabilities, precision: Precision, batch: usize) -> HashSet<Tile> {
    let tuning = Tuning::new(capabilities).with_precision(precision);
    let plan = Plan::new(&densenet121(224, 224), PlanOptions::default().with_batch(batch).with_tuning(tuning)).unwrap();
    plan.steps().iter().filter_map(|step| step.tile).map(|(tile, _)| tile).collect()
}

fn size(tile: &Tile, name: &str) -> usize {
    tile.sizes().into_iter().find(|(constant, _)| *constant == name).unwrap().1
}

/// Drivers choose within the range: AMD's takes 64 lanes where matrices are multiplied.
#[test]
fn matrix_units_are_used_with_the_largest_subgroups() {
    let workgroup = Workgroup { invocations: 1024, bytes: 64 << 10 };
    let gpu = Capabilities { f16: true, discrete: true, matrix: Some(16), workgroup, ..Default::default() };
    for (range, lanes) in [([32, 64], 64), ([64, 64], 64), ([32, 32], 32), ([8, 32], 32)] {
        let tiles = tiles(Capabilities { subgroup: Some(range), ..gpu }, Precision::F16, 8);
        assert!(tiles.iter().all(|tile| size(tile, "SUBGROUP") == lanes), "{range:?}: {tiles:?}");
    }
    // Where those are wrong on a device, there are others.
    let (_, convolution) = plan(&densenet121(224, 224), 1, true).steps()[0].tile.unwrap();
    let tuning = Tuning::new(Capabilities { subgroup: Some([32, 64]), ..gpu }).with_precision(Precision::F16);
    let wrong = Tile::all().filter(|other| other.shader() == Shader::ConvMatrix && size(other, "SUBGROUP") == 64);
    let others = tuning.excluding(wrong);
    assert_eq!(size(&others.tile(&convolution).unwrap(), "SUBGROUP"), 32);
}

/// Intel's GPUs keep more in memory.
#[test]
fn no_tile_has_more_sums_than_a_gpu_has_registers() {
    let sums = |tile: &Tile| size(tile, "THREAD_CHANNELS") * size(tile, "THREAD_PIXELS");
    let most = |subgroup| {
        let gpu = Capabilities { subgroup, discrete: true, ..Default::default() };
        [1, 32].iter().flat_map(|&batch| tiles(gpu, Precision::F32, batch)).map(|tile| sums(&tile)).max()
    };
    assert_eq!([Some([8, 32]), Some([16, 32])].map(most), [Some(32); 2]);
    assert_eq!([Some([32, 32]), Some([64, 64]), None].map(most), [Some(64); 3]);
}

#[test]
fn densenet121_needs_the_operations_it_should() {
    let fused = plan(&densenet121(224, 224), 1, true);
    let gigaflops = |plan: &Plan| plan.flops() as f64 / 1e9;
    // Transitions pool before they convolve; unfused they do not.
    assert!((gigaflops(&fused) - 5.206).abs() < 0.01, "{} GFLOP", gigaflops(&fused));
    let unfused = plan(&densenet121(224, 224), 1, false);
    assert!((gigaflops(&unfused) - 5.67).abs() < 0.01, "{} GFLOP", gigaflops(&unfused));
    assert_eq!(plan(&densenet121(224, 224), 3, true).flops(), 3 * fused.flops());
}

#[test]
fn fusion_leaves_no_copies_and_one_kernel_for_each_convolution() {
    let graph = densenet121(224, 224);
    let fused = plan(&graph, 1, true);
    let copies: Vec<&str> = fused.steps().iter().filter(|step| is_copy(step)).map(|step| step.name.as_str()).collect();
    assert!(copies.is_empty(), "copied: {copies:?}");
    let convolutions = graph.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_))).count();
    // A max pool, three transitions' pools, the global mean and the classifier besides.
    assert_eq!(fused.steps().len(), convolutions + 6);

    let unfused = plan(&graph, 1, false);
    let (copies, others): (Vec<&Step>, Vec<&Step>) = unfused.steps().iter().partition(|step| is_copy(step));
    let parts: usize = graph.nodes().iter().filter(|node| node.op == Op::Concat).map(|node| node.inputs.len()).sum();
    assert_eq!(copies.len(), parts, "every part of every concat is copied");
    let operations: Vec<&str> = graph.nodes()[1..].iter().filter(|node| node.op != Op::Concat).map(|node| node.name.as_str()).collect();
    assert_eq!(others.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), operations, "one step for each operation");
    assert!(fused.byte_total() < unfused.byte_total());
}

#[test]
fn a_deep_stem_with_a_blur_pool_is_five_steps() {
    let plan = plan(&Config::densenetblur121d().graph(224, 224).unwrap(), 2, true);
    let [stem @ .., blur] = &plan.steps()[..5] else { unreachable!("five steps") };
    let names: Vec<&str> = stem.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["features.conv0", "features.conv1", "features.conv2", "features.pool0.0"]);
    assert_eq!((blur.name.as_str(), blur.kernel.variant.to_string().as_str()), ("features.pool0.1", "blur_pool 64"));
    assert_eq!((blur.flops, blur.bytes, blur.pack), (0, 4 * 2 * 64 * (112 * 112 + 56 * 56), None));
}

#[test]
fn the_last_norm_joins_the_global_pool_with_or_without_a_relu() {
    for (final_relu, layers) in [(true, &["features.norm5", "relu", "global_pool"][..]), (false, &["features.norm5", "global_pool"])] {
        let plan = plan(&Config::densenet121().with_final_relu(final_relu).graph(224, 224).unwrap(), 1, true);
        let step = plan.steps().iter().find(|step| step.name == "global_pool").unwrap();
        assert_eq!(step.layers, layers);
    }
}

#[test]
fn every_layer_is_computed_once_in_a_fused_densenet() {
    let graph = densenet121(224, 224);
    let fused = plan(&graph, 1, true);
    let mut computed: Vec<&str> = fused.steps().iter().flat_map(|step| &step.layers).map(String::as_str).collect();
    let mut operations: Vec<&str> = graph.nodes()[1..].iter().filter(|node| node.op != Op::Concat).map(|node| node.name.as_str()).collect();
    computed.sort_unstable();
    operations.sort_unstable();
    assert_eq!(computed, operations);
}

#[test]
fn a_dense_layer_writes_right_after_those_before_it() {
    for (batch, [height, width]) in [(1, [224, 224]), (3, [97, 131])] {
        let config = Config::densenet121();
        let fused = plan(&config.graph(height, width).unwrap(), batch, true);
        let step = |name: String| fused.steps().iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no step {name}"));
        let mut channels = config.num_init_features;
        for (block, &layers) in config.block_config.iter().enumerate() {
            let mut block_buffer = None;
            for layer in 1..=layers {
                let name = format!("features.denseblock{}.denselayer{layer}", block + 1);
                let (reads, writes) = (step(format!("{name}.conv1")).source, step(format!("{name}.conv2")).target);
                assert_eq!((reads.element_offset, reads.shape.channels), (0, channels), "{name} reads all before it");
                assert_eq!(writes.element_offset, channels * writes.element_plane, "{name} writes after them");
                assert_eq!(writes.shape.channels, config.growth_rate, "{name}");
                assert_eq!((reads.buffer, reads.element_plane), (writes.buffer, writes.element_plane), "{name}: one growing buffer");
                assert_eq!(*block_buffer.get_or_insert(reads.buffer), reads.buffer, "{name}: one buffer for the whole block");
                channels += config.growth_rate;
            }
            channels = config.compressed(channels);
        }
    }
}

#[test]
fn a_block_of_flat_lists_is_as_good_as_one_of_pairs() {
    let flat = graphs::concats().into_iter().filter(|case| case.name.contains("flat lists"));
    for case in flat {
        let fused = plan(&case.graph, case.batch, true);
        assert!(!fused.steps().iter().any(is_copy), "{}:\n{fused}", case.name);
    }
}

#[test]
fn weights_are_packed_alike_for_every_size_and_batch() {
    for fusion in [true, false] {
        let packs = plan(&densenet121(224, 224), 1, fusion).packs().to_vec();
        for (batch, [height, width]) in [(3, [224, 224]), (1, [97, 131]), (2, [32, 640])] {
            let other = plan(&densenet121(height, width), batch, fusion);
            assert!(other.packs() == packs, "batch {batch}, {height}x{width}: the engine uploads weights once for all");
        }
    }
}

#[test]
fn weight_buffers_stay_below_the_limit() {
    let options = PlanOptions::default().with_byte_weight_buffer(1 << 20);
    let small = Plan::new(&densenet121(224, 224), options).unwrap();
    let largest = small.packs().iter().map(|packed| 4 * packed.pack.elements() as u64).max().unwrap();
    assert!(small.byte_weight_buffers().count() > 20);
    assert!(small.byte_weight_buffers().all(|bytes| bytes <= largest.max(1 << 20)));
    let mut ends = HashMap::new();
    for packed in small.packs() {
        let end = ends.entry(packed.buffer).or_insert(0);
        assert_eq!(packed.element_offset, *end, "packs follow each other");
        *end += packed.pack.elements();
    }
    for (buffer, bytes) in small.byte_weight_buffers().enumerate() {
        assert_eq!(4 * ends[&buffer] as u64, bytes);
    }
}

/// For what the engine allocates: little more than is alive at once.
#[test]
fn buffers_hold_little_more_than_is_alive_at_once() {
    for name in Config::names() {
        for (batch, [height, width]) in [(1, [224, 224]), (8, [224, 224]), (3, [97, 131]), (1, [640, 480])] {
            let plan = plan(&Config::named(name).unwrap().graph(height, width).unwrap(), batch, true);
            let weights: u64 = plan.byte_weight_buffers().sum();
            assert_eq!(plan.byte_total(), weights + plan.byte_buffers().sum::<u64>());
            assert!(plan.byte_peak() <= plan.byte_buffers().sum(), "{name}: more is alive than there is memory");
            let allowed = 1.05 * (weights + plan.byte_peak()) as f64 + f64::from(4 << 20);
            assert!(plan.byte_total() as f64 <= allowed, "{name}, {batch} x {height}x{width}: {allowed} bytes allowed\n{plan}");
        }
    }
}

#[test]
fn networks_without_parameters_have_plans() {
    let mut graph = Graph::new(Shape::new(3, 8, 8));
    let x = graph.max_pool("pool", graph.input(), Window::square(2, 2, 0)).unwrap();
    let x = graph.relu("relu", x).unwrap();
    let x = graph.concat("both", &[x, x]).unwrap();
    graph.global_avg_pool("mean", x).unwrap();
    for (network, fusion) in [(&graph, true), (&graph, false), (&Graph::new(Shape::new(3, 8, 8)), true)] {
        let plan = plan(network, 2, fusion);
        let needless = |packed: &Pack| matches!(packed, Pack::Norm { norm: None, .. });
        assert!(plan.packs().iter().all(|packed| needless(&packed.pack)), "{:?}", plan.packs());
        assert_eq!(plan.flops(), 0);
        assert!(!plan.steps().is_empty());
        plan.to_string();
    }
}

#[test]
fn batches_and_pictures_that_nothing_can_hold_are_refused() {
    let graph = densenet121(224, 224);
    let refused = |batch| Plan::new(&graph, PlanOptions::default().with_batch(batch)).unwrap_err();
    assert!(matches!(refused(0), Error::Input { .. }), "{}", refused(0));
    assert!(refused(0).to_string().contains("at least 1"), "{}", refused(0));

    // The kernels' indices are 32-bit numbers.
    let single = plan(&graph, 1, true).byte_buffers().max().unwrap();
    let largest = (u64::from(u32::MAX) / single) as usize;
    plan(&graph, largest, true);
    for batch in [largest + 1, 1 << 20, 1 << 40, usize::MAX] {
        let error = refused(batch);
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{batch} images of 3x224x224")), "{error}");
    }

    let mut enormous = Graph::new(Shape::new(3, 1 << 40, 1 << 40));
    enormous.relu("relu", enormous.input()).unwrap();
    let error = Plan::new(&enormous, PlanOptions::default()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");

    let mut empty = Graph::new(Shape::new(3, 0, 5));
    empty.relu("relu", empty.input()).unwrap();
    let error = Plan::new(&empty, PlanOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Input { .. }) && error.to_string().contains("3x0x5"), "{error}");
}

#[test]
fn the_text_names_every_step_and_all_memory() {
    let plan = plan(&densenet121(97, 131), 3, true);
    let text = plan.to_string();
    assert!(text.starts_with("3 x 3x97x131 -> 3 x 1000x1x1, fused: "), "{text}");
    for step in plan.steps() {
        assert!(text.lines().any(|line| line.split(' ').next() == Some(step.name.as_str())), "{} is missing in\n{text}", step.name);
    }
    assert_eq!(text.lines().filter(|line| line.starts_with("buffer ")).count(), plan.byte_buffers().count());
    assert_eq!(text.lines().filter(|line| line.starts_with("weights ")).count(), plan.byte_weight_buffers().count());
}

#[test]
fn every_step_of_the_odd_networks_finds_what_the_graph_says() {
    let mut failures = Vec::new();
    for case in graphs::tables() {
        for fusion in [true, false] {
            let walked = Memory::walk(&case.graph, &plan(&case.graph, case.batch, fusion));
            failures.extend(walked.err().map(|e| format!("{}, fusion {fusion}: {e}", case.name)));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_step_of_densenets_finds_what_the_graph_says() {
    let cifar = Config::imagenet(12, &[4, 4, 4], 24).with_classes(Some(10)).with_stem(Stem::Cifar);
    let plain = cifar.clone().with_compression(1.0).with_bottleneck(false);
    let featureless = Config::imagenet(5, &[2, 3, 1], 7).with_classes(None);
    let cases = [(Config::densenet121(), 1, [224, 224]), (Config::densenet201(), 3, [37, 61]), (cifar, 3, [33, 29]), (plain, 2, [32, 32])];
    let norm_last = Config::imagenet(6, &[2, 3], 9).with_final_relu(false);
    let layers = [
        HeadLayer::MaxMeanPool,
        HeadLayer::BatchNorm { epsilon: 1e-3 },
        HeadLayer::Linear { features: 7 },
        HeadLayer::Relu,
        HeadLayer::BatchNorm { epsilon: 1e-3 },
        HeadLayer::Nonlinearity(Nonlinearity::Gelu),
        HeadLayer::Linear { features: 3 },
    ];
    let headed = Config::imagenet(4, &[2, 2], 8).with_head(layers.to_vec()).with_transition_relu(false);
    let slow = Config::imagenet(4, &[2, 2], 8).with_stem(Stem::Single { kernel: 5, stride: 1, bias: true, norm: true, pool: true });
    let others = [
        (featureless, 3, [41, 67]),
        (norm_last, 2, [38, 51]),
        (Config::densenet264d(), 1, [32, 47]),
        (Config::densenetblur121d(), 3, [45, 32]),
        (headed, 3, [41, 32]),
        (slow, 2, [20, 24]),
    ];
    for (config, batch, [height, width]) in cases.into_iter().chain(others) {
        let graph = config.graph(height, width).unwrap();
        for fusion in [true, false] {
            Memory::walk(&graph, &plan(&graph, batch, fusion)).unwrap_or_else(|e| panic!("{config:?}, fusion {fusion}: {e}"));
        }
    }
}

#[test]
fn every_layer_can_be_the_output() {
    let mut graph = Config::imagenet(4, &[2, 2], 6).with_classes(Some(4)).graph(33, 35).unwrap();
    for value in graph.values() {
        graph.set_output(value).unwrap();
        for fusion in [true, false] {
            let name = &graph.node(value).name;
            Memory::walk(&graph, &plan(&graph, 2, fusion)).unwrap_or_else(|e| panic!("{name}, fusion {fusion}: {e}"));
        }
    }
}

/// Also a value twice, and the input.
#[test]
fn any_two_layers_can_be_the_outputs() {
    let mut graph = Config::imagenet(4, &[1, 2], 6).with_classes(Some(4)).graph(33, 35).unwrap();
    for first in graph.values() {
        for second in graph.values() {
            graph.set_outputs(&[first, second]).unwrap();
            for fusion in [true, false] {
                let names = [first, second].map(|value| graph.node(value).name.as_str());
                Memory::walk(&graph, &plan(&graph, 2, fusion)).unwrap_or_else(|e| panic!("{names:?}, fusion {fusion}: {e}"));
            }
        }
    }
}

/// What a network makes besides costs no other step: the logits keep their bits.
#[test]
fn a_second_output_changes_no_step_of_the_first() {
    let mut graph = Config::densenet121().graph(224, 224).unwrap();
    let alone = plan(&graph, 2, true);
    let logits = graph.output();
    let last = graph.find("relu").unwrap();
    let map = graph.conv("map", last, Conv::new(1000, Window::square(1, 1, 0))).unwrap();
    graph.set_outputs(&[logits, map]).unwrap();
    let both = plan(&graph, 2, true);
    let variants = |plan: &Plan| plan.steps().iter().map(|step| (step.layers.clone(), step.kernel.variant.to_string())).collect::<Vec<_>>();
    let [with, without] = [variants(&both), variants(&alone)];
    assert_eq!(with[..without.len()], without);
    let added: Vec<&str> = both.steps()[without.len()..].iter().map(|step| step.name.as_str()).collect();
    assert_eq!(added, ["map", "output"]);
    let map = &both.steps()[without.len()];
    assert_eq!(map.layers, ["features.norm5", "relu", "map"], "it takes the norm as its prologue");
    assert!(both.to_string().starts_with("2 x 3x224x224 -> 2 x 1000x1x1, 2 x 1000x7x7, fused"), "{both}");
}

/// The same networks on every run; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more or others.
#[test]
fn every_step_of_random_networks_finds_what_the_graph_says() {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 2000;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    proptest::test_runner::TestRunner::new(config)
        .run(&(graphs::random(), any::<bool>()), |(case, fusion)| {
            Memory::walk(&case.graph, &plan(&case.graph, case.batch, fusion)).map_err(TestCaseError::fail)
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// What one channel of a tensor is: an index into [`Symbols::terms`]. Equal symbols, equal values.
type Symbol = u32;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Term {
    Input {
        channel: usize,
    },
    /// A channel by itself: pools, and ReLU; the operation in words.
    Of {
        operation: String,
        channel: Symbol,
    },
    /// Something with weights: layer and channel tell which, all that it reads tells what of.
    Weighted {
        layer: String,
        channel: usize,
        inputs: Vec<Symbol>,
    },
}

/// The graph's values as terms.
#[derive(Default)]
struct Symbols {
    terms: Vec<Term>,
    known: HashMap<Term, Symbol>,
    /// Layers that are 1x1 convolutions: mean pools without padding may be swapped with them.
    pointwise: HashMap<String, Node>,
    /// Every value of the graph, and what is between a mean pool and the 1x1 convolution it was swapped with.
    values: HashSet<Vec<Symbol>>,
}

impl Symbols {
    fn symbol(&mut self, term: Term) -> Symbol {
        let next = self.terms.len() as Symbol;
        let symbol = *self.known.entry(term.clone()).or_insert(next);
        if symbol == next {
            self.terms.push(term);
        }
        symbol
    }

    fn input(&mut self, channels: usize) -> Vec<Symbol> {
        (0..channels).map(|channel| self.symbol(Term::Input { channel })).collect()
    }

    /// What `node` makes of `inputs`.
    fn apply(&mut self, node: &Node, inputs: &[Symbol]) -> Vec<Symbol> {
        let layer = || node.name.clone();
        match node.op {
            Op::Input | Op::Concat => inputs.to_vec(),
            Op::Conv(Conv { out_channels: channels, .. }) | Op::Linear { out_features: channels } => {
                if matches!(node.op, Op::Conv(conv) if conv.window == Window::square(1, 1, 0)) {
                    self.pointwise.insert(layer(), node.clone());
                }
                (0..channels).map(|channel| self.symbol(Term::Weighted { layer: layer(), channel, inputs: inputs.to_vec() })).collect()
            }
            Op::BatchNorm { .. } => {
                let norm =
                    |(channel, &input): (usize, &Symbol)| self.symbol(Term::Weighted { layer: layer(), channel, inputs: vec![input] });
                inputs.iter().enumerate().map(norm).collect()
            }
            Op::AvgPool(window) if window.padding == [0, 0] => {
                if let Some((conv, before)) = self.convolved(inputs) {
                    let pooled = self.apply(node, &before);
                    self.values.insert(pooled.clone());
                    return self.apply(&conv, &pooled);
                }
                self.each(node, inputs)
            }
            Op::Relu | Op::Nonlinearity(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::BlurPool | Op::GlobalAvgPool | Op::GlobalMaxPool => {
                self.each(node, inputs)
            }
            other => panic!("no rule for {other:?}"),
        }
    }

    fn each(&mut self, node: &Node, inputs: &[Symbol]) -> Vec<Symbol> {
        let operation = format!("{:?}", node.op);
        inputs.iter().map(|&channel| self.symbol(Term::Of { operation: operation.clone(), channel })).collect()
    }

    /// Where `values` are all that a 1x1 convolution makes: that layer and what it reads.
    fn convolved(&self, values: &[Symbol]) -> Option<(Node, Vec<Symbol>)> {
        let Term::Weighted { layer, inputs, .. } = &self.terms[values[0] as usize] else { return None };
        let conv = self.pointwise.get(layer)?;
        let is_channel = |(at, &value): (usize, &Symbol)| matches!(&self.terms[value as usize], Term::Weighted { layer: l, channel, inputs: i } if l == layer && *channel == at && i == inputs);
        let all = values.len() == conv.shape.channels && values.iter().enumerate().all(is_channel);
        all.then(|| (conv.clone(), inputs.clone()))
    }

    /// Every value of the graph.
    fn of(graph: &Graph) -> (Self, Vec<Vec<Symbol>>) {
        let mut symbols = Self::default();
        let mut values: Vec<Vec<Symbol>> = Vec::new();
        for node in graph.nodes() {
            let inputs: Vec<Symbol> = node.inputs.iter().flat_map(|x| values[x.index()].clone()).collect();
            let value = if node.op == Op::Input { symbols.input(node.shape.channels) } else { symbols.apply(node, &inputs) };
            symbols.values.insert(value.clone());
            values.push(value);
        }
        (symbols, values)
    }
}

/// What an element of a buffer holds: which pixel of which image, of which channel; and the step that wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Element {
    symbol: Symbol,
    image: u32,
    pixel: u32,
    writer: usize,
}

/// All activation buffers, element by element; `None` is what nobody wrote, or what is written beyond a plane's pixels.
struct Memory<'a> {
    plan: &'a Plan,
    buffers: Vec<Vec<Option<Element>>>,
}

impl<'a> Memory<'a> {
    /// Runs `plan` on symbols: each step must find a value of the graph in all of its source, and the output must be the
    /// graph's.
    fn walk(graph: &Graph, plan: &'a Plan) -> Result<(), String> {
        let (mut symbols, values) = Symbols::of(graph);
        let buffers = plan.byte_buffers().map(|bytes| vec![None; bytes as usize / size_of::<f32>()]).collect();
        let mut memory = Memory { plan, buffers };
        memory.write(plan.input(), &values[0], usize::MAX)?;
        for (index, step) in plan.steps().iter().enumerate() {
            let found = memory.step(graph, &mut symbols, index, step);
            found.map_err(|e| format!("step {index}, {}: {e}\n{plan}", step.name))?;
        }
        assert_eq!(plan.outputs().len(), graph.outputs().len());
        for (index, (&region, &value)) in plan.outputs().iter().zip(graph.outputs()).enumerate() {
            let output = memory.read(region).map_err(|e| format!("output {index}: {e}\n{plan}"))?;
            let Region { element_offset, element_plane, element_image, shape, .. } = region;
            let dense = (element_offset, element_plane, element_image) == (0, shape.pixels(), shape.elements());
            if output != values[value.index()] || shape != graph.shape(value) || !dense {
                return Err(format!("output {index} is not the graph's\n{plan}"));
            }
        }
        Ok(())
    }

    fn step(&mut self, graph: &Graph, symbols: &mut Symbols, index: usize, step: &Step) -> Result<(), String> {
        if step.source.buffer == step.target.buffer {
            return Err("reads and writes one buffer, which WebGPU forbids".into());
        }
        let mut value = self.read(step.source)?;
        if !symbols.values.contains(&value) {
            return Err("reads what is no value of the graph".into());
        }
        for layer in &step.layers {
            // A copy of the output is named so, and is no layer.
            match graph.find(layer) {
                Ok(node) => value = symbols.apply(graph.node(node), &value),
                Err(_) if layer == "output" => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        self.write(step.target, &value, index)?;
        if step.kernel.variant.shader() == Shader::Conv1x1 {
            self.spoil_padding(step.target);
        }
        Ok(())
    }

    /// The symbol of each of the region's channels; an error where not all of a channel's pixels are of one.
    fn read(&self, region: Region) -> Result<Vec<Symbol>, String> {
        let mut channels = Vec::new();
        for channel in 0..region.shape.channels {
            let mut symbol = None;
            for (element, image, pixel) in elements(region, channel) {
                let found = self.buffers[region.buffer].get(element).ok_or_else(|| format!("reads beyond the buffer of {region:?}"))?;
                let Some(found) = found else { return Err(format!("reads channel {channel} of {region:?}, which nobody wrote")) };
                if (found.image, found.pixel) != (image, pixel) || *symbol.get_or_insert(found.symbol) != found.symbol {
                    let writer = self.plan.steps().get(found.writer).map_or("the input", |step| step.name.as_str());
                    return Err(format!(
                        "reads channel {channel} of {region:?}: at image {image}, pixel {pixel} it finds image {}, pixel {} of a tensor written by {writer}",
                        found.image, found.pixel,
                    ));
                }
            }
            channels.push(symbol.ok_or("a region without pixels")?);
        }
        Ok(channels)
    }

    fn write(&mut self, region: Region, value: &[Symbol], writer: usize) -> Result<(), String> {
        if value.len() != region.shape.channels {
            return Err(format!("writes {} channels into {region:?}", value.len()));
        }
        for (channel, &symbol) in value.iter().enumerate() {
            for (element, image, pixel) in elements(region, channel) {
                let buffer = &mut self.buffers[region.buffer];
                let place = buffer.get_mut(element).ok_or_else(|| format!("writes beyond the buffer of {region:?}"))?;
                *place = Some(Element { symbol, image, pixel, writer });
            }
        }
        Ok(())
    }

    /// The 1x1 convolution writes whole quads: up to three elements after a plane's pixels.
    fn spoil_padding(&mut self, region: Region) {
        for channel in 0..region.shape.channels {
            let plane = region.element_offset + channel * region.element_plane;
            let pixels = region.pixels();
            self.buffers[region.buffer][plane + pixels..plane + pixels.next_multiple_of(4)].fill(None);
        }
    }
}

/// Where a channel's elements lie, with their image and pixel.
fn elements(region: Region, channel: usize) -> impl Iterator<Item = (usize, u32, u32)> {
    let Region { element_offset, element_plane, element_image, shape, batch, .. } = region;
    (0..batch).flat_map(move |image| {
        let first = element_offset + image * element_image + channel * element_plane;
        (0..shape.pixels()).map(move |pixel| (first + pixel, image as u32, pixel as u32))
    })
}
