//! What is written down about a home, and whether it is well.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::audit::Entry;

use super::queues::since;
use crate::boxed;
use crate::sight::{self, Cursors, Page, ReadProblem};
use crate::{Engine, Result, audit};

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditView {
    /// Its number.
    pub no: i64,
    /// When, by the wall clock.
    pub at: String,
    /// Who: `staff:CODE`, `key:ID`, `system:ACCOUNT`.
    pub who: String,
    /// As what.
    pub role: String,
    /// What was done.
    pub operation: String,
    /// On what: a code, or a keyed hash of a person.
    pub target: String,
    /// How it went: `begun`, `done`, `failed`, `refused`.
    pub outcome: String,
    /// More; never personal data.
    pub detail: Value,
    /// The chain up to here, in hexadecimal digits: keep `NO:HASH` elsewhere to prove the log later.
    pub hash: String,
}

/// Whether a home is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DoctorView {
    /// Whether every invariant holds.
    pub well: bool,
    /// Whether personal data is sealed.
    pub sealed: bool,
    /// Every invariant.
    pub checks: Vec<CheckView>,
}

/// An invariant, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckView {
    /// What must be true, as a sentence.
    pub invariant: String,
    /// What breaks it; nothing where it holds.
    pub broken: Vec<String>,
}

/// Whether the audit log holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditVerdict {
    /// Whether each line follows from the one before.
    pub holds: bool,
    /// The last line as `NO:HASH`, if it holds.
    pub end: Option<String>,
    /// What breaks it, if it does not.
    pub broken: Option<String>,
}

fn line(entry: Entry) -> AuditView {
    let hash = entry.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let note = entry.note;
    AuditView {
        no: entry.no,
        at: note.at.rfc3339(),
        who: note.who,
        role: note.role,
        operation: note.operation,
        target: note.target,
        outcome: note.outcome,
        detail: serde_json::from_str(&note.detail).unwrap_or_default(),
        hash,
    }
}

impl Engine {
    /// A page of the audit log, the oldest first; of these only what is not before a day or an instant.
    #[boxed]
    pub async fn audit_view(
        &self,
        grant: &Grant,
        from: Option<&str>,
        (limit, cursor): (usize, Option<&str>),
    ) -> Result<Page<AuditView>> {
        self.filter(grant, Operation::AuditRead).await?;
        let limit = sight::limit(limit)?;
        let zone = self.zone();
        let asked: Option<Ts> =
            from.map(|text| since(&zone, text).ok_or(ReadProblem::Word("since"))).transpose()?;
        let key = self.home().await?.id_key;
        let cursors = Cursors::of(&key, json!({"list": "audit", "since": asked.map(|at| at.0)}));
        let after = cursors.number(cursor)?.unwrap_or(i64::MIN);
        let mut lines = self.store().access().audit(after, asked, limit + 1).await?;
        let more = lines.len() > limit;
        lines.truncate(limit);
        let next = lines.last().filter(|_| more).map(|last| cursors.text(&last.no.to_be_bytes()));
        Ok(Page { items: lines.into_iter().map(line).collect(), next })
    }

    /// Whether the audit log holds from its first line to its last: a walk over all of it.
    #[boxed]
    pub async fn audit_verdict(&self, grant: &Grant) -> Result<AuditVerdict> {
        self.filter(grant, Operation::AuditRead).await?;
        Ok(match audit::verify(self.store().as_ref(), None).await? {
            Ok(end) => AuditVerdict { holds: true, end: Some(end.to_string()), broken: None },
            Err(broken) => AuditVerdict { holds: false, end: None, broken: Some(broken.to_string()) },
        })
    }

    /// Checks every invariant: a long look at the whole home.
    #[boxed]
    pub async fn doctor_view(&self, grant: &Grant) -> Result<DoctorView> {
        self.filter(grant, Operation::HomeManage).await?;
        let checks: Vec<CheckView> = self
            .store()
            .doctor()
            .await?
            .into_iter()
            .map(|check| CheckView { invariant: check.invariant, broken: check.broken })
            .collect();
        Ok(DoctorView {
            well: checks.iter().all(|check| check.broken.is_empty()),
            sealed: self.store().personal().is_some_and(|personal| personal.vault().is_sealed()),
            checks,
        })
    }
}
