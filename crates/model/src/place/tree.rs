//! Whether places fit together, and what an edit of the tree comes to: pure, so that both databases write the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Code, Place, PlaceKind, Staff};
use crate::event::Refusal;
use crate::time::Day;

/// The most places of a home.
pub const PLACES_MAX: usize = 100_000;
/// The most staff of a home.
pub const STAFF_MAX: usize = 200_000;
/// How deep a tree may be.
pub const DEPTH_MAX: usize = 64;

/// All places by code, and all staff by (place, code).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// The places.
    pub places: BTreeMap<Code, Place>,
    /// Who works there.
    pub staff: BTreeMap<(Code, Code), Staff>,
}

/// A change of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// These are as they are said; what is not named stays.
    Put {
        /// Places, in any order.
        places: Vec<Place>,
        /// Staff, in any order.
        staff: Vec<Staff>,
    },
    /// A place, with all below it, lies under another from now on.
    Move {
        /// Which.
        code: Code,
        /// Under which.
        under: Code,
    },
    /// A store is closed from a day on.
    Close {
        /// Which.
        code: Code,
        /// From when on.
        on: Day,
    },
}

/// Whom a refusal is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A place.
    Place(Code),
    /// One of the staff: place and code.
    Staff(Code, Code),
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(code) => write!(f, "place {code}"),
            Self::Staff(place, code) => write!(f, "staff {code} at {place}"),
        }
    }
}

/// Why something does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Whom it is about.
    pub of: Of,
    /// What is wrong, with the field at fault.
    pub refusal: Refusal,
}

/// How many were what they are already, and how many are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// New ones.
    pub added: usize,
    /// Known ones that are otherwise now.
    pub changed: usize,
    /// Known ones that stay as they are.
    pub unchanged: usize,
}

/// What an edit writes: only what is new or otherwise than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Places.
    pub places: Vec<Place>,
    /// Staff.
    pub staff: Vec<Staff>,
    /// How places were counted.
    pub places_tally: Tally,
    /// How staff were counted.
    pub staff_tally: Tally,
}

impl Planned {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.staff.is_empty()
    }
}

fn of_place(code: &Code, name: &'static str, field: &str, message: impl Into<String>) -> Misfit {
    Misfit { of: Of::Place(code.clone()), refusal: Refusal::new(name, field, message) }
}

/// Places whose parents do not hold them: unknown ones, stores, circles, too many levels.
pub fn misfits(places: &BTreeMap<Code, Place>) -> Vec<Misfit> {
    places.values().filter_map(|place| misfit(places, place)).collect()
}

fn misfit(places: &BTreeMap<Code, Place>, place: &Place) -> Option<Misfit> {
    let code = &place.code;
    let parent = place.parent.as_ref()?;
    let Some(above) = places.get(parent) else {
        return Some(of_place(code, "parent_unknown", "parent", format!("no place has the code {parent}")));
    };
    if above.kind == PlaceKind::Store {
        let message = format!("{parent} is a store: nothing lies under it");
        return Some(of_place(code, "parent_is_a_store", "parent", message));
    }
    let mut passed = BTreeSet::from([code]);
    let mut above = Some(parent);
    while let Some(at) = above {
        if at == code {
            let message = format!("{code} would lie under itself, by way of {parent}");
            return Some(of_place(code, "circle", "parent", message));
        }
        if !passed.insert(at) {
            // It hangs below a circle, which is named by those in it.
            return None;
        }
        if passed.len() > DEPTH_MAX {
            let message = format!("it lies more than {DEPTH_MAX} levels deep");
            return Some(of_place(code, "too_deep", "parent", message));
        }
        above = places.get(at).and_then(|place| place.parent.as_ref());
    }
    None
}

impl Edit {
    /// What the edit writes over a tree, or all that does not fit. Said twice it writes nothing the second time.
    pub fn plan(self, brand: &Brand) -> Result<Planned, Vec<Misfit>> {
        match self {
            Self::Put { places, staff } => put(brand, places, staff),
            Self::Move { code, under } => {
                let place = known(brand, &code, "code")?;
                known(brand, &under, "under")?;
                if place.kind == PlaceKind::Brand {
                    let message = format!("{code} is a brand: it has no parent");
                    return Err(vec![of_place(&code, "parent_of_brand", "code", message)]);
                }
                let moved = Place { parent: Some(under), ..place.clone() };
                put(brand, vec![moved], Vec::new())
            }
            Self::Close { code, on } => {
                let closed = known(brand, &code, "code")?.closed(on);
                let misfit = |refusal| vec![Misfit { of: Of::Place(code), refusal }];
                put(brand, vec![closed.map_err(misfit)?], Vec::new())
            }
        }
    }
}

fn known<'b>(brand: &'b Brand, code: &Code, field: &str) -> Result<&'b Place, Vec<Misfit>> {
    let message = format!("no place has the code {code}");
    brand.places.get(code).ok_or_else(|| vec![of_place(code, "place_unknown", field, message)])
}

fn put(brand: &Brand, places: Vec<Place>, staff: Vec<Staff>) -> Result<Planned, Vec<Misfit>> {
    let mut faults = Vec::new();
    let mut planned = Planned::default();
    let mut then = brand.places.clone();
    let mut seen = BTreeSet::new();
    for place in places {
        if !seen.insert(place.code.clone()) {
            let message = format!("{} is said twice", place.code);
            faults.push(of_place(&place.code, "code_twice", "code", message));
            continue;
        }
        if tally(&mut planned.places_tally, brand.places.get(&place.code), &place) {
            then.insert(place.code.clone(), place.clone());
            planned.places.push(place);
        }
    }
    let mut seen = BTreeSet::new();
    let mut n_staff = brand.staff.len();
    for one in staff {
        let key = (one.place.clone(), one.code.clone());
        let misfit = |name, field, message| Misfit {
            of: Of::Staff(one.place.clone(), one.code.clone()),
            refusal: Refusal::new(name, field, message),
        };
        if !seen.insert(key.clone()) {
            faults.push(misfit("code_twice", "code", format!("{} is said twice at {}", one.code, one.place)));
            continue;
        }
        if !then.contains_key(&one.place) {
            faults.push(misfit("place_unknown", "place", format!("no place has the code {}", one.place)));
        }
        n_staff += usize::from(!brand.staff.contains_key(&key));
        if tally(&mut planned.staff_tally, brand.staff.get(&key), &one) {
            planned.staff.push(one);
        }
    }
    for (n, max, what, first) in [
        (then.len(), PLACES_MAX, "places", planned.places.first().map(|place| Of::Place(place.code.clone()))),
        (
            n_staff,
            STAFF_MAX,
            "staff",
            planned.staff.first().map(|one| Of::Staff(one.place.clone(), one.code.clone())),
        ),
    ] {
        if let Some(of) = first.filter(|_| n > max) {
            let message = format!("{n} {what}: a home has at most {max}");
            faults.push(Misfit { of, refusal: Refusal::new("too_many", "", message) });
        }
    }
    if !planned.places.is_empty() {
        faults.extend(misfits(&then));
    }
    if faults.is_empty() { Ok(planned) } else { Err(faults) }
}

/// Counts what is said against what is known; whether it is to be written.
fn tally<T: PartialEq>(tally: &mut Tally, before: Option<&T>, now: &T) -> bool {
    let count = match before {
        None => &mut tally.added,
        Some(before) if before == now => &mut tally.unchanged,
        Some(_) => &mut tally.changed,
    };
    *count += 1;
    before != Some(now)
}
