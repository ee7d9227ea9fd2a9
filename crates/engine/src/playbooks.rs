//! Playbooks: read from files, compared with what is live, applied as versions, brought to every member.

use std::collections::BTreeSet;
use std::path::Path;

use zhiyin_condition::{Condition, Leaves, holds};
use zhiyin_decide::outcome::History;
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::{State, View};
use zhiyin_model::effect::Asset;
use zhiyin_model::playbook::{self, Change, Playbook, Problem, Touches, shipped};
use zhiyin_model::time::Ts;
use zhiyin_store::{PlaybookVersion, Wanted};

use crate::boxed;
use crate::campaigns::said;
use crate::lists::taken;
use crate::pipeline::OTHERS_AT_WORK;
use crate::{Engine, Result, clock, platforms, posters, rebuild};

/// The largest file that is read as a playbook.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads and checks a playbook file, conditions included. `extends:` names a file beside it, or a shipped playbook.
pub fn read_file(path: &Path) -> std::result::Result<(Playbook, Rules), Vec<Problem>> {
    let label = path.display().to_string();
    let at_file = |message: String| {
        vec![Problem { file: label.clone(), line: 1, column: 1, path: String::new(), message, allowed: None }]
    };
    let text = read_text(path).map_err(at_file)?;
    let playbook = playbook::parse(&label, &text, &load)?;
    let rules = compiled(&label, &playbook)?;
    Ok((playbook, rules))
}

/// Reads a shipped playbook by name, if there is one.
pub fn read_shipped(name: &str) -> Option<std::result::Result<(Playbook, Rules), Vec<Problem>>> {
    let text = shipped::shipped(name)?;
    Some(playbook::parse(&format!("{name}.yaml"), text, &shipped::load).and_then(|playbook| {
        let rules = compiled(name, &playbook)?;
        Ok((playbook, rules))
    }))
}

/// Reads and checks a playbook that somebody sent, conditions included. `extends:` names a shipped one: nothing else of this
/// machine is read.
pub fn read_given(text: &str) -> std::result::Result<(Playbook, Rules), Vec<Problem>> {
    let label = "playbook";
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("{} bytes; a playbook has at most {FILE_BYTES_MAX}", text.len());
        let problem = Problem {
            file: label.to_owned(),
            line: 1,
            column: 1,
            path: String::new(),
            message,
            allowed: None,
        };
        return Err(vec![problem]);
    }
    let playbook = playbook::parse(label, text, &shipped::load)?;
    let rules = compiled(label, &playbook)?;
    Ok((playbook, rules))
}

/// Compiles a playbook; its messages and posters must read well too.
fn compiled(file: &str, playbook: &Playbook) -> std::result::Result<Rules, Vec<Problem>> {
    let rules = Rules::compile(playbook)?;
    let mut problems = said::problems(file, playbook);
    problems.extend(posters::problems(file, playbook));
    problems.extend(platforms::problems(file, playbook));
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// Reads what a database keeps of a playbook: it stands alone.
pub(crate) fn read_source(source: &str) -> std::result::Result<Playbook, Vec<Problem>> {
    let nothing = |name: &str, _: &str| Err(format!("a stored playbook extends nothing, not {name}"));
    playbook::parse("stored", source, &nothing)
}

fn read_text(path: &Path) -> std::result::Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{size} bytes; a playbook has at most {FILE_BYTES_MAX}"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// What `extends:` names: a file beside the one that says so (with or without `.yaml`), else a shipped playbook.
fn load(name: &str, from: &str) -> std::result::Result<(String, String), String> {
    let beside = Path::new(from).parent().unwrap_or(Path::new("."));
    for candidate in [beside.join(name), beside.join(format!("{name}.yaml"))] {
        if candidate.is_file() {
            return Ok((candidate.display().to_string(), read_text(&candidate)?));
        }
    }
    shipped::load(name, from).map_err(|_| {
        format!("there is no file {name} or {name}.yaml beside {from}, and no shipped playbook {name}")
    })
}

/// A difference from what is live, with the members it touches.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Difference {
    /// What changes and how, in words.
    #[serde(flatten)]
    pub change: Change,
    /// How many members it touches.
    pub members: u64,
}

impl Engine {
    /// Makes a playbook live and brings it to every member: their lifecycle and tags are judged by it as of now; tiers at
    /// their next event or judgement (semantics 12). Gives its version, and whether it was new.
    #[boxed]
    pub async fn apply(&self, playbook: &Playbook) -> Result<(i64, bool)> {
        self.apply_at(playbook, None).await
    }

    /// The same, dated at an instant of the history that is about to be replayed.
    #[boxed]
    pub async fn apply_at(&self, playbook: &Playbook, at: Option<Ts>) -> Result<(i64, bool)> {
        // Conditions would mean either.
        if let Some(problem) = taken(playbook, &self.store().lists().lists().await?) {
            return Err(problem.into());
        }
        if let Some(draw) = self.changed_while_open(playbook).await? {
            return Err(crate::EngineError::DrawOpen(draw));
        }
        // Whatever came before was promised under the version before: it is decided first.
        if self.home().await?.version > 0 {
            self.drain(1024, None, |_| ()).await?;
        }
        let home = self.home().await?;
        let version = PlaybookVersion {
            version: 0,
            id: playbook.id.clone(),
            hash: playbook.hash(),
            source: playbook.source().to_owned(),
            applied_at: at.unwrap_or_else(|| clock::now(&home).max(home.clock)),
        };
        let version = self.store().apply_playbook(version).await?;
        self.reload().await?;
        self.catch_up_playbook(1024).await?;
        Ok((version, version != home.version))
    }

    /// Judges members whom the live version has not reached yet, in batches, until it has reached all: those whose shares
    /// others hold are left to them.
    #[boxed]
    pub async fn catch_up_playbook(&self, limit: usize) -> Result<u64> {
        let done = self.catch_up_holding(limit).await;
        self.release().await?;
        done
    }

    /// The same for those whose shares nobody else holds, without waiting for others.
    pub(crate) async fn reach_once(&self, limit: usize) -> Result<u64> {
        let done = self.reach_held(limit).await;
        self.release().await?;
        done
    }

    async fn reach_held(&self, limit: usize) -> Result<u64> {
        let mut reached = 0;
        for worker in &self.workers {
            reached += worker.lock().await.reach_all(self, limit).await?;
        }
        Ok(reached)
    }

    async fn catch_up_holding(&self, limit: usize) -> Result<u64> {
        let mut reached = 0;
        loop {
            reached += self.reach_held(limit).await?;
            let Ok(live) = self.live() else { return Ok(reached) };
            if self.store().members_behind(None, live.version.version, None, 1).await?.is_empty() {
                return Ok(reached);
            }
            tokio::time::sleep(OTHERS_AT_WORK).await;
        }
    }

    /// What a playbook changes against what is live, in words, each change with how many members it touches. Against no
    /// live playbook everything is new.
    #[boxed]
    pub async fn differences(&self, playbook: &Playbook, rules: &Rules) -> Result<Vec<Difference>> {
        let live = self.live()?;
        let changes = playbook::diff(&live.playbook, playbook);
        let mut counts: Vec<u64> = vec![0; changes.len()];
        let audience: Vec<Option<Audience>> =
            changes.iter().map(|change| Audience::of(change, playbook)).collect();
        let now = clock::now(&self.home().await?);
        let mut after = None;
        loop {
            // Every member has a version of at least 0, so all are "behind" one beyond the last.
            let members = self.store().members_behind(None, i64::MAX, after, 256).await?;
            let Some(last) = members.last() else { break };
            after = Some(*last);
            let loaded = self.store().load(Wanted { members, ..Wanted::default() }).await?;
            for stored in loaded.members {
                let (state, history) = rebuild::anew(self.store().as_ref(), rules, stored.member).await?;
                for ((change, audience), count) in changes.iter().zip(&audience).zip(&mut counts) {
                    *count += u64::from(touched(
                        change,
                        audience.as_ref(),
                        (&live.rules, rules),
                        &history,
                        &state,
                        now,
                    ));
                }
            }
        }
        Ok(changes.into_iter().zip(counts).map(|(change, members)| Difference { change, members }).collect())
    }
}

/// The condition of a change that touches those for whom one holds, with leaves of its own.
struct Audience {
    condition: Condition,
    leaves: Leaves,
}

impl Audience {
    fn of(change: &Change, playbook: &Playbook) -> Option<Self> {
        let Touches::Earners(Some(text)) = &change.touches else { return None };
        let mut condition = Rules::audience(playbook, &BTreeSet::new(), &text.text).ok()?;
        let leaves = Leaves::collect([&mut condition], playbook.timezone.clone(), playbook.currency.exponent);
        Some(Self { condition, leaves })
    }
}

/// Whether a change touches a member: by what they hold now and what the new rules would give them.
fn touched(
    change: &Change,
    audience: Option<&Audience>,
    (old, rules): (&Rules, &Rules),
    history: &History,
    state: &State,
    now: Ts,
) -> bool {
    let member = &state.member;
    let would = |condition: &Condition| holds(condition, &rules.leaves, &View::of(state), now).0;
    match &change.touches {
        Touches::Nobody => {
            let attribute = change.id.strip_prefix("attributes.");
            attribute.is_some_and(|attribute| member.attributes.contains_key(attribute))
        }
        Touches::Everyone => true,
        Touches::Tier(levels) => {
            let growth = member.growth_within(rules.zone.day(now), rules.tiers.over_days);
            let (before, after) = (old.level_of(growth), rules.level_of(growth));
            let concerned = levels.iter().any(|level| level == before || level == after);
            // Where thresholds stay, levels are only called otherwise: that touches all who hold one.
            concerned && (before != after || old.tiers.levels == rules.tiers.levels)
        }
        Touches::Tag(tag) => {
            let has = member.tags.contains_key(tag);
            has || rules.tags.iter().any(|rule| rule.id == *tag && would(&rule.who))
        }
        Touches::Audience(id) => {
            let is_in = member.audiences.since.contains_key(id);
            is_in || rules.audiences.iter().any(|rule| rule.id == *id && would(&rule.who))
        }
        Touches::Lifecycle => {
            let after = rules.stages.iter().find(|stage| would(&stage.when)).map(|stage| stage.id.as_str());
            let before = member.stage.as_ref().map(|held| held.stage.as_str());
            let named = change.id.strip_prefix("lifecycle.");
            before != after && named.is_none_or(|stage| before == Some(stage) || after == Some(stage))
        }
        Touches::Stage(stage) => member.stage.as_ref().is_some_and(|held| held.stage == *stage),
        Touches::Earners(None) => earns(state),
        Touches::Earners(Some(_)) => match audience {
            None => earns(state),
            Some(audience) => {
                let mut leaves = audience.leaves.fresh();
                for (_, row) in &history.orders {
                    leaves.observe(&audience.leaves, zhiyin_condition::Row::Order(row));
                }
                let state = State { member: member.clone(), leaves };
                holds(&audience.condition, &audience.leaves, &View::of(&state), now).0
            }
        },
    }
}

/// Whether a member has ever earned.
fn earns(state: &State) -> bool {
    state.member.accounts.contains_key(&Asset::Points) || state.member.accounts.contains_key(&Asset::Growth)
}
