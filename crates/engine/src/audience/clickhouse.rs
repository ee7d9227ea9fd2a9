//! Audiences on ClickHouse, for a home that has outgrown one machine: whoever changes goes there by the change feed
//! ([`pump`]), and what is asked of everybody now is asked there ([`answers`]).
//!
//! Who is asked is one choice a process ([`Engine::ask_clickhouse`]); all that is asked, refused and shown stays the same. Three
//! things stay with the record: a past day, why one member is in an audience, and who is in a standing one.

mod answers;
mod filling;
mod held;
mod pump;
mod servers;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use zhiyin_audience::sql::{Dialect, Part, Tables};
use zhiyin_model::time::Ts;
pub use zhiyin_reach::address::Target;
pub use zhiyin_reach::clickhouse::{Access, Trouble};

use super::AudienceProblem;
use super::asking::layout;
use super::fresh::Freshness;
use crate::{Engine, Live, Result};
use pump::Sender;
use servers::Servers;

/// The attribute that birthdays are told by.
const BIRTHDAY: &str = "birthday";

/// Where ClickHouse is, and what may lie there.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// Every server: tables are made on each, and any of them is asked.
    pub servers: Vec<Target>,
    /// As whom they are asked.
    pub access: Access,
    /// The database.
    pub database: String,
    /// What the servers' own configuration calls them together, where there are several.
    pub cluster: Option<String>,
    /// What may lie there; where nothing is said, all that lies in the clear in the home.
    pub clear: Option<Clear>,
}

/// What of members may lie in ClickHouse, by name. What a sealed home leaves in the clear itself (ids, tiers, stages, points,
/// tags, times, places and amounts of orders, names of events) goes there always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clear {
    everything: bool,
    parts: BTreeSet<Part>,
    attributes: BTreeSet<String>,
}

impl Clear {
    /// Everything.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Reads names: `all`, `store`, `consents`, `dependants`, `items`, `properties`, `attr.NAME`; the first that is none, else.
    pub fn read<'t>(names: impl IntoIterator<Item = &'t str>) -> std::result::Result<Self, String> {
        let mut clear = Self::default();
        for name in names {
            match (name.trim(), name.trim().strip_prefix("attr.")) {
                ("all", _) => clear.everything = true,
                (_, Some(attribute)) if !attribute.is_empty() => {
                    clear.attributes.insert(attribute.to_owned());
                }
                (name, _) => match Part::named(name).filter(|part| *part != Part::Birthday) {
                    Some(part) => drop(clear.parts.insert(part)),
                    None => return Err(name.to_owned()),
                },
            }
        }
        Ok(clear)
    }

    fn without(&self) -> BTreeSet<Part> {
        let is_there = |part: &Part| match part {
            Part::Birthday => self.attributes.contains(BIRTHDAY),
            part => self.parts.contains(part),
        };
        Part::ALL.into_iter().filter(|part| !self.everything && !is_there(part)).collect()
    }
}

/// How ClickHouse stands, as far as this process knows.
#[derive(Clone)]
enum State {
    /// It has not all members yet: why.
    NotYet(&'static str),
    /// It is in trouble, and was never asked before.
    Trouble(Trouble),
    /// It has all, up to an instant of business time.
    Ready { tables: Arc<Tables>, fresh: Ts },
}

/// ClickHouse, as one process asks it and writes to it.
pub(crate) struct Afar {
    how: Elsewhere,
    servers: Mutex<Option<Arc<Servers>>>,
    state: RwLock<State>,
    /// Up to when nothing is missing there, as this process knows.
    freshness: Mutex<Freshness>,
    /// Whether this process follows the change feed all the while.
    keeps: AtomicBool,
    /// What a process that does not follows it with, a question at a time.
    sender: Mutex<Option<Sender>>,
}

impl Afar {
    fn becomes(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The servers, once one of them has said what it is.
    async fn servers(&self) -> Result<Arc<Servers>> {
        let mut known = self.servers.lock().await;
        if let Some(servers) = &*known {
            return Ok(Arc::clone(servers));
        }
        let servers = Arc::new(Servers::reached(&self.how).await?);
        *known = Some(Arc::clone(&servers));
        Ok(servers)
    }

    /// What lies there under a playbook.
    fn tables(&self, live: &Live, dialect: Dialect, sealed: bool) -> Tables {
        let layout = layout(live);
        let clear = match &self.how.clear {
            Some(clear) => clear.clone(),
            None if sealed => Clear::default(),
            None => Clear::everything(),
        };
        let allowed = |name: &String| clear.everything || clear.attributes.contains(name);
        Tables {
            dialect,
            database: self.how.database.clone(),
            cluster: self.how.cluster.clone(),
            zone: layout.zone,
            currency_exponent: layout.currency_exponent,
            attributes: layout.attributes.into_iter().filter(|(name, _)| allowed(name)).collect(),
            without: clear.without(),
        }
    }
}

impl From<Trouble> for crate::EngineError {
    fn from(trouble: Trouble) -> Self {
        AudienceProblem::ClickHouse(trouble).into()
    }
}

impl From<zhiyin_audience::sql::NotInSql> for crate::EngineError {
    fn from(refused: zhiyin_audience::sql::NotInSql) -> Self {
        AudienceProblem::NotInSql(refused).into()
    }
}

impl Engine {
    /// From here on audiences are asked of ClickHouse. Said once, before anything is asked.
    pub fn ask_clickhouse(&self, how: Elsewhere) {
        let state = RwLock::new(State::NotYet("members are being sent to ClickHouse"));
        let (servers, keeps, sender) = (Mutex::default(), AtomicBool::new(false), Mutex::default());
        let freshness = Mutex::default();
        // Whoever says it twice means the first.
        let _said_before =
            self.clickhouse.set(Afar { how, servers, state, freshness, keeps, sender }).is_err();
    }

    /// Whether what is personal lies sealed in the home.
    fn is_sealed(&self) -> bool {
        self.store().personal().is_some_and(|personal| personal.vault().is_sealed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_lie_in_the_clear_is_named_or_stays_away() {
        let away = |names: &[&str]| {
            let clear = Clear::read(names.iter().copied()).map_err(|name| format!("no such part: {name}"))?;
            Ok::<_, String>(clear.without().iter().map(|part| part.name()).collect::<Vec<_>>().join(" "))
        };
        for (names, expected) in [
            (&[][..], Ok("store consents dependants birthday items properties")),
            (&["all"], Ok("")),
            (&["items", " store "], Ok("consents dependants birthday properties")),
            (&["attr.birthday", "consents"], Ok("store dependants items properties")),
            (&["attr.city"], Ok("store consents dependants birthday items properties")),
            (&["items", "birthday"], Err("no such part: birthday")),
            (&["attr."], Err("no such part: attr.")),
            (&["everything"], Err("no such part: everything")),
        ] {
            assert_eq!(away(names), expected.map(str::to_owned).map_err(str::to_owned), "{names:?}");
        }
    }
}
