//! The one place that reads the machine's clock. Business now = wall clock + the home's offset (semantics of time:
//! ARCHITECTURE.md); everything else takes its time as a parameter.

use zhiyin_model::time::Ts;
use zhiyin_store::Home;

/// The wall clock: for business now and for the log, never inside a decision.
#[expect(clippy::disallowed_methods, reason = "the edge where time comes in")]
pub fn wall() -> Ts {
    Ts(jiff::Timestamp::now().as_microsecond())
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
