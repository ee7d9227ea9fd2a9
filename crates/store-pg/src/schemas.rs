//! Where a home's tables lie: one schema for what there is once, one or several for what there is of members. All SQL of
//! this room is written with `{home}` and `{shard}` in place of their names.

use zhiyin_model::id::{MemberId, OrderId};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::turn;
use zhiyin_store::{Result, StoreError};

/// Tables that are looked at in all shards: how that is called, and the table.
const ALL_SHARDS: [(&str, &str); 4] = [
    ("events", "event"),
    ("timelines", "timeline"),
    ("transfers", "transfer"),
    ("allocations", "allocation"),
];

/// The same as a query of all, where it is used.
const OF_ALL_SHARDS: [(&str, &str); 3] =
    [("coupons", "coupon"), ("coupon_moves", "coupon_move"), ("coupon_lates", "coupon_late")];

/// The most schemas a home is spread over.
pub const SHARDS_MAX: i32 = 64;

/// The schemas of one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schemas {
    home: String,
    shards: i32,
    slots: i32,
}

impl Schemas {
    /// The schemas of a home whose tables begin with this name: shard 0 lies in it, the others in `NAME_1`, `NAME_2`…
    pub(crate) fn new(home: &str, shards: i32, slots: i32) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = home.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins || home.len() > 40 || !home.chars().all(plain) || home.starts_with("pg_") {
            let message =
                format!("{home:?} is no name of a home: a to z, 0 to 9 and _, at most 40 characters");
            return Err(StoreError::Database(message));
        }
        if !(1..=SHARDS_MAX).contains(&shards) || !(shards..=turn::SLOTS_MAX).contains(&slots) {
            let message = format!("{shards} shards and {slots} slots: at least one slot a shard");
            return Err(StoreError::Database(message));
        }
        Ok(Self { home: home.to_owned(), shards, slots })
    }

    /// The name of the home's own schema.
    pub(crate) fn home(&self) -> &str {
        &self.home
    }

    /// How many shards there are.
    pub(crate) fn shards(&self) -> usize {
        self.shards as usize
    }

    /// How many shares there are.
    pub(crate) fn slots(&self) -> i32 {
        self.slots
    }

    /// The name of a shard's schema.
    pub(crate) fn shard(&self, shard: usize) -> String {
        if shard == 0 { self.home.clone() } else { format!("{}_{shard}", self.home) }
    }

    /// SQL for one shard. `{events}`, `{timelines}`, `{transfers}` and `{allocations}` stand for these tables of all shards: what is read
    /// there may have been a member's who was merged, and lie where that one was.
    pub(crate) fn sql(&self, template: &str, shard: usize) -> String {
        let mut sql = template.to_owned();
        for (name, table) in ALL_SHARDS {
            let place = format!("{{{name}}}");
            if sql.contains(&place) {
                let is = if self.shards == 1 {
                    format!("{}.{table}", self.home)
                } else {
                    format!("{}.{name}", self.home)
                };
                sql = sql.replace(&place, &is);
            }
        }
        // Tables that came later than the views did.
        for (name, table) in OF_ALL_SHARDS {
            let place = format!("{{{name}}}");
            if sql.contains(&place) {
                let of = |shard| format!("SELECT * FROM {}.{table}", self.shard(shard));
                let parts: Vec<String> = (0..self.shards()).map(of).collect();
                sql = sql.replace(&place, &format!("({})", parts.join(" UNION ALL ")));
            }
        }
        sql.replace("{home}", &self.home).replace("{shard}", &self.shard(shard))
    }

    /// Makes the views that look at a table in all shards, where there are several.
    pub(crate) fn views(&self) -> String {
        let mut sql = String::new();
        for (name, table) in ALL_SHARDS.iter().filter(|_| self.shards > 1) {
            let parts: Vec<String> = (0..self.shards())
                .map(|shard| format!("SELECT * FROM {}.{table}", self.shard(shard)))
                .collect();
            sql.push_str(&format!(
                "CREATE OR REPLACE VIEW {}.{name} AS {};",
                self.home,
                parts.join(" UNION ALL ")
            ));
        }
        sql
    }

    /// The share of a member.
    pub(crate) fn slot_of(&self, member: MemberId) -> i32 {
        turn::slot_of(member, self.slots)
    }

    /// The shard in which a share lies.
    pub(crate) fn shard_of_slot(&self, slot: i32) -> usize {
        (slot % self.shards) as usize
    }

    /// The shard of a member.
    pub(crate) fn shard_of(&self, member: MemberId) -> usize {
        self.shard_of_slot(self.slot_of(member))
    }

    /// The shard in which an identifier is looked up.
    pub(crate) fn shard_of_hash(&self, hash: &LookupHash) -> usize {
        usize::from(hash[0]) % self.shards()
    }

    /// The shard in which an order is looked up.
    pub(crate) fn shard_of_order(&self, order: OrderId) -> usize {
        usize::from(order.bytes()[0]) % self.shards()
    }

    /// The shard in which an item's id is remembered.
    pub(crate) fn shard_of_message(&self, source: i32, message_id: &str) -> usize {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&source.to_le_bytes()).update(message_id.as_bytes());
        usize::from(hasher.finalize().as_bytes()[0]) % self.shards()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_bounded() {
        for (home, shards, slots) in [
            ("", 1, 16),
            ("Zhiyin", 1, 16),
            ("a;b", 1, 16),
            ("pg_x", 1, 16),
            ("1a", 1, 16),
            ("zhiyin", 0, 16),
            ("zhiyin", 4, 3),
            ("zhiyin", 1, 5_000),
        ] {
            assert!(Schemas::new(home, shards, slots).is_err(), "{home} {shards} {slots}");
        }
    }

    #[test]
    fn a_statement_is_written_for_its_shard() {
        let schemas = Schemas::new("zhiyin", 4, 16);
        let told = schemas.map(|schemas| schemas.sql("SELECT FROM {shard}.member, {home}.home", 3));
        assert_eq!(told.ok().as_deref(), Some("SELECT FROM zhiyin_3.member, zhiyin.home"));
    }
}
