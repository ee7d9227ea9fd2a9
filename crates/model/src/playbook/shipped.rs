//! The playbooks that come with the binary.

/// The shipped playbook of a variety-store chain: the rules of a real brand.
pub const VARIETY_STORE: &str = include_str!("../../../../playbooks/variety-store.yaml");
/// The shipped playbook of the demo: the variety store's rules over a real retailer's year.
pub const DEMO: &str = include_str!("../../../../playbooks/demo.yaml");

/// The shipped campaigns of the variety store: its rules, and what it says to whom when.
pub const CAMPAIGNS: &str = include_str!("../../../../playbooks/variety-store-campaigns.yaml");

/// The names of the shipped playbooks.
pub const NAMES: [&str; 3] = ["variety-store", "demo", "variety-store-campaigns"];

/// The text of a shipped playbook.
pub fn shipped(name: &str) -> Option<&'static str> {
    match name {
        "variety-store" => Some(VARIETY_STORE),
        "demo" => Some(DEMO),
        "variety-store-campaigns" => Some(CAMPAIGNS),
        _ => None,
    }
}

/// A [`super::Loader`] that knows the shipped playbooks and nothing else.
pub fn load(name: &str, _from: &str) -> Result<(String, String), String> {
    match shipped(name) {
        Some(text) => Ok((format!("{name}.yaml"), text.to_owned())),
        None => Err(format!("there is no shipped playbook `{name}`; there are {}", NAMES.join(", "))),
    }
}
