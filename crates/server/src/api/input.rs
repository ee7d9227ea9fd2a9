//! What a request says, read strictly: nothing unknown, nothing twice, nothing too large; what is wrong is named with its field.

use axum::body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zhiyin_model::event::json::Json;

use super::endpoint::Raw;
use crate::problem::Problem;

/// What takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The most bytes of a query.
const QUERY_BYTES_MAX: usize = 4 * 1024;

/// What a query says, in its order.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(Problem::of("bad_query").says(format!("a query has at most {QUERY_BYTES_MAX} bytes")));
    }
    Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// A body within its bound.
pub(crate) async fn bytes(body: Body, max: usize) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, max).collect().await {
        Ok(whole) => Ok(whole.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() || is_too_large(error.as_ref()) => {
            Err(Problem::of("body_too_large"))
        }
        Err(_) => Err(Problem::of("body_unreadable")),
    }
}

/// Whether a bound further out was the one that was passed.
fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// Path and query as what an operation takes.
pub(crate) fn from_query<T: DeserializeOwned>(said: &[(String, String)]) -> Result<T, Problem> {
    for (n, (name, _)) in said.iter().enumerate() {
        if said[..n].iter().any(|(before, _)| before == name) {
            return Err(Problem::of("duplicate_key").at(name).says(format!("{name:?} is said twice")));
        }
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { String::new() } else { field };
        Problem::of("bad_query").at(&field).says(error.into_inner().to_string())
    })
}

/// A JSON body, and what the path names, as one object.
pub(crate) fn body(raw: &Raw) -> Result<Value, Problem> {
    if raw.not_json {
        return Err(Problem::of("content_type_not_json"));
    }
    let bytes: &[u8] = if raw.body.is_empty() { b"{}" } else { &raw.body };
    // Depth, keys that come twice, numbers beyond measure: as at the door.
    Json::parse(bytes).map_err(Problem::from)?;
    let bad = |error: serde_json::Error| Problem::of("bad_json").says(error.to_string());
    let mut value: Value = serde_json::from_slice(bytes).map_err(bad)?;
    let Value::Object(fields) = &mut value else {
        return Err(Problem::of("bad_body").says("a body is a JSON object".to_owned()));
    };
    for (name, text) in &raw.said {
        if fields.insert(name.clone(), Value::String(text.clone())).is_some() {
            return Err(Problem::of("duplicate_key").at(name).says(format!("{name:?} is said twice")));
        }
    }
    Ok(value)
}

/// A body as what an operation takes.
pub(crate) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { String::new() } else { field };
        Problem::of("bad_body").at(&field).says(error.into_inner().to_string())
    })
}
