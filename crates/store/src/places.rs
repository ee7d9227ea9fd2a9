//! The brand's tree as a home remembers it: places and staff as they are, and how places were before.
//!
//! What an edit comes to is decided by the model ([`Edit::plan`]) over what the store has just read, in the transaction that
//! writes it: both databases refuse and write the same. A row of the history says what a place *was* until then, so that the
//! tree as at a past instant is the tree of now with the first later row of each place put back ([`as_at`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zhiyin_model::place::tree::{self, Brand, Edit, Misfit, Tally};
use zhiyin_model::place::{About, Code, Place, PlaceKind, Staff};
use zhiyin_model::time::Ts;

use crate::{Result, StoreError};

/// How much of what breaks a tree is told.
const BROKEN_MAX: usize = 5;

/// A place, and since when it is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The place.
    pub place: Place,
    /// When it was last changed, in business time.
    pub since: Ts,
}

/// The whole tree, as of one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Grows with every change.
    pub version: i64,
    /// Places, by code.
    pub places: Vec<Placed>,
    /// Staff, by place and code.
    pub staff: Vec<Staff>,
}

impl Whole {
    /// The tree as edits see it.
    pub fn brand(&self) -> Brand {
        let places = self.places.iter().map(|placed| (placed.place.code.clone(), placed.place.clone()));
        let staff = self.staff.iter().map(|one| ((one.place.clone(), one.code.clone()), one.clone()));
        Brand { places: places.collect(), staff: staff.collect() }
    }
}

/// A change of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Which place.
    pub code: Code,
    /// When, in business time.
    pub at: Ts,
    /// Who.
    pub by: String,
    /// What it was until then; nothing, if it is new.
    pub was: Option<Place>,
}

/// One place with its history and its staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceWhole {
    /// As it is.
    pub placed: Placed,
    /// Its changes, oldest first.
    pub history: Vec<Past>,
    /// Who works there.
    pub staff: Vec<Staff>,
}

/// An edit to be written.
#[derive(Clone, Debug)]
pub struct Change {
    /// What is to be so.
    pub edit: Edit,
    /// The version that whoever edits has seen: with another one it is refused ([`StoreError::Stale`]). `None` edits whatever
    /// there is.
    pub seen: Option<i64>,
    /// Who edits.
    pub by: String,
    /// Business now.
    pub at: Ts,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Places.
    pub places: Tally,
    /// Staff.
    pub staff: Tally,
}

/// How an edit ended: written, or refused whole for all of these.
pub type Edited = std::result::Result<Written, Vec<Misfit>>;

/// What orders say of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSeen {
    /// What they call it.
    pub store: String,
    /// How many say so.
    pub orders: i64,
    /// The time of the latest.
    pub last: Ts,
}

/// Sums of one store, as of an instant; `None` sums what names no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSums {
    /// What it is called.
    pub store: Option<String>,
    /// Members whose latest store it is.
    pub members: i64,
    /// Orders there that counted.
    pub orders: i64,
    /// What was paid for them and did not come back, in minor units.
    pub paid: i64,
}

/// A member in a report that is cut by stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutLine {
    /// The member; orders and what was paid are those of the stores that were asked for.
    pub line: crate::read::MemberLine,
    /// Whether the latest store where they were met is one of those: if not, only their orders belong here.
    pub belongs: bool,
}

/// A place's document, as it is stored.
pub fn document(place: &Place) -> Result<String> {
    serde_json::to_string(&place.about).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// A place from its columns.
pub fn place(code: &str, parent: Option<&str>, kind: &str, document: &str) -> Result<Place> {
    let damaged = |what: String| StoreError::Damaged(format!("place {code}: {what}"));
    let about: About = serde_json::from_str(document).map_err(|error| damaged(error.to_string()))?;
    let read = |text: &str| Code::read("code", text).map_err(|refusal| damaged(refusal.message));
    let kind = PlaceKind::read("kind", kind).map_err(|refusal| damaged(refusal.message))?;
    Ok(Place { code: read(code)?, parent: parent.map(read).transpose()?, kind, about })
}

/// What a place was, in one text.
#[derive(Serialize, Deserialize)]
struct Was {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Code>,
    kind: PlaceKind,
    about: About,
}

/// What a place was, as the history stores it.
pub fn was(place: &Place) -> Result<String> {
    let was = Was { parent: place.parent.clone(), kind: place.kind, about: place.about.clone() };
    serde_json::to_string(&was).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// What a place was, from the history.
pub fn place_was(code: &str, was: &str) -> Result<Place> {
    let damaged = |what: String| StoreError::Damaged(format!("what place {code} was: {what}"));
    let was: Was = serde_json::from_str(was).map_err(|error| damaged(error.to_string()))?;
    let code = Code::read("code", code).map_err(|refusal| damaged(refusal.message))?;
    Ok(Place { code, parent: was.parent, kind: was.kind, about: was.about })
}

/// Rows that a change writes.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Places as they are from now on.
    pub places: Vec<PlaceRow>,
    /// Staff as they are from now on.
    pub staff: Vec<Staff>,
    /// What is told of it.
    pub written: Written,
}

/// A place to be written.
#[derive(Clone, Debug)]
pub struct PlaceRow {
    /// Its code.
    pub code: String,
    /// Its parent's code.
    pub parent: Option<String>,
    /// Its kind's word.
    pub kind: &'static str,
    /// Its document.
    pub document: String,
    /// Since when it is so. A clock that was set back does not turn the history round.
    pub since: i64,
    /// What it was before, if it is not new.
    pub was: Option<String>,
}

/// The rows that a change writes over a tree, or why it is refused.
pub fn rows(whole: &Whole, change: &Change) -> Result<std::result::Result<Rows, Vec<Misfit>>> {
    if change.seen.is_some_and(|seen| seen != whole.version) {
        return Err(StoreError::Stale);
    }
    let planned = match change.edit.clone().plan(&whole.brand()) {
        Ok(planned) => planned,
        Err(misfits) => return Ok(Err(misfits)),
    };
    let before: BTreeMap<&Code, &Placed> =
        whole.places.iter().map(|placed| (&placed.place.code, placed)).collect();
    let mut rows = Rows {
        staff: planned.staff,
        written: Written { places: planned.places_tally, staff: planned.staff_tally },
        ..Rows::default()
    };
    for place in &planned.places {
        let before = before.get(&place.code);
        rows.places.push(PlaceRow {
            code: place.code.to_string(),
            parent: place.parent.as_ref().map(Code::to_string),
            kind: place.kind.name(),
            document: document(place)?,
            since: before.map_or(change.at, |before| change.at.max(before.since)).0,
            was: before.map(|before| was(&before.place)).transpose()?,
        });
    }
    Ok(Ok(rows))
}

/// What breaks a tree, as the doctor tells it.
pub fn broken(whole: &Whole) -> Vec<String> {
    let brand = whole.brand();
    let mut broken: Vec<String> = tree::misfits(&brand.places)
        .into_iter()
        .map(|misfit| format!("{}: {}", misfit.of, misfit.refusal.message))
        .collect();
    let rootless = |place: &&Place| (place.kind == PlaceKind::Brand) != place.parent.is_none();
    broken.extend(brand.places.values().filter(rootless).map(|place| {
        format!(
            "place {}: a {} {} a parent",
            place.code,
            place.kind.name(),
            if place.parent.is_some() { "with" } else { "without" }
        )
    }));
    let homeless = brand.staff.keys().filter(|(place, _)| !brand.places.contains_key(place));
    broken.extend(homeless.map(|(place, code)| format!("staff {code} at {place}: no place has that code")));
    broken.truncate(BROKEN_MAX);
    broken
}

/// The places as they were, from the places of now and all that changed later, oldest first.
pub fn as_at(now: Vec<Placed>, later: Vec<Past>) -> Vec<Place> {
    let mut places: BTreeMap<Code, Place> =
        now.into_iter().map(|placed| (placed.place.code.clone(), placed.place)).collect();
    for past in later.into_iter().rev() {
        match past.was {
            Some(was) => drop(places.insert(past.code, was)),
            None => drop(places.remove(&past.code)),
        }
    }
    places.into_values().collect()
}
