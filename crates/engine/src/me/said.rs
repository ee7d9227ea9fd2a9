//! What things are called that members read of at their own pages: channels, the brand, stores.

use zhiyin_model::place::{self, PlaceKind};

use crate::members::NamesView;
use crate::places::Tree;
use crate::{Engine, Result, boxed};

/// Channels, as members know them, in Chinese and in English.
const CHANNELS: [(&str, &str, &str); 12] = [
    ("inbox", "站内信", "Messages here"),
    ("till", "收银台", "At the till"),
    ("advisor", "导购", "Your advisor"),
    ("email", "邮件", "E-mail"),
    ("sms", "短信", "SMS"),
    ("wecom", "企业微信", "WeCom"),
    ("wechat", "微信公众号", "WeChat"),
    ("wechat_mini", "微信小程序", "WeChat mini program"),
    ("phone", "电话", "Phone calls"),
    ("push", "App 推送", "App notifications"),
    ("post", "邮寄", "Post"),
    ("all", "全部渠道", "All channels"),
];

/// What a channel is called; by its id, where a brand made it up.
pub fn channel(id: &str) -> NamesView {
    let known = CHANNELS.iter().find(|(known, ..)| *known == id);
    let (zh, en) = known.map_or((id, id), |(_, zh, en)| (*zh, *en));
    NamesView { zh: Some(zh.to_owned()), en: Some(en.to_owned()) }
}

/// What a place is called.
pub(crate) fn of_place(names: &place::Names) -> NamesView {
    NamesView { zh: names.zh.clone(), en: names.en.clone() }
}

/// What the store of a code is called; nothing, where no place bears it.
pub(crate) fn store(tree: &Tree, code: &str) -> Option<NamesView> {
    let node = tree.nodes().get(tree.find(code)?)?;
    Some(of_place(&node.place.about.names))
}

impl Engine {
    /// What the brand is called; nothing, where the tree has none, or several.
    #[boxed]
    pub async fn brand_name(&self) -> Result<Option<NamesView>> {
        let tree = self.places().await?;
        let mut roots = tree.nodes().iter().filter(|node| node.place.kind == PlaceKind::Brand);
        Ok(match (roots.next(), roots.next()) {
            (Some(only), None) => Some(of_place(&only.place.about.names)),
            _ => None,
        })
    }

    /// What a store is called; nothing, where no place bears the code.
    #[boxed]
    pub async fn store_name(&self, code: &str) -> Result<Option<NamesView>> {
        Ok(store(self.places().await?.as_ref(), code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_called_as_members_know_it_or_by_its_id() {
        assert_eq!(channel("sms").zh.as_deref(), Some("短信"));
        assert_eq!(channel("pigeon").en.as_deref(), Some("pigeon"));
    }
}
