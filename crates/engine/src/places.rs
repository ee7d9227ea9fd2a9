//! The brand's tree at work: held in memory as one index and read anew when its version moves; filled from files, moved,
//! closed, and made from what orders say. Read on in [`tree`] (the index) and [`file`] (the two CSV files).

pub mod file;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_model::event::Refusal;
use zhiyin_model::place::tree::{Edit, Misfit, Of, Planned};
use zhiyin_model::place::{About, Cells, Code, Names, Place, PlaceKind, Staff};
use zhiyin_model::time::{Day, Zone};
use zhiyin_store::StoreError;
use zhiyin_store::places::{Change, Edited, PlaceWhole, StoreSeen, Whole, Written};

use crate::boxed;
use crate::{Engine, EngineError, Result, clock};
use file::{Fault, Line, Which};
pub use tree::Tree;

/// How often an edit is tried again that another one came before.
const ATTEMPTS_MAX: usize = 8;
/// The most characters of a prefix by which stores are put into regions.
pub const PREFIX_CHARS_MAX: usize = 32;

/// How an import ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What is wrong, line by line; with anything here nothing was written.
    pub faults: Vec<Fault>,
    /// What was written, or would be.
    pub written: Written,
}

/// What became of rows that say how places are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// All of them could be read; how it ended.
    Done(Edited),
    /// The row of this number, from 0 on, cannot be.
    Row(usize, Refusal),
}

/// What was made of the stores that orders name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromOrders {
    /// How it ended.
    pub edited: Edited,
    /// What orders call a store and no place can be called.
    pub left_out: Vec<String>,
}

impl Engine {
    /// The tree as it is now.
    #[boxed]
    pub async fn places(&self) -> Result<Arc<Tree>> {
        let version = self.store().places_version().await?;
        let held = self.places.read().ok().and_then(|places| places.clone());
        if let Some(held) = held.filter(|tree| tree.version() == version) {
            return Ok(held);
        }
        let tree = Arc::new(Tree::of(self.store().places().await?));
        if let Ok(mut places) = self.places.write() {
            *places = Some(Arc::clone(&tree));
        }
        Ok(tree)
    }

    /// The zone of places that have none, nor any above them: the playbook's.
    pub fn zone(&self) -> Zone {
        self.live().map_or_else(|_| Zone::utc(), |live| live.rules.zone.clone())
    }

    /// Business today.
    #[boxed]
    pub async fn today(&self) -> Result<Day> {
        Ok(self.zone().day(clock::now(&self.home().await?)))
    }

    /// The zone of a store: its own, or that of the next place above; the brand's where nobody knows of it.
    #[boxed]
    pub async fn zone_of_store(&self, store: &str) -> Result<Zone> {
        Ok(self.places().await?.zone_of(store, &self.zone()))
    }

    /// The tree as it was at the end of a day. Staff are those of now.
    #[boxed]
    pub async fn places_at(&self, day: Day) -> Result<Tree> {
        let now = clock::now(&self.home().await?);
        let zone = self.zone();
        if day > zone.day(now) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let places = self.store().places_at(zone.end(day)).await?;
        Ok(Tree::as_at(places, self.store().places().await?.staff))
    }

    /// One place with its history and its staff.
    #[boxed]
    pub async fn place(&self, code: &str) -> Result<PlaceWhole> {
        let found = self.store().place(code).await?;
        found.ok_or_else(|| EngineError::NoPlace(code.to_owned()))
    }

    /// Moves a place with all below it, closes a store, puts places.
    #[boxed]
    pub async fn edit_places(&self, edit: Edit, by: &str) -> Result<Edited> {
        self.change_places(edit, None, by).await
    }

    /// What an edit would write now, or why it would be refused. Nothing is changed.
    #[boxed]
    pub async fn plan_places(&self, edit: Edit) -> Result<Edited> {
        let whole = self.store().places().await?;
        Ok(edit.plan(&whole.brand()).map(|planned| written(&planned)))
    }

    /// Puts places that are said by column, as a file says them: a column that a row does not have stays as it is for a place that is
    /// known, an empty one empties. What the tree is by then decides, whoever else changes it meanwhile. With `dry_run` nothing is changed.
    #[boxed]
    pub async fn put_places(&self, rows: &[Cells], by: &str, dry_run: bool) -> Result<Put> {
        for attempt in 1.. {
            let whole = self.store().places().await?;
            let brand = whole.brand();
            let mut places = Vec::with_capacity(rows.len());
            for (n, row) in rows.iter().enumerate() {
                let known = code_of(row, "code").and_then(|code| brand.places.get(&code));
                match Place::read(&over(known.map(Place::cells), row)) {
                    Ok(place) => places.push(place),
                    Err(refusal) => return Ok(Put::Row(n, refusal)),
                }
            }
            let edit = Edit::Put { places, staff: Vec::new() };
            if dry_run {
                return Ok(Put::Done(edit.plan(&brand).map(|planned| written(&planned))));
            }
            match self.change_places(edit, Some(whole.version), by).await {
                Err(EngineError::Store(StoreError::Stale)) if attempt < ATTEMPTS_MAX => {}
                edited => return Ok(Put::Done(edited?)),
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn change_places(&self, edit: Edit, seen: Option<i64>, by: &str) -> Result<Edited> {
        let at = clock::now(&self.home().await?);
        Ok(self.store().change_places(Change { edit, seen, by: by.to_owned(), at }).await?)
    }

    /// Takes files in, whole or not at all. A column that a file does not have stays as it is for places that are known; an
    /// empty cell empties. What is not named stays.
    #[boxed]
    pub async fn import_places(
        &self,
        places: Option<&[u8]>,
        staff: Option<&[u8]>,
        by: &str,
        dry_run: bool,
    ) -> Result<Imported> {
        let (place_lines, mut faults) = file::read(Which::Places, places.unwrap_or_default());
        let (staff_lines, of_staff) = file::read(Which::Staff, staff.unwrap_or_default());
        faults.extend(of_staff);
        for attempt in 1.. {
            let whole = self.store().places().await?;
            let mut told = faults.clone();
            let (edit, lines) = edit_of(&whole, &place_lines, &staff_lines, &mut told);
            if !told.is_empty() {
                return Ok(Imported { faults: told, ..Imported::default() });
            }
            if dry_run {
                let planned = edit.plan(&whole.brand());
                return Ok(imported(planned.map(|planned| written(&planned)), &lines));
            }
            match self.change_places(edit, Some(whole.version), by).await {
                Err(EngineError::Store(StoreError::Stale)) if attempt < ATTEMPTS_MAX => {}
                edited => return Ok(imported(edited?, &lines)),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Stores that orders name and no place bears, the most named first.
    #[boxed]
    pub async fn unknown_stores(&self) -> Result<Vec<StoreSeen>> {
        let tree = self.places().await?;
        let mut seen = self.store().stores_seen().await?;
        seen.retain(|seen| tree.find(&seen.store).is_none());
        seen.sort_by(|a, b| b.orders.cmp(&a.orders).then_with(|| a.store.cmp(&b.store)));
        Ok(seen)
    }

    /// Makes a store of each name that orders know and no place bears, under a brand or a region; a brand of that code is made
    /// if there is no place of it. With a prefix, stores whose codes begin with the same so many characters lie under a region
    /// of their own, `UNDER.PREFIX`.
    #[boxed]
    pub async fn places_from_orders(&self, under: Code, prefix: usize, by: &str) -> Result<FromOrders> {
        let tree = self.places().await?;
        let (mut places, mut left_out) = (Vec::new(), Vec::new());
        if tree.find(under.as_str()).is_none() {
            places.push(named(under.clone(), None, PlaceKind::Brand, under.as_str()));
        }
        let mut regions = BTreeSet::new();
        for seen in self.unknown_stores().await? {
            let text = seen.store;
            let begins: String = text.chars().take(prefix).collect();
            let short = text.chars().count() <= prefix;
            let region = (prefix > 0 && !short).then(|| Code::read("code", &format!("{under}.{begins}")));
            match (Code::read("code", &text), region) {
                (Ok(code), None) if code != under => {
                    places.push(named(code, Some(under.clone()), PlaceKind::Store, &text));
                }
                (Ok(code), Some(Ok(region))) if code != under => {
                    if tree.find(region.as_str()).is_none() && regions.insert(region.clone()) {
                        places.push(named(region.clone(), Some(under.clone()), PlaceKind::Region, &begins));
                    }
                    places.push(named(code, Some(region), PlaceKind::Store, &text));
                }
                _ => left_out.push(text),
            }
        }
        let edit = Edit::Put { places, staff: Vec::new() };
        // Seen as it was when it was looked at: what came between would be taken back.
        let edited = self.change_places(edit, Some(tree.version()), by).await?;
        Ok(FromOrders { edited, left_out })
    }
}

fn named(code: Code, parent: Option<Code>, kind: PlaceKind, name: &str) -> Place {
    let names = Names { en: Some(name.to_owned()), zh: None };
    Place { code, parent, kind, about: About { names, ..About::default() } }
}

fn written(planned: &Planned) -> Written {
    Written { places: planned.places_tally, staff: planned.staff_tally }
}

/// On which line something stands.
type Lines = BTreeMap<Of, (Which, u64)>;

fn imported(edited: Edited, lines: &Lines) -> Imported {
    match edited {
        Ok(written) => Imported { written, faults: Vec::new() },
        Err(misfits) => {
            let faults = misfits.into_iter().map(|misfit| fault_of(misfit, lines)).collect();
            Imported { faults, ..Imported::default() }
        }
    }
}

fn fault_of(misfit: Misfit, lines: &Lines) -> Fault {
    let refusal = misfit.refusal;
    match lines.get(&misfit.of) {
        Some((which, line)) => Fault { which: *which, line: Some(*line), refusal },
        None => {
            // Not of the file: what the file says of another place does not leave room for it.
            let which = if matches!(misfit.of, Of::Place(_)) { Which::Places } else { Which::Staff };
            let message = format!("{}: {}", misfit.of, refusal.message);
            Fault { which, line: None, refusal: Refusal { message, ..refusal } }
        }
    }
}

/// What lines of files say over a tree: an edit, and where what it names stands.
fn edit_of(whole: &Whole, places: &[Line], staff: &[Line], faults: &mut Vec<Fault>) -> (Edit, Lines) {
    let brand = whole.brand();
    let mut lines = Lines::new();
    let mut read_places = Vec::new();
    for line in places {
        let known = code_of(&line.cells, "code").and_then(|code| brand.places.get(&code));
        match Place::read(&over(known.map(Place::cells), &line.cells)) {
            Ok(place) => {
                lines.insert(Of::Place(place.code.clone()), (Which::Places, line.number));
                read_places.push(place);
            }
            Err(refusal) => faults.push(Fault { which: Which::Places, line: Some(line.number), refusal }),
        }
    }
    let mut read_staff = Vec::new();
    for line in staff {
        let key = code_of(&line.cells, "place").zip(code_of(&line.cells, "code"));
        let known = key.and_then(|key| brand.staff.get(&key));
        match Staff::read(&over(known.map(Staff::cells), &line.cells)) {
            Ok(one) => {
                let of = Of::Staff(one.place.clone(), one.code.clone());
                lines.insert(of, (Which::Staff, line.number));
                read_staff.push(one);
            }
            Err(refusal) => faults.push(Fault { which: Which::Staff, line: Some(line.number), refusal }),
        }
    }
    (Edit::Put { places: read_places, staff: read_staff }, lines)
}

/// The code that cells name in a column, if it is one.
fn code_of(cells: &Cells, column: &str) -> Option<Code> {
    Code::read(column, cells.get(column).map(|text| text.trim()).unwrap_or_default()).ok()
}

/// Cells of a line over what is known: a column that is not there stays.
fn over(known: Option<Cells>, given: &Cells) -> Cells {
    let mut cells = known.unwrap_or_default();
    cells.extend(given.iter().map(|(column, text)| (*column, text.clone())));
    cells
}
