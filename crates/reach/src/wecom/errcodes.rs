//! The platform's numbers (`errcode`), with what each means for us. Only the number counts: the text beside it changes, and may
//! name people (path/90313).
//!
//! Sources are paths of the platform's documentation (developer.work.weixin.qq.com/document/path/…): 90313 is its list of all numbers.
//! Where the meaning is from elsewhere, it says so. `docs/wecom-api.md` shows the same table.

use std::time::Duration;

use super::trouble::{Fault, Trouble};

/// What a number asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// The token is not good: get another and say it once more.
    Token,
    /// Not now; in so many milliseconds at the earliest.
    Later(u64),
    /// Not at all, and whose matter it is.
    Refused(Fault),
}

/// One number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The platform's number.
    pub code: i64,
    /// Its name here; it stays.
    pub name: &'static str,
    /// What it asks of us.
    pub means: Means,
    /// Where that is from.
    pub source: &'static str,
}

use Fault::{Already, Content, Customer, Ours, Settings, Spent, Staff, Thing};
use Means::{Later, Refused, Token};

const fn row(code: i64, name: &'static str, means: Means, source: &'static str) -> Code {
    Code { code, name, means, source }
}

/// The platform's own list.
const ALL: &str = "path/90313";

/// Every number that is known, by number.
pub const CODES: &[Code] = &[
    // «建议稍候重试», at most three times: the platform says that nothing was done.
    row(-1, "busy", Later(1_000), ALL),
    row(6000, "changed_meanwhile", Later(1_000), ALL),
    row(40001, "secret_wrong", Refused(Settings), ALL),
    row(40003, "userid_wrong", Refused(Staff), ALL),
    row(40004, "media_kind_wrong", Refused(Content), ALL),
    row(40005, "type_wrong", Refused(Ours), ALL),
    row(40006, "media_size_wrong", Refused(Content), ALL),
    row(40007, "media_expired", Refused(Content), ALL),
    row(40008, "msgtype_wrong", Refused(Ours), ALL),
    row(40009, "image_size_wrong", Refused(Content), ALL),
    row(40011, "video_size_wrong", Refused(Content), ALL),
    row(40013, "corp_id_wrong", Refused(Settings), ALL),
    row(40014, "token_wrong", Token, ALL),
    row(40029, "login_code_wrong", Refused(Content), ALL),
    row(40031, "userids_wrong", Refused(Staff), ALL),
    row(40032, "userids_too_many", Refused(Ours), ALL),
    row(40033, "characters_wrong", Refused(Ours), ALL),
    row(40035, "parameter_wrong", Refused(Ours), ALL),
    row(40039, "url_too_long", Refused(Content), ALL),
    row(40050, "chat_missing", Refused(Thing), ALL),
    row(40056, "agent_id_wrong", Refused(Settings), ALL),
    // Bad JSON, a value that is too long, a list with too many, GET for POST.
    row(40058, "parameter_invalid", Refused(Ours), ALL),
    row(40063, "parameter_empty", Refused(Ours), ALL),
    row(40066, "department_missing", Refused(Thing), ALL),
    row(40068, "tag_missing", Refused(Thing), ALL),
    row(40071, "tag_name_taken", Refused(Already), ALL),
    row(40072, "tag_name_length", Refused(Content), ALL),
    row(40091, "secret_of_another_corp", Refused(Settings), ALL),
    row(40094, "url_wrong", Refused(Content), ALL),
    // Also where the follower is not within what the app may see.
    row(40096, "external_userid_wrong", Refused(Customer), ALL),
    row(40097, "staff_has_not_left", Refused(Staff), ALL),
    row(40098, "staff_not_verified", Refused(Staff), ALL),
    row(40099, "customers_at_most", Refused(Spent), ALL),
    row(40100, "transfer_under_way", Refused(Already), ALL),
    row(40123, "image_broken", Refused(Content), ALL),
    row(40126, "tags_at_most", Refused(Spent), ALL),
    row(40128, "transfers_at_most", Refused(Spent), ALL),
    row(40129, "transfer_waiting", Refused(Already), ALL),
    row(40130, "transfer_to_oneself", Refused(Ours), ALL),
    row(40131, "handover_not_follower", Refused(Customer), ALL),
    row(40143, "staff_banned", Refused(Staff), ALL),
    row(40201, "text_forbidden", Refused(Content), ALL),
    row(41001, "token_missing", Refused(Ours), ALL),
    row(41035, "external_userid_missing", Refused(Ours), ALL),
    row(41041, "way_staff_too_many", Refused(Content), ALL),
    row(41044, "way_missing", Refused(Thing), ALL),
    row(41045, "ways_at_most", Refused(Spent), ALL),
    row(41046, "msgid_missing", Refused(Ours), ALL),
    row(41047, "msgid_wrong", Refused(Thing), ALL),
    row(41048, "nobody_to_send_to", Refused(Customer), ALL),
    // The code is good for 20 seconds.
    row(41050, "welcome_code_expired", Refused(Spent), ALL),
    // Also what a second welcome with one code is told (path/92137): after a lost answer it says that the first arrived.
    row(41051, "chat_already_begun", Refused(Already), ALL),
    row(41052, "send_time_wrong", Refused(Ours), ALL),
    row(41053, "archive_consent_missing", Refused(Customer), ALL),
    row(41054, "staff_not_active", Refused(Staff), ALL),
    row(41055, "group_welcomes_at_most", Refused(Spent), ALL),
    row(41056, "external_userid_kind_wrong", Refused(Customer), ALL),
    row(41057, "wechat_account_not_bound", Refused(Settings), ALL),
    row(41058, "group_welcome_of_another_app", Refused(Thing), ALL),
    row(41059, "moment_id_missing", Refused(Ours), ALL),
    row(41060, "moment_missing", Refused(Thing), ALL),
    row(41061, "moment_of_another", Refused(Thing), ALL),
    row(41062, "moment_not_published", Refused(Thing), ALL),
    // Asked right after it was made.
    row(41063, "mass_send_being_handed_out", Later(5_000), ALL),
    row(41064, "attachments_too_many", Refused(Content), ALL),
    row(41065, "attachment_kind_wrong", Refused(Content), ALL),
    row(41067, "moment_kind_wrong", Refused(Thing), ALL),
    // A picture of a moment has another upload than one of a message.
    row(41072, "media_for_another_use", Refused(Content), ALL),
    row(41078, "moments_under_way_at_most", Later(60_000), ALL),
    row(41079, "moment_being_handed_out", Later(5_000), ALL),
    row(41080, "attachment_too_large", Refused(Content), ALL),
    row(41081, "attachment_resolution", Refused(Content), ALL),
    row(41082, "attachment_too_long", Refused(Content), ALL),
    row(41088, "attachments_empty", Refused(Ours), ALL),
    row(41089, "content_empty", Refused(Ours), ALL),
    row(41090, "video_format_wrong", Refused(Content), ALL),
    row(41091, "way_chats_too_many", Refused(Content), ALL),
    row(41093, "mass_send_cancelled", Refused(Already), ALL),
    row(41094, "reminders_at_most", Refused(Spent), ALL),
    row(41096, "welcome_under_way", Refused(Already), ALL),
    row(42001, "token_expired", Token, ALL),
    row(42003, "login_code_expired", Refused(Spent), ALL),
    row(42022, "login_code_used", Refused(Spent), ALL),
    // Only what was sent within 24 hours is recalled.
    row(42052, "message_too_old", Refused(Spent), ALL),
    row(43009, "corp_not_verified", Refused(Settings), ALL),
    row(44001, "media_empty", Refused(Content), ALL),
    row(44004, "text_empty", Refused(Ours), ALL),
    row(45001, "media_too_large", Refused(Content), ALL),
    row(45002, "text_too_long", Refused(Content), ALL),
    // Blocked for as long as the window is: a minute at first (path/90454).
    row(45009, "calls_at_most", Later(60_000), "path/90454"),
    row(45029, "answer_too_large", Refused(Ours), ALL),
    row(45031, "secret_unsafe", Refused(Settings), ALL),
    row(45033, "calls_at_once_at_most", Later(1_000), ALL),
    row(45034, "url_without_scheme", Refused(Content), ALL),
    row(46004, "staff_missing", Refused(Staff), ALL),
    row(48001, "api_not_authorised", Refused(Settings), ALL),
    // The app is not on the list of 客户联系→可调用应用.
    row(48002, "api_forbidden", Refused(Settings), ALL),
    row(48004, "authorisation_ended", Refused(Settings), ALL),
    row(48005, "api_gone", Refused(Ours), ALL),
    row(48006, "api_withdrawn", Refused(Settings), ALL),
    row(49008, "chat_dissolved", Refused(Thing), ALL),
    row(50001, "redirect_not_trusted", Refused(Settings), ALL),
    row(50002, "staff_out_of_scope", Refused(Staff), ALL),
    row(50003, "app_disabled", Refused(Settings), ALL),
    row(50100, "cursor_wrong", Refused(Ours), ALL),
    row(60003, "department_missing", Refused(Thing), ALL),
    row(60011, "no_right_over_it", Refused(Settings), ALL),
    // A minute passes from listing an address until it counts.
    row(60020, "ip_not_trusted", Refused(Settings), ALL),
    row(60021, "staff_not_visible", Refused(Staff), ALL),
    row(60111, "staff_missing", Refused(Staff), ALL),
    row(60123, "department_missing", Refused(Thing), ALL),
    row(60136, "record_missing", Refused(Thing), ALL),
    row(81013, "receivers_all_wrong", Refused(Staff), ALL),
    // groupchat/list without owners where more than 1,000 may be seen (path/92120).
    row(81017, "too_many_asked", Refused(Content), "path/92120"),
    row(81026, "maintenance", Later(60_000), ALL),
    row(82001, "receivers_missing", Refused(Ours), ALL),
    // Also what list says of somebody without customers (path/92113).
    row(84061, "no_relation", Refused(Customer), ALL),
    row(84074, "contacts_forbidden", Refused(Settings), ALL),
    row(84083, "not_service_staff", Refused(Staff), ALL),
    row(84084, "not_follower", Refused(Customer), ALL),
    row(86003, "chat_of_no_customers", Refused(Thing), ALL),
    row(90500, "owner_has_not_left", Refused(Staff), "path/92127"),
    row(90501, "chat_not_external", Refused(Thing), "path/92127"),
    row(90502, "owner_has_left", Refused(Staff), "path/95703"),
    // Customer service. Also where the app was not let at the account.
    row(95000, "service_account_wrong", Refused(Thing), ALL),
    // Five answers to what a customer said last.
    row(95001, "replies_at_most", Refused(Spent), "path/94677"),
    // They said nothing for 48 hours.
    row(95002, "reply_window_closed", Refused(Spent), "path/94677"),
    row(95004, "service_account_missing", Refused(Thing), ALL),
    // What a callback bore is good for ten minutes.
    row(95007, "service_token_wrong", Refused(Ours), "path/94670"),
    row(95011, "service_in_console", Refused(Settings), ALL),
    row(95012, "service_not_begun", Refused(Settings), ALL),
    row(95013, "session_over", Refused(Customer), ALL),
    row(95014, "not_at_the_desk", Refused(Staff), ALL),
    row(95017, "service_api_off", Refused(Settings), ALL),
    // One of the staff has the customer in their client, or they wait for one.
    row(95018, "session_elsewhere", Refused(Customer), "path/94677"),
    // A tag, a template or a group of another app; or its owner has no licence.
    row(301002, "of_another_app", Refused(Thing), ALL),
    row(301021, "tag_name_taken_by_another", Refused(Content), "path/96320"),
];

/// What is known of a number; 0 is none of them.
pub fn of(code: i64) -> Option<&'static Code> {
    CODES.iter().find(|row| row.code == code)
}

/// What comes of a number that is not 0, after the token was looked at.
pub(crate) fn trouble(code: i64) -> Trouble {
    match of(code) {
        None => Trouble::Refused { code, name: "errcode_unknown", fault: Fault::Unnamed },
        Some(row) => match row.means {
            Later(ms) => Trouble::Later { code, name: row.name, rest: Duration::from_millis(ms) },
            Refused(fault) => Trouble::Refused { code, name: row.name, fault },
            // A second token was no better.
            Token => Trouble::Refused { code, name: row.name, fault: Settings },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_each_is_there_once() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(CODES.iter().all(|row| row.code != 0 && row.source.starts_with("path/")));
    }

    #[test]
    fn every_number_is_in_the_document() {
        let document = include_str!("../../../../docs/wecom-api.md");
        for row in CODES {
            let known = format!("| {} | `{}` |", row.code, row.name);
            assert!(document.contains(&known), "docs/wecom-api.md has no row that begins with {known}");
        }
    }

    #[test]
    fn a_number_that_nobody_knows_is_refused_and_says_so() {
        let refused = Trouble::Refused { code: 999_999, name: "errcode_unknown", fault: Fault::Unnamed };
        assert_eq!(trouble(999_999), refused);
        assert_eq!(trouble(45_033).name(), "calls_at_once_at_most");
        assert!(trouble(41_051).is_done_already());
        assert_eq!(trouble(60_020).code(), Some(60_020));
    }
}
