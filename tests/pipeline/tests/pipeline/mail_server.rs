//! A server that takes e-mail: it speaks SMTP, keeps what it was given and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One message as it came.
#[derive(Clone, Debug)]
pub struct Got {
    /// Its return path.
    pub from: String,
    /// To whom.
    pub to: String,
    /// The message, headers and all.
    pub text: String,
}

impl Got {
    /// What a header says, on its first line.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        head.lines().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            (own == name).then_some(value)
        })
    }

    /// The sealed word in its return path.
    pub fn word(&self) -> String {
        let user = self.from.split('@').next().unwrap();
        user.split_once('+').unwrap().1.to_owned()
    }
}

#[derive(Default)]
struct Inner {
    got: Mutex<Vec<Got>>,
    answers: Mutex<BTreeMap<String, VecDeque<String>>>,
}

/// The server.
#[derive(Clone)]
pub struct MailServer {
    inner: Arc<Inner>,
    /// Where it listens, on this machine.
    pub port: u16,
}

impl MailServer {
    /// A server on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { inner, port }
    }

    /// It answers a command so the next time: `RCPT`, or `text` for a whole message. `gone` hangs up without a word.
    pub fn answers(&self, command: &str, answer: &str) {
        let mut answers = self.inner.answers.lock().unwrap();
        answers.entry(command.to_owned()).or_default().push_back(answer.to_owned());
    }

    /// What came so far, and is taken out here.
    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.inner.got.lock().unwrap())
    }
}

fn next(inner: &Inner, command: &str, usual: &str) -> String {
    let mut answers = inner.answers.lock().unwrap();
    let next = answers.get_mut(command).and_then(VecDeque::pop_front);
    next.unwrap_or_else(|| usual.to_owned())
}

/// The address in `MAIL FROM:<…>`.
fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

async fn converse(stream: TcpStream, inner: Arc<Inner>) {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to) = (String::new(), String::new());
    let mut said = next(&inner, "hello", "220 mail.test ESMTP");
    loop {
        if said == "gone" || stream.write_all(format!("{said}\r\n").as_bytes()).await.is_err() {
            return;
        }
        if said.starts_with("354") {
            let Some(text) = whole(&mut stream).await else { return };
            said = next(&inner, "text", "250 2.0.0 queued as 7");
            // Who hangs up may have taken it all the same.
            if said.starts_with("250") || said == "gone" {
                let got = Got { from: from.clone(), to: to.clone(), text };
                inner.got.lock().unwrap().push(got);
            }
            continue;
        }
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let command = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let usual = match command.as_str() {
            "EHLO" => "250-mail.test\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES",
            "DATA" => "354 go on",
            "QUIT" => "221 2.0.0 bye",
            _ => "250 2.0.0 well",
        };
        match command.as_str() {
            "MAIL" => from = address(&line),
            "RCPT" => to = address(&line),
            _ => {}
        }
        said = next(&inner, &command, usual);
    }
}

/// A message up to the dot that ends it.
async fn whole(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        if line == ".\r\n" {
            return Some(text);
        }
        text += line.strip_prefix('.').unwrap_or(&line);
    }
}
