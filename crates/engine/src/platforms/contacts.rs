//! Who is in contact with which account: what callbacks tell and what somebody sees who looks, brought together in the mirror.
//!
//! A row is one account and one customer. News of it comes late, twice or never, so each is held against the row: what the row knows is
//! not told again, what is older than the row is told with its own date and changes nothing here. What was seen is believed over what was
//! told, unless it was seen before that happened.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;
use zhiyin_reach::arrival::EndedBy;
use zhiyin_reach::platform::Relation;
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::say::Word;
use super::{About, Kept, Put, Row};
use crate::Result;

/// How far two dates of one beginning lie apart at most, in seconds.
pub(super) const SAME_SECONDS: i64 = 5;
/// How often a row is read anew that somebody else changed meanwhile.
pub(super) const TRIES: usize = 5;

/// The kind of rows of contacts.
pub(super) const CONTACT: &str = "contact";
/// The kind of rows of customers.
pub(super) const CUSTOMER: &str = "customer";

/// What is known of one account and one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// The account.
    pub(crate) account: String,
    /// Who.
    pub(crate) customer: String,
    /// Since when, this time, in seconds.
    pub(crate) since: i64,
    /// Until when; nothing while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<i64>,
    /// Whether that it ended was found by looking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) found_gone: bool,
    /// Whether the customer has not confirmed it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) half: bool,
    /// What the account calls them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) remark: String,
    /// Ids of tags that they bear there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// Names of those of them that are not ours, as they were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) told: Vec<String>,
    /// When a look began that last showed it, in microseconds.
    #[serde(default)]
    pub(crate) seen: i64,
}

/// What is known of a customer beside contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Customer {
    /// Who.
    pub(super) customer: String,
    /// Accounts that they were ever seen with.
    pub(super) accounts: BTreeSet<String>,
    /// Who they are across apps of one owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unionid: Option<String>,
}

/// What was told of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It began.
    Begun { half: bool, way: Option<String> },
    /// It ended.
    Ended(EndedBy),
    /// A customer was not handed over.
    NotHandedOver(String),
}

/// News of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToldOf {
    /// The account.
    pub(super) account: String,
    /// Who.
    pub(super) customer: String,
    /// When, in seconds.
    pub(super) at: i64,
    /// What.
    pub(super) what: Told,
}

fn text(more: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    drop(more.insert(name.to_owned(), value.into()));
}

/// Puts together what is said of a contact.
struct Saying<'k, 'e> {
    kept: &'k Kept<'e>,
    id: ReflectionId,
    account: &'k str,
    customer: &'k str,
    unionid: Option<&'k str>,
}

impl Saying<'_, '_> {
    fn word(&self, name: &'static str, id: &str, at: i64, mut more: Map<String, Value>) -> Word {
        text(&mut more, "account", self.account);
        Word {
            name,
            customer: self.customer.to_owned(),
            unionid: self.unionid.map(str::to_owned),
            id: format!("{}-{id}", self.id),
            at,
            more,
        }
    }

    fn begun(&self, at: i64, half: bool, way: Option<&str>) -> Result<Word> {
        let mut more = Map::new();
        text(&mut more, "half", half);
        let (touchpoint, campaign) = self.kept.engine.met_by(self.kept.at.desk.channel(), way)?;
        text(&mut more, "touchpoint", touchpoint);
        campaign.into_iter().for_each(|campaign| text(&mut more, "campaign", campaign));
        way.into_iter().for_each(|way| text(&mut more, "way", way));
        let id = format!("added-{at}{}", if half { "-half" } else { "" });
        Ok(self.word(names::CONTACT_ADDED, &id, at, more))
    }

    /// `since` is of the time that ended, so that it ends once; nothing, where this is news of an earlier one.
    fn ended(&self, at: i64, since: Option<i64>, by: &str) -> Word {
        let mut more = Map::new();
        text(&mut more, "by", by);
        let id = since.map_or_else(|| format!("lost-late-{at}"), |since| format!("lost-{since}"));
        self.word(names::CONTACT_LOST, &id, at, more)
    }

    fn noted(&self, at: i64, version: i64, contact: &Contact) -> Word {
        let mut more = Map::new();
        let tags: Vec<Value> = contact.told.iter().map(|tag| tag.as_str().into()).collect();
        text(&mut more, "tags", tags);
        let remark: String = contact.remark.chars().filter(|c| !c.is_control()).take(64).collect();
        text(&mut more, "remark", remark);
        self.word(names::CONTACT_NOTED, &format!("noted-{version}"), at, more)
    }
}

/// Holds news against what is known: what is to be said, and what is known from now on, where that is another.
fn hear(
    saying: &Saying<'_, '_>,
    known: Option<&Contact>,
    told: &ToldOf,
) -> Result<(Option<Word>, Option<Contact>)> {
    let at = told.at;
    let new = || Contact {
        account: told.account.clone(),
        customer: told.customer.clone(),
        since: at,
        ..known.map(|known| Contact { seen: known.seen, ..Contact::default() }).unwrap_or_default()
    };
    Ok(match (&told.what, known) {
        (Told::NotHandedOver(reason), _) => {
            let mut more = Map::new();
            text(&mut more, "reason", reason.as_str());
            (Some(saying.word(names::CONTACT_KEPT, &format!("kept-{at}"), at, more)), None)
        }
        (Told::Begun { half, way }, Some(known))
            if at >= known.since - SAME_SECONDS && known.ended.is_none() =>
        {
            let confirms = known.half && !half;
            if at <= known.since + SAME_SECONDS && !confirms {
                return Ok((None, None));
            }
            let word = saying.begun(at, *half, way.as_deref())?;
            let since = if confirms { known.since } else { at };
            (Some(word), Some(Contact { since, half: *half, ..known.clone() }))
        }
        (Told::Begun { half, way }, Some(known)) if known.ended.is_none_or(|ended| at < ended) => {
            // Of a time that is over. What is known of that very time was told then.
            let is_known = (at - known.since).abs() <= SAME_SECONDS;
            let word = if is_known { None } else { Some(saying.begun(at, *half, way.as_deref())?) };
            let since = Contact { since: at, ..known.clone() };
            let is_first = known.ended.is_some_and(|ended| ended == known.since);
            (word, is_first.then_some(since))
        }
        (Told::Begun { half, way }, _) => {
            (Some(saying.begun(at, *half, way.as_deref())?), Some(Contact { half: *half, ..new() }))
        }
        (Told::Ended(by), Some(known)) if known.ended.is_none() && at >= known.since => {
            let gone =
                Contact { ended: Some(at), half: false, tags: Vec::new(), told: Vec::new(), ..known.clone() };
            (Some(saying.ended(at, Some(known.since), by.name())), Some(gone))
        }
        (Told::Ended(by), Some(known)) => {
            // It ended before it began anew; or it is known to have ended, and this is the other side's doing or what was found.
            let is_known = known.ended.is_some() && at >= known.since;
            (if is_known { None } else { Some(saying.ended(at, None, by.name())) }, None)
        }
        (Told::Ended(by), None) => {
            (Some(saying.ended(at, Some(0), by.name())), Some(Contact { ended: Some(at), ..new() }))
        }
    })
}

impl Kept<'_> {
    fn contact_id(&self, account: &str, customer: &str) -> ReflectionId {
        self.id(CONTACT, &[account, customer])
    }

    /// Which of these are not there, and are not to be there: of somebody who was erased.
    async fn erased_of<T>(
        &self,
        ids: &[ReflectionId],
        found: &BTreeMap<ReflectionId, Row<T>>,
    ) -> Result<BTreeSet<ReflectionId>> {
        let missing: Vec<ReflectionId> = ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
        if missing.is_empty() { Ok(BTreeSet::new()) } else { self.erased(missing).await }
    }

    /// Takes in what was told of contacts, in the order in which it came; of each the name of what is wrong with it.
    pub(super) async fn hear_contacts(&self, told: &[ToldOf]) -> Result<Vec<Option<&'static str>>> {
        let mut wrong = vec![None; told.len()];
        let mut open: Vec<usize> = (0..told.len()).collect();
        for _ in 0..TRIES {
            if open.is_empty() {
                break;
            }
            open = self.hear_some(told, &open, &mut wrong).await?;
        }
        Ok(wrong)
    }

    /// Which of them are to be heard again, since somebody else changed what is known.
    async fn hear_some(
        &self,
        told: &[ToldOf],
        open: &[usize],
        wrong: &mut [Option<&'static str>],
    ) -> Result<Vec<usize>> {
        let of =
            |i: &usize| told.get(*i).map(|told| (*i, self.contact_id(&told.account, &told.customer), told));
        let open: Vec<(usize, ReflectionId, &ToldOf)> = open.iter().filter_map(of).collect();
        let ids: Vec<ReflectionId> =
            open.iter().map(|(_, id, _)| *id).collect::<BTreeSet<_>>().into_iter().collect();
        let rows = self.get::<Contact>(ids.clone()).await?;
        let erased = self.erased_of(&ids, &rows).await?;
        let mut now: BTreeMap<ReflectionId, (Option<Contact>, bool)> = BTreeMap::new();
        let (mut words, mut of_words) = (Vec::new(), Vec::new());
        for (i, id, told) in open.iter().filter(|(_, id, _)| !erased.contains(id)) {
            let saying = Saying {
                kept: self,
                id: *id,
                account: &told.account,
                customer: &told.customer,
                unionid: None,
            };
            let known = now.entry(*id).or_insert_with(|| (rows.get(id).map(|row| row.what.clone()), false));
            let (word, changed) = hear(&saying, known.0.as_ref(), told)?;
            if let Some(word) = word {
                words.push(word);
                of_words.push(*i);
            }
            if let Some(changed) = changed {
                *known = (Some(changed), true);
            }
        }
        for (i, is_wrong) in of_words.into_iter().zip(self.say(&words).await?) {
            if let (Some(why), Some(slot)) = (is_wrong, wrong.get_mut(i)) {
                *slot = Some(why);
            }
        }
        let changed: Vec<(ReflectionId, Contact)> = now
            .into_iter()
            .filter_map(|(id, (known, is_new))| Some((id, known.filter(|_| is_new)?)))
            .collect();
        let written = self.put_contacts(&changed, &rows).await?;
        let lost: BTreeSet<ReflectionId> =
            changed.iter().zip(written).filter(|(_, written)| !written).map(|((id, _), _)| *id).collect();
        Ok(open.into_iter().filter(|(_, id, _)| lost.contains(id)).map(|(i, ..)| i).collect())
    }

    async fn put_contacts(
        &self,
        changed: &[(ReflectionId, Contact)],
        rows: &BTreeMap<ReflectionId, Row<Contact>>,
    ) -> Result<Vec<bool>> {
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let put = |(id, what): &(ReflectionId, Contact)| (*id, self.id("account", &[&what.account]));
        let parts: Vec<_> = changed.iter().map(put).collect();
        let things = changed.iter().zip(&parts).map(|((_, what), (id, part))| Put {
            kind: CONTACT,
            id: *id,
            part: *part,
            read: rows.get(id).map_or(0, |row| row.version),
            due: None,
            about: About::Customer(&what.customer),
            what,
        });
        let things = things.collect();
        self.put(things).await
    }

    /// Takes in what was seen by a look that began at an instant. `of` is whose all relations these are, where they are somebody's all:
    /// what is known beside them is over. How much was another than known.
    pub(super) async fn see_contacts(&self, of: Option<&str>, seen: &[Relation], began: Ts) -> Result<usize> {
        let mut done = 0;
        let mut seen: Vec<&Relation> = seen.iter().collect();
        for _ in 0..TRIES {
            let (n, again) = self.see_some(of, &seen, began).await?;
            done += n;
            if again.is_empty() {
                return Ok(done);
            }
            seen.retain(|relation| again.contains(&self.contact_id(&relation.account, &relation.customer)));
            if of.is_some() {
                // All that there are must be held against all that is known.
                return Ok(done);
            }
        }
        Ok(done)
    }

    async fn see_some(
        &self,
        of: Option<&str>,
        seen: &[&Relation],
        began: Ts,
    ) -> Result<(usize, BTreeSet<ReflectionId>)> {
        let customers: BTreeSet<&str> = seen.iter().map(|one| one.customer.as_str()).chain(of).collect();
        let customer_ids: Vec<ReflectionId> = customers.iter().map(|one| self.id(CUSTOMER, &[one])).collect();
        let known = self.get::<Customer>(customer_ids.clone()).await?;
        let erased = self.erased_of(&customer_ids, &known).await?;
        let mut pairs: BTreeMap<ReflectionId, (String, String, Option<&Relation>)> = BTreeMap::new();
        for row in known.values().filter(|row| of == Some(row.what.customer.as_str())) {
            for account in &row.what.accounts {
                let customer = row.what.customer.clone();
                pairs.insert(self.contact_id(account, &customer), (account.clone(), customer, None));
            }
        }
        for one in seen {
            let id = self.contact_id(&one.account, &one.customer);
            pairs.insert(id, (one.account.clone(), one.customer.clone(), Some(one)));
        }
        let rows = self.get::<Contact>(pairs.keys().copied().collect()).await?;
        let names = self.tag_names(seen.iter().flat_map(|one| &one.tags)).await?;
        let mut looks: BTreeMap<&str, Customer> = BTreeMap::new();
        let (mut words, mut changed) = (Vec::new(), Vec::new());
        for (id, (account, customer, relation)) in &pairs {
            let customer_id = self.id(CUSTOMER, &[customer]);
            if erased.contains(&customer_id) {
                continue;
            }
            let before = known.get(&customer_id).map(|row| &row.what);
            let unionid = relation.and_then(|one| one.unionid.as_deref());
            let unionid_is_new =
                unionid.is_some() && before.and_then(|one| one.unionid.as_deref()) != unionid;
            if relation.is_some() {
                let look = looks.entry(customer).or_insert_with(|| {
                    let fresh = || Customer { customer: customer.clone(), ..Customer::default() };
                    before.cloned().unwrap_or_else(fresh)
                });
                look.accounts.insert(account.clone());
                look.unionid = unionid.map(str::to_owned).or_else(|| look.unionid.take());
            }
            let saying = Saying { kept: self, id: *id, account, customer, unionid };
            let row = rows.get(id);
            let look = Look { began, names: &names, unionid_is_new };
            if let Some(contact) = see(&saying, row, *relation, &look, &mut words)? {
                changed.push((*id, contact));
            }
        }
        self.say(&words).await?;
        // Whose accounts are known before what is known of each: nothing is forgotten by who falls in between.
        let looked: Vec<(ReflectionId, Customer)> = looks
            .into_iter()
            .map(|(name, look)| (self.id(CUSTOMER, &[name]), look))
            .filter(|(id, look)| known.get(id).is_none_or(|row| row.what != *look))
            .collect();
        let part = self.id("customers", &[]);
        let things = looked.iter().map(|(id, what)| Put {
            kind: CUSTOMER,
            id: *id,
            part,
            read: known.get(id).map_or(0, |row| row.version),
            due: None,
            about: About::Customer(&what.customer),
            what,
        });
        let things: Vec<_> = things.collect();
        let mut again = BTreeSet::new();
        if !things.is_empty() {
            let written = self.put(things).await?;
            let lost: BTreeSet<&str> = looked
                .iter()
                .zip(written)
                .filter(|(_, ok)| !ok)
                .map(|((_, one), _)| one.customer.as_str())
                .collect();
            again.extend(
                pairs
                    .iter()
                    .filter(|(_, (_, customer, _))| lost.contains(customer.as_str()))
                    .map(|(id, _)| *id),
            );
        }
        let written = self.put_contacts(&changed, &rows).await?;
        again.extend(changed.iter().zip(written).filter(|(_, ok)| !ok).map(|((id, _), _)| *id));
        Ok((words.len(), again))
    }
}

/// What is known of a look.
struct Look<'l> {
    began: Ts,
    names: &'l BTreeMap<String, String>,
    unionid_is_new: bool,
}

/// Holds what is seen of a contact against what is known; what is known from now on, where that is another.
fn see(
    saying: &Saying<'_, '_>,
    row: Option<&Row<Contact>>,
    relation: Option<&Relation>,
    look: &Look<'_>,
    words: &mut Vec<Word>,
) -> Result<Option<Contact>> {
    let known = row.map(|row| &row.what);
    let began = look.began.0.div_euclid(1_000_000);
    if known.is_some_and(|known| known.seen > look.began.0) {
        // Somebody looked later.
        return Ok(None);
    }
    let Some(relation) = relation else {
        let Some(known) = known.filter(|known| known.ended.is_none() && known.since < began) else {
            return Ok(None);
        };
        words.push(saying.ended(began, Some(known.since), "unknown"));
        let gone = Contact {
            ended: Some(began),
            found_gone: true,
            half: false,
            tags: Vec::new(),
            told: Vec::new(),
            seen: look.began.0,
            ..known.clone()
        };
        return Ok(Some(gone));
    };
    if known.is_some_and(|known| known.ended.is_some_and(|ended| relation.since < ended)) {
        // It was seen before it ended, or ended for one side only.
        return Ok(None);
    }
    let told: BTreeSet<String> =
        relation.tags.iter().filter_map(|tag| look.names.get(tag).cloned()).collect();
    let mut now = Contact {
        account: relation.account.clone(),
        customer: relation.customer.clone(),
        since: relation.since,
        remark: relation.remark.clone(),
        tags: relation.tags.clone(),
        told: told.into_iter().collect(),
        seen: look.began.0,
        ..Contact::default()
    };
    let is_same = known.filter(|known| known.ended.is_none() && relation.since <= known.since + SAME_SECONDS);
    match is_same {
        Some(known) => now = Contact { since: known.since.min(now.since), half: known.half, ..now },
        None => words.push(saying.begun(relation.since, false, relation.way.as_deref())?),
    }
    let (remark, tags) =
        is_same.map_or(("", [].as_slice()), |known| (known.remark.as_str(), known.told.as_slice()));
    if now.remark != remark || now.told != tags || (look.unionid_is_new && is_same.is_some()) {
        words.push(saying.noted(began, row.map_or(0, |row| row.version), &now));
    }
    Ok(Some(now))
}
