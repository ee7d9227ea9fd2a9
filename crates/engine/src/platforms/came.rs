//! Who came by a way: counted against what staff may take on in a day, and given what the way gives (tags, what they are called), once
//! (C1; docs/ways.md). A row of the mirror for each who came; it is forgotten when nothing can tell of it a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Map;
use zhiyin_model::event::names;
use zhiyin_model::playbook::way::Way;
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_reach::platform::Answer;

use super::say::Word;
use super::ways::{WHEN, rest_us};
use super::{About, At, Kept, Put, Round, Row};
use crate::{Engine, Result};

/// Rows of who came.
const CAME: &str = "came";
/// Rows of how many came in a day.
pub(super) const MADE: &str = "way_made";
/// How many are worked on at a time, and for how long one process has them.
const AT_ONCE: usize = 100;
const LENT_US: i64 = 120_000_000;
/// How many of those who were counted last are remembered, so that none is counted twice after a crash.
const REMEMBERED_MAX: usize = 500;
/// For how long it is remembered that somebody was given what they came for, in days: longer than a callback may come again.
const REMEMBERED_DAYS: i64 = 40;
/// How often somebody is tried to be called something.
const TRIES_MAX: u32 = 8;

/// Somebody came by a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Came {
    /// The way.
    pub(crate) way: String,
    /// To which account of the staff.
    pub(crate) account: String,
    /// Who.
    pub(crate) customer: String,
    /// When, in business time.
    pub(crate) at: Ts,
    /// Whether they were counted.
    #[serde(default)]
    counted: bool,
    /// Whether they were given all.
    #[serde(default)]
    given: bool,
    /// How often that failed.
    #[serde(default)]
    fails: u32,
}

impl Came {
    /// Somebody who was neither counted nor given anything yet. What they came by is a touchpoint, of a campaign perhaps.
    pub(crate) fn new(way: &str, account: String, customer: String, at: Ts) -> Self {
        let way = way.split_once('~').map_or(way, |(touchpoint, _)| touchpoint).to_owned();
        Self { way, account, customer, at, counted: false, given: false, fails: 0 }
    }
}

/// How many came by a way in a day, and who of them last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) counts: BTreeMap<String, u32>,
    last: Vec<String>,
}

/// How many new friends each account made by a way on a day.
pub(super) async fn made_on(kept: &Kept<'_>, way: &str, day: Day) -> Result<BTreeMap<String, u32>> {
    let id = kept.id(MADE, &[way, &day.to_string()]);
    let row = kept.get::<Made>(vec![id]).await?.remove(&id);
    Ok(row.map(|row| row.what.counts).unwrap_or_default())
}

impl Engine {
    /// Takes note of somebody who came by a way of one of the brand's accounts, once however often it is told: they are counted and given
    /// what they came for later. Whether it was news.
    pub(crate) async fn came_by(&self, account: &str, came: &Came, wall: Ts) -> Result<bool> {
        let live = self.live()?;
        if live.playbook.touchpoint(&came.way).is_none_or(|touchpoint| touchpoint.way.is_none()) {
            return Ok(false);
        }
        let shelf = self.shelf(account).await?;
        let second = came.at.0.div_euclid(1_000_000).to_string();
        let id = shelf.id(CAME, &[&came.account, &came.customer, &came.way, &second]);
        let part = shelf.id(CAME, &[&came.way]);
        let row = (id, part, About::Customer(&came.customer), Some(wall), came);
        Ok(shelf.add(CAME, &[row]).await?.first().copied().unwrap_or(false))
    }

    /// Counts who came by ways, and gives them what they came for.
    pub(super) async fn give_by_ways(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let old = kept.lend::<Made>(MADE, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        if !old.is_empty() {
            kept.forget(old.iter().map(|row| (row.id, row.version)).collect()).await?;
        }
        let mut rows = kept.lend::<Came>(CAME, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        if rows.is_empty() {
            return Ok(Round { done: 0, next: kept.next(CAME).await? });
        }
        let over: Vec<_> =
            rows.iter().filter(|row| row.what.given).map(|row| (row.id, row.version)).collect();
        let done = rows.len();
        if !over.is_empty() {
            kept.forget(over).await?;
            rows.retain(|row| !row.what.given);
        }
        self.count(&kept, &mut rows, wall).await?;
        let live = self.live()?;
        for mut row in rows {
            let way = live.playbook.touchpoint(&row.what.way).and_then(|touchpoint| touchpoint.way.as_ref());
            let given = match way {
                Some(way) => self.give(&kept, at, way, &row).await?,
                None => Ok(()),
            };
            let due = match given {
                Ok(()) => {
                    row.what.given = true;
                    wall.plus_us(REMEMBERED_DAYS * DAY_US)
                }
                Err(trouble) => {
                    row.what.fails += 1;
                    row.what.given = row.what.fails >= TRIES_MAX;
                    if row.what.given {
                        tracing::warn!(
                            way = row.what.way,
                            why = trouble.why(),
                            "ways: somebody is not called as they should be"
                        );
                        wall.plus_us(REMEMBERED_DAYS * DAY_US)
                    } else {
                        wall.plus_us(rest_us(&trouble, row.what.fails, row.id.bytes()))
                    }
                }
            };
            put(&kept, &mut row, due).await?;
        }
        Ok(Round { done, next: kept.next(CAME).await? })
    }

    /// Counts those who were not counted yet, each way and day at once. Where somebody has no room any more, codes are looked at.
    async fn count(&self, kept: &Kept<'_>, rows: &mut [Row<Came>], wall: Ts) -> Result<()> {
        let live = self.live()?;
        let mut of_days: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.what.counted) {
            let way = live.playbook.touchpoint(&row.what.way).and_then(|touchpoint| touchpoint.way.as_ref());
            let zone = match way {
                Some(way) => self.zone_of_way(way).await?,
                None => self.zone(),
            };
            let of = (row.what.way.clone(), zone.day(row.what.at).to_string());
            of_days.entry(of).or_default().push(i);
        }
        let mut is_full = false;
        for ((way, day), places) in of_days {
            let id = kept.id(MADE, &[&way, &day]);
            let at_most =
                live.playbook.touchpoint(&way).and_then(|touchpoint| touchpoint.way.as_ref()?.at_most);
            loop {
                let row = kept.get::<Made>(vec![id]).await?.remove(&id);
                let (read, mut made) = row.map_or((0, Made::default()), |row| (row.version, row.what));
                let remembered: BTreeSet<String> = made.last.iter().cloned().collect();
                for row in places.iter().filter_map(|place| rows.get(*place)) {
                    let name = row.id.to_string();
                    if remembered.contains(&name) {
                        continue;
                    }
                    let count = made.counts.entry(row.what.account.clone()).or_default();
                    *count = count.saturating_add(1);
                    is_full |= at_most.is_some_and(|most| *count >= most);
                    made.last.push(name);
                }
                let forgotten = made.last.len().saturating_sub(REMEMBERED_MAX);
                made.last.drain(..forgotten);
                let part = kept.id(MADE, &[]);
                // Nobody asks for a day that is long over.
                let due = Some(wall.plus_us(REMEMBERED_DAYS * DAY_US));
                let written = Put { kind: MADE, id, part, read, due, about: About::Nobody, what: &made };
                if kept.put(vec![written]).await?.first() == Some(&true) {
                    break;
                }
            }
            for place in places {
                if let Some(row) = rows.get_mut(place) {
                    row.what.counted = true;
                    put(kept, row, wall.plus_us(LENT_US)).await?;
                }
            }
        }
        if is_full {
            let id = kept.id(WHEN, &[]);
            if let Some(row) = kept.get::<()>(vec![id]).await?.remove(&id) {
                let now = Put {
                    kind: WHEN,
                    id,
                    part: id,
                    read: row.version,
                    due: Some(wall),
                    about: About::Nobody,
                    what: &(),
                };
                // Where somebody is at it they may have seen the old count: in a minute they look again.
                kept.put(vec![now]).await?;
            }
        }
        Ok(())
    }

    /// Gives somebody what they came for: doing it twice is doing it once.
    async fn give(&self, kept: &Kept<'_>, at: &At, way: &Way, row: &Row<Came>) -> Result<Answer<()>> {
        let home = self.home().await?;
        let Came { customer, account, at: when, .. } = &row.what;
        let word = |tag: &String| {
            let mut more = Map::new();
            more.insert("tag".to_owned(), tag.as_str().into());
            let (customer, id) = (customer.clone(), format!("{}-{tag}", row.id));
            let at = when.plus_us(-home.offset_us).0.div_euclid(1_000_000);
            Word { name: names::TAG_PUT_ON, customer, unionid: None, id, at, more }
        };
        let words: Vec<Word> = way.tags.iter().map(word).collect();
        // One that is refused is a dead end: its tag is no more, or the playbook gives it by a rule.
        drop(kept.say(&words).await?);
        let Some(before) = &way.remark else { return Ok(Ok(())) };
        let relations = match at.desk.relations_of(customer).await {
            Ok(relations) => relations,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let found = relations.into_iter().find(|relation| relation.account.eq_ignore_ascii_case(account));
        // Who left meanwhile is called nothing; what staff called somebody stays.
        let Some(relation) = found.filter(|of| of.remark.is_empty() || of.remark == of.name) else {
            return Ok(Ok(()));
        };
        let now_s = when.0.div_euclid(1_000_000);
        let most = at.desk.limit("contacts.remark_chars", "call", now_s).unwrap_or(20);
        let most = usize::try_from(most).unwrap_or(20);
        let remark: String = format!("{before}-{}", relation.name).chars().take(most).collect();
        Ok(at.desk.remark(account, customer, &remark).await)
    }
}

async fn put(kept: &Kept<'_>, row: &mut Row<Came>, due: Ts) -> Result<()> {
    let about = About::Customer(&row.what.customer);
    let put = Put {
        kind: CAME,
        id: row.id,
        part: row.part,
        read: row.version,
        due: Some(due),
        about,
        what: &row.what,
    };
    let written = kept.put(vec![put]).await?.first().copied().unwrap_or(false);
    row.version += i64::from(written);
    Ok(())
}
