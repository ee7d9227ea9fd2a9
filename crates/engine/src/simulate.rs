//! What would it have cost? The record of a home replayed in memory under a changed playbook, beside the live one replayed the
//! same way (M6). Nothing is written.
//!
//! Members do not see each other's state, so they are replayed one after the other, a bounded part at a time: the events that
//! were decided for them in their order, with timers between, through the very decisions that the pipeline makes
//! ([`life`]). Offers are charged by quoting each recorded order exactly ([`till`]), those alone that differ and what they
//! interact with ([`charged`]). Everybody is assumed to have done what the record says; docs/simulate.md says what else
//! the numbers rest on.

mod books;
mod charged;
mod life;
mod play;
mod tally;
mod till;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::task::JoinSet;
use zhiyin_condition::Leaves;
use zhiyin_decide::campaign::text::Texts;
use zhiyin_decide::rules::Rules;
use zhiyin_model::id::MemberId;
use zhiyin_model::place::PlaceKind;
use zhiyin_model::playbook::{self, Names, Playbook};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::crowd::{Course, Refused};

use crate::boxed;
use crate::campaigns::said::Said;
use crate::{Engine, EngineError, Live, Result, clock};
use play::{Audiences, Frame, Player};
use tally::Tally;
pub use tally::{CampaignSum, GroupSum, Grouping, OfferSum};
use till::Where;
pub use told::{
    ASSUMED, Behaviour, CampaignTold, GroupTold, Measure, MembersTold, MonthTold, OfferTold, Reproduced,
    Shown, Simulated, TierShift,
};

/// How many members are read at once.
const PART_MEMBERS: usize = 24;
/// How many parts are replayed side by side at most.
const PLAYERS_MAX: usize = 8;
/// The most refused items whose moments are taken account of.
const REFUSED_MAX: usize = 1_000_000;
/// The most named audiences that members are grouped by.
const AUDIENCES_MAX: usize = 64;

/// How many members are replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// All of them.
    #[default]
    All,
    /// So many. Ids are keyed hashes, so the first of them are drawn by nothing that could matter.
    Members(u64),
    /// So many hundredths of a per cent of them.
    Share(u32),
}

impl Sample {
    /// Reads `1000` or `2.5%`.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(share) = text.trim().strip_suffix('%') else {
            return text.trim().parse().ok().filter(|members| *members > 0).map(Self::Members);
        };
        let (whole, parts) = share.split_once('.').unwrap_or((share, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() > 2 || !digits(whole) || !digits(parts) {
            return None;
        }
        let hundredths: u32 = format!("{whole}{parts:0<2}").parse().ok()?;
        (1..=10_000).contains(&hundredths).then_some(Self::Share(hundredths))
    }
}

/// What is simulated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulation {
    /// The day from which on the changed playbook holds; from the beginning, where it is left out.
    pub from: Option<Day>,
    /// The last day; business now, where it is left out.
    pub to: Option<Day>,
    /// How many members.
    pub sample: Sample,
}

/// How a simulation goes on beside other work, for whoever waits for it.
#[derive(Debug)]
pub struct Aside {
    /// How many parts are replayed side by side at most.
    players_max: usize,
    /// How much of it is done, in thousandths.
    done: AtomicU32,
}

impl Default for Aside {
    /// On all cores, for nobody who looks.
    fn default() -> Self {
        Self { players_max: cores(), done: AtomicU32::new(0) }
    }
}

impl Aside {
    /// On half of the cores, so that what comes in meanwhile is decided.
    pub fn modest() -> Self {
        Self { players_max: (cores() / 2).max(1), ..Self::default() }
    }

    /// How much of it is done, in thousandths: of members, whose records differ in length.
    pub fn done_thousandths(&self) -> u32 {
        self.done.load(Ordering::Relaxed)
    }

    fn has_read(&self, last: MemberId, read: u64, sample: Sample) {
        let (part, whole) = match sample {
            Sample::All => (place_of(last), IDS),
            Sample::Share(hundredths) => (place_of(last), IDS * u128::from(hundredths) / 10_000),
            Sample::Members(members) => (u128::from(read), u128::from(members)),
        };
        let done = (1000 * part).checked_div(whole).unwrap_or(1000).min(1000);
        self.done.store(u32::try_from(done).unwrap_or(1000), Ordering::Relaxed);
    }
}

/// How many parts may be replayed side by side.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(PLAYERS_MAX)
}

/// Why something cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulationProblem {
    /// The brand's currency differs.
    #[error("the changed playbook is in {0}, what was recorded is in {1}")]
    Currency(String, String),
    /// The first day comes after the last.
    #[error("from {0} to {1}: the first day comes after the last")]
    Backwards(String, String),
    /// A part was not replayed to its end.
    #[error("a part of members was not replayed: {0}")]
    Part(String),
}

impl SimulationProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Currency(..) => "simulation_currency",
            Self::Backwards(..) => "simulation_backwards",
            Self::Part(_) => "reading_failed",
        }
    }

    /// The field at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Currency(..) => "source",
            Self::Backwards(..) => "to",
            Self::Part(_) => "",
        }
    }
}

impl Engine {
    /// Whether this can be simulated.
    pub fn can_simulate(&self, changed: &Playbook, asked: &Simulation) -> Result<()> {
        let live = self.live()?;
        if changed.currency != live.playbook.currency {
            let (new, old) = (changed.currency.code.clone(), live.playbook.currency.code.clone());
            return Err(SimulationProblem::Currency(new, old).into());
        }
        if let (Some(from), Some(to)) = (asked.from, asked.to)
            && from > to
        {
            return Err(SimulationProblem::Backwards(from.to_string(), to.to_string()).into());
        }
        Ok(())
    }

    /// Replays the record under a changed playbook and under the live one, and says what differs. Only what is decided is
    /// replayed: what waits is not.
    pub async fn simulate(&self, changed: &Playbook, asked: Simulation) -> Result<Simulated> {
        self.simulate_aside(changed, asked, &Aside::default()).await
    }

    /// The same beside other work. Dropped, it reads nothing more, and of what was read what is being replayed (at most as many
    /// parts as there are players) is replayed to its end.
    #[boxed]
    pub async fn simulate_aside(
        &self,
        changed: &Playbook,
        asked: Simulation,
        aside: &Aside,
    ) -> Result<Simulated> {
        self.can_simulate(changed, &asked)?;
        let (live, home) = (self.live()?, self.home().await?);
        let zone = &live.rules.zone;
        let now = clock::now(&home);
        let end = asked.to.map_or(now, |to| zone.end(to).min(now));
        let from = asked.from.map_or(Ts::MIN, |from| zone.start(from));
        // Campaigns act as they did under the live rules, and as if the home had been live from the first day under the changed.
        let acts_earlier = home.live_since.is_none_or(|since| from < since);
        let given = charged::given(&live.playbook, changed, acts_earlier);
        let charged = charged::charged(&live.playbook, changed, &given);
        let old = charged::only(&live.playbook, &charged);
        let new = charged::only(changed, &charged);
        // What campaigns give is issued though it is not charged: nobody holds it at the tills of the replay.
        let mut kept = charged::given(&live.playbook, changed, true);
        kept.extend(charged::given(changed, &live.playbook, true));
        kept.extend(charged.iter().cloned());
        let compile = |playbook: &Playbook, plays: Option<Ts>| {
            let rules = Rules::compile(&charged::only(playbook, &kept)).map_err(EngineError::Playbook)?;
            let texts: Arc<dyn Texts> = Arc::new(Said::of(playbook));
            Ok::<_, EngineError>(Rules { plays, texts: Some(texts), ..rules })
        };
        let (old_rules, new_rules) =
            (compile(&live.playbook, home.live_since)?, compile(changed, Some(from))?);
        let frame = Arc::new(Frame {
            key: home.id_key.clone(),
            from,
            end,
            charges: !charged.is_empty(),
            stores: self.stores(&live).await?,
            refused: self.refused().await?,
            worth: changed.points.worth.or(live.playbook.points.worth),
            currency: live.playbook.currency.clone(),
        });
        let audiences = Arc::new(audiences(changed)?);
        let player = || Player {
            frame: Arc::clone(&frame),
            live: play::side(&old_rules, &old.offering),
            changed: play::side(&new_rules, &new.offering),
            audiences: Arc::clone(&audiences),
            tally: Tally::default(),
        };
        let (tally, factor_thousandths) = self.played(player, asked.sample, aside).await?;
        let named = charged.iter().map(|id| {
            let offer = new.offering.offer(id).or_else(|| old.offering.offer(id));
            (id.clone(), offer.map(|offer| offer.name.clone()).unwrap_or_default())
        });
        let mut notes = self.notes(&live, &tally, (&old, &new)).await?;
        notes.extend(charged::notes(&new.offering, &given));
        let campaigns = told::campaigns(&live.playbook, changed);
        notes.extend(told::of_campaigns(&campaigns, home.live_since));
        let changes = playbook::diff(&live.playbook, changed);
        let worth = frame.worth.map(|worth| (worth.major * frame.currency.minor_per_major(), worth.points));
        let beside = told::Beside {
            currency: frame.currency.clone(),
            from: asked.from.map(|_| from.rfc3339()),
            to: end.rfc3339(),
            changes: changes.iter().map(|change| Names::both(&change.zh, &change.en)).collect(),
            charged: named.collect(),
            campaigns,
            notes,
            worth,
            sample: asked.sample != Sample::All,
            factor_thousandths,
        };
        Ok(Simulated::of(&tally, beside))
    }

    /// Reads members part by part and has them replayed, as many parts side by side as there are cores; what they came to, and
    /// what a sample is multiplied by.
    async fn played(
        &self,
        player: impl Fn() -> Player,
        sample: Sample,
        aside: &Aside,
    ) -> Result<(Tally, i64)> {
        let mut idle: Vec<Player> = (0..aside.players_max).map(|_| player()).collect();
        let mut playing: JoinSet<Result<Player>> = JoinSet::new();
        let broken = |error: tokio::task::JoinError| SimulationProblem::Part(error.to_string());
        let (mut after, mut read, mut at_end) = (None, 0u64, false);
        while !at_end {
            let (part, ended) = self.part(after, read, sample).await?;
            at_end = ended;
            after = part.last().map(|course| course.member.id).or(after);
            read += part.len() as u64;
            if let Some(last) = after {
                aside.has_read(last, read, sample);
            }
            let mut one = match idle.pop() {
                Some(one) => one,
                None => match playing.join_next().await {
                    Some(done) => done.map_err(broken)??,
                    None => player(),
                },
            };
            playing.spawn_blocking(move || {
                one.play_all(&part)?;
                Ok(one)
            });
        }
        while let Some(done) = playing.join_next().await {
            idle.push(done.map_err(broken)??);
        }
        let mut tally = Tally::default();
        for mut one in idle {
            tally.add(one.summed());
        }
        let factor_thousandths = match (sample, after) {
            (Sample::All, _) | (_, None) => 1000,
            (Sample::Share(hundredths), _) => 10_000_000 / i64::from(hundredths),
            (Sample::Members(members), _) if read < members => 1000,
            // Ids are spread evenly, so the last of them says which part of all has been read.
            (Sample::Members(_), Some(last)) => {
                i64::try_from(1000 * IDS / (place_of(last) + 1)).unwrap_or(i64::MAX)
            }
        };
        Ok((tally, factor_thousandths))
    }

    /// The next part of members, and whether it is the last.
    async fn part(&self, after: Option<MemberId>, read: u64, sample: Sample) -> Result<(Vec<Course>, bool)> {
        let limit = match sample {
            Sample::Members(members) => {
                usize::try_from(members - read).unwrap_or(usize::MAX).min(PART_MEMBERS)
            }
            _ => PART_MEMBERS,
        };
        let mut part = self.store().crowd().courses(after, limit).await?;
        let mut ended = part.len() < limit;
        match sample {
            Sample::All => {}
            Sample::Members(members) => ended |= read + part.len() as u64 >= members,
            Sample::Share(hundredths) => {
                let most = IDS * u128::from(hundredths) / 10_000;
                let before = part.len();
                part.retain(|course| place_of(course.member.id) < most);
                ended |= part.len() < before;
            }
        }
        Ok((part, ended))
    }

    /// Items that were refused, by member and place.
    async fn refused(&self) -> Result<BTreeMap<MemberId, Vec<Refused>>> {
        let mut refused: BTreeMap<MemberId, Vec<Refused>> = BTreeMap::new();
        for one in self.store().crowd().refused(REFUSED_MAX).await? {
            refused.entry(one.member).or_default().push(one);
        }
        Ok(refused)
    }

    /// Where each store lies.
    async fn stores(&self, live: &Live) -> Result<BTreeMap<String, Where>> {
        let tree = self.places().await?;
        let stores = tree.nodes().iter().filter(|node| node.place.kind == PlaceKind::Store);
        let place = |code: &str| {
            let region = tree
                .path(code)
                .iter()
                .rev()
                .find(|place| place.kind == PlaceKind::Region)
                .map(|place| place.code.to_string());
            Where { region, zone: tree.zone_of(code, &live.rules.zone) }
        };
        Ok(stores.map(|node| (node.place.code.to_string(), place(node.place.code.as_str()))).collect())
    }

    /// What the numbers do not say.
    async fn notes(
        &self,
        live: &Live,
        tally: &Tally,
        (old, new): (&Playbook, &Playbook),
    ) -> Result<Vec<Names>> {
        let mut notes = Vec::new();
        let versions = self.store().playbooks().await?.len();
        if versions > 1 {
            notes.push(Names::both(
                &format!("历史在 {versions} 个版本下产生，这里全部按现行版本 {} 重放", live.version.version),
                &format!(
                    "the record was made under {versions} versions; all of it is replayed under version {}",
                    live.version.version
                ),
            ));
        }
        if [old, new].iter().any(|playbook| till::multiplies_points(&playbook.offering)) {
            notes.push(Names::both(
                "优惠的积分倍数在重放中计入积分；若现行规则含此类优惠，重放与记录可能不同",
                "multipliers of offers count as points in the replay; where the live rules have such offers, it may differ from the record",
            ));
        }
        if !(old.offering.offers.is_empty() && new.offering.offers.is_empty()) {
            notes.push(Names::both(
                "价格取记录中的折前价，未记录的按实付计",
                "prices are those before discounts where the record tells them, else what was paid",
            ));
        }
        if tally.without_lines > 0 {
            let n = tally.without_lines;
            notes.push(Names::both(
                &format!("{n} 笔订单没有商品行，按一件无名商品计"),
                &format!("{n} orders have no lines: each counts as one piece of no product"),
            ));
        }
        if tally.joined > 0 {
            let n = tally.joined;
            notes.push(Names::both(
                &format!("{n} 名会员曾合并或拆分：两套规则下都按始终为一人重放"),
                &format!("{n} members were merged or parted: replayed as one person from the beginning under both sets of rules"),
            ));
        }
        if tally.untold + tally.erased > 0 {
            notes.push(Names::both(
                &format!("{} 名已删除的会员未计入；{} 个事件内容已过保存期", tally.erased, tally.untold),
                &format!(
                    "{} erased members are left out; {} events no longer say what they said",
                    tally.erased, tally.untold
                ),
            ));
        }
        Ok(notes)
    }
}

impl Player {
    /// What it summed up.
    fn summed(&mut self) -> Tally {
        let mut tally = std::mem::take(&mut self.tally);
        tally.live = std::mem::take(&mut self.live.sums);
        tally.changed = std::mem::take(&mut self.changed.sums);
        tally
    }
}

/// How many beginnings of ids there are.
const IDS: u128 = 1 << 64;

/// Where an id stands among all.
fn place_of(id: MemberId) -> u128 {
    id.bytes().first_chunk::<8>().map_or(0, |bytes| u128::from(u64::from_be_bytes(*bytes)))
}

/// The named audiences of a playbook.
fn audiences(playbook: &Playbook) -> Result<Audiences> {
    let mut named = Vec::new();
    for (id, audience) in playbook.audiences.iter().take(AUDIENCES_MAX) {
        let Some(who) = &audience.who else { continue };
        if let Ok(condition) = Rules::audience(playbook, &BTreeSet::new(), &who.text) {
            named.push((id.clone(), condition));
        }
    }
    let conditions = named.iter_mut().map(|(_, condition)| condition);
    let leaves = Leaves::collect(conditions, playbook.timezone.clone(), playbook.currency.exponent);
    Ok(Audiences { named, leaves })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_is_done_is_told_of_all_of_a_share_and_of_so_many() {
        let id = |first: u8| {
            let mut bytes = [0; 16];
            bytes[0] = first;
            MemberId::from_bytes(bytes)
        };
        let aside = Aside::modest();
        assert_eq!(aside.done_thousandths(), 0);
        for (last, read, sample, expected) in [
            (0x40, 10, Sample::All, 250),
            (0x40, 10, Sample::Share(5_000), 500),
            (0xff, 10, Sample::Share(100), 1000),
            (0x40, 3, Sample::Members(4), 750),
            (0x40, 9, Sample::Members(4), 1000),
        ] {
            aside.has_read(id(last), read, sample);
            assert_eq!(aside.done_thousandths(), expected, "{sample:?}");
        }
    }

    #[test]
    fn samples_are_members_or_a_share() {
        for (text, expected) in [
            ("100", Some(Sample::Members(100))),
            ("5%", Some(Sample::Share(500))),
            ("0.25%", Some(Sample::Share(25))),
            ("100%", Some(Sample::Share(10_000))),
            ("0", None),
            ("0%", None),
            ("101%", None),
            ("0.125%", None),
            ("-1", None),
            ("x%", None),
        ] {
            assert_eq!(Sample::parse(text), expected, "{text}");
        }
    }
}
