//! Commands: something a till or a desk wants done now, and whose outcome it waits for.
//!
//! A command is an item like any other. It goes through the door and the pipeline and is answered from the record once it was
//! decided, so an answer that was lost can be asked for again: a command that comes twice by one idempotency key is done once and
//! answered twice. What tells it from another one is a hash of what was asked, not of the item: that bears the time, and finds a
//! member of an id by a name of theirs, which may be another one the next time.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::watch;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{About, Filter, Grant, Operation};
use zhiyin_store::command::{COMMANDS, Came, Fate};
use zhiyin_store::{Home, StoredMember, Wanted};

use crate::accept::{REUSED, Source, Ties, Verdict, prepare, window};
use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::identity::as_kept;
use crate::me::pass;
use crate::pipeline::OTHERS_AT_WORK;
use crate::{Engine, Result, clock, sight};

/// How long an answer is waited for.
const DECIDED_WITHIN: Duration = Duration::from_secs(10);
/// Code of the refusal of an idempotency key that came before with something else.
const KEY_REUSED: &str = "idempotency_key_reused";

/// Who asks, and by what the command is known when it comes again.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// What they may.
    pub grant: &'a Grant,
    /// How far that reaches for this operation.
    pub filter: &'a Filter,
    /// Their key: idempotency keys are unique within it.
    pub key: &'a str,
    /// By what the command is known.
    pub idempotency_key: &'a str,
    /// What they ask, in one form and whole: by it the same request is told from another one.
    pub request: &'a str,
}

impl Asker<'_> {
    pub(crate) fn source(&self) -> String {
        format!("{COMMANDS}{}", self.key)
    }

    fn fingerprint(&self, home: &Home) -> [u8; 16] {
        home.id_key.digest("command", &[self.request.as_bytes()])
    }
}

/// Whom a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever bears this name.
    Named(Identifier),
    /// The member of this id.
    Id(MemberId),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Act {
    /// Of the matrix.
    pub operation: Operation,
    /// `identify`, or the event's name.
    pub event: &'static str,
    /// Names that it bears.
    pub names: Vec<Identifier>,
    /// Its properties.
    pub properties: Map<String, Value>,
    /// New values of attributes; null takes one away.
    pub traits: Map<String, Value>,
    /// Through which touchpoint.
    pub touchpoint: Option<String>,
    /// In which store.
    pub store: Option<String>,
    /// What it means where its names are several members'.
    pub ties: Ties,
    /// What is noted in the audit log: numbers and codes.
    pub noted: Value,
}

impl Act {
    /// Something about the bearers of these names.
    pub fn new(operation: Operation, event: &'static str, names: Vec<Identifier>) -> Self {
        Self {
            operation,
            event,
            names,
            properties: Map::new(),
            traits: Map::new(),
            touchpoint: None,
            store: None,
            ties: Ties::Keep,
            noted: json!({}),
        }
    }

    /// The item without its time and its id.
    fn item(&self) -> Map<String, Value> {
        let ids = self.names.iter().map(|name| json!({"id": name.value, "type": name.namespace}));
        let mut item = Map::new();
        item.insert("context".to_owned(), json!({"externalIds": ids.collect::<Vec<_>>()}));
        let mut properties = self.properties.clone();
        let codes = [("touchpoint", &self.touchpoint), ("store_id", &self.store)];
        for (field, code) in codes.into_iter().filter_map(|(field, code)| Some((field, code.clone()?))) {
            properties.insert(field.to_owned(), code.into());
        }
        item.insert("properties".to_owned(), properties.into());
        if !self.traits.is_empty() {
            item.insert("traits".to_owned(), self.traits.clone().into());
        }
        let kind = if self.event == "identify" { "identify" } else { "track" };
        item.insert("type".to_owned(), kind.into());
        if kind == "track" {
            item.insert("event".to_owned(), self.event.into());
        }
        item
    }
}

/// How a command ended.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was decided.
    Done(Done),
    /// It was refused; nothing was changed.
    Refused(Refused),
    /// It is in the inbox durably and was not decided in time. It will be.
    StillDeciding,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// For whom.
    pub member: MemberId,
    /// What was booked for it.
    pub transfers: Vec<zhiyin_store::read::TransferLine>,
    /// True where it had come before.
    pub again: bool,
}

/// Why nothing was done: as a refusal, with a code that may come from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its stable name.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// A sentence.
    pub message: String,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code.to_owned(), field: refusal.field, message: refusal.message }
    }
}

/// Resolves after batches that were written here, or after a little while: another process may decide.
struct Written(watch::Receiver<()>);

impl Written {
    async fn next(&mut self) {
        tokio::select! {
            // That nobody writes any more is found by the time that is over.
            _ = self.0.changed() => {}
            () = tokio::time::sleep(OTHERS_AT_WORK) => {}
        }
    }
}

/// The refusal of somebody nobody knows, or whom one may not reach: nobody learns which.
pub fn unknown(field: &str) -> Refusal {
    Refusal::new("member_unknown", field, "nobody is known by this")
}

impl Engine {
    /// What a grant comes to for an operation.
    #[boxed]
    pub async fn filter(&self, grant: &Grant, operation: Operation) -> Result<Filter> {
        if grant.place.is_none() {
            return Ok(grant.filter(operation, |_| Vec::new())?);
        }
        let tree = self.places().await?;
        let under = |place: &str| {
            let nodes = tree.under(place).unwrap_or_default();
            nodes.iter().map(|node| node.place.code.to_string()).collect()
        };
        Ok(grant.filter(operation, under)?)
    }

    /// The member that somebody names, if the filter admits them; else as if there were none.
    #[boxed]
    pub async fn reachable(
        &self,
        filter: &Filter,
        whom: &Whom,
        field: &str,
    ) -> Result<std::result::Result<StoredMember, Refusal>> {
        let id = match whom {
            Whom::Id(id) => *id,
            Whom::Named(Identifier { namespace, value }) if namespace == pass::NAMESPACE => {
                match pass::read(&self.home().await?.id_key, value, clock::wall()) {
                    Some(member) => member,
                    None => return Ok(Err(unknown(field))),
                }
            }
            Whom::Named(identifier) => {
                let kept = match as_kept(identifier, &format!("{field}.value")) {
                    Ok(kept) => kept,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                match self.borne(&[kept]).await?.first() {
                    Some((_, member)) => *member,
                    None => return Ok(Err(unknown(field))),
                }
            }
        };
        let mut stored = self.stored(id).await?;
        // Who was merged is who they are by now.
        if stored.is_none()
            && let Some(root) = self.store().reading().root(id).await?
        {
            stored = self.stored(root).await?;
        }
        let Some(stored) = stored else { return Ok(Err(unknown(field))) };
        if filter.about == About::Member && !sight::admits(filter, &stored.member) {
            return Ok(Err(unknown(field)));
        }
        Ok(Ok(stored))
    }

    async fn stored(&self, id: MemberId) -> Result<Option<StoredMember>> {
        let loaded = self.store().load(Wanted { members: vec![id], ..Wanted::default() }).await?;
        Ok(loaded.members.into_iter().find(|stored| stored.member.id == id))
    }

    /// A name by which an item about a member finds them.
    #[boxed]
    pub async fn name_of(
        &self,
        whom: &Whom,
        member: MemberId,
        field: &str,
    ) -> Result<std::result::Result<Identifier, Refusal>> {
        if let Whom::Named(identifier) = whom
            && identifier.namespace != pass::NAMESPACE
        {
            return Ok(as_kept(identifier, &format!("{field}.value")));
        }
        // Names that end by themselves may have ended; any other holds.
        let names = self.store().identifiers_of(vec![member]).await?;
        let names: Vec<Identifier> =
            names.into_iter().map(|(_, namespace, value)| Identifier { namespace, value }).collect();
        let borne = self.borne(&names).await?;
        let found = borne.into_iter().find(|(_, bearer)| *bearer == member).map(|(n, _)| n);
        Ok(found.and_then(|n| names.get(n).cloned()).ok_or_else(|| unknown(field)))
    }

    /// Who bears these names, each once.
    #[boxed]
    pub async fn bearers(
        &self,
        names: &[Identifier],
        field: &str,
    ) -> Result<std::result::Result<Vec<MemberId>, Refusal>> {
        let kept = names.iter().enumerate();
        let kept: std::result::Result<Vec<Identifier>, Refusal> =
            kept.map(|(n, name)| as_kept(name, &format!("{field}[{n}]"))).collect();
        let kept = match kept {
            Ok(kept) => kept,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let borne = self.borne(&kept).await?;
        let mut members: Vec<MemberId> = borne.into_iter().map(|(_, member)| member).collect();
        members.sort_unstable();
        members.dedup();
        Ok(Ok(members))
    }

    /// What came of the command of this idempotency key, if it came before. To be asked before anything is looked up for it:
    /// what it named then may be somebody else's by now, or nobody's.
    #[boxed]
    pub async fn command_before(&self, asker: &Asker<'_>) -> Result<Option<Answer>> {
        let source = asker.source();
        let mut written = Written(self.written.subscribe());
        let Some(mut came) = self.store().fate(&source, asker.idempotency_key).await? else {
            return Ok(None);
        };
        let fingerprint = asker.fingerprint(&self.home().await?);
        if came.body_hash == fingerprint && matches!(came.fate, Fate::Waits) {
            came = match self.decided(&source, asker.idempotency_key, &mut written).await? {
                Some(came) => came,
                None => return Ok(Some(Answer::StillDeciding)),
            };
        }
        Ok(Some(answer(came, fingerprint, true)))
    }

    /// Does something once for an idempotency key, and says what came of it.
    #[boxed]
    pub async fn command(&self, asker: &Asker<'_>, act: &Act, about: Option<MemberId>) -> Result<Answer> {
        let source = asker.source();
        let home = self.home().await?;
        let fingerprint = asker.fingerprint(&home);
        let mut written = Written(self.written.subscribe());
        let now = clock::now(&home);
        let mut item = act.item();
        item.insert("messageId".to_owned(), asker.idempotency_key.into());
        let from =
            Source { name: source.clone(), user_namespace: "user".to_owned(), replay: false, ties: act.ties };
        let bytes = Value::from(item).to_string();
        let mut event = match prepare(&home.id_key, &from, bytes.as_bytes(), Some(now), window(&home, now)) {
            Ok(event) => event,
            Err(refusal) => return Ok(Answer::Refused(refusal.into())),
        };
        event.body_hash = fingerprint;
        let target = match about {
            Some(member) => Target::member(&home.id_key, member),
            None => Target::code("new member"),
        };
        let mut noted = detail(act.noted.clone());
        noted.insert("event".to_owned(), event.id.to_string().into());
        let store = self.store().as_ref();
        audit::note(store, asker.grant, act.operation, &target, Outcome::Begun, &noted).await?;
        let again = match self.take(&from, vec![Ok(event)], now, None).await?.pop() {
            Some(Verdict::Refused(refusal)) if refusal.code != REUSED => {
                return Ok(Answer::Refused(refusal.into()));
            }
            // Another request of this key was quicker; whether it said the same is found below.
            Some(Verdict::Duplicate | Verdict::Refused(_)) => true,
            Some(Verdict::Accepted) | None => false,
        };
        match self.decided(&source, asker.idempotency_key, &mut written).await? {
            Some(came) => Ok(answer(came, fingerprint, again)),
            None => Ok(Answer::StillDeciding),
        }
    }

    /// An item of a source once it is decided; `None` if that takes too long.
    pub(crate) async fn once_decided(&self, source: &str, message_id: &str) -> Result<Option<Came>> {
        let mut written = Written(self.written.subscribe());
        self.decided(source, message_id, &mut written).await
    }

    /// An item once it is decided; `None` if that takes too long.
    async fn decided(&self, source: &str, message_id: &str, written: &mut Written) -> Result<Option<Came>> {
        let waiting = async {
            loop {
                written.0.borrow_and_update();
                match self.store().fate(source, message_id).await? {
                    Some(came) if !matches!(came.fate, Fate::Waits) => return Ok(came),
                    _ => written.next().await,
                }
            }
        };
        match tokio::time::timeout(DECIDED_WITHIN, waiting).await {
            Ok(came) => came.map(Some),
            Err(_) => Ok(None),
        }
    }
}

fn answer(came: Came, fingerprint: [u8; 16], again: bool) -> Answer {
    if came.body_hash != fingerprint {
        let message = "this idempotency key came before with another request";
        return Answer::Refused(Refusal::new(KEY_REUSED, "", message).into());
    }
    match came.fate {
        Fate::Decided { member, transfers } => Answer::Done(Done { member, transfers, again }),
        Fate::Refused { code, field, message } => Answer::Refused(Refused { code, field, message }),
        Fate::Waits => Answer::StillDeciding,
    }
}
