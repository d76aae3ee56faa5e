//! The buffers of a plan, element by element.

use densenet_wgpu::internal::{Region, Shader};
use densenet_wgpu::planning::Step;
use densenet_wgpu::{Graph, Plan};

use crate::symbols::{Symbol, Symbols};

/// What an element of a buffer holds: which pixel of which image, of which channel; and the step that wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Element {
    symbol: Symbol,
    image: u32,
    pixel: u32,
    writer: usize,
}

/// All activation buffers, element by element; `None` is unwritten, or padding after a plane's pixels.
pub(crate) struct Memory<'a> {
    plan: &'a Plan,
    buffers: Vec<Vec<Option<Element>>>,
}

impl<'a> Memory<'a> {
    /// Runs `plan` on symbols: each step must find a value of the graph in all of its source, and the output must be the
    /// graph's.
    pub(crate) fn walk(graph: &Graph, plan: &'a Plan) -> Result<(), String> {
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
