//! The network that a configuration describes, layer by layer.

use super::config::Config;
use super::stem::Stem;
use crate::error::Result;
use crate::graph::{Conv, Graph, Value};
use crate::head::HeadLayer;
use crate::shape::{Shape, Window};

impl Config {
    /// The network for pictures of `height` x `width` pixels.
    ///
    /// Layers have torchvision's module names, and those of the deep stem timm's, so that a checkpoint's keys, PyTorch's `named_modules()`
    /// and this graph agree. Errors if the picture is too small, or the parameters describe no network.
    pub fn graph(&self, height: usize, width: usize) -> Result<Graph> {
        self.check()?;
        let mut graph = Graph::new(Shape::new(self.in_channels, height, width));
        let mut x = self.stem(&mut graph)?;
        for (block, &layers) in self.block_config.iter().enumerate() {
            x = self.dense_block(&mut graph, &format!("features.denseblock{}", block + 1), x, layers)?;
            if block + 1 < self.block_config.len() {
                x = self.transition(&mut graph, &format!("features.transition{}", block + 1), x)?;
            }
        }
        x = graph.batch_norm("features.norm5", x, self.epsilon)?;
        graph.alias("features", x)?;
        if self.final_relu {
            x = graph.relu("relu", x)?;
        }
        let pooled = graph.global_avg_pool("global_pool", x)?;
        match self.num_classes {
            Some(classes) if self.head.is_empty() => drop(graph.linear("classifier", pooled, classes)?),
            Some(_) => drop(HeadLayer::append(&self.head, &mut graph, x, pooled)?),
            None => {}
        }
        Ok(graph)
    }

    fn stem(&self, graph: &mut Graph) -> Result<Value> {
        let x = graph.input();
        match self.stem {
            Stem::ImageNet => {
                let x = self.stem_layer(graph, 0, x, Conv::new(self.num_init_features, Window::square(7, 2, 3)))?;
                graph.max_pool("features.pool0", x, Window::square(3, 2, 1))
            }
            Stem::Deep { widths: [first, second], blur } => {
                let x = self.stem_layer(graph, 0, x, Conv::new(first, Window::square(3, 2, 1)))?;
                let x = self.stem_layer(graph, 1, x, Conv::new(second, Window::square(3, 1, 1)))?;
                let x = self.stem_layer(graph, 2, x, Conv::new(self.num_init_features, Window::square(3, 1, 1)))?;
                if !blur {
                    return graph.max_pool("features.pool0", x, Window::square(3, 2, 1));
                }
                let x = graph.max_pool("features.pool0.0", x, Window::square(3, 1, 1))?;
                let x = graph.blur_pool("features.pool0.1", x)?;
                graph.alias("features.pool0", x)?;
                Ok(x)
            }
            Stem::Cifar => graph.conv("features.conv0", x, Conv::new(self.num_init_features, Window::square(3, 1, 1))),
            Stem::Single { kernel, stride, bias, norm, pool } => {
                let conv = Conv { bias, ..Conv::new(self.num_init_features, Window::square(kernel, stride, kernel / 2)) };
                let x = if norm { self.stem_layer(graph, 0, x, conv)? } else { graph.conv("features.conv0", x, conv)? };
                if pool { graph.max_pool("features.pool0", x, Window::square(3, 2, 1)) } else { Ok(x) }
            }
        }
    }

    fn stem_layer(&self, graph: &mut Graph, number: usize, x: Value, conv: Conv) -> Result<Value> {
        let x = graph.conv(&format!("features.conv{number}"), x, conv)?;
        let x = graph.batch_norm(&format!("features.norm{number}"), x, self.epsilon)?;
        graph.relu(&format!("features.relu{number}"), x)
    }

    fn dense_block(&self, graph: &mut Graph, name: &str, mut x: Value, layers: usize) -> Result<Value> {
        for layer in 1..=layers {
            let new = self.dense_layer(graph, &format!("{name}.denselayer{layer}"), x)?;
            let joined = if layer == layers { name.to_owned() } else { format!("{name}.denselayer{}.concat", layer + 1) };
            x = graph.concat(&joined, &[x, new])?;
        }
        Ok(x)
    }

    fn dense_layer(&self, graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
        let growth = Conv::new(self.growth_rate, Window::square(3, 1, 1));
        let x = graph.batch_norm(&format!("{name}.norm1"), x, self.epsilon)?;
        let x = graph.relu(&format!("{name}.relu1"), x)?;
        let new = if self.bottleneck {
            let x = graph.conv(&format!("{name}.conv1"), x, Conv::new(self.bn_size * self.growth_rate, Window::square(1, 1, 0)))?;
            let x = graph.batch_norm(&format!("{name}.norm2"), x, self.epsilon)?;
            let x = graph.relu(&format!("{name}.relu2"), x)?;
            graph.conv(&format!("{name}.conv2"), x, growth)?
        } else {
            graph.conv(&format!("{name}.conv1"), x, growth)?
        };
        graph.alias(name, new)?;
        Ok(new)
    }

    fn transition(&self, graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
        let channels = self.compressed(graph.shape(x).channels);
        let x = graph.batch_norm(&format!("{name}.norm"), x, self.epsilon)?;
        let x = if self.transition_relu { graph.relu(&format!("{name}.relu"), x)? } else { x };
        let x = graph.conv(&format!("{name}.conv"), x, Conv::new(channels, Window::square(1, 1, 0)))?;
        let x = graph.avg_pool(&format!("{name}.pool"), x, Window::square(2, 2, 0))?;
        graph.alias(name, x)?;
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_stem_has_timms_names_and_shapes() {
        let blurred = Config::densenetblur121d();
        let graph = blurred.graph(224, 224).unwrap();
        let names: Vec<&str> = graph.nodes()[1..12].iter().map(|node| node.name.as_str()).collect();
        let convolutions = (0..3).flat_map(|number| ["conv", "norm", "relu"].map(|kind| format!("features.{kind}{number}")));
        assert_eq!(names, convolutions.chain(["features.pool0.0".into(), "features.pool0.1".into()]).collect::<Vec<_>>());
        let shape = |graph: &Graph, name: &str| graph.shape(graph.find(name).unwrap());
        assert_eq!(shape(&graph, "features.relu1"), Shape::new(32, 112, 112));
        assert_eq!(shape(&graph, "features.pool0.0"), Shape::new(64, 112, 112));
        assert_eq!(shape(&graph, "features.pool0"), Shape::new(64, 56, 56));
        assert_eq!(graph.find("features.pool0").unwrap(), graph.find("features.pool0.1").unwrap());
        let odd = Config::densenet264d().graph(97, 131).unwrap();
        assert_eq!(shape(&odd, "features.relu2"), Shape::new(96, 49, 66));
        assert_eq!(shape(&odd, "features.pool0"), Shape::new(96, 25, 33));
        assert!(odd.find("features.pool0.1").is_err());
    }

    #[test]
    fn without_the_final_relu_the_norm_is_pooled() {
        let config = Config { final_relu: false, ..Config::densenet121() };
        let graph = config.graph(224, 224).unwrap();
        let pool = graph.node(graph.find("global_pool").unwrap());
        assert_eq!(pool.inputs, [graph.find("features.norm5").unwrap()]);
        assert!(graph.find("relu").is_err());
        assert_eq!(config.name(), None);
    }

    #[test]
    fn the_smallest_picture_is_torchvisions() {
        assert!(Config::densenet121().graph(29, 29).is_ok());
        let message = Config::densenet121().graph(28, 29).unwrap_err().to_string();
        assert!(message.contains("3x28x29") && message.contains("features.transition3.pool"), "{message}");
    }
}
