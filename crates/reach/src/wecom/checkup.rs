//! Whether what a brand set up works, step by step, with what to click where something is missing. Every question here only reads, or asks
//! for something that is nowhere; whoever has not begun is told the first thing to do first.
//!
//! What cannot be asked without doing it (sending to staff, uploading, converting ids) is not asked: a refusal shows the first time.

use super::callback::Callbacks;
use super::groups::Owners;
use super::mass::{ChatType, MassQuery};
use super::tags::Which;
use super::{Fault, Trouble, Wecom};
use crate::address::Target;
use crate::platform::{Health, Step, Worded};

/// How far clocks may be apart, in seconds: callbacks that are older or newer than a few minutes are not believed.
const APART_S_MAX: i64 = 60;
/// How long a week is, in seconds.
const WEEK_S: i64 = 7 * 86_400;
/// The most names that a line shows.
const SHOWN_MAX: usize = 5;

/// What to do about a refusal, whatever was asked.
fn remedy(trouble: &Trouble) -> Worded {
    match trouble.name() {
        "secret_wrong" | "secret_of_another_corp" => Worded::new(
            "在管理后台「应用管理 → 自建应用」打开该应用，重新查看 Secret，并更新 channels.json 所指的 secret_env 或 secret_file",
            "In the admin console open the app under 应用管理 → 自建应用, read its Secret again, and correct what secret_env or secret_file of channels.json leads to",
        ),
        "corp_id_wrong" => Worded::new(
            "在「我的企业 → 企业信息」最下方复制企业 ID，填入 channels.json 的 corp_id",
            "Copy the corp id from the end of 我的企业 → 企业信息 into corp_id of channels.json",
        ),
        "agent_id_wrong" => Worded::new(
            "在应用详情页复制 AgentId，填入 channels.json 的 agent_id",
            "Copy the AgentId from the app's page into agent_id of channels.json",
        ),
        "ip_not_trusted" => Worded::new(
            "在应用详情页「企业可信 IP」加入本机出口 IP（需先设置可信域名或接收消息服务器 URL），约一分钟后生效",
            "On the app's page add the address from which this machine reaches the internet to 企业可信IP (a trusted domain or the callback address must be set first); it counts after a minute",
        ),
        "api_forbidden" | "api_not_authorised" | "api_withdrawn" | "contacts_forbidden"
        | "no_right_over_it" => Worded::new(
            "在「客户与上下游 → 客户联系 → 权限配置 → 可调用接口的应用」勾选该应用，并在「使用范围」加入员工",
            "Under 客户与上下游 → 客户联系 → 权限配置 → 可调用接口的应用 tick this app, and add the staff to 使用范围",
        ),
        "app_disabled" => Worded::new("在「应用管理」启用该应用", "Enable the app under 应用管理"),
        "corp_not_verified" => Worded::new(
            "在「我的企业 → 企业信息」完成企业认证",
            "Have the business verified under 我的企业 → 企业信息",
        ),
        "name_unknown" | "connect_failed" | "connect_timeout" | "address_private" => Worded::new(
            "检查本机的网络、DNS 与防火墙：须能访问 channels.json 中 api 的地址（缺省 https://qyapi.weixin.qq.com）的 443 端口",
            "Look at this machine's network, DNS and firewall: it must reach port 443 of what api of channels.json says (https://qyapi.weixin.qq.com where it says nothing)",
        ),
        "tls_failed" => Worded::new(
            "证书不被信任：检查本机时间、系统根证书，以及是否有代理改写 TLS",
            "The certificate is not trusted: look at this machine's time and root certificates, and whether a proxy rewrites TLS",
        ),
        "http_refused" => Worded::new(
            "对方不是企业微信，或中间有代理拦截：检查 api 地址与代理",
            "Whoever answers is not WeCom, or a proxy is in between: look at api and at the proxy",
        ),
        "calls_at_most" | "calls_at_once_at_most" | "busy" | "http_busy" | "maintenance" => Worded::new(
            "平台限流或繁忙，稍后再试",
            "The platform is busy or has had enough of us: try again later",
        ),
        _ => Worded::new(
            format!("按错误名 {} 查 docs/wecom-api.md", trouble.name()),
            format!("See {} in docs/wecom-api.md", trouble.name()),
        ),
    }
}

fn said(trouble: &Trouble) -> Worded {
    let code = trouble.code().map(|code| format!(" ({code})")).unwrap_or_default();
    Worded::new(format!("{}{code}", trouble.name()), format!("{}{code}", trouble.name()))
}

/// Whether a trouble is one of the way there, and not of what was asked.
fn is_of_the_way(trouble: &Trouble) -> bool {
    const OF_THE_WAY: [&str; 12] = [
        "name_unknown",
        "connect_failed",
        "connect_timeout",
        "address_private",
        "tls_failed",
        "http_refused",
        "timeout",
        "answer_broken",
        "http_busy",
        "http_failed",
        "answer_too_long",
        "busy",
    ];
    OF_THE_WAY.contains(&trouble.name())
}

/// A family of calls: what it is called, what it is for, and whether nothing goes without it.
struct Family {
    name: &'static str,
    title: (&'static str, &'static str),
    needed: bool,
}

/// What came of asking something of a family.
fn family(of: &Family, answer: Result<Worded, Trouble>) -> Step {
    match answer {
        Ok(found) => Step::of(of.name, of.title, Health::Well, found, None),
        // It was let in, and there is nothing.
        Err(Trouble::Refused { fault: Fault::Customer | Fault::Thing, .. }) => {
            Step::of(of.name, of.title, Health::Well, Worded::new("可以调用", "may be called"), None)
        }
        Err(trouble) => {
            let health = if of.needed { Health::Wrong } else { Health::Left };
            Step::of(of.name, of.title, health, said(&trouble), Some(remedy(&trouble)))
        }
    }
}

fn count(n: usize, zh: &str, en: &str) -> Worded {
    Worded::new(format!("{n} {zh}"), format!("{n} {en}"))
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN_MAX).copied().collect();
    let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// All steps, in the order in which they are put right.
pub(super) async fn steps(
    wecom: &Wecom,
    accounts: &[&str],
    callbacks: Option<&Callbacks>,
    home: Option<&str>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let entered = wecom.sign_in().await;
    let (way, token) = (("连接企业微信", "The way to WeCom"), ("应用凭证", "The app's secret"));
    match &entered {
        Err(trouble) if is_of_the_way(trouble) => {
            steps.push(Step::of("address", way, Health::Wrong, said(trouble), Some(remedy(trouble))));
            steps.push(callback(wecom, callbacks, home).await);
            return steps;
        }
        _ => steps.push(Step::of(
            "address",
            way,
            Health::Well,
            Worded::new("地址与 TLS 正常", "address and TLS are well"),
            None,
        )),
    }
    if let Err(trouble) = &entered {
        steps.push(Step::of("token", token, Health::Wrong, said(trouble), Some(remedy(trouble))));
        steps.push(clock(wecom));
        steps.push(callback(wecom, callbacks, home).await);
        return steps;
    }
    steps.push(Step::of(
        "token",
        token,
        Health::Well,
        Worded::new("已取得 access_token", "there is a token"),
        None,
    ));
    steps.push(clock(wecom));
    let follow = wecom.follow_users().await;
    let trusted = ("企业可信 IP", "Trusted addresses");
    if let Err(trouble) = follow.as_ref()
        && trouble.name() == "ip_not_trusted"
    {
        steps.push(Step::of("trusted_ip", trusted, Health::Wrong, said(trouble), Some(remedy(trouble))));
        steps.push(callback(wecom, callbacks, home).await);
        return steps;
    }
    steps.push(Step::of(
        "trusted_ip",
        trusted,
        Health::Well,
        Worded::new("本机可以调用", "this machine may call"),
        None,
    ));
    let contact = ("客户联系权限", "Customer contact");
    let follow = match follow {
        Err(trouble) => {
            steps.push(Step::of(
                "customer_contact",
                contact,
                Health::Wrong,
                said(&trouble),
                Some(remedy(&trouble)),
            ));
            steps.push(callback(wecom, callbacks, home).await);
            return steps;
        }
        Ok(follow) => follow,
    };
    if follow.is_empty() {
        let remedy = Worded::new(
            "在「客户联系 → 权限配置 → 使用范围」加入员工",
            "Add the staff to 客户联系 → 权限配置 → 使用范围",
        );
        let found = Worded::new("没有员工开通客户联系", "no account has customer contact");
        steps.push(Step::of("customer_contact", contact, Health::Wrong, found, Some(remedy)));
    } else {
        let found = count(follow.len(), "个员工已开通客户联系", "accounts have customer contact");
        steps.push(Step::of("customer_contact", contact, Health::Well, found, None));
    }
    steps.push(personas(accounts, &follow));
    families(wecom, follow.first().map(String::as_str), &mut steps).await;
    steps.push(callback(wecom, callbacks, home).await);
    steps
}

/// Whether the accounts that speak as personas have customer contact.
fn personas(accounts: &[&str], follow: &[String]) -> Step {
    let title = ("人设账号", "Accounts of personas");
    let lacks = |account: &&&str| !follow.iter().any(|one| one.eq_ignore_ascii_case(account));
    let lacking: Vec<&str> = accounts.iter().filter(lacks).copied().collect();
    if accounts.is_empty() {
        let found =
            Worded::new("channels.json 未登记人设账号", "channels.json names no account of a persona");
        let remedy = Worded::new(
            "在 channels.json 的 accounts 写明哪个员工以哪个人设说话",
            "Say in accounts of channels.json which of the staff speak as which persona",
        );
        return Step::of("personas", title, Health::Left, found, Some(remedy));
    }
    if lacking.is_empty() {
        let found = count(accounts.len(), "个账号均已开通客户联系", "accounts, all with customer contact");
        return Step::of("personas", title, Health::Well, found, None);
    }
    let names = listed(&lacking);
    let found = Worded::new(format!("未开通客户联系：{names}"), format!("without customer contact: {names}"));
    let remedy = Worded::new(
        "把他们加入「客户联系 → 权限配置 → 使用范围」和应用的可见范围，或从 channels.json 去掉",
        "Add them to 客户联系 → 权限配置 → 使用范围 and to those who see the app, or take them out of channels.json",
    );
    Step::of("personas", title, Health::Wrong, found, Some(remedy))
}

/// A harmless question of each family of calls.
async fn families(wecom: &Wecom, somebody: Option<&str>, steps: &mut Vec<Step>) {
    let now_s = wecom.now_ms().div_euclid(1_000);
    let of = |name, title, needed| Family { name, title, needed };
    if let Some(somebody) = somebody {
        let asked = wecom.customers_of(somebody).await;
        let asked = asked.map(|all| {
            Worded::new(
                format!("{somebody}：{} 位客户", all.len()),
                format!("{somebody}: {} customers", all.len()),
            )
        });
        steps.push(family(&of("customers", ("客户名单", "Customers"), true), asked));
    }
    let asked = wecom.tags(Which::All).await.map(|groups| count(groups.len(), "个标签组", "groups of tags"));
    steps.push(family(&of("tags", ("企业标签", "Tags"), true), asked));
    let asked = match somebody {
        Some(somebody) => wecom.groups(Owners::Any, &[somebody.to_owned()], None).await,
        None => wecom.groups(Owners::Any, &[], None).await,
    };
    let asked =
        asked.map(|page| count(page.items.len(), "个客户群（首个员工）", "groups of the first account"));
    steps.push(family(&of("groups", ("客户群", "Groups"), true), asked));
    let asked = wecom.contact_ways(now_s - WEEK_S, now_s, None).await;
    let asked = asked
        .map(|page| count(page.items.len(), "个近 7 天由接口创建的活码", "codes made in the last 7 days"));
    steps.push(family(&of("ways", ("渠道活码", "Codes to staff"), true), asked));
    let query =
        MassQuery { chat_type: ChatType::Single, start_time: now_s - WEEK_S, end_time: now_s, creator: None };
    let asked = wecom.mass_sends(&query, None).await;
    let asked =
        asked.map(|page| count(page.items.len(), "条近 7 天的群发", "tasks to send in the last 7 days"));
    steps.push(family(&of("mass_sends", ("企业群发", "Tasks to send"), true), asked));
    let asked = wecom.moments(now_s - WEEK_S, now_s, None).await;
    let asked = asked.map(|page| count(page.items.len(), "条近 7 天的朋友圈", "moments of the last 7 days"));
    steps.push(family(&of("moments", ("客户朋友圈", "Moments"), false), asked));
    let asked = wecom.unassigned(None).await;
    let asked = asked.map(|page| {
        count(page.items.len(), "位待分配客户（首页）", "customers of who left, on the first page")
    });
    steps.push(family(&of("handover", ("离职继承", "Customers of who left"), false), asked));
    let asked = wecom.staff_ids(None).await;
    let asked =
        asked.map(|page| count(page.items.len(), "名成员（首页）", "members of staff, on the first page"));
    let mut seats = family(
        &of("directory", ("通讯录（坐席计量）", "The directory, which seats are counted by"), false),
        asked,
    );
    if seats.health == Health::Left {
        let remedy = Worded::new(
            "不影响收发：仅坐席计量缺失。需要时在「管理工具 → 通讯录同步」开启接口并把该应用加入可见范围",
            "Nothing else needs it: only seats are not counted. Where that is wanted, open 管理工具 → 通讯录同步 and let the app see everybody",
        );
        seats.remedy = Some(remedy);
    }
    steps.push(seats);
}

/// Whether the clocks agree.
fn clock(wecom: &Wecom) -> Step {
    let title = ("时钟", "Clocks");
    match wecom.ahead_s() {
        None => Step::of(
            "clock",
            title,
            Health::Skipped,
            Worded::new("平台未告知时间", "the platform did not say what time it is"),
            None,
        ),
        Some(ahead) if ahead.abs() <= APART_S_MAX => Step::of(
            "clock",
            title,
            Health::Well,
            Worded::new(format!("相差 {ahead} 秒"), format!("{ahead} s apart")),
            None,
        ),
        Some(ahead) => {
            let found = Worded::new(format!("相差 {ahead} 秒"), format!("{ahead} s apart"));
            let remedy = Worded::new(
                "校准本机时间（如启用 NTP）：相差太多时回调会被拒绝，欢迎语会过期",
                "Set this machine's clock right (NTP): callbacks are refused and welcomes come late where it is far off",
            );
            Step::of("clock", title, Health::Wrong, found, Some(remedy))
        }
    }
}

/// Whether this home answers where WeCom would ask it, as far as that can be known from here.
async fn callback(wecom: &Wecom, callbacks: Option<&Callbacks>, home: Option<&str>) -> Step {
    let title = ("回调地址", "The address of callbacks");
    let (Some(callbacks), Some(home)) = (callbacks, home) else {
        let found = Worded::new("channels.json 未配置 callback", "channels.json has no callback");
        let remedy = Worded::new(
            "在应用详情页「接收消息 → 设置 API 接收」取得 Token 与 EncodingAESKey，写入 channels.json 的 callback；没有回调就没有欢迎语，加好友要等对账才知道",
            "Take Token and EncodingAESKey from 接收消息 → 设置API接收 on the app's page into callback of channels.json; without callbacks nobody is welcomed, and who came is known only from comparing",
        );
        return Step::of("callback", title, Health::Left, found, Some(remedy));
    };
    let now_s = wecom.now_ms().div_euclid(1_000);
    let stamp = now_s.to_string();
    // Nobody else is told it, and it is good for nothing else: it need not be random.
    let random = now_s.unsigned_abs().to_be_bytes();
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&random);
    let word = format!("zhiyin-{now_s}");
    let question = callbacks.question(&word, seed, &stamp, "checkup");
    let Ok(target) = Target::parse(&format!("{home}?{question}"), !home.starts_with("https://")) else {
        let found =
            Worded::new(format!("{home} 不是可用的地址"), format!("{home} is no address that can be used"));
        return Step::of("callback", title, Health::Wrong, found, None);
    };
    let put_right = Worded::new(
        format!(
            "确认 `zhiyin serve --channels` 正在运行，公网域名（已备案）与反向代理把 {home} 转到它；然后在应用详情页「接收消息」填此 URL 并保存"
        ),
        format!(
            "See that `zhiyin serve --channels` runs and that the domain and the proxy lead {home} to it; then save this URL under 接收消息 on the app's page"
        ),
    );
    let found = match wecom.look_at(target).await {
        Ok((200, body)) if body == word.as_bytes() => {
            let found = Worded::new(
                format!("{home} 应答正确（从本机看；企业微信能否访问，以后台保存 URL 成功为准）"),
                format!(
                    "{home} answers as it must, seen from here; that WeCom reaches it shows when the console saves the URL"
                ),
            );
            return Step::of("callback", title, Health::Well, found, None);
        }
        Ok((status, _)) => format!("HTTP {status}"),
        Err(why) => why.to_owned(),
    };
    let found = Worded::new(format!("{home}：{found}"), format!("{home}: {found}"));
    Step::of("callback", title, Health::Wrong, found, Some(put_right))
}
