//! Predictions in a file, a row for each picture and a column for each class: what `--predictions` and `--resume` write, and `--merge` reads.
//!
//! ```text
//! path,truth,predicted,error,model,identity,settings,activation,cat,dog
//! a.png,cat,cat,,pets,4d8a1abd3f2c32fb,…,softmax,0.93,0.07
//! ```
//!
//! Where any number of classes may be true, `truth` and `predicted` hold names with `|` between them, and behind the classes there is a
//! column `truth:cat` for each of them: 1, 0, or nothing if nobody knows. Numbers are written so that reading gives the same bits.

mod layout;
mod merging;
mod reading;
mod resuming;

pub(super) use layout::Layout;
pub(super) use merging::merged;
pub(super) use resuming::Resumed;
