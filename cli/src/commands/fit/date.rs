//! The day of a fit.

use std::env;

use jiff::Timestamp;

use crate::exit::Stop;

/// The day by the environment's `SOURCE_DATE_EPOCH`, seconds since 1970, with which builds are made reproducible; else today, in UTC.
pub(super) fn today() -> Result<String, Stop> {
    let now = match env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
            Stop::refused(format!("SOURCE_DATE_EPOCH: expected seconds since 1970, found {seconds:?}; correct it or unset it"))
        })?,
        Err(_) => Timestamp::now(),
    };
    Ok(now.strftime("%Y-%m-%d").to_string())
}
