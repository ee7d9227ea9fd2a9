//! What the member said of themselves: whom they care for, and what may be done with what is known of them.

use rust_decimal::Decimal;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::time::Ts;

use super::turn::turns_at;
use super::{Frame, Held, Instant, Until};
use crate::birthday::of_age;
use crate::element::Element;
use crate::program::{self, ConsentAsked};
use crate::stage::Stage;
use crate::tree::Operator;
use crate::value::Val;

impl<'a> Instant<'a> {
    /// The dependant that an element is.
    pub(super) fn dependant(
        &self,
        element: program::Element,
        frame: Option<&Frame<'_, 'a>>,
    ) -> Option<Dependant<'a>> {
        match self.element(element, frame)? {
            Element::Dependant(dependant) => Some(dependant),
            _ => None,
        }
    }

    /// What time moves of a dependant, until the day on which it moves on.
    pub(super) fn stage(
        &self,
        element: program::Element,
        stage: Stage,
        frame: Option<&Frame<'_, 'a>>,
    ) -> Held<'a> {
        let Some(dependant) = self.dependant(element, frame) else { return Held::ever(Val::Unknown) };
        let value = stage.value(&dependant, self.today);
        let val = value.map_or(Val::Unknown, |value| Val::Number(Decimal::from(value)));
        Held { val, until: Until::of_day(stage.next_change(&dependant, self.today)) }
    }

    /// A comparison of a stage, followed to the day on which it turns.
    pub(super) fn stage_turn(
        &self,
        stage: Stage,
        dependant: &Dependant<'_>,
        op: Operator,
        bound: Held<'_>,
    ) -> Held<'a> {
        let known_until = Until::of_day(stage.known_changes(dependant, self.today));
        let until = self.sooner(bound.until, known_until);
        let (Some(value), Val::Number(number)) = (stage.value(dependant, self.today), bound.val) else {
            return Held { val: Val::Bool(false), until };
        };
        // What falls rises when it is looked at from below.
        let turn = match stage.falls() {
            true => turns_at(-value, op.mirrored(), -number).map(|value| -value),
            false => turns_at(value, op, number),
        };
        let turn = Until::of_day(turn.and_then(|value| stage.day_of(dependant, value)));
        self.turning(value, op, number, self.sooner(until, turn))
    }

    /// Whether something may be done by what the member said, until they come of age if that changes it.
    pub(super) fn consent(&self, asked: &ConsentAsked) -> Held<'a> {
        let Some(facts) = self.facts() else { return Held::ever(Val::Bool(false)) };
        let birthday = facts.attribute("birthday").and_then(|birthday| birthday.text());
        let of_age = birthday.and_then(|text| of_age(text, asked.terms.minors_under, self.zone));
        let ask = |said: &zhiyin_model::consent::Consents| {
            said.ask(&asked.terms, &asked.purpose, &asked.channel, of_age, self.now)
        };
        let answer = facts.consents().map_or_else(|| ask(&Default::default()), ask);
        let until = if answer.until == Ts::FOREVER { Until::EVER } else { Until::At(answer.until) };
        Held { val: Val::Bool(answer.allowed.is_ok()), until }
    }
}
