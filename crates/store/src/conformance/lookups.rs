//! What a batch looks up before it decides.

use zhiyin_model::effect::{Asset, Lot};
use zhiyin_model::id::{MemberId, OrderId, TransferId};
use zhiyin_model::member::Account;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;

use super::life::{ACTIVE, EXPIRES, Life, at, lived, turn};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::{LotsWanted, Result, Wanted};

/// Members are found by identifier or id, each once.
pub async fn members_are_found_by_identifier_and_id(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 3).await?;
    let wanted = || Wanted {
        identifiers: vec![[9; 16], life.identifier()],
        members: vec![life.member(), MemberId::from_bytes([9; 16])],
        ..Wanted::default()
    };
    let loaded = store.load(wanted()).await?;
    assert_eq!(loaded.identifiers, [(life.identifier(), life.member())]);
    assert_eq!(loaded.members.len(), 1);
    let stored = &loaded.members[0];
    let member = &stored.member;
    assert_eq!((stored.leaves.as_slice(), stored.fingerprint.as_str()), (&[6, 0, 255][..], "f"));
    assert_eq!((member.known_since, member.enrolled_at), (at(1), Some(at(1))));
    assert_eq!(member.decided_until, at(6));
    let points = Account { active: 35, pending: 40, held: 10, debt: 0 };
    assert_eq!(member.account(Asset::Points), points);
    assert_eq!(member.account(Asset::Growth).active, 900);
    assert_eq!(member.growth_days.iter().map(|(_, amount)| amount).sum::<i64>(), 900);
    assert_eq!(member.term.as_ref().map(|term| term.level.as_str()), Some("regular"));
    assert_eq!(member.stage.as_ref().map(|held| (held.stage.as_str(), held.since)), Some(("decline", at(5))));
    assert!(member.tags.get("spender").is_some_and(|held| held.by_rule && held.since == at(3)));
    assert_eq!(member.audiences.judged.get(&7), Some(&6));
    assert_eq!(member.timers.len(), 3);
    assert_eq!(stored.wake, Some(ACTIVE));
    Ok(())
}

/// Orders are found by id, as they stand after the last change.
pub async fn orders_are_found_and_changed(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let seqs: Vec<i64> = store.waiting(&turn(&store).await?, 10).await?.iter().map(|row| row.seq).collect();
    let wanted = || Wanted { orders: vec![life.order(1), OrderId::from_bytes([9; 16])], ..Wanted::default() };
    let parts = (1u8..).zip(seqs).map(|(n, seq)| life.part(n, seq));
    for (batch, part) in (0..).zip(parts) {
        store.flush(Flush { turn: turn(&store).await?, ..part.clone() }).await?;
        let orders = store.load(wanted()).await?.orders;
        let last = if batch < 4 { Money(0) } else { Money(5_000) };
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].paid, orders[0].refunded), (Money(10_000), last));
        if let Some(set) = part.orders.first().filter(|set| set.order.id == life.order(1)) {
            assert_eq!(orders[0], set.order);
        }
    }
    Ok(())
}

fn lot(life: &Life, n: u8, remaining: i64, expires: u8, active: u8) -> Lot {
    let id = TransferId::from_bytes([n; 16]);
    Lot { id, expires_at: at(expires), active_at: at(active), ..life.lot(1, 100, remaining) }
}

/// Open lots come in spending order until they cover the amount; all that tie with the last one come too.
pub async fn lots_cover_an_amount_in_spending_order(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let pending = Lot { active: false, ..lot(&life, 8, 50, 6, 3) };
    let somebody_else = Lot { member: MemberId::from_bytes([9; 16]), ..lot(&life, 9, 50, 2, 1) };
    let lots = vec![
        lot(&life, 5, 10, 9, 1),
        lot(&life, 4, 10, 6, 2),
        lot(&life, 3, 10, 6, 1),
        lot(&life, 2, 10, 6, 2),
        lot(&life, 1, 0, 5, 1),
        pending,
        somebody_else,
    ];
    store.flush(Flush { turn: turn(&store).await?, lots, ..Flush::default() }).await?;
    let found = async |amount| -> Result<Vec<u8>> {
        let mut lots = store.lots(life.member(), LotsWanted::Covering(amount)).await?;
        // Within a tie the decision sorts by id.
        lots.sort_by_key(|lot| (lot.expires_at, lot.active_at, lot.id));
        Ok(lots.iter().map(|lot| lot.id.bytes()[0]).collect())
    };
    assert_eq!(found(1).await?, [3]);
    assert_eq!(found(10).await?, [3]);
    assert_eq!(found(11).await?, [3, 2, 4]);
    assert_eq!(found(20).await?, [3, 2, 4]);
    // What is pending is passed over in counting, not in showing: a taking back may draw on it.
    assert_eq!(found(31).await?, [3, 2, 4, 8, 5]);
    assert_eq!(found(1_000).await?, [3, 2, 4, 8, 5]);
    Ok(())
}

/// Open lots by the instant they expire or become active, and any lot by id.
pub async fn lots_are_found_by_their_days(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    let found = async |wanted: LotsWanted<'_>| -> Result<Vec<TransferId>> {
        let mut ids: Vec<_> = store.lots(life.member(), wanted).await?.iter().map(|lot| lot.id).collect();
        ids.sort_unstable();
        Ok(ids)
    };
    let mut both = vec![life.transfer(1), life.transfer(6)];
    both.sort_unstable();
    assert_eq!(found(LotsWanted::ExpiringAt(EXPIRES)).await?, both);
    assert!(found(LotsWanted::ExpiringAt(EXPIRES.plus_us(1))).await?.is_empty());
    assert_eq!(found(LotsWanted::ActiveAt(ACTIVE)).await?, [life.transfer(6)]);
    let ids = [life.transfer(1), life.transfer(3)];
    assert_eq!(found(LotsWanted::These(&ids)).await?, [life.transfer(1)]);
    let strangers = store.lots(MemberId::from_bytes([9; 16]), LotsWanted::These(&ids)).await?;
    assert!(strangers.is_empty());
    let lots = store.lots(life.member(), LotsWanted::These(&ids)).await?;
    assert_eq!(lots, [life.lot(1, 100, 35)]);
    Ok(())
}

/// A spend with the lots it took from and what has come back of it; nobody else's, and nothing that is no spend.
pub async fn a_spend_is_found_with_what_it_took(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 2).await?;
    let Some(past) = store.past_transfer(life.member(), life.transfer(3)).await? else {
        panic!("the spend is not found");
    };
    assert_eq!((past.transfer.amount, past.transfer.event), (20, life.event(3)));
    assert_eq!(past.allocations, [(Some(life.transfer(1)), 20)]);
    assert_eq!(past.undone, 5);
    assert!(store.past_transfer(MemberId::from_bytes([9; 16]), life.transfer(3)).await?.is_none());
    assert!(store.past_transfer(life.member(), TransferId::from_bytes([9; 16])).await?.is_none());
    Ok(())
}

/// A hold is its member's, open until it is closed.
pub async fn holds_open_and_close(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    let Some(hold) = store.hold(life.member(), life.transfer(2)).await? else {
        panic!("the hold is not found");
    };
    assert_eq!((hold.amount, hold.open, hold.asset), (10, true, Asset::Points));
    assert_eq!(store.hold(MemberId::from_bytes([9; 16]), life.transfer(2)).await?, None);
    assert_eq!(store.hold(life.member(), life.transfer(1)).await?, None);
    let closed = crate::flush::Hold { open: false, ..hold };
    store.flush(Flush { turn: turn(&store).await?, holds: vec![closed.clone()], ..Flush::default() }).await?;
    assert_eq!(store.hold(life.member(), life.transfer(2)).await?, Some(closed));
    Ok(())
}

/// Terms, orders and events of a member come oldest first; an order's lines come as they were sent.
pub async fn terms_and_history_are_oldest_first(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 4).await?;
    let terms = store.terms(life.member()).await?;
    assert_eq!(
        terms.iter().map(|term| (term.level.as_str(), term.from)).collect::<Vec<_>>(),
        [("regular", at(1))]
    );
    let names = vec!["Points Spent".to_owned(), "Nothing".to_owned()];
    let past = store.history(life.member(), names).await?;
    let orders: Vec<_> = past.orders.iter().map(|(order, event)| (order.id, event.id)).collect();
    assert_eq!(orders, [(life.order(1), life.event(1)), (life.order(2), life.event(6))]);
    let times: Vec<Ts> = past.events.iter().map(|event| event.time).collect();
    assert_eq!(times, [at(2), at(4), at(6)]);
    let Some(event) = store.order_lines(life.order(2)).await? else {
        panic!("the order's lines are not found")
    };
    assert_eq!((event.body, event.user_namespace.as_str()), (life.item(6).body, "user"));
    assert!(store.order_lines(OrderId::from_bytes([9; 16])).await?.is_none());
    assert!(store.history(MemberId::from_bytes([9; 16]), Vec::new()).await?.orders.is_empty());
    Ok(())
}
