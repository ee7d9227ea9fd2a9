//! How much memory audiences would take: columns of a made-up crowd under the live playbook, measured and scaled up.

use std::sync::Arc;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_audience::Person;
use zhiyin_audience::population::{Budget, Change, Population};
use zhiyin_condition::{ItemRow, OrderRow};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::AttributeKind;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Day, Ts};

use super::AudienceProblem;
use super::asking::layout;
use crate::boxed;
use crate::{Engine, Live, Result};

/// Members of the made-up crowd: a block of columns.
const CROWD: u64 = 65_536;
/// Rows of history that are made up at most.
const ROWS_MAX: u64 = 1_000_000;
/// The most members and orders that are planned for.
const MEMBERS_MAX: u64 = 4_000_000_000;
const ORDERS_MAX: u32 = 10_000;
/// How far back their orders go.
const YEARS_DAYS: u64 = 3 * 365;

/// What audiences would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanView {
    /// Members.
    pub members: u64,
    /// Orders of each.
    pub orders_per_member: u32,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes by column, the most first.
    pub columns: Vec<ColumnView>,
}

/// What a column would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnView {
    /// Which.
    pub column: String,
    /// Bytes.
    pub bytes: u64,
}

/// Numbers that look drawn and are not: the same each time.
fn mixed(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 32)
}

fn below(n: u64, a: u64, b: u64) -> i64 {
    i64::try_from(mixed(a, b) % n).unwrap_or(0)
}

fn value(kind: AttributeKind, a: u64, b: u64) -> Scalar {
    match kind {
        AttributeKind::Bool => Scalar::Bool(below(2, a, b) == 0),
        AttributeKind::Number => Scalar::Number(Decimal::from(below(100, a, b))),
        AttributeKind::Text => Scalar::Text(format!("value {}", below(30, a, b))),
        AttributeKind::Texts => {
            Scalar::Texts((0..2).map(|n| format!("value {}", below(30, a, b + n))).collect())
        }
        AttributeKind::Date => Scalar::Text(Day(i32::try_from(below(20_000, a, b)).unwrap_or(0)).to_string()),
    }
}

fn person(live: &Live, n: u64, orders: u32, names: &[Arc<str>]) -> Person {
    let name = |of: u64, b: u64| Some(Arc::clone(&names[usize::try_from(mixed(n, b) % of).unwrap_or(0)]));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let mut person = Person::gone(MemberId::from_bytes(id));
    for (at, (key, attribute)) in (0u64..).zip(&live.playbook.attributes) {
        // A third of it is not known.
        if below(3, n, at) > 0 {
            person.attributes.insert(key.clone(), value(attribute.kind, n, at + 100));
        }
    }
    let tags = (0u64..).zip(live.playbook.tags.keys()).filter(|(at, _)| below(5, n, at + 200) == 0);
    person.tags = tags.map(|(_, tag)| tag.clone()).collect();
    let levels = &live.rules.tiers.levels;
    person.tier = levels
        .get(usize::try_from(below(levels.len().max(1) as u64, n, 300)).unwrap_or(0))
        .map(|(id, _)| id.clone());
    let stages = &live.rules.stages;
    person.lifecycle = stages
        .get(usize::try_from(below(stages.len().max(1) as u64, n, 301)).unwrap_or(0))
        .map(|stage| stage.id.clone());
    person.store = name(500, 302).map(|store| store.to_string());
    person.points = below(20_000, n, 303);
    person.enrolled_at = Some(Ts(below(YEARS_DAYS, n, 304) * DAY_US));
    for order in 0..u64::from(orders) {
        let b = 1_000 + order * 10;
        let item = ItemRow {
            product: name(5_000, b).unwrap_or_else(|| "p".into()),
            category: name(20, b + 1),
            department: name(5, b + 2),
            quantity: Decimal::from(1 + below(3, n, b + 3)),
            paid: Money(100 + below(20_000, n, b + 4)),
        };
        person.orders.push(OrderRow {
            time: Ts(below(YEARS_DAYS * 86_400, n, b + 5) * 1_000_000),
            paid: item.paid,
            store: name(500, b + 6),
            channel: name(4, b + 7),
            items: vec![item],
        });
    }
    person
}

impl Engine {
    /// What audiences would take with so many members, each with so many orders of one line, under the live playbook.
    #[boxed]
    pub async fn audience_plan(&self, members: u64, orders_per_member: u32) -> Result<PlanView> {
        if !(1..=MEMBERS_MAX).contains(&members) || orders_per_member > ORDERS_MAX {
            return Err(AudienceProblem::Plan.into());
        }
        let live = self.live()?;
        let planned = tokio::task::spawn_blocking(move || plan(&live, members, orders_per_member)).await;
        planned.map_err(|error| zhiyin_store::StoreError::Database(error.to_string()))?
    }
}

fn plan(live: &Live, members: u64, orders_per_member: u32) -> Result<PlanView> {
    let crowd = CROWD.min(members).min((ROWS_MAX / u64::from(orders_per_member.max(1))).max(1_000));
    let names: Vec<Arc<str>> = (0..5_000).map(|n| Arc::from(format!("name {n}"))).collect();
    let population = Population::new(layout(live), Budget::default());
    let changes: Vec<Change> =
        (0..crowd).map(|n| Change::Put(Box::new(person(live, n, orders_per_member, &names)))).collect();
    population.apply(&changes).map_err(AudienceProblem::OverBudget)?;
    let seen = population.seen();
    let scaled = |bytes: usize| {
        let scaled = bytes as u128 * u128::from(members) / u128::from(crowd.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let mut columns: Vec<ColumnView> = seen
        .bytes_by_column()
        .into_iter()
        .map(|(column, bytes)| ColumnView { column, bytes: scaled(bytes) })
        .collect();
    // Ids and where they are found: 16 bytes and a slot of five at seven eighths.
    columns.push(ColumnView { column: "ordinals".to_owned(), bytes: members.saturating_mul(22) });
    columns.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    let bytes = columns.iter().map(|one| one.bytes).sum();
    Ok(PlanView { members, orders_per_member, bytes, columns })
}
