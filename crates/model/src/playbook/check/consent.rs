//! The section `consent`: purposes with their channels and the versions of their texts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::consent::{Consent, MINORS_UNDER, Purpose};
use super::super::raw::{RawConsent, RawPurpose};
use super::super::yaml::Node;
use super::said::TEXT_CHARS_MAX;
use super::{Check, MAX_NAME};
use crate::consent::ALL;

/// The most purposes, the most channels of one, the most versions of its text.
const MAX_OF_CONSENT: usize = 20;
/// The ages below which a guardian may be asked for.
const AGES: std::ops::RangeInclusive<i64> = 0..=21;

impl Check<'_> {
    pub(super) fn consent(&mut self, raw: Option<RawConsent>, node: Option<&Node>) -> Consent {
        let (Some(raw), Some(node)) = (raw, node) else {
            return Consent::default();
        };
        let minors_under = raw.minors_under.unwrap_or(MINORS_UNDER.into());
        if let Some(at) = node.get("minors_under").filter(|_| !AGES.contains(&minors_under)) {
            let allowed = format!("{} to {}", AGES.start(), AGES.end());
            self.problem(at.problem(format!("{minors_under} is out of range"), Some(allowed)));
        }
        let at = node.get("purposes");
        let purposes = self.by_id(raw.purposes, at, true, Self::purpose);
        if let Some(at) = at.filter(|_| purposes.len() > MAX_OF_CONSENT) {
            self.problem(at.problem("too many purposes", Some(format!("at most {MAX_OF_CONSENT}"))));
        }
        let mut categories = BTreeSet::new();
        for (id, purpose) in &purposes {
            let at = at.and_then(|at| at.get(id));
            if let (ALL, Some(at)) = (id.as_str(), at) {
                self.problem(at.problem("`all` means every purpose, and can be none", None));
            }
            if let (Some(category), Some(at)) = (&purpose.category, at)
                && !categories.insert(category.clone())
            {
                self.problem(at.problem("the category is another purpose's already", None));
            }
        }
        Consent {
            purposes: BTreeMap::from_iter(purposes),
            minors_under: u8::try_from(minors_under).unwrap_or(MINORS_UNDER),
        }
    }

    fn purpose(&mut self, raw: RawPurpose, node: &Node) -> Option<Purpose> {
        let name = self.names(raw.name, node);
        let text = raw.text.zip(node.get("text"));
        let text = text.map(|(raw, at)| self.said(raw, at, TEXT_CHARS_MAX)).unwrap_or_default();
        let channels = raw.channels.unwrap_or_default();
        for (channel, at) in channels.iter().zip(node.get("channels").map_or(&[][..], Node::elements)) {
            self.id(channel, &at.mark, &at.path, true);
            if channel == ALL {
                self.problem(at.problem("`all` means every channel, and can be none", None));
            }
        }
        let channels = self.distinct(channels, node.get("channels"), "channel");
        let versions: Vec<String> = raw.versions.unwrap_or_default().into_iter().map(|text| text.0).collect();
        let versions = self.distinct(versions, node.get("versions"), "version");
        let category = raw.category;
        for text in category.iter() {
            if let Some(at) = node.get("category").filter(|_| !is_line(text)) {
                let allowed = format!("1 to {MAX_NAME} characters on one line");
                self.problem(at.problem("this cannot be a category", Some(allowed)));
            }
        }
        if let (Some(_), false, Some(at)) = (&category, versions.is_empty(), node.get("category")) {
            let message =
                "a category does not say to which version of a text: a purpose has one or the other";
            self.problem(at.problem(message, None));
        }
        let needed = raw.needed.unwrap_or(true);
        Some(Purpose { name, channels, text, versions, needed, category })
    }

    fn distinct(&mut self, texts: Vec<String>, node: Option<&Node>, what: &str) -> BTreeSet<String> {
        let mut distinct = BTreeSet::new();
        let Some(node) = node else { return distinct };
        if texts.len() > MAX_OF_CONSENT {
            self.problem(
                node.problem(format!("too many {what}s"), Some(format!("at most {MAX_OF_CONSENT}"))),
            );
        }
        for (text, at) in texts.into_iter().zip(node.elements()) {
            if !is_line(&text) {
                let allowed = format!("1 to {MAX_NAME} characters on one line");
                self.problem(at.problem(format!("this cannot be a {what}"), Some(allowed)));
            } else if !distinct.insert(text) {
                self.problem(at.problem(format!("the {what} is given twice"), None));
            }
        }
        distinct
    }
}

fn is_line(text: &str) -> bool {
    let n_chars = text.chars().count();
    text.trim() == text && (1..=MAX_NAME).contains(&n_chars) && !text.chars().any(char::is_control)
}
