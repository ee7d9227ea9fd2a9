//! How taking in stands: what waits, who works on it, how fast, and what came from whom lately.

use std::collections::VecDeque;
use std::sync::Mutex;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;

use crate::boxed;
use crate::{Engine, Result, clock};

/// How many of the latest events are looked at for where they came from.
const LOOK: usize = 20_000;
/// Minutes that are counted.
const MINUTES: i64 = 16;
const MINUTE_US: i64 = 60_000_000;

/// How taking in stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IngestHealth {
    /// Business now.
    pub now: String,
    /// Items in the inbox that wait to be decided.
    pub waiting: i64,
    /// When the oldest of them was accepted.
    pub oldest: Option<String>,
    /// Its age in seconds of business time; 0 when none waits.
    pub oldest_seconds: i64,
    /// Derived events and dead letters put back that wait.
    pub queued: i64,
    /// Dead letters there are.
    pub dead_letters: i64,
    /// These by code.
    pub dead_letter_codes: Vec<CodeCount>,
    /// Shares of the work, and who holds them.
    pub shares: Vec<ShareView>,
    /// What this process took in and decided.
    pub rates: Vec<RateView>,
    /// Sources, and what came from each lately.
    pub sources: Vec<SourceView>,
    /// How far those who follow the change feed are behind, in entries.
    pub feed: Vec<LagView>,
    /// How far copies of the database are behind, in bytes.
    pub replicas: Vec<LagView>,
}

/// How many dead letters of a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// How many.
    pub count: i64,
}

/// A share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShareView {
    /// Its number.
    pub share: i32,
    /// Who holds it; nobody, where nobody works.
    pub holder: Option<String>,
    /// Items that wait in it.
    pub waiting: i64,
    /// When the oldest of them was accepted.
    pub oldest: Option<String>,
}

/// What one process did lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RateView {
    /// Over the last so many whole minutes; fewer, if it has not run for as long.
    pub minutes: i64,
    /// Items accepted in that time.
    pub accepted: u64,
    /// Events decided in that time, dead letters included.
    pub decided: u64,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceView {
    /// What it is called.
    pub source: String,
    /// How many of the latest 20,000 events came from it.
    pub items: i64,
    /// When the latest of these was accepted; nothing, if there is none among them.
    pub last: Option<String>,
}

/// How far somebody is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LagView {
    /// Who.
    pub who: String,
    /// How far.
    pub behind: i64,
}

/// What was taken in and decided, minute by minute: as many as are asked for, and no more.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<VecDeque<(i64, u64, u64)>>);

impl Rates {
    /// Counts what was done at an instant of the wall clock.
    pub(crate) fn count(&self, at: Ts, accepted: u64, decided: u64) {
        let minute = at.0.div_euclid(MINUTE_US);
        let Ok(mut minutes) = self.0.lock() else { return };
        match minutes.back_mut() {
            Some(last) if last.0 >= minute => {
                last.1 += accepted;
                last.2 += decided;
            }
            _ => minutes.push_back((minute, accepted, decided)),
        }
        while minutes.front().is_some_and(|(first, ..)| minute - first > MINUTES) {
            minutes.pop_front();
        }
    }

    /// Sums over the last so many whole minutes before an instant.
    fn over(&self, at: Ts, minutes: i64) -> RateView {
        let now = at.0.div_euclid(MINUTE_US);
        let mut view = RateView { minutes, accepted: 0, decided: 0 };
        let Ok(counted) = self.0.lock() else { return view };
        for (_, accepted, decided) in counted.iter().filter(|(of, ..)| (now - minutes..now).contains(of)) {
            view.accepted += accepted;
            view.decided += decided;
        }
        view
    }
}

impl Engine {
    /// How taking in stands. Rates are of this process alone; all else is of the home.
    #[boxed]
    pub async fn ingest_health(&self, grant: &Grant) -> Result<IngestHealth> {
        self.filter(grant, Operation::DeadLettersRead).await?;
        let reading = self.store().reading();
        let (home, work) = tokio::try_join!(self.store().home(), self.store().work())?;
        let (codes, sources) = tokio::try_join!(reading.letter_codes(), reading.sources_seen(LOOK))?;
        let now = clock::now(&home);
        let oldest = work.shares.iter().filter_map(|share| share.oldest).min();
        let lag = |(who, behind): (String, i64)| LagView { who, behind };
        Ok(IngestHealth {
            now: now.rfc3339(),
            waiting: work.shares.iter().map(|share| share.waiting).sum(),
            oldest: oldest.map(Ts::rfc3339),
            oldest_seconds: oldest.map_or(0, |oldest| (now.0.saturating_sub(oldest.0) / 1_000_000).max(0)),
            queued: work.queued,
            dead_letters: work.dead_letters,
            dead_letter_codes: codes.into_iter().map(|(code, count)| CodeCount { code, count }).collect(),
            shares: work
                .shares
                .into_iter()
                .map(|share| ShareView {
                    share: share.slot,
                    holder: share.holder,
                    waiting: share.waiting,
                    oldest: share.oldest.map(Ts::rfc3339),
                })
                .collect(),
            rates: [1, 5, 15].map(|minutes| self.measures.rates.over(clock::wall(), minutes)).to_vec(),
            sources: sources
                .into_iter()
                .map(|seen| SourceView {
                    source: seen.source,
                    items: seen.items,
                    last: seen.last.map(Ts::rfc3339),
                })
                .collect(),
            feed: work.feed.into_iter().map(lag).collect(),
            replicas: work.replicas.into_iter().map(lag).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_whole_minutes_and_bounded() {
        let rates = Rates::default();
        let at = |minute: i64| Ts(minute * MINUTE_US + 7);
        for minute in 0..1_000 {
            rates.count(at(minute), 10, 1);
            rates.count(at(minute), 0, 1);
        }
        // A clock that was set back begins no minute of its own.
        rates.count(at(5), 5, 0);
        for (now, minutes, accepted, decided) in
            [(999, 1, 10, 2), (1_000, 1, 15, 2), (1_000, 15, 155, 30), (1_002, 1, 0, 0), (0, 15, 0, 0)]
        {
            let view = rates.over(at(now), minutes);
            assert_eq!((view.accepted, view.decided), (accepted, decided), "{now} {minutes}");
        }
        assert!(rates.0.lock().is_ok_and(|kept| kept.len() <= MINUTES as usize + 1));
    }
}
