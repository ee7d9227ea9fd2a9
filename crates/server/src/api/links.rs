//! Short links and posters: made, read, and as pictures. Where a link leads when it is followed is in [`crate::follow`].

use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::Engine;
use zhiyin_engine::command::Whom;
use zhiyin_engine::links::{Asked, LISTED_MAX, LinkView};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::MemberRef;
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// Pixels of a code's side, where nobody says how many.
const PIXELS: u32 = 600;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::CampaignsManage;
    let code = json!({"code": "7hKq2mVx9TzB"});
    vec![
        Endpoint::change(Method::POST, "links_make", "/v1/links", needs, make)
            .says(
                "Make a short link",
                "创建短链",
                "To a page of the playbook, or to an address at one of its hosts. One that is made of the same again is the same; \
                 `key` tells those apart that are meant to be several.",
            )
            .refuses(&[
                "link_target", "page_unknown", "link_not_ours", "out_of_range", "member_unknown", "bad_identifier",
                "identifier_blocked", "phone_malformed", "email_malformed", "bad_text", "text_too_long", "link_unknown",
                "no_playbook",
            ])
            .example(json!({"to": "/card", "touchpoint": "poster-330", "days": 90})),
        Endpoint::get("links_list", "/v1/links", needs, list)
            .says(
                "List short links",
                "短链列表",
                "Those that were made by hand, newest first; `after` goes on behind one. Links in messages and on posters are not among \
                 them.",
            )
            .refuses(&["link_unknown", "no_playbook"])
            .example(json!({"limit": 50})),
        Endpoint::get("links_read", "/v1/links/{code}", needs, read)
            .says("Read a short link", "查看短链", "Where it leads, whom it names, and how often it was followed.")
            .refuses(&["link_unknown", "no_playbook"])
            .example(code.clone()),
        Endpoint::picture("links_qr", "/v1/links/{code}/qr", needs, &["image/svg+xml", "image/png"], qr)
            .says(
                "Get the QR code of a short link",
                "短链二维码",
                "As SVG, or as PNG of about `pixels` a side. What scans it is told from what clicks the link.",
            )
            .refuses(&["link_unknown", "no_link_address", "no_playbook"])
            .example(code),
        Endpoint::picture("posters_draw", "/v1/posters/{name}", Operation::MemberRead, &["image/png"], draw)
            .says(
                "Draw a member's poster",
                "生成会员海报",
                "As PNG, with a code of their own where the poster has one: drawn again it is the same code.",
            )
            .refuses(&[
                "poster_unknown", "poster_shows_people", "poster_no_font", "poster_glyph_missing", "poster_needs_code",
                "poster_unreadable", "member_unknown", "bad_identifier", "no_playbook",
            ])
            .example(json!({"name": "friends", "member": "0123456789abcdef0123456789abcdef"})),
    ]
}

/// A link to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Make {
    /// The page of the playbook that it leads to.
    #[schemars(length(min = 1, max = 64))]
    page: Option<String>,
    /// Or an https address at one of the playbook's hosts, or a path with us.
    #[schemars(length(min = 1, max = 1024))]
    to: Option<String>,
    /// The touchpoint where whoever follows it met the brand, where it is another than the page's.
    #[schemars(length(min = 1, max = 64))]
    touchpoint: Option<String>,
    /// Of which campaign it is.
    #[schemars(length(min = 1, max = 64))]
    campaign: Option<String>,
    /// For whom it is: what they follow is theirs.
    member: Option<MemberRef>,
    /// Who passes it on.
    sharer: Option<MemberRef>,
    /// For how many days it leads there.
    #[schemars(range(min = 1, max = 3660))]
    days: Option<u16>,
    /// What tells it from others that are made of the same.
    #[schemars(length(min = 1, max = 64))]
    key: Option<String>,
}

async fn make(caller: Caller, asked: Make) -> Result<LinkView, Problem> {
    let whom = |member: Option<MemberRef>, field: &str| -> Result<Option<Whom>, Problem> {
        member.map(|member| member.whom(field)).transpose()
    };
    let asked = Asked {
        page: asked.page,
        to: asked.to,
        touchpoint: asked.touchpoint,
        campaign: asked.campaign,
        member: whom(asked.member, "member")?,
        sharer: whom(asked.sharer, "sharer")?,
        days: asked.days,
        key: asked.key,
    };
    Ok(caller.engine().make_link(&caller.grant, &caller.filter, &asked).await??)
}

/// Which links.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Those that lead to this page of the playbook.
    page: Option<String>,
    /// Behind the link of this code.
    after: Option<String>,
    /// How many, at most 200.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// Links.
#[derive(Serialize, JsonSchema)]
struct LinksListed {
    /// Newest first.
    items: Vec<LinkView>,
}

async fn list(caller: Caller, asked: List) -> Result<LinksListed, Problem> {
    let limit = asked.limit.map_or(LISTED_MAX, usize::from);
    let which = (asked.page.as_deref(), asked.after.as_deref());
    Ok(LinksListed { items: caller.engine().links(&caller.filter, which, limit).await?? })
}

/// Which link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfLink {
    /// Its code.
    #[schemars(length(min = 12, max = 12))]
    code: String,
}

async fn read(caller: Caller, asked: OfLink) -> Result<LinkView, Problem> {
    Ok(caller.engine().link(&caller.filter, &asked.code).await??)
}

/// As what a code is drawn.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Drawn {
    /// As SVG, for print.
    #[default]
    Svg,
    /// As PNG.
    Png,
}

/// A code to be drawn.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// The link's code.
    #[schemars(length(min = 12, max = 12))]
    code: String,
    /// `svg` or `png`.
    #[serde(default)]
    format: Drawn,
    /// About how many pixels a side of a PNG has.
    #[schemars(range(min = 1, max = 2048))]
    pixels: Option<u32>,
}

async fn qr(caller: Caller, asked: Code) -> Result<Response, Problem> {
    let text = caller.engine().scanned(&caller.filter, &asked.code).await??;
    let drawn = match asked.format {
        Drawn::Svg => Engine::qr_svg(&text).map(|svg| picture("image/svg+xml", svg.into_bytes())),
        Drawn::Png => {
            Engine::qr_png(&text, asked.pixels.unwrap_or(PIXELS)).map(|png| picture("image/png", png))
        }
    };
    drawn.ok_or_else(|| Problem::of("link_unknown"))
}

fn picture(kind: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response()
}

/// A poster to be drawn.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfPoster {
    /// Its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// Whose: the member's id.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    member: String,
}

async fn draw(caller: Caller, asked: OfPoster) -> Result<Response, Problem> {
    let id = MemberId::from_hex(&asked.member).ok_or_else(|| Problem::of("member_unknown").at("member"))?;
    let whom = (&Whom::Id(id), "member");
    Ok(picture("image/png", caller.engine().draw_poster(&caller.filter, whom, &asked.name).await??))
}
