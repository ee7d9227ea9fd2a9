//! Short links: those in messages, those made by hand, and where each leads (docs/links.md).
//!
//! A link in a message is made with the batch that says it ([`of_member`]), so there is exactly one for each page and message that is
//! sent. What is clicked and scanned is counted in [`follow`].

pub mod follow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::{self, Refusal};
use zhiyin_model::id::MemberId;
use zhiyin_model::link::{Followed, Link, LinkCode, leads};
use zhiyin_model::mask::Mask;
use zhiyin_model::playbook::{Links, Page};
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::links::StoredLink;

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::command::Whom;
use crate::{Engine, Result, clock};

/// What the names of links begin with in a text.
pub(crate) const GROUP: &str = "link.";
/// The most links that are listed at once.
pub const LISTED_MAX: usize = 200;
/// The most days for which a link leads anywhere.
const DAYS_MAX: u16 = 3_660;

type Refused<T> = std::result::Result<T, Refusal>;

/// What a link is made of.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The page of the playbook that it leads to.
    pub page: Option<String>,
    /// Or the address.
    pub to: Option<String>,
    /// The touchpoint where whoever follows it met the brand, where it is another than the page's.
    pub touchpoint: Option<String>,
    /// Of which campaign it is.
    pub campaign: Option<String>,
    /// For whom it is.
    pub member: Option<Whom>,
    /// Who passes it on.
    pub sharer: Option<Whom>,
    /// For how many days it leads there.
    pub days: Option<u16>,
    /// What tells it from others that are made of the same.
    pub key: Option<String>,
}

/// A short link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinkView {
    /// Its code.
    pub code: String,
    /// Its address, to be clicked.
    pub url: String,
    /// The address that its QR code says.
    pub scan_url: String,
    /// The page of the playbook that it leads to, where it leads to one.
    pub page: Option<String>,
    /// Where it leads now; nothing, where it leads nowhere any more.
    pub to: Option<String>,
    /// The touchpoint where whoever follows it met the brand.
    pub touchpoint: Option<String>,
    /// Of which campaign it is.
    pub campaign: Option<String>,
    /// In which message it was sent, or on which poster it stands.
    pub message: Option<String>,
    /// The member for whom it is, as far as members are shown.
    pub member: Option<String>,
    /// The member who passes it on, as far as members are shown.
    pub sharer: Option<String>,
    /// When it was made, in business time.
    pub made_at: String,
    /// Until when it leads there.
    pub until: Option<String>,
    /// How often it was clicked.
    pub clicks: i64,
    /// How often its QR code was scanned.
    pub scans: i64,
}

/// Links as texts name them; none, where the playbook does not say how the home is reached.
pub(crate) fn names(links: &Links) -> impl Iterator<Item = String> + '_ {
    let is_reached = !links.address.is_empty();
    links.pages.keys().filter(move |_| is_reached).map(|page| format!("{GROUP}{page}"))
}

/// The address of a link.
pub(crate) fn url(links: &Links, how: Followed, code: &LinkCode) -> String {
    format!("{}/{}/{code}", links.address, how.letter())
}

/// A link to a page that is made for a member: they follow it, or pass it on.
pub(crate) fn of_member(code: LinkCode, (id, page): (&str, &Page), member: MemberId, at: Ts) -> Link {
    let (member, sharer) = if page.shared { (None, Some(member)) } else { (Some(member), None) };
    Link {
        code,
        page: id.to_owned(),
        to: String::new(),
        touchpoint: page.touchpoint.clone(),
        campaign: None,
        message: None,
        member,
        sharer,
        at,
        until: until(page.days, at),
    }
}

fn until(days: Option<u16>, at: Ts) -> Option<Ts> {
    days.map(|days| at.plus_us(i64::from(days) * DAY_US))
}

/// An address that is told by which code somebody came.
fn with_code(to: &str, code: &LinkCode) -> String {
    let (before, fragment) = to.split_once('#').map_or((to, None), |(before, after)| (before, Some(after)));
    let joint = if before.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{before}{joint}zy={code}{fragment}")
}

/// Where a link leads at an instant, or the name of why nowhere. What a brand has taken back since is no more.
fn leads_to(links: &Links, link: &Link, now: Ts) -> Refused<String> {
    let ended = |message: &str| Refusal::new("link_ended", "code", message);
    if link.until.is_some_and(|until| until <= now) {
        return Err(ended("its time is over"));
    }
    if link.page.is_empty() {
        leads(&link.to, &links.hosts).map_err(ended)?;
        return Ok(link.to.clone());
    }
    let page = links.pages.get(&link.page).ok_or_else(|| ended("the playbook has no such page any more"))?;
    Ok(if page.with_code { with_code(&page.to, &link.code) } else { page.to.clone() })
}

fn unknown() -> Refusal {
    Refusal::new("link_unknown", "code", "no link has this code")
}

fn shown(links: &Links, stored: StoredLink, now: Ts, mask: Mask) -> LinkView {
    let StoredLink { link, clicks, scans } = stored;
    let named = |member: Option<MemberId>| member.filter(|_| mask != Mask::Hidden).map(|id| id.to_string());
    LinkView {
        code: link.code.to_string(),
        url: url(links, Followed::Clicked, &link.code),
        scan_url: url(links, Followed::Scanned, &link.code),
        to: leads_to(links, &link, now).ok(),
        page: Some(link.page).filter(|page| !page.is_empty()),
        touchpoint: link.touchpoint,
        campaign: link.campaign,
        message: link.message,
        member: named(link.member),
        sharer: named(link.sharer),
        made_at: link.at.rfc3339(),
        until: link.until.map(Ts::rfc3339),
        clicks,
        scans,
    }
}

impl Asked {
    /// What is wrong with it, and the page that it leads to.
    fn page<'l>(&self, links: &'l Links) -> Refused<Option<&'l Page>> {
        for (field, text) in
            [("touchpoint", &self.touchpoint), ("campaign", &self.campaign), ("key", &self.key)]
        {
            text.as_ref().map_or(Ok(()), |text| event::bounded(field, text))?;
        }
        if self.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            return Err(Refusal::new("out_of_range", "days", format!("1 to {DAYS_MAX}")));
        }
        match (&self.page, &self.to) {
            (Some(id), None) => {
                let page = links.pages.get(id);
                page.map(Some).ok_or_else(|| {
                    Refusal::new("page_unknown", "page", "the playbook has no page of this id")
                })
            }
            (None, Some(to)) => {
                leads(to, &links.hosts).map_err(|why| Refusal::new("link_not_ours", "to", why))?;
                Ok(None)
            }
            _ => Err(Refusal::new("link_target", "page", "a link leads to a page or to an address")),
        }
    }
}

impl Engine {
    /// The member that a link names.
    async fn named_in_link(
        &self,
        filter: &Filter,
        whom: Option<&Whom>,
        field: &str,
    ) -> Result<Refused<Option<MemberId>>> {
        let Some(whom) = whom else { return Ok(Ok(None)) };
        Ok(self.reachable(filter, whom, field).await?.map(|stored| Some(stored.member.id)))
    }

    /// Makes a link. One that is made of the same again is the same, as it stands.
    #[boxed]
    pub async fn make_link(
        &self,
        grant: &Grant,
        filter: &Filter,
        asked: &Asked,
    ) -> Result<Refused<LinkView>> {
        let (live, home) = (self.live()?, self.home().await?);
        let links = &live.playbook.links;
        let page = match asked.page(links) {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let member = match self.named_in_link(filter, asked.member.as_ref(), "member").await? {
            Ok(member) => member,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let sharer = match self.named_in_link(filter, asked.sharer.as_ref(), "sharer").await? {
            Ok(sharer) => sharer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (days, at) = (asked.days.or(page.and_then(|page| page.days)), clock::now(&home));
        let touchpoint = asked.touchpoint.clone().or_else(|| page.and_then(|page| page.touchpoint.clone()));
        let said = [&asked.page, &asked.to, &touchpoint, &asked.campaign, &asked.key];
        let said = said.map(|text| text.as_deref().map_or_else(String::new, |text| format!("={text}")));
        let [page_id, to, touched, campaign, key] = &said;
        let id_of = |member: Option<MemberId>| member.map(|member| *member.bytes()).unwrap_or_default();
        let code = LinkCode::of(
            &home.id_key,
            &[
                b"made",
                page_id.as_bytes(),
                to.as_bytes(),
                touched.as_bytes(),
                campaign.as_bytes(),
                key.as_bytes(),
                &id_of(member),
                &id_of(sharer),
                &days.unwrap_or(0).to_le_bytes(),
            ],
        );
        let (store, target) = (self.store().as_ref(), Target::code(&code));
        let noted = detail(json!({"page": asked.page, "touchpoint": touchpoint, "campaign": asked.campaign}));
        audit::note(store, grant, Operation::CampaignsManage, &target, Outcome::Begun, &noted).await?;
        let link = Link {
            code: code.clone(),
            page: asked.page.clone().unwrap_or_default(),
            to: asked.to.clone().unwrap_or_default(),
            touchpoint,
            campaign: asked.campaign.clone(),
            message: None,
            member,
            sharer,
            at,
            until: until(days, at),
        };
        self.store().coupons().campaigns().links().put_links(vec![link]).await?;
        self.link(filter, code.as_str()).await
    }

    /// A link, and how often it was followed.
    #[boxed]
    pub async fn link(&self, filter: &Filter, code: &str) -> Result<Refused<LinkView>> {
        let Some(code) = LinkCode::read(code) else { return Ok(Err(unknown())) };
        let (live, now) = (self.live()?, clock::now(&self.home().await?));
        let found = self.store().coupons().campaigns().links().link(&code).await?;
        Ok(found.map(|stored| shown(&live.playbook.links, stored, now, filter.mask)).ok_or_else(unknown))
    }

    /// Links that were made by hand, newest first, after the one of a code: to one page, or all.
    #[boxed]
    pub async fn links(
        &self,
        filter: &Filter,
        (page, after): (Option<&str>, Option<&str>),
        limit: usize,
    ) -> Result<Refused<Vec<LinkView>>> {
        let (live, now) = (self.live()?, clock::now(&self.home().await?));
        let links = self.store().coupons().campaigns().links();
        let after = match after {
            None => None,
            Some(after) => {
                let found = match LinkCode::read(after) {
                    Some(code) => links.link(&code).await?,
                    None => None,
                };
                let Some(found) = found else {
                    return Ok(Err(Refusal { field: "after".to_owned(), ..unknown() }));
                };
                Some((found.link.at, found.link.code.id()))
            }
        };
        let found = links.links(page, after, limit.min(LISTED_MAX)).await?;
        let view = |stored| shown(&live.playbook.links, stored, now, filter.mask);
        Ok(Ok(found.into_iter().map(view).collect()))
    }

    /// What the QR code of a link says: its address, so that whoever scans it is told from whoever clicks.
    #[boxed]
    pub async fn scanned(&self, filter: &Filter, code: &str) -> Result<Refused<String>> {
        if self.live()?.playbook.links.address.is_empty() {
            let message = "`links.address` of the playbook says how the home is reached, and is not there";
            return Ok(Err(Refusal::new("no_link_address", "code", message)));
        }
        Ok(self.link(filter, code).await?.map(|view| view.scan_url))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use zhiyin_model::id::IdKey;
    use zhiyin_model::playbook::Names;

    use super::*;

    fn pages() -> Links {
        let page = |to: &str, with_code| Page {
            name: Names::default(),
            to: to.to_owned(),
            touchpoint: None,
            days: None,
            shared: false,
            with_code,
        };
        let pages = [("plain", page("/card", false)), ("told", page("https://a.example/?b=1#c", true))];
        Links {
            address: "https://s.example".to_owned(),
            hosts: vec!["a.example".to_owned()],
            pages: pages.map(|(id, page)| (id.to_owned(), page)).into_iter().collect(),
        }
    }

    #[test]
    fn a_link_leads_where_the_playbook_says_now_and_until_its_time_is_over() {
        let (links, key) = (pages(), IdKey::from_bytes([1; 32]));
        let code = LinkCode::of(&key, &[b"x"]);
        let link = |page: &str, to: &str, until: Option<i64>| Link {
            code: code.clone(),
            page: page.to_owned(),
            to: to.to_owned(),
            touchpoint: None,
            campaign: None,
            message: None,
            member: None,
            sharer: None,
            at: Ts(0),
            until: until.map(Ts),
        };
        let told = format!("https://a.example/?b=1&zy={code}#c");
        for (link, wanted) in [
            (link("plain", "", None), Ok("/card")),
            (link("told", "", Some(6)), Ok(told.as_str())),
            (link("plain", "", Some(5)), Err("link_ended")),
            (link("gone", "", None), Err("link_ended")),
            (link("", "https://a.example/x", None), Ok("https://a.example/x")),
            (link("", "https://b.example/x", None), Err("link_ended")),
        ] {
            let leads = leads_to(&links, &link, Ts(5));
            assert_eq!(leads.as_deref().map_err(|refusal| refusal.code), wanted, "{link:?}");
        }
        assert_eq!(with_code("/a", &code), format!("/a?zy={code}"));
        assert_eq!(url(&links, Followed::Scanned, &code), format!("https://s.example/q/{code}"));
    }

    #[test]
    fn texts_name_links_only_where_the_home_is_reached() {
        assert_eq!(names(&pages()).collect::<Vec<_>>(), ["link.plain", "link.told"]);
        assert_eq!(names(&Links { pages: BTreeMap::new(), ..pages() }).count(), 0);
        assert_eq!(names(&Links { address: String::new(), ..pages() }).count(), 0);
    }

    #[test]
    fn who_passes_a_link_on_does_not_follow_it() {
        let page = pages().pages.remove("plain").unwrap();
        let (key, member) = (IdKey::from_bytes([1; 32]), MemberId::from_bytes([2; 16]));
        for (shared, named) in [(false, (Some(member), None)), (true, (None, Some(member)))] {
            let page = Page { shared, days: Some(1), ..page.clone() };
            let link = of_member(LinkCode::of(&key, &[b"x"]), ("plain", &page), member, Ts(3));
            assert_eq!(((link.member, link.sharer), link.until), (named, Some(Ts(3 + DAY_US))));
        }
    }
}
