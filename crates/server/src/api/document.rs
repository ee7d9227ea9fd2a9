//! The OpenAPI 3.1 document, made from the operations themselves: what they take and give are the very types that they read and
//! write, so it cannot say anything else than what is done.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::http::Method;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use zhiyin_model::role::{Role, verdict};

use super::caller::IDEMPOTENCY_KEY_CHARS_MAX;
use super::endpoint::{Endpoint, Kind};
use crate::problem::{CODES, Code, Details};

/// Codes with which any operation may refuse.
const ANY: [&str; 16] = [
    "key_missing",
    "key_unknown",
    "key_expired",
    "key_revoked",
    "not_signed_in",
    "csrf",
    "operation_refused",
    "key_narrowed",
    "grant_without_place",
    "grant_without_staff",
    "too_many_requests",
    "not_found",
    "method_not_allowed",
    "took_too_long",
    "reading_unavailable",
    "reading_failed",
];
/// Codes with which any operation at the door may refuse.
const DOOR: [&str; 5] =
    ["not_found", "method_not_allowed", "took_too_long", "reading_unavailable", "reading_failed"];
/// Operations at the door that anybody may ask.
const STRANGERS: [&str; 7] =
    ["setup_get", "setup", "session_ways", "session_begin", "me_door", "me_code", "me_session_begin"];
/// Codes of operations that take a body.
const BODY: [&str; 8] = [
    "not_utf8",
    "body_too_large",
    "body_unreadable",
    "content_type_not_json",
    "bad_json",
    "duplicate_key",
    "too_deep",
    "bad_body",
];
/// Codes of operations that read a query.
const QUERY: [&str; 2] = ["bad_query", "duplicate_key"];
/// Codes of commands.
const COMMAND: [&str; 5] = [
    "idempotency_key_missing",
    "bad_idempotency_key",
    "idempotency_key_reused",
    "still_deciding",
    "no_playbook",
];

/// The document, as it is served.
pub(crate) fn bytes(endpoints: &[Endpoint]) -> Bytes {
    let mut text = serde_json::to_vec_pretty(&document(endpoints)).unwrap_or_default();
    text.push(b'\n');
    Bytes::from(text)
}

/// The codes with which an operation may refuse, by their status.
pub(crate) fn refusals(endpoint: &Endpoint) -> BTreeMap<u16, Vec<&'static Code>> {
    let kind: &[&[&str]] = match endpoint.kind {
        Kind::Query => &[&QUERY],
        Kind::Body => &[&BODY, &QUERY],
        Kind::Command => &[&BODY, &QUERY, &COMMAND],
        Kind::Wire => &[],
    };
    let any: &[&str] = if endpoint.door.is_some() { &DOOR } else { &ANY };
    let signed_in = endpoint.door.is_some() && !STRANGERS.contains(&endpoint.id);
    let mut names: Vec<&str> = any
        .iter()
        .chain(signed_in.then_some(&"not_signed_in"))
        .chain(kind.iter().copied().flatten())
        .chain(endpoint.refusals)
        .copied()
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut by_status: BTreeMap<u16, Vec<&'static Code>> = BTreeMap::new();
    for name in names {
        if let Some(code) = CODES.iter().find(|code| code.name == name) {
            by_status.entry(code.status).or_default().push(code);
        }
    }
    by_status
}

/// Roles that may do an operation, wherever.
pub(crate) fn roles(endpoint: &Endpoint) -> Vec<&'static str> {
    if endpoint.door.is_some() {
        return Vec::new();
    }
    let may = |role: &&Role| verdict(**role, endpoint.needs).scope().is_some();
    Role::ALL.iter().filter(may).map(|role| role.name()).collect()
}

/// The document.
pub(crate) fn document(endpoints: &[Endpoint]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut taking = settings.clone().for_deserialize().into_generator();
    let mut giving = settings.for_serialize().into_generator();
    let problem = giving.subschema_for::<Details>();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, &mut taking, &mut giving, &problem);
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    let mut defined: BTreeMap<String, Value> = taking.take_definitions(true).into_iter().collect();
    defined.extend(giving.take_definitions(true));
    let schemas = used(&paths, defined);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Zhiyin 知音",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Know your customers, keep your promises to them.",
            "description": "Errors are problems of RFC 9457: `code` is stable, `title` is in the language of `Accept-Language`. \
                Commands bear an `Idempotency-Key` and are answered once they are decided and on disk. Lists are read by cursor: \
                `next` of a page is the `cursor` of the one after it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"basic": []}, {"cookie": [], "csrf": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The secret of a key: `zy_…`."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "zhiyin",
                    "description": "A session (`POST /v1/session`); by https the cookie is called `__Host-zhiyin`.",
                },
                "csrf": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Zhiyin-CSRF",
                    "description": "Beside the cookie, for whatever is no GET: `csrf` of the session.",
                },
                "basic": {"type": "http", "scheme": "basic", "description": "The secret as user name, with any password."},
            },
        },
    })
}

fn operation(
    endpoint: &Endpoint,
    taking: &mut SchemaGenerator,
    giving: &mut SchemaGenerator,
    problem: &Schema,
) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.title[0],
        "description": described(endpoint),
        "tags": [tag(endpoint.path)],
        "x-title-zh": endpoint.title[1],
        "x-operation": endpoint.needs.name(),
        "x-roles": roles(endpoint),
    });
    if endpoint.door.is_some()
        && let Some(operation) = operation.as_object_mut()
    {
        operation.remove("x-operation");
        operation.remove("x-roles");
        let security = match (STRANGERS.contains(&endpoint.id), endpoint.method == Method::GET) {
            (true, _) => json!([]),
            (false, true) => json!([{"cookie": []}]),
            (false, false) => json!([{"cookie": [], "csrf": []}]),
        };
        operation.insert("security".to_owned(), security);
    }
    let taken = resolved((endpoint.takes)(taking), taking);
    let mut parameters = parameters(endpoint, &taken);
    if endpoint.kind == Kind::Command {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": true,
            "description": "A word of your own: what comes again under it is done once and answered again.",
            "schema": {"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX},
            "example": "till-7-000123",
        }));
    }
    operation["parameters"] = parameters.into();
    if endpoint.kind != Kind::Query {
        operation["requestBody"] = body(endpoint, taken);
    }
    let given = (endpoint.gives)(giving);
    let mut answers = Map::new();
    let contents = endpoint.media.iter().map(|media| ((*media).to_owned(), json!({"schema": given})));
    let answer = json!({"description": "Done.", "content": contents.collect::<Map<_, _>>()});
    answers.insert(endpoint.status.as_u16().to_string(), answer);
    for (status, codes) in refusals(endpoint) {
        let said: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name, code.en)).collect();
        let mut answer = json!({
            "description": said.join("; "),
            "content": {"application/problem+json": {"schema": problem}},
        });
        if status == 429 || status == 503 {
            let seconds = json!({"type": "integer", "minimum": 0});
            answer["headers"] =
                json!({"Retry-After": {"description": "Seconds to wait.", "schema": seconds}});
        }
        answers.insert(status.to_string(), answer);
    }
    operation["responses"] = answers.into();
    operation
}

fn described(endpoint: &Endpoint) -> String {
    if endpoint.door.is_some() {
        return endpoint.about.to_owned();
    }
    let roles = roles(endpoint).join(", ");
    let needs = format!("Needs `{}` (roles: {roles}).", endpoint.needs);
    if endpoint.about.is_empty() { needs } else { format!("{} {needs}", endpoint.about) }
}

/// The schemas that anything refers to: what is taken whole stands where it is taken.
fn used(paths: &Map<String, Value>, defined: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = paths.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => open.extend(map.values()),
            Value::Array(list) => open.extend(list),
            Value::String(text) => {
                let Some((name, schema)) =
                    text.strip_prefix("#/components/schemas/").and_then(|name| defined.get_key_value(name))
                else {
                    continue;
                };
                if found.insert(name.clone()) {
                    open.push(schema);
                }
            }
            _ => {}
        }
    }
    defined.into_iter().filter(|(name, _)| found.contains(name)).collect()
}

/// The room of a path: its first word after the version.
pub(crate) fn tag(path: &str) -> &str {
    path.split('/').nth(2).unwrap_or("home")
}

/// A schema in place of a reference to it: what is in path and query stands apart.
fn resolved(schema: Schema, generator: &SchemaGenerator) -> Value {
    let value = schema.to_value();
    let named = value.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let found = named.and_then(|name| generator.definitions().get(name)).cloned();
    found.unwrap_or(value)
}

fn parameters(endpoint: &Endpoint, taken: &Value) -> Vec<Value> {
    let in_path = endpoint.path_parameters();
    let none = Map::new();
    let properties = taken.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> = taken
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut parameters = Vec::new();
    for (name, schema) in properties {
        let is_path = in_path.contains(&name.as_str());
        if !is_path && endpoint.kind != Kind::Query {
            continue;
        }
        let mut schema = schema.clone();
        let about = schema.get("description").cloned().unwrap_or_default();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
            // What may be left out is left out; a query knows no null.
            if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
                let kinds: Vec<Value> = kinds.into_iter().filter(|kind| kind != "null").collect();
                schema.insert("type".to_owned(), kinds.first().cloned().unwrap_or_default());
            }
            schema.remove("default");
        }
        let mut parameter = json!({
            "name": name,
            "in": if is_path { "path" } else { "query" },
            "required": is_path || required.contains(&name.as_str()),
            "description": about,
            "schema": schema,
        });
        if let Some(example) = endpoint.example.get(name) {
            parameter["example"] = example.clone();
        }
        parameters.push(parameter);
    }
    parameters
}

fn body(endpoint: &Endpoint, mut taken: Value) -> Value {
    let in_path = endpoint.path_parameters();
    if let Some(properties) = taken.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !in_path.contains(&name.as_str()));
    }
    if let Some(required) = taken.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !in_path.iter().any(|path| name == path));
    }
    let needed = taken.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
    let mut json = json!({"schema": taken});
    if let Value::Object(example) = &endpoint.example {
        let example: Map<String, Value> = example
            .iter()
            .filter(|(name, _)| !in_path.contains(&name.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        json["example"] = example.into();
    }
    json!({"required": needed, "content": {"application/json": json}})
}
