//! What somebody who is signed in changes of themselves: password, codes, language.

use serde_json::json;
use zhiyin_model::time::Ts;
use zhiyin_store::access::people::{Changed, Person, PersonChange};

use super::{
    BY_CODE, BY_NAME, SignIn, SignInProblem, SignedIn, codes, folded, language, note, password, plain,
};
use crate::Result;
use crate::boxed;

/// Codes that are offered to somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// The secret, as people type it: base 32.
    pub secret: String,
    /// The same as an app reads it from a QR code.
    pub uri: String,
    /// Codes for whoever loses the app, each good once. They are shown this once.
    pub recovery: Vec<String>,
}

impl SignIn {
    /// Whether somebody who is signed in knows their password; wrong ones count like those of a sign-in.
    async fn knows(&self, person: &Person, said: &str, field: &'static str, now: Ts) -> Result<()> {
        let name = folded(&person.is.name);
        self.take(&BY_NAME, &name, now)?;
        let kept = person.is.password.clone().unwrap_or_else(password::nobodys);
        if !self.fits(said, kept).await? {
            return Err(SignInProblem::PasswordWrong(field).into());
        }
        self.attempts.give_back(&BY_NAME, &name);
        Ok(())
    }

    /// Writes what somebody changed of themselves. Where it touches how they sign in, all their sessions end and a new one
    /// begins, with a new token.
    async fn own(
        &self,
        at: &SignedIn,
        mut person: Person,
        act: &str,
        anew: bool,
        now: Ts,
    ) -> Result<SignedIn> {
        let (token, session) = match anew {
            true => self.begun(&person.id, now)?,
            false => (at.token.clone(), at.session.clone()),
        };
        let begins = anew.then(|| session.clone());
        let note = note(&at.grant(), "sign_in", &person.id, &json!({"act": act}), now);
        let change = PersonChange { ends_sessions: anew, begins, ..plain(person.clone(), note) };
        match self.people().change(change).await? {
            Changed::Done => {
                person.revision += 1;
                Ok(SignedIn { token, session, person })
            }
            _ => Err(SignInProblem::Moved.into()),
        }
    }

    /// Another password for whoever knows the one of before.
    #[boxed]
    pub async fn change_password(&self, at: &SignedIn, old: &str, new: &str, now: Ts) -> Result<SignedIn> {
        self.knows(&at.person, old, "old", now).await?;
        password::checked("new", new, &at.person.is.name)?;
        let mut person = at.person.clone();
        person.is.password = Some(self.hashed(new, now).await?);
        self.own(at, person, "password_changed", true, now).await
    }

    /// Another language.
    #[boxed]
    pub async fn change_language(&self, at: &SignedIn, tag: &str, now: Ts) -> Result<SignedIn> {
        let mut person = at.person.clone();
        person.is.language = language(tag)?.to_owned();
        self.own(at, person, "language_changed", false, now).await
    }

    /// Offers codes; they are asked for once one of them was said. An offer of before is void.
    #[boxed]
    pub async fn offer_codes(&self, at: &SignedIn, now: Ts) -> Result<Offer> {
        if at.person.is.codes.is_some() {
            return Err(SignInProblem::CodesOn.into());
        }
        let (home, salt) = (self.home().await?, self.chance::<16>()?);
        let chance = (0..codes::RECOVERY_CODES).map(|_| self.chance::<10>()).collect::<Result<Vec<_>>>()?;
        let (offered, recovery) = codes::offered(&home, &at.person.id, salt, &chance);
        let mut person = at.person.clone();
        person.is.offered = Some(offered);
        self.own(at, person, "codes_offered", false, now).await?;
        let secret = codes::secret_text(&home, &at.person.id, &salt);
        let uri = codes::uri(&secret, &at.person.is.name);
        Ok(Offer { secret, uri, recovery })
    }

    /// From now on codes are asked for: whoever offers one shows that their app is set up.
    #[boxed]
    pub async fn confirm_codes(&self, at: &SignedIn, code: &str, now: Ts) -> Result<SignedIn> {
        let is = &at.person.is;
        if is.codes.is_some() {
            return Err(SignInProblem::CodesOn.into());
        }
        let offered = is.offered.as_ref().ok_or(SignInProblem::CodesOff)?;
        self.take(&BY_CODE, &at.person.id, now)?;
        let taken = codes::taken(&self.home().await?, &at.person.id, offered, code, now);
        // A recovery code says nothing of the app.
        let taken = taken.filter(|left| left.recovery.len() == offered.recovery.len());
        let taken = taken.ok_or(SignInProblem::CodeUnconfirmed)?;
        self.attempts.give_back(&BY_CODE, &at.person.id);
        let mut person = at.person.clone();
        (person.is.codes, person.is.offered) = (Some(taken), None);
        self.own(at, person, "codes_on", true, now).await
    }

    /// Codes are not asked for any more, if whoever says so knows the password.
    #[boxed]
    pub async fn end_codes(&self, at: &SignedIn, said: &str, now: Ts) -> Result<SignedIn> {
        if at.person.is.codes.is_none() {
            return Err(SignInProblem::CodesOff.into());
        }
        self.knows(&at.person, said, "password", now).await?;
        let mut person = at.person.clone();
        (person.is.codes, person.is.offered) = (None, None);
        self.own(at, person, "codes_off", true, now).await
    }
}
