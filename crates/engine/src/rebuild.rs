//! Building a member's aggregates anew from the record: when the playbook asks other questions than before, or when a
//! cancelled order was the one an aggregate rested on.

use zhiyin_condition::LeafStates;
use zhiyin_decide::order::row;
use zhiyin_decide::outcome::History;
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{event_row, order};
use zhiyin_model::event::{self, Event, Origin};
use zhiyin_model::id::MemberId;
use zhiyin_store::seal;
use zhiyin_store::{PastEvent, Store, StoreError, StoredMember};

use crate::Result;

/// A stored member as decisions hold it.
pub(crate) async fn state(store: &dyn Store, rules: &Rules, stored: StoredMember) -> Result<State> {
    let leaves: LeafStates = if stored.fingerprint == rules.fingerprint {
        serde_json::from_str(&stored.leaves).map_err(|error| StoreError::Damaged(error.to_string()))?
    } else {
        order::rebuild(rules, &history(store, rules, stored.member.id).await?, None)
    };
    Ok(State { member: stored.member, leaves })
}

/// All that counts of a member's history.
pub(crate) async fn history(store: &dyn Store, rules: &Rules, member: MemberId) -> Result<History> {
    let names = rules.events_used.iter().cloned().collect();
    let past = store.history(member, names).await?;
    let mut history = History::default();
    for (order, event) in past.orders.iter().filter(|(order, _)| order.counts()) {
        let lines = read(event)?;
        let row = row(&rules.currency, order, &lines)
            .map_err(|stop| StoreError::Damaged(format!("order {}: {stop:?}", order.id)))?;
        history.orders.push((order.id, row));
    }
    for event in &past.events {
        history.events.push(event_row(&read(event)?));
    }
    Ok(history)
}

fn read(past: &PastEvent) -> Result<Event> {
    let body = seal::open(&past.body)?;
    let origin = Origin { user_namespace: &past.user_namespace, default_time: Some(past.time) };
    Ok(event::read(body.as_bytes(), &origin).map_err(|refusal| StoreError::Damaged(refusal.to_string()))?)
}
