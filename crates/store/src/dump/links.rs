//! Short links, as they move.

use super::{ID, INT, TEXT, Table};

/// Short links.
pub(super) const LINK: Table = Table {
    name: "link",
    columns: &[
        ("id", ID),
        ("code", TEXT),
        ("page", TEXT),
        ("target", TEXT),
        ("touchpoint", TEXT),
        ("campaign", TEXT),
        ("message", TEXT),
        ("member", ID),
        ("sharer", ID),
        ("at", INT),
        ("until", INT),
        ("clicks", INT),
        ("scans", INT),
    ],
};
