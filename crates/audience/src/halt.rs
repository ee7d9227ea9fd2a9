//! Whether anybody still waits for an answer: a question stops soon after nobody does.

use std::sync::atomic::{AtomicBool, Ordering};

/// Told to whoever works on a question that it need not go on. What is found after that is nobody's answer.
#[derive(Debug, Default)]
pub struct Halt(AtomicBool);

impl Halt {
    /// Nobody waits any more.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits any more.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
