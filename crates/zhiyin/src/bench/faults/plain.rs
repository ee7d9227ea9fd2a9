//! The undisturbed run: one engine, large batches, nothing goes wrong. What it comes to is what every other way of playing
//! the same schedule must come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use zhiyin_decide::Cause;
use zhiyin_decide::outcome::{Known, Outcome, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_engine::Engine;
use zhiyin_engine::accept::{Source, Verdict, latest, prepare};
use zhiyin_model::event::{Event, Refusal};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::read::{AsOf, DeadLetter, MemberWhole};
use zhiyin_store::{NewEvent, PlaybookVersion, Store};

use super::ground::{Folder, Ground};
use super::items::{KEY, POISON};
use super::promises;
use super::script::{Act, Append, Script};
use super::told;

/// Events in a batch.
const BATCH: usize = 64;
/// When the first version is applied: before anything happened.
const FIRST: Ts = Ts(1_262_304_000_000_000);
/// How many dead letters are looked at.
pub const DEAD_MAX: usize = 10_000;

/// A source and what it calls an item.
pub type Name = (String, String);

/// What an act came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// What was said at the door.
    pub verdicts: Vec<Verdict>,
    /// At rest: the record's digest, the home's clock, dead letters.
    pub digest: String,
    /// The latest business time at which something was accepted.
    pub clock: Option<Ts>,
    /// Dead letters, in the order of their names.
    pub dead: Vec<String>,
    /// Those that were put back, by name.
    pub back: BTreeSet<Name>,
    /// What others were told so far.
    pub told: BTreeSet<String>,
    /// Every member in words, where somebody wants to read them.
    pub members: Vec<String>,
}

/// Decides as production does, but breaks down over poison.
pub fn decider(
    rules: &Rules,
    key: &IdKey,
    state: &mut State,
    known: &Known,
    event: &Event,
    cause: Cause<'_>,
) -> std::result::Result<Outcome, Stop> {
    if event.name == POISON {
        // As a panic does, without a word on the terminal.
        std::panic::resume_unwind(Box::new(POISON));
    }
    zhiyin_decide::decide(rules, key, state, known, event, cause)
}

/// Plays a schedule; a mark for each act.
pub async fn play(script: &Script, in_words: bool) -> Result<Vec<Mark>> {
    let ground = Ground::File(Folder::new()?);
    let engine = Engine::open_with(ground.open("plain").await?, 1, decider).await?;
    begin(&engine).await?;
    let mut marks = Vec::with_capacity(script.acts.len());
    let mut letters = BTreeSet::new();
    for (n, act) in script.acts.iter().enumerate() {
        marks.push(
            one(&engine, act, &mut letters, in_words)
                .await
                .with_context(|| format!("undisturbed, at step {n}"))?,
        );
    }
    Ok(marks)
}

/// A home begins with the first version.
pub async fn begin(engine: &Engine) -> Result<()> {
    engine.apply_at(&promises::version(0)?, Some(FIRST)).await?;
    told::begin(engine.store().as_ref()).await
}

async fn one(engine: &Engine, act: &Act, letters: &mut BTreeSet<Name>, in_words: bool) -> Result<Mark> {
    match act {
        Act::Append(append) => {
            let verdicts = engine.take(&source(append), prepared(append), append.now, None).await?;
            Ok(Mark { verdicts, ..Mark::default() })
        }
        Act::Step(_) | Act::Release(_) => Ok(Mark::default()),
        Act::Settle(settle) => {
            engine.drain(BATCH, Some(horizon(engine.store(), settle.until).await?), |_| ()).await?;
            *letters = dead(engine.store()).await?.into_keys().collect();
            told::pump(engine).await?;
            rest(engine.store(), in_words).await
        }
        Act::Apply(apply) => {
            engine.drain(BATCH, Some(horizon(engine.store(), apply.at).await?), |_| ()).await?;
            engine.store().apply_playbook(dated(apply.version, apply.at)?).await?;
            engine.catch_up_playbook(BATCH).await?;
            *letters = dead(engine.store()).await?.into_keys().collect();
            told::pump(engine).await?;
            rest(engine.store(), in_words).await
        }
        Act::Retry(retry) => {
            let numbered = letters.iter().enumerate();
            let chosen = numbered.filter(|(n, _)| retry.which.rotate_right(*n as u32 % 64) & 1 == 1);
            let back: BTreeSet<Name> = chosen.map(|(_, name)| name.clone()).collect();
            letters.retain(|name| !back.contains(name));
            let seqs = places(engine.store(), &back).await?;
            engine.store().retry_dead_letters(seqs, retry.at).await?;
            Ok(Mark { back, ..Mark::default() })
        }
    }
}

/// How far timers fire before a home is at rest as of an instant: at least as far as items were accepted, for a row of the inbox
/// may have woken others on its way or not. While history comes in: not at all.
pub async fn horizon(store: &Arc<dyn Store>, until: Ts) -> Result<Ts> {
    Ok(if until == Ts::MIN { until } else { until.max(store.home().await?.clock) })
}

/// The source of an append.
pub fn source(append: &Append) -> Source {
    Source {
        name: append.source.to_owned(),
        user_namespace: "user".to_owned(),
        replay: append.replay,
        ties: Default::default(),
    }
}

/// Its items as the door takes them.
pub fn prepared(append: &Append) -> Vec<std::result::Result<NewEvent, Refusal>> {
    let source = source(append);
    let default_time = (!append.replay).then_some(append.now);
    let items = append.items.iter();
    items.map(|item| prepare(&KEY, &source, item, default_time, latest(append.now))).collect()
}

/// A version of the playbook, dated.
pub fn dated(version: usize, at: Ts) -> Result<PlaybookVersion> {
    let playbook = promises::version(version)?;
    Ok(PlaybookVersion {
        version: 0,
        id: playbook.id.clone(),
        hash: playbook.hash(),
        source: playbook.source().to_owned(),
        applied_at: at,
    })
}

/// What a home at rest looks like.
pub async fn rest(store: &Arc<dyn Store>, in_words: bool) -> Result<Mark> {
    let dead = dead(store).await?.into_values().map(|letter| {
        format!("{}/{}: {} @{} {}", letter.source, letter.message_id, letter.code, letter.field, letter.at)
    });
    let clock = Some(store.home().await?.clock);
    let members = if in_words { words(store).await? } else { Vec::new() };
    let (digest, told) = (store.digest().await?, told::told(store.as_ref()).await?);
    Ok(Mark { digest, clock, dead: dead.collect(), told, members, ..Mark::default() })
}

/// Every member in words, by their names.
async fn words(store: &Arc<dyn Store>) -> Result<Vec<String>> {
    let as_of = AsOf { at: Ts::FOREVER, day: Day(i32::MAX), over_days: 20 };
    let mut said = Vec::new();
    for line in store.member_lines(as_of).await? {
        let Some(whole) = store.member_whole(line.member).await? else { continue };
        let MemberWhole { member, identifiers, orders, lots, terms, stages, transfers, .. } = whole;
        let transfers: Vec<_> =
            transfers.iter().map(|line| (line.at.rfc3339(), line.asset, line.kind, line.amount)).collect();
        said.push(format!(
            "{identifiers:?}: orders {orders:?} lots {lots:?} terms {terms:?} stages {stages:?} {transfers:?} {member:?}"
        ));
    }
    said.sort();
    Ok(said)
}

/// Dead letters by their names: places differ from run to run.
async fn dead(store: &Arc<dyn Store>) -> Result<BTreeMap<Name, DeadLetter>> {
    let letters = store.dead_letters(DEAD_MAX).await?.into_iter();
    Ok(letters.map(|letter| ((letter.source.clone(), letter.message_id.clone()), letter)).collect())
}

/// Where dead letters of these names stand; those that are none are left out.
pub async fn places(store: &Arc<dyn Store>, names: &BTreeSet<Name>) -> Result<Vec<i64>> {
    Ok(dead(store)
        .await?
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(_, letter)| letter.seq)
        .collect())
}
