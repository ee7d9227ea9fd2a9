//! From messages to whoever wants them: claimed for a while, signed, sent, and noted how it went. An attempt that ends in the
//! middle is made again when its claim has lapsed; so a message arrives once or more often, under the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use zhiyin_model::event::{self, Origin};
use zhiyin_model::id::{IdKey, MemberId, OrderId};
use zhiyin_model::role::Grant;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::address::Target;
use zhiyin_reach::client::{Answer, Client, Failed, Lane};
use zhiyin_reach::retry;
use zhiyin_reach::signature::{self, Secret};
use zhiyin_store::seal;
use zhiyin_store::webhooks::{Attempted, Because, Endpoint, Fared, Message, Settings, State};

use super::manage;
use crate::boxed;
use crate::{Engine, Result, clock};

/// Messages of an endpoint that one process sends at a time, and over how many connections.
pub const AT_ONCE: usize = 8;
const LANES: usize = 4;
/// How long a claim lasts: longer than all of them may take, one after the other.
const CLAIM_US: i64 = 150_000_000;
/// After so many days in which nothing was taken an endpoint is paused; or before, when a message was tried as often as it is
/// ever tried.
pub const FAILING_DAYS_MAX: i64 = 3;
/// What an endpoint answers that wants no more.
const GONE: u16 = 410;

/// What came of one part of an endpoint's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many were taken.
    pub taken: usize,
    /// How many were not.
    pub failed: usize,
}

impl Delivered {
    /// Whether there was nothing to send.
    pub fn is_idle(&self) -> bool {
        (self.taken, self.failed) == (0, 0)
    }
}

/// What becomes of a message.
pub(super) struct Parcel {
    id: String,
    body: String,
}

/// The secrets that sign for an endpoint at an instant, the newest first.
pub(super) fn secrets(key: &IdKey, id: &str, settings: &Settings, now: Ts) -> Vec<Secret> {
    let old = settings.before.iter().filter(|(_, until)| now < *until).map(|(salt, _)| salt);
    [&settings.salt].into_iter().chain(old).map(|salt| secret(key, id, salt)).collect()
}

/// The secret that belongs to a salt. It lies nowhere: who has the home's key can derive it, nobody else.
pub(super) fn secret(key: &IdKey, id: &str, salt: &[u8]) -> Secret {
    Secret::from_bytes(&key.digest_wide("webhook secret", &[id.as_bytes(), salt]))
}

/// A message as it is sent.
pub(super) fn parcel(id: String, kind: &str, at: Ts, data: Map<String, Value>) -> Parcel {
    let body = json!({"type": kind, "timestamp": at.rfc3339(), "data": data}).to_string();
    Parcel { id, body }
}

/// Signs and sends.
pub(super) async fn send(
    lane: &mut Lane,
    secrets: &[Secret],
    parcel: &Parcel,
    now: Ts,
) -> std::result::Result<Answer, Failed> {
    let seconds = now.0.div_euclid(1_000_000);
    let headers = [
        ("webhook-id", parcel.id.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature::header(secrets, &parcel.id, seconds, parcel.body.as_bytes())),
    ];
    lane.post(&headers, parcel.body.as_bytes()).await
}

impl Engine {
    /// Sends what is due of an endpoint, at most [`AT_ONCE`] messages; those about one member in their order. Nothing, where
    /// the endpoint was changed or paused since it was read: what it is now counts.
    #[boxed]
    pub async fn deliver(&self, client: &Client, endpoint: &Endpoint, now: Ts) -> Result<Delivered> {
        self.deliver_over(&mut Lanes::of(client, endpoint), endpoint, now).await
    }

    /// The same over connections that stay open from part to part.
    pub(super) async fn deliver_over(
        &self,
        lanes: &mut Lanes,
        endpoint: &Endpoint,
        now: Ts,
    ) -> Result<Delivered> {
        let hooks = self.store().webhooks();
        if endpoint.paused.is_some() || endpoint.rest_until.is_some_and(|until| now < until) {
            return Ok(Delivered::default());
        }
        let claimed =
            hooks.claim((&endpoint.id, endpoint.revision), now, now.plus_us(CLAIM_US), AT_ONCE).await?;
        if claimed.is_empty() {
            return Ok(Delivered::default());
        }
        let settings = &endpoint.settings;
        let parcels = self.parcels(settings, &claimed).await?;
        let secrets = secrets(&self.home().await?.id_key, &endpoint.id, settings, now);
        let answers = answers(lanes, &secrets, &claimed, &parcels, now).await;
        self.note(endpoint, &claimed, &answers, now).await
    }

    /// Notes what came of messages, and what that says of their endpoint.
    async fn note(
        &self,
        endpoint: &Endpoint,
        claimed: &[Message],
        answers: &[std::result::Result<Answer, Failed>],
        now: Ts,
    ) -> Result<Delivered> {
        let mut delivered = Delivered::default();
        let mut wish: Option<Duration> = None;
        let (mut attempts, mut gone) = (Vec::new(), false);
        for (message, answer) in claimed.iter().zip(answers) {
            let asks = answer.as_ref().ok().and_then(|answer| answer.retry_after);
            let asks = asks.map(|asks| asks.from(now.0.div_euclid(1_000_000)));
            let attempted = attempted(message, answer, asks, now);
            if attempted.state == State::Delivered {
                delivered.taken += 1;
            } else {
                delivered.failed += 1;
                wish = wish.max(asks);
                gone |= answer.as_ref().is_ok_and(|answer| answer.status == GONE);
            }
            attempts.push(attempted);
        }
        let failing = delivered.taken == 0;
        // Where nothing at all is taken, no message is to blame: all of them wait until the endpoint is well.
        let mut ended = false;
        if failing && endpoint.failing_since.is_some() {
            for attempted in attempts.iter_mut().filter(|attempted| attempted.state == State::Failed) {
                (attempted.state, attempted.due, ended) = (State::Waiting, now, true);
            }
        }
        let fared = match (failing, wish) {
            (false, None) => Fared::Well,
            // Who takes some and asks for a rest is busy, not broken.
            (false, Some(wish)) => Fared::Rests(later(now, wish)),
            (true, _) => {
                let rest = retry::rest(endpoint.failures + 1).max(wish.unwrap_or_default());
                Fared::Badly(now, later(now, rest))
            }
        };
        self.store().webhooks().attempted(&endpoint.id, attempts, fared).await?;
        self.measures.webhooks().attempted(delivered.taken, delivered.failed);
        let for_days =
            endpoint.failing_since.is_some_and(|since| now.0 - since.0 >= FAILING_DAYS_MAX * DAY_US);
        let because = match (gone, failing && (for_days || ended)) {
            (true, _) => Because::Gone,
            (_, true) => Because::Failing,
            _ => return Ok(delivered),
        };
        tracing::warn!(endpoint = endpoint.id, because = because.name(), "a webhook is paused");
        let by = Grant::system("webhooks");
        manage::pause_because(self.store().as_ref(), &by, &endpoint.id, because, now).await?;
        Ok(delivered)
    }

    /// Messages as they are sent, with what members and orders are called where the endpoint asks for that: as of now, so that
    /// nothing of it has to be kept.
    async fn parcels(&self, settings: &Settings, claimed: &[Message]) -> Result<Vec<Parcel>> {
        let mut names: BTreeMap<MemberId, Vec<Value>> = BTreeMap::new();
        if settings.identifiers {
            let members: BTreeSet<MemberId> =
                claimed.iter().filter_map(|message| message.message.member).collect();
            let members = members.into_iter().collect();
            for (member, namespace, value) in self.store().identifiers_of(members).await? {
                names.entry(member).or_default().push(json!({"namespace": namespace, "value": value}));
            }
        }
        let mut parcels = Vec::with_capacity(claimed.len());
        for Message { message, .. } in claimed {
            let mut data: Map<String, Value> = serde_json::from_str(&message.data)
                .map_err(|error| zhiyin_store::StoreError::Damaged(format!("a message: {error}")))?;
            if let Some(member) = message.member.filter(|_| settings.identifiers) {
                data.insert("identifiers".to_owned(), names.get(&member).cloned().unwrap_or_default().into());
                let order = data.get("order").and_then(Value::as_str).and_then(OrderId::from_hex);
                if let Some(number) = self.number_of(order).await? {
                    data.insert("order_number".to_owned(), number);
                }
            }
            parcels.push(parcel(format!("msg_{}", message.id), &message.kind, message.at, data));
        }
        Ok(parcels)
    }

    /// What its source calls an order; `None` where nobody remembers.
    async fn number_of(&self, order: Option<OrderId>) -> Result<Option<Value>> {
        let Some(order) = order else { return Ok(None) };
        let Some(lines) = self.store().order_lines(order).await? else { return Ok(None) };
        let Ok(body) = seal::open(&lines.body) else { return Ok(None) };
        let origin = Origin { user_namespace: &lines.user_namespace, default_time: Some(lines.time) };
        let facts = event::read(body.as_bytes(), &origin).ok().and_then(|event| event.order);
        Ok(facts.map(|facts| json!({"namespace": facts.namespace, "number": facts.number})))
    }
}

fn later(now: Ts, pause: Duration) -> Ts {
    now.plus_us(i64::try_from(pause.as_micros()).unwrap_or(i64::MAX))
}

/// How a message stands after an attempt.
fn attempted(
    message: &Message,
    answer: &std::result::Result<Answer, Failed>,
    asks: Option<Duration>,
    now: Ts,
) -> Attempted {
    let taken = answer.as_ref().is_ok_and(Answer::is_taken);
    let pause = retry::pause(message.attempts, message.message.id.bytes());
    let state = match (taken, pause) {
        (true, _) => State::Delivered,
        (false, Some(_)) => State::Waiting,
        (false, None) => State::Failed,
    };
    let error = match answer {
        Ok(answer) if answer.is_taken() => None,
        Ok(_) => Some("status_refused".to_owned()),
        Err(failed) => Some(failed.code().to_owned()),
    };
    Attempted {
        no: message.no,
        attempts: message.attempts,
        state,
        due: later(now, pause.unwrap_or_default().max(asks.unwrap_or_default())),
        tried_at: now,
        status: answer.as_ref().ok().map(|answer| answer.status.into()),
        error,
    }
}

/// Connections to one endpoint; none where its address is not good any more.
pub(super) struct Lanes(Vec<Lane>);

impl Lanes {
    pub(super) fn of(client: &Client, endpoint: &Endpoint) -> Self {
        let settings = &endpoint.settings;
        // It was good when it was set: a newer program may think otherwise of it.
        let target = Target::parse(&settings.url, settings.allow_private).ok();
        Self(
            target
                .into_iter()
                .flat_map(|target| (0..LANES).map(move |_| client.lane(target.clone())))
                .collect(),
        )
    }
}

/// Sends messages over a few connections; those about one member go one after the other, over one of them.
async fn answers(
    lanes: &mut Lanes,
    secrets: &[Secret],
    claimed: &[Message],
    parcels: &[Parcel],
    now: Ts,
) -> Vec<std::result::Result<Answer, Failed>> {
    if lanes.0.is_empty() {
        return claimed.iter().map(|_| Err(Failed::AddressPrivate)).collect();
    }
    // Whoever checks a signature asks when it was made: a part of slow answers may take minutes.
    let watch = clock::stopwatch();
    let lane_of = |message: &Message| {
        let member = message.message.member.unwrap_or(MemberId::from_bytes([0; 16]));
        usize::from(member.bytes()[15]) % LANES
    };
    let lanes = lanes.0.iter_mut().enumerate().map(async |(n, lane)| {
        let mut answers = Vec::new();
        for (i, message) in claimed.iter().enumerate().filter(|(_, message)| lane_of(message) == n) {
            let Some(parcel) = parcels.get(i) else { continue };
            debug_assert!(parcel.id.ends_with(&message.message.id.to_string()));
            answers.push((i, send(lane, secrets, parcel, later(now, watch.elapsed())).await));
        }
        answers
    });
    let mut all: Vec<_> = join_all(lanes).await.into_iter().flatten().collect();
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, answer)| answer).collect()
}
