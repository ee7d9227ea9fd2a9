//! What a batch writes, as columns: a statement takes all rows of its table at once, as one array a column.

use crate::connection::{Of, Step, Values};
use crate::rows::Uuid;

/// Rows of one statement as one list a column, in the order of the statement's values.
pub(crate) trait Columns {
    /// How many rows.
    fn len(&self) -> usize;
    /// The columns.
    fn given(&self) -> Values<'_>;
}

/// Declares the rows of a statement, and the columns into which they are put.
macro_rules! columns {
    ($($(#[$doc:meta])* $columns:ident of $row:ident $(<$life:lifetime>)? { $($column:ident: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $row $(<$life>)? {
                $(pub(crate) $column: $kind,)*
            }

            $(#[$doc])*
            #[derive(Default)]
            pub(crate) struct $columns $(<$life>)? {
                $($column: Vec<$kind>,)*
            }

            impl $(<$life>)? $columns $(<$life>)? {
                /// Adds a row.
                pub(crate) fn push(&mut self, row: $row $(<$life>)?) {
                    $(self.$column.push(row.$column);)*
                }
            }

            impl $(<$life>)? Columns for $columns $(<$life>)? {
                fn len(&self) -> usize {
                    [$(self.$column.len()),*].first().copied().unwrap_or(0)
                }

                fn given(&self) -> Values<'_> {
                    vec![$(&self.$column),*]
                }
            }
        )*
    };
}

columns! {
    /// Ids of items, as their sources call them ([`MESSAGE_NEW`]).
    Messages of Message<'f> { source: i32, message_id: &'f str, body_hash: Uuid, seq: i64, }
    /// Events ([`EVENT_NEW`]).
    Events of Event<'f> {
        seq: i64, id: Uuid, slot: i32, source: i32, message_id: &'f str, name: &'f str, time: i64, clock: i64,
        derived: i16, replay: bool, body: &'f [u8], member: Uuid, reached: Option<Uuid>, called: Option<&'f [u8]>,
    }
    /// Names ([`IDENTIFIER_NEW`], [`IDENTIFIER_CLAIM`]).
    Identifiers of Identifier<'f> { hash: Uuid, namespace: &'f str, value: &'f [u8], member: Uuid, since: i64, }
    /// By what members are found ([`crate::reading::FOUND_NEW`]).
    Founds of Found { key: i64, member: Uuid, }
    /// When names were seen last ([`SEEN_SET`]).
    Seens of Seen { hash: Uuid, seen: i64, hands: i32, }
    /// Names that were given up ([`GIVEN_UP_NEW`]).
    GivenUps of GivenUp<'f> { seq: i64, no: i32, namespace: &'f str, reason: i16, }
    /// What waits beside the cursor ([`QUEUE_NEW`]).
    Queue of Queued { seq: i64, slot: i32, after: i64, }
    /// What could not be decided ([`DEAD_NEW`]).
    DeadLetters of DeadLetter<'f> { seq: i64, code: &'f str, field: &'f str, message: &'f str, at: i64, }
    /// Timelines ([`TIMELINE_NEW`], [`TIMELINE_ON`]).
    Timeline of Happened { seq: i64, member: Uuid, before: Option<i64>, }
    /// Members ([`MEMBER_NEW`], [`MEMBER_MOVE`], [`MEMBER_SET`]); `was` is where their timeline ended before.
    Members of Member<'f> {
        id: Uuid, slot: i32, known_since: i64, enrolled_at: Option<i64>, decided_until: i64, version: i64,
        wake: Option<i64>, last_event: Option<i64>, tier: Option<&'f str>, term_from: Option<i64>, term_ends: Option<i32>,
        stage: Option<&'f str>, stage_since: Option<i64>, accounts: String, timers: String, tags: String, touches: &'f str,
        told_at: &'f str, attributes: &'f [u8], fingerprint: &'f str, growth_days: Vec<u8>, leaves: &'f [u8],
        personal: Option<&'f [u8]>, audiences: Option<Vec<u8>>, holdings: Option<Vec<u8>>, runs: Option<Vec<u8>>, was: Option<i64>,
    }
    /// Where timelines end ([`LAST_SET`]).
    Lasts of Last { member: Uuid, last_event: i64, }
    /// When members are woken ([`WAKE_SET`]).
    Wakes of Wake { member: Uuid, wake: Option<i64>, }
    /// Whose orders are, and where ([`PLACE_NEW`]).
    Places of Place { id: Uuid, member: Uuid, no: i64, }
    /// Orders that change hands ([`PLACE_SET`]).
    Handed of Hand { id: Uuid, member: Uuid, no: i64, was: Uuid, was_no: i64, }
    /// Orders that somebody had ([`ORDER_GONE`]).
    Gone of Left { no: i64, id: Uuid, member: Uuid, }
    /// Orders ([`ORDER_NEW`], [`ORDER_SET`]); `event` is none where their lines stay where they are.
    Orders of Order<'f> {
        no: i64, id: Uuid, member: Uuid, time: i64, store: Option<&'f str>, channel: Option<&'f str>, paid: i64,
        refunded: i64, status: i16, event: Option<i64>, terms: String,
    }
    /// How orders stood ([`ORDER_CHANGE_SET`], [`ORDER_CHANGE_FIRST`]).
    OrderChanges of OrderChange { order: Uuid, at: i64, paid: i64, refunded: i64, counts: bool, }
    /// The journal ([`TRANSFER_NEW`]).
    Transfers of Transfer {
        id: Uuid, member: Uuid, asset: i16, kind: i16, amount: i64, event: i64, ordinal: i32, at: i64, day: i32,
        reverses: Option<Uuid>, order: Option<Uuid>, version: i64,
    }
    /// Lots ([`LOT_NEW`], [`LOT_SET`]).
    Lots of Lot {
        id: Uuid, member: Uuid, asset: i16, granted: i64, remaining: i64, active_at: i64, expires_at: i64, active: bool,
    }
    /// What transfers took ([`ALLOCATION_NEW`]).
    Allocations of Allocation { member: Uuid, transfer: Uuid, lot: Option<Uuid>, amount: i64, }
    /// The brand's accounts ([`HOUSE_ADD`]).
    Houses of House<'f> { asset: i16, house: &'f str, slot: i32, amount: i64, }
    /// Holds ([`HOLD_SET`]).
    Holds of Hold { id: Uuid, member: Uuid, asset: i16, amount: i64, open: bool, }
    /// Terms ([`TERM_NEW`]).
    Terms of Term<'f> { member: Uuid, level: &'f str, at: i64, ends: i32, event: i64, version: i64, }
    /// Lifecycle moves ([`STAGE_NEW`]).
    Stages of Stage<'f> {
        member: Uuid, was: Option<&'f str>, becomes: &'f str, at: i64, event: i64, version: i64,
    }
    /// Tags put on and taken off ([`TAG_NEW`]).
    Tags of Tag<'f> { member: Uuid, tag: &'f str, is_on: bool, at: i64, event: i64, version: i64, }
    /// What passed between the brand and its partners ([`PARTNER_NEW`]).
    Partners of Partner<'f> { member: Uuid, partner: &'f str, deed: i16, at: i64, event: i64, version: i64, }
    /// Coupons ([`crate::coupons::COUPON_NEW`]).
    Coupons of Coupon {
        id: Uuid, member: Uuid, offer: String, terms: Uuid, account: i16, valid_from: i64, valid_until: i64, at: i64,
        cause: Uuid, ordinal: i32,
    }
    /// Coupons in another account ([`crate::coupons::COUPON_SET`]).
    CouponSets of CouponSet { id: Uuid, member: Uuid, account: i16, valid_until: i64, }
    /// How coupons moved ([`crate::coupons::MOVE_NEW`]).
    CouponMoves of CouponMove<'f> {
        coupon: Uuid, member: Uuid, offer: &'f str, kind: i16, gives: i16, takes: i16, at: i64, event: i64, ordinal: i32,
        version: i64, given: i64,
    }
    /// Checkouts ([`crate::checkouts::CHECKOUT_NEW`]).
    Checkouts of Checkout<'f> {
        id: Uuid, member: Uuid, state: i16, at: i64, until: i64, cause: Uuid, order_id: Option<Uuid>, takes: Vec<u8>,
        body: &'f [u8],
    }
    /// Checkouts whose bodies stay ([`crate::checkouts::CHECKOUT_SET`]).
    CheckoutSets of CheckoutSet {
        id: Uuid, member: Uuid, state: i16, at: i64, until: i64, cause: Uuid, order_id: Option<Uuid>, takes: Vec<u8>,
    }
    /// What happened in runs ([`crate::campaigns::MOVE_NEW`]).
    RunMoves of RunMove<'f> {
        member: Uuid, campaign: &'f str, run: Uuid, kind: i16, place: &'f str, why: &'f str, at: i64, event: i64,
        version: i64,
    }
    /// What is said to members ([`crate::campaigns::NOTE_NEW`]).
    Notes of Note<'f> {
        id: Uuid, member: Uuid, channel: &'f str, campaign: &'f str, message: &'f str, at: i64, state: i16, cause: Uuid,
        body: &'f [u8],
    }
    /// What of it leaves the home ([`crate::campaigns::SEND_NEW`]).
    SendsNew of SendNew<'f> { id: Uuid, channel: &'f str, at: i64, others: String, }
    /// Where that stands ([`crate::campaigns::NOTE_ON`]).
    NotesOn of NoteOn { id: Uuid, member: Uuid, state: i16, }
    /// Short links ([`crate::links::LINK_NEW`]).
    LinksNew of LinkNew<'f> {
        id: Uuid, code: &'f str, page: &'f str, target: &'f str, touchpoint: Option<&'f str>, campaign: Option<&'f str>,
        message: Option<&'f str>, member: Option<Uuid>, sharer: Option<Uuid>, at: i64, until: Option<i64>,
    }
    /// Terms of coupons ([`crate::coupons::TERMS_NEW`]).
    CouponTerms of CouponTerm<'f> { hash: Uuid, offer: &'f str, terms: &'f str, }
    /// What is taken of pools ([`crate::coupons::POOL_TAKE`]).
    Takes of Take<'f> { pool: &'f str, amount: i64, size: Option<i64>, }
    /// Codes that coupons bear ([`crate::coupons::CODES_BORNE`]).
    CodesBorne of CodeBorne<'f> { coupon: Uuid, upload: i64, pool: &'f str, back: i64, }
}

pub(crate) const MESSAGE_NEW: &str = "INSERT INTO {shard}.message (source, message_id, body_hash, seq) \
    SELECT * FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::bigint[])";
pub(crate) const EVENT_NEW: &str = "INSERT INTO {shard}.event (seq, id, slot, source, message_id, name, time, clock, \
    derived, replay, body, member, reached, called) SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::integer[], $4::integer[], \
    $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::smallint[], $10::boolean[], $11::bytea[], $12::uuid[], \
    $13::uuid[], $14::bytea[])";
/// A name that a decision attaches; it may be somebody's already.
pub(crate) const IDENTIFIER_NEW: &str = "INSERT INTO {shard}.identifier (hash, namespace, value, member, since) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::bigint[]) ON CONFLICT (hash) DO NOTHING";
/// A name that was nobody's when it was looked up: if it is somebody's by now, all is looked up again.
pub(crate) const IDENTIFIER_CLAIM: &str = "INSERT INTO {shard}.identifier (hash, namespace, value, member, since) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::bigint[])";
pub(crate) const SEEN_SET: &str = "INSERT INTO {home}.identifier_seen AS s (hash, seen, hands) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[]) \
    ON CONFLICT (hash) DO UPDATE SET seen = GREATEST(s.seen, EXCLUDED.seen), hands = EXCLUDED.hands";
pub(crate) const GIVEN_UP_NEW: &str = "INSERT INTO {home}.given_up (seq, no, namespace, reason) \
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::smallint[])";
pub(crate) const QUEUE_NEW: &str = "INSERT INTO {shard}.queue (seq, slot, after) \
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[])";
/// A dead letter lies where its event does: the others' shards find nothing.
pub(crate) const DEAD_NEW: &str = "INSERT INTO {shard}.dead_letter (seq, code, field, message, at) \
    SELECT u.seq, u.code, u.field, u.message, u.at \
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[]) u (seq, code, field, message, at) \
    JOIN {shard}.event e ON e.seq = u.seq ON CONFLICT (seq) DO UPDATE SET code = EXCLUDED.code, \
    field = EXCLUDED.field, message = EXCLUDED.message, at = EXCLUDED.at";
pub(crate) const TIMELINE_NEW: &str = "INSERT INTO {shard}.timeline (seq, member, before) \
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[])";
/// Where `before` is none the timeline as stored goes on. Runs before the member's row says where it ends now.
pub(crate) const TIMELINE_ON: &str = "INSERT INTO {shard}.timeline (seq, member, before) SELECT u.seq, u.member, \
    COALESCE(u.before, (SELECT m.last_event FROM {shard}.member m WHERE m.id = u.member)) \
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) u (seq, member, before)";

/// A member's columns, as they are given.
macro_rules! given_members {
    () => {
        " FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
         $8::bigint[], $9::text[], $10::bigint[], $11::integer[], $12::text[], $13::bigint[], $14::text[], $15::text[], \
         $16::text[], $17::text[], $18::text[], $19::bytea[], $20::text[], $21::bytea[], $22::bytea[], $23::bytea[], \
         $24::bytea[], $25::bytea[], $26::bytea[], $27::bigint[]) u (id, slot, known_since, enrolled_at, decided_until, version, wake, last_event, tier, term_from, term_ends, stage, \
         stage_since, accounts, timers, tags, touches, told_at, attributes, fingerprint, growth_days, leaves, personal, \
         audiences, holdings, runs, was)"
    };
}
macro_rules! members_new {
    () => {
        concat!(
            "INSERT INTO {shard}.member AS m (id, slot, known_since, enrolled_at, decided_until, version, wake, last_event, \
             tier, term_from, term_ends, stage, stage_since, accounts, timers, tags, touches, told_at, attributes, \
             fingerprint, growth_days, leaves, personal, audiences, holdings, runs) SELECT u.id, u.slot, u.known_since, u.enrolled_at, u.decided_until, \
             u.version, u.wake, u.last_event, u.tier, u.term_from, u.term_ends, u.stage, u.stage_since, u.accounts, \
             u.timers, u.tags, u.touches, u.told_at, u.attributes, u.fingerprint, u.growth_days, u.leaves, \
             u.personal, u.audiences, u.holdings, u.runs",
            given_members!()
        )
    };
}
/// All columns but the key and what follows from it. `wake` rarely moves, and PostgreSQL touches its index only where it does.
macro_rules! members_set {
    ($from:literal) => {
        concat!(
            "known_since = ",
            $from,
            ".known_since, enrolled_at = ",
            $from,
            ".enrolled_at, decided_until = ",
            $from,
            ".decided_until, version = ",
            $from,
            ".version, wake = ",
            $from,
            ".wake, last_event = COALESCE(",
            $from,
            ".last_event, m.last_event), tier = ",
            $from,
            ".tier, term_from = ",
            $from,
            ".term_from, term_ends = ",
            $from,
            ".term_ends, stage = ",
            $from,
            ".stage, stage_since = ",
            $from,
            ".stage_since, accounts = ",
            $from,
            ".accounts, timers = ",
            $from,
            ".timers, tags = ",
            $from,
            ".tags, touches = ",
            $from,
            ".touches, told_at = ",
            $from,
            ".told_at, attributes = ",
            $from,
            ".attributes, fingerprint = ",
            $from,
            ".fingerprint, growth_days = ",
            $from,
            ".growth_days, leaves = ",
            $from,
            ".leaves, personal = ",
            $from,
            ".personal, audiences = ",
            $from,
            ".audiences, holdings = ",
            $from,
            ".holdings, runs = ",
            $from,
            ".runs"
        )
    };
}
/// Members of whom it is known that they are not there.
pub(crate) const MEMBER_NEW: &str = members_new!();
/// Members of whom it is known that they are there, as they were when they were looked up.
pub(crate) const MEMBER_MOVE: &str = concat!(
    "UPDATE {shard}.member m SET ",
    members_set!("u"),
    given_members!(),
    " WHERE m.id = u.id AND m.last_event IS NOT DISTINCT FROM u.was"
);
/// Members who may be there or not.
pub(crate) const MEMBER_SET: &str =
    concat!(members_new!(), " ON CONFLICT (id) DO UPDATE SET ", members_set!("EXCLUDED"));
pub(crate) const LAST_SET: &str = "UPDATE {shard}.member m SET last_event = u.last_event \
    FROM unnest($1::uuid[], $2::bigint[]) u (id, last_event) WHERE m.id = u.id";
pub(crate) const WAKE_SET: &str = "UPDATE {shard}.member m SET wake = u.wake \
    FROM unnest($1::uuid[], $2::bigint[]) u (id, wake) WHERE m.id = u.id";
pub(crate) const PLACE_NEW: &str = "INSERT INTO {shard}.order_place (id, member, no) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])";
pub(crate) const PLACE_SET: &str = "UPDATE {shard}.order_place p SET member = u.member, no = u.no \
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[]) u (id, member, no, was, was_no) \
    WHERE p.id = u.id AND p.member = u.was AND p.no = u.was_no";
pub(crate) const ORDER_GONE: &str = "DELETE FROM {shard}.orders o \
    USING unnest($1::bigint[], $2::uuid[], $3::uuid[]) u (no, id, member) \
    WHERE o.no = u.no AND o.id = u.id AND o.member = u.member";
pub(crate) const ORDER_NEW: &str = "INSERT INTO {shard}.orders (no, id, member, time, store, channel, paid, refunded, \
    status, event, terms) SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], \
    $6::text[], $7::bigint[], $8::bigint[], $9::smallint[], $10::bigint[], $11::text[])";
pub(crate) const ORDER_SET: &str = "UPDATE {shard}.orders o SET time = u.time, store = u.store, channel = u.channel, \
    paid = u.paid, refunded = u.refunded, status = u.status, event = COALESCE(u.event, o.event), terms = u.terms \
    FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], \
    $9::smallint[], $10::bigint[], $11::text[]) \
    u (no, id, member, time, store, channel, paid, refunded, status, event, terms) \
    WHERE o.no = u.no AND o.id = u.id AND o.member = u.member";
/// How an order stood at first is written once; how it stands since an instant may be corrected within it.
pub(crate) const ORDER_CHANGE_SET: &str = "INSERT INTO {shard}.order_change AS c (order_id, at, paid, refunded, counts) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[]) \
    ON CONFLICT (order_id, at) DO UPDATE SET paid = EXCLUDED.paid, refunded = EXCLUDED.refunded, counts = EXCLUDED.counts";
pub(crate) const ORDER_CHANGE_FIRST: &str = "INSERT INTO {shard}.order_change (order_id, at, paid, refunded, counts) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[]) \
    ON CONFLICT (order_id, at) DO NOTHING";
pub(crate) const TRANSFER_NEW: &str = "INSERT INTO {shard}.transfer (id, member, asset, kind, amount, event, ordinal, at, \
    day, reverses, order_id, version) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], \
    $5::bigint[], $6::bigint[], $7::integer[], $8::bigint[], $9::integer[], $10::uuid[], $11::uuid[], $12::bigint[])";
/// Lots that transfers of the batch opened.
pub(crate) const LOT_NEW: &str = "INSERT INTO {shard}.lot (id, member, asset, granted, remaining, active_at, expires_at, \
    active) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], \
    $7::bigint[], $8::boolean[])";
pub(crate) const LOT_SET: &str = "INSERT INTO {shard}.lot (id, member, asset, granted, remaining, active_at, expires_at, \
    active) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], \
    $7::bigint[], $8::boolean[]) ON CONFLICT (member, expires_at, active_at, id) DO UPDATE SET \
    remaining = EXCLUDED.remaining, active = EXCLUDED.active";
pub(crate) const ALLOCATION_NEW: &str = "INSERT INTO {shard}.allocation (member, transfer, lot, amount) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])";
pub(crate) const HOUSE_ADD: &str = "INSERT INTO {shard}.house_account AS h (asset, house, slot, balance) \
    SELECT * FROM unnest($1::smallint[], $2::text[], $3::integer[], $4::bigint[]) \
    ON CONFLICT (asset, house, slot) DO UPDATE SET balance = h.balance + EXCLUDED.balance";
pub(crate) const HOLD_SET: &str = "INSERT INTO {shard}.hold (id, member, asset, amount, open) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::boolean[]) \
    ON CONFLICT (id) DO UPDATE SET open = EXCLUDED.open";
pub(crate) const TERM_NEW: &str = "INSERT INTO {shard}.term (member, level, at, ends, event, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[])";
pub(crate) const STAGE_NEW: &str = "INSERT INTO {shard}.stage_move (member, was, becomes, at, event, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])";
pub(crate) const PARTNER_NEW: &str = "INSERT INTO {shard}.partner_move (member, partner, deed, at, event, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[])";
pub(crate) const TAG_NEW: &str = "INSERT INTO {shard}.tag_move (member, tag, is_on, at, event, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[], $6::bigint[])";

impl Events<'_> {
    /// In which shares they come in.
    pub(crate) fn slots(&self) -> impl Iterator<Item = i32> + '_ {
        self.slot.iter().copied()
    }
}

/// The step that writes these rows, if there are any.
pub(crate) fn write<'c>(of: Of, columns: &'c dyn Columns) -> Option<Step<'c>> {
    (columns.len() > 0).then(|| Step::Run(of, columns.given()))
}
