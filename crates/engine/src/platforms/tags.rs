//! Tags both ways. What staff give customers on a platform is told of contacts; what the playbook says is to be seen there (`platform:` of
//! a tag) is made there, and kept on every contact of whoever bears it. Only those are ever given, taken or dropped from here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zhiyin_model::event::Identifier;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Relation, Tag as Shown, Trouble};
use zhiyin_store::campaigns::mirror::{PartId, ReflectionId};
use zhiyin_store::{Wanted, seal};

use super::contacts::{CONTACT, CUSTOMER, Contact, Customer};
use super::looks::Look;
use super::{About, At, Kept, Put, Round, Row};
use crate::{Engine, Result};

/// The kind of rows of tags.
const TAG: &str = "tag";
/// The kind of the row that says how far the giving and taking of our tags is.
const MARKS: &str = "marks";
/// How many rows are read or written at a time.
const AT_ONCE: usize = 200;
/// How long one process has the work, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How long after a pass the next begins, in microseconds, and how long a part of one that failed waits.
const EVERY_US: i64 = 120_000_000;
const PAUSE_US: i64 = 2_000_000;
/// How often a part is tried before the pass goes on without it.
const TRIES: u32 = 5;

/// What is known of a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    /// Its id.
    pub(crate) tag: String,
    /// What it is called.
    pub(crate) name: String,
    /// What its group is called.
    pub(crate) group_name: String,
    /// Which of the playbook's it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
    /// Whether it was made from here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) made: bool,
    /// Whether it is there no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
}

impl Tag {
    fn is_ours(&self) -> bool {
        self.of.is_some() && !self.gone
    }
}

/// How far the giving and taking of our tags is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    /// After which customer it goes on.
    after: Option<ReflectionId>,
    /// How often that was tried.
    tries: u32,
}

/// What the platform does not do now, if anything.
type Held = Option<Trouble>;

impl Kept<'_> {
    fn tags_part(&self) -> PartId {
        self.id("tags", &[])
    }

    /// All tags that are known, by their ids there.
    pub(super) async fn all_tags(&self) -> Result<BTreeMap<String, Row<Tag>>> {
        let (mut rows, mut after) = (BTreeMap::new(), None);
        loop {
            let (some, last) = self.list::<Tag>(TAG, self.tags_part(), after, AT_ONCE).await?;
            rows.extend(some.into_iter().map(|row| (row.what.tag.clone(), row)));
            after = last;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn put_tags(&self, changed: Vec<(i64, Tag)>) -> Result<()> {
        for some in changed.chunks(AT_ONCE) {
            let things = some.iter().map(|(read, what)| Put {
                kind: TAG,
                id: self.id(TAG, &[&what.tag]),
                part: self.tags_part(),
                read: *read,
                due: None,
                about: About::Nobody,
                what,
            });
            // Who wrote it meanwhile knows as much.
            let things = things.collect();
            drop(self.put(things).await?);
        }
        Ok(())
    }

    /// What tags of these ids are called, as `GROUP/NAME`; those that are ours and those that nobody knows are left out.
    pub(super) async fn tag_names<'t>(
        &self,
        tags: impl Iterator<Item = &'t String>,
    ) -> Result<BTreeMap<String, String>> {
        let tags: BTreeSet<&String> = tags.collect();
        let ids = tags.iter().map(|tag| self.id(TAG, &[tag])).collect();
        let rows = self.get::<Tag>(ids).await?.into_values().map(|row| row.what);
        let named = rows.filter(|tag| !tag.gone && tag.of.is_none());
        Ok(named.map(|tag| (tag.tag.clone(), called(&tag.group_name, &tag.name))).collect())
    }

    /// Asks for the tags where somebody bears one that nobody knows; what keeps the platform from answering.
    pub(super) async fn learn_unknown_tags(&self, relations: &[Relation]) -> Result<Held> {
        let tags: BTreeSet<&String> = relations.iter().flat_map(|one| &one.tags).collect();
        let ids: Vec<ReflectionId> = tags.iter().map(|tag| self.id(TAG, &[tag])).collect();
        if ids.is_empty() || self.get::<Tag>(ids.clone()).await?.len() == ids.len() {
            return Ok(None);
        }
        self.learn_tags().await
    }

    /// Asks for the tags; what keeps the platform from answering.
    pub(super) async fn learn_tags(&self) -> Result<Held> {
        match self.at.desk.tags().await {
            Ok(tags) => self.see_tags(&tags).await.map(|()| None),
            Err(trouble) => Ok(Some(trouble)),
        }
    }

    /// Takes in what tags there are.
    pub(super) async fn see_tags(&self, shown: &[Shown]) -> Result<()> {
        let known = self.all_tags().await?;
        let there: BTreeSet<&str> = shown.iter().map(|tag| tag.tag.as_str()).collect();
        let mut changed = Vec::new();
        for tag in shown {
            let row = known.get(&tag.tag);
            let before = row.map(|row| row.what.clone()).unwrap_or_default();
            let now = Tag {
                tag: tag.tag.clone(),
                name: tag.name.clone(),
                group_name: tag.group_name.clone(),
                gone: false,
                ..before
            };
            if row.is_none_or(|row| row.what != now) {
                changed.push((row.map_or(0, |row| row.version), now));
            }
        }
        for row in known.values().filter(|row| !row.what.gone && !there.contains(row.what.tag.as_str())) {
            changed.push((row.version, Tag { gone: true, ..row.what.clone() }));
        }
        self.put_tags(changed).await
    }

    /// Sees to it that the tags are there that the playbook says, and only they; what keeps the platform from it.
    async fn own_tags(&self) -> Result<Held> {
        let live = self.engine.live()?;
        let wanted: BTreeMap<&str, (&str, &str)> = live
            .playbook
            .tags
            .iter()
            .filter_map(|(id, tag)| Some((id.as_str(), (tag.platform.as_deref()?, tag.shown(id)))))
            .collect();
        let known = self.all_tags().await?;
        let held: BTreeSet<&str> = known
            .values()
            .filter(|row| row.what.is_ours())
            .filter_map(|row| row.what.of.as_deref())
            .collect();
        if wanted.keys().any(|id| !held.contains(id))
            && let Some(trouble) = self.make_tags(&wanted, &held).await?
        {
            return Ok(Some(trouble));
        }
        for row in known.into_values().filter(|row| row.what.is_ours()) {
            let is_wanted = |of: &str| {
                // Under another name it is another tag; what the console calls ours stays ours.
                wanted.contains_key(of)
            };
            if row.what.of.as_deref().is_some_and(is_wanted) {
                continue;
            }
            if row.what.made {
                match self.at.desk.drop_tags(std::slice::from_ref(&row.what.tag)).await {
                    Ok(()) => {}
                    Err(why @ Trouble::Never { .. }) => {
                        tracing::warn!(at = ?self.at, why = why.why(), "platforms: a tag of ours is not dropped");
                    }
                    Err(trouble) => return Ok(Some(trouble)),
                }
            }
            let let_go = Tag { of: None, made: false, gone: row.what.made, ..row.what };
            self.put_tags(vec![(row.version, let_go)]).await?;
        }
        Ok(None)
    }

    /// Makes tags that are not there, or takes those of their names for ours.
    async fn make_tags(&self, wanted: &BTreeMap<&str, (&str, &str)>, held: &BTreeSet<&str>) -> Result<Held> {
        if let Some(trouble) = self.learn_tags().await? {
            return Ok(Some(trouble));
        }
        let known = self.all_tags().await?;
        let find = |known: &BTreeMap<String, Row<Tag>>, (group, name): (&str, &str)| {
            let is_it =
                |row: &&Row<Tag>| !row.what.gone && row.what.group_name == group && row.what.name == name;
            known.values().find(is_it).map(|row| row.what.tag.clone())
        };
        let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (_, (group, name)) in wanted.iter().filter(|(id, _)| !held.contains(*id)) {
            if find(&known, (group, name)).is_none() {
                missing.entry(group).or_default().push((*name).to_owned());
            }
        }
        // That they are going to be made is written before: so what is found afterwards is known to be ours.
        let makes: Vec<(ReflectionId, bool)> = missing
            .iter()
            .flat_map(|(group, names)| names.iter().map(|name| (self.id("making", &[group, name]), true)))
            .collect();
        let part = self.tags_part();
        let thing = |(id, what): &(ReflectionId, bool)| (*id, *what);
        let things: Vec<(ReflectionId, bool)> = makes.iter().map(thing).collect();
        let puts = things.iter().map(|(id, what)| Put {
            kind: "making",
            id: *id,
            part,
            read: 0,
            due: None,
            about: About::Nobody,
            what,
        });
        let puts: Vec<_> = puts.collect();
        if !puts.is_empty() {
            drop(self.put(puts).await?);
        }
        for (group, names) in &missing {
            if let Err(trouble) = self.at.desk.make_tags(group, names).await {
                return Ok(Some(trouble));
            }
        }
        if !missing.is_empty()
            && let Some(trouble) = self.learn_tags().await?
        {
            return Ok(Some(trouble));
        }
        let known = self.all_tags().await?;
        let mut changed = Vec::new();
        for (of, (group, name)) in wanted.iter().filter(|(id, _)| !held.contains(*id)) {
            let Some(row) = find(&known, (group, name)).and_then(|tag| known.get(&tag)) else { continue };
            let making = self.id("making", &[group, name]);
            let made = row.what.made || !self.get::<bool>(vec![making]).await?.is_empty();
            changed.push((row.version, Tag { of: Some((*of).to_owned()), made, ..row.what.clone() }));
        }
        self.put_tags(changed).await?;
        Ok(None)
    }

    /// Gives and takes our tags of some customers; what keeps the platform from it, and how many were given or taken.
    async fn mark_some(&self, customers: Vec<Row<Customer>>, wall: Ts) -> Result<(Held, usize)> {
        let ours = self.all_tags().await?.into_values().filter_map(|row| {
            let of = row.what.of.clone().filter(|_| row.what.is_ours())?;
            Some((row.what.tag, of))
        });
        let ours: BTreeMap<String, String> = ours.collect();
        if ours.is_empty() {
            return Ok((None, 0));
        }
        let namespace = self.at.desk.namespace();
        let named = |customer: &str| {
            let value = normalise(namespace, customer).ok()?;
            Some(seal::lookup(&self.key, &Identifier { namespace: namespace.to_owned(), value }))
        };
        let hashes: Vec<_> = customers.iter().map(|row| named(&row.what.customer)).collect();
        let wanted = Wanted { identifiers: hashes.iter().flatten().copied().collect(), ..Wanted::default() };
        let loaded = self.engine.store().load(wanted).await?;
        let who: BTreeMap<_, _> = loaded.identifiers.into_iter().collect();
        let members: BTreeMap<_, _> =
            loaded.members.into_iter().map(|one| (one.member.id, one.member)).collect();
        let (mut held, mut done) = (None, 0);
        for (row, hash) in customers.iter().zip(hashes) {
            let Some(member) = hash.and_then(|hash| members.get(who.get(&hash)?)) else { continue };
            let wants: BTreeSet<&String> =
                ours.iter().filter(|(_, of)| member.tags.contains_key(*of)).map(|(tag, _)| tag).collect();
            let ids =
                row.what.accounts.iter().map(|account| self.id(CONTACT, &[account, &row.what.customer]));
            let contacts = self.get::<Contact>(ids.collect()).await?;
            for contact in contacts.into_values().filter(|row| row.what.ended.is_none()) {
                match self.mark_one(contact, &ours, &wants, wall).await? {
                    Ok(was) => done += usize::from(was),
                    Err(trouble) => held = Some(trouble),
                }
            }
        }
        Ok((held, done))
    }

    /// The same of one contact; whether anything was given or taken.
    async fn mark_one(
        &self,
        row: Row<Contact>,
        ours: &BTreeMap<String, String>,
        wants: &BTreeSet<&String>,
        wall: Ts,
    ) -> Result<std::result::Result<bool, Trouble>> {
        let has: BTreeSet<&String> = row.what.tags.iter().filter(|tag| ours.contains_key(*tag)).collect();
        let add: Vec<String> = wants.difference(&has).map(|tag| (*tag).clone()).collect();
        let remove: Vec<String> = has.difference(wants).map(|tag| (*tag).clone()).collect();
        if add.is_empty() && remove.is_empty() {
            return Ok(Ok(false));
        }
        let (account, customer) = (row.what.account.clone(), row.what.customer.clone());
        match self.at.desk.mark(&account, &customer, &add, &remove).await {
            Ok(()) => {
                let mut tags: BTreeSet<String> = row.what.tags.iter().cloned().collect();
                tags.retain(|tag| !remove.contains(tag));
                tags.extend(add);
                let what = Contact { tags: tags.into_iter().collect(), ..row.what };
                let (id, part, read) = (row.id, row.part, row.version);
                let about = About::Customer(&customer);
                // Where somebody looked meanwhile, the next look shows it.
                drop(
                    self.put(vec![Put { kind: CONTACT, id, part, read, due: None, about, what: &what }])
                        .await?,
                );
                Ok(Ok(true))
            }
            Err(Trouble::Never { .. } | Trouble::Wrong { .. }) => {
                // What is known of them may be wrong.
                self.look_at(vec![(Look::Customer(customer), wall)], false).await?;
                Ok(Ok(false))
            }
            Err(trouble) => Ok(Err(trouble)),
        }
    }
}

/// As a tag is told: its group and its name, each without what would part them otherwise.
fn called(group: &str, name: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c == '/' || c.is_control() { ' ' } else { c }).take(31).collect()
    };
    format!("{}/{}", plain(group), plain(name))
}

impl Engine {
    /// Gives and takes our tags, some customers at a time.
    pub(super) async fn mark_round(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let id = kept.id(MARKS, &[]);
        let thing = |read, due, what| Put {
            kind: MARKS,
            id,
            part: id,
            read,
            due: Some(due),
            about: About::Nobody,
            what,
        };
        let Some(row) = kept.lend::<Pass>(MARKS, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            let next = kept.next(MARKS).await?;
            if next.is_none() {
                drop(kept.put(vec![thing(0, wall, &Pass::default())]).await?);
            }
            return Ok(Round { done: 0, next: next.or(Some(wall)) });
        };
        let mut held = if row.what.after.is_none() { kept.own_tags().await? } else { None };
        let (mut done, mut after) = (0, row.what.after);
        if held.is_none() {
            let part = kept.id("customers", &[]);
            let (customers, last) = kept.list::<Customer>(CUSTOMER, part, after, AT_ONCE).await?;
            (held, done) = kept.mark_some(customers, wall).await?;
            if held.is_none() || row.what.tries >= TRIES {
                after = last;
            }
        }
        let is_stuck = held.is_some() && row.what.tries < TRIES;
        let due = match (&held, after) {
            (Some(Trouble::Later { rest, .. }), _) => {
                wall.plus_us(i64::try_from(rest.as_micros()).unwrap_or(EVERY_US).clamp(PAUSE_US, EVERY_US))
            }
            (Some(_), _) => wall.plus_us(PAUSE_US),
            (None, None) => wall.plus_us(EVERY_US),
            (None, Some(_)) => wall,
        };
        let pass = Pass { after, tries: if is_stuck { row.what.tries + 1 } else { 0 } };
        drop(kept.put(vec![thing(row.version, due, &pass)]).await?);
        Ok(Round { done, next: Some(due) })
    }
}
