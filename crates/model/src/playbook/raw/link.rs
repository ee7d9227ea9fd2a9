//! Short links and posters as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::playbook::words::{ById, DaysPhrase, RawNames};

/// Where short links lead, and from where.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Links")]
pub(in crate::playbook) struct RawLinks {
    /// How the home is reached from outside.
    #[schemars(example = &"https://s.example.com")]
    pub address: Option<String>,
    /// Hosts to which links may lead; `*.example.com` is every host under one.
    pub hosts: Option<Vec<String>>,
    /// Pages by id, which messages name as `{{ link.ID }}`.
    pub pages: Option<ById<RawPage>>,
}

/// A page that links lead to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a page such as `{ to: https://shop.example.com/snacks }`")]
#[schemars(rename = "Page")]
pub(in crate::playbook) struct RawPage {
    /// What people call it.
    pub name: Option<RawNames>,
    /// Its https address at one of `hosts`, or its path with us.
    pub to: Option<String>,
    /// The touchpoint where whoever follows a link met the brand.
    pub touchpoint: Option<String>,
    /// For how many days a link leads there.
    pub expires: Option<DaysPhrase>,
    /// Whether whom a link is made for passes it on.
    pub shared: Option<bool>,
    /// Whether the page is told the code, as `zy`.
    pub with_code: Option<bool>,
}

/// A poster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a poster such as `{ svg: \"<svg …>\", link: invite }`")]
#[schemars(rename = "Poster")]
pub(in crate::playbook) struct RawPoster {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The drawing, as SVG.
    pub svg: Option<String>,
    /// The page that its code leads to: an id of `links.pages`.
    pub link: Option<String>,
}
