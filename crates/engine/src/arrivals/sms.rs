//! What platforms of short messages told: receipts, which say what became of a message, and who wants no more.
//!
//! A receipt is of the message whose sealed word it bears, else of the one that the platform calls so: Tencent Cloud tells no word. It may be
//! quicker than the answer to the hand-over itself, so what is of no message yet waits a while. Whoever answers that they want no more is
//! known by their number alone: what stops is all that is not promised on this channel, since that is what they were told.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use zhiyin_model::consent::ALL;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::identifier::normalise;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::playbook::campaign::{SMS, Step, each};
use zhiyin_model::time::Ts;
use zhiyin_reach::sms::{Report, SmsNews};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState};
use zhiyin_store::campaigns::sends::{Receipt, Received};
use zhiyin_store::{StoreError, Wanted, seal};

use super::work::Outcome;
use crate::sends::told::{UNREACHABLE, event};
use crate::{Engine, Result, clock};

/// How soon a message is looked for again that is not there, or is still being handed over, in microseconds; and for how long.
const AGAIN_US: i64 = 5_000_000;
const GIVEN_UP_US: i64 = 600_000_000;
/// The most members who bear one number that are looked at.
const MEMBERS_MAX: usize = 20;

#[derive(Deserialize)]
struct Kept {
    bills_failed: bool,
    #[serde(flatten)]
    news: SmsNews,
}

/// By which purposes a brand advertises on this channel.
fn purposes(playbook: &Playbook) -> BTreeSet<String> {
    let mut purposes = BTreeSet::new();
    for campaign in playbook.campaigns.values().filter(|campaign| !campaign.promised) {
        each(&campaign.steps, &mut |step| {
            if let Step::Send { by, .. } = step
                && by.iter().any(|channel| channel == SMS)
            {
                purposes.insert(campaign.purpose.clone());
            }
        });
    }
    purposes
}

impl Engine {
    /// Works on these.
    pub(super) async fn work_on_sms(&self, lent: &[Arrival], wall: Ts) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(lent.len());
        for arrival in lent {
            outcomes.push(self.work_on_one_sms(arrival, wall).await?);
        }
        Ok(outcomes)
    }

    async fn work_on_one_sms(&self, arrival: &Arrival, wall: Ts) -> Result<Outcome> {
        let over = |state, why: &str| Ok((state, arrival.due, Some(why.to_owned())));
        let body = match seal::open(&arrival.body) {
            Err(StoreError::Erased) => return over(ArrivalState::Dropped, "erased"),
            body => body?,
        };
        match serde_json::from_str::<Kept>(&body) {
            Ok(Kept { bills_failed, news: SmsNews::Reported(report) }) => {
                self.reported(&report, bills_failed, (arrival, wall)).await
            }
            Ok(Kept { news: SmsNews::Left { phone, .. }, .. }) => self.left_by_sms(&phone, arrival).await,
            Err(_) => over(ArrivalState::Failed, "unreadable"),
        }
    }

    async fn reported(
        &self,
        report: &Report,
        bills_failed: bool,
        (arrival, wall): (&Arrival, Ts),
    ) -> Result<Outcome> {
        let done = |why: Option<&str>| Ok((ArrivalState::Done, arrival.due, why.map(str::to_owned)));
        let sends = self.store().coupons().campaigns().sends();
        let mut row = self.of_receipt(&report.word).await?;
        if row.is_none() && !report.serial.is_empty() {
            row = sends.received(SMS, &report.serial).await?;
        }
        let Some(row) = row.filter(|row| row.channel == SMS) else {
            return Ok(waits(arrival, wall, "no_such_send"));
        };
        let gone = if report.is_gone { UNREACHABLE } else { "" };
        let arrived = if report.arrived { Ok(()) } else { Err(format!("{gone}bounced {}", report.code)) };
        let receipt = Receipt {
            id: row.id,
            arrived,
            at: report.at.map_or(arrival.at, |at| Ts(at.saturating_mul(1_000_000))),
            parts: report.parts.map(i64::from),
            is_billed: report.arrived || bills_failed,
        };
        match sends.receipt(receipt).await? {
            Received::Early => return Ok(waits(arrival, wall, "handed")),
            Received::Known => return done(None),
            Received::Noted => {}
        }
        let kind = match (report.arrived, report.is_gone) {
            (true, _) => "arrived",
            (false, true) => "gone",
            (false, false) => "failed",
        };
        self.measures.sends().came_back(kind, true);
        if report.refuses && self.withdraw(&row, "unsubscribe").await? == "withdrawn" {
            self.measures.sends().left();
        }
        done(None)
    }

    /// Whoever bears a number wants no more of what is not promised here: said again it changes nothing.
    async fn left_by_sms(&self, phone: &str, arrival: &Arrival) -> Result<Outcome> {
        let done = |why: Option<&str>| Ok((ArrivalState::Done, arrival.due, why.map(str::to_owned)));
        let Ok(value) = normalise("phone", phone) else {
            return Ok((ArrivalState::Failed, arrival.due, Some("phone_malformed".to_owned())));
        };
        let (live, home) = (self.live()?, self.home().await?);
        let named = Identifier { namespace: "phone".to_owned(), value };
        let wanted = Wanted { identifiers: vec![seal::lookup(&home.id_key, &named)], ..Wanted::default() };
        let members = self.store().load(wanted).await?.members;
        if members.is_empty() {
            return done(Some("nobody"));
        }
        let mut all = purposes(&live.playbook);
        if all.is_empty() {
            all.insert(ALL.to_owned());
        }
        for stored in members.into_iter().take(MEMBERS_MAX) {
            let now = clock::now(&home).max(stored.member.decided_until);
            let mut events = Vec::new();
            for purpose in &all {
                let may = |purpose: &str| {
                    let asked = zhiyin_decide::consent::ask(&live.rules, &stored.member, purpose, SMS, now);
                    asked.allowed.is_ok()
                };
                if purpose != ALL && !may(purpose) {
                    continue;
                }
                let said: [(&str, Value); 3] = [
                    ("purpose", purpose.as_str().into()),
                    ("channel", SMS.into()),
                    ("source", "unsubscribe".into()),
                ];
                let properties: Map<String, Value> =
                    said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let message_id = format!("{}-{purpose}", arrival.id);
                let about = (stored.member.id, message_id);
                events.push(event(&home, SMS, about, names::CONSENT_WITHDRAWN, properties, now));
            }
            if !events.is_empty() {
                self.say_of_channel(SMS, events, clock::now(&home)).await?;
                self.measures.sends().left();
            }
        }
        done(None)
    }
}

/// It is looked for again for a while; then it is of nothing that is known here, such as a code that was sent by hand.
fn waits(arrival: &Arrival, wall: Ts, why: &str) -> Outcome {
    let state =
        if wall.0 - arrival.at.0 >= GIVEN_UP_US { ArrivalState::Dropped } else { ArrivalState::Waiting };
    (state, wall.plus_us(AGAIN_US), Some(why.to_owned()))
}
