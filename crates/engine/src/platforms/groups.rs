//! Who sits in which group: what callbacks tell and what somebody sees who looks, brought together in the mirror.
//!
//! A group's row says what it is called, whose it is, which state of its members was seen last and which accounts are in it; each customer
//! in it is a row of their own, so that it ends with who is erased.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Map;
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Group as Shown;
use zhiyin_store::campaigns::mirror::{PartId, ReflectionId};

use super::contacts::{SAME_SECONDS, TRIES};
use super::say::Word;
use super::{About, Kept, Put, Row};
use crate::Result;

/// The kind of rows of groups.
pub(super) const GROUP: &str = "group";
/// The kind of rows of seats.
pub(super) const SEAT: &str = "seat";
/// How many seats are read of a group at a time.
const SEATS: usize = 500;
/// How long after somebody came a look may not show them yet, in seconds.
const LAG_SECONDS: i64 = 10;

/// What is known of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Its id.
    pub(crate) group: String,
    /// What it is called.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) owner: String,
    /// Since when, in seconds.
    pub(crate) since: i64,
    /// Which state of its members was seen last.
    pub(crate) version: String,
    /// Accounts of the brand's that are in it.
    pub(crate) staff: BTreeSet<String>,
    /// How many customers were in it when it was seen last.
    pub(crate) customers: usize,
    /// Since when it is known to be no more, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone: Option<i64>,
    /// When a look began that last showed it, in microseconds.
    #[serde(default)]
    pub(crate) seen: i64,
}

/// What is known of a customer in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// The group.
    pub(crate) group: String,
    /// Who.
    pub(crate) who: String,
    /// Since when, the last time, in seconds.
    pub(crate) since: i64,
    /// Until when; nothing while they are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<i64>,
}

/// Who came into a group, or left it, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came<'a> {
    /// The group.
    pub(super) group: &'a str,
    /// Who.
    pub(super) customers: &'a [String],
    /// Whether they came.
    pub(super) joined: bool,
    /// How they came or went.
    pub(super) how: Option<&'a str>,
    /// When, in seconds.
    pub(super) at: i64,
}

/// What is written of seats.
type Changed = Vec<(ReflectionId, i64, Seat)>;

impl Kept<'_> {
    fn seat_id(&self, group: &str, who: &str) -> ReflectionId {
        self.id(SEAT, &[group, who])
    }

    fn seats_of(&self, group: &str) -> PartId {
        self.id(GROUP, &[group])
    }

    fn seated(
        &self,
        seat: &Seat,
        joined: bool,
        at: i64,
        id: &str,
        more: (Option<&str>, Option<&str>),
    ) -> Word {
        let mut properties = Map::new();
        drop(properties.insert("group".to_owned(), seat.group.as_str().into()));
        more.0.into_iter().for_each(|how| drop(properties.insert("how".to_owned(), how.into())));
        Word {
            name: if joined { names::GROUP_JOINED } else { names::GROUP_LEFT },
            customer: seat.who.clone(),
            unionid: more.1.map(str::to_owned),
            id: format!("{}-{id}", self.seat_id(&seat.group, &seat.who)),
            at,
            more: properties,
        }
    }

    /// Takes in who came or left.
    pub(super) async fn hear_group(&self, came: &Came<'_>) -> Result<Option<&'static str>> {
        for _ in 0..TRIES {
            let ids: Vec<ReflectionId> =
                came.customers.iter().map(|who| self.seat_id(came.group, who)).collect();
            let rows = self.get::<Seat>(ids.clone()).await?;
            let missing = ids.iter().filter(|id| !rows.contains_key(id)).copied().collect();
            let erased = self.erased(missing).await?;
            let (mut words, mut changed) = (Vec::new(), Vec::new());
            for (who, id) in came.customers.iter().zip(ids).filter(|(_, id)| !erased.contains(id)) {
                let row = rows.get(&id);
                let (word, seat) = self.hear_seat(row.map(|row| &row.what), who, came);
                words.extend(word);
                changed.extend(seat.map(|seat| (id, row.map_or(0, |row| row.version), seat)));
            }
            if let Some(why) = self.say(&words).await?.into_iter().flatten().next() {
                return Ok(Some(why));
            }
            if self.put_seats(&changed).await? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn hear_seat(&self, known: Option<&Seat>, who: &str, came: &Came<'_>) -> (Option<Word>, Option<Seat>) {
        let at = came.at;
        let new = Seat { group: came.group.to_owned(), who: who.to_owned(), since: at, left: None };
        let joined = || self.seated(&new, true, at, &format!("joined-{at}"), (came.how, None));
        let left = |since: i64| self.seated(&new, false, at, &format!("left-{since}"), (came.how, None));
        match (came.joined, known) {
            (true, Some(known)) if (at - known.since).abs() <= SAME_SECONDS => (None, None),
            // Of a time that is over: it changes nothing but what is told of it.
            (true, Some(known)) if known.left.map_or(at < known.since, |left| at < left) => {
                (Some(joined()), None)
            }
            (true, _) => (Some(joined()), Some(new)),
            (false, Some(known)) if known.left.is_none() && at >= known.since => {
                (Some(left(known.since)), Some(Seat { left: Some(at), ..known.clone() }))
            }
            (false, Some(_)) => (None, None),
            (false, None) => (Some(left(0)), Some(Seat { left: Some(at), ..new })),
        }
    }

    async fn put_seats(&self, changed: &Changed) -> Result<bool> {
        let mut all = true;
        for some in changed.chunks(SEATS) {
            let things = some.iter().map(|(id, read, what)| Put {
                kind: SEAT,
                id: *id,
                part: self.seats_of(&what.group),
                read: *read,
                due: None,
                about: About::Customer(&what.who),
                what,
            });
            let things = things.collect();
            all &= self.put(things).await?.into_iter().all(|written| written);
        }
        Ok(all)
    }

    async fn all_seats(&self, group: &str) -> Result<BTreeMap<ReflectionId, Row<Seat>>> {
        let (mut rows, mut after) = (BTreeMap::new(), None);
        loop {
            let (some, last) = self.list::<Seat>(SEAT, self.seats_of(group), after, SEATS).await?;
            rows.extend(some.into_iter().map(|row| (row.id, row)));
            after = last;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Takes in what a look that began at an instant showed of a group, or that it is gone. Whether a later look may show more.
    pub(super) async fn see_group(&self, group: &str, shown: Option<&Shown>, began: Ts) -> Result<bool> {
        for _ in 0..TRIES {
            if let Some(lags) = self.see_group_once(group, shown, began).await? {
                return Ok(lags);
            }
        }
        Ok(true)
    }

    async fn see_group_once(&self, group: &str, shown: Option<&Shown>, began: Ts) -> Result<Option<bool>> {
        let id = self.id(GROUP, &[group]);
        let known = self.get::<Group>(vec![id]).await?.remove(&id);
        if known.as_ref().is_some_and(|row| row.what.seen > began.0) || (known.is_none() && shown.is_none()) {
            return Ok(Some(false));
        }
        let rows = self.all_seats(group).await?;
        let at = began.0.div_euclid(1_000_000);
        let (mut words, mut changed): (_, Changed) = (Vec::new(), Vec::new());
        let mut lags = false;
        let mut there = BTreeSet::new();
        let seats = shown.map(|shown| shown.seats.as_slice()).unwrap_or_default();
        for seat in seats.iter().filter(|seat| !seat.is_staff) {
            let id = self.seat_id(group, &seat.who);
            there.insert(id);
            let row = rows.get(&id);
            let is_known = row.is_some_and(|row| match row.what.left {
                None => seat.since <= row.what.since + SAME_SECONDS,
                // It was seen before they left.
                Some(left) => seat.since < left,
            });
            lags |= row.is_some_and(|row| row.what.left.is_some_and(|left| seat.since < left));
            if is_known {
                continue;
            }
            let new = Seat { group: group.to_owned(), who: seat.who.clone(), since: seat.since, left: None };
            let joined = format!("joined-{}", seat.since);
            words.push(self.seated(&new, true, seat.since, &joined, (seat.how, seat.unionid.as_deref())));
            changed.push((id, row.map_or(0, |row| row.version), new));
        }
        for row in rows.values().filter(|row| row.what.left.is_none() && !there.contains(&row.id)) {
            if shown.is_some() && row.what.since > at - LAG_SECONDS {
                lags = true;
                continue;
            }
            let gone = Seat { left: Some(at), ..row.what.clone() };
            words.push(self.seated(&gone, false, at, &format!("left-{}", row.what.since), (None, None)));
            changed.push((row.id, row.version, gone));
        }
        // Of who was erased nothing is learned any more.
        let missing: Vec<ReflectionId> =
            changed.iter().filter(|(_, read, _)| *read == 0).map(|(id, ..)| *id).collect();
        if !missing.is_empty() {
            let erased = self.erased(missing).await?;
            let of_erased: BTreeSet<String> = changed
                .iter()
                .filter(|(id, ..)| erased.contains(id))
                .map(|(.., seat)| seat.who.clone())
                .collect();
            words.retain(|word| !of_erased.contains(&word.customer));
            changed.retain(|(id, ..)| !erased.contains(id));
        }
        self.say(&words).await?;
        let written = self.put_seats(&changed).await?;
        let what = now(group, known.as_ref().map(|row| &row.what), shown, began);
        let thing = Put {
            kind: GROUP,
            id,
            part: self.id("groups", &[]),
            read: known.as_ref().map_or(0, |row| row.version),
            due: None,
            about: About::Nobody,
            what: &what,
        };
        let is_put = self.put(vec![thing]).await?.into_iter().all(|written| written);
        Ok((written && is_put).then_some(lags))
    }

    /// Which state of a group's members was seen last.
    pub(super) async fn group_version(&self, group: &str) -> Result<Option<String>> {
        let id = self.id(GROUP, &[group]);
        Ok(self.get::<Group>(vec![id]).await?.remove(&id).map(|row| row.what.version))
    }
}

/// What is known of a group from now on.
fn now(group: &str, known: Option<&Group>, shown: Option<&Shown>, began: Ts) -> Group {
    let before = known.cloned().unwrap_or_default();
    let Some(shown) = shown else {
        let gone = before.gone.or(Some(began.0.div_euclid(1_000_000)));
        return Group { gone, staff: BTreeSet::new(), customers: 0, seen: began.0, ..before };
    };
    Group {
        group: group.to_owned(),
        name: shown.name.clone(),
        owner: shown.owner.clone(),
        since: shown.since,
        version: shown.version.clone(),
        staff: shown.seats.iter().filter(|seat| seat.is_staff).map(|seat| seat.who.clone()).collect(),
        customers: shown.seats.iter().filter(|seat| !seat.is_staff).count(),
        gone: None,
        seen: began.0,
    }
}
