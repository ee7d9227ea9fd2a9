//! Ways in: what must be there, and what they may name.

use std::collections::BTreeMap;

use super::super::campaign::Message;
use super::super::raw::way::{RawGreeting, RawGroupWay, RawNextGroup, RawWay, RawWayHours};
use super::super::way::{ACCOUNT_USUAL, CODE_CHARS_MAX, Greeting, GroupWay, NextGroup, Way, WayHours};
use super::super::yaml::Node;
use super::super::{Links, Poster, Tag, Touchpoint};
use super::offer::unknown;
use super::{Check, MAX_FEW, MAX_NAME};
use crate::place::hours::Hours;

/// The most of the staff of one code (path/90313, 41041).
const MAX_STAFF: usize = 100;
/// The longest remark before a name, in characters: the platform keeps 20 of both (path/92115).
const MAX_REMARK: usize = 10;
/// The longest name of a group before its number, in characters (path/92229).
const MAX_GROUP_NAME: usize = 36;
/// The most new friends of one of the staff in a day.
const MAX_FRIENDS: i64 = 5_000;
/// The largest number of a group.
const MAX_NUMBER: i64 = 100_000;

/// What ways may name, of the rest of a playbook.
pub(super) struct Named<'k> {
    pub messages: &'k BTreeMap<String, Message>,
    pub tags: &'k [(String, Tag)],
    pub links: &'k Links,
    pub posters: &'k [(String, Poster)],
}

impl Check<'_> {
    pub(super) fn way(&mut self, raw: RawWay, node: &Node) -> Option<Way> {
        let account = self.account(raw.account, node);
        let persona = raw.persona.filter(|text| self.line(text, node.get("persona"), MAX_NAME));
        let staff = self.staff(raw.staff, node, "staff");
        if persona.is_none() == staff.is_empty() && !node.is_broken() {
            let message = if persona.is_none() { "nobody is met by it" } else { "who is met is said twice" };
            self.problem(node.problem(message, Some("persona, or staff".to_owned())));
        }
        let at = node.get("hours");
        let mut hours = Vec::new();
        for (raw, node) in raw.hours.unwrap_or_default().into_iter().zip(at.map_or(&[][..], Node::elements)) {
            hours.extend(self.way_hours(raw, node));
        }
        if let Some(at) = at.filter(|_| hours.len() > MAX_FEW) {
            self.problem(at.problem("too many hours", Some(format!("at most {MAX_FEW}"))));
        }
        let store = raw.store.filter(|text| self.line(text, node.get("store"), MAX_NAME));
        let spare = self.staff(raw.spare, node, "spare");
        let at_most = self.few(raw.at_most, node.get("at_most"), MAX_FRIENDS);
        if let Some(at) = node.get("spare").filter(|_| at_most.is_none() && !spare.is_empty()) {
            let allowed = Some("at_most: 100".to_owned());
            self.problem(
                at.problem("without `at_most` everybody always has room, and nobody is spare", allowed),
            );
        }
        let remark = raw.remark.filter(|text| self.line(text, node.get("remark"), MAX_REMARK));
        let welcome = raw.welcome.zip(node.get("welcome")).and_then(|(raw, node)| self.greeting(raw, node));
        let (turn, tags, asks) = (raw.turn, raw.tags.unwrap_or_default(), raw.asks.unwrap_or(false));
        Some(Way { account, persona, staff, hours, store, turn, spare, at_most, tags, remark, welcome, asks })
    }

    fn way_hours(&mut self, raw: RawWayHours, node: &Node) -> Option<WayHours> {
        let during = self.required(raw.during, node, "during", "hours such as Mo-Fr 09:00-18:00")?;
        let during = match Hours::read(&during) {
            Ok(during) => during,
            Err(refusal) => {
                let allowed = Some("Mo-Fr 09:00-18:00; Sa,Su 10:00-16:00".to_owned());
                self.problem(node.get("during").unwrap_or(node).problem(refusal.message, allowed));
                return None;
            }
        };
        let staff = self.staff(raw.staff, node, "staff");
        let welcome = raw.welcome.zip(node.get("welcome")).and_then(|(raw, node)| self.greeting(raw, node));
        if staff.is_empty() && welcome.is_none() && !node.is_broken() {
            self.problem(node.problem("nothing is other in these hours", Some("staff, welcome".to_owned())));
        }
        Some(WayHours { during, staff, welcome })
    }

    fn greeting(&mut self, raw: RawGreeting, node: &Node) -> Option<Greeting> {
        let message = self.required(raw.message, node, "message", "a message of the playbook")?;
        Some(Greeting { message, link: raw.link, poster: raw.poster })
    }

    pub(super) fn group_way(&mut self, raw: RawGroupWay, node: &Node) -> Option<GroupWay> {
        let account = self.account(raw.account, node);
        let groups = self.staff(raw.groups, node, "groups");
        let owners = self.staff(raw.owners, node, "owners");
        if groups.is_empty() && owners.is_empty() && !node.is_broken() {
            let allowed = Some("groups, or owners".to_owned());
            self.problem(node.problem("it leads into no group", allowed));
        }
        let named = raw.named.filter(|text| self.line(text, node.get("named"), MAX_NAME));
        if let Some(at) = node.get("named").filter(|_| owners.is_empty()) {
            let message = "this chooses among the groups of `owners`, and there are none";
            self.problem(at.problem(message, Some("owners: [LiSi]".to_owned())));
        }
        let next = raw.next.zip(node.get("next")).and_then(|(raw, node)| self.next_group(raw, node));
        Some(GroupWay { account, groups, owners, named, next })
    }

    fn next_group(&mut self, raw: RawNextGroup, node: &Node) -> Option<NextGroup> {
        let name = self.required(raw.name, node, "name", "what it is called before its number")?;
        if !self.line(&name, node.get("name"), MAX_GROUP_NAME) {
            return None;
        }
        let from = self.few(raw.from.or(Some(1)), node.get("from"), MAX_NUMBER)?;
        Some(NextGroup { name, from })
    }

    fn account(&mut self, raw: Option<String>, node: &Node) -> String {
        let Some(account) = raw else { return ACCOUNT_USUAL.to_owned() };
        if let Some(at) = node.get("account") {
            self.id(&account, &at.mark, &at.path, false);
        }
        account
    }

    /// A text on one line that is not too long.
    fn line(&mut self, text: &str, at: Option<&Node>, chars_max: usize) -> bool {
        let fits = !text.trim().is_empty()
            && text.chars().count() <= chars_max
            && !text.chars().any(char::is_control);
        if let Some(at) = at.filter(|_| !fits) {
            let allowed = Some(format!("1 to {chars_max} characters on one line"));
            self.problem(at.problem("this cannot be said here", allowed));
        }
        fits
    }

    fn few(&mut self, raw: Option<i64>, at: Option<&Node>, most: i64) -> Option<u32> {
        let number = raw?;
        if !(1..=most).contains(&number) {
            if let Some(at) = at {
                self.problem(at.problem(format!("{number} is out of range"), Some(format!("1 to {most}"))));
            }
            return None;
        }
        u32::try_from(number).ok()
    }

    /// Ids of the platform's: whether they are there only it knows.
    fn staff(&mut self, raw: Option<Vec<String>>, node: &Node, key: &str) -> Vec<String> {
        let (Some(ids), Some(at)) = (raw, node.get(key)) else { return Vec::new() };
        let is_id =
            |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(id) = ids.iter().find(|id| !is_id(id)) {
            let message = format!("{:?} is no id of the platform's", super::short(id));
            self.problem(at.problem(message, Some("1 to 64 letters, digits and marks".to_owned())));
        }
        if let Some((_, id)) = ids.iter().enumerate().find(|(i, id)| ids[..*i].contains(id)) {
            self.problem(at.problem(format!("`{}` is named twice", super::short(id)), None));
        }
        if ids.len() > MAX_STAFF || (ids.is_empty() && !at.is_broken()) {
            self.problem(at.problem("too few or too many", Some(format!("1 to {MAX_STAFF}"))));
        }
        ids
    }

    /// What ways name is there, and what they are called fits.
    pub(super) fn ways_fit(
        &mut self,
        touchpoints: &[(String, Touchpoint)],
        node: Option<&Node>,
        named: &Named<'_>,
    ) {
        for (code, touchpoint) in touchpoints {
            let Some(node) = node.and_then(|node| node.get(code)) else { continue };
            let (way, group_way) = (touchpoint.way.as_ref(), touchpoint.group_way.as_ref());
            if way.is_none() && group_way.is_none() {
                continue;
            }
            if code.chars().count() > CODE_CHARS_MAX {
                let allowed = Some(format!("at most {CODE_CHARS_MAX} characters, where it has a way"));
                self.problem(node.problem("the code of this touchpoint is too long for a way", allowed));
            }
            if let Some(at) = node.get("group_way").filter(|_| way.is_some()) {
                let message = "one code leads to staff or into groups";
                self.problem(at.problem(message, Some("way, or group_way".to_owned())));
            }
            let (Some(way), Some(node)) = (way, node.get("way")) else { continue };
            for tag in &way.tags {
                let by_hand: Vec<&str> = named
                    .tags
                    .iter()
                    .filter(|(_, tag)| tag.who.is_none())
                    .map(|(id, _)| id.as_str())
                    .collect();
                if !by_hand.contains(&tag.as_str()) {
                    self.problem(unknown(
                        node.get("tags").unwrap_or(node),
                        "tag given by hand",
                        tag,
                        &by_hand,
                    ));
                }
            }
            let of_hours = way.hours.iter().zip(node.get("hours").map_or(&[][..], Node::elements));
            let mut greetings: Vec<(&Greeting, &Node)> = of_hours
                .filter_map(|(hours, node)| Some((hours.welcome.as_ref()?, node.get("welcome")?)))
                .collect();
            greetings.extend(way.welcome.as_ref().zip(node.get("welcome")));
            for (greeting, node) in greetings {
                self.greeting_fits(greeting, node, named);
            }
        }
    }

    fn greeting_fits(&mut self, greeting: &Greeting, node: &Node, named: &Named<'_>) {
        if !named.messages.contains_key(&greeting.message) {
            let known: Vec<&str> = named.messages.keys().map(String::as_str).collect();
            self.problem(unknown(node.get("message").unwrap_or(node), "message", &greeting.message, &known));
        }
        if let Some(link) = greeting.link.as_ref().filter(|link| !named.links.pages.contains_key(*link)) {
            let known: Vec<&str> = named.links.pages.keys().map(String::as_str).collect();
            self.problem(unknown(node.get("link").unwrap_or(node), "page", link, &known));
        }
        if let Some(at) = node.get("link").filter(|_| named.links.address.is_empty()) {
            let allowed = Some("links: { address: https://s.example.com }".to_owned());
            self.problem(at.problem("a link needs `links.address`, where the home is reached", allowed));
        }
        let posters: Vec<&str> = named.posters.iter().map(|(id, _)| id.as_str()).collect();
        if let Some(poster) = greeting.poster.as_ref().filter(|poster| !posters.contains(&poster.as_str())) {
            self.problem(unknown(node.get("poster").unwrap_or(node), "poster", poster, &posters));
        }
    }
}
