//! The section `retention`: after how many days the bodies of which events are let go.

use std::collections::BTreeMap;

use super::super::phrase;
use super::super::reader::short;
use super::super::words::{ById, DaysPhrase};
use super::super::yaml::{Node, Value};
use super::{Check, MAX_DAYS, MAX_FEW};
use crate::event::names;
use crate::playbook::campaign::{MESSAGE_ROWS, MESSAGE_TEXTS};

/// The fewest days that are kept: what was just told may still be put right, or parted.
const DAYS_LEAST: u16 = 30;
/// The fewest days for which it is kept that something was said: longer than any cap looks back, and than it may be on its way.
const ROWS_LEAST: u16 = 60;
/// The most characters of an event's name.
const NAME_CHARS_MAX: usize = 200;

impl Check<'_> {
    pub(super) fn retention(
        &mut self,
        raw: Option<ById<DaysPhrase>>,
        node: Option<&Node>,
    ) -> BTreeMap<String, u16> {
        let (Some(ById(raw)), Some(node)) = (raw, node) else { return BTreeMap::new() };
        let Value::Map(entries) = &node.value else { return BTreeMap::new() };
        if entries.len() > MAX_FEW {
            self.problem(node.problem("too many events", Some(format!("at most {MAX_FEW}"))));
        }
        let mut kept = BTreeMap::new();
        for ((name, days), entry) in raw.into_iter().zip(entries) {
            if names::NEEDED.contains(&name.as_str()) {
                let message = format!("`{}` is never let go", short(&name));
                let allowed = "events that no balance, consent or merge rests on";
                self.problem(entry.key_mark.problem(&entry.node.path, message, Some(allowed.to_owned())));
            }
            if name.trim() != name || name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
                let message = format!("{:?} cannot be an event", short(&name));
                let allowed = format!("its name as it comes, at most {NAME_CHARS_MAX} characters");
                self.problem(entry.key_mark.problem(&entry.node.path, message, Some(allowed)));
            }
            let least = if name == MESSAGE_ROWS { ROWS_LEAST } else { DAYS_LEAST };
            let read = |text: &str| phrase::days(text, least, MAX_DAYS);
            if let Some(days) = self.phrase(&days.0, Some(&entry.node), read) {
                kept.insert(name, days);
            }
        }
        let of = |name: &str| kept.get(name).copied();
        if let (Some(texts), Some(rows)) = (of(MESSAGE_TEXTS), of(MESSAGE_ROWS))
            && rows < texts
        {
            let message = format!("`{MESSAGE_ROWS}` go before `{MESSAGE_TEXTS}`, which stand in them");
            self.problem(node.problem(message, Some(format!("{MESSAGE_ROWS}: {texts}d or more"))));
        }
        kept
    }
}
