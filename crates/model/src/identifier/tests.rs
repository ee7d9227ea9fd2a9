//! One way to write a name, and what names nobody.

use proptest::prelude::*;

use super::*;

#[test]
fn phones_are_written_one_way() {
    let mobile = "+8613912345678";
    for (written, kept) in [
        ("13912345678", mobile),
        (" 139 1234 5678 ", mobile),
        ("139-1234-5678", mobile),
        ("+86 139 1234 5678", mobile),
        ("+86-13912345678", mobile),
        ("(+86)13912345678", mobile),
        ("0086 13912345678", mobile),
        ("8613912345678", mobile),
        ("013912345678", mobile),
        ("１３９１２３４５６７８", mobile),
        ("＋８６　１３９　１２３４　５６７８", mobile),
        ("\u{202d}139 1234 5678\u{202c}", mobile),
        ("139–1234–5678", mobile),
        ("tel:+8613912345678", mobile),
        ("010-62345678", "+861062345678"),
        ("(010) 6234 5678", "+861062345678"),
        ("（010）62345678", "+861062345678"),
        ("+86 (0)10 6234 5678", "+861062345678"),
        ("+86 010 6234 5678", "+861062345678"),
        ("86-21-6234-5678", "+862162345678"),
        ("0755-86123456", "+8675586123456"),
        ("0891 6321234", "+868916321234"),
        ("+852 9123 4567", "+85291234567"),
        ("00852-91234567", "+85291234567"),
        ("+886 912 345 678", "+886912345678"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("", "refused"),
        ("+", "refused"),
        ("12345", "refused"),
        ("1391234567", "refused"),
        ("139123456789", "refused"),
        ("12012345678", "refused"),
        ("62345678", "refused"),
        ("1062345678", "refused"),
        ("010-12345678", "refused"),
        ("400-123-4567", "refused"),
        ("+86 400 223 4567", "refused"),
        ("95588", "refused"),
        ("+0013912345678", "refused"),
        ("+1 234", "refused"),
        ("+1234567890123456", "refused"),
        ("4155552671", "refused"),
        ("139 1234 5678 ext 2", "refused"),
        ("13912345678 或 13812345678", "refused"),
    ] {
        let found = normalise("phone", written);
        match found {
            Ok(found) => assert_eq!(found, kept, "{written:?}"),
            Err(refusal) => {
                assert_eq!(kept, "refused", "{written:?}: {refusal}");
                assert_eq!((refusal.code, refusal.field.as_str()), ("phone_malformed", "value"));
            }
        }
    }
}

#[test]
fn addresses_are_written_one_way() {
    for (written, kept) in [
        (" Wang.Wei@Example.COM ", "wang.wei@example.com"),
        ("wang.wei＠example。com", "wang.wei@example.com"),
        ("mailto:a@b.cn", "a@b.cn"),
        ("A+News@b-c.co.uk", "a+news@b-c.co.uk"),
        ("王伟@例子.中国", "王伟@例子.中国"),
        ("Jose\u{301}@example.com", "josé@example.com"),
        ("\u{feff}a@b.cn", "a@b.cn"),
        ("İ@b.cn", "refused"),
        ("", "refused"),
        ("a", "refused"),
        ("@b.cn", "refused"),
        ("a@", "refused"),
        ("a@b", "refused"),
        ("a@b@c.cn", "refused"),
        ("a..b@c.cn", "refused"),
        (".a@c.cn", "refused"),
        ("a b@c.cn", "refused"),
        ("\"a\"@c.cn", "refused"),
        ("a@127.0.0.1", "refused"),
        ("a@-b.cn", "refused"),
        ("a@b..cn", "refused"),
        ("mailto:mailto:a@b.cn", "refused"),
    ] {
        let found = normalise("email", written).unwrap_or_else(|refusal| {
            assert_eq!((refusal.code, refusal.field.as_str()), ("email_malformed", "value"));
            "refused".to_owned()
        });
        assert_eq!(found, kept, "{written:?}");
    }
    assert_eq!(normalise("email", &format!("{}@b.cn", "a".repeat(65))).unwrap_err().code, "email_malformed");
    assert_eq!(normalise("email", &format!("a@{}.cn", "b".repeat(64))).unwrap_err().code, "email_malformed");
}

#[test]
fn other_names_are_trimmed_and_bounded() {
    assert_eq!(normalise("openid:wx1", " oX_y-Z ").unwrap(), "oX_y-Z");
    assert_eq!(normalise("their_own", "7").unwrap(), "7");
    assert_eq!(normalise("card", " \t ").unwrap_err().code, "identifier_empty");
    assert_eq!(normalise("card", &"x".repeat(256)).unwrap_err().code, "text_too_long");
    assert_eq!(normalise(&"x".repeat(256), "1").unwrap_err().field, "namespace");
    assert_eq!(normalise("card", "a\0b").unwrap_err().code, "bad_text");
    // What follows the colon does not change the kind.
    assert_eq!(normalise("phone:till", "139 1234 5678").unwrap(), "+8613912345678");
}

#[test]
fn what_names_nobody_is_blocked() {
    for value in [
        "",
        " ",
        "0",
        "000",
        "-",
        "0-0",
        "-1",
        "null",
        "NULL",
        "Anonymous",
        "undefined",
        "nil",
        "None",
        "n/a",
        "NaN",
        "unknown",
        "(null)",
        "[object Object]",
        "00000000-0000-0000-0000-000000000000",
    ] {
        for namespace in ["user", "device", "phone", "openid:wx1", "their_own"] {
            assert!(is_blocked(namespace, value), "{namespace} {value:?}");
        }
    }
    for value in [
        "13800000000",
        "+8613800138000",
        "138 0013 8000",
        "11111111111",
        "99999999999",
        "+999999999",
        "+15555555555",
        "0000-0000",
    ] {
        assert!(is_blocked("phone", value), "{value}");
    }
    for (namespace, value) in [
        ("phone", "+8613912345678"),
        ("phone", "13888888888"),
        ("card", "13800138000"),
        ("card", "1111111"),
        ("user", "1"),
        ("user", "nullable"),
        ("user", "匿名"),
        ("device", "0000-0001"),
    ] {
        assert!(!is_blocked(namespace, value), "{namespace} {value}");
    }
}

#[test]
fn each_kind_has_its_rule_and_namespaces_take_that_of_their_kind() {
    for (namespace, limit, unique) in [
        ("user", 1, true),
        ("unionid", 1, true),
        ("card", 1, true),
        ("card:partner", 1, true),
        ("phone", 3, false),
        ("email", 5, false),
        ("openid:wx123", 1, true),
        ("external_userid:ww9", 5, true),
        ("device", 20, false),
        ("anonymous", 1000, false),
        ("household", 1, false),
        ("tmall", 5, true),
        ("bilibili", 5, true),
        ("their_own", 5, false),
        ("", 5, false),
        (":", 5, false),
    ] {
        let rule = rule(namespace);
        assert_eq!((rule.limit, rule.window, rule.unique), (limit, Window::Ever, unique), "{namespace}");
    }
    assert_eq!((rule("pending_id").limit, rule("pending_id").valid_days), (5, Some(90)));
    assert!(RULES.iter().all(|(kind, rule)| *kind == "pending_id" || rule.valid_days.is_none()));
}

#[test]
fn the_table_goes_from_the_most_telling_to_the_least() {
    assert!(RULES.windows(2).all(|two| two[0].1.priority <= two[1].1.priority));
    let order = [
        "unionid",
        "user",
        "card",
        "openid:a",
        "phone",
        "email",
        "weibo",
        "their_own",
        "device",
        "anonymous",
    ];
    assert!(order.windows(2).all(|two| rule(two[0]).priority < rule(two[1]).priority));
    assert!(RULES.iter().enumerate().all(|(i, (kind, _))| RULES[..i].iter().all(|(other, _)| other != kind)));
}

const NAMESPACES: [&str; 4] = ["phone", "email", "card", "their:own"];

fn written() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ +０-９0-9()\u{2010}.-]{0,24}",
        "(\\+|00|0|86|\\+86|0086)?[0-9 -]{5,16}",
        "[ A-Za-z.İΣßéＡ\u{301}\u{345}+_-]{0,10}[@＠][A-Za-zÀ-ž0-9.。-]{0,20}",
    ]
}

proptest! {
    #[test]
    fn twice_is_the_same_as_once_and_nothing_panics(namespace in prop::sample::select(&NAMESPACES[..]), value in written()) {
        let _ = is_blocked(namespace, &value);
        if let Ok(once) = normalise(namespace, &value) {
            prop_assert_eq!(normalise(namespace, &once), Ok(once.clone()));
            prop_assert_eq!(is_blocked(namespace, &once), is_blocked(namespace, value.trim()), "{:?} {:?}", value, once);
        }
    }

    #[test]
    fn a_phone_is_e164(value in written()) {
        if let Ok(phone) = normalise("phone", &value) {
            prop_assert!(phone.starts_with('+') && (8..=16).contains(&phone.len()));
            prop_assert!(phone[1..].bytes().all(|byte| byte.is_ascii_digit()) && !phone.starts_with("+0"));
        }
    }
}
