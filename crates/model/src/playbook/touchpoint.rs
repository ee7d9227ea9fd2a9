//! Touchpoints: the coded places where a brand meets people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{Language, Names};
use super::way::{GroupWay, Way};

/// A touchpoint that the brand knows by its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Touchpoint {
    /// What people call it.
    pub name: Names,
    /// What kind of place it is.
    pub kind: TouchpointKind,
    /// The code there that leads to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The code there that leads into groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_way: Option<GroupWay>,
    /// The brand's account, as the file of channels calls it, that whoever scans the code there comes to follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
}

/// What kind of place a touchpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TouchpointKind {
    /// A store.
    Store,
    /// A till.
    Till,
    /// A poster with a QR code in a store.
    StorePoster,
    /// The card of a member of staff.
    StaffCard,
    /// A WeChat official account.
    OfficialAccount,
    /// A mini program.
    MiniProgram,
    /// The brand's own app.
    App,
    /// WeCom.
    Wecom,
    /// Weixin Channels.
    WeixinChannels,
    /// A community group.
    CommunityGroup,
    /// A moments post.
    Moments,
    /// A live stream.
    LiveStream,
    /// Short video (Douyin, Kuaishou).
    ShortVideo,
    /// Weibo.
    Weibo,
    /// Xiaohongshu.
    Xiaohongshu,
    /// Bilibili.
    Bilibili,
    /// A search ad (Baidu).
    SearchAd,
    /// A news ad (Toutiao).
    NewsAd,
    /// A marketplace (Tmall, Taobao, JD, PDD).
    Marketplace,
    /// A marketplace's staff chat (WangWang through DingTalk).
    MarketplaceChat,
    /// The page after a payment.
    PaymentPage,
    /// Delivery and local life (Meituan, Ele.me, Koubei, JD Daojia).
    LocalLife,
    /// A text message.
    Sms,
    /// A phone call.
    PhoneCall,
    /// An e-mail.
    Email,
    /// An ad on a map or by place.
    MapAd,
    /// A printed flyer.
    Flyer,
    /// A community of one interest.
    VerticalCommunity,
    /// The code of an opinion leader.
    Kol,
    /// The code of a consumer who creates content.
    Koc,
    /// A partner.
    Partner,
}

impl TouchpointKind {
    /// Every kind, in the order of the rules.
    pub const ALL: [Self; 31] = [
        Self::Store,
        Self::Till,
        Self::StorePoster,
        Self::StaffCard,
        Self::OfficialAccount,
        Self::MiniProgram,
        Self::App,
        Self::Wecom,
        Self::WeixinChannels,
        Self::CommunityGroup,
        Self::Moments,
        Self::LiveStream,
        Self::ShortVideo,
        Self::Weibo,
        Self::Xiaohongshu,
        Self::Bilibili,
        Self::SearchAd,
        Self::NewsAd,
        Self::Marketplace,
        Self::MarketplaceChat,
        Self::PaymentPage,
        Self::LocalLife,
        Self::Sms,
        Self::PhoneCall,
        Self::Email,
        Self::MapAd,
        Self::Flyer,
        Self::VerticalCommunity,
        Self::Kol,
        Self::Koc,
        Self::Partner,
    ];

    /// What people call the kind.
    pub const fn name(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::Store => ("门店", "Store"),
            Self::Till => ("收银台", "Till"),
            Self::StorePoster => ("门店海报码", "Store poster"),
            Self::StaffCard => ("员工名片", "Staff card"),
            Self::OfficialAccount => ("公众号", "Official account"),
            Self::MiniProgram => ("小程序", "Mini program"),
            Self::App => ("自有 App", "App"),
            Self::Wecom => ("企业微信", "WeCom"),
            Self::WeixinChannels => ("视频号", "Weixin Channels"),
            Self::CommunityGroup => ("社群", "Community group"),
            Self::Moments => ("朋友圈", "Moments"),
            Self::LiveStream => ("直播", "Live stream"),
            Self::ShortVideo => ("短视频", "Short video"),
            Self::Weibo => ("微博", "Weibo"),
            Self::Xiaohongshu => ("小红书", "Xiaohongshu"),
            Self::Bilibili => ("哔哩哔哩", "Bilibili"),
            Self::SearchAd => ("搜索广告", "Search ad"),
            Self::NewsAd => ("信息流广告", "News ad"),
            Self::Marketplace => ("电商平台", "Marketplace"),
            Self::MarketplaceChat => ("电商客服", "Marketplace chat"),
            Self::PaymentPage => ("支付结果页", "Payment page"),
            Self::LocalLife => ("到家与本地生活", "Local life"),
            Self::Sms => ("短信", "SMS"),
            Self::PhoneCall => ("电话", "Phone call"),
            Self::Email => ("邮件", "E-mail"),
            Self::MapAd => ("地图广告", "Map ad"),
            Self::Flyer => ("宣传单", "Flyer"),
            Self::VerticalCommunity => ("垂直社区", "Vertical community"),
            Self::Kol => ("KOL 达人", "KOL"),
            Self::Koc => ("KOC 素人", "KOC"),
            Self::Partner => ("异业伙伴", "Partner"),
        };
        match language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}
