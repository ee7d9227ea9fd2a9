//! Whether what a brand set up works, step by step, with what to click where something is missing. Every question only reads.

use super::Pay;
use crate::platform::{Health, Step, Trouble, Worded};

/// What to do about a trouble, whatever was asked.
fn remedy(trouble: &Trouble) -> Worded {
    match trouble.why() {
        "sign_error" => Worded::new(
            "签名不被接受：在「商户平台 → 账户中心 → API 安全」核对商户 API 证书的序列号（serial）与私钥是否为同一张证书，并校准本机时间",
            "The signature is not taken: under 账户中心 → API安全 compare the certificate's serial number with `serial`, see that the private key is of the same certificate, and that this machine's clock is right",
        ),
        "merchant_unknown" => Worded::new("核对 mchid（商户号）", "Look at mchid, the merchant's number"),
        "no_auth" | "request_blocked" => Worded::new(
            "该接口未开通：在「商户平台 → 产品中心」开通；若设置了 API 的 IP 白名单，请加入本机出口 IP",
            "The merchant may not do this: have the product opened under 产品中心; where there is a list of addresses for the API, add this machine's",
        ),
        "api_v3_key_wrong" => Worded::new(
            "APIv3 密钥不对：在「商户平台 → 账户中心 → API 安全 → APIv3 密钥」重新设置，并更新 api_v3_key_env 或 api_v3_key_file 所指的内容",
            "The APIv3 key is another: set it anew under 账户中心 → API安全 → APIv3密钥, and correct what api_v3_key_env or api_v3_key_file leads to",
        ),
        "answer_of_unknown_key" | "answer_not_signed" => Worded::new(
            "应答不是用 channels.json 中的平台公钥或平台证书签名的：在「账户中心 → API 安全 → 微信支付公钥」下载公钥，核对 public_key_id 与 public_key_file",
            "The answer is not signed by the public key or certificate of channels.json: take the public key from 账户中心 → API安全 → 微信支付公钥, and look at public_key_id and public_key_file",
        ),
        "answer_not_now" => Worded::new("校准本机时间（如启用 NTP）", "Set this machine's clock right (NTP)"),
        "name_unknown" | "connect_failed" | "connect_timeout" | "address_private" | "tls_failed" => {
            Worded::new(
                "检查本机的网络、DNS、防火墙与系统根证书：须能访问 api 所指地址（缺省 https://api.mch.weixin.qq.com）的 443 端口",
                "Look at this machine's network, DNS, firewall and root certificates: it must reach port 443 of what api says (https://api.mch.weixin.qq.com where it says nothing)",
            )
        }
        _ => Worded::new(
            format!("按错误名 {} 查 docs/connect-wxpay.md", trouble.why()),
            format!("See {} in docs/connect-wxpay.md", trouble.why()),
        ),
    }
}

fn failed(name: &'static str, title: (&str, &str), trouble: &Trouble) -> Step {
    let why = trouble.why();
    Step::of(name, title, Health::Wrong, Worded::new(why, why), Some(remedy(trouble)))
}

/// Looks at everything. `home` is where notices come to this home.
pub async fn check(pay: &Pay, home: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let said = match (pay.public_key_id(), pay.can_ask()) {
        (_, false) => {
            Worded::new("仅接收通知（未配置 private_key）", "notices are taken only: there is no private_key")
        }
        (Some(id), true) => Worded::new(format!("微信支付公钥 {id}"), format!("public key {id}")),
        (None, true) => Worded::new("平台证书", "the platform's certificates"),
    };
    steps.push(Step::of("keys", ("密钥", "Keys"), Health::Well, said, None));
    if pay.can_ask() {
        if pay.fetches() {
            steps.push(certificates(pay).await);
        }
        steps.push(signature(pay).await);
    }
    steps.push(apps(pay));
    steps.push(address(home));
    steps
}

async fn certificates(pay: &Pay) -> Step {
    let title = ("平台证书", "The platform's certificates");
    match pay.fetch().await {
        Ok(n) => {
            let keys = pay.keys();
            let serials: Vec<&str> = keys.ids().collect();
            let shown = serials.join(", ");
            let found = Worded::new(format!("{n} 张：{shown}"), format!("{n}: {shown}"));
            Step::of("certificates", title, Health::Well, found, None)
        }
        Err(trouble) if trouble.is_gone() => {
            let found =
                Worded::new("该商户没有平台证书", "this merchant has no certificates of the platform");
            let remedy = Worded::new(
                "改用微信支付公钥：填写 public_key_id 与 public_key_file",
                "Use the public key: public_key_id and public_key_file",
            );
            Step::of("certificates", title, Health::Wrong, found, Some(remedy))
        }
        Err(trouble) => failed("certificates", title, &trouble),
    }
}

/// A question for a payment that nobody made: its answer is a signed no.
async fn signature(pay: &Pay) -> Step {
    let title = ("签名与查单", "Signature, and looking payments up");
    match pay.payment("zhiyin-checkup").await {
        Ok(_) => {
            let found = Worded::new("请求与应答的签名均正确", "what is asked is taken");
            Step::of("signature", title, Health::Well, found, None)
        }
        Err(trouble) => failed("signature", title, &trouble),
    }
}

fn apps(pay: &Pay) -> Step {
    let title = ("应用", "Apps");
    match pay.apps().len() {
        0 => {
            let found = Worded::new("未填 appids", "appids names none");
            let remedy = Worded::new(
                "在 appids 填写收款所用的公众号、小程序 AppID：付款人的 openid 才能认作会员",
                "Name the apps in which people pay in appids, so that a payer's openid is known as a member's",
            );
            Step::of("apps", title, Health::Left, found, Some(remedy))
        }
        n => Step::of("apps", title, Health::Well, Worded::new(format!("{n} 个"), n.to_string()), None),
    }
}

fn address(home: &str) -> Step {
    let title = ("通知地址", "The address of notices");
    let found = Worded::new(home, home);
    if !home.starts_with("https://") {
        let remedy = Worded::new(
            "微信支付只向公网 https 地址发送通知：public_url 须为 https",
            "WeChat Pay tells public addresses by https only: public_url must be one",
        );
        return Step::of("notices", title, Health::Left, found, Some(remedy));
    }
    let remedy = Worded::new(
        "下单时把 notify_url 设为此地址；不是由你下单的（如第三方收银），由对方转填或转发原文",
        "Orders are made with this address as notify_url; where others make them, they are to set it, or to pass notices on as they came",
    );
    Step::of("notices", title, Health::Well, found, Some(remedy))
}
