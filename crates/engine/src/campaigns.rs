//! Campaigns as people ask for them: what there is, how it goes, why somebody was (not) sent something; pausing and stopping; and
//! the channels that need nothing outside of the home: the inbox, the prompt at the till, the advisor's tasks.

pub(crate) mod said;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_decide::campaign::{self, PAUSED, STOPPED};
use zhiyin_decide::outcome::Known;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::{EventId, MemberId, NoteId};
use zhiyin_model::mask::Mask;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::playbook::campaign::{ADVISOR, OUTSIDE, Trigger};
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_model::run::{
    HALTED, NoteState, RunMoveKind, SLOTS, cost_of, count_of, halt_of, hour_of, spent_of,
};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::{MoveRead, StoredNote};
use zhiyin_store::{StoreError, seal};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::command::Whom;
use crate::sends::log::price_text;
use crate::{Engine, Result, clock, rebuild, sight};

/// The most of a member's moves or messages that are shown, and of tasks.
pub const SHOWN_MAX: usize = 200;
/// What is counted of messages that cost something.
const SPENT: [&str; 3] = ["taken", "parts", "cost"];
/// How many open tasks are looked at for those of members whom somebody reaches.
const LOOKED_MAX: usize = 2_000;

type Refused<T> = std::result::Result<T, Refusal>;

/// A campaign, and what it came to so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CampaignView {
    /// Its id in the playbook.
    pub campaign: String,
    /// What people call it, in the brand's first language.
    pub name: String,
    /// `running`, `paused` or `stopped`.
    pub state: String,
    /// What sets it off: `event`, `enters`, `leaves`, `every`, `date` or `command`.
    pub on: String,
    /// For which purpose it sends.
    pub purpose: String,
    /// How many are held out, in hundredths of a percent.
    pub holdout: u32,
    /// How many steps it has.
    pub steps: usize,
    /// How often each thing happened: `began`, `sent`, `held_out`, `not_sent`, `goal`, `ended` and others.
    pub counts: BTreeMap<String, i64>,
    /// What its coupons and points may cost in all, in minor units, where it has a budget.
    pub budget_minor: Option<i64>,
    /// What they cost at most so far, where it has one.
    pub cost_minor: Option<i64>,
    /// What its messages came to on channels on which each costs something, by channel.
    pub sending: BTreeMap<String, SpentView>,
}

/// What messages came to that each cost something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpentView {
    /// How many were taken.
    pub taken: i64,
    /// As how many they were billed.
    pub parts: i64,
    /// What that costs, in the brand's money: `45.3600`.
    pub cost: String,
    /// The same in ten-thousandths: 453600.
    pub cost_ten_thousandths: i64,
}

/// Something that happened to a member in a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunMoveView {
    /// The campaign.
    pub campaign: String,
    /// The run.
    pub run: String,
    /// `began`, `sent`, `held_out`, `delayed`, `not_sent`, `coupon`, `no_coupon`, `points`, `marked`, `goal`, `ended`, `mixed` or
    /// `not_begun`.
    pub kind: String,
    /// At which step, by its place in the playbook; empty where it is about none.
    pub place: String,
    /// Why: a name, or each guard-rail in its order with its word.
    pub why: String,
    /// When, in business time.
    pub at: String,
    /// Under which version of the playbook.
    pub version: i64,
}

/// A run that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunView {
    /// The campaign.
    pub campaign: String,
    /// The run.
    pub run: String,
    /// What it is about, such as an order; empty where there is nothing.
    pub key: String,
    /// When it began.
    pub since: String,
    /// The step at which it stands.
    pub place: String,
    /// When it goes on by itself at the latest; nothing, where only something that happens moves it.
    pub due: Option<String>,
    /// Whether the member is held out.
    pub held_out: bool,
}

/// A member's runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunsView {
    /// Those that are open.
    pub open: Vec<RunView>,
    /// What happened, newest first.
    pub moves: Vec<RunMoveView>,
}

/// What would become of a message now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WouldSend {
    /// The message.
    pub message: String,
    /// The channel.
    pub channel: String,
    /// `send`, `later` or `never`.
    pub verdict: String,
    /// When it would be asked again.
    pub later: Option<String>,
    /// Each guard-rail that was asked, in order, and its word.
    pub rails: Vec<(String, String)>,
    /// The text as it would be said to them.
    pub text: String,
}

/// Why a member was sent something of a campaign, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyView {
    /// The campaign.
    pub campaign: String,
    /// `running`, `paused` or `stopped`.
    pub state: String,
    /// Runs of it that are open.
    pub open: Vec<RunView>,
    /// What happened to the member in it, newest first.
    pub moves: Vec<RunMoveView>,
    /// Why they could not begin it now, where they could not: `not_again`, `not_eligible`, `left`, `campaign_paused` and others.
    pub cannot_begin: Option<String>,
    /// Whether they are held out of it, or would be.
    pub held_out: bool,
    /// What would become of each of its messages now.
    pub now: Vec<WouldSend>,
}

/// Something that was said to a member, or that their advisor is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoteView {
    /// Its id.
    pub id: String,
    /// To whom.
    pub member: String,
    /// On which channel: `inbox`, `till` or `advisor`.
    pub channel: String,
    /// Of which campaign.
    pub campaign: String,
    /// Which message of the playbook.
    pub message: String,
    /// Who says it.
    pub persona: Option<String>,
    /// The text.
    pub text: String,
    /// `open`, `seen` or `done`.
    pub state: String,
    /// When it was said.
    pub at: String,
}

impl NoteView {
    /// As far as a mask shows who it is about.
    pub(crate) fn of(stored: &StoredNote, mask: Mask, playbook: Option<&Playbook>) -> Result<Self> {
        let body = match seal::open(&stored.body) {
            Err(StoreError::Erased) => "{}".to_owned(),
            body => body?,
        };
        let body: Value = serde_json::from_str(&body)
            .map_err(|error| StoreError::Damaged(format!("what was said: {error}")))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let variables = body.get("variables").and_then(Value::as_object).into_iter().flatten();
        let variables: BTreeMap<String, String> =
            variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        let said = text("text").unwrap_or_default();
        let note = &stored.note;
        Ok(Self {
            id: note.id.to_string(),
            member: note.member.to_string(),
            channel: note.channel.clone(),
            campaign: note.campaign.clone(),
            message: note.message.clone(),
            persona: text("persona"),
            text: sight::said(mask, playbook, &variables, said),
            state: note.state.name().to_owned(),
            at: note.at.rfc3339(),
        })
    }
}

fn unknown<T>(field: &str) -> Result<Refused<T>> {
    Ok(Err(Refusal::new("campaign_unknown", field, "the playbook has no campaign of this id")))
}

fn stopped() -> Refusal {
    Refusal::new("campaign_stopped", "campaign", "it was stopped for good")
}

fn state_of(halt: i64) -> &'static str {
    match halt {
        PAUSED => "paused",
        STOPPED => "stopped",
        _ => "running",
    }
}

fn on(trigger: &Trigger) -> &'static str {
    match trigger {
        Trigger::Event(_) => "event",
        Trigger::Enters(_) => "enters",
        Trigger::Leaves(_) => "leaves",
        Trigger::Every { .. } => "every",
        Trigger::Date { .. } => "date",
        Trigger::Command => "command",
    }
}

fn moved(read: MoveRead) -> RunMoveView {
    RunMoveView {
        campaign: read.campaign,
        run: read.run.to_string(),
        kind: read.kind.name().to_owned(),
        place: read.place,
        why: read.why,
        at: read.at.rfc3339(),
        version: read.version,
    }
}

fn run(run: &zhiyin_model::run::Run) -> RunView {
    RunView {
        campaign: run.campaign.clone(),
        run: run.id.to_string(),
        key: run.key.clone(),
        since: run.since.rfc3339(),
        place: run.place.clone(),
        due: Some(run.due).filter(|due| *due < Ts::FOREVER && *due > Ts::MIN).map(Ts::rfc3339),
        held_out: run.held,
    }
}

impl Engine {
    /// If time sets campaigns off, members are to be reached by the live version anew, since they are found by what it arms once
    /// the home acts for real; whether it does.
    pub(crate) async fn reach_anew(&self) -> Result<bool> {
        let Ok(live) = self.live() else { return Ok(false) };
        let is_timed = live.rules.campaigns.iter().any(campaign::rule::CampaignRule::is_timed);
        if is_timed {
            self.store().coupons().campaigns().judge_anew().await?;
        }
        Ok(is_timed)
    }

    /// Says that campaigns were halted where a program of before halted some, and said so of each alone.
    pub(crate) async fn note_halts(&self) -> Result<()> {
        let Ok(live) = self.live() else { return Ok(()) };
        let mut pools = live.rules.campaign_pools.halts.clone();
        if pools.is_empty() {
            return Ok(());
        }
        pools.push(HALTED.to_owned());
        let taken = self.store().coupons().pools(pools).await?;
        if taken.values().any(|taken| *taken != 0) && taken.get(HALTED).is_none_or(|known| *known == 0) {
            self.store().coupons().campaigns().set_pool(HALTED, 1, 1).await?;
        }
        Ok(())
    }

    /// All campaigns of the playbook, by id.
    #[boxed]
    pub async fn campaigns(&self) -> Result<Vec<CampaignView>> {
        let ids: Vec<String> = self.live()?.playbook.campaigns.keys().cloned().collect();
        let mut views = Vec::with_capacity(ids.len());
        for id in ids {
            views.extend(self.campaign(&id).await?.ok());
        }
        Ok(views)
    }

    /// A campaign, and what it came to so far.
    #[boxed]
    pub async fn campaign(&self, id: &str) -> Result<Refused<CampaignView>> {
        let live = self.live()?;
        let Some(terms) = live.playbook.campaigns.get(id) else { return unknown("campaign") };
        let kinds = RunMoveKind::ALL.into_iter().filter(|kind| *kind != RunMoveKind::Delayed);
        let mut pools: Vec<String> = kinds.clone().map(|kind| count_of(id, kind.name())).collect();
        pools.extend([halt_of(id), cost_of(id)]);
        pools.extend(OUTSIDE.iter().flat_map(|channel| SPENT.map(|what| spent_of(id, channel, what))));
        let taken = self.store().coupons().pools(pools).await?;
        let count = |pool: String| taken.get(&pool).copied().unwrap_or(0);
        let counts = kinds.map(|kind| (kind.name().to_owned(), count(count_of(id, kind.name()))));
        let language = live.playbook.languages.first().copied().unwrap_or_default();
        Ok(Ok(CampaignView {
            campaign: id.to_owned(),
            name: terms.name.in_language(language, id).to_owned(),
            state: state_of(count(halt_of(id))).to_owned(),
            on: on(&terms.on).to_owned(),
            purpose: terms.purpose.clone(),
            holdout: terms.holdout,
            steps: live.rules.campaigns.iter().find(|rule| rule.id == id).map_or(0, |rule| rule.ops.len()),
            counts: counts.filter(|(_, n)| *n > 0).collect(),
            budget_minor: terms.budget.map(|budget| budget.0),
            cost_minor: terms.budget.map(|_| count(cost_of(id))),
            sending: OUTSIDE
                .iter()
                .filter_map(|channel| {
                    let [taken, parts, cost] = SPENT.map(|what| count(spent_of(id, channel, what)));
                    let view = SpentView { taken, parts, cost: price_text(cost), cost_ten_thousandths: cost };
                    (taken > 0).then(|| ((*channel).to_owned(), view))
                })
                .collect(),
        }))
    }

    /// How much of what was sent in each two hours of the day was seen, of all members: (seen, sent), 00:00 to 02:00 first.
    #[boxed]
    pub async fn campaign_hours(&self) -> Result<Vec<(i64, i64)>> {
        let pools = (0..SLOTS).flat_map(|slot| ["sent", "seen"].map(|what| hour_of(slot, what)));
        let taken = self.store().coupons().pools(pools.collect()).await?;
        let count = |slot, what| taken.get(&hour_of(slot, what)).copied().unwrap_or(0);
        Ok((0..SLOTS).map(|slot| (count(slot, "seen"), count(slot, "sent"))).collect())
    }

    /// Pauses a campaign, lets it go on, or stops it for good. Who did it is in the audit log.
    #[boxed]
    pub async fn halt_campaign(&self, grant: &Grant, id: &str, to: &str) -> Result<Refused<CampaignView>> {
        let before = match self.campaign(id).await? {
            Ok(view) => view.state,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if before == "stopped" && to != "stopped" {
            return Ok(Err(stopped()));
        }
        let halt = match to {
            "paused" => PAUSED,
            "stopped" => STOPPED,
            _ => 0,
        };
        let (store, target) = (self.store().as_ref(), Target::code(id));
        let noted = detail(json!({"from": before, "to": state_of(halt)}));
        audit::note(store, grant, Operation::CampaignsManage, &target, Outcome::Begun, &noted).await?;
        // Before it is: whoever finds none halted looks for no one.
        self.store().coupons().campaigns().set_pool(HALTED, 1, 1).await?;
        self.store().coupons().campaigns().set_pool(&halt_of(id), halt, STOPPED).await?;
        let after = self.campaign(id).await?;
        // Somebody else may have stopped it right now.
        Ok(after.and_then(|view| if view.state == state_of(halt) { Ok(view) } else { Err(stopped()) }))
    }

    /// A member's runs, and what happened in them.
    #[boxed]
    pub async fn runs_of(&self, filter: &Filter, whom: &Whom, field: &str) -> Result<Refused<RunsView>> {
        let member = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored.member,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let moves = self.store().coupons().campaigns().run_moves(member.id, None, SHOWN_MAX).await?;
        let open = member.runs.open.iter().map(run).collect();
        Ok(Ok(RunsView { open, moves: moves.into_iter().map(moved).collect() }))
    }

    /// Why a member was sent something of a campaign, or not; and what would become of its messages now, with their texts.
    #[boxed]
    pub async fn why_sent(
        &self,
        filter: &Filter,
        (whom, field): (&Whom, &str),
        id: &str,
    ) -> Result<Refused<WhyView>> {
        let live = self.live()?;
        let Some(rule) = live.rules.campaigns.iter().find(|rule| rule.id == id) else {
            return unknown("campaign");
        };
        let stored = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let member = stored.member.id;
        let state = rebuild::state(self.store().as_ref(), &live.rules, stored).await?;
        let home = self.home().await?;
        let at = clock::now(&home).max(home.clock).max(state.member.decided_until);
        let cause = Cause { id: EventId::from_bytes([0; 16]), name: "outlook", clock: at, replay: false };
        let scene = Scene { rules: &live.rules, key: &home.id_key, cause, at };
        let pools = Arc::new(self.store().coupons().pools(campaign::pools(&scene, rule)).await?);
        let known = Known { pools, live_since: home.live_since, ..Known::default() };
        let outlook = campaign::outlook(&scene, &state, &known, rule);
        let mut variables = campaign::variables(&scene, &state, rule, campaign::Of::AHEAD);
        said::Said::shown(&live.playbook, &mut variables);
        let now = outlook.sends.into_iter().map(|(message, channel, checked)| {
            let (verdict, later) = match checked.verdict {
                campaign::guard::Verdict::Send => ("send", None),
                campaign::guard::Verdict::Later(at) => ("later", Some(at.rfc3339())),
                campaign::guard::Verdict::Never => ("never", None),
            };
            let rails = checked.trace.into_iter().map(|(rail, word)| (rail.to_owned(), word));
            let text = live.said.text_on(&message, &channel, &variables);
            WouldSend {
                text: sight::said(filter.mask, Some(&live.playbook), &variables, text),
                message,
                channel,
                verdict: verdict.to_owned(),
                later,
                rails: rails.collect(),
            }
        });
        let now = now.collect();
        let moves = self.store().coupons().campaigns().run_moves(member, Some(id), SHOWN_MAX).await?;
        let open = state.member.runs.open.iter().filter(|run| run.campaign == id).map(run).collect();
        Ok(Ok(WhyView {
            campaign: id.to_owned(),
            state: state_of(known.pools.get(&halt_of(id)).copied().unwrap_or(0)).to_owned(),
            open,
            moves: moves.into_iter().map(moved).collect(),
            cannot_begin: outlook.begins.err().map(str::to_owned),
            held_out: outlook.held,
            now,
        }))
    }

    /// What was said to a member on a channel, newest first; where `open` is true, only what nobody saw yet.
    #[boxed]
    pub async fn notes_of(
        &self,
        filter: &Filter,
        (whom, field): (&Whom, &str),
        channel: &str,
        open: bool,
    ) -> Result<Refused<Vec<NoteView>>> {
        let member = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored.member.id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let notes = self.store().coupons().campaigns().notes_of(member, Some(channel), SHOWN_MAX).await?;
        let shown = notes.iter().filter(|stored| !open || stored.note.state == NoteState::Open);
        let live = self.live().ok();
        let playbook = live.as_ref().map(|live| &live.playbook);
        Ok(Ok(shown.map(|stored| NoteView::of(stored, filter.mask, playbook)).collect::<Result<_>>()?))
    }

    /// Tasks of advisors that are open, oldest first, of members whom a filter reaches.
    #[boxed]
    pub async fn tasks(&self, filter: &Filter) -> Result<Vec<NoteView>> {
        let live = self.live().ok();
        let playbook = live.as_ref().map(|live| &live.playbook);
        let (mut shown, mut reached) = (Vec::new(), BTreeMap::new());
        let (mut looked, mut after) = (0, None);
        while looked < LOOKED_MAX {
            let notes = self.store().coupons().campaigns().open_notes(ADVISOR, after, SHOWN_MAX).await?;
            for stored in &notes {
                let member = stored.note.member;
                if let std::collections::btree_map::Entry::Vacant(entry) = reached.entry(member) {
                    entry.insert(self.reachable(filter, &Whom::Id(member), "member").await?.is_ok());
                }
                if reached.get(&member) == Some(&true) {
                    shown.push(NoteView::of(stored, filter.mask, playbook)?);
                }
                if shown.len() == SHOWN_MAX {
                    return Ok(shown);
                }
            }
            looked += notes.len();
            let Some(last) = notes.last().filter(|_| notes.len() == SHOWN_MAX) else { break };
            after = Some((last.note.at, last.note.id));
        }
        Ok(shown)
    }

    /// Whose something that was said is: for who answers it.
    #[boxed]
    pub async fn note_of(
        &self,
        filter: &Filter,
        id: &str,
        field: &str,
    ) -> Result<Refused<(MemberId, NoteView)>> {
        let unknown = || Refusal::new("message_unknown", field, "nothing of this id was said to anybody");
        let Some(id) = NoteId::from_hex(id) else { return Ok(Err(unknown())) };
        let Some(stored) = self.store().coupons().campaigns().note(id).await? else {
            return Ok(Err(unknown()));
        };
        let member = stored.note.member;
        if self.reachable(filter, &Whom::Id(member), field).await?.is_err() {
            return Ok(Err(unknown()));
        }
        let live = self.live().ok();
        let playbook = live.as_ref().map(|live| &live.playbook);
        Ok(Ok((member, NoteView::of(&stored, filter.mask, playbook)?)))
    }
}
