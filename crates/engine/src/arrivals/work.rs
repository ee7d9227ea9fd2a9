//! What was kept is worked on: welcomes first, then news, in the order in which things came.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;
use zhiyin_reach::arrival::{Ask, News, Welcome};
use zhiyin_reach::wecom::callback::{Notice, xml};
use zhiyin_reach::wecom::{CHANNEL, NAMESPACE};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState, Became};
use zhiyin_store::{Home, StoreError, seal};

use super::{Errand, Errands, KEPT_DAYS, NEWS, WELCOME};
use crate::accept::{REUSED, Source, Ties, Verdict};
use crate::boxed;
use crate::platforms::Came;
use crate::sends::SOURCE;
use crate::{Engine, Result, clock};

/// How many are taken of a lane at a time.
const AT_ONCE: usize = 200;
/// How long one process has what it took, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_millis(200);
/// How long to wait before trying a database again that did not answer.
const OUT_OF_REACH: Duration = Duration::from_secs(1);
/// How often what is done and old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// How many are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 1_000;
/// How long what nobody can do yet waits, in microseconds: longer each time, an hour at most.
const WAIT_US: i64 = 60_000_000;
const WAIT_US_MAX: i64 = 3_600_000_000;
/// Why something waits that only the platform can answer.
pub const NEEDS_ERRAND: &str = "needs_errand";

/// How many were worked on, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Items came of them, or nothing was to be made of them.
    pub done: usize,
    /// They wait for an errand.
    pub waiting: usize,
    /// They could not be understood, or were refused.
    pub failed: usize,
    /// Their time was over, or they were erased.
    pub dropped: usize,
}

impl Worked {
    /// How many there were.
    pub const fn all(self) -> usize {
        self.done + self.waiting + self.failed + self.dropped
    }

    fn count(&mut self, state: ArrivalState) {
        match state {
            ArrivalState::Done => self.done += 1,
            ArrivalState::Waiting => self.waiting += 1,
            ArrivalState::Failed => self.failed += 1,
            ArrivalState::Dropped => self.dropped += 1,
        }
    }
}

/// What became of one, and when it is worked on next.
type Outcome = (ArrivalState, Ts, Option<String>);

#[derive(Deserialize)]
struct KeptNews {
    account: String,
    text: String,
}

#[derive(Deserialize)]
struct KeptWelcome {
    account: String,
    staff: String,
    customer: String,
    way: Option<String>,
    code: String,
    until: i64,
}

impl Engine {
    /// Works on what came, again and again, until told to stop.
    pub async fn work_arrivals(&self, errands: Option<Arc<dyn Errands>>, stop: impl Future) {
        let mut stop = pin!(stop);
        let mut forgot = clock::stopwatch();
        loop {
            let rest = match self.work_on_arrivals(errands.as_deref(), clock::wall()).await {
                Ok(worked) if worked.done + worked.failed + worked.dropped > 0 => Duration::ZERO,
                Ok(_) => REST,
                Err(error) => {
                    tracing::warn!(%error, "what came from platforms is not worked on for now");
                    OUT_OF_REACH
                }
            };
            if forgot.elapsed() >= FORGET_EVERY {
                forgot = clock::stopwatch();
                if let Err(error) = self.forget_arrivals(clock::wall()).await {
                    tracing::warn!(%error, "what came long ago is not forgotten for now");
                }
            }
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Forgets what is done and came long ago; how many.
    #[boxed]
    pub async fn forget_arrivals(&self, wall: Ts) -> Result<usize> {
        let before = wall.plus_us(-KEPT_DAYS * zhiyin_model::time::DAY_US);
        let arrivals = self.store().coupons().campaigns().arrivals();
        let mut all = 0;
        loop {
            let n = arrivals.forget_arrivals(before, FORGOTTEN_AT_ONCE).await?;
            all += n;
            if n < FORGOTTEN_AT_ONCE {
                return Ok(all);
            }
        }
    }

    /// Works on what is due, once through.
    #[boxed]
    pub async fn work_on_arrivals(&self, errands: Option<&dyn Errands>, wall: Ts) -> Result<Worked> {
        let mut worked = Worked::default();
        for lane in [WELCOME, NEWS] {
            let arrivals = self.store().coupons().campaigns().arrivals();
            let until = wall.plus_us(LENT_US);
            let lent = arrivals.lend_arrivals((CHANNEL, lane), wall, until, AT_ONCE).await?;
            if lent.is_empty() {
                continue;
            }
            let home = self.home().await?;
            let mut became = Vec::with_capacity(lent.len());
            for arrival in &lent {
                let (state, due, why) = self.work_on(&home, errands, arrival, wall).await?;
                worked.count(state);
                self.measures.arrivals().worked(CHANNEL, lane_name(lane), state.name());
                became.push(Became { id: arrival.id, tries: arrival.tries, state, due, why });
            }
            arrivals.note_arrivals(became).await?;
        }
        Ok(worked)
    }

    async fn work_on(
        &self,
        home: &Home,
        errands: Option<&dyn Errands>,
        arrival: &Arrival,
        wall: Ts,
    ) -> Result<Outcome> {
        let over = |state, why: &str| Ok((state, arrival.due, Some(why.to_owned())));
        let body = match seal::open(&arrival.body) {
            Err(StoreError::Erased) => return over(ArrivalState::Dropped, "erased"),
            body => body?,
        };
        if arrival.lane == WELCOME {
            let Ok(kept) = serde_json::from_str(&body) else {
                return over(ArrivalState::Failed, "unreadable");
            };
            return Ok(welcome(errands, kept, arrival, wall).await);
        }
        let kept: Option<KeptNews> = serde_json::from_str(&body).ok();
        let read = kept.and_then(|kept| Some((kept.account, xml::read(kept.text.as_bytes()).ok()?)));
        let Some((account, root)) = read else { return over(ArrivalState::Failed, "unreadable") };
        let notice = Notice::read(&root);
        let at = notice.at.map_or(arrival.at, |seconds| Ts(seconds.saturating_mul(1_000_000)));
        let news = notice.told.news();
        if news.is_empty() {
            return over(ArrivalState::Done, "nothing_to_do");
        }
        let items = self.items(&account, &news, (arrival, at.plus_us(home.offset_us)))?;
        if let Some(refused) = self.put(&items).await? {
            return over(ArrivalState::Failed, refused);
        }
        for one in &news {
            let News::ContactBegun { account: staff, customer, half: false, way: Some(way) } = one else { continue };
            let way = way.split_once('~').map_or(way.as_str(), |(touchpoint, _)| touchpoint);
            let came = Came::new(way.to_owned(), staff.clone(), customer.clone(), at.plus_us(home.offset_us));
            self.came_by(&account, &came, wall).await?;
        }
        for one in &news {
            let News::Ask(ask) = one else { continue };
            match asked(errands, &account, ask, arrival, wall).await {
                (ArrivalState::Done, ..) => {}
                outcome => return Ok(outcome),
            }
        }
        Ok((ArrivalState::Done, arrival.due, None))
    }

    /// Puts items into the inbox; the name of what is wrong with one.
    async fn put(&self, items: &[Vec<u8>]) -> Result<Option<&'static str>> {
        if items.is_empty() {
            return Ok(None);
        }
        let source = Source {
            name: format!("{SOURCE}{CHANNEL}"),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let refused = |verdict: Verdict| match verdict {
            // The same id is the same news, though the clock of a demo was moved meanwhile.
            Verdict::Refused(refusal) if refusal.code != REUSED => Some(refusal.code),
            _ => None,
        };
        Ok(self.accept(&source, items, None).await?.into_iter().find_map(refused))
    }

    /// The items that news come to.
    fn items(&self, account: &str, news: &[News], (arrival, at): (&Arrival, Ts)) -> Result<Vec<Vec<u8>>> {
        let mut items = Vec::new();
        for one in news {
            let mut properties = Map::new();
            properties.insert("channel".to_owned(), CHANNEL.into());
            properties.insert("account_of".to_owned(), account.into());
            let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
            let (name, customers): (_, &[String]) = match one {
                News::ContactBegun { account, customer, half, way } => {
                    put("account", account.as_str().into());
                    put("half", (*half).into());
                    let (touchpoint, campaign) = self.touchpoint(way.as_deref())?;
                    put("touchpoint", touchpoint.into());
                    campaign.into_iter().for_each(|campaign| put("campaign", campaign.into()));
                    way.iter().for_each(|way| put("way", way.as_str().into()));
                    (names::CONTACT_ADDED, std::slice::from_ref(customer))
                }
                News::ContactEnded { account, customer, by } => {
                    put("account", account.as_str().into());
                    put("by", by.name().into());
                    (names::CONTACT_LOST, std::slice::from_ref(customer))
                }
                News::NotHandedOver { account, customer, reason } => {
                    put("account", account.as_str().into());
                    put("reason", reason.as_str().into());
                    (names::CONTACT_KEPT, std::slice::from_ref(customer))
                }
                News::Group { group, customers, joined, how } => {
                    put("group", group.as_str().into());
                    how.iter().for_each(|how| put("how", (*how).into()));
                    (if *joined { names::GROUP_JOINED } else { names::GROUP_LEFT }, customers)
                }
                News::Ask(_) => continue,
            };
            for customer in customers {
                let item = json!({
                    "type": "track",
                    "event": name,
                    "messageId": format!("{}-{}", arrival.id, items.len()),
                    "timestamp": at.rfc3339(),
                    "context": {"externalIds": [{"id": customer, "type": NAMESPACE}]},
                    "properties": properties,
                });
                items.push(item.to_string().into_bytes());
            }
        }
        Ok(items)
    }

    /// Where somebody was met who came by a way, and of which campaign that is. A way is called `TOUCHPOINT` or `TOUCHPOINT~CAMPAIGN`,
    /// by the playbook's names; by any other they came by the channel itself.
    fn touchpoint(&self, way: Option<&str>) -> Result<(String, Option<String>)> {
        let live = self.live()?;
        let (touchpoint, campaign) = match way.map(|way| way.split_once('~').unwrap_or((way, ""))) {
            Some((touchpoint, campaign)) if live.playbook.touchpoints.contains_key(touchpoint) => (
                touchpoint,
                Some(campaign).filter(|campaign| live.playbook.campaigns.contains_key(*campaign)),
            ),
            _ => (CHANNEL, None),
        };
        Ok((touchpoint.to_owned(), campaign.map(str::to_owned)))
    }
}

/// The name of a lane as it is counted.
fn lane_name(lane: &str) -> &'static str {
    if lane == WELCOME { WELCOME } else { NEWS }
}

/// Welcomes somebody, unless the time for it is over.
async fn welcome(errands: Option<&dyn Errands>, kept: KeptWelcome, arrival: &Arrival, wall: Ts) -> Outcome {
    let over = |state, why: &str| (state, arrival.due, Some(why.to_owned()));
    if wall.0.div_euclid(1_000_000) >= kept.until {
        return over(ArrivalState::Dropped, "too_late");
    }
    let Some(errands) = errands else { return over(ArrivalState::Dropped, "nobody_welcomes") };
    let KeptWelcome { account, staff, customer, way, code, until } = kept;
    let welcome = Welcome { account: staff, customer, way, code, until };
    match errands.welcome(&account, &welcome).await {
        Errand::Done => (ArrivalState::Done, arrival.due, None),
        Errand::Later(at, why) => (ArrivalState::Waiting, at, Some(why.to_owned())),
        Errand::Never(why) => over(ArrivalState::Failed, why),
    }
}

/// Asks the platform; where nobody does, it waits, longer each time.
async fn asked(
    errands: Option<&dyn Errands>,
    account: &str,
    ask: &Ask,
    arrival: &Arrival,
    wall: Ts,
) -> Outcome {
    let Some(errands) = errands else {
        let doubled = u32::try_from(arrival.tries.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
        let wait = WAIT_US.saturating_mul(1 << doubled).min(WAIT_US_MAX);
        return (ArrivalState::Waiting, wall.plus_us(wait), Some(format!("{NEEDS_ERRAND}: {}", ask.name())));
    };
    match errands.ask(account, ask).await {
        Errand::Done => (ArrivalState::Done, arrival.due, None),
        Errand::Later(at, why) => (ArrivalState::Waiting, at, Some(why.to_owned())),
        Errand::Never(why) => (ArrivalState::Failed, arrival.due, Some(why.to_owned())),
    }
}
