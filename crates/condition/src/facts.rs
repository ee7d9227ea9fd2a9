//! What the evaluator asks of a member at an instant, and what it answers.

use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::cart::{CartItem, CartRow};
use crate::program::LeafUse;
use crate::row::{EventRow, OrderRow};
use crate::state::LeafStates;
use crate::value::Val;

/// What the evaluator asks of a member at an instant.
pub trait Facts {
    /// Who they are: what `bucket("salt")` is reckoned from.
    fn member_id(&self) -> MemberId {
        MemberId::from_bytes([0; 16])
    }
    /// The value of an attribute. `birthday` is read for `age` and `is_birthday` too.
    fn attribute(&self, _name: &str) -> Option<&Scalar> {
        None
    }
    /// Whether the member has a tag.
    fn has_tag(&self, _tag: &str) -> bool {
        false
    }
    /// All tags, in any order.
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(std::iter::empty())
    }
    /// The tier held.
    fn tier(&self) -> Option<&str> {
        None
    }
    /// The stage of the lifecycle.
    fn lifecycle(&self) -> Option<&str> {
        None
    }
    /// The home store.
    fn store(&self) -> Option<&str> {
        None
    }
    /// Points shown.
    fn points(&self) -> i64 {
        0
    }
    /// When the member enrolled.
    fn enrolled_at(&self) -> Option<Ts> {
        None
    }
    /// What they said yes and no to.
    fn consents(&self) -> Option<&Consents> {
        None
    }
    /// Whom they care for.
    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        Box::new(std::iter::empty())
    }
    /// Whether they are on a list that was uploaded by hand. Only conditions that may ask lists do.
    fn is_listed(&self, _list: &str) -> bool {
        false
    }
    /// Whether [`Facts::measured`] tells what a leaf comes to; its state is not looked at then.
    fn measures(&self, _leaf: &LeafUse) -> bool {
        false
    }
    /// What a leaf of history comes to at the instant of the evaluation, where whoever answers can tell without states.
    /// Such an answer says nothing of until when it holds.
    fn measured(&self, _leaf: &LeafUse) -> Val<'_> {
        Val::Unknown
    }
    /// What is known of the history; its leaves are those given to the evaluator.
    fn leaves(&self) -> &LeafStates;
    /// The event at hand.
    fn event(&self) -> Option<&EventRow> {
        None
    }
    /// The order at hand.
    fn order(&self) -> Option<&OrderRow> {
        None
    }
    /// The cart at hand.
    fn cart(&self) -> Option<&CartRow> {
        None
    }
    /// The item of a cart at hand.
    fn cart_item(&self) -> Option<&CartItem> {
        None
    }
}

/// An answer, and how long it is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether the condition holds.
    pub value: bool,
    /// It stays so for every instant in `[now, until)` if nothing else happens; [`Ts::FOREVER`] if only
    /// an event can change it.
    pub until: Ts,
}
