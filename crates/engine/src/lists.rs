//! Lists of members that somebody uploads: identifiers are matched with who bears them, and conditions name the list as
//! `audience("press")`.
//!
//! An upload is begun ([`Engine::list_upload`]), given its lines part by part, and ended: either it is added, or whoever it did not
//! name leaves. What is kept is who was found, not what the file said; of what was not found, whoever uploads is told line by
//! line. An upload may be broken off and made again: naming the same once more changes nothing.

pub mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_audience::Mark;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::lists::{List, Listed};
use zhiyin_store::{StoreError, seal};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::identity::as_kept;
use crate::{Engine, Live, Result, clock};

/// Lines that are taken at once.
pub const AT_ONCE: usize = 1_000;
/// The most lists that a home has.
pub const LISTS_MAX: usize = 1_000;
/// The most characters of a list's name.
const NAME_CHARS_MAX: usize = 64;
/// In how many namespaces a value is looked for that says none.
const NAMESPACES_MAX: usize = 64;
/// The namespace of a member's own id.
const BY_ID: &str = "member";

/// Why a list cannot be made or changed like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// Its name is none.
    #[error(
        "a list is called like an audience: a letter, then letters, digits, _, -; all lower case, at most 64"
    )]
    Name,
    /// The playbook has a saved audience of this name.
    #[error(
        "{0} is a saved audience of the playbook: a list needs another name, or conditions would mean either"
    )]
    Taken(String),
    /// There is no such list.
    #[error("there is no list called {0}; `zhiyin audience list` lists them")]
    Unknown(String),
    /// There are too many.
    #[error("a home has at most {LISTS_MAX} lists: remove one first")]
    TooMany,
    /// Another upload began, or the list was removed.
    #[error("another upload of {0} began meanwhile, or it was removed: this one ends here")]
    Overtaken(String),
    /// A value says no namespace, and there are too many to look in.
    #[error("say the namespace: values are looked for in at most {NAMESPACES_MAX}, and this home has more")]
    Namespaces,
}

impl ListProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name => "bad_list_name",
            Self::Taken(_) => "list_name_taken",
            Self::Unknown(_) => "list_unknown",
            Self::TooMany => "too_many_lists",
            Self::Overtaken(_) => "list_overtaken",
            Self::Namespaces => "namespace_missing",
        }
    }

    /// The field at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Namespaces => "namespace",
            _ => "name",
        }
    }
}

/// What becomes of whom an upload does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay on the list.
    Stay,
    /// They leave it.
    Leave,
}

/// A line of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, for whoever is told what became of it.
    pub no: u64,
    /// The namespace of the value; without one it is looked for in all.
    pub namespace: Option<String>,
    /// What somebody is called.
    pub value: String,
}

/// A line by which nobody was put on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unmatched {
    /// The number of its line.
    pub line: u64,
    /// The namespace that it said.
    pub namespace: Option<String>,
    /// What it said.
    pub value: String,
    /// `unknown`: nobody bears it. `ambiguous`: several members do, each in another namespace. Or why it cannot be a name.
    pub why: &'static str,
    /// Where it is ambiguous: the namespaces in which it is somebody's.
    pub namespaces: Vec<String>,
}

/// What an upload came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UploadView {
    /// The list.
    pub list: String,
    /// Lines.
    pub lines: u64,
    /// Lines that name one member.
    pub matched: u64,
    /// Lines whose value is several members', each in another namespace.
    pub ambiguous: u64,
    /// Lines that name nobody.
    pub unknown: u64,
    /// Names that were not on the list before.
    pub added: u64,
    /// Names that were on it and are no more.
    pub removed: u64,
    /// Members who are on it now.
    pub members: u64,
    /// The instant it speaks of.
    pub as_of: String,
}

/// A list, as people read of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListView {
    /// What conditions call it: `audience("NAME")`, or `@NAME`.
    pub name: String,
    /// Members who are on it, of those whom this key may count.
    pub members: u64,
    /// The instant that speaks of.
    pub as_of: String,
    /// When it was made.
    pub made_at: String,
    /// When somebody was last put on it or taken off, or an upload began.
    pub changed_at: String,
    /// By whom.
    pub changed_by: String,
}

/// An upload at work.
pub struct Upload<'e> {
    engine: &'e Engine,
    who: Grant,
    name: String,
    round: i64,
    /// Where a value is looked for that says no namespace; read when the first one comes.
    namespaces: Option<Vec<String>>,
    tally: UploadView,
}

/// Whether a list or an audience may be called this.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    begins && name.chars().all(inner) && name.chars().count() <= NAME_CHARS_MAX
}

impl Live {
    /// Lists that conditions may ask.
    pub(crate) fn lists(&self) -> Arc<BTreeSet<String>> {
        self.lists.read().map(|lists| Arc::clone(&lists)).unwrap_or_default()
    }
}

/// A list that a playbook has a saved audience of the same name of.
pub(crate) fn taken(playbook: &Playbook, lists: &[List]) -> Option<ListProblem> {
    let is_saved = |name: &str| playbook.audiences.get(name).is_some_and(|saved| saved.who.is_some());
    let taken = lists.iter().find(|list| is_saved(&list.name));
    taken.map(|list| ListProblem::Taken(list.name.clone()))
}

impl Engine {
    /// Notes which lists conditions may ask by now.
    pub(crate) async fn lists_known(&self, live: &Live) -> Result<()> {
        let names: BTreeSet<String> =
            self.store().lists().lists().await?.into_iter().map(|list| list.name).collect();
        if *live.lists() != names
            && let Ok(mut lists) = live.lists.write()
        {
            *lists = Arc::new(names);
        }
        Ok(())
    }

    /// All lists, with how many members of those whom a grant may count are on each.
    #[boxed]
    pub async fn lists(&self, grant: &Grant) -> Result<Vec<ListView>> {
        let lists = self.store().lists().lists().await?;
        self.lists_counted(grant, lists).await
    }

    /// These lists, the same.
    async fn lists_counted(&self, grant: &Grant, lists: Vec<List>) -> Result<Vec<ListView>> {
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let filter = self.filter(grant, Operation::ReportsRead).await?;
        let whole = filter.bound == Bound::Everything;
        let now = clock::now(&self.home().await?);
        let kept = if whole { self.audiences.lists_counted(&lists, now) } else { None };
        let (counts, as_of): (BTreeMap<String, u64>, _) = match kept {
            Some(counted) => counted,
            None if whole => (self.lists_of_record(&lists).await?, now),
            None => self.lists_within(&filter, &lists).await?,
        };
        let view = |list: List| ListView {
            members: counts.get(&list.name).copied().unwrap_or(0),
            name: list.name,
            as_of: as_of.rfc3339(),
            made_at: list.made_at.rfc3339(),
            changed_at: list.changed_at.rfc3339(),
            changed_by: list.changed_by,
        };
        Ok(lists.into_iter().map(view).collect())
    }

    /// Whether somebody uploaded a list of this name.
    #[boxed]
    pub async fn has_list(&self, name: &str) -> Result<bool> {
        Ok(self.store().lists().lists().await?.iter().any(|list| list.name == name))
    }

    /// One list; a refusal by name, where there is none.
    #[boxed]
    pub async fn list(&self, grant: &Grant, name: &str) -> Result<ListView> {
        let mut lists = self.store().lists().lists().await?;
        lists.retain(|list| list.name == name);
        let counted = self.lists_counted(grant, lists).await?.pop();
        Ok(counted.ok_or_else(|| ListProblem::Unknown(name.to_owned()))?)
    }

    /// How many the record has on each of these lists.
    async fn lists_of_record(&self, lists: &[List]) -> Result<BTreeMap<String, u64>> {
        match lists {
            [list] => {
                let count = self.store().lists().list_count(&list.name).await?;
                Ok(BTreeMap::from([(list.name.clone(), count)]))
            }
            _ => Ok(self.store().lists().list_counts().await?.into_iter().collect()),
        }
    }

    /// Begins an upload to a list, which is made if there is none of the name. An earlier one that is still at work ends.
    pub async fn list_upload(&self, grant: &Grant, name: &str) -> Result<Upload<'_>> {
        self.filter(grant, Operation::PlaybookApply).await?;
        if !is_name(name) {
            return Err(ListProblem::Name.into());
        }
        let lists = self.store().lists();
        let known = lists.lists().await?;
        if let Ok(live) = self.live()
            && live.playbook.audiences.get(name).is_some_and(|saved| saved.who.is_some())
        {
            return Err(ListProblem::Taken(name.to_owned()).into());
        }
        if known.len() >= LISTS_MAX && !known.iter().any(|list| list.name == name) {
            return Err(ListProblem::TooMany.into());
        }
        let beside = detail(serde_json::json!({"act": "list_upload"}));
        let on = Target::code(format!("list {name}"));
        let store = self.store().as_ref();
        audit::note(store, grant, Operation::PlaybookApply, &on, Outcome::Begun, &beside).await?;
        let round = lists.list_begin(name, &grant.who, clock::now(&self.home().await?)).await?;
        let tally = UploadView { list: name.to_owned(), ..UploadView::default() };
        Ok(Upload { engine: self, who: grant.clone(), name: name.to_owned(), round, namespaces: None, tally })
    }

    /// Does away with a list; how many names were on it.
    #[boxed]
    pub async fn list_removed(&self, grant: &Grant, name: &str) -> Result<u64> {
        self.filter(grant, Operation::PlaybookApply).await?;
        let lists = self.store().lists();
        if !self.has_list(name).await? {
            return Err(ListProblem::Unknown(name.to_owned()).into());
        }
        let beside = detail(serde_json::json!({"act": "list_remove"}));
        let on = Target::code(format!("list {name}"));
        self.audited(grant, (Operation::PlaybookApply, &on), &beside, async {
            let round = lists.list_begin(name, &grant.who, clock::now(&self.home().await?)).await?;
            let gone = self.list_emptied(name, round).await?;
            lists.list_gone(name, round).await.map_err(overtaken(name))?;
            self.columns_have_it().await?;
            Ok(gone)
        })
        .await
    }

    /// How many of those whom a filter admits are on each list.
    async fn lists_within(&self, filter: &Filter, lists: &[List]) -> Result<(BTreeMap<String, u64>, Ts)> {
        let moment = self.moment(None).await?;
        let asking = self.asking(moment, filter).await?;
        let names: Vec<String> = lists.iter().map(|list| list.name.clone()).collect();
        let counted = asking.aside(move |asking| {
            let count = |name: String| {
                let n = asking.marked(Mark::List(&name)).len() as u64;
                (name, n)
            };
            Ok(names.into_iter().map(count).collect())
        });
        Ok((counted.await?, asking.moment.at))
    }

    /// Whom this round of a list did not name leave it, part by part.
    async fn list_emptied(&self, name: &str, round: i64) -> Result<u64> {
        let mut gone = 0;
        loop {
            let now = clock::now(&self.home().await?);
            let n = self.store().lists().list_take(name, round, AT_ONCE, now).await;
            match n.map_err(overtaken(name))? {
                0 => return Ok(gone),
                n => gone += n,
            }
        }
    }
}

/// Where a store says that what it is told is stale, another upload began.
fn overtaken(name: &str) -> impl Fn(StoreError) -> crate::EngineError + '_ {
    |error| match error {
        StoreError::Stale => ListProblem::Overtaken(name.to_owned()).into(),
        error => error.into(),
    }
}

/// As whom a line is looked for.
enum Asked {
    /// By these names, several where it says no namespace; and if nobody bears one, by the id that it may be.
    Names(Vec<Identifier>, Option<MemberId>),
    /// By the member's own id.
    Id(MemberId),
    /// It cannot be a name.
    Nothing(&'static str),
}

impl Upload<'_> {
    /// Takes lines, at most [`AT_ONCE`] at once; those by which nobody was put on the list.
    pub async fn take(&mut self, lines: Vec<Line>) -> Result<Vec<Unmatched>> {
        let mut asked = Vec::with_capacity(lines.len());
        for line in &lines {
            asked.push(self.asked(line).await?);
        }
        let mut unmatched = Vec::new();
        let mut put: Vec<Listed> = Vec::new();
        let found = self.found(&asked).await?;
        for (line, found) in lines.into_iter().zip(found) {
            let (why, namespaces) = match found {
                Found::One(listed) => {
                    put.push(listed);
                    continue;
                }
                Found::Several(namespaces) => ("ambiguous", namespaces),
                Found::Nobody(why) => (why, Vec::new()),
            };
            self.tally.ambiguous += u64::from(!namespaces.is_empty());
            self.tally.unknown += u64::from(namespaces.is_empty());
            let Line { no, namespace, value } = line;
            unmatched.push(Unmatched { line: no, namespace, value, why, namespaces });
        }
        self.tally.lines += asked.len() as u64;
        self.tally.matched += put.len() as u64;
        if !put.is_empty() {
            let now = clock::now(&self.engine.home().await?);
            let added = self.engine.store().lists().list_put(&self.name, self.round, put, now).await;
            self.tally.added += added.map_err(overtaken(&self.name))?;
        }
        Ok(unmatched)
    }

    async fn asked(&mut self, line: &Line) -> Result<Asked> {
        let value = line.value.trim();
        let kept = |namespace: &str, value: &str| {
            let identifier = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
            as_kept(&identifier, "value")
        };
        if let Some(namespace) = line.namespace.as_deref().map(str::trim).filter(|said| !said.is_empty()) {
            if namespace == BY_ID {
                return Ok(MemberId::from_hex(value).map_or(Asked::Nothing("unknown"), Asked::Id));
            }
            return Ok(match kept(namespace, value) {
                Ok(identifier) => Asked::Names(vec![identifier], None),
                Err(refusal) => Asked::Nothing(refusal.code),
            });
        }
        let namespaces = match &mut self.namespaces {
            Some(namespaces) => namespaces,
            none => none.insert(self.engine.store().namespaces().await?),
        };
        if namespaces.len() > NAMESPACES_MAX {
            return Err(ListProblem::Namespaces.into());
        }
        // A value that says its namespace itself: `card:1001`.
        let said = namespaces.iter().find_map(|namespace| {
            let rest = value.strip_prefix(namespace.as_str())?.strip_prefix(':')?;
            Some((namespace, rest))
        });
        if let Some((namespace, rest)) = said
            && let Ok(identifier) = kept(namespace, rest)
        {
            return Ok(Asked::Names(vec![identifier], None));
        }
        let names: Vec<Identifier> =
            namespaces.iter().filter_map(|namespace| kept(namespace, value).ok()).collect();
        Ok(Asked::Names(names, MemberId::from_hex(value)))
    }

    /// Who was found of each.
    async fn found(&self, asked: &[Asked]) -> Result<Vec<Found>> {
        let key = self.engine.home().await?.id_key;
        let mut names: Vec<Identifier> = Vec::new();
        let mut ids: Vec<MemberId> = Vec::new();
        for one in asked {
            match one {
                Asked::Names(these, id) => {
                    names.extend(these.iter().cloned());
                    ids.extend(*id);
                }
                Asked::Id(member) => ids.push(*member),
                Asked::Nothing(_) => {}
            }
        }
        let mut borne: BTreeMap<usize, MemberId> = BTreeMap::new();
        for (part, first) in names.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
            let found = self.engine.borne(part).await?;
            borne.extend(found.into_iter().map(|(n, member)| (first + n, member)));
        }
        // Whoever was erased is found by nothing, their id included.
        let known = self.engine.store().reading().members(ids).await?;
        let known: BTreeSet<MemberId> =
            known.iter().filter(|member| !member.audiences.closed).map(|member| member.id).collect();
        let by_id = |id: Option<MemberId>| match id.filter(|member| known.contains(member)) {
            Some(member) => Found::One(Listed { member, named: *member.bytes() }),
            None => Found::Nobody("unknown"),
        };
        let mut at = 0;
        let found = asked.iter().map(|one| match one {
            Asked::Nothing(why) => Found::Nobody(why),
            Asked::Id(member) => by_id(Some(*member)),
            Asked::Names(these, id) => {
                let range = at..at + these.len();
                at = range.end;
                let bearers: Vec<(usize, MemberId)> =
                    borne.range(range).map(|(n, member)| (*n, *member)).collect();
                let Some((first, member)) = bearers.first().copied() else {
                    return by_id(*id);
                };
                if bearers.iter().all(|(_, other)| *other == member) {
                    return Found::One(Listed { member, named: seal::lookup(&key, &names[first]) });
                }
                Found::Several(bearers.iter().map(|(n, _)| names[*n].namespace.clone()).collect())
            }
        });
        Ok(found.collect())
    }

    /// Ends the upload; what it came to.
    pub async fn end(mut self, others: Others) -> Result<UploadView> {
        if others == Others::Leave {
            self.tally.removed = self.engine.list_emptied(&self.name, self.round).await?;
        }
        let now = clock::now(&self.engine.home().await?);
        self.tally.members = self.engine.store().lists().list_count(&self.name).await?;
        self.tally.as_of = now.rfc3339();
        let beside = detail(serde_json::json!({
            "act": "list_upload", "lines": self.tally.lines, "matched": self.tally.matched,
            "added": self.tally.added, "removed": self.tally.removed,
        }));
        let on = Target::code(format!("list {}", self.name));
        let store = self.engine.store().as_ref();
        audit::note(store, &self.who, Operation::PlaybookApply, &on, Outcome::Done, &beside).await?;
        // Who asks next is answered with it.
        self.engine.columns_have_it().await?;
        Ok(self.tally)
    }
}

/// Who was found by a line.
enum Found {
    One(Listed),
    Several(Vec<String>),
    Nobody(&'static str),
}
