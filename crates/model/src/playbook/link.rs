//! Short links, and the posters on which their codes stand (S1).

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Names;

/// Where short links lead, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// How the home is reached from outside: what is sent begins with it, such as `https://s.example.com`. Empty where no message and
    /// no poster bears a link.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Hosts to which links may lead; `*.example.com` is every host under one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Pages by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, Page>,
}

impl Links {
    /// Whether a playbook says nothing of links.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A page that links lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// What people call it.
    pub name: Names,
    /// Its address, or its path with us.
    pub to: String,
    /// The touchpoint where whoever follows a link met the brand, where the link says no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<String>,
    /// For how many days a link leads there; for ever, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// Whether whom a link is made for passes it on: whoever follows it is somebody else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Whether the page is told the code, as `zy`, so that it can say who brought whom.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_code: bool,
}

/// A poster: a drawing with places for what is known of a member, and for a code of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Poster {
    /// What people call it.
    pub name: Names,
    /// The drawing, as SVG.
    pub svg: String,
    /// The page that its code leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}
