//! What comes back of an e-mail: that it did not arrive (delivery status notifications, RFC 3464), or that somebody complains of it
//! (RFC 5965). Whatever is in it is somebody else's word: whose it is tells only a sealed word of ours, wherever it stands, and whoever
//! reads it checks the seal.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _};

/// The largest message that is read, in bytes.
pub const BYTES_MAX: usize = 1024 * 1024;
/// How long a sealed word is.
pub const WORD_CHARS: usize = 52;
/// How many words of one message are looked at, and how deep messages in messages are.
const WORDS_MAX: usize = 16;
const DEPTH_MAX: usize = 4;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameBack {
    /// What may be sealed words of ours, in the order in which they stand.
    pub words: Vec<String>,
    /// What is said.
    pub report: Report,
}

/// What is said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It did not arrive, and nothing will there: nobody has this address.
    Gone {
        /// As RFC 3463 writes it (`5.1.1`).
        status: String,
    },
    /// It did not arrive this time: a full mailbox, a message that is not wanted.
    Failed {
        /// As RFC 3463 writes it.
        status: String,
    },
    /// It is late, and still on its way.
    Delayed,
    /// Somebody complains of it.
    Complaint {
        /// What of (`abuse`, `fraud`…).
        kind: String,
    },
    /// Something else: an answer, a note that somebody is away.
    Other,
}

/// Reads a message that came back; `None` where it is none at all.
pub fn read(raw: &[u8]) -> Option<CameBack> {
    let raw = &raw[..raw.len().min(BYTES_MAX)];
    let message = MessageParser::default().parse(raw)?;
    let (mut words, mut report) = (Vec::new(), Report::Other);
    take_words(raw, &mut words);
    look(&message, 0, &mut words, &mut report);
    Some(CameBack { words, report })
}

fn look(message: &Message<'_>, depth: usize, words: &mut Vec<String>, report: &mut Report) {
    if depth > DEPTH_MAX {
        return;
    }
    for part in &message.parts {
        if let Some(inner) = part.message() {
            look(inner, depth + 1, words, report);
            continue;
        }
        let contents = part.contents();
        take_words(contents, words);
        if depth > 0 || *report != Report::Other {
            continue;
        }
        let text = String::from_utf8_lossy(contents);
        match kind(part).as_str() {
            "message/delivery-status" | "message/global-delivery-status" => *report = delivery(&text),
            "message/feedback-report" => {
                let kind = field(&text, "feedback-type").unwrap_or("abuse");
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let kind =
                    kind.chars().filter(|c| plain(*c)).take(20).collect::<String>().to_ascii_lowercase();
                // Somebody says that it is no spam after all: no complaint.
                *report = if kind == "not-spam" { Report::Other } else { Report::Complaint { kind } };
            }
            _ => {}
        }
    }
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return String::new() };
    format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase()
}

/// The value of a field, on the line where it stands.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// What a delivery status says: one message of ours has one recipient, so the first that says something counts.
fn delivery(text: &str) -> Report {
    let action = field(text, "action").unwrap_or_default().to_ascii_lowercase();
    let status = status(field(text, "status").unwrap_or_default());
    match action.as_str() {
        "failed" if is_gone(&status) => Report::Gone { status },
        "failed" => Report::Failed { status },
        "delayed" => Report::Delayed,
        _ => Report::Other,
    }
}

/// A status without what follows it; what is none is `5.0.0`, a failure of which no more is known.
fn status(text: &str) -> String {
    let word = text.split([' ', '(', ';']).find(|word| !word.is_empty()).unwrap_or_default();
    let mut parts = word.split('.');
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let fits = parts.clone().count() == 3 && parts.all(is_number);
    if fits { word.to_owned() } else { "5.0.0".to_owned() }
}

/// Whether a status says that nobody is there for good: the mailbox, its host or its syntax (RFC 3463, 3.2), or one that was closed.
pub fn is_gone(status: &str) -> bool {
    matches!(status, "5.1.0" | "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1")
}

/// Takes what looks like a word of ours: so many hexadecimal digits in a row, no more and no less.
fn take_words(bytes: &[u8], words: &mut Vec<String>) {
    for run in bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
        if words.len() >= WORDS_MAX {
            return;
        }
        if run.len() != WORD_CHARS || !run.iter().all(u8::is_ascii_hexdigit) {
            continue;
        }
        let word = String::from_utf8_lossy(run).to_ascii_lowercase();
        if !words.contains(&word) {
            words.push(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123";

    fn dsn(to: &str, action: &str, status: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example.com\r\nTo: <{to}>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
             Final-Recipient: rfc822; a@example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\n--b--\r\n"
        )
    }

    #[test]
    fn a_delivery_status_is_read_and_its_word_is_found_in_the_return_path() {
        let gone = |status: &str| Report::Gone { status: status.to_owned() };
        let failed = |status: &str| Report::Failed { status: status.to_owned() };
        for (action, status, report) in [
            ("failed", "5.1.1", gone("5.1.1")),
            ("Failed", "5.1.1 (bad destination)", gone("5.1.1")),
            ("failed", "5.2.2", failed("5.2.2")),
            ("failed", "nonsense", failed("5.0.0")),
            ("delayed", "4.4.1", Report::Delayed),
            ("relayed", "2.0.0", Report::Other),
        ] {
            let raw = dsn(&format!("bounce+{}@shop.example", WORD.to_ascii_uppercase()), action, status);
            let read = read(raw.as_bytes()).unwrap();
            assert_eq!(read, CameBack { words: vec![WORD.to_owned()], report }, "{action} {status}");
        }
    }

    #[test]
    fn a_complaint_bears_the_word_in_the_message_that_it_quotes() {
        let raw = format!(
            "From: fbl@example.com\r\nTo: abuse@shop.example\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n\
             --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{WORD}@shop.example>\r\nSubject: hi\r\n\r\nHi\r\n--b--\r\n"
        );
        let read = read(raw.as_bytes()).unwrap();
        assert_eq!(read.report, Report::Complaint { kind: "abuse".to_owned() });
        assert_eq!(read.words, [WORD]);
    }

    #[test]
    fn what_is_no_report_says_nothing_and_what_an_inner_message_reports_is_not_ours() {
        let answer = format!("From: a@example.com\r\nTo: bounce+{WORD}@shop.example\r\n\r\nI am away.\r\n");
        assert_eq!(read(answer.as_bytes()).unwrap().report, Report::Other);
        let inner = dsn("somebody@example.com", "failed", "5.1.1");
        let forwarded = format!("From: a@example.com\r\nContent-Type: message/rfc822\r\n\r\n{inner}");
        assert_eq!(read(forwarded.as_bytes()).unwrap().report, Report::Other);
        for garbage in [&b""[..], b"\r\n\r\n", &[0xff; 300]] {
            assert!(read(garbage).is_none_or(|read| read.report == Report::Other));
        }
        assert!(read(b"Subject: x\r\n\r\n0123456789abcdef").unwrap().words.is_empty());
    }

    #[test]
    fn only_so_many_words_are_looked_at() {
        let many: String = (0..40).map(|n| format!("{n:052x} ")).collect();
        let raw = format!("Subject: x\r\n\r\n{many}\r\n");
        assert_eq!(read(raw.as_bytes()).unwrap().words.len(), WORDS_MAX);
    }
}
