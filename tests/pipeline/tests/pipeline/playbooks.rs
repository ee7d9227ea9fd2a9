//! The playbooks that tests decide by: the shipped one, and ones with windows so short that a few days hold a life.

use zhiyin_model::playbook::{self, Playbook, shipped};

/// The variety store's promises as they are shipped.
pub const SHIPPED: &str = "playbook: brand\nextends: variety-store\n";

/// The same in New York, where two days a year have not 24 hours.
pub const NEW_YORK: &str = "playbook: brand\nextends: variety-store\ntimezone: America/New_York\n";

/// The same with points that live for ten days.
pub const TEN_DAYS: &str = "playbook: brand\nextends: variety-store\npoints: { expire: 10d after earning }\n";

/// Everything within a month: what a random stream needs to meet every rule.
pub const MONTH: &str = r#"
playbook: month
extends: variety-store
points: { expire: 12d after earning }
tiers:
  over: 20d
  levels: { regular: { from: 0 }, silver: { from: 400 }, gold: { from: 1200 } }
lifecycle:
  maturity: { when: 'size(within(orders, "15d")) >= 3 && days_since(last(orders)) <= 3' }
  decline: { when: 'size(within(orders, "15d")) >= 3 && days_since(last(orders)) <= 6' }
  growth: { when: 'size(orders) >= 1 && days_since(last(orders)) <= 8' }
tags:
  snack_lover: { who: 'sum(within(items, "6d").filter(i, i.category == "snacks").map(i, i.quantity)) >= 3' }
  frequent: { who: 'size(within(orders, "4d")) >= 2' }
  big_basket: { who: 'within(orders, "5d").exists(o, o.paid >= 60)' }
  big_spender: { who: 'sum(within(orders, "10d").map(o, o.paid)) >= 100' }
  coupon_user: { who: 'size(within(events("Coupon Redeemed"), "5d")) >= 2' }
  new_customer: { who: 'days_since(first(orders)) <= 3' }
  silent: { who: 'days_since(last(orders)) > 4' }
audiences:
  rich: { standing: true, who: 'points >= 60 || "big_basket" in tags' }
  resting: { standing: true, who: 'days_since(last(orders)) > 2 && !audience("rich") && lifecycle != "lost"' }
  half: { standing: true, who: 'bucket("half") < 50 && size(within(orders, "4d")) >= 1' }
"#;

/// The same where points are held back for two days and no debt is allowed.
pub const HELD_BACK: &str = r#"
  hold: 2d
  debt: refused
"#;

/// A playbook as the engine takes it.
pub fn parse(text: &str) -> Playbook {
    playbook::parse("test.yaml", text, &shipped::load).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// [`MONTH`], or [`MONTH`] with [`HELD_BACK`].
pub fn month(held_back: bool) -> String {
    if !held_back {
        return MONTH.to_owned();
    }
    let points = "points:\n  expire: 12d after earning".to_owned() + HELD_BACK;
    MONTH.replace("points: { expire: 12d after earning }\n", &points)
}
