//! How pictures are read, and what is said of them.

mod notices;
mod reading;
mod views;

pub(crate) use notices::Notices;
pub(crate) use reading::PictureOptions;
pub(crate) use views::ViewOptions;
