//! Members: listed and searched, one whole, what happened to them, what they bought, what they have.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::members::{
    Kind, LotView, LotsAsked, MemberListed, MemberView, MembersAsked, OrderView, OrdersAsked, TimelineAsked,
    TimelineEntry,
};
use zhiyin_engine::sight::Page;
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, limit};
use crate::problem::Problem;

const ID: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("members_list", "/v1/members", Operation::MemberList, list)
            .says(
                "List members, or search them by name",
                "会员列表与按姓名查找",
                "`name` is how a name begins: 张, 张伟, z, zw, zhangw, zhang wei; of other names any of their words. A page may \
                 hold less than `limit`, even nothing, and go on all the same as long as there is a `next`.",
            )
            .refuses(&["bad_cursor", "name_search_refused"])
            .example(json!({"name": "zhangw", "tier": "gold", "limit": 50})),
        Endpoint::get("members_read", "/v1/members/{id}", Operation::MemberRead, read)
            .says(
                "Read one member whole",
                "会员全貌",
                "Profile, identifiers, accounts with lots and expiries, the tier and what is missing to the next, lifecycle, \
                 tags and standing audiences with why, consents, dependants, and who they were before they were merged.",
            )
            .refuses(&["member_unknown", "no_playbook"])
            .example(json!({"id": ID})),
        Endpoint::get("members_timeline", "/v1/members/{id}/timeline", Operation::MemberRead, timeline)
            .says(
                "Read a member's timeline",
                "会员时间线",
                "The latest decided first, each with what changed and what was booked for it. `kinds` is a list by commas of \
                 order, points, tier, lifecycle, tag, audience, consent, identity, timer, other.",
            )
            .refuses(&["member_unknown", "bad_cursor"])
            .example(json!({"id": ID, "kinds": "order,points", "limit": 20})),
        Endpoint::get("members_orders", "/v1/members/{id}/orders", Operation::OrdersRead, orders)
            .says(
                "Read a member's orders",
                "会员订单",
                "With their lines, as far as these are kept. A key that is bound to places reads the orders that were made \
                 there, whosever they are.",
            )
            .refuses(&["member_unknown", "bad_cursor", "no_playbook"])
            .example(json!({"id": ID, "limit": 20})),
        Endpoint::get("members_lots", "/v1/members/{id}/lots", Operation::MemberRead, lots)
            .says("Read a member's lots of points", "会员积分批次", "In the order in which they are spent.")
            .refuses(&["member_unknown", "bad_cursor"])
            .example(json!({"id": ID, "limit": 20})),
    ]
}

/// Which members.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// How their name begins.
    #[schemars(length(min = 1, max = 60))]
    name: Option<String>,
    /// Tier level.
    #[schemars(length(min = 1, max = 255))]
    tier: Option<String>,
    /// Lifecycle stage.
    #[schemars(length(min = 1, max = 255))]
    lifecycle: Option<String>,
    /// A tag that holds.
    #[schemars(length(min = 1, max = 255))]
    tag: Option<String>,
    /// A standing audience that they are in, by its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    audience: Option<String>,
    /// The store where they were met last.
    #[schemars(length(min = 1, max = 255))]
    store: Option<String>,
    /// Who looks after them, by their code among the staff.
    #[schemars(length(min = 1, max = 255))]
    advisor: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list(caller: Caller, asked: Listed) -> Result<Page<MemberListed>, Problem> {
    let asked = MembersAsked {
        audience: asked.audience,
        name: asked.name,
        tier: asked.tier,
        lifecycle: asked.lifecycle,
        tag: asked.tag,
        store: asked.store,
        advisor: asked.advisor,
        limit: limit(asked.limit),
        cursor: asked.cursor,
    };
    Ok(caller.engine().members(&caller.grant, &asked).await?)
}

/// Which member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Their id; that of somebody who was merged finds who they are now.
    id: String,
}

async fn read(caller: Caller, which: Which) -> Result<MemberView, Problem> {
    Ok(caller.engine().member(&caller.grant, &which.id).await?)
}

/// What of a timeline.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Timeline {
    /// The member's id.
    id: String,
    /// Only these kinds, by commas; all without it.
    kinds: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn timeline(caller: Caller, asked: Timeline) -> Result<Page<TimelineEntry>, Problem> {
    let words = asked.kinds.iter().flat_map(|kinds| kinds.split(','));
    let kinds = words.map(|word| {
        let unknown = || {
            Problem::of("bad_query").at("kinds").says(format!("{word:?} is no kind of thing that happens"))
        };
        Kind::named(word.trim()).ok_or_else(unknown)
    });
    let kinds = kinds.collect::<Result<_, _>>()?;
    let (limit, cursor) = (limit(asked.limit), asked.cursor);
    let asked_of = TimelineAsked { kinds, limit, cursor };
    Ok(caller.engine().member_timeline(&caller.grant, &asked.id, &asked_of).await?)
}

/// A page about a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfMember {
    /// The member's id.
    id: String,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn orders(caller: Caller, asked: OfMember) -> Result<Page<OrderView>, Problem> {
    let page = OrdersAsked { limit: limit(asked.limit), cursor: asked.cursor };
    Ok(caller.engine().member_orders(&caller.grant, &asked.id, &page).await?)
}

async fn lots(caller: Caller, asked: OfMember) -> Result<Page<LotView>, Problem> {
    let page = LotsAsked { limit: limit(asked.limit), cursor: asked.cursor };
    Ok(caller.engine().member_lots(&caller.grant, &asked.id, &page).await?)
}
