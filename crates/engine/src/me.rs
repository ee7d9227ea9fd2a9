//! Members at their own pages: how they come in, and for how long.
//!
//! Whoever shows that a phone is theirs, by a code that was texted to it, or whom an app of the brand's vouches for, is the member who
//! bears that name; who is nobody yet becomes a member then. They get a token of 32 bytes of chance, of which the home keeps a hash.
//! What is tried is bounded twice: in each process by [`Attempts`], and for each phone by a row that all processes see.
//!
//! Rows of codes and sessions lie in the mirror, sealed under whom they are about: they end with whoever is erased. What they see and do
//! there is [`mine`]; [`pass`] is what the till reads off their phone.

pub mod mine;
pub mod pass;
pub mod said;
pub mod texts;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{About, Bound, Filter, Grant, Operation, Role};
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_store::campaigns::mirror::{Mirror, PartId, Reflect, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, StoredMember, seal};

use crate::audit::Target;
use crate::boxed;
use crate::command::{Act, Answer, Asker, Whom};
use crate::identity::as_kept;
use crate::keys::base62;
use crate::sign_in::attempts::{Attempts, Quota};
use crate::sign_in::{Fill, Token};
use crate::{Engine, Result};

/// How long a code is good.
pub const CODE_GOOD_US: i64 = 5 * 60_000_000;
/// How soon another may be asked for.
pub const CODE_AGAIN_US: i64 = 60_000_000;
/// How many are texted to one phone within an hour and within a day, and how often one may be tried.
const CODES_AN_HOUR: usize = 5;
const CODES_A_DAY: usize = 10;
const CODE_TRIES: u32 = 5;
/// How long a session is good while nothing is asked in it, and at all.
const IDLE_US: i64 = 30 * DAY_US;
const WHOLE_US: i64 = 180 * DAY_US;
/// A session that was prolonged so short a time ago is not prolonged.
const PROLONGED_EVERY_US: i64 = DAY_US;
/// How long whoever came in may do what cannot be undone.
const FRESH_US: i64 = 10 * 60_000_000;
/// The most sessions of one member: the oldest end.
const SESSIONS_MAX: usize = 20;
/// How often something is read and written again that somebody else wrote.
const ROUNDS: usize = 5;
/// How many rows whose time is over are let go of when one is written.
const LET_GO: usize = 20;

/// Codes that one address asks for, and tries: behind one of a mobile network are many.
const BY_ADDRESS: Quota = Quota { of: "me address", at_once: 60, every_us: 10_000_000 };
/// Codes of everybody together: somebody who makes a home text strangers is stopped by it.
const BY_ALL: Quota = Quota { of: "me all", at_once: 600, every_us: 100_000 };

/// The kinds of rows, and under whose name they are kept.
const CODE: &str = "me:door:code";
const SESSION: &str = "me:door:session";
const OF: (&str, &str) = ("me", "door");

/// Why somebody does not come in, or does not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeProblem {
    /// Its stable name.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// A sentence; empty where the name says it.
    pub message: String,
    /// After how many seconds it may be tried again, where it may.
    pub after: Option<u64>,
}

impl MeProblem {
    fn of(code: &str, field: &str) -> Self {
        Self { code: code.to_owned(), field: field.to_owned(), message: String::new(), after: None }
    }

    fn after(code: &str, seconds: u64) -> Self {
        Self { after: Some(seconds.max(1)), ..Self::of(code, "") }
    }
}

impl From<Refusal> for MeProblem {
    fn from(refusal: Refusal) -> Self {
        Self { message: refusal.message, ..Self::of(refusal.code, &refusal.field) }
    }
}

/// What is asked, or why it is not done.
pub type Maybe<T> = std::result::Result<T, MeProblem>;

/// Whoever texts codes.
#[async_trait]
pub trait Texts: Send + Sync {
    /// Texts a code to a phone (`+8613912345678`), now; false where it was not taken.
    async fn code(&self, phone: &str, code: &str, english: bool) -> bool;
}

/// How somebody came to the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameBy {
    /// Through which touchpoint; the pages themselves, where nothing is said.
    pub touchpoint: Option<String>,
}

/// Somebody at their own pages.
#[derive(Clone, Debug)]
pub struct AtHome {
    /// What their browser holds.
    pub token: Token,
    /// Who they are.
    pub member: StoredMember,
    /// Whether they became a member just now.
    pub joined: bool,
    /// Until when they may do what cannot be undone.
    pub fresh_until: Ts,
    /// When it ends at the latest.
    pub ends_at: Ts,
}

/// A code that was texted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Texted {
    /// Of the code; empty once it was used.
    hash: String,
    until: Ts,
    tries: u32,
    /// When codes were texted to this phone, of the last day.
    sent: Vec<Ts>,
    /// How many ever were.
    n: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Held {
    member: String,
    began_at: Ts,
    until: Ts,
    ends_at: Ts,
}

/// A row as it was found; what was erased is nothing, and has a version still.
struct Row<T> {
    id: ReflectionId,
    version: i64,
    what: Option<T>,
}

/// The members' door.
pub struct Me {
    engine: Arc<Engine>,
    fill: Fill,
    attempts: Attempts,
    texts: OnceLock<Arc<dyn Texts>>,
}

/// What a member reads of themselves, they may: their own data, whole.
pub fn own() -> Filter {
    Filter { about: About::Member, bound: Bound::Everything, mask: Mask::Full }
}

impl Me {
    /// The door of a home.
    pub fn new(engine: Arc<Engine>, fill: Fill) -> Self {
        Self { engine, fill, attempts: Attempts::default(), texts: OnceLock::new() }
    }

    /// Says who texts codes; whoever is named first stays.
    pub fn texts_by(&self, texts: Arc<dyn Texts>) {
        self.texts.get_or_init(|| texts);
    }

    /// Whether codes can be texted.
    pub fn has_texts(&self) -> bool {
        self.texts.get().is_some()
    }

    fn mirror(&self) -> &dyn Mirror {
        self.engine.store().coupons().campaigns().mirror()
    }

    async fn key(&self) -> Result<IdKey> {
        Ok(self.engine.home().await?.id_key)
    }

    fn chance<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        if (self.fill)(&mut bytes) {
            return Ok(bytes);
        }
        Err(StoreError::Database("no randomness".to_owned()).into())
    }

    async fn row<T: DeserializeOwned>(&self, id: ReflectionId) -> Result<Row<T>> {
        let Some(found) = self.mirror().reflections(vec![id]).await?.pop() else {
            return Ok(Row { id, version: 0, what: None });
        };
        let what = match seal::open(&found.body) {
            Err(StoreError::Erased) => None,
            body => serde_json::from_str(&body?).ok(),
        };
        Ok(Row { id, version: found.version, what })
    }

    async fn write<T: Serialize>(
        &self,
        (kind, row, part): (&str, (ReflectionId, i64), PartId),
        about: [u8; 16],
        due: Ts,
        what: &T,
    ) -> Result<bool> {
        let body = serde_json::to_string(what)
            .map_err(|error| StoreError::Damaged(format!("a row of the members' door: {error}")))?;
        let (id, read) = row;
        let (kind, body) = (kind.to_owned(), seal::seal(&body));
        let written = Reflect { id, read, kind, part, due: Some(due), about, body };
        Ok(self.mirror().reflect(vec![written]).await?.into_iter().all(|done| done))
    }

    /// Lets go of some rows whose time is over.
    async fn let_go(&self, kind: &str, now: Ts) -> Result<()> {
        let lapsed = self.mirror().lend_reflections(kind, now, now.plus_us(HOUR_US), LET_GO).await?;
        if !lapsed.is_empty() {
            let read = lapsed.into_iter().map(|row| (row.id, row.version)).collect();
            self.mirror().forget_reflections(read).await?;
        }
        Ok(())
    }

    /// Texts a code to a phone; after how many seconds another may be asked for. Whether anybody bears the phone is not told.
    #[boxed]
    pub async fn text(&self, phone: &str, english: bool, address: &str, now: Ts) -> Result<Maybe<u64>> {
        let Some(texts) = self.texts.get() else { return Ok(Err(MeProblem::of("channel_missing", ""))) };
        let phone = match kept_phone(phone) {
            Ok(phone) => phone,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        for (quota, who) in [(&BY_ADDRESS, address), (&BY_ALL, "")] {
            if let Err(seconds) = self.attempts.take(quota, who, now) {
                return Ok(Err(MeProblem::after("too_many_attempts", seconds)));
            }
        }
        self.let_go(CODE, now).await?;
        let key = self.key().await?;
        let id = reflection_id(&key, OF, CODE, &[&phone.value]);
        for _ in 0..ROUNDS {
            let row: Row<Texted> = self.row(id).await?;
            let mut texted = row.what.unwrap_or_default();
            texted.sent.retain(|at| now.0.saturating_sub(at.0) < DAY_US);
            if let Some(wait) = must_wait(&texted.sent, now) {
                return Ok(Err(MeProblem::after("too_many_attempts", wait)));
            }
            let code = code(self.chance::<8>()?);
            texted.sent.push(now);
            texted.n += 1;
            let n = texted.n;
            texted = Texted {
                hash: hashed(&key, id, n, &code),
                until: now.plus_us(CODE_GOOD_US),
                tries: 0,
                ..texted
            };
            // The row stays for a day, for what was sent counts so long.
            let (about, due) = (seal::lookup(&key, &phone), now.plus_us(DAY_US));
            if self.write((CODE, (id, row.version), id), about, due, &texted).await? {
                return Ok(match texts.code(&phone.value, &code, english).await {
                    true => Ok(seconds(CODE_AGAIN_US)),
                    false => Err(MeProblem::of("code_not_sent", "phone")),
                });
            }
        }
        Ok(Err(MeProblem::after("too_many_attempts", 1)))
    }

    /// Lets somebody in who tells the code that was texted to their phone: as the member who bears it, or as a new one.
    #[boxed]
    pub async fn enter(
        &self,
        (phone, code): (&str, &str),
        came: &CameBy,
        address: &str,
        now: Ts,
    ) -> Result<Maybe<AtHome>> {
        let phone = match kept_phone(phone) {
            Ok(phone) => phone,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        if let Err(seconds) = self.attempts.take(&BY_ADDRESS, address, now) {
            return Ok(Err(MeProblem::after("too_many_attempts", seconds)));
        }
        let key = self.key().await?;
        let id = reflection_id(&key, OF, CODE, &[&phone.value]);
        let over = || Ok(Err(MeProblem::of("code_over", "code")));
        for _ in 0..ROUNDS {
            let row: Row<Texted> = self.row(id).await?;
            let Some(mut texted) = row.what else { return over() };
            if texted.hash.is_empty() || texted.until <= now || texted.tries >= CODE_TRIES {
                return over();
            }
            // That it was tried is written first: whoever tries in many processes at once has no more tries.
            texted.tries += 1;
            let fits = same(&texted.hash, &hashed(&key, id, texted.n, code.trim()));
            if fits {
                texted.hash = String::new();
            }
            let about = seal::lookup(&key, &phone);
            if !self.write((CODE, (id, row.version), id), about, now.plus_us(DAY_US), &texted).await? {
                continue;
            }
            if !fits {
                return Ok(Err(MeProblem::of("code_wrong", "code")));
            }
            self.attempts.give_back(&BY_ADDRESS, address);
            return self.let_in(vec![phone], came, &format!("{id}-{}", texted.n), now).await;
        }
        Ok(Err(MeProblem::after("too_many_attempts", 1)))
    }

    /// Lets somebody in for whose names an app of the brand's vouches; `once` is by what this visit is known when it comes again.
    #[boxed]
    pub async fn let_in(
        &self,
        names: Vec<Identifier>,
        came: &CameBy,
        once: &str,
        now: Ts,
    ) -> Result<Maybe<AtHome>> {
        let Some(first) = names.first().cloned() else { return Ok(Err(MeProblem::of("member_unknown", ""))) };
        let borne = self.engine.borne(&names).await?.first().map(|(_, member)| *member);
        let known = match borne {
            Some(member) => self.engine.reachable(&own(), &Whom::Id(member), "").await?.ok(),
            None => None,
        };
        let enrolled = known.filter(|stored| stored.member.enrolled_at.is_some());
        let (member, joined) = match enrolled {
            Some(stored) => (stored, false),
            None => match self.enrol(names, came, once).await? {
                Ok(id) => match self.engine.reachable(&own(), &Whom::Id(id), "").await? {
                    Ok(stored) => (stored, true),
                    Err(refusal) => return Ok(Err(refusal.into())),
                },
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let (token, key) = (Token::made(base62(&self.chance::<32>()?)), self.key().await?);
        let held = Held {
            member: member.member.id.to_string(),
            began_at: now,
            until: now.plus_us(IDLE_US),
            ends_at: now.plus_us(WHOLE_US),
        };
        self.let_go(SESSION, now).await?;
        let part = part_of(&key, member.member.id);
        self.keep_few(part).await?;
        let id = session_id(&key, &token);
        let about = seal::lookup(&key, &first);
        self.write((SESSION, (id, 0), part), about, held.until, &held).await?;
        Ok(Ok(at_home(token, member, &held, joined)))
    }

    /// Lets a member in whom an app of the brand's knows already.
    #[boxed]
    pub async fn let_in_known(
        &self,
        member: MemberId,
        came: &CameBy,
        once: &str,
        now: Ts,
    ) -> Result<Maybe<AtHome>> {
        match self.engine.name_of(&Whom::Id(member), member, "").await? {
            Ok(name) => self.let_in(vec![name], came, once, now).await,
            Err(refusal) => Ok(Err(refusal.into())),
        }
    }

    /// Ends the sessions that one more would be too many beside.
    async fn keep_few(&self, part: PartId) -> Result<()> {
        let mut all = Vec::new();
        for found in self.mirror().reflections_of(SESSION, part, None, 10 * SESSIONS_MAX).await? {
            let held = seal::open(&found.body).ok().and_then(|body| serde_json::from_str::<Held>(&body).ok());
            all.push((held.map_or(Ts(0), |held| held.began_at), found.id, found.version));
        }
        all.sort_unstable_by_key(|(began_at, ..)| std::cmp::Reverse(*began_at));
        let over = all.into_iter().skip(SESSIONS_MAX - 1).map(|(_, id, version)| (id, version));
        let over: Vec<_> = over.collect();
        if !over.is_empty() {
            self.mirror().forget_reflections(over).await?;
        }
        Ok(())
    }

    async fn enrol(&self, names: Vec<Identifier>, came: &CameBy, once: &str) -> Result<Maybe<MemberId>> {
        let mut act = Act::new(Operation::MemberEnrol, "identify", names);
        act.touchpoint = Some(came.touchpoint.clone().unwrap_or_else(|| "h5".to_owned()));
        act.noted = json!({"identifiers": act.names.len(), "by": "themselves"});
        let (grant, filter) = (themselves("new"), own());
        let request = format!("me {once}");
        let asker =
            Asker { grant: &grant, filter: &filter, key: "me", idempotency_key: once, request: &request };
        Ok(match self.engine.command(&asker, &act, None).await? {
            Answer::Done(done) => Ok(done.member),
            Answer::Refused(refused) => {
                Err(MeProblem { message: refused.message, ..MeProblem::of(&refused.code, &refused.field) })
            }
            Answer::StillDeciding => Err(MeProblem::after("still_deciding", 1)),
        })
    }

    /// Who brings a token, if their session is good; it is good for longer then.
    #[boxed]
    pub async fn who(&self, token: &str, now: Ts) -> Result<Option<AtHome>> {
        let Some(token) = Token::read(token) else { return Ok(None) };
        let key = self.key().await?;
        let row: Row<Held> = self.row(session_id(&key, &token)).await?;
        let Some(mut held) = row.what.filter(|held| held.until > now && held.ends_at > now) else {
            return Ok(None);
        };
        let Some(member) = MemberId::from_hex(&held.member) else { return Ok(None) };
        let Ok(member) = self.engine.reachable(&own(), &Whom::Id(member), "").await? else { return Ok(None) };
        let until = now.plus_us(IDLE_US).min(held.ends_at);
        if until.0 - held.until.0 >= PROLONGED_EVERY_US
            && let Some(found) = self.mirror().reflections(vec![row.id]).await?.pop()
        {
            held.until = until;
            // Another request may have prolonged it as well: nothing is lost.
            self.write((SESSION, (row.id, row.version), found.part), found.about, until, &held).await?;
        }
        Ok(Some(at_home(token, member, &held, false)))
    }

    /// Ends a session, or all of whose it is. How many ended.
    #[boxed]
    pub async fn leave(&self, at: &AtHome, all: bool) -> Result<usize> {
        let key = self.key().await?;
        let mut read = Vec::new();
        if all {
            let part = part_of(&key, at.member.member.id);
            let found = self.mirror().reflections_of(SESSION, part, None, 10 * SESSIONS_MAX).await?;
            read.extend(found.into_iter().map(|one| (one.id, one.version)));
        } else {
            let row: Row<Held> = self.row(session_id(&key, &at.token)).await?;
            read.push((row.id, row.version));
        }
        Ok(self.mirror().forget_reflections(read).await?)
    }

    /// What somebody may do at their pages, as the audit log calls them.
    #[boxed]
    pub async fn grant(&self, at: &AtHome) -> Result<Grant> {
        let target = Target::member(&self.key().await?, at.member.member.id);
        Ok(themselves(target.text().trim_start_matches("member:")))
    }
}

/// Members act at their pages as a page does that anybody can open: by the table of roles they may nothing else.
fn themselves(who: &str) -> Grant {
    Grant { who: format!("member:{who}"), role: Role::Public, place: None, staff: None, scopes: None }
}

fn at_home(token: Token, member: StoredMember, held: &Held, joined: bool) -> AtHome {
    AtHome { token, member, joined, fresh_until: held.began_at.plus_us(FRESH_US), ends_at: held.ends_at }
}

fn kept_phone(phone: &str) -> std::result::Result<Identifier, Refusal> {
    let written = Identifier { namespace: "phone".to_owned(), value: phone.to_owned() };
    as_kept(&written, "phone").map_err(|refusal| Refusal { field: "phone".to_owned(), ..refusal })
}

fn part_of(key: &IdKey, member: MemberId) -> PartId {
    reflection_id(key, OF, "member", &[&member.to_string()])
}

fn session_id(key: &IdKey, token: &Token) -> ReflectionId {
    // The token is 256 bits of chance; what comes out of its hash finds nobody's.
    reflection_id(key, OF, SESSION, &[&base62(&token.hash())])
}

/// Six digits, each as likely as any.
fn code(chance: [u8; 8]) -> String {
    // Of 2^64 the rest over a million favours nothing that anybody could tell.
    format!("{:06}", u64::from_le_bytes(chance) % 1_000_000)
}

fn hashed(key: &IdKey, id: ReflectionId, n: u64, code: &str) -> String {
    let parts = [id.to_string(), n.to_string(), code.to_owned()];
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    key.digest("me code", &parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two hashes are the same, compared in constant time.
fn same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

fn seconds(us: i64) -> u64 {
    u64::try_from(us).unwrap_or(0).div_ceil(1_000_000)
}

/// For how many seconds no further code is texted to a phone to which some were.
fn must_wait(sent: &[Ts], now: Ts) -> Option<u64> {
    let bounds = [(1, CODE_AGAIN_US), (CODES_AN_HOUR, HOUR_US), (CODES_A_DAY, DAY_US)];
    let waits = bounds.into_iter().filter_map(|(n, within)| {
        let nth = sent.len().checked_sub(n).and_then(|at| sent.get(at))?;
        let wait = nth.0.saturating_add(within).saturating_sub(now.0);
        (wait > 0).then(|| seconds(wait))
    });
    waits.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_texted_once_a_minute_five_times_an_hour_and_ten_times_a_day() {
        let at = |minutes: i64| Ts(minutes * 60_000_000);
        for (sent, now, wait) in [
            (vec![], 0, None),
            (vec![0], 0, Some(60)),
            (vec![0], 1, None),
            (vec![0, 1, 2, 3, 4], 5, Some(55 * 60)),
            (vec![0, 1, 2, 3, 4], 60, None),
            (vec![0, 1, 2, 3, 4, 100, 101, 102, 103, 104], 200, Some((24 * 60 - 200) * 60)),
        ] {
            let sent: Vec<Ts> = sent.into_iter().map(at).collect();
            assert_eq!(must_wait(&sent, at(now)), wait, "{sent:?} {now}");
        }
    }

    #[test]
    fn a_code_is_six_digits_and_fits_its_phone_and_its_turn_alone() {
        let key = IdKey::from_bytes([7; 32]);
        let (one, other) =
            (reflection_id(&key, OF, CODE, &["+8613912345678"]), reflection_id(&key, OF, CODE, &["x"]));
        assert_eq!(code([0; 8]), "000000");
        assert!(code([255; 8]).len() == 6);
        let kept = hashed(&key, one, 1, "123456");
        assert!(same(&kept, &hashed(&key, one, 1, "123456")));
        for (id, n, code) in [(one, 2, "123456"), (other, 1, "123456"), (one, 1, "123457")] {
            assert!(!same(&kept, &hashed(&key, id, n, code)));
        }
    }
}
