//! The tables: what they are called, what they hold, and how those of an older release become today's.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::AttributeType;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Zone;

use super::{Dialect, Part, name, quoted};

/// The version of the tables that this release makes. What is newer was made by a newer release.
pub const VERSION: u32 = 2;

/// Where members lie, and what is known of all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// What is spoken there.
    pub dialect: Dialect,
    /// The database that holds them.
    pub database: String,
    /// The cluster of servers that hold a part of the members each, as the servers' own configuration calls it; `None` where
    /// one server holds all.
    pub cluster: Option<String>,
    /// The zone of days.
    pub zone: Zone,
    /// Minor digits of the currency.
    pub currency_exponent: u32,
    /// Attributes that conditions may ask for; others are not written.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Parts of members that are not written.
    pub without: BTreeSet<Part>,
}

/// The tables were made by a newer release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tables in ClickHouse are of version {found}; this release knows {VERSION}")]
pub struct TooNew {
    /// Their version.
    pub found: u32,
}

/// A column: its name, its type, and its type in the old dialect (none where it has no such column).
type Column = (&'static str, &'static str, Option<&'static str>);

const WORD: &str = "LowCardinality(Nullable(String))";
const WORDS: &str = "Array(LowCardinality(Nullable(String)))";
const OLD_WORD: Option<&str> = Some("Nullable(String)");
const OLD_WORDS: Option<&str> = Some("Array(Nullable(String))");

const fn same(name: &'static str, of: &'static str) -> Column {
    (name, of, Some(of))
}

/// What every member has. Histories are arrays of one length each: of orders, of items, of events.
const COLUMNS: &[Column] = &[
    same("member", "FixedString(32)"),
    same("version", "UInt64"),
    same("gone", "UInt8"),
    ("tier", WORD, OLD_WORD),
    ("lifecycle", WORD, OLD_WORD),
    ("store", WORD, OLD_WORD),
    same("points", "Int64"),
    same("enrolled_at", "Nullable(Int64)"),
    same("enrolled_day", "Nullable(Int32)"),
    same("enrolled_minute", "Nullable(UInt16)"),
    same("birth_year", "Nullable(Int16)"),
    same("birth_month", "Nullable(Int8)"),
    same("birth_dom", "Nullable(Int8)"),
    // Month * 32 + day of the lunar calendar, of whoever keeps their birthday by it.
    same("birth_lunar", "Nullable(Int16)"),
    ("tags", "Array(LowCardinality(String))", Some("Array(String)")),
    // Purpose, channel, kind (0 no, 1 yes, 2 yes of a guardian, 3 a no dated by a merge), version of the text, instant, and
    // the latest day that had begun then.
    ("consents", "Array(Tuple(String, String, UInt8, String, Int64, Int32))", None),
    // Kind, gender, day of birth, its month counted from the year 0, its day of the month, day due.
    (
        "dependants",
        "Array(Tuple(String, Nullable(String), Nullable(Int32), Nullable(Int32), Nullable(Int8), Nullable(Int32)))",
        None,
    ),
    // Whether a quantity is finer than a millionth: then all are in the columns that say so.
    same("fine", "UInt8"),
    same("order_time", "Array(Int64)"),
    same("order_day", "Array(Int32)"),
    same("order_minute", "Array(UInt16)"),
    same("order_paid", "Array(Int64)"),
    ("order_store", WORDS, OLD_WORDS),
    ("order_channel", WORDS, OLD_WORDS),
    ("order_item_product", "Array(Array(String))", Some("Array(Array(String))")),
    (
        "order_item_category",
        "Array(Array(LowCardinality(Nullable(String))))",
        Some("Array(Array(Nullable(String)))"),
    ),
    (
        "order_item_department",
        "Array(Array(LowCardinality(Nullable(String))))",
        Some("Array(Array(Nullable(String)))"),
    ),
    same("order_item_quantity", "Array(Array(Int64))"),
    ("order_item_quantity_fine", "Array(Array(Int256))", None),
    same("order_item_paid", "Array(Array(Int64))"),
    same("item_time", "Array(Int64)"),
    same("item_day", "Array(Int32)"),
    same("item_minute", "Array(UInt16)"),
    ("item_store", WORDS, OLD_WORDS),
    ("item_channel", WORDS, OLD_WORDS),
    same("item_product", "Array(String)"),
    ("item_category", WORDS, OLD_WORDS),
    ("item_department", WORDS, OLD_WORDS),
    same("item_quantity", "Array(Int64)"),
    ("item_quantity_fine", "Array(Int256)", None),
    same("item_paid", "Array(Int64)"),
    ("event_name", "Array(LowCardinality(String))", Some("Array(String)")),
    same("event_time", "Array(Int64)"),
    same("event_day", "Array(Int32)"),
    same("event_minute", "Array(UInt16)"),
    ("event_store", WORDS, OLD_WORDS),
    ("event_channel", WORDS, OLD_WORDS),
    // Kind (1 yes or no, 2 number, 3 text, 4 text that is a day, 5 an instant, 6 a time of day), what it comes to in numbers,
    // and the text.
    ("event_properties", "Array(Map(String, Tuple(UInt8, Int256, String)))", None),
];

/// The column of an attribute: its type is part of its name, so that an attribute that is declared anew has a new one.
pub(super) fn attribute_column(attribute: &str, of: AttributeType) -> String {
    let kind = match of {
        AttributeType::Bool => "bool",
        AttributeType::Number => "number",
        AttributeType::Text => "text",
        AttributeType::Texts => "texts",
        AttributeType::Date => "date",
    };
    format!("attr:{kind}:{attribute}")
}

const fn attribute_type(of: AttributeType, dialect: Dialect) -> Option<&'static str> {
    Some(match (of, dialect) {
        (AttributeType::Bool, _) => "Nullable(UInt8)",
        (AttributeType::Number, Dialect::Current) => "Nullable(Int256)",
        (AttributeType::Number, Dialect::Old) => return None,
        (AttributeType::Text, _) => "Nullable(String)",
        (AttributeType::Texts, _) => "Array(String)",
        (AttributeType::Date, _) => "Nullable(Int32)",
    })
}

impl Tables {
    /// The table that is asked and written, with its database.
    pub fn table(&self) -> String {
        format!("{}.member", name(&self.database))
    }

    /// The table that holds this server's own members.
    pub fn own_table(&self) -> String {
        let own = if self.cluster.is_some() { "member_shard" } else { "member" };
        format!("{}.{own}", name(&self.database))
    }

    fn position_table(&self) -> String {
        format!("{}.position", name(&self.database))
    }

    fn columns(&self) -> Vec<(String, &'static str)> {
        let own = COLUMNS.iter().filter_map(|(column, now, old)| {
            let of = if self.dialect == Dialect::Old { *old } else { Some(*now) };
            of.map(|of| (name(column), of))
        });
        own.chain(self.attribute_columns()).collect()
    }

    fn attribute_columns(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        self.attributes.iter().filter_map(|(attribute, of)| {
            attribute_type(*of, self.dialect).map(|kind| (name(&attribute_column(attribute, *of)), kind))
        })
    }

    /// Whether the tables have a column of this name of their own.
    pub(super) fn has_column(&self, column: &str) -> bool {
        let of = COLUMNS.iter().find(|(known, ..)| *known == column);
        of.is_some_and(|(_, _, old)| self.dialect == Dialect::Current || old.is_some())
    }

    /// What version the tables of a server have; an answer of nothing, or 0, where there are none. Fails with the server's
    /// error 60 or 81 where nothing was ever made there.
    pub fn version_asked(&self) -> String {
        format!("SELECT max(version) FROM {}.version FORMAT TabSeparated", name(&self.database))
    }

    /// What is to be said to each server, in this order, so that its tables are today's and have a column for each
    /// attribute. All of it may be said again. `found` is the version that they have.
    pub fn migrations(&self, found: Option<u32>) -> Result<Vec<String>, TooNew> {
        if let Some(found) = found.filter(|found| *found > VERSION) {
            return Err(TooNew { found });
        }
        let database = name(&self.database);
        let columns: Vec<String> =
            self.columns().into_iter().map(|(name, of)| format!("{name} {of}")).collect();
        let columns = columns.join(", ");
        let own = self.own_table();
        let mut said = vec![
            format!("CREATE DATABASE IF NOT EXISTS {database}"),
            format!(
                "CREATE TABLE IF NOT EXISTS {database}.version (version UInt32) ENGINE = ReplacingMergeTree ORDER BY version"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {own} ({columns}) ENGINE = ReplacingMergeTree(version) ORDER BY member"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {} (consumer String, position UInt64, layout String) \
                 ENGINE = ReplacingMergeTree(position) ORDER BY consumer",
                self.position_table()
            ),
        ];
        if let Some(cluster) = &self.cluster {
            said.push(format!(
                "CREATE TABLE IF NOT EXISTS {} ({columns}) ENGINE = Distributed({}, {}, member_shard, cityHash64(member))",
                self.table(),
                quoted(cluster),
                quoted(&self.database),
            ));
        }
        if self.dialect == Dialect::Current {
            // What a release of before did not know, and attributes.
            for (column, of) in self.columns() {
                said.push(format!("ALTER TABLE {own} ADD COLUMN IF NOT EXISTS {column} {of}"));
                if self.cluster.is_some() {
                    said.push(format!("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {column} {of}", self.table()));
                }
            }
        }
        said.push(format!("INSERT INTO {database}.version (version) VALUES ({VERSION})"));
        Ok(said)
    }

    /// What lines of members are sent after ([`member_row`](super::member_row)).
    pub fn insertion(&self) -> String {
        format!("INSERT INTO {} FORMAT JSONEachRow", self.table())
    }

    /// Of the members after one, up to another, who lie there and are not gone, all columns as lines of JSON, by id
    /// ([`is_as_said`](super::is_as_said)): so many at most.
    pub fn lying(&self, after: Option<MemberId>, to: Option<MemberId>, limit: usize) -> String {
        let after = after.map(|id| format!(" AND member > '{id}'")).unwrap_or_default();
        let to = to.map(|id| format!(" AND member <= '{id}'")).unwrap_or_default();
        self.lying_where(&format!("{after}{to} ORDER BY member LIMIT {limit}"))
    }

    /// The same of these members.
    pub fn lying_of(&self, members: &[MemberId]) -> String {
        let members: Vec<String> = members.iter().map(|id| format!("'{id}'")).collect();
        self.lying_where(&format!(" AND member IN ({})", members.join(", ")))
    }

    fn lying_where(&self, which: &str) -> String {
        let columns: Vec<String> = self.columns().into_iter().map(|(column, _)| column).collect();
        // Numbers of any width come as text, so that none is rounded.
        format!(
            "SELECT {} FROM {} FINAL WHERE gone = 0{which} SETTINGS output_format_json_quote_64bit_integers = 1 \
             FORMAT JSONEachRow",
            columns.join(", "),
            self.table()
        )
    }

    /// What tells apart tables that hold the same attributes in the same zone from others: where it is another one than
    /// stands beside the position, all members are to be written anew.
    pub fn fingerprint(&self) -> String {
        let attributes: Vec<String> =
            self.attributes.iter().map(|(attribute, of)| attribute_column(attribute, *of)).collect();
        let away = match self.without.is_empty() {
            true => String::new(),
            false => format!("/without {}", Self::parts_away(&self.without)),
        };
        format!("{VERSION}/{}/{}/{}{away}", self.zone.name(), self.currency_exponent, attributes.join("/"))
    }

    /// How far somebody who reads the change feed has come, beside what tells the rows' layout
    /// ([`fingerprint`](Self::fingerprint)); written after the members up to there.
    pub fn position_kept(&self, consumer: &str, position: u64, layout: &str) -> String {
        let (consumer, layout) = (quoted(consumer), quoted(layout));
        format!(
            "INSERT INTO {} (consumer, position, layout) VALUES ({consumer}, {position}, {layout})",
            self.position_table()
        )
    }

    /// What [`position_kept`](Self::position_kept) wrote last: position, tab, layout; nothing where there is none.
    pub fn position_asked(&self, consumer: &str) -> String {
        format!(
            "SELECT position, layout FROM {} FINAL WHERE consumer = {} FORMAT TabSeparatedRaw",
            self.position_table(),
            quoted(consumer)
        )
    }

    /// Who has read the change feed into these tables, a line each.
    pub fn consumers_asked(&self) -> String {
        format!("SELECT DISTINCT consumer FROM {} FORMAT TabSeparatedRaw", self.position_table())
    }

    /// The greatest version that a row has; 0 where there is none.
    pub fn version_reached(&self) -> String {
        format!("SELECT max(version) FROM {} FORMAT TabSeparated", self.table())
    }

    /// What removes older rows of members from a server's disk, so that what was erased is gone; to be said to each server.
    pub fn compaction(&self) -> String {
        format!("OPTIMIZE TABLE {} FINAL", self.own_table())
    }
}
