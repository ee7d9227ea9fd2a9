//! The brand: its tree of places, and its playbook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::readings::ReportView;
use zhiyin_engine::readings::brand::{PlaceWholeView, PlacesView, PlaybookView};
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, day};
use crate::api::input::Nothing;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("places_list", "/v1/places", Operation::PlacesRead, places)
            .says(
                "Read the tree of places",
                "门店与区域",
                "As it is, or as it was at the end of a day; as far as the key reaches.",
            )
            .refuses(&["as_of_future"])
            .example(json!({"as_of": "2017-06-30"})),
        Endpoint::get("places_unknown", "/v1/places/unknown", Operation::PlacesRead, unknown)
            .says(
                "List stores that no place bears",
                "未登记的门店",
                "Stores that orders name, the most named first.",
            )
            .refuses(&["outside_scope"]),
        Endpoint::get("places_read", "/v1/places/{code}", Operation::PlacesRead, place)
            .says("Read one place", "查看一个地点", "With its history and the codes of who works there.")
            .refuses(&["place_unknown"])
            .example(json!({"code": "330"})),
        Endpoint::get("playbooks_list", "/v1/playbooks", Operation::PlaybookRead, playbooks).says(
            "List versions of the playbook",
            "打法版本",
            "All that were applied, the newest first, without their texts.",
        ),
        Endpoint::get("playbooks_read", "/v1/playbooks/{version}", Operation::PlaybookRead, playbook)
            .says(
                "Read one version of the playbook",
                "查看打法",
                "With its text. `live` is the one that holds now.",
            )
            .example(json!({"version": "live"})),
    ]
}

/// As of when.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AsOf {
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
    as_of: Option<String>,
}

async fn places(caller: Caller, asked: AsOf) -> Result<PlacesView, Problem> {
    let day = day("as_of", asked.as_of.as_deref())?;
    Ok(caller.engine().places_view(&caller.grant, day).await?)
}

async fn unknown(caller: Caller, _: Nothing) -> Result<ReportView, Problem> {
    Ok(caller.engine().unknown_stores_view(&caller.grant).await?)
}

/// Which place.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Its code.
    code: String,
}

async fn place(caller: Caller, which: Which) -> Result<PlaceWholeView, Problem> {
    Ok(caller.engine().place_view(&caller.grant, &which.code).await?)
}

/// Versions of the playbook.
#[derive(Serialize, JsonSchema)]
struct Playbooks {
    /// The newest first.
    items: Vec<PlaybookView>,
}

async fn playbooks(caller: Caller, _: Nothing) -> Result<Playbooks, Problem> {
    Ok(Playbooks { items: caller.engine().playbooks_view(&caller.grant).await? })
}

/// Which version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Version {
    /// Its number, or `live`.
    version: String,
}

async fn playbook(caller: Caller, which: Version) -> Result<PlaybookView, Problem> {
    let number = match which.version.as_str() {
        "live" => None,
        text => Some(text.parse::<i64>().map_err(|_| Problem::of("not_found"))?),
    };
    Ok(caller.engine().playbook_view(&caller.grant, number).await?)
}
