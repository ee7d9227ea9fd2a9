//! The one place that reads the machine's clock. Business now = wall clock + the home's offset (semantics of time:
//! ARCHITECTURE.md); everything else takes its time as a parameter.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use zhiyin_model::time::Ts;
use zhiyin_store::Home;

/// Whose time it is, where it is not the machine's.
static FOLLOWED: OnceLock<PathBuf> = OnceLock::new();

/// The wall clock: for business now and for the log, never inside a decision.
#[expect(clippy::disallowed_methods, reason = "the edge where time comes in")]
pub fn wall() -> Ts {
    if let Some(told) = FOLLOWED.get().and_then(|file| told(file)) {
        return told;
    }
    Ts(jiff::Timestamp::now().as_microsecond())
}

/// Lets this process live in the time that a file tells: 8 bytes, milliseconds since 1970 UTC, little end first. For tests against a
/// simulator that owns the time; whichever file is named first stays. Where the file says nothing it is the machine's time.
pub fn follow(file: &Path) {
    FOLLOWED.get_or_init(|| file.to_owned());
}

fn told(file: &Path) -> Option<Ts> {
    let bytes: [u8; 8] = std::fs::read(file).ok()?.try_into().ok()?;
    Some(Ts(i64::from_le_bytes(bytes).checked_mul(1_000)?))
}

/// Business now. While a year is being replayed it is as far as the replay has come.
pub fn now(home: &Home) -> Ts {
    if home.replaying { home.clock } else { open(home) }
}

/// Business now, also while a replay runs: what no event may be far ahead of.
pub fn open(home: &Home) -> Ts {
    wall().plus_us(home.offset_us)
}

/// Starts a measurement of elapsed time.
#[expect(clippy::disallowed_methods, reason = "a measurement: its result is shown, never decided by")]
pub fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}
