//! People who sign in: the first owner, sign-in with a password and a code, sessions and their end.
//!
//! A person is a row with a role ([`zhiyin_model::role`]); what they may is what a key of that role may. Whoever signs in gets a
//! token of 32 bytes of chance, of which the home keeps a hash; each request looks its session up, so one that was ended is refused
//! at once, in every process. What is tried with wrong passwords and codes is bounded by [`attempts`], in each process for itself.
//! By the brand's own provider people come in at [`oidc`]. What somebody changes of themselves is in [`own`], what an owner changes of
//! others in [`staff`]. How it all fits together, and what it guards against: docs/sign-in.md.

pub mod attempts;
pub mod codes;
pub mod oidc;
mod own;
pub mod password;
mod problem;
mod staff;

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Operation, Role, verdict};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store::Store;
use zhiyin_store::access::people::{
    Changed, Password, People, Person, PersonChange, Session, Standing, Which, folded,
};
use zhiyin_store::audit::Note;

use crate::Result;
use crate::boxed;
use crate::keys::{CHANCE_CHARACTERS, base62};
use attempts::{Attempts, Quota};
pub use own::Offer;
pub use problem::SignInProblem;
pub use staff::{NewPerson, PersonEdit};

/// How long a session is good while nothing is asked in it.
pub const IDLE_US: i64 = 2 * HOUR_US;
/// How long it is good at all.
pub const WHOLE_US: i64 = 12 * HOUR_US;
/// A session that was prolonged so short a time ago is not prolonged: most requests write nothing.
const PROLONGED_EVERY_US: i64 = 60_000_000;
/// The languages that somebody may read in; the first is that of who says none.
pub const LANGUAGES: [&str; 2] = ["zh-CN", "en"];

/// Wrong passwords from one address.
const BY_ADDRESS: Quota = Quota { of: "address", at_once: 30, every_us: 10_000_000 };
/// Wrong passwords for one name, whether or not anybody bears it.
const BY_NAME: Quota = Quota { of: "name", at_once: 10, every_us: 60_000_000 };
/// Wrong codes of one person, whose password was right: 288 a day of a million, three of which are good.
const BY_CODE: Quota = Quota { of: "code", at_once: 5, every_us: 300_000_000 };
/// Passwords that are looked at at once: each takes a core and 19 MiB.
const AT_WORK: usize = 2;
/// How many wait for that; whoever comes then is told to come again.
const WAITING_MAX: usize = 32;
/// How often a sign-in is begun anew because somebody changed the person meanwhile.
const ROUNDS: usize = 5;

/// Fills bytes with chance from the operating system; false where there is none to be had.
pub type Fill = fn(&mut [u8]) -> bool;

/// What a browser holds of a session. It is neither printed nor logged by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token itself, for the cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What a request that changes something must say beside the cookie: whoever makes a browser send the cookie cannot say it.
    pub fn csrf(&self) -> String {
        base62(&blake3::derive_key("zhiyin 2026-11 sign-in csrf", self.0.as_bytes()))
    }

    /// Whether that is what somebody says, compared in constant time.
    pub fn admits(&self, said: &str) -> bool {
        blake3::hash(said.as_bytes()) == blake3::hash(self.csrf().as_bytes())
    }

    /// A token as somebody brings it; `None` unless it looks like one to the last character.
    pub fn read(text: &str) -> Option<Self> {
        let fits = text.len() == CHANCE_CHARACTERS && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// One of these characters.
    pub(crate) const fn made(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        // 256 bits of chance need no key: nobody finds them from what comes out.
        blake3::derive_key("zhiyin 2026-11 sign-in session", self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What their browser holds.
    pub token: Token,
    /// Their session.
    pub session: Session,
    /// Who they are, now.
    pub person: Person,
}

impl SignedIn {
    /// What they may.
    pub fn grant(&self) -> Grant {
        grant(&self.person)
    }
}

/// What a person may: as what they act, where, and by which name the audit log knows them.
pub fn grant(person: &Person) -> Grant {
    let Standing { name, role, place, staff, .. } = &person.is;
    let who = match staff {
        // As a key of theirs would: nobody is a second person beside themselves.
        Some(staff) => format!("staff:{staff}"),
        None => format!("person:{name}"),
    };
    Grant { who, role: *role, place: place.clone(), staff: staff.clone(), scopes: None }
}

/// Operations that a role may do, wherever.
pub fn permissions(role: Role) -> Vec<&'static str> {
    let may = |operation: &&Operation| verdict(role, **operation).scope().is_some();
    Operation::ALL.iter().filter(may).map(|operation| operation.name()).collect()
}

/// A language by its tag, or the start of it.
pub fn language(tag: &str) -> std::result::Result<&'static str, SignInProblem> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    let found = LANGUAGES.into_iter().find(|known| known.split('-').next() == Some(primary));
    found.ok_or(SignInProblem::Language)
}

/// What somebody brings who signs in.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Their name, in any capitals.
    pub name: &'a str,
    /// Their password.
    pub password: &'a str,
    /// A code of their app, or a recovery code.
    pub code: Option<&'a str>,
    /// Where they come from.
    pub address: &'a str,
}

/// The door for people.
pub struct SignIn {
    store: Arc<dyn Store>,
    fill: Fill,
    attempts: Attempts,
    waiting: Semaphore,
    working: Semaphore,
    oidc: OnceLock<oidc::Oidc>,
}

impl SignIn {
    /// The door of a home.
    pub fn new(store: Arc<dyn Store>, fill: Fill) -> Self {
        let (waiting, working) = (Semaphore::new(WAITING_MAX), Semaphore::new(AT_WORK));
        let oidc = OnceLock::new();
        Self { store, fill, attempts: Attempts::default(), waiting, working, oidc }
    }

    fn people(&self) -> &dyn People {
        self.store.access().people()
    }

    async fn home(&self) -> Result<IdKey> {
        Ok(self.store.home().await?.id_key)
    }

    fn chance<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match (self.fill)(&mut bytes) {
            true => Ok(bytes),
            false => Err(SignInProblem::Failed("no randomness".to_owned()).into()),
        }
    }

    fn take(&self, quota: &Quota, who: &str, now: Ts) -> Result<()> {
        Ok(self.attempts.take(quota, who, now).map_err(SignInProblem::TooMany)?)
    }

    /// Whether a password is the one that is kept, on a thread that may take its time.
    async fn fits(&self, password: &str, kept: Password) -> Result<bool> {
        let home = self.home().await?;
        let password = password.to_owned();
        self.at_work(move || password::fits(&home, &password, &kept)).await
    }

    /// A new password, hashed.
    async fn hashed(&self, password: &str, now: Ts) -> Result<Password> {
        let (home, salt) = (self.home().await?, self.chance()?);
        let password = password.to_owned();
        self.at_work(move || password::made(&home, &password, salt, now)).await
    }

    async fn at_work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> std::result::Result<T, SignInProblem> + Send + 'static,
    ) -> Result<T> {
        let _place = self.waiting.try_acquire().map_err(|_| SignInProblem::TooMany(1))?;
        let _worker =
            self.working.acquire().await.map_err(|error| SignInProblem::Failed(error.to_string()))?;
        let done = tokio::task::spawn_blocking(job).await;
        Ok(done.map_err(|error| SignInProblem::Failed(error.to_string()))??)
    }

    /// A session that begins now, and its token: always a new one.
    fn begun(&self, person: &str, now: Ts) -> Result<(Token, Session)> {
        let token = Token::made(base62(&self.chance::<32>()?));
        let (until, ends_at) = (now.plus_us(IDLE_US), now.plus_us(WHOLE_US));
        let session =
            Session { hash: token.hash(), person: person.to_owned(), began_at: now, until, ends_at };
        Ok((token, session))
    }

    /// Whether the home has no owner yet who can sign in.
    #[boxed]
    pub async fn needs_owner(&self) -> Result<bool> {
        Ok(!self.people().owned().await?)
    }

    /// Makes the first owner and signs them in.
    #[boxed]
    pub async fn set_up(&self, new: &NewPerson, now: Ts) -> Result<SignedIn> {
        if !self.needs_owner().await? {
            return Err(SignInProblem::SetUp.into());
        }
        let by = Grant { who: format!("person:{}", new.name.trim()), role: Role::Owner, ..Grant::system("") };
        let person = self.new_person(&NewPerson { role: Role::Owner, ..new.clone() }, &by, now).await?;
        if person.is.password.is_none() {
            return Err(SignInProblem::PasswordLength("password").into());
        }
        let (token, session) = self.begun(&person.id, now)?;
        let note = note(&by, "sign_in", &person.id, &json!({"act": "set_up"}), now);
        let change =
            PersonChange { first: true, begins: Some(session.clone()), ..plain(person.clone(), note) };
        match self.people().change(change).await? {
            Changed::Done => Ok(SignedIn { token, session, person: Person { revision: 1, ..person } }),
            Changed::NameTaken => Err(SignInProblem::NameTaken.into()),
            _ => Err(SignInProblem::SetUp.into()),
        }
    }

    /// Signs somebody in. What is wrong with a name or its password is one and the same, in the same time.
    #[boxed]
    pub async fn sign_in(&self, asked: &Asked<'_>, now: Ts) -> Result<SignedIn> {
        if !self.takes_passwords() {
            return Err(SignInProblem::Oidc(oidc::OidcProblem::PasswordOff).into());
        }
        let name = folded(asked.name);
        self.take(&BY_ADDRESS, asked.address, now)?;
        self.take(&BY_NAME, &name, now)?;
        let mut verified: Option<Password> = None;
        for _ in 0..ROUNDS {
            let found = self.people().named(&name).await?.filter(|person| person.is.removed_at.is_none());
            let kept = found.as_ref().and_then(|person| person.is.password.clone());
            if verified.is_none() || verified != kept {
                let fits = self.fits(asked.password, kept.clone().unwrap_or_else(password::nobodys)).await?;
                if !fits || kept.is_none() {
                    tracing::info!(person = found.map(|person| person.id), "a sign-in was refused");
                    return Err(SignInProblem::Wrong.into());
                }
                if verified.is_none() {
                    self.attempts.give_back(&BY_NAME, &name);
                }
                verified = kept;
            }
            let Some(mut person) = found else { return Err(SignInProblem::Wrong.into()) };
            let beside = self.coded(&mut person, asked.code, now).await?;
            let (token, session) = self.begun(&person.id, now)?;
            let note =
                note(&grant(&person), "sign_in", &person.id, &json!({"act": "begun", "with": beside}), now);
            let change = PersonChange { begins: Some(session.clone()), ..plain(person.clone(), note) };
            match self.people().change(change).await? {
                Changed::Done => {
                    self.attempts.give_back(&BY_ADDRESS, asked.address);
                    person.revision += 1;
                    return Ok(SignedIn { token, session, person });
                }
                // Somebody was quicker: it is looked at anew, so a code that they brought is not good a second time.
                Changed::Moved => {}
                _ => break,
            }
        }
        Err(SignInProblem::Moved.into())
    }

    /// Takes the code of somebody who is asked for one; by what they signed in.
    async fn coded(&self, person: &mut Person, code: Option<&str>, now: Ts) -> Result<&'static str> {
        let Some(codes) = &person.is.codes else { return Ok("password") };
        let code = code.map(str::trim).filter(|code| !code.is_empty()).ok_or(SignInProblem::CodeNeeded)?;
        self.take(&BY_CODE, &person.id, now)?;
        let left = codes::taken(&self.home().await?, &person.id, codes, code, now);
        let Some(left) = left else {
            tracing::info!(person = person.id, "a code was refused");
            return Err(SignInProblem::CodeWrong.into());
        };
        self.attempts.give_back(&BY_CODE, &person.id);
        let by = if left.recovery.len() < codes.recovery.len() { "recovery_code" } else { "code" };
        person.is.codes = Some(left);
        Ok(by)
    }

    /// Who brings a token, if their session is good; it is good for longer then.
    #[boxed]
    pub async fn who(&self, token: &str, now: Ts) -> Result<Option<SignedIn>> {
        let Some(token) = Token::read(token) else { return Ok(None) };
        let Some((mut session, person)) = self.people().session(&token.hash()).await? else {
            return Ok(None);
        };
        let is = &person.is;
        if session.until <= now || session.ends_at <= now || !is.can_sign_in() {
            return Ok(None);
        }
        let until = now.plus_us(IDLE_US).min(session.ends_at);
        if until.0 - session.until.0 >= PROLONGED_EVERY_US {
            self.people().prolong(&session.hash, until).await?;
            session.until = until;
        }
        Ok(Some(SignedIn { token, session, person }))
    }

    /// Ends a session, or all of whose it is. How many ended.
    #[boxed]
    pub async fn sign_out(&self, at: &SignedIn, all: bool, now: Ts) -> Result<usize> {
        let which = if all { Which::All(at.person.id.clone()) } else { Which::Of(at.session.hash) };
        let act = if all { "ended_all" } else { "ended" };
        let note = note(&at.grant(), "sign_in", &at.person.id, &json!({"act": act}), now);
        Ok(self.people().end(which, note).await?)
    }

    /// Ends the session of a token that somebody brought who signed in anew: one browser has one.
    #[boxed]
    pub async fn replaced(&self, token: &str, now: Ts) -> Result<()> {
        if let Some(before) = self.who(token, now).await? {
            self.sign_out(&before, false, now).await?;
        }
        Ok(())
    }
}

/// A change of a person that does nothing else.
fn plain(person: Person, note: Note) -> PersonChange {
    PersonChange { person, first: false, gives_up: false, ends_sessions: false, begins: None, note }
}

/// A line of the audit log about a person.
fn note(who: &Grant, operation: &str, person: &str, detail: &Value, at: Ts) -> Note {
    Note {
        at,
        who: who.who.clone(),
        role: who.role.name().to_owned(),
        operation: operation.to_owned(),
        target: person.to_owned(),
        outcome: "done".to_owned(),
        detail: detail.to_string(),
    }
}
