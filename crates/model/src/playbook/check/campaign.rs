//! The sections `messages`, `campaigns` and `sending`.

mod budget;
mod steps;

use std::collections::BTreeMap;

use super::super::phrase::{self, campaign as phrases};
use super::super::raw::RawPlaybook;
use super::super::raw::campaign::{RawCampaign, RawForm, RawMessage, RawSending};
use super::super::way::ACCOUNT_USUAL;
use super::super::words::ById;
use super::super::words::RawNames;
use super::super::words::campaign::HourPhrase;
use super::super::yaml::Node;
use super::offer::unknown;
use super::{Check, MAX_FEW};
use crate::money::Currency;
use crate::playbook::campaign::{
    ADVISOR, Again, Allows, CHANNELS, Campaign, Cap, Form, HOLDOUT_USUAL, Message, SendAt, Sending, Step,
    Trigger, each, is_within,
};
use crate::playbook::link::{Links, Poster};
use crate::playbook::offer::Offering;
use crate::playbook::{AttributeDecl, AttributeKind, Audience, Names, Purpose, Tag, Worth};
use crate::time::Day;

/// The most campaigns and messages.
const MAX_CAMPAIGNS: usize = 128;
const MAX_MESSAGES: usize = 512;
/// The longest text of a message, in characters.
const MAX_TEXT: usize = 2_000;
/// The longest subject of an e-mail, and the longest HTML.
const MAX_SUBJECT: usize = 200;
const MAX_HTML: usize = 20_000;
/// The longest short message, in characters: as platforms have it.
const MAX_SMS: usize = 500;

/// The longest id of a platform's template, the most fields it has, the longest text of one, in characters.
const MAX_TEMPLATE: usize = 64;
const MAX_FIELDS: usize = 20;
const MAX_FIELD: usize = 500;
/// Which account a mini program's template is of where none is said.
const MINI_USUAL: &str = "mini";

/// How long staff may have to confirm a message, in minutes.
const CONFIRM_MINUTES: std::ops::RangeInclusive<u32> = 60..=7 * 24 * 60;

/// What campaigns may name.
pub(super) struct Known<'a> {
    pub(super) purposes: &'a BTreeMap<String, Purpose>,
    pub(super) audiences: &'a BTreeMap<String, Audience>,
    pub(super) attributes: &'a [(String, AttributeDecl)],
    pub(super) tags: &'a [(String, Tag)],
    pub(super) offers: &'a Offering,
    pub(super) currency: &'a Currency,
    pub(super) worth: Option<Worth>,
}

/// What the sections come to.
type Checked = (BTreeMap<String, Message>, BTreeMap<String, Campaign>, Sending);
/// The sections, taken out of the raw playbook.
pub(super) type Sections = (Option<ById<RawMessage>>, Option<ById<RawCampaign>>, Option<RawSending>);

/// Takes the sections out of the raw playbook.
pub(super) fn sections(raw: &mut RawPlaybook) -> Sections {
    (raw.messages.take(), raw.campaigns.take(), raw.sending.take())
}

impl Check<'_> {
    pub(super) fn campaigns(&mut self, raw: Sections, tree: &Node, known: &Known<'_>) -> Checked {
        let (messages, campaigns, sending) = raw;
        let messages: BTreeMap<String, Message> =
            self.by_id(messages, tree.get("messages"), false, Check::message).into_iter().collect();
        if let Some(node) = tree.get("messages").filter(|_| messages.len() > MAX_MESSAGES) {
            self.problem(node.problem("too many messages", Some(format!("at most {MAX_MESSAGES}"))));
        }
        let node = tree.get("campaigns");
        let campaigns = self
            .by_id(campaigns, node, false, |check, raw, node| check.campaign(raw, node, &messages, known));
        if let Some(node) = node.filter(|_| campaigns.len() > MAX_CAMPAIGNS) {
            self.problem(node.problem("too many campaigns", Some(format!("at most {MAX_CAMPAIGNS}"))));
        }
        let sending = sending.unwrap_or_default();
        let sending = self.sending(sending, tree.get("sending"), known).unwrap_or_default();
        for (id, campaign) in &campaigns {
            let Some(at) = node.and_then(|node| node.get(id)) else { continue };
            each(&campaign.steps, &mut |step| self.opens(step, &sending, at));
        }
        (messages, campaigns.into_iter().collect(), sending)
    }

    /// A window must be open at some time of the day on each channel of its step.
    fn opens(&mut self, step: &Step, sending: &Sending, node: &Node) {
        let Step::Send { message, by, at: SendAt { within: Some(within), .. } } = step else { return };
        for channel in by {
            let Some(quiet) = sending.quiet.get(channel).copied() else { continue };
            // Where it is open at all, it is where it begins, or where the silence ends.
            let is_open = |minute: u16| is_within(*within, minute) && !is_within(quiet, minute);
            if !is_open(within.0) && !is_open(quiet.1) {
                let message =
                    format!("`{message}` is never sent: its window lies in the quiet hours of {channel}");
                self.problem(node.problem(message, Some("another window, or other quiet hours".into())));
            }
        }
    }

    fn message(&mut self, raw: RawMessage, node: &Node) -> Option<Message> {
        let name = self.names(raw.name, node);
        let text = self.required(raw.text, node, "text", "a text, or one in each language")?;
        let text = self.text(text, node.get("text")?, MAX_TEXT);
        let mut more = |raw: Option<RawNames>, key: &str, max: usize| {
            let (raw, at) = (raw?, node.get(key)?);
            Some(self.text(raw, at, max))
        };
        let (subject, html) = (more(raw.subject, "subject", MAX_SUBJECT), more(raw.html, "html", MAX_HTML));
        let mjml = more(raw.mjml, "mjml", MAX_HTML);
        let sms = more(raw.sms, "sms", MAX_SMS);
        if let (Some(_), Some(_), Some(at)) = (&html, &mjml, node.get("mjml")) {
            self.problem(
                at.problem("a message has its HTML from `html` or from `mjml`, not from both", None),
            );
        }
        let lines = |said: &Option<String>| said.as_ref().is_some_and(|said| said.contains('\n'));
        if let (Some(said), Some(at)) = (&subject, node.get("subject"))
            && (lines(&said.zh) || lines(&said.en))
        {
            self.problem(at.problem("a subject is one line", None));
        }
        if let (Some(persona), Some(at)) = (&raw.persona, node.get("persona")) {
            self.id(persona, &at.mark, &at.path, false);
        }
        let sells = raw.sells.unwrap_or(true);
        let confirm_minutes = match raw.confirm {
            Some(text) => self.phrase(&text.0, node.get("confirm"), phrases::within),
            None => None,
        };
        if let (Some(_), Some(at)) =
            (confirm_minutes.filter(|n| !CONFIRM_MINUTES.contains(n)), node.get("confirm"))
        {
            self.problem(
                at.problem("staff have an hour to confirm it, or up to a week", Some("1h to 7d".to_owned())),
            );
        }
        let (persona, poster, card) = (raw.persona, raw.poster, raw.card);
        let mut form = |raw: Option<RawForm>, key, usual| self.form(raw?, node.get(key)?, usual);
        let wechat = form(raw.wechat, "wechat", (ACCOUNT_USUAL, Allows::Always));
        let wechat_mini = form(raw.wechat_mini, "wechat_mini", (MINI_USUAL, Allows::Once));
        let is_always = wechat_mini.as_ref().is_some_and(|form| form.allows == Allows::Always);
        if let (true, Some(at)) = (is_always, node.get("wechat_mini").and_then(|node| node.get("allows"))) {
            let message = "a mini program writes to nobody who did not allow it";
            self.problem(at.problem(message, Some("once, standing".to_owned())));
        }
        Some(Message {
            name,
            text,
            subject,
            html,
            mjml,
            sms,
            persona,
            sells,
            poster,
            card,
            confirm_minutes,
            wechat,
            wechat_mini,
        })
    }

    /// A form of a platform; what it is where it does not say is of its channel.
    fn form(&mut self, raw: RawForm, node: &Node, usual: (&str, Allows)) -> Option<Form> {
        let account = raw.account.unwrap_or_else(|| usual.0.to_owned());
        if let Some(at) = node.get("account") {
            self.id(&account, &at.mark, &at.path, false);
        }
        let template = self.required(raw.template, node, "template", "the template's id")?;
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=MAX_TEMPLATE).contains(&template.len()) || !template.chars().all(is_id) {
            let at = node.get("template")?;
            let allowed = Some(format!("1 to {MAX_TEMPLATE} letters, digits, _ and -"));
            self.problem(at.problem("this is no template's id", allowed));
        }
        let raw_fields = self.required(raw.fields, node, "fields", "what is in each field")?;
        let at = node.get("fields")?;
        let fields = self.by_id(Some(raw_fields), Some(at), false, |check, raw, node| {
            Some(check.text(raw, node, MAX_FIELD))
        });
        if (fields.is_empty() && !at.is_broken()) || fields.len() > MAX_FIELDS {
            self.problem(at.problem("too few or too many fields", Some(format!("1 to {MAX_FIELDS}"))));
        }
        let page = raw.page.zip(node.get("page")).map(|(raw, at)| self.text(raw, at, MAX_FIELD));
        Some(Form { account, template, allows: raw.allows.unwrap_or(usual.1), fields, page })
    }

    /// What goes with messages must be there.
    pub(super) fn attached(
        &mut self,
        messages: &BTreeMap<String, Message>,
        (links, posters): (&Links, &[(String, Poster)]),
        tree: &Node,
    ) {
        let Some(node) = tree.get("messages") else { return };
        let posters: Vec<&str> = posters.iter().map(|(id, _)| id.as_str()).collect();
        let pages: Vec<&str> = links.pages.keys().map(String::as_str).collect();
        for (id, message) in messages {
            let Some(node) = node.get(id) else { continue };
            let named = [("poster", &message.poster, &posters), ("card", &message.card, &pages)];
            for (key, named, known) in named {
                let (Some(named), Some(at)) = (named, node.get(key)) else { continue };
                if !known.contains(&named.as_str()) {
                    let what = if key == "card" { "page" } else { key };
                    self.problem(unknown(at, what, named, known));
                }
            }
        }
    }

    fn text(&mut self, raw: RawNames, node: &Node, max: usize) -> Names {
        self.in_languages(raw, node, max, "this cannot be sent")
    }

    fn campaign(
        &mut self,
        mut raw: RawCampaign,
        node: &Node,
        messages: &BTreeMap<String, Message>,
        known: &Known<'_>,
    ) -> Option<Campaign> {
        let name = self.names(raw.name.take(), node);
        let purpose =
            self.required(raw.purpose.take(), node, "purpose", "a purpose of the section `consent`");
        let on = self.required(raw.on.take(), node, "on", "what sets it off, such as enters gone_quiet");
        let on = on.and_then(|text| self.phrase(&text.0, node.get("on"), phrases::trigger));
        let (purpose, on) = (purpose?, on?);
        let terms = self.purpose_of(&purpose, node, known);
        self.trigger_names(&on, node, known);
        let when = self.condition(raw.when.take(), node.get("when"));
        if let Some(at) = node.get("when").filter(|_| !matches!(on, Trigger::Event(_))) {
            let message = "`when` is about the event that sets it off, and none does";
            self.problem(at.problem(message, Some("who, or on: event …".into())));
        }
        let who = self.condition(raw.who.take(), node.get("who"));
        let leave = self.condition(raw.leave.take(), node.get("leave"));
        let goal = raw.goal.take().and_then(|text| self.phrase(&text.0, node.get("goal"), phrases::goal));
        let again = raw.again.take().and_then(|text| self.phrase(&text.0, node.get("again"), phrases::again));
        let again = again.unwrap_or(Again::Once);
        if let (Again::Per(_), false, Some(at)) = (&again, matches!(on, Trigger::Event(_)), node.get("again"))
        {
            let message = "a key is a property of the event that sets it off, and none does";
            self.problem(at.problem(message, Some("once, after exit, after 30d, at most 3".into())));
        }
        let promised = raw.promised.unwrap_or(false);
        let holdout =
            raw.holdout.take().and_then(|text| self.phrase(&text.0, node.get("holdout"), phrases::share));
        if let (true, Some(at)) = (promised && holdout.is_some_and(|share| share > 0), node.get("holdout")) {
            self.problem(at.problem("what was promised is held back from nobody", Some("0%".into())));
        }
        let at_most = self.count(raw.at_most, node.get("at_most"), 1_000_000_000);
        let budget = raw.budget.take();
        let (from, until) = self.days(&mut raw, node);
        let within = steps::Within { messages, known, terms };
        let steps = self.flow((raw.steps.take(), raw.waves.take()), goal.is_some(), node, &within)?;
        let budget = self.budget(budget, (&steps, promised), node, known);
        let usual = if promised { 0 } else { HOLDOUT_USUAL };
        let holdout = holdout.unwrap_or(usual);
        Some(Campaign {
            name,
            purpose,
            on,
            when,
            who,
            leave,
            goal,
            again,
            holdout,
            promised,
            at_most,
            budget,
            from,
            until,
            steps,
        })
    }

    /// Its first and its last day.
    fn days(&mut self, raw: &mut RawCampaign, node: &Node) -> (Option<Day>, Option<Day>) {
        let (from, until) = (raw.from.take(), raw.until.take());
        let from = from.and_then(|text| self.phrase(&text.0, node.get("from"), phrase::day));
        let until = until.and_then(|text| self.phrase(&text.0, node.get("until"), phrase::day));
        if let (Some(from), Some(until), Some(at)) = (from, until, node.get("until"))
            && until < from
        {
            let allowed = Some(format!("{from} or later"));
            self.problem(at.problem(format!("ends before it begins on {from}"), allowed));
        }
        (from, until)
    }

    fn purpose_of<'k>(&mut self, purpose: &str, node: &Node, known: &Known<'k>) -> Option<&'k Purpose> {
        let terms = known.purposes.get(purpose);
        if let (None, Some(at)) = (terms, node.get("purpose")) {
            let names: Vec<&str> = known.purposes.keys().map(String::as_str).collect();
            self.problem(unknown(at, "purpose of the section `consent`", purpose, &names));
        }
        terms
    }

    fn trigger_names(&mut self, on: &Trigger, node: &Node, known: &Known<'_>) {
        let Some(at) = node.get("on") else { return };
        match on {
            Trigger::Enters(audience) | Trigger::Leaves(audience) | Trigger::Every { audience, .. } => {
                let standing = known.audiences.iter().filter(|(_, audience)| audience.standing);
                let names: Vec<&str> = standing.map(|(id, _)| id.as_str()).collect();
                if !names.contains(&audience.as_str()) {
                    self.problem(unknown(at, "standing audience", audience, &names));
                }
            }
            Trigger::Date { attribute, .. } => {
                let dates = known.attributes.iter().filter(|(_, of)| of.kind == AttributeKind::Date);
                let names: Vec<&str> = dates.map(|(id, _)| id.as_str()).collect();
                if !names.contains(&attribute.as_str()) {
                    self.problem(unknown(at, "attribute that is a date", attribute, &names));
                }
            }
            Trigger::Event(_) | Trigger::Command => {}
        }
    }

    fn sending(&mut self, raw: RawSending, node: Option<&Node>, known: &Known<'_>) -> Option<Sending> {
        let node = node?;
        let never = self.condition(raw.never, node.get("never"));
        let complaint = self.condition(raw.complaint, node.get("complaint"));
        let holdout = raw.holdout.and_then(|text| self.phrase(&text.0, node.get("holdout"), phrases::share));
        let quiet = self.by_id(raw.quiet, node.get("quiet"), false, |check, text, node| {
            check.phrase(&text.0, Some(node), phrases::quiet)
        });
        self.channels(quiet.iter().map(|(id, _)| id), node.get("quiet"));
        let quota = self.by_id(raw.quota, node.get("quota"), false, |check, text, node| {
            check.phrase(&text.0, Some(node), phrases::quota)
        });
        self.channels(quota.iter().map(|(id, _)| id), node.get("quota"));
        let caps = raw.caps.unwrap_or_default();
        let places = node.get("caps").map_or(&[][..], Node::elements);
        let caps: Vec<Cap> = caps
            .iter()
            .zip(places)
            .filter_map(|(text, at)| {
                let cap = self.phrase(&text.0, Some(at), phrases::cap)?;
                let names: Vec<&str> =
                    all_channels().into_iter().chain(known.purposes.keys().map(String::as_str)).collect();
                if let Some(of) = cap.of.as_ref().filter(|of| !names.contains(&of.as_str())) {
                    self.problem(unknown(at, "channel or purpose", of, &names));
                }
                Some(cap)
            })
            .collect();
        if let Some(at) = node.get("caps").filter(|_| caps.len() > MAX_FEW) {
            self.problem(at.problem("too many caps", Some(format!("at most {MAX_FEW}"))));
        }
        let hours = self.hours(raw.hours.unwrap_or_default(), node.get("hours"));
        Some(Sending {
            never,
            complaint,
            first_touch: raw.first_touch.unwrap_or(false),
            holdout: holdout.unwrap_or(0),
            quiet: quiet.into_iter().collect(),
            caps,
            quota: quota.into_iter().collect(),
            hours,
        })
    }

    /// What was seen in which two hours, each once.
    fn hours(&mut self, raw: Vec<HourPhrase>, node: Option<&Node>) -> BTreeMap<u8, (u16, u16)> {
        let mut hours = BTreeMap::new();
        let places = node.map_or(&[][..], Node::elements);
        for (text, at) in raw.into_iter().zip(places) {
            let Some((slot, counts)) = self.phrase(&text.0, Some(at), phrases::hour) else { continue };
            if hours.insert(slot, counts).is_some() {
                self.problem(at.problem("these two hours are given twice", None));
            }
        }
        hours
    }

    fn channels<'i>(&mut self, ids: impl Iterator<Item = &'i String>, node: Option<&Node>) {
        let names = all_channels();
        for id in ids.filter(|id| !names.contains(&id.as_str())) {
            if let Some(at) = node.and_then(|node| node.get(id)) {
                self.problem(unknown(at, "channel", id, &names));
            }
        }
    }
}

fn all_channels() -> Vec<&'static str> {
    CHANNELS.into_iter().chain([ADVISOR]).collect()
}

/// How many steps there are, those inside of others too.
fn count(steps: &[Step]) -> usize {
    let mut n = 0;
    each(steps, &mut |_| n += 1);
    n
}
