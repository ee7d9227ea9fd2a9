//! What names mean: the attributes, tags, tiers and stages a playbook declares, and where a condition stands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zhiyin_model::playbook::Consent;

/// What names mean. Built from a playbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// `attr.NAME` and its type; another name is a problem.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Tags that `"x" in tags` may ask for.
    pub tags: BTreeSet<String>,
    /// Tiers from the lowest to the highest: `tier >= "silver"` compares in this order.
    pub tiers: Vec<String>,
    /// Stages of the lifecycle.
    pub stages: Vec<String>,
    /// What consent is asked for: `consent("marketing", "sms")`.
    pub consent: Consent,
    /// Saved audiences and their conditions: `audience("evening")` stands for the condition of that name.
    pub audiences: BTreeMap<String, String>,
    /// Lists of members that were uploaded by hand, which `audience("press")` may name too. An audience of the name comes
    /// first.
    pub lists: BTreeSet<String>,
    /// Whether the pipeline decides by the condition: it is then asked of a member at any instant, and may not ask lists.
    pub decides: bool,
    /// What the condition may speak of beside the member.
    pub scope: Scope,
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// True or false.
    Bool,
    /// An exact number.
    Number,
    /// A text.
    Text,
    /// Several texts.
    Texts,
    /// A calendar day, written `YYYY-MM-DD`.
    Date,
}

/// What a condition may speak of beside the member and its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Nothing else: audiences, tags, lifecycle.
    #[default]
    Member,
    /// Also the event at hand (`event`) and its order (`order`): triggers, earning, offers.
    Event,
    /// Also the cart at hand (`cart`): what an offer is for.
    Cart,
    /// Also one item of it, by the names of its fields (`category`, `brand`): what an offer is of.
    Item,
}

/// The candidate nearest to `name` by edit distance, if it is near enough to be what was meant: at most
/// a third of the longer one's characters (and at least one) differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(64).flat_map(char::to_lowercase).collect();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let given: Vec<char> = candidate.chars().take(64).flat_map(char::to_lowercase).collect();
            let distance = edit_distance(&wanted, &given);
            let allowed = (wanted.len().max(given.len()) / 3).max(1);
            (distance <= allowed && distance < wanted.len().max(given.len())).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance with swapped neighbours counting once (optimal string alignment), so that `glod` is one
/// step from `gold`.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j - 1] + change).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_what_was_meant_or_nothing() {
        let names = ["gold", "silver", "regular"];
        for (name, expected) in [
            ("glod", Some("gold")),
            ("Gold", Some("gold")),
            ("sliver", Some("silver")),
            ("platinum", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, names), expected, "{name}");
        }
        assert_eq!(nearest("金卡", ["金卡会员"]), None);
        assert_eq!(nearest("金卡会", ["金卡会员"]), Some("金卡会员"));
    }
}
