//! `zhiyin places`: the brand's tree is taken in, shown, changed and written out.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_engine::places::file::{FAULTS_MAX, FILE_BYTES_MAX, Which, write};
use zhiyin_engine::places::{PREFIX_CHARS_MAX, Tree};
use zhiyin_model::place::tree::{Edit, Tally};
use zhiyin_model::place::{Cells, Code, PLACE_COLUMNS, Place as Site, PlaceKind, Staff, read_by};
use zhiyin_model::time::Day;
use zhiyin_store::places::Edited;

use crate::arguments::{Format, Place, PlacesAction};
use crate::report::print;
use crate::say::say;

/// Does what was asked of the tree.
pub async fn places(place: &Place, action: PlacesAction) -> Result<ExitCode> {
    match action {
        PlacesAction::Import { file, staff, dry_run, by } => {
            import(place, file.as_deref(), staff.as_deref(), dry_run, &by).await
        }
        PlacesAction::Tree { as_of, format } => tree(place, as_of.as_deref(), format).await,
        PlacesAction::Show { code } => show(place, &code).await,
        PlacesAction::Move { code, under, by } => {
            let edit = Edit::Move { code: code_of(&code)?, under: code_of(&under)? };
            let told = format!("{code}: moved, with all below it, under {under}");
            let nothing = format!("{code}: lies under {under} already");
            edit_one(&place.open_existing().await?, edit, &by, &told, &nothing).await
        }
        PlacesAction::Close { code, on, by } => {
            let engine = place.open_existing().await?;
            let on = match &on {
                Some(text) => day_of("--on", text)?,
                None => engine.today().await?,
            };
            let edit = Edit::Close { code: code_of(&code)?, on };
            let told = format!("{code}: closed from {on} on");
            let nothing = format!("{code}: is closed from {on} on already");
            edit_one(&engine, edit, &by, &told, &nothing).await
        }
        PlacesAction::Export { file, staff } => export(place, &file, staff.as_deref()).await,
        PlacesAction::Unknown { format } => unknown(place, format).await,
        PlacesAction::FromOrders { under, prefix, by } => from_orders(place, &under, prefix, &by).await,
    }
}

fn code_of(text: &str) -> Result<Code> {
    Code::read("code", text).map_err(|refusal| anyhow::anyhow!(refusal.message))
}

fn day_of(argument: &str, text: &str) -> Result<Day> {
    Day::parse(text).with_context(|| format!("{argument} {text}: a date is YYYY-MM-DD"))
}

fn by_of(text: &str) -> Result<String> {
    read_by(text).map_err(|refusal| anyhow::anyhow!("--by: {}", refusal.message))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
    if size > FILE_BYTES_MAX {
        bail!("{}: {size} bytes; a file has at most {FILE_BYTES_MAX}", file.display());
    }
    std::fs::read(file).with_context(|| file.display().to_string())
}

async fn import(
    place: &Place,
    file: Option<&Path>,
    staff: Option<&Path>,
    dry_run: bool,
    by: &str,
) -> Result<ExitCode> {
    let by = by_of(by)?;
    let (places, people) = (file.map(read).transpose()?, staff.map(read).transpose()?);
    let engine = place.open_existing().await?;
    let imported = engine.import_places(places.as_deref(), people.as_deref(), &by, dry_run).await?;
    let name = |which| match which {
        Which::Places => file,
        Which::Staff => staff,
    };
    for fault in imported.faults.iter().take(FAULTS_MAX) {
        let file = name(fault.which).map(|file| file.display().to_string()).unwrap_or_default();
        eprintln!("{file}: {fault}");
    }
    if !imported.faults.is_empty() {
        let n = imported.faults.len();
        let rest = n.saturating_sub(FAULTS_MAX);
        let more = if rest > 0 { format!(" ({rest} of them not shown)") } else { String::new() };
        eprintln!("zhiyin: {n} faults{more}: nothing was written");
        return Ok(ExitCode::from(1));
    }
    let told = |what: &str, tally: Tally| {
        say!("{what}: {} added, {} changed, {} unchanged", tally.added, tally.changed, tally.unchanged);
    };
    if file.is_some() {
        told("places", imported.written.places);
    }
    if staff.is_some() {
        told("staff", imported.written.staff);
    }
    if dry_run {
        say!("tried only: nothing was written");
    }
    Ok(ExitCode::SUCCESS)
}

async fn tree(place: &Place, as_of: Option<&str>, format: Format) -> Result<ExitCode> {
    let day = as_of.map(|text| day_of("--as-of", text)).transpose()?;
    let engine = place.open_existing().await?;
    let on = match day {
        Some(day) => day,
        None => engine.today().await?,
    };
    let tree: Arc<Tree> = match day {
        Some(day) => Arc::new(engine.places_at(day).await?),
        None => engine.places().await?,
    };
    if format == Format::Table {
        for node in tree.nodes() {
            let site = &node.place;
            say!("{}{}", "  ".repeat(node.level), line(site, working(&tree, site, on), on));
        }
        say!("{} places as of {on}", tree.nodes().len());
        return Ok(ExitCode::SUCCESS);
    }
    let columns: Vec<String> = std::iter::once("level").chain(PLACE_COLUMNS).map(str::to_owned).collect();
    let row = |node: &zhiyin_engine::places::tree::Node| {
        let cells = node.place.cells();
        let texts = PLACE_COLUMNS.iter().map(|column| cells.get(column).cloned().unwrap_or_default());
        std::iter::once(node.level.to_string()).chain(texts).collect()
    };
    let rows: Vec<Vec<String>> = tree.nodes().iter().map(row).collect();
    print(&columns, &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

fn working(tree: &Tree, site: &Site, on: Day) -> usize {
    tree.staff_of(&site.code).iter().filter(|one| one.works_on(on)).count()
}

fn line(site: &Site, staff: usize, on: Day) -> String {
    let about = &site.about;
    let mut text = format!("{}  {}", site.code, about.names.english());
    if site.kind != PlaceKind::Store {
        text.push_str(&format!("  [{}]", site.kind.name()));
    }
    if let Some(format) = about.format {
        text.push_str(&format!("  {}", format.name()));
    }
    if let Some(closed) = about.closed_on.filter(|closed| *closed <= on) {
        text.push_str(&format!("  closed since {closed}"));
    }
    if let Some(opens) = about.opens_on.filter(|opens| *opens > on) {
        text.push_str(&format!("  opens {opens}"));
    }
    if staff > 0 {
        text.push_str(&format!("  {staff} staff"));
    }
    text
}

async fn show(place: &Place, code: &str) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let whole = engine.place(code).await?;
    let (tree, zone) = (engine.places().await?, engine.zone());
    let path: Vec<&str> = tree.path(code).iter().map(|above| above.code.as_str()).collect();
    say!("{:<10} {}", "path", path.join(" / "));
    let cells = whole.placed.place.cells();
    for column in PLACE_COLUMNS {
        if let Some(text) = cells.get(column).filter(|text| !text.is_empty()) {
            say!("{column:<10} {text}");
        }
    }
    say!("{:<10} {}", "clock", tree.zone_of(code, &zone).name());
    let now = zhiyin_engine::clock::now(&engine.home().await?);
    match tree.is_open(code, &zone, now) {
        Some(open) => say!("{:<10} {} at {now}", "now", if open { "open" } else { "closed" }),
        None if whole.placed.place.kind == PlaceKind::Store => say!("{:<10} hours not known", "now"),
        None => {}
    }
    for one in &whole.staff {
        let cells = one.cells();
        let text = |column: &str| cells.get(column).map_or("", String::as_str);
        let (from, until) = (text("from"), text("until"));
        let time =
            if from.is_empty() && until.is_empty() { String::new() } else { format!("  {from}..{until}") };
        let Staff { code, name, role, .. } = one;
        say!("{:<10} {code}  {name}  {role}{time}", "staff");
    }
    say!("history:");
    let next = whole.history.iter().skip(1).map(|past| past.was.as_ref()).chain([Some(&whole.placed.place)]);
    for (past, became) in whole.history.iter().zip(next) {
        let was = past.was.as_ref().map(Site::cells);
        let became = became.map(Site::cells).unwrap_or_default();
        say!("  {}  by {}: {}", past.at, past.by, difference(was.as_ref(), &became));
    }
    Ok(ExitCode::SUCCESS)
}

/// What changed, cell by cell.
fn difference(was: Option<&Cells>, became: &Cells) -> String {
    let Some(was) = was else { return "new".to_owned() };
    let mut told = Vec::new();
    for column in PLACE_COLUMNS {
        let text = |cells: &Cells| cells.get(column).cloned().unwrap_or_default();
        let (before, after) = (text(was), text(became));
        if before != after {
            told.push(format!("{column} {before:?} → {after:?}"));
        }
    }
    told.join(", ")
}

async fn edit_one(engine: &Engine, edit: Edit, by: &str, told: &str, nothing: &str) -> Result<ExitCode> {
    let by = by_of(by)?;
    match refused(engine.edit_places(edit, &by).await?) {
        None => Ok(ExitCode::from(1)),
        Some(tally) => {
            say!("{}", if tally.changed > 0 { told } else { nothing });
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Tells why an edit was refused, or how places were counted.
fn refused(edited: Edited) -> Option<Tally> {
    match edited {
        Ok(written) => Some(written.places),
        Err(misfits) => {
            for misfit in misfits.iter().take(FAULTS_MAX) {
                eprintln!("zhiyin: {}: {} ({})", misfit.of, misfit.refusal.message, misfit.refusal.code);
            }
            None
        }
    }
}

async fn export(place: &Place, file: &Path, staff: Option<&Path>) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let tree = engine.places().await?;
    let (places, people) = write(&tree)?;
    save(file, &places, 0o644)?;
    say!("{}: {} places", file.display(), tree.nodes().len());
    if let Some(file) = staff {
        // It names people: nobody else reads it.
        save(file, &people, 0o600)?;
        let n: usize = tree.nodes().iter().map(|node| tree.staff_of(&node.place.code).len()).sum();
        say!("{}: {n} staff", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file; one that is there is not written over.
fn save(file: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let mut opened = opened.with_context(|| file.display().to_string())?;
    opened.write_all(bytes).and_then(|()| opened.sync_all()).with_context(|| file.display().to_string())
}

async fn unknown(place: &Place, format: Format) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let seen = engine.unknown_stores().await?;
    let orders: i64 = seen.iter().map(|seen| seen.orders).sum();
    let n = seen.len();
    let rows: Vec<Vec<String>> =
        seen.into_iter().map(|seen| vec![seen.store, seen.orders.to_string(), seen.last.rfc3339()]).collect();
    print(&["store", "orders", "last_order"].map(str::to_owned), &rows, format)?;
    if format == Format::Table {
        say!("{n} stores that no place bears, in {orders} orders");
    }
    Ok(ExitCode::SUCCESS)
}

async fn from_orders(place: &Place, under: &str, prefix: usize, by: &str) -> Result<ExitCode> {
    if prefix > PREFIX_CHARS_MAX {
        bail!("--prefix {prefix}: at most {PREFIX_CHARS_MAX} characters");
    }
    let (under, by) = (code_of(under)?, by_of(by)?);
    let engine = place.open_existing().await?;
    let made = engine.places_from_orders(under, prefix, &by).await?;
    let Some(tally) = refused(made.edited) else { return Ok(ExitCode::from(1)) };
    say!("{} places added", tally.added);
    for store in &made.left_out {
        eprintln!("zhiyin: {store:?} is no code of a place: left out");
    }
    Ok(ExitCode::SUCCESS)
}
