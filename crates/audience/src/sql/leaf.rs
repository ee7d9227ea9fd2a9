//! Questions about history: which rows are looked at, through which window, and what is made of them.

use zhiyin_condition::bounds::KEPT_ROWS_MAX;
use zhiyin_condition::program::{Fold, LeafSpec, LeafUse, Measure, Node, RowsFold, Source, View, Window};
use zhiyin_condition::tree::Operator;
use zhiyin_condition::value::Value;
use zhiyin_model::time::HOUR_US;

use super::folding::Going;
use super::frame::{Elem, Frame, Of, Rows};
use super::quoted;
use super::said::{Said, whole};
use super::writing::Writing;
use super::{NotInSql, Part};

impl<'c> Writing<'c> {
    /// The rows of a leaf that pass what is asked of each by itself.
    fn early(&self, spec: &'c LeafSpec) -> Result<Going<'c>, NotInSql> {
        if spec.source == Source::Items {
            self.tables.has_part(Part::Items)?;
        }
        let of = match &spec.source {
            Source::Orders => Of::Orders,
            Source::Items => Of::Items,
            Source::Events(_) => Of::Events,
        };
        let rows = self.rows(of);
        let mut conditions = Vec::new();
        if let Source::Events(name) = &spec.source {
            conditions.push(format!("{} = {}", rows.asked("name"), quoted(name)));
        }
        if let Some(until) = self.asked.rows_until {
            conditions.push(format!("{} <= {}", rows.asked("time"), whole(until.0)));
        }
        let (more, element) = self.after_steps(&spec.steps, Elem::Row(std::rc::Rc::clone(&rows)), None)?;
        conditions.extend(more);
        Ok(Going { rows, conditions, element })
    }

    /// What holds of a row that is in a window.
    fn window(&self, rows: &Rows, window: Window) -> Vec<String> {
        let mut conditions = Vec::new();
        if let Some(days) = window.days {
            let today = i64::from(self.today.0);
            let (day, first) = (rows.asked("day"), today - i64::from(days));
            conditions.push(format!("{day} >= {} AND {day} <= {}", whole(first), whole(today)));
        }
        if let Some(hours) = window.hours {
            let now = self.asked.now.0;
            let (time, first) = (rows.asked("time"), now.saturating_sub(i64::from(hours) * HOUR_US));
            conditions.push(format!("{time} >= {} AND {time} <= {}", whole(first), whole(now)));
        }
        conditions
    }

    /// What holds of a row that is among the latest that a leaf keeps.
    fn kept(&self, rows: &Rows, spec: &'c LeafSpec) -> Result<String, NotInSql> {
        let early = self.early(spec)?;
        let place = self.fresh("i");
        let all = early.rows.array("day");
        let places = if early.conditions.is_empty() {
            format!("arrayEnumerate({all})")
        } else {
            let condition = early.conditions.join(" AND ");
            let (names, arrays) = early.rows.parameters(&[&condition]);
            format!("arrayFilter(({place}, {names}) -> {condition}, arrayEnumerate({all}), {arrays})")
        };
        // There is no such place where all are kept, and none reads as 0.
        let first = format!("if(length({all}) <= {KEPT_ROWS_MAX}, 0, {places}[-{KEPT_ROWS_MAX}])");
        Ok(format!("{} >= {first}", rows.asked("place")))
    }

    fn going(&self, used: &'c LeafUse) -> Result<(Going<'c>, &'c LeafSpec), NotInSql> {
        let leaves = self.condition.leaves();
        let spec = leaves
            .get(usize::from(used.leaf))
            .ok_or_else(|| NotInSql::new("history", "the condition has no such leaf"))?;
        let mut going = self.early(spec)?;
        let window = self.window(&going.rows, used.window);
        going.conditions.extend(window);
        if let Measure::Rows(slots) = &spec.measure {
            let kept = self.kept(&going.rows, spec)?;
            going.conditions.push(kept);
            let rows = std::rc::Rc::clone(&going.rows);
            let was = std::mem::replace(&mut going.element, Elem::Value(Said::Unknown));
            going.element = Elem::Kept(rows, Box::new(was), slots);
            if let View::Rows(steps, _) = &used.view {
                let (more, element) = self.after_steps(steps, going.element, None)?;
                going.conditions.extend(more);
                going.element = element;
            }
        }
        Ok((going, spec))
    }

    /// The value of a leaf.
    pub(super) fn leaf(&self, used: &'c LeafUse) -> Result<Said, NotInSql> {
        let (going, spec) = self.going(used)?;
        let asked = |node: &'c Node| self.said(node, Some(&Frame::around(going.element.clone())));
        Ok(match (&spec.measure, &used.view) {
            (Measure::Gaps | Measure::Count, View::MedianGap) => self.median_gap(&going),
            (Measure::Count | Measure::Gaps, _) => self.counted(&going),
            (Measure::Sum(node), view) => {
                let fold = if *view == View::Mean { Fold::Mean } else { Fold::Sum };
                self.folded(&going, &asked(node)?, fold)
            }
            (Measure::Least(node), _) => self.folded(&going, &asked(node)?, Fold::Least),
            (Measure::Greatest(node), _) => self.folded(&going, &asked(node)?, Fold::Greatest),
            (Measure::First(node), _) => self.picked(&going, &asked(node)?, false),
            (Measure::Last(node), _) => self.picked(&going, &asked(node)?, true),
            (Measure::Rows(_), View::Rows(_, fold)) => match fold {
                RowsFold::Fold(fold) => {
                    let value = match &going.element {
                        Elem::Value(said) => said.clone(),
                        _ => Said::Unknown,
                    };
                    self.folded(&going, &value, *fold)
                }
                RowsFold::First(node) => self.picked(&going, &asked(node)?, false),
                RowsFold::Last(node) => self.picked(&going, &asked(node)?, true),
                RowsFold::MedianGap => self.median_gap(&going),
            },
            (Measure::Rows(_), _) => Said::Unknown,
        })
    }

    /// `size(rows) > 0`, which need not be counted.
    pub(super) fn exists(
        &self,
        op: Operator,
        left: &'c Node,
        right: &Node,
    ) -> Result<Option<String>, NotInSql> {
        let (Node::Leaf(used), Node::Const(Value::Number(number))) = (left, right) else { return Ok(None) };
        if op != Operator::Greater || !number.is_zero() {
            return Ok(None);
        }
        let leaf = self.condition.leaves().get(usize::from(used.leaf));
        let counts = match (leaf.map(|leaf| &leaf.measure), &used.view) {
            (Some(Measure::Count), View::Plain) => true,
            (Some(Measure::Rows(_)), View::Rows(_, RowsFold::Fold(fold))) => *fold == Fold::Count,
            _ => false,
        };
        if !counts {
            return Ok(None);
        }
        let (going, _) = self.going(used)?;
        Ok(Some(self.any(&going)))
    }
}
