//! The playbook: checked, compared in words, made live.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::audit::{Target, detail};
use zhiyin_engine::playbooks::read_given;
use zhiyin_engine::{EngineError, Rules};
use zhiyin_model::playbook::{ChangeKind, Playbook};
use zhiyin_model::role::{Operation, second_person};
use zhiyin_model::time::Ts;

use super::{Caller, Endpoint};
use crate::problem::Problem;

/// The largest request: a playbook has at most 1 MB.
const BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let example = json!({"source": "playbook: my-brand\nextends: variety-store\n"});
    vec![
        Endpoint::change(
            Method::POST,
            "playbooks_check",
            "/v1/commands/playbooks/check",
            Operation::PlaybookRead,
            check,
        )
        .says(
            "Check a playbook",
            "检查打法",
            "Every problem with its line, column and what would be right. Nothing is changed.",
        )
        .body_at_most(BYTES_MAX)
        .example(example.clone()),
        Endpoint::change(
            Method::POST,
            "playbooks_diff",
            "/v1/commands/playbooks/diff",
            Operation::PlaybookRead,
            diff,
        )
        .says(
            "Compare a playbook with the live one",
            "对比打法",
            "What would change, in sentences, and for how many members. Nothing is changed.",
        )
        .refuses(&["playbook_problems"])
        .body_at_most(BYTES_MAX)
        .example(example.clone()),
        Endpoint::change(
            Method::POST,
            "playbooks_apply",
            "/v1/commands/playbooks/apply",
            Operation::PlaybookApply,
            apply,
        )
        .says("Make a playbook live", "启用打法", "Applying what is live already changes nothing.")
        .refuses(&["playbook_problems", "currency_fixed", "draw_open"])
        .body_at_most(BYTES_MAX)
        .example(example),
    ]
}

/// A playbook.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Its text, YAML; `extends` names a shipped one.
    source: String,
}

/// Something wrong in a playbook.
#[derive(Serialize, JsonSchema)]
struct PlaybookProblem {
    /// Line, from 1.
    line: usize,
    /// Column in characters, from 1.
    column: usize,
    /// The path of keys: `points.earn[1].who`.
    path: String,
    /// What is wrong.
    message: String,
    /// What would be right.
    allowed: Option<String>,
}

/// What came of checking.
#[derive(Serialize, JsonSchema)]
struct Checked {
    /// Its id, where it has no problem.
    id: Option<String>,
    /// Its hash, where it has no problem.
    hash: Option<String>,
    /// What is wrong.
    problems: Vec<PlaybookProblem>,
}

async fn check(_: Caller, given: Given) -> Result<Checked, Problem> {
    Ok(match read_given(&given.source) {
        Ok((playbook, _)) => {
            Checked { id: Some(playbook.id.clone()), hash: Some(playbook.hash()), problems: Vec::new() }
        }
        Err(problems) => {
            let shown = |problem: zhiyin_model::playbook::Problem| PlaybookProblem {
                line: problem.line,
                column: problem.column,
                path: problem.path,
                message: problem.message,
                allowed: problem.allowed,
            };
            Checked { id: None, hash: None, problems: problems.into_iter().map(shown).collect() }
        }
    })
}

fn read(given: &Given) -> Result<(Playbook, Rules), Problem> {
    read_given(&given.source).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Problem::of("playbook_problems")
            .at("source")
            .says(format!("{} problems; the first: {first}", problems.len()))
    })
}

/// One difference.
#[derive(Serialize, JsonSchema)]
struct DifferenceView {
    /// What changes: `tiers.gold`, `points.earn`.
    id: String,
    /// `added`, `removed` or `changed`.
    kind: &'static str,
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
    /// How many members it touches.
    members: u64,
}

/// Differences.
#[derive(Serialize, JsonSchema)]
struct Differences {
    /// In the order of the playbook.
    items: Vec<DifferenceView>,
}

async fn diff(caller: Caller, given: Given) -> Result<Differences, Problem> {
    let (playbook, rules) = read(&given)?;
    let differences = caller.engine().differences(&playbook, &rules).await?;
    let kind = |kind| match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    };
    let shown = differences.into_iter().map(|difference| DifferenceView {
        kind: kind(difference.change.kind),
        id: difference.change.id,
        zh: difference.change.zh,
        en: difference.change.en,
        members: difference.members,
    });
    Ok(Differences { items: shown.collect() })
}

/// A playbook that is live.
#[derive(Serialize, JsonSchema)]
struct Applied {
    /// Its id.
    id: String,
    /// Its version.
    version: i64,
    /// Its hash.
    hash: String,
    /// False where it was live already.
    new: bool,
}

async fn apply(caller: Caller, given: Given) -> Result<Applied, Problem> {
    let (playbook, _) = read(&given)?;
    let engine = caller.engine();
    // More than one person decides alone is decided at the home's machine: what one may do alone is nothing that one widens alone.
    let alone = engine.alone();
    if second_person(Operation::PlaybookApply, 0, &alone) || playbook.alone.is_looser_than(&alone) {
        return Err(Problem::of("operation_refused").at("source"));
    }
    let other_currency = engine.live().is_ok_and(|live| live.playbook.currency != playbook.currency);
    if other_currency && engine.home().await?.clock > Ts::MIN {
        return Err(Problem::of("currency_fixed").at("source"));
    }
    let hash = playbook.hash();
    let noted = detail(json!({"hash": hash.chars().take(12).collect::<String>()}));
    let target = Target::code(&playbook.id);
    let deed = engine.apply(&playbook);
    let (version, new) = engine
        .audited::<_, EngineError>(&caller.grant, (Operation::PlaybookApply, &target), &noted, deed)
        .await?;
    Ok(Applied { id: playbook.id.clone(), version, hash, new })
}
