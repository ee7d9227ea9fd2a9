//! What whoever gets a transfer sees of it, and by what they confirm it.

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::id::MemberId;
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_store::campaigns::mirror::{ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::asked::{CURRENCY, ROWS};
use super::{KIND, OF_PERSON, Payout, Stage, damaged, opened};
use crate::pays::Merchant;
use crate::{Engine, Result, boxed};

/// How many of a person's are looked at, and how many are shown.
const LOOKED_AT: usize = 2_000;
const SHOWN: usize = 50;

/// A transfer, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MyPayout {
    /// Its number.
    pub payout: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Of which currency.
    pub currency: String,
    /// What it is.
    pub remark: String,
    /// `to_confirm`, `under_way`, `received` or `over` (it was not confirmed in time, was cancelled, or did not go through).
    pub state: String,
    /// Since when.
    pub at: String,
    /// By what its person confirms it in WeChat, while it waits for that.
    pub confirm: Option<Confirm>,
}

/// What a page hands to WeChat so that its person confirms a transfer (`requestMerchantTransfer`), in the app of this id only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PayoutConfirm")]
pub struct Confirm {
    /// The merchant: `mchId`.
    pub mchid: String,
    /// The provider's merchant, where the brand is one: `subMchId`.
    pub sub_mchid: Option<String>,
    /// The app: `appId`; where the brand is a provider's merchant, `subAppId`.
    pub appid: String,
    /// `package`.
    pub package: String,
}

impl Payout {
    /// As its person sees it; nothing, before there is something to see.
    fn mine(&self, merchant: &Merchant) -> Option<MyPayout> {
        let state = match self.stage {
            Stage::WaitsForPerson if !self.cancel => "to_confirm",
            Stage::UnderWay => "under_way",
            Stage::Done => "received",
            Stage::Failed | Stage::Cancelled if self.platform.is_some() => "over",
            _ => return None,
        };
        let confirm = self.package.clone().filter(|_| state == "to_confirm").map(|package| Confirm {
            mchid: merchant.pay.mchid().to_owned(),
            sub_mchid: merchant.pay.sub_mchid().map(str::to_owned),
            appid: self.asked.appid.clone(),
            package,
        });
        Some(MyPayout {
            payout: self.asked.bill.clone(),
            amount_minor: self.asked.amount,
            currency: CURRENCY.to_owned(),
            remark: self.asked.remark.clone(),
            state: state.to_owned(),
            at: self.since.rfc3339(),
            confirm,
        })
    }
}

impl Engine {
    /// What was sent to a member, as they see it: what waits for them first, then the newest.
    #[boxed]
    pub async fn my_payouts(&self, merchants: &[Merchant], member: MemberId) -> Result<Vec<MyPayout>> {
        let names = self.store().identifiers_of(vec![member]).await?;
        let mut all = Vec::new();
        for merchant in merchants {
            for (_, namespace, openid) in &names {
                let appid = namespace.strip_prefix("openid:");
                if !appid.is_some_and(|appid| merchant.pay.is_ours(appid)) {
                    continue;
                }
                let names = [namespace.as_str(), openid.as_str()];
                let bills = self.payouts_found_by(&merchant.account, OF_PERSON, &names, LOOKED_AT).await?;
                let mirror = self.store().coupons().campaigns().mirror();
                for some in bills.chunks(ROWS) {
                    for row in mirror.reflections(some.to_vec()).await? {
                        let payout = opened(row)?.map(|row| row.payout);
                        let shown =
                            payout.and_then(|payout| payout.mine(merchant).map(|one| (payout.since, one)));
                        all.extend(shown);
                    }
                }
            }
        }
        all.sort_by_key(|(since, one)| {
            (one.state != "to_confirm", std::cmp::Reverse(*since), one.payout.clone())
        });
        Ok(all.into_iter().take(SHOWN).map(|(_, one)| one).collect())
    }

    /// Which transfers are found by names of a kind, at most about so many.
    pub(super) async fn payouts_found_by(
        &self,
        account: &str,
        kind: &str,
        names: &[&str],
        most: usize,
    ) -> Result<Vec<ReflectionId>> {
        let key = self.home().await?.id_key;
        let of = |kind: &str, names: &[&str]| reflection_id(&key, (CHANNEL, account), kind, names);
        let mirror = self.store().coupons().campaigns().mirror();
        let rows_of = format!("{CHANNEL}:{account}:{kind}");
        let (mut ids, mut after) = (Vec::new(), None);
        while ids.len() < most {
            let rows = mirror.reflections_of(&rows_of, of(kind, names), after, ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            for row in &rows {
                let body = match seal::open(&row.body) {
                    Err(StoreError::Erased) => continue,
                    body => body?,
                };
                let bill: String = serde_json::from_str(&body).map_err(|error| damaged(&error))?;
                ids.push(of(KIND, &[&bill]));
            }
        }
        Ok(ids)
    }
}
