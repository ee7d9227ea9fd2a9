//! Who is whom, as stores see it: what the door says when an item shows that two members are one person, and what is read
//! of a member to part them again.

use zhiyin_model::checkout::Checkout;
use zhiyin_model::coupon::Coupon;
use zhiyin_model::effect::{Allocation, Hold, Lot, Order, Transfer};
use zhiyin_model::event::json::write_text;
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, MemberId};

use crate::seal::{self, Sealed};
use crate::{NewEvent, PastEvent};

/// An event of the home's own source that comes before an item: one of two members of that item's names ends.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Its id.
    pub id: EventId,
    /// Its message id, unique within the home's own source; in a sealed home, on its way into the database, a keyed hash of that.
    pub message_id: String,
    /// The same sealed, where `message_id` is a hash.
    pub called: Option<Sealed>,
    /// Its item.
    pub body: Sealed,
    /// Who ends: whom it is about.
    pub loser: MemberId,
    /// Who they are: whom it reaches.
    pub winner: MemberId,
}

/// What is said when an item, of a source and as it calls it, shows that these two are one person; `n` counts such events of
/// one item.
pub fn merge(
    event: &NewEvent,
    (source, called): (&str, &str),
    n: usize,
    winner: MemberId,
    loser: MemberId,
) -> Merge {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"merge").update(event.id.bytes()).update(&(n as u64).to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    let cause = format!("{source}/{called}");
    let mut body =
        format!("{{\"context\":{{\"externalIds\":[{{\"id\":\"{loser}\",\"type\":\"member\"}}]}},\"event\":");
    write_text(names::MEMBERS_MERGED, &mut body);
    body.push_str(",\"properties\":{\"cause\":");
    write_text(&cause, &mut body);
    body.push_str("},\"timestamp\":");
    write_text(&event.time.rfc3339(), &mut body);
    body.push_str(",\"type\":\"track\"}");
    let message_id = format!("{cause}/merge/{n}");
    Merge { id: EventId::from_bytes(id), message_id, called: None, body: seal::seal(&body), loser, winner }
}

/// An event of a member's past.
#[derive(Clone, Debug)]
pub struct Past {
    /// What it says.
    pub event: PastEvent,
    /// Who sent it.
    pub source: String,
    /// Its message id.
    pub message_id: String,
}

/// What was booked for a member, and what they have.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// All transfers that events of their timeline caused, whoever's they were when they were made, in their order.
    pub transfers: Vec<Transfer>,
    /// What those took from which lots.
    pub allocations: Vec<Allocation>,
    /// Their lots, open or not.
    pub lots: Vec<Lot>,
    /// Their holds, open or not.
    pub holds: Vec<Hold>,
    /// Their orders, each with the event that brought it.
    pub orders: Vec<(Order, EventId)>,
    /// Their coupons, wherever they stand.
    pub coupons: Vec<Coupon>,
    /// Their checkouts, wherever they stand.
    pub checkouts: Vec<Checkout>,
}
