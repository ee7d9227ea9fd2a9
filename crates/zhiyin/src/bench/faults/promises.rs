//! What the made-up brand promises: everything falls due within a month, so that a short schedule meets every rule.

use anyhow::{Result, bail};
use zhiyin_model::playbook::{self, Playbook, shipped};

/// The versions that are applied one after the other; the first before anything happened.
const VERSIONS: [&str; 3] = [
    "points: { expire: 12d after earning }\n",
    "points:\n  expire: 9d after earning\n  hold: 2d\n  debt: refused\n",
    "points:\n  expire: 15d after earning\n  hold: 1d\n",
];

/// What all versions share but their windows, which differ: so aggregates are built anew with each of them.
const MONTH: &str = r#"playbook: month
extends: variety-store
{POINTS}tiers:
  over: 20d
  levels: { regular: { from: 0 }, silver: { from: 400 }, gold: { from: 1200 } }
lifecycle:
  maturity: { when: 'size(within(orders, "15d")) >= 3 && days_since(last(orders)) <= 3' }
  decline: { when: 'size(within(orders, "15d")) >= 3 && days_since(last(orders)) <= {DECLINE}' }
  growth: { when: 'size(orders) >= 1 && days_since(last(orders)) <= 8' }
tags:
  snack_lover: { who: 'sum(within(items, "6d").filter(i, i.category == "snacks").map(i, i.quantity)) >= 3' }
  frequent: { who: 'size(within(orders, "4d")) >= 2' }
  big_basket: { who: 'within(orders, "{BASKET}d").exists(o, o.paid >= 60)' }
  big_spender: { who: 'sum(within(orders, "10d").map(o, o.paid)) >= 100' }
  coupon_user: { who: 'size(within(events("Coupon Redeemed"), "5d")) >= 2' }
  new_customer: { who: 'days_since(first(orders)) <= 3' }
  silent: { who: 'days_since(last(orders)) > 4' }
"#;

/// How many versions there are.
pub const COUNT: usize = VERSIONS.len();

/// A version, as the engine takes it.
pub fn version(n: usize) -> Result<Playbook> {
    let points = VERSIONS.get(n % COUNT).copied().unwrap_or_default();
    let (decline, basket) = ((6 + n % COUNT).to_string(), (5 - n % COUNT).to_string());
    let text = MONTH.replace("{POINTS}", points).replace("{DECLINE}", &decline).replace("{BASKET}", &basket);
    match playbook::parse("faults.yaml", &text, &shipped::load) {
        Ok(playbook) => Ok(playbook),
        Err(problems) => bail!("the playbook of the fault test does not read: {problems:?}"),
    }
}
