//! A home that is served, asked over HTTP by whoever has a key, and an endpoint that its webhooks go to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A server at work, ended with this.
pub struct Served {
    server: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

/// What was answered.
pub struct Answered {
    pub status: u16,
    /// Head and body.
    pub whole: Vec<u8>,
}

impl Answered {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.whole).into_owned()
    }

    /// A text of the answer by its key, the first there is.
    pub fn said(&self, key: &str) -> String {
        let text = self.text();
        let mark = format!("\"{key}\":\"");
        let rest = text.split_once(&mark).unwrap_or_else(|| panic!("no {key} in {text}")).1;
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Served {
    /// Of a server that prints where it is first.
    pub fn of(mut server: Child) -> Self {
        let mut first = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.split("http://").nth(1).unwrap().split(' ').next().unwrap().trim().to_owned();
        Self { server, address }
    }

    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answered {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        let mut whole = Vec::new();
        stream.read_to_end(&mut whole).unwrap();
        let status = String::from_utf8_lossy(&whole).split(' ').nth(1).unwrap().parse().unwrap();
        Answered { status, whole }
    }

    /// Reads as whoever holds a key.
    pub fn read(&self, key: &str, path: &str) -> Answered {
        self.ask("GET", path, &format!("Authorization: Bearer {key}\r\n"), "")
    }

    /// Has something done, under an idempotency key.
    pub fn command(&self, key: &str, name: &str, idempotency_key: &str, body: &str) -> Answered {
        let headers = format!("Authorization: Bearer {key}\r\nIdempotency-Key: {idempotency_key}\r\n");
        self.ask("POST", &format!("/v1/commands/{name}"), &headers, body)
    }
}

/// An endpoint that takes whatever comes.
pub struct Hook {
    pub url: String,
    came: Receiver<String>,
}

impl Hook {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (tell, came) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
                    if let Some((name, value)) = line.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                let whole = reader.read_exact(&mut body);
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let answered = stream.write_all(answer.as_bytes());
                if whole.and(answered).is_ok() && tell.send(String::from_utf8(body).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { url, came }
    }

    /// The first message that says this; there is one within a while.
    pub fn message_with(&self, text: &str) -> String {
        let within = Duration::from_secs(20);
        loop {
            let message = self.came.recv_timeout(within).unwrap_or_else(|_| panic!("no message says {text}"));
            if message.contains(text) {
                return message;
            }
        }
    }
}
