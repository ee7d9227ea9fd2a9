//! Pictures, handed in when they are first needed, and known by the hash of what they show until the platform forgets them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::platform::{Answer, Trouble, Whose};
use zhiyin_store::Wanted;
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::tasks::Picture;
use super::{About, At, Kept, Put, Row};
use crate::{Engine, Result, rebuild};

/// The kind of their rows.
const MEDIA: &str = "media";
/// How long before the platform forgets a picture it is handed in anew: whoever gets it may look at it later.
const SPARE_US: i64 = 12 * HOUR_US;

/// A picture that was handed in.
#[derive(Debug, Serialize, Deserialize)]
struct Media {
    /// By which the platform knows it.
    media: String,
    /// Until when, in seconds since 1970 UTC.
    until: i64,
}

/// What a picture is known by.
pub(crate) fn hash_of(png: &[u8]) -> String {
    blake3::hash(png).to_hex().to_string()
}

/// That a picture cannot be drawn.
fn undrawn() -> Trouble {
    Trouble::Never { why: "poster_not_drawn", whose: Whose::Content }
}

impl Engine {
    /// By which the platform knows what was drawn: what was handed in before, as long as it is good.
    pub(crate) async fn media(
        &self,
        kept: &Kept<'_>,
        at: &At,
        (hash, png): (&str, &[u8]),
        wall: Ts,
    ) -> Result<Answer<String>> {
        if let Some(media) = self.known_media(kept, hash, wall).await? {
            return Ok(Ok(media));
        }
        let (media, until) =
            match at.desk.hand_in(&format!("{}.png", hash.get(..16).unwrap_or(hash)), png).await {
                Ok(handed) => handed,
                // A second one of the same does no harm.
                Err(Trouble::Unknown { why }) => {
                    return Ok(Err(Trouble::Later { why, rest: Default::default() }));
                }
                Err(trouble) => return Ok(Err(trouble)),
            };
        let id = kept.id(MEDIA, &[hash]);
        let found: BTreeMap<ReflectionId, Row<Media>> = kept.get(vec![id]).await?;
        let what = Media { media: media.clone(), until };
        let put = Put {
            kind: MEDIA,
            id,
            part: kept.id(MEDIA, &[]),
            read: found.get(&id).map_or(0, |row| row.version),
            due: Some(Ts(until.saturating_mul(1_000_000))),
            about: About::Nobody,
            what: &what,
        };
        // Where somebody else was quicker, either is good.
        kept.put(vec![put]).await?;
        Ok(Ok(media))
    }

    async fn known_media(&self, kept: &Kept<'_>, hash: &str, wall: Ts) -> Result<Option<String>> {
        let id = kept.id(MEDIA, &[hash]);
        let found: BTreeMap<ReflectionId, Row<Media>> = kept.get(vec![id]).await?;
        let good = |row: &Row<Media>| row.what.until.saturating_mul(1_000_000) > wall.plus_us(SPARE_US).0;
        Ok(found.into_values().find(good).map(|row| row.what.media))
    }

    /// By which the platform knows a task's picture; where it has forgotten it, it is drawn once more.
    pub(super) async fn media_of(
        &self,
        kept: &Kept<'_>,
        at: &At,
        picture: &Picture,
        wall: Ts,
    ) -> Result<Answer<String>> {
        if let Some(media) = self.known_media(kept, &picture.hash, wall).await? {
            return Ok(Ok(media));
        }
        let Some(png) = self.drawn_again(&picture.poster, picture.member).await? else {
            return Ok(Err(undrawn()));
        };
        self.media(kept, at, (&hash_of(&png), &png), wall).await
    }

    async fn drawn_again(&self, poster: &str, member: MemberId) -> Result<Option<Vec<u8>>> {
        let loaded = self.store().load(Wanted { members: vec![member], ..Wanted::default() }).await?;
        let Some(stored) = loaded.members.into_iter().find(|stored| stored.member.id == member) else {
            return Ok(None);
        };
        let live = self.live()?;
        let state = rebuild::state(self.store().as_ref(), &live.rules, stored).await?;
        Ok(self.poster_for(poster, &state).await?.ok())
    }

    /// Forgets pictures that the platform has forgotten.
    pub(super) async fn let_go_of_media(&self, kept: &Kept<'_>, wall: Ts) -> Result<usize> {
        let old: Vec<Row<Media>> = kept.lend(MEDIA, wall, wall.plus_us(HOUR_US), 200).await?;
        kept.forget(old.iter().map(|row| (row.id, row.version)).collect()).await
    }
}
