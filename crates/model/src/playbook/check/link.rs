//! The sections `links` and `posters`.

use super::super::phrase;
use super::super::raw::RawPlaybook;
use super::super::raw::link::{RawLinks, RawPage, RawPoster};
use super::super::words::ById;
use super::super::yaml::Node;
use super::offer::unknown;
use super::{Check, MAX_DAYS, MAX_FEW, MAX_NAME};
use crate::link::{is_host, leads};
use crate::playbook::link::{Links, Page, Poster};

/// The most pages of a playbook, and posters.
const MAX_PAGES: usize = 256;
const MAX_POSTERS: usize = 32;
/// The largest drawing, in bytes.
const SVG_BYTES_MAX: usize = 256 * 1024;

/// The sections, taken out of the raw playbook.
pub(super) type Sections = (Option<RawLinks>, Option<ById<RawPoster>>);

/// Takes the sections out of the raw playbook.
pub(super) fn sections(raw: &mut RawPlaybook) -> Sections {
    (raw.links.take(), raw.posters.take())
}

impl Check<'_> {
    pub(super) fn linking(&mut self, raw: Sections, tree: &Node) -> (Links, Vec<(String, Poster)>) {
        let (links, posters) = raw;
        let links = self.links(links.unwrap_or_default(), tree.get("links"));
        let node = tree.get("posters");
        let posters = self.by_id(posters, node, false, |check, raw, node| check.poster(raw, node, &links));
        if let Some(node) = node.filter(|_| posters.len() > MAX_POSTERS) {
            self.problem(node.problem("too many posters", Some(format!("at most {MAX_POSTERS}"))));
        }
        (links, posters)
    }

    fn links(&mut self, raw: RawLinks, node: Option<&Node>) -> Links {
        let Some(node) = node else { return Links::default() };
        let (mut address, hosts) = (raw.address.unwrap_or_default(), raw.hosts.unwrap_or_default());
        let authority = address.strip_prefix("https://").unwrap_or_default();
        let host = authority.split(':').next().unwrap_or_default();
        if let Some(at) = node.get("address")
            && (!is_host(host)
                || leads(&address, &[host.to_owned()]).is_err()
                || authority.contains(['/', '?', '#']))
        {
            let allowed = "https:// and a host in lower case, such as https://s.example.com";
            self.problem(at.problem("this is not how a home is reached", Some(allowed.to_owned())));
            address.clear();
        }
        if let Some(at) = node.get("hosts") {
            let wrong = hosts.iter().find(|host| !is_host(host.strip_prefix("*.").unwrap_or(host)));
            if let Some(host) = wrong {
                let allowed = Some("shop.example.com, or *.example.com".to_owned());
                self.problem(at.problem(format!("{:?} is no host", super::short(host)), allowed));
            }
            if hosts.len() > MAX_FEW {
                self.problem(at.problem("too many hosts", Some(format!("at most {MAX_FEW}"))));
            }
        }
        let at = node.get("pages");
        let pages = self.by_id(raw.pages, at, true, |check, raw, node| check.page(raw, node, &hosts));
        if let Some(at) = at.filter(|_| pages.len() > MAX_PAGES) {
            self.problem(at.problem("too many pages", Some(format!("at most {MAX_PAGES}"))));
        }
        Links { address, hosts, pages: pages.into_iter().collect() }
    }

    fn page(&mut self, raw: RawPage, node: &Node, hosts: &[String]) -> Option<Page> {
        let name = self.names(raw.name, node);
        let to = self.required(raw.to, node, "to", "an https address, or a path of ours")?;
        if let (Err(why), Some(at)) = (leads(&to, hosts), node.get("to")) {
            self.problem(at.problem("no link may lead there", Some(why.to_owned())));
        }
        if let (Some(touchpoint), Some(at)) = (&raw.touchpoint, node.get("touchpoint"))
            && (touchpoint.trim().is_empty()
                || touchpoint.chars().count() > MAX_NAME
                || touchpoint.chars().any(char::is_control))
        {
            let allowed = format!("its code, at most {MAX_NAME} characters");
            self.problem(at.problem("this cannot be a touchpoint", Some(allowed)));
        }
        let read = |text: &str| phrase::days(text, 1, MAX_DAYS);
        let days = raw.expires.and_then(|text| self.phrase(&text.0, node.get("expires"), read));
        let (shared, with_code) = (raw.shared.unwrap_or(false), raw.with_code.unwrap_or(false));
        Some(Page { name, to, touchpoint: raw.touchpoint, days, shared, with_code })
    }

    fn poster(&mut self, raw: RawPoster, node: &Node, links: &Links) -> Option<Poster> {
        let name = self.names(raw.name, node);
        let svg = self.required(raw.svg, node, "svg", "a drawing, as SVG")?;
        if svg.len() > SVG_BYTES_MAX
            && let Some(at) = node.get("svg")
        {
            let allowed = format!("at most {} KiB", SVG_BYTES_MAX / 1024);
            self.problem(at.problem("the drawing is too large", Some(allowed)));
        }
        if let (Some(link), Some(at)) = (&raw.link, node.get("link"))
            && !links.pages.contains_key(link)
        {
            let known: Vec<&str> = links.pages.keys().map(String::as_str).collect();
            self.problem(unknown(at, "page", link, &known));
        }
        if raw.link.is_some() && links.address.is_empty() {
            let allowed = Some("links: { address: https://s.example.com }".to_owned());
            self.problem(node.problem("its code needs `links.address`, where the home is reached", allowed));
        }
        Some(Poster { name, svg, link: raw.link })
    }
}
