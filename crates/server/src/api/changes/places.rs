//! The tree of places and who works there, edited: all of an edit or nothing. Said twice it changes nothing the second time.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::EngineError;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::places::Put;
use zhiyin_model::place::geo::Datum;
use zhiyin_model::place::tree::{Edit, Of, Tally};
use zhiyin_model::place::{Cells, Code, PLACE_COLUMNS, STAFF_COLUMNS, Staff, read_by};
use zhiyin_model::role::{Bound, Operation};
use zhiyin_model::time::Day;
use zhiyin_store::places::Edited;

use super::{Caller, Endpoint};
use crate::problem::Problem;

/// The most places, and the most of the staff, of one request.
const AT_ONCE: usize = 1_000;
/// The largest request, in bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// The columns that say where a place lies.
const LOCATION: [&str; 3] = ["lat", "lon", "datum"];

/// What an edit may be refused with.
const REFUSALS: &[&str] = &[
    "bad_code",
    "bad_by",
    "bad_name",
    "bad_text",
    "bad_date",
    "bad_zone",
    "bad_hours",
    "bad_coordinate",
    "bad_datum",
    "bad_format",
    "bad_kind",
    "bad_role",
    "column_unknown",
    "name_missing",
    "parent_missing",
    "parent_of_brand",
    "location_incomplete",
    "stores_only",
    "not_a_store",
    "closed_before_open",
    "until_before_from",
    "hours_overlap",
    "too_many",
    "outside_scope",
    "place_unknown",
    "code_twice",
    "parent_unknown",
    "parent_is_a_store",
    "too_deep",
    "place_misfit",
    "text_too_long",
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let store = json!({"code": "330", "kind": "store", "parent": "hefei", "name_zh": "万象城店", "zone": "Asia/Shanghai"});
    vec![
        Endpoint::change(Method::POST, "places_put", "/v1/commands/places/put", Operation::PlacesWrite, put_places)
            .says(
                "Put places",
                "新增或修改门店与区域",
                "Each with the columns of a file of places (docs/places.md), as texts; a column that is left out stays as it is for a \
                 place that is known, an empty one empties. `lat` and `lon` without a `datum` are of WGS-84. What is not named stays.",
            )
            .refuses(REFUSALS)
            .body_at_most(BYTES_MAX)
            .example(json!({"places": [{"code": "brand", "kind": "brand", "name_zh": "好物集"},
                {"code": "hefei", "kind": "region", "parent": "brand", "name_zh": "合肥"}, store], "dry_run": true})),
        Endpoint::change(Method::POST, "places_move", "/v1/commands/places/move", Operation::PlacesWrite, move_place)
            .says("Move a place", "调整上级", "With all below it, under another place.")
            .refuses(REFUSALS)
            .example(json!({"code": "330", "under": "hefei"})),
        Endpoint::change(Method::POST, "places_close", "/v1/commands/places/close", Operation::PlacesWrite, close)
            .says("Close a store", "关闭门店", "From a day on, for good. Its history stays.")
            .refuses(REFUSALS)
            .example(json!({"code": "330", "on": "2026-12-31"})),
        Endpoint::change(Method::POST, "staff_put", "/v1/commands/staff/put", Operation::StaffWrite, put_staff)
            .says(
                "Put staff",
                "新增或修改员工",
                "Who works where, with the columns of a file of staff (docs/places.md), as texts. A manager's key reaches its own place and those under it.",
            )
            .refuses(REFUSALS)
            .body_at_most(BYTES_MAX)
            .example(json!({"staff": [{"code": "e-12", "place": "330", "name": "王芳", "role": "advisor"}]})),
    ]
}

/// Texts by column.
type Row = BTreeMap<String, String>;

/// Places as they are to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutPlaces {
    /// In any order.
    #[schemars(length(min = 1, max = AT_ONCE))]
    places: Vec<Row>,
    /// Says what would be written, and writes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Staff as they are to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutStaff {
    /// In any order.
    #[schemars(length(min = 1, max = AT_ONCE))]
    staff: Vec<Row>,
    /// Says what would be written, and writes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// How many were what they are already, and how many are not.
#[derive(Serialize, JsonSchema)]
struct Changed {
    /// New ones.
    added: usize,
    /// Those that are different now.
    changed: usize,
    /// Those that were so already.
    unchanged: usize,
}

impl From<Tally> for Changed {
    fn from(tally: Tally) -> Self {
        Self { added: tally.added, changed: tally.changed, unchanged: tally.unchanged }
    }
}

/// What was written.
#[derive(Serialize, JsonSchema)]
struct TreeChanged {
    /// Places.
    places: Changed,
    /// Staff.
    staff: Changed,
    /// True where it was only tried.
    dry_run: bool,
}

fn bounded(n: usize, field: &str) -> Result<(), Problem> {
    if n == 0 || n > AT_ONCE {
        return Err(Problem::of("too_many").at(field).says(format!("1 to {AT_ONCE} at once")));
    }
    Ok(())
}

/// A row by the columns that are known.
fn cells(row: &Row, columns: &[&'static str], field: &str) -> Result<Cells, Problem> {
    let mut cells = Cells::new();
    for (name, text) in row {
        let column = columns.iter().find(|column| *column == name);
        let Some(column) = column else {
            return Err(Problem::of("column_unknown")
                .at(&format!("{field}.{name}"))
                .says(format!("the columns are {}", columns.join(", "))));
        };
        cells.insert(column, text.clone());
    }
    Ok(cells)
}

fn at(field: &str, refusal: zhiyin_model::event::Refusal) -> Problem {
    let field = format!("{field}.{}", refusal.field);
    Problem::of(refusal.code).at(&field).says(refusal.message)
}

async fn put_places(caller: Caller, asked: PutPlaces) -> Result<TreeChanged, Problem> {
    bounded(asked.places.len(), "places")?;
    let mut rows = Vec::with_capacity(asked.places.len());
    for (n, row) in asked.places.iter().enumerate() {
        let mut cells = cells(row, &PLACE_COLUMNS, &format!("places[{n}]"))?;
        let says = |column: &str| cells.get(column).is_some_and(|text| !text.trim().is_empty());
        // Where a place lies is said whole: of degrees of before nothing stays. Against what they are measured is, unless it is said, what
        // satellites tell.
        if LOCATION.iter().any(|column| cells.contains_key(column)) {
            let datum = if says("lat") || says("lon") { Datum::Wgs84.name() } else { "" };
            for (column, otherwise) in LOCATION.into_iter().zip(["", "", datum]) {
                cells.entry(column).or_insert_with(|| otherwise.to_owned());
            }
        }
        rows.push(cells);
    }
    let (engine, by) = (caller.engine(), read_by(&caller.grant.who)?);
    let put = engine.put_places(&rows, &by, asked.dry_run);
    let put = if asked.dry_run {
        put.await?
    } else {
        let (noted, target) = (detail(json!({"act": "put"})), Target::code("places"));
        engine
            .audited::<_, EngineError>(&caller.grant, (Operation::PlacesWrite, &target), &noted, put)
            .await?
    };
    match put {
        Put::Done(edited) => changed(edited, asked.dry_run),
        Put::Row(n, refusal) => Err(at(&format!("places[{n}]"), refusal)),
    }
}

async fn put_staff(caller: Caller, asked: PutStaff) -> Result<TreeChanged, Problem> {
    bounded(asked.staff.len(), "staff")?;
    let mut staff = Vec::with_capacity(asked.staff.len());
    for (n, row) in asked.staff.iter().enumerate() {
        let field = format!("staff[{n}]");
        let cells = cells(row, &STAFF_COLUMNS, &field)?;
        let one = Staff::read(&cells).map_err(|refusal| at(&field, refusal))?;
        if let Bound::Places(places) = &caller.filter.bound
            && !places.contains(one.place.as_str())
        {
            return Err(Problem::of("outside_scope").at(&format!("{field}.place")));
        }
        staff.push(one);
    }
    edit(&caller, Edit::Put { places: Vec::new(), staff }, asked.dry_run, "put").await
}

/// A place that moves.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MovePlace {
    /// Its code.
    code: String,
    /// The code of the place under which it lies from now on.
    under: String,
}

async fn move_place(caller: Caller, asked: MovePlace) -> Result<TreeChanged, Problem> {
    let edit_ =
        Edit::Move { code: Code::read("code", &asked.code)?, under: Code::read("under", &asked.under)? };
    edit(&caller, edit_, false, "move").await
}

/// A store that closes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClosePlace {
    /// Its code.
    code: String,
    /// From which day on (YYYY-MM-DD); today, if it says nothing.
    on: Option<String>,
}

async fn close(caller: Caller, asked: ClosePlace) -> Result<TreeChanged, Problem> {
    let on = match asked.on.as_deref() {
        None => caller.engine().today().await?,
        Some(text) => {
            let bad = || Problem::of("bad_date").at("on").says("a date is YYYY-MM-DD".to_owned());
            Day::parse(text).ok_or_else(bad)?
        }
    };
    edit(&caller, Edit::Close { code: Code::read("code", &asked.code)?, on }, false, "close").await
}

async fn edit(caller: &Caller, edit: Edit, dry_run: bool, act: &str) -> Result<TreeChanged, Problem> {
    let engine = caller.engine();
    let by = read_by(&caller.grant.who)?;
    let edited = if dry_run {
        engine.plan_places(edit).await?
    } else {
        let noted = detail(json!({"act": act}));
        let (operation, target) = (operation(&edit), Target::code("places"));
        let deed = engine.edit_places(edit, &by);
        engine.audited::<_, EngineError>(&caller.grant, (operation, &target), &noted, deed).await?
    };
    changed(edited, dry_run)
}

fn changed(edited: Edited, dry_run: bool) -> Result<TreeChanged, Problem> {
    match edited {
        Ok(written) => {
            Ok(TreeChanged { places: written.places.into(), staff: written.staff.into(), dry_run })
        }
        Err(misfits) => Err(match misfits.into_iter().next() {
            Some(misfit) => {
                let whom = match &misfit.of {
                    Of::Place(code) => code.to_string(),
                    Of::Staff(place, code) => format!("{place}/{code}"),
                };
                let refusal = misfit.refusal;
                Problem::of(refusal.code).at(&refusal.field).says(format!("{whom}: {}", refusal.message))
            }
            None => Problem::of("place_misfit"),
        }),
    }
}

fn operation(edit: &Edit) -> Operation {
    match edit {
        Edit::Put { places, .. } if places.is_empty() => Operation::StaffWrite,
        _ => Operation::PlacesWrite,
    }
}
