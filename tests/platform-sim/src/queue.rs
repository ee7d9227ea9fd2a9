//! Callbacks on their way: what waits, what is due now, what became of the rest.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::faults::Fate;
use crate::world::{LOG_MAX, THINGS_MAX, keep};

/// One event on its way to one app.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number.
    pub id: u64,
    /// To which app.
    pub agent: i64,
    /// `Event/ChangeType`.
    pub label: String,
    /// What it says.
    pub xml: String,
    /// The welcome code it carries.
    pub welcome: Option<String>,
    /// How often it was tried.
    pub n_tries: i64,
}

/// How one try went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered by 200 in time.
    Taken,
    /// Answered by another status.
    Status(u16),
    /// Not answered in time.
    Late,
    /// No connection, or no answer of HTTP.
    Broken,
}

impl Outcome {
    /// For the log.
    pub fn told(self) -> String {
        match self {
            Self::Taken => "taken".to_owned(),
            Self::Status(status) => format!("status_{status}"),
            Self::Late => "late".to_owned(),
            Self::Broken => "broken".to_owned(),
        }
    }
}

/// All callbacks.
pub struct Queue {
    waiting: BTreeMap<u64, Delivery>,
    outbox: VecDeque<u64>,
    n_in_flight: usize,
    n_made: u64,
    counts: BTreeMap<String, u64>,
    log: VecDeque<Value>,
    /// Nonces and the letters before each message.
    pub chance: Chance,
}

impl Queue {
    /// None, with the stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            outbox: VecDeque::new(),
            n_in_flight: 0,
            n_made: 0,
            counts: BTreeMap::new(),
            log: VecDeque::new(),
            chance: Chance::new(seed, "callbacks"),
        }
    }

    /// Takes an event in; tells which deliveries are to be set due, and after how long.
    pub fn add(
        &mut self,
        now_ms: i64,
        agent: i64,
        label: &str,
        xml: &str,
        welcome: Option<&str>,
        fate: &Fate,
    ) -> Vec<(u64, i64)> {
        self.count("events");
        if fate.is_lost || self.waiting.len() >= THINGS_MAX {
            self.count("lost");
            self.note(now_ms, agent, label, 0, "lost");
            return Vec::new();
        }
        if fate.delay_ms > 0 {
            self.count("late_or_out_of_order");
        }
        if fate.again_ms.is_some() {
            self.count("doubled");
        }
        let delays = [Some(fate.delay_ms), fate.again_ms];
        let mut set = Vec::with_capacity(2);
        for delay_ms in delays.into_iter().flatten() {
            self.n_made += 1;
            let delivery = Delivery {
                id: self.n_made,
                agent,
                label: label.to_owned(),
                xml: xml.to_owned(),
                welcome: welcome.map(str::to_owned),
                n_tries: 0,
            };
            self.waiting.insert(self.n_made, delivery);
            set.push((self.n_made, delay_ms));
        }
        set
    }

    /// One is to be sent now.
    pub fn ready(&mut self, id: u64) {
        self.outbox.push_back(id);
    }

    /// The next that is to be sent now. It is in flight until [`Queue::finish`].
    pub fn take(&mut self) -> Option<Delivery> {
        let id = self.outbox.pop_front()?;
        let delivery = self.waiting.get_mut(&id)?;
        delivery.n_tries += 1;
        self.n_in_flight += 1;
        Some(delivery.clone())
    }

    /// Notes how a try went; tells whether it is to be tried again.
    pub fn finish(&mut self, now_ms: i64, delivery: &Delivery, outcome: Outcome, n_retries: i64) -> bool {
        self.n_in_flight = self.n_in_flight.saturating_sub(1);
        self.count("tries");
        self.note(now_ms, delivery.agent, &delivery.label, delivery.n_tries, &outcome.told());
        if outcome == Outcome::Taken {
            self.count("taken");
        } else if delivery.n_tries <= n_retries {
            self.count("tried_again");
            return true;
        } else {
            self.count("given_up");
        }
        self.waiting.remove(&delivery.id);
        false
    }

    /// Nothing is sent and nothing is to be sent now.
    pub fn is_quiet(&self) -> bool {
        self.outbox.is_empty() && self.n_in_flight == 0
    }

    /// How many are sent or to be sent now.
    pub fn n_in_flight(&self) -> usize {
        self.outbox.len() + self.n_in_flight
    }

    /// Counts, and the latest of the log.
    pub fn told(&self) -> Value {
        json!({"counts": self.counts, "waiting": self.waiting.len(), "log": self.log})
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn note(&mut self, at_ms: i64, agent: i64, event: &str, n_tries: i64, outcome: &str) {
        let noted =
            json!({"at_ms": at_ms, "agentid": agent, "event": event, "try": n_tries, "outcome": outcome});
        keep(&mut self.log, noted, LOG_MAX);
    }
}
