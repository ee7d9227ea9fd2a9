//! `zhiyin audience`: who a condition holds for, how many they are, by what they differ, and why somebody is among them.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_engine::audience::answers::{ExplainView, MembersView, Names, OverlapView, TopView};
use zhiyin_engine::audience::export::{FileKind, ListFile};
use zhiyin_engine::audience::keep::Keeping;
use zhiyin_engine::audience::why::WhyView;
use zhiyin_engine::audiences::SavedAudience;
use zhiyin_engine::lists::Others;
use zhiyin_engine::people::Found;
use zhiyin_model::role::Grant;
use zhiyin_model::time::Day;

use crate::arguments::{Asked, AudienceAction, AudienceEngine, Format, ListFormat, Named, Place, When};
use crate::report::print;
use crate::say::say;
use crate::{lists, who};

/// Events that a batch has which is decided before anything is answered.
const BATCH: usize = 1_024;

impl When {
    fn day(&self) -> Result<Option<Day>> {
        match self.as_of.as_deref().map(|text| (text, Day::parse(text))) {
            None => Ok(None),
            Some((_, Some(day))) => Ok(Some(day)),
            Some((text, None)) => bail!("--as-of {text}: a date is YYYY-MM-DD"),
        }
    }
}

impl Named {
    fn names(&self) -> Names<'_> {
        Names { namespace: self.namespace.as_deref(), export: true }
    }
}

/// Asks what is asked, in so many bytes.
pub async fn audience(place: &Place, bytes: usize, action: AudienceAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    engine.audience_memory(bytes);
    // What waits and is due is decided first, as for reports.
    engine.drain(BATCH, None, |_| ()).await?;
    use AudienceAction::{ImportList, Leave, RemoveList};
    if !matches!(action, ImportList { .. } | RemoveList { .. } | Leave { .. }) {
        begin(place, &engine, bytes).await?;
    }
    let by = who::system();
    match action {
        AudienceAction::Count { asked, format } => count(&engine, &by, &asked, format).await,
        AudienceAction::Members { asked, named } => {
            let day = asked.when.day()?;
            let view = engine.audience_members(&by, &asked.condition, day, named.names()).await?;
            list(&view, &named)
        }
        AudienceAction::Each { file, when, namespace } => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let conditions: Vec<String> = lines.map(str::to_owned).collect();
            let names = Names { namespace: namespace.as_deref(), export: true };
            let views = engine.audience_members_each(&by, &conditions, when.day()?, names).await?;
            for (condition, view) in conditions.iter().zip(views) {
                let line = serde_json::json!({
                    "condition": condition, "as_of": view.as_of, "count": view.count, "members": view.members,
                });
                say!("{line}");
            }
            Ok(ExitCode::SUCCESS)
        }
        AudienceAction::List { format } => saved(&engine, &by, format).await,
        AudienceAction::ImportList { name, file, namespace, replace: _, add, format } => {
            let others = if add { Others::Stay } else { Others::Leave };
            lists::import(&engine, &by, (&name, others), (&file, namespace), format).await
        }
        AudienceAction::RemoveList { name } => lists::remove(&engine, &by, &name).await,
        AudienceAction::Show { name, format } => show(&engine, &by, &name, format).await,
        AudienceAction::Sample { asked, size, seed, named } => {
            let (day, draw) = (asked.when.day()?, (size as usize, seed));
            let view = engine.audience_sample(&by, &asked.condition, day, draw, named.names()).await?;
            list(&view, &named)
        }
        AudienceAction::Explain { asked, format } => {
            let view = engine.audience_explain(&by, &asked.condition, asked.when.day()?).await?;
            explain(&view, format)
        }
        AudienceAction::Breakdown { asked, by: expression, step, format } => {
            let how = (expression.as_str(), step.as_deref());
            let view = engine.audience_breakdown(&by, &asked.condition, asked.when.day()?, how).await?;
            if format == Format::Json {
                return json(&view);
            }
            let rows = view.values.iter();
            let rows: Vec<_> =
                rows.map(|one| vec![one.value.clone().unwrap_or_default(), one.count.to_string()]).collect();
            print(&[view.by, "members".to_owned()], &rows, format)?;
            as_of(&view.as_of, asked.when.as_of.is_some(), format)
        }
        AudienceAction::Overlap { conditions, when, format } => {
            let view = engine.audience_overlap(&by, &conditions, when.day()?).await?;
            overlap(&view, &conditions, (&when, format))
        }
        AudienceAction::Top { n, by: expression, condition, when, namespace, format } => {
            let names = Names { namespace: namespace.as_deref(), export: true };
            let how = (n as usize, expression.as_str());
            let view = engine.audience_top(&by, &condition, when.day()?, how, names).await?;
            top(&view, names.namespace, (&expression, &when, format))
        }
        AudienceAction::Send => {
            let sent = elsewhere(place, &engine)?.clickhouse_caught_up(true).await?;
            say!("ClickHouse has everybody; {sent} changes were sent");
            Ok(ExitCode::SUCCESS)
        }
        AudienceAction::Leave { consumer: Some(consumer) } => {
            if !engine.feed_left(&consumer).await? {
                let known = engine.followers().await?.join(", ");
                bail!("nobody follows the change feed as {consumer}; it is followed as: {known}");
            }
            say!("The change feed is kept for {consumer} no longer");
            Ok(ExitCode::SUCCESS)
        }
        AudienceAction::Leave { consumer: None } => {
            engine.clickhouse_left().await?;
            say!("The change feed is kept for ClickHouse no longer; what lies there is yours to drop");
            Ok(ExitCode::SUCCESS)
        }
        AudienceAction::Plan { members, orders_per_member, format } => {
            let view = engine.audience_plan(members, orders_per_member).await?;
            if format == Format::Json {
                return json(&view);
            }
            let rows: Vec<_> =
                view.columns.iter().map(|one| vec![one.column.clone(), one.bytes.to_string()]).collect();
            print(&["column", "bytes"].map(str::to_owned), &rows, format)?;
            if format == Format::Table {
                say!(
                    "{} bytes in all; `serve --audience-memory {}` allows them",
                    view.bytes,
                    view.bytes.div_ceil(1024 * 1024)
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        AudienceAction::Why { member, asked, format } => {
            let found = match engine.find(&member).await? {
                Found::One(found) => found,
                Found::Nobody => bail!("nobody is known as {member}"),
                Found::Several(namespaces) => {
                    bail!("{member} is several members; say which: one of {}", namespaces.join(", "))
                }
            };
            let view = engine.audience_why(&by, found, &asked.condition, asked.when.day()?).await?;
            why(&view, &asked.when, format)
        }
    }
}

/// The engine, if it is ClickHouse that audiences are asked of.
fn elsewhere<'e>(place: &Place, engine: &'e Engine) -> Result<&'e Engine> {
    if place.elsewhere.audience_engine == AudienceEngine::Columns {
        bail!("audiences are not asked of ClickHouse here: --audience-engine clickhouse");
    }
    Ok(engine)
}

/// Begins from the snapshot that a server keeps of this home, if there is one that fits; else everybody is read for the question.
async fn begin(place: &Place, engine: &Engine, bytes: usize) -> Result<()> {
    if place.ask_elsewhere(engine)? {
        return Ok(());
    }
    let Some(how) = place.audiences_kept()? else { return Ok(()) };
    let _from_the_record_else = engine.audiences_begun(&Keeping { bytes, ..how }).await;
    Ok(())
}

/// Lists saved audiences.
async fn saved(engine: &Engine, by: &Grant, format: Format) -> Result<ExitCode> {
    let (standing, lists) = (engine.standing_counts(by).await?, engine.lists(by).await?);
    let row = |one: SavedAudience| {
        let kind = match (&one.who, one.standing) {
            (None, _) => "list",
            (_, true) => "standing",
            (_, false) => "saved",
        };
        let standing = standing.counts.get(&one.id).map(|n| (n.to_string(), standing.as_of.clone()));
        let list = lists.iter().find(|list| list.name == one.id);
        let list = list.map(|list| (list.members.to_string(), list.as_of.clone()));
        let (members, as_of) = standing.filter(|_| one.standing).or(list).unwrap_or_default();
        vec![one.id, kind.to_owned(), members, as_of, one.who.unwrap_or_default()]
    };
    let saved = engine.saved_audiences()?;
    let unsaved = lists.iter().filter(|list| saved.iter().all(|one| one.id != list.name));
    let unsaved = unsaved.map(|list| {
        let (members, as_of) = (list.members.to_string(), list.as_of.clone());
        vec![list.name.clone(), "list".to_owned(), members, as_of, String::new()]
    });
    let mut rows: Vec<_> = unsaved.collect();
    rows.extend(saved.clone().into_iter().map(row));
    rows.sort();
    print(&["audience", "kind", "members", "as_of", "condition"].map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows one saved audience.
async fn show(engine: &Engine, by: &Grant, name: &str, format: Format) -> Result<ExitCode> {
    if let Some(list) = engine.lists(by).await?.into_iter().find(|list| list.name == name) {
        return lists::show(&list, format);
    }
    let Some(one) = engine.saved_audience(name)? else {
        bail!("there is no audience called {name}; `zhiyin audience list` lists them")
    };
    let now = engine.audience_count(by, &format!("@{name}"), None).await?;
    if format == Format::Json {
        return json(&serde_json::json!({"audience": one, "count": now.count, "as_of": now.as_of}));
    }
    let rows = [
        ("audience", one.id),
        ("standing", if one.standing { "yes" } else { "no" }.to_owned()),
        ("condition", one.who.unwrap_or_default()),
        ("members", now.count.to_string()),
        ("as of", now.as_of),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(what, is)| vec![what.to_owned(), is]).collect();
    print(&["what", "is"].map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

/// What programs read.
fn json<T: serde::Serialize>(view: &T) -> Result<ExitCode> {
    say!("{}", serde_json::to_string_pretty(view)?);
    Ok(ExitCode::SUCCESS)
}

/// Says of when it speaks, where that is not in what is printed already.
fn as_of(at: &str, past: bool, format: Format) -> Result<ExitCode> {
    if format == Format::Table {
        say!("as of {at}");
    }
    if past {
        eprintln!("as of {at}: attributes and tags are those of now");
    }
    Ok(ExitCode::SUCCESS)
}

async fn count(engine: &Engine, by: &Grant, asked: &Asked, format: Format) -> Result<ExitCode> {
    let view = engine.audience_count(by, &asked.condition, asked.when.day()?).await?;
    if format == Format::Json {
        say!("{}", serde_json::to_string(&view)?);
    } else {
        let columns = ["count", "as_of", "took_ms"].map(str::to_owned);
        print(
            &columns,
            &[vec![view.count.to_string(), view.as_of.clone(), view.took_ms.to_string()]],
            format,
        )?;
    }
    if asked.when.as_of.is_some() {
        eprintln!("as of {}: attributes and tags are those of now", view.as_of);
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints members by what they are called.
fn list(view: &MembersView, named: &Named) -> Result<ExitCode> {
    let column = named.namespace.as_deref().unwrap_or("member");
    match named.format {
        ListFormat::Json => say!("{}", serde_json::to_string_pretty(view)?),
        ListFormat::Csv => {
            let rows: Vec<_> = view.members.iter().map(|member| vec![member.clone()]).collect();
            print(&[column.to_owned()], &rows, Format::Csv)?;
        }
        ListFormat::Parquet => {
            let mut file = ListFile::new(FileKind::Parquet, column)?;
            let mut out = std::io::stdout().lock();
            out.write_all(&file.put(view.members.iter().cloned())?)?;
            out.write_all(&file.end()?)?;
        }
    }
    if view.nameless > 0 {
        eprintln!("{} more have no name in {column}", view.nameless);
    }
    as_of(&view.as_of, view.past, Format::Csv)
}

fn explain(view: &ExplainView, format: Format) -> Result<ExitCode> {
    if format == Format::Json {
        return json(view);
    }
    let columns = ["asked", "held", "rows", "took_ms", "by", "part"].map(str::to_owned);
    let row = |step: &zhiyin_engine::audience::answers::StepView| {
        let rows = step.rows.map(|rows| rows.to_string()).unwrap_or_default();
        let numbers = [step.asked.to_string(), step.held.to_string(), rows, step.took_ms.to_string()];
        numbers.into_iter().chain([step.by.clone(), step.text.clone()]).collect::<Vec<_>>()
    };
    print(&columns, &view.steps.iter().map(row).collect::<Vec<_>>(), format)?;
    if format == Format::Table {
        say!("{} members in {} ms, as of {}", view.count, view.took_ms, view.as_of);
    }
    Ok(ExitCode::SUCCESS)
}

fn overlap(view: &OverlapView, conditions: &[String], (when, format): (&When, Format)) -> Result<ExitCode> {
    if format == Format::Json {
        return json(view);
    }
    let letters: Vec<String> = ('A'..='H').take(conditions.len()).map(String::from).collect();
    let columns: Vec<String> = letters.iter().cloned().chain(["members".to_owned()]).collect();
    let row = |one: &zhiyin_engine::audience::answers::ExactlyView| {
        let within =
            (0..conditions.len()).map(|n| if one.audiences.contains(&n) { "x" } else { "" }.to_owned());
        within.chain([one.count.to_string()]).collect::<Vec<_>>()
    };
    print(&columns, &view.exactly.iter().map(row).collect::<Vec<_>>(), format)?;
    if format == Format::Table {
        for ((letter, count), condition) in letters.iter().zip(&view.counts).zip(conditions) {
            say!("{letter}: {count}  {condition}");
        }
    }
    as_of(&view.as_of, when.as_of.is_some(), format)
}

fn top(
    view: &TopView,
    namespace: Option<&str>,
    (by, when, format): (&str, &When, Format),
) -> Result<ExitCode> {
    if format == Format::Json {
        return json(view);
    }
    let rows: Vec<_> = view.members.iter().map(|one| vec![one.member.clone(), one.value.clone()]).collect();
    print(&[namespace.unwrap_or("member").to_owned(), by.to_owned()], &rows, format)?;
    as_of(&view.as_of, when.as_of.is_some(), format)
}

fn why(view: &WhyView, when: &When, format: Format) -> Result<ExitCode> {
    if format == Format::Json {
        return json(view);
    }
    let columns = ["holds", "value", "against", "turns", "turns_at", "part"].map(str::to_owned);
    let rows: Vec<Vec<String>> = view
        .parts
        .iter()
        .map(|part| {
            let text = if part.kind == "is" { part.text.as_str() } else { part.kind };
            vec![
                if part.holds { "yes" } else { "no" }.to_owned(),
                part.value.clone().unwrap_or_default(),
                part.against.clone().unwrap_or_default(),
                part.needs.clone().unwrap_or_default(),
                part.turns_at.clone().unwrap_or_default(),
                format!("{}{text}", "  ".repeat(part.depth)),
            ]
        })
        .collect();
    print(&columns, &rows, format)?;
    if format == Format::Table {
        let how = if view.holds { "is" } else { "is not" };
        match &view.turns_at {
            Some(at) => say!("{} {how} among them; time alone turns that at {at}", view.member),
            None => say!("{} {how} among them", view.member),
        }
    }
    as_of(&view.as_of, when.as_of.is_some(), format)
}
