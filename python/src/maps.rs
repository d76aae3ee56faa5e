//! Where in a picture each class was seen.

use densenet_wgpu::image::{Heatmap, Picture, View};
use numpy::{PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::{During, exception};
use crate::results::array;

/// The part of a picture that a network saw: top, left, height and width in its pixels.
pub(crate) type Seen = (f64, f64, f64, f64);

pub(crate) fn seen(view: View) -> Seen {
    (view.top, view.left, view.height, view.width)
}

/// The picture, uint8 [H, W, C], in three channels under the colours of a map, float32 [h, w], of the part that was seen.
#[pyfunction]
pub(crate) fn overlay<'py>(
    py: Python<'py>,
    map: PyReadonlyArray2<'py, f32>,
    picture: PyReadonlyArray3<'py, u8>,
    seen: Seen,
) -> PyResult<Bound<'py, PyAny>> {
    let (top, left, height, width) = seen;
    let (map_shape, shape) = (map.shape().to_vec(), picture.shape().to_vec());
    let (values, samples) = (map.as_slice()?.to_vec(), picture.as_slice()?.to_vec());
    let drawn = Heatmap::new(map_shape[0], map_shape[1], values).and_then(|map| {
        let picture = Picture::new(shape[0], shape[1], shape[2], samples)?;
        Ok(map.overlay(&picture, View { top, left, height, width }))
    });
    let drawn = drawn.map_err(|error| exception(py, &error, During::Running))?;
    let rows: Vec<Vec<u8>> = drawn.samples().chunks_exact(drawn.width() * drawn.channels()).map(<[u8]>::to_vec).collect();
    array(py, rows, &[drawn.width(), drawn.channels()])
}
