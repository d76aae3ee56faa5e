//! Every step of a plan, run on symbols, finds in memory what the graph says.

use densenet_wgpu::Config;
use densenet_wgpu::network::{HeadLayer, Nonlinearity, Stem};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

use crate::memory::Memory;
use crate::{graphs, is_copy, plan};

#[test]
fn a_block_of_flat_lists_is_as_good_as_one_of_pairs() {
    let flat = graphs::concats().into_iter().filter(|case| case.name.contains("flat lists"));
    for case in flat {
        let fused = plan(&case.graph, case.batch, true);
        assert!(!fused.steps().iter().any(is_copy), "{}:\n{fused}", case.name);
    }
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
