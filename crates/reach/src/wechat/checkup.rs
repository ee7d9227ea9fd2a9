//! Whether what a brand set up works, step by step, with what to click where something is missing. Every question only reads.

use serde_json::Value;

use super::Wechat;
use super::apis;
use super::call::Ask;
use super::settings::Callback;
use crate::platform::{Health, Step, Trouble, Worded};

/// What to do about a trouble, whatever was asked.
fn remedy(trouble: &Trouble) -> Worded {
    match trouble.why() {
        "secret_wrong" | "token_wrong" | "secret_frozen" => Worded::new(
            "AppSecret 不对或已冻结：在「设置与开发 → 基本配置（小程序：开发管理）」重置 AppSecret，并更新 secret_env 或 secret_file 所指的内容",
            "The AppSecret is another, or frozen: reset it under 设置与开发 → 基本配置 (a mini program: 开发管理), and correct what secret_env or secret_file leads to",
        ),
        "appid_wrong" => Worded::new("核对 appid", "Look at appid"),
        "address_not_allowed" | "address_awaits_admin" => Worded::new(
            "本机出口 IP 不在白名单：在「基本配置 → IP 白名单」加入本机出口 IP",
            "This machine's address is not on the list: add it under 基本配置 → IP白名单",
        ),
        "not_authorised" | "calls_forbidden" | "account_limited" => Worded::new(
            "该接口未获授权：公众号须认证，或在「接口权限」中开通",
            "The app may not do this: the account must be verified, or the call be opened under 接口权限",
        ),
        "calls_spent" => Worded::new(
            "当日调用次数已用完：次日恢复，或由管理员在后台清零（每月 10 次）",
            "As many calls as a day has were made: wait for the next, or have it cleared in the console (10 times a month)",
        ),
        "name_unknown" | "connect_failed" | "connect_timeout" | "address_private" | "tls_failed" => {
            Worded::new(
                "检查本机的网络、DNS、防火墙与系统根证书：须能访问 api 所指地址（缺省 https://api.weixin.qq.com）的 443 端口",
                "Look at this machine's network, DNS, firewall and root certificates: it must reach port 443 of what api says (https://api.weixin.qq.com where it says nothing)",
            )
        }
        why => Worded::new(
            format!("按错误名 {why} 查 docs/connect-wechat.md"),
            format!("See {why} in docs/connect-wechat.md"),
        ),
    }
}

fn failed(name: &'static str, title: (&str, &str), trouble: &Trouble) -> Step {
    let why = trouble.why();
    Step::of(name, title, Health::Wrong, Worded::new(why, why), Some(remedy(trouble)))
}

/// Looks at everything. `home` is where callbacks come to this home.
pub async fn check(app: &Wechat, home: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    if app.can_ask() {
        let title = ("密钥与白名单", "Secret and list of addresses");
        match app.sign_in().await {
            Err(trouble) => steps.push(failed("token", title, &trouble)),
            Ok(()) => {
                let found = Worded::new("已取得 access_token", "a token was given");
                steps.push(Step::of("token", title, Health::Well, found, None));
                steps.push(calls(app).await);
                steps.push(templates(app).await);
            }
        }
    } else {
        let found =
            Worded::new("仅接收消息（未配置 secret）", "what is told is taken only: there is no secret");
        steps.push(Step::of("token", ("密钥", "Secret"), Health::Left, found, None));
    }
    steps.push(callbacks(app, home));
    steps.push(domains(app));
    steps
}

async fn calls(app: &Wechat) -> Step {
    let title = ("接口调用", "Calls");
    let asked: Result<Value, Trouble> =
        app.ask(Ask { api: &apis::CALLBACK_IPS, query: &[], body: None }).await;
    match asked {
        Ok(said) => {
            let n = said.get("ip_list").and_then(Value::as_array).map_or(0, Vec::len);
            let found = Worded::new(
                format!("可用；推送来自 {n} 个地址"),
                format!("well; callbacks come from {n} addresses"),
            );
            Step::of("calls", title, Health::Well, found, None)
        }
        Err(trouble) => failed("calls", title, &trouble),
    }
}

async fn templates(app: &Wechat) -> Step {
    let title = ("消息模板", "Templates");
    let list = |said: &Value, name: &str| said.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let ask = |api| Ask { api, query: &[], body: None };
    let once: Result<Value, Trouble> = app.ask(ask(&apis::SUBSCRIPTIONS)).await;
    let always: Result<Value, Trouble> = match app.is_official() {
        true => app.ask(ask(&apis::TEMPLATES)).await,
        false => Ok(Value::Null),
    };
    match (once, always) {
        (Err(trouble), _) | (_, Err(trouble)) => failed("templates", title, &trouble),
        (Ok(once), Ok(always)) => {
            let (subscribed, templates) = (list(&once, "data"), list(&always, "template_list"));
            let found = Worded::new(
                format!("模板消息 {templates} 个，订阅消息 {subscribed} 个"),
                format!("{templates} of template messages, {subscribed} of subscription messages"),
            );
            if subscribed + templates > 0 {
                return Step::of("templates", title, Health::Well, found, None);
            }
            let remedy = Worded::new(
                "在后台的「模板消息」或「订阅通知（订阅消息）」中选用模板，再把模板 ID 与字段写进剧本的 messages.….wechat",
                "Choose templates in the console (模板消息 or 订阅通知), then write their ids and fields into messages.….wechat of the playbook",
            );
            Step::of("templates", title, Health::Left, found, Some(remedy))
        }
    }
}

fn callbacks(app: &Wechat, home: &str) -> Step {
    let title = ("消息推送", "Callbacks");
    match &app.settings().callback {
        None => {
            let found = Worded::new("未配置 callback", "there is no callback");
            let remedy = Worded::new(
                format!(
                    "在「基本配置 → 服务器配置（小程序：消息推送）」填写 URL {home}、Token 与 EncodingAESKey，选择安全模式与 XML，并写入 channels.json"
                ),
                format!(
                    "Enter {home} under 基本配置 → 服务器配置 (a mini program: 消息推送) with a token and an EncodingAESKey, choose 安全模式 and XML, and write them into channels.json"
                ),
            );
            Step::of("callbacks", title, Health::Left, found, Some(remedy))
        }
        Some(Callback::Sealed(_)) => {
            let found = Worded::new(format!("安全模式：{home}"), format!("encrypted: {home}"));
            Step::of("callbacks", title, Health::Well, found, None)
        }
        Some(Callback::Plain(_)) => {
            let found = Worded::new(format!("明文模式：{home}"), format!("plain: {home}"));
            let remedy = Worded::new(
                "明文模式的签名不含内容：建议改用安全模式并配置 aes_key",
                "What is signed in plain mode is not what is said: choose 安全模式, and give aes_key",
            );
            Step::of("callbacks", title, Health::Left, found, Some(remedy))
        }
    }
}

fn domains(app: &Wechat) -> Step {
    let title = ("网页域名", "Domains of pages");
    let domains = &app.settings().domains;
    if !app.is_official() || !domains.is_empty() {
        let found = if domains.is_empty() { "–".to_owned() } else { domains.join(", ") };
        return Step::of("domains", title, Health::Well, Worded::new(found.clone(), found), None);
    }
    let found = Worded::new("未填 domains", "domains names none");
    let remedy = Worded::new(
        "需要网页授权或 JS-SDK 时：在「公众号设置 → 功能设置」登记网页授权域名与 JS 接口安全域名，并写入 domains",
        "Where people sign in on pages, or pages use the JS-SDK: register the domains under 公众号设置 → 功能设置, and write them into domains",
    );
    Step::of("domains", title, Health::Left, found, Some(remedy))
}
