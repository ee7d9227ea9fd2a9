//! What events said is let go by name and age, part by part, and of nothing that waits.

use std::collections::BTreeMap;

use super::life::{EVENTS, Life, at, lived};
use super::{Homes, KEY};
use crate::Result;
use crate::seal::is_erased;

/// Every decided item of a name that is old enough, once, however small the parts are; what waits keeps what it says.
pub async fn what_events_said_is_let_go_part_by_part(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let life = Life::of(&KEY);
    let waits = Life { key: KEY, name: "bob".to_owned() };
    lived(&store, &life, 2).await?;
    store.append(waits.append()).await?;
    let digest = store.digest().await?;
    let name = life.item(2).name;
    let old: Vec<u8> =
        (1..=EVENTS).filter(|n| life.item(*n).name == name && life.item(*n).time < at(4)).collect();
    let before = BTreeMap::from([(name.clone(), at(4)), ("Nothing Such".to_owned(), at(EVENTS))]);
    let mut n = 0;
    let mut after = Some(i64::MIN);
    while let Some(place) = after {
        let part = store.let_go(before.clone(), place, 1).await?;
        assert!(part.after.is_none_or(|next| next > place), "{part:?}");
        n += part.gone.get(&name).copied().unwrap_or(0);
        after = part.after;
    }
    assert!(n > 0, "the life has old events");
    assert_eq!(n, old.len() as u64);
    let Some(personal) = store.personal() else { return Ok(()) };
    let told = personal.timeline(life.member()).await?;
    assert_eq!(told.iter().filter(|told| is_erased(&told.body)).count(), old.len());
    assert_eq!(store.let_go(before, i64::MIN, 100).await?.gone, BTreeMap::new());
    assert_eq!(store.digest().await?, digest);
    let waiting = store.waiting(&super::life::turn(&store).await?, 100).await?;
    assert!(!waiting.is_empty() && waiting.iter().all(|row| !is_erased(&row.body)));
    Ok(())
}
