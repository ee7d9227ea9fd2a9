//! Dead letters as people and programs read them: paged, as far as a role may see, and put back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_store::read::DeadLetter;
use zhiyin_store::reading::Letters;

use crate::audit::{Target, detail};
use crate::boxed;
use crate::sight::{self, Cursors, Page, ReadProblem, bounded};
use crate::{Engine, EngineError, Result, clock};

/// The most that one call puts back.
pub const RETRIED_MAX: usize = 10_000;

/// Which dead letters are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LettersAsked {
    /// Of this code.
    pub code: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// How many, 1 to 200.
    #[serde(skip)]
    pub limit: usize,
    /// Where the page before ended.
    #[serde(skip)]
    pub cursor: Option<String>,
}

/// Which are put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// These.
    These(Vec<i64>),
    /// All of a code and a source, as far as these are said.
    All {
        /// Of this code.
        code: Option<String>,
        /// Of this source.
        source: Option<String>,
    },
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetterView {
    /// Its place: what a retry names.
    pub seq: i64,
    /// Who sent it.
    pub source: String,
    /// What its source calls it; only for who may see people.
    pub message_id: Option<String>,
    /// Event name.
    pub event: String,
    /// When it happened.
    pub at: String,
    /// Why it could not be decided, as a name.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// A sentence, which may quote what was sent; only for who may see people.
    pub message: Option<String>,
    /// When it was given up, in business time.
    pub given_up_at: String,
}

/// What a retry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RetriedView {
    /// How many were put back; they are decided next, and may become dead letters again.
    pub put_back: u64,
    /// Whether there may be more of what was asked for: one call puts back 10,000 at most.
    pub more: bool,
}

fn view(mask: Mask, letter: DeadLetter) -> DeadLetterView {
    // What was sent may stand in these: masked is not enough, since nobody knows where in it.
    let shown = |text: String| (mask == Mask::Full).then_some(text);
    DeadLetterView {
        seq: letter.seq,
        source: letter.source,
        message_id: shown(letter.message_id),
        event: letter.name,
        at: letter.time.rfc3339(),
        code: letter.code,
        field: letter.field,
        message: shown(letter.message),
        given_up_at: letter.at.rfc3339(),
    }
}

impl Engine {
    /// A page of dead letters, newest first.
    #[boxed]
    pub async fn dead_letters(&self, grant: &Grant, asked: &LettersAsked) -> Result<Page<DeadLetterView>> {
        let filter = self.filter(grant, Operation::DeadLettersRead).await?;
        let limit = sight::limit(asked.limit)?;
        bounded(&[("code", asked.code.as_deref()), ("source", asked.source.as_deref())])?;
        let key = self.home().await?.id_key;
        let cursors = Cursors::of(&key, json!({"list": "dead letters", "asked": asked}));
        let before = cursors.number(asked.cursor.as_deref())?;
        let which = Letters { code: asked.code.clone(), source: asked.source.clone(), before };
        let mut letters = self.store().reading().letters(which, limit + 1).await?;
        let more = letters.len() > limit;
        letters.truncate(limit);
        let next = letters.last().filter(|_| more).map(|last| cursors.text(&last.seq.to_be_bytes()));
        Ok(Page { items: letters.into_iter().map(|letter| view(filter.mask, letter)).collect(), next })
    }

    /// Puts dead letters back into the inbox; whoever decides takes them next. What is asked for that is no dead letter any
    /// more is passed over.
    #[boxed]
    pub async fn retry_letters(&self, grant: &Grant, which: &Retried) -> Result<RetriedView> {
        self.filter(grant, Operation::DeadLettersRetry).await?;
        let mut seqs = match which {
            Retried::These(seqs) if seqs.is_empty() || seqs.len() > RETRIED_MAX => {
                return Err(ReadProblem::Word("seqs").into());
            }
            Retried::These(seqs) => seqs.clone(),
            Retried::All { code, source } => {
                bounded(&[("code", code.as_deref()), ("source", source.as_deref())])?;
                let which = Letters { code: code.clone(), source: source.clone(), before: None };
                let letters = self.store().reading().letters(which, RETRIED_MAX + 1).await?;
                letters.into_iter().map(|letter| letter.seq).collect()
            }
        };
        let more = seqs.len() > RETRIED_MAX;
        seqs.truncate(RETRIED_MAX);
        // In the order in which they came.
        seqs.sort_unstable();
        let beside = detail(json!({"letters": seqs.len()}));
        let on = (Operation::DeadLettersRetry, &Target::home());
        let put_back = self.audited(grant, on, &beside, async {
            let now = clock::now(&self.home().await?);
            Ok::<_, EngineError>(self.store().retry_dead_letters(seqs, now).await?)
        });
        let put_back = put_back.await? as u64;
        self.wake();
        Ok(RetriedView { put_back, more })
    }
}
