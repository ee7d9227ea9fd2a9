//! Short links and posters compared.

use super::campaign::thing;
use super::text::{Text, by_id, value};
use super::{Change, Touches};
use crate::playbook::Playbook;
use crate::playbook::link::{Links, Page, Poster};

/// Short links and posters.
pub(super) fn links(old: &Playbook, new: &Playbook, changes: &mut Vec<Change>) {
    let (was, is): (&Links, &Links) = (&old.links, &new.links);
    let address = |address: &String| if address.is_empty() { Text::nothing() } else { Text::code(address) };
    let what = ("短链的地址", "The address of short links");
    changes.extend(value("links.address", Touches::Nobody, what, &was.address, &is.address, address));
    let hosts = |hosts: &Vec<String>| match hosts.is_empty() {
        true => Text::nothing(),
        false => Text::both(format!("「{}」", hosts.join("、")), hosts.join(", ")),
    };
    let what = ("短链可以跳转到的域名", "Hosts to which links may lead");
    changes.extend(value("links.hosts", Touches::Nobody, what, &was.hosts, &is.hosts, hosts));
    by_id(&was.pages, &is.pages, |id, pair| {
        let set_name = |page: &mut Page, name| page.name = name;
        changes.push(thing(("链接页", "page", "links.pages"), id, pair, |page| &page.name, set_name, page));
    });
    by_id(&old.posters, &new.posters, |id, pair| {
        let set_name = |poster: &mut Poster, name| poster.name = name;
        changes.push(thing(("海报", "poster", "posters"), id, pair, |poster| &poster.name, set_name, poster));
    });
}

fn page(page: &Page) -> Text {
    let (mut zh, mut en) = (format!("跳转到 {}", page.to), format!("leads to {}", page.to));
    if let Some(touchpoint) = &page.touchpoint {
        zh += &format!("，触点 {touchpoint}");
        en += &format!(", touchpoint {touchpoint}");
    }
    if let Some(days) = page.days {
        let t = Text::days(days);
        zh += &format!("，{}后失效", t.zh.trim());
        en += &format!(", for {}", t.en);
    }
    if page.shared {
        zh += "，供会员转发";
        en += ", passed on by members";
    }
    if page.with_code {
        zh += "，带上短码";
        en += ", with its code";
    }
    Text::both(zh, en)
}

fn poster(poster: &Poster) -> Text {
    let link = poster.link.as_ref();
    // A drawing is told from another by what it hashes to.
    let drawn = blake3::hash(poster.svg.as_bytes()).to_hex();
    let (drawn, bytes) = (&drawn.as_str()[..8], poster.svg.len());
    let zh = link.map_or_else(|| "无二维码".to_owned(), |link| format!("二维码跳转到 {link}"));
    let en = link.map_or_else(|| "without a code".to_owned(), |link| format!("its code leads to {link}"));
    Text::both(
        format!("{zh}，画稿 {bytes} 字节（{drawn}）"),
        format!("{en}, drawn in {bytes} bytes ({drawn})"),
    )
}
