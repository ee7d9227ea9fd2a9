//! Who asks: signatures as either platform's documentation describes them, checked over what really came.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap};
use ring::digest::{SHA256, digest};
use ring::hmac;

use super::{No, Platform};
use crate::world::{THINGS_MAX, World};

/// How far from now a request may have been signed, in seconds: of Aliyun, and of Tencent Cloud.
const APART_S: (i64, i64) = (900, 300);

/// A request.
pub struct Asked<'a> {
    /// With its query.
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// As addresses have it: all but letters, digits and `-_.~` is encoded.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

impl Asked<'_> {
    /// A line of the head.
    pub fn head(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What the address says.
    pub fn query(&self) -> BTreeMap<String, String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// The head's lines that were signed, as they are signed.
    fn signed_lines(&self, names: &str) -> String {
        names.split(';').map(|name| format!("{name}:{}\n", self.head(name).trim())).collect()
    }

    fn authorization(&self) -> &str {
        self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A field of an authorization: `name=value`, up to a comma.
fn field<'a>(of: &'a str, name: &str) -> Option<&'a str> {
    let at = of.find(&format!("{name}="))? + name.len() + 1;
    of.get(at..)?.split(',').next().map(str::trim)
}

/// Days and seconds of `2026-01-05T01:00:00Z`, in seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // Days of the civil calendar, years beginning in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The date of an instant in UTC.
fn utc_date(at_s: i64) -> String {
    // Beijing is eight hours ahead of UTC, and its day is what is known here.
    super::day((at_s - 8 * 3_600) * 1_000)
}

impl World {
    fn is_new_nonce(&mut self, nonce: &str) -> bool {
        self.sms.nonces.len() < THINGS_MAX && self.sms.nonces.insert(nonce.to_owned())
    }

    /// Whether a request to Aliyun is signed by its account (ACS3-HMAC-SHA256), now, and never before.
    pub fn aliyun_admits(&mut self, asked: &Asked<'_>) -> Result<(), No> {
        const WRONG: No =
            ("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.");
        let of = asked.authorization().strip_prefix("ACS3-HMAC-SHA256 ").ok_or(WRONG)?;
        let (key_id, names) =
            (field(of, "Credential").ok_or(WRONG)?, field(of, "SignedHeaders").ok_or(WRONG)?);
        let signature = field(of, "Signature").ok_or(WRONG)?;
        let account = self.sms.accounts.get(&Platform::Aliyun).ok_or(("InvalidAccessKeyId.NotFound", ""))?;
        if account.key_id != key_id {
            return Err(("InvalidAccessKeyId.NotFound", "Specified access key is not found."));
        }
        // All that a platform's head says must be signed, and who it was said to.
        let all: Vec<&str> = names.split(';').collect();
        let must = [
            "host",
            "x-acs-action",
            "x-acs-content-sha256",
            "x-acs-date",
            "x-acs-signature-nonce",
            "x-acs-version",
        ];
        let is_whole = must.iter().all(|name| all.contains(name)) && all.is_sorted();
        let mut of_platform = asked.headers.keys().filter(|name| name.as_str().starts_with("x-acs-"));
        if !is_whole || of_platform.any(|name| !all.contains(&name.as_str())) {
            return Err(("IncompleteSignature", "The request signature does not conform to the standards."));
        }
        let body_hash = hash(asked.body);
        if asked.head("x-acs-content-sha256") != body_hash {
            return Err(WRONG);
        }
        let pairs: BTreeMap<String, String> =
            asked.query().into_iter().map(|(name, value)| (encoded(&name), encoded(&value))).collect();
        let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let canonical = format!(
            "POST\n{}\n{}\n{}\n{names}\n{body_hash}",
            asked.path(),
            query.join("&"),
            asked.signed_lines(names)
        );
        let to_sign = format!("ACS3-HMAC-SHA256\n{}", hash(canonical.as_bytes()));
        if hex(&mac(account.secret.as_bytes(), to_sign.as_bytes())) != signature {
            return Err(WRONG);
        }
        let at_s = seconds(asked.head("x-acs-date")).ok_or(WRONG)?;
        if (at_s - self.now_ms.div_euclid(1_000)).abs() > APART_S.0 {
            return Err(("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."));
        }
        if !self.is_new_nonce(asked.head("x-acs-signature-nonce")) {
            return Err(("SignatureNonceUsed", "Specified signature nonce was used already."));
        }
        Ok(())
    }

    /// Whether a request to Tencent Cloud is signed by its account (TC3-HMAC-SHA256), now.
    pub fn tencent_admits(&mut self, asked: &Asked<'_>) -> Result<(), No> {
        const WRONG: No =
            ("AuthFailure.SignatureFailure", "The provided credentials could not be validated.");
        let of = asked.authorization().strip_prefix("TC3-HMAC-SHA256 ").ok_or(WRONG)?;
        let (credential, names) =
            (field(of, "Credential").ok_or(WRONG)?, field(of, "SignedHeaders").ok_or(WRONG)?);
        let signature = field(of, "Signature").ok_or(WRONG)?;
        let (key_id, scope) = credential.split_once('/').ok_or(WRONG)?;
        let account =
            self.sms.accounts.get(&Platform::Tencent).ok_or(("AuthFailure.SecretIdNotFound", ""))?;
        if account.key_id != key_id {
            return Err(("AuthFailure.SecretIdNotFound", "The SecretId is not found."));
        }
        let all: Vec<&str> = names.split(';').collect();
        if !["content-type", "host"].iter().all(|name| all.contains(name)) || !all.is_sorted() {
            return Err(WRONG);
        }
        let at_s: i64 = asked.head("x-tc-timestamp").parse().map_err(|_| WRONG)?;
        if (at_s - self.now_ms.div_euclid(1_000)).abs() > APART_S.1 {
            return Err(("AuthFailure.SignatureExpire", "Signature expired."));
        }
        let date = utc_date(at_s);
        let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
        if scope != format!("{date}/sms/tc3_request") {
            return Err(WRONG);
        }
        // What is said of the action is signed in small letters.
        let lines: String = asked
            .signed_lines(names)
            .lines()
            .map(|line| {
                format!(
                    "{}\n",
                    if line.starts_with("x-tc-action:") { line.to_lowercase() } else { line.to_owned() }
                )
            })
            .collect();
        let canonical = format!("POST\n{}\n\n{lines}\n{names}\n{}", asked.path(), hash(asked.body));
        let to_sign = format!("TC3-HMAC-SHA256\n{at_s}\n{scope}\n{}", hash(canonical.as_bytes()));
        let of_date = mac(format!("TC3{}", account.secret).as_bytes(), date.as_bytes());
        let key = mac(&mac(&of_date, b"sms"), b"tc3_request");
        if hex(&mac(&key, to_sign.as_bytes())) != signature {
            return Err(WRONG);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2026-01-05T01:00:00Z"), Some(1_767_574_800));
        assert_eq!(seconds("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(seconds("nonsense"), None);
        assert_eq!(utc_date(1_551_113_065), "20190225");
    }
}
