//! What an e-mail looks like: text and HTML side by side, who it is from, and how to want no more of it (RFC 2369, RFC 8058).

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::address::{Address, Envelope};
use lettre::error::Error;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::channel::Parcel;

/// A header whose value is ASCII without spaces at its ends: addresses on the web are not folded or encoded, since they would be broken.
fn plain(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// A text with what is special in HTML escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => said.push_str("&amp;"),
            '<' => said.push_str("&lt;"),
            '>' => said.push_str("&gt;"),
            '"' => said.push_str("&quot;"),
            '\'' => said.push_str("&#x27;"),
            c => said.push(c),
        }
    }
    said
}

/// A text as HTML: its empty lines part paragraphs.
fn html_of(text: &str) -> String {
    let paragraphs = text.split("\n\n").filter(|part| !part.trim().is_empty());
    let mut html = String::new();
    for part in paragraphs {
        // Writing to a text cannot fail.
        let _written = writeln!(html, "<p>{}</p>", escaped(part.trim()).replace('\n', "<br>\n"));
    }
    html
}

/// What stands below, where whoever gets it may want no more.
fn foot(parcel: &Parcel) -> (String, String) {
    let Some(url) = &parcel.leave_url else { return Default::default() };
    let word = if parcel.english { "Unsubscribe" } else { "退订" };
    let text = format!("\n\n--\n{word}: {url}\n");
    let html = format!("<p style=\"font-size:12px\"><a href=\"{}\">{word}</a></p>\n", escaped(url));
    (text, html)
}

/// A message as it is said to a server.
pub(super) fn message(
    from: &Mailbox,
    reply_to: Option<&Mailbox>,
    to: &Address,
    domain: &str,
    parcel: &Parcel,
) -> Result<Vec<u8>, Error> {
    let (foot_text, foot_html) = foot(parcel);
    let text = parcel.text.clone() + &foot_text;
    let language = if parcel.english { "en" } else { "zh" };
    let body = parcel.html.clone().filter(|html| !html.trim().is_empty());
    let body = body.unwrap_or_else(|| html_of(&parcel.text));
    // One that brings its own page keeps it; the foot comes before its end.
    let html = match body.rfind("</body>") {
        Some(at) => format!("{}{foot_html}{}", &body[..at], &body[at..]),
        None => format!(
            "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"></head><body>\n{body}{foot_html}</body></html>\n"
        ),
    };
    let parts = MultiPart::alternative().boundary(format!("part-{}", parcel.word));
    let parts = parts.singlepart(SinglePart::plain(text)).singlepart(SinglePart::html(html));
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(parcel.subject.clone())
        .date(UNIX_EPOCH + Duration::from_secs(parcel.at_seconds))
        .raw_header(plain("Message-ID", format!("<{}@{domain}>", parcel.word)))
        .raw_header(plain("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(plain("Content-Language", language.to_owned()));
    if let Some(reply_to) = reply_to {
        message = message.reply_to(reply_to.clone());
    }
    if let Some(url) = &parcel.leave_url {
        message = message
            .raw_header(plain("List-Unsubscribe", format!("<{url}>")))
            .raw_header(plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()])?;
    Ok(message.envelope(envelope).multipart(parts)?.formatted())
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn parcel() -> Parcel {
        Parcel {
            key: [1; 16],
            to: "a@example.com".to_owned(),
            subject: "下一单满58减8".to_owned(),
            text: "你好 <b>\n再见\n\n&".to_owned(),
            html: None,
            english: false,
            word: "0123456789abcdef0123456789abcdef0123456789abcdef0123".to_owned(),
            leave_url: Some("https://shop.example/v1/unsubscribe/0123?a=1&b=2".to_owned()),
            promised: false,
            at_seconds: 1_700_000_000,
            ..Parcel::default()
        }
    }

    fn said(parcel: &Parcel) -> Vec<u8> {
        let from: Mailbox = "好物 <hello@shop.example>".parse().unwrap();
        let to: Address = parcel.to.parse().unwrap();
        message(&from, None, &to, "shop.example", parcel).unwrap()
    }

    #[test]
    fn text_and_html_say_the_same_and_what_is_special_is_escaped() {
        let raw = said(&parcel());
        let read = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(read.subject(), Some("下一单满58减8"));
        let text = read.body_text(0).unwrap().replace("\r\n", "\n");
        assert!(text.starts_with("你好 <b>\n再见\n\n&\n\n--\n退订: https://shop.example/"), "{text}");
        let html = read.body_html(0).unwrap();
        assert!(html.contains("<p>你好 &lt;b&gt;<br>"), "{html}");
        assert!(html.contains("b=2\">退订</a>") && html.contains("a=1&amp;b=2"), "{html}");
        assert_eq!(said(&parcel()), raw, "the same whenever it is said");
    }

    #[test]
    fn it_says_how_to_want_no_more_of_it_in_one_click_and_where_it_may_not_says_nothing() {
        let raw = String::from_utf8(said(&parcel())).unwrap();
        let url = "List-Unsubscribe: <https://shop.example/v1/unsubscribe/0123?a=1&b=2>\r\n";
        assert!(raw.contains(url), "{raw}");
        assert!(raw.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{raw}");
        assert!(
            raw.contains("Message-ID: <0123456789abcdef0123456789abcdef0123456789abcdef0123@shop.example>")
        );
        let promised = Parcel { leave_url: None, english: true, ..parcel() };
        let raw = String::from_utf8(said(&promised)).unwrap();
        assert!(!raw.contains("Unsubscribe") && raw.contains("Content-Language: en\r\n"), "{raw}");
    }

    #[test]
    fn a_page_of_its_own_is_kept_with_the_foot_at_its_end() {
        let own = Parcel { html: Some("<html><body><h1>Hi</h1></body></html>".to_owned()), ..parcel() };
        let raw = said(&own);
        let read = MessageParser::default().parse(&raw).unwrap();
        let html = read.body_html(0).unwrap();
        assert!(html.contains("<h1>Hi</h1><p style="), "{html}");
        assert!(html.trim_end().ends_with("</body></html>"), "{html}");
    }
}
