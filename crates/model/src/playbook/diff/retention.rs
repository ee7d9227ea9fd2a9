//! What is let go compared.

use super::text::{Pair, Said, Text, by_id};
use super::{Change, ChangeKind, Touches};
use crate::playbook::Playbook;
use crate::playbook::campaign::{MESSAGE_ROWS, MESSAGE_TEXTS};

/// After how many days bodies of events are let go.
pub(super) fn retention(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.retention, &new.retention, |event, pair| {
        let mut said = Said::default();
        let (zh, en) = match event.as_str() {
            MESSAGE_TEXTS => ("消息的正文".to_owned(), "What messages say".to_owned()),
            MESSAGE_ROWS => ("消息的发送记录".to_owned(), "That messages were sent".to_owned()),
            event => (format!("事件“{event}”的内容"), format!("What events `{event}` say")),
        };
        let kind = match pair {
            Pair::Added(days) => {
                let t = Text::days(*days);
                said.say(format!("{zh}保留{}后删除。", t.zh), format!("{en} is let go after {}.", t.en));
                ChangeKind::Added
            }
            Pair::Removed(_) => {
                said.say(format!("{zh}不再到期删除。"), format!("{en} is not let go any more."));
                ChangeKind::Removed
            }
            Pair::Both(old, new) => {
                let what = match event.as_str() {
                    MESSAGE_TEXTS | MESSAGE_ROWS => {
                        (format!("{zh}的保留时间"), format!("The time for which `{event}` are kept"))
                    }
                    _ => (
                        format!("事件“{event}”内容的保留时间"),
                        format!("The time for which `{event}` is kept"),
                    ),
                };
                said.value((&what.0, &what.1), old, new, |days| Text::days(*days));
                ChangeKind::Changed
            }
        };
        changes.push(said.change(format!("retention.{event}"), kind, Touches::Nobody));
    });
}
