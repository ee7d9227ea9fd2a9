//! Views of lists that somebody saved: what a page's address said, under a name. One's own, or shared with whoever may see the page.
//!
//! All of one's own lie in one row of the mirror and all shared ones in another, so that there are never more than so many. A row says
//! nothing of members but what somebody typed into an address; it is sealed like everything in the mirror, and moves with the home.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Denied, Grant, Operation, Role, Scope, verdict};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use crate::audit::{self, Outcome, Target, detail};
use crate::{Engine, Result, boxed, clock};

/// The most views of one's own, and the most that are shared.
pub const OWN_MAX: usize = 100;
/// The most that are shared.
pub const SHARED_MAX: usize = 200;
/// The most characters of a name.
pub const NAME_CHARS_MAX: usize = 40;
/// The most bytes of what an address says.
pub const QUERY_BYTES_MAX: usize = 2_000;
/// How often a row is read and written again that somebody else wrote.
const ROUNDS: usize = 5;

/// The kind of the rows, and under whose name they are kept.
const KIND: &str = "console:views:saved";
const OF: (&str, &str) = ("console", "views");

use Operation as O;

/// Lists that have views, and by which of somebody's operations they see each: the first is the one that shows the whole of it. By none
/// where everybody who signs in does.
#[rustfmt::skip]
const PAGES: [(&str, &[Operation]); 33] = [
    ("overview", &[O::ReportsRead]), ("members", &[O::MemberList, O::MemberLookup]), ("lists", &[O::MemberList]),
    ("audiences", &[O::ReportsRead]), ("offers", &[O::PlaybookRead]), ("issues", &[O::CouponsIssueMany]),
    ("campaigns", &[O::CampaignsManage]), ("templates", &[O::CampaignsManage]), ("outbox", &[O::CampaignsManage]),
    ("arrivals", &[O::CampaignsManage]), ("dead-letters", &[O::DeadLettersRead]), ("tasks", &[O::MessagesAnswer]),
    ("inbox", &[O::InboxRead]), ("links", &[O::CampaignsManage]), ("posters", &[O::CampaignsManage]),
    ("partners", &[O::ReportsRead]), ("transfers", &[O::ContactsHandOver]), ("posts", &[O::CampaignsManage]),
    ("books", &[O::ReportsRead]), ("approvals", &[O::PointsAdjust, O::CouponsIssueMany]), ("audit", &[O::AuditRead]),
    ("playbook", &[O::PlaybookRead]), ("places", &[O::PlacesRead]), ("people", &[O::KeysManage]), ("keys", &[O::KeysManage]),
    ("webhooks", &[O::WebhooksManage]), ("channels", &[O::HomeManage]), ("settings", &[]),
    ("campaign-moves", &[O::MemberRead]), ("orders", &[O::MemberRead, O::OrdersRead]), ("lots", &[O::MemberRead]),
    ("coupons", &[O::MemberRead]), ("payouts", &[O::PayoutsMake]),
];

type Refused<T> = std::result::Result<T, Refusal>;

/// A view that is to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewAsked {
    /// Of which list.
    pub page: String,
    /// Under which name; one of this name is replaced.
    pub name: String,
    /// What the address says, without `?`.
    pub query: String,
    /// Whether whoever may see the page gets it.
    pub shared: bool,
}

/// A view of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedView {
    /// Its id.
    pub view: String,
    /// Of which list.
    pub page: String,
    /// What it is called.
    pub name: String,
    /// What the address says, without `?`.
    pub query: String,
    /// Whether whoever may see the page has it.
    pub shared: bool,
    /// Whether one saved it oneself.
    pub mine: bool,
    /// Whether one may replace it or drop it.
    pub may_change: bool,
    /// Who saved it, as the audit log calls them.
    pub by: String,
    /// When.
    pub at: String,
}

/// A view as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    page: String,
    name: String,
    query: String,
    by: String,
    at: Ts,
}

/// A row as it was read.
struct Row {
    id: ReflectionId,
    version: i64,
    views: Vec<Kept>,
}

fn needs(page: &str) -> Option<&'static [Operation]> {
    PAGES.iter().find(|(known, _)| *known == page).map(|(_, needs)| *needs)
}

/// Whether somebody may see a page.
fn may_see(grant: &Grant, page: &str) -> bool {
    let Some(needs) = needs(page) else { return false };
    let by_any = needs.is_empty() && grant.role != Role::Public;
    by_any || needs.iter().any(|operation| grant.may(*operation).is_ok())
}

/// Whether somebody sees the whole of a page: who is bound to a place or to members of their own says nothing to all others.
fn sees_whole(grant: &Grant, page: &str) -> bool {
    let Some(needs) = needs(page) else { return false };
    let whole = |operation: &Operation| {
        verdict(grant.role, *operation).scope() == Some(Scope::All) && grant.may(*operation).is_ok()
    };
    needs.first().map_or_else(|| is_owner(grant), whole)
}

fn is_owner(grant: &Grant) -> bool {
    grant.role == Role::Owner && grant.scopes.is_none()
}

fn unknown_page<T>(page: &str) -> Refused<T> {
    Err(Refusal::new("view_page_unknown", "page", format!("{page:?} is no list that has views")))
}

fn checked(asked: &ViewAsked) -> Refused<ViewAsked> {
    if needs(&asked.page).is_none() {
        return unknown_page(&asked.page.chars().take(NAME_CHARS_MAX).collect::<String>());
    }
    let name = asked.name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !fits {
        let message = format!("1 to {NAME_CHARS_MAX} characters, all of them visible");
        return Err(Refusal::new("bad_text", "name", message));
    }
    let query = &asked.query;
    let is_query =
        query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') && !query.starts_with('?');
    if !is_query {
        let message = "what an address says after its `?`, as it is sent";
        return Err(Refusal::new("bad_text", "query", message));
    }
    if query.len() > QUERY_BYTES_MAX {
        let message = format!("at most {QUERY_BYTES_MAX} bytes");
        return Err(Refusal::new("text_too_long", "query", message));
    }
    Ok(ViewAsked { name: name.to_owned(), ..asked.clone() })
}

/// By what a row is found: whose it is; all shared ones are nobody's.
fn row_id(key: &IdKey, owner: Option<&str>) -> ReflectionId {
    reflection_id(key, OF, "of", owner.as_slice())
}

fn view_id(key: &IdKey, owner: Option<&str>, page: &str, name: &str) -> String {
    let whose = if owner.is_some() { "own" } else { "shared" };
    reflection_id(key, OF, "view", &[whose, owner.unwrap_or_default(), page, name]).to_string()
}

impl Engine {
    async fn views_row(&self, key: &IdKey, owner: Option<&str>) -> Result<Row> {
        let id = row_id(key, owner);
        let mirror = self.store().coupons().campaigns().mirror();
        let Some(found) = mirror.reflections(vec![id]).await?.pop() else {
            return Ok(Row { id, version: 0, views: Vec::new() });
        };
        let views = match seal::open(&found.body) {
            Err(StoreError::Erased) => Vec::new(),
            body => serde_json::from_str(&body?)
                .map_err(|error| StoreError::Damaged(format!("saved views: {error}")))?,
        };
        Ok(Row { id, version: found.version, views })
    }

    /// Writes a row that was read; false where it is another by now.
    async fn write_views(&self, key: &IdKey, row: &Row) -> Result<bool> {
        let mirror = self.store().coupons().campaigns().mirror();
        if row.views.is_empty() && row.version > 0 {
            return Ok(mirror.forget_reflections(vec![(row.id, row.version)]).await? > 0);
        }
        let body = serde_json::to_string(&row.views)
            .map_err(|error| StoreError::Damaged(format!("saved views: {error}")))?;
        let about = key.digest("reflection", &[row.id.bytes()]);
        let kind = KIND.to_owned();
        let thing = Reflect {
            id: row.id,
            read: row.version,
            kind,
            part: row.id,
            due: None,
            about,
            body: seal::seal(&body),
        };
        Ok(mirror.reflect(vec![thing]).await?.into_iter().all(|done| done))
    }

    fn view(key: &IdKey, grant: &Grant, owner: Option<&str>, kept: &Kept) -> SavedView {
        let mine = owner.is_some() || kept.by == grant.who;
        SavedView {
            view: view_id(key, owner, &kept.page, &kept.name),
            page: kept.page.clone(),
            name: kept.name.clone(),
            query: kept.query.clone(),
            shared: owner.is_none(),
            mine,
            may_change: mine || is_owner(grant),
            by: kept.by.clone(),
            at: kept.at.rfc3339(),
        }
    }

    /// Views of a list, or of all: one's own, then those that are shared and of pages that one may see; each by name.
    #[boxed]
    pub async fn saved_views(
        &self,
        grant: &Grant,
        owner: &str,
        page: Option<&str>,
    ) -> Result<Refused<Vec<SavedView>>> {
        if let Some(page) = page.filter(|page| needs(page).is_none()) {
            return Ok(unknown_page(page));
        }
        let key = self.home().await?.id_key;
        let mut views = Vec::new();
        for owner in [Some(owner), None] {
            let row = self.views_row(&key, owner).await?;
            let wanted = row.views.iter().filter(|kept| page.is_none_or(|page| kept.page == page));
            let seen = wanted.filter(|kept| owner.is_some() || may_see(grant, &kept.page));
            let mut some: Vec<SavedView> = seen.map(|kept| Self::view(&key, grant, owner, kept)).collect();
            some.sort_by(|one, other| (&one.page, &one.name).cmp(&(&other.page, &other.name)));
            views.extend(some);
        }
        Ok(Ok(views))
    }

    /// Saves a view, in place of one of the same page and name. Sharing one is a line of the audit log.
    #[boxed]
    pub async fn save_view(
        &self,
        grant: &Grant,
        owner: &str,
        asked: &ViewAsked,
    ) -> Result<Refused<SavedView>> {
        let asked = match checked(asked) {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !may_see(grant, &asked.page) {
            let operation = needs(&asked.page).and_then(|needs| needs.first()).copied();
            let operation = operation.unwrap_or(Operation::ReportsRead);
            return Err(Denied::Role { role: grant.role, operation }.into());
        }
        if asked.shared && !sees_whole(grant, &asked.page) {
            let message = "whoever is bound to a place or to members of their own keeps views to themselves";
            return Ok(Err(Refusal::new("view_not_to_share", "shared", message)));
        }
        let (owner, most) = if asked.shared { (None, SHARED_MAX) } else { (Some(owner), OWN_MAX) };
        let key = self.home().await?.id_key;
        for attempt in 0..ROUNDS {
            let mut row = self.views_row(&key, owner).await?;
            let same = |kept: &Kept| kept.page == asked.page && kept.name == asked.name;
            let before = row.views.iter().position(same);
            if let Some(before) = before.and_then(|at| row.views.get(at)) {
                if !Self::view(&key, grant, owner, before).may_change {
                    return Ok(Err(not_yours("name")));
                }
                if before.query == asked.query {
                    return Ok(Ok(Self::view(&key, grant, owner, before)));
                }
            } else if row.views.len() >= most {
                let message = format!("at most {most}: drop one that nobody needs");
                return Ok(Err(Refusal::new("too_many_views", "name", message)));
            }
            let kept = Kept {
                page: asked.page.clone(),
                name: asked.name.clone(),
                query: asked.query.clone(),
                by: grant.who.clone(),
                at: clock::wall(),
            };
            let view = Self::view(&key, grant, owner, &kept);
            match before.and_then(|at| row.views.get_mut(at)) {
                Some(one) => *one = kept,
                None => row.views.push(kept),
            }
            if asked.shared && attempt == 0 {
                self.note_view(grant, "view_shared", &view).await?;
            }
            if self.write_views(&key, &row).await? {
                return Ok(Ok(view));
            }
        }
        Ok(Err(busy()))
    }

    /// Drops a view; false where there is none.
    #[boxed]
    pub async fn drop_view(&self, grant: &Grant, owner: &str, view: &str) -> Result<Refused<bool>> {
        let key = self.home().await?.id_key;
        for owner in [Some(owner), None] {
            for attempt in 0..ROUNDS {
                let mut row = self.views_row(&key, owner).await?;
                let is_it = |kept: &Kept| view_id(&key, owner, &kept.page, &kept.name) == view;
                let Some(at) = row.views.iter().position(is_it) else { break };
                let kept = row.views.remove(at);
                let shown = Self::view(&key, grant, owner, &kept);
                if owner.is_none() && !may_see(grant, &kept.page) {
                    break;
                }
                if !shown.may_change {
                    return Ok(Err(not_yours("view")));
                }
                if owner.is_none() && attempt == 0 {
                    self.note_view(grant, "view_dropped", &shown).await?;
                }
                if self.write_views(&key, &row).await? {
                    return Ok(Ok(true));
                }
                if attempt + 1 == ROUNDS {
                    return Ok(Err(busy()));
                }
            }
        }
        Ok(Ok(false))
    }

    /// Forgets all views of somebody's own who is there no more; what they shared stays.
    #[boxed]
    pub async fn forget_views(&self, owner: &str) -> Result<()> {
        let id = row_id(&self.home().await?.id_key, Some(owner));
        let mirror = self.store().coupons().campaigns().mirror();
        for found in mirror.reflections(vec![id]).await? {
            mirror.forget_reflections(vec![(found.id, found.version)]).await?;
        }
        Ok(())
    }

    /// A line of the audit log: who shared what, never what the address says, since that may name somebody.
    async fn note_view(&self, grant: &Grant, act: &str, view: &SavedView) -> Result<()> {
        let more = detail(json!({"act": act, "page": view.page}));
        let operation = needs(&view.page).and_then(|needs| needs.first()).copied();
        let operation = operation.unwrap_or(Operation::HomeManage);
        let (store, target) = (self.store().as_ref(), Target::code(format!("view:{}", view.view)));
        audit::note(store, grant, operation, &target, Outcome::Done, &more).await.map(drop)
    }
}

fn not_yours(field: &str) -> Refusal {
    Refusal::new("view_not_yours", field, "somebody else shares it: whoever does, or an owner, may change it")
}

fn busy() -> Refusal {
    Refusal::new("views_busy", "", "views are being saved by several at once: try again")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_list_stands_once_and_is_seen_by_an_owner_and_by_no_public_key() {
        let names: BTreeSet<&str> = PAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), PAGES.len());
        let of = |role| Grant { role, ..Grant::system("x") };
        for (page, _) in PAGES {
            assert!(may_see(&of(Role::Owner), page) && sees_whole(&of(Role::Owner), page), "{page}");
            assert!(!may_see(&of(Role::Public), page), "{page}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_or_a_name_is_refused_by_its_field() {
        let good = ViewAsked {
            page: "members".to_owned(),
            name: " 金卡 ".to_owned(),
            query: "tier=gold&q=%E5%BC%A0".to_owned(),
            shared: false,
        };
        assert_eq!(checked(&good).map(|one| one.name), Ok("金卡".to_owned()));
        let rows = [
            (ViewAsked { page: "nowhere".to_owned(), ..good.clone() }, ("view_page_unknown", "page")),
            (ViewAsked { name: " ".to_owned(), ..good.clone() }, ("bad_text", "name")),
            (ViewAsked { name: "x".repeat(41), ..good.clone() }, ("bad_text", "name")),
            (ViewAsked { query: "?tier=gold".to_owned(), ..good.clone() }, ("bad_text", "query")),
            (ViewAsked { query: "a=张".to_owned(), ..good.clone() }, ("bad_text", "query")),
            (ViewAsked { query: "x".repeat(2_001), ..good.clone() }, ("text_too_long", "query")),
        ];
        for (asked, (code, field)) in rows {
            let refusal = checked(&asked).unwrap_err();
            assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{asked:?}");
        }
    }
}
