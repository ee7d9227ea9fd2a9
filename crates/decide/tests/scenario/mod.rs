//! A member under a playbook and a clock, with every row a store would keep, in memory.
//!
//! [`check`] plays a table: at this time, this happens, and this is so afterwards. What happens goes the whole way:
//! the step becomes an item of the wire, is accepted, read and decided as the pipeline would, timers included. On
//! the way every decision is made twice and must come out the same, and one that stops must have changed nothing.

#![allow(dead_code, reason = "each test binary uses its own part")]

mod picture;
mod record;
mod step;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use zhiyin_decide::outcome::{Known, Outcome, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene, decide, fall_due, order};
use zhiyin_model::effect::{Order, TimerKey};
use zhiyin_model::event::{self, Identifier, Origin, Refusal};
use zhiyin_model::id::{EventId, IdKey, MemberId, TransferId};
use zhiyin_model::playbook::{parse, shipped};
use zhiyin_model::time::{Day, Ts, Zone};

pub use record::Record;
pub use step::*;

/// A row of a table: when, what happens, what is so afterwards.
pub type Row<'a> = (&'a str, Step, &'a str);

/// One member, the rules they live under, and everything that was written about them.
pub struct World {
    /// The compiled playbook.
    pub rules: Arc<Rules>,
    /// Business time.
    pub clock: Ts,
    /// The member as decisions hold them; `None` before their first event.
    pub state: Option<State>,
    /// What a store would hold.
    pub record: Record,
    /// Who sends what happens.
    pub source: &'static str,
    key: IdKey,
    n_sent: usize,
}

/// The shipped playbook, compiled once.
fn shipped_rules() -> Arc<Rules> {
    static RULES: OnceLock<Arc<Rules>> = OnceLock::new();
    RULES.get_or_init(|| rules("")).clone()
}

/// The shipped playbook with some keys said otherwise.
pub fn rules(changes: &str) -> Arc<Rules> {
    let text = format!("playbook: test\nextends: variety-store\n{changes}\n");
    let playbook =
        parse("test.yaml", &text, &shipped::load).unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::new(Rules::compile(&playbook).unwrap_or_else(|problems| panic!("{problems:?}")))
}

/// `2025-03-01 10:00`, seconds and their fractions if wanted, by the wall clock of a zone without summer time.
pub fn time(zone: &Zone, text: &str) -> Ts {
    let (day, clock) = text.split_once(' ').unwrap_or((text, "00:00"));
    let day = Day::parse(day).unwrap_or_else(|| panic!("{text:?} is no time"));
    let (rest, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut us: i64 = 0;
    for part in rest.split(':').chain(["0"]).take(3) {
        us = us * 60 + part.parse::<i64>().unwrap_or_else(|_| panic!("{text:?} is no time"));
    }
    us = us * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap_or_default();
    zone.start(day).plus_us(us)
}

impl World {
    /// Nobody yet, under the shipped playbook.
    pub fn new() -> Self {
        Self::with(shipped_rules())
    }

    /// Nobody yet, under the shipped playbook with some keys said otherwise.
    pub fn under(changes: &str) -> Self {
        Self::with(rules(changes))
    }

    /// Nobody yet, under these rules.
    pub fn with(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            clock: Ts::MIN,
            state: None,
            record: Record::default(),
            source: "test",
            key: IdKey::from_bytes([7; 32]),
            n_sent: 0,
        }
    }

    /// The time that a text of a table means.
    pub fn time(&self, text: &str) -> Ts {
        time(&self.rules.zone, text)
    }

    /// The member who has these events.
    pub fn member(&self) -> MemberId {
        self.key.derive("member", &[b"the member"])
    }

    /// An order by its number.
    pub fn order(&self, number: &str) -> &Order {
        let id = self.key.derive("order", &[b"", number.as_bytes()]);
        self.record.orders.get(&id).unwrap_or_else(|| panic!("no order {number}"))
    }

    /// Makes an order somebody else's.
    pub fn give_away(&mut self, number: &str) {
        let id = self.key.derive("order", &[b"", number.as_bytes()]);
        let other = self.key.derive("member", &[b"another member"]);
        if let Some(order) = self.record.orders.get_mut(&id) {
            order.member = other;
        }
    }

    /// Lets something happen at an instant: first what was due, then the step, then what it made due.
    pub fn send(&mut self, at: Ts, step: &Step) -> Result<Outcome, Refusal> {
        self.clock = self.clock.max(at);
        self.settle();
        if step.waits() {
            return Ok(Outcome::default());
        }
        self.n_sent += 1;
        let time = step.instant().or_else(|| step.date().map(|date| self.time(date))).unwrap_or(at);
        let name = format!("{}/{}", self.source, self.n_sent);
        let body = step.item(&self.record, time);
        let origin = Origin { user_namespace: "card", default_time: None };
        let item = event::accept(body.as_bytes(), &origin)?;
        let event = event::read(item.body.as_bytes(), &origin)?;
        let id: EventId = self.key.derive("event", &[name.as_bytes()]);
        let before = match &self.state {
            Some(state) => state.clone(),
            None => State::new(&self.rules, self.member(), event.time),
        };
        let cause = Cause { id, name: &name, clock: self.clock, replay: false };
        let known_order = event.order.as_ref().map(|facts| order::id(&self.key, facts));
        let order = known_order.and_then(|id| self.record.orders.get(&id).cloned());
        let (after, outcome) = self.answer(&before, order, |state, known| {
            decide(&self.rules, &self.key, state, known, &event, cause)
        })?;
        self.record.events.insert(id, event);
        self.record.write(&outcome, step.label());
        self.state = Some(after);
        self.settle();
        Ok(outcome)
    }

    /// Fires what is due by the clock, in order, as the pipeline does.
    fn settle(&mut self) {
        loop {
            let Some(state) = self.state.clone() else { return };
            let due = state.member.timers.iter().filter(|(_, due)| **due <= self.clock);
            let Some((at, kind, which)) = due.map(|(key, due)| (*due, key.kind, key.which)).min() else {
                return;
            };
            let timer = TimerKey { kind, which };
            let name = format!("timer/{}/{which}/{}", kind.name(), at.0);
            let id: EventId = self.key.derive("timer", &[name.as_bytes()]);
            let cause = Cause { id, name: &name, clock: self.clock, replay: false };
            let at = at.max(state.member.decided_until);
            let scene = Scene { rules: &self.rules, key: &self.key, cause, at };
            let answer = self.answer(&state, None, |state, known| fall_due(&scene, state, known, timer));
            let (after, outcome) = answer.unwrap_or_else(|refusal| panic!("a timer was refused: {refusal}"));
            self.record.write(&outcome, None);
            self.state = Some(after);
        }
    }

    /// Makes a decision, looking up what it asks for. Each is made twice: it is pure, so both are the same.
    fn answer(
        &self,
        before: &State,
        order: Option<Order>,
        decision: impl Fn(&mut State, &Known) -> Result<Outcome, Stop>,
    ) -> Result<(State, Outcome), Refusal> {
        let mut known = Known { order, ..Known::default() };
        let mut asked = Vec::new();
        loop {
            let mut after = before.clone();
            let mut again = before.clone();
            let answer = decision(&mut after, &known);
            same("a decision made twice", &decision(&mut again, &known), &answer);
            same("what two equal decisions leave", &again, &after);
            match answer {
                Ok(outcome) => return Ok((after, outcome)),
                Err(stop) => {
                    same("a state under a decision that was not made", &after, before);
                    match stop {
                        Stop::Refused(refusal) => return Err(refusal),
                        Stop::Missing(missing) => {
                            assert!(!asked.contains(&missing), "asked twice for {missing:?}");
                            self.record.look_up(&self.rules, &mut known, &missing);
                            asked.push(missing);
                        }
                    }
                }
            }
        }
    }

    /// The gift that a decision sent to someone else, as it would reach them.
    pub fn receive(&mut self, at: Ts, amount: i64, from: &Identifier) -> Result<Outcome, Refusal> {
        let step = track("Points Received").with("amount", &amount.to_string()).with("from", &from.value);
        self.send(at, &step)
    }

    /// The last transfer of a labelled step.
    pub fn labelled(&self, label: &str) -> TransferId {
        self.record.labels.get(label).copied().unwrap_or_else(|| panic!("nothing is called {label:?}"))
    }
}

fn same<T: Debug>(what: &str, left: &T, right: &T) {
    let (left, right) = (format!("{left:?}"), format!("{right:?}"));
    assert!(left == right, "{what} differs:\n{left}\n{right}");
}

/// Plays a table and compares after each row.
#[track_caller]
pub fn check(world: &mut World, rows: &[Row<'_>]) {
    for (i, (at, step, expected)) in rows.iter().enumerate() {
        let at_ts = world.time(at);
        let refused = world.send(at_ts, step).err().map(|refusal| refusal.code);
        picture::compare(world, refused, expected, &format!("row {i} at {at}: {step:?}"));
    }
}
