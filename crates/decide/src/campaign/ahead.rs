//! Looking ahead for a member: whether they could begin a campaign, and what would become of its messages.

use zhiyin_model::run::quota_of;

use super::rule::{Act, CampaignRule};
use super::{bucket, guard, may_begin};
use crate::Scene;
use crate::outcome::Known;
use crate::state::State;

/// Whether a member could begin a campaign at an instant, and what each guard-rail would say of its first message on each of its
/// channels: asked without doing anything.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Whether they may begin, or the name of why not.
    pub begins: Result<(), &'static str>,
    /// Whether they are held out, or would be.
    pub held: bool,
    /// (message, channel) and what the guard-rails say.
    pub sends: Vec<(String, String, guard::Checked)>,
}

/// Looks ahead for a member. Pools must be known ([`pools`]).
pub fn outlook(scene: &Scene<'_>, state: &State, known: &Known, rule: &CampaignRule) -> Outlook {
    let runs = &state.member.runs;
    let own =
        runs.past.get(&rule.id).map_or_else(|| bucket(scene, &rule.id, state.member.id), |past| past.bucket);
    let all = runs.bucket.unwrap_or_else(|| bucket(scene, "", state.member.id));
    let held = !rule.promised && (own < rule.holdout || all < scene.rules.sending.holdout);
    let mut sends = Vec::new();
    for op in &rule.ops {
        let Act::Send { message, by, at } = &op.act else { continue };
        for channel in by {
            let sells = scene.rules.messages.get(message).copied().unwrap_or(true);
            let asked = guard::Ask { rule, message, channel, at: *at, sells, held, run: None, but: None };
            sends.push((message.clone(), channel.clone(), guard::guard(scene, state, known, asked)));
        }
    }
    Outlook { begins: may_begin(scene, state, known, rule, "outlook"), held, sends }
}

/// Pools that an outlook at an instant needs.
pub fn pools(scene: &Scene<'_>, rule: &CampaignRule) -> Vec<String> {
    let day = scene.rules.zone.day(scene.at);
    let quotas = scene.rules.sending.quota.keys().map(|channel| quota_of(channel, day));
    [rule.halt.clone(), rule.sent.clone()].into_iter().chain(quotas).collect()
}
