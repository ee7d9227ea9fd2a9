//! Signing in by the brand's own provider (OpenID Connect): whom it lets in, and as whom.
//!
//! Nothing is kept of a sign-in that was begun: what is told to the provider (`state`, `nonce`, the code's verifier) follows from a cookie
//! of the browser that begins it and the home's key, so nobody else can end it. One that ended in a session is written down, and is good
//! no second time. Who somebody is there (issuer and subject) is written down when they come by it first, by the claim that they are known
//! by; from then on nobody else of that provider is them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Grant, Role};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::oidc::settings::{KNOWN_BY, Settings};
use zhiyin_reach::oidc::token::Claims;
use zhiyin_reach::oidc::{Beginning, Provider, Trouble};
use zhiyin_store::access::people::{Changed, Elsewhere, Person, PersonChange, Standing, folded};
use zhiyin_store::campaigns::mirror::{Mirror, Reflect, ReflectionId, reflection_id};
use zhiyin_store::seal;

use super::{
    BY_ADDRESS, NewPerson, PersonEdit, ROUNDS, SignIn, SignInProblem, SignedIn, grant, note, plain, staff,
};
use crate::boxed;
use crate::keys::{CHANCE_CHARACTERS, base62};
use crate::{EngineError, Result};

/// For how long somebody may be at the provider.
pub const AWAY_US: i64 = 10 * 60_000_000;
/// The longest page that somebody comes back to, in bytes.
const PAGE_BYTES_MAX: usize = 1_000;
/// Apps that somebody comes back to; the first is where whoever says none of them goes.
const APPS: [&str; 3] = ["/console/", "/a/", "/pos/"];
/// Rows of sign-ins that ended, and under whose name they are kept.
const USED: &str = "oidc:state:used";
const OF: (&str, &str) = ("oidc", "state");
/// The longest name of why a provider lets nobody in, in bytes: longer ones are none (RFC 6749, 4.1.2.1).
const WHY_BYTES_MAX: usize = 40;
/// How many rows whose time is over are let go of when one is written.
const LET_GO: usize = 20;

/// Why somebody does not come in by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcProblem {
    /// The home knows no provider, or not by which address people reach it.
    Off,
    /// Another browser began it, it ended already, or nobody began it.
    State,
    /// It took too long.
    Expired,
    /// The provider says that somebody did not want to, or may not.
    Denied,
    /// The provider does not answer as one does.
    Provider,
    /// What it says is not its own, or not about this sign-in.
    Token,
    /// It does not say by what the person is known, or that this is theirs.
    Unnamed,
    /// The person is of another domain than the brand's.
    Domain,
    /// Nobody of this name signs in here.
    Unknown,
    /// What it says of them is no role here.
    Role,
    /// Somebody else of the provider is the person of this name.
    Other,
    /// Everybody signs in by the provider.
    PasswordOff,
}

impl OidcProblem {
    /// A name that stays, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Off => "oidc_off",
            Self::State => "oidc_state",
            Self::Expired => "oidc_expired",
            Self::Denied => "oidc_denied",
            Self::Provider => "oidc_provider",
            Self::Token => "oidc_token",
            Self::Unnamed => "oidc_email",
            Self::Domain => "oidc_domain",
            Self::Unknown => "oidc_unknown_person",
            Self::Role => "oidc_no_role",
            Self::Other => "oidc_other_person",
            Self::PasswordOff => "password_off",
        }
    }
}

impl std::fmt::Display for OidcProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "this home knows no provider of sign-in",
            Self::State => "this sign-in was not begun in this browser, or it ended already",
            Self::Expired => "it took too long: begin again",
            Self::Denied => "the provider did not let you in",
            Self::Provider => "the provider does not answer as one does",
            Self::Token => "what the provider says is not its own, or not about this sign-in",
            Self::Unnamed => "the provider does not say by what you are known here, or that it is yours",
            Self::Domain => "people of your domain do not sign in here",
            Self::Unknown => "nobody of your name signs in here: an owner can add you",
            Self::Role => "what the provider says of you is no role here",
            Self::Other => "another account of the provider is the person of this name",
            Self::PasswordOff => "people sign in by the provider here",
        })
    }
}

fn refused<T>(problem: OidcProblem) -> Result<T> {
    Err(SignInProblem::Oidc(problem).into())
}

/// The provider by which people sign in, and as what.
pub struct Oidc {
    provider: Provider,
    /// As what, by what the claim says, the most that anybody may first.
    roles: Vec<(String, Role, Option<String>)>,
}

impl Oidc {
    /// A provider whose roles are roles; else what is none of ours.
    pub fn of(provider: Provider) -> std::result::Result<Self, String> {
        let mut roles = Vec::new();
        for (value, said) in &provider.settings().roles {
            let role = Role::named(&said.role).filter(|role| *role != Role::Public);
            let role = role.ok_or_else(|| format!("roles.{value}: nobody signs in as {:?}", said.role))?;
            if provider.settings().create && role.needs_place() && said.place.is_none() {
                return Err(format!("roles.{value}: a {role} needs a place"));
            }
            if provider.settings().create && role.needs_staff() {
                return Err(format!(
                    "roles.{value}: a {role} needs a code of the staff, which no claim says: without `create` an owner adds them"
                ));
            }
            roles.push((value.clone(), role, said.place.clone()));
        }
        roles.sort_by_key(|(_, role, _)| Role::ALL.iter().position(|one| one == role));
        Ok(Self { provider, roles })
    }

    /// What people read of it.
    pub fn settings(&self) -> &Settings {
        self.provider.settings()
    }

    /// As what somebody acts, where the provider says that; the most that any of it allows.
    fn role_of(&self, claims: &Claims) -> Result<Option<(Role, Option<String>)>> {
        let Some(claim) = &self.settings().roles_claim else { return Ok(None) };
        let said = claims.texts(claim);
        let found = self.roles.iter().find(|(value, ..)| said.contains(&value.as_str()));
        match found {
            Some((_, role, place)) => Ok(Some((*role, place.clone()))),
            None => refused(OidcProblem::Role),
        }
    }

    /// By what somebody is known here.
    fn name_of(&self, claims: &Claims) -> Result<String> {
        let settings = self.settings();
        let said = claims.text(&settings.known_by).map(str::trim).filter(|name| !name.is_empty());
        let Some(name) = said else { return refused(OidcProblem::Unnamed) };
        // An address that nobody has shown to be theirs is nobody's name.
        if settings.known_by == KNOWN_BY && !claims.is("email_verified") {
            return refused(OidcProblem::Unnamed);
        }
        if self.is_ours(name) { Ok(name.to_owned()) } else { refused(OidcProblem::Domain) }
    }

    /// Whether a name is of one of the brand's domains, where it says some.
    fn is_ours(&self, name: &str) -> bool {
        let domains = &self.settings().domains;
        let domain = name.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        domains.is_empty() || domain.is_some_and(|domain| domains.contains(&domain))
    }

    /// Whether somebody owns the home and may come in by the provider: they came by it, or it may tell of them by their name.
    fn lets_in(&self, owner: &Standing) -> bool {
        let is_known = owner.elsewhere.as_ref().is_some_and(|known| known.issuer == self.settings().issuer);
        let is_named =
            self.is_ours(&owner.name) && (self.settings().known_by != KNOWN_BY || owner.name.contains('@'));
        owner.role == Role::Owner && owner.removed_at.is_none() && (is_known || is_named)
    }
}

/// What follows from a cookie: what the provider is told, and has to tell.
struct Words {
    state: String,
    nonce: String,
    verifier: String,
}

impl Words {
    fn of(key: &IdKey, cookie: &str) -> Self {
        let word = |what: &str| base62(&key.digest_wide(what, &[cookie.as_bytes()]));
        Self { state: word("oidc state"), nonce: word("oidc nonce"), verifier: word("oidc verifier") }
    }

    fn beginning<'w>(&'w self, back: &'w str) -> Beginning<'w> {
        Beginning { back, state: &self.state, nonce: &self.nonce, verifier: &self.verifier }
    }
}

/// What a cookie says: when it was begun, and where somebody goes on to.
fn kept(cookie: &str) -> Option<(Ts, String)> {
    let mut parts = cookie.splitn(3, '.');
    let (chance, at, to) = (parts.next()?, parts.next()?, parts.next()?);
    let is_chance =
        chance.len() == CHANCE_CHARACTERS && chance.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let to = String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok()?;
    is_chance.then_some(())?;
    Some((Ts(at.parse().ok()?), to))
}

/// A page of one of the apps; the console, where it is none: nobody is led elsewhere.
fn page(to: Option<&str>) -> String {
    let is_own = |to: &&str| {
        let plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        to.len() <= PAGE_BYTES_MAX && plain && APPS.iter().any(|app| to.starts_with(app))
    };
    to.filter(is_own).unwrap_or(APPS[0]).to_owned()
}

/// Somebody who came in, and where they go on to.
pub struct CameIn {
    /// They.
    pub at: SignedIn,
    /// A page of one of the apps.
    pub to: String,
}

impl SignIn {
    /// Lets people sign in by a provider; whoever is named first stays.
    pub fn signs_in_by(&self, oidc: Oidc) {
        self.oidc.get_or_init(|| oidc);
    }

    /// The provider, where there is one.
    pub fn oidc(&self) -> Option<&Oidc> {
        self.oidc.get()
    }

    /// Whether passwords are asked for at all.
    pub fn takes_passwords(&self) -> bool {
        self.oidc().is_none_or(|oidc| !oidc.settings().required)
    }

    fn mirror(&self) -> &dyn Mirror {
        self.store.coupons().campaigns().mirror()
    }

    /// Where nobody comes in but by the provider, a password is nothing to own the home by: the last owner whom the provider lets in stays one.
    pub(super) async fn somebody_comes_in(&self, before: &Person, is: &Standing) -> Result<()> {
        let Some(oidc) = self.oidc().filter(|oidc| oidc.settings().required) else { return Ok(()) };
        if !oidc.lets_in(&before.is) || oidc.lets_in(is) {
            return Ok(());
        }
        let all = self.people().all().await?;
        let is_other = |person: &Person| person.id != before.id && oidc.lets_in(&person.is);
        if all.iter().any(is_other) { Ok(()) } else { Err(SignInProblem::LastOwner.into()) }
    }

    /// Where a browser goes to sign in, and the cookie that it comes back with. `back` is the address where it does; `address` is where the
    /// browser is: while the provider does not answer, nobody makes us ask it as often as they like.
    #[boxed]
    pub async fn oidc_begin(
        &self,
        (back, address): (&str, &str),
        to: Option<&str>,
        now: Ts,
    ) -> Result<(String, String)> {
        let Some(oidc) = self.oidc() else { return refused(OidcProblem::Off) };
        self.take(&BY_ADDRESS, address, now)?;
        let chance = base62(&self.chance::<32>()?);
        let cookie = format!("{chance}.{}.{}", now.0, URL_SAFE_NO_PAD.encode(page(to)));
        let words = Words::of(&self.home().await?, &cookie);
        match oidc.provider.begin(&words.beginning(back)).await {
            Ok(url) => {
                self.attempts.give_back(&BY_ADDRESS, address);
                Ok((url, cookie))
            }
            Err(trouble) => Err(troubled(&trouble)),
        }
    }

    /// Lets somebody in who comes back from the provider with a code.
    #[boxed]
    pub async fn oidc_end(
        &self,
        (cookie, state): (&str, &str),
        code: std::result::Result<&str, &str>,
        (back, address): (&str, &str),
        now: Ts,
    ) -> Result<CameIn> {
        let Some(oidc) = self.oidc() else { return refused(OidcProblem::Off) };
        let Some((begun_at, to)) = kept(cookie) else { return refused(OidcProblem::State) };
        let key = self.home().await?;
        let words = Words::of(&key, cookie);
        if blake3::hash(state.as_bytes()) != blake3::hash(words.state.as_bytes()) {
            return refused(OidcProblem::State);
        }
        if begun_at > now || now.0.saturating_sub(begun_at.0) > AWAY_US {
            return refused(OidcProblem::Expired);
        }
        self.take(&BY_ADDRESS, address, now)?;
        let used = reflection_id(&key, OF, USED, &[&words.state]);
        if !self.mirror().reflections(vec![used]).await?.is_empty() {
            return refused(OidcProblem::State);
        }
        let code = match code {
            Ok(code) => code,
            Err(why) => {
                tracing::info!(why = said_plainly(why), "the provider let somebody not in");
                return refused(OidcProblem::Denied);
            }
        };
        let claims = oidc.provider.end(&words.beginning(back), code).await.map_err(|one| troubled(&one))?;
        // Of two that bring the same at once one comes first.
        if !self.use_up(&key, used, now).await? {
            return refused(OidcProblem::State);
        }
        let at = self.come_in(oidc, &claims, now).await?;
        self.attempts.give_back(&BY_ADDRESS, address);
        Ok(CameIn { at, to: page(Some(&to)) })
    }

    /// Writes down that a sign-in ended; false where it had.
    async fn use_up(&self, key: &IdKey, used: ReflectionId, now: Ts) -> Result<bool> {
        let lapsed = self.mirror().lend_reflections(USED, now, now.plus_us(HOUR_US), LET_GO).await?;
        if !lapsed.is_empty() {
            let read = lapsed.into_iter().map(|row| (row.id, row.version)).collect();
            self.mirror().forget_reflections(read).await?;
        }
        let thing = Reflect {
            id: used,
            read: 0,
            kind: USED.to_owned(),
            part: used,
            due: Some(now.plus_us(2 * AWAY_US)),
            about: key.digest("reflection", &[used.bytes()]),
            body: seal::seal("{}"),
        };
        Ok(self.mirror().reflect(vec![thing]).await?.into_iter().all(|done| done))
    }

    /// A session of whom the provider tells of.
    async fn come_in(&self, oidc: &Oidc, claims: &Claims, now: Ts) -> Result<SignedIn> {
        let (name, role) = (oidc.name_of(claims)?, oidc.role_of(claims)?);
        let elsewhere = Elsewhere { issuer: oidc.settings().issuer.clone(), subject: claims.subject.clone() };
        for _ in 0..ROUNDS {
            let found = self.whom(&elsewhere, &name).await?;
            let is_new = found.is_none();
            let before = match (found, &role) {
                (Some(person), _) => person,
                (None, Some((role, place))) if oidc.settings().create => {
                    self.made(&name, *role, place.clone(), now).await?
                }
                (None, _) => return refused(OidcProblem::Unknown),
            };
            let is = standing(&before, role.clone(), elsewhere.clone())?;
            self.somebody_comes_in(&before, &is).await?;
            let person = Person { is, ..before.clone() };
            let (token, session) = self.begun(&person.id, now)?;
            let detail = json!({
                "act": "begun", "with": "oidc", "made": is_new, "linked": before.is.elsewhere.is_none(),
                "role": person.is.role.name(),
            });
            let change = PersonChange {
                gives_up: before.is.owns() && !person.is.owns(),
                // Whoever may something else now signs in anew everywhere.
                ends_sessions: before.is.role != person.is.role || before.is.place != person.is.place,
                begins: Some(session.clone()),
                ..plain(person.clone(), note(&grant(&person), "sign_in", &person.id, &detail, now))
            };
            match self.people().change(change).await? {
                Changed::Done => {
                    return Ok(SignedIn {
                        token,
                        session,
                        person: Person { revision: person.revision + 1, ..person },
                    });
                }
                // Somebody was quicker, or made one of this name just now.
                Changed::Moved | Changed::NameTaken => {}
                Changed::LastOwner => return Err(SignInProblem::LastOwner.into()),
                Changed::Owned => break,
            }
        }
        Err(SignInProblem::Moved.into())
    }

    /// Who somebody of the provider is: whoever came by it before; else who bears the name.
    async fn whom(&self, elsewhere: &Elsewhere, name: &str) -> Result<Option<Person>> {
        let all = self.people().all().await?;
        let here = |person: &&Person| person.is.removed_at.is_none();
        let same = |person: &&Person| person.is.elsewhere.as_ref() == Some(elsewhere);
        if let Some(person) = all.iter().filter(here).find(same) {
            return Ok(Some(person.clone()));
        }
        let name = folded(name);
        let Some(named) = all.iter().find(|person| folded(&person.is.name) == name) else { return Ok(None) };
        if named.is.removed_at.is_some() {
            return refused(OidcProblem::Unknown);
        }
        // A brand that goes to another provider takes its people along; within one, a name that is given anew brings nobody in.
        match &named.is.elsewhere {
            Some(known) if known.issuer == elsewhere.issuer => refused(OidcProblem::Other),
            _ => Ok(Some(named.clone())),
        }
    }

    /// Somebody new, who is not written yet.
    async fn made(&self, name: &str, role: Role, place: Option<String>, now: Ts) -> Result<Person> {
        let language = super::LANGUAGES[0].to_owned();
        let new = NewPerson { name: name.to_owned(), role, place, staff: None, language, password: None };
        self.new_person(&new, &Grant::system("oidc"), now).await
    }
}

/// What somebody is from now on: as what the provider says that they act, where it does.
fn standing(before: &Person, role: Option<(Role, Option<String>)>, elsewhere: Elsewhere) -> Result<Standing> {
    let is = Standing { elsewhere: Some(elsewhere), ..before.is.clone() };
    let Some((role, place)) = role else { return Ok(is) };
    if role == is.role && (place.is_none() || place == is.place) {
        return Ok(is);
    }
    let place = place.or_else(|| is.place.clone());
    let edit = PersonEdit { role, place, staff: is.staff.clone(), unlink: false };
    let PersonEdit { role, place, staff, .. } = staff::placed(&edit)?;
    Ok(Standing { role, place, staff, ..is })
}

/// A name of why, as providers give them; anybody may say anything else, and that is nothing to write down.
fn said_plainly(why: &str) -> &str {
    let is_name = (1..=WHY_BYTES_MAX).contains(&why.len())
        && why.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if is_name { why } else { "another" }
}

/// What the provider does wrong is written down here, and told to nobody else.
fn troubled(trouble: &Trouble) -> EngineError {
    tracing::warn!(%trouble, "somebody did not sign in by the provider");
    let problem = match trouble {
        Trouble::Provider(_) => OidcProblem::Provider,
        Trouble::Refused(_) => OidcProblem::Denied,
        Trouble::Token(_) => OidcProblem::Token,
    };
    SignInProblem::Oidc(problem).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_a_page_elsewhere() {
        for (said, expected) in [
            (Some("/console/members?tier=gold"), "/console/members?tier=gold"),
            (Some("/pos/"), "/pos/"),
            (Some("/console"), "/console/"),
            (Some("https://evil.example/console/"), "/console/"),
            (Some("//evil.example/console/"), "/console/"),
            (Some("/\\evil.example"), "/console/"),
            (Some("/console/\r\nset-cookie: x"), "/console/"),
            (Some("/m/"), "/console/"),
            (None, "/console/"),
        ] {
            assert_eq!(page(said), expected, "{said:?}");
        }
        assert_eq!(page(Some(&format!("/console/{}", "x".repeat(1_000)))), "/console/");
    }

    #[test]
    fn why_somebody_was_not_let_in_is_written_down_as_a_short_name_or_not() {
        let (short, long) = ("a".repeat(40), "a".repeat(41));
        for (why, said) in [
            ("access_denied", "access_denied"),
            (short.as_str(), short.as_str()),
            (long.as_str(), "another"),
            ("", "another"),
            ("denied\nfor ann@shop.example", "another"),
        ] {
            assert_eq!(said_plainly(why), said);
        }
    }

    #[test]
    fn words_of_one_cookie_are_those_of_no_other() {
        let key = IdKey::from_bytes([7; 32]);
        let cookie = format!("{}.5.{}", "a".repeat(CHANCE_CHARACTERS), URL_SAFE_NO_PAD.encode("/a/"));
        assert_eq!(kept(&cookie), Some((Ts(5), "/a/".to_owned())));
        let (one, other) = (Words::of(&key, &cookie), Words::of(&key, &cookie.replacen('a', "b", 1)));
        assert!(one.state != other.state && one.nonce != other.nonce && one.state != one.nonce);
        assert!(one.verifier.len() >= 43, "RFC 7636, 4.1");
        for wrong in ["", "a.5.x", "..", &cookie.replace(".5.", ".x.")] {
            assert_eq!(kept(wrong), None, "{wrong}");
        }
    }
}
