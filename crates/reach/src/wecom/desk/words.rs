//! What WeCom says in the words of [`crate::platform`], and the other way round.

use crate::platform::{
    Attached, GroupWay, Handover, MadeWay, Moment, Part, Relation, Said, Seat, Task, Way, Whom,
};
use crate::wecom::attachments::{Attachment, Image, Link, MiniProgram, Text};
use crate::wecom::contacts::{Contact, Follower};
use crate::wecom::groups::Member;
use crate::wecom::mass::{MassSend, To};
use crate::wecom::moments::{Moment as WecomMoment, Shown};
use crate::wecom::transfer::{Giver, Handover as WecomHandover};
use crate::wecom::ways::{ContactWay, JoinWay};
use crate::wecom::{errcodes, pages};

pub(super) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn part<T, U>(page: pages::Page<T>, of: impl FnMut(T) -> U) -> Part<U> {
    Part { items: page.items.into_iter().map(of).collect(), next: page.next }
}

pub(super) fn relation(contact: &Contact, follower: Follower) -> Relation {
    let mut tags: Vec<String> = follower.tag_id;
    // Tags of the business and of its strategies have ids; those of one member of staff are theirs.
    tags.extend(follower.tags.into_iter().map(|tag| tag.tag_id).filter(|id| !id.is_empty()));
    tags.sort_unstable();
    tags.dedup();
    Relation {
        account: follower.userid,
        customer: contact.external_userid.clone(),
        since: follower.createtime,
        remark: follower.remark,
        name: contact.name.clone(),
        unionid: filled(contact.unionid.clone()),
        tags,
        way: filled(follower.state),
    }
}

pub(super) fn seat(member: Member) -> Seat {
    Seat {
        who: member.userid,
        is_staff: member.kind == 1,
        unionid: filled(member.unionid),
        since: member.join_time,
        how: match member.join_scene {
            1 => Some("invited"),
            2 => Some("by_link"),
            3 => Some("by_code"),
            _ => None,
        },
        way: filled(member.state),
    }
}

pub(super) fn attachments(attached: &[Attached]) -> Vec<Attachment> {
    let one = |attached: &Attached| match attached.clone() {
        Attached::Picture { media } => {
            Attachment::Image { image: Image { media_id: Some(media), pic_url: None } }
        }
        Attached::Link { title, url, description, picture } => {
            Attachment::Link { link: Link { title, picurl: picture, desc: filled(description), url } }
        }
        Attached::Page { title, app, page, media } => Attachment::MiniProgram {
            miniprogram: MiniProgram { title, pic_media_id: media, appid: app, page },
        },
    };
    attached.iter().map(one).collect()
}

pub(super) fn text(said: &Said) -> Option<Text> {
    filled(said.text.clone()).map(|content| Text { content })
}

pub(super) fn mass(task: &Task) -> MassSend {
    let sender = task.account.clone();
    let to = match &task.to {
        Whom::Customers(customers) => {
            let external_userids = customers.clone();
            To::Customers { external_userids, sender: Some(sender), may_select: false }
        }
        Whom::Groups(groups) => To::Groups { sender, chat_ids: groups.clone() },
    };
    MassSend { to, text: text(&task.said), attachments: attachments(&task.said.attached) }
}

pub(super) fn moment(moment: &Moment) -> WecomMoment {
    let pictures = moment.said.attached.iter().filter_map(|attached| match attached {
        Attached::Picture { media } => Some(media.clone()),
        Attached::Link { .. } | Attached::Page { .. } => None,
    });
    let pictures: Vec<String> = pictures.collect();
    let shown = if pictures.is_empty() { Shown::Nothing } else { Shown::Images(pictures) };
    WecomMoment {
        text: text(&moment.said),
        shown,
        staff: moment.accounts.clone(),
        departments: Vec::new(),
        tags: moment.tags.clone(),
    }
}

pub(super) fn contact_way(way: &Way) -> ContactWay {
    ContactWay {
        // What there is of one kind stays of it; several may become one, and one several.
        kind: 2,
        scene: 2,
        style: None,
        remark: way.note.clone(),
        skip_verify: !way.asks,
        state: way.name.clone(),
        user: way.accounts.clone(),
        party: Vec::new(),
        is_exclusive: false,
    }
}

pub(super) fn join_way(way: &GroupWay) -> JoinWay {
    let (name, number) = way.makes.clone().unzip();
    JoinWay {
        scene: 2,
        remark: way.note.clone(),
        auto_create_room: u8::from(way.makes.is_some()),
        room_base_name: name.unwrap_or_default(),
        room_base_id: number,
        chat_id_list: way.groups.clone(),
        state: way.name.clone(),
        mark_source: None,
    }
}

pub(super) fn made(made: crate::wecom::ways::MadeWay) -> MadeWay {
    MadeWay { id: made.config_id, picture: filled(made.qr_code) }
}

pub(super) const fn giver(how: &Handover) -> Giver {
    if how.has_left { Giver::Left } else { Giver::Here }
}

pub(super) fn handover(how: &Handover) -> WecomHandover {
    WecomHandover { handover_userid: how.from.clone(), takeover_userid: how.to.clone() }
}

/// Why a customer or a group was not taken, by the name of its number; nothing where it was, or is under way.
pub(super) fn why_not(code: i64) -> Option<&'static str> {
    (code != 0)
        .then(|| errcodes::trouble(code))
        .filter(|trouble| !trouble.is_done_already())
        .map(|trouble| trouble.name())
}
