//! The plans of DenseNets: how many steps there are, what they compute and where they write.

use std::path::Path;

use densenet_wgpu::network::{Conv, Op, Window};
use densenet_wgpu::planning::{PlanOptions, Step};
use densenet_wgpu::{Config, Plan};

use crate::{densenet121, is_copy, plan};

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
