//! Lists at hand: tags, dependants, texts of an attribute, items of an order, lists as written.

use std::rc::Rc;

use zhiyin_condition::AttributeType;
use zhiyin_condition::program::{Base, Element, Fold, List, Node};

use super::folding::Going;
use super::frame::{Elem, Frame, Of, Rows};
use super::number::Num;
use super::said::Said;
use super::writing::{Around, Writing, at_hand};
use super::{NotInSql, Part};

impl<'c> Writing<'c> {
    pub(super) fn local(
        &self,
        list: &'c List,
        fold: Fold,
        around: Around<'_, '_, 'c>,
    ) -> Result<Said, NotInSql> {
        let texts = |array: String| {
            let rows = self.rows(Of::Array(array));
            let text = Said::text(rows.asked("x"));
            (rows, Elem::Value(text))
        };
        let (rows, element): (Rc<Rows>, Elem<'c>) = match &list.base {
            Base::Tags => texts("tags".to_owned()),
            Base::Texts(attribute) => texts(self.attribute_column(attribute, AttributeType::Texts)?),
            Base::Dependants => {
                self.tables.has_part(Part::Dependants)?;
                let rows = self.rows(Of::Array(self.column("dependants")?.to_owned()));
                (Rc::clone(&rows), Elem::Dependant(rows))
            }
            Base::Items(Element::Variable(depth)) => {
                self.tables.has_part(Part::Items)?;
                match around.and_then(|frame| Frame::at(frame, *depth)) {
                    Some(Elem::Row(order)) if matches!(order.of, Of::Orders) => {
                        let rows = self.rows(Of::OneOrder(Rc::clone(order)));
                        (Rc::clone(&rows), Elem::Row(rows))
                    }
                    _ => return Err(NotInSql::new("items", "they are asked of something that is no order")),
                }
            }
            Base::Items(_) => return Err(at_hand()),
            Base::Values(values) => return self.written(list, values, fold, around),
        };
        let (conditions, element) = self.after_steps(&list.steps, element, around)?;
        let value = match &element {
            Elem::Value(said) => said.clone(),
            _ => Said::Unknown,
        };
        Ok(self.folded(&Going { rows, conditions, element }, &value, fold))
    }

    /// A list as written: each of its elements is looked at by itself.
    fn written(
        &self,
        list: &'c List,
        values: &'c [Node],
        fold: Fold,
        around: Around<'_, '_, 'c>,
    ) -> Result<Said, NotInSql> {
        let mut elements: Vec<(String, Said)> = Vec::new();
        for value in values {
            let element = Elem::Value(self.said(value, around)?);
            let (conditions, element) = self.after_steps(&list.steps, element, around)?;
            let there = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
            let value = if let Elem::Value(said) = element { said } else { Said::Unknown };
            elements.push((format!("({there})"), value));
        }
        let there: Vec<&str> = elements.iter().map(|(there, _)| there.as_str()).collect();
        let array_of = |kind: &str, sql: &dyn Fn(&Said) -> String| {
            let cells: Vec<String> = elements
                .iter()
                .map(|(there, value)| format!("CAST(if({there}, {}, NULL) AS Nullable({kind}))", sql(value)))
                .collect();
            format!("[{}]", cells.join(", "))
        };
        Ok(match fold {
            Fold::Exists if there.is_empty() => Said::truth("0".to_owned()),
            Fold::Exists => Said::truth(format!("({})", there.join(" OR "))),
            Fold::Count if there.is_empty() => Said::Number(Num::constant(0.into())),
            Fold::Count => Said::Number(Num::of(format!("toInt64({})", there.join(" + ")), 0, 32)),
            Fold::Sum | Fold::Mean => {
                let is_none = elements.iter().all(|(_, value)| value.number().is_none());
                let addends = |value: &Said| {
                    value.number().map_or("NULL".to_owned(), |num| self.addend(&Num::wide(num.widened())).0)
                };
                let array = (!is_none).then(|| (array_of("Int256", &addends), 9, true));
                self.sum_or_mean(array, fold)
            }
            Fold::Least | Fold::Greatest => {
                let measured = elements
                    .iter()
                    .map(|(_, value)| value)
                    .find(|value| value.number().is_some() || matches!(value, Said::Date(_) | Said::Time(_)));
                match measured {
                    Some(Said::Date(_)) => {
                        let array = array_of("Int64", &|value| match value {
                            Said::Date(day) => day.clone(),
                            _ => "NULL".to_owned(),
                        });
                        self.extreme(&Said::Date(String::new()), fold, |_| array.clone())
                    }
                    Some(Said::Time(_)) => {
                        return Err(NotInSql::new(
                            "the least or greatest of times as written",
                            "compare them by themselves",
                        ));
                    }
                    Some(_) => {
                        let array = array_of("Int256", &|value| {
                            value.number().map_or("NULL".to_owned(), |num| num.widened())
                        });
                        self.extreme(&Said::Number(Num::wide(String::new())), fold, |_| array.clone())
                    }
                    None => Said::Unknown,
                }
            }
        })
    }
}
