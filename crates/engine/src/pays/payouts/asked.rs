//! What people of the brand ask of transfers.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Trouble;
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_store::access::Approval;
use zhiyin_store::campaigns::mirror::{ReflectionId, reflection_id};

use super::{AskedBy, KIND, Payout, PayoutAsked, Refused, Row, Stage, opened, unknown};
use crate::approvals::ApprovalProblem;
use crate::audit::{self, Outcome, Target, detail, fingerprint};
use crate::pays::Merchant;
use crate::{Engine, EngineError, Result, approvals, boxed};

/// The currency that the platform sends.
pub(super) const CURRENCY: &str = "CNY";
/// How many rows are read at a time, how many of a month at most, and how many a page shows.
pub(super) const ROWS: usize = 500;
const MONTH_MAX: usize = 20_000;
const PAGE: usize = 100;

/// A transfer that somebody of the brand's wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutWanted {
    /// To whom.
    pub member: MemberId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// In which of the brand's apps they get it; the only one in which they are known, where nothing is said.
    pub app: Option<String>,
    /// Their real name, which the platform wants from ¥2,000 on.
    pub name: Option<String>,
    /// What they read.
    pub remark: String,
    /// Why, for whoever approves it; it names nobody.
    pub reason: String,
    /// What the platform is told of what it is for; what the account says, where it is empty.
    pub reports: Vec<(String, String)>,
}

/// A transfer, as people of the brand see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PayoutView {
    /// Its number.
    pub payout: String,
    /// Of which of the brand's accounts.
    pub account: String,
    /// To whom, by the id that they had then; nothing, where a program of the brand's made it.
    pub member: Option<String>,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Of which currency.
    pub currency: String,
    /// What they read.
    pub remark: String,
    /// Why.
    pub reason: Option<String>,
    /// `waits_for_approval`, `intended`, `asked` (nobody knows whether it was made), `under_way`, `waits_for_person`, `cancelling`,
    /// `done`, `failed`, `cancelled` or `refused`.
    pub state: String,
    /// Why it stands where it does, by a name.
    pub why: Option<String>,
    /// Whether it is to be cancelled.
    pub cancel: bool,
    /// Whether it may still be cancelled.
    pub may_cancel: bool,
    /// Who asked for it.
    pub asked_by: Option<String>,
    /// When, by the wall clock.
    pub asked_at: String,
    /// The request for a second person, where it needs one.
    pub approval: Option<i64>,
    /// The platform's number of it.
    pub platform_number: Option<String>,
}

/// Which transfers are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutsAsked {
    /// Of a month by the wall clock (UTC), `2026-11`; of this one and the last, where nothing is said.
    pub month: Option<String>,
    /// In a state.
    pub state: Option<String>,
    /// To a member, by the id that they had then.
    pub member: Option<MemberId>,
    /// From where to go on.
    pub cursor: Option<String>,
}

/// A page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PayoutsPage {
    /// The newest first. Of a month that has more than 20,000 not all of them are looked at.
    pub items: Vec<PayoutView>,
    /// From where to go on, where there are more.
    pub next: Option<String>,
}

/// The month of an instant by the wall clock.
pub(super) fn month(at: Ts) -> String {
    at.rfc3339().chars().take(7).collect()
}

/// The month before one.
fn month_before(month: &str) -> Option<String> {
    let (year, month) = month.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    Some(if month == 1 {
        format!("{:04}-12", year.checked_sub(1)?)
    } else {
        format!("{year:04}-{:02}", month.checked_sub(1)?)
    })
}

fn is_month(month: &str) -> bool {
    let is_plain = month.len() == 7 && month.bytes().enumerate().all(|(at, b)| (at == 4) == (b == b'-'));
    let number = month.get(5..).and_then(|number| number.parse::<u32>().ok());
    is_plain && number.is_some_and(|number| (1..=12).contains(&number))
}

fn refused<T>(code: &'static str, field: &str, message: impl Into<String>) -> Refused<T> {
    Err(Refusal::new(code, field, message))
}

impl Payout {
    fn view(&self, account: &str) -> PayoutView {
        let by = self.by.as_ref();
        PayoutView {
            payout: self.asked.bill.clone(),
            account: account.to_owned(),
            member: by.map(|by| by.member.clone()),
            amount_minor: self.asked.amount,
            currency: CURRENCY.to_owned(),
            remark: self.asked.remark.clone(),
            reason: by.map(|by| by.reason.clone()),
            state: self.stage.name().to_owned(),
            why: self.why.clone(),
            cancel: self.cancel,
            may_cancel: !self.stage.is_over() && !self.cancel,
            asked_by: by.map(|by| by.who.clone()),
            asked_at: self.since.rfc3339(),
            approval: by.and_then(|by| by.approval),
            platform_number: self.platform.clone(),
        }
    }

    /// Follows what a second person said, or that nobody did in time; whether it stands elsewhere now.
    fn follows(&mut self, approval: &Approval, wall: Ts) -> bool {
        let (stage, why) = match &approval.answer {
            Some(answer) if answer.approved => (Stage::Intended, None),
            Some(_) => (Stage::Refused, Some("approval_refused")),
            None if approval.answer_by < wall => (Stage::Refused, Some("approval_late")),
            None => return false,
        };
        (self.stage, self.why) = (stage, why.map(str::to_owned));
        true
    }
}

impl Engine {
    /// How a transfer stands that was asked for before by the same key, whoever its member is by now; nothing, where there is none. `known_by`
    /// is who asks and their key, `request` what they ask in one form. It is looked for under each of the brand's accounts: one key is one transfer.
    #[boxed]
    pub async fn payout_before(
        &self,
        grant: &Grant,
        merchants: &[Merchant],
        (known_by, request): ((&str, &str), &str),
    ) -> Result<Option<Refused<PayoutView>>> {
        grant.may(Operation::PayoutsMake)?;
        let bill = self.bill_of(known_by).await?;
        for merchant in merchants {
            if let Some(row) = self.payout_row(&merchant.account, &bill).await? {
                return self.same_payout(grant, merchant, row, &fingerprint(request)).await.map(Some);
            }
        }
        Ok(None)
    }

    /// The number of a transfer, by who asks and their key.
    async fn bill_of(&self, (who, once): (&str, &str)) -> Result<String> {
        let hash = self.home().await?.id_key.digest("payout", &[who.as_bytes(), once.as_bytes()]);
        Ok(MemberId::from_bytes(hash).to_string())
    }

    /// Asks for a transfer, or tells how the one stands that was asked for by the same key. Above what one person decides alone, with what they
    /// asked for and what the member gets within 24 hours, it waits for a second one. Nothing is said to the platform yet. `merchants` are
    /// all accounts of the brand's.
    #[boxed]
    pub async fn ask_payout(
        &self,
        grant: &Grant,
        (merchant, merchants): (&Merchant, &[Merchant]),
        (known_by, request): ((&str, &str), &str),
        wanted: &PayoutWanted,
        wall: Ts,
    ) -> Result<Refused<PayoutView>> {
        if let Some(before) = self.payout_before(grant, merchants, (known_by, request)).await? {
            return Ok(before);
        }
        let (key, bill, request) =
            (self.home().await?.id_key, self.bill_of(known_by).await?, fingerprint(request));
        let by = AskedBy {
            who: grant.who.clone(),
            member: wanted.member.to_string(),
            reason: wanted.reason.clone(),
            request: request.clone(),
            approval: None,
        };
        let payout = match self.wanted_payout(merchant, &bill, wanted).await? {
            Ok(asked) => Payout::new(asked, Stage::Intended, Some(by), wall),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let counted = (grant.who.as_str(), wanted.member, wanted.amount_minor);
        let needs_two = self.payout_needs_two(merchants, counted, wall).await?;
        let stage = if needs_two { Stage::WaitsForApproval } else { Stage::Intended };
        let payout = Payout { stage, ..payout };
        let noted = detail(json!({
            "payout": bill, "account": merchant.account, "amount_minor": wanted.amount_minor, "second_person": needs_two,
        }));
        let target = Target::member(&key, wanted.member);
        audit::note(self.store().as_ref(), grant, Operation::PayoutsMake, &target, Outcome::Begun, &noted)
            .await?;
        let _is_new = self.new_payout(&merchant.account, &payout, wall).await?;
        match self.payout_row(&merchant.account, &bill).await? {
            Some(row) => self.same_payout(grant, merchant, row, &request).await,
            None => Ok(Err(unknown())),
        }
    }

    /// What is to be asked of the platform, or why it cannot be.
    async fn wanted_payout(
        &self,
        merchant: &Merchant,
        bill: &str,
        wanted: &PayoutWanted,
    ) -> Result<Refused<PayoutAsked>> {
        let live = self.live()?;
        if live.playbook.currency.code != CURRENCY {
            let message = format!("WeChat Pay sends {CURRENCY} only");
            return Ok(refused("payout_currency", "amount_minor", message));
        }
        if merchant.pay.transfer_scene().is_none() {
            let message = "the account says no `transfer_scene` in the file of channels";
            return Ok(refused("payout_not_set_up", "account", message));
        }
        let names = self.store().identifiers_of(vec![wanted.member]).await?;
        let known: BTreeSet<(&str, &str)> = names
            .iter()
            .filter_map(|(_, namespace, value)| Some((namespace.strip_prefix("openid:")?, value.as_str())))
            .filter(|(appid, _)| merchant.pay.is_ours(appid))
            .filter(|(appid, _)| wanted.app.as_ref().is_none_or(|app| app == appid))
            .collect();
        let apps: BTreeSet<&str> = known.iter().map(|(appid, _)| *appid).collect();
        if let Some(app) = wanted.app.as_deref().filter(|app| !merchant.pay.is_ours(app)) {
            return Ok(refused("payout_app_unknown", "app", format!("{app} is none of the account's apps")));
        }
        if apps.len() > 1 {
            let message = "they are known in several of the account's apps: say in which they get it";
            return Ok(refused("payout_app_ambiguous", "app", message));
        }
        let (appid, openid) = match known.len() {
            1 => known.first().copied().unwrap_or_default(),
            0 => {
                let message = "they are known in none of the account's apps: they never came by WeChat";
                return Ok(refused("payout_openid_missing", "member", message));
            }
            _ => {
                let message =
                    "they bear several openids of this app, so whose the money would be is not certain";
                return Ok(refused("payout_openid_ambiguous", "member", message));
            }
        };
        let said: Vec<(String, String)> =
            merchant.pay.transfer_reports().iter().map(|(kind, said)| (kind.clone(), said.clone())).collect();
        let asked = PayoutAsked {
            bill: bill.to_owned(),
            appid: appid.to_owned(),
            openid: openid.to_owned(),
            amount: wanted.amount_minor,
            name: wanted.name.clone(),
            remark: wanted.remark.clone(),
            reports: if wanted.reports.is_empty() { said } else { wanted.reports.clone() },
        };
        let checked = Payout::new(asked.clone(), Stage::Intended, None, Ts(0)).new_transfer().check();
        if let Err(Trouble::Wrong { field, message }) = checked {
            let field = if field == "amount" { "amount_minor".to_owned() } else { field };
            return Ok(refused("bad_payout", &field, message));
        }
        Ok(Ok(asked))
    }

    /// The one of this number, if the same was asked. Where it needs a second person who was not asked yet, that is done now.
    async fn same_payout(
        &self,
        grant: &Grant,
        merchant: &Merchant,
        mut row: Row,
        request: &str,
    ) -> Result<Refused<PayoutView>> {
        let account = merchant.account.as_str();
        if row.payout.by.as_ref().map(|by| by.request.as_str()) != Some(request) {
            let message = "something else was asked by this key";
            return Ok(refused("idempotency_key_reused", "", message));
        }
        let waits = row.payout.stage == Stage::WaitsForApproval;
        if waits && row.payout.by.as_ref().is_some_and(|by| by.approval.is_none()) {
            let no = self.ask_second_person(grant, account, &row.payout).await?;
            loop {
                // Where another process asked at the same time, what it asked counts.
                match &mut row.payout.by {
                    Some(by) if by.approval.is_none() => by.approval = Some(no),
                    _ => break,
                }
                let due = row.payout.due(row.payout.since);
                if self.keep_payout(account, (row.id, row.version), &row.payout, due).await? {
                    break;
                }
                // It was looked at meanwhile, or is not wanted any more.
                match self.payout_row(account, &row.payout.asked.bill).await? {
                    Some(now) => row = now,
                    None => return Ok(Err(unknown())),
                }
            }
        }
        Ok(Ok(row.payout.view(account)))
    }

    async fn ask_second_person(&self, grant: &Grant, account: &str, payout: &Payout) -> Result<i64> {
        let by = payout.by.as_ref();
        let request = json!({
            "command": "payouts", "payout": payout.asked.bill, "account": account, "amount_minor": payout.asked.amount,
            "to": by.map(|by| by.member.as_str()), "reason": by.map(|by| by.reason.as_str()),
        });
        let store = self.store().as_ref();
        approvals::ask(store, grant, Operation::PayoutsMake, &request, &self.alone()).await
    }

    /// Where one that waits for a second person stands now.
    pub(super) async fn look_for_approval(
        &self,
        account: &str,
        read: (ReflectionId, i64),
        mut payout: Payout,
        wall: Ts,
    ) -> Result<Stage> {
        let no = payout.by.as_ref().and_then(|by| by.approval);
        let approval = match no {
            Some(no) => self.store().access().approval(no).await?,
            None => None,
        };
        let moved = approval.is_some_and(|approval| payout.follows(&approval, wall));
        let due = if moved && !payout.stage.is_over() { Some(wall) } else { payout.due(wall) };
        let _is_mine = self.keep_payout(account, read, &payout, due).await?;
        Ok(payout.stage)
    }

    /// A second person answers: it is made, or not.
    #[boxed]
    pub async fn answer_payout(
        &self,
        grant: &Grant,
        (account, bill): (&str, &str),
        approved: bool,
        wall: Ts,
    ) -> Result<Refused<PayoutView>> {
        grant.may(Operation::PayoutsMake)?;
        let Some(row) = self.payout_row(account, bill).await? else { return Ok(Err(unknown())) };
        let Some(no) = row.payout.by.as_ref().and_then(|by| by.approval) else {
            return Ok(refused("payout_waits_for_nobody", "payout", "it waits for no second person"));
        };
        let store = self.store().as_ref();
        if row.payout.stage == Stage::Cancelled {
            return Ok(refused("payout_over", "payout", "it is not wanted any more"));
        }
        let answered = if approved {
            approvals::approve(store, grant, no).await
        } else {
            approvals::refuse(store, grant, no).await
        };
        let approval = match answered {
            Ok(approval) => approval,
            // Whoever answered may say the same again: what follows from it may not have been written.
            Err(EngineError::Approval(ApprovalProblem::Answered(_))) => {
                let was = store.access().approval(no).await?;
                let same = was.filter(|was| {
                    was.answer
                        .as_ref()
                        .is_some_and(|answer| answer.approved == approved && answer.by == grant.who)
                });
                same.ok_or(EngineError::Approval(ApprovalProblem::Answered(no)))?
            }
            Err(error) => return Err(error),
        };
        loop {
            let Some(mut row) = self.payout_row(account, bill).await? else { return Ok(Err(unknown())) };
            let waits = row.payout.stage == Stage::WaitsForApproval;
            if !waits || !row.payout.follows(&approval, wall) {
                return Ok(Ok(row.payout.view(account)));
            }
            let due = (!row.payout.stage.is_over()).then_some(wall);
            if self.keep_payout(account, (row.id, row.version), &row.payout, due).await? {
                return Ok(Ok(row.payout.view(account)));
            }
        }
    }

    /// A transfer, as people of the brand see it.
    #[boxed]
    pub async fn payout_view(&self, account: &str, bill: &str) -> Result<Refused<PayoutView>> {
        Ok(self.payout(account, bill).await?.map(|payout| payout.view(account)))
    }

    /// Somebody of the brand's wants a transfer cancelled, which can be until its person confirmed it.
    #[boxed]
    pub async fn call_payout_off(
        &self,
        grant: &Grant,
        (account, bill): (&str, &str),
        wall: Ts,
    ) -> Result<Refused<PayoutView>> {
        grant.may(Operation::PayoutsMake)?;
        let before = match self.payout(account, bill).await? {
            Ok(payout) => payout,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if before.cancel {
            return Ok(Ok(before.view(account)));
        }
        if before.stage.is_over() {
            return Ok(refused("payout_over", "payout", format!("it is {}", before.stage.name())));
        }
        let (store, noted) =
            (self.store().as_ref(), detail(json!({"act": "cancel", "was": before.stage.name()})));
        let target = Target::code(bill);
        audit::note(store, grant, Operation::PayoutsMake, &target, Outcome::Begun, &noted).await?;
        Ok(self.cancel_payout(account, bill, wall).await?.map(|payout| payout.view(account)))
    }

    /// Transfers of an account, the newest first.
    #[boxed]
    pub async fn payouts(
        &self,
        account: &str,
        asked: &PayoutsAsked,
        wall: Ts,
    ) -> Result<Refused<PayoutsPage>> {
        if asked.month.as_deref().is_some_and(|month| !is_month(month)) {
            return Ok(refused("bad_date", "month", "a month such as 2026-11"));
        }
        let is_stage = |name: &str| Stage::ALL.iter().any(|stage| stage.name() == name);
        if asked.state.as_deref().is_some_and(|state| !is_stage(state)) {
            return Ok(refused("bad_text", "state", "no state of transfers"));
        }
        // What comes after one is older, or as old and its number comes later.
        let after = match asked.cursor.as_deref().map(|cursor| cursor.split_once('-')) {
            None => None,
            Some(Some((at, bill))) => match at.parse::<i64>() {
                Ok(at) => Some((std::cmp::Reverse(at), bill)),
                Err(_) => return Ok(refused("bad_cursor", "cursor", "no cursor of this list")),
            },
            Some(None) => return Ok(refused("bad_cursor", "cursor", "no cursor of this list")),
        };
        let this = month(wall);
        let months = match &asked.month {
            Some(month) => vec![month.clone()],
            None => std::iter::once(this.clone()).chain(month_before(&this)).collect(),
        };
        let member = asked.member.map(|member| member.to_string());
        let mut found = Vec::new();
        for month in months {
            found.extend(self.payouts_of_month(account, &month).await?);
        }
        found.retain(|payout| {
            let by = payout.by.as_ref();
            asked.state.as_deref().is_none_or(|state| state == payout.stage.name())
                && member.as_ref().is_none_or(|member| by.is_some_and(|by| by.member == *member))
                && after.is_none_or(|after| {
                    (std::cmp::Reverse(payout.since.0), payout.asked.bill.as_str()) > after
                })
        });
        found.sort_by(|one, other| (other.since, &one.asked.bill).cmp(&(one.since, &other.asked.bill)));
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|last| format!("{}-{}", last.since.0, last.asked.bill));
        Ok(Ok(PayoutsPage { items: found.iter().map(|payout| payout.view(account)).collect(), next }))
    }

    async fn payouts_of_month(&self, account: &str, month: &str) -> Result<Vec<Payout>> {
        let key = self.home().await?.id_key;
        let part = reflection_id(&key, (CHANNEL, account), KIND, &[month]);
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{CHANNEL}:{account}:{KIND}");
        let (mut found, mut after) = (Vec::new(), None);
        while found.len() < MONTH_MAX {
            let rows = mirror.reflections_of(&kind, part, after, ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            for row in rows {
                found.extend(opened(row)?.map(|row| row.payout));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_wall_clock_and_follow_each_other() {
        assert_eq!(month(Ts(1_796_000_000_000_000)), "2026-11");
        for (of, before) in [("2026-11", Some("2026-10")), ("2026-01", Some("2025-12")), ("x", None)] {
            assert_eq!(month_before(of).as_deref(), before, "{of}");
        }
        for (of, is) in [("2026-11", true), ("2026-13", false), ("2026-1", false), ("20261-1", false)] {
            assert_eq!(is_month(of), is, "{of}");
        }
    }
}
