//! How stale what is known of platforms may be, and how much it is: for people.

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::time::Ts;

use super::At;
use crate::{Engine, Result, boxed};

/// How far one account is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlatformView {
    /// On which channel.
    pub channel: String,
    /// What the brand calls its account there.
    pub account: String,
    /// When the last whole look at it began: what is known is at least as new, apart from what is still to be looked at.
    pub looked_from: Option<String>,
    /// When that look ended.
    pub looked_until: Option<String>,
    /// How long ago that look began, in seconds.
    pub age_seconds: Option<i64>,
    /// Where the look is that goes on: `waits`, `contacts`, `unseen`, `groups` or `unlisted`.
    pub stage: String,
    /// When it began.
    pub began: Option<String>,
    /// How many steps of it failed, one after the other.
    pub failed: u32,
    /// Why the last one did, by a name.
    pub why: Option<String>,
    /// How many accounts of staff may have customers.
    pub staff: usize,
    /// When the first thing that is to be looked at was to be, or is to be.
    pub next_look: Option<String>,
    /// How many things are known, by kind.
    pub known: Vec<KnownView>,
}

/// How many things of one kind are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownView {
    /// The kind: `contact`, `customer`, `group`, `seat`, `tag`, `look`, ….
    pub kind: String,
    /// How many.
    pub n: i64,
}

/// What is asked of how far accounts are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StandingAsked {
    /// Whether things are counted, which takes as long as there are many.
    pub with_counts: bool,
}

impl Engine {
    /// How far accounts are known: those that are named, and those that are known though nobody named them; by account.
    #[boxed]
    pub async fn platforms_standing(
        &self,
        named: &[String],
        asked: StandingAsked,
        wall: Ts,
    ) -> Result<Vec<PlatformView>> {
        let mirror = self.store().coupons().campaigns().mirror();
        let counts = if asked.with_counts { mirror.count_reflections().await? } else { Vec::new() };
        let mut views = Vec::new();
        for account in self.platform_accounts(named).await? {
            let shelf = self.shelf(&account).await?;
            let far = shelf.pulled().await?;
            let before = format!("{}:{account}:", shelf.channel());
            let known = counts.iter().filter_map(|(kind, n)| {
                Some(KnownView { kind: kind.strip_prefix(&before)?.to_owned(), n: *n })
            });
            views.push(PlatformView {
                channel: shelf.channel().to_owned(),
                looked_from: far.last.map(|(from, _)| Ts(from).rfc3339()),
                looked_until: far.last.map(|(_, until)| Ts(until).rfc3339()),
                age_seconds: far.last.map(|(from, _)| (wall.0 - from).div_euclid(1_000_000)),
                stage: if far.stage.is_empty() { "waits" } else { far.stage }.to_owned(),
                began: far.began.map(|at| Ts(at).rfc3339()),
                failed: far.failed,
                why: far.why,
                staff: far.accounts,
                next_look: shelf.next_look().await?.map(Ts::rfc3339),
                known: known.collect(),
                account,
            });
        }
        Ok(views)
    }

    /// Begins a whole look at these accounts at once, where none goes on.
    pub async fn look_at_platforms(&self, all: &[At], wall: Ts) -> Result<()> {
        for at in all {
            self.kept(at).await?.pull_at(wall).await?;
        }
        Ok(())
    }
}
