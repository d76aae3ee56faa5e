//! The verbs that build a graph, one per operation.

use super::{Conv, Graph, Op, Value, graph_error};
use crate::error::{Error, Result};
use crate::nonlinearity::Nonlinearity;
use crate::shape::{Shape, Window};

impl Graph {
    /// Convolves `x`. Errors if the window does not fit in `x`.
    pub fn conv(&mut self, name: &str, x: Value, conv: Conv) -> Result<Value> {
        let found = conv.out_channels.to_string();
        self.expect(name, conv.out_channels > 0, "at least one output channel", found)?;
        let [height, width] = self.slide(name, x, conv.window)?;
        self.add(name, Op::Conv(conv), vec![x], Shape::new(conv.out_channels, height, width))
    }

    /// Normalises each channel with its running statistics; torch's `epsilon` is `1e-5`.
    pub fn batch_norm(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value> {
        self.expect(name, epsilon.is_finite() && epsilon >= 0.0, "an epsilon of at least 0", epsilon.to_string())?;
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::BatchNorm { epsilon }, vec![x], shape)
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::Relu, vec![x], shape)
    }

    /// Applies another function than ReLU to each element. Errors if a slope is not finite.
    pub fn nonlinearity(&mut self, name: &str, x: Value, nonlinearity: Nonlinearity) -> Result<Value> {
        if let Nonlinearity::LeakyRelu { slope } = nonlinearity {
            self.expect(name, slope.is_finite(), "a finite slope", slope.to_string())?;
        }
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::Nonlinearity(nonlinearity), vec![x], shape)
    }

    /// Maximum over a window. Errors if the padding exceeds half the kernel, as PyTorch does.
    pub fn max_pool(&mut self, name: &str, x: Value, window: Window) -> Result<Value> {
        let shape = self.pooled(name, x, window)?;
        self.add(name, Op::MaxPool(window), vec![x], shape)
    }

    /// Mean over a window, padding counted as zeros. Errors if the padding exceeds half the kernel, as PyTorch does.
    pub fn avg_pool(&mut self, name: &str, x: Value, window: Window) -> Result<Value> {
        let shape = self.pooled(name, x, window)?;
        self.add(name, Op::AvgPool(window), vec![x], shape)
    }

    /// [`Op::BlurPool`]: `[C, H, W]` to `[C, ceil(H / 2), ceil(W / 2)]`. Errors if a side is below 2, which is too small to mirror.
    pub fn blur_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let Shape { channels, height, width } = self.checked_shape(name, x)?;
        if height < 2 || width < 2 {
            return Err(Error::TooSmall { layer: name.into(), input: self.input_shape(), height, width });
        }
        self.add(name, Op::BlurPool, vec![x], Shape::new(channels, height.div_ceil(2), width.div_ceil(2)))
    }

    /// Concatenates the channels of `inputs`. Errors if heights or widths differ.
    pub fn concat(&mut self, name: &str, inputs: &[Value]) -> Result<Value> {
        let shapes = inputs.iter().map(|&x| self.checked_shape(name, x)).collect::<Result<Vec<_>>>()?;
        let Some(first) = shapes.first().copied() else {
            return Err(graph_error(name, "at least one input", "none"));
        };
        for shape in &shapes {
            let same = (shape.height, shape.width) == (first.height, first.width);
            self.expect(name, same, &format!("every input {}x{}", first.height, first.width), shape.to_string())?;
        }
        let channels = shapes.iter().try_fold(0usize, |sum, shape| sum.checked_add(shape.channels));
        let channels = channels.ok_or_else(|| graph_error(name, "fewer channels", "more than can be counted"))?;
        self.add(name, Op::Concat, inputs.to_vec(), Shape { channels, ..first })
    }

    /// Mean of each channel: `[C, H, W]` to `[C, 1, 1]`.
    pub fn global_avg_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::GlobalAvgPool, vec![x], Shape::new(shape.channels, 1, 1))
    }

    /// Maximum of each channel: `[C, H, W]` to `[C, 1, 1]`.
    pub fn global_max_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::GlobalMaxPool, vec![x], Shape::new(shape.channels, 1, 1))
    }

    /// Fully connected layer with a bias: `[C, 1, 1]` to `[out_features, 1, 1]`.
    pub fn linear(&mut self, name: &str, x: Value, out_features: usize) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.expect(name, shape.pixels() == 1, "an input of 1x1 pixels (pool it first)", shape.to_string())?;
        self.expect(name, out_features > 0, "at least one output feature", out_features.to_string())?;
        self.add(name, Op::Linear { out_features }, vec![x], Shape::new(out_features, 1, 1))
    }

    fn pooled(&self, name: &str, x: Value, window: Window) -> Result<Shape> {
        let half = (0..2).all(|axis| 2 * window.padding[axis] <= window.kernel[axis]);
        self.expect(name, half, "a padding of at most half the kernel", window.to_string())?;
        let [height, width] = self.slide(name, x, window)?;
        Ok(Shape { height, width, ..self.shape(x) })
    }

    fn slide(&self, name: &str, x: Value, window: Window) -> Result<[usize; 2]> {
        let positive = window.kernel.iter().chain(&window.stride).all(|&n| n > 0);
        self.expect(name, positive, "a kernel and a stride of at least 1", window.to_string())?;
        let Shape { height, width, .. } = self.checked_shape(name, x)?;
        let slid = window.slide(height, width).filter(|_| height > 0 && width > 0);
        slid.ok_or_else(|| Error::TooSmall { layer: name.into(), input: self.input_shape(), height, width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_refuse_what_does_not_fit() {
        let mut graph = Graph::new(Shape::new(3, 8, 8));
        let x = graph.input();
        let small = graph.max_pool("pool", x, Window::square(2, 2, 0)).unwrap();
        for (what, refused) in [
            ("sizes differ", graph.concat("a", &[x, small])),
            ("nothing to join", graph.concat("b", &[])),
            ("many pixels", graph.linear("c", x, 10)),
            ("window too large", graph.conv("d", small, Conv::new(1, Window::square(5, 1, 0)))),
            ("stride 0", graph.conv("e", x, Conv::new(1, Window::square(1, 0, 0)))),
            ("no channels", graph.conv("f", x, Conv::new(0, Window::square(1, 1, 0)))),
            ("padding", graph.avg_pool("g", x, Window::square(2, 2, 2))),
            ("name taken", graph.relu("pool", x)),
            ("foreign value", graph.relu("h", Value(99))),
            ("negative epsilon", graph.batch_norm("i", x, -1.0)),
            ("no slope", graph.nonlinearity("j", x, Nonlinearity::LeakyRelu { slope: f32::NAN })),
        ] {
            assert!(refused.is_err(), "{what}");
        }
        assert_eq!(graph.nodes().len(), 2, "what was refused left nothing behind");
    }

    #[test]
    fn a_blur_pool_needs_two_pixels_a_side() {
        let mut graph = Graph::new(Shape::new(3, 2, 5));
        let x = graph.blur_pool("first", graph.input()).unwrap();
        assert_eq!(graph.shape(x), Shape::new(3, 1, 3));
        let refused = graph.blur_pool("second", x);
        assert!(matches!(&refused, Err(Error::TooSmall { layer, height: 1, width: 3, .. }) if layer == "second"), "{refused:?}");
        assert_eq!(graph.resized(7, 6).unwrap().shape(x), Shape::new(3, 4, 3));
        assert!(matches!(graph.resized(7, 1), Err(Error::TooSmall { .. })));
    }
}
