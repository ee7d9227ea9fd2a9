//! What is measured while a home is at work: every metric by name, unit and meaning, and the instruments of one engine.
//!
//! Instruments belong to an engine, not to the process, so engines do not count into each other. They are touched a few
//! times a batch, never once an event. How the home stands is asked of the store when somebody scrapes ([`standing`]).
//! `docs/operate.md` says what to do about each metric; a test compares the two.

mod arrivals;
mod audience;
mod seats;
mod sends;
mod standing;
mod webhooks;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Metric as Instrument, Registry};
use tokio::sync::Mutex;
use zhiyin_store::Receipt;

use crate::accept::{REUSED, Verdict};
use crate::clock;
use crate::ingest::Rates;
use standing::Scrape;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What its values are counted in.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

macro_rules! metrics {
    ($($metric:ident: $name:literal, $unit:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $metric: Metric = Metric { name: $name, unit: $unit, meaning: $meaning };)*
        /// All of them.
        pub const ALL: &[Metric] = &[$($metric),*];
    };
}

// Of this process, since it started.
metrics! {
    BATCH_EVENTS: "zhiyin_batch_events", "events", "Events in a batch, dead letters included";
    BATCH_SECONDS: "zhiyin_batch_seconds", "seconds", "Time of a batch by phase: wait (reading what is next), load, \
        decide (events), wake (timers), flush";
    EVENTS: "zhiyin_events_decided_total", "events", "Events decided, dead letters included";
    TIMERS: "zhiyin_timers_fired_total", "timers", "Timers that fired";
    REFUSALS: "zhiyin_refusals_total", "events", "Items refused at the door, and events refused by a decision, which \
        become dead letters; by code";
    STALE: "zhiyin_batches_stale_total", "batches", "Batches thrown away because another process has the share by now";
    BROKEN: "zhiyin_decisions_broken_total", "events", "Decisions that broke down, a defect of this program";
    STUCK: "zhiyin_members_stuck_total", "members", "Members for whom a timer, or a version of the \
        playbook, broke down, a defect of this program";
    APPEND_SECONDS: "zhiyin_append_seconds", "seconds", "Time until a delivery of items is in the inbox, durably";
    ITEMS: "zhiyin_items_total", "items", "Items at the door by verdict: accepted, duplicate, reused, refused";
    GIVEN_UP: "zhiyin_identifiers_given_up_total", "identifiers", "Identifiers of accepted items that were given up: \
        they contradict more telling ones, or go beyond a limit";
    SHARES_HELD: "zhiyin_shares_held", "shares", "Shares that this process holds";
    WEBHOOK_MESSAGES: "zhiyin_webhook_messages_total", "messages", "Messages made for endpoints of webhooks";
    WEBHOOK_ATTEMPTS: "zhiyin_webhook_attempts_total", "attempts", "Attempts to deliver a message, by outcome: delivered, failed";
    WEBHOOK_LAPSED: "zhiyin_webhook_lapsed_total", "messages", "Messages that were forgotten before anybody took them";
    SENDS: "zhiyin_sends_total", "messages", "Messages that were due on a channel outside of the home, by channel and outcome: sent, \
        later, failed, stopped, dropped, unknown, handed (by somebody else)";
    SENDS_CAME_BACK: "zhiyin_sends_came_back_total", "messages", "Mail that came back, by kind, and whether it names a message of ours";
    SENDS_LEFT: "zhiyin_sends_left_total", "members", "Times that somebody said they want no more of what they were sent";
    ARRIVALS: "zhiyin_arrivals_total", "arrivals", "What came from platforms and is kept, by channel and kind, and whether it was new";
    ARRIVALS_REFUSED: "zhiyin_arrivals_refused_total", "requests", "What came and was not taken, by channel and why";
    ARRIVALS_WORKED: "zhiyin_arrivals_worked_total", "arrivals", "What was kept and worked on, by channel, lane and where it stands then";
    AUDIENCE_MEMBERS: "zhiyin_audience_members", "members", "Members in the columns that audiences are asked of";
    AUDIENCE_BYTES: "zhiyin_audience_bytes", "bytes", "Memory that these columns take, about";
    AUDIENCE_BEHIND: "zhiyin_audience_behind_seconds", "seconds", "How far they are behind the record, in business time";
    AUDIENCE_REBUILDS: "zhiyin_audience_rebuilds_total", "rebuilds", "How often they were built from the record";
    AUDIENCE_CHANGES: "zhiyin_audience_changes_total", "members", "Members who changed and were read again";
    AUDIENCE_BREAKDOWNS: "zhiyin_audience_breakdowns_total", "breakdowns", "How often keeping them broke down";
    AUDIENCE_DIFFERENCES: "zhiyin_audience_differences_total", "members", "Members of whom they said other than the record";
    CLICKHOUSE_FAILURES: "zhiyin_clickhouse_failures_total", "failures", "How often members did not get to ClickHouse and were sent again";
    STANDING_DIFFERENCES: "zhiyin_standing_differences_total", "members", "Members who were in a standing audience against its condition, or out of it";
    BUILD: "zhiyin_build_info", "", "Always 1; the label says the version of this program";
    // Of the home, when it is scraped.
    STORE_ANSWERS: "zhiyin_store_answers", "", "1 when the database said in time how the home stands, else 0";
    INBOX: "zhiyin_inbox_waiting", "events", "Items in the inbox that wait to be decided";
    INBOX_OLDEST: "zhiyin_inbox_oldest_seconds", "seconds", "Age of the oldest of them in business time, 0 when none waits";
    QUEUE: "zhiyin_queue_waiting", "events", "Derived events and dead letters put back that wait to be decided";
    DEAD_LETTERS: "zhiyin_dead_letters", "events", "Dead letters there are";
    SHARES: "zhiyin_shares_by_holder", "shares", "Shares by who holds them";
    SHARES_UNHELD: "zhiyin_shares_unheld", "shares", "Shares that nobody holds";
    FEED_LAG: "zhiyin_feed_lag", "entries", "Entries of the change feed that a consumer has before it";
    REPLICA_LAG: "zhiyin_replica_lag_bytes", "bytes", "How far a copy of the database is behind";
    WEBHOOK_WAITING: "zhiyin_webhook_waiting", "messages", "Messages that wait to be delivered, by endpoint";
    WEBHOOK_OLDEST: "zhiyin_webhook_oldest_seconds", "seconds", "Age of the oldest of them, by endpoint";
    WEBHOOK_PAUSED: "zhiyin_webhook_paused", "endpoints", "Endpoints that are paused, by somebody or because they failed for days";
    WEBHOOK_FAILING: "zhiyin_webhook_failing", "endpoints", "Endpoints that took nothing of what they were last sent";
    SENDS_IN_STATE: "zhiyin_sends", "messages", "Messages on channels outside of the home that were not taken, by channel and state";
    ARRIVALS_IN_STATE: "zhiyin_arrivals", "arrivals", "What came from platforms and is not done, by channel, lane and state";
    CONTACTS: "zhiyin_contacts", "contacts", "Friends of the brand's accounts on platforms, as measured once a day, by account";
    CONTACTS_FULLEST: "zhiyin_contacts_fullest_permille", "thousandths", "How full the fullest of the staff is, by account";
    PLATFORM_LOOKED: "zhiyin_platform_looked_timestamp_seconds", "seconds", "When the last whole look at an account on a platform began that this process ended, in seconds since 1970";
    PLAYBOOK_VERSION: "zhiyin_playbook_version", "", "The live version of the playbook, 0 when there is none";
    OFFSET: "zhiyin_business_offset_seconds", "seconds", "Business time less the time of day, 0 but in demos";
}

/// Bounds of times, in seconds: from a batch of one event on a fast disk to what nobody should ever see.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5, 10.0];
/// Bounds of batches, in events.
const EVENTS_A_BATCH: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0];

/// Where the time of a batch went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// Reading the home, what waits and what is due.
    pub(crate) wait: Duration,
    /// Loading members and orders.
    pub(crate) load: Duration,
    /// Deciding, with the look-ups that decisions ask for.
    pub(crate) decide: Duration,
    /// Writing.
    pub(crate) flush: Duration,
}

/// What a batch came to, once it is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Events decided; 0 for a batch of timers.
    pub(crate) events: usize,
    /// Timers fired.
    pub(crate) timers: u64,
    /// Codes of the events that became dead letters.
    pub(crate) refusals: Vec<&'static str>,
    /// Where its time went.
    pub(crate) took: Took,
}

/// A counter as the text format of Prometheus has it: OpenMetrics, which the library writes, leaves `_total` out where it
/// says a counter's type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Counter);

impl TypedMetric for Count {
    const TYPE: MetricType = MetricType::Counter;
}

impl EncodeMetric for Count {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.0.get())
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// What tells the series of one metric apart.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Times by phase.
#[derive(Debug)]
struct Phases {
    wait: Histogram,
    load: Histogram,
    decide: Histogram,
    wake: Histogram,
    flush: Histogram,
}

/// Items by verdict.
#[derive(Debug)]
struct Verdicts {
    accepted: Count,
    duplicate: Count,
    reused: Count,
    refused: Count,
}

/// The instruments of an engine.
#[derive(Debug)]
pub(crate) struct Measures {
    registry: Registry,
    batch_events: Histogram,
    phases: Phases,
    events: Count,
    timers: Count,
    refusals: Family<Labels<2>, Count>,
    stale: Count,
    broken: Count,
    stuck: Count,
    append: Histogram,
    items: Verdicts,
    given_up: Count,
    shares_held: Gauge,
    webhooks: webhooks::Told,
    sends: sends::Sends,
    arrivals: arrivals::Arrivals,
    seats: seats::Seats,
    audiences: audience::Audiences,
    scrape: Mutex<Scrape>,
    pub(crate) rates: Rates,
}

impl Measures {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let seconds = || Histogram::new(SECONDS);
        let times = Family::<Labels<1>, Histogram>::new_with_constructor(seconds as fn() -> Histogram);
        let phase = |name| times.get_or_create_owned(&[("phase", name)]);
        let verdicts = Family::<Labels<1>, Count>::default();
        let verdict = |name| verdicts.get_or_create_owned(&[("verdict", name)]);
        let build = Family::<Labels<1>, Gauge>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        let measures = Self {
            batch_events: Histogram::new(EVENTS_A_BATCH),
            phases: Phases {
                wait: phase("wait"),
                load: phase("load"),
                decide: phase("decide"),
                wake: phase("wake"),
                flush: phase("flush"),
            },
            events: Count::default(),
            timers: Count::default(),
            refusals: Family::default(),
            stale: Count::default(),
            broken: Count::default(),
            stuck: Count::default(),
            append: seconds(),
            items: Verdicts {
                accepted: verdict("accepted"),
                duplicate: verdict("duplicate"),
                reused: verdict("reused"),
                refused: verdict("refused"),
            },
            given_up: Count::default(),
            shares_held: Gauge::default(),
            webhooks: webhooks::Told::default(),
            sends: sends::Sends::default(),
            arrivals: arrivals::Arrivals::default(),
            seats: seats::Seats::default(),
            audiences: audience::Audiences::default(),
            scrape: Mutex::default(),
            rates: Rates::default(),
            registry: Registry::default(),
        };
        register(&mut registry, BATCH_EVENTS, measures.batch_events.clone());
        register(&mut registry, BATCH_SECONDS, times);
        register(&mut registry, EVENTS, measures.events.clone());
        register(&mut registry, TIMERS, measures.timers.clone());
        register(&mut registry, REFUSALS, measures.refusals.clone());
        register(&mut registry, STALE, measures.stale.clone());
        register(&mut registry, BROKEN, measures.broken.clone());
        register(&mut registry, STUCK, measures.stuck.clone());
        register(&mut registry, APPEND_SECONDS, measures.append.clone());
        register(&mut registry, ITEMS, verdicts);
        register(&mut registry, GIVEN_UP, measures.given_up.clone());
        register(&mut registry, SHARES_HELD, measures.shares_held.clone());
        measures.webhooks.register(&mut registry);
        measures.sends.register(&mut registry);
        measures.arrivals.register(&mut registry);
        measures.seats.register(&mut registry);
        measures.audiences.register(&mut registry);
        register(&mut registry, BUILD, build);
        Self { registry, ..measures }
    }

    /// Where a worker says how many shares it holds.
    pub(crate) fn shares_held(&self) -> Gauge {
        self.shares_held.clone()
    }

    /// What is counted of what leaves the home.
    pub(crate) fn sends(&self) -> &sends::Sends {
        &self.sends
    }

    /// What is counted of what comes from platforms.
    pub(crate) fn arrivals(&self) -> &arrivals::Arrivals {
        &self.arrivals
    }

    /// How many friends accounts have.
    pub(crate) fn seats(&self) -> &seats::Seats {
        &self.seats
    }

    /// What is counted of messages for others.
    pub(crate) fn webhooks(&self) -> &webhooks::Told {
        &self.webhooks
    }

    /// What is measured of audiences.
    pub(crate) fn audiences(&self) -> &audience::Audiences {
        &self.audiences
    }

    /// A batch was written.
    pub(crate) fn batch(&self, done: &Done) {
        let Done { events, timers, refusals, took } = done;
        if *events > 0 {
            // Counted in whole events, and far below where a float would lose one.
            self.batch_events.observe(u32::try_from(*events).unwrap_or(u32::MAX).into());
            self.events.0.inc_by(*events as u64);
            self.rates.count(clock::wall(), 0, *events as u64);
        }
        if *timers > 0 {
            self.timers.0.inc_by(*timers);
        }
        let decide = if *events > 0 { &self.phases.decide } else { &self.phases.wake };
        self.phases.wait.observe(took.wait.as_secs_f64());
        self.phases.load.observe(took.load.as_secs_f64());
        decide.observe(took.decide.as_secs_f64());
        self.phases.flush.observe(took.flush.as_secs_f64());
        self.refused("decision", refusals.iter().copied());
    }

    /// A delivery is in the inbox, and these are the answers to its items.
    pub(crate) fn taken(&self, verdicts: &[Verdict], took: Duration) {
        let (mut accepted, mut duplicate, mut reused, mut refused) = (0, 0, 0, 0);
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted => accepted += 1,
                Verdict::Duplicate => duplicate += 1,
                Verdict::Refused(refusal) if refusal.code == REUSED => reused += 1,
                Verdict::Refused(_) => refused += 1,
            }
        }
        self.append.observe(took.as_secs_f64());
        self.items.accepted.0.inc_by(accepted);
        self.rates.count(clock::wall(), accepted, 0);
        self.items.duplicate.0.inc_by(duplicate);
        if reused + refused > 0 {
            self.items.reused.0.inc_by(reused);
            self.items.refused.0.inc_by(refused);
            let refusals = verdicts.iter().filter_map(|verdict| match verdict {
                Verdict::Refused(refusal) => Some(refusal.code),
                _ => None,
            });
            self.refused("door", refusals);
        }
    }

    /// A delivery is in the inbox, and some of its names were given up.
    pub(crate) fn gave_up(&self, receipts: &[Receipt]) {
        let given_up = receipts.iter().map(|receipt| match receipt {
            Receipt::AcceptedWithout(n) => u64::from(*n),
            _ => 0,
        });
        match given_up.sum() {
            0 => {}
            n => drop(self.given_up.0.inc_by(n)),
        }
    }

    fn refused(&self, by: &'static str, codes: impl Iterator<Item = &'static str>) {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for code in codes {
            *counts.entry(code).or_default() += 1;
        }
        for (code, n) in counts {
            self.refusals.get_or_create(&[("by", by), ("code", code)]).0.inc_by(n);
        }
    }

    /// A batch was thrown away: another process has the share.
    pub(crate) fn stale(&self) {
        self.stale.0.inc();
    }

    /// A decision broke down.
    pub(crate) fn broken(&self) {
        self.broken.0.inc();
    }

    /// What was due for a member broke down.
    pub(crate) fn stuck(&self) {
        self.stuck.0.inc();
    }

    /// All that this process counted, in the text format.
    fn write(&self, out: &mut String) -> fmt::Result {
        encode_registry(out, &self.registry)
    }
}

/// Puts an instrument under its name. The library ends each help text with a full stop.
fn register(registry: &mut Registry, metric: Metric, instrument: impl Instrument) {
    registry.register(metric.name, metric.meaning, instrument);
}
