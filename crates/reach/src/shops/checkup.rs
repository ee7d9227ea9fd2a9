//! Whether what a brand set up of a shop works, step by step, with what to click where something is missing.

use crate::platform::{Answer, Health, Step, Trouble, Worded};

/// What is known of a shop.
pub(super) struct Facts<'a> {
    /// What the platform is called, in Chinese and in English.
    pub platform: (&'static str, &'static str),
    /// Where it is asked.
    pub api: &'a str,
    /// Which field says by what it is asked, and which right that must have.
    pub key: (&'static str, &'static str),
    /// How many orders the first page has, where it was asked.
    pub asked: Option<Answer<usize>>,
    /// Where it tells this home.
    pub home: &'a str,
    /// Where that is entered, in Chinese and in English.
    pub place: (&'static str, &'static str),
    /// Which document says more.
    pub document: &'static str,
}

fn remedy(trouble: &Trouble, of: &Facts<'_>) -> Worded {
    let (field, right) = of.key;
    match trouble.why() {
        "key_refused" => Worded::new(
            format!("访问凭证不被接受：重新生成并更新 {field}"),
            format!("The key is not taken: make a new one and correct {field}"),
        ),
        "scope_missing" => Worded::new(
            format!("凭证缺少权限 {right}：在后台为它开通"),
            format!("The key may not do this: give it {right}"),
        ),
        "shop_frozen" => {
            Worded::new("店铺已被平台冻结：先恢复店铺", "The platform froze the shop: have it opened first")
        }
        "not_found" => Worded::new(
            "地址不对：核对店铺域名与 api",
            "Nothing is there: look at the shop's domain, and at api",
        ),
        "name_unknown" | "connect_failed" | "connect_timeout" | "address_private" | "tls_failed" => {
            Worded::new(
                format!("检查本机的网络、DNS、防火墙与系统根证书：须能访问 {}", of.api),
                format!(
                    "Look at this machine's network, DNS, firewall and root certificates: it must reach {}",
                    of.api
                ),
            )
        }
        why => {
            Worded::new(format!("按错误名 {why} 查 {}", of.document), format!("See {why} in {}", of.document))
        }
    }
}

/// All steps.
pub(super) fn steps(of: &Facts<'_>) -> Vec<Step> {
    let (zh, en) = of.platform;
    let title = (format!("{zh}订单列表"), format!("The list of orders of {en}"));
    let title = (title.0.as_str(), title.1.as_str());
    let asked = match &of.asked {
        None => {
            let found = Worded::new(
                "仅接收通知（未配置访问凭证）",
                "notices are taken only: there is no key to ask by",
            );
            let more = Worded::new(
                format!("填写 {}，丢失的通知才能补回", of.key.0),
                format!("Say {}, so that what no notice told is found", of.key.0),
            );
            Step::of("orders", title, Health::Left, found, Some(more))
        }
        Some(Ok(n)) => {
            let found = Worded::new(format!("可读，首页 {n} 条"), format!("is read; {n} on its first page"));
            Step::of("orders", title, Health::Well, found, None)
        }
        Some(Err(trouble)) => {
            let why = trouble.why();
            Step::of("orders", title, Health::Wrong, Worded::new(why, why), Some(remedy(trouble, of)))
        }
    };
    let title = ("通知地址", "The address of notices");
    let found = Worded::new(of.home, of.home);
    let address = if of.home.starts_with("https://") {
        Step::of("notices", title, Health::Well, found, Some(Worded::new(of.place.0, of.place.1)))
    } else {
        let public = Worded::new(
            "平台只向公网 https 地址发送：public_url 须为 https",
            "Platforms tell public addresses by https only: public_url must be one",
        );
        Step::of("notices", title, Health::Left, found, Some(public))
    };
    vec![asked, address]
}
