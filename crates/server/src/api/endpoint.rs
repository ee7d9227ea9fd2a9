//! One operation: what it is called and needs, what it takes and gives, and the code that does it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::CommandDone;
use super::input;
use crate::problem::Problem;
use crate::sign_in::{Says, Visit};

/// An answer on its way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;
type Handler = Arc<dyn Fn(Caller, Raw) -> Answering + Send + Sync>;
type Door = Arc<dyn Fn(Visit, Raw) -> Answering + Send + Sync>;
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// How an operation takes what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In its path and query: it reads.
    Query,
    /// As a JSON body, beside what its path names.
    Body,
    /// The same; done once for each `Idempotency-Key`, which must be there.
    Command,
    /// As whatever clients of the Segment family send: answered by [`crate::wire`], described here.
    Wire,
}

/// A request as it came, within bounds.
pub(crate) struct Raw {
    /// What the path and the query say, in this order.
    pub(crate) said: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Where the body's type of content is not JSON.
    pub(crate) not_json: bool,
}

impl Raw {
    /// Reads a request within the bounds of its operation.
    pub(crate) async fn read(
        endpoint: &Endpoint,
        params: &RawPathParams,
        head: &Parts,
        body: Body,
    ) -> Result<Self, Problem> {
        let query = head.uri.query().unwrap_or_default();
        let path = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pairs = input::pairs(query)?;
        // Addresses are written to logs on the way: what a body says stands in the body.
        if endpoint.kind != Kind::Query && !pairs.is_empty() {
            return Err(Problem::of("bad_query").says("what this takes stands in its body".to_owned()));
        }
        let said = path.chain(pairs).collect();
        let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let not_json = kind.is_some_and(|kind| !kind.to_ascii_lowercase().contains("json"));
        let body = match endpoint.kind {
            Kind::Query | Kind::Wire => Vec::new(),
            Kind::Body | Kind::Command => input::bytes(body, endpoint.body_bytes_max).await?,
        };
        Ok(Self { said, body, not_json })
    }
}

/// What an operation can take.
pub(crate) trait Taken: DeserializeOwned + JsonSchema + Send + 'static {}
impl<T: DeserializeOwned + JsonSchema + Send + 'static> Taken for T {}

/// What an operation can give.
pub(crate) trait Given: Serialize + JsonSchema + 'static {}
impl<T: Serialize + JsonSchema + 'static> Given for T {}

/// Code of an operation at work.
pub(crate) trait Answers<O>: Future<Output = Result<O, Problem>> + Send + 'static {}
impl<O, F: Future<Output = Result<O, Problem>> + Send + 'static> Answers<O> for F {}

/// In the place of a command's code, which its own handler runs.
async fn undone<I, O>(_: Caller, _: I) -> Result<O, Problem> {
    Err(Problem::of("not_found"))
}

/// What a command is asked, and by whom: whole and in one form.
fn asked<I: Taken>(mut caller: Caller, id: &str, raw: &Raw) -> Result<(Arc<Caller>, I), Problem> {
    let body = input::body(raw)?;
    caller.request = format!("{id} {body}");
    let taken: I = input::read(body)?;
    Ok((Arc::new(caller), taken))
}

/// Runs a command once for its idempotency key. One that came before is answered from the record.
async fn once<I: Taken, F: Answers<CommandDone>>(
    caller: &Arc<Caller>,
    taken: I,
    run: fn(Arc<Caller>, I) -> F,
) -> Result<CommandDone, Problem> {
    if let Some(before) = caller.before().await? {
        return Ok(before);
    }
    match run(Arc::clone(caller), taken).await {
        // Another request of this key may have been quicker, and have changed what this one looked up.
        Err(problem) if problem.status().is_client_error() => caller.before().await?.ok_or(problem),
        answer => answer,
    }
}

/// The largest body of an operation that says nothing else, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// One operation.
pub(crate) struct Endpoint {
    /// Its name, as clients that are made from the document call it.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// With parameters in braces.
    pub(crate) path: &'static str,
    /// What of the matrix it needs.
    pub(crate) needs: Operation,
    pub(crate) kind: Kind,
    /// In English and in Chinese.
    pub(crate) title: [&'static str; 2],
    /// More of it, in English.
    pub(crate) about: &'static str,
    /// Codes with which it may refuse, beside those that any may.
    pub(crate) refusals: &'static [&'static str],
    /// What it might be given.
    pub(crate) example: Value,
    pub(crate) status: StatusCode,
    pub(crate) body_bytes_max: usize,
    pub(crate) takes: SchemaOf,
    pub(crate) gives: SchemaOf,
    /// As what it gives it.
    pub(crate) media: &'static [&'static str],
    pub(crate) handler: Handler,
    /// Where nobody has a key yet, or changes how they come in: the code for whoever is at the door. What it needs of the matrix is
    /// nothing then.
    pub(crate) door: Option<Door>,
}

impl Endpoint {
    /// An operation whose code takes `I` and gives `O`.
    fn new<I: Taken, O: Given, F: Answers<O>>(
        (kind, method): (Kind, Method),
        (id, path): (&'static str, &'static str),
        needs: Operation,
        run: fn(Caller, I) -> F,
    ) -> Self {
        let handler = move |caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move {
                let taken: I = match kind {
                    Kind::Query => input::from_query(&raw.said)?,
                    Kind::Body | Kind::Command | Kind::Wire => input::read(input::body(&raw)?)?,
                };
                let given = run(caller, taken).await?;
                Ok(Json(given).into_response())
            })
        };
        Self {
            id,
            method,
            path,
            needs,
            kind,
            title: ["", ""],
            about: "",
            refusals: &[],
            example: Value::Null,
            status: StatusCode::OK,
            body_bytes_max: BODY_BYTES_MAX,
            takes: |generator| generator.subschema_for::<I>(),
            gives: |generator| generator.subschema_for::<O>(),
            media: &["application/json"],
            handler: Arc::new(handler),
            door: None,
        }
    }

    /// One at the door, where people sign in.
    pub(crate) fn door<I: Taken, S: Says, F: Future<Output = Result<S, Problem>> + Send + 'static>(
        (kind, method): (Kind, Method),
        (id, path): (&'static str, &'static str),
        run: fn(Visit, I) -> F,
    ) -> Self {
        let door = move |visit: Visit, raw: Raw| -> Answering {
            Box::pin(async move {
                let taken: I = match kind {
                    Kind::Query => input::from_query(&raw.said)?,
                    Kind::Body | Kind::Command | Kind::Wire => input::read(input::body(&raw)?)?,
                };
                Ok(run(visit, taken).await?.said())
            })
        };
        // Its handler is never asked.
        let never = |_: Caller, _: I| std::future::ready(Err::<Value, _>(Problem::of("not_found")));
        let described = Self::new((kind, method), (id, path), Operation::ReportsRead, never);
        let gives: SchemaOf = |generator| generator.subschema_for::<S::Said>();
        Self { gives, door: Some(Arc::new(door)), ..described }
    }

    /// One that reads: what it takes is in its path and query.
    pub(crate) fn get<I: Taken, O: Given, F: Answers<O>>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Caller, I) -> F,
    ) -> Self {
        Self::new((Kind::Query, Method::GET), (id, path), needs, run)
    }

    /// One that changes something, by a method; what its path names comes as fields beside those of the body.
    pub(crate) fn change<I: Taken, O: Given, F: Answers<O>>(
        method: Method,
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Caller, I) -> F,
    ) -> Self {
        Self::new((Kind::Body, method), (id, path), needs, run)
    }

    /// One that gives a file, piece by piece: CSV or Parquet.
    pub(crate) fn file<I: Taken, F: Future<Output = Result<Response, Problem>> + Send + 'static>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Caller, I) -> F,
    ) -> Self {
        let described = |_: Caller, _: I| std::future::ready(Err::<String, _>(Problem::of("not_found")));
        let handler = move |caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move { run(caller, input::read(input::body(&raw)?)?).await })
        };
        let media = &["text/csv", "application/vnd.apache.parquet"];
        let endpoint = Self::new::<I, String, _>((Kind::Body, Method::POST), (id, path), needs, described);
        Self { handler: Arc::new(handler), media, ..endpoint }
    }

    /// One that reads and gives a picture.
    pub(crate) fn picture<I: Taken, F: Future<Output = Result<Response, Problem>> + Send + 'static>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        media: &'static [&'static str],
        run: fn(Caller, I) -> F,
    ) -> Self {
        let described = |_: Caller, _: I| std::future::ready(Err::<String, _>(Problem::of("not_found")));
        let handler = move |caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move { run(caller, input::from_query(&raw.said)?).await })
        };
        let endpoint = Self::new::<I, String, _>((Kind::Query, Method::GET), (id, path), needs, described);
        Self { handler: Arc::new(handler), media, ..endpoint }
    }

    /// One that goes through the pipeline, once for each idempotency key. One that came before is answered from the record,
    /// whatever became since of whom it names.
    pub(crate) fn command<I: Taken, F: Answers<CommandDone>>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Arc<Caller>, I) -> F,
    ) -> Self {
        let handler = move |caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move {
                let (caller, taken) = asked(caller, id, &raw)?;
                Ok(Json(once(&caller, taken, run).await?).into_response())
            })
        };
        let described = Self::new((Kind::Command, Method::POST), (id, path), needs, undone::<I, CommandDone>);
        Self { handler: Arc::new(handler), ..described }
    }

    /// The same where what is told of it is more than what was booked: it is read from the record each time.
    pub(crate) fn command_told<I: Taken + Clone, O: Given + Send, F: Answers<CommandDone>, G: Answers<O>>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Arc<Caller>, I) -> F,
        tell: fn(Arc<Caller>, I, CommandDone) -> G,
    ) -> Self {
        let handler = move |caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move {
                let (caller, taken): (_, I) = asked(caller, id, &raw)?;
                let done = once(&caller, taken.clone(), run).await?;
                Ok(Json(tell(caller, taken, done).await?).into_response())
            })
        };
        let described = Self::new((Kind::Command, Method::POST), (id, path), needs, undone::<I, O>);
        Self { handler: Arc::new(handler), ..described }
    }

    /// A command whose code says itself whether it came before: where something else is asked first, or more is told.
    pub(crate) fn own_command<I: Taken, O: Given + Send, F: Answers<O>>(
        id: &'static str,
        path: &'static str,
        needs: Operation,
        run: fn(Arc<Caller>, I) -> F,
    ) -> Self {
        let handler = move |mut caller: Caller, raw: Raw| -> Answering {
            Box::pin(async move {
                let body = input::body(&raw)?;
                caller.request = format!("{id} {body}");
                let taken: I = input::read(body)?;
                Ok(Json(run(Arc::new(caller), taken).await?).into_response())
            })
        };
        let undone = |_: Caller, _: I| std::future::ready(Err::<O, _>(Problem::of("not_found")));
        let described = Self::new((Kind::Command, Method::POST), (id, path), needs, undone);
        Self { handler: Arc::new(handler), ..described }
    }

    /// An address of the wire: what it takes and gives as types, so that it is described like any other.
    pub(crate) fn wire<I, O>(id: &'static str, path: &'static str) -> Self
    where
        I: JsonSchema + 'static,
        O: Serialize + JsonSchema + Send + 'static,
    {
        // Its route leads to the wire; this one is never asked.
        let run = |_: Caller, _: Value| std::future::ready(Err::<O, _>(Problem::of("not_found")));
        let described = Self::new((Kind::Wire, Method::POST), (id, path), Operation::IngestPublic, run);
        Self { takes: |generator| generator.subschema_for::<I>(), ..described }
    }

    /// What it is called, in English and Chinese, and more of it in English.
    pub(crate) fn says(self, english: &'static str, chinese: &'static str, about: &'static str) -> Self {
        Self { title: [english, chinese], about, ..self }
    }

    /// With which codes it may refuse.
    pub(crate) fn refuses(self, refusals: &'static [&'static str]) -> Self {
        Self { refusals, ..self }
    }

    /// What it might be given: body, or path and query.
    pub(crate) fn example(self, example: Value) -> Self {
        Self { example, ..self }
    }

    /// The largest body that it takes, in bytes.
    pub(crate) fn body_at_most(self, body_bytes_max: usize) -> Self {
        Self { body_bytes_max, ..self }
    }

    /// Names of the parameters in its path.
    pub(crate) fn path_parameters(&self) -> Vec<&'static str> {
        let braces = self.path.split('{').skip(1);
        braces.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }
}
