//! The brand's tree and its playbook, as programs read them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Number, Value};
use zhiyin_model::place::geo::Point;
use zhiyin_model::place::{PLACE_COLUMNS, Place, Staff};
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Day;
use zhiyin_store::PlaybookVersion;

use super::ReportView;
use crate::boxed;
use crate::members::NamesView;
use crate::places::Tree;
use crate::reports::Table;
use crate::sight::{ReadProblem, sees_all};
use crate::{Engine, EngineError, Result, clock};

/// The tree, each place before those below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlacesView {
    /// The day that it speaks of.
    pub as_of: String,
    /// Places.
    pub places: Vec<PlaceView>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceView {
    /// Its code.
    pub code: String,
    /// `brand`, `region`, `store`.
    pub kind: String,
    /// Under which it lies.
    pub parent: Option<String>,
    /// How many lie above it.
    pub level: usize,
    /// What it is called.
    pub name: NamesView,
    /// What kind of store.
    pub format: Option<String>,
    /// How far north it lies, in degrees of WGS-84, whatever it was written down in.
    pub lat: Option<Number>,
    /// How far east it lies, likewise.
    pub lon: Option<Number>,
    /// Against what it was written down: `wgs84`, `gcj02`, `bd09`.
    pub datum: Option<String>,
    /// Its time zone, its own or the one it has from above.
    pub zone: String,
    /// When it is open, in words.
    pub hours: Option<String>,
    /// Its first day.
    pub opens_on: Option<String>,
    /// The day from which on it is closed for good.
    pub closed_on: Option<String>,
    /// How many work there on that day.
    pub staff: usize,
}

/// A place with its history and its staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceWholeView {
    /// The place.
    #[serde(flatten)]
    pub place: PlaceView,
    /// Codes from the root to it.
    pub path: Vec<String>,
    /// Whether it is open now; nothing, where nobody knows.
    pub is_open: Option<bool>,
    /// Who works there, by their codes.
    pub staff_codes: Vec<StaffView>,
    /// Its changes, the oldest first.
    pub history: Vec<PlaceChangeView>,
}

/// One of the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StaffView {
    /// Their code.
    pub code: String,
    /// What they do.
    pub role: String,
    /// Whether they work today.
    pub works: bool,
}

/// A change of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceChangeView {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What it was before, by column; nothing, if it was new.
    pub was: Option<BTreeMap<String, String>>,
}

/// A version of the playbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybookView {
    /// 1, 2, 3…
    pub version: i64,
    /// The playbook's id.
    pub id: String,
    /// Hash of its canonical form.
    pub hash: String,
    /// When it was applied, in business time.
    pub applied_at: String,
    /// Whether it is the live one.
    pub live: bool,
    /// Its text; only where one version is asked for.
    pub source: Option<String>,
}

fn place(tree: &Tree, place: &Place, level: usize, zone: &zhiyin_model::time::Zone, on: Day) -> PlaceView {
    let about = &place.about;
    let cells = place.cells();
    let cell = |column: &str| cells.get(column).filter(|text| !text.is_empty()).cloned();
    let (lat, lon) = about.location.map(Point::shown).unzip();
    PlaceView {
        code: place.code.to_string(),
        kind: place.kind.name().to_owned(),
        parent: place.parent.as_ref().map(ToString::to_string),
        level,
        name: NamesView { zh: about.names.zh.clone(), en: about.names.en.clone() },
        format: cell("format"),
        lat: lat.and_then(Number::from_f64),
        lon: lon.and_then(Number::from_f64),
        datum: cell("datum"),
        zone: tree.zone_of(place.code.as_str(), zone).name().to_owned(),
        hours: cell("hours"),
        opens_on: cell("opens_on"),
        closed_on: cell("closed_on"),
        staff: tree.staff_of(&place.code).iter().filter(|one| one.works_on(on)).count(),
    }
}

fn admits(filter: &Filter, code: &str) -> bool {
    match &filter.bound {
        Bound::Everything => true,
        Bound::Places(places) => places.contains(code),
        Bound::Advisor(_) => false,
    }
}

fn version(version: PlaybookVersion, live: i64, whole: bool) -> PlaybookView {
    PlaybookView {
        version: version.version,
        id: version.id,
        hash: version.hash,
        applied_at: version.applied_at.rfc3339(),
        live: version.version == live,
        source: whole.then_some(version.source),
    }
}

impl Engine {
    /// The tree as it is, or as it was at the end of a day, as far as a grant may see.
    #[boxed]
    pub async fn places_view(&self, grant: &Grant, day: Option<Day>) -> Result<PlacesView> {
        let filter = self.filter(grant, Operation::PlacesRead).await?;
        self.come(day).await?;
        let (on, zone) = (day.unwrap_or(self.today().await?), self.zone());
        let tree = match day {
            Some(day) => std::sync::Arc::new(self.places_at(day).await?),
            None => self.places().await?,
        };
        let seen = tree.nodes().iter().filter(|node| admits(&filter, node.place.code.as_str()));
        let places = seen.map(|node| place(&tree, &node.place, node.level, &zone, on));
        Ok(PlacesView { as_of: on.to_string(), places: places.collect() })
    }

    /// One place with its history and its staff, who are named by their codes alone.
    #[boxed]
    pub async fn place_view(&self, grant: &Grant, code: &str) -> Result<PlaceWholeView> {
        let filter = self.filter(grant, Operation::PlacesRead).await?;
        if !admits(&filter, code) {
            return Err(EngineError::NoPlace(code.to_owned()));
        }
        let whole = self.place(code).await?;
        let (tree, zone, on) = (self.places().await?, self.zone(), self.today().await?);
        let level = tree.find(code).map_or(0, |at| tree.nodes()[at].level);
        let now = clock::now(&self.home().await?);
        let staff = |one: &Staff| StaffView {
            code: one.code.to_string(),
            role: one.role.to_string(),
            works: one.works_on(on),
        };
        let was = |was: &Place| {
            let cells = was.cells();
            let said = PLACE_COLUMNS.iter().filter_map(|column| {
                let text = cells.get(column).filter(|text| !text.is_empty())?;
                Some(((*column).to_owned(), text.clone()))
            });
            said.collect()
        };
        Ok(PlaceWholeView {
            place: place(&tree, &whole.placed.place, level, &zone, on),
            path: tree.path(code).iter().map(|above| above.code.to_string()).collect(),
            is_open: tree.is_open(code, &zone, now),
            staff_codes: whole.staff.iter().map(staff).collect(),
            history: whole
                .history
                .iter()
                .map(|past| PlaceChangeView {
                    at: past.at.rfc3339(),
                    by: past.by.clone(),
                    was: past.was.as_ref().map(was),
                })
                .collect(),
        })
    }

    /// Stores that orders name and no place bears, the most named first.
    #[boxed]
    pub async fn unknown_stores_view(&self, grant: &Grant) -> Result<ReportView> {
        let filter = self.filter(grant, Operation::PlacesRead).await?;
        if !sees_all(&filter) {
            return Err(ReadProblem::Whole.into());
        }
        let seen = self.unknown_stores().await?;
        let rows =
            seen.into_iter().map(|seen| vec![seen.store, seen.orders.to_string(), seen.last.rfc3339()]);
        let table = Table {
            columns: ["store", "orders", "last_order"].map(str::to_owned).to_vec(),
            rows: rows.collect(),
            as_of: clock::now(&self.home().await?),
            past: false,
            cut: None,
        };
        Ok(table.into())
    }

    /// Versions of the playbook that were applied, newest first, without their texts.
    #[boxed]
    pub async fn playbooks_view(&self, grant: &Grant) -> Result<Vec<PlaybookView>> {
        self.filter(grant, Operation::PlaybookRead).await?;
        let live = self.home().await?.version;
        let versions = self.store().playbooks().await?;
        Ok(versions.into_iter().map(|one| version(one, live, false)).collect())
    }

    /// One version with its text; the live one, without a number.
    #[boxed]
    pub async fn playbook_view(&self, grant: &Grant, number: Option<i64>) -> Result<PlaybookView> {
        self.filter(grant, Operation::PlaybookRead).await?;
        let live = self.home().await?.version;
        let found = match number {
            None => self.store().live_playbook().await?,
            Some(number) => self.store().playbooks().await?.into_iter().find(|one| one.version == number),
        };
        Ok(version(found.ok_or(ReadProblem::Nothing)?, live, true))
    }

    /// The JSON Schema of playbooks, for editors.
    #[boxed]
    pub async fn playbook_schema(&self, grant: &Grant) -> Result<Value> {
        self.filter(grant, Operation::PlaybookRead).await?;
        Ok(serde_json::to_value(zhiyin_model::playbook::json_schema()).unwrap_or_default())
    }
}
