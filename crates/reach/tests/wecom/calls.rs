//! Every call as the platform documents it: its verb, its path, what is said in it, and what is read of the answer. The JSON is written
//! from the platform's pages (the numbers are in `docs/wecom-api.md`).

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use serde_json::{Value, json};
use zhiyin_reach::wecom::apis;
use zhiyin_reach::wecom::attachments::{Attachment, Image, Link, Media, MiniProgram, Text};
use zhiyin_reach::wecom::contacts::Remark;
use zhiyin_reach::wecom::groups::Owners;
use zhiyin_reach::wecom::ids::{Subject, Whom};
use zhiyin_reach::wecom::mass::{ChatType, MassQuery, MassSend, SendStatus, To};
use zhiyin_reach::wecom::media::{File, Kind};
use zhiyin_reach::wecom::moments::{Moment, MomentLink, MomentMade, Shown};
use zhiyin_reach::wecom::notify::{Card, Content, Notice};
use zhiyin_reach::wecom::service::ServiceReply;
use zhiyin_reach::wecom::staff::SignedIn;
use zhiyin_reach::wecom::tags::{NewTag, Place, Which};
use zhiyin_reach::wecom::transfer::{Giver, Handover, Progress};
use zhiyin_reach::wecom::ways::{ContactWay, JoinWay};
use zhiyin_reach::wecom::welcome::{GroupWelcome, Welcome, Welcomed};
use zhiyin_reach::wecom::{Trouble, Wecom};

use crate::server::{Home, NOW_MS, Reply, home};

const CUSTOMER: &str = "woAJ2GCAAAXtWyujaWJHDDGi0mACHAAA";
const CHAT: &str = "wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA";
const MSGID: &str = "msgGCAAAXtWyujaWJHDDGi0mACas1w";

/// A server that answers what it was told last.
struct Book {
    home: Home,
    answer: Arc<Mutex<Value>>,
}

impl Book {
    async fn open() -> Self {
        let answer = Arc::new(Mutex::new(Value::Null));
        let gives = Arc::clone(&answer);
        let home =
            home(move |asked| (asked.path != "gettoken").then(|| Reply::Json(gives.lock().unwrap().clone())))
                .await;
        Self { home, answer }
    }

    /// One call, which is to be said so, and answered so (beside its `errcode`).
    async fn call<R: Debug>(
        &self,
        line: &str,
        said: Value,
        mut answer: Value,
        call: impl AsyncFn(&Wecom) -> Result<R, Trouble>,
    ) -> R {
        answer["errcode"] = json!(0);
        answer["errmsg"] = json!("ok");
        *self.answer.lock().unwrap() = answer;
        let got = call(&self.home.wecom).await.unwrap();
        let asked = self.home.last();
        let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        assert_eq!(format!("{} {}{query}", asked.verb, asked.path), line);
        assert_eq!((asked.json(), asked.token.as_str()), (said, "T1"), "{line}");
        if asked.verb == "POST" {
            assert!(asked.head.contains("content-type: application/json"), "{}", asked.head);
        }
        got
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn text(content: &str) -> Option<Text> {
    Some(Text { content: content.to_owned() })
}

async fn contacts(book: &Book) {
    let none = Value::Null;
    let line = "GET externalcontact/get_follow_user_list";
    let users = book
        .call(line, none.clone(), json!({"follow_user": ["zhangsan", "lissi"]}), async |w| {
            w.follow_users().await
        })
        .await;
    assert_eq!(users, ["zhangsan", "lissi"]);
    let line = "GET externalcontact/list?userid=zhangsan";
    let answer = json!({"external_userid": [CUSTOMER, "wmqfasd1e1927831291723123109rAAA"]});
    let ids = book.call(line, none.clone(), answer, async |w| w.customers_of("zhangsan").await).await;
    assert_eq!(ids.len(), 2);
    let line = format!("GET externalcontact/get?external_userid={CUSTOMER}");
    let answer = json!({
        "external_contact": {
            "external_userid": CUSTOMER, "name": "李四", "position": "Manager",
            "avatar": "http://p.qlogo.cn/bizmail/IcsdgagqefergqerhewSdage/0", "corp_name": "腾讯",
            "corp_full_name": "腾讯科技有限公司", "type": 2, "gender": 1, "unionid": "ozynqsulJFCZ2z1aYeS8h-nuasdAAA",
            "external_profile": {"external_attr": [{"type": 0, "name": "文本名称", "text": {"value": "文本"}}]},
        },
        "follow_user": [{
            "userid": "rocky", "remark": "李部长", "description": "对接采购事务", "createtime": 1_525_779_812,
            "tags": [{"group_name": "标签分组名称", "tag_name": "标签名称", "tag_id": "etAJ2GCAAAXtWyujaWJHDDGi0mACHAAA", "type": 1}],
            "remark_corp_name": "腾讯科技", "remark_mobiles": ["13800000001"], "oper_userid": "rocky",
            "add_way": 10, "wechat_channels": {"nickname": "视频号名称", "source": 1}, "state": "s1",
        }, {"userid": "tommy", "createtime": "1525881637", "state": null}],
        "next_cursor": "NEXT",
    });
    let page = book.call(&line, none, answer, async |w| w.customer_page(CUSTOMER, None).await).await;
    assert_eq!((page.contact.name.as_str(), page.contact.kind, page.followers.len()), ("李四", 2, 2));
    let (rocky, tommy) = (&page.followers[0], &page.followers[1]);
    assert_eq!(
        (rocky.tags[0].tag_name.as_str(), rocky.add_way, rocky.state.as_str()),
        ("标签名称", 10, "s1")
    );
    assert_eq!((tommy.createtime, tommy.state.as_str()), (1_525_881_637, ""));
    assert_eq!(page.next.as_deref(), Some("NEXT"));
    let said = json!({"userid_list": ["zhangsan", "lisi"], "cursor": "C", "limit": 100});
    let answer = json!({
        "external_contact_list": [{
            "external_contact": {"external_userid": CUSTOMER, "name": "李四", "type": 1},
            "follow_info": {"userid": "rocky", "createtime": 1_525_779_812, "tag_id": ["etAJ2GCAAAXtWyujaWJHDDGi0mACHAAA"]},
        }],
        "next_cursor": "",
    });
    let (line, staff) = ("POST externalcontact/batch/get_by_user", owned(&["zhangsan", "lisi"]));
    let page = book.call(line, said, answer, async |w| w.customers_of_many(&staff, Some("C")).await).await;
    assert_eq!((page.items[0].follow_info.tag_id.len(), page.next), (1, None));
    let mut remark = Remark {
        userid: "zhangsan".to_owned(),
        external_userid: CUSTOMER.to_owned(),
        remark: Some("备注信息".to_owned()),
        description: None,
        remark_company: Some("腾讯科技".to_owned()),
        remark_mobiles: Some(owned(&["13800000001", "13800000002"])),
    };
    let said = json!({
        "userid": "zhangsan", "external_userid": CUSTOMER, "remark": "备注信息", "remark_company": "腾讯科技",
        "remark_mobiles": ["13800000001", "13800000002"],
    });
    let line = "POST externalcontact/remark";
    book.call(line, said, json!({}), async |w| w.remark(&remark).await).await;
    // None of the numbers is to stay: the platform reads one empty text so.
    remark = Remark { remark: None, remark_company: None, remark_mobiles: Some(Vec::new()), ..remark };
    let said = json!({"userid": "zhangsan", "external_userid": CUSTOMER, "remark_mobiles": [""]});
    book.call(line, said, json!({}), async |w| w.remark(&remark).await).await;
}

async fn ids(book: &Book) {
    let line = "POST idconvert/unionid_to_external_userid";
    let said = json!({"unionid": "oAAAAAAA", "openid": "oBBBBBB", "subject_type": 0});
    for (answer, whom) in [
        (json!({"external_userid": "ABCD1234"}), Whom::Customer("ABCD1234".to_owned())),
        (json!({"external_userid": "", "pending_id": "p1"}), Whom::Pending("p1".to_owned())),
        (json!({}), Whom::Nobody),
    ] {
        let ask = async |w: &Wecom| w.whom("oAAAAAAA", "oBBBBBB", Subject::Business).await;
        assert_eq!(book.call(line, said.clone(), answer, ask).await, whom);
    }
    let line = "POST externalcontact/unionid_to_external_userid";
    let said = json!({"unionid": "oAAAAAAA", "openid": "oBBBBBB"});
    let ask = async |w: &Wecom| w.whom_by_old("oAAAAAAA", "oBBBBBB").await;
    let whom = book.call(line, said, json!({"external_userid": "ABCD1234"}), ask).await;
    assert_eq!(whom, Whom::Customer("ABCD1234".to_owned()));
    let line = "POST idconvert/batch/external_userid_to_pending_id";
    let said = json!({"external_userid": ["oAAAAAAA", "oBBBBB"]});
    let answer = json!({"result": [{"external_userid": "oAAAAAAA", "pending_id": "pAAAAA"}, {"external_userid": "oBBBBB"}]});
    let customers = owned(&["oAAAAAAA", "oBBBBB"]);
    let ask = async |w: &Wecom| w.pending_of(&customers).await;
    let known = book.call(line, said, answer, ask).await;
    assert_eq!(known, [("oAAAAAAA".to_owned(), "pAAAAA".to_owned())]);
}

async fn contact_ways(book: &Book) {
    let way = ContactWay {
        kind: 2,
        scene: 2,
        style: None,
        remark: "渠道客户".to_owned(),
        skip_verify: true,
        state: "teststate".to_owned(),
        user: owned(&["zhangsan", "lisi"]),
        party: vec![2, 3],
        is_exclusive: false,
    };
    let mut said = json!({
        "type": 2, "scene": 2, "remark": "渠道客户", "skip_verify": true, "state": "teststate",
        "user": ["zhangsan", "lisi"], "party": [2, 3], "is_exclusive": false,
    });
    let qr_code = "http://p.qpic.cn/wwhead/duc2TvpEgSTPk74IwG7Bs/0";
    let answer = json!({"config_id": "42b34949e138eb6e027c123cba77fAAA", "qr_code": qr_code});
    let line = "POST externalcontact/add_contact_way";
    let made = book.call(line, said.clone(), answer, async |w| w.add_contact_way(&way).await).await;
    assert_eq!((made.config_id.len(), made.qr_code.as_str()), (32, qr_code));
    let (line, id) = ("POST externalcontact/get_contact_way", json!({"config_id": "W"}));
    let mut shown = said.clone();
    shown["config_id"] = json!("W");
    shown["qr_code"] = json!(qr_code);
    shown["is_temp"] = json!(false);
    let answer = json!({"contact_way": shown});
    let shown = book.call(line, id.clone(), answer, async |w| w.contact_way("W").await).await;
    assert_eq!((shown.config_id.as_str(), shown.way), ("W", way.clone()));
    let line = "POST externalcontact/list_contact_way";
    let range = json!({"start_time": 1_622_476_800, "end_time": 1_625_068_800, "cursor": "", "limit": 1000});
    let answer = json!({"contact_way": [{"config_id": "W1"}, {"config_id": "W2"}], "next_cursor": "NEXT"});
    let ask = async |w: &Wecom| w.contact_ways(1_622_476_800, 1_625_068_800, None).await;
    let page = book.call(line, range, answer, ask).await;
    assert_eq!((page.items, page.next.as_deref()), (owned(&["W1", "W2"]), Some("NEXT")));
    let fixed = said.as_object_mut().unwrap();
    fixed.remove("type");
    fixed.remove("scene");
    said["config_id"] = json!("W");
    let line = "POST externalcontact/update_contact_way";
    book.call(line, said, json!({}), async |w| w.update_contact_way("W", &way).await).await;
    let line = "POST externalcontact/del_contact_way";
    book.call(line, id, json!({}), async |w| w.delete_contact_way("W").await).await;
}

async fn join_ways(book: &Book) {
    let way = JoinWay {
        scene: 2,
        remark: "aa_remark".to_owned(),
        auto_create_room: 1,
        room_base_name: "销售客服群".to_owned(),
        room_base_id: Some(10),
        chat_id_list: owned(&[CHAT, "wrOgQhDgAAMYQiS5ol9G7gK9JVBBBB"]),
        state: "klsdup3kj3s1".to_owned(),
        mark_source: Some(true),
    };
    let mut said = json!({
        "scene": 2, "remark": "aa_remark", "auto_create_room": 1, "room_base_name": "销售客服群", "room_base_id": 10,
        "chat_id_list": [CHAT, "wrOgQhDgAAMYQiS5ol9G7gK9JVBBBB"], "state": "klsdup3kj3s1", "mark_source": true,
    });
    let line = "POST externalcontact/groupchat/add_join_way";
    let answer = json!({"config_id": "9ad7fa5cdaa6511298498f979c472aaa", "qr_code": "http://p.qpic.cn/x"});
    let made = book.call(line, said.clone(), answer, async |w| w.add_join_way(&way).await).await;
    assert_eq!(made.qr_code, "http://p.qpic.cn/x");
    let (line, id) = ("POST externalcontact/groupchat/get_join_way", json!({"config_id": "J"}));
    let mut shown = said.clone();
    shown["config_id"] = json!("J");
    shown["qr_code"] = json!("http://p.qpic.cn/x");
    let answer = json!({"join_way": shown});
    let shown = book.call(line, id.clone(), answer, async |w| w.join_way("J").await).await;
    assert_eq!((shown.config_id.as_str(), shown.way), ("J", way.clone()));
    // Where making it does not tell the code, the code is asked for; here that says nothing either, and it was made all the same.
    let answer = json!({"config_id": "J"});
    let made = book.call(line, id.clone(), answer, async |w| w.add_join_way(&way).await).await;
    assert_eq!((made.config_id.as_str(), made.qr_code.as_str()), ("J", ""));
    said["config_id"] = json!("J");
    let line = "POST externalcontact/groupchat/update_join_way";
    book.call(line, said, json!({}), async |w| w.update_join_way("J", &way).await).await;
    let line = "POST externalcontact/groupchat/del_join_way";
    book.call(line, id, json!({}), async |w| w.delete_join_way("J").await).await;
}

async fn tags(book: &Book) {
    let line = "POST externalcontact/get_corp_tag_list";
    let (some, group) = (
        owned(&["etXXXXXXXXXX", "etYYYYYYYYYY"]),
        json!({
            "group_id": "TAG_GROUPID1", "group_name": "GOURP_NAME", "create_time": 1_557_838_797, "order": 1, "deleted": false,
            "tag": [{"id": "TAG_ID1", "name": "NAME1", "create_time": 1_557_838_797, "order": 4_294_967_295u32, "deleted": true}],
        }),
    );
    for (which, said) in [
        (Which::All, json!({})),
        (Which::Tags(&some), json!({"tag_id": some})),
        (Which::Groups(&some), json!({"group_id": some})),
    ] {
        let answer = json!({"tag_group": [group]});
        let got = book.call(line, said, answer, async |w| w.tags(which).await).await;
        assert_eq!(
            (got[0].tag[0].id.as_str(), got[0].tag[0].deleted, got[0].tag[0].order),
            ("TAG_ID1", true, u32::MAX)
        );
    }
    let new = [
        NewTag { name: "TAG_NAME_1".to_owned(), order: 1 },
        NewTag { name: "TAG_NAME_2".to_owned(), order: 2 },
    ];
    let names = json!([{"name": "TAG_NAME_1", "order": 1}, {"name": "TAG_NAME_2", "order": 2}]);
    for (into, said) in [
        (Place::Named("GROUP_NAME"), json!({"group_name": "GROUP_NAME", "tag": names})),
        (Place::Group("GROUP_ID"), json!({"group_id": "GROUP_ID", "tag": names})),
    ] {
        let answer = json!({"tag_group": group});
        let line = "POST externalcontact/add_corp_tag";
        let got = book.call(line, said, answer, async |w| w.add_tags(into, &new).await).await;
        assert_eq!(got.group_id, "TAG_GROUPID1");
    }
    let line = "POST externalcontact/edit_corp_tag";
    let said = json!({"id": "TAG_ID", "name": "NEW_TAG_NAME", "order": 1});
    book.call(line, said, json!({}), async |w| w.edit_tag("TAG_ID", Some("NEW_TAG_NAME"), Some(1)).await)
        .await;
    let line = "POST externalcontact/del_corp_tag";
    let (ids, groups) = (owned(&["TAG_ID_1", "TAG_ID_2"]), owned(&["GROUP_ID_1"]));
    let said = json!({"tag_id": ids, "group_id": groups});
    book.call(line, said, json!({}), async |w| w.delete_tags(&ids, &groups).await).await;
    book.call(line, json!({"tag_id": ids}), json!({}), async |w| w.delete_tags(&ids, &[]).await).await;
    let line = "POST externalcontact/mark_tag";
    let said =
        json!({"userid": "zhangsan", "external_userid": CUSTOMER, "add_tag": ids, "remove_tag": groups});
    book.call(line, said, json!({}), async |w| w.mark_tags("zhangsan", CUSTOMER, &ids, &groups).await).await;
    let said = json!({"userid": "zhangsan", "external_userid": CUSTOMER, "remove_tag": ids});
    book.call(line, said, json!({}), async |w| w.mark_tags("zhangsan", CUSTOMER, &[], &ids).await).await;
}

async fn groups(book: &Book) {
    let line = "POST externalcontact/groupchat/list";
    let answer = json!({"group_chat_list": [{"chat_id": CHAT, "status": 0}], "next_cursor": "tJzlB9tdqfh-g7i_J-ehOz_TWcd7dSKa39_AqCIeMFw"});
    let said =
        json!({"status_filter": 0, "owner_filter": {"userid_list": ["abel"]}, "cursor": "", "limit": 1000});
    let abel = owned(&["abel"]);
    let page =
        book.call(line, said, answer.clone(), async |w| w.groups(Owners::Any, &abel, None).await).await;
    assert_eq!((page.items[0].chat_id.as_str(), page.next.map(|next| next.len())), (CHAT, Some(43)));
    let said = json!({"status_filter": 1, "cursor": "C", "limit": 1000});
    book.call(line, said, answer, async |w| w.groups(Owners::Left, &[], Some("C")).await).await;
    let line = "POST externalcontact/groupchat/get";
    let answer = json!({"group_chat": {
        "chat_id": CHAT, "name": "销售客服群", "owner": "ZhuShengBen", "create_time": 1_572_505_490,
        "notice": "文明沟通，拒绝脏话",
        "member_list": [
            {"userid": "abel", "type": 1, "join_time": 1_572_505_491, "join_scene": 1, "invitor": {"userid": "jack"},
             "group_nickname": "客服小张", "name": "张三丰"},
            {"userid": "wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA", "type": 2, "unionid": "ozynqsulJFCZ2z1aYeS8h-nuasdAAA",
             "join_time": 1_572_505_491, "join_scene": 3, "state": "klsdup3kj3s1", "group_nickname": "顾客老王", "name": "王语嫣"},
        ],
        "admin_list": [{"userid": "sam"}, {"userid": "pony"}],
        "member_version": "71217227bbd112ecfe3a49c482195cb4",
    }});
    let said = json!({"chat_id": CHAT, "need_name": 1});
    let group = book.call(line, said, answer, async |w| w.group(CHAT).await).await;
    let [abel, wang] = group.member_list.as_slice() else { panic!("{group:?}") };
    assert_eq!((abel.invitor.userid.as_str(), abel.name.as_str()), ("jack", "张三丰"));
    assert_eq!(
        (wang.kind, wang.state.as_str(), wang.group_nickname.as_str()),
        (2, "klsdup3kj3s1", "顾客老王")
    );
    assert_eq!((group.member_version.len(), group.admin_list.len()), (32, 2));
}

fn attachments() -> (Vec<Attachment>, Value) {
    let media = |media_id: &str| Media { media_id: media_id.to_owned() };
    let attachments = vec![
        Attachment::Image { image: Image { media_id: Some("MEDIA_ID".to_owned()), pic_url: None } },
        Attachment::Link {
            link: Link {
                title: "消息标题".to_owned(),
                picurl: Some("https://example.pic.com/path".to_owned()),
                desc: Some("消息描述".to_owned()),
                url: "https://example.link.com/path".to_owned(),
            },
        },
        Attachment::MiniProgram {
            miniprogram: MiniProgram {
                title: "消息标题".to_owned(),
                pic_media_id: "MEDIA_ID".to_owned(),
                appid: "wx8bd80126147dfAAA".to_owned(),
                page: "/path/index.html".to_owned(),
            },
        },
        Attachment::Video { video: media("MEDIA_ID") },
        Attachment::File { file: media("MEDIA_ID") },
    ];
    let said = json!([
        {"msgtype": "image", "image": {"media_id": "MEDIA_ID"}},
        {"msgtype": "link", "link": {"title": "消息标题", "picurl": "https://example.pic.com/path", "desc": "消息描述",
            "url": "https://example.link.com/path"}},
        {"msgtype": "miniprogram", "miniprogram": {"title": "消息标题", "pic_media_id": "MEDIA_ID",
            "appid": "wx8bd80126147dfAAA", "page": "/path/index.html"}},
        {"msgtype": "video", "video": {"media_id": "MEDIA_ID"}},
        {"msgtype": "file", "file": {"media_id": "MEDIA_ID"}},
    ]);
    (attachments, said)
}

async fn mass_sends(book: &Book) {
    let (attached, written) = attachments();
    let line = "POST externalcontact/add_msg_template";
    let answer = json!({"fail_list": ["wmqfasd1e1927831123109rBAAAA"], "msgid": MSGID});
    let to = To::Customers {
        external_userids: owned(&[CUSTOMER]),
        sender: Some("zhangsan".to_owned()),
        may_select: false,
    };
    let send = MassSend { to, text: text("文本消息内容"), attachments: attached };
    let said = json!({
        "chat_type": "single", "external_userid": [CUSTOMER], "sender": "zhangsan", "allow_select": false,
        "text": {"content": "文本消息内容"}, "attachments": written,
    });
    let made = book.call(line, said, answer.clone(), async |w| w.mass_send(&send).await).await;
    assert_eq!((made.msgid.as_str(), made.fail_list.len()), (MSGID, 1));
    let to = To::Groups { sender: "zhangsan".to_owned(), chat_ids: owned(&[CHAT]) };
    let send = MassSend { to, text: text("文本消息内容"), attachments: Vec::new() };
    let said = json!({
        "chat_type": "group", "sender": "zhangsan", "chat_id_list": [CHAT], "text": {"content": "文本消息内容"},
    });
    book.call(line, said, answer, async |w| w.mass_send(&send).await).await;
    let line = "POST externalcontact/get_groupmsg_list_v2";
    let query = MassQuery {
        chat_type: ChatType::Group,
        start_time: 1_605_171_726,
        end_time: 1_605_172_726,
        creator: Some("zhangshan".to_owned()),
    };
    let said = json!({
        "chat_type": "group", "start_time": 1_605_171_726, "end_time": 1_605_172_726, "creator": "zhangshan",
        "filter_type": 0, "limit": 100, "cursor": "CURSOR",
    });
    let answer = json!({"next_cursor": "C2", "group_msg_list": [{
        "msgid": MSGID, "creator": "xxxx", "create_time": "1605171730", "create_type": 1, "text": {"content": "文本消息内容"},
        "attachments": [{"msgtype": "image", "image": {"media_id": "MEDIA_ID", "pic_url": "http://p.qpic.cn/x"}},
            {"msgtype": "something new"}],
    }]});
    let page = book.call(line, said, answer, async |w| w.mass_sends(&query, Some("CURSOR")).await).await;
    assert_eq!((page.items[0].create_time, page.items[0].attachments.len()), (1_605_171_730, 2));
    let line = "POST externalcontact/get_groupmsg_task";
    let answer = json!({"next_cursor": "", "task_list": [{"userid": "zhangsan", "status": 1, "send_time": 1_552_536_375}]});
    let said = json!({"msgid": MSGID, "limit": 1000, "cursor": ""});
    let page = book.call(line, said, answer, async |w| w.mass_tasks(MSGID, None).await).await;
    assert_eq!((page.items[0].status, page.items[0].send_time), (SendStatus::Sent, 1_552_536_375));
    let line = "POST externalcontact/get_groupmsg_send_result";
    let answer = json!({"next_cursor": "C", "send_list": [
        {"external_userid": CUSTOMER, "userid": "zhangsan", "status": 1, "send_time": 1_552_536_375},
        {"chat_id": CHAT, "userid": "zhangsan", "status": 3}, {"userid": "zhangsan", "status": 9},
    ]});
    let said = json!({"msgid": MSGID, "userid": "zhangsan", "limit": 1000, "cursor": ""});
    let page = book.call(line, said, answer, async |w| w.mass_results(MSGID, "zhangsan", None).await).await;
    let statuses: Vec<_> = page.items.iter().map(|result| result.status).collect();
    assert_eq!(statuses, [SendStatus::Sent, SendStatus::OverLimit, SendStatus::Other(9)]);
    let id = json!({"msgid": MSGID});
    let line = "POST externalcontact/remind_groupmsg_send";
    book.call(line, id.clone(), json!({}), async |w| w.remind_mass_send(MSGID).await).await;
    let line = "POST externalcontact/cancel_groupmsg_send";
    book.call(line, id, json!({}), async |w| w.cancel_mass_send(MSGID).await).await;
}

async fn welcomes(book: &Book) {
    let (attached, written) = attachments();
    let welcome = Welcome {
        welcome_code: "CALLBACK_CODE".to_owned(),
        text: text("文本消息内容"),
        attachments: attached,
    };
    let line = "POST externalcontact/send_welcome_msg";
    let said =
        json!({"welcome_code": "CALLBACK_CODE", "text": {"content": "文本消息内容"}, "attachments": written});
    let done = book.call(line, said, json!({}), async |w| w.welcome(&welcome, false).await).await;
    assert_eq!(done, Welcomed::Now);
    let welcome = GroupWelcome {
        text: text("亲爱的%NICKNAME%用户，你好"),
        link: Some(Link {
            title: "消息标题".to_owned(),
            url: "https://example.link.com/path".to_owned(),
            ..Link::default()
        }),
        ..GroupWelcome::default()
    };
    let mut said = json!({
        "text": {"content": "亲爱的%NICKNAME%用户，你好"},
        "link": {"title": "消息标题", "url": "https://example.link.com/path"},
    });
    let answer = said.clone();
    said["notify"] = json!(1);
    let line = "POST externalcontact/group_welcome_template/add";
    let made = json!({"template_id": "msgXXXXXX"});
    let id = book
        .call(line, said.clone(), made.clone(), async |w| w.add_group_welcome(&welcome, true).await)
        .await;
    assert_eq!(id, "msgXXXXXX");
    said.as_object_mut().unwrap().remove("notify");
    said["template_id"] = json!("msgXXXXXX");
    let line = "POST externalcontact/group_welcome_template/edit";
    book.call(line, said, json!({}), async |w| w.edit_group_welcome("msgXXXXXX", &welcome).await).await;
    let line = "POST externalcontact/group_welcome_template/get";
    let got = book.call(line, made.clone(), answer, async |w| w.group_welcome("msgXXXXXX").await).await;
    assert_eq!(got, welcome);
    let line = "POST externalcontact/group_welcome_template/del";
    book.call(line, made, json!({}), async |w| w.delete_group_welcome("msgXXXXXX").await).await;
}

async fn moments(book: &Book) {
    let line = "POST externalcontact/add_moment_task";
    let range = json!({
        "sender_list": {"user_list": ["zhangshan", "lisi"], "department_list": [2, 3]},
        "external_contact_list": {"tag_list": ["etXXXXXXXXXX"]},
    });
    let a_link = MomentLink {
        title: "消息标题".to_owned(),
        url: "https://example.link.com/path".to_owned(),
        media_id: "MEDIA_ID".to_owned(),
    };
    for (shown, written) in [
        (
            Shown::Images(owned(&["M1", "M2"])),
            json!([{"msgtype": "image", "image": {"media_id": "M1"}}, {"msgtype": "image", "image": {"media_id": "M2"}}]),
        ),
        (Shown::Video("M".to_owned()), json!([{"msgtype": "video", "video": {"media_id": "M"}}])),
        (
            Shown::Link(a_link),
            json!([{"msgtype": "link", "link": {"title": "消息标题", "url": "https://example.link.com/path", "media_id": "MEDIA_ID"}}]),
        ),
    ] {
        let moment = Moment {
            text: text("文本消息内容"),
            shown,
            staff: owned(&["zhangshan", "lisi"]),
            departments: vec![2, 3],
            tags: owned(&["etXXXXXXXXXX"]),
        };
        let said =
            json!({"text": {"content": "文本消息内容"}, "attachments": written, "visible_range": range});
        let job =
            book.call(line, said, json!({"jobid": "xxxx"}), async |w| w.add_moment(&moment).await).await;
        assert_eq!(job, "xxxx");
    }
    let alone = Moment { text: text("x"), ..Moment::default() };
    let said = json!({"text": {"content": "x"}});
    book.call(line, said, json!({"jobid": "xxxx"}), async |w| w.add_moment(&alone).await).await;
    let line = "GET externalcontact/get_moment_task_result?jobid=xxxx";
    let result = json!({
        "errcode": 0, "errmsg": "ok", "moment_id": "momAAA",
        "invalid_sender_list": {"user_list": ["lisi"], "department_list": [2]},
        "invalid_external_contact_list": {"tag_list": ["etAAA"]},
    });
    let invalid = (owned(&["lisi"]), owned(&["etAAA"]));
    let made = MomentMade::Made {
        moment_id: "momAAA".to_owned(),
        invalid_staff: invalid.0,
        invalid_tags: invalid.1,
    };
    for (answer, expected) in [
        (json!({"status": 1, "type": "add_moment_task"}), MomentMade::Making),
        (json!({"status": 3, "type": "add_moment_task", "result": result}), made),
    ] {
        let got = book.call(line, Value::Null, answer, async |w| w.moment_made("xxxx").await).await;
        assert_eq!(got, expected);
    }
    let line = "POST externalcontact/cancel_moment_task";
    book.call(line, json!({"moment_id": "momAAA"}), json!({}), async |w| w.cancel_moment("momAAA").await)
        .await;
    let line = "POST externalcontact/get_moment_list";
    let said = json!({"start_time": 1_605_000_000, "end_time": 1_605_172_726, "filter_type": 2, "cursor": "", "limit": 20});
    let answer = json!({"next_cursor": "C", "moment_list": [{
        "moment_id": "momxxx", "creator": "xxxx", "create_time": "1605000001", "create_type": 1, "visible_type": 1,
        "text": {"content": "test"}, "image": [{"media_id": "WWCISP_xxxxx"}], "location": {"latitude": "23.10647"},
    }]});
    let ask = async |w: &Wecom| w.moments(1_605_000_000, 1_605_172_726, None).await;
    let page = book.call(line, said, answer, ask).await;
    assert_eq!((page.items[0].create_time, page.items[0].text.content.as_str()), (1_605_000_001, "test"));
    let line = "POST externalcontact/get_moment_task";
    let said = json!({"moment_id": "momxxx", "cursor": "", "limit": 1000});
    let answer = json!({"task_list": [{"userid": "zhangsan", "publish_status": 1}]});
    let page = book.call(line, said, answer, async |w| w.moment_tasks("momxxx", None).await).await;
    assert_eq!((page.items[0].publish_status, page.next), (1, None));
    let line = "POST externalcontact/get_moment_customer_list";
    let mut said = json!({"moment_id": "momxxx", "userid": "zhangsan", "cursor": "", "limit": 1000});
    let answer = json!({"customer_list": [{"userid": "zhangsan", "external_userid": CUSTOMER}]});
    let ask = async |w: &Wecom| w.moment_customers("momxxx", "zhangsan", None).await;
    assert_eq!(book.call(line, said.clone(), answer.clone(), ask).await.items[0].external_userid, CUSTOMER);
    let line = "POST externalcontact/get_moment_send_result";
    said["limit"] = json!(5000);
    let ask = async |w: &Wecom| w.moment_results("momxxx", "zhangsan", None).await;
    assert_eq!(book.call(line, said, answer, ask).await.items.len(), 1);
    let line = "POST externalcontact/get_moment_comments";
    let said = json!({"moment_id": "momxxx", "userid": "zhangsan"});
    let answer = json!({
        "comment_list": [{"external_userid": CUSTOMER, "create_time": 1_605_172_726}, {"userid": "zhangshan", "create_time": 1_605_172_729}],
        "like_list": [{"external_userid": CUSTOMER, "create_time": 1_605_172_726}],
    });
    let got = book.call(line, said, answer, async |w| w.moment_reactions("momxxx", "zhangsan").await).await;
    assert_eq!((got.comment_list.len(), got.like_list[0].create_time), (2, 1_605_172_726));
}

async fn transfers(book: &Book) {
    let handover = Handover { handover_userid: "zhangsan".to_owned(), takeover_userid: "lisi".to_owned() };
    let both = json!({"handover_userid": "zhangsan", "takeover_userid": "lisi"});
    let mut said = both.clone();
    said["external_userid"] = json!([CUSTOMER]);
    let answer = json!({"customer": [{"external_userid": CUSTOMER, "errcode": 40_096}]});
    let customers = owned(&[CUSTOMER]);
    let line = "POST externalcontact/resigned/transfer_customer";
    let ask = async |w: &Wecom| w.transfer(Giver::Left, &handover, &customers, None).await;
    assert_eq!(book.call(line, said.clone(), answer.clone(), ask).await[0].errcode, 40_096);
    said["transfer_success_msg"] = json!("您好，您的服务已升级");
    let line = "POST externalcontact/transfer_customer";
    let ask =
        async |w: &Wecom| w.transfer(Giver::Here, &handover, &customers, Some("您好，您的服务已升级")).await;
    book.call(line, said, answer, ask).await;
    let mut said = both;
    said["cursor"] = json!("CURSOR");
    let answer = json!({"next_cursor": "NEXT_CURSOR", "customer": [
        {"external_userid": CUSTOMER, "status": 1, "takeover_time": 1_588_262_400},
        {"external_userid": "B", "status": 2, "takeover_time": 0}, {"external_userid": "C", "status": 3},
        {"external_userid": "D", "status": 4}, {"external_userid": "E", "status": 5}, {"external_userid": "F", "status": 9},
    ]});
    for (from, line) in [
        (Giver::Here, "POST externalcontact/transfer_result"),
        (Giver::Left, "POST externalcontact/resigned/transfer_result"),
    ] {
        let ask = async |w: &Wecom| w.transferred(from, &handover, Some("CURSOR")).await;
        let page = book.call(line, said.clone(), answer.clone(), ask).await;
        let far: Vec<_> = page.items.iter().map(|one| one.status).collect();
        use Progress::{Done, Full, None, Other, Refused, Waiting};
        assert_eq!(far, [Done, Waiting, Refused, Full, None, Other(9)]);
        assert_eq!(page.items[0].takeover_time, 1_588_262_400);
    }
    let line = "POST externalcontact/get_unassigned_list";
    let said = json!({"page_size": 1000, "cursor": ""});
    let one =
        json!({"handover_userid": "zhangsan", "external_userid": CUSTOMER, "dimission_time": 1_550_838_571});
    for (is_last, next) in [(false, Some("aSfwejksvhToiMMfFeIGZZ".to_owned())), (true, None)] {
        let answer = json!({"info": [one], "is_last": is_last, "next_cursor": "aSfwejksvhToiMMfFeIGZZ"});
        let page = book.call(line, said.clone(), answer, async |w| w.unassigned(None).await).await;
        assert_eq!((page.items[0].dimission_time, page.next), (1_550_838_571, next));
    }
    let chats = owned(&[CHAT]);
    for (from, line) in [
        (Giver::Left, "POST externalcontact/groupchat/transfer"),
        (Giver::Here, "POST externalcontact/groupchat/onjob_transfer"),
    ] {
        let answer = json!({"failed_chat_list": [{"chat_id": CHAT, "errcode": 90_501, "errmsg": "chat is not external group chat"}]});
        let said = json!({"chat_id_list": [CHAT], "new_owner": "zhangsan"});
        let ask = async |w: &Wecom| w.transfer_groups(from, &chats, "zhangsan").await;
        assert_eq!(book.call(line, said, answer, ask).await[0].errcode, 90_501);
    }
}

async fn staff(book: &Book) {
    let line = "GET user/get?userid=zhangsan";
    let answer = json!({
        "userid": "zhangsan", "name": "张三", "department": [1, 2], "order": [1, 2], "position": "后台工程师",
        "gender": "1", "is_leader_in_dept": [1, 0], "direct_leader": ["lisi"], "alias": "jackzhang", "status": 1,
        "main_department": 1, "extattr": {"attrs": []},
    });
    let got = book.call(line, Value::Null, answer, async |w| w.staff("zhangsan").await).await;
    assert_eq!((got.name.as_str(), got.department, got.status), ("张三", vec![1, 2], 1));
    let line = "POST user/list_id";
    let answer = json!({"next_cursor": "aaaaaaaaa", "dept_user": [{"userid": "zhangsan", "department": 1}, {"userid": "zhangsan", "department": 2}]});
    let said = json!({"cursor": "", "limit": 10_000});
    let page = book.call(line, said, answer, async |w| w.staff_ids(None).await).await;
    assert_eq!((page.items[1].department, page.next.as_deref()), (2, Some("aaaaaaaaa")));
    let answer = json!({"department": [{
        "id": 2, "name": "广州研发中心", "name_en": "RDGZ", "department_leader": ["zhangsan", "lisi"], "parentid": 1, "order": 10,
    }]});
    for (line, below) in [("GET department/list?id=2", Some(2)), ("GET department/list", None)] {
        let got = book.call(line, Value::Null, answer.clone(), async |w| w.departments(below).await).await;
        assert_eq!((got[0].name.as_str(), got[0].parentid), ("广州研发中心", 1));
    }
    let line = "GET auth/getuserinfo?code=CODE%2F1%26";
    let openid = || "OPENID".to_owned();
    for (answer, who) in [
        (json!({"userid": "USERID", "user_ticket": "T"}), SignedIn::Staff("USERID".to_owned())),
        (json!({"UserId": "USERID"}), SignedIn::Staff("USERID".to_owned())),
        (json!({"openid": "OPENID"}), SignedIn::Other { openid: openid(), external_userid: None }),
        (
            json!({"openid": "OPENID", "external_userid": CUSTOMER}),
            SignedIn::Other { openid: openid(), external_userid: Some(CUSTOMER.to_owned()) },
        ),
    ] {
        assert_eq!(book.call(line, Value::Null, answer, async |w| w.signed_in("CODE/1&").await).await, who);
    }
}

async fn notices(book: &Book) {
    let content = |content: &str| Content { content: content.to_owned() };
    let card = Card {
        title: "领奖通知".to_owned(),
        description: "<div class=\"gray\">2016年9月26日</div>".to_owned(),
        url: "https://work.weixin.qq.com/".to_owned(),
        btntxt: Some("更多".to_owned()),
    };
    let written = json!({
        "title": "领奖通知", "description": "<div class=\"gray\">2016年9月26日</div>", "url": "https://work.weixin.qq.com/",
        "btntxt": "更多",
    });
    let (line, to) = ("POST message/send", owned(&["UserID1", "UserID2"]));
    let answer = json!({
        "invaliduser": "userid1|userid2", "invalidparty": "partyid1", "unlicenseduser": "userid3", "msgid": "xxxx",
    });
    for (notice, once, mut said) in [
        (
            Notice::Text { text: content("你的快递已到") },
            0,
            json!({"msgtype": "text", "text": {"content": "你的快递已到"}}),
        ),
        (Notice::TextCard { textcard: card }, 1_800, json!({"msgtype": "textcard", "textcard": written})),
        (
            Notice::Markdown { markdown: content("**x**") },
            14_400,
            json!({"msgtype": "markdown", "markdown": {"content": "**x**"}}),
        ),
    ] {
        said["touser"] = json!("UserID1|UserID2");
        said["agentid"] = json!(1_000_002);
        if once > 0 {
            said["enable_duplicate_check"] = json!(1);
            said["duplicate_check_interval"] = json!(once);
        }
        let got = book.call(line, said, answer.clone(), async |w| w.notify(&to, &notice, once).await).await;
        assert_eq!(
            (got.msgid.as_str(), got.invalid, got.unlicensed),
            ("xxxx", owned(&["userid1", "userid2"]), owned(&["userid3"]))
        );
    }
    book.call("POST message/recall", json!({"msgid": "xxxx"}), json!({}), async |w| w.recall("xxxx").await)
        .await;
}

async fn files(book: &Book) {
    let file = File { name: "海报.png".to_owned(), bytes: Bytes::from_static(b"\x89PNG\r\n\r\n--x") };
    let answer = |created_at: Value| json!({"errcode": 0, "errmsg": "", "type": "image", "media_id": "1G6nrLmr5EC3MMb_", "created_at": created_at});
    let (home, days) = (&book.home, 3 * 86_400);
    let form = |line: &str| {
        let asked = home.last();
        assert_eq!(format!("{} {}?{}", asked.verb, asked.path, asked.query), line);
        let kind = asked.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"海报.png\"; filelength=11\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        let whole = [head.as_bytes(), b"\x89PNG\r\n\r\n--x\r\n--", boundary.as_bytes(), b"--\r\n"].concat();
        assert_eq!(String::from_utf8_lossy(&asked.body), String::from_utf8_lossy(&whole));
    };
    // The platform says when it was as a text, or as a number; where it does not, it was now.
    for (created_at, expected) in [
        (json!("1380000000"), 1_380_000_000),
        (json!(1_380_000_000), 1_380_000_000),
        (Value::Null, NOW_MS / 1_000),
    ] {
        *book.answer.lock().unwrap() = answer(created_at);
        let up = home.wecom.upload_media(Kind::Image, &file).await.unwrap();
        assert_eq!((up.created_at, up.expires_at), (expected, expected + days));
        form("POST media/upload?type=image");
    }
    let up = home.wecom.upload_attachment(Kind::Image, &file).await.unwrap();
    assert_eq!(up.media_id, "1G6nrLmr5EC3MMb_");
    form("POST media/upload_attachment?media_type=image&attachment_type=1");
    *book.answer.lock().unwrap() =
        json!({"errcode": 0, "errmsg": "", "url": "http://p.qpic.cn/pic_wework/0"});
    assert_eq!(home.wecom.upload_picture(&file).await.unwrap(), "http://p.qpic.cn/pic_wework/0");
    form("POST media/uploadimg?");
}

async fn service(book: &Book) {
    let line = "POST kf/account/list";
    let answer = json!({"account_list": [
        {"open_kfid": "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q", "name": "咨询客服", "avatar": "https://a.example", "manage_privilege": true},
    ]});
    let said = json!({"offset": 0, "limit": 100});
    let accounts = book.call(line, said, answer, async |w| w.service_accounts(0).await).await;
    assert_eq!((accounts.len(), accounts[0].name.as_str()), (1, "咨询客服"));
    let line = "POST kf/sync_msg";
    let answer = json!({"next_cursor": "4gw7MepFLfgF2VC5npN", "has_more": 1, "msg_list": [{
        "msgid": "from_msgid_4622416642169452483", "open_kfid": "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q",
        "external_userid": "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw", "send_time": 1_615_478_585, "origin": 3,
        "msgtype": "text", "text": {"content": "hello world", "menu_id": "101"},
    }]});
    let said = json!({"open_kfid": "wk1", "limit": 100, "cursor": "C", "token": "ENC1"});
    let ask = async |w: &Wecom| w.service_messages("wk1", Some("ENC1"), Some("C"), 100).await;
    let page = book.call(line, said, answer, ask).await;
    assert_eq!((page.msg_list[0].origin, page.has_more, page.next_cursor.len()), (3, 1, 19));
    let said = json!({"open_kfid": "wk1", "limit": 1_000});
    let ask = async |w: &Wecom| w.service_messages("wk1", None, None, 1_000).await;
    assert_eq!(book.call(line, said, json!({}), ask).await.msg_list, []);
    let reply = ServiceReply {
        touser: CUSTOMER.to_owned(),
        open_kfid: "wk1".to_owned(),
        msgid: "MSGID1".to_owned(),
        content: "你购买的物品已发货".to_owned(),
    };
    let said = json!({
        "touser": CUSTOMER, "open_kfid": "wk1", "msgid": "MSGID1", "msgtype": "text",
        "text": {"content": "你购买的物品已发货"},
    });
    let line = "POST kf/send_msg";
    let ask = async |w: &Wecom| w.service_reply(&reply).await;
    assert_eq!(book.call(line, said, json!({"msgid": "MSGID1"}), ask).await, "MSGID1");
    let line = "POST kf/service_state/get";
    let said = json!({"open_kfid": "wk1", "external_userid": CUSTOMER});
    let answer = json!({"service_state": 3, "servicer_userid": "zhangsan"});
    let state = book.call(line, said, answer, async |w| w.service_state("wk1", CUSTOMER).await).await;
    assert_eq!((state.service_state, state.servicer_userid.as_str()), (3, "zhangsan"));
    let line = "POST kf/customer/batchget";
    let said = json!({"external_userid_list": [CUSTOMER], "need_enter_session_context": 0});
    let answer = json!({"customer_list": [{
        "external_userid": CUSTOMER, "nickname": "张三", "avatar": "http://a.example", "gender": 1, "unionid": "oxasdaosaosdasdasdasd",
    }], "invalid_external_userid": []});
    let ids = owned(&[CUSTOMER]);
    let found = book.call(line, said, answer, async |w| w.service_customers(&ids).await).await;
    assert_eq!((found[0].nickname.as_str(), found[0].unionid.len()), ("张三", 21));
}

#[tokio::test]
async fn every_call_is_said_and_read_as_the_platform_documents_it() {
    let book = Book::open().await;
    contacts(&book).await;
    ids(&book).await;
    contact_ways(&book).await;
    join_ways(&book).await;
    tags(&book).await;
    groups(&book).await;
    mass_sends(&book).await;
    welcomes(&book).await;
    moments(&book).await;
    transfers(&book).await;
    staff(&book).await;
    notices(&book).await;
    service(&book).await;
    files(&book).await;
    let asked = book.home.seen.asked.lock().unwrap();
    let said: BTreeSet<_> = asked.iter().map(|asked| (asked.verb.as_str(), asked.path.as_str())).collect();
    let verb = |api: &apis::Api| if api.verb == apis::Verb::Get { "GET" } else { "POST" };
    let known: BTreeSet<_> = apis::ALL.iter().map(|api| (verb(api), api.path)).collect();
    assert_eq!(said, known);
}

/// What must be there and is not, of something that must not be made twice: it may have been made.
#[tokio::test]
async fn an_answer_without_what_was_made_is_none() {
    let book = Book::open().await;
    *book.answer.lock().unwrap() = json!({"errcode": 0, "errmsg": "ok"});
    let wecom = &book.home.wecom;
    let way = JoinWay { scene: 2, chat_id_list: owned(&[CHAT]), ..JoinWay::default() };
    assert!(wecom.add_join_way(&way).await.unwrap_err().is_unknown());
    let moment = Moment { text: text("x"), ..Moment::default() };
    assert!(wecom.add_moment(&moment).await.unwrap_err().is_unknown());
    let reply = ServiceReply {
        touser: CUSTOMER.to_owned(),
        open_kfid: "wk1".to_owned(),
        msgid: "M1".to_owned(),
        content: "x".to_owned(),
    };
    assert!(wecom.service_reply(&reply).await.unwrap_err().is_unknown());
    assert!(wecom.signed_in("CODE").await.unwrap_err().is_unknown());
    // A job may come to nothing by a number of its own.
    *book.answer.lock().unwrap() =
        json!({"errcode": 0, "status": 3, "result": {"errcode": 41_089, "errmsg": "empty"}});
    assert_eq!(wecom.moment_made("xxxx").await.unwrap_err().name(), "content_empty");
}
