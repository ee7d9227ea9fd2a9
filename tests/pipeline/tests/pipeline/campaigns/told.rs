//! Steps that tell webhooks.

use zhiyin_engine::webhooks::manage::{self, NewEndpoint};
use zhiyin_model::webhook;
use zhiyin_store::webhooks::{Log, NewMessage};

use super::*;

const PICK: &str = "  pick: { purpose: service, on: event Order Completed, again: per order_id, holdout: HELD, steps: [{ webhook: pick-up, with: { gift: mug, level: '{{ tier }}', order: '{{ key }}', until: '{{ coupon.until }}' } }, { wait: 1d }, { webhook: packed }] }\n";

/// What is told of a home in which two members order, in batches of so many; the second engine makes messages too.
async fn told(held: &str, batch: usize) -> Vec<NewMessage> {
    let home = live(&brand("  {}", &PICK.replace("HELD", held)), 2).await;
    let store = home.engine().store().as_ref();
    let types = BTreeSet::from(["campaign.step".to_owned()]);
    let url = "http://127.0.0.1:1/".to_owned();
    let new = NewEndpoint { url, types, allow_private: true, ..NewEndpoint::default() };
    let wall = at("2026-11-26T00:00:00Z");
    let (hook, _) = manage::make(store, &Grant::system("ann"), new, &[1; 24], wall).await.unwrap();
    home.accept_live(
        "till",
        &[order("o1", "m0", "1", NOW, "50"), order("o2", "m1", "2", NOW, "50")],
        at(NOW),
    )
    .await;
    home.engine().drain(batch, Some(at("2024-05-03T04:00:00Z")), |_| ()).await.unwrap();
    let other = home.second_engine().await;
    loop {
        let (one, two) = tokio::join!(home.engine().pump(wall), other.pump(wall));
        let work = store.work().await.unwrap();
        let behind = work.feed.iter().any(|(_, behind)| *behind > 0);
        if one.unwrap().entries + two.unwrap().entries == 0 && !behind {
            break;
        }
        tokio::task::yield_now().await;
    }
    let log = Log { endpoint: hook.id, state: None, before: None, limit: 100 };
    let mut messages: Vec<NewMessage> =
        store.webhooks().messages(log).await.unwrap().into_iter().map(|kept| kept.message).collect();
    messages.sort_by_key(|message| (message.at, message.id));
    home.healthy().await;
    messages
}

#[tokio::test]
async fn a_webhook_step_is_told_once_under_one_id_whatever_the_batches_are() {
    let messages = told("0%", 1).await;
    assert_eq!(messages.len(), 4);
    let ids: BTreeSet<_> = messages.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), 4);
    for message in &messages {
        let data: Value = serde_json::from_str(&message.data).unwrap();
        let fields = data.as_object().unwrap();
        assert_eq!(webhook::misfit(webhook::kind("campaign.step").unwrap(), fields), None, "{data}");
        assert_eq!(data["member"], json!(message.member.unwrap().to_string()));
        assert_eq!(data["campaign"], json!("pick"));
        let first = data["step"] == "1";
        let order = &data["with"]["order"];
        let with = if first { json!({"gift": "mug", "level": "regular", "order": order}) } else { json!({}) };
        assert_eq!(data["with"], with, "what it has nothing of is not passed on");
        assert_eq!(data["webhook"], json!(if first { "pick-up" } else { "packed" }));
        assert_eq!(message.at, at(if first { NOW } else { "2024-05-02T04:00:00Z" }));
    }
    let orders: BTreeSet<String> = messages[..2].iter().map(|one| one.data.clone()).collect();
    assert_eq!(orders.len(), 2);
    for batch in [7, 64] {
        let again: BTreeSet<_> = told("0%", batch).await.into_iter().map(|message| message.id).collect();
        assert_eq!(again, ids, "batches of {batch}");
    }
}

#[tokio::test]
async fn nothing_is_told_of_who_is_held_out() {
    assert_eq!(told("100%", 64).await, []);
}
