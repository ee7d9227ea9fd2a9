//! The steps of a campaign. They stand in lists inside of lists and nothing leads back, so every flow ends; what is never reached
//! is refused.

use std::collections::BTreeMap;

use super::super::super::phrase::campaign as phrases;
use super::super::super::raw::campaign::{RawStep, RawWave, RawWay};
use super::super::super::words::ById;
use super::super::super::words::campaign::{PassedPhrase, RawSeveral, SendAtPhrase, ValueScalar};
use super::super::super::yaml::Node;
use super::super::Check;
use super::super::offer::unknown;
use super::{Known, count};
use crate::money::parse_decimal;
use crate::playbook::campaign::{ADVISOR, CHANNELS, EMAIL, Message, SendAt, Step, WECHAT, WECHAT_MINI};
use crate::playbook::{AttributeKind, Purpose};
use crate::scalar::Scalar;
use crate::time::Day;

/// The most steps of a campaign, and how deep they stand inside of each other.
const MAX_STEPS: usize = 64;
const MAX_DEPTH: usize = 6;
/// The most waves, and ways of a split.
const MAX_WAVES: usize = 12;
/// The most that a webhook is told beside what it always is.
const MAX_PASSED: usize = 16;
/// All members, in hundredths of a percent.
const ALL: u32 = 10_000;

/// What the steps of a campaign may name.
pub(super) struct Within<'a> {
    pub(super) messages: &'a BTreeMap<String, Message>,
    pub(super) known: &'a Known<'a>,
    pub(super) terms: Option<&'a Purpose>,
}

/// What a step may be, by its key.
const HEADS: &str =
    "wait, await, until, if, split, send, coupon, points, tag, untag, set, task, webhook, exit";

impl Check<'_> {
    pub(super) fn flow(
        &mut self,
        raw: (Option<Vec<RawStep>>, Option<Vec<RawWave>>),
        has_goal: bool,
        node: &Node,
        within: &Within<'_>,
    ) -> Option<Vec<Step>> {
        let steps = match raw {
            (Some(steps), None) => self.flow_steps(steps, node.get("steps")?, within, 0)?,
            (None, Some(waves)) => self.waves(waves, has_goal, node.get("waves")?, within)?,
            (Some(_), Some(_)) => {
                let at = node.get("waves").unwrap_or(node);
                self.problem(at.problem("a campaign has steps or waves", Some("one of the two".into())));
                return None;
            }
            (None, None) => {
                self.required(None::<()>, node, "steps", "steps, or waves");
                return None;
            }
        };
        if count(&steps) > MAX_STEPS {
            self.problem(node.problem("too many steps", Some(format!("at most {MAX_STEPS}"))));
        }
        Some(steps)
    }

    fn waves(
        &mut self,
        raw: Vec<RawWave>,
        has_goal: bool,
        node: &Node,
        within: &Within<'_>,
    ) -> Option<Vec<Step>> {
        if !has_goal {
            let message = "waves are for who has not come back yet: what that is, the goal says";
            self.problem(node.problem(message, Some("goal: Order Completed within 15d".into())));
        }
        if raw.is_empty() || raw.len() > MAX_WAVES {
            self.problem(node.problem("no wave, or too many", Some(format!("1 to {MAX_WAVES}"))));
        }
        let mut steps = Vec::new();
        for (i, (wave, at)) in raw.into_iter().zip(node.elements()).enumerate() {
            let after = wave.after.and_then(|text| self.phrase(&text.0, at.get("after"), phrases::wait));
            if after.is_none() && i > 0 && !at.is_broken() && at.get("after").is_none() {
                self.problem(
                    at.problem("`after` is missing: a wave comes after the one before", Some("7d".into())),
                );
            }
            steps.extend(after.map(Step::Wait));
            if let Some(offer) = wave.coupon {
                steps.extend(self.coupon_step(offer, at, within));
            }
            let message = self.required(wave.send, at, "send", "a message")?;
            steps.extend(self.send_step(message, (wave.by, wave.at), at, within));
        }
        Some(steps)
    }

    fn flow_steps(
        &mut self,
        raw: Vec<RawStep>,
        node: &Node,
        within: &Within<'_>,
        depth: usize,
    ) -> Option<Vec<Step>> {
        if depth > MAX_DEPTH {
            self.problem(
                node.problem("steps stand too deep inside of steps", Some(format!("at most {MAX_DEPTH}"))),
            );
            return None;
        }
        if raw.is_empty() && depth == 0 && !node.is_broken() {
            self.problem(node.problem("there is no step", Some(HEADS.into())));
        }
        let mut steps: Vec<Step> = Vec::new();
        for (raw, at) in raw.into_iter().zip(node.elements()) {
            if steps.last().is_some_and(Step::ends) {
                self.problem(at.problem("this step is never reached: what is before it ends", None));
                break;
            }
            steps.extend(self.step(raw, at, within, depth));
        }
        Some(steps)
    }

    fn step(&mut self, raw: RawStep, node: &Node, within: &Within<'_>, depth: usize) -> Option<Step> {
        let heads: Vec<&str> = HEADS.split(", ").filter(|head| node.get(head).is_some()).collect();
        let [head] = heads[..] else {
            if !node.is_broken() {
                self.problem(node.problem("a step is exactly one thing", Some(HEADS.into())));
            }
            return None;
        };
        self.only(head, node);
        let then = raw.then.and_then(|steps| self.flow_steps(steps, node.get("then")?, within, depth + 1));
        let otherwise =
            raw.otherwise.and_then(|steps| self.flow_steps(steps, node.get("else")?, within, depth + 1));
        let (then, otherwise) = (then.unwrap_or_default(), otherwise.unwrap_or_default());
        match head {
            "wait" => self.phrase(&raw.wait?.0, node.get("wait"), phrases::wait).map(Step::Wait),
            "await" | "until" => {
                let limit = self.required(raw.within, node, "within", "for how long at most, such as 3d")?;
                let within_minutes = self.phrase(&limit.0, node.get("within"), phrases::within)?;
                if head == "until" {
                    let holds = self.condition(raw.until, node.get("until"))?;
                    return Some(Step::Until { holds, within_minutes, then, otherwise });
                }
                let (event, when) = (raw.await_event?, self.condition(raw.when, node.get("when")));
                if event.trim().is_empty() || event.chars().count() > 255 {
                    let at = node.get("await").unwrap_or(node);
                    self.problem(at.problem("this names no event", Some("Order Completed".into())));
                }
                Some(Step::Await { event: event.trim().to_owned(), when, within_minutes, then, otherwise })
            }
            "if" => {
                let holds = self.condition(raw.holds, node.get("if"))?;
                if then.is_empty() && otherwise.is_empty() && !node.is_broken() {
                    self.problem(node.problem("neither way does anything", Some("then, else".into())));
                }
                Some(Step::If { holds, then, otherwise })
            }
            "split" => self.split(raw.split?, node.get("split")?, within, depth),
            "send" => self.send_step(raw.send?, (raw.by, raw.at), node, within),
            "webhook" => Some(self.webhook_step(raw.webhook?, raw.with, node)),
            "coupon" => self.coupon_step(raw.coupon?, node, within),
            "points" => {
                let points = raw.points?;
                if !(1..=1_000_000).contains(&points) {
                    let at = node.get("points").unwrap_or(node);
                    self.problem(
                        at.problem(format!("{points} is out of range"), Some("1 to 1000000".into())),
                    );
                }
                Some(Step::Points(points))
            }
            "tag" | "untag" => {
                let (tag, on) = (raw.tag.or(raw.untag)?, head == "tag");
                let by_hand = within.known.tags.iter().filter(|(_, tag)| tag.who.is_none());
                let names: Vec<&str> = by_hand.map(|(id, _)| id.as_str()).collect();
                if let Some(at) = node.get(head).filter(|_| !names.contains(&tag.as_str())) {
                    self.problem(unknown(at, "tag that is given by hand", &tag, &names));
                }
                Some(Step::Tag(tag, on))
            }
            "set" => self.set_step(raw.set?, raw.to, node, within),
            "task" => {
                let message = raw.task?;
                self.known_message(&message, node.get("task")?, within);
                self.may_use(ADVISOR, node.get("task")?, within);
                Some(Step::Task(message))
            }
            _ => {
                if raw.exit == Some(false) {
                    let at = node.get("exit").unwrap_or(node);
                    self.problem(at.problem("an exit is one", Some("true".into())));
                }
                Some(Step::Exit)
            }
        }
    }

    /// What stands beside a step's own key belongs to it.
    fn only(&mut self, head: &str, node: &Node) {
        let beside: &[&str] = match head {
            "await" => &["when", "within", "then", "else"],
            "until" => &["within", "then", "else"],
            "if" => &["then", "else"],
            "send" => &["by", "at"],
            "webhook" => &["with"],
            "set" => &["to"],
            _ => &[],
        };
        for key in ["when", "within", "then", "else", "by", "to", "at", "with"] {
            if let Some(at) = node.get(key).filter(|_| !beside.contains(&key)) {
                let allowed = if beside.is_empty() { "nothing".to_owned() } else { beside.join(", ") };
                self.problem(at.problem(format!("`{key}` says nothing beside `{head}`"), Some(allowed)));
            }
        }
    }

    fn split(&mut self, raw: Vec<RawWay>, node: &Node, within: &Within<'_>, depth: usize) -> Option<Step> {
        let mut ways = Vec::new();
        for (way, at) in raw.into_iter().zip(node.elements()) {
            let share = self.required(way.share, at, "share", "how many go this way, such as 50%")?;
            let share = self.phrase(&share.0, at.get("share"), phrases::share)?;
            let steps = match way.steps {
                Some(steps) => self.flow_steps(steps, at.get("steps")?, within, depth + 1)?,
                None => Vec::new(),
            };
            ways.push((share, steps));
        }
        let sum: u32 = ways.iter().map(|(share, _)| share).sum();
        if sum != ALL && !node.is_broken() {
            let (whole, rest) = (sum / 100, sum % 100);
            let percent = if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") };
            self.problem(node.problem(format!("the ways come to {percent}%"), Some("100% together".into())));
        }
        if !(2..=MAX_WAVES).contains(&ways.len()) && !node.is_broken() {
            self.problem(node.problem("a split has several ways", Some(format!("2 to {MAX_WAVES}"))));
        }
        Some(Step::Split(ways))
    }

    fn send_step(
        &mut self,
        message: String,
        (by, time): (Option<RawSeveral>, Option<SendAtPhrase>),
        node: &Node,
        within: &Within<'_>,
    ) -> Option<Step> {
        self.known_message(&message, node.get("send")?, within);
        let time = match time {
            Some(text) => self.phrase(&text.0, node.get("at"), phrases::send_at)?,
            None => SendAt::default(),
        };
        let by = self.required(by, node, "by", "a channel, or several: the first that may be used")?;
        let at = node.get("by")?;
        let by = match by {
            RawSeveral::One(channel) => vec![channel],
            RawSeveral::Several(channels) => channels,
        };
        if by.is_empty() && !at.is_broken() {
            self.problem(at.problem("no channel", Some(CHANNELS.join(", "))));
        }
        for (i, channel) in by.iter().enumerate() {
            let at = at.elements().get(i).unwrap_or(at);
            if by[..i].contains(channel) {
                self.problem(at.problem("the channel is given twice", None));
            } else if !CHANNELS.contains(&channel.as_str()) {
                self.problem(unknown(at, "channel", channel, &CHANNELS));
            } else {
                self.may_use(channel, at, within);
            }
            let speaks = within.messages.get(&message);
            if channel == EMAIL && speaks.is_some_and(|message| message.subject.is_none()) {
                let wrong = format!("the message `{message}` has no subject, which an e-mail needs");
                self.problem(at.problem(wrong, Some(format!("messages.{message}.subject"))));
            }
            let takes_forms = channel == WECHAT || channel == WECHAT_MINI;
            if takes_forms && speaks.is_some_and(|message| message.form(channel).is_none()) {
                let wrong = format!("the message `{message}` names no template of {channel}");
                self.problem(at.problem(wrong, Some(format!("messages.{message}.{channel}"))));
            }
        }
        Some(Step::Send { message, by, at: time })
    }

    fn webhook_step(&mut self, name: String, with: Option<ById<PassedPhrase>>, node: &Node) -> Step {
        if let Some(at) = node.get("webhook") {
            self.id(&name, &at.mark, &at.path, false);
        }
        let with = self.by_id(with, node.get("with"), false, |check, text, node| {
            check.phrase(&text.0, Some(node), phrases::passed)
        });
        if let Some(at) = node.get("with").filter(|_| with.len() > MAX_PASSED) {
            self.problem(at.problem("too much is passed on", Some(format!("at most {MAX_PASSED}"))));
        }
        Step::Webhook { name, with: with.into_iter().collect() }
    }

    fn known_message(&mut self, message: &str, at: &Node, within: &Within<'_>) {
        if !within.messages.contains_key(message) {
            let names: Vec<&str> = within.messages.keys().map(String::as_str).collect();
            self.problem(unknown(at, "message", message, &names));
        }
    }

    /// The purpose is carried out on the channel: else nobody could ever consent to it.
    fn may_use(&mut self, channel: &str, at: &Node, within: &Within<'_>) {
        if let Some(terms) = within.terms.filter(|terms| !terms.channels.contains(channel)) {
            let channels: Vec<&str> = terms.channels.iter().map(String::as_str).collect();
            let message = format!("the campaign's purpose has no channel `{channel}`");
            self.problem(at.problem(message, Some(channels.join(", "))));
        }
    }

    fn coupon_step(&mut self, offer: String, node: &Node, within: &Within<'_>) -> Option<Step> {
        let with_coupon = within.known.offers.offers.iter().filter(|offer| offer.coupon.is_some());
        let names: Vec<&str> = with_coupon.map(|offer| offer.id.as_str()).collect();
        if let Some(at) = node.get("coupon").filter(|_| !names.contains(&offer.as_str())) {
            self.problem(unknown(at, "offer with a coupon", &offer, &names));
        }
        Some(Step::Coupon(offer))
    }

    fn set_step(
        &mut self,
        name: String,
        to: Option<ValueScalar>,
        node: &Node,
        within: &Within<'_>,
    ) -> Option<Step> {
        let to = self.required(to, node, "to", "what it is set to")?.0;
        let attributes = within.known.attributes;
        let Some((_, of)) = attributes.iter().find(|(id, _)| *id == name) else {
            let names: Vec<&str> = attributes.iter().map(|(id, _)| id.as_str()).collect();
            self.problem(unknown(node.get("set")?, "attribute", &name, &names));
            return None;
        };
        let value = match of.kind {
            AttributeKind::Bool => match to.as_str() {
                "true" => Some(Scalar::Bool(true)),
                "false" => Some(Scalar::Bool(false)),
                _ => None,
            },
            AttributeKind::Number => parse_decimal(&to).ok().map(Scalar::Number),
            AttributeKind::Text => Some(Scalar::Text(to)),
            AttributeKind::Texts => Some(Scalar::Texts(vec![to])),
            AttributeKind::Date => Day::parse(&to).map(|day| Scalar::Text(day.to_string())),
        };
        let Some(value) = value else {
            let kind = format!("{:?}", of.kind).to_lowercase();
            self.problem(node.get("to")?.problem(format!("the attribute is a {kind}"), None));
            return None;
        };
        Some(Step::Set(name, value))
    }
}
