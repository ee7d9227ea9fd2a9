//! What passed with partners is counted as it was at an instant.

use std::collections::BTreeMap;

use super::life::{EVENTS, Life, at, lived};
use super::{Homes, KEY};
use crate::Result;
use crate::partner::PartnerSums;

/// Two members whom one partner brought, with what they bought since, and nothing of before.
pub async fn partners_are_counted_as_of_an_instant(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.partner_sums(at(1)).await?, BTreeMap::new());
    for name in ["ann", "bob"] {
        lived(&store, &Life { key: KEY, name: name.to_owned() }, 2).await?;
    }
    assert_eq!(store.partner_sums(at(1).plus_us(-1)).await?, BTreeMap::new());
    let lines = store.member_lines(crate::read::AsOf {
        at: at(EVENTS),
        day: zhiyin_model::time::Day(105),
        over_days: 365,
    });
    let lines = lines.await?;
    let expected = PartnerSums {
        brought_new: 2,
        buyers: 2,
        orders: lines.iter().map(|line| line.orders).sum(),
        paid: lines.iter().map(|line| line.paid).sum(),
        ..PartnerSums::default()
    };
    assert!(expected.orders > 0 && expected.paid > 0);
    assert_eq!(store.partner_sums(at(EVENTS)).await?, BTreeMap::from([("school".to_owned(), expected)]));
    Ok(())
}
