//! What another version changes, in words.

use super::malformed::SMALL;
use super::*;

fn small() -> Playbook {
    parse("small", SMALL, &shipped::load).unwrap()
}

fn edited(old: &str, new: &str) -> Playbook {
    assert!(SMALL.contains(old), "no {old:?} in the small playbook");
    let text = SMALL.replacen(old, new, 1);
    parse("small", &text, &shipped::load).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

/// Edits the small playbook once and expects one change.
fn check(old: &str, new: &str, id: &str, zh: &str, en: &str, touches: &Touches) {
    let changes = diff(&small(), &edited(old, new));
    let [change] = changes.as_slice() else { panic!("{old} → {new}: {changes:#?}") };
    assert_eq!((change.id.as_str(), change.zh.as_str(), change.en.as_str()), (id, zh, en), "{old} → {new}");
    assert_eq!(&change.touches, touches, "{old} → {new}");
}

#[test]
fn nothing_changes_nothing() {
    assert_eq!(diff(&small(), &small()), []);
    let demo = shipped_playbook("demo");
    assert_eq!(diff(&demo, &demo), []);
}

#[test]
fn changes_are_said_with_old_and_new_values() {
    let gold = ConditionText { text: "tier == \"gold\"".into(), at: Location::default() };
    let tag = |id: &str| Touches::Tag(id.to_owned());
    let tier = |ids: &[&str]| Touches::Tier(ids.iter().map(ToString::to_string).collect());
    for (old, new, id, zh, en, touches) in [
        (
            "from: 6000",
            "from: 8000",
            "tiers.gold",
            "等级「金卡」的门槛由 6,000 成长值改为 8,000。",
            "The tier Gold begins at 8,000 growth (was 6,000).",
            tier(&["gold", "regular"]),
        ),
        (
            "en: Gold",
            "en: Golden",
            "tiers.gold",
            "等级 gold 的名称由「金卡 / Gold」改为「金卡 / Golden」。",
            "The name of the tier `gold` becomes \"金卡 / Golden\" (was \"金卡 / Gold\").",
            tier(&["gold"]),
        ),
        (
            "debt: allowed",
            "debt: allowed\n  most: 500 per member per day",
            "points.most",
            "每位会员每天订单积分的上限由「无」改为「500 分」。",
            "The most points that a member's orders of one day earn becomes 500 points (was nothing).",
            Touches::Everyone,
        ),
        (
            "tiers:",
            "alone: { points: 500 }\ntiers:",
            "alone.points",
            "一人可决定的积分调整上限由「1000」改为「500」。",
            "The most points that one person adjusts alone becomes 500 (was 1000).",
            Touches::Nobody,
        ),
        (
            "tiers:",
            "tills: { hours: 8 }\ntiers:",
            "tills.hours",
            "离线收银租约最长小时数由「12」改为「8」。",
            "The hours of the longest lease of a till becomes 8 (was 12).",
            Touches::Nobody,
        ),
        (
            "tiers:",
            "orders: { earn_nothing: 'attr.city == \"warehouse\"' }\ntiers:",
            "orders.earn_nothing",
            "订单不积分的会员由「无」改为「attr.city == \"warehouse\"」。",
            "Members whose orders earn nothing becomes `attr.city == \"warehouse\"` (was nothing).",
            Touches::Everyone,
        ),
        (
            "tiers:",
            "partners: { dojo: { name: { zh: 道馆, en: Dojo } } }\ntiers:",
            "partners.dojo",
            "新增合作伙伴「道馆」。",
            "The partner Dojo is new.",
            Touches::Nobody,
        ),
        (
            "tiers:",
            "retention: { Product Viewed: 90d }\ntiers:",
            "retention.Product Viewed",
            "事件“Product Viewed”的内容保留 90 天后删除。",
            "What events `Product Viewed` say is let go after 90 days.",
            Touches::Nobody,
        ),
        (
            "over: 365d",
            "over: 180d",
            "tiers.over",
            "等级的考核期由 365 天改为 180 天。",
            "The term of a tier becomes 180 days (was 365 days).",
            Touches::Everyone,
        ),
        (
            "expire: never",
            "expire: 365d after earning",
            "points.expire",
            "此后所得积分的有效期由「永不过期」改为「获得后 365 天」。",
            "The expiry of points earned from now on becomes 365 days after earning (was never).",
            Touches::Everyone,
        ),
        (
            "    - 1 per 1 paid",
            "    - 2 per 1 paid",
            "points.earn",
            "所有订单由每满 1 元得 1 积分改为每满 1 元得 2 积分。",
            "For every order: 2 points per 1 paid (was 1 point per 1 paid).",
            Touches::Earners(None),
        ),
        (
            "times: 2",
            "times: 1.5",
            "points.times[tier == \"gold\"]",
            "符合「tier == \"gold\"」时由积分 × 2改为积分 × 1.5。",
            "For orders where `tier == \"gold\"`: points × 1.5 (was points × 2).",
            Touches::Earners(Some(gold)),
        ),
        (
            "    - 1 per 1 paid\n",
            "    - 1 per 1 paid\n    - { times: 2, when: is_birthday }\n",
            "points.times[is_birthday]",
            "新增：符合「is_birthday」时积分 × 2。",
            "New: points × 2 for orders where `is_birthday`.",
            Touches::Earners(None),
        ),
        (
            "debt: allowed",
            "debt: allowed\n  worth: 1 per 100",
            "points.worth",
            "积分的价值由「无」改为每 100 分抵 1 元。",
            "What points are worth becomes 1 of money for 100 points (was nothing).",
            Touches::Everyone,
        ),
        (
            "who: size(orders) >= 10",
            "who: size(orders) >= 12",
            "tags.loyal",
            "标签「Loyal」的规则由「size(orders) >= 10」改为「size(orders) >= 12」。",
            "The rule of the tag Loyal becomes `size(orders) >= 12` (was `size(orders) >= 10`).",
            tag("loyal"),
        ),
        (
            "tags:\n",
            "tags:\n  vip: { name: { zh: 贵宾, en: VIP }, valid: 30d }\n",
            "tags.vip",
            "新增标签「贵宾」，规则为「人工添加」。",
            "The tag VIP is new; its rule is to be given by hand.",
            tag("vip"),
        ),
        (
            "  loyal: { who: size(orders) >= 10, name: Loyal }\n",
            "  {}\n",
            "tags.loyal",
            "取消标签「Loyal」，有它的客户都会失去它。",
            "The tag Loyal is gone; those who have it lose it.",
            tag("loyal"),
        ),
        (
            "when: size(orders) >= 1",
            "when: size(orders) >= 2",
            "lifecycle.buyer",
            "阶段「buyer」的条件由「size(orders) >= 1」改为「size(orders) >= 2」。",
            "The condition of the stage buyer becomes `size(orders) >= 2` (was `size(orders) >= 1`).",
            Touches::Lifecycle,
        ),
        (
            "phase: grow",
            "phase: win back",
            "lifecycle.buyer",
            "阶段「buyer」的时期由「成长期」改为「挽回期」。",
            "The phase of the stage buyer becomes win back (was grow).",
            Touches::Stage("buyer".into()),
        ),
        (
            "timezone: UTC",
            "timezone: Asia/Shanghai",
            "timezone",
            "时区由「UTC」改为「Asia/Shanghai」。",
            "The time zone becomes `Asia/Shanghai` (was `UTC`).",
            Touches::Everyone,
        ),
        (
            "tags:",
            "touchpoints:\n  shop: { kind: store, name: { zh: 门店, en: Shop } }\ntags:",
            "touchpoints.shop",
            "新增触点「门店」（门店）。",
            "The touchpoint Shop (Store) is new.",
            Touches::Nobody,
        ),
        (
            "tags:",
            "attributes:\n  city: { type: text, name: { zh: 城市, en: City } }\ntags:",
            "attributes.city",
            "新增客户属性「城市」，类型为「文本」。",
            "The attribute City (a text) is new.",
            Touches::Nobody,
        ),
        (
            "tags:",
            "audiences:\n  big: { name: { zh: 大户, en: Big }, who: points > 9 }\ntags:",
            "audiences.big",
            "新增人群「大户」，规则为「points > 9」。",
            "The audience Big is new; its rule is `points > 9`.",
            Touches::Nobody,
        ),
        (
            "tags:",
            "audiences:\n  big: { name: { zh: 大户, en: Big }, who: points > 9, standing: true }\ntags:",
            "audiences.big",
            "新增人群「大户」，规则为「points > 9」，并实时保持。",
            "The audience Big is new; its rule is `points > 9` and it is kept current.",
            Touches::Audience("big".to_owned()),
        ),
        (
            "tags:",
            "audiences:\n  press: { name: { zh: 媒体, en: Press } }\ntags:",
            "audiences.press",
            "新增人群「媒体」，规则为「人工上传名单」。",
            "The audience Press is new; its rule is a list uploaded by hand.",
            Touches::Nobody,
        ),
    ] {
        check(old, new, id, zh, en, &touches);
    }
}

#[test]
fn a_saved_audience_touches_whom_it_keeps() {
    let with = |audience: &str| edited("tags:", &format!("audiences:\n  big: {audience}\ntags:"));
    let big = || Touches::Audience("big".to_owned());
    for (old, new, zh, en, touches) in [
        (
            "{ who: points > 9, name: Big }",
            "{ who: points > 8, name: Big }",
            "人群「Big」的规则由「points > 9」改为「points > 8」。",
            "The rule of the audience Big becomes `points > 8` (was `points > 9`).",
            Touches::Nobody,
        ),
        (
            "{ who: points > 9, name: Big, standing: false }",
            "{ who: points > 9, name: Big, standing: true }",
            "人群「Big」的保持方式由「按需查询」改为「实时保持」。",
            "How the audience Big is kept becomes current, telling who enters and who leaves (was as a question, answered when it is asked).",
            big(),
        ),
    ] {
        let changes = diff(&with(old), &with(new));
        let [change] = changes.as_slice() else { panic!("{changes:#?}") };
        assert_eq!((change.zh.as_str(), change.en.as_str(), &change.touches), (zh, en, &touches));
    }
    let changes = diff(&with("{ who: points > 9, name: Big, standing: true }"), &small());
    assert_eq!(changes[0].en, "The audience Big is gone; those who are in it leave it.");
    assert_eq!(changes[0].zh, "取消人群「Big」，其中的客户都会离开。");
    assert_eq!(changes[0].touches, big());
}

#[test]
fn what_no_audience_is_saved_in_has_the_name_it_had() {
    let named = small().hash();
    assert_eq!(edited("tags:", "audiences: {}\ntags:").hash(), named);
    assert_ne!(edited("tags:", "audiences: { a: { who: true } }\ntags:").hash(), named);
}

#[test]
fn whatever_differs_is_said() {
    for (old, new) in [
        ("playbook: small", "playbook: big"),
        ("currency: CNY", "currency: USD"),
        ("currency: CNY", "currency: CNY\nlanguages: [en]"),
        ("currency: CNY", "currency: CNY\norders: { paid: total }"),
        ("debt: allowed", "debt: refused"),
        ("debt: allowed", "debt: allowed\n  hold: 7d"),
        ("debt: allowed", "debt: allowed\n  combine: multiply"),
        ("debt: allowed", "debt: allowed\n  name: Stars"),
        ("    - 1 per 1 paid\n", "    - 1 per 1 paid\n    - 1 per 10 paid\n"),
        ("    - { times: 2, who: tier == \"gold\" }\n", ""),
        ("earn: [10 per 1 paid]", "earn: []"),
        ("earn: [10 per 1 paid]", "earn: [10 per 1 paid]\n  name: XP"),
        ("{ from: 0 }", "{ from: 0, aim: habit }"),
        ("{ from: 0 }", "{ from: 0, benefits: [{ zh: 生日双倍积分, en: Double points on your birthday }] }"),
        ("currency: CNY", "currency: CNY\nconsent: { purposes: { marketing: { text: We write to you. } } }"),
        ("    regular: { from: 0 }\n", "    regular: { from: 0 }\n    silver: { from: 3000 }\n"),
        ("  buyer: { phase: grow, when: size(orders) >= 1 }\n", ""),
        ("  stranger:", "  sleeper: { phase: win back, when: silent }\n  stranger:"),
        ("name: Loyal", "name: Loyal, group: life"),
        ("name: Loyal", "name: Loyal, from: 2020-05-23"),
        ("name: Loyal", "name: Loyal, until: 2020-05-29"),
        ("who: size(orders) >= 10", "valid: 30d"),
    ] {
        let new_playbook = edited(old, new);
        let changes = diff(&small(), &new_playbook);
        assert!(!changes.is_empty(), "{old} → {new}");
        assert_ne!(small().hash(), new_playbook.hash(), "{old} → {new}");
        for change in changes {
            assert!(change.zh.ends_with('。') && change.en.ends_with('.'), "{change:?}");
        }
    }
}

#[test]
fn levels_and_stages_that_come_go_or_move() {
    let silver =
        edited("    regular: { from: 0 }\n", "    regular: { from: 0 }\n    silver: { from: 3000 }\n");
    let changes = diff(&small(), &silver);
    assert_eq!(changes[0].en, "The tier silver is new; it begins at 3,000 growth.");
    assert_eq!(changes[0].touches, Touches::Tier(vec!["regular".into(), "silver".into()]));
    let changes = diff(&silver, &small());
    assert_eq!(
        (changes[0].kind, changes[0].zh.as_str()),
        (ChangeKind::Removed, "取消等级「silver」（原 3,000 成长值起）。")
    );
    let two = "  a: { phase: grow, when: x }\n  b: { phase: grow, when: y }\n";
    let swapped = "  b: { phase: grow, when: y }\n  a: { phase: grow, when: x }\n";
    let of = |text: &str| edited("lifecycle:\n", &format!("lifecycle:\n{text}"));
    let changes = diff(&of(two), &of(swapped));
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].en,
        "The order of the stages becomes b → a → buyer → stranger (was a → b → buyer → stranger)."
    );
}

#[test]
fn the_order_of_earning_alone_is_a_change_of_nothing() {
    let one = edited("    - 1 per 1 paid\n", "    - 1 per 1 paid\n    - 1 per 10 paid\n");
    let other = edited("    - 1 per 1 paid\n", "    - 1 per 10 paid\n    - 1 per 1 paid\n");
    let changes = diff(&one, &other);
    assert_eq!((changes.len(), &changes[0].touches), (1, &Touches::Nobody));
}
