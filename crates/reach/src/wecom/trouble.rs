//! What may come of a call beside its answer. There are four, and only one of them leaves anybody in doubt.

use std::time::Duration;

use crate::token::{REFUSAL_MS, Rests};

/// At whose door a refusal lies: who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Whoever set the app up: a secret, a permission, an address that is not on the list.
    Settings,
    /// The member of staff who is named is not there, or not for this app.
    Staff,
    /// The customer who is named is nobody's, or not this member of staff's.
    Customer,
    /// What is to be said or set is not taken: too long, expired, forbidden.
    Content,
    /// The thing that is named is not there (any more), or belongs to another app.
    Thing,
    /// As many as there may be are there, or have been sent.
    Spent,
    /// It was done already: nothing is left to do.
    Already,
    /// The request is not as the platform wants it: a defect of ours.
    Ours,
    /// The platform gave a number that nobody here knows.
    Unnamed,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It was not said at all: something in it is wrong.
    #[error("{field}: {message}")]
    Input {
        /// The field at fault, as the platform calls it.
        field: String,
        /// What is wrong, in words.
        message: String,
    },
    /// It was not done, and will not be however often it is said.
    #[error("WeCom refuses this ({name}, {code})")]
    Refused {
        /// The platform's number; of an answer that is none of WeCom's, the status of HTTP.
        code: i64,
        /// Its name here; it stays.
        name: &'static str,
        /// Who can do something about it.
        fault: Fault,
    },
    /// It was certainly not done, or may be done twice without harm: it may be said again.
    #[error("WeCom does not do this now ({name})")]
    Later {
        /// The platform's number; 0 where it gave none.
        code: i64,
        /// Its name here; it stays.
        name: &'static str,
        /// How long not to ask. It is the shortest that can help: who is told so again waits longer.
        rest: Duration,
    },
    /// Nobody knows whether it was done. `docs/wecom-api.md` says for each call how that is found out.
    #[error("nobody knows whether WeCom did this ({name})")]
    Unknown {
        /// Why, by name.
        name: &'static str,
    },
}

impl Trouble {
    /// Something in it is wrong.
    pub(crate) fn input(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Input { field: field.into(), message: message.into() }
    }

    /// A name that stays, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Refused { name, .. } | Self::Later { name, .. } | Self::Unknown { name } => name,
        }
    }

    /// The platform's number, where it gave one.
    pub const fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } | Self::Later { code, .. } if *code != 0 => Some(*code),
            _ => None,
        }
    }

    /// Whether it was done already.
    pub const fn is_done_already(&self) -> bool {
        matches!(self, Self::Refused { fault: Fault::Already, .. })
    }

    /// Whether nobody knows.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

impl Rests for Trouble {
    fn rests_ms(&self) -> i64 {
        match self {
            Self::Refused { fault: Fault::Settings, .. } => REFUSAL_MS,
            Self::Later { rest, .. } => i64::try_from(rest.as_millis()).unwrap_or(REFUSAL_MS),
            _ => 0,
        }
    }
}
