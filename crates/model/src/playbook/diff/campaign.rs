//! Campaigns, messages and what bounds them, compared.

use super::text::{Pair, Said, Text, by_id, rename, title};
use super::{Change, ChangeKind, Touches};
use crate::money::{Currency, Money};
use crate::playbook::campaign::{
    Again, Allows, Campaign, CapWithin, Message, Passed, SendAt, Sending, Step, Trigger, Wait,
};
use crate::playbook::{Language, Names, Playbook};

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Monday"),
    ("周二", "Tuesday"),
    ("周三", "Wednesday"),
    ("周四", "Thursday"),
    ("周五", "Friday"),
    ("周六", "Saturday"),
    ("周日", "Sunday"),
];

/// Messages, campaigns, and what bounds them.
pub(super) fn campaigns(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    by_id(&old.messages, &new.messages, |id, pair| {
        let change = thing(
            ("消息", "message", "messages"),
            id,
            pair,
            |one: &Message| &one.name,
            |one, name| one.name = name,
            message,
        );
        changes.push(change);
    });
    by_id(&old.campaigns, &new.campaigns, |id, pair| {
        let change = thing(
            ("营销活动", "campaign", "campaigns"),
            id,
            pair,
            |one: &Campaign| &one.name,
            |one, name| one.name = name,
            |one: &Campaign| whole(one, &new.currency),
        );
        changes.push(change);
    });
    let mut said = Said::default();
    said.value(("触达规则", "What bounds everything that is sent"), &old.sending, &new.sending, sending);
    changes.extend(said.changed("sending", Touches::Nobody));
}

/// A thing with a name, and all that it says.
pub(super) fn thing<T: Clone + PartialEq>(
    (zh, en, section): (&str, &str, &str),
    id: &str,
    pair: Pair<'_, T>,
    name: impl Fn(&T) -> &Names,
    set_name: impl Fn(&mut T, Names),
    whole: impl Fn(&T) -> Text,
) -> Change {
    let mut said = Said::default();
    let kind = match pair {
        Pair::Added(new) => {
            let (t, what) = (title(id, name(new)), whole(new));
            said.say(
                format!("新增{zh}{}：{}。", t.zh, what.zh),
                format!("The {en} {} is new: {}.", t.en, what.en),
            );
            ChangeKind::Added
        }
        Pair::Removed(old) => {
            let t = title(id, name(old));
            said.say(format!("取消{zh}{}。", t.zh), format!("The {en} {} is gone.", t.en));
            ChangeKind::Removed
        }
        Pair::Both(old, new) => {
            let t = title(id, name(new));
            rename(&mut said, zh, en, id, name(old), name(new));
            let bare = |one: &T| {
                let mut bare = one.clone();
                set_name(&mut bare, Names::default());
                bare
            };
            let what = (format!("{zh}{}", t.zh), format!("The {en} {}", t.en));
            said.value((&what.0, &what.1), &bare(old), &bare(new), whole);
            ChangeKind::Changed
        }
    };
    said.change(format!("{section}.{id}"), kind, Touches::Nobody)
}

fn message(message: &Message) -> Text {
    let text = |language| message.text.in_language(language, "").replace('\n', " ");
    let (mut zh, mut en) = (format!("「{}」", text(Language::Zh)), format!("\"{}\"", text(Language::En)));
    if let Some(subject) = &message.subject {
        zh += &format!("，邮件主题「{}」", subject.in_language(Language::Zh, ""));
        en += &format!(", by e-mail about \"{}\"", subject.in_language(Language::En, ""));
    }
    if let Some(html) = &message.html {
        let chars = |language| html.in_language(language, "").chars().count();
        zh += &format!("，HTML {} 字", chars(Language::Zh));
        en += &format!(", with {} characters of HTML", chars(Language::En));
    }
    if let Some(mjml) = &message.mjml {
        let chars = |language| mjml.in_language(language, "").chars().count();
        zh += &format!("，MJML {} 字", chars(Language::Zh));
        en += &format!(", with {} characters of MJML", chars(Language::En));
    }
    if let Some(sms) = &message.sms {
        zh += &format!("，短信「{}」", sms.in_language(Language::Zh, ""));
        en += &format!(", by SMS \"{}\"", sms.in_language(Language::En, ""));
    }
    if let Some(persona) = &message.persona {
        zh += &format!("，由 {persona} 说");
        en += &format!(", said by {persona}");
    }
    if !message.sells {
        zh += "，不含促销";
        en += ", which sells nothing";
    }
    if let Some(poster) = &message.poster {
        zh += &format!("，附海报 {poster}");
        en += &format!(", with the poster {poster}");
    }
    if let Some(card) = &message.card {
        zh += &format!("，附链接卡片 {card}");
        en += &format!(", with a card that leads to {card}");
    }
    if let Some(limit) = message.confirm_minutes {
        zh += &format!("，员工须在 {} 内确认", minutes(limit));
        en += &format!(", to be confirmed by staff within {}", minutes(limit));
    }
    let forms =
        [("公众号", "official account", &message.wechat), ("小程序", "mini program", &message.wechat_mini)];
    for (of_zh, of_en, form) in forms {
        let Some(form) = form else { continue };
        let said = |language| {
            let field = |(name, text): &(String, Names)| format!("{name}={}", text.in_language(language, ""));
            form.fields.iter().map(field).collect::<Vec<_>>().join(", ")
        };
        let page = |language| form.page.as_ref().map(|page| page.in_language(language, "").to_owned());
        let (allows_zh, allows_en) = match form.allows {
            Allows::Always => ("", ""),
            Allows::Once => ("，一次性订阅", ", allowed once each"),
            Allows::Standing => ("，长期订阅", ", allowed until they say no"),
        };
        zh +=
            &format!("，{of_zh} {} 模板 {}（{}{allows_zh}", form.account, form.template, said(Language::Zh));
        en += &format!(
            ", with the template {} of the {of_en} {} ({}{allows_en}",
            form.template,
            form.account,
            said(Language::En)
        );
        zh += &page(Language::Zh).map_or_else(|| "）".to_owned(), |page| format!("，通往 {page}）"));
        en += &page(Language::En).map_or_else(|| ")".to_owned(), |page| format!(", leads to {page})"));
    }
    Text::both(zh, en)
}

fn percent(hundredths: u32) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    if rest == 0 { format!("{whole}%") } else { format!("{whole}.{rest:02}%").replace("0%", "%") }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn minutes(minutes: u32) -> String {
    match minutes {
        n if n % 1440 == 0 => format!("{}d", n / 1440),
        n if n % 60 == 0 => format!("{}h", n / 60),
        n => format!("{n}m"),
    }
}

fn sum(money: Money, currency: &Currency) -> String {
    format!("{} {}", currency.to_major(money).normalize(), currency.code)
}

fn whole(campaign: &Campaign, currency: &Currency) -> Text {
    let on = trigger(&campaign.on);
    let steps = flow(&campaign.steps);
    let mut zh = format!("目的 {}，{}", campaign.purpose, on.zh);
    let mut en = format!("for {}, set off {}", campaign.purpose, on.en);
    for (what_zh, what_en, text) in [
        ("事件满足", "by events where", &campaign.when),
        ("对象为", "for members where", &campaign.who),
        ("满足即退出", "left by those where", &campaign.leave),
    ] {
        if let Some(text) = text {
            let code = Text::code(&text.text);
            zh += &format!("，{what_zh}{}", code.zh);
            en += &format!(", {what_en} {}", code.en);
        }
    }
    if let Some(goal) = &campaign.goal {
        zh += &format!("，目标：{} 内 {}", minutes(goal.within_minutes), goal.event);
        en += &format!(", towards {} within {}", goal.event, minutes(goal.within_minutes));
    }
    let again = again(&campaign.again);
    zh += &format!("，{}，对照组 {}", again.zh, percent(campaign.holdout));
    en += &format!(", {}, {} held out", again.en, percent(campaign.holdout));
    if campaign.promised {
        zh += "，属已承诺的权益";
        en += ", as promised";
    }
    if let Some(at_most) = campaign.at_most {
        zh += &format!("，至多发送 {at_most} 条");
        en += &format!(", at most {at_most} messages");
    }
    if let Some(budget) = campaign.budget {
        zh += &format!("，预算 {}", sum(budget, currency));
        en += &format!(", a budget of {}", sum(budget, currency));
    }
    for (what_zh, what_en, day) in [("自", "from", campaign.from), ("至", "until", campaign.until)] {
        if let Some(day) = day {
            zh += &format!("，{what_zh} {day}");
            en += &format!(", {what_en} {day}");
        }
    }
    Text::both(format!("{zh}；步骤：{steps}"), format!("{en}; steps: {steps}"))
}

fn trigger(on: &Trigger) -> Text {
    match on {
        Trigger::Event(name) => Text::both(format!("由事件 {name} 触发"), format!("by {name}")),
        Trigger::Enters(id) => Text::both(format!("进入人群 {id} 时触发"), format!("by entering {id}")),
        Trigger::Leaves(id) => Text::both(format!("离开人群 {id} 时触发"), format!("by leaving {id}")),
        Trigger::Every { weekday, minute, audience } => {
            let day = weekday.map_or(("每天", "day"), |day| WEEKDAYS[usize::from(day) % 7]);
            let at = clock(*minute);
            Text::both(
                format!("{} {at} 对人群 {audience}", day.0),
                format!("every {} at {at} for {audience}", day.1),
            )
        }
        Trigger::Date { attribute, days, minute } => {
            let at = clock(*minute);
            let (zh, en) = match days {
                0 => (format!("{attribute} 当日"), format!("on {attribute}")),
                n if *n < 0 => {
                    (format!("{attribute} 前 {} 天", -n), format!("{} days before {attribute}", -n))
                }
                n => (format!("{attribute} 后 {n} 天"), format!("{n} days after {attribute}")),
            };
            Text::both(format!("{zh} {at}"), format!("{en} at {at}"))
        }
        Trigger::Command => Text::both("由指令触发", "by command"),
    }
}

fn again(again: &Again) -> Text {
    match again {
        Again::Once => Text::both("每位会员一次", "once a member"),
        Again::AfterExit => Text::both("结束后可再次进入", "again after its end"),
        Again::AfterDays(days) => {
            Text::both(format!("{days} 天后可再次进入"), format!("again after {days} days"))
        }
        Again::Per(key) => Text::both(format!("每个 {key} 一次"), format!("once per {key}")),
        Again::AtMost(n) => Text::both(format!("每位会员至多 {n} 次"), format!("at most {n} times a member")),
    }
}

/// Steps in the words of the file.
fn flow(steps: &[Step]) -> String {
    let each: Vec<String> = steps.iter().map(step).collect();
    each.join(" → ")
}

fn ways(then: &[Step], otherwise: &[Step]) -> String {
    let mut said = String::new();
    for (word, steps) in [("then", then), ("else", otherwise)] {
        if !steps.is_empty() {
            said += &format!(" {word} ({})", flow(steps));
        }
    }
    said
}

fn step(step: &Step) -> String {
    match step {
        Step::Wait(Wait::Days(days)) => format!("wait {days}d"),
        Step::Wait(Wait::Minutes(n)) => format!("wait {}", minutes(*n)),
        Step::Wait(Wait::Until { weekday, minute }) => {
            let day = weekday.map_or(String::new(), |day| format!("{} ", WEEKDAYS[usize::from(day) % 7].1));
            format!("wait until {day}{}", clock(*minute))
        }
        Step::Await { event, when, within_minutes, then, otherwise } => {
            let when = when.as_ref().map_or(String::new(), |when| format!(" where `{}`", when.text));
            format!("await {event}{when} within {}{}", minutes(*within_minutes), ways(then, otherwise))
        }
        Step::Until { holds, within_minutes, then, otherwise } => {
            format!("until `{}` within {}{}", holds.text, minutes(*within_minutes), ways(then, otherwise))
        }
        Step::If { holds, then, otherwise } => format!("if `{}`{}", holds.text, ways(then, otherwise)),
        Step::Split(ways) => {
            let each: Vec<String> =
                ways.iter().map(|(share, steps)| format!("{} ({})", percent(*share), flow(steps))).collect();
            format!("split {}", each.join(", "))
        }
        Step::Send { message, by, at } => format!("send {message} by {}{}", by.join(" or "), send_at(at)),
        Step::Webhook { name, with } => {
            let each = with.iter().map(|(key, value)| match value {
                Passed::Text(text) => format!("{key}: {text}"),
                Passed::Of(name) => format!("{key}: {{{{ {name} }}}}"),
            });
            let each = each.collect::<Vec<_>>().join(", ");
            if each.is_empty() { format!("webhook {name}") } else { format!("webhook {name} with {each}") }
        }
        Step::Coupon(offer) => format!("coupon {offer}"),
        Step::Points(points) => format!("{points} points"),
        Step::Tag(tag, true) => format!("tag {tag}"),
        Step::Tag(tag, false) => format!("untag {tag}"),
        Step::Set(name, value) => format!("set {name} to {value:?}"),
        Step::Task(message) => format!("task {message}"),
        Step::Exit => "exit".to_owned(),
    }
}

fn send_at(at: &SendAt) -> String {
    let best = if at.best_hour { " at best_hour" } else { "" };
    let within =
        at.within.map_or(String::new(), |(from, to)| format!(" within {}-{}", clock(from), clock(to)));
    format!("{best}{within}")
}

fn sending(sending: &Sending) -> Text {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for (what_zh, what_en, text) in
        [("不发给", "nothing to", &sending.never), ("投诉未结不促销", "no promotion to", &sending.complaint)]
    {
        if let Some(text) = text {
            let code = Text::code(&text.text);
            zh.push(format!("{what_zh}{}", code.zh));
            en.push(format!("{what_en} {}", code.en));
        }
    }
    if sending.first_touch {
        zh.push("先触达后促销".to_owned());
        en.push("a first touch before selling".to_owned());
    }
    if sending.holdout > 0 {
        zh.push(format!("全局对照组 {}", percent(sending.holdout)));
        en.push(format!("{} held out of everything", percent(sending.holdout)));
    }
    for (channel, (from, to)) in &sending.quiet {
        zh.push(format!("{channel} {}–{} 静默", clock(*from), clock(*to)));
        en.push(format!("{channel} silent {}–{}", clock(*from), clock(*to)));
    }
    for cap in &sending.caps {
        let of = cap.of.as_deref().unwrap_or("");
        let within = match cap.within {
            CapWithin::Day => ("每天".to_owned(), "a day".to_owned()),
            CapWithin::Week => ("每周".to_owned(), "a week".to_owned()),
            CapWithin::Month => ("每月".to_owned(), "a month".to_owned()),
            CapWithin::Hours(n) => (format!("{n} 小时内"), format!("in {n} hours")),
        };
        zh.push(format!("每位会员{} {of} 至多 {} 条", within.0, cap.times));
        en.push(format!("at most {} {of} a member {}", cap.times, within.1));
    }
    for (channel, n) in &sending.quota {
        zh.push(format!("{channel} 每天至多 {n} 条"));
        en.push(format!("{channel} at most {n} a day"));
    }
    if !sending.hours.is_empty() {
        let hour =
            |(slot, (seen, of)): (&u8, &(u16, u16))| format!("{} {seen}/{of}", clock(u16::from(*slot) * 120));
        let hours = sending.hours.iter().map(hour).collect::<Vec<_>>().join(" ");
        zh.push(format!("各时段已读 {hours}"));
        en.push(format!("seen by hour {hours}"));
    }
    if zh.is_empty() {
        return Text::nothing();
    }
    Text::both(zh.join("，"), en.join(", "))
}
