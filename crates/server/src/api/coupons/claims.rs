//! Coupons that members claim themselves, and that are redeemed where they are shown.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use crate::api::caller::Caller;
use crate::api::commands::{CommandDone, MemberRef, at_the_till};
use crate::api::endpoint::Endpoint;
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    vec![
        Endpoint::own_command("coupons_claim", "/v1/commands/coupons/claim", Operation::CouponsUse, claim)
            .says(
                "Claim a coupon",
                "领券、抢购、积分兑换",
                "A member takes a coupon of an offer that says `claim`: within its time, its limits and its stock, for the points \
                 that it costs. What is sold out is answered at once, without waiting in line.",
            )
            .refuses(&[
                "member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
                "text_too_long", "outside_scope", "offer_unknown", "offer_not_running", "not_claimable", "claim_not_open",
                "claim_over", "not_eligible", "limit_reached", "out_of_stock", "insufficient_points", "too_many_coupons",
                "bad_number", "no_playbook", "erased",
            ])
            .example(json!({"member": member, "offer": "poster"})),
        Endpoint::command("coupons_redeem", "/v1/commands/coupons/redeem", Operation::CouponsUse, redeem)
            .says(
                "Redeem a coupon",
                "核销券",
                "Uses up one that is active, by its code: at the till, or where a gift is picked up. Once. Where a checkout \
                 applies it, the checkout redeems it.",
            )
            .refuses(&[
                "coupon_unknown", "coupon_not_active", "coupon_locked", "member_unknown", "outside_scope", "text_too_long", "bad_text",
                "erased",
            ])
            .example(json!({"coupon": "7H3K-0QWE-9RTY-4ZXC", "store": "330", "reference": "till-7/000123"})),
    ]
}

/// A claim.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CouponClaim")]
pub(crate) struct Claim {
    /// For whom.
    member: MemberRef,
    /// Of which offer, by its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    offer: String,
    /// How many, all or none; one, if it says nothing.
    #[schemars(range(min = 1, max = 20))]
    count: Option<u32>,
    /// The code of the store where it is done; where the key is, if it says nothing.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
    /// Your own reference.
    #[schemars(length(max = 255))]
    reference: Option<String>,
}

impl Claim {
    /// One that a member makes themselves.
    pub(crate) const fn by(member: MemberRef, offer: String, count: Option<u32>) -> Self {
        Self { member, offer, count, store: None, staff: None, reference: None }
    }
}

/// What came of a claim.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Claimed {
    /// As of any command.
    #[serde(flatten)]
    pub(crate) done: CommandDone,
    /// Codes of the coupons that were claimed.
    pub(crate) codes: Vec<String>,
}

pub(crate) async fn claim(caller: Arc<Caller>, asked: Claim) -> Result<Claimed, Problem> {
    let (offer, count) = (asked.offer.clone(), asked.count.unwrap_or(1));
    let is_sold_out = caller.engine().is_sold_out(&offer).await?;
    // Who was answered once is answered the same, also where nothing is left by now.
    let done = match caller.before().await? {
        Some(before) => before,
        None if is_sold_out => return Err(Problem::of("out_of_stock").at("offer")),
        None => match claim_now(&caller, asked, count).await {
            // Another request of this key may have been quicker, and have changed what this one looked up.
            Err(problem) if problem.status().is_client_error() => caller.before().await?.ok_or(problem)?,
            done => done?,
        },
    };
    let codes = caller.engine().codes_of_command(&caller.asker(), &offer, count).await?;
    Ok(Claimed { done, codes })
}

async fn claim_now(caller: &Caller, asked: Claim, count: u32) -> Result<CommandDone, Problem> {
    zhiyin_model::event::bounded("offer", &asked.offer)?;
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = Act::new(Operation::CouponsUse, names::COUPON_CLAIMED, vec![name]);
    act.properties.insert("offer".to_owned(), asked.offer.as_str().into());
    act.properties.insert("count".to_owned(), count.to_string().into());
    at_the_till(caller, &mut act, (asked.store, asked.staff, asked.reference))?;
    act.noted = json!({"offer": asked.offer, "count": count, "store": act.store});
    caller.done(&act, Some(member)).await
}

/// A coupon that is used up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CouponRedeem")]
struct Redeem {
    /// Its code, however typed, or its id.
    #[schemars(length(min = 1, max = 64))]
    coupon: String,
    /// The code of the store where it is done; where the key is, if it says nothing.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
    /// Your own reference, such as the number of a receipt.
    #[schemars(length(max = 255))]
    reference: Option<String>,
}

async fn redeem(caller: Arc<Caller>, asked: Redeem) -> Result<CommandDone, Problem> {
    let found = caller.engine().coupon(&caller.filter, &asked.coupon, "coupon").await??.coupon;
    let unknown = || Problem::of("coupon_unknown").at("coupon");
    let member = MemberId::from_hex(&found.member).ok_or_else(unknown)?;
    let name = caller.engine().name_of(&Whom::Id(member), member, "coupon").await??;
    let mut act = Act::new(Operation::CouponsUse, names::COUPON_REDEEMED, vec![name]);
    act.properties.insert("coupon_id".to_owned(), found.id.as_str().into());
    act.properties.insert("offer".to_owned(), found.offer.as_str().into());
    at_the_till(&caller, &mut act, (asked.store, asked.staff, asked.reference))?;
    act.noted = json!({"coupon": found.id, "offer": found.offer, "store": act.store});
    caller.done(&act, Some(member)).await
}
