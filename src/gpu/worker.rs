//! The thread for blocking jobs: compiling shaders, and waiting for the device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use futures_channel::oneshot;

use crate::error::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// A thread that runs jobs in order, until it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Mutex<Sender<Job>>,
}

impl Worker {
    /// Starts the thread. Errors if the system cannot.
    pub(super) fn start() -> Result<Self> {
        let (jobs, coming) = channel::<Job>();
        let work = move || {
            for job in coming {
                // A job that panics drops its channel, which informs the caller.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        let thread = thread::Builder::new().name("densenet-worker".into()).spawn(work);
        thread.map_err(|source| Error::NoThread { purpose: "work for the device", source })?;
        Ok(Self { jobs: Mutex::new(jobs) })
    }

    /// Runs `job` on the thread. Its result arrives through the channel, which closes without one if the job panics.
    pub(crate) fn send<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (sender, done) = oneshot::channel();
        let jobs = self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A dropped future has dropped the receiver. The thread lives as long as this sender.
        let _ = jobs.send(Box::new(move || drop(sender.send(job()))));
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn jobs_are_done_in_order_and_a_panic_ends_none_but_its_own() {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let worker = Worker::start().unwrap();
        let job = |index: usize| {
            worker.send(move || {
                assert_eq!(NEXT.fetch_add(1, Ordering::Relaxed), index);
                assert_ne!(index, 1, "this one panics");
                index
            })
        };
        let results: Vec<Option<usize>> = [0, 1, 2].map(job).map(|done| pollster::block_on(done).ok()).to_vec();
        assert_eq!(results, [Some(0), None, Some(2)]);
    }

    #[test]
    fn the_thread_ends_with_the_last_who_can_send() {
        let worker = Worker::start().unwrap();
        struct Ended(std::sync::mpsc::Sender<()>);
        impl Drop for Ended {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        thread_local!(static ENDED: std::cell::RefCell<Option<Ended>> = const { std::cell::RefCell::new(None) });
        let (sender, ended) = channel();
        drop(worker.send(move || ENDED.with(|place| *place.borrow_mut() = Some(Ended(sender)))));
        drop(worker);
        ended.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }
}
