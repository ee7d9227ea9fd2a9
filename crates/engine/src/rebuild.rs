//! Building a member's aggregates anew from the record: when the playbook asks other questions than before, or when a
//! cancelled order was the one an aggregate rested on.

use zhiyin_condition::{EventRow, LeafStates};
use zhiyin_decide::order::row;
use zhiyin_decide::outcome::History;
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{event_row, is_counted, order};
use zhiyin_model::event::{self, Event, Origin};
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_store::seal;
use zhiyin_store::{PastEvent, PastOf, Store, StoreError, StoredMember};

use crate::Result;

/// A stored member as decisions hold it.
pub(crate) async fn state(store: &dyn Store, rules: &Rules, stored: StoredMember) -> Result<State> {
    // Where a member was erased there are none: whatever wrote the row meanwhile, they are built of what is left.
    if stored.fingerprint == rules.fingerprint && !stored.leaves.is_empty() {
        let leaves = LeafStates::unpack(&stored.leaves).map_err(StoreError::Damaged)?;
        return Ok(State { member: stored.member, leaves });
    }
    Ok(anew(store, rules, stored.member).await?.0)
}

/// A member with everything that follows from their history built anew for these rules, and that history.
pub(crate) async fn anew(store: &dyn Store, rules: &Rules, mut member: Member) -> Result<(State, History)> {
    let past = past(store, rules, member.id).await?;
    let history = of(rules, &past)?;
    let today = rules.zone.day(member.decided_until);
    member.growth_days.clear();
    for (order, _) in past.orders.iter().filter(|(order, _)| order.terms.growth_kept != 0) {
        let day = rules.zone.day(order.time);
        member.book_growth(day, order.terms.growth_kept, today, rules.tiers.over_days);
    }
    let leaves = order::rebuild(rules, &history, None);
    Ok((State { member, leaves }, history))
}

/// All that counts of a member's history.
pub(crate) async fn history(store: &dyn Store, rules: &Rules, member: MemberId) -> Result<History> {
    of(rules, &past(store, rules, member).await?)
}

/// Events of a member that conditions look back on, each with its id.
pub(crate) async fn events(
    store: &dyn Store,
    rules: &Rules,
    member: MemberId,
) -> Result<Vec<(EventId, EventRow)>> {
    let past = past(store, rules, member).await?;
    let told = past.events.iter().filter(|event| !seal::is_erased(&event.body));
    told.map(|event| Ok((event.id, event_row(&read(event)?)))).collect()
}

async fn past(store: &dyn Store, rules: &Rules, member: MemberId) -> Result<PastOf> {
    let names = rules.events_used.iter().filter(|name| is_counted(name));
    Ok(store.history(member, names.cloned().collect()).await?)
}

/// All that counts of what a member's past says.
pub(crate) fn of(rules: &Rules, past: &PastOf) -> Result<History> {
    let mut history = History::default();
    // Of whom was erased there are sums, and nothing that anybody could ask about.
    let told = past.orders.iter().filter(|(_, event)| !seal::is_erased(&event.body));
    for (order, event) in told.filter(|(order, _)| order.counts()) {
        let lines = read(event)?;
        let row = row(&rules.currency, order, &lines)
            .map_err(|stop| StoreError::Damaged(format!("order {}: {stop:?}", order.id)))?;
        history.orders.push((order.id, row));
    }
    for event in past.events.iter().filter(|event| !seal::is_erased(&event.body)) {
        history.events.push(event_row(&read(event)?));
    }
    Ok(history)
}

/// An event of the past as decisions see it.
pub(crate) fn read(past: &PastEvent) -> Result<Event> {
    let body = seal::open(&past.body)?;
    let origin = Origin { user_namespace: &past.user_namespace, default_time: Some(past.time) };
    Ok(event::read(body.as_bytes(), &origin).map_err(|refusal| StoreError::Damaged(refusal.to_string()))?)
}
