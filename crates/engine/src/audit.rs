//! The audit log: who did what to which, and how it went.
//!
//! [`note`] writes a line. [`Engine::audited`] writes one before something is done and one after, so that nothing is done
//! without a trace, whatever becomes of the process. [`verify`] walks the chain. Nothing here may name a member: a target is a
//! [`Target`], and details hold numbers, flags and codes.

use std::future::Future;

use serde_json::{Map, Value};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::audit::{Break, Checkpoint, Entry, Note, Walk};
use zhiyin_store::{Store, StoreError};

use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// Lines that are read at once.
const LINES_AT_ONCE: usize = 2_000;
/// The most bytes of who, and of a target: an e-mail address by which somebody signs in, and what stands before it, is none too long.
const NAME_BYTES_MAX: usize = 300;
/// The most bytes of details.
const DETAIL_BYTES_MAX: usize = 4_096;

/// What something is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// The home as a whole.
    pub fn home() -> Self {
        Self("home".to_owned())
    }

    /// A thing with a code: a key, a place, a playbook, a month, a number. Control characters do not come in.
    pub fn code(code: impl std::fmt::Display) -> Self {
        Self(code.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    /// A person, as a keyed hash of their id: who holds the home can find the lines about them, nobody else can.
    pub fn member(key: &IdKey, member: MemberId) -> Self {
        let hash = key.digest("audit member", &[member.bytes()]);
        Self(format!("member:{}", MemberId::from_bytes(hash)))
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is about to be done.
    Begun,
    /// It was done.
    Done,
    /// It failed, or was found impossible.
    Failed,
    /// Somebody may not.
    Refused,
}

impl Outcome {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// What is noted beside: numbers, flags, codes. Never personal data.
pub type Detail = Map<String, Value>;

/// Details from a JSON object; of anything else none.
pub fn detail(value: Value) -> Detail {
    match value {
        Value::Object(map) => map,
        _ => Detail::new(),
    }
}

/// A text as a short hash: what is too long for a line can be compared by it.
pub fn fingerprint(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().as_str().chars().take(32).collect()
}

/// A line, checked: what is too long is refused, never cut, since nobody would notice.
pub(crate) fn line(
    who: &Grant,
    operation: Operation,
    target: &Target,
    outcome: Outcome,
    detail: &Detail,
    at: Ts,
) -> Result<Note> {
    let detail = Value::Object(detail.clone()).to_string();
    let bounded = [
        ("who", who.who.len(), NAME_BYTES_MAX),
        ("target", target.0.len(), NAME_BYTES_MAX),
        ("detail", detail.len(), DETAIL_BYTES_MAX),
    ];
    for (field, bytes, max) in bounded {
        if bytes > max {
            return Err(EngineError::AuditTooLong { field, bytes, max });
        }
    }
    Ok(Note {
        at,
        who: who.who.clone(),
        role: who.role.name().to_owned(),
        operation: operation.name().to_owned(),
        target: target.0.clone(),
        outcome: outcome.name().to_owned(),
        detail,
    })
}

/// Writes a line: who did what to which, how it went, and more, without personal data.
#[boxed]
pub async fn note(
    store: &dyn Store,
    who: &Grant,
    operation: Operation,
    target: &Target,
    outcome: Outcome,
    detail: &Detail,
) -> Result<Entry> {
    let note = line(who, operation, target, outcome, detail, clock::wall())?;
    Ok(store.access().note(note).await?)
}

/// Lines from an instant on, the oldest first, a part at a time.
pub async fn each(store: &dyn Store, since: Option<Ts>, mut take: impl FnMut(&Entry)) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let lines = store.access().audit(after, since, LINES_AT_ONCE).await?;
        let Some(last) = lines.last() else { return Ok(()) };
        after = last.no;
        lines.iter().for_each(&mut take);
    }
}

/// Walks the whole chain; where it ends, or the first line that breaks it. What was kept elsewhere is looked for on the way.
#[boxed]
pub async fn verify(
    store: &dyn Store,
    kept: Option<Checkpoint>,
) -> Result<std::result::Result<Checkpoint, Break>> {
    let key = store.home().await?.id_key;
    let mut walk = Walk::new(&key, kept);
    let mut broken = None;
    each(store, None, |entry| {
        if broken.is_none() {
            broken = walk.step(entry).err();
        }
    })
    .await?;
    Ok(match broken {
        Some(broken) => Err(broken),
        None => walk.end(),
    })
}

/// The last line's number and hash, if the chain holds up to it: to be kept elsewhere.
#[boxed]
pub async fn checkpoint(store: &dyn Store) -> Result<std::result::Result<Checkpoint, Break>> {
    verify(store, None).await
}

impl Engine {
    /// Does something between two lines of the audit log.
    pub async fn audited<T, E: From<EngineError>>(
        &self,
        who: &Grant,
        (operation, target): (Operation, &Target),
        beside: &Detail,
        deed: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        let store = self.store().as_ref();
        note(store, who, operation, target, Outcome::Begun, beside).await?;
        let done = deed.await;
        let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
        let noted = note(store, who, operation, target, outcome, beside).await;
        // Why it failed says more than that this could not be written down.
        let done = done?;
        noted?;
        Ok(done)
    }
}

impl Engine {
    /// Does something that may move the clock or begin business; where it did, that is written down.
    pub async fn clock_audited(&self, who: &Grant, deed: impl Future<Output = Result<()>>) -> Result<()> {
        let before = self.home().await?;
        deed.await?;
        let after = self.home().await?;
        if (before.offset_us, before.live_since) == (after.offset_us, after.live_since) {
            return Ok(());
        }
        let more = detail(serde_json::json!({
            "act": "clock",
            "offset_seconds": after.offset_us / 1_000_000,
            "live_since": after.live_since.map(Ts::rfc3339),
        }));
        let store = self.store().as_ref();
        note(store, who, Operation::HomeManage, &Target::home(), Outcome::Done, &more).await.map(drop)
    }
}

impl From<Break> for EngineError {
    fn from(broken: Break) -> Self {
        Self::Store(StoreError::Damaged(format!("the audit log: {broken}")))
    }
}
