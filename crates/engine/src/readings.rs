//! What the command line reports, as programs read it: the same numbers, cut by the brand's tree and by time, as far as a grant
//! may see. Read on in [`queues`] (what waits for somebody to look at it), [`brand`] (the tree, the playbook) and [`home`] (the
//! audit log, the doctor).

pub mod brand;
pub mod home;
pub mod queues;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zhiyin_decide::naming;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Day;
use zhiyin_store::reading::Which;

use crate::boxed;
use crate::reports::{Report, Seen, Table};
use crate::sight::{ReadProblem, sees_all};
use crate::{Engine, EngineError, Result, clock};

/// How many members are read at once.
const AT_ONCE: usize = 500;
/// Columns whose cells are texts, whatever stands in them.
const TEXTS: [&str; 13] = [
    "tier",
    "lifecycle",
    "asset",
    "kind",
    "against",
    "member",
    "belongs",
    "place",
    "name",
    "partner",
    "store",
    "last_order",
    "namespace",
];

/// A report that can be asked for by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// One of those that are cut by the tree.
    Report(Report),
    /// Partners: whom they brought, what those bought since, whom we sent to them.
    Partners,
}

impl Reported {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Report(Report::Tiers),
        Self::Report(Report::Lifecycle),
        Self::Report(Report::Ledger),
        Self::Report(Report::Members),
        Self::Report(Report::Places),
        Self::Partners,
    ];

    /// Its name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report(Report::Tiers) => "tiers",
            Self::Report(Report::Lifecycle) => "lifecycle",
            Self::Report(Report::Ledger) => "ledger",
            Self::Report(Report::Members) => "members",
            Self::Report(Report::Places) => "places",
            Self::Partners => "partners",
        }
    }

    /// The report of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A table: columns in their order, and a row by column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportView {
    /// Names of the columns, stable, in the order in which people read them.
    pub columns: Vec<String>,
    /// Cells by column: whole numbers, or texts.
    pub rows: Vec<BTreeMap<String, Value>>,
    /// The instant it speaks of.
    pub as_of: String,
    /// True when a past day was asked for: attributes and tags, where shown, are still those of now.
    pub past: bool,
    /// By what it was cut, as a sentence.
    pub cut: Option<String>,
}

/// A whole number as such, everything else as text.
fn typed(column: &str, cell: String) -> Value {
    let number = (!TEXTS.contains(&column)).then(|| cell.parse::<i64>().ok()).flatten();
    number.map_or(Value::String(cell), Value::from)
}

impl From<Table> for ReportView {
    fn from(table: Table) -> Self {
        let row = |row: Vec<String>| {
            let cells = table.columns.iter().zip(row);
            cells.map(|(column, cell)| (column.clone(), typed(column, cell))).collect()
        };
        Self {
            rows: table.rows.into_iter().map(row).collect(),
            columns: table.columns,
            as_of: table.as_of.rfc3339(),
            past: table.past,
            cut: table.cut,
        }
    }
}

/// The place that cuts a report: the one asked for, or that of the grant; never one outside of it.
fn cut_by<'c>(filter: &Filter, grant: &'c Grant, under: Option<&'c str>) -> Result<Option<&'c str>> {
    match (&filter.bound, under) {
        (Bound::Places(places), Some(under)) if places.contains(under) => Ok(Some(under)),
        (Bound::Places(_), None) => Ok(grant.place.as_deref()),
        (Bound::Places(_), Some(under)) => Err(EngineError::NoPlace(under.to_owned())),
        (Bound::Everything | Bound::Advisor(_), under) => Ok(under),
    }
}

impl Engine {
    /// A report of what is decided, as of the end of a day or of now, cut by a place. Members are named by their id alone.
    #[boxed]
    pub async fn report_view(
        &self,
        grant: &Grant,
        named: Reported,
        day: Option<Day>,
        under: Option<&str>,
    ) -> Result<ReportView> {
        let filter = self.filter(grant, Operation::ReportsRead).await?;
        let report = match named {
            Reported::Partners if !sees_all(&filter) => return Err(ReadProblem::Whole.into()),
            Reported::Partners if under.is_some() => return Err(ReadProblem::Word("under").into()),
            Reported::Partners => return Ok(self.partners_decided(day).await?.into()),
            Reported::Report(report) => report,
        };
        let of = match (&filter.bound, report) {
            // What there is of the ledger and of places is not known by whom one looks after.
            (Bound::Advisor(_), Report::Ledger | Report::Places) => return Err(ReadProblem::Whole.into()),
            (Bound::Advisor(code), _) => Some(self.looked_after_by(code).await?),
            _ => None,
        };
        let under = cut_by(&filter, grant, under)?;
        let seen = Seen { of, nameless: true };
        Ok(self.report_seen(report, day, (under, &seen)).await?.into())
    }

    /// Members whom somebody of the staff looks after now.
    pub(crate) async fn looked_after_by(&self, code: &str) -> Result<BTreeSet<MemberId>> {
        let key = naming::advisor_key(&self.home().await?.id_key, code);
        let reading = self.store().reading();
        let (mut found, mut after) = (BTreeSet::new(), None);
        loop {
            let part = reading.list(Which { key: Some(key), ..Which::default() }, after, AT_ONCE).await?;
            let ids = part.members.iter().map(|(_, id)| *id).collect();
            let members = reading.members(ids).await?;
            let theirs = members.iter().filter(|member| naming::advisor(member) == Some(code));
            found.extend(theirs.map(|member| member.id));
            let Some(next) = part.next else { return Ok(found) };
            after = Some(next);
        }
    }

    /// A day that was asked for, which must have come.
    pub(crate) async fn come(&self, day: Option<Day>) -> Result<()> {
        let now = clock::now(&self.home().await?);
        match day.filter(|day| *day > self.zone().day(now)) {
            Some(day) => Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339())),
            None => Ok(()),
        }
    }
}
