//! Short links and posters compared.

use super::text::{Pair, Said, Text, by_id, rename, title, value};
use super::{Change, ChangeKind, Touches};
use crate::playbook::link::{Links, Page, Poster};
use crate::playbook::{Names, Playbook};

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
        changes.push(one(("链接页", "page"), "links.pages", id, pair, (|page| &page.name, page)));
    });
    by_id(&old.posters, &new.posters, |id, pair| {
        changes.push(one(("海报", "poster"), "posters", id, pair, (|poster| &poster.name, poster)));
    });
}

/// What a thing is called, and what else there is of it.
type Shown<T> = (fn(&T) -> &Names, fn(&T) -> Text);

/// One thing with a name and what else there is of it.
fn one<T: PartialEq>(
    (zh, en): (&str, &str),
    section: &str,
    id: &str,
    pair: Pair<'_, T>,
    (name, whole): Shown<T>,
) -> Change {
    let mut said = Said::default();
    let kind = match pair {
        Pair::Added(new) => {
            let (t, what) = (title(id, name(new)), whole(new));
            said.say(
                format!("新增{zh}{}：{}。", t.zh, what.zh),
                format!("The {en} {} is new: {}.", t.en, what.en),
            );
            ChangeKind::Added
        }
        Pair::Removed(old) => {
            let t = title(id, name(old));
            said.say(format!("取消{zh}{}。", t.zh), format!("The {en} {} is gone.", t.en));
            ChangeKind::Removed
        }
        Pair::Both(old, new) => {
            let t = title(id, name(new));
            rename(&mut said, zh, en, id, name(old), name(new));
            let (was, is) = (whole(old), whole(new));
            if (&was.zh, &was.en) != (&is.zh, &is.en) {
                said.say(
                    format!("{zh}{}由“{}”改为“{}”。", t.zh, was.zh, is.zh),
                    format!("The {en} {} becomes \"{}\" (was \"{}\").", t.en, is.en, was.en),
                );
            }
            ChangeKind::Changed
        }
    };
    said.change(format!("{section}.{id}"), kind, Touches::Nobody)
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
