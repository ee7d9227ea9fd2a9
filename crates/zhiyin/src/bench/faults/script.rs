//! The schedule of a seed: what comes in and what is asked for, and what goes wrong meanwhile. All of it is drawn before
//! anything runs, so that a seed replays exactly and a schedule can be played with a part left out.
//!
//! Business time has two ways, as in production. While history comes in everybody's time is their own: no timers fire but
//! those of whom an item is about. Once business runs they fire as far as the home's clock. Between the two all is
//! brought to rest, as an import does.

use zhiyin_model::time::{DAY_US, HOUR_US, Ts};

use super::chance::Chance;
use super::items::{self, SHOP, Shop, TILL};
use super::promises;

/// When business begins: 2018-01-01 11:30 in the brand's zone.
pub const BEGINS: Ts = Ts(1_514_777_400_000_000);
/// How long all timers are waited for at the end.
const SILENCE_US: i64 = 40 * DAY_US;

/// What a seed does.
pub struct Script {
    /// How many engines share the home.
    pub hands: usize,
    /// Whether several members speak of the same orders: then a home with several shares may come to another state, and a
    /// good one.
    pub contested: bool,
    /// One after the other.
    pub acts: Vec<Act>,
}

impl Script {
    /// The same without a part of it, but for what parts history from business.
    pub fn without(&self, from: usize, count: usize) -> Self {
        let part = from..from.saturating_add(count);
        let stays = |n: usize, act: &Act| {
            !part.contains(&n) || matches!(act, Act::Settle(Settle { boundary: true, .. }))
        };
        let acts = self.acts.iter().enumerate().filter(|(n, act)| stays(*n, act));
        Self {
            hands: self.hands,
            contested: self.contested,
            acts: acts.map(|(_, act)| act.clone()).collect(),
        }
    }
}

/// One step of a schedule.
#[derive(Clone, Debug)]
pub enum Act {
    /// Items come in.
    Append(Append),
    /// An engine takes a batch.
    Step(Step),
    /// All that waits is decided and timers fire up to an instant: a moment at which every way of playing must have come
    /// to the same.
    Settle(Settle),
    /// A version of the playbook is applied.
    Apply(Apply),
    /// Dead letters are put back.
    Retry(Retry),
    /// An engine gives up its shares.
    Release(usize),
}

/// Items of one source.
#[derive(Clone)]
pub struct Append {
    /// Who sends.
    pub source: &'static str,
    /// Whether it is history.
    pub replay: bool,
    /// Business now.
    pub now: Ts,
    /// The items.
    pub items: Vec<Vec<u8>>,
    /// Through which engine.
    pub hand: usize,
    /// What goes wrong.
    pub trouble: Trouble,
}

impl std::fmt::Debug for Append {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.replay { "history" } else { "live" };
        write!(
            f,
            "Append({kind} of {} at {}, engine {}, {:?}",
            self.source, self.now, self.hand, self.trouble
        )?;
        for item in &self.items {
            write!(f, "\n      {}", String::from_utf8_lossy(item))?;
        }
        write!(f, ")")
    }
}

/// A batch to be taken.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// By which engine.
    pub hand: usize,
    /// How it comes by its shares.
    pub take: Take,
    /// How many events or timers at most.
    pub limit: usize,
    /// How far behind the home's clock timers stay, in microseconds; `None` while history comes in: none fires.
    pub behind_us: Option<i64>,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// How an engine comes by shares.
#[derive(Clone, Copy, Debug)]
pub enum Take {
    /// It asks, as always; others may hold them.
    Asks,
    /// Others give them up first.
    Handed,
    /// They are taken from others who do not know: as if these had been silent for too long.
    Stolen,
}

/// What goes wrong in a step.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Nothing.
    None,
    /// The n-th call to the store fails, before it was done or after.
    Fails {
        /// Which.
        call: u32,
        /// After it was done.
        late: bool,
    },
    /// The process ends at the n-th call to the store, and gives nothing up.
    Killed {
        /// Which.
        call: u32,
        /// After it was done.
        late: bool,
    },
    /// Nobody waits any more for what was begun, from the n-th call on.
    Dropped {
        /// Which.
        call: u32,
        /// After it was done.
        late: bool,
    },
    /// The commit is kept back while another engine takes the shares over and takes so many batches.
    Slow {
        /// By whom.
        other: usize,
        /// How many.
        batches: u32,
    },
    /// The machine loses its power while the step is being written, or the server ends.
    Disaster {
        /// Decides what is left of the log.
        chance: u64,
        /// Before the write reached the log; else while it did.
        before: bool,
    },
}

/// A moment of rest.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// Up to which instant timers fire.
    pub until: Ts,
    /// Whether it parts history from business, so that no schedule may leave it out.
    pub boundary: bool,
    /// Decides who does it and what goes wrong.
    pub chance: u64,
}

/// A new version, once all is at rest as of then.
#[derive(Clone, Copy, Debug)]
pub struct Apply {
    /// Which.
    pub version: usize,
    /// As of when.
    pub at: Ts,
    /// Decides who does it and what goes wrong.
    pub chance: u64,
}

/// Dead letters to be put back: of those that were there when all was last at rest, whatever waits now.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Which: a bit for each, in the order of their names.
    pub which: u64,
    /// As of when.
    pub at: Ts,
    /// Decides who does it and what goes wrong.
    pub chance: u64,
}

/// The schedule of a seed, of at least so many steps.
pub fn script(seed: u64, steps: usize) -> Script {
    let mut chance = Chance::new(seed);
    let hands = 2 + usize::from(chance.one_in(4));
    let (history, contested) = (chance.one_in(2), chance.one_in(3));
    let mut writer = Writer {
        chance,
        shop: Shop::new(contested),
        now: BEGINS,
        story: history.then_some(BEGINS.plus_us(-40 * DAY_US)),
        turns_in: 0,
        version: 0,
        hands,
        acts: Vec::with_capacity(steps + 8),
    };
    while writer.acts.len() < steps {
        writer.next();
    }
    writer.settle(writer.now, false);
    writer.settle(writer.now.plus_us(SILENCE_US), false);
    Script { hands, contested, acts: writer.acts }
}

struct Writer {
    chance: Chance,
    shop: Shop,
    now: Ts,
    /// While history comes in: how far it has come.
    story: Option<Ts>,
    /// Since how many turns it does, or does not.
    turns_in: u64,
    version: usize,
    hands: usize,
    acts: Vec<Act>,
}

/// What may come next.
#[derive(Clone, Copy)]
enum Turn {
    Append,
    Step,
    Release,
    Rest,
    Retry,
    Apply,
}

impl Writer {
    fn next(&mut self) {
        self.turns_in += 1;
        let turn_over = if self.story.is_some() { 60 } else { 160 };
        if self.turns_in > 20 && self.chance.one_in(turn_over) {
            self.turn_over();
        }
        let turns = [
            (100, Turn::Append),
            (150, Turn::Step),
            (8, Turn::Release),
            (5, Turn::Rest),
            (5, Turn::Retry),
            (3, Turn::Apply),
        ];
        match self.chance.weigh(&turns, Turn::Step) {
            Turn::Append => self.append(),
            Turn::Step => self.step(),
            Turn::Release => {
                let hand = self.hand();
                self.acts.push(Act::Release(hand));
            }
            Turn::Rest => self.settle(self.until(), false),
            Turn::Retry => {
                let (which, chance) = (self.chance.draw(), self.chance.draw());
                self.acts.push(Act::Retry(Retry { which, at: self.now, chance }));
            }
            // A version is dated at business now, which history does not have.
            Turn::Apply if self.story.is_some() => self.step(),
            Turn::Apply => {
                self.version = (self.version + 1) % promises::COUNT;
                let (version, at, chance) = (self.version, self.now, self.chance.draw());
                self.acts.push(Act::Apply(Apply { version, at, chance }));
            }
        }
    }

    fn hand(&mut self) -> usize {
        usize::try_from(self.chance.below(self.hands as u64)).unwrap_or(0)
    }

    /// History is in, or begins to come in.
    fn turn_over(&mut self) {
        self.turns_in = 0;
        let until = self.now;
        // As an import ends: all that came in meanwhile is decided before time goes by.
        if self.story.is_some() {
            self.settle(Ts::MIN, true);
        }
        self.settle(until, true);
        self.story = match self.story {
            Some(_) => None,
            None => Some(self.now.plus_us(-self.chance.between(1, 30) * DAY_US)),
        };
    }

    /// How far timers may fire while all is at rest.
    fn until(&self) -> Ts {
        if self.story.is_some() { Ts::MIN } else { self.now }
    }

    fn settle(&mut self, until: Ts, boundary: bool) {
        let chance = self.chance.draw();
        self.acts.push(Act::Settle(Settle { until, boundary, chance }));
    }

    /// Time goes by: mostly a little, sometimes days at once, and sometimes it is set back.
    fn pass(&mut self) {
        let chance = &mut self.chance;
        let hours = match chance.below(100) {
            0..=34 => 0,
            35..=81 => chance.between(1, 30),
            82..=92 => chance.between(24, 120),
            93..=95 => chance.between(72, 480),
            _ => chance.between(-240, -1),
        };
        match &mut self.story {
            Some(story) => *story = story.plus_us((hours / 4).max(-48) * HOUR_US).min(self.now),
            None => self.now = self.now.plus_us(hours * HOUR_US),
        }
    }

    fn append(&mut self) {
        self.pass();
        let source = if self.chance.one_in(4) { SHOP } else { TILL };
        let n = 1 + self.chance.below(4);
        let happens = self.story.unwrap_or(self.now);
        let mut items = Vec::new();
        for _ in 0..n {
            let when = happens.plus_us(-items::lag_us(&mut self.chance));
            items.push(self.shop.item(&mut self.chance, source, when));
        }
        let troubles = [(78, 0), (13, 1), (7, 2), (2, 3)];
        let late = self.chance.one_in(2);
        let trouble = match self.chance.weigh(&troubles, 0) {
            1 => Trouble::Fails { call: 0, late },
            2 => Trouble::Killed { call: 0, late },
            3 => Trouble::Disaster { chance: self.chance.draw(), before: late },
            _ => Trouble::None,
        };
        let (replay, now, hand) = (self.story.is_some(), self.now, self.hand());
        self.acts.push(Act::Append(Append { source, replay, now, items, hand, trouble }));
    }

    fn step(&mut self) {
        let hand = self.hand();
        let limit = usize::try_from(1 + self.chance.below(8)).unwrap_or(1);
        let takes = [(70, Take::Asks), (15, Take::Handed), (15, Take::Stolen)];
        let take = self.chance.weigh(&takes, Take::Asks);
        let behind = if self.chance.one_in(4) { self.chance.between(0, 5 * DAY_US) } else { 0 };
        let behind_us = self.story.is_none().then_some(behind);
        let (call, late) = (u32::try_from(self.chance.below(10)).unwrap_or(0), self.chance.one_in(2));
        let troubles = [(63, 0), (15, 1), (7, 2), (6, 3), (8, 4), (1, 5)];
        let trouble = match self.chance.weigh(&troubles, 0) {
            1 => Trouble::Fails { call, late },
            2 => Trouble::Killed { call, late },
            3 => Trouble::Dropped { call, late },
            4 => Trouble::Slow { other: self.other(hand), batches: 1 + call % 4 },
            5 => Trouble::Disaster { chance: self.chance.draw(), before: late },
            _ => Trouble::None,
        };
        self.acts.push(Act::Step(Step { hand, take, limit, behind_us, trouble }));
    }

    fn other(&mut self, hand: usize) -> usize {
        (hand + 1 + usize::try_from(self.chance.below(self.hands as u64 - 1)).unwrap_or(0)) % self.hands
    }
}
