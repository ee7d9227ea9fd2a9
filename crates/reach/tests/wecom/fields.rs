//! What is refused before anything is said, by its field.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hyper::body::Bytes;
use zhiyin_reach::wecom::attachments::{Attachment, Image, Link, Media, MiniProgram, Text};
use zhiyin_reach::wecom::contacts::Remark;
use zhiyin_reach::wecom::groups::Owners;
use zhiyin_reach::wecom::ids::Subject;
use zhiyin_reach::wecom::limits::Limits;
use zhiyin_reach::wecom::mass::{ChatType, MassQuery, MassSend, To};
use zhiyin_reach::wecom::media::{File, Kind};
use zhiyin_reach::wecom::moments::{Moment, MomentLink, Shown};
use zhiyin_reach::wecom::notify::{Card, Content, Notice};
use zhiyin_reach::wecom::tags::{NewTag, Place, Which};
use zhiyin_reach::wecom::transfer::{Giver, Handover};
use zhiyin_reach::wecom::ways::{ContactWay, JoinWay};
use zhiyin_reach::wecom::welcome::{GroupWelcome, Welcome};
use zhiyin_reach::wecom::{Trouble, Wecom};

use crate::server::home;

fn field<T: std::fmt::Debug>(answer: Result<T, Trouble>) -> String {
    match answer {
        Err(Trouble::Input { field, .. }) => field,
        other => format!("{other:?}"),
    }
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("wm{i}")).collect()
}

fn text(content: impl ToString) -> Option<Text> {
    Some(Text { content: content.to_string() })
}

fn link() -> Link {
    Link { title: "t".to_owned(), picurl: None, desc: None, url: "https://shop.example/".to_owned() }
}

/// The fields at fault of what is wrong, in the order of the rows.
async fn sends(wecom: &Wecom) {
    let customers = |n| To::Customers { external_userids: ids(n), sender: None, may_select: false };
    let groups = |n| To::Groups { sender: "zhangsan".to_owned(), chat_ids: ids(n) };
    let send = |to, content: &str| MassSend { to, text: text(content), attachments: Vec::new() };
    let with = |attachments| MassSend { to: customers(1), text: None, attachments };
    let image = || Attachment::Image { image: Image { media_id: Some("M".to_owned()), pic_url: None } };
    let a_link = |link| with(vec![image(), Attachment::Link { link }]);
    let mini =
        MiniProgram { title: "t".repeat(65), pic_media_id: "M".into(), appid: "wx".into(), page: "p".into() };
    for (send, at_fault) in [
        (send(customers(0), "x"), "external_userid"),
        (send(customers(10_001), "x"), "external_userid"),
        (send(groups(2_001), "x"), "chat_id_list"),
        (send(To::Groups { sender: String::new(), chat_ids: ids(1) }, "x"), "sender"),
        (send(customers(1), " "), "text.content"),
        (send(customers(1), &"汉".repeat(1_334)), "text.content"),
        (send(customers(1), "a\u{7}b"), "text.content"),
        (with(vec![image(); 10]), "attachments"),
        (with(vec![Attachment::Image { image: Image::default() }]), "attachments[0].image.media_id"),
        (a_link(Link { url: "shop.example".to_owned(), ..link() }), "attachments[1].link.url"),
        (a_link(Link { title: "t".repeat(129), ..link() }), "attachments[1].link.title"),
        (a_link(Link { desc: Some("t".repeat(513)), ..link() }), "attachments[1].link.desc"),
        (a_link(Link { picurl: Some("x".to_owned()), ..link() }), "attachments[1].link.picurl"),
        (with(vec![Attachment::MiniProgram { miniprogram: mini }]), "attachments[0].miniprogram.title"),
        (with(vec![Attachment::File { file: Media::default() }]), "attachments[0].file.media_id"),
    ] {
        assert_eq!(field(wecom.mass_send(&send).await), at_fault);
    }
    let welcome = |code: &str, text| Welcome { welcome_code: code.to_owned(), text, attachments: Vec::new() };
    assert_eq!(field(wecom.welcome(&welcome("", text("x")), false).await), "welcome_code");
    assert_eq!(field(wecom.welcome(&welcome("C", text("x".repeat(4_001))), false).await), "text.content");
    assert_eq!(field(wecom.welcome(&welcome("C", None), false).await), "text.content");
    let two = GroupWelcome { image: Some(Image::default()), link: Some(link()), ..GroupWelcome::default() };
    assert_eq!(field(wecom.add_group_welcome(&two, false).await), "image");
    let long = GroupWelcome { text: text("x".repeat(3_001)), ..GroupWelcome::default() };
    assert_eq!(field(wecom.add_group_welcome(&long, false).await), "text.content");
    assert_eq!(field(wecom.edit_group_welcome("T", &GroupWelcome::default()).await), "text.content");
    let query =
        MassQuery { chat_type: ChatType::Single, start_time: 0, end_time: 32 * 86_400, creator: None };
    assert_eq!(field(wecom.mass_sends(&query, None).await), "end_time");
    assert_eq!(field(wecom.mass_tasks("M", Some(&"C".repeat(1_025))).await), "cursor");
}

async fn people(wecom: &Wecom) {
    assert_eq!(field(wecom.customers_of("").await), "userid");
    assert_eq!(field(wecom.customer_page("a b", None).await), "external_userid");
    assert_eq!(field(wecom.customers_of_many(&ids(101), None).await), "userid_list");
    let remark = |remark: &str| Remark {
        userid: "zhangsan".to_owned(),
        external_userid: "wm1".to_owned(),
        remark: Some(remark.to_owned()),
        ..Remark::default()
    };
    assert_eq!(field(wecom.remark(&remark(&"汉".repeat(21))).await), "remark");
    assert_eq!(field(wecom.remark(&Remark { remark: None, ..remark("") }).await), "remark");
    let long = Remark { description: Some("x".repeat(151)), ..remark("x") };
    assert_eq!(field(wecom.remark(&long).await), "description");
    assert_eq!(field(wecom.whom("", "o", Subject::Business).await), "unionid");
    assert_eq!(field(wecom.whom("u", "", Subject::Business).await), "openid");
    assert_eq!(field(wecom.groups(Owners::Any, &ids(101), None).await), "owner_filter.userid_list");
    let handover = |to: &str| Handover { handover_userid: "a".to_owned(), takeover_userid: to.to_owned() };
    for (from, handover, n, message, at_fault) in [
        (Giver::Here, handover("A"), 1, None, "takeover_userid"),
        (Giver::Here, handover("b"), 101, None, "external_userid"),
        (Giver::Here, handover("b"), 1, Some("x".repeat(201)), "transfer_success_msg"),
        (Giver::Left, handover("b"), 1, Some("x".to_owned()), "transfer_success_msg"),
    ] {
        let asked = wecom.transfer(from, &handover, &ids(n), message.as_deref()).await;
        assert_eq!(field(asked), at_fault);
    }
    assert_eq!(field(wecom.transfer_groups(Giver::Left, &ids(101), "b").await), "chat_id_list");
    assert_eq!(field(wecom.signed_in("").await), "code");
    let said = |content: &str| Notice::Text { text: Content { content: content.to_owned() } };
    let one = ids(1);
    assert_eq!(field(wecom.notify(&ids(1_001), &said("x"), 0).await), "touser");
    assert_eq!(field(wecom.notify(&["@all".to_owned()], &said("x"), 0).await), "touser[0]");
    assert_eq!(field(wecom.notify(&["a|b".to_owned()], &said("x"), 0).await), "touser[0]");
    assert_eq!(field(wecom.notify(&one, &said(&"x".repeat(2_049)), 0).await), "text.content");
    assert_eq!(field(wecom.notify(&one, &said("x"), 14_401).await), "duplicate_check_interval");
    let card = |title: &str, url: &str, button: &str| Notice::TextCard {
        textcard: Card {
            title: title.to_owned(),
            description: "d".to_owned(),
            url: url.to_owned(),
            btntxt: Some(button.to_owned()),
        },
    };
    for (card, at_fault) in [
        (card(&"x".repeat(129), "https://x", "更多"), "textcard.title"),
        (card("x", "x", "更多"), "textcard.url"),
        (card("x", "https://x", "五个汉字了"), "textcard.btntxt"),
    ] {
        assert_eq!(field(wecom.notify(&one, &card, 0).await), at_fault);
    }
}

async fn things(wecom: &Wecom) {
    let way = |kind, user| ContactWay { kind, scene: 2, user, ..ContactWay::default() };
    for (way, at_fault) in [
        (way(3, ids(1)), "type"),
        (ContactWay { scene: 0, ..way(1, ids(1)) }, "scene"),
        (way(1, ids(2)), "user"),
        (ContactWay { party: vec![1], ..way(1, ids(1)) }, "party"),
        (way(2, ids(0)), "user"),
        (way(2, ids(101)), "user"),
        (ContactWay { state: "汉".repeat(31), ..way(2, ids(1)) }, "state"),
        (ContactWay { remark: "x".repeat(31), ..way(2, ids(1)) }, "remark"),
    ] {
        assert_eq!(field(wecom.add_contact_way(&way).await), at_fault);
        assert_eq!(field(wecom.update_contact_way("W", &way).await), at_fault);
    }
    let join = |n| JoinWay { scene: 2, chat_id_list: ids(n), ..JoinWay::default() };
    for (join, at_fault) in [
        (join(0), "chat_id_list"),
        (join(6), "chat_id_list"),
        (JoinWay { auto_create_room: 2, ..join(1) }, "auto_create_room"),
        (JoinWay { room_base_name: "汉".repeat(41), ..join(1) }, "room_base_name"),
        (JoinWay { state: "x".repeat(31), ..join(1) }, "state"),
    ] {
        assert_eq!(field(wecom.add_join_way(&join).await), at_fault);
    }
    assert_eq!(field(wecom.delete_contact_way("").await), "config_id");
    let tag = |name: &str| [NewTag { name: name.to_owned(), order: 0 }];
    assert_eq!(field(wecom.add_tags(Place::Named("g"), &[]).await), "tag");
    assert_eq!(field(wecom.add_tags(Place::Named("g"), &tag("")).await), "tag[0].name");
    assert_eq!(field(wecom.add_tags(Place::Named(&"汉".repeat(31)), &tag("x")).await), "group_name");
    assert_eq!(field(wecom.add_tags(Place::Group(""), &tag("x")).await), "group_id");
    assert_eq!(field(wecom.edit_tag("t", None, None).await), "name");
    assert_eq!(field(wecom.delete_tags(&[], &[]).await), "tag_id");
    assert_eq!(field(wecom.tags(Which::Tags(&[])).await), "tag_id");
    assert_eq!(field(wecom.mark_tags("a", "wm1", &[], &[]).await), "add_tag");
    assert_eq!(field(wecom.mark_tags("a", "wm1", &ids(3_001), &[]).await), "add_tag");
    let moment = |content: &str, shown| Moment { text: text(content), shown, ..Moment::default() };
    let a_link = MomentLink { title: "t".repeat(65), url: "https://x".into(), media_id: "M".into() };
    for (moment, at_fault) in [
        (moment("", Shown::Nothing), "text.content"),
        (moment(&"汉".repeat(2_001), Shown::Nothing), "text.content"),
        (moment("", Shown::Images(ids(10))), "attachments"),
        (moment("", Shown::Video(String::new())), "attachments[0].video.media_id"),
        (moment("", Shown::Link(a_link)), "attachments[0].link.title"),
        (
            Moment { staff: ids(100_001), ..moment("x", Shown::Nothing) },
            "visible_range.sender_list.user_list",
        ),
    ] {
        assert_eq!(field(wecom.add_moment(&moment).await), at_fault);
    }
    assert_eq!(field(wecom.moments(0, 31 * 86_400, None).await), "end_time");
    let file = |name: &str, n| File { name: name.to_owned(), bytes: Bytes::from(vec![0; n]) };
    for (kind, file, at_fault) in [
        (Kind::Image, file("a.png", 5), "media"),
        (Kind::Image, file("a.png", (10 << 20) + 1), "media"),
        (Kind::Voice, file("a.amr", (2 << 20) + 1), "media"),
        (Kind::File, file("a\".txt", 6), "filename"),
        (Kind::File, file("", 6), "filename"),
    ] {
        assert_eq!(field(wecom.upload_media(kind, &file).await), at_fault);
    }
    assert_eq!(field(wecom.upload_picture(&file("a.png", (2 << 20) + 1)).await), "media");
    assert_eq!(field(wecom.upload_attachment(Kind::File, &file("a.txt", 6)).await), "media_type");
}

#[tokio::test]
async fn what_the_platform_would_not_take_is_refused_by_its_field_and_nothing_is_said() {
    let home = home(|_| None).await;
    sends(&home.wecom).await;
    people(&home.wecom).await;
    things(&home.wecom).await;
    assert!(home.seen.asked.lock().unwrap().is_empty());
}

/// A subject that nobody knows would let nothing pass.
#[test]
fn every_limit_that_is_asked_for_is_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wecom");
    let known: BTreeSet<String> = Limits::known().rules().map(|rule| rule.subject.clone()).collect();
    let mut n_found = 0;
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        let text = fs::read_to_string(file).unwrap();
        for after in text.split("most(\"").skip(1) {
            let subject = after.split('"').next().unwrap();
            assert!(known.contains(subject), "{subject}");
            n_found += 1;
        }
    }
    assert!(n_found > 25, "{n_found}");
}
