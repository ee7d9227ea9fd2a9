//! Whether what a brand set up works, step by step, with what to click where something is missing. Every question only reads.

use super::settings::{Provider, Settings};
use super::templates::Template;
use super::{Account, aliyun, tencent};
use crate::platform::{Answer, Health, Step, Trouble, Worded};

/// How long a variable is taken to be where it is said what a message costs, in characters.
const VARIABLE_CHARS: usize = 6;

/// What to do about a trouble, whatever was asked.
fn remedy(trouble: &Trouble, provider: Provider) -> Worded {
    let console = match provider {
        Provider::Aliyun => ("RAM 访问控制", "RAM"),
        Provider::Tencent => ("访问管理 CAM", "CAM"),
    };
    match trouble.why() {
        "signature_wrong" => Worded::new(
            "密钥不对：重新创建 AccessKey（腾讯云为 SecretKey），并更新 key_secret_env 或 key_secret_file 所指的内容",
            "The secret is another: make a new key, and correct what key_secret_env or key_secret_file leads to",
        ),
        "key_unknown" => Worded::new(
            "核对 key_id（AccessKey ID / SecretId）是否存在且未被禁用",
            "Look at key_id (AccessKey ID, SecretId): it must be there, and not disabled",
        ),
        "clock_wrong" => Worded::new("校准本机时间（如启用 NTP）", "Set this machine's clock right (NTP)"),
        "not_permitted" => Worded::new(
            format!(
                "在{}为该密钥授予短信权限：阿里云 AliyunDysmsFullAccess，腾讯云 QcloudSMSFullAccess",
                console.0
            ),
            format!(
                "Under {} give the key the permission AliyunDysmsFullAccess (Aliyun), QcloudSMSFullAccess (Tencent Cloud)",
                console.1
            ),
        ),
        "address_not_allowed" => Worded::new(
            "把本机出口 IP 加入短信控制台的 IP 白名单",
            "Add this machine's address to the list of allowed addresses in the console",
        ),
        "not_opened" | "account_unknown" => Worded::new(
            "在控制台开通短信服务；腾讯云请核对 app_id（SdkAppId）",
            "Open the service in the console; on Tencent Cloud look at app_id (SdkAppId)",
        ),
        "balance_insufficient" => {
            Worded::new("充值，或购买短信套餐包", "Pay in, or buy a package of messages")
        }
        "name_unknown" | "connect_failed" | "connect_timeout" | "address_private" | "tls_failed" => {
            Worded::new(
                "检查本机的网络、DNS、防火墙与系统根证书：须能访问 api 所指地址的 443 端口",
                "Look at this machine's network, DNS, firewall and root certificates: it must reach port 443 of what api says",
            )
        }
        why => Worded::new(
            format!("按错误名 {why} 查 docs/connect-sms.md"),
            format!("See {why} in docs/connect-sms.md"),
        ),
    }
}

/// Looks at everything. `home` is where what happens comes to this home; `now` is in seconds since 1970 UTC.
pub async fn check(account: &Account, home: &str, now: i64) -> Vec<Step> {
    let settings = account.settings();
    let mut steps = Vec::new();
    if settings.provider == Provider::Aliyun {
        steps.push(sign(account, now).await);
    }
    for template in &settings.templates {
        steps.push(looked_at(account, template, now).await);
    }
    steps.push(ways_out(settings));
    steps.push(address(settings, home));
    steps
}

async fn sign(account: &Account, now: i64) -> Step {
    let (name, sign) = ("sign", &account.settings().sign);
    let title = ("签名", "The signature");
    let stands = aliyun::sign(account, sign, now).await;
    stood(name, title, format!("【{sign}】"), stands, Provider::Aliyun)
}

/// A step about something that a platform approves.
fn stood(
    name: &'static str,
    title: (&str, &str),
    what: String,
    stands: Answer<Option<bool>>,
    provider: Provider,
) -> Step {
    match stands {
        Ok(Some(true)) => Step::of(
            name,
            title,
            Health::Well,
            Worded::new(format!("{what} 审核通过"), format!("{what} is approved")),
            None,
        ),
        Ok(None) => Step::of(
            name,
            title,
            Health::Wrong,
            Worded::new(format!("{what} 审核中"), format!("{what} is looked at")),
            Some(Worded::new("等待平台审核（一般两小时内）", "Wait for the platform: two hours, mostly")),
        ),
        Ok(Some(false)) => Step::of(
            name,
            title,
            Health::Wrong,
            Worded::new(format!("{what} 未通过或不存在"), format!("{what} was refused, or is not there")),
            Some(Worded::new(
                "在短信控制台查看驳回原因，修改后重新提交；核对 channels.json 中的编号",
                "See in the console why, change it and hand it in again; look at its id in channels.json",
            )),
        ),
        Err(trouble) => {
            let why = trouble.why();
            let found = Worded::new(format!("{what}：{why}"), format!("{what}: {why}"));
            Step::of(name, title, Health::Wrong, found, Some(remedy(&trouble, provider)))
        }
    }
}

async fn looked_at(account: &Account, template: &Template, now: i64) -> Step {
    let (name, title) = ("template", ("模板", "Template"));
    let settings = account.settings();
    let asked = match settings.provider {
        Provider::Aliyun => aliyun::template(account, &template.id, now).await,
        Provider::Tencent => tencent::template(account, (&template.id, template.abroad), now).await,
    };
    let (stands, text) = match asked {
        Ok((stands, text)) => (Ok(stands), text),
        Err(trouble) => (Err(trouble), String::new()),
    };
    let parts = template.parts(VARIABLE_CHARS);
    let price = settings.prices.iter().filter(|price| price.country.starts_with("86") != template.abroad);
    let price = price.max_by_key(|price| price.from).map_or(0, |price| price.per_part * i64::from(parts));
    let price = format!("{}.{:04}", price / 10_000, price % 10_000);
    let what = format!("{} ×{parts} ≈ {price}", template.id);
    if stands == Ok(Some(true)) && !template.is(&text) {
        let found = Worded::new(
            format!("{what}：与平台上的内容不一致"),
            format!("{what}: its text is another on the platform"),
        );
        let remedy = Worded::new(
            format!("把 channels.json 中的 text 改为平台上审核通过的内容：{text}"),
            format!("Write as text in channels.json what the platform approved: {text}"),
        );
        return Step::of(name, title, Health::Wrong, found, Some(remedy));
    }
    stood(name, title, what, stands, settings.provider)
}

fn ways_out(settings: &Settings) -> Step {
    let (name, title) = ("ways_out", ("退订", "Wanting no more"));
    let n = settings.templates.iter().filter(|template| template.has_way_out()).count();
    if n == 0 {
        let found = Worded::new("没有模板含退订方式", "no template says how to want no more");
        let remedy = Worded::new(
            "推广短信的模板须以「拒收请回复R」（或「回T退订」）结尾；没有的只能用于 promised 的活动",
            "Templates of advertising end with 拒收请回复R or 回T退订; others serve promised campaigns only",
        );
        return Step::of(name, title, Health::Left, found, Some(remedy));
    }
    Step::of(
        name,
        title,
        Health::Well,
        Worded::new(format!("{n} 个模板含退订方式"), format!("{n} templates say how")),
        None,
    )
}

fn address(settings: &Settings, home: &str) -> Step {
    let (name, title) = ("callbacks", ("回执与上行地址", "The address for receipts and answers"));
    // The secret is not shown: whoever reads a log must not tell us things.
    let shown = format!("{home}?{}=…", super::door::SECRET);
    let found = Worded::new(shown.clone(), shown);
    if settings.callback_secret.is_none() {
        let remedy = Worded::new(
            "设置 callback_secret_env 或 callback_secret_file（随机串，16 位以上）：没有它收不到退订，推广短信不应发送",
            "Set callback_secret_env or callback_secret_file (random, 16 characters or more): without it nobody who wants no more is heard, and advertising should not be sent",
        );
        return Step::of(name, title, Health::Wrong, found, Some(remedy));
    }
    let remedy = match settings.provider {
        Provider::Aliyun => Worded::new(
            "短信控制台 → 通用设置 → 回执配置 → 状态报告接收、上行消息接收：都选 HTTP 批量推送，填此地址（secret 换成所设的值）",
            "Console → 通用设置 → 回执配置 → 状态报告接收 and 上行消息接收: HTTP 批量推送 to this address, with your secret",
        ),
        Provider::Tencent => Worded::new(
            "短信控制台 → 应用管理 → 应用配置 → 事件回调配置：短信下发状态回调、短信回复回调都填此地址（secret 换成所设的值）",
            "Console → 应用管理 → 应用配置 → 事件回调配置: this address, with your secret, for both 短信下发状态 and 短信回复",
        ),
    };
    let health = if home.starts_with("https://") { Health::Well } else { Health::Left };
    Step::of(name, title, health, found, Some(remedy))
}
