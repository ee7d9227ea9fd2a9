//! The section `audiences`: audiences that are saved under a name.

use std::collections::BTreeMap;

use super::super::raw::RawAudience;
use super::super::words::ById;
use super::super::yaml::Node;
use super::{Check, MAX_FEW};
use crate::playbook::Audience;

impl Check<'_> {
    pub(super) fn audiences(
        &mut self,
        raw: Option<ById<RawAudience>>,
        node: Option<&Node>,
    ) -> BTreeMap<String, Audience> {
        let audiences: BTreeMap<String, Audience> =
            self.by_id(raw, node, false, Self::audience).into_iter().collect();
        let n_standing = audiences.values().filter(|audience| audience.standing).count();
        if let Some(node) = node.filter(|_| n_standing > MAX_FEW) {
            // Each is judged with everything that happens to anybody.
            let allowed = format!("at most {MAX_FEW}; others can be asked whenever they are needed");
            self.problem(node.problem("too many standing audiences", Some(allowed)));
        }
        audiences
    }

    fn audience(&mut self, raw: RawAudience, node: &Node) -> Option<Audience> {
        let name = self.names(raw.name, node);
        let is_ruled = raw.who.is_some();
        let who = self.condition(raw.who, node.get("who"));
        let standing = raw.standing.unwrap_or(false);
        if let (true, false, Some(at)) = (standing, is_ruled, node.get("standing")) {
            let allowed = "`who`, the condition that is kept current";
            self.problem(at.problem("a list that is uploaded by hand cannot stand", Some(allowed.into())));
        }
        Some(Audience { name, who, standing })
    }
}
