//! How a home moves: everything it remembers, table by table, in words that no database owns. A backup, a restore and a
//! migration are the same thing: one store says its rows, another takes them, and the digest proves it.
//!
//! Shares and their cursors do not move, since another home may fall into another number of them: rows of the inbox that
//! were not decided come as rows of the `queue`, each after itself. Places (`seq`) stay as they are.

mod access;
mod links;

use tokio::sync::mpsc;

/// What one column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 16 bytes.
    Id,
    /// A whole number.
    Int,
    /// A number that each database gives its rows for itself: no part of what a home remembers.
    No,
    /// Yes or no: 1 or 0.
    Flag,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// A table of a dump.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

/// A value of a dump. An id is bytes, a flag is a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Rows of one table. All rows of a table come together, tables in the order of [`TABLES`].
#[derive(Clone, Debug)]
pub struct Rows {
    /// Of which.
    pub table: &'static Table,
    /// Each with a value a column.
    pub rows: Vec<Vec<Value>>,
}

/// Where a store says its rows.
pub type Out = mpsc::Sender<Rows>;
/// Where a store takes them from.
pub type In = mpsc::Receiver<Rows>;

/// How many rows come at once.
pub const ROWS_AT_ONCE: usize = 2_000;

const ID: Kind = Kind::Id;
const INT: Kind = Kind::Int;
const NO: Kind = Kind::No;
const FLAG: Kind = Kind::Flag;
const TEXT: Kind = Kind::Text;
const BYTES: Kind = Kind::Bytes;

/// All tables, in an order in which a row comes after what it refers to.
pub static TABLES: [Table; 67] = [
    Table {
        name: "home",
        columns: &[("id_key", BYTES), ("offset_us", INT), ("live_since", INT), ("clock", INT), ("last", INT)],
    },
    Table {
        name: "playbook",
        columns: &[("version", INT), ("id", TEXT), ("hash", TEXT), ("source", TEXT), ("applied_at", INT)],
    },
    Table { name: "source", columns: &[("no", INT), ("name", TEXT), ("user_namespace", TEXT)] },
    Table { name: "import", columns: &[("name", TEXT), ("position", INT), ("done", FLAG)] },
    Table {
        name: "member",
        columns: &[
            ("id", ID),
            ("known_since", INT),
            ("enrolled_at", INT),
            ("decided_until", INT),
            ("version", INT),
            ("wake", INT),
            ("last_event", INT),
            ("tier", TEXT),
            ("term_from", INT),
            ("term_ends", INT),
            ("stage", TEXT),
            ("stage_since", INT),
            ("accounts", TEXT),
            ("timers", TEXT),
            ("tags", TEXT),
            ("touches", TEXT),
            ("told_at", TEXT),
            ("attributes", BYTES),
            ("fingerprint", TEXT),
            ("growth_days", BYTES),
            ("leaves", BYTES),
            ("personal", BYTES),
            ("audiences", BYTES),
            ("holdings", BYTES),
            ("runs", BYTES),
        ],
    },
    Table {
        name: "identifier",
        columns: &[("hash", ID), ("namespace", TEXT), ("value", BYTES), ("member", ID), ("since", INT)],
    },
    Table {
        name: "event",
        columns: &[
            ("seq", INT),
            ("id", ID),
            ("source", INT),
            ("message_id", TEXT),
            ("body_hash", BYTES),
            ("name", TEXT),
            ("time", INT),
            ("clock", INT),
            ("derived", INT),
            ("replay", FLAG),
            ("body", BYTES),
            ("member", ID),
            ("reached", ID),
            ("called", BYTES),
        ],
    },
    Table { name: "identifier_seen", columns: &[("hash", ID), ("seen", INT), ("hands", INT)] },
    Table { name: "given_up", columns: &[("seq", INT), ("no", INT), ("namespace", TEXT), ("reason", INT)] },
    Table { name: "queue", columns: &[("seq", INT), ("after", INT)] },
    Table {
        name: "dead_letter",
        columns: &[("seq", INT), ("code", TEXT), ("field", TEXT), ("message", TEXT), ("at", INT)],
    },
    Table { name: "retry", columns: &[("seq", INT), ("clock", INT), ("after", INT)] },
    Table { name: "timeline", columns: &[("seq", INT), ("member", ID), ("before", INT)] },
    Table {
        name: "orders",
        columns: &[
            ("no", INT),
            ("id", ID),
            ("member", ID),
            ("time", INT),
            ("store", TEXT),
            ("channel", TEXT),
            ("paid", INT),
            ("refunded", INT),
            ("status", INT),
            ("event", INT),
            ("terms", TEXT),
        ],
    },
    Table {
        name: "order_change",
        columns: &[("order_id", ID), ("at", INT), ("paid", INT), ("refunded", INT), ("counts", FLAG)],
    },
    Table {
        name: "transfer",
        columns: &[
            ("seq", NO),
            ("id", ID),
            ("member", ID),
            ("asset", INT),
            ("kind", INT),
            ("amount", INT),
            ("event", INT),
            ("ordinal", INT),
            ("at", INT),
            ("day", INT),
            ("reverses", ID),
            ("order_id", ID),
            ("version", INT),
        ],
    },
    Table {
        name: "lot",
        columns: &[
            ("id", ID),
            ("member", ID),
            ("asset", INT),
            ("granted", INT),
            ("remaining", INT),
            ("active_at", INT),
            ("expires_at", INT),
            ("active", FLAG),
        ],
    },
    Table {
        name: "allocation",
        columns: &[("no", NO), ("member", ID), ("transfer", ID), ("lot", ID), ("amount", INT)],
    },
    Table { name: "house_account", columns: &[("asset", INT), ("house", TEXT), ("balance", INT)] },
    Table {
        name: "hold",
        columns: &[("id", ID), ("member", ID), ("asset", INT), ("amount", INT), ("open", FLAG)],
    },
    Table {
        name: "term",
        columns: &[
            ("no", NO),
            ("member", ID),
            ("level", TEXT),
            ("at", INT),
            ("ends", INT),
            ("event", INT),
            ("version", INT),
        ],
    },
    Table {
        name: "stage_move",
        columns: &[
            ("no", NO),
            ("member", ID),
            ("was", TEXT),
            ("becomes", TEXT),
            ("at", INT),
            ("event", INT),
            ("version", INT),
        ],
    },
    Table {
        name: "tag_move",
        columns: &[
            ("no", NO),
            ("member", ID),
            ("tag", TEXT),
            ("is_on", FLAG),
            ("at", INT),
            ("event", INT),
            ("version", INT),
        ],
    },
    Table {
        name: "partner_move",
        columns: &[
            ("no", NO),
            ("member", ID),
            ("partner", TEXT),
            ("deed", INT),
            ("at", INT),
            ("event", INT),
            ("version", INT),
        ],
    },
    Table {
        name: "coupon",
        columns: &[
            ("id", ID),
            ("member", ID),
            ("offer", TEXT),
            ("terms", ID),
            ("account", INT),
            ("valid_from", INT),
            ("valid_until", INT),
            ("at", INT),
            ("cause", ID),
            ("ordinal", INT),
        ],
    },
    Table {
        name: "coupon_move",
        columns: &[
            ("no", NO),
            ("coupon", ID),
            ("member", ID),
            ("offer", TEXT),
            ("kind", INT),
            ("gives", INT),
            ("takes", INT),
            ("at", INT),
            ("event", INT),
            ("ordinal", INT),
            ("version", INT),
            ("given", INT),
        ],
    },
    Table { name: "coupon_terms", columns: &[("hash", ID), ("offer", TEXT), ("terms", TEXT)] },
    Table {
        name: "checkout",
        columns: &[
            ("id", ID),
            ("member", ID),
            ("state", INT),
            ("at", INT),
            ("until", INT),
            ("cause", ID),
            ("order_id", ID),
            ("takes", BYTES),
            ("body", BYTES),
        ],
    },
    Table {
        name: "run_move",
        columns: &[
            ("no", NO),
            ("member", ID),
            ("campaign", TEXT),
            ("run", ID),
            ("kind", INT),
            ("place", TEXT),
            ("why", TEXT),
            ("at", INT),
            ("event", INT),
            ("version", INT),
        ],
    },
    Table {
        name: "outbox",
        columns: &[
            ("id", ID),
            ("member", ID),
            ("channel", TEXT),
            ("campaign", TEXT),
            ("message", TEXT),
            ("at", INT),
            ("state", INT),
            ("cause", ID),
            ("body", BYTES),
        ],
    },
    Table { name: "send", columns: &crate::campaigns::sends::COLUMNS },
    Table { name: "arrival", columns: &crate::campaigns::arrivals::COLUMNS },
    Table { name: "reflection", columns: &crate::campaigns::mirror::COLUMNS },
    Table { name: "conversation", columns: &crate::campaigns::conversations::COLUMNS },
    links::LINK,
    Table { name: "pool", columns: &[("pool", TEXT), ("taken", INT)] },
    Table {
        name: "issue",
        columns: &[
            ("no", INT),
            ("name", TEXT),
            ("offer", TEXT),
            ("audience", TEXT),
            ("asked_by", TEXT),
            ("at", INT),
            ("members", INT),
            ("parts", INT),
        ],
    },
    Table { name: "issue_part", columns: &[("issue", INT), ("part", INT), ("members", BYTES)] },
    Table {
        name: "code_upload",
        columns: &[
            ("no", INT),
            ("name", TEXT),
            ("offer", TEXT),
            ("partner", TEXT),
            ("valid_until", INT),
            ("asked_by", TEXT),
            ("at", INT),
            ("codes", INT),
            ("withdrawn", INT),
        ],
    },
    Table {
        name: "code_part",
        columns: &[
            ("upload", INT),
            ("part", INT),
            ("hash", ID),
            ("codes", INT),
            ("twice", INT),
            ("known", INT),
            ("named", TEXT),
        ],
    },
    Table {
        name: "partner_code",
        columns: &[("hash", ID), ("upload", INT), ("place", INT), ("code", BYTES)],
    },
    Table { name: "coupon_code", columns: &[("coupon", ID), ("upload", INT), ("place", INT)] },
    Table { name: "draw", columns: &[("name", TEXT), ("revision", INT), ("state", TEXT)] },
    Table { name: "draw_part", columns: &[("list", BYTES), ("part", INT), ("entries", BYTES)] },
    Table {
        name: "till_lease",
        columns: &[("name", TEXT), ("revision", INT), ("due", INT), ("state", TEXT), ("members", TEXT)],
    },
    Table { name: "found_by", columns: &[("key", INT), ("member", ID)] },
    Table { name: "alias", columns: &[("member", ID), ("root", ID), ("since", INT)] },
    Table { name: "apart", columns: &[("member", ID), ("other", ID)] },
    Table { name: "archive", columns: &[("month", INT), ("file", TEXT), ("events", INT), ("hash", TEXT)] },
    Table {
        name: "suggestion",
        columns: &[
            ("no", INT),
            ("one", ID),
            ("other", ID),
            ("score_ppm", INT),
            ("evidence", TEXT),
            ("state", INT),
            ("found_at", INT),
            ("decided_by", TEXT),
            ("decided_at", INT),
        ],
    },
    access::API_KEY,
    access::PERSON,
    Table {
        name: "approval",
        columns: &[
            ("no", INT),
            ("operation", TEXT),
            ("request", TEXT),
            ("asked_by", TEXT),
            ("asked_at", INT),
            ("answer_by", INT),
            ("approved", FLAG),
            ("answered_by", TEXT),
            ("answered_at", INT),
        ],
    },
    Table {
        name: "audit",
        columns: &[
            ("no", INT),
            ("at", INT),
            ("who", TEXT),
            ("role", TEXT),
            ("operation", TEXT),
            ("target", TEXT),
            ("outcome", TEXT),
            ("detail", TEXT),
            ("hash", BYTES),
        ],
    },
    Table {
        name: "place",
        columns: &[("code", TEXT), ("parent", TEXT), ("kind", TEXT), ("document", TEXT), ("since", INT)],
    },
    Table {
        name: "place_history",
        columns: &[("no", INT), ("code", TEXT), ("at", INT), ("by", TEXT), ("was", TEXT)],
    },
    Table {
        name: "staff",
        columns: &[
            ("place", TEXT),
            ("code", TEXT),
            ("name", BYTES),
            ("role", TEXT),
            ("since", INT),
            ("until", INT),
        ],
    },
    Table {
        name: "webhook",
        columns: &[
            ("id", TEXT),
            ("revision", INT),
            ("made_at", INT),
            ("settings", TEXT),
            ("paused_at", INT),
            ("paused_because", TEXT),
            ("failing_since", INT),
            ("failures", INT),
            ("rest_until", INT),
        ],
    },
    Table {
        name: "webhook_message",
        columns: &[
            ("no", INT),
            ("endpoint", TEXT),
            ("id", ID),
            ("kind", TEXT),
            ("at", INT),
            ("member", ID),
            ("data", TEXT),
            ("made_at", INT),
            ("state", INT),
            ("attempts", INT),
            ("due", INT),
            ("tried_at", INT),
            ("status", INT),
            ("error", TEXT),
        ],
    },
    // Before the months themselves: what is closed takes no lines.
    Table {
        name: "book_late",
        columns: &[
            ("no", NO),
            ("period", INT),
            ("id", ID),
            ("member", ID),
            ("asset", INT),
            ("kind", INT),
            ("amount", INT),
            ("at", INT),
        ],
    },
    Table {
        name: "book_line",
        columns: &[
            ("month", INT),
            ("asset", INT),
            ("cut", INT),
            ("value", TEXT),
            ("opening", INT),
            ("earned", INT),
            ("spent", INT),
            ("expired", INT),
            ("reversed", INT),
            ("adjusted", INT),
            ("taken_over", INT),
            ("moved", INT),
            ("closing", INT),
            ("liability", INT),
        ],
    },
    Table {
        name: "coupon_late",
        columns: &[
            ("no", NO),
            ("period", INT),
            ("coupon", ID),
            ("offer", TEXT),
            ("kind", INT),
            ("at", INT),
            ("given", INT),
        ],
    },
    Table {
        name: "book_coupon",
        columns: &[
            ("month", INT),
            ("offer", TEXT),
            ("cut", INT),
            ("value", TEXT),
            ("opening", INT),
            ("issued", INT),
            ("redeemed", INT),
            ("expired", INT),
            ("withdrawn", INT),
            ("given_back", INT),
            ("moved", INT),
            ("closing", INT),
            ("given", INT),
            ("liability", INT),
        ],
    },
    Table {
        name: "book_close",
        columns: &[
            ("month", INT),
            ("start", INT),
            ("until", INT),
            ("closed_at", INT),
            ("closed_by", TEXT),
            ("version", INT),
            ("worth_minor", INT),
            ("worth_points", INT),
            ("hash", BYTES),
            ("coupons", FLAG),
        ],
    },
    Table {
        name: "list",
        columns: &[
            ("no", INT),
            ("name", TEXT),
            ("made_at", INT),
            ("changed_at", INT),
            ("changed_by", TEXT),
            ("round", INT),
        ],
    },
    Table { name: "listed", columns: &[("list", INT), ("named", ID), ("member", ID), ("round", INT)] },
    // Of which no messages were made yet: they are made where the home goes.
    Table { name: "feed", columns: &[("no", NO), ("members", BYTES), ("events", BYTES)] },
];

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}
