//! What was taken over is told by its source, and whether an item came.

use std::collections::BTreeMap;

use zhiyin_model::effect::TransferKind;
use zhiyin_model::event::{Refusal, names};

use super::life::{EXPIRES, Life, TILL, append, at, lived, turn};
use super::{Homes, KEY};
use crate::Result;
use crate::flush::Dead;
use crate::takeover::TakenOver;

/// An item that came is known with the hash of its body, under its source only.
pub async fn what_came_is_known_by_its_message_id(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let life = Life::of(&KEY);
    let asked = || ["ann-2", "ann-9", "ann-1", "ann-2"].map(str::to_owned).to_vec();
    assert_eq!(store.came(TILL, asked()).await?, [None; 4]);
    lived(&store, &life, 2).await?;
    let hash = |n: u8| Some(life.item(n).body_hash);
    assert_eq!(store.came(TILL, asked()).await?, [hash(2), None, hash(1), hash(2)]);
    assert_eq!(store.came("another", asked()).await?, [None; 4]);
    assert_eq!(store.came(TILL, Vec::new()).await?, []);
    Ok(())
}

/// What a take-over booked is told by its source: points with their days, growth, the first tier, tags, what was refused.
pub async fn a_take_over_is_told_by_its_source(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(store.taken_over(TILL).await?, TakenOver::default());
    let life = Life::of(&KEY);
    let mut items = vec![life.item(1), life.item(2)];
    items.iter_mut().for_each(|item| item.name = names::MEMBER_TAKEN_OVER.to_owned());
    store.append(append(items, at(2), true)).await?;
    let turn = turn(&store).await?;
    let waiting = store.waiting(&turn, 10).await?;
    let seqs: Vec<i64> = waiting.iter().map(|row| row.seq).collect();
    let mut part = life.part(1, seqs[0]);
    part.turn = turn;
    part.transfers.iter_mut().for_each(|transfer| transfer.kind = TransferKind::TakeOver);
    let mut raised = part.terms[0].clone();
    raised.term.level = "silver".to_owned();
    part.terms.push(raised);
    let refusal = Refusal::new("member_known", "context.externalIds", "is here");
    part.dead.push(Dead { member: None, seq: seqs[1], refusal, at: at(2) });
    part.cursor = Some(seqs[1]);
    store.flush(part).await?;
    let expected = TakenOver {
        members: 1,
        rows: 2,
        points: 100,
        growth: 1000,
        expiring: BTreeMap::from([(EXPIRES, 100)]),
        tiers: BTreeMap::from([("regular".to_owned(), 1)]),
        kept_tier: 0,
        raised: 1,
        tags: BTreeMap::new(),
        refused: BTreeMap::from([("member_known".to_owned(), 1)]),
    };
    assert_eq!(store.taken_over(TILL).await?, expected);
    assert_eq!(store.taken_over("another").await?, TakenOver::default());
    Ok(())
}
