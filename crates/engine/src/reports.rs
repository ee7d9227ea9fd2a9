//! Reports: who is in which tier and stage, what the ledger came to, one line a member; now, or as of a past day.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::effect::{Asset, TransferKind};
use zhiyin_model::id::MemberId;
use zhiyin_model::place::PlaceKind;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::places::{CutLine, StoreSums};
use zhiyin_store::read::{AsOf, MemberLine};

use crate::boxed;
use crate::places::Tree;
use crate::places::tree::Sums;
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
    /// By what it was cut, as a sentence.
    pub cut: Option<String>,
}

/// What of a report somebody sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Only these members; all, without.
    pub of: Option<BTreeSet<MemberId>>,
    /// Members are named by their id alone.
    pub nameless: bool,
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
    /// Members and sales by place, rolled up the brand's tree.
    Places,
}

impl Engine {
    /// A report as of the end of a day, or of now. What waits and is due is decided first.
    #[boxed]
    pub async fn report(&self, report: Report, day: Option<Day>) -> Result<Table> {
        self.report_under(report, day, None).await
    }

    /// The same, of the stores under a place only: orders by the store they name, members (with tiers, lifecycle and points)
    /// by the latest store where they were met. The tree is that of now, and so is a member's store.
    #[boxed]
    pub async fn report_under(&self, report: Report, day: Option<Day>, under: Option<&str>) -> Result<Table> {
        self.drain(1024, None, |_| ()).await?;
        self.report_seen(report, day, (under, &Seen::default())).await
    }

    /// The same of what is decided already, as far as somebody sees.
    pub(crate) async fn report_seen(
        &self,
        report: Report,
        day: Option<Day>,
        (under, seen): (Option<&str>, &Seen),
    ) -> Result<Table> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        let today = zone.day(now);
        if let Some(day) = day.filter(|day| *day > today) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let at = day.map_or(now, |day| zone.end(day));
        let as_of = AsOf { at, day: day.unwrap_or(today), over_days: live.rules.tiers.over_days };
        let tree = self.places().await?;
        let cut = under.map(|code| Cut::of(&tree, code)).transpose()?;
        let (columns, rows) = match report {
            Report::Tiers => {
                let levels = live.playbook.tiers.levels.iter().map(|level| level.id.clone()).collect();
                let lines = self.lines(as_of, cut.as_ref(), seen).await?;
                grouped("tier", levels, &lines, |line| line.tier.as_deref())
            }
            Report::Lifecycle => {
                let stages = live.playbook.lifecycle.iter().map(|stage| stage.id.clone()).collect();
                let lines = self.lines(as_of, cut.as_ref(), seen).await?;
                grouped("lifecycle", stages, &lines, |line| line.stage.as_deref())
            }
            Report::Ledger => self.ledger(as_of, cut.as_ref()).await?,
            Report::Members => {
                members(&self.lines(as_of, cut.as_ref(), seen).await?, cut.is_some(), seen.nameless)
            }
            Report::Places => by_place(&tree, &self.store().store_sums(as_of).await?, under),
        };
        let past = day.is_some();
        Ok(Table { columns, rows, as_of: at, past, cut: cut.map(|cut| cut.said) })
    }

    /// Lines of members: of all, or of those who belong to the stores of a cut or ordered there.
    async fn lines(&self, as_of: AsOf, cut: Option<&Cut>, seen: &Seen) -> Result<Vec<CutLine>> {
        let mut lines: Vec<CutLine> = match cut {
            Some(cut) => self.store().member_lines_of(as_of, cut.stores.clone()).await?,
            None => {
                let lines = self.store().member_lines(as_of).await?.into_iter();
                lines.map(|line| CutLine { line, belongs: true }).collect()
            }
        };
        if let Some(of) = &seen.of {
            lines.retain(|line| of.contains(&line.line.member));
        }
        Ok(lines)
    }

    async fn ledger(&self, as_of: AsOf, cut: Option<&Cut>) -> Result<(Vec<String>, Vec<Vec<String>>)> {
        let lines = match cut {
            Some(cut) => self.store().ledger_lines_of(as_of, cut.stores.clone()).await?,
            None => self.store().ledger_lines(as_of).await?,
        };
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

/// The stores that a report is cut by.
struct Cut {
    /// What events call them.
    stores: Vec<String>,
    /// What is told of it.
    said: String,
}

impl Cut {
    fn of(tree: &Tree, code: &str) -> Result<Self> {
        let nodes = tree.under(code).ok_or_else(|| EngineError::NoPlace(code.to_owned()))?;
        let stores: Vec<String> = nodes.iter().map(|node| node.place.code.to_string()).collect();
        let n = nodes.iter().filter(|node| node.place.kind == PlaceKind::Store).count();
        let (kind, name) = nodes
            .first()
            .map(|node| (node.place.kind.name(), node.place.about.names.english()))
            .unwrap_or_default();
        let said = format!(
            "cut by {kind} {code} ({name}), {n} {}: orders by their store, members and points by the store of the \
             member's last touch; tree and members' stores as of now",
            if n == 1 { "store" } else { "stores" }
        );
        Ok(Self { stores, said })
    }
}

/// A line a place, each before those below it; without a place to be cut by also what lies in none.
fn by_place(tree: &Tree, stores: &[StoreSums], under: Option<&str>) -> (Vec<String>, Vec<Vec<String>>) {
    let rolled = tree.roll_up(stores);
    let numbers = |sums: Sums| [sums.members, sums.orders, sums.paid].map(|number| number.to_string());
    let first = under.and_then(|code| tree.find(code)).unwrap_or(0);
    let nodes = under.map_or(tree.nodes(), |code| tree.under(code).unwrap_or_default());
    let mut rows: Vec<Vec<String>> = nodes
        .iter()
        .zip(&rolled.nodes[first..])
        .map(|(node, sums)| {
            let place = &node.place;
            let texts = [place.code.as_str(), place.kind.name(), place.about.names.english()];
            let mut row = vec![node.level.to_string()];
            row.extend(texts.map(str::to_owned));
            row.extend(numbers(*sums));
            row
        })
        .collect();
    if under.is_none() {
        let sum = |store: &StoreSums| Sums { members: store.members, orders: store.orders, paid: store.paid };
        let mut total = Sums::default();
        stores.iter().for_each(|store| total.add(sum(store)));
        for (kind, name, sums) in [
            ("unknown", "stores that no place bears", rolled.unknown),
            ("none", "without a store", rolled.none),
            ("total", "all", total),
        ] {
            let mut row = ["0", "", kind, name].map(str::to_owned).to_vec();
            row.extend(numbers(sums));
            rows.push(row);
        }
    }
    let columns = ["level", "place", "kind", "name", "members", "orders", "paid_cents"];
    (columns.map(str::to_owned).to_vec(), rows)
}

/// Whether a kind of transfer moves a balance.
fn counts(kind: TransferKind) -> bool {
    kind.sides().1 != 0
}

/// The namespace that names members in reports: the one most of them have, `household` before others.
fn namespace(lines: &[CutLine]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (namespace, _) in lines.iter().flat_map(|line| &line.line.identifiers) {
        *counts.entry(namespace).or_default() += 1;
    }
    if counts.contains_key("household") || counts.is_empty() {
        return "household".to_owned();
    }
    let most = counts.into_iter().max_by_key(|(namespace, n)| (*n, std::cmp::Reverse(*namespace)));
    most.map_or_else(String::new, |(namespace, _)| namespace.to_owned())
}

/// One line a member. In a cut report it is said who belongs there, and who has only ordered there.
fn members(lines: &[CutLine], cut: bool, nameless: bool) -> (Vec<String>, Vec<Vec<String>>) {
    let namespace = if nameless { "member".to_owned() } else { namespace(lines) };
    let columns = [&namespace, "orders", "paid_cents", "points", "growth", "tier", "lifecycle"];
    let columns = columns.into_iter().chain(cut.then_some("belongs"));
    let mut rows: Vec<Vec<String>> = lines
        .iter()
        .map(|CutLine { line, belongs }| {
            let named = line.identifiers.iter().find(|(of, _)| *of == namespace);
            let any = named.or(line.identifiers.first()).filter(|_| !nameless);
            let belongs = cut.then(|| if *belongs { "yes" } else { "no" }.to_owned());
            let cells = [
                any.map_or_else(|| line.member.to_string(), |(_, value)| value.clone()),
                line.orders.to_string(),
                line.paid.to_string(),
                line.points.to_string(),
                line.growth.to_string(),
                line.tier.clone().unwrap_or_default(),
                line.stage.clone().unwrap_or_default(),
            ];
            cells.into_iter().chain(belongs).collect()
        })
        .collect();
    rows.sort_by(|a, b| by_number_then_text(&a[0], &b[0]));
    (columns.map(str::to_owned).collect(), rows)
}

pub(crate) fn by_number_then_text(a: &str, b: &str) -> std::cmp::Ordering {
    let key = |text: &str| (text.parse::<u64>().unwrap_or(u64::MAX), text.to_owned());
    key(a).cmp(&key(b))
}

type Totals = (i64, i64, i64, i64, i64);

/// Members with their points and growth where they belong, orders with what was paid where they were made.
fn grouped(
    name: &str,
    order: Vec<String>,
    lines: &[CutLine],
    of: impl Fn(&MemberLine) -> Option<&str>,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut sums: BTreeMap<&str, Totals> = BTreeMap::new();
    for CutLine { line, belongs } in lines {
        let sum = sums.entry(of(line).unwrap_or("")).or_default();
        sum.1 += line.orders;
        sum.2 += line.paid;
        if *belongs {
            sum.0 += 1;
            sum.3 += line.points;
            sum.4 += line.growth;
        }
    }
    let row = |id: &str, sum: Totals| {
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
