//! What was kept is worked on: welcomes first, then news, in the order in which things came.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;
use zhiyin_reach::arrival::{Ask, News, Welcome};
use zhiyin_reach::platform::Network;
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState, Became};
use zhiyin_store::{Home, StoreError, seal};

use super::kinds::{self, Kind};
use super::{Errand, Errands, Heard, KEPT_DAYS, NEWS, WELCOME};
use crate::accept::{REUSED, Source, Ties, Verdict};
use crate::boxed;
use crate::platforms::Came;
use crate::sends::SOURCE;
use crate::{Engine, Result, clock};

/// How many are taken of a lane at a time.
const AT_ONCE: usize = 200;
/// How long one process has what it took, in microseconds; of welcomes shorter, since their time is.
const LENT_US: i64 = 60_000_000;
const LENT_WELCOME_US: i64 = 6_000_000;
/// How many welcomes are said at a time.
const WELCOMES_TOGETHER: usize = 32;
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
/// Why a welcome waits of which nobody knows whether it was said.
const UNKNOWN: &str = "unknown";
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

    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.waiting += other.waiting;
        self.failed += other.failed;
        self.dropped += other.dropped;
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
pub(super) type Outcome = (ArrivalState, Ts, Option<String>);

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
    /// Works on what came, again and again, until told to stop: on welcomes beside news, so that neither waits for the other.
    pub async fn work_arrivals(&self, errands: Option<Arc<dyn Errands>>, stop: impl Future) {
        let mut stop = pin!(stop);
        let lanes = async {
            let forget = async {
                loop {
                    tokio::time::sleep(FORGET_EVERY).await;
                    if let Err(error) = self.forget_arrivals(clock::wall()).await {
                        tracing::warn!(%error, "what came long ago is not forgotten for now");
                    }
                }
            };
            let errands = errands.as_deref();
            tokio::join!(self.work_lane(errands, WELCOME), self.work_lane(errands, NEWS), forget);
        };
        tokio::select! {
            _ = &mut stop => {}
            () = lanes => {}
        }
    }

    async fn work_lane(&self, errands: Option<&dyn Errands>, lane: &'static str) {
        loop {
            let rest = match self.work_on_lane(errands, lane, clock::wall()).await {
                Ok(worked) if worked.done + worked.failed + worked.dropped > 0 => Duration::ZERO,
                Ok(_) => REST,
                Err(error) => {
                    tracing::warn!(lane, %error, "what came from platforms is not worked on for now");
                    OUT_OF_REACH
                }
            };
            tokio::time::sleep(rest).await;
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

    /// Works on what is due, once through: some welcomes, then some news.
    #[boxed]
    pub async fn work_on_arrivals(&self, errands: Option<&dyn Errands>, wall: Ts) -> Result<Worked> {
        let mut worked = self.work_on_lane(errands, WELCOME, wall).await?;
        worked.add(self.work_on_lane(errands, NEWS, wall).await?);
        Ok(worked)
    }

    /// Works on what is due of one lane, some at a time, channel by channel.
    #[boxed]
    pub async fn work_on_lane(&self, errands: Option<&dyn Errands>, lane: &str, wall: Ts) -> Result<Worked> {
        let mut worked = Worked::default();
        for (channel, kind) in kinds::of_lane(lane) {
            worked.add(self.work_on_channel(errands, (channel, kind), lane, wall).await?);
        }
        Ok(worked)
    }

    async fn work_on_channel(
        &self,
        errands: Option<&dyn Errands>,
        (channel, kind): (&'static str, Kind),
        lane: &str,
        wall: Ts,
    ) -> Result<Worked> {
        let mut worked = Worked::default();
        let arrivals = self.store().coupons().campaigns().arrivals();
        let until = wall.plus_us(if lane == WELCOME { LENT_WELCOME_US } else { LENT_US });
        let lent = arrivals.lend_arrivals((channel, lane), wall, until, AT_ONCE).await?;
        if lent.is_empty() {
            return Ok(worked);
        }
        let outcomes = if lane == WELCOME {
            let mut each = Vec::with_capacity(lent.len());
            for arrival in &lent {
                each.push(welcome(errands, arrival, wall));
            }
            let done: Vec<Result<Outcome>> = stream::iter(each).buffered(WELCOMES_TOGETHER).collect().await;
            done.into_iter().collect::<Result<Vec<Outcome>>>()?
        } else {
            match kind {
                Kind::Contacts(network) => self.work_on_news(errands, network, &lent, wall).await?,
                Kind::Payments => self.work_on_pays(&lent, wall).await?,
                Kind::Texts => self.work_on_sms(&lent, wall).await?,
                Kind::Shops => self.work_on_shops(channel, &lent, wall).await?,
                Kind::Apps => self.work_on_apps(&lent, wall).await?,
            }
        };
        let mut became = Vec::with_capacity(lent.len());
        for (arrival, (state, due, why)) in lent.iter().zip(outcomes) {
            worked.count(state);
            self.measures.arrivals().worked(channel, lane_name(lane), state.name());
            became.push(Became { id: arrival.id, tries: arrival.tries, state, due, why });
        }
        arrivals.note_arrivals(became).await?;
        Ok(worked)
    }

    /// News of platforms that are asked is held against what is known of them, all of an account at once; other news is what it says.
    async fn work_on_news(
        &self,
        errands: Option<&dyn Errands>,
        network: &'static Network,
        lent: &[Arrival],
        wall: Ts,
    ) -> Result<Vec<Outcome>> {
        let home = self.home().await?;
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(lent.len());
        let mut of_accounts: BTreeMap<String, Vec<(usize, Heard)>> = BTreeMap::new();
        for (i, arrival) in lent.iter().enumerate() {
            match read(network, arrival)? {
                Ok((account, heard)) => {
                    of_accounts.entry(account).or_default().push((i, heard));
                    outcomes.push(None);
                }
                Err(outcome) => outcomes.push(Some(outcome)),
            }
        }
        for (account, of_account) in of_accounts {
            let (which, heard): (Vec<usize>, Vec<Heard>) = of_account.into_iter().unzip();
            let answered = match errands {
                Some(errands) => errands.hear(&account, &heard, wall).await?,
                None => None,
            };
            for (n, (i, heard)) in which.into_iter().zip(heard).enumerate() {
                let (Some(slot), Some(arrival)) = (outcomes.get_mut(i), lent.get(i)) else { continue };
                let errand = answered.as_ref().map(|all| all.get(n).cloned().unwrap_or(Errand::Done));
                *slot = Some(match errand {
                    Some(errand) => outcome(errand, arrival),
                    None => self.work_on(&home, errands, (network, &account, &heard), arrival, wall).await?,
                });
            }
        }
        let unread = |arrival: &Arrival| (ArrivalState::Failed, arrival.due, Some("unreadable".to_owned()));
        Ok(outcomes
            .into_iter()
            .zip(lent)
            .map(|(one, arrival)| one.unwrap_or_else(|| unread(arrival)))
            .collect())
    }

    async fn work_on(
        &self,
        home: &Home,
        errands: Option<&dyn Errands>,
        (network, account, heard): (&Network, &str, &Heard),
        arrival: &Arrival,
        wall: Ts,
    ) -> Result<Outcome> {
        let at = Ts(heard.at.saturating_mul(1_000_000)).plus_us(home.offset_us);
        let items = self.items((network, account), &heard.news, (arrival, at))?;
        if let Some(refused) = self.put(network.channel, &items).await? {
            return Ok((ArrivalState::Failed, arrival.due, Some(refused.to_owned())));
        }
        for one in &heard.news {
            let News::ContactBegun { account: staff, customer, half: false, way: Some(way) } = one else {
                continue;
            };
            let came = Came::new(way, staff.clone(), customer.clone(), at);
            self.came_by(account, &came, wall).await?;
        }
        for one in &heard.news {
            let News::Ask(ask) = one else { continue };
            match asked(errands, account, ask, arrival, wall).await {
                (ArrivalState::Done, ..) => {}
                outcome => return Ok(outcome),
            }
        }
        Ok((ArrivalState::Done, arrival.due, None))
    }

    /// Puts items into the inbox; the name of what is wrong with one.
    pub(crate) async fn put(&self, channel: &str, items: &[Vec<u8>]) -> Result<Option<&'static str>> {
        let refused = |verdict: Verdict| match verdict {
            // The same id is the same news, though the clock of a demo was moved meanwhile.
            Verdict::Refused(refusal) if refusal.code != REUSED => Some(refusal.code),
            _ => None,
        };
        Ok(self.verdicts(channel, items).await?.into_iter().find_map(refused))
    }

    /// Puts items into the inbox; what became of each.
    pub(super) async fn verdicts(&self, channel: &str, items: &[Vec<u8>]) -> Result<Vec<Verdict>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let source = Source {
            name: format!("{SOURCE}{channel}"),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        self.accept(&source, items, None).await
    }

    /// The items that news come to.
    fn items(
        &self,
        (network, account): (&Network, &str),
        news: &[News],
        (arrival, at): (&Arrival, Ts),
    ) -> Result<Vec<Vec<u8>>> {
        let mut items = Vec::new();
        for one in news {
            let mut properties = Map::new();
            properties.insert("channel".to_owned(), network.channel.into());
            properties.insert("account_of".to_owned(), account.into());
            let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
            let (name, customers): (_, &[String]) = match one {
                News::ContactBegun { account, customer, half, way } => {
                    put("account", account.as_str().into());
                    put("half", (*half).into());
                    let (touchpoint, campaign) = self.met_by(network.channel, way.as_deref())?;
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
                    "context": {"externalIds": [{"id": customer, "type": network.namespace}]},
                    "properties": properties,
                });
                items.push(item.to_string().into_bytes());
            }
        }
        Ok(items)
    }
}

/// The name of a lane as it is counted.
fn lane_name(lane: &str) -> &'static str {
    if lane == WELCOME { WELCOME } else { NEWS }
}

/// What a piece of news says, and of which account; or what becomes of it where it says nothing that is to be done.
fn read(network: &Network, arrival: &Arrival) -> Result<std::result::Result<(String, Heard), Outcome>> {
    let over = |state, why: &str| Ok(Err((state, arrival.due, Some(why.to_owned()))));
    let body = match seal::open(&arrival.body) {
        Err(StoreError::Erased) => return over(ArrivalState::Dropped, "erased"),
        body => body?,
    };
    let kept: Option<KeptNews> = serde_json::from_str(&body).ok();
    let read = kept.and_then(|kept| Some((kept.account, (network.read)(&kept.text)?)));
    let Some((account, said)) = read else { return over(ArrivalState::Failed, "unreadable") };
    let news = said.news;
    if news.is_empty() {
        return over(ArrivalState::Done, "nothing_to_do");
    }
    let at = said.at.unwrap_or_else(|| arrival.at.0.div_euclid(1_000_000));
    Ok(Ok((account, Heard { at, news })))
}

/// Welcomes somebody, unless the time for it is over.
async fn welcome(errands: Option<&dyn Errands>, arrival: &Arrival, wall: Ts) -> Result<Outcome> {
    let over = |state, why: &str| Ok((state, arrival.due, Some(why.to_owned())));
    let body = match seal::open(&arrival.body) {
        Err(StoreError::Erased) => return over(ArrivalState::Dropped, "erased"),
        body => body?,
    };
    let Ok(kept) = serde_json::from_str::<KeptWelcome>(&body) else {
        return over(ArrivalState::Failed, "unreadable");
    };
    if wall.0.div_euclid(1_000_000) >= kept.until {
        return over(ArrivalState::Dropped, "too_late");
    }
    let Some(errands) = errands else { return over(ArrivalState::Dropped, "nobody_welcomes") };
    let KeptWelcome { account, staff, customer, way, code, until } = kept;
    let welcome = Welcome { account: staff, customer, way, code, until };
    // That it was lent is written before it is said. Whoever lent it before and did not say what came of it may have said it.
    let again = arrival.tries > 1 && arrival.why.as_deref().is_none_or(|why| why == UNKNOWN);
    Ok(outcome(errands.welcome(&account, &welcome, again).await, arrival))
}

/// What becomes of what came, by what came of the errand.
fn outcome(errand: Errand, arrival: &Arrival) -> Outcome {
    match errand {
        Errand::Done => (ArrivalState::Done, arrival.due, None),
        Errand::Later(at, why) => (ArrivalState::Waiting, at, Some(why.to_owned())),
        Errand::Unknown(at) => (ArrivalState::Waiting, at, Some(UNKNOWN.to_owned())),
        Errand::Never(why) => (ArrivalState::Failed, arrival.due, Some(why.to_owned())),
        Errand::Nothing(why) => (ArrivalState::Dropped, arrival.due, Some(why.to_owned())),
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
    outcome(errands.ask(account, ask).await, arrival)
}
