//! A server of ClickHouse is told how long somebody waits, and sees when they are gone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zhiyin_reach::address::Target;
use zhiyin_reach::clickhouse::{Access, ClickHouse, Limits};
use zhiyin_reach::client::Client;

async fn server() -> (TcpListener, ClickHouse) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = Target::parse(&format!("http://{}/", listener.local_addr().unwrap()), true).unwrap();
    let access = Access { user: "default".to_owned(), password: String::new() };
    let limits = Limits { attempts: 1, ..Limits::default() };
    (listener, ClickHouse::at(Client::new(), at, access, &[], limits))
}

/// What is asked of a server: the first line, once the statement is there.
async fn asked(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"SELECT 1") {
        let mut part = [0; 1_024];
        let n = stream.read(&mut part).await.unwrap();
        assert!(n > 0, "it ended before the statement");
        read.extend_from_slice(&part[..n]);
    }
    String::from_utf8_lossy(&read).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn it_is_told_how_long_somebody_waits() {
    let (listener, clickhouse) = server().await;
    let answers = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut told = Vec::new();
        for _ in 0..3 {
            let line = asked(&mut stream).await;
            told.push(line.split_once("max_execution_time=").unwrap().1.replace(" HTTP/1.1", ""));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n1\n").await.unwrap();
        }
        told
    };
    let asks = async {
        for whole in [Duration::from_millis(6_200), Duration::from_secs(600), Duration::ZERO] {
            assert_eq!(clickhouse.ask_within(whole, "SELECT 1").await.unwrap(), b"1\n");
        }
    };
    let ((), told) = tokio::join!(asks, answers);
    assert_eq!(told, ["7", "600", "1"]);
}

#[tokio::test]
async fn it_sees_that_whoever_asked_is_gone() {
    let (listener, clickhouse) = server().await;
    let asks = clickhouse.ask("SELECT 1");
    let gone = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        asked(&mut stream).await;
        stream
    };
    // Dropped where the statement has arrived and nothing was answered.
    let mut stream = tokio::select! { answered = asks => panic!("{answered:?}"), stream = gone => stream };
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
}
