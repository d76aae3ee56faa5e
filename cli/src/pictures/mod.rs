//! How pictures are read, and what is said of them.

mod notices;
mod reading;

pub(crate) use notices::Notices;
pub(crate) use reading::PictureOptions;
