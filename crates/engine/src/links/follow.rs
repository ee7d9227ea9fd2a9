//! Following short links: where each leads, and what becomes of a crowd of clicks.
//!
//! Whoever follows a link waits for nothing but where it leads. That they did is counted in memory, and told a little later: at once
//! where nothing was told of the link lately, else with all that came meanwhile. So a link that a crowd follows is one event in ten
//! seconds, which says how often; and what is held is bounded by how many links are followed, not by how often. A process that is
//! killed loses what it did not tell yet, which is said in docs/links.md.
//!
//! Of whom it is an event: of the member for whom the link was made (`Link Clicked`, `Link Scanned`), and of who passes it on (`Share
//! Clicked`, `Share Scanned`). Of a link that names nobody only the count is kept.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use zhiyin_model::event::json::write_text;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::time::Ts;
use zhiyin_store::links::Count;
use zhiyin_store::{Append, Home, NewEvent, Ties, seal};

use super::{leads_to, unknown};
use crate::boxed;
use crate::{Engine, Result, clock};

/// What the source of these events is called.
pub const SOURCE: &str = "short links";
/// How long nothing more is told of a link that something was told of.
const QUIET: Duration = Duration::from_secs(10);
/// How often it is looked what there is to tell.
const LOOK: Duration = Duration::from_secs(1);
/// How long where a link leads is taken to stand.
const KNOWN_FOR: Duration = Duration::from_secs(10);
/// The most links of which something is held: what is followed beyond is not counted, and led on all the same.
const HELD_MAX: usize = 20_000;
/// The most links that are told of in one go.
const TOLD_MAX: usize = 500;

/// What is held of a link that was followed.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// How often, and not told yet.
    n: i64,
    /// When something was told of it.
    told: Option<Instant>,
}

/// What is known of where a link leads.
type Known = (Instant, std::result::Result<String, Refusal>);

/// Follows links, and tells what was followed.
pub struct Follower {
    engine: Arc<Engine>,
    /// What tells this process' events from those of another.
    token: u64,
    told: AtomicU64,
    known: Mutex<BTreeMap<LinkCode, Known>>,
    held: Mutex<BTreeMap<(LinkCode, Followed), Held>>,
    lost: AtomicU64,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Follower {
    /// Over an engine; the token is drawn by chance, once a process.
    pub fn new(engine: Arc<Engine>, token: u64) -> Self {
        let (known, held) = (Mutex::default(), Mutex::default());
        Self { engine, token, told: AtomicU64::new(0), known, held, lost: AtomicU64::new(0) }
    }

    /// Where a link leads, as far as it is known without asking anybody.
    pub fn known(&self, code: &LinkCode) -> Option<std::result::Result<String, Refusal>> {
        let known = locked(&self.known);
        let (at, leads) = known.get(code)?;
        (at.elapsed() < KNOWN_FOR).then(|| leads.clone())
    }

    /// Where a link leads, or the name of why nowhere.
    #[boxed]
    pub async fn leads(&self, code: &LinkCode) -> Result<std::result::Result<String, Refusal>> {
        let Some(found) = self.engine.store().coupons().campaigns().links().link(code).await? else {
            return Ok(Err(unknown()));
        };
        let (live, now) = (self.engine.live()?, clock::now(&self.engine.home().await?));
        let leads = leads_to(&live.playbook.links, &found.link, now);
        let mut known = locked(&self.known);
        if known.len() >= HELD_MAX {
            known.retain(|_, (at, _)| at.elapsed() < KNOWN_FOR);
        }
        if known.len() < HELD_MAX {
            known.insert(code.clone(), (Instant::now(), leads.clone()));
        }
        Ok(leads)
    }

    /// Somebody followed a link.
    pub fn followed(&self, code: &LinkCode, how: Followed) {
        let mut held = locked(&self.held);
        let is_full = held.len() >= HELD_MAX;
        match held.get_mut(&(code.clone(), how)) {
            Some(held) => held.n = held.n.saturating_add(1),
            None if is_full => drop(self.lost.fetch_add(1, Ordering::Relaxed)),
            None => drop(held.insert((code.clone(), how), Held { n: 1, told: None })),
        }
    }

    /// How often somebody followed a link and it was not counted, since too many links were followed at once.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What there is to tell now: all of it, or of links of which nothing was told lately. What rests for long is let go of.
    fn due(&self, all: bool) -> Vec<(LinkCode, Followed, i64)> {
        let mut held = locked(&self.held);
        let rests = |held: &Held| held.told.is_none_or(|told| told.elapsed() >= QUIET);
        held.retain(|_, held| held.n > 0 || !rests(held));
        let due = held.iter_mut().filter(|(_, held)| held.n > 0 && (all || rests(held))).take(TOLD_MAX);
        due.map(|((code, how), held)| {
            held.told = Some(Instant::now());
            (code.clone(), *how, std::mem::take(&mut held.n))
        })
        .collect()
    }

    /// Puts back what could not be told.
    fn put_back(&self, due: Vec<(LinkCode, Followed, i64)>) {
        let mut held = locked(&self.held);
        for (code, how, n) in due {
            let held = held.entry((code, how)).or_insert(Held { n: 0, told: None });
            held.n = held.n.saturating_add(n);
        }
    }

    /// Tells what was followed; whether there may be more to tell. What could not be told is told later.
    #[boxed]
    pub async fn tell(&self, all: bool) -> Result<bool> {
        let due = self.due(all);
        if due.is_empty() {
            return Ok(false);
        }
        let is_full = due.len() == TOLD_MAX;
        match self.tell_of(&due).await {
            Ok(()) => Ok(is_full),
            Err(error) => {
                self.put_back(due);
                Err(error)
            }
        }
    }

    async fn tell_of(&self, due: &[(LinkCode, Followed, i64)]) -> Result<()> {
        let home = self.engine.home().await?;
        let (now, links) = (clock::now(&home), self.engine.store().coupons().campaigns().links());
        let (mut events, mut counts) = (Vec::new(), Vec::new());
        for (code, how, n) in due {
            // Whom it names may be somebody else by now, or nobody.
            let Some(found) = links.link(code).await? else { continue };
            counts.push(Count { link: code.id(), how: *how, n: *n });
            let of = [(found.link.member, name(*how, false)), (found.link.sharer, name(*how, true))];
            for (member, name) in of.into_iter().filter_map(|(member, name)| Some((member?, name))) {
                let serial = self.told.fetch_add(1, Ordering::Relaxed);
                let message_id = format!("{:016x}-{serial}", self.token);
                events.push(event(&home, message_id, (name, member), &found.link, *n, now));
            }
        }
        if !events.is_empty() {
            let append = Append {
                source: SOURCE.to_owned(),
                user_namespace: "user".to_owned(),
                events,
                identity: self.engine.identity(),
                now,
                replay: false,
                progress: None,
                erasures: 0,
            };
            self.engine.store().append(append).await?;
            self.engine.wake();
        }
        // Events came first: where this fails they are told, and counted twice rather than not at all.
        Ok(links.count_links(counts).await?)
    }

    /// Tells what was followed, again and again, until told to stop.
    pub async fn run<F: Future>(&self, stop: F) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                _ = &mut stop => break,
                () = tokio::time::sleep(LOOK) => {}
            }
            self.tell_all(false).await;
        }
        self.tell_all(true).await;
    }

    /// Tells what there is to tell, part by part.
    #[boxed]
    pub async fn tell_all(&self, all: bool) {
        loop {
            match self.tell(all).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(%error, "that links were followed is told later");
                    return;
                }
            }
        }
    }
}

/// What it is called that a link was followed.
const fn name(how: Followed, is_share: bool) -> &'static str {
    match (how, is_share) {
        (Followed::Clicked, false) => names::LINK_CLICKED,
        (Followed::Scanned, false) => names::LINK_SCANNED,
        (Followed::Clicked, true) => names::SHARE_CLICKED,
        (Followed::Scanned, true) => names::SHARE_SCANNED,
    }
}

/// The event: who of us, which link, how often.
fn event(
    home: &Home,
    message_id: String,
    (name, member): (&str, MemberId),
    link: &Link,
    times: i64,
    at: Ts,
) -> NewEvent {
    // Where whoever follows a link met the brand; who passes it on met nobody.
    let is_own = name == names::LINK_CLICKED || name == names::LINK_SCANNED;
    let touchpoint = link.touchpoint.as_deref().filter(|_| is_own);
    let page = Some(link.page.as_str()).filter(|page| !page.is_empty());
    let told = [
        ("link", Some(link.code.as_str())),
        ("page", page),
        ("touchpoint", touchpoint),
        ("campaign", link.campaign.as_deref()),
        ("message", link.message.as_deref()),
    ];
    let mut properties = BTreeMap::from([("times", times.to_string())]);
    properties.extend(told.into_iter().filter_map(|(name, value)| {
        let mut text = String::new();
        write_text(value?, &mut text);
        Some((name, text))
    }));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let mut body =
        format!("{{\"context\":{{\"externalIds\":[{{\"id\":\"{member}\",\"type\":\"member\"}}]}},\"event\":");
    write_text(name, &mut body);
    body.push_str(&format!(",\"properties\":{{{}}},\"timestamp\":", properties.join(",")));
    write_text(&at.rfc3339(), &mut body);
    body.push_str(",\"type\":\"track\"}");
    NewEvent {
        id: home.id_key.derive("event", &[SOURCE.as_bytes(), message_id.as_bytes()]),
        body_hash: home.id_key.digest("body", &[body.as_bytes()]),
        message_id,
        called: None,
        name: name.to_owned(),
        time: at,
        body: seal::seal(&body),
        names: Vec::new(),
        member,
        reach: None,
        ties: Ties::Keep,
        parts: Vec::new(),
    }
}
