//! What somebody is welcomed with who came by a way: a message of the playbook, with a link and a picture where it says so (C1). It is put
//! together within the seconds in which a welcome must be said, so pictures are handed in before.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::playbook::way::Greeting;
use zhiyin_model::playbook::{Language, Playbook, Problem};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Attached, Said};
use zhiyin_reach::{poster, template};

use super::{About, At, Kept, Put};
use crate::campaigns::said;
use crate::links;
use crate::live::Live;
use crate::{Engine, Result};

/// Rows of pictures that were handed in.
const PICTURE: &str = "way_picture";
/// So long before its end a picture is handed in anew, in seconds.
const EARLY_S: i64 = 12 * 3_600;
/// How long a picture that cannot be handed in is left alone, in seconds.
const REST_S: i64 = 600;

/// A picture as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Picture {
    /// By which the platform knows it; nothing where it could not be handed in.
    media: Option<String>,
    /// Until when it is good, or left alone, in seconds since 1970.
    until: i64,
    /// The version of the playbook whose drawing it is.
    version: i64,
}

/// Greetings of a way, at whatever time.
fn greetings(playbook: &Playbook) -> impl Iterator<Item = (&str, &str, &Greeting)> {
    playbook.ways().flat_map(|(code, way)| {
        let of_hours = way.hours.iter().filter_map(|hours| hours.welcome.as_ref());
        of_hours.chain(&way.welcome).map(move |greeting| (code, way.account.as_str(), greeting))
    })
}

/// What is wrong with what ways welcome with: nothing is known of whoever comes, so nothing of a member may be said.
pub(crate) fn problems(file: &str, playbook: &Playbook) -> Vec<Problem> {
    let mut known = BTreeMap::new();
    said::Said::shown(playbook, &mut known);
    let mut problems = Vec::new();
    let mut tell = |path: String, message: String, allowed: String| {
        problems.push(Problem {
            file: file.to_owned(),
            line: 1,
            column: 1,
            path,
            message,
            allowed: Some(allowed),
        });
    };
    let mut told = BTreeSet::new();
    for (code, _, greeting) in greetings(playbook) {
        let path = format!("touchpoints.{code}.way.welcome");
        if let Some(message) =
            playbook.messages.get(&greeting.message).filter(|_| told.insert(&greeting.message))
        {
            let texts = [&message.text.zh, &message.text.en].into_iter().flatten();
            if let Some(error) = texts.filter_map(|text| template::check(text, &known).err()).next() {
                let message = format!("the message {} cannot welcome anybody: {error}", greeting.message);
                let allowed =
                    format!("%NICKNAME%, and {}", known.keys().cloned().collect::<Vec<_>>().join(", "));
                tell(format!("{path}.message"), message, allowed);
            }
        }
        let drawn = greeting.poster.as_ref().and_then(|id| Some((id, playbook.posters.get(id)?)));
        if let Some((id, terms)) = drawn.filter(|(id, _)| told.insert(id))
            && let Err(error) = poster::check(&terms.svg, &BTreeMap::new())
        {
            let message = format!("the poster {id} cannot welcome anybody: {error}");
            tell(format!("{path}.poster"), message, "a drawing that names nothing of a member".to_owned());
        }
    }
    problems
}

/// The link to a page that stands in a way's welcome.
fn link_of(
    key: &zhiyin_model::id::IdKey,
    live: &Live,
    (way, page): (&str, &str),
    at: Ts,
) -> Option<(Link, String)> {
    let links = &live.playbook.links;
    let terms = links.pages.get(page).filter(|_| !links.address.is_empty())?;
    let code = LinkCode::of(key, &[b"way", way.as_bytes(), page.as_bytes()]);
    let url = links::url(links, Followed::Clicked, &code);
    let link = Link {
        code,
        page: page.to_owned(),
        to: String::new(),
        touchpoint: terms.touchpoint.clone().or_else(|| Some(way.to_owned())),
        campaign: None,
        message: Some(format!("welcome {way}").chars().take(64).collect()),
        member: None,
        sharer: None,
        at,
        until: None,
    };
    Some((link, url))
}

/// The message that is a welcome by its name.
fn named_welcome(live: &Live, touchpoint: Option<&str>) -> Option<Said> {
    let of_touchpoint = touchpoint.map(|touchpoint| format!("welcome_{touchpoint}"));
    let mut names = of_touchpoint.into_iter().chain(["welcome".to_owned()]);
    let message = names.find(|name| live.playbook.messages.contains_key(name))?;
    let text = live.said.text(&message, &BTreeMap::new());
    (!text.trim().is_empty()).then_some(Said { text, attached: Vec::new() })
}

impl Engine {
    /// What whoever comes by a way is welcomed with at an instant; where the playbook says nothing of it the message `welcome_TOUCHPOINT`,
    /// else `welcome`; nothing where there is none. `%NICKNAME%` stands for what the platform calls them.
    pub(crate) async fn welcome_of(&self, at: &At, way: Option<&str>, wall: Ts) -> Result<Option<Said>> {
        let code = way.map(|way| way.split_once('~').map_or(way, |(touchpoint, _)| touchpoint));
        let live = self.live()?;
        let terms = code.and_then(|code| Some((code, live.playbook.touchpoint(code)?.way.as_ref()?)));
        let Some((code, terms)) = terms else { return Ok(named_welcome(&live, code)) };
        let (home, zone) = (self.home().await?, self.zone_of_way(terms).await?);
        let now = wall.plus_us(home.offset_us);
        let Some(greeting) = terms.greeting_at(&zone, now) else {
            return Ok(named_welcome(&live, Some(code)));
        };
        let (mut variables, mut made) = (BTreeMap::new(), Vec::new());
        for page in live.said.pages_of(&greeting.message) {
            if let Some((link, url)) = link_of(&home.id_key, &live, (code, page), now) {
                variables.insert(format!("{}{page}", links::GROUP), url);
                made.push(link);
            }
        }
        let mut attached = Vec::new();
        if let Some(poster) = &greeting.poster {
            let kept = self.kept(at).await?;
            let id = kept.id(PICTURE, &[poster]);
            let picture = kept.get::<Picture>(vec![id]).await?.remove(&id).map(|row| row.what);
            let good = picture.filter(|picture| picture.until > wall.0.div_euclid(1_000_000));
            attached.extend(good.and_then(|picture| picture.media).map(|media| Attached::Picture { media }));
        }
        if let Some(page) = &greeting.link
            && let Some((link, url)) = link_of(&home.id_key, &live, (code, page), now)
        {
            let language = live.playbook.languages.first().copied().unwrap_or(Language::Zh);
            let title =
                live.playbook.links.pages.get(page).map(|terms| terms.name.in_language(language, page));
            let title = title.unwrap_or(page).to_owned();
            attached.push(Attached::Link { title, url, description: String::new(), picture: None });
            made.push(link);
        }
        if !made.is_empty() {
            self.store().coupons().campaigns().links().put_links(made).await?;
        }
        let text = live.said.text(&greeting.message, &variables);
        Ok((!text.trim().is_empty() || !attached.is_empty()).then_some(Said { text, attached }))
    }

    /// Hands in pictures of welcomes before they are needed. One that cannot be drawn or is not taken is left out of its welcome, and tried
    /// again.
    pub(super) async fn hand_in_pictures(
        &self,
        at: &At,
        kept: &Kept<'_>,
        live: &Live,
        wall: Ts,
    ) -> Result<()> {
        let of_account = greetings(&live.playbook).filter(|(_, account, _)| *account == at.account);
        let posters: BTreeSet<(&str, &str)> =
            of_account.filter_map(|(code, _, greeting)| Some((greeting.poster.as_deref()?, code))).collect();
        let (mut seen, now_s) = (BTreeSet::new(), wall.0.div_euclid(1_000_000));
        for (poster, way) in posters {
            if !seen.insert(poster) {
                continue;
            }
            let id = kept.id(PICTURE, &[poster]);
            let row = kept.get::<Picture>(vec![id]).await?.remove(&id);
            let version = live.version.version;
            let is_good = |picture: &Picture| {
                let until = if picture.media.is_some() { picture.until - EARLY_S } else { picture.until };
                picture.version == version && until > now_s
            };
            if row.as_ref().is_some_and(|row| is_good(&row.what)) {
                continue;
            }
            let home = self.home().await?;
            let page = live.playbook.posters.get(poster).and_then(|terms| terms.link.as_deref());
            let link =
                page.and_then(|page| link_of(&home.id_key, live, (way, page), wall.plus_us(home.offset_us)));
            let url = link.as_ref().map(|(_, url)| url.clone());
            if let Some((link, _)) = link {
                self.store().coupons().campaigns().links().put_links(vec![link]).await?;
            }
            let (media, until) = match self.draw_for_anybody(poster, url).await? {
                Ok(png) => match at.desk.hand_in(&format!("{poster}.png"), &png).await {
                    Ok((media, until)) => (Some(media), until),
                    Err(trouble) => {
                        tracing::warn!(
                            poster,
                            why = trouble.why(),
                            "ways: a picture of a welcome is not taken"
                        );
                        (None, now_s + REST_S)
                    }
                },
                Err(refusal) => {
                    tracing::warn!(
                        poster,
                        why = refusal.code,
                        "ways: a picture of a welcome cannot be drawn"
                    );
                    (None, now_s + REST_S)
                }
            };
            let picture = Picture { media, until, version };
            let read = row.map_or(0, |row| row.version);
            let put =
                Put { kind: PICTURE, id, part: id, read, due: None, about: About::Nobody, what: &picture };
            kept.put(vec![put]).await?;
        }
        Ok(())
    }
}
