//! What comes in: a fact with a time, about someone.
//!
//! The wire is Segment's (`type`, `event`, `userId`, `messageId`, `timestamp`, `properties`…). [`accept`] turns
//! bytes into an [`Item`]: checked, canonical, still without a place in the inbox. An [`Event`] is what a decision
//! sees. Whatever is wrong is refused by a name, with the field at fault; nothing is guessed.

mod checkout;
pub mod json;
mod order;
mod read;
mod sent;
mod takeover;
mod whom;

use std::collections::BTreeMap;

pub use checkout::CheckoutFacts;
pub use order::{Amounts, Line, OrderFacts};
pub use read::{
    EXTERNAL_IDS_MAX, ITEM_BYTES_MAX, MESSAGE_ID_CHARS_MAX, TEXT_CHARS_MAX, accept, bounded, read,
};
pub use sent::{Sent, accept_sent};
pub use takeover::{AMOUNT_MAX as TAKEN_AMOUNT_MAX, LOTS_MAX, OpeningLot, TAGS_MAX, TakenTier, Takeover};
pub use whom::nobody;

use crate::id::{EventId, IdKey};
use crate::identifier;
use crate::scalar::Scalar;
use crate::time::Ts;

/// Why something was not taken or not done: a stable name, the field at fault, a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}{}{field}: {message}", if field.is_empty() { "" } else { " at " })]
pub struct Refusal {
    /// Stable name, `snake_case`.
    pub code: &'static str,
    /// Path of the field, empty when the whole is at fault.
    pub field: String,
    /// What is wrong, for people.
    pub message: String,
}

impl Refusal {
    /// A refusal of this name.
    pub fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into() }
    }
}

/// (namespace, value) that points to one member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// `phone`, `unionid`, `household`, `anonymous`…
    pub namespace: String,
    /// Its value, as it is kept ([`crate::identifier::normalise`]).
    pub value: String,
}

/// What a source must know of its items to read them.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// Namespace of `userId`.
    pub user_namespace: &'a str,
    /// Time of an item that carries none; `None` refuses such items.
    pub default_time: Option<Ts>,
}

/// A checked item, ready for the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Unique within its source; a hash of the body when the client sent none.
    pub message_id: String,
    /// When it happened.
    pub time: Ts,
    /// Event name, or the item's type.
    pub name: String,
    /// Canonical JSON without `sentAt` and `receivedAt`.
    pub body: String,
    /// The same as it was stated, where who received it set its time: what is sent again is the same then, though its time is
    /// worked out anew.
    pub stated: Option<String>,
    /// Whom it is about, most telling first.
    pub identifiers: Vec<Identifier>,
    /// Whom else its decision may reach.
    pub reaches: Option<Identifier>,
}

impl Item {
    /// The id that this item has in this home.
    pub fn id(&self, key: &IdKey, source: &str) -> EventId {
        key.derive("event", &[source.as_bytes(), self.message_id.as_bytes()])
    }

    /// The keyed hash by which the same id with another body is told apart.
    pub fn body_hash(&self, key: &IdKey) -> [u8; 16] {
        key.digest("body", &[self.stated.as_ref().unwrap_or(&self.body).as_bytes()])
    }
}

/// A fact as decisions see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Event name in the spelling of the e-commerce spec v2 (`Order Completed`), or `identify`, `page`…
    pub name: String,
    /// When it happened.
    pub time: Ts,
    /// Whom it is about, most telling first. Empty for derived events: their member is known.
    pub identifiers: Vec<Identifier>,
    /// New values of attributes.
    pub traits: BTreeMap<String, Scalar>,
    /// Attributes to forget (sent as `null`).
    pub traits_removed: Vec<String>,
    /// Scalar properties.
    pub properties: BTreeMap<String, Scalar>,
    /// Code of the touchpoint it came through.
    pub touchpoint: Option<String>,
    /// Code of the store.
    pub store: Option<String>,
    /// Channel, as the source names it.
    pub channel: Option<String>,
    /// Consent by the categories of a consent management platform, where the event is about that
    /// (`context.consent.categoryPreferences` of `Segment Consent Preference Updated`).
    pub preferences: BTreeMap<String, bool>,
    /// What it says of an order, for the events that speak of one.
    pub order: Option<OrderFacts>,
    /// What an old system knew of the member, where they are taken over from it.
    pub takeover: Option<Box<Takeover>>,
    /// What it says of a checkout, for the events that speak of one.
    pub checkout: Option<Box<CheckoutFacts>>,
}

impl Event {
    /// Whom else the decision on it may reach: the receiver of a gift. Known before anything is decided, so that whom
    /// it is about and whom it reaches are settled together, when it is accepted.
    pub fn reaches(&self) -> Option<Identifier> {
        if self.name != names::POINTS_GIFTED {
            return None;
        }
        let text = |key: &str| {
            let text = self.properties.get(key).and_then(Scalar::text).map(str::trim)?;
            (!text.is_empty() && bounded(key, text).is_ok()).then(|| text.to_owned())
        };
        let (namespace, value) = (text("to_namespace")?, text("to_value")?);
        // An older program took names as they came: what cannot be understood stays as it was written.
        let value = identifier::normalise(&namespace, &value).unwrap_or(value);
        Some(Identifier { namespace, value })
    }
}

/// Names of the e-commerce spec that decisions know.
pub mod names {
    /// An order was placed and paid.
    pub const ORDER_COMPLETED: &str = "Order Completed";
    /// An order changed.
    pub const ORDER_UPDATED: &str = "Order Updated";
    /// A payment notice: confirms an order and names its method.
    pub const ORDER_PAID: &str = "Order Paid";
    /// Money went back, whole or in part.
    pub const ORDER_REFUNDED: &str = "Order Refunded";
    /// The order never was.
    pub const ORDER_CANCELLED: &str = "Order Cancelled";
    /// Points are spent, at once or held first (`hold: true`).
    pub const POINTS_SPENT: &str = "Points Spent";
    /// A hold becomes a spend, whole or in part.
    pub const POINTS_POSTED: &str = "Points Posted";
    /// A hold is released.
    pub const POINTS_VOIDED: &str = "Points Voided";
    /// A spend is taken back into the very lots it came from.
    pub const POINTS_RETURNED: &str = "Points Returned";
    /// Points are given or taken by a person, with a reason.
    pub const POINTS_ADJUSTED: &str = "Points Adjusted";
    /// A member gives points to another, named by `to_namespace` and `to_value`.
    pub const POINTS_GIFTED: &str = "Points Gifted";
    /// Somebody at a desk says that the members of these identifiers are one person.
    pub const MEMBERS_MERGE_ASKED: &str = "Members Merge Asked";
    /// Made at the door when items show that two members are one person: about the one who ends.
    pub const MEMBERS_MERGED: &str = "Members Merged";
    /// Derived: what another member was and had is this one's from now on.
    pub const MEMBER_JOINED: &str = "Member Joined";
    /// A member was two people: those of their identifiers that `identifiers` lists, one a line, are another's.
    pub const MEMBERS_UNMERGED: &str = "Members Unmerged";
    /// Somebody said yes to something: a purpose, on a channel, to a version of its text.
    pub const CONSENT_GIVEN: &str = "Consent Given";
    /// Somebody said no to something they may have said yes to before.
    pub const CONSENT_WITHDRAWN: &str = "Consent Withdrawn";
    /// A consent management platform tells of all its categories at once (Segment's own name for it).
    pub const CONSENT_PREFERENCES: &str = "Segment Consent Preference Updated";
    /// A member has a child, or somebody else they care for; or more is known of one.
    pub const DEPENDANT_TOLD: &str = "Dependant Told";
    /// A person puts a tag on that no rule gives: `tag`.
    pub const TAG_PUT_ON: &str = "Tag Put On";
    /// A person takes one off.
    pub const TAG_TAKEN_OFF: &str = "Tag Taken Off";
    /// A dependant is none of the member's any more.
    pub const DEPENDANT_REMOVED: &str = "Dependant Removed";
    /// A member was in a standing audience against its condition, or out of it, and is judged again.
    pub const AUDIENCES_REVIEWED: &str = "Audiences Reviewed";
    /// We gave a member a partner's code: `partner` names whose.
    pub const PARTNER_REFERRED: &str = "Partner Referred";
    /// A partner says that a member used the code that we gave them: `partner` names who says so.
    pub const PARTNER_REDEEMED: &str = "Partner Redeemed";
    /// A member comes over from an old system, with what they had there. Only the take-over states it.
    pub const MEMBER_TAKEN_OVER: &str = "Member Taken Over";
    /// A coupon of an offer is issued to a member; also said where a decision issues one.
    pub const COUPON_ISSUED: &str = "Coupon Issued";
    /// A person takes a coupon back.
    pub const COUPON_WITHDRAWN: &str = "Coupon Withdrawn";
    /// A member takes a coupon for themselves: one of `offer`, which says who may, from when, and for how many points.
    pub const COUPON_CLAIMED: &str = "Coupon Claimed";
    /// A coupon was used. One of ours, which `coupon_id` names, is used up by it; what names none is another system's news.
    pub const COUPON_REDEEMED: &str = "Coupon Redeemed";
    /// A member won a prize in a draw: `draw`, `prize` (an offer), `entry`. Only the draw states it.
    pub const DRAW_WON: &str = "Draw Won";
    /// A member is to go through a campaign: `campaign`, and `key` where it is about something.
    pub const CAMPAIGN_BEGUN: &str = "Campaign Begun";
    /// A member saw what was said to them: `message`, its id.
    pub const MESSAGE_SEEN: &str = "Message Seen";
    /// What was said to a member did not arrive: `message`, `channel`, `reason`; `others` are to be tried next. Only the
    /// dispatcher states it.
    pub const MESSAGE_FAILED: &str = "Message Failed";
    /// A member is to be written to again on a channel on which nothing reached them: `channel`.
    pub const CHANNEL_REACHABLE: &str = "Channel Reachable";
    /// A member and an account of the brand's staff are in contact: `channel`, `account`; `half` while the member has not confirmed
    /// it; `way`, by which they came.
    pub const CONTACT_ADDED: &str = "Contact Added";
    /// They are no more: `channel`, `account`, `by` (`customer`, `staff`, `handed_over`).
    pub const CONTACT_LOST: &str = "Contact Lost";
    /// A member was to be handed over to another account, and was not: `channel`, `account`, `reason`.
    pub const CONTACT_KEPT: &str = "Contact Not Handed Over";
    /// What an account of the brand's keeps of a member whom it is in contact with: `channel`, `account`, `remark`, `tags`.
    pub const CONTACT_NOTED: &str = "Contact Noted";
    /// A member came into a group: `channel`, `group`.
    pub const GROUP_JOINED: &str = "Group Joined";
    /// A member left a group, or was removed: `channel`, `group`, `removed`.
    pub const GROUP_LEFT: &str = "Group Left";
    /// A member said something at a desk of the brand's: `channel`, `desk`, `persona`, `kind` (`text`, or what was sent), `text` as far as it
    /// fits, `media`.
    pub const MESSAGE_RECEIVED: &str = "Message Received";
    /// Somebody of the staff answered them: `channel`, `desk`, `persona`, `by`.
    pub const MESSAGE_ANSWERED: &str = "Message Answered";
    /// A member's advisor did what they were asked to: `task`, its id.
    pub const TASK_DONE: &str = "Task Done";
    /// A short link of a member was clicked: `link` its code, `page`, `clicks`. Only the home itself states it.
    pub const LINK_CLICKED: &str = "Link Clicked";
    /// The code of one was scanned.
    pub const LINK_SCANNED: &str = "Link Scanned";
    /// A short link that a member passes on was clicked by somebody; it is the sharer's event. Only the home itself states it.
    pub const SHARE_CLICKED: &str = "Share Clicked";
    /// The code of one was scanned.
    pub const SHARE_SCANNED: &str = "Share Scanned";
    /// Derived: a coupon of ours was used up.
    pub const COUPON_USED: &str = "Coupon Used";
    /// Derived: the time of a coupon is over.
    pub const COUPON_EXPIRED: &str = "Coupon Expired";
    /// Derived: the time of a coupon will soon be over.
    pub const COUPON_EXPIRING: &str = "Coupon Expiring";
    /// Derived: a batch did not issue a coupon to a member, and why.
    pub const COUPON_NOT_ISSUED: &str = "Coupon Not Issued";
    /// A cart is priced for a member, and what its discounts take is held; also said where that was decided.
    pub const CHECKOUT_LOCKED: &str = "Checkout Locked";
    /// A checkout was paid: what it takes is used.
    pub const CHECKOUT_REDEEMED: &str = "Checkout Redeemed";
    /// Whoever began a checkout lets go of it.
    pub const CHECKOUT_CANCELLED: &str = "Checkout Cancelled";
    /// Pieces of what was bought come back.
    pub const CHECKOUT_RETURNED: &str = "Checkout Returned";
    /// What a till may sell of a member's without a network is held for it: `lease`, `leased_to`, and `coupons` where some are
    /// named. Only the lease states it.
    pub const TILL_LEASED: &str = "Till Leased";
    /// The till is back: what it did not sell of a member's is theirs again. Only the lease states it.
    pub const TILL_RETURNED: &str = "Till Returned";
    /// Derived: a checkout was not paid in its time, and lets go of what it held.
    pub const CHECKOUT_RELEASED: &str = "Checkout Released";
    /// Derived: another member's gift arrives.
    pub const POINTS_RECEIVED: &str = "Points Received";
    /// Derived: a member moved between lifecycle stages.
    pub const STAGE_CHANGED: &str = "Lifecycle Stage Changed";
    /// Derived: a member's tier or its term changed.
    pub const TIER_CHANGED: &str = "Tier Changed";
    /// Derived: a tag was put on.
    pub const TAG_ADDED: &str = "Tag Added";
    /// Derived: a tag was taken off.
    pub const TAG_REMOVED: &str = "Tag Removed";
    /// Derived: a member is in a standing audience from now on.
    pub const AUDIENCE_ENTERED: &str = "Audience Entered";
    /// Derived: a member is in a standing audience no more.
    pub const AUDIENCE_LEFT: &str = "Audience Left";
    /// Derived: a member's run came to a webhook step of a campaign.
    pub const CAMPAIGN_STEP: &str = "Campaign Step";
    /// Derived: a timer fell due.
    pub const TIMER_DUE: &str = "Timer Due";
    /// Derived: a new version of the playbook reached a member.
    pub const PLAYBOOK_APPLIED: &str = "Playbook Applied";

    /// What is needed for as long as there is a member: the ledger, who is whom, what was consented to. Bodies of these are
    /// never let go.
    pub const NEEDED: [&str; 38] = [
        CONTACT_ADDED,
        CONTACT_LOST,
        CONTACT_NOTED,
        GROUP_JOINED,
        GROUP_LEFT,
        DRAW_WON,
        TILL_LEASED,
        TILL_RETURNED,
        ORDER_COMPLETED,
        ORDER_UPDATED,
        ORDER_PAID,
        ORDER_REFUNDED,
        ORDER_CANCELLED,
        POINTS_SPENT,
        POINTS_POSTED,
        POINTS_VOIDED,
        POINTS_RETURNED,
        POINTS_ADJUSTED,
        POINTS_GIFTED,
        MEMBERS_MERGE_ASKED,
        MEMBERS_UNMERGED,
        CONSENT_GIVEN,
        CONSENT_WITHDRAWN,
        CONSENT_PREFERENCES,
        DEPENDANT_TOLD,
        DEPENDANT_REMOVED,
        PARTNER_REDEEMED,
        MEMBER_TAKEN_OVER,
        TAG_PUT_ON,
        TAG_TAKEN_OFF,
        COUPON_ISSUED,
        COUPON_WITHDRAWN,
        COUPON_CLAIMED,
        COUPON_REDEEMED,
        CHECKOUT_LOCKED,
        CHECKOUT_REDEEMED,
        CHECKOUT_CANCELLED,
        CHECKOUT_RETURNED,
    ];

    /// What a write key that lies open may not say: it earns, spends or gives points, says who is whom, or what others agree
    /// to, whom they care for and what a partner owes.
    pub const SERVER_ONLY: [&str; 43] = [
        CONTACT_ADDED,
        CONTACT_LOST,
        CONTACT_NOTED,
        CONTACT_KEPT,
        GROUP_JOINED,
        GROUP_LEFT,
        MESSAGE_RECEIVED,
        MESSAGE_ANSWERED,
        MESSAGE_FAILED,
        CHANNEL_REACHABLE,
        CAMPAIGN_BEGUN,
        TASK_DONE,
        DRAW_WON,
        TILL_LEASED,
        TILL_RETURNED,
        ORDER_COMPLETED,
        ORDER_UPDATED,
        ORDER_PAID,
        ORDER_REFUNDED,
        ORDER_CANCELLED,
        POINTS_SPENT,
        POINTS_POSTED,
        POINTS_VOIDED,
        POINTS_RETURNED,
        POINTS_ADJUSTED,
        POINTS_GIFTED,
        MEMBERS_MERGE_ASKED,
        MEMBERS_UNMERGED,
        CONSENT_GIVEN,
        CONSENT_WITHDRAWN,
        DEPENDANT_TOLD,
        DEPENDANT_REMOVED,
        PARTNER_REFERRED,
        PARTNER_REDEEMED,
        MEMBER_TAKEN_OVER,
        COUPON_ISSUED,
        COUPON_WITHDRAWN,
        COUPON_CLAIMED,
        COUPON_REDEEMED,
        CHECKOUT_LOCKED,
        CHECKOUT_REDEEMED,
        CHECKOUT_CANCELLED,
        CHECKOUT_RETURNED,
    ];
}

/// Names of the first version of the e-commerce spec, and what they are called now.
pub(crate) const RENAMED: [(&str, &str); 32] = [
    ("Completed Order", names::ORDER_COMPLETED),
    ("Updated Order", names::ORDER_UPDATED),
    ("Started Order", "Checkout Started"),
    ("Viewed Checkout Step", "Checkout Step Viewed"),
    ("Completed Checkout Step", "Checkout Step Completed"),
    ("Viewed Product", "Product Viewed"),
    ("Clicked Product", "Product Clicked"),
    ("Added Product", "Product Added"),
    ("Removed Product", "Product Removed"),
    ("Viewed Product Category", "Product List Viewed"),
    ("Viewed Promotion", "Promotion Viewed"),
    ("Clicked Promotion", "Promotion Clicked"),
    ("Refunded Order", names::ORDER_REFUNDED),
    ("Cancelled Order", names::ORDER_CANCELLED),
    ("Canceled Order", names::ORDER_CANCELLED),
    ("Order Canceled", names::ORDER_CANCELLED),
    ("Searched Products", "Products Searched"),
    ("Viewed Product List", "Product List Viewed"),
    ("Filtered Product List", "Product List Filtered"),
    ("Viewed Cart", "Cart Viewed"),
    ("Started Checkout", "Checkout Started"),
    ("Entered Payment Info", "Payment Info Entered"),
    ("Entered Coupon", "Coupon Entered"),
    ("Applied Coupon", "Coupon Applied"),
    ("Denied Coupon", "Coupon Denied"),
    ("Removed Coupon", "Coupon Removed"),
    ("Added Product to Wishlist", "Product Added to Wishlist"),
    ("Removed Product from Wishlist", "Product Removed from Wishlist"),
    ("Added Wishlist Product to Cart", "Wishlist Product Added to Cart"),
    ("Shared Product", "Product Shared"),
    ("Shared Cart", "Cart Shared"),
    ("Reviewed Product", "Product Reviewed"),
];
