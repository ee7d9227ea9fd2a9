//! Transfers of money to a person, who confirms each in WeChat (商家转账; pay.weixin.qq.com/doc/v3/merchant/4012711988). The merchant's own
//! number makes it once, however often it is asked for; who does not confirm it within a day gives it back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Pay;
use super::pay::Ask;
use super::told::Transfer;
use crate::platform::{Answer, Trouble};

/// The smallest amount, in fen.
pub const AMOUNT_MIN: i64 = 10;
/// From this amount on the platform wants the person's name; in fen.
pub const NAME_FROM: i64 = 200_000;
/// The largest amount, in fen: a bound of ours, beyond what a merchant's own limits are.
pub const AMOUNT_MAX: i64 = 100_000_000;
/// The longest name of a person, in bytes: what a key of 2,048 bits seals.
const NAME_BYTES_MAX: usize = 214;
/// The longest remark, in characters.
const REMARK_CHARS_MAX: usize = 32;
/// The most things that are told of what a transfer is for, and the longest of each, in characters.
const REPORTS_MAX: usize = 10;
const REPORT_CHARS_MAX: usize = 32;

/// Where a transfer stands on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// It was taken, or is under way: it may still fail.
    UnderWay,
    /// The person is to confirm it.
    WaitsForPerson,
    /// It is being cancelled.
    Cancelling,
    /// The person has it.
    Done,
    /// It failed; the money came back, or never left.
    Failed,
    /// It was cancelled, by us or since nobody confirmed it.
    Cancelled,
}

impl Stands {
    /// Of what the platform calls it.
    pub fn named(state: &str) -> Option<Self> {
        Some(match state {
            "ACCEPTED" | "PROCESSING" | "TRANSFERING" => Self::UnderWay,
            "WAIT_USER_CONFIRM" => Self::WaitsForPerson,
            "CANCELING" => Self::Cancelling,
            "SUCCESS" => Self::Done,
            "FAIL" => Self::Failed,
            "CANCELLED" => Self::Cancelled,
            _ => return None,
        })
    }

    /// Whether nothing changes any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// A transfer to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransfer {
    /// The merchant's own number: letters and digits, at most 32.
    pub bill: String,
    /// In which of the brand's apps the person is known.
    pub appid: String,
    /// The person, as that app knows them.
    pub openid: String,
    /// How much, in fen.
    pub amount: i64,
    /// The person's real name, which the platform holds against who they are there: needed from [`NAME_FROM`] on.
    pub name: Option<String>,
    /// What the person reads.
    pub remark: String,
    /// What it is for, as the scene asks: kinds and what is said of each.
    pub reports: Vec<(String, String)>,
}

fn wrong<T>(field: &str, message: impl ToString) -> Answer<T> {
    Err(Trouble::Wrong { field: field.to_owned(), message: message.to_string() })
}

#[derive(Deserialize)]
struct Made {
    state: String,
    #[serde(default)]
    package_info: String,
    #[serde(default)]
    transfer_bill_no: String,
}

impl NewTransfer {
    /// What is wrong with it, whoever makes it.
    pub fn check(&self) -> Answer<()> {
        if self.bill.is_empty()
            || self.bill.len() > 32
            || !self.bill.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return wrong("bill", "1 to 32 letters and digits");
        }
        if self.openid.is_empty()
            || self.openid.len() > 64
            || !self.openid.bytes().all(|b| b.is_ascii_graphic())
        {
            return wrong("openid", "1 to 64 characters");
        }
        if !(AMOUNT_MIN..=AMOUNT_MAX).contains(&self.amount) {
            return wrong("amount", format!("{AMOUNT_MIN} to {AMOUNT_MAX} fen"));
        }
        match &self.name {
            None if self.amount >= NAME_FROM => {
                return wrong("name", format!("is needed from {NAME_FROM} fen on"));
            }
            Some(name) if name.trim().is_empty() || name.len() > NAME_BYTES_MAX => {
                return wrong("name", format!("1 to {NAME_BYTES_MAX} bytes"));
            }
            _ => {}
        }
        if self.remark.is_empty() || self.remark.chars().count() > REMARK_CHARS_MAX {
            return wrong("remark", format!("1 to {REMARK_CHARS_MAX} characters"));
        }
        let is_said = |text: &str| (1..=REPORT_CHARS_MAX).contains(&text.chars().count());
        if self.reports.is_empty()
            || self.reports.len() > REPORTS_MAX
            || !self.reports.iter().all(|(kind, said)| is_said(kind) && is_said(said))
        {
            return wrong(
                "reports",
                format!("1 to {REPORTS_MAX} of 1 to {REPORT_CHARS_MAX} characters each"),
            );
        }
        Ok(())
    }
}

impl Pay {
    /// Where transfers lie on the platform: those of a provider's merchant elsewhere (pay.weixin.qq.com/doc/v3/partner/4015469096).
    fn bills(&self) -> &'static str {
        match self.sub_mchid() {
            None => "/v3/fund-app/mch-transfer/transfer-bills",
            Some(_) => "/v3/fund-app/mch-transfer/partner/transfer-bills",
        }
    }

    /// Makes a transfer. Said again with the same number and amount it is the same one; where nobody knows, [`Pay::transfer`] shows it.
    pub async fn make_transfer(&self, new: &NewTransfer) -> Answer<Transfer> {
        new.check()?;
        if !self.is_ours(&new.appid) {
            return wrong("appid", "is none of the account's apps");
        }
        let Some(scene) = self.transfer_scene() else {
            return wrong("transfer_scene", "the account says no scene for transfers");
        };
        let reports: Vec<Value> =
            new.reports.iter().map(|(kind, said)| json!({"info_type": kind, "info_content": said})).collect();
        let mut body = json!({
            "appid": new.appid, "out_bill_no": new.bill, "transfer_scene_id": scene, "openid": new.openid,
            "transfer_amount": new.amount, "transfer_remark": new.remark,
            "transfer_scene_report_infos": reports,
        });
        if let (Some(sub), Some(body)) = (self.sub_mchid(), body.as_object_mut()) {
            drop(body.insert("sub_mchid".to_owned(), sub.into()));
        }
        if let (Some(url), Some(body)) = (self.notice_url(), body.as_object_mut()) {
            drop(body.insert("notify_url".to_owned(), url.into()));
        }
        let mut sealed_by = None;
        if let (Some(name), Some(body)) = (&new.name, body.as_object_mut()) {
            // The same number is to say the same words, however often.
            let (by, sealed) = self.sealed(name, &new.bill)?;
            drop(body.insert("user_name".to_owned(), sealed.into()));
            sealed_by = Some(by);
        }
        let ask = Ask { sealed_by, ..Ask::post(self.bills().to_owned(), body.to_string(), false) };
        let made: Made = self.asked(&ask).await?;
        Ok(Transfer {
            out_bill_no: new.bill.clone(),
            transfer_bill_no: made.transfer_bill_no,
            state: made.state,
            transfer_amount: new.amount,
            openid: new.openid.clone(),
            package_info: made.package_info,
            ..Transfer::default()
        })
    }

    /// A transfer as it stands, by the merchant's own number; nothing where it was never made, which is certain only for one that was
    /// asked for a while ago.
    pub async fn transfer(&self, bill: &str) -> Answer<Option<Transfer>> {
        let of = self.sub_mchid().map(|sub| format!("?sub_mchid={sub}")).unwrap_or_default();
        match self.asked(&Ask::get(format!("{}/out-bill-no/{bill}{of}", self.bills()))).await {
            Err(trouble) if trouble.is_gone() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Cancels a transfer that its person has not confirmed. How it ends is seen by [`Pay::transfer`].
    pub async fn cancel_transfer(&self, bill: &str) -> Answer<()> {
        let path = format!("{}/out-bill-no/{bill}/cancel", self.bills());
        let body = self.sub_mchid().map(|sub| json!({ "sub_mchid": sub }).to_string());
        self.answered(&Ask::post(path, body.unwrap_or_default(), true)).await.map(drop)
    }
}
