//! Money that goes to people, each of whom confirms it in WeChat: a row for each transfer, written before anything is said to the platform,
//! moved by what the platform says of it, and looked at until it is over.
//!
//! ```text
//! waits_for_approval (a second person says yes, or no, or nothing in time: refused)
//!    ▼
//! intended ──▶ asked ──▶ under_way ──▶ waits_for_person ──▶ done
//!    │           │           └───────────────┬───┬────────▶ failed      (it came back, or never left)
//!    │           └── nobody knows: asked for │   └ cancelling ─▶ cancelled
//!    └──▶ refused (it was never made)        └ nobody confirmed it within a day
//! ```
//!
//! The merchant's own number makes a transfer once, so one of which nobody knows is looked up, and asked for again with the same words where
//! it is not there. Notices only say that it is time to look. What people of the brand ask, is in `asked`, what its person sees in `mine`.

mod asked;
mod limit;
mod mine;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, Trouble};
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_reach::wxpay::told::Transfer;
use zhiyin_reach::wxpay::transfer::{NewTransfer, Stands};
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Merchant;
use crate::platforms::Round;
use crate::{Engine, Result, boxed};

pub use asked::{PayoutView, PayoutWanted, PayoutsAsked, PayoutsPage};
pub use mine::{Confirm, MyPayout};

/// How many are looked at in a round.
const AT_ONCE: usize = 50;
/// How long one process has what it looks at, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How soon one is looked at again, in microseconds: a quarter of how long it goes on already.
const AGAIN_US: i64 = 5_000_000;
const AGAIN_US_MAX: i64 = 900_000_000;
/// After how long one that was asked for and is not found was never made, in microseconds: until then the words may be on their way, or
/// where the platform looks may not have them yet.
const NEVER_MADE_US: i64 = 5 * 60_000_000;
/// What kind of row it is; and of those by which a person's are found, and what one of the brand's asked for on a day.
const KIND: &str = "payout";
const OF_PERSON: &str = "paid_to";
const OF_ASKER: &str = "paid_by";

type Refused<T> = std::result::Result<T, Refusal>;

/// Where a transfer stands in a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A second person of the brand's is to say yes.
    WaitsForApproval,
    /// It is to be made: nothing was said yet, or certainly nothing was done.
    Intended,
    /// It was asked for; nobody knows whether it was made.
    Asked,
    /// The platform has it.
    UnderWay,
    /// Its person is to confirm it.
    WaitsForPerson,
    /// It is being cancelled.
    Cancelling,
    /// Its person has it.
    Done,
    /// It failed; the money came back, or never left.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It was never made, and will not be.
    Refused,
}

impl Stage {
    /// Its name; it stays.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WaitsForApproval => "waits_for_approval",
            Self::Intended => "intended",
            Self::Asked => "asked",
            Self::UnderWay => "under_way",
            Self::WaitsForPerson => "waits_for_person",
            Self::Cancelling => "cancelling",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::WaitsForApproval,
        Self::Intended,
        Self::Asked,
        Self::UnderWay,
        Self::WaitsForPerson,
        Self::Cancelling,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Refused,
    ];

    /// Whether nothing changes any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled | Self::Refused)
    }
}

impl From<Stands> for Stage {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::UnderWay => Self::UnderWay,
            Stands::WaitsForPerson => Self::WaitsForPerson,
            Stands::Cancelling => Self::Cancelling,
            Stands::Done => Self::Done,
            Stands::Failed => Self::Failed,
            Stands::Cancelled => Self::Cancelled,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutAsked {
    /// The merchant's own number: letters and digits, at most 32. The same again is the same one.
    pub bill: String,
    /// In which of the brand's apps the person is known.
    pub appid: String,
    /// The person, as that app knows them.
    pub openid: String,
    /// How much, in fen.
    pub amount: i64,
    /// The person's real name: needed from ¥2,000 on.
    #[serde(default)]
    pub name: Option<String>,
    /// What the person reads.
    pub remark: String,
    /// What it is for, as the scene asks: kinds and what is said of each.
    pub reports: Vec<(String, String)>,
}

/// Who of the brand's asked for a transfer, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// Who, as the audit log calls them.
    pub who: String,
    /// The member, by id, as they were then.
    pub member: String,
    /// Why, for whoever approves it.
    pub reason: String,
    /// What was asked, as a short hash: by it the same is told from something else.
    pub request: String,
    /// The number of the request for a second person, where it needs one and that was asked.
    pub approval: Option<i64>,
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// What was asked.
    pub asked: PayoutAsked,
    /// Where it stands.
    pub stage: Stage,
    /// Since when it is known here.
    pub since: Ts,
    /// When it was last asked for.
    #[serde(default)]
    pub said: Option<Ts>,
    /// Whether it is to be cancelled.
    pub cancel: bool,
    /// What the person's app is given so that they confirm it, while it waits for that.
    pub package: Option<String>,
    /// The platform's number of it.
    pub platform: Option<String>,
    /// Why it stands where it does, by a name.
    pub why: Option<String>,
    /// Who asked for it, where somebody of the brand's did.
    #[serde(default)]
    pub by: Option<AskedBy>,
}

/// A row as it was read.
struct Row {
    id: ReflectionId,
    version: i64,
    payout: Payout,
}

fn unknown() -> Refusal {
    Refusal::new("payout_unknown", "bill", "there is no transfer of this number")
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a transfer of WeChat Pay: {error}"))
}

fn opened(found: Reflection) -> Result<Option<Row>> {
    let body = match seal::open(&found.body) {
        // Whoever was erased is followed no more.
        Err(StoreError::Erased) => return Ok(None),
        body => body?,
    };
    let payout = serde_json::from_str(&body).map_err(|error| damaged(&error))?;
    Ok(Some(Row { id: found.id, version: found.version, payout }))
}

impl Payout {
    fn new(asked: PayoutAsked, stage: Stage, by: Option<AskedBy>, since: Ts) -> Self {
        Self { asked, stage, since, said: None, cancel: false, package: None, platform: None, why: None, by }
    }

    /// As what its app knows its person.
    fn namespace(&self) -> String {
        format!("openid:{}", self.asked.appid)
    }

    /// It stands as the platform says.
    fn stands(&mut self, found: &Transfer) {
        match Stands::named(&found.state) {
            Some(stands) => {
                self.stage = stands.into();
                self.why = (!found.fail_reason.is_empty()).then(|| found.fail_reason.clone());
            }
            None => self.why = Some("state_unknown".to_owned()),
        }
        let waits = self.stage == Stage::WaitsForPerson;
        if !found.package_info.is_empty() || !waits {
            self.package = Some(found.package_info.clone()).filter(|package| waits && !package.is_empty());
        }
        if !found.transfer_bill_no.is_empty() {
            self.platform = Some(found.transfer_bill_no.clone());
        }
    }

    /// What comes of asking for it.
    fn asked_for(&mut self, answer: Answer<Transfer>) {
        match answer {
            Ok(made) => self.stands(&made),
            Err(Trouble::Unknown { why }) => (self.stage, self.why) = (Stage::Asked, Some(why.to_owned())),
            Err(Trouble::Later { why, .. }) => {
                (self.stage, self.why) = (Stage::Intended, Some(why.to_owned()))
            }
            // It is there: looking says how it stands.
            Err(trouble) if trouble.is_done_already() => {
                (self.stage, self.why) = (Stage::Asked, Some(trouble.why().to_owned()));
            }
            Err(Trouble::Never { why, .. }) => {
                (self.stage, self.why) = (Stage::Refused, Some(why.to_owned()))
            }
            Err(Trouble::Wrong { field, .. }) => {
                (self.stage, self.why) = (Stage::Refused, Some(format!("input: {field}")));
            }
        }
    }

    /// Whether one that is not found was never made.
    fn never_made(&self, wall: Ts) -> bool {
        wall.0.saturating_sub(self.said.unwrap_or(self.since).0) >= NEVER_MADE_US
    }

    /// When it is looked at again: after a quarter of how long it goes on already.
    fn due(&self, wall: Ts) -> Option<Ts> {
        let rest_us = ((wall.0 - self.since.0) / 4).clamp(AGAIN_US, AGAIN_US_MAX);
        (!self.stage.is_over()).then(|| wall.plus_us(rest_us))
    }

    fn new_transfer(&self) -> NewTransfer {
        let asked = self.asked.clone();
        NewTransfer {
            bill: asked.bill,
            appid: asked.appid,
            openid: asked.openid,
            amount: asked.amount,
            name: asked.name,
            remark: asked.remark,
            reports: asked.reports,
        }
    }
}

impl Engine {
    /// Begins a transfer, or tells of the one of this number. Nothing is said to the platform yet.
    #[boxed]
    pub async fn begin_payout(
        &self,
        account: &str,
        asked: &PayoutAsked,
        wall: Ts,
    ) -> Result<Refused<Payout>> {
        let payout = Payout::new(asked.clone(), Stage::Intended, None, wall);
        if let Err(Trouble::Wrong { field, message }) = payout.new_transfer().check() {
            return Ok(Err(Refusal::new("bad_payout", field, message)));
        }
        if self.new_payout(account, &payout, wall).await? {
            return Ok(Ok(payout));
        }
        Ok(match self.payout_row(account, &asked.bill).await? {
            Some(row) if row.payout.asked == *asked => Ok(row.payout),
            Some(_) => {
                let message = "there is a transfer of this number, of something else";
                Err(Refusal::new("payout_reused", "bill", message))
            }
            None => Err(unknown()),
        })
    }

    /// A transfer as it stands.
    #[boxed]
    pub async fn payout(&self, account: &str, bill: &str) -> Result<Refused<Payout>> {
        let row = self.payout_row(account, bill).await?;
        Ok(row.map(|row| row.payout).ok_or_else(unknown))
    }

    /// Wants a transfer cancelled; whether it is, is seen later. One that is over stays as it is.
    #[boxed]
    pub async fn cancel_payout(&self, account: &str, bill: &str, wall: Ts) -> Result<Refused<Payout>> {
        loop {
            let Some(mut row) = self.payout_row(account, bill).await? else { return Ok(Err(unknown())) };
            if row.payout.stage.is_over() || row.payout.cancel {
                return Ok(Ok(row.payout));
            }
            row.payout.cancel = true;
            if matches!(row.payout.stage, Stage::Intended | Stage::WaitsForApproval) {
                row.payout.stage = Stage::Cancelled;
            }
            // Who asks for one just now has that long to be answered.
            let at = if row.payout.stage == Stage::Asked { wall.plus_us(LENT_US) } else { wall };
            let due = (!row.payout.stage.is_over()).then_some(at);
            if self.keep_payout(account, (row.id, row.version), &row.payout, due).await? {
                return Ok(Ok(row.payout));
            }
        }
    }

    /// It is time to look at a transfer.
    pub(crate) async fn look_at_payout(&self, account: &str, bill: &str, wall: Ts) -> Result<()> {
        // Whoever holds it looks at it now, or will.
        if let Some(row) = self.payout_row(account, bill).await?.filter(|row| !row.payout.stage.is_over()) {
            let _is_mine = self.keep_payout(account, (row.id, row.version), &row.payout, Some(wall)).await?;
        }
        Ok(())
    }

    async fn payout_id(&self, account: &str, bill: &str) -> Result<ReflectionId> {
        Ok(reflection_id(&self.home().await?.id_key, (CHANNEL, account), KIND, &[bill]))
    }

    async fn payout_row(&self, account: &str, bill: &str) -> Result<Option<Row>> {
        let id = self.payout_id(account, bill).await?;
        let found = self.store().coupons().campaigns().mirror().reflections(vec![id]).await?.pop();
        found.map_or(Ok(None), opened)
    }

    /// Writes a row that was not there, and those by which its person's are found and what who asked for it asked for; whether there was none.
    async fn new_payout(&self, account: &str, payout: &Payout, due: Ts) -> Result<bool> {
        let key = self.home().await?.id_key;
        let of = |kind: &str, names: &[&str]| reflection_id(&key, (CHANNEL, account), kind, names);
        let id = of(KIND, &[&payout.asked.bill]);
        let row = self.payout_as_kept(account, (id, 0), payout, Some(due)).await?;
        let (namespace, openid) = (payout.namespace(), payout.asked.openid.as_str());
        let body = serde_json::to_string(&payout.asked.bill).map_err(|error| damaged(&error))?;
        let about = row.about;
        let found_by = |kind: &str, [one, other]: [&str; 2]| Reflect {
            id: of(kind, &[one, other, &payout.asked.bill]),
            read: 0,
            kind: format!("{CHANNEL}:{account}:{kind}"),
            part: of(kind, &[one, other]),
            due: None,
            about,
            body: seal::seal(&body),
        };
        let mut rows = vec![row, found_by(OF_PERSON, [&namespace, openid])];
        if let Some(by) = &payout.by {
            rows.push(found_by(OF_ASKER, [&by.who, &limit::day(payout.since)]));
        }
        let written = self.store().coupons().campaigns().mirror().reflect(rows).await?;
        Ok(written.first().copied().unwrap_or_default())
    }

    /// A row as it is to be kept. Those of a month, by the wall clock, belong together.
    async fn payout_as_kept(
        &self,
        account: &str,
        (id, read): (ReflectionId, i64),
        payout: &Payout,
        due: Option<Ts>,
    ) -> Result<Reflect> {
        let key = self.home().await?.id_key;
        let namespace = payout.namespace();
        let about = match normalise(&namespace, &payout.asked.openid) {
            Ok(value) => seal::lookup(&key, &Identifier { namespace, value }),
            Err(_) => key.digest("reflection", &[id.bytes()]),
        };
        let body = serde_json::to_string(payout).map_err(|error| damaged(&error))?;
        let kind = format!("{CHANNEL}:{account}:{KIND}");
        let part = reflection_id(&key, (CHANNEL, account), KIND, &[&asked::month(payout.since)]);
        Ok(Reflect { id, read, kind, part, due, about, body: seal::seal(&body) })
    }

    /// Writes a row, if it still is as it was read; whether it was.
    async fn keep_payout(
        &self,
        account: &str,
        read: (ReflectionId, i64),
        payout: &Payout,
        due: Option<Ts>,
    ) -> Result<bool> {
        let row = self.payout_as_kept(account, read, payout, due).await?;
        let written = self.store().coupons().campaigns().mirror().reflect(vec![row]).await?;
        Ok(written.first().copied().unwrap_or_default())
    }

    /// Looks at transfers that are due.
    pub(super) async fn payout_round(&self, merchant: &Merchant, wall: Ts) -> Result<Round> {
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{CHANNEL}:{}:{KIND}", merchant.account);
        let lent = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let mut done = 0;
        for found in lent {
            let Some(row) = opened(found)? else { continue };
            let before = row.payout.stage;
            done += usize::from(self.move_payout(merchant, row, wall).await? != before);
        }
        Ok(Round { done, next: mirror.next_reflection(&kind).await? })
    }

    /// Does what is to be done about one; where it stands then.
    async fn move_payout(&self, merchant: &Merchant, row: Row, wall: Ts) -> Result<Stage> {
        let Row { id, mut version, mut payout } = row;
        let before = payout.stage;
        if payout.stage == Stage::WaitsForApproval {
            return self.look_for_approval(&merchant.account, (id, version), payout, wall).await;
        }
        if payout.stage == Stage::Intended && payout.cancel {
            (payout.stage, payout.why) = (Stage::Cancelled, None);
        } else if payout.stage == Stage::Intended {
            if !self.make_payout(merchant, (id, version), &mut payout, wall).await? {
                return Ok(before);
            }
            version += 1;
        } else {
            match merchant.pay.transfer(&payout.asked.bill).await {
                Ok(Some(found)) => payout.stands(&found),
                Ok(None) if payout.stage == Stage::Asked && payout.cancel && payout.never_made(wall) => {
                    (payout.stage, payout.why) = (Stage::Cancelled, None);
                }
                // It did not arrive: the same words make it now, or find it.
                Ok(None) if payout.stage == Stage::Asked && !payout.cancel => {
                    if !self.make_payout(merchant, (id, version), &mut payout, wall).await? {
                        return Ok(before);
                    }
                    version += 1;
                }
                Ok(None) => payout.why = Some("not_found".to_owned()),
                Err(trouble) => payout.why = Some(trouble.why().to_owned()),
            }
        }
        if payout.cancel && payout.stage == Stage::WaitsForPerson {
            match merchant.pay.cancel_transfer(&payout.asked.bill).await {
                Ok(()) => (payout.stage, payout.package) = (Stage::Cancelling, None),
                Err(trouble) => payout.why = Some(trouble.why().to_owned()),
            }
        }
        if payout.stage.is_over() {
            self.tell_payout(&payout, wall).await?;
        }
        let due = payout.due(wall);
        // Where somebody wrote it meanwhile it is looked at again, and stands as the platform says.
        let _is_mine = self.keep_payout(&merchant.account, (id, version), &payout, due).await?;
        Ok(payout.stage)
    }

    /// Asks for it. That it is going to be said is written before; whether it was, by who looked at it last.
    async fn make_payout(
        &self,
        merchant: &Merchant,
        read: (ReflectionId, i64),
        payout: &mut Payout,
        wall: Ts,
    ) -> Result<bool> {
        (payout.stage, payout.said) = (Stage::Asked, Some(wall));
        let lost_at = Some(wall.plus_us(LENT_US));
        let is_mine = self.keep_payout(&merchant.account, read, payout, lost_at).await?;
        if is_mine {
            payout.asked_for(merchant.pay.make_transfer(&payout.new_transfer()).await);
        }
        Ok(is_mine)
    }

    /// How it ended, in the timeline of its person.
    async fn tell_payout(&self, payout: &Payout, wall: Ts) -> Result<()> {
        let name = if payout.stage == Stage::Done { "Transfer Received" } else { "Transfer Not Received" };
        let (asked, at) = (&payout.asked, wall.plus_us(self.home().await?.offset_us));
        let item = json!({
            "type": "track", "event": name, "messageId": format!("transfer-{}", asked.bill), "timestamp": at.rfc3339(),
            "context": {"externalIds": [{"id": asked.openid, "type": format!("openid:{}", asked.appid)}]},
            "properties": {"transfer": asked.bill, "amount_minor": asked.amount, "remark": asked.remark, "why": payout.why},
        });
        if let Some(why) = self.put(CHANNEL, &[item.to_string().into_bytes()]).await? {
            tracing::warn!(why, "how a transfer ended is not in its person's timeline");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use zhiyin_reach::platform::Whose;

    use super::*;

    #[test]
    fn one_that_the_platform_has_already_is_looked_up_and_one_it_will_not_have_is_over() {
        let asked = PayoutAsked {
            bill: "B1".to_owned(),
            appid: "wx1".to_owned(),
            openid: "o-1".to_owned(),
            amount: 100,
            name: None,
            remark: "x".to_owned(),
            reports: Vec::new(),
        };
        for (why, whose, stage) in
            [("already_exists", Whose::Already, Stage::Asked), ("not_enough", Whose::Spent, Stage::Refused)]
        {
            let mut payout = Payout::new(asked.clone(), Stage::Asked, None, Ts(0));
            payout.asked_for(Err(Trouble::Never { why, whose }));
            assert_eq!((payout.stage, payout.why.as_deref()), (stage, Some(why)));
        }
    }
}
