//! The brand's tree as an index: places in the order of a walk through it, so that all below one lie in one piece after it.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::place::{Code, Place, Staff};
use zhiyin_model::time::{Ts, Zone};
use zhiyin_store::places::{StoreSums, Whole};

/// A place of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The place.
    pub place: Place,
    /// How many lie above it.
    pub level: usize,
    /// Where the one above it stands.
    above: Option<usize>,
    /// Where the first stands that does not lie under it any more.
    end: usize,
}

/// The tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    version: i64,
    nodes: Vec<Node>,
    by_code: BTreeMap<Code, usize>,
    staff: BTreeMap<Code, Vec<Staff>>,
    staff_codes: BTreeSet<Code>,
}

/// Sums of a place and all below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Members whose latest store is one of these.
    pub members: i64,
    /// Orders there that counted.
    pub orders: i64,
    /// What was paid for them, in minor units.
    pub paid: i64,
}

impl Sums {
    /// Adds to it.
    pub fn add(&mut self, other: Self) {
        self.members += other.members;
        self.orders += other.orders;
        self.paid += other.paid;
    }
}

/// Sums by place, and of what lies in none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rolled {
    /// One for each node, with all below it.
    pub nodes: Vec<Sums>,
    /// Of stores that no place bears.
    pub unknown: Sums,
    /// Of what names no store.
    pub none: Sums,
}

/// Codes that are numbers by number, all others after them.
fn order(code: &Code) -> (u64, &Code) {
    (code.as_str().parse().unwrap_or(u64::MAX), code)
}

impl Tree {
    /// The index of a tree.
    pub fn of(whole: Whole) -> Self {
        let places = whole.places.into_iter().map(|placed| placed.place).collect();
        Self { version: whole.version, ..Self::as_at(places, whole.staff) }
    }

    /// The index of places as they were.
    pub fn as_at(places: Vec<Place>, staff: Vec<Staff>) -> Self {
        let mut below: BTreeMap<Option<Code>, Vec<Place>> = BTreeMap::new();
        for place in places {
            below.entry(place.parent.clone()).or_default().push(place);
        }
        for places in below.values_mut() {
            // The last is taken first.
            places.sort_by(|a, b| order(&b.code).cmp(&order(&a.code)));
        }
        let mut tree = Self::default();
        for one in staff {
            tree.staff_codes.insert(one.code.clone());
            tree.staff.entry(one.place.clone()).or_default().push(one);
        }
        let mut open: Vec<(usize, Vec<Place>)> = Vec::new();
        let mut beside = below.remove(&None).unwrap_or_default();
        loop {
            match beside.pop() {
                Some(place) => {
                    let here = tree.nodes.len();
                    let under = below.remove(&Some(place.code.clone())).unwrap_or_default();
                    tree.by_code.insert(place.code.clone(), here);
                    let above = open.last().map(|(above, _)| *above);
                    tree.nodes.push(Node { place, level: open.len(), above, end: here + 1 });
                    open.push((here, std::mem::replace(&mut beside, under)));
                }
                None => {
                    let Some((above, rest)) = open.pop() else { return tree };
                    tree.nodes[above].end = tree.nodes.len();
                    beside = rest;
                }
            }
        }
    }

    /// Its version.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// All places, each before those below it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a place stands among [`Tree::nodes`].
    pub fn find(&self, code: &str) -> Option<usize> {
        // What is no code is nobody's.
        self.by_code.get(&Code::read("code", code).ok()?).copied()
    }

    /// The place of a code.
    pub fn get(&self, code: &str) -> Option<&Place> {
        self.find(code).map(|at| &self.nodes[at].place)
    }

    /// A place and all below it.
    pub fn under(&self, code: &str) -> Option<&[Node]> {
        self.find(code).map(|at| &self.nodes[at..self.nodes[at].end])
    }

    /// The places above one, the root first, itself last.
    pub fn path(&self, code: &str) -> Vec<&Place> {
        let mut path = Vec::new();
        let mut at = self.find(code);
        while let Some(node) = at.map(|at| &self.nodes[at]) {
            path.push(&node.place);
            at = node.above;
        }
        path.reverse();
        path
    }

    /// Who works at a place.
    pub fn staff_of(&self, code: &Code) -> &[Staff] {
        self.staff.get(code).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether somebody of the staff has this code, wherever they work.
    pub fn has_staff(&self, code: &str) -> bool {
        Code::read("code", code).is_ok_and(|code| self.staff_codes.contains(&code))
    }

    /// The zone of a place: its own, else that of the next above that has one, else the brand's.
    pub fn zone_of(&self, code: &str, brand: &Zone) -> Zone {
        let path = self.path(code);
        let named = path.iter().rev().find_map(|place| place.about.zone.as_deref());
        named.and_then(Zone::named).unwrap_or_else(|| brand.clone())
    }

    /// Whether a store is open at an instant; `None` where its hours are not known, or where it is none.
    pub fn is_open(&self, code: &str, brand: &Zone, at: Ts) -> Option<bool> {
        self.get(code)?.about.open_at(&self.zone_of(code, brand), at)
    }

    /// Sums by store, rolled up.
    pub fn roll_up(&self, stores: &[StoreSums]) -> Rolled {
        let mut rolled = Rolled { nodes: vec![Sums::default(); self.nodes.len()], ..Rolled::default() };
        for store in stores {
            let sums = Sums { members: store.members, orders: store.orders, paid: store.paid };
            match store.store.as_deref().map(|code| self.find(code)) {
                None => rolled.none.add(sums),
                Some(None) => rolled.unknown.add(sums),
                Some(Some(at)) => rolled.nodes[at].add(sums),
            }
        }
        // Each place stands before those below it, so from the end on every sum is whole when it is passed up.
        for at in (0..self.nodes.len()).rev() {
            if let Some(above) = self.nodes[at].above {
                let sums = rolled.nodes[at];
                rolled.nodes[above].add(sums);
            }
        }
        rolled
    }
}
