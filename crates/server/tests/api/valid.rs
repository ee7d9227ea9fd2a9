//! Whether an answer is what the document says: the part of JSON Schema that the document uses, and nothing is let pass that it
//! does not use.

use serde_json::{Map, Value};

/// What of an answer is not as the document says; nothing if all is.
pub fn wrongs(document: &Value, schema: &Value, answer: &Value, at: &str) -> Vec<String> {
    let wrong = |what: String| vec![format!("{at}: {what}")];
    let fields = match schema {
        Value::Bool(true) => return Vec::new(),
        Value::Object(fields) => fields,
        other => return wrong(format!("no schema: {other}")),
    };
    if let Some(reference) = fields.get("$ref") {
        let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let found = document.pointer(path).unwrap_or_else(|| panic!("{reference}"));
        return wrongs(document, found, answer, at);
    }
    if let Some(any) = fields.get("anyOf").or(fields.get("oneOf")) {
        let all: Vec<Vec<String>> =
            any.as_array().unwrap().iter().map(|one| wrongs(document, one, answer, at)).collect();
        return if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() };
    }
    if let Some(value) = fields.get("const") {
        return if value == answer { Vec::new() } else { wrong(format!("{answer} is not {value}")) };
    }
    if let Some(values) = fields.get("enum") {
        let is_one = values.as_array().unwrap().contains(answer);
        return if is_one { Vec::new() } else { wrong(format!("{answer} is none of {values}")) };
    }
    let kinds: Vec<&str> = match fields.get("type") {
        None => return Vec::new(),
        Some(Value::String(kind)) => vec![kind],
        Some(kinds) => kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
    };
    let is = |kind: &&str| match *kind {
        "null" => answer.is_null(),
        "boolean" => answer.is_boolean(),
        "integer" => answer.is_i64() || answer.is_u64(),
        "number" => answer.is_number(),
        "string" => answer.is_string(),
        "array" => answer.is_array(),
        "object" => answer.is_object(),
        other => panic!("{at}: a type {other}"),
    };
    if !kinds.iter().any(is) {
        return wrong(format!("{answer} is no {kinds:?}"));
    }
    match answer {
        Value::Array(list) => {
            let of = fields.get("items").cloned().unwrap_or(Value::Bool(true));
            let each = list.iter().enumerate();
            each.flat_map(|(n, one)| wrongs(document, &of, one, &format!("{at}[{n}]"))).collect()
        }
        Value::Object(object) => object_wrongs(document, fields, object, at),
        _ => Vec::new(),
    }
}

fn object_wrongs(
    document: &Value,
    fields: &Map<String, Value>,
    object: &Map<String, Value>,
    at: &str,
) -> Vec<String> {
    let mut all = Vec::new();
    let none = Map::new();
    let known = fields.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for name in fields.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            all.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, value) in object {
        let at = format!("{at}.{name}");
        match (known.get(name), fields.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                all.extend(wrongs(document, schema, value, &at));
            }
            (None, Some(Value::Bool(true))) => {}
            (None, _) => all.push(format!("{at}: not in the document")),
        }
    }
    all
}
