//! Whose time it is: the platform's, in steps, by the wall, or on its own to whatever is due next once everybody waits.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::World;

/// The most programs that may register.
const CLIENTS_MAX: usize = 64;

/// How time goes.
#[derive(Clone, Copy, Debug, Default)]
pub enum Mode {
    /// Only when it is advanced.
    #[default]
    Steps,
    /// To whatever is due next, once all that registered wait and nothing is under way.
    Auto {
        /// Not further than this.
        until_ms: Option<i64>,
    },
    /// With the wall clock.
    Real {
        /// Since when.
        base: Instant,
        /// What time it was then.
        base_ms: i64,
        /// How many times as fast.
        speed: i64,
    },
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Auto { .. } => "auto",
            Self::Real { .. } => "real",
        }
    }
}

/// A program that waits with us.
#[derive(Clone, Debug, Default)]
struct Client {
    is_idle: bool,
    /// When it has something to do; never where none.
    wake_ms: Option<i64>,
}

/// Everybody who waits with us.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    /// How time goes.
    pub mode: Mode,
    clients: BTreeMap<String, Client>,
    /// How many deliveries were begun. Who says to be idle says up to which they know of, so that no delivery is overlooked.
    epoch: u64,
}

impl World {
    /// A delivery begins: nobody is idle any more.
    pub fn delivery_begins(&mut self) {
        self.clients.epoch += 1;
        for client in self.clients.clients.values_mut() {
            client.is_idle = false;
        }
    }

    /// A program says that it waits, until a time or for whatever comes.
    ///
    /// # Errors
    /// Where there are too many programs.
    pub fn idle(
        &mut self,
        name: &str,
        is_idle: bool,
        wake_ms: Option<i64>,
        epoch: Option<u64>,
    ) -> Result<bool, String> {
        let clients = &mut self.clients;
        if clients.clients.len() >= CLIENTS_MAX && !clients.clients.contains_key(name) {
            return Err("client: too many are registered".to_owned());
        }
        // What is still on its way may arrive after they looked: only what was answered is known to be theirs.
        let knows_all = self.queue.is_quiet() && epoch.is_none_or(|epoch| epoch >= clients.epoch);
        let is_idle = is_idle && knows_all && wake_ms.is_none_or(|wake_ms| wake_ms > self.now_ms);
        clients.clients.insert(name.to_owned(), Client { is_idle, wake_ms });
        Ok(is_idle)
    }

    /// Whether a program is still taken to be idle.
    pub fn is_idle(&self, name: &str) -> bool {
        self.clients.clients.get(name).is_some_and(|client| client.is_idle)
    }

    /// A program goes: it holds time no longer.
    pub fn forget_client(&mut self, name: &str) {
        self.clients.clients.remove(name);
    }

    /// When time goes on its own and nothing is under way, goes on to what is due next. Tells whether it did.
    pub fn jump(&mut self) -> bool {
        let Mode::Auto { until_ms } = self.clients.mode else {
            return false;
        };
        let clients = &self.clients.clients;
        let is_held = clients.is_empty()
            || clients.values().any(|client| !client.is_idle)
            || !self.queue.is_quiet()
            || self.calls.n_in_flight() > 0;
        if is_held {
            return false;
        }
        let wakes = clients.values().filter_map(|client| client.wake_ms);
        let next_ms = wakes.chain(self.next_due_ms()).min();
        let next_ms = match (next_ms, until_ms) {
            (Some(next_ms), Some(until_ms)) => Some(next_ms.min(until_ms)),
            (next_ms, until_ms) => next_ms.or(until_ms),
        };
        let Some(next_ms) = next_ms.filter(|next_ms| *next_ms > self.now_ms) else {
            return false;
        };
        self.set_now(next_ms);
        for client in self.clients.clients.values_mut() {
            if client.wake_ms.is_some_and(|wake_ms| wake_ms <= next_ms) {
                client.is_idle = false;
            }
        }
        self.run_due();
        true
    }

    /// Takes the time from the wall, where it goes by it.
    pub fn follow_wall(&mut self) {
        if let Mode::Real { base, base_ms, speed } = self.clients.mode {
            let gone_ms = i64::try_from(base.elapsed().as_millis()).unwrap_or(i64::MAX);
            self.set_now(base_ms.saturating_add(gone_ms.saturating_mul(speed)));
        }
    }

    /// Whether time goes by the wall.
    pub const fn is_real(&self) -> bool {
        matches!(self.clients.mode, Mode::Real { .. })
    }

    /// Whether time went as far as it may, everybody waits and nothing is under way.
    pub fn is_done(&self) -> bool {
        let Mode::Auto { until_ms: Some(until_ms) } = self.clients.mode else {
            return false;
        };
        let all_idle = self.clients.clients.values().all(|client| client.is_idle);
        all_idle && self.now_ms >= until_ms && self.queue.is_quiet() && self.calls.n_in_flight() == 0
    }

    /// How many milliseconds of the platform pass in one of the wall's; 1 where they are not tied to each other.
    pub const fn speed(&self) -> i64 {
        if let Mode::Real { speed, .. } = self.clients.mode { speed } else { 1 }
    }

    /// What time it is and why it stands still.
    pub fn told_clock(&self) -> Value {
        let until_ms = if let Mode::Auto { until_ms } = self.clients.mode { until_ms } else { None };
        let clients: BTreeMap<&String, Value> = self
            .clients
            .clients
            .iter()
            .map(|(name, client)| (name, json!({"idle": client.is_idle, "wake_ms": client.wake_ms})))
            .collect();
        json!({
            "now_ms": self.now_ms, "mode": self.clients.mode.name(), "until_ms": until_ms, "epoch": self.clients.epoch,
            "next_due_ms": self.next_due_ms(), "callbacks_in_flight": self.queue.n_in_flight(),
            "calls_in_flight": self.calls.n_in_flight(), "clients": clients,
            "done": self.is_done(),
        })
    }
}
