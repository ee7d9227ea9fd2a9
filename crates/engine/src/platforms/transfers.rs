//! Hand-overs: customers, and groups, of somebody on leave or who has left, given to a colleague (T6; docs/connect-wecom.md). Who was handed
//! over is not lost; who says no, or cannot be, is told by name.
//!
//! A row of the mirror for a hand-over, and one for each customer of it. Customers are listed first, then asked for in batches, then looked
//! after until each is done, was refused, or nobody hears of it any more. Asking twice is asking once: the platform says that it is under
//! way. The platform decides how often somebody may be handed over.

pub mod asked;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_reach::arrival::EndedBy;
use zhiyin_reach::platform::{Answer, Handover, Progress, Trouble};
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::contacts::{Told, ToldOf};
use super::looks::Look;
use super::ways::rest_us;
use super::{About, At, Kept, Put, Round, Row};
use crate::{Engine, Result};

/// Rows of hand-overs, and of who is handed over.
pub(super) const TRANSFER: &str = "transfer";
pub(super) const PASSED: &str = "passed";
/// For how long one process has a hand-over.
const LENT_US: i64 = 120_000_000;
/// How often it is looked how far customers are, and for how long.
const LOOK_EVERY_US: i64 = HOUR_US;
const LOOK_DAYS: i64 = 7;
/// How often it is looked whether a second person has answered.
const ANSWER_EVERY_US: i64 = 30_000_000;
/// Pages that are read in one round.
const PAGES_MAX: usize = 10;
/// The most customers of one hand-over: more than one of the staff can have.
pub const CUSTOMERS_MAX: usize = 20_000;

/// How far a hand-over is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// For somebody to approve it.
    Approval,
    /// Whose customers they are is read from the platform.
    Listing,
    /// Groups are handed over.
    Groups,
    /// Customers are asked for.
    Asking,
    /// They wait.
    Waiting,
    /// Nothing is left to do.
    Done,
    /// A second person said no, or nothing in time.
    Refused,
    /// The platform refuses all of it.
    Failed,
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transfer {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) has_left: bool,
    pub(super) groups: bool,
    pub(super) word: Option<String>,
    pub(super) listed: bool,
    pub(super) state: State,
    pub(super) approval: Option<i64>,
    pub(super) asked_by: String,
    pub(super) asked_at: Ts,
    /// Where a list of the platform's goes on.
    pub(super) cursor: Option<String>,
    /// The last customer that was asked for.
    pub(super) after: Option<String>,
    /// Since when all were asked for.
    pub(super) waits_since: Option<Ts>,
    /// Groups that were handed over, and those that were not, with why.
    pub(super) groups_done: usize,
    pub(super) groups_failed: BTreeMap<String, String>,
    pub(super) trouble: Option<String>,
    pub(super) fails: u32,
}

impl Transfer {
    fn how(&self) -> Handover {
        let (from, to) = (self.from.clone(), self.to.clone());
        Handover { from, to, has_left: self.has_left, word: self.word.clone() }
    }
}

/// How far a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Passing {
    /// Nobody was asked yet.
    Listed,
    /// The platform has it.
    Asked,
    /// Done.
    Done,
    /// It was not to be: why, says the row.
    Kept,
    /// Nothing was heard of it for a week.
    Unheard,
}

/// Somebody who is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Passed {
    pub(super) customer: String,
    pub(super) state: Passing,
    pub(super) why: Option<String>,
}

impl Engine {
    /// Takes hand-overs further, one step of one of them.
    pub(super) async fn pass_on(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let Some(mut row) = kept.lend::<Transfer>(TRANSFER, wall, wall.plus_us(LENT_US), 1).await?.pop()
        else {
            return Ok(Round { done: 0, next: kept.next(TRANSFER).await? });
        };
        let due = match self.take_further(at, &kept, &mut row, wall).await? {
            Ok(due) => {
                (row.what.trouble, row.what.fails) = (None, 0);
                due
            }
            Err(trouble) => {
                row.what.trouble = Some(trouble.why().to_owned());
                row.what.fails += 1;
                if matches!(trouble, Trouble::Wrong { .. } | Trouble::Never { .. }) {
                    row.what.state = State::Failed;
                    None
                } else {
                    Some(wall.plus_us(rest_us(&trouble, row.what.fails, row.id.bytes())))
                }
            }
        };
        let put = Put {
            kind: TRANSFER,
            id: row.id,
            part: row.part,
            read: row.version,
            due,
            about: About::Nobody,
            what: &row.what,
        };
        kept.put(vec![put]).await?;
        Ok(Round { done: 1, next: kept.next(TRANSFER).await? })
    }

    /// One step; when the next is due, if any is.
    async fn take_further(
        &self,
        at: &At,
        kept: &Kept<'_>,
        row: &mut Row<Transfer>,
        wall: Ts,
    ) -> Result<Answer<Option<Ts>>> {
        let next = |state, of: &mut Transfer| {
            (of.state, of.cursor) = (state, None);
            Ok(Ok(Some(wall)))
        };
        let (id, of) = (row.id, &mut row.what);
        match of.state {
            State::Approval => self.answered(of, wall).await.map(Ok),
            State::Listing if of.listed => next(if of.groups { State::Groups } else { State::Asking }, of),
            State::Listing => match listed(at, of).await {
                Ok((customers, cursor)) => {
                    put_listed(kept, id, &customers).await?;
                    of.cursor = cursor;
                    if of.cursor.is_none() {
                        return next(if of.groups { State::Groups } else { State::Asking }, of);
                    }
                    Ok(Ok(Some(wall)))
                }
                Err(trouble) => Ok(Err(trouble)),
            },
            State::Groups => match pass_groups(at, of).await {
                Ok(()) if of.cursor.is_none() => next(State::Asking, of),
                Ok(()) => Ok(Ok(Some(wall))),
                Err(trouble) => Ok(Err(trouble)),
            },
            State::Asking => self.ask_for_some(at, kept, row, wall).await,
            State::Waiting => self.look_after(at, kept, row, wall).await,
            State::Done | State::Refused | State::Failed => Ok(Ok(None)),
        }
    }

    /// Whether a second person has answered.
    async fn answered(&self, of: &mut Transfer, wall: Ts) -> Result<Option<Ts>> {
        let approval = match of.approval {
            Some(no) => self.store().access().approval(no).await?,
            None => None,
        };
        let Some(approval) = approval else {
            of.state = State::Refused;
            return Ok(None);
        };
        match approval.answer {
            Some(answer) if answer.approved => {
                of.state = State::Listing;
                Ok(Some(wall))
            }
            None if approval.answer_by > wall => Ok(Some(wall.plus_us(ANSWER_EVERY_US))),
            _ => {
                of.state = State::Refused;
                Ok(None)
            }
        }
    }

    /// Asks for the next customers.
    async fn ask_for_some(
        &self,
        at: &At,
        kept: &Kept<'_>,
        row: &mut Row<Transfer>,
        wall: Ts,
    ) -> Result<Answer<Option<Ts>>> {
        let (id, of) = (row.id, &mut row.what);
        let now_s = wall.0.div_euclid(1_000_000);
        let at_once = at.desk.limit("transfer.customers", "call", now_s).unwrap_or(100);
        let after = of.after.as_deref().and_then(ReflectionId::from_hex);
        let limit = usize::try_from(at_once).unwrap_or(100).max(1);
        let (some, more) = kept.list::<Passed>(PASSED, id, after, limit).await?;
        let asked: Vec<String> = some
            .iter()
            .filter(|one| one.what.state == Passing::Listed)
            .map(|one| one.what.customer.clone())
            .collect();
        if !asked.is_empty() {
            let refused = match at.desk.hand_over(&of.how(), &asked).await {
                Ok(refused) => refused,
                Err(trouble) => return Ok(Err(trouble)),
            };
            let mut became = Vec::new();
            for one in some.iter().filter(|one| one.what.state == Passing::Listed) {
                let why = refused.get(&one.what.customer);
                let state = if why.is_some() { Passing::Kept } else { Passing::Asked };
                became.push((one.clone(), state, why.map(|why| (*why).to_owned())));
            }
            self.became(kept, of, became, wall).await?;
        }
        if let Some(more) = more {
            of.after = Some(more.to_string());
            return Ok(Ok(Some(wall)));
        }
        (of.state, of.cursor, of.waits_since) = (State::Waiting, None, Some(wall));
        Ok(Ok(Some(wall.plus_us(LOOK_EVERY_US))))
    }

    /// Looks how far customers are.
    async fn look_after(
        &self,
        at: &At,
        kept: &Kept<'_>,
        row: &mut Row<Transfer>,
        wall: Ts,
    ) -> Result<Answer<Option<Ts>>> {
        let (id, of) = (row.id, &mut row.what);
        for _ in 0..PAGES_MAX {
            let page = match at.desk.handed_over(&of.how(), of.cursor.as_deref()).await {
                Ok(page) => page,
                Err(trouble) => return Ok(Err(trouble)),
            };
            let told: BTreeMap<ReflectionId, Progress> = page
                .items
                .into_iter()
                .map(|(customer, progress)| (kept.id(PASSED, &[&id.to_string(), &customer]), progress))
                .collect();
            let rows = kept.get::<Passed>(told.keys().copied().collect()).await?;
            let mut became = Vec::new();
            for (id, row) in rows {
                let outcome = match told.get(&id) {
                    Some(Progress::Done) => (Passing::Done, None),
                    Some(Progress::Refused) => (Passing::Kept, Some("customer_refused".to_owned())),
                    Some(Progress::Full) => (Passing::Kept, Some("customer_limit_exceed".to_owned())),
                    _ => continue,
                };
                if row.what.state == Passing::Asked {
                    became.push((row, outcome.0, outcome.1));
                }
            }
            self.became(kept, of, became, wall).await?;
            of.cursor = page.next;
            if of.cursor.is_none() {
                break;
            }
        }
        if of.cursor.is_some() {
            return Ok(Ok(Some(wall)));
        }
        let left = waiting(kept, id).await?;
        let since = of.waits_since.unwrap_or(wall);
        if left.is_empty() {
            of.state = State::Done;
            return Ok(Ok(None));
        }
        if wall.0 - since.0 >= LOOK_DAYS * DAY_US {
            let unheard = left.into_iter().map(|row| (row, Passing::Unheard, None)).collect();
            self.became(kept, of, unheard, wall).await?;
            of.state = State::Done;
            return Ok(Ok(None));
        }
        Ok(Ok(Some(wall.plus_us(LOOK_EVERY_US))))
    }

    /// Notes what became of customers: told first, written after, so that it is told once whatever happens between.
    async fn became(
        &self,
        kept: &Kept<'_>,
        transfer: &Transfer,
        became: Vec<(Row<Passed>, Passing, Option<String>)>,
        wall: Ts,
    ) -> Result<()> {
        if became.is_empty() {
            return Ok(());
        }
        let (at, mut told, mut looks) = (wall.0.div_euclid(1_000_000), Vec::new(), Vec::new());
        for (row, state, why) in &became {
            let of = |account: &String, what| ToldOf {
                account: account.clone(),
                customer: row.what.customer.clone(),
                at,
                what,
            };
            match state {
                // The one ends as handed over, so nobody is lost; who has them now is seen by looking.
                Passing::Done => {
                    told.push(of(&transfer.from, Told::Ended(EndedBy::HandedOver)));
                    looks.push((Look::Customer(row.what.customer.clone()), wall));
                }
                // What comes of those who were asked the platform tells by itself.
                Passing::Kept if row.what.state == Passing::Listed => {
                    let why = why.clone().unwrap_or_else(|| "unknown".to_owned());
                    told.push(of(&transfer.to, Told::NotHandedOver(why)));
                }
                Passing::Listed | Passing::Asked | Passing::Kept | Passing::Unheard => {}
            }
        }
        drop(kept.hear_contacts(&told).await?);
        kept.look_at(looks, true).await?;
        let whats: Vec<(Row<Passed>, Passed)> = became
            .into_iter()
            .map(|(row, state, why)| {
                let customer = row.what.customer.clone();
                (row, Passed { customer, state, why })
            })
            .collect();
        let put = |(row, what): &'_ (Row<Passed>, Passed)| (row.id, row.part, row.version, what.clone());
        let rows: Vec<_> = whats.iter().map(put).collect();
        let puts = rows.iter().map(|(id, part, read, what)| {
            let about = About::Customer(&what.customer);
            Put { kind: PASSED, id: *id, part: *part, read: *read, due: None, about, what }
        });
        kept.put(puts.collect()).await?;
        Ok(())
    }
}

/// Customers of whoever hands over, a part at a time.
async fn listed(at: &At, of: &Transfer) -> Answer<(Vec<String>, Option<String>)> {
    let (mut customers, mut cursor) = (Vec::new(), of.cursor.clone());
    for _ in 0..PAGES_MAX {
        if of.has_left {
            let page = at.desk.left_behind(cursor.as_deref()).await?;
            let theirs = page.items.into_iter().filter(|(who, _)| who.eq_ignore_ascii_case(&of.from));
            customers.extend(theirs.map(|(_, customer)| customer));
            cursor = page.next;
        } else {
            let page = at.desk.roster(std::slice::from_ref(&of.from), cursor.as_deref()).await?;
            customers.extend(page.items.into_iter().map(|relation| relation.customer));
            cursor = page.next;
        }
        if cursor.is_none() {
            break;
        }
    }
    Ok((customers, cursor))
}

async fn put_listed(kept: &Kept<'_>, part: ReflectionId, customers: &[String]) -> Result<()> {
    let all: Vec<Passed> = customers
        .iter()
        .map(|customer| Passed { customer: customer.clone(), state: Passing::Listed, why: None })
        .collect();
    let name = part.to_string();
    let puts = all.iter().map(|what| {
        let id = kept.id(PASSED, &[&name, &what.customer]);
        Put { kind: PASSED, id, part, read: 0, due: None, about: About::Customer(&what.customer), what }
    });
    kept.put(puts.collect()).await.map(drop)
}

/// Hands groups over, a batch at a time.
async fn pass_groups(at: &At, of: &mut Transfer) -> Answer<()> {
    let page = at.desk.groups(std::slice::from_ref(&of.from), of.cursor.as_deref()).await?;
    for some in page.items.chunks(100) {
        let failed = at.desk.hand_over_groups(some, &of.to, of.has_left).await?;
        of.groups_done += some.len() - failed.len().min(some.len());
        of.groups_failed.extend(failed.into_iter().map(|(group, why)| (group, why.to_owned())));
    }
    of.cursor = page.next;
    Ok(())
}

/// Those of whom nothing was heard yet.
async fn waiting(kept: &Kept<'_>, part: ReflectionId) -> Result<Vec<Row<Passed>>> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let (some, more) = kept.list::<Passed>(PASSED, part, after, 500).await?;
        rows.extend(some.into_iter().filter(|row| row.what.state == Passing::Asked));
        after = more;
        if after.is_none() {
            return Ok(rows);
        }
    }
}
