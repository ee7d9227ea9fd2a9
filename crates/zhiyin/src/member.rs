//! `zhiyin member`: one member whole.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;
use zhiyin_engine::audit::{Outcome, Target, detail, note};
use zhiyin_engine::members::MembersAsked;
use zhiyin_engine::people::Found;
use zhiyin_engine::sight::LIMIT_MAX;
use zhiyin_model::effect::Asset;
use zhiyin_model::role::Operation;
use zhiyin_model::time::Ts;
use zhiyin_store::read::MemberWhole;

use crate::arguments::{Format, Member, MemberAction, MemberFormat, Place};
use crate::report;
use crate::say::say;
use crate::told::Told;
use crate::who;

/// Reasons are kept with an erasure.
const REASON_CHARS_MAX: usize = zhiyin_engine::erase::REASON_CHARS_MAX;

/// Shows one member, erases one, or writes all of one.
pub async fn member(place: &Place, arguments: Member) -> Result<ExitCode> {
    match (arguments.action, arguments.identifier) {
        (Some(MemberAction::Erase { identifier, reason }), _) => erase(place, &identifier, &reason).await,
        (Some(MemberAction::Find { name, limit, format }), _) => {
            find(place, name, limit as usize, format).await
        }
        (Some(MemberAction::Index), _) => index(place).await,
        (Some(MemberAction::Export { identifier, file }), _) => export(place, &identifier, &file).await,
        (None, Some(identifier)) => show(place, &identifier, arguments.format).await,
        (None, None) => bail!("name a member: NAMESPACE:VALUE"),
    }
}

async fn find(place: &Place, name: String, most: usize, format: Format) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let mut asked = MembersAsked { name: Some(name), limit: most.min(LIMIT_MAX), ..MembersAsked::default() };
    let mut rows = Vec::new();
    loop {
        let page = engine.members(&who::system(), &asked).await?;
        rows.extend(page.items.into_iter().map(|member| {
            let names = member.identifiers.iter().map(|one| format!("{}:{}", one.namespace, one.value));
            vec![
                member.id,
                member.name.unwrap_or_default(),
                names.collect::<Vec<_>>().join(" "),
                member.tier.unwrap_or_default(),
                member.store.unwrap_or_default(),
            ]
        }));
        asked.cursor = page.next;
        if asked.cursor.is_none() || rows.len() >= most {
            break;
        }
    }
    rows.truncate(most);
    report::print(&["member", "name", "identifiers", "tier", "store"].map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

async fn index(place: &Place) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let indexed = engine.build_found_by(|_| ()).await?;
    say!(
        "{} members looked at; {} are found by a name or by who looks after them",
        indexed.members,
        indexed.found
    );
    if indexed.left > 0 {
        say!("{} were decided about again and again meanwhile: run it again", indexed.left);
    }
    let more = detail(json!({"act": "member index", "members": indexed.members}));
    let store = engine.store().as_ref();
    note(store, &who::system(), Operation::HomeManage, &Target::home(), Outcome::Done, &more).await?;
    Ok(ExitCode::SUCCESS)
}

async fn erase(place: &Place, identifier: &str, reason: &str) -> Result<ExitCode> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        bail!("--reason has 1 to {REASON_CHARS_MAX} characters");
    }
    let engine = place.open_existing().await?;
    let Some(member) = engine.named(identifier).await? else {
        // Not said again: what is asked for may be on its way out of this terminal's log as well.
        eprintln!("zhiyin: nobody is known by that name");
        return Ok(ExitCode::from(1));
    };
    let target = Target::member(&engine.home().await?.id_key, member);
    let deed = engine.erase(member, reason.trim());
    engine.audited(&who::system(), (Operation::MemberErase, &target), &detail(json!({})), deed).await?;
    say!("member {member} is erased: nobody is found or read by what they were called");
    Ok(ExitCode::SUCCESS)
}

async fn export(place: &Place, identifier: &str, file: &Path) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let Some(member) = engine.named(identifier).await? else {
        eprintln!("zhiyin: nobody is known by that name");
        return Ok(ExitCode::from(1));
    };
    let target = Target::member(&engine.home().await?.id_key, member);
    let on = (Operation::MemberExport, &target);
    let all = engine.audited(&who::system(), on, &detail(json!({})), engine.export(member)).await?;
    let all = serde_json::to_vec_pretty(&all)?;
    let out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut out = out.with_context(|| file.display().to_string())?;
    out.write_all(&all).and_then(|()| out.sync_all()).with_context(|| file.display().to_string())?;
    say!("{}: all that is known of member {member}", file.display());
    Ok(ExitCode::SUCCESS)
}

async fn show(place: &Place, identifier: &str, format: MemberFormat) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let member = match engine.find(identifier).await? {
        Found::One(member) => member,
        Found::Nobody => {
            eprintln!("zhiyin: nobody is known as {identifier}");
            return Ok(ExitCode::from(1));
        }
        Found::Several(namespaces) => {
            let which = namespaces.join(", ");
            eprintln!("zhiyin: {identifier} is known in several namespaces: {which}; say NAMESPACE:VALUE");
            return Ok(ExitCode::from(1));
        }
    };
    let whole = engine.whole(member).await?;
    let told = Told::of(&engine, &whole.member).await?;
    match format {
        MemberFormat::Json => {
            let mut json = as_json(&whole);
            told.add_to(&whole.member, &mut json);
            say!("{}", serde_json::to_string_pretty(&json)?);
        }
        MemberFormat::Table => print(&whole, &told),
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(whole: &MemberWhole) -> serde_json::Value {
    let member = &whole.member;
    let forever = |at: Ts| (at != Ts::FOREVER).then(|| at.rfc3339());
    json!({
        "id": member.id.to_string(),
        "identifiers": whole.identifiers.iter().map(|(namespace, value)| json!({"namespace": namespace, "value": value})).collect::<Vec<_>>(),
        "known_since": member.known_since.rfc3339(),
        "enrolled_at": member.enrolled_at.map(Ts::rfc3339),
        "attributes": member.attributes.iter().map(|(k, v)| (k.clone(), plain(v))).collect::<serde_json::Map<_, _>>(),
        "touches": {
            "first": member.touches.first.as_ref().map(|touch| json!({"at": touch.at.rfc3339(), "touchpoint": touch.code})),
            "last": member.touches.last.as_ref().map(|touch| json!({"at": touch.at.rfc3339(), "touchpoint": touch.code})),
        },
        "orders": {"count": whole.orders.0, "paid_cents": whole.orders.1},
        "accounts": Asset::ALL.iter().map(|asset| {
            let account = member.account(*asset);
            (asset.name().to_owned(), json!({"shown": account.shown(), "active": account.active, "pending": account.pending, "held": account.held, "debt": account.debt}))
        }).collect::<serde_json::Map<_, _>>(),
        "lots": whole.lots.iter().map(|(left, granted, from, until)| json!({"remaining": left, "granted": granted, "active_at": from.rfc3339(), "expires_at": forever(*until)})).collect::<Vec<_>>(),
        "tier": member.term.as_ref().map(|term| json!({"level": term.level, "from": term.from.rfc3339(), "ends": term.ends.to_string()})),
        "terms": whole.terms.iter().map(|(level, from, ends)| json!({"level": level, "from": from.rfc3339(), "ends": ends.to_string()})).collect::<Vec<_>>(),
        "lifecycle": member.stage.as_ref().map(|held| json!({"stage": held.stage, "since": held.since.rfc3339()})),
        "stages": whole.stages.iter().map(|(was, becomes, at)| json!({"from": was, "to": becomes, "at": at.rfc3339()})).collect::<Vec<_>>(),
        "tags": member.tags.iter().map(|(tag, held)| json!({"tag": tag, "since": held.since.rfc3339(), "by_rule": held.by_rule})).collect::<Vec<_>>(),
        "audiences": member.audiences.since.iter().map(|(audience, since)| json!({"audience": audience, "since": since.rfc3339()})).collect::<Vec<_>>(),
        "transfers": whole.transfers.iter().map(|t| json!({"id": t.id.to_string(), "at": t.at.rfc3339(), "asset": t.asset.name(), "kind": t.kind.name(), "amount": t.amount})).collect::<Vec<_>>(),
        "given_up": whole.given_up.iter().map(|(at, namespace, why)| json!({"at": at.rfc3339(), "namespace": namespace, "why": why.name()})).collect::<Vec<_>>(),
        "timeline": whole.timeline.iter().map(|(at, name, source)| json!({"at": at.rfc3339(), "event": name, "source": source})).collect::<Vec<_>>(),
    })
}

fn plain(scalar: &zhiyin_model::scalar::Scalar) -> serde_json::Value {
    use zhiyin_model::scalar::Scalar;
    match scalar {
        Scalar::Bool(value) => json!(value),
        Scalar::Number(number) => json!(number.to_string()),
        Scalar::Text(text) => json!(text),
        Scalar::Texts(texts) => json!(texts),
    }
}

fn print(whole: &MemberWhole, told: &Told) {
    let member = &whole.member;
    for (namespace, value) in &whole.identifiers {
        say!("{namespace}:{value}");
    }
    say!("known since   {}", member.known_since);
    for (name, value) in &member.attributes {
        say!("  {name:<20} {}", plain(value).to_string().trim_matches('"'));
    }
    for (when, touch) in [("first touch", &member.touches.first), ("last touch", &member.touches.last)] {
        if let Some(touch) = touch {
            say!("{when:<13} {}  {}", touch.at, touch.code);
        }
    }
    say!("orders        {} ({} in minor units)", whole.orders.0, whole.orders.1);
    for asset in Asset::ALL {
        let account = member.account(asset);
        let parts = [("pending", account.pending), ("held", account.held), ("debt", account.debt)];
        let more: String =
            parts.iter().filter(|(_, n)| *n != 0).map(|(what, n)| format!("  {what} {n}")).collect();
        say!("{:<13} {}{more}", asset.name(), account.shown());
    }
    let mut by_expiry: std::collections::BTreeMap<Ts, (i64, usize)> = std::collections::BTreeMap::new();
    for (left, _, _, until) in &whole.lots {
        let sum = by_expiry.entry(*until).or_default();
        *sum = (sum.0 + left, sum.1 + 1);
    }
    for (until, (left, n)) in by_expiry {
        say!("  {left} in {n} lots until {until}");
    }
    for (level, from, ends) in &whole.terms {
        say!("tier          {level:<10} from {from} to {ends}");
    }
    for (was, becomes, at) in &whole.stages {
        say!("lifecycle     {:<14} {at}  from {}", becomes, was.as_deref().unwrap_or("nothing"));
    }
    for (tag, held) in &member.tags {
        say!("tag           {tag:<22} since {}", held.since);
    }
    for (audience, since) in &member.audiences.since {
        say!("audience      {audience:<22} since {since}");
    }
    told.print(member);
    say!("latest transfers:");
    for t in &whole.transfers {
        say!("  {}  {:<6} {:<9} {:>8}  {}", t.at, t.asset.name(), t.kind.name(), t.amount, t.id);
    }
    say!("latest events:");
    for (at, name, source) in &whole.timeline {
        say!("  {at}  {name}  ({source})");
    }
    if !whole.given_up.is_empty() {
        say!("identifiers that were given up:");
    }
    for (at, namespace, why) in &whole.given_up {
        say!("  {at}  {namespace}  {}", why.name());
    }
}
