//! What is let go compared.

use super::text::{Pair, Said, Text, by_id};
use super::{Change, ChangeKind, Touches};
use crate::playbook::Playbook;

/// After how many days bodies of events are let go.
pub(super) fn retention(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.retention, &new.retention, |event, pair| {
        let mut said = Said::default();
        let kind = match pair {
            Pair::Added(days) => {
                let t = Text::days(*days);
                said.say(
                    format!("事件“{event}”的内容保留{}后删除。", t.zh),
                    format!("What events `{event}` say is let go after {}.", t.en),
                );
                ChangeKind::Added
            }
            Pair::Removed(_) => {
                said.say(
                    format!("事件“{event}”的内容不再到期删除。"),
                    format!("What events `{event}` say is not let go any more."),
                );
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let what =
                    (format!("事件“{event}”内容的保留时间"), format!("The time for which `{event}` is kept"));
                said.value((&what.0, &what.1), old, new, |days| Text::days(*days));
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("retention.{event}"), kind, Touches::Nobody));
    });
}
