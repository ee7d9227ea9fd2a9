//! E-mail over SMTP: each command is given by itself, so that a message that was refused is told from one of which nobody knows.
//!
//! Up to the end of its text a message was certainly not taken, whatever goes wrong; after it only an answer tells. Connections are kept
//! for a while and asked before they are used again.

mod compose;

use std::time::Duration;

use async_trait::async_trait;
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::sync::Mutex;

use crate::came_back::is_gone;
use crate::channel::{Again, Channel, Handed, Parcel};

/// How long connecting, with TLS and signing in, may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// How long an old connection may take to say that it is there.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to say who a message is from and for.
const COMMANDS_WITHIN: Duration = Duration::from_secs(30);
/// How long its text may take, and the answer to it.
const MESSAGE_WITHIN: Duration = Duration::from_secs(60);
/// How long the end of a connection is waited for.
const ABORT_WITHIN: Duration = Duration::from_secs(2);
/// The most connections.
pub const AT_ONCE_MAX: usize = 16;
/// The longest receipt that is kept, in characters.
const RECEIPT_CHARS_MAX: usize = 100;

/// How a connection is kept from others' eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From its first byte on (port 465).
    Implicit,
    /// It begins in the clear and changes before anything is said (port 587); where the other side cannot, nothing is said.
    Starttls,
    /// Not at all: for a server on this machine.
    None,
}

/// Where and how e-mail is handed over.
#[derive(Clone)]
pub struct Settings {
    /// The server's name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub tls: Tls,
    /// Name and secret, where it asks for them.
    pub sign_in: Option<(String, String)>,
    /// What we call ourselves.
    pub hello: String,
    /// Who it is from: `名 <a@b>` or `a@b`.
    pub from: String,
    /// Who gets answers, where that is somebody else.
    pub reply_to: Option<String>,
    /// Where what does not arrive comes back to: the word is put before its `@`, as `bounce+WORD@…`.
    pub bounces: String,
    /// How many connections there are.
    pub at_once: usize,
    /// A certificate beside those that the machine trusts, in DER: for tests and private servers.
    pub trusted: Option<Vec<u8>>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, tls, from, bounces, .. } = self;
        write!(f, "{host}:{port} {tls:?} from {from}, back to {bounces}")
    }
}

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SettingsProblem {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

fn wrong(field: &'static str, message: impl ToString) -> SettingsProblem {
    SettingsProblem { field, message: message.to_string() }
}

/// The e-mail channel.
pub struct Email {
    settings: Settings,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    bounces: Address,
    hello: ClientId,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({:?})", self.settings)
    }
}

impl Email {
    /// The channel of these settings; nothing is said to anybody yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsProblem> {
        if settings.host.trim().is_empty() {
            return Err(wrong("host", "names no server"));
        }
        if settings.tls == Tls::None && settings.sign_in.is_some() {
            return Err(wrong("tls", "a secret is not said in the clear"));
        }
        if !(1..=AT_ONCE_MAX).contains(&settings.at_once) {
            return Err(wrong("at_once", format!("1 to {AT_ONCE_MAX}")));
        }
        let from: Mailbox = settings.from.parse().map_err(|error| wrong("from", error))?;
        let reply_to = settings.reply_to.as_deref().map(str::parse).transpose();
        let reply_to: Option<Mailbox> = reply_to.map_err(|error| wrong("reply_to", error))?;
        let bounces: Address = settings.bounces.parse().map_err(|error| wrong("bounces", error))?;
        // The word comes before the `@`, and 64 characters are the most there.
        if bounces.user().len() > 64 - 1 - crate::came_back::WORD_CHARS {
            return Err(wrong("bounces", "the part before the @ has 11 characters at most"));
        }
        let tls = match settings.tls {
            Tls::None => None,
            Tls::Implicit | Tls::Starttls => Some(tls(&settings)?),
        };
        let hello = ClientId::Domain(settings.hello.clone());
        Ok(Self { settings, from, reply_to, bounces, hello, tls, idle: Mutex::default() })
    }

    /// A connection that is good: an old one that still answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Handed> {
        let kept = self.idle.lock().await.pop();
        if let Some(mut kept) = kept {
            let is_good = tokio::time::timeout(ASKED_WITHIN, kept.test_connected()).await;
            if is_good.is_ok_and(|good| good) {
                return Ok(kept);
            }
            // The others were opened as long ago.
            self.idle.lock().await.clear();
        }
        let opened = tokio::time::timeout(CONNECT_WITHIN, self.open()).await;
        match opened {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(later("connect", &error, true)),
            Err(_) => Err(Handed::Later { code: "connect_timeout".to_owned(), rest: None, channel: true }),
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let server = (self.settings.host.as_str(), self.settings.port);
        let at_once = self.tls.clone().filter(|_| self.settings.tls == Tls::Implicit);
        let timeout = Some(CONNECT_WITHIN);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, timeout, &self.hello, at_once, None).await?;
        if let (Tls::Starttls, Some(tls)) = (self.settings.tls, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some((user, secret)) = &self.settings.sign_in {
            let credentials = Credentials::new(user.clone(), secret.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    /// Where a message goes, and what it looks like; or the name of why not.
    fn composed(&self, parcel: &Parcel) -> Result<(Address, Address, Vec<u8>), &'static str> {
        let to: Address = parcel.to.parse().map_err(|_| "address_malformed")?;
        let user = format!("{}+{}", self.bounces.user(), parcel.word);
        let back = Address::new(user, self.bounces.domain()).map_err(|_| "return_path_malformed")?;
        let body = compose::message(&self.from, self.reply_to.as_ref(), &to, self.bounces.domain(), parcel);
        Ok((to, back, body.map_err(|_| "message_malformed")?))
    }
}

fn tls(settings: &Settings) -> Result<TlsParameters, SettingsProblem> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(der) = &settings.trusted {
        let trusted = Certificate::from_der(der.clone()).map_err(|error| wrong("trusted", error))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(trusted);
    }
    tls.build_rustls().map_err(|error| wrong("tls", error))
}

/// Something failed before the message was whole, so it was not taken. What the other side says of it comes into no code: it may name
/// people.
fn later(stage: &str, error: &lettre::transport::smtp::Error, channel: bool) -> Handed {
    let code = match error.status() {
        Some(status) => format!("{stage}_{status}"),
        None if error.is_timeout() => format!("{stage}_timeout"),
        None if error.is_tls() => format!("{stage}_tls"),
        None => format!("{stage}_failed"),
    };
    Handed::Later { code, rest: None, channel }
}

/// A message of which a command was answered with no: for good by 5xx, for now by 4xx.
fn answered(stage: &str, error: &lettre::transport::smtp::Error) -> Handed {
    let Some(status) = error.status().filter(|_| error.is_permanent()) else {
        // A connection that breaks is no fault of the message; an answer of 4xx is about it.
        return later(stage, error, error.status().is_none());
    };
    let enhanced = enhanced(&error.to_string());
    let status = status.to_string();
    // 550 to 553 without more say at RCPT that nobody is there; with more, the more counts.
    let unreachable = stage == "recipient"
        && match &enhanced {
            Some(enhanced) => is_gone(enhanced),
            None => matches!(status.as_str(), "550" | "551" | "553"),
        };
    let code = [Some(format!("{stage}_refused")), Some(status), enhanced];
    Handed::Refused { code: code.into_iter().flatten().collect::<Vec<_>>().join(" "), unreachable }
}

/// The status of RFC 3463 that an answer begins with (`5.1.1`).
fn enhanced(said: &str) -> Option<String> {
    let is_status = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let is_number =
            |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        parts.len() == 3 && parts.iter().all(is_number) && word.starts_with(['4', '5'])
    };
    said.split([' ', '\n', '-', ':', ')']).find(is_status).map(str::to_owned)
}

/// What the server calls what it took. Where it might name somebody it is not kept.
fn receipt(response: &Response) -> String {
    let line = response.first_line().unwrap_or_default();
    let line: String = line.chars().filter(|c| !c.is_control()).take(RECEIPT_CHARS_MAX).collect();
    if line.contains('@') { String::new() } else { line }
}

/// Says over a connection who a message is from and for, up to where its text begins; or what came of it, and whether the connection is
/// good for another one.
async fn announce(
    connection: &mut AsyncSmtpConnection,
    (to, back): (Address, Address),
    body: &[u8],
) -> Result<(), (Handed, bool)> {
    let mut options = Vec::new();
    let is_ascii = |address: &Address| address.to_string().is_ascii();
    if !is_ascii(&to) || !is_ascii(&back) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let code = "recipient_not_ascii".to_owned();
            return Err((Handed::Refused { code, unreachable: false }, true));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !body.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let failed = |stage| move |error: lettre::transport::smtp::Error| (answered(stage, &error), false);
    connection.command(Mail::new(Some(back), options)).await.map_err(failed("sender"))?;
    connection.command(Rcpt::new(to, Vec::new())).await.map_err(failed("recipient"))?;
    connection.command(Data).await.map_err(failed("data"))?;
    Ok(())
}

/// One message over one connection; whether the connection is good for another.
async fn say(
    connection: &mut AsyncSmtpConnection,
    addresses: (Address, Address),
    body: &[u8],
) -> (Handed, bool) {
    match tokio::time::timeout(COMMANDS_WITHIN, announce(connection, addresses, body)).await {
        Ok(Ok(())) => {}
        Ok(Err(failed)) => return failed,
        // Nothing of its text was said.
        Err(_) => {
            let code = "commands_timeout".to_owned();
            return (Handed::Later { code, rest: None, channel: true }, false);
        }
    }
    match tokio::time::timeout(MESSAGE_WITHIN, connection.message(body)).await {
        Ok(Ok(response)) => (Handed::Taken { receipt: receipt(&response) }, true),
        Ok(Err(error)) if error.status().is_some() => (answered("message", &error), false),
        // The text may have been whole by then.
        Ok(Err(_)) => (Handed::Unknown { code: "no_answer".to_owned() }, false),
        Err(_) => (Handed::Unknown { code: "message_timeout".to_owned() }, false),
    }
}

#[async_trait]
impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn namespaces(&self) -> &'static [&'static str] {
        &["email"]
    }

    fn again(&self) -> Again {
        Again::Never
    }

    fn at_once(&self) -> usize {
        self.settings.at_once
    }

    fn within(&self) -> Duration {
        // An old connection is asked, a new one made, and the message said.
        ASKED_WITHIN + CONNECT_WITHIN + COMMANDS_WITHIN + MESSAGE_WITHIN + ABORT_WITHIN
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        let (to, back, body) = match self.composed(parcel) {
            Ok(composed) => composed,
            Err(code) => {
                let unreachable = code == "address_malformed";
                return Handed::Refused { code: code.to_owned(), unreachable };
            }
        };
        let mut connection = match self.connection().await {
            Ok(connection) => connection,
            Err(later) => return later,
        };
        let (handed, is_good) = say(&mut connection, (to, back), &body).await;
        if is_good {
            let mut idle = self.idle.lock().await;
            if idle.len() < self.settings.at_once {
                idle.push(connection);
            }
        } else {
            // Who is spoken to may hang: its end is not waited for.
            drop(tokio::time::timeout(ABORT_WITHIN, connection.abort()).await);
        }
        handed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            host: "localhost".to_owned(),
            port: 25,
            tls: Tls::None,
            sign_in: None,
            hello: "shop.example".to_owned(),
            from: "好物 <hello@shop.example>".to_owned(),
            reply_to: None,
            bounces: "bounce@shop.example".to_owned(),
            at_once: 1,
            trusted: None,
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_their_field() {
        assert!(Email::new(settings()).is_ok());
        for (wrong, field) in [
            (Settings { host: " ".to_owned(), ..settings() }, "host"),
            (Settings { from: "nobody".to_owned(), ..settings() }, "from"),
            (Settings { reply_to: Some("x".to_owned()), ..settings() }, "reply_to"),
            (Settings { bounces: "x".to_owned(), ..settings() }, "bounces"),
            (Settings { bounces: "twelve-chars@shop.example".to_owned(), ..settings() }, "bounces"),
            (Settings { at_once: 0, ..settings() }, "at_once"),
            (Settings { sign_in: Some(("a".to_owned(), "b".to_owned())), ..settings() }, "tls"),
        ] {
            assert_eq!(Email::new(wrong).map(drop).map_err(|problem| problem.field), Err(field));
        }
    }

    #[test]
    fn a_status_is_found_in_what_a_server_says() {
        for (said, status) in [
            ("permanent error (550): 5.1.1 <a@b>: no such user", Some("5.1.1")),
            ("permanent error (550): no such user 10.0.0.1", None),
            ("transient error (451): 4.7.1 greylisted", Some("4.7.1")),
            ("", None),
        ] {
            assert_eq!(enhanced(said).as_deref(), status, "{said}");
        }
    }
}
