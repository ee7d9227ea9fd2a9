//! A retailer's tables in memory, compact, and the items of the wire they become, in event order.

use std::collections::BTreeMap;
use std::fmt::Write;

use zhiyin_model::event::json::write_text;
use zhiyin_model::time::Ts;

use super::Given;

/// Transactions by line, one vector a column.
#[derive(Default)]
pub(super) struct Lines {
    pub household: Vec<u32>,
    pub store: Vec<u32>,
    pub basket: Vec<i64>,
    pub product: Vec<u32>,
    pub quantity: Vec<u32>,
    /// What the line cost, in cents.
    pub cents: Vec<u32>,
    pub time: Vec<Ts>,
}

/// A product's place in the assortment.
pub(super) struct Product {
    pub department: Option<String>,
    pub category: Option<String>,
}

/// A campaign that reached a household.
pub(super) struct Target {
    pub campaign: i64,
    pub household: u32,
    pub start: Ts,
    pub kind: String,
}

/// A coupon that a household used.
pub(super) struct Redemption {
    pub household: u32,
    pub coupon: i64,
    pub campaign: i64,
    pub date: Ts,
}

/// Everything that is replayed.
#[derive(Default)]
pub(super) struct Tables {
    pub lines: Lines,
    pub products: BTreeMap<u32, Product>,
    /// (household, [(attribute, value)])
    pub people: Vec<(u32, Vec<(&'static str, String)>)>,
    pub targets: Vec<Target>,
    pub redemptions: Vec<Redemption>,
}

/// One event to come, with what orders it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Coming {
    time: Ts,
    /// Kinds at one instant: who they are, what reached them, what they used, what they bought.
    kind: u8,
    /// The source's own order: ascending basket id for orders.
    order: i64,
    /// Index into the table of its kind; for orders the first of its lines in `sorted`.
    at: u32,
    n_lines: u32,
}

/// The items of tables in event order, from item `skip` on.
pub(super) struct Items {
    tables: Tables,
    sorted: Vec<u32>,
    coming: Vec<Coming>,
    next: usize,
}

impl Items {
    pub(super) fn new(tables: Tables, skip: u64) -> Self {
        let lines = &tables.lines;
        let mut sorted: Vec<u32> = (0..u32::try_from(lines.basket.len()).unwrap_or(u32::MAX)).collect();
        sorted.sort_by_key(|i| (lines.time[*i as usize], lines.basket[*i as usize], *i));
        let mut coming = Vec::new();
        let mut first_seen: BTreeMap<u32, Ts> = BTreeMap::new();
        let mut seen = |household: u32, time: Ts| {
            let first = first_seen.entry(household).or_insert(time);
            *first = (*first).min(time);
        };
        let mut start = 0;
        while start < sorted.len() {
            let i = sorted[start] as usize;
            let basket = lines.basket[i];
            let n = sorted[start..].iter().take_while(|j| lines.basket[**j as usize] == basket).count();
            seen(lines.household[i], lines.time[i]);
            coming.push(Coming {
                time: lines.time[i],
                kind: 3,
                order: basket,
                at: start as u32,
                n_lines: n as u32,
            });
            start += n;
        }
        for (at, target) in tables.targets.iter().enumerate() {
            seen(target.household, target.start);
            let order = target.campaign << 32 | i64::from(target.household);
            coming.push(Coming { time: target.start, kind: 1, order, at: at as u32, n_lines: 0 });
        }
        for (at, redemption) in tables.redemptions.iter().enumerate() {
            seen(redemption.household, redemption.date);
            coming.push(Coming {
                time: redemption.date,
                kind: 2,
                order: at as i64,
                at: at as u32,
                n_lines: 0,
            });
        }
        for (at, (household, _)) in tables.people.iter().enumerate() {
            if let Some(time) = first_seen.get(household) {
                let order = i64::from(*household);
                coming.push(Coming { time: *time, kind: 0, order, at: at as u32, n_lines: 0 });
            }
        }
        coming.sort_unstable();
        let next = usize::try_from(skip).unwrap_or(usize::MAX).min(coming.len());
        Self { tables, sorted, coming, next }
    }

    fn item(&self, coming: Coming) -> String {
        let mut out = String::with_capacity(256 + 110 * coming.n_lines as usize);
        match coming.kind {
            0 => self.person(coming, &mut out),
            1 => self.target(coming, &mut out),
            2 => self.redemption(coming, &mut out),
            _ => self.basket(coming, &mut out),
        }
        out
    }

    fn basket(&self, coming: Coming, out: &mut String) {
        let lines = &self.tables.lines;
        let of_basket = &self.sorted[coming.at as usize..(coming.at + coming.n_lines) as usize];
        let first = of_basket[0] as usize;
        let total: u64 = of_basket.iter().map(|i| u64::from(lines.cents[*i as usize])).sum();
        head(
            out,
            "Order Completed",
            lines.household[first],
            &format!("basket-{}", coming.order),
            coming.time,
        );
        put(
            out,
            format_args!(
                "\"order_id\":\"{}\",\"store_id\":\"{}\",\"currency\":\"USD\",\"total\":\"{}.{:02}\",\"products\":[",
                coming.order,
                lines.store[first],
                total / 100,
                total % 100
            ),
        );
        for (n, i) in of_basket.iter().enumerate() {
            let i = *i as usize;
            if n > 0 {
                out.push(',');
            }
            let cents = lines.cents[i];
            put(
                out,
                format_args!(
                    "{{\"product_id\":\"{}\",\"quantity\":{},\"paid\":\"{}.{:02}\"",
                    lines.product[i],
                    lines.quantity[i],
                    cents / 100,
                    cents % 100
                ),
            );
            if let Some(product) = self.tables.products.get(&lines.product[i]) {
                for (key, value) in [("category", &product.category), ("department", &product.department)] {
                    if let Some(value) = value {
                        put(out, format_args!(",\"{key}\":"));
                        write_text(value, out);
                    }
                }
            }
            out.push('}');
        }
        out.push_str("]}}");
    }

    fn target(&self, coming: Coming, out: &mut String) {
        let target = &self.tables.targets[coming.at as usize];
        let id = format!("target-{}-{}", target.campaign, target.household);
        head(out, "Campaign Targeted", target.household, &id, coming.time);
        put(out, format_args!("\"campaign_id\":\"{}\",\"campaign_type\":", target.campaign));
        write_text(&target.kind, out);
        out.push_str("}}");
    }

    fn redemption(&self, coming: Coming, out: &mut String) {
        let redemption = &self.tables.redemptions[coming.at as usize];
        let id = format!(
            "redemption-{}-{}-{}-{}",
            redemption.household,
            redemption.coupon,
            redemption.campaign,
            redemption.date.0 / 1_000_000
        );
        head(out, "Coupon Redeemed", redemption.household, &id, coming.time);
        put(
            out,
            format_args!(
                "\"coupon_id\":\"{}\",\"campaign_id\":\"{}\"}}}}",
                redemption.coupon, redemption.campaign
            ),
        );
    }

    fn person(&self, coming: Coming, out: &mut String) {
        let (household, attributes) = &self.tables.people[coming.at as usize];
        put(
            out,
            format_args!(
                "{{\"type\":\"identify\",\"userId\":\"{household}\",\"messageId\":\"person-{household}\",\
             \"timestamp\":\"{}\",\"traits\":{{",
                coming.time
            ),
        );
        for (i, (key, value)) in attributes.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            put(out, format_args!("\"{key}\":"));
            write_text(value, out);
        }
        out.push_str("}}");
    }
}

fn head(out: &mut String, event: &str, household: u32, message_id: &str, time: Ts) {
    put(
        out,
        format_args!(
            "{{\"type\":\"track\",\"event\":\"{event}\",\"userId\":\"{household}\",\"messageId\":\"{message_id}\",\
         \"timestamp\":\"{time}\",\"properties\":{{"
        ),
    );
}

/// Writing to a text cannot fail.
fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(what);
    debug_assert!(written.is_ok());
}

impl Iterator for Items {
    type Item = Given;

    fn next(&mut self) -> Option<Given> {
        let coming = *self.coming.get(self.next)?;
        self.next += 1;
        Some(Given::of(self.next as u64, self.item(coming).into_bytes()))
    }
}
