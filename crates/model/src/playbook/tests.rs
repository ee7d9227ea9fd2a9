//! The rules of the playbook as tests, a file for each concern.

mod campaigns;
mod consent;
mod differences;
mod draws;
mod forms;
mod hostile;
mod identity;
mod links;
mod malformed;
mod merging;
mod offers;
mod shipped_rules;
mod ways;

use super::*;

/// A shipped playbook, or all that is wrong with it.
fn shipped_playbook(name: &str) -> Playbook {
    let text = shipped::shipped(name).unwrap();
    parse(&format!("{name}.yaml"), text, &shipped::load).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())
    })
}
