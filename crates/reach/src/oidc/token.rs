//! ID tokens (OpenID Connect Core 1.0, 2 and 3.1.3.7; RFC 7515, 7517, 7518): whether a provider said it, to whom, about which sign-in, and
//! until when it holds. Two ways of signing are known, RS256 and ES256; a token that is signed by neither, or by nothing, is none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// By how many seconds clocks may differ.
pub const SKEW_S: i64 = 60;
/// For how many seconds after it was made a token is good for signing in, whatever it says itself.
const AGE_S_MAX: i64 = 600;
/// The most keys of a provider that are looked at.
const KEYS_MAX: usize = 64;
/// The longest name of a key, and of a subject, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Why a token is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It does not read.
    #[error("it is no signed token of three parts")]
    Unreadable,
    /// It is signed in another way than those that are known, or not at all.
    #[error("it is signed neither by RS256 nor by ES256")]
    Algorithm,
    /// It wants something understood that is not.
    #[error("it wants something understood that is not known")]
    Critical,
    /// None of the provider's keys is the one that it names.
    #[error("none of the provider's keys is the one that it names")]
    KeyUnknown,
    /// The signature is another's.
    #[error("its signature is not the provider's")]
    Signature,
    /// Somebody else made it.
    #[error("another issuer made it")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for somebody else")]
    Audience,
    /// It is of another sign-in.
    #[error("it is of another sign-in")]
    Nonce,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// Its time is still to come.
    #[error("its time is still to come: do the clocks differ?")]
    NotYet,
    /// It does not say whom it is about.
    #[error("it does not say whom it is about")]
    Subject,
}

impl Wrong {
    /// A name that stays, for logs and tests.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::KeyUnknown => "key_unknown",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Nonce => "nonce",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Subject => "subject",
        }
    }
}

/// A key of a provider's, as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: Option<String>,
    public: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    /// Modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

fn bytes(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()
}

/// The keys that a provider publishes, of those that can be used here; nothing, where it is no list of keys.
pub fn keys(body: &[u8]) -> Option<Vec<Key>> {
    let Jwks { keys } = serde_json::from_slice(body).ok()?;
    let read = keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    Some(read.filter_map(key).collect())
}

fn key(jwk: Jwk) -> Option<Key> {
    if jwk.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let says = |alg: &str| jwk.alg.as_deref().is_none_or(|said| said == alg);
    let public = match jwk.kty.as_str() {
        "RSA" if says("RS256") => {
            let plain = |part: Vec<u8>| part.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
            Public::Rsa(plain(bytes(jwk.n.as_deref())?), plain(bytes(jwk.e.as_deref())?))
        }
        "EC" if says("ES256") && jwk.crv.as_deref() == Some("P-256") => {
            let (x, y) = (bytes(jwk.x.as_deref())?, bytes(jwk.y.as_deref())?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Public::P256([[4].as_slice(), &x, &y].concat())
        }
        _ => return None,
    };
    Some(Key { name: jwk.kid.filter(|name| name.len() <= NAME_BYTES_MAX), public })
}

impl Key {
    fn is_of(&self, alg: Algorithm) -> bool {
        matches!(
            (&self.public, alg),
            (Public::Rsa(..), Algorithm::Rs256) | (Public::P256(_), Algorithm::Es256)
        )
    }

    fn signed(&self, said: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa(n, e) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, said, signature).is_ok()
            }
            Public::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(said, signature).is_ok()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What a token has to say to be good.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// Who makes it.
    pub issuer: &'e str,
    /// For whom it is.
    pub client_id: &'e str,
    /// Of which sign-in it is.
    pub nonce: &'e str,
    /// What time it is, in seconds since 1970 UTC.
    pub now: i64,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// What it calls them: nobody else there, ever.
    pub subject: String,
    /// All that it says.
    pub all: Map<String, Value>,
}

impl Claims {
    /// What a claim says, as a text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.all.get(claim).and_then(Value::as_str)
    }

    /// What a claim says, as a list of texts: of one text that one.
    pub fn texts(&self, claim: &str) -> Vec<&str> {
        match self.all.get(claim) {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// Whether a claim says yes; some providers say it as a text.
    pub fn is(&self, claim: &str) -> bool {
        matches!(self.all.get(claim), Some(Value::Bool(true))) || self.text(claim) == Some("true")
    }
}

/// What a token says, if one of these keys signed it and it is what is expected.
pub fn read(token: &str, keys: &[Key], expected: &Expected<'_>) -> Result<Claims, Wrong> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Wrong::Unreadable);
    }
    let (said, signature) = token.rsplit_once('.').ok_or(Wrong::Unreadable)?;
    let (head, body) = said.split_once('.').ok_or(Wrong::Unreadable)?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::Unreadable);
    let head: Head = serde_json::from_slice(&part(head)?).map_err(|_| Wrong::Unreadable)?;
    let algorithm = match head.alg.as_str() {
        "RS256" => Algorithm::Rs256,
        "ES256" => Algorithm::Es256,
        _ => return Err(Wrong::Algorithm),
    };
    if head.crit.is_some() {
        return Err(Wrong::Critical);
    }
    let key = the_key(keys, algorithm, head.kid.as_deref()).ok_or(Wrong::KeyUnknown)?;
    if !key.signed(said.as_bytes(), &part(signature)?) {
        return Err(Wrong::Signature);
    }
    // Nothing of it is believed before this line.
    let all: Map<String, Value> = serde_json::from_slice(&part(body)?).map_err(|_| Wrong::Unreadable)?;
    let subject = all.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
    let claims = Claims { subject, all };
    checked(&claims, expected)?;
    Ok(claims)
}

/// The key of a name; without a name the only one of its kind.
fn the_key<'k>(keys: &'k [Key], algorithm: Algorithm, name: Option<&str>) -> Option<&'k Key> {
    let mut fitting = keys.iter().filter(|key| key.is_of(algorithm));
    match name {
        Some(name) => fitting.find(|key| key.name.as_deref() == Some(name)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

fn checked(claims: &Claims, expected: &Expected<'_>) -> Result<(), Wrong> {
    if claims.text("iss") != Some(expected.issuer) {
        return Err(Wrong::Issuer);
    }
    let audience = claims.texts("aud");
    let party = claims.text("azp");
    let is_ours =
        audience.contains(&expected.client_id) && party.is_none_or(|party| party == expected.client_id);
    // Where it is for several, it has to say to whom of them it was given.
    if !is_ours || (audience.len() > 1 && party.is_none()) {
        return Err(Wrong::Audience);
    }
    let second = |claim: &str| claims.all.get(claim).and_then(Value::as_i64);
    let (Some(ends), Some(made)) = (second("exp"), second("iat")) else { return Err(Wrong::Expired) };
    if ends.saturating_add(SKEW_S) <= expected.now || made.saturating_add(AGE_S_MAX) <= expected.now {
        return Err(Wrong::Expired);
    }
    let begins = second("nbf").unwrap_or(made).max(made);
    if begins > expected.now.saturating_add(SKEW_S) {
        return Err(Wrong::NotYet);
    }
    if claims.text("nonce") != Some(expected.nonce) {
        return Err(Wrong::Nonce);
    }
    let subject = &claims.subject;
    if subject.is_empty() || subject.len() > NAME_BYTES_MAX || subject.chars().any(char::is_control) {
        return Err(Wrong::Subject);
    }
    Ok(())
}
