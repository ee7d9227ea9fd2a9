//! The program of a condition as an expression of SQL.
//!
//! [`Writing::truth`] says whether a part is true, as SQL that is 0 or 1: unknown is not true there. [`Writing::said`] says what
//! a part is, with NULL where it is unknown.

use std::cell::Cell;

use zhiyin_condition::program::{Element, Field, Member, Node, TextTest};
use zhiyin_condition::{AttributeType, Condition};
use zhiyin_model::time::Day;

use super::frame::{Elem, Frame, Of, Rows};
use super::number::Num;
use super::said::{Moment, Said, kind, whole};
use super::tables::{Tables, attribute_column};
use super::{Asked, Dialect, NotInSql, Part, name, quoted};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Decimals of the columns of quantities, and of those that hold finer ones.
const QUANTITY_SCALE: u32 = 6;

/// The longest SQL of a single value, in bytes.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// A condition on its way into SQL.
pub(super) struct Writing<'c> {
    pub(super) condition: &'c Condition,
    pub(super) tables: &'c Tables,
    pub(super) asked: Asked,
    pub(super) today: Day,
    fine: bool,
    asks_quantities: Cell<bool>,
    /// The widest number, in bits.
    bits: Cell<u32>,
    names: Cell<u32>,
}

pub(super) type Around<'a, 'f, 'c> = Option<&'a Frame<'f, 'c>>;

impl<'c> Writing<'c> {
    pub(super) fn new(condition: &'c Condition, tables: &'c Tables, asked: Asked, fine: bool) -> Self {
        let today = tables.zone.day(asked.now);
        let (asks_quantities, bits, names) = (Cell::new(false), Cell::new(0), Cell::new(0));
        Self { condition, tables, asked, today, fine, asks_quantities, bits, names }
    }

    /// Whether it asks for quantities, which may be finer than their column.
    pub(super) fn has_asked_quantities(&self) -> bool {
        self.asks_quantities.get()
    }

    /// Whether a dialect knows everything that was needed.
    pub(super) fn is_known_to(&self, dialect: Dialect) -> Result<(), NotInSql> {
        if dialect == Dialect::Old && self.bits.get() > 63 {
            return Err(NotInSql::new("a number of more than 64 bits", "that needs ClickHouse 24 or later"));
        }
        Ok(())
    }

    /// Notes how many bits a number needs.
    pub(super) fn needs(&self, bits: u32) {
        self.bits.set(self.bits.get().max(bits));
    }

    fn number(&self) -> u32 {
        self.names.set(self.names.get() + 1);
        self.names.get()
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&self, short: &str) -> String {
        format!("{short}_{}", self.number())
    }

    /// A list to be gone through.
    pub(super) fn rows(&self, of: Of) -> std::rc::Rc<Rows> {
        Rows::new(of, self.number(), self.fine)
    }

    /// SQL in which some values have names, so that each is written once.
    pub(super) fn named(&self, of: &[(&str, String)], body: impl FnOnce(&[String]) -> String) -> String {
        self.needs(64);
        let names: Vec<String> = of.iter().map(|(short, _)| self.fresh(short)).collect();
        let arrays: Vec<String> = of.iter().map(|(_, sql)| format!("[{sql}]")).collect();
        format!("arrayMap(({}) -> {}, {})[1]", names.join(", "), body(&names), arrays.join(", "))
    }

    /// A column of members, if the tables have it.
    pub(super) fn column(&self, column: &'static str) -> Result<&'static str, NotInSql> {
        if self.tables.has_column(column) {
            return Ok(column);
        }
        Err(NotInSql::new(column, "that needs ClickHouse 24 or later"))
    }

    /// Whether a part is true, as SQL that is 0 or 1.
    pub(super) fn truth(&self, node: &'c Node, around: Around<'_, '_, 'c>) -> Result<String, NotInSql> {
        let joined = |parts: &'c [Node], word: &str, nothing: &str| {
            let parts: Result<Vec<String>, NotInSql> =
                parts.iter().map(|part| self.truth(part, around)).collect();
            let parts = parts?;
            Ok(if parts.is_empty() { nothing.to_owned() } else { format!("({})", parts.join(word)) })
        };
        match node {
            Node::And(parts) => joined(parts, " AND ", "1"),
            Node::Or(parts) => joined(parts, " OR ", "0"),
            Node::Not(of) => Ok(format!("(NOT {})", self.truth(of, around)?)),
            Node::Known(of) => Ok(self.said(of, around)?.is_known()),
            Node::AtHand(Element::Variable(_)) => Ok("1".to_owned()),
            Node::Compare(op, sides) => {
                let [left, right] = &**sides;
                if let Some(exists) = self.exists(*op, left, right)? {
                    return Ok(exists);
                }
                self.compared(*op, &self.said(left, around)?, &self.said(right, around)?)
            }
            Node::Among(parts) => self.among(parts, around),
            Node::HasTag(of) => Ok(match self.said(of, around)? {
                Said::Text { sql, constant: Some(_) } => format!("has(tags, {sql})"),
                Said::Text { sql, .. } => format!("(isNotNull({sql}) AND has(tags, ifNull({sql}, '')))"),
                Said::Any { sql, .. } => {
                    format!(
                        "(tupleElement({sql}, 1) >= {} AND has(tags, tupleElement({sql}, 3)))",
                        kind::TEXT
                    )
                }
                _ => "0".to_owned(),
            }),
            Node::TextTest(test, sides) => {
                let (of, with) = (self.said(&sides[0], around)?, self.said(&sides[1], around)?);
                Ok(text_test(*test, &of, &with))
            }
            Node::Consent(asked) => self.consent(asked),
            _ => Ok(self.said(node, around)?.is_true()),
        }
    }

    /// What a part is. What is written more than once grows, so it is bounded on its way.
    pub(super) fn said(&self, node: &'c Node, around: Around<'_, '_, 'c>) -> Result<Said, NotInSql> {
        let said = self.said_whole(node, around)?;
        if said.bytes() > VALUE_BYTES_MAX {
            return Err(NotInSql::new("the condition", "a part of its statement is too long"));
        }
        Ok(said)
    }

    fn said_whole(&self, node: &'c Node, around: Around<'_, '_, 'c>) -> Result<Said, NotInSql> {
        let variable = |depth: u8| around.and_then(|frame| Frame::at(frame, depth));
        Ok(match node {
            Node::Const(value) => Said::constant(value, &self.tables.zone),
            Node::Member(member) => self.member(*member)?,
            Node::Attribute(attribute, of) => self.attribute(attribute, *of)?,
            Node::Now => Said::Time(Moment::constant(self.asked.now, &self.tables.zone)),
            Node::Field(element, field) => self.field(*element, field, around)?,
            Node::Variable(depth) => match variable(*depth) {
                Some(Elem::Value(said)) => said.clone(),
                _ => Said::Unknown,
            },
            Node::Slot(depth, slot) => match variable(*depth) {
                Some(Elem::Kept(_, was, slots)) => match slots.get(usize::from(*slot)) {
                    Some(slot) => self.said(slot, Some(&Frame::around((**was).clone())))?,
                    None => Said::Unknown,
                },
                _ => Said::Unknown,
            },
            Node::Leaf(leaf) => self.leaf(leaf)?,
            Node::Bucket(salt) => Said::Number(bucket(salt)),
            Node::Listed(_) => {
                return Err(NotInSql::new(
                    "a list that was uploaded by hand",
                    "such lists do not lie in ClickHouse",
                ));
            }
            Node::Negate(of) => {
                self.said(of, around)?.number().map_or(Said::Unknown, |num| Said::Number(num.negated()))
            }
            Node::If(parts) => {
                let [test, then, otherwise] = &**parts;
                let test = self.truth(test, around)?;
                self.chosen(&test, self.said(then, around)?, self.said(otherwise, around)?)?
            }
            Node::Reckon(op, sides) => {
                let (left, right) = (self.said(&sides[0], around)?, self.said(&sides[1], around)?);
                match (left.number(), right.number()) {
                    (Some(left), Some(right)) => {
                        let num = self.reckoned(*op, &left, &right);
                        self.needs(num.bits);
                        Said::Number(num)
                    }
                    _ => Said::Unknown,
                }
            }
            Node::Rank(tiers, of) => rank(tiers, &self.said(of, around)?),
            Node::DaysSince(of) => match self.day_of(&self.said(of, around)?)? {
                Some(day) => {
                    Said::Number(Num::of(format!("({} - toInt64({day}))", whole(self.today.0.into())), 0, 34))
                }
                None => Said::Unknown,
            },
            Node::Weekday(of) => match self.day_of(&self.said(of, around)?)? {
                Some(day) => Said::text(weekday(&day)),
                None => Said::Unknown,
            },
            Node::Hour(of) => match self.said(of, around)? {
                Said::Time(moment) => {
                    Said::Number(Num::of(format!("toInt64(intDiv({}, 60))", moment.minute), 0, 5))
                }
                _ => Said::Unknown,
            },
            Node::Clock(of) => match self.said(of, around)? {
                Said::Time(moment) => Said::Clock(moment.minute),
                _ => Said::Unknown,
            },
            Node::Local(list, fold) => self.local(list, *fold, around)?,
            Node::AtHand(Element::Event | Element::Order) => return Err(at_hand()),
            Node::Known(_)
            | Node::AtHand(_)
            | Node::Not(_)
            | Node::And(_)
            | Node::Or(_)
            | Node::Compare(..)
            | Node::Among(_)
            | Node::HasTag(_)
            | Node::TextTest(..)
            | Node::Consent(_) => Said::truth(self.truth(node, around)?),
        })
    }

    fn member(&self, member: Member) -> Result<Said, NotInSql> {
        match member {
            Member::Age | Member::IsBirthday => self.tables.has_part(Part::Birthday)?,
            Member::Store => self.tables.has_part(Part::Store)?,
            _ => {}
        }
        Ok(match member {
            Member::Age => self.age(),
            Member::IsBirthday => self.is_birthday(),
            Member::Tier => Said::text("tier".to_owned()),
            Member::Lifecycle => Said::text("lifecycle".to_owned()),
            Member::Store => Said::text("store".to_owned()),
            Member::Points => Said::Number(Num::small("points", 0)),
            Member::EnrolledAt => Said::Time(Moment {
                us: "enrolled_at".to_owned(),
                day: "enrolled_day".to_owned(),
                minute: "enrolled_minute".to_owned(),
            }),
        })
    }

    /// The column of an attribute; refused where the tables have none.
    pub(super) fn attribute_column(&self, attribute: &str, of: AttributeType) -> Result<String, NotInSql> {
        let is_there = self.tables.attributes.get(attribute) == Some(&of);
        if !is_there || (of == AttributeType::Number && self.tables.dialect == Dialect::Old) {
            return Err(NotInSql::new(format!("attr.{attribute}"), "the tables have no column of it"));
        }
        Ok(name(&attribute_column(attribute, of)))
    }

    fn attribute(&self, attribute: &str, of: AttributeType) -> Result<Said, NotInSql> {
        let column = self.attribute_column(attribute, of)?;
        Ok(match of {
            AttributeType::Bool => Said::Bool { sql: column, known: false },
            AttributeType::Number => {
                self.needs(u32::MAX);
                Said::Number(Num::wide(column))
            }
            AttributeType::Text => Said::text(column),
            AttributeType::Date => Said::Date(column),
            AttributeType::Texts => Said::Unknown,
        })
    }

    fn field(
        &self,
        element: Element,
        field: &'c Field,
        around: Around<'_, '_, 'c>,
    ) -> Result<Said, NotInSql> {
        let Element::Variable(depth) = element else { return Err(at_hand()) };
        Ok(match around.and_then(|frame| Frame::at(frame, depth)) {
            Some(Elem::Row(rows)) => self.row_field(rows, field)?,
            Some(Elem::Kept(rows, ..)) if *field == Field::Time => self.row_field(rows, field)?,
            Some(Elem::Dependant(rows)) => self.dependant_field(&rows.asked("x"), field),
            _ => Said::Unknown,
        })
    }

    fn row_field(&self, rows: &Rows, field: &'c Field) -> Result<Said, NotInSql> {
        let money = || Said::Number(Num::small(rows.asked("paid"), self.tables.currency_exponent));
        Ok(match (&rows.of, field) {
            // An item has the time and the place of its order.
            (Of::OneOrder(order), Field::Time | Field::Store | Field::Channel) => {
                self.row_field(order, field)?
            }
            (Of::Orders | Of::Items | Of::Events, Field::Time) => Said::Time(Moment {
                us: rows.asked("time"),
                day: rows.asked("day"),
                minute: rows.asked("minute"),
            }),
            (Of::Orders | Of::Items | Of::Events, Field::Store) => Said::text(rows.asked("store")),
            (Of::Orders | Of::Items | Of::Events, Field::Channel) => Said::text(rows.asked("channel")),
            (Of::Orders | Of::Items | Of::OneOrder(_), Field::Paid) => money(),
            (Of::Items | Of::OneOrder(_), Field::Product) => Said::text(rows.asked("product")),
            (Of::Items | Of::OneOrder(_), Field::Category) => Said::text(rows.asked("category")),
            (Of::Items | Of::OneOrder(_), Field::Department) => Said::text(rows.asked("department")),
            (Of::Items | Of::OneOrder(_), Field::Quantity) => {
                self.asks_quantities.set(true);
                let quantity = rows.asked("quantity");
                Said::Number(if self.fine {
                    Num::wide(quantity)
                } else {
                    Num::small(quantity, QUANTITY_SCALE)
                })
            }
            (Of::Events, Field::Name) => Said::text(rows.asked("name")),
            (Of::Events, Field::Property(property)) => {
                self.column("event_properties")?;
                self.tables.has_part(Part::Properties)?;
                Said::Any { sql: format!("{}[{}]", rows.asked("properties"), quoted(property)), read: true }
            }
            _ => Said::Unknown,
        })
    }

    /// The day of a time or a date, as SQL; nothing where there can be none.
    fn day_of(&self, said: &Said) -> Result<Option<String>, NotInSql> {
        Ok(match said {
            Said::Time(moment) => Some(moment.day.clone()),
            Said::Date(day) => Some(day.clone()),
            Said::Any { sql, read: true } => {
                Some(format!("if(tupleElement({sql}, 1) = {}, tupleElement({sql}, 2), NULL)", kind::DAY))
            }
            Said::Any { .. } => {
                return Err(NotInSql::new(
                    "a text or a property",
                    "whether it is a day is known of properties only",
                ));
            }
            Said::Text { constant, .. } => {
                let text = constant.as_deref().ok_or_else(|| {
                    NotInSql::new("a text as a day", "only a text as it is written can be read as one")
                })?;
                zhiyin_condition::value::day(text).map(|day| whole(day.0.into()))
            }
            _ => None,
        })
    }

    fn among(&self, parts: &'c [Node], around: Around<'_, '_, 'c>) -> Result<String, NotInSql> {
        use zhiyin_condition::tree::Operator;
        let Some((needle, candidates)) = parts.split_first() else { return Ok("0".to_owned()) };
        let needle = self.said(needle, around)?;
        let candidates: Result<Vec<Said>, NotInSql> =
            candidates.iter().map(|one| self.said(one, around)).collect();
        let candidates = candidates?;
        let written: Option<Vec<&str>> = candidates
            .iter()
            .map(|one| match one {
                Said::Text { sql, constant: Some(_) } => Some(sql.as_str()),
                _ => None,
            })
            .collect();
        if let (Said::Text { sql, constant: None }, Some(written)) = (&needle, written)
            && !written.is_empty()
        {
            return Ok(format!("ifNull({sql} IN ({}), 0)", written.join(", ")));
        }
        let equal: Result<Vec<String>, NotInSql> =
            candidates.iter().map(|one| self.compared(Operator::Equal, &needle, one)).collect();
        let equal = equal?;
        Ok(if equal.is_empty() { "0".to_owned() } else { format!("({})", equal.join(" OR ")) })
    }

    /// One of two values.
    pub(super) fn chosen(&self, test: &str, then: Said, otherwise: Said) -> Result<Said, NotInSql> {
        let of = |a: &str, b: &str| format!("if({test}, {a}, {b})");
        Ok(match (then, otherwise) {
            (Said::Unknown, Said::Unknown) => Said::Unknown,
            (Said::Any { sql, read }, Said::Unknown) => Said::Any { sql: of(&sql, NOTHING), read },
            (Said::Unknown, Said::Any { sql, read }) => Said::Any { sql: of(NOTHING, &sql), read },
            (Said::Unknown, other) => other.each(|sql| of("NULL", sql)),
            (other, Said::Unknown) => other.each(|sql| of(sql, "NULL")),
            (Said::Bool { sql: a, known: x }, Said::Bool { sql: b, known: y }) => {
                Said::Bool { sql: of(&a, &b), known: x && y }
            }
            (Said::Number(a), Said::Number(b)) => {
                let num = Num::chosen(test, &a, &b);
                self.needs(num.bits);
                Said::Number(num)
            }
            (Said::Text { sql: a, .. }, Said::Text { sql: b, .. }) => Said::text(of(&a, &b)),
            (Said::Date(a), Said::Date(b)) => Said::Date(of(&a, &b)),
            (Said::Clock(a), Said::Clock(b)) => Said::Clock(of(&a, &b)),
            (Said::Time(a), Said::Time(b)) => Said::Time(Moment {
                us: of(&a.us, &b.us),
                day: of(&a.day, &b.day),
                minute: of(&a.minute, &b.minute),
            }),
            (a, b) => {
                let ((a, x), (b, y)) = (self.as_any(a)?, self.as_any(b)?);
                Said::Any { sql: of(&a, &b), read: x && y }
            }
        })
    }

    /// A value as a property would have it, and whether it says of a text that it is a day or a time.
    pub(super) fn as_any(&self, said: Said) -> Result<(String, bool), NotInSql> {
        self.needs(u32::MAX);
        Ok(match said {
            Said::Any { sql, read } => (sql, read),
            Said::Unknown => (NOTHING.to_owned(), true),
            Said::Bool { sql, .. } => {
                (tuple(kind::BOOL, &sql, &format!("toInt256(ifNull({sql}, 0))"), "''"), true)
            }
            Said::Number(num) => {
                let wide = num.widened();
                (tuple(kind::NUMBER, &wide, &format!("ifNull({wide}, toInt256(0))"), "''"), true)
            }
            Said::Text { sql, constant: Some(text) } => {
                let (of, value) = super::said::text_kind(&text);
                (tuple(of, "1", &format!("toInt256({})", whole(value)), &sql), true)
            }
            Said::Text { sql, .. } => {
                (tuple(kind::TEXT, &sql, "toInt256(0)", &format!("toString(ifNull({sql}, ''))")), false)
            }
            Said::Date(_) | Said::Time(_) | Said::Clock(_) => {
                return Err(NotInSql::new(
                    "a property and a day or a time",
                    "one answer cannot be either of them",
                ));
            }
        })
    }
}

/// No property.
const NOTHING: &str = "(toUInt8(0), toInt256(0), '')";

fn tuple(of: u8, known: &str, number: &str, text: &str) -> String {
    format!("(toUInt8(if(isNull({known}), 0, {of})), {number}, {text})")
}

pub(super) fn at_hand() -> NotInSql {
    NotInSql::new("the event or order at hand", "there is none where many members are asked at once")
}

/// What the evaluators reckon: SipHash-2-4 of the salt, a zero byte and the id's bytes, in hundredths.
fn bucket(salt: &str) -> Num {
    let salt = quoted(&format!("{salt}\0"));
    Num::of(format!("toInt64(sipHash64(concat({salt}, unhex(toString(member)))) % 10000)"), 2, 14)
}

fn weekday(day: &str) -> String {
    let names: Vec<String> = WEEKDAYS.iter().map(|day| quoted(day)).collect();
    // 1970-01-01 was a Thursday.
    let place = format!("toInt64(((assumeNotNull({day}) + 3) % 7 + 7) % 7 + 1)");
    format!("if(isNull({day}), NULL, [{}][{place}])", names.join(", "))
}

/// The place of a tier in the playbook's order.
fn rank(tiers: &[String], tier: &Said) -> Said {
    let Said::Text { sql, .. } = tier else { return Said::Unknown };
    if tiers.is_empty() {
        return Said::Unknown;
    }
    let tiers: Vec<String> = tiers.iter().map(|tier| quoted(tier)).collect();
    let place = format!("toInt64(indexOf([{}], assumeNotNull(toString({sql}))))", tiers.join(", "));
    Said::Number(Num::of(format!("if(isNull({sql}), NULL, nullIf({place}, 0) - 1)"), 0, 32))
}

fn text_test(test: TextTest, of: &Said, with: &Said) -> String {
    let text = |said: &Said| match said {
        Said::Text { sql, .. } => Some(sql.clone()),
        Said::Any { sql, .. } => {
            Some(format!("if(tupleElement({sql}, 1) >= {}, tupleElement({sql}, 3), NULL)", kind::TEXT))
        }
        _ => None,
    };
    let (Some(of), Some(with)) = (text(of), text(with)) else { return "0".to_owned() };
    match test {
        TextTest::StartsWith => format!("ifNull(startsWith(toString({of}), toString({with})), 0)"),
        TextTest::EndsWith => format!("ifNull(endsWith(toString({of}), toString({with})), 0)"),
        TextTest::Contains => format!("ifNull(position(toString({of}), toString({with})) > 0, 0)"),
    }
}
