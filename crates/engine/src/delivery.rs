//! What a program sends with a key, just now: who may say what, at what time it happened, what its short codes stand for, and
//! how far the inbox may be behind.
//!
//! A source is a key, so message ids are unique within a key. A key that may `ingest_write` is a server's; one that may only
//! `ingest_public` lies open in a page or an app, and what it may not say is refused by name (`event_server_only`). Wires
//! (`server`) turn their own forms into items of Segment's and hand them over one by one.

mod behind;
mod codes;

use std::sync::Arc;

use zhiyin_decide::naming;
use zhiyin_model::event::json::Json;
use zhiyin_model::event::{self, Item, Origin, Refusal, Sent, names};
use zhiyin_model::role::{Denied, Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::{Home, NewEvent};

use crate::accept::{Source, Ties, Verdict, sealed, window};
use crate::boxed;
use crate::keys::{self, Refused};
use crate::places::Tree;
use crate::{Engine, Live, Result, clock};
use behind::Behind;
use codes::Codes;

/// After how many items of a delivery others get their turn.
const ITEMS_A_TURN: usize = 64;

/// How deliveries are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Namespace of `userId`.
    pub user_namespace: String,
    /// How many items may wait in the inbox before no more are taken.
    pub waiting_max: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { user_namespace: "user".to_owned(), waiting_max: 200_000 }
    }
}

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    grant: Grant,
    /// The name of the source that a key is.
    source: String,
    is_public: bool,
}

impl Sender {
    /// Whether what it may say is what anybody may say who reads a page.
    pub const fn is_public(&self) -> bool {
        self.is_public
    }

    /// The name of its source.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Why a key does not let somebody send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// It is none, or has ended.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is one, for something else.
    #[error(transparent)]
    Denied(#[from] Denied),
}

/// An item as it was sent.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The item, in Segment's form.
    pub item: Json,
    /// When it was sent, by the sender's clock.
    pub sent_at: Option<Ts>,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it was taken.
    pub verdict: Verdict,
    /// How many of its names were given up: they contradict more telling ones, or go beyond a limit.
    pub given_up: u8,
}

/// The way in for programs.
pub struct Delivery {
    engine: Arc<Engine>,
    terms: Terms,
    behind: Behind,
}

/// What is the same for all items of a delivery.
struct Scene<'a> {
    home: &'a Home,
    now: Ts,
    sender: &'a Sender,
    source: Source,
    /// The same source where it says whose names are one person's.
    linking: Source,
    live: Option<Arc<Live>>,
}

impl Delivery {
    /// The way into this engine's home.
    pub fn new(engine: Arc<Engine>, terms: Terms) -> Self {
        Self { engine, terms, behind: Behind::default() }
    }

    /// Who sends with this secret. It is looked up each time: a key that was revoked is refused from then on.
    #[boxed]
    pub async fn sender(&self, secret: &str) -> Result<std::result::Result<Sender, Unwelcome>> {
        let grant = match keys::check(self.engine.store().as_ref(), secret).await? {
            Ok(grant) => grant,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let is_public = grant.may(Operation::IngestWrite).is_err();
        if is_public && let Err(denied) = grant.may(Operation::IngestPublic) {
            return Ok(Err(denied.into()));
        }
        let source = format!("key:{}", keys::id_of(secret).unwrap_or_default());
        Ok(Ok(Sender { grant, source, is_public }))
    }

    /// Whether more waits in the inbox than may. A reading at most a second old and what came in since: nobody waits for it.
    pub fn is_behind(&self) -> bool {
        self.behind.waiting(&self.engine) > self.terms.waiting_max
    }

    /// Takes items; one answer each, in order. What was accepted is on disk when this returns.
    pub async fn take(
        &self,
        sender: &Sender,
        items: impl Iterator<Item = std::result::Result<Incoming, Refusal>> + Send,
    ) -> Result<Vec<Taken>> {
        let engine = &self.engine;
        let home = engine.home().await?;
        let now = clock::now(&home);
        let identity = engine.identity();
        let source = Source::speaking(&sender.grant, &sender.source, &self.terms.user_namespace, &identity);
        // Who may merge members says so by an alias too; whoever else is believed as far as the playbook trusts them.
        let merges = source.ties == Ties::Merge || sender.grant.may(Operation::MemberMerge).is_ok();
        let ties = if merges { Ties::LinkMerge } else { Ties::Link };
        let linking = Source { ties, ..source.clone() };
        let scene = Scene { home: &home, now, sender, source, linking, live: engine.live().ok() };
        let mut tree: Option<Arc<Tree>> = None;
        let mut prepared = Vec::with_capacity(items.size_hint().0);
        for (n, incoming) in items.enumerate() {
            if n % ITEMS_A_TURN == ITEMS_A_TURN - 1 {
                tokio::task::yield_now().await;
            }
            prepared.push(match incoming {
                Ok(mut incoming) => {
                    if let Some(codes) = Codes::of(&incoming.item) {
                        let tree = match &mut tree {
                            Some(tree) => tree,
                            none => none.insert(engine.places().await?),
                        };
                        codes.spell_out(&mut incoming.item, scene.live.as_deref(), tree);
                    }
                    scene.prepare(incoming)
                }
                Err(refusal) => Err(refusal),
            });
        }
        let told = engine.take_telling(&scene.source, prepared, now, None).await?;
        let accepted = told.iter().filter(|(verdict, _)| *verdict == Verdict::Accepted).count();
        self.behind.came(accepted);
        Ok(told.into_iter().map(|(verdict, given_up)| Taken { verdict, given_up }).collect())
    }
}

impl Scene<'_> {
    fn prepare(&self, Incoming { mut item, sent_at }: Incoming) -> std::result::Result<NewEvent, Refusal> {
        let links = !self.sender.is_public && link(&mut item, &self.source.user_namespace);
        let source = if links { &self.linking } else { &self.source };
        let origin = Origin { user_namespace: &source.user_namespace, default_time: None };
        let sent = Sent { sent_at, received_at: self.now };
        if self.sender.is_public {
            looked_after_by_nobody_new(&item)?;
        }
        let item = event::accept_sent(item, &origin, &sent)?;
        if self.sender.is_public {
            allowed_in_public(&item)?;
        }
        sealed(&self.home.id_key, source, item, None, window(self.home, self.now))
    }
}

/// An `alias` says that what was `previousId` is `userId`: whether it was a user or nobody yet, it is a name of theirs. False
/// where the item is none.
fn link(item: &mut Json, user_namespace: &str) -> bool {
    if item.get("type").and_then(Json::text) != Some("alias") {
        return false;
    }
    let Some(previous) = item.get("previousId").cloned() else { return false };
    let mut named = vec![user_namespace.to_owned(), "anonymous".to_owned()];
    named.dedup();
    let Some(context) = codes::object_in(item, "context") else { return false };
    let ids = context.entry("externalIds".to_owned()).or_insert_with(|| Json::List(Vec::new()));
    if !matches!(ids, Json::List(_)) {
        *ids = Json::List(Vec::new());
    }
    let Json::List(ids) = ids else { return false };
    ids.extend(named.into_iter().map(|namespace| {
        let id = [("id".to_owned(), previous.clone()), ("type".to_owned(), Json::Text(namespace))];
        Json::Object(id.into_iter().collect())
    }));
    true
}

/// Whom somebody is looked after by decides who sees them whole, so it is not for everybody to say.
fn looked_after_by_nobody_new(item: &Json) -> std::result::Result<(), Refusal> {
    let context = item.get("context");
    let said = [Some(item), context].into_iter().flatten().filter_map(|place| place.get("traits"));
    // That they are looked after by nobody is said with a null.
    let says = |traits: &Json| matches!(traits, Json::Object(map) if map.contains_key(naming::ADVISOR));
    if said.into_iter().any(says) {
        let message = "whom somebody is looked after by is taken from a server only: this key lies open";
        return Err(Refusal::new("event_server_only", format!("traits.{}", naming::ADVISOR), message));
    }
    Ok(())
}

/// What a key that lies open may say: nothing that earns, spends or binds others, and of consent only what the browser says that
/// it speaks for.
fn allowed_in_public(item: &Item) -> std::result::Result<(), Refusal> {
    let name = item.name.as_str();
    if names::SERVER_ONLY.contains(&name) {
        let message = format!("{name:?} is taken from a server only: this key lies open");
        return Err(Refusal::new("event_server_only", "event", message));
    }
    let of_others = item.identifiers.iter().any(|identifier| identifier.namespace != "anonymous");
    if name == names::CONSENT_PREFERENCES && of_others {
        let message =
            "a key that lies open says what the browser of an anonymousId agreed to, nothing of users";
        return Err(Refusal::new("consent_of_others", "userId", message));
    }
    Ok(())
}
