//! Who may come in, as they move with a home: keys and people. Sessions stay: whoever signed in does so again where a home goes.

use super::{BYTES, FLAG, INT, TEXT, Table};

pub(super) const API_KEY: Table = Table {
    name: "api_key",
    columns: &[
        ("id", TEXT),
        ("hash", BYTES),
        ("role", TEXT),
        ("place", TEXT),
        ("staff", TEXT),
        ("name", TEXT),
        ("scopes", TEXT),
        ("made_at", INT),
        ("made_by", TEXT),
        ("expires_at", INT),
        ("revoked_at", INT),
    ],
};

pub(super) const PERSON: Table = Table {
    name: "person",
    columns: &[("id", TEXT), ("revision", INT), ("name", TEXT), ("owns", FLAG), ("state", TEXT)],
};
