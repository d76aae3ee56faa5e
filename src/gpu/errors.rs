//! How failures of a device become errors.

use std::sync::PoisonError;

use super::device::Gpu;
use super::failure::{Failure, record};
use crate::error::{Error, Result};
use crate::guarded::guarded;

/// The most that is kept of a compiler's words, in bytes.
const MOST_BYTES: usize = 500;

impl Gpu {
    /// The failure of the device since it was opened, if any: it was lost ([`Error::DeviceLost`]), or had an error that was not caught
    /// ([`Error::DeviceFailed`]). Nothing more can run on it; opening it again may help.
    pub fn failure(&self) -> Option<Error> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()? {
            Failure::Lost(reason) => Some(Error::DeviceLost { adapter: self.called(), reason }),
            Failure::Uncaught(reason) => Some(self.error(reason)),
        }
    }

    /// Errors if the device has failed since it was opened.
    pub(crate) fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), Err)
    }

    /// The error of a device that did not do what it should.
    pub(crate) fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::DeviceFailed { adapter: self.called(), reason: reason.to_string() }
    }

    /// The error of a lost device. Records the loss, so that nothing more runs there: a program's own device reports it in no other way.
    pub(crate) fn lost(&self, reason: impl std::fmt::Display) -> Error {
        let reason = reason.to_string();
        record(&self.failure, Failure::Lost(reason.clone()));
        Error::DeviceLost { adapter: self.called(), reason }
    }

    /// What an error says of what was tried, in one line. Errors where it says something of the device instead: that it is gone,
    /// or that it has no memory left, which tells nothing of what will be when it is back.
    pub(crate) fn words(&self, error: Error) -> Result<String> {
        self.check()?;
        let words = match error {
            Error::OutOfMemory { .. } | Error::DeviceLost { .. } => return Err(error),
            Error::DeviceFailed { reason, .. } => reason,
            other => other.to_string(),
        };
        let mut line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.len() > MOST_BYTES {
            line.truncate((0..=MOST_BYTES).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0));
            line.push('…');
        }
        Ok(line)
    }

    /// Blocks until the device has finished `submission` and all before it, or everything if it is `None`.
    pub(crate) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: submission, timeout: None };
        // wgpu 30 panics if the device is lost while waiting. Its callback has been called by then.
        let polled = guarded(|| self.device().poll(poll));
        self.check()?;
        match polled {
            Ok(Ok(_)) => Ok(()),
            // A submission that a lost device did not take cannot be waited for.
            Ok(Err(error)) => Err(if pollster::block_on(self.is_gone()) { self.lost(error) } else { self.error(error) }),
            Err(_) => Err(self.lost("it could not be waited for")),
        }
    }

    /// Runs `work` in error scopes, and returns any error of the device.
    pub(crate) fn caught<T, F: FnOnce() -> T>(&self, work: F) -> impl Future<Output = Result<T>> + use<'_, T, F> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];
        let scopes = scopes.map(|filter| self.device().push_error_scope(filter));
        let result = work();
        // Scopes are a stack: the last pushed is popped first.
        let [memory, internal, validation] = scopes;
        let popped = (validation.pop(), internal.pop(), memory.pop());
        async move {
            // Resources that lack memory also cause validation errors: report the cause.
            for error in [popped.2.await, popped.1.await, popped.0.await] {
                match error {
                    Some(wgpu::Error::OutOfMemory { .. }) => return Err(Error::OutOfMemory { adapter: self.called() }),
                    Some(error) => {
                        self.check()?;
                        return Err(if self.is_gone().await { self.lost("it no longer accepts work") } else { self.error(error) });
                    }
                    None => {}
                }
            }
            self.check()?;
            Ok(result)
        }
    }

    /// Whether the device is lost, even if no callback reported it: wgpu ignores requests to a lost device without an error, so that
    /// resources made there are silently invalid.
    fn is_gone(&self) -> impl Future<Output = bool> + use<> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation].map(|filter| self.device().push_error_scope(filter));
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let buffer =
            self.device().create_buffer(&wgpu::BufferDescriptor { label: Some("probe"), size: 4, usage, mapped_at_creation: false });
        let [memory, validation] = scopes;
        let (validation, memory) = (validation.pop(), memory.pop());
        let scope = self.device().push_error_scope(wgpu::ErrorFilter::Validation);
        buffer.map_async(wgpu::MapMode::Read, .., |_| {});
        let used = scope.pop();
        async move { validation.await.is_none() && memory.await.is_none() && used.await.is_some() }
    }
}
