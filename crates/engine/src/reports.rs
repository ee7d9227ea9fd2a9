//! Reports: who is in which tier and stage, what the ledger came to, one line a member; now, or as of a past day.

use std::collections::BTreeMap;

use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::read::{AsOf, MemberLine};

use crate::{Engine, EngineError, Result, clock};

/// A table of a report: a head and rows of texts, numbers as whole digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns, stable.
    pub columns: Vec<String>,
    /// One text a column.
    pub rows: Vec<Vec<String>>,
    /// The instant it speaks of.
    pub as_of: Ts,
    /// True when a past day was asked for: attributes and tags are then still those of now.
    pub past: bool,
}

/// What can be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Members and sales by tier.
    Tiers,
    /// Members by lifecycle stage.
    Lifecycle,
    /// Transfers by asset and kind.
    Ledger,
    /// One line a member.
    Members,
}

impl Engine {
    /// A report as of the end of a day, or of now. What waits and is due is decided first.
    pub async fn report(&self, report: Report, day: Option<Day>) -> Result<Table> {
        let live = self.live()?;
        self.drain(1024, None, |_| ()).await?;
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        let today = zone.day(now);
        if let Some(day) = day.filter(|day| *day > today) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let at = day.map_or(now, |day| zone.end(day));
        let as_of = AsOf { at, day: day.unwrap_or(today), over_days: live.rules.tiers.over_days };
        let (columns, rows) = match report {
            Report::Tiers => {
                let levels = live.playbook.tiers.levels.iter().map(|level| level.id.clone()).collect();
                let lines = self.store().member_lines(as_of).await?;
                grouped("tier", levels, &lines, |line| line.tier.as_deref())
            }
            Report::Lifecycle => {
                let stages = live.playbook.lifecycle.iter().map(|stage| stage.id.clone()).collect();
                let lines = self.store().member_lines(as_of).await?;
                grouped("lifecycle", stages, &lines, |line| line.stage.as_deref())
            }
            Report::Ledger => self.ledger(as_of).await?,
            Report::Members => members(&self.store().member_lines(as_of).await?),
        };
        Ok(Table { columns, rows, as_of: at, past: day.is_some() })
    }

    async fn ledger(&self, as_of: AsOf) -> Result<(Vec<String>, Vec<Vec<String>>)> {
        let lines = self.store().ledger_lines(as_of).await?;
        let mut rows: Vec<Vec<String>> = lines
            .iter()
            .map(|line| {
                let (house, side) = line.kind.sides();
                vec![
                    line.asset.name().to_owned(),
                    line.kind.name().to_owned(),
                    house.name().to_owned(),
                    line.transfers.to_string(),
                    (side * line.amount).to_string(),
                ]
            })
            .collect();
        for asset in Asset::ALL {
            let of_asset = lines.iter().filter(|line| line.asset == asset);
            let balance: i64 = of_asset.map(|line| line.kind.sides().1 * line.amount).sum();
            let n = lines.iter().filter(|line| line.asset == asset && counts(line.kind));
            let transfers: i64 = n.map(|line| line.transfers).sum();
            let texts = ["balance", "members"].map(str::to_owned);
            let [kind, side] = texts;
            rows.push(vec![asset.name().to_owned(), kind, side, transfers.to_string(), balance.to_string()]);
        }
        let columns = ["asset", "kind", "against", "transfers", "amount"].map(str::to_owned).to_vec();
        Ok((columns, rows))
    }
}

/// Whether a kind of transfer moves a balance.
fn counts(kind: TransferKind) -> bool {
    kind.sides().1 != 0
}

/// The namespace that names members in reports: the one most of them have, `household` before others.
pub fn namespace(lines: &[MemberLine]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (namespace, _) in lines.iter().flat_map(|line| &line.identifiers) {
        *counts.entry(namespace).or_default() += 1;
    }
    if counts.contains_key("household") || counts.is_empty() {
        return "household".to_owned();
    }
    let most = counts.into_iter().max_by_key(|(namespace, n)| (*n, std::cmp::Reverse(*namespace)));
    most.map_or_else(String::new, |(namespace, _)| namespace.to_owned())
}

fn members(lines: &[MemberLine]) -> (Vec<String>, Vec<Vec<String>>) {
    let namespace = namespace(lines);
    let columns = [&namespace, "orders", "paid_cents", "points", "growth", "tier", "lifecycle"];
    let mut rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let named = line.identifiers.iter().find(|(of, _)| *of == namespace);
            let any = named.or(line.identifiers.first());
            vec![
                any.map_or_else(|| line.member.to_string(), |(_, value)| value.clone()),
                line.orders.to_string(),
                line.paid.to_string(),
                line.points.to_string(),
                line.growth.to_string(),
                line.tier.clone().unwrap_or_default(),
                line.stage.clone().unwrap_or_default(),
            ]
        })
        .collect();
    rows.sort_by(|a, b| by_number_then_text(&a[0], &b[0]));
    (columns.map(str::to_owned).to_vec(), rows)
}

fn by_number_then_text(a: &str, b: &str) -> std::cmp::Ordering {
    let key = |text: &str| (text.parse::<u64>().unwrap_or(u64::MAX), text.to_owned());
    key(a).cmp(&key(b))
}

type Sums = (i64, i64, i64, i64, i64);

fn grouped(
    name: &str,
    order: Vec<String>,
    lines: &[MemberLine],
    of: impl Fn(&MemberLine) -> Option<&str>,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(of(line).unwrap_or("")).or_default();
        sum.0 += 1;
        sum.1 += line.orders;
        sum.2 += line.paid;
        sum.3 += line.points;
        sum.4 += line.growth;
    }
    let row = |id: &str, sum: Sums| {
        let numbers = [sum.0, sum.1, sum.2, sum.3, sum.4];
        std::iter::once(id.to_owned()).chain(numbers.iter().map(i64::to_string)).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for id in &order {
        rows.push(row(id, sums.remove(id.as_str()).unwrap_or_default()));
    }
    // What an older playbook called otherwise, and those not judged by then.
    rows.extend(sums.into_iter().map(|(id, sum)| row(if id.is_empty() { "none" } else { id }, sum)));
    let columns = [name, "members", "orders", "paid_cents", "points", "growth"];
    (columns.map(str::to_owned).to_vec(), rows)
}
