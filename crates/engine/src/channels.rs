//! The brand's accounts outside of the home, as the file of channels names them: which there are, how what is sent on each stands,
//! and a check of what was set up, step by step. No secret of an account leaves this.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::playbook::campaign::{EMAIL, OUTSIDE, WECHAT, WECHAT_MINI};
use zhiyin_reach::platform::{Health, Step, Worded};
use zhiyin_reach::wechat;

use crate::pays::Merchant;
use crate::sends::receipts;
use crate::sends::settings::Platforms;
use crate::{Engine, Result, apps, boxed, clock, pays, shops};

/// What an account is called where a channel has but one.
const MAIN: &str = "main";

/// The accounts of a file of channels.
#[derive(Clone, Default)]
pub struct Channels {
    platforms: Platforms,
    /// Under which address this home is reached.
    public_url: String,
    /// Channels on which messages are handed over.
    lanes: BTreeSet<String>,
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channels({:?}, at {})", self.named(), self.public_url)
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelView {
    /// On which channel: `email`, `sms`, `wechat`, `wecom`, `wxpay`, a kind of shop.
    pub channel: String,
    /// What the brand calls it.
    pub account: String,
    /// Whose it is, as the platform names it: an app, a merchant, a shop. No secret.
    pub whose: Option<String>,
    /// Where the platform tells this home what happens there, where it takes it.
    pub callback: Option<String>,
    /// Whether it is of a channel on which messages of campaigns leave the home.
    pub sends: bool,
    /// Whether what was set up can be checked step by step.
    pub tested: bool,
    /// How messages stand that left, or are to leave, on its channel (of WeChat: also those of mini programs), by channel and state.
    pub messages: Vec<ChannelCount>,
}

/// How many messages of a channel are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelCount {
    /// On which channel of campaigns.
    pub channel: String,
    /// `waiting`, `handed`, `sent`, `unknown`, `failed`, `stopped`, `dropped` or `bounced`.
    pub state: String,
    /// How many.
    pub n: i64,
}

/// A step of a check, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepView {
    /// Its name; it stays.
    pub name: String,
    /// What was looked at.
    pub title: WordedView,
    /// How it ended: `well`; `left`, where it works without; `wrong`; `skipped`, where it could not be looked at.
    pub health: String,
    /// What was found.
    pub found: WordedView,
    /// What is to be done about it, where something is.
    pub remedy: Option<WordedView>,
}

/// Something said in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WordedView {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl From<Worded> for WordedView {
    fn from(Worded { zh, en }: Worded) -> Self {
        Self { zh, en }
    }
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let health = match step.health {
            Health::Well => "well",
            Health::Left => "left",
            Health::Wrong => "wrong",
            Health::Skipped => "skipped",
        };
        Self {
            name: step.name.to_owned(),
            title: step.title.into(),
            health: health.to_owned(),
            found: step.found.into(),
            remedy: step.remedy.map(WordedView::from),
        }
    }
}

impl Channels {
    /// Of what a file says: its platforms, the names of its lanes, and under which address this home is reached.
    pub fn of<'n>(platforms: Platforms, lanes: impl IntoIterator<Item = &'n str>, public_url: &str) -> Self {
        let lanes = lanes.into_iter().map(str::to_owned).collect();
        Self { platforms, public_url: public_url.to_owned(), lanes }
    }

    /// Those that can be checked: channel and account.
    fn checked(&self) -> BTreeSet<(String, String)> {
        let Platforms { desks, sms, pays, wechat, shops, .. } = &self.platforms;
        let of = |channel: &str, account: &String| (channel.to_owned(), account.clone());
        let mut all: BTreeSet<_> = shops.keys().map(|(kind, account)| of(kind, account)).collect();
        all.extend(desks.iter().map(|(account, desk)| of(desk.channel(), account)));
        all.extend(sms.keys().map(|account| of(receipts::CHANNEL, account)));
        all.extend(pays.keys().map(|account| of(pays::CHANNEL, account)));
        all.extend(wechat.keys().map(|account| of(apps::CHANNEL, account)));
        all
    }

    /// All: channel and account.
    fn named(&self) -> BTreeSet<(String, String)> {
        let mut all = self.checked();
        all.extend(self.platforms.doors.keys().cloned());
        if self.lanes.contains(EMAIL) {
            all.insert((EMAIL.to_owned(), MAIN.to_owned()));
        }
        all
    }

    /// Whether the file names it.
    pub fn has(&self, channel: &str, account: &str) -> bool {
        self.named().iter().any(|(of, name)| of == channel && name == account)
    }

    /// The merchant of an account of WeChat Pay's that can ask.
    pub fn merchant(&self, account: &str) -> Option<Merchant> {
        let pay = self.platforms.pays.get(account).filter(|pay| pay.can_ask())?;
        Some(Merchant { account: account.to_owned(), pay: pay.clone() })
    }

    /// All of them.
    pub fn merchants(&self) -> Vec<Merchant> {
        pays::all(&self.platforms)
    }

    /// Where the platform of an account tells this home what happens there.
    pub fn address(&self, channel: &str, account: &str) -> String {
        format!("{}/v1/callbacks/{channel}/{account}", self.public_url)
    }

    /// Checks what the file says of accounts of a channel, or of one of them: of each its name and the steps. Nothing is changed
    /// there, and nobody is told anything. It is empty where nothing of this name can be checked.
    pub async fn check(&self, channel: &str, account: Option<&str>) -> Vec<(String, Vec<Step>)> {
        let is_asked = |name: &str| account.is_none_or(|account| account == name);
        let address = |name: &str| self.address(channel, name);
        let platforms = &self.platforms;
        let mut checked = Vec::new();
        if channel == pays::CHANNEL {
            for (name, pay) in platforms.pays.iter().filter(|(name, _)| is_asked(name)) {
                checked.push((name.clone(), pays::check(pay, &address(name)).await));
            }
        } else if channel == receipts::CHANNEL {
            let now = clock::wall().0.div_euclid(1_000_000);
            for (name, account) in platforms.sms.iter().filter(|(name, _)| is_asked(name)) {
                checked.push((name.clone(), receipts::check(account, &address(name), now).await));
            }
        } else if channel == apps::CHANNEL {
            for (name, app) in platforms.wechat.iter().filter(|(name, _)| is_asked(name)) {
                checked.push((name.clone(), wechat::check(app, &address(name)).await));
            }
        } else if shops::CHANNELS.contains(&channel) {
            let of_kind =
                platforms.shops.iter().filter(|((kind, name), _)| kind == channel && is_asked(name));
            for ((_, name), shop) in of_kind {
                checked.push((name.clone(), shop.check(&address(name)).await));
            }
        } else {
            let desks =
                platforms.desks.iter().filter(|(name, desk)| desk.channel() == channel && is_asked(name));
            for (name, desk) in desks {
                let takes = platforms.doors.contains_key(&(channel.to_owned(), name.clone()));
                checked.push((name.clone(), desk.check(takes.then(|| address(name)).as_deref()).await));
            }
        }
        checked
    }
}

impl Engine {
    /// The accounts of a file of channels, by channel and account, with how messages on their channels stand.
    #[boxed]
    pub async fn channels(&self, of: &Channels) -> Result<Vec<ChannelView>> {
        let mut counted: BTreeMap<String, Vec<ChannelCount>> = BTreeMap::new();
        for count in self.store().coupons().campaigns().sends().counts().await? {
            let state = count.state.name().to_owned();
            let channel = count.channel.clone();
            counted.entry(count.channel).or_default().push(ChannelCount { channel, state, n: count.n });
        }
        let checked = of.checked();
        let view = |(channel, account): (String, String)| {
            let door = of.platforms.doors.get(&(channel.clone(), account.clone()));
            let sends = OUTSIDE.contains(&channel.as_str());
            let mini = (channel == WECHAT).then(|| counted.get(WECHAT_MINI)).flatten();
            let messages = counted.get(&channel).into_iter().chain(mini).flatten().cloned();
            ChannelView {
                whose: door.map(|door| door.whose()),
                callback: door.map(|_| of.address(&channel, &account)),
                sends,
                tested: checked.contains(&(channel.clone(), account.clone())),
                messages: messages.collect(),
                channel,
                account,
            }
        };
        Ok(of.named().into_iter().map(view).collect())
    }
}
