//! What a member told of themselves, for people: what may be done by it now, and every word as it was said.

use zhiyin_decide::consent;
use zhiyin_model::consent::{ALL, Answer, Consents};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use zhiyin_store::seal;

use crate::boxed;
use crate::{Engine, Result, clock, rebuild};

/// What may be done to a member for a purpose on a channel, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// For what.
    pub purpose: String,
    /// On which channel; `all` where the purpose has none.
    pub channel: String,
    /// Whether, on what ground, until when.
    pub answer: Answer,
}

/// A yes or a no as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// When.
    pub at: Ts,
    /// Yes, or no.
    pub given: bool,
    /// To what.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// To which version of the text; empty where it has none.
    pub version: String,
    /// Where.
    pub source: Option<String>,
    /// Who said it for them.
    pub guardian: Option<String>,
}

impl Engine {
    /// What may be done to a member for each purpose of the playbook on each of its channels.
    #[boxed]
    pub async fn consents(&self, member: &Member) -> Result<Vec<Standing>> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let mut standings = Vec::new();
        for (purpose, terms) in &live.rules.consent.purposes {
            let all = terms.channels.is_empty().then_some(ALL);
            for channel in terms.channels.iter().map(String::as_str).chain(all) {
                let answer = consent::ask(&live.rules, member, purpose, channel, now);
                standings.push(Standing { purpose: purpose.clone(), channel: channel.to_owned(), answer });
            }
        }
        Ok(standings)
    }

    /// Every word that a member said of consent, oldest first: read from their events, in files of archived months too.
    #[boxed]
    pub async fn consents_said(&self, member: MemberId) -> Result<Vec<Spoken>> {
        let live = self.live()?;
        let about = [names::CONSENT_GIVEN, names::CONSENT_WITHDRAWN, names::CONSENT_PREFERENCES];
        let past = self.store().history(member, about.map(str::to_owned).to_vec()).await?;
        let mut spoken = Vec::new();
        // What was erased nobody says any more.
        for event in past.events.iter().filter(|event| !seal::is_erased(&event.body)) {
            let mut heard = Consents::default();
            consent::hear_again(&live.rules, &mut heard, event.id, &rebuild::read(event)?);
            for (purpose, channel, words) in heard.words() {
                let yes = words.given.iter().chain(&words.by_guardian);
                let said = yes.map(|(version, word)| (true, version.as_str(), word));
                for (given, version, word) in said.chain(words.withdrawn.iter().map(|word| (false, "", word)))
                {
                    spoken.push(Spoken {
                        at: word.at,
                        given,
                        purpose: purpose.to_owned(),
                        channel: channel.to_owned(),
                        version: version.to_owned(),
                        source: word.source.clone(),
                        guardian: word.guardian.clone(),
                    });
                }
            }
        }
        spoken.sort_by_key(|spoken| (spoken.at, !spoken.given));
        Ok(spoken)
    }
}
