//! An e-mail that is written in MJML, through the pipeline to whoever hands it over.

use std::sync::{Arc, Mutex};

use zhiyin_engine::playbooks::read_given;

use super::*;

/// A channel that keeps what it is to hand over.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Parcel>>>);

#[async_trait]
impl Channel for Kept {
    fn name(&self) -> &'static str {
        "email"
    }

    fn namespaces(&self) -> &'static [&'static str] {
        &["email"]
    }

    fn again(&self) -> Again {
        Again::Never
    }

    fn at_once(&self) -> usize {
        1
    }

    fn within(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        self.0.lock().unwrap().push(parcel.clone());
        Handed::Taken { receipt: String::new() }
    }
}

/// A message in MJML in place of HTML, in both languages, with a name, a link and a condition.
fn brand() -> String {
    let page = |hello: &str, see: &str| {
        format!(
            "          <mjml>
            <mj-body>
              <mj-section><mj-column>
                <mj-text>{hello} <b>{{{{ member.name }}}}</b>{{% if key == \"m01\" %}}①{{% else %}}②{{% endif %}}</mj-text>
                <mj-button href=\"{{{{ link.member_day }}}}\">{see}</mj-button>
              </mj-column></mj-section>
            </mj-body>
          </mjml>
"
        )
    };
    let (zh, en) = (page("您好", "看看会员日"), page("Hello", "See member day"));
    let html = "    html: { zh: '<p>您好 <b>{{ member.name }}</b></p>', en: '<p>Hello <b>{{ member.name }}</b></p>' }\n";
    assert!(BRAND.contains(html));
    let brand = BRAND.replace("consent:\n", "attributes: { language: { type: text } }\nconsent:\n");
    brand.replace(html, &format!("    mjml:\n      zh: |\n{zh}      en: |\n{en}"))
}

#[tokio::test]
async fn a_page_in_mjml_is_said_in_the_members_language_with_its_link_and_the_way_out() {
    let (home, kept) = (live_as(&brand(), 2).await, Kept::default());
    let mut lane = Lane::new(Box::new(kept.clone()), Some("https://vip.shop.example".to_owned()));
    let english = json!({"type": "identify", "messageId": "en", "userId": "m1", "timestamp": NOW,
        "traits": {"language": "en"}});
    happens(&home, &[english], NOW).await;
    for who in ["m0", "m1"] {
        buys(&home, who, 1).await;
    }
    while hands_over(&home, &mut lane, 0).await.sent > 0 {}
    let got = kept.0.lock().unwrap().clone();
    for (who, hello, mark, see) in [
        ("m0", "您好 <b>&lt;N0&gt;</b>", '①', "看看会员日"),
        ("m1", "Hello <b>&lt;N1&gt;</b>", '②', "See member day"),
    ] {
        let parcel = got.iter().find(|one| one.to.starts_with(who)).unwrap();
        let html = parcel.html.as_deref().unwrap();
        assert!(html.contains(hello) && html.contains(mark) && html.contains(see), "{html}");
        assert!(html.contains("href=\"https:&#x2f;&#x2f;vip.shop.example&#x2f;l&#x2f;"), "{html}");
        // The way out is put before the end of the page, which it has.
        assert!(html.contains("</body>") && !html.contains("{{") && !html.contains("<N"), "{html}");
        assert!(parcel.leave_url.as_deref().unwrap().starts_with("https://vip.shop.example/v1/unsubscribe/"));
        assert_eq!(parcel.english, who == "m1");
    }
    home.healthy().await;
}

#[test]
fn a_page_that_does_not_read_is_refused_with_its_line_and_element() {
    for (from, to, says) in [
        ("<mj-button", "<mj-buton", "line 5, `mj-buton`: there is no such element"),
        (
            "<mj-column>",
            "<mj-column><mj-include path=\"x\" />",
            "line 3, `mj-include`: there are no includes",
        ),
        ("href=\"{{ link.member_day }}\"", "href=\"{{ link.nowhere }}\"", ""),
        ("<b>{{ member.name }}</b>", "<b>{{ member.name }}</i>", "line 4, `i`: ends here, where `b` is open"),
    ] {
        let problems = read_given(&brand().replace(from, to)).map(drop).unwrap_err();
        let found = problems.iter().find(|problem| problem.path == "messages.thanks.mjml.zh");
        let found = found.unwrap_or_else(|| panic!("{to}: {problems:?}"));
        assert!(found.message.contains(says), "{to}: {}", found.message);
    }
}
