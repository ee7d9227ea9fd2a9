//! What platforms say no with, and what follows: whose fault it is decides whether a message waits, the channel rests, or somebody gets
//! nothing more there. What a text of a platform says beside its code is not read: it may name people.

use crate::channel::Handed;

/// What follows of a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// Nothing reaches this number.
    Gone,
    /// This message is not taken, and never will be.
    Refused,
    /// This number has got enough for now: this message waits, others do not.
    Waits,
    /// The platform or the account takes nothing for now, and no message is to blame.
    Rests,
    /// Nobody knows.
    Unsure,
}

/// A code, or what codes begin with where it ends with a dot.
pub(super) type Code = (&'static str, &'static str, Follows);

/// How many characters of a code that is not known are kept.
const CODE_CHARS_MAX: usize = 60;

/// A code that is not known, without what a code never has.
fn plain(code: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.chars().filter(is_plain).take(CODE_CHARS_MAX).collect()
}

/// The name of a code, and what follows of it.
pub(super) fn known(codes: &[Code], code: &str) -> (String, Follows) {
    let exact = codes.iter().find(|(one, ..)| *one == code);
    let begun = || codes.iter().find(|(one, ..)| one.ends_with('.') && code.starts_with(one));
    match exact.or_else(begun) {
        Some((_, name, follows)) => ((*name).to_owned(), *follows),
        // A no of which nobody here knows what it means is a no.
        None if code.is_empty() => ("answer_without_code".to_owned(), Follows::Unsure),
        None => (plain(code), Follows::Refused),
    }
}

/// What came of a hand-over that was answered with a no.
pub(super) fn handed(codes: &[Code], code: &str) -> Handed {
    let (code, follows) = known(codes, code);
    match follows {
        Follows::Gone => Handed::Refused { code, unreachable: true },
        Follows::Refused => Handed::Refused { code, unreachable: false },
        Follows::Waits => Handed::Later { code, rest: None, channel: false },
        Follows::Rests => Handed::Later { code, rest: None, channel: true },
        Follows::Unsure => Handed::Unknown { code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::{aliyun, tencent};

    /// A message is given up for its own fault only, waits for its number's, and the channel rests for the account's; of what a platform
    /// broke down over nobody knows.
    #[test]
    fn what_platforms_say_no_with_is_told_apart() {
        let later = |code: &str, channel| Handed::Later { code: code.to_owned(), rest: None, channel };
        let refused = |code: &str, unreachable| Handed::Refused { code: code.to_owned(), unreachable };
        let unknown = |code: &str| Handed::Unknown { code: code.to_owned() };
        for (codes, code, wanted) in [
            (&aliyun::CODES[..], "isv.MOBILE_NUMBER_ILLEGAL", refused("number_invalid", true)),
            (&aliyun::CODES, "isv.BUSINESS_LIMIT_CONTROL", later("number_limit", false)),
            (&aliyun::CODES, "isv.AMOUNT_NOT_ENOUGH", later("balance_insufficient", true)),
            (&aliyun::CODES, "isv.DAY_LIMIT_CONTROL", later("account_limit", true)),
            (&aliyun::CODES, "isv.SMS_TEMPLATE_ILLEGAL", refused("template_not_approved", false)),
            (&aliyun::CODES, "isv.BLACK_KEY_CONTROL_LIMIT", refused("content_refused", false)),
            (&aliyun::CODES, "SignatureDoesNotMatch", later("signature_wrong", true)),
            (&aliyun::CODES, "Throttling.User", later("too_fast", true)),
            (&aliyun::CODES, "isp.SYSTEM_ERROR", unknown("system_error")),
            (&aliyun::CODES, "isv.SOMETHING_NEW<b>", refused("isv.SOMETHING_NEWb", false)),
            (&aliyun::CODES, "", unknown("answer_without_code")),
            (&tencent::CODES, "FailedOperation.PhoneNumberInBlacklist", refused("number_refuses", true)),
            (&tencent::CODES, "LimitExceeded.PhoneNumberDailyLimit", later("number_limit", false)),
            (&tencent::CODES, "LimitExceeded.AppDailyLimit", later("account_limit", true)),
            (
                &tencent::CODES,
                "FailedOperation.InsufficientBalanceInSmsPackage",
                later("balance_insufficient", true),
            ),
            (
                &tencent::CODES,
                "FailedOperation.MarketingSendTimeConstraint",
                later("not_at_this_hour", false),
            ),
            (&tencent::CODES, "RequestLimitExceeded.UinLimitExceeded", later("too_fast", true)),
            (&tencent::CODES, "AuthFailure.SignatureFailure", later("signature_wrong", true)),
            (&tencent::CODES, "InternalError.Timeout", unknown("system_error")),
        ] {
            assert_eq!(handed(codes, code), wanted, "{code}");
        }
    }
}
