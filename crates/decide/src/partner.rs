//! Partners (C5): whom their codes bring to us, whom we send to them, and who used it there.

use zhiyin_model::effect::{PartnerDeed, PartnerMove};
use zhiyin_model::event::{Event, names};
use zhiyin_model::scalar::Scalar;

use crate::Scene;
use crate::outcome::{Outcome, Stop};
use crate::rules::Rules;
use crate::state::State;

/// Refuses what is said of a partner whom the playbook does not know.
pub fn ask(rules: &Rules, event: &Event) -> Result<(), Stop> {
    match deed(event) {
        Some(_) if named(rules, event).is_none() => {
            let message = "the playbook has no such partner";
            Err(Stop::refused("partner_unknown", "properties.partner", message))
        }
        _ => Ok(()),
    }
}

/// Takes note of what passed.
pub fn note(scene: &Scene<'_>, state: &State, event: &Event, newcomer: bool, out: &mut Outcome) {
    let mut passed = |partner: &str, deed: PartnerDeed| {
        let (member, at, event) = (state.member.id, event.time, scene.cause.id);
        out.partners.push(PartnerMove { member, partner: partner.to_owned(), deed, at, event });
    };
    if let Some(code) = event.touchpoint.as_deref().filter(|code| scene.rules.partners.contains(*code)) {
        passed(code, if newcomer { PartnerDeed::BroughtNew } else { PartnerDeed::BroughtKnown });
    }
    if let (Some(deed), Some(partner)) = (deed(event), named(scene.rules, event)) {
        passed(partner, deed);
    }
}

fn deed(event: &Event) -> Option<PartnerDeed> {
    match event.name.as_str() {
        names::PARTNER_REFERRED => Some(PartnerDeed::Sent),
        names::PARTNER_REDEEMED => Some(PartnerDeed::Redeemed),
        _ => None,
    }
}

fn named<'e>(rules: &Rules, event: &'e Event) -> Option<&'e str> {
    let partner = event.properties.get("partner").and_then(Scalar::text).map(str::trim)?;
    rules.partners.contains(partner).then_some(partner)
}
