//! From the raw playbook to the checked one: what must be there, what must agree.

mod alone;
mod audience;
mod campaign;
mod consent;
mod draw;
mod earning;
mod identity;
mod link;
mod offer;
mod retention;
mod said;
mod tills;
mod way;

use std::collections::BTreeMap;

use super::canonical::Source;
use super::names::{Language, Names};
use super::nearest::nearest;
use super::phrase::{self, Wrong};
use super::problem::{ConditionText, Problem};
use super::raw::{RawLevel, RawPlaybook, RawStage, RawTag, RawTiers};
use super::reader::short;
use super::words::{ById, Condition, RawAims, RawNames};
use super::yaml::{self, Node, Value};
use super::{
    Aim, AttributeDecl, Level, Orders, Partner, Playbook, Stage, Tag, Tiers, Touchpoint, TouchpointKind,
};
use crate::money::Currency;
use crate::time::Zone;

/// The most entries of a kind: levels, stages, ways to earn.
const MAX_FEW: usize = 64;
/// The most days of a window or a term.
const MAX_DAYS: u16 = 3660;
/// The most growth a level may ask for.
const MAX_GROWTH: i64 = 1_000_000_000_000;
/// The longest name or id, in characters.
const MAX_NAME: usize = 64;

/// Checks a playbook whose tree is `tree`. `None` if something needed is missing; then a problem says so.
pub(super) fn playbook(
    mut raw: RawPlaybook,
    tree: &Node,
    source: Source,
    problems: &mut Vec<Problem>,
) -> Option<Playbook> {
    let mut check = Check { problems };
    let offered = offer::sections(&mut raw);
    let draws = raw.draws.take();
    let campaigns = campaign::sections(&mut raw);
    let linking = link::sections(&mut raw);
    let id = check.required(raw.playbook, tree, "playbook", "a name such as variety-store");
    if let (Some(id), Some(node)) = (&id, tree.get("playbook")) {
        check.id(id, &node.mark, &node.path, false);
    }
    let timezone = check.timezone(raw.timezone, tree);
    let currency = check.currency(raw.currency, tree);
    let languages = check.languages(raw.languages, tree);
    let attributes = check.by_id(raw.attributes, tree.get("attributes"), true, |check, raw, node| {
        let name = check.names(raw.name, node);
        let kind = check.required(raw.kind, node, "type", "bool, number, text, texts, date")?;
        let changes =
            raw.changes.and_then(|text| check.phrase(&text.0, node.get("changes"), phrase::changes));
        Some(AttributeDecl { name, kind, changes_after_days: changes })
    });
    let touchpoints = check.by_id(raw.touchpoints, tree.get("touchpoints"), false, |check, raw, node| {
        let name = check.names(raw.name, node);
        let kind = check.required(raw.kind, node, "kind", "store, mini_program, wecom and more")?;
        let way = raw.way.zip(node.get("way")).and_then(|(raw, node)| check.way(raw, node));
        let group_way =
            raw.group_way.zip(node.get("group_way")).and_then(|(raw, node)| check.group_way(raw, node));
        if let (Some(account), Some(at)) = (&raw.follow, node.get("follow")) {
            check.id(account, &at.mark, &at.path, false);
        }
        Some(Touchpoint { name, kind, way, group_way, follow: raw.follow })
    });
    let partners = check.by_id(raw.partners, tree.get("partners"), false, |check, raw, node| {
        let ours = check.names_at("ours", raw.ours, node);
        let theirs = check.names_at("theirs", raw.theirs, node);
        Some(Partner { name: check.names(raw.name, node), ours, theirs })
    });
    check.partners_are_partners(&partners, &touchpoints, tree.get("partners"));
    let raw_orders = raw.orders.unwrap_or_default();
    let place = tree.get("orders").and_then(|node| node.get("earn_nothing"));
    let earn_nothing = check.condition(raw_orders.earn_nothing, place);
    let orders = Orders { paid: raw_orders.paid.unwrap_or_default(), earn_nothing };
    let points = check.section(raw.points, tree, "points", "expire, debt, earn and more", Check::points);
    let growth = check.section(raw.growth, tree, "growth", "earn, name", Check::growth);
    let tiers = check.section(raw.tiers, tree, "tiers", "over, levels", Check::tiers);
    let lifecycle = check.section(raw.lifecycle, tree, "lifecycle", "stages by id", Check::lifecycle);
    let tags = check.by_id(raw.tags, tree.get("tags"), false, Check::tag);
    let audiences = check.audiences(raw.audiences, tree.get("audiences"));
    let identity = check.identity(raw.identity, tree.get("identity"));
    let consent = check.consent(raw.consent, tree.get("consent"));
    let retention = check.retention(raw.retention, tree.get("retention"));
    let exponent = currency.as_ref().map_or(2, |currency| currency.exponent);
    let alone = check.alone(raw.alone, tree.get("alone"), exponent);
    let tills = check.tills(raw.tills, tree.get("tills"));
    let around = offer::Around {
        currency: currency.clone().unwrap_or(Currency { code: String::new(), exponent: 2 }),
        levels: tiers.as_ref().map_or(&[], |tiers| tiers.levels.as_slice()),
        partners: partners.iter().map(|(code, _)| code.as_str()).collect(),
    };
    let offering = check.offering(offered, tree, &around);
    let draws = check.draws(draws, tree.get("draws"), &offering, &around);
    let known = campaign::Known {
        purposes: &consent.purposes,
        audiences: &audiences,
        attributes: &attributes,
        tags: &tags,
        offers: &offering,
        currency: &around.currency,
        worth: points.as_ref().and_then(|points| points.worth),
    };
    let (messages, campaigns, sending) = check.campaigns(campaigns, tree, &known);
    let (links, posters) = check.linking(linking, tree);
    let named = way::Named { messages: &messages, tags: &tags, links: &links, posters: &posters };
    check.ways_fit(&touchpoints, tree.get("touchpoints"), &named);
    check.attached(&messages, (&links, &posters), tree);
    Some(Playbook {
        id: id?,
        timezone: timezone?,
        currency: currency?,
        languages,
        attributes: attributes.into_iter().collect(),
        touchpoints: touchpoints.into_iter().collect(),
        partners: partners.into_iter().collect(),
        orders,
        points: points?,
        growth: growth?,
        tiers: tiers?,
        lifecycle: lifecycle?,
        tags: BTreeMap::from_iter(tags),
        audiences,
        offering,
        draws: draws.into_iter().collect(),
        messages,
        links,
        posters: posters.into_iter().collect(),
        campaigns,
        sending,
        identity,
        consent,
        retention,
        alone,
        tills,
        source,
    })
}

struct Check<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A value that must be there. Silent where something unreadable was taken out of the map.
    fn required<T>(&mut self, value: Option<T>, node: &Node, key: &str, allowed: &str) -> Option<T> {
        if value.is_none() && !node.has_lost(key) {
            let message = format!("`{key}` is missing");
            self.problem(node.mark.problem(&yaml::join(&node.path, key), message, Some(allowed.to_owned())));
        }
        value
    }

    fn section<R, T>(
        &mut self,
        raw: Option<R>,
        tree: &Node,
        key: &str,
        allowed: &str,
        read: impl FnOnce(&mut Self, R, &Node) -> Option<T>,
    ) -> Option<T> {
        let raw = self.required(raw, tree, key, allowed)?;
        read(self, raw, tree.get(key)?)
    }

    fn by_id<R, T>(
        &mut self,
        raw: Option<ById<R>>,
        node: Option<&Node>,
        is_name_of_language: bool,
        mut read: impl FnMut(&mut Self, R, &Node) -> Option<T>,
    ) -> Vec<(String, T)> {
        let (Some(ById(raw)), Some(Value::Map(entries))) = (raw, node.map(|node| &node.value)) else {
            return Vec::new();
        };
        let mut things = Vec::new();
        // The raw values were read from these very entries, in their order.
        for ((id, raw), entry) in raw.into_iter().zip(entries) {
            self.id(&id, &entry.key_mark, &entry.node.path, is_name_of_language);
            if let Some(thing) = read(self, raw, &entry.node) {
                things.push((id, thing));
            }
        }
        things
    }

    fn id(&mut self, id: &str, mark: &yaml::Mark, path: &str, is_name_of_language: bool) {
        let inner = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || (c == '-' && !is_name_of_language)
        };
        let begins = id.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if begins && id.chars().all(inner) && id.chars().count() <= MAX_NAME {
            return;
        }
        let hyphen = if is_name_of_language { "" } else { ", -" };
        let allowed =
            format!("a letter, then letters, digits, _{hyphen}; all lower case, at most {MAX_NAME}");
        let message = format!("{:?} cannot be an id", short(id));
        self.problem(mark.problem(path, message, Some(allowed)));
    }

    fn phrase<T>(
        &mut self,
        text: &str,
        node: Option<&Node>,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        match read(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let location = node?.location();
                self.problem(location.problem(wrong.column, wrong.message, Some(wrong.allowed.to_owned())));
                None
            }
        }
    }

    fn condition(&mut self, raw: Option<Condition>, node: Option<&Node>) -> Option<ConditionText> {
        let (text, node) = (raw?.0, node?);
        if text.trim().is_empty() {
            self.problem(node.problem("the condition is empty", Some("true, to hold always".into())));
        }
        Some(ConditionText { text, at: node.location() })
    }

    /// A partner's code is a touchpoint: declared as one, it is of that kind.
    fn partners_are_partners(
        &mut self,
        partners: &[(String, Partner)],
        touchpoints: &[(String, Touchpoint)],
        node: Option<&Node>,
    ) {
        for (code, _) in partners {
            let declared = touchpoints.iter().find(|(known, _)| known == code);
            if declared.is_some_and(|(_, touchpoint)| touchpoint.kind != TouchpointKind::Partner)
                && let Some(at) = node.and_then(|node| node.get(code))
            {
                let message = format!("the touchpoint `{code}` is declared, and is of another kind");
                self.problem(at.problem(message, Some("kind: partner, or another code".to_owned())));
            }
        }
    }

    fn names(&mut self, raw: Option<RawNames>, node: &Node) -> Names {
        self.names_at("name", raw, node)
    }

    fn names_at(&mut self, key: &str, raw: Option<RawNames>, node: &Node) -> Names {
        let (Some(raw), Some(node)) = (raw, node.get(key)) else {
            return Names::default();
        };
        let names = Names { zh: raw.zh, en: raw.en };
        for (language, name) in [("zh", &names.zh), ("en", &names.en)] {
            let Some(name) = name else { continue };
            if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control)
            {
                let at = node.get(language).unwrap_or(node);
                let allowed = format!("1 to {MAX_NAME} characters on one line");
                self.problem(at.problem("this cannot be a name", Some(allowed)));
                break;
            }
        }
        if names == Names::default() && !node.is_broken() {
            self.problem(node.problem("a name in no language", Some("zh, en".into())));
        }
        names
    }

    fn timezone(&mut self, raw: Option<String>, tree: &Node) -> Option<Zone> {
        let name = self.required(raw, tree, "timezone", "an IANA name such as Asia/Shanghai")?;
        let node = tree.get("timezone")?;
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let zone = Zone::named(&name).filter(|_| name == "UTC" || known.contains(&name));
        if zone.is_none() {
            let near = nearest(&name, known.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let message = format!("there is no time zone `{}`{hint}", short(&name));
            self.problem(node.problem(message, Some("an IANA name such as Asia/Shanghai".into())));
        }
        zone
    }

    fn currency(&mut self, raw: Option<String>, tree: &Node) -> Option<Currency> {
        let code = self.required(raw, tree, "currency", "an ISO 4217 code such as CNY")?;
        let node = tree.get("currency")?;
        let currency = Currency::parse(&code);
        if currency.is_none() {
            let message = format!("`{}` is not a currency", short(&code));
            self.problem(node.problem(message, Some("an ISO 4217 code such as CNY".into())));
        }
        currency
    }

    fn languages(&mut self, raw: Option<Vec<Language>>, tree: &Node) -> Vec<Language> {
        let languages = raw.unwrap_or_else(|| vec![Language::Zh, Language::En]);
        if let Some(node) = tree.get("languages") {
            let twice = languages.iter().enumerate().find(|(i, language)| languages[..*i].contains(language));
            if let Some((i, _)) = twice {
                let at = node.elements().get(i).unwrap_or(node);
                self.problem(at.problem("the language is given twice", None));
            }
            if languages.is_empty() && !node.is_broken() {
                self.problem(node.problem("a brand speaks at least one language", Some("zh, en".into())));
            }
        }
        languages
    }

    fn tiers(&mut self, raw: RawTiers, node: &Node) -> Option<Tiers> {
        let over = self.required(raw.over, node, "over", "a number of days such as 365d");
        let over = over
            .and_then(|text| self.phrase(&text.0, node.get("over"), |text| phrase::days(text, 1, MAX_DAYS)));
        let levels = self.required(raw.levels, node, "levels", "levels by id, the lowest first")?;
        let levels_node = node.get("levels")?;
        let (n_problems, n_raw) = (self.problems.len(), levels.0.len());
        let levels: Vec<Level> = self
            .by_id(Some(levels), Some(levels_node), false, Check::level)
            .into_iter()
            .map(|(id, level)| Level { id, ..level })
            .collect();
        if self.problems.len() == n_problems && levels.len() == n_raw && !levels_node.is_broken() {
            self.levels_ascend(&levels, levels_node);
        }
        Some(Tiers { over_days: over?, levels })
    }

    fn level(&mut self, raw: RawLevel, node: &Node) -> Option<Level> {
        let name = self.names(raw.name, node);
        let aim = self.aims(raw.aim, node.get("aim"));
        let benefits = self.benefits(raw.benefits, node.get("benefits"));
        let from = self.required(raw.from, node, "from", "the least growth that holds it")?;
        if !(0..=MAX_GROWTH).contains(&from)
            && let Some(node) = node.get("from")
        {
            self.problem(node.problem(format!("{from} is out of range"), Some(format!("0 to {MAX_GROWTH}"))));
        }
        Some(Level { id: String::new(), from, name, aim, benefits })
    }

    fn levels_ascend(&mut self, levels: &[Level], node: &Node) {
        let at = |level: &Level| node.get(&level.id).and_then(|node| node.get("from")).unwrap_or(node);
        match levels.first() {
            None => self.problem(node.problem("there is no level", Some("at least one, from 0".into()))),
            Some(first) if first.from != 0 => {
                let message = format!("the first level begins at 0, not at {}", first.from);
                self.problem(at(first).problem(message, Some("0".into())));
            }
            Some(_) => {}
        }
        if levels.len() > MAX_FEW {
            self.problem(node.problem("too many levels", Some(format!("at most {MAX_FEW}"))));
        }
        for pair in levels.windows(2) {
            if pair[1].from <= pair[0].from {
                let message = format!("levels ascend, but {} comes after {}", pair[1].from, pair[0].from);
                self.problem(at(&pair[1]).problem(message, Some(format!("more than {}", pair[0].from))));
            }
        }
    }

    fn aims(&mut self, raw: Option<RawAims>, node: Option<&Node>) -> Vec<Aim> {
        let (Some(raw), Some(node)) = (raw, node) else {
            return Vec::new();
        };
        let phrases = match raw {
            RawAims::Phrase(text) => return self.phrase(&text, Some(node), phrase::aims).unwrap_or_default(),
            RawAims::List(phrases) => phrases,
        };
        let mut aims = Vec::new();
        for (text, node) in phrases.iter().zip(node.elements()) {
            for aim in self.phrase(&text.0, Some(node), phrase::aims).unwrap_or_default() {
                if aims.contains(&aim) {
                    self.problem(node.problem("the aim is given twice", None));
                } else {
                    aims.push(aim);
                }
            }
        }
        aims
    }

    fn lifecycle(&mut self, raw: ById<RawStage>, node: &Node) -> Option<Vec<Stage>> {
        let (n_problems, n_raw) = (self.problems.len(), raw.0.len());
        let stages = self.by_id(Some(raw), Some(node), false, |check, raw: RawStage, node| {
            let name = check.names(raw.name, node);
            let phase = check.required(raw.phase, node, "phase", "win, grow, win back");
            let when = check.required(raw.when, node, "when", "a condition; true for the last stage");
            let when = check.condition(when, node.get("when"))?;
            Some(Stage { id: String::new(), name, phase: phase?, when })
        });
        let stages: Vec<Stage> = stages.into_iter().map(|(id, stage)| Stage { id, ..stage }).collect();
        if self.problems.len() > n_problems || stages.len() < n_raw || node.is_broken() {
            return Some(stages);
        }
        if stages.len() > MAX_FEW {
            self.problem(node.problem("too many stages", Some(format!("at most {MAX_FEW}"))));
        }
        let always = stages.iter().position(|stage| stage.when.text.trim() == "true");
        match (always, stages.last()) {
            (_, None) => self.problem(
                node.problem("there is no stage", Some("at least one, whose `when` is true".into())),
            ),
            (None, Some(last)) => {
                let message = "the last stage must hold for everyone";
                self.problem(last.when.at.problem(1, message, Some("true".into())));
            }
            (Some(i), Some(_)) if i + 1 < stages.len() => {
                let message = "this stage holds for everyone, so none after it is ever reached";
                self.problem(stages[i].when.at.problem(
                    1,
                    message,
                    Some("true in the last stage only".into()),
                ));
            }
            _ => {}
        }
        Some(stages)
    }

    fn tag(&mut self, raw: RawTag, node: &Node) -> Option<Tag> {
        let name = self.names(raw.name, node);
        if let (Some(group), Some(at)) = (&raw.group, node.get("group")) {
            self.id(group, &at.mark, &at.path, false);
        }
        let who = self.condition(raw.who, node.get("who"));
        let valid_days = raw
            .valid
            .and_then(|text| self.phrase(&text.0, node.get("valid"), |text| phrase::days(text, 1, MAX_DAYS)));
        if let (Some(_), Some(_), Some(at)) = (&who, valid_days, node.get("valid")) {
            let allowed =
                "`valid` on a tag given by hand; a window such as within(orders, \"30d\") in a rule";
            self.problem(at.problem("a rule takes its tag back by itself", Some(allowed.into())));
        }
        let from = raw.from.and_then(|text| self.phrase(&text.0, node.get("from"), phrase::day));
        let until = raw.until.and_then(|text| self.phrase(&text.0, node.get("until"), phrase::day));
        if let (Some(from), Some(until), Some(at)) = (from, until, node.get("until"))
            && until < from
        {
            self.problem(
                at.problem(format!("ends before it begins on {from}"), Some(format!("{from} or later"))),
            );
        }
        if let (Some(platform), Some(at)) = (&raw.platform, node.get("platform")) {
            // As long as the shortest of platforms takes them (WeCom: 30 characters; developer page 96320, read on 2026-11-22).
            let is_name = (1..=30).contains(&platform.trim().chars().count())
                && platform.trim() == platform
                && !platform.chars().any(|c| c.is_control() || c == '/');
            if !is_name {
                let allowed = "1 to 30 characters on one line, without a slash";
                self.problem(at.problem("this cannot be the name of a group of tags", Some(allowed.into())));
            }
        }
        Some(Tag { name, group: raw.group, who, valid_days, from, until, platform: raw.platform })
    }
}
