//! What the elements of a list are folded into.

use std::rc::Rc;

use zhiyin_condition::bounds::GAP_DAYS_MAX;
use zhiyin_condition::program::{Fold, Step};

use super::NotInSql;
use super::frame::{Elem, Frame, Rows};
use super::number::Num;
use super::said::{Moment, Said};
use super::writing::{Around, Writing};

/// The longest SQL that an element may be mapped to, in bytes.
const ELEMENT_BYTES_MAX: usize = 16 << 10;

/// Elements on their way into a fold: which list they are of, what must hold of each, and what each is then.
pub(super) struct Going<'c> {
    pub(super) rows: Rc<Rows>,
    pub(super) conditions: Vec<String>,
    pub(super) element: Elem<'c>,
}

impl Going<'_> {
    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    /// An array of what is made of each element, NULL for those that are left out.
    fn array(&self, sql: &str) -> String {
        let body = match self.condition() {
            Some(condition) => format!("if({condition}, {sql}, NULL)"),
            None => format!("toNullable({sql})"),
        };
        self.rows.over("arrayMap", &body)
    }

    /// An array of what is made of each element that is not left out.
    fn picked(&self, writing: &Writing<'_>, sql: &str) -> String {
        let all = self.rows.over("arrayMap", sql);
        let Some(condition) = self.condition() else { return all };
        let (names, arrays) = self.rows.parameters(&[&condition]);
        let value = writing.fresh("v");
        format!("arrayFilter(({value}, {names}) -> {condition}, {all}, {arrays})")
    }
}

impl<'c> Writing<'c> {
    /// What an element becomes after steps, and what must hold for it to be left.
    pub(super) fn after_steps(
        &self,
        steps: &'c [Step],
        mut element: Elem<'c>,
        outer: Around<'_, '_, 'c>,
    ) -> Result<(Vec<String>, Elem<'c>), NotInSql> {
        let mut conditions = Vec::new();
        for step in steps {
            let frame = Frame { element: element.clone(), outer };
            match step {
                Step::Filter(body) => conditions.push(self.truth(body, Some(&frame))?),
                Step::Map(body) => {
                    let said = self.said(body, Some(&frame))?;
                    // It may be written again in each place that asks for it.
                    if said.bytes() > ELEMENT_BYTES_MAX {
                        return Err(NotInSql::new(
                            "map",
                            "what it makes of each element is too long a statement",
                        ));
                    }
                    element = Elem::Value(said);
                }
            }
        }
        Ok((conditions, element))
    }

    pub(super) fn counted(&self, going: &Going<'_>) -> Said {
        let sql = match going.condition() {
            Some(condition) => going.rows.over("arrayCount", &condition),
            None => format!("length({})", going.rows.array(going.rows.shortest())),
        };
        Said::Number(Num::of(format!("toInt64({sql})"), 0, 32))
    }

    pub(super) fn any(&self, going: &Going<'_>) -> String {
        match going.condition() {
            Some(condition) => going.rows.over("arrayExists", &condition),
            None => format!("notEmpty({})", going.rows.array(going.rows.shortest())),
        }
    }

    pub(super) fn folded(&self, going: &Going<'_>, value: &Said, fold: Fold) -> Said {
        match fold {
            Fold::Count => self.counted(going),
            Fold::Exists => Said::truth(self.any(going)),
            Fold::Sum | Fold::Mean => {
                let addend = value.number().map(|num| self.addend(&num));
                let array = addend.map(|(sql, scale, wide)| (going.array(&sql), scale, wide));
                self.sum_or_mean(array, fold)
            }
            Fold::Least | Fold::Greatest => self.extreme(value, fold, |sql| going.array(sql)),
        }
    }

    /// The sum or mean of an array of addends; of nothing where there is none that could be a number.
    pub(super) fn sum_or_mean(&self, addends: Option<(String, u32, bool)>, fold: Fold) -> Said {
        let Some((array, scale, wide)) = addends else {
            return if fold == Fold::Sum { Said::Number(Num::constant(0.into())) } else { Said::Unknown };
        };
        if fold == Fold::Sum {
            let sum = self.summed(&array, scale, wide);
            self.needs(sum.bits);
            return Said::Number(sum);
        }
        let known = self.fresh("k");
        let mean = self.named(&[("e", array)], |names| {
            let addends = &names[0];
            let count =
                Num::of(format!("toInt64(arrayCount({known} -> isNotNull({known}), {addends}))"), 0, 32);
            self.divided(&self.summed(addends, scale, wide), &count).sql
        });
        Said::Number(Num::wide(mean))
    }

    /// The least or greatest of numbers, dates or times, given how an array is made of what is asked of each element.
    pub(super) fn extreme(&self, value: &Said, fold: Fold, array: impl Fn(&str) -> String) -> Said {
        let (best, at_best) = if fold == Fold::Least { ("min", "argMin") } else { ("max", "argMax") };
        let of = |sql: &str| format!("arrayReduce('{best}', {})", array(sql));
        match value {
            Said::Number(_) | Said::Any { .. } => match value.number() {
                Some(num) => {
                    self.needs(num.bits);
                    Said::Number(Num::of(of(&num.sql), num.scale, num.bits))
                }
                None => Said::Unknown,
            },
            Said::Date(sql) => Said::Date(of(sql)),
            Said::Time(moment) => {
                let us = array(&moment.us);
                let beside = |sql: &str| format!("arrayReduce('{at_best}', {}, {us})", array(sql));
                Said::Time(Moment {
                    us: of(&moment.us),
                    day: beside(&moment.day),
                    minute: beside(&moment.minute),
                })
            }
            _ => Said::Unknown,
        }
    }

    /// What is asked of the first or last element: lists are sorted as the language sorts them.
    pub(super) fn picked(&self, going: &Going<'_>, value: &Said, last: bool) -> Said {
        let place = if last { "-1" } else { "1" };
        let is_any = matches!(value, Said::Any { .. });
        value.each(|sql| {
            let asked = if is_any { sql.to_owned() } else { format!("toNullable({sql})") };
            format!("{}[{place}]", going.picked(self, &asked))
        })
    }

    /// The median of the days between rows.
    pub(super) fn median_gap(&self, going: &Going<'_>) -> Said {
        let day = going.rows.asked("day");
        let days = going.picked(self, &day);
        let latest = format!("arraySlice(arraySort(arrayDistinct({days})), -{GAP_DAYS_MAX})");
        let gaps = format!("arraySort(arrayPopFront(arrayDifference({latest})))");
        let gap = self.named(&[("g", gaps)], |names| {
            let gaps = &names[0];
            // Of two in the middle the lower.
            format!("if(empty({gaps}), NULL, toNullable(toInt64({gaps}[intDiv(length({gaps}) - 1, 2) + 1])))")
        });
        Said::Number(Num::of(gap, 0, 32))
    }
}
