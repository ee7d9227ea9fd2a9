//! Draws (R11): opened with a seed that nobody knows, closed, drawn, and rolled on, each once.
//!
//! A draw is an entry of the playbook's `draws`; here is how it stands. It is opened before anybody has a chance: the commitment
//! to its seed is published then. When it is closed, who has how many chances is written down, and the hash of that list
//! published. Drawing needs nothing but what was written (docs/draws.md), so whoever draws again comes to the same. Winners are issued
//! their prizes as items of the draw's own source, each named by its entry's code: once, whoever sends them how often. Where a prize's
//! coupon ended unused, the next alternate gets one.
//!
//! The seed is derived from the home's key and 32 bytes of chance that lie in the record, so the record alone does not tell it.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_decide::coupon::{GONE, WON_ALREADY};
use zhiyin_decide::draw::{self as drawing, Entries, Hash, Prize, Terms};
use zhiyin_model::coupon::{CouponAccount, CouponCode, chance_of, stock_of};
use zhiyin_model::event::json::write_text;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::{CouponId, EventId, IdKey, MemberId};
use zhiyin_model::playbook::{Draw, Playbook};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::command::Fate;
use zhiyin_store::draws::{PART_ENTRIES_MAX, StoredDraw};
use zhiyin_store::{Append, Home, NewEvent, StoreError, Ties, seal};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

pub use told::{DrawView, GivenView, MemberDraw};

/// What the source of a draw's items is called, before its name.
pub const SOURCE: &str = "draw:";
/// Refusals of a prize that nothing mends: whoever won it is nobody any more, or has one.
const NEVER_GIVEN: [&str; 3] = [GONE, "erased", WON_ALREADY];
/// How long, and how often, one waits until what came in is decided.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS_MAX: usize = 200;
/// How long one waits before looking again what became of a prize that is on its way.
const LOOK_AGAIN_US: i64 = 60_000_000;
/// How many prizes are sent at once.
const SENT_AT_ONCE: usize = 2_000;

/// How a draw stands, as it lies in the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    /// The terms as they were when it was opened: they stand.
    terms: Kept,
    /// Chance, from which and from the home's key the seed is derived.
    salt: String,
    commitment: String,
    opened_at: i64,
    opened_by: String,
    closed: Option<Closed>,
    drawn: Option<Drawn>,
    /// Prizes as they were given, in order.
    given: Vec<Given>,
    /// When the first prize may have ended unused; nothing, where that was not looked at yet. Far away where none can.
    #[serde(default)]
    look_at: Option<i64>,
}

/// What of a draw's terms drawing needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    prizes: Vec<(String, u32)>,
    alternates: u32,
    public_source: Option<String>,
    /// The last day on which orders give chances.
    until: Option<i32>,
}

impl Kept {
    fn of(draw: &Draw) -> Self {
        Self {
            prizes: draw.prizes.iter().map(|prize| (prize.offer.clone(), prize.pieces)).collect(),
            alternates: draw.alternates,
            public_source: draw.public_source.clone(),
            until: draw.until.map(|until| until.0),
        }
    }

    fn pieces(&self) -> u64 {
        self.prizes.iter().map(|(_, pieces)| u64::from(*pieces)).sum()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Closed {
    at: i64,
    entries: u64,
    chances: u64,
    hash: String,
    parts: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drawn {
    at: i64,
    public_value: Option<String>,
    winners: Vec<(String, String)>,
    alternates: Vec<String>,
}

/// A prize that was given to an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Given {
    entry: String,
    prize: String,
    member: String,
    /// The entry that did not claim it.
    instead_of: Option<String>,
}

/// What became of a prize that was given.
enum FateOfPrize {
    /// It is written down and was not sent.
    Unsent,
    /// It is on its way, or whoever won it has it, or had. Until when they may use it, where that is known.
    Given(Option<Ts>),
    /// It ended unused, or could not be given at all.
    Unclaimed,
}

type Refused<T> = std::result::Result<T, Refusal>;

fn refused<T>(code: &'static str, field: &str, message: impl Into<String>) -> Result<Refused<T>> {
    Ok(Err(Refusal::new(code, field, message.into())))
}

fn unknown<T>() -> Result<Refused<T>> {
    refused("draw_unknown", "draw", "the playbook has no draw of this id")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 digits that were written here.
fn hash_of(text: &str) -> Result<Hash> {
    let damaged = || EngineError::Store(StoreError::Damaged("a hash of a draw".to_owned()));
    let digits = text.as_bytes().as_chunks::<2>().0;
    let byte =
        |pair: &[u8; 2]| std::str::from_utf8(pair).ok().and_then(|two| u8::from_str_radix(two, 16).ok());
    let bytes: Option<Vec<u8>> = digits.iter().map(byte).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(damaged)
}

fn seed(key: &IdKey, draw: &str, salt: &[u8; 32]) -> [u8; 32] {
    key.digest_wide("draw seed", &[draw.as_bytes(), salt])
}

fn code(key: &IdKey, draw: &str, member: MemberId) -> String {
    CouponCode::of_entry(key, draw, member).to_string()
}

impl State {
    fn read(stored: &StoredDraw) -> Result<Self> {
        let damaged =
            |error: serde_json::Error| StoreError::Damaged(format!("draw {}: {error}", stored.name));
        Ok(serde_json::from_str(&stored.state).map_err(damaged)?)
    }

    fn text(&self) -> Result<String> {
        Ok(serde_json::to_string(self).map_err(|error| StoreError::Damaged(error.to_string()))?)
    }

    fn name(&self) -> &'static str {
        match (&self.closed, &self.drawn) {
            (_, Some(_)) => "drawn",
            (Some(_), None) => "closed",
            (None, None) => "open",
        }
    }

    fn terms(&self, draw: &str) -> Terms {
        let prize = |(offer, pieces): &(String, u32)| Prize { prize: offer.clone(), pieces: *pieces };
        Terms {
            draw: draw.to_owned(),
            prizes: self.terms.prizes.iter().map(prize).collect(),
            alternates: self.terms.alternates,
            public_source: self.terms.public_source.clone(),
        }
    }
}

/// A prize as an item: about the winner, named by the entry.
fn event(home: &Home, draw: &str, given: &Given, member: MemberId, at: Ts) -> NewEvent {
    let mut body = String::with_capacity(280);
    body.push_str("{\"context\":{\"externalIds\":[{\"id\":\"");
    body.push_str(&member.to_string());
    body.push_str("\",\"type\":\"member\"}]},\"event\":");
    write_text(names::DRAW_WON, &mut body);
    for (i, (name, value)) in
        [("draw", draw), ("entry", given.entry.as_str()), ("prize", given.prize.as_str())]
            .into_iter()
            .enumerate()
    {
        body.push_str(if i == 0 { ",\"properties\":{" } else { "," });
        write_text(name, &mut body);
        body.push(':');
        write_text(value, &mut body);
    }
    body.push_str("},\"timestamp\":");
    write_text(&at.rfc3339(), &mut body);
    body.push_str(",\"type\":\"track\"}");
    let source = format!("{SOURCE}{draw}");
    NewEvent {
        id: prize_event(&home.id_key, draw, &given.entry),
        body_hash: home.id_key.digest("body", &[source.as_bytes(), given.prize.as_bytes()]),
        message_id: given.entry.clone(),
        called: None,
        name: names::DRAW_WON.to_owned(),
        time: at,
        body: seal::seal(&body),
        names: Vec::new(),
        member,
        reach: None,
        ties: Ties::Keep,
        parts: Vec::new(),
    }
}

fn prize_event(key: &IdKey, draw: &str, entry: &str) -> EventId {
    key.derive("event", &[format!("{SOURCE}{draw}").as_bytes(), entry.as_bytes()])
}

impl Engine {
    /// Opens a draw of the playbook with 32 bytes of the system's chance: from now on there is a commitment.
    #[boxed]
    pub async fn open_draw(&self, grant: &Grant, draw: &str, chance: [u8; 32]) -> Result<Refused<DrawView>> {
        let live = self.live()?;
        let Some(terms) = live.playbook.draws.get(draw) else { return unknown() };
        if self.store().draws().draw(draw).await?.is_some() {
            return refused("draw_opened", "draw", "this draw is open already, or over");
        }
        if self.chances_given(draw).await? > 0 {
            let message = "chances were given already: what is committed to afterwards proves nothing";
            return refused("draw_begun", "draw", message);
        }
        let home = self.home().await?;
        let commitment = hex(&drawing::commitment(&seed(&home.id_key, draw, &chance)));
        let state = State {
            terms: Kept::of(terms),
            salt: hex(&chance),
            commitment,
            opened_at: clock::now(&home).0,
            opened_by: grant.who.clone(),
            closed: None,
            drawn: None,
            given: Vec::new(),
            look_at: None,
        };
        self.note_draw(grant, draw, json!({"act": "open", "commitment": state.commitment})).await?;
        if !self.store().draws().set(draw, 0, &state.text()?).await? {
            return refused("draw_opened", "draw", "this draw is open already, or over");
        }
        self.view_draw(draw).await
    }

    /// Closes a draw's list: who has how many chances at this moment is written down.
    #[boxed]
    pub async fn close_draw(&self, grant: &Grant, draw: &str) -> Result<Refused<DrawView>> {
        let Some(stored) = self.store().draws().draw(draw).await? else { return self.not_open(draw).await };
        let state = State::read(&stored)?;
        if state.closed.is_some() {
            return refused("draw_closed", "draw", "its list is closed already");
        }
        let home = self.home().await?;
        let now = clock::now(&home);
        let live = self.live()?;
        if state.terms.until.is_some_and(|until| live.rules.zone.day(now).0 <= until) {
            return refused(
                "draw_running",
                "draw",
                "orders give chances still: it is closed after its last day",
            );
        }
        if !self.decided_until(now).await? {
            let message = "what came in until now is not decided yet: try again when it is";
            return refused("draw_unsettled", "draw", message);
        }
        let (offer, mut all, mut after) = (chance_of(draw), Vec::<(MemberId, u32)>::new(), None);
        loop {
            let part = self.store().draws().chances(&offer, after, PART_ENTRIES_MAX).await?;
            let Some((last, _)) = part.last() else { break };
            after = Some(*last);
            all.extend(part);
            if all.len() > drawing::ENTRIES_MAX {
                return refused(
                    "draw_too_large",
                    "draw",
                    format!("at most {} entries", drawing::ENTRIES_MAX),
                );
            }
        }
        let coded = |(member, chances): &(MemberId, u32)| {
            (code(&home.id_key, draw, *member), (*chances).min(drawing::CHANCES_MAX))
        };
        let entries = match Entries::close(all.iter().map(coded).collect()) {
            Ok(entries) => entries,
            Err(error) => return refused("draw_empty", "draw", error.to_string()),
        };
        let hash = entries.hash();
        let mut parts = 0;
        for part in all.chunks(PART_ENTRIES_MAX) {
            self.store().draws().put_entries(hash, parts, part.to_vec()).await?;
            parts += 1;
        }
        let chances = entries.all().iter().map(|(_, chances)| u64::from(*chances)).sum();
        let closed =
            Closed { at: now.0, entries: entries.all().len() as u64, chances, hash: hex(&hash), parts };
        let noted = json!({"act": "close", "entries_hash": closed.hash, "entries": closed.entries});
        self.note_draw(grant, draw, noted).await?;
        let state = State { closed: Some(closed), ..state };
        if !self.store().draws().set(draw, stored.revision, &state.text()?).await? {
            return refused("draw_closed", "draw", "its list is closed already");
        }
        self.view_draw(draw).await
    }

    /// Waits until what came in until an instant is decided; whether it is.
    async fn decided_until(&self, now: Ts) -> Result<bool> {
        for _ in 0..LOOKS_MAX {
            let work = self.store().work().await?;
            let waits = work.shares.iter().any(|share| share.oldest.is_some_and(|oldest| oldest <= now));
            if !waits && work.queued == 0 {
                return Ok(true);
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(false)
    }

    /// Draws, and issues the prizes.
    #[boxed]
    pub async fn run_draw(
        &self,
        grant: &Grant,
        draw: &str,
        public_value: Option<&str>,
    ) -> Result<Refused<DrawView>> {
        let Some(stored) = self.store().draws().draw(draw).await? else { return self.not_open(draw).await };
        let mut state = State::read(&stored)?;
        let Some(closed) = state.closed.clone() else {
            return refused("draw_not_closed", "draw", "its list is not closed yet");
        };
        if state.drawn.is_some() {
            return refused("draw_drawn", "draw", "it was drawn already");
        }
        let home = self.home().await?;
        let listed = self.entries_of(draw, &home, &closed).await?;
        let entries = Entries::close(listed.iter().map(|(code, (_, n))| (code.clone(), *n)).collect());
        let entries = entries.map_err(|error| StoreError::Damaged(error.to_string()))?;
        if hex(&entries.hash()) != closed.hash {
            return Err(StoreError::Damaged(format!("the list of draw {draw} is not the one closed")).into());
        }
        let seed = seed(&home.id_key, draw, &hash_of(&state.salt)?);
        if hex(&drawing::commitment(&seed)) != state.commitment {
            return Err(
                StoreError::Damaged(format!("the seed of draw {draw} is not the one committed to")).into()
            );
        }
        let drawn = match drawing::draw(&state.terms(draw), &entries, &seed, public_value) {
            Ok(drawn) => drawn,
            Err(error) => return refused(error.code(), "public_value", error.to_string()),
        };
        let given = drawn.winners.iter().map(|(entry, prize)| Given {
            entry: entry.clone(),
            prize: prize.clone(),
            member: listed.get(entry).map(|(member, _)| member.to_string()).unwrap_or_default(),
            instead_of: None,
        });
        state.given = given.collect();
        let noted = json!({"act": "run", "winners": drawn.winners.len(), "public_value": public_value});
        state.drawn = Some(Drawn {
            at: clock::now(&home).0,
            public_value: public_value.map(str::to_owned),
            winners: drawn.winners,
            alternates: drawn.alternates,
        });
        self.note_draw(grant, draw, noted).await?;
        if !self.store().draws().set(draw, stored.revision, &state.text()?).await? {
            return refused("draw_drawn", "draw", "it was drawn already");
        }
        self.send_prizes(draw, &state.given).await?;
        self.view_draw(draw).await
    }

    /// Gives what was not claimed to the next alternates; how many prizes rolled on. What is not sent yet is sent.
    #[boxed]
    pub async fn roll_draw(&self, draw: &str) -> Result<Refused<usize>> {
        let Some(stored) = self.store().draws().draw(draw).await? else { return self.not_open(draw).await };
        let mut state = State::read(&stored)?;
        let (Some(closed), Some(drawn)) = (state.closed.clone(), state.drawn.clone()) else {
            return refused("draw_not_drawn", "draw", "it was not drawn yet");
        };
        let rolled: BTreeSet<String> =
            state.given.iter().filter_map(|given| given.instead_of.clone()).collect();
        let had: BTreeSet<String> = state.given.iter().map(|given| given.entry.clone()).collect();
        let mut waiting = drawn.alternates.iter().filter(|entry| !had.contains(*entry));
        let home = self.home().await?;
        let mut listed = None;
        let (mut more, mut unsent) = (Vec::new(), Vec::new());
        let now = clock::now(&home);
        let mut look_at = Ts::FOREVER;
        for given in state.given.iter().filter(|given| !rolled.contains(&given.entry)) {
            match self.fate_of_prize(&home, draw, given).await? {
                FateOfPrize::Unsent => {
                    unsent.push(given.clone());
                    continue;
                }
                FateOfPrize::Given(until) => {
                    look_at = look_at.min(until.unwrap_or(now.plus_us(LOOK_AGAIN_US)));
                    continue;
                }
                FateOfPrize::Unclaimed => {}
            }
            let Some(next) = waiting.next() else { continue };
            let members = match listed.take() {
                Some(members) => members,
                None => self.entries_of(draw, &home, &closed).await?,
            };
            more.push(Given {
                entry: next.clone(),
                prize: given.prize.clone(),
                member: members.get(next).map(|(member, _)| member.to_string()).unwrap_or_default(),
                instead_of: Some(given.entry.clone()),
            });
            listed = Some(members);
        }
        // Whoever stopped between writing down and sending.
        self.send_prizes(draw, &unsent).await?;
        if more.is_empty() && unsent.is_empty() && state.look_at != Some(look_at.0) {
            // Whoever is faster looks at what is there then.
            let looked = State { look_at: Some(look_at.0), ..state };
            self.store().draws().set(draw, stored.revision, &looked.text()?).await?;
            return Ok(Ok(0));
        }
        if more.is_empty() {
            return Ok(Ok(0));
        }
        state.look_at = None;
        state.given.extend(more.iter().cloned());
        if !self.store().draws().set(draw, stored.revision, &state.text()?).await? {
            // Somebody else rolls it on.
            return Ok(Ok(0));
        }
        self.send_prizes(draw, &more).await?;
        Ok(Ok(more.len()))
    }

    /// The first open draw that a playbook would have on other terms, or not have at all.
    pub(crate) async fn changed_while_open(&self, playbook: &Playbook) -> Result<Option<String>> {
        let Ok(live) = self.live() else { return Ok(None) };
        for stored in self.store().draws().all().await? {
            let (was, will) = (live.playbook.draws.get(&stored.name), playbook.draws.get(&stored.name));
            let same = match (was, will) {
                // What people call it is no term.
                (Some(was), Some(will)) => *was == Draw { name: was.name.clone(), ..will.clone() },
                (None, _) => true,
                (Some(_), None) => false,
            };
            if !same && State::read(&stored)?.closed.is_none() {
                return Ok(Some(stored.name));
            }
        }
        Ok(None)
    }

    /// Rolls every draw on that was drawn and of which a prize may have ended since.
    #[boxed]
    pub async fn roll_draws(&self) -> Result<()> {
        let now = clock::now(&self.home().await?);
        for stored in self.store().draws().all().await? {
            let state = State::read(&stored)?;
            if state.drawn.is_some() && state.look_at.is_none_or(|at| at <= now.0) {
                match self.roll_draw(&stored.name).await? {
                    Ok(0) | Err(_) => {}
                    Ok(n) => tracing::info!(draw = stored.name, n, "prizes that nobody claimed rolled on"),
                }
            }
        }
        Ok(())
    }

    async fn not_open<T>(&self, draw: &str) -> Result<Refused<T>> {
        if self.live()?.playbook.draws.contains_key(draw) {
            return refused("draw_not_open", "draw", "this draw was not opened yet");
        }
        unknown()
    }

    /// How many chances of a draw are out.
    async fn chances_given(&self, draw: &str) -> Result<u64> {
        let pool = stock_of(&chance_of(draw));
        let taken: i64 = self.store().coupons().pools(vec![pool]).await?.into_values().sum();
        Ok(u64::try_from(taken).unwrap_or(0))
    }

    /// The closed list: whose each entry is.
    async fn entries_of(
        &self,
        draw: &str,
        home: &Home,
        closed: &Closed,
    ) -> Result<BTreeMap<String, (MemberId, u32)>> {
        let (hash, mut listed) = (hash_of(&closed.hash)?, BTreeMap::new());
        for part in 0..closed.parts {
            let missing =
                || StoreError::Damaged(format!("part {part} of the list of draw {draw} is not there"));
            let entries = self.store().draws().entries(hash, part).await?.ok_or_else(missing)?;
            listed.extend(entries.into_iter().map(|(member, chances)| {
                (code(&home.id_key, draw, member), (member, chances.min(drawing::CHANCES_MAX)))
            }));
        }
        Ok(listed)
    }

    /// Takes prizes in as items; those that are in are not taken twice.
    async fn send_prizes(&self, draw: &str, given: &[Given]) -> Result<()> {
        for part in given.chunks(SENT_AT_ONCE) {
            let home = self.home().await?;
            let now = clock::now(&home);
            let mut events = Vec::new();
            for given in part {
                let Some(member) = MemberId::from_hex(&given.member) else { continue };
                // Who was merged since is who they are by now.
                let member = self.store().reading().root(member).await?.unwrap_or(member);
                events.push(event(&home, draw, given, member, now));
            }
            let append = Append {
                source: format!("{SOURCE}{draw}"),
                user_namespace: "user".to_owned(),
                events,
                identity: self.identity(),
                now,
                replay: false,
                progress: None,
                erasures: 0,
            };
            self.store().append(append).await?;
            self.wake();
        }
        Ok(())
    }

    /// What became of a prize.
    async fn fate_of_prize(&self, home: &Home, draw: &str, given: &Given) -> Result<FateOfPrize> {
        let cause = prize_event(&home.id_key, draw, &given.entry);
        let id: CouponId = CouponCode::of(&home.id_key, cause, &given.prize, 0).id(&home.id_key);
        if let Some(coupon) = self.store().coupons().coupon(id).await? {
            return Ok(match coupon.account {
                CouponAccount::Expired | CouponAccount::Withdrawn => FateOfPrize::Unclaimed,
                CouponAccount::Redeemed => FateOfPrize::Given(Some(Ts::FOREVER)),
                CouponAccount::Stock | CouponAccount::Held | CouponAccount::Locked => {
                    FateOfPrize::Given(Some(coupon.valid_until))
                }
            });
        }
        let came = self.store().fate(&format!("{SOURCE}{draw}"), &given.entry).await?;
        Ok(match came.map(|came| came.fate) {
            None => FateOfPrize::Unsent,
            // Whatever else stands in the way: it stays theirs, and a dead letter that is put back gives it to them.
            Some(Fate::Refused { code, .. }) if NEVER_GIVEN.contains(&code.as_str()) => {
                FateOfPrize::Unclaimed
            }
            Some(Fate::Refused { .. } | Fate::Waits | Fate::Decided { .. }) => FateOfPrize::Given(None),
        })
    }

    async fn note_draw(&self, grant: &Grant, draw: &str, noted: Value) -> Result<()> {
        let (store, target) = (self.store().as_ref(), Target::code(draw));
        let noted = detail(noted);
        audit::note(store, grant, Operation::DrawsManage, &target, Outcome::Begun, &noted).await?;
        Ok(())
    }
}
