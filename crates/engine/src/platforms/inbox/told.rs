//! What people write to an app of the brand's is told whole by a callback: it is taken in as what was said at a desk, which is the app.

use std::collections::BTreeMap;

use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::platform::{Attachment, Speaker, Spoken, SpokenWhat};

use super::TRIES;
use super::hear::{Hearing, Place};
use crate::{Engine, Result};

/// A word that an app was told.
#[derive(Clone, Debug)]
pub(crate) struct Heard<'h> {
    /// The channel, and what the brand calls the app's account.
    pub(crate) of: (&'h str, &'h str),
    /// The app.
    pub(crate) app: &'h str,
    /// As which persona it speaks.
    pub(crate) persona: &'h str,
    /// Who said it: a namespace of a home, and their name there.
    pub(crate) whom: (&'h str, &'h str),
    /// What it is known by.
    pub(crate) id: &'h str,
    /// When, by the wall clock, in seconds.
    pub(crate) at: i64,
    /// What it says.
    pub(crate) text: &'h str,
    /// What was sent with it, or in its place.
    pub(crate) attached: Option<Attachment>,
    /// For how many hours it may be answered, and how often.
    pub(crate) window: (u32, u64),
}

impl Engine {
    /// Takes a word in, once; whether it is in. Where too much is said in its conversation right now it is not, and may be taken in later.
    pub(crate) async fn hear_in_app(&self, heard: &Heard<'_>) -> Result<bool> {
        let rows = self.inbox_rows().await?;
        let (hours, n) = heard.window;
        let closes = move |when: Ts| (when.plus_us(i64::from(hours).saturating_mul(HOUR_US)), n);
        let place = Place {
            of: heard.of,
            namespace: heard.whom.0,
            desk: heard.app,
            persona: heard.persona,
            window: &closes,
        };
        let spoken = [Spoken {
            id: heard.id.to_owned(),
            desk: heard.app.to_owned(),
            customer: heard.whom.1.to_owned(),
            at: heard.at,
            what: SpokenWhat::Word {
                by: Speaker::Customer,
                text: heard.text.to_owned(),
                attached: heard.attached.clone(),
            },
        }];
        let askers = BTreeMap::new();
        for _ in 0..TRIES {
            let mut hearing = Hearing::new(&rows, &place, &askers);
            hearing.load(&spoken).await?;
            spoken.iter().for_each(|one| hearing.hear(one));
            let things = hearing.things()?;
            if things.is_empty() || rows.converse(things, hearing.listed()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
