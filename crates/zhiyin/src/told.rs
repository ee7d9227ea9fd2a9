//! Part of `zhiyin member`: what a member told of themselves, and what may be done by it.

use anyhow::Result;
use serde_json::{Value, json};
use zhiyin_engine::Engine;
use zhiyin_engine::told::{Spoken, Standing};
use zhiyin_model::consent::Ground;
use zhiyin_model::contact::Contact;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::group::Seat;
use zhiyin_model::member::Member;
use zhiyin_model::time::{Day, Ts};

use crate::say::say;

/// What a member told.
pub struct Told {
    standings: Vec<Standing>,
    said: Vec<Spoken>,
}

impl Told {
    /// Reads it.
    pub async fn of(engine: &Engine, member: &Member) -> Result<Self> {
        // Who never said anything needs no look at all of their events.
        let spoke = !member.personal.consents.is_empty();
        let said = if spoke { engine.consents_said(member.id).await? } else { Vec::new() };
        Ok(Self { standings: engine.consents(member).await?, said })
    }

    /// Adds it to a member's answer.
    pub fn add_to(&self, member: &Member, json: &mut Value) {
        let day = |day: Option<Day>| day.map(|day| day.to_string());
        let dependant = |one: Dependant<'_>| {
            json!({"key": one.key, "kind": one.kind, "due_on": day(one.due_on), "birthday": day(one.birthday),
                "name": one.name, "gender": one.gender})
        };
        json["consents"] = self.standings.iter().map(standing).collect();
        json["consents_said"] = self.said.iter().map(spoken).collect();
        let contact = |(channel, account, one): (&str, &str, &Contact)| {
            let (until, by) = (one.ended.map(|(at, _)| at.rfc3339()), one.ended.map(|(_, by)| by.name()));
            json!({"channel": channel, "account": account, "since": one.since.rfc3339(), "until": until, "ended_by": by,
                "half": one.half, "way": one.way,
                "tags": one.noted.as_ref().map(|noted| &noted.tags)})
        };
        json["contacts"] = member.personal.contacts.iter().map(contact).collect();
        let group = |(channel, group, one): (&str, &str, &Seat)| json!({"channel": channel, "group": group, "since": one.since.rfc3339(), "until": one.left.map(Ts::rfc3339), "how": one.how});
        json["groups"] = member.personal.groups.iter().map(group).collect();
        json["dependants"] = member.personal.dependants.known().map(dependant).collect();
    }

    /// Prints it.
    pub fn print(&self, member: &Member) {
        for Standing { purpose, channel, answer } in &self.standings {
            let (may, why) = match answer.allowed {
                Ok(ground) => ("may", ground.name()),
                Err(refused) => ("may not", refused.name()),
            };
            let until =
                if answer.until == Ts::FOREVER { String::new() } else { format!(" until {}", answer.until) };
            say!("consent       {:<22} {may}: {why}{until}", format!("{purpose}/{channel}"));
        }
        for said in &self.said {
            let what = if said.given { "yes" } else { "no" };
            let about = format!("{}/{}", said.purpose, said.channel);
            let more =
                [("text", Some(&said.version)), ("at", said.source.as_ref()), ("by", said.guardian.as_ref())];
            let more =
                more.iter().filter_map(|(word, text)| Some((word, (*text).filter(|text| !text.is_empty())?)));
            let more: String = more.map(|(word, text)| format!("  {word} {text}")).collect();
            say!("  {}  {what:<3} {about}{more}", said.at);
        }
        for one in member.personal.dependants.known() {
            let told = [
                ("due", one.due_on.map(|day| day.to_string())),
                ("born", one.birthday.map(|day| day.to_string())),
                ("gender", one.gender.map(str::to_owned)),
            ];
            let told: String =
                told.iter().filter_map(|(word, text)| Some(format!("  {word} {}", text.as_ref()?))).collect();
            say!("dependant     {:<10} {}{told}", one.kind, one.name.unwrap_or(one.key));
        }
        for (channel, account, one) in member.personal.contacts.iter() {
            let stands = match (one.ended, one.half) {
                (Some((at, by)), _) => format!("until {at}, ended by {}", by.name()),
                (None, true) => "not confirmed by the member yet".to_owned(),
                (None, false) => "current".to_owned(),
            };
            let way = one.way.as_ref().map(|way| format!("  by {way}")).unwrap_or_default();
            let tags: String =
                one.noted.iter().flat_map(|noted| &noted.tags).map(|tag| format!("  #{tag}")).collect();
            say!(
                "contact       {:<22} since {}  {stands}{way}{tags}",
                format!("{channel}/{account}"),
                one.since
            );
        }
        for (channel, group, one) in member.personal.groups.iter() {
            let stands = one.left.map_or_else(|| "in it".to_owned(), |at| format!("until {at}"));
            say!("group         {:<22} since {}  {stands}", format!("{channel}/{group}"), one.since);
        }
    }
}

fn standing(standing: &Standing) -> Value {
    let (allowed, why, since) = match standing.answer.allowed {
        Ok(ground) => {
            let since = if let Ground::Given { since, .. } = ground { Some(since.rfc3339()) } else { None };
            (true, ground.name(), since)
        }
        Err(refused) => (false, refused.name(), None),
    };
    let until = (standing.answer.until != Ts::FOREVER).then(|| standing.answer.until.rfc3339());
    json!({"purpose": standing.purpose, "channel": standing.channel, "allowed": allowed, "why": why,
        "since": since, "until": until})
}

fn spoken(said: &Spoken) -> Value {
    let version = Some(&said.version).filter(|version| !version.is_empty());
    json!({"at": said.at.rfc3339(), "given": said.given, "purpose": said.purpose, "channel": said.channel,
        "version": version, "source": said.source, "guardian": said.guardian})
}
