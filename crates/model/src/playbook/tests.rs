//! The shipped playbooks, merging, sources, malformed files and differences.

use super::*;

fn shipped_playbook(name: &str) -> Playbook {
    let text = shipped::shipped(name).unwrap();
    parse(&format!("{name}.yaml"), text, &shipped::load).unwrap_or_else(|problems| {
        panic!(
            "{}",
            problems.iter().map(|p| format!("{p}\n")).collect::<String>()
        )
    })
}

#[test]
fn the_shipped_playbooks_are_sound() {
    for name in shipped::NAMES {
        let playbook = shipped_playbook(name);
        assert_eq!(playbook.id, name);
    }
}
