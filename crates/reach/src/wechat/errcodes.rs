//! The platform's numbers (`errcode`), with what each means for us. Only the number counts: the text beside it changes, and may name people.
//!
//! Sources: "global return codes" of both platforms' documentation (…/offiaccount/Getting_Started/Global_Return_Code.html) and the pages of
//! the calls. `docs/connect-wechat.md` shows the same table.

use std::time::Duration;

use crate::platform::{Trouble, Whose};

/// What a number asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// The token is not good: get another and say it once more.
    Token,
    /// Not now; in so many seconds at the earliest.
    Later(u64),
    /// Not at all, and whose matter it is.
    Refused(Whose),
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
}

/// Nobody allowed this send: what one-time subscriptions say that are used up.
pub const NOT_ALLOWED: &str = crate::channel::NOT_ALLOWED;
/// As many calls as a day has were made.
pub const CALLS_SPENT: &str = "calls_spent";

use Means::{Later, Refused, Token};
use Whose::{Content, Customer, Ours, Settings, Spent, Thing};

const fn row(code: i64, name: &'static str, means: Means) -> Code {
    Code { code, name, means }
}

/// Every number that is known, by number.
pub const CODES: &[Code] = &[
    // «系统繁忙，此时请开发者稍候再试»: nothing was done.
    row(-1, "busy", Later(1)),
    row(40001, "token_wrong", Token),
    row(40002, "grant_type_wrong", Refused(Ours)),
    row(40003, "openid_wrong", Refused(Customer)),
    row(40013, "appid_wrong", Refused(Settings)),
    row(40014, "token_wrong", Token),
    row(40029, "code_wrong", Refused(Content)),
    row(40037, "template_wrong", Refused(Content)),
    row(40097, "parameter_wrong", Refused(Ours)),
    row(40125, "secret_wrong", Refused(Settings)),
    row(40163, "code_used", Refused(Content)),
    row(40164, "address_not_allowed", Refused(Settings)),
    row(40165, "page_wrong", Refused(Content)),
    row(40226, "person_risky", Refused(Customer)),
    row(40243, "secret_frozen", Refused(Settings)),
    row(41001, "token_missing", Token),
    row(41002, "appid_missing", Refused(Ours)),
    row(41004, "secret_missing", Refused(Ours)),
    row(41008, "code_missing", Refused(Content)),
    row(41030, "page_wrong", Refused(Content)),
    row(42001, "token_expired", Token),
    row(43001, "get_wanted", Refused(Ours)),
    row(43002, "post_wanted", Refused(Ours)),
    row(43004, "not_following", Refused(Customer)),
    row(43101, NOT_ALLOWED, Refused(Customer)),
    row(45002, "text_too_long", Refused(Content)),
    row(45009, CALLS_SPENT, Later(1_800)),
    row(45011, "calls_too_often", Later(60)),
    row(45015, "said_nothing_lately", Refused(Customer)),
    row(45029, "codes_spent", Refused(Spent)),
    row(45047, "replies_spent", Refused(Spent)),
    row(47001, "json_wrong", Refused(Ours)),
    row(47003, "fields_wrong", Refused(Content)),
    row(48001, "not_authorised", Refused(Settings)),
    row(48004, "calls_forbidden", Refused(Settings)),
    row(50001, "not_authorised_by_person", Refused(Customer)),
    row(50002, "account_limited", Refused(Settings)),
    row(61024, "use_component_token", Refused(Settings)),
    row(65400, "service_off", Refused(Settings)),
    row(85096, "scene_wrong", Refused(Thing)),
    row(89503, "address_awaits_admin", Refused(Settings)),
];

/// What is known of a number; 0 is none of them.
pub fn of(code: i64) -> Option<&'static Code> {
    CODES.iter().find(|row| row.code == code)
}

/// What comes of a number that is not 0, after the token was looked at.
pub(crate) fn trouble(code: i64) -> Trouble {
    match of(code) {
        None => Trouble::Never { why: "errcode_unknown", whose: Whose::Ours },
        Some(row) => match row.means {
            Later(seconds) => Trouble::Later { why: row.name, rest: Duration::from_secs(seconds) },
            Refused(whose) => Trouble::Never { why: row.name, whose },
            // A second token was no better.
            Token => Trouble::Never { why: row.name, whose: Settings },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_each_is_there_once_and_in_the_document() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        let document = include_str!("../../../../docs/connect-wechat.md");
        for row in CODES {
            let known = format!("| {} | `{}` |", row.code, row.name);
            assert!(document.contains(&known), "docs/connect-wechat.md has no row that begins with {known}");
        }
    }

    #[test]
    fn a_number_that_nobody_knows_is_refused_and_says_so() {
        assert_eq!(trouble(999_999), Trouble::Never { why: "errcode_unknown", whose: Whose::Ours });
        assert_eq!(trouble(43_101).why(), NOT_ALLOWED);
        assert_eq!(trouble(45_009), Trouble::Later { why: CALLS_SPENT, rest: Duration::from_secs(1_800) });
        assert_eq!(trouble(40_001), Trouble::Never { why: "token_wrong", whose: Whose::Settings });
    }
}
