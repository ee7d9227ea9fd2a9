//! Saved views of lists: one's own, and those that are shared with whoever may see the page (docs/console.md). Whoever has a key or is
//! signed in has views: what they may see of others is up to the page, not to one operation of the table.

use axum::Json;
use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::views::{SavedView, ViewAsked};

use super::caller;
use super::endpoint::{Endpoint, Kind};
use crate::problem::Problem;
use crate::sign_in::Visit;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::door((Kind::Query, Method::GET), ("views_list", "/v1/views"), list)
            .says(
                "List saved views",
                "已保存视图",
                "One's own first, then those that are shared, of pages that one's role may see; each by name.",
            )
            .refuses(&["view_page_unknown"])
            .example(json!({"page": "members"})),
        Endpoint::door((Kind::Body, Method::PUT), ("views_save", "/v1/views"), save)
            .says(
                "Save a view",
                "保存视图",
                "What a page's address says, under a name; in place of one of the same page and name. Shared with whoever may see the page, \
                 where one sees the whole of it: that is a line of the audit log.",
            )
            .refuses(&[
                "view_page_unknown", "bad_text", "text_too_long", "operation_refused", "view_not_to_share", "view_not_yours",
                "too_many_views", "views_busy", "csrf",
            ])
            .example(json!({"page": "members", "name": "金卡沉默", "query": "tier=gold&stage=decline", "shared": false})),
        Endpoint::door((Kind::Query, Method::DELETE), ("views_drop", "/v1/views/{view}"), drop_one)
            .says("Drop a view", "删除视图", "One's own; a shared one, whoever shared it or an owner.")
            .refuses(&["view_not_yours", "views_busy", "csrf"])
            .example(json!({"view": "7f3a1c0e9b2d4f6a8c1e3b5d7f9a0c2e"})),
    ]
}

/// Of which list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViewsAsked")]
struct Asked {
    /// Its name, such as `members`; of all, if it says nothing.
    #[schemars(length(min = 1, max = 40))]
    page: Option<String>,
}

/// Views.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SavedViews")]
struct Views {
    /// One's own first.
    items: Vec<SavedView>,
}

async fn list(visit: Visit, asked: Asked) -> Result<Json<Views>, Problem> {
    let (owner, grant) = caller::granted(&visit.api, &visit.method, &visit.headers).await?;
    let items = visit.api.engine.saved_views(&grant, &owner, asked.page.as_deref()).await??;
    Ok(Json(Views { items }))
}

/// A view that is to be saved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SaveView")]
struct Save {
    /// Of which list: `members`, `offers`, `inbox`…
    #[schemars(length(min = 1, max = 40))]
    page: String,
    /// What it is called.
    #[schemars(length(min = 1, max = 40))]
    name: String,
    /// What the address says after its `?`, as it is sent.
    #[schemars(length(max = 2_000))]
    query: String,
    /// Whether whoever may see the page gets it; oneself alone, if it says nothing.
    #[serde(default)]
    shared: bool,
}

async fn save(visit: Visit, asked: Save) -> Result<Json<SavedView>, Problem> {
    let (owner, grant) = caller::granted(&visit.api, &visit.method, &visit.headers).await?;
    let Save { page, name, query, shared } = asked;
    let asked = ViewAsked { page, name, query, shared };
    Ok(Json(visit.api.engine.save_view(&grant, &owner, &asked).await??))
}

/// Which view.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViewAsked")]
struct Which {
    /// Its id.
    #[schemars(length(min = 1, max = 64))]
    view: String,
}

/// That a view was dropped.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ViewDropped")]
struct Dropped {
    /// Whether there was one.
    dropped: bool,
}

async fn drop_one(visit: Visit, which: Which) -> Result<Json<Dropped>, Problem> {
    let (owner, grant) = caller::granted(&visit.api, &visit.method, &visit.headers).await?;
    let dropped = visit.api.engine.drop_view(&grant, &owner, &which.view).await??;
    Ok(Json(Dropped { dropped }))
}
