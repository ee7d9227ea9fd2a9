//! Tills that sell without a network: leases, their snapshots, and what was sold under them.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zhiyin_engine::tills::{LeaseAsked, LeaseOf, LeaseView, SaleTold, SnapshotFile};
use zhiyin_model::coupon::CouponCode;
use zhiyin_model::id::CouponId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::MemberRef;
use super::endpoint::Endpoint;
use super::input::Nothing;
use crate::problem::Problem;

/// The largest body of sales: as many as are told at once, each as large as an item may be.
const SALES_BYTES_MAX: usize = 7 * 1024 * 1024;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::TillsLease;
    let name = "s1-till-2/20240503";
    let example = json!({"lease": name});
    vec![
        Endpoint::change(Method::POST, "tills_lease", "/v1/till-leases", needs, lease)
            .says(
                "Lease to a till",
                "租给离线收银台",
                "Takes what is asked of stock, quotas, budgets and of members' coupons for a till that will sell without a network, all of \
                 it or nothing. Asked again by the same name it is the same lease.",
            )
            .refuses(&[
                "bad_code", "outside_scope", "bad_text", "text_too_long", "bad_number", "member_unknown", "bad_identifier",
                "identifier_blocked", "phone_malformed", "email_malformed", "coupon_unknown", "lease_reused", "lease_too_large",
                "not_enough_left", "offer_unknown", "offer_not_running", "offer_not_bounded", "no_playbook",
            ])
            .example(json!({
                "lease": name, "till": "till-2", "store": "s1", "hours": 8,
                "offers": {"group-99-20": {"uses": 20, "money": 40000}},
                "members": [{"member": {"namespace": "phone", "value": "13912345678"}}],
            })),
        Endpoint::get("tills_list", "/v1/till-leases", needs, list).says(
            "List leases of tills",
            "离线租约列表",
            "Those of stores within reach, the open ones first; at most 200.",
        ),
        Endpoint::get("tills_read", "/v1/till-lease", needs, read)
            .says("Read a lease", "查看离线租约", "What it has, and what of it is left.")
            .refuses(&["lease_unknown", "bad_text", "text_too_long"])
            .example(example.clone()),
        Endpoint::get("tills_snapshot", "/v1/till-lease/snapshot", needs, snapshot)
            .says(
                "Take a snapshot for a till",
                "离线快照",
                "Signed. By it a till quotes without a network until the lease ends, and sells what is leased to it. It names nobody.",
            )
            .refuses(&["lease_unknown", "lease_over", "lease_pending", "playbook_changed", "bad_text", "text_too_long", "no_playbook"])
            .example(example.clone()),
        Endpoint::get("tills_key", "/v1/till-key", needs, key).says(
            "Read the key of snapshots",
            "离线快照公钥",
            "With it a till checks whether a snapshot is this home's: to be put on the till once, by another way than snapshots come.",
        ),
        Endpoint::change(Method::POST, "tills_sales", "/v1/till-lease/sales", needs, sales)
            .says(
                "Tell what a till sold",
                "回传离线销售",
                "Lines of a till's journal, in any order, as often as they are sent; what became of each. At most 200 at once.",
            )
            .refuses(&["lease_unknown", "bad_sale", "bad_number", "bad_text", "text_too_long"])
            .body_at_most(SALES_BYTES_MAX)
            .example(json!({"lease": name, "sales": [{
                "type": "track", "event": "Checkout Redeemed", "messageId": "till-2/000123", "timestamp": "2024-05-03T05:00:00Z",
                "context": {"externalIds": [{"id": "13912345678", "type": "phone"}]},
                "properties": {"checkout": "till-2/000123", "lease": name},
            }]})),
        Endpoint::change(Method::POST, "tills_return", "/v1/till-lease/return", needs, give_back)
            .says(
                "Return a lease",
                "归还离线租约",
                "The till is back: what it did not sell is there for others again. Tell first what it sold.",
            )
            .refuses(&["lease_unknown", "bad_text", "text_too_long"])
            .example(example),
    ]
}

/// What of an offer is leased; nothing of what it does not name.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Of {
    /// How often it may be used: of its stock, and of each limit of all together.
    #[schemars(range(min = 0))]
    uses: Option<i64>,
    /// How much of its budget, in whole minor units.
    #[schemars(range(min = 0))]
    money: Option<i64>,
    /// How many pieces of its budget.
    #[schemars(range(min = 0))]
    pieces: Option<i64>,
}

/// A member whom the till expects.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Who.
    member: MemberRef,
    /// Which of their coupons, by id or code; all that they can use, where it names none.
    #[serde(default)]
    #[schemars(length(max = 20))]
    coupons: Vec<String>,
}

/// A lease that is asked for.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// What it is called: one lease in the home.
    #[schemars(length(min = 1, max = 64))]
    lease: String,
    /// The code of the till.
    #[schemars(length(min = 1, max = 64))]
    till: String,
    /// The code of the store where it stands; where the key is, if it says nothing.
    store: Option<String>,
    /// For how many hours; as long as the playbook lets it, if it says nothing.
    #[schemars(range(min = 1, max = 72))]
    hours: Option<u32>,
    /// What of which offers.
    #[serde(default)]
    offers: BTreeMap<String, Of>,
    /// Whom the till expects.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    members: Vec<Expected>,
}

async fn lease(caller: Caller, asked: Asked) -> Result<LeaseView, Problem> {
    let store = caller.store(asked.store.as_deref())?;
    let store =
        store.ok_or_else(|| Problem::of("bad_code").at("store").says("the store of the till".to_owned()))?;
    if asked.members.len() > 1_000 {
        return Err(Problem::of("lease_too_large").at("members"));
    }
    let mut members = Vec::with_capacity(asked.members.len());
    for (i, expected) in asked.members.iter().enumerate() {
        let field = format!("members[{i}].member");
        let member = caller.member(&expected.member.whom(&field)?, &field).await?.member.id;
        let mut coupons = Vec::with_capacity(expected.coupons.len());
        for (n, typed) in expected.coupons.iter().enumerate().take(21) {
            let id = coupon(&caller, typed).await?;
            let unknown = || Problem::of("coupon_unknown").at(&format!("members[{i}].coupons[{n}]"));
            coupons.push(id.ok_or_else(unknown)?);
        }
        members.push((member, coupons));
    }
    let of = |of: Of| LeaseOf { uses: of.uses, money: of.money, pieces: of.pieces };
    let name = asked.lease.clone();
    let asked = LeaseAsked {
        lease: asked.lease,
        till: asked.till,
        store,
        hours: asked.hours,
        offers: asked.offers.into_iter().map(|(id, what)| (id, of(what))).collect(),
        members,
    };
    caller.engine().lease_till(&caller.grant, &asked).await??;
    caller.engine().lease_held(&name).await?;
    Ok(caller.engine().view_lease(&name).await??)
}

/// The id of a coupon that was typed.
async fn coupon(caller: &Caller, typed: &str) -> Result<Option<CouponId>, Problem> {
    let Some(code) = CouponCode::typed(typed) else { return Ok(CouponId::from_hex(typed.trim())) };
    Ok(Some(caller.engine().coupon_of_code(&code).await?))
}

/// Leases.
#[derive(Serialize, JsonSchema)]
struct Leases {
    /// The open ones first.
    items: Vec<LeaseView>,
}

async fn list(caller: Caller, _: Nothing) -> Result<Leases, Problem> {
    Ok(Leases { items: caller.engine().view_leases(&caller.filter).await? })
}

/// Which lease.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// What it is called.
    #[schemars(length(min = 1, max = 64))]
    lease: String,
}

/// The lease, where the caller may reach it.
async fn within(caller: &Caller, name: &str) -> Result<(), Problem> {
    caller.engine().lease_within(&caller.filter, name).await??;
    Ok(())
}

async fn read(caller: Caller, asked: Which) -> Result<LeaseView, Problem> {
    within(&caller, &asked.lease).await?;
    Ok(caller.engine().view_lease(&asked.lease).await??)
}

async fn snapshot(caller: Caller, asked: Which) -> Result<SnapshotFile, Problem> {
    within(&caller, &asked.lease).await?;
    Ok(caller.engine().till_snapshot(&asked.lease).await??)
}

/// The key that checks snapshots.
#[derive(Serialize, JsonSchema)]
struct TillKey {
    /// An Ed25519 public key, in hex.
    key: String,
}

async fn key(caller: Caller, _: Nothing) -> Result<TillKey, Problem> {
    Ok(TillKey { key: caller.engine().till_key().await? })
}

/// What a till sold.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sales {
    /// Under which lease.
    #[schemars(length(min = 1, max = 64))]
    lease: String,
    /// Lines of its journal.
    #[schemars(length(min = 1, max = 200))]
    sales: Vec<Value>,
}

/// What became of sales.
#[derive(Serialize, JsonSchema)]
struct SalesTold {
    /// In the order in which they were told.
    sales: Vec<SaleTold>,
}

async fn sales(caller: Caller, asked: Sales) -> Result<SalesTold, Problem> {
    within(&caller, &asked.lease).await?;
    let told = caller.engine().take_sales(&caller.grant, &asked.lease, &asked.sales, true).await??;
    Ok(SalesTold { sales: told })
}

async fn give_back(caller: Caller, asked: Which) -> Result<LeaseView, Problem> {
    within(&caller, &asked.lease).await?;
    Ok(caller.engine().return_lease(&caller.grant, &asked.lease).await??)
}
