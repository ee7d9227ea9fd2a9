//! Ways in: the codes of the playbook's touchpoints are there on the platform, lead to whom they are to lead now, and go when the playbook
//! drops them (C1, G1; docs/ways.md).
//!
//! A row of the mirror for each code. That it is going to be made is written before it is; where nobody knows whether it was, the platform
//! is asked for one of its name, or, of one into groups, another is made. One process at a time keeps the codes of an account.

pub mod shown;

use serde::{Deserialize, Serialize};
use zhiyin_model::playbook::Language;
use zhiyin_model::playbook::way::Way;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts, Zone};
use zhiyin_reach::platform::{self, Answer, MadeWay, Platform, Trouble};

use super::group_ways::{Known, into_groups};
use super::{About, At, Kept, Put, Round, Row};
use crate::live::Live;
use crate::{Engine, Result};

/// Rows of codes.
pub(super) const WAY: &str = "way";
/// The one row that says when codes are looked at next.
pub(super) const WHEN: &str = "ways_when";
/// How often codes are looked at, in microseconds.
const LOOK_EVERY_US: i64 = 60_000_000;
/// How long one process keeps codes before another may.
const LENT_US: i64 = 300_000_000;
/// How many codes may be made, changed or dropped in one round.
const CHANGES_MAX: usize = 50;
/// How many are compared with the platform in one round, and how often each is.
const COMPARED_MAX: usize = 20;
const COMPARE_EVERY_US: i64 = DAY_US;
/// For how long a code stays that the playbook dropped: it may be printed.
pub const GRACE_DAYS: i64 = 7;
/// The most rows of codes that one account has.
const ROWS_MAX: usize = 5_000;
/// How long what people must put right is left alone.
const WRONG_US: i64 = HOUR_US;

/// Where a code leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Leads {
    /// To staff.
    Staff {
        /// Who may be met.
        accounts: Vec<String>,
        /// Whether they are asked first.
        asks: bool,
    },
    /// Into groups.
    Groups {
        /// Which.
        groups: Vec<String>,
        /// What the next is called, and its number.
        makes: Option<(String, u32)>,
    },
}

/// A code as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// A note for people.
    pub(crate) note: String,
    /// Where it leads.
    pub(crate) leads: Leads,
}

/// A code as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptWay {
    /// The touchpoint: what the code is called on the platform.
    pub(crate) touchpoint: String,
    /// By which the platform knows it; nothing before it was made.
    pub(crate) id: Option<String>,
    /// Where its picture lies.
    pub(crate) picture: Option<String>,
    /// What it is there; what it is to be, before it was made.
    pub(crate) spec: Spec,
    /// When it was first going to be made, in seconds since 1970.
    pub(crate) since: i64,
    /// Whether it may have been made and nobody knows by which id.
    pub(crate) doubt: bool,
    /// When it was last compared with the platform.
    pub(crate) compared: Ts,
    /// Since when the playbook has it no more.
    pub(crate) ending: Option<Ts>,
    /// What keeps it from being as it is to be, by a name that stays.
    pub(crate) trouble: Option<String>,
    /// How often it failed in a row, and until when it is left alone.
    pub(crate) fails: u32,
    pub(crate) rests: Option<Ts>,
    /// Of one into groups: what is known of them.
    #[serde(default)]
    pub(crate) known: Known,
}

impl KeptWay {
    fn new(touchpoint: &str, spec: Spec, wall: Ts) -> Self {
        Self {
            touchpoint: touchpoint.to_owned(),
            id: None,
            picture: None,
            spec,
            since: wall.0.div_euclid(1_000_000),
            doubt: false,
            compared: wall,
            ending: None,
            trouble: None,
            fails: 0,
            rests: None,
            known: Known::default(),
        }
    }

    /// Notes that it went well.
    fn well(&mut self) {
        (self.trouble, self.fails, self.rests) = (None, 0, None);
    }

    /// Notes why it did not, and when it is tried again.
    fn went_wrong(&mut self, trouble: &Trouble, wall: Ts, seed: &[u8; 16]) {
        self.trouble = Some(trouble.why().to_owned());
        self.fails = self.fails.saturating_add(1);
        self.rests = Some(wall.plus_us(rest_us(trouble, self.fails, seed)));
    }
}

/// How long something is left alone that failed so often in a row, in microseconds: as long as the platform says, twice as long each time,
/// a part of it longer that differs from row to row, so that what failed together does not come back together.
pub(super) fn rest_us(trouble: &Trouble, fails: u32, seed: &[u8; 16]) -> i64 {
    let rest = match trouble {
        Trouble::Wrong { .. } | Trouble::Never { .. } => return WRONG_US,
        Trouble::Later { rest, .. } => i64::try_from(rest.as_micros()).unwrap_or(WRONG_US),
        Trouble::Unknown { .. } => 1_000_000,
    };
    let doubled = rest.max(1_000_000).saturating_mul(1 << fails.saturating_sub(1).min(10)).min(WRONG_US);
    doubled + doubled / 1_000 * i64::from(seed[0])
}

/// The codes that an account is to have.
struct Wanted<'p> {
    touchpoint: &'p str,
    leads: Source<'p>,
    note: String,
}

/// Where a code gets from whom it leads to.
enum Source<'p> {
    Staff(&'p Way),
    Groups(&'p zhiyin_model::playbook::way::GroupWay),
}

fn wanted<'p>(live: &'p Live, account: &str, note_chars: usize) -> Vec<Wanted<'p>> {
    let note = |touchpoint: &str| {
        let named = live.playbook.touchpoints.get(touchpoint).map(|of| &of.name);
        let language = live.playbook.languages.first().copied().unwrap_or(Language::Zh);
        let name = named.map_or(touchpoint, |names| names.in_language(language, touchpoint));
        name.chars().take(note_chars).collect()
    };
    let to_staff = live.playbook.ways().filter(|(_, way)| way.account == account);
    let to_staff =
        to_staff.map(|(code, way)| Wanted { touchpoint: code, leads: Source::Staff(way), note: note(code) });
    let to_groups = live.playbook.group_ways().filter(|(_, way)| way.account == account);
    let to_groups = to_groups.map(|(code, way)| Wanted {
        touchpoint: code,
        leads: Source::Groups(way),
        note: note(code),
    });
    to_staff.chain(to_groups).collect()
}

impl Leads {
    /// Of which kind it is: one never becomes the other.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Staff { .. } => "staff",
            Self::Groups { .. } => "groups",
        }
    }
}

async fn make(desk: &dyn Platform, name: &str, spec: &Spec) -> Answer<MadeWay> {
    match to_say(name, spec) {
        Say::Way(way) => desk.make_way(&way).await,
        Say::GroupWay(way) => desk.make_group_way(&way).await,
    }
}

async fn change(desk: &dyn Platform, id: &str, name: &str, spec: &Spec) -> Answer<()> {
    match to_say(name, spec) {
        Say::Way(way) => desk.change_way(id, &way).await,
        Say::GroupWay(way) => desk.change_group_way(id, &way).await,
    }
}

async fn drop_it(desk: &dyn Platform, id: &str, leads: &Leads) -> Answer<()> {
    match leads {
        Leads::Staff { .. } => desk.drop_way(id).await,
        Leads::Groups { .. } => desk.drop_group_way(id).await,
    }
}

enum Say {
    Way(platform::Way),
    GroupWay(platform::GroupWay),
}

fn to_say(name: &str, spec: &Spec) -> Say {
    let (name, note) = (name.to_owned(), spec.note.clone());
    match spec.leads.clone() {
        Leads::Staff { accounts, asks } => Say::Way(platform::Way { name, note, accounts, asks }),
        Leads::Groups { groups, makes } => Say::GroupWay(platform::GroupWay { name, note, groups, makes }),
    }
}

/// Whether a code to staff is on the platform as it was last said; `None` where it is gone.
async fn is_as(desk: &dyn Platform, id: &str, spec: &Spec) -> Answer<Option<bool>> {
    let Leads::Staff { accounts, asks } = &spec.leads else {
        // What it leads to changes by itself as groups fill: that is looked at elsewhere.
        return Ok(desk.group_way(id).await?.map(|_| true));
    };
    let Some(there) = desk.way(id).await? else { return Ok(None) };
    let sorted = |accounts: &[String]| {
        let mut accounts: Vec<String> = accounts.iter().map(|one| one.to_ascii_lowercase()).collect();
        accounts.sort_unstable();
        accounts
    };
    Ok(Some(sorted(&there.accounts) == sorted(accounts) && there.asks == *asks && there.note == spec.note))
}

impl Engine {
    /// The clock by which a way's hours and days go.
    pub(super) async fn zone_of_way(&self, way: &Way) -> Result<Zone> {
        match &way.store {
            Some(store) => self.zone_of_store(store).await,
            None => Ok(self.zone()),
        }
    }

    /// Keeps the codes of an account, a bounded number at a time.
    pub(super) async fn keep_ways(&self, at: &At, wall: Ts) -> Result<Round> {
        let Ok(live) = self.live() else { return Ok(Round::default()) };
        let kept = self.kept(at).await?;
        let now_s = wall.0.div_euclid(1_000_000);
        let note_chars = at.desk.limit("ways.remark_chars", "call", now_s).unwrap_or(30);
        let wanted = wanted(&live, &at.account, usize::try_from(note_chars).unwrap_or(30));
        let when = kept.id(WHEN, &[]);
        if kept.next(WHEN).await?.is_none() {
            if wanted.is_empty() {
                return Ok(Round::default());
            }
            let first = Put {
                kind: WHEN,
                id: when,
                part: when,
                read: 0,
                due: Some(wall),
                about: About::Nobody,
                what: &(),
            };
            kept.put(vec![first]).await?;
        }
        let Some(turn) = kept.lend::<()>(WHEN, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            return Ok(Round { done: 0, next: kept.next(WHEN).await? });
        };
        let mut rows = all_rows(&kept).await?;
        let (mut changes, mut compared) = (0, 0);
        for one in &wanted {
            if changes >= CHANGES_MAX {
                break;
            }
            let kind = match one.leads {
                Source::Staff(_) => "staff",
                Source::Groups(_) => "groups",
            };
            let of_this = |row: &Row<KeptWay>| {
                row.what.touchpoint == one.touchpoint && row.what.spec.leads.kind() == kind
            };
            let row = rows.iter().position(of_this).map(|place| rows.swap_remove(place));
            changes += self.keep_one(at, &kept, one, row, (wall, &mut compared)).await?;
        }
        for row in rows {
            if changes >= CHANGES_MAX {
                break;
            }
            changes += end(at, &kept, row, wall).await?;
        }
        let next = if changes >= CHANGES_MAX { wall } else { wall.plus_us(LOOK_EVERY_US) };
        let again = Put {
            kind: WHEN,
            id: when,
            part: when,
            read: turn.version,
            due: Some(next),
            about: About::Nobody,
            what: &(),
        };
        kept.put(vec![again]).await?;
        self.hand_in_pictures(at, &kept, &live, wall).await?;
        Ok(Round { done: changes, next: Some(next) })
    }

    /// Makes one code what it is to be; how much was done.
    async fn keep_one(
        &self,
        at: &At,
        kept: &Kept<'_>,
        one: &Wanted<'_>,
        row: Option<Row<KeptWay>>,
        (wall, compared): (Ts, &mut usize),
    ) -> Result<usize> {
        if row.as_ref().is_some_and(|row| row.what.rests.is_some_and(|until| until > wall)) {
            return Ok(0);
        }
        let mut known = row.as_ref().map(|row| row.what.known.clone()).unwrap_or_default();
        let was = row.as_ref().filter(|row| row.what.id.is_some()).map(|row| &row.what);
        let leads = match one.leads {
            Source::Staff(way) => self.to_staff(at, kept, (one.touchpoint, way), wall).await?,
            Source::Groups(way) => into_groups(at, way, was, &mut known, wall).await,
        };
        let leads = match leads {
            Ok(leads) => leads,
            Err(trouble) => return note_trouble(kept, one.touchpoint, row, &trouble, wall).await,
        };
        let spec = Spec { note: one.note.clone(), leads };
        let id = kept.id(WAY, &[spec.leads.kind(), one.touchpoint]);
        let mut writing = Writing { kept, id, version: row.as_ref().map_or(0, |row| row.version) };
        let before = row.map(|row| row.what);
        let mut way = before.clone().unwrap_or_else(|| KeptWay::new(one.touchpoint, spec.clone(), wall));
        way.known = known;
        way.ending = None;
        let Some(there) = way.id.clone() else { return writing.make(at, way, spec, wall).await };
        if way.spec == spec {
            if wall.0 - way.compared.0 >= COMPARE_EVERY_US && *compared < COMPARED_MAX {
                *compared += 1;
                way.compared = wall;
                match is_as(at.desk.as_ref(), &there, &spec).await {
                    Ok(Some(true)) => way.well(),
                    Ok(Some(false)) => return writing.change(at, way, (&there, spec), wall).await,
                    Ok(None) => (way.id, way.picture, way.doubt) = (None, None, false),
                    Err(trouble) => way.went_wrong(&trouble, wall, writing.id.bytes()),
                }
            }
            return match before.is_some_and(|before| before == way) {
                true => Ok(0),
                false => writing.put(&way).await.map(usize::from),
            };
        }
        writing.change(at, way, (&there, spec), wall).await
    }

    /// Whom a code to staff leads to now.
    async fn to_staff(
        &self,
        at: &At,
        kept: &Kept<'_>,
        (touchpoint, way): (&str, &Way),
        wall: Ts,
    ) -> Result<Answer<Leads>> {
        let zone = self.zone_of_way(way).await?;
        let now = wall.plus_us(self.home().await?.offset_us);
        let made = match way.at_most {
            Some(_) => super::came::made_on(kept, touchpoint, zone.day(now)).await?,
            None => std::collections::BTreeMap::new(),
        };
        let all = way.persona.as_deref().map(|persona| at.desk.accounts_of(persona)).unwrap_or_default();
        let met: Vec<String> = way.met_at(&all, &zone, now, &made).into_iter().map(str::to_owned).collect();
        if met.is_empty() {
            let message = "the file of channels names no account of this persona".to_owned();
            return Ok(Err(Trouble::Wrong { field: "persona".to_owned(), message }));
        }
        Ok(Ok(Leads::Staff { accounts: met, asks: way.asks }))
    }
}

/// One row while it is written again and again.
struct Writing<'k, 'e> {
    kept: &'k Kept<'e>,
    id: zhiyin_store::campaigns::mirror::ReflectionId,
    version: i64,
}

impl Writing<'_, '_> {
    /// Writes it, unless somebody else has meanwhile; whether it was written.
    async fn put(&mut self, way: &KeptWay) -> Result<bool> {
        let part = self.kept.id(WAY, &[]);
        let put = Put {
            kind: WAY,
            id: self.id,
            part,
            read: self.version,
            due: None,
            about: About::Nobody,
            what: way,
        };
        let written = self.kept.put(vec![put]).await?.first().copied().unwrap_or(false);
        self.version += i64::from(written);
        Ok(written)
    }

    /// Makes a code that is not there, or finds it.
    async fn make(&mut self, at: &At, mut way: KeptWay, spec: Spec, wall: Ts) -> Result<usize> {
        let desk = at.desk.as_ref();
        let found = match (way.doubt, &spec.leads) {
            (true, Leads::Staff { .. }) => desk.find_way(&way.touchpoint, way.since).await,
            // The platform lists none into groups: another is made.
            _ => Ok(None),
        };
        let made = match found {
            Ok(Some(made)) => {
                // As it was said then, which may be another than now: it is changed in the next round.
                Ok((made, way.spec.clone()))
            }
            Ok(None) => {
                (way.spec, way.doubt) = (spec.clone(), true);
                if !self.put(&way).await? {
                    return Ok(0);
                }
                make(desk, &way.touchpoint, &spec).await.map(|made| (made, spec))
            }
            Err(trouble) => {
                way.went_wrong(&trouble, wall, self.id.bytes());
                return self.put(&way).await.map(|_| 1);
            }
        };
        match made {
            Ok((made, spec)) => {
                (way.id, way.picture, way.spec, way.doubt) = (Some(made.id), made.picture, spec, false);
                (way.compared, way.ending) = (wall, None);
                way.well();
            }
            Err(trouble) => {
                way.doubt = matches!(trouble, Trouble::Unknown { .. });
                way.went_wrong(&trouble, wall, self.id.bytes());
            }
        }
        self.put(&way).await.map(|_| 1)
    }

    /// Makes one another.
    async fn change(
        &mut self,
        at: &At,
        mut way: KeptWay,
        (there, spec): (&str, Spec),
        wall: Ts,
    ) -> Result<usize> {
        match change(at.desk.as_ref(), there, &way.touchpoint, &spec).await {
            Ok(()) => {
                way.spec = spec;
                way.well();
            }
            Err(trouble) if trouble.is_gone() => {
                // Somebody took it away: the next round makes another.
                (way.id, way.picture, way.doubt) = (None, None, false);
                way.since = wall.0.div_euclid(1_000_000);
            }
            Err(trouble) => way.went_wrong(&trouble, wall, self.id.bytes()),
        }
        self.put(&way).await.map(|_| 1)
    }
}

/// Every row of codes.
pub(super) async fn all_rows(kept: &Kept<'_>) -> Result<Vec<Row<KeptWay>>> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let (some, more) = kept.list(WAY, kept.id(WAY, &[]), after, 500).await?;
        rows.extend(some);
        after = more;
        if after.is_none() || rows.len() >= ROWS_MAX {
            return Ok(rows);
        }
    }
}

/// Groups into which the codes of touchpoints lead, or led: those that filled since are theirs too.
pub(super) async fn groups_of(kept: &Kept<'_>, touchpoints: &[String]) -> Result<Vec<String>> {
    if touchpoints.is_empty() {
        return Ok(Vec::new());
    }
    let mut groups = Vec::new();
    for row in all_rows(kept).await?.into_iter().filter(|row| touchpoints.contains(&row.what.touchpoint)) {
        let KeptWay { spec, known, .. } = row.what;
        let Leads::Groups { groups: now, .. } = spec.leads else { continue };
        // Of the owners' other groups it is known what they are called, and not that a code ever led there.
        let led =
            known.groups.into_iter().filter(|(group, is)| is.is_some() && !known.of_owners.contains(group));
        groups.extend(now.into_iter().chain(led.map(|(group, _)| group)));
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// Notes on the row of a code why it cannot be what it is to be; where there is none yet, nothing is noted but in the log.
async fn note_trouble(
    kept: &Kept<'_>,
    touchpoint: &str,
    row: Option<Row<KeptWay>>,
    trouble: &Trouble,
    wall: Ts,
) -> Result<usize> {
    let Some(Row { id, version, mut what, .. }) = row else {
        tracing::warn!(touchpoint, why = trouble.why(), "ways: this code cannot be made: {trouble}");
        return Ok(0);
    };
    what.went_wrong(trouble, wall, id.bytes());
    let mut writing = Writing { kept, id, version };
    writing.put(&what).await.map(usize::from)
}

/// Ends a code that the playbook has no more: after a while, since it may be printed.
async fn end(at: &At, kept: &Kept<'_>, row: Row<KeptWay>, wall: Ts) -> Result<usize> {
    let Row { id, version, mut what, .. } = row;
    if what.rests.is_some_and(|until| until > wall) {
        return Ok(0);
    }
    let mut writing = Writing { kept, id, version };
    let Some(ending) = what.ending else {
        what.ending = Some(wall);
        return writing.put(&what).await.map(usize::from);
    };
    if wall.0 - ending.0 < GRACE_DAYS * DAY_US {
        return Ok(0);
    }
    let desk = at.desk.as_ref();
    let there = match (&what.id, what.doubt, &what.spec.leads) {
        (None, true, Leads::Staff { .. }) => {
            desk.find_way(&what.touchpoint, what.since).await.map(|found| found.map(|made| made.id))
        }
        (id, ..) => Ok(id.clone()),
    };
    let dropped = match there {
        Ok(Some(there)) => drop_it(desk, &there, &what.spec.leads).await,
        Ok(None) => Ok(()),
        Err(trouble) => Err(trouble),
    };
    if let Err(trouble) = dropped {
        what.went_wrong(&trouble, wall, id.bytes());
        return writing.put(&what).await.map(usize::from);
    }
    kept.forget(vec![(id, version)]).await
}
