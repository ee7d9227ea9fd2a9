//! The document: as it was, unless it was meant to change; and every code has its words.

use std::collections::BTreeSet;
use std::path::Path;

use crate::home::Home;
use crate::roles::operations;

/// `ZHIYIN_BLESS=1` writes it anew.
#[tokio::test]
async fn the_document_is_as_it_was() {
    let home = Home::new().await;
    let served = String::from_utf8(home.ask("GET", "/openapi.json", &[], b"").await.body).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("ZHIYIN_BLESS").is_some() {
        std::fs::write(&kept, &served).unwrap();
    }
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    assert!(
        kept == served,
        "the API changed: see that it is meant, then write docs/openapi.json anew with ZHIYIN_BLESS=1"
    );
    home.end().await;
}

#[tokio::test]
async fn every_operation_is_described() {
    let home = Home::new().await;
    let document = home.ask("GET", "/openapi.json", &[], b"").await.json();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} stands twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
        assert!(operation["x-title-zh"].as_str().unwrap().chars().any(|c| c > '\u{2fff}'), "{id}");
        let body = &operation["requestBody"]["content"]["application/json"];
        let takes = body["schema"]["properties"].as_object().is_some_and(|fields| !fields.is_empty());
        assert_eq!(
            takes,
            !body["example"].is_null() && body["example"] != serde_json::json!({}),
            "{method} {path}: an example"
        );
    }
    // What anything refers to is there.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(!document["components"]["schemas"][name].is_null(), "{name}");
    }
    home.end().await;
}

/// Codes of the rooms below, read from their source: each has its status and its words.
#[test]
fn every_code_has_its_words() {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let known = std::fs::read_to_string(rooms.join("server/src/problem/codes.rs")).unwrap();
    let mut missing = BTreeSet::new();
    for room in ["model", "decide", "engine", "store", "server"] {
        let mut folders = vec![rooms.join(room).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|kind| kind == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    for code in codes(&text) {
                        if !known.contains(&format!("\"{code}\"")) {
                            missing
                                .insert(format!("{code} ({})", path.file_name().unwrap().to_string_lossy()));
                        }
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "no words for: {missing:?}");
}

/// What the reference tells people to run is there to be run.
#[tokio::test]
async fn the_reference_names_the_command_that_makes_a_key() {
    let home = Home::new().await;
    for language in ["zh", "en"] {
        let page = home.ask("GET", &format!("/docs?lang={language}"), &[], b"").await.text();
        assert!(page.contains("zhiyin key new") && !page.contains("zhiyin key add"), "{language}");
    }
    home.end().await;
}

/// What follows the names of those that refuse, as far as it is written there.
fn codes(text: &str) -> Vec<String> {
    let begins = ["Refusal::new(", "Stop::refused(", "Problem::of("];
    let mut found = Vec::new();
    for begin in begins {
        for rest in text.split(begin).skip(1) {
            let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
            let code = rest.split('"').next().unwrap_or_default();
            if !code.is_empty()
                && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            {
                found.push(code.to_owned());
            }
        }
    }
    found
}
