//! Why somebody cannot sign in, or be one who does.

use zhiyin_model::role::Role;

use super::oidc::OidcProblem;
use super::password::{CHARACTERS_MAX, CHARACTERS_MIN};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInProblem {
    /// The name or the password. Which of both is nobody's business.
    #[error("this name and this password do not belong together")]
    Wrong,
    /// The password is right, and a code is asked beside.
    #[error("code: say the code that the authenticator app shows, or a recovery code")]
    CodeNeeded,
    /// The code is wrong, too old, or was taken before.
    #[error("code: it is wrong, too old, or was used before")]
    CodeWrong,
    /// The code that is to show that an app is set up is wrong.
    #[error("code: this is not what the app should show now; is the phone's clock right?")]
    CodeUnconfirmed,
    /// Too often; again after so many seconds.
    #[error("too often: again in {0} s")]
    TooMany(u64),
    /// The home has an owner.
    #[error("this home has an owner already")]
    SetUp,
    /// The name is none.
    #[error("name: letters, digits, blanks and `._-@+'·`, 254 bytes at most, with a letter or digit first")]
    Name,
    /// Somebody has the name, or had it.
    #[error("name: somebody has this name, or had it")]
    NameTaken,
    /// Somebody signs in with this code of the staff.
    #[error("staff: somebody signs in with this code already")]
    StaffTaken,
    /// The password is too short or too long.
    #[error("{0}: {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")]
    PasswordLength(&'static str),
    /// The password is among the first that anybody tries.
    #[error("{0}: this is among the first that anybody tries")]
    PasswordCommon(&'static str),
    /// The password that is to be changed, or shown again, is another.
    #[error("{0}: this is not the password")]
    PasswordWrong(&'static str),
    /// The language is none of ours.
    #[error("language: zh-CN or en")]
    Language,
    /// Codes are asked for already.
    #[error("codes are asked for already; end that first")]
    CodesOn,
    /// No codes were offered, or none are asked for.
    #[error("no codes are set up")]
    CodesOff,
    /// There is nobody of this name or id.
    #[error("there is nobody of this name who signs in")]
    Unknown,
    /// Nobody would own the home any more.
    #[error("nobody else owns this home and can sign in")]
    LastOwner,
    /// Somebody changed the person meanwhile.
    #[error("this person was changed meanwhile; look again")]
    Moved,
    /// No person can have the role.
    #[error("role: nobody signs in as {0}")]
    Role(Role),
    /// The role is bound to a place.
    #[error("place: a {0} needs one")]
    NoPlace(Role),
    /// The role is bound to a person of the staff.
    #[error("staff: a {0} needs one")]
    NoStaff(Role),
    /// A text is too long, or has characters that nobody sees.
    #[error("{0}: at most 100 characters, all of them visible")]
    Text(&'static str),
    /// The key of whoever asks is narrowed: it may not make somebody who may do more.
    #[error("this key may not give more than it has itself")]
    Beyond,
    /// Nobody comes in by the provider, or nobody but by it.
    #[error("{0}")]
    Oidc(OidcProblem),
    /// Something that should not fail did.
    #[error("{0}")]
    Failed(String),
}

impl SignInProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "sign_in_wrong",
            Self::CodeNeeded => "code_needed",
            Self::CodeWrong => "code_wrong",
            Self::CodeUnconfirmed => "code_unconfirmed",
            Self::TooMany(_) => "too_many_attempts",
            Self::SetUp => "set_up_already",
            Self::Name => "bad_person_name",
            Self::NameTaken => "person_name_taken",
            Self::StaffTaken => "person_staff_taken",
            Self::PasswordLength(_) => "password_length",
            Self::PasswordCommon(_) => "password_common",
            Self::PasswordWrong(_) => "password_wrong",
            Self::Language => "bad_language",
            Self::CodesOn => "totp_on",
            Self::CodesOff => "totp_off",
            Self::Unknown => "person_unknown",
            Self::LastOwner => "last_owner",
            Self::Moved => "person_changed",
            Self::Role(_) => "bad_role",
            Self::NoPlace(_) => "person_without_place",
            Self::NoStaff(_) => "person_without_staff",
            Self::Text(_) => "person_bad_text",
            Self::Beyond => "key_beyond",
            Self::Oidc(problem) => problem.code(),
            Self::Failed(_) => "reading_failed",
        }
    }

    /// The field at fault; empty where the whole is.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::CodeNeeded | Self::CodeWrong | Self::CodeUnconfirmed => "code",
            Self::Name | Self::NameTaken => "name",
            Self::StaffTaken | Self::NoStaff(_) => "staff",
            Self::PasswordLength(field)
            | Self::PasswordCommon(field)
            | Self::PasswordWrong(field)
            | Self::Text(field) => field,
            Self::Language => "language",
            Self::Role(_) => "role",
            Self::NoPlace(_) => "place",
            _ => "",
        }
    }

    /// After how many seconds it may be tried again.
    pub const fn after(&self) -> Option<u64> {
        match self {
            Self::TooMany(seconds) => Some(*seconds),
            _ => None,
        }
    }
}
