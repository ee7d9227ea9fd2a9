//! The section `identity`: namespaces with their rules, and whose word is taken for a merge.

use std::collections::{BTreeMap, BTreeSet};

use super::super::identity::{Identity, LIMIT_MAX, NAMES, NamespaceSaid};
use super::super::phrase;
use super::super::raw::{RawIdentity, RawMerge, RawNamespace};
use super::super::reader::short;
use super::super::yaml::{Entry, Node, Value};
use super::{Check, MAX_DAYS, MAX_FEW, MAX_NAME};
use crate::identifier;

/// The most values that a namespace may block.
const BLOCKED_MAX: usize = 1000;
/// The priorities a namespace may have.
const PRIORITIES: std::ops::RangeInclusive<i64> = 1..=1000;

impl Check<'_> {
    pub(super) fn identity(&mut self, raw: Option<RawIdentity>, node: Option<&Node>) -> Identity {
        let (Some(raw), Some(node)) = (raw, node) else {
            return Identity::default();
        };
        let mut namespaces = BTreeMap::new();
        if let (Some(raw), Some(at)) = (raw.namespaces, node.get("namespaces"))
            && let Value::Map(entries) = &at.value
        {
            if entries.len() > MAX_FEW {
                self.problem(at.problem("too many namespaces", Some(format!("at most {MAX_FEW}"))));
            }
            for ((namespace, raw), entry) in raw.0.into_iter().zip(entries) {
                self.namespace_name(&namespace, entry);
                let said = self.namespace(raw, &namespace, &entry.node);
                // A namespace of which nothing is said is as if it were not there.
                if said != NamespaceSaid::default() {
                    namespaces.insert(namespace, said);
                }
            }
        }
        let trusted_sources = raw.merge.map(|raw| self.merge(raw, node.get("merge"))).unwrap_or_default();
        let names = raw.names.and_then(|names| {
            let said = u32::try_from(names).ok().filter(|names| (1..=LIMIT_MAX).contains(names));
            if said.is_none()
                && let Some(at) = node.get("names")
            {
                let allowed = format!("1 to {LIMIT_MAX}");
                self.problem(at.problem(format!("{names} is out of range"), Some(allowed)));
            }
            // What is said as the house has it is as if it were not there.
            said.filter(|names| *names != NAMES)
        });
        Identity { namespaces, trusted_sources, names }
    }

    /// A kind as any id, and what follows a colon: letters, digits, `_`, `-`, `.`, since platforms give those out.
    fn namespace_name(&mut self, namespace: &str, entry: &Entry) {
        let (kind, whose) =
            namespace.split_once(':').map_or((namespace, None), |(kind, whose)| (kind, Some(whose)));
        let is_kind = kind.starts_with(|c: char| c.is_ascii_lowercase())
            && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
            && kind.len() <= MAX_NAME;
        let is_whose = whose.is_none_or(|whose| {
            (1..=MAX_NAME).contains(&whose.len())
                && whose.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        });
        if !is_kind || !is_whose {
            let message = format!("{:?} cannot be a namespace", short(namespace));
            let allowed = "a kind such as phone, or a kind and whose it is, such as openid:wx123".to_owned();
            self.problem(entry.key_mark.problem(&entry.node.path, message, Some(allowed)));
        }
    }

    fn namespace(&mut self, raw: RawNamespace, namespace: &str, node: &Node) -> NamespaceSaid {
        let limit = raw.limit.and_then(|text| self.phrase(&text.0, node.get("limit"), phrase::limit));
        let valid_days = raw
            .valid
            .and_then(|text| self.phrase(&text.0, node.get("valid"), |text| phrase::days(text, 1, MAX_DAYS)));
        let priority = raw.priority.and_then(|priority| {
            if !PRIORITIES.contains(&priority)
                && let Some(at) = node.get("priority")
            {
                let allowed = format!("{} to {}", PRIORITIES.start(), PRIORITIES.end());
                self.problem(at.problem(format!("{priority} is out of range"), Some(allowed)));
            }
            u16::try_from(priority).ok()
        });
        let mut blocked = BTreeSet::new();
        if let (Some(values), Some(at)) = (raw.blocked, node.get("blocked")) {
            if values.len() > BLOCKED_MAX {
                self.problem(at.problem("too many values", Some(format!("at most {BLOCKED_MAX}"))));
            }
            for (value, at) in values.iter().zip(at.elements()) {
                match identifier::normalise(namespace, &value.0) {
                    Ok(value) => {
                        if !blocked.insert(value) {
                            self.problem(at.problem("the value is given twice", None));
                        }
                    }
                    Err(refusal) => {
                        let message =
                            format!("this is no value of `{}`: {}", short(namespace), refusal.message);
                        self.problem(at.problem(message, None));
                    }
                }
            }
        }
        NamespaceSaid { limit, priority, valid_days: valid_days.map(u32::from), unique: raw.unique, blocked }
    }

    fn merge(&mut self, raw: RawMerge, node: Option<&Node>) -> BTreeSet<String> {
        let mut sources = BTreeSet::new();
        let (Some(raw), Some(node)) =
            (raw.trusted_sources, node.and_then(|node| node.get("trusted_sources")))
        else {
            return sources;
        };
        if raw.len() > MAX_FEW {
            self.problem(node.problem("too many sources", Some(format!("at most {MAX_FEW}"))));
        }
        for (source, at) in raw.into_iter().zip(node.elements()) {
            if source.trim() != source
                || source.is_empty()
                || source.chars().count() > MAX_NAME
                || source.chars().any(char::is_control)
            {
                let allowed = format!("1 to {MAX_NAME} characters on one line");
                self.problem(at.problem("this cannot be a source", Some(allowed)));
            } else if !sources.insert(source) {
                self.problem(at.problem("the source is given twice", None));
            }
        }
        sources
    }
}
