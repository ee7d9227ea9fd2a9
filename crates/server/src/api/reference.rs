//! The reference as a page that people read: made from the operations, in two languages, without a script and without anything
//! from elsewhere.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::{document, refusals, roles, tag};
use super::endpoint::{Endpoint, Kind};
use crate::language::Language;

const STYLE: &str = include_str!("reference.css");

/// The page in each language, built once at start.
pub(crate) struct Reference {
    zh: Bytes,
    en: Bytes,
    policy: HeaderValue,
}

impl Reference {
    pub(crate) fn new(endpoints: &[Endpoint]) -> Self {
        let document = document(endpoints);
        let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Self {
            zh: page(endpoints, &document, Language::Zh).into(),
            en: page(endpoints, &document, Language::En).into(),
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }

    /// The page, in the language that the address or the reader names.
    pub(crate) fn response(&self, request: &Request) -> Response {
        let query = request.uri().query().unwrap_or_default();
        let named = query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::named);
        let language = named.unwrap_or_else(|| Language::accepted(request.headers()));
        let body = if language == Language::Zh { self.zh.clone() } else { self.en.clone() };
        let mut response =
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], body)
                .into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The same, where `words` in backquotes are code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (n, part) in escaped(text).split('`').enumerate() {
        out += &if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() };
    }
    out
}

fn page(endpoints: &[Endpoint], document: &Value, language: Language) -> String {
    let zh = language == Language::Zh;
    let say = |chinese: &'static str, english: &'static str| if zh { chinese } else { english };
    let mut tags: Vec<&str> = endpoints.iter().map(|endpoint| tag(endpoint.path)).collect();
    tags.dedup();
    let title = say("知音 API 参考", "Zhiyin API reference");
    let other = say(r#"<a href="?lang=en">English</a>"#, r#"<a href="?lang=zh">中文</a>"#);
    let mut out = format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><header><h1>{title}</h1><nav>{other} \
         <a href=\"/openapi.json\">OpenAPI 3.1</a></nav></header><main>",
        language.tag()
    );
    out += &format!(
        "<p>{}</p><p>{}</p><p>{}</p>",
        prose(say(
            "每个请求都带密钥：`Authorization: Bearer zy_…`（`zhiyin key new` 创建）。",
            "Each request bears a key: `Authorization: Bearer zy_…` (made by `zhiyin key new`).",
        )),
        prose(say(
            "命令须带 `Idempotency-Key`；落盘并处理完才答复，重发不会重复执行。",
            "A command bears an `Idempotency-Key`; it is answered once it is decided and on disk, and sent again it is done once.",
        )),
        prose(say(
            "出错时返回 RFC 9457 的 `application/problem+json`，`code` 永不改变含义。",
            "What is refused comes as `application/problem+json` (RFC 9457); a `code` never changes its meaning.",
        )),
    );
    for tag_name in tags {
        out += &format!("<h2>{}</h2>", escaped(tag_name));
        for endpoint in endpoints.iter().filter(|endpoint| tag(endpoint.path) == tag_name) {
            out += &section(endpoint, document, zh);
        }
    }
    out + "</main></html>\n"
}

fn section(endpoint: &Endpoint, document: &Value, zh: bool) -> String {
    let say = |chinese: &'static str, english: &'static str| if zh { chinese } else { english };
    let method = endpoint.method.as_str();
    let title = endpoint.title[usize::from(zh)];
    let mut out = format!(
        "<section id=\"{id}\"><h3><b>{method}</b> <code>{path}</code> <a href=\"#{id}\">{title}</a></h3>",
        id = endpoint.id,
        path = escaped(endpoint.path),
        title = escaped(title),
    );
    if !endpoint.about.is_empty() {
        out += &format!("<p lang=\"en\">{}</p>", prose(endpoint.about));
    }
    if endpoint.door.is_none() {
        let roles = roles(endpoint).join(", ");
        let needs = endpoint.needs;
        out += &format!("<p class=\"needs\">{} <code>{needs}</code>: {roles}</p>", say("权限", "needs"));
    }
    let operation = &document["paths"][endpoint.path][method.to_ascii_lowercase()];
    out += &fields(document, operation, endpoint, zh);
    if !endpoint.example.is_null() && endpoint.kind != Kind::Query {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        let text = serde_json::to_string_pretty(example).unwrap_or_default();
        out += &format!("<pre>{}</pre>", escaped(&text));
    }
    let given = &operation["responses"][endpoint.status.as_str()]["content"]["application/json"]["schema"];
    out += &format!(
        "<details><summary>{}</summary>{}</details>",
        say("返回", "gives"),
        shape(document, given, 0)
    );
    let codes = refusals(endpoint).into_iter().flat_map(|(status, codes)| {
        codes.into_iter().map(move |code| {
            let name = if zh { code.zh } else { code.en };
            format!("<li>{status} <code>{}</code> {}</li>", code.name, escaped(name))
        })
    });
    out += &format!(
        "<details><summary>{}</summary><ul>{}</ul></details></section>",
        say("错误", "refusals"),
        codes.collect::<String>()
    );
    out
}

/// What an operation takes, field by field.
fn fields(document: &Value, operation: &Value, endpoint: &Endpoint, zh: bool) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: String = parameters
        .map(|parameter| {
            let text = |key: &str| parameter[key].as_str().unwrap_or_default();
            let must =
                if parameter["required"] == true { if zh { "必填" } else { "required" } } else { "" };
            format!(
                "<tr><td><code>{}</code><td>{}<td>{must}<td>{}",
                escaped(text("name")),
                text("in"),
                prose(text("description"))
            )
        })
        .collect();
    let mut out = if rows.is_empty() { String::new() } else { format!("<table>{rows}</table>") };
    if endpoint.kind != Kind::Query {
        out += &shape(document, &operation["requestBody"]["content"]["application/json"]["schema"], 0);
    }
    out
}

/// A schema as nested lists; what is named is shown where it is used, a few floors deep.
fn shape(document: &Value, schema: &Value, depth: usize) -> String {
    let schema = target(document, schema);
    if depth > 4 {
        return String::new();
    }
    if let Some(items) = schema.get("items") {
        return shape(document, items, depth);
    }
    let choices = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_array);
    if let Some(choices) = choices {
        return choices.iter().map(|choice| shape(document, choice, depth + 1)).collect();
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return String::new() };
    let required = schema.get("required").and_then(Value::as_array);
    let rows: String = properties
        .iter()
        .map(|(name, field)| {
            let about = field.get("description").or_else(|| target(document, field).get("description"));
            let about = prose(about.and_then(Value::as_str).unwrap_or_default());
            let must = required.is_some_and(|required| required.iter().any(|one| one == name));
            let mark = if must { "<b>*</b>" } else { "" };
            let kind = kind(document, field);
            format!(
                "<li><code>{}</code>{mark} <i>{kind}</i> {about}{}",
                escaped(name),
                shape(document, field, depth + 1)
            )
        })
        .collect();
    format!("<ul class=\"fields\">{rows}</ul>")
}

fn target<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    named.and_then(|name| document["components"]["schemas"].get(name)).unwrap_or(schema)
}

fn kind(document: &Value, schema: &Value) -> String {
    let schema = target(document, schema);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().filter_map(Value::as_str).map(escaped).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "array" => format!("[{}]", kind_of_items(document, schema)),
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect::<Vec<_>>()
            .join(" | "),
        _ => String::new(),
    }
}

fn kind_of_items(document: &Value, schema: &Value) -> String {
    schema.get("items").map(|items| kind(document, items)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_escaped_and_code_is_code() {
        assert_eq!(prose("a <b> `x & y`"), "a &lt;b&gt; <code>x &amp; y</code>");
    }
}
