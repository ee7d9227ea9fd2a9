//! Whoever signs in to one of the brand's apps is somebody whom the home knows from then on: by the app's name of them, by the one across
//! apps, and by their phone where they gave it.
//!
//! A page leads to the platform with a `state`, which comes back with a code. The state is good for a while, for one account, for one page
//! to go on to, and only for the browser that began: it is a keyed hash over those and over a word that only that browser has, as a
//! cookie. So nobody can have somebody else sign in with a code of theirs.

use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_reach::app::Somebody;
use zhiyin_reach::platform::Trouble;
use zhiyin_store::{Wanted, seal};

use super::AppAt;
use crate::{Engine, Result, boxed};

/// How long a state is good, in seconds.
pub const STATE_SECONDS: i64 = 600;

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    /// What came back is not what this browser began, or too late.
    StateWrong,
    /// The platform says no, or not now.
    Platform(Trouble),
    /// What it says of them cannot be taken in.
    NotTaken,
}

impl NotSignedIn {
    /// Whether it is the platform that does not answer: the person may try again soon.
    pub const fn is_for_now(&self) -> bool {
        matches!(self, Self::Platform(Trouble::Later { .. } | Trouble::Unknown { .. }))
    }

    /// Why, by a name that stays.
    pub fn why(&self) -> &'static str {
        match self {
            Self::StateWrong => "state_wrong",
            Self::Platform(trouble) => trouble.why(),
            Self::NotTaken => "not_taken",
        }
    }
}

/// Where somebody who signs in comes from and goes to.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The brand's account.
    pub account: &'a str,
    /// Where they go then.
    pub to: &'a str,
    /// What only their browser has.
    pub browser: &'a str,
}

fn seal_of(key: &IdKey, way: Way<'_>, until: i64) -> String {
    let until = until.to_le_bytes();
    let parts: [&[u8]; 4] = [way.account.as_bytes(), way.to.as_bytes(), way.browser.as_bytes(), &until];
    key.digest("app sign-in", &parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A state that is good from now on for a while: letters and digits only, since platforms take no others.
fn state(key: &IdKey, way: Way<'_>, now: i64) -> String {
    let until = now.saturating_add(STATE_SECONDS);
    format!("{until:x}z{}", seal_of(key, way, until))
}

/// Whether a state came back to where it began, in time.
fn is_good(key: &IdKey, way: Way<'_>, said: &str, now: i64) -> bool {
    let Some((until, seal)) = said.split_once('z') else { return false };
    let Ok(until) = i64::from_str_radix(until, 16) else { return false };
    let wanted = seal_of(key, way, until);
    // Hashes of hashes, compared in constant time: how long it takes tells nothing.
    let is_same = blake3::hash(wanted.as_bytes()) == blake3::hash(seal.as_bytes());
    is_same && !way.browser.is_empty() && now < until && until.saturating_sub(now) <= STATE_SECONDS
}

impl Engine {
    /// Where somebody goes to sign in with an app, and comes back from to `back`; nothing, where they do not sign in so.
    pub async fn app_sign_in_url(
        &self,
        at: &AppAt,
        way: Way<'_>,
        (back, asks): (&str, bool),
        wall: Ts,
    ) -> Result<Option<String>> {
        let key = self.home().await?.id_key;
        Ok(at.app.sign_in_url(back, &state(&key, way, wall.0.div_euclid(1_000_000)), asks))
    }

    /// Whether what came back is what this browser began.
    pub async fn is_app_state(&self, way: Way<'_>, said: &str, wall: Ts) -> Result<bool> {
        let key = self.home().await?.id_key;
        Ok(is_good(&key, way, said, wall.0.div_euclid(1_000_000)))
    }

    /// Signs somebody in by a code that an app brings, with one of their phone number where they gave that; who they are.
    #[boxed]
    pub async fn sign_in_to_app(
        &self,
        at: &AppAt,
        code: &str,
        phone_code: Option<&str>,
    ) -> Result<std::result::Result<MemberId, NotSignedIn>> {
        let somebody = match at.app.signed_in(code).await {
            Ok(somebody) => somebody,
            Err(trouble) => return Ok(Err(NotSignedIn::Platform(trouble))),
        };
        let phone = match phone_code {
            None => None,
            Some(code) => match at.app.phone(code).await {
                Ok(phone) => Some(phone),
                Err(trouble) => return Ok(Err(NotSignedIn::Platform(trouble))),
            },
        };
        if !self.identified(at, &somebody, phone.as_deref()).await? {
            return Ok(Err(NotSignedIn::NotTaken));
        }
        Ok(self.whom_app_knows(at, &somebody).await?.ok_or(NotSignedIn::NotTaken))
    }

    /// Whom an app knows by a name.
    async fn whom_app_knows(&self, at: &AppAt, somebody: &Somebody) -> Result<Option<MemberId>> {
        let key = self.home().await?.id_key;
        let namespace = at.app.namespace();
        let Ok(value) = normalise(&namespace, &somebody.id) else { return Ok(None) };
        let wanted = seal::lookup(&key, &Identifier { namespace, value });
        let loaded = self.store().load(Wanted { identifiers: vec![wanted], ..Wanted::default() }).await?;
        Ok(loaded.identifiers.into_iter().find(|(hash, _)| *hash == wanted).map(|(_, member)| member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once_begun_here_by_this_browser_for_this_page_and_for_a_while() {
        let key = IdKey::from_bytes([7; 32]);
        let way = Way { account: "main", to: "https://m.shop.example/", browser: "b1" };
        let said = state(&key, way, 1_000);
        assert!(said.len() <= 128 && said.bytes().all(|b| b.is_ascii_alphanumeric()), "{said}");
        assert!(is_good(&key, way, &said, 1_000) && is_good(&key, way, &said, 1_599));
        let nobody = Way { browser: "", ..way };
        let of_another_home = state(&IdKey::from_bytes([8; 32]), way, 1_000);
        for (way, said, now) in [
            (way, said.as_str(), 1_600),
            (way, "", 1_000),
            (way, "640z00", 1_000),
            (Way { account: "other", ..way }, &said, 1_000),
            (Way { to: "https://evil.example/", ..way }, &said, 1_000),
            (Way { browser: "b2", ..way }, &said, 1_000),
            (nobody, &state(&key, nobody, 1_000), 1_000),
            (way, &of_another_home, 1_000),
            (way, &state(&key, way, 9_000), 1_000),
        ] {
            assert!(!is_good(&key, way, said, now), "{way:?} {said} {now}");
        }
    }
}
