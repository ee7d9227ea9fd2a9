//! `zhiyin coupon issue | claim | redeem | withdraw | list | show | issues | codes`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Subcommand;
use tokio::sync::oneshot;
use zhiyin_engine::Engine;
use zhiyin_engine::command::{Act, Answer, Asker, Whom};
use zhiyin_engine::coupons::IssueView;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::codes::{CodesAction, codes};
use crate::report::print;
use crate::say::say;
use crate::who;

/// By which key's name commands of this command line are known.
const KEY: &str = "cli";

/// What to do with coupons.
#[derive(Clone, Debug, Subcommand)]
pub enum CouponAction {
    /// Issues coupons of an offer to a member, or one to everybody in an audience.
    #[command(group = clap::ArgGroup::new("to").required(true))]
    Issue {
        /// The offer's id in the playbook.
        offer: String,
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long, group = "to")]
        member: Option<String>,
        /// A saved audience by its id, or a condition.
        #[arg(long, group = "to", value_name = "NAME|CONDITION")]
        audience: Option<String>,
        /// How many, for a member.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
        count: u32,
        /// By what it is known when it is said again: it is done once. With an audience it must be said.
        #[arg(long, value_name = "NAME", required_unless_present = "member")]
        batch: Option<String>,
        /// Why.
        #[arg(long, default_value = "at the command line")]
        reason: String,
    },
    /// Claims coupons for a member, as they would themselves: within the offer's time, for the points that it costs.
    Claim {
        /// The offer's id in the playbook.
        offer: String,
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
        /// How many, all or none.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
        count: u32,
        /// By what it is known when it is said again: it is done once.
        #[arg(long, value_name = "NAME")]
        known_as: Option<String>,
    },
    /// Uses a coupon up, by its code: at the till, or where a gift is picked up.
    Redeem {
        /// Its code or its id.
        coupon: String,
        /// The code of the store where it is done.
        #[arg(long)]
        store: Option<String>,
        /// The code of who does it.
        #[arg(long)]
        staff: Option<String>,
    },
    /// Takes a coupon back.
    Withdraw {
        /// Its code or its id.
        coupon: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lists a member's coupons, newest first.
    List {
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows a coupon by its code, with its terms and how it moved, as JSON.
    Show {
        /// Its code, however typed, or its id.
        code: String,
    },
    /// Lists issues to audiences, newest first.
    Issues {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Codes of partners that coupons bear.
    Codes {
        /// What to do with them.
        #[command(subcommand)]
        action: CodesAction,
    },
}

/// Does with coupons what was asked.
pub async fn coupon(place: &Place, action: CouponAction) -> Result<ExitCode> {
    let engine = Arc::new(place.open_existing().await?);
    let filter = engine.filter(&who::system(), Operation::CouponsIssue).await?;
    match action {
        CouponAction::Issue { offer, member: Some(member), count, batch, reason, .. } => {
            let whom = whom(&member)?;
            let found = engine.reachable(&filter, &whom, "member").await??.member.id;
            let name = engine.name_of(&whom, found, "member").await??;
            let mut act = Act::new(Operation::CouponsIssue, names::COUPON_ISSUED, vec![name]);
            act.properties.insert("offer".to_owned(), offer.as_str().into());
            act.properties.insert("count".to_owned(), count.to_string().into());
            act.properties.insert("reason".to_owned(), reason.into());
            done(place, &engine, &act, found, batch, &format!("issue {offer} {count} {found}")).await?;
            list(&engine, found, Format::Table).await?;
        }
        CouponAction::Issue { offer, audience, batch, .. } => {
            let (audience, batch) = (audience.unwrap_or_default(), batch.unwrap_or_default());
            issue_many(place, &engine, (&batch, &offer, &audience)).await?;
        }
        CouponAction::Claim { offer, member, count, known_as } => {
            let whom = whom(&member)?;
            let found = engine.reachable(&filter, &whom, "member").await??.member.id;
            let name = engine.name_of(&whom, found, "member").await??;
            let mut act = Act::new(Operation::CouponsUse, names::COUPON_CLAIMED, vec![name]);
            act.properties.insert("offer".to_owned(), offer.as_str().into());
            act.properties.insert("count".to_owned(), count.to_string().into());
            done(place, &engine, &act, found, known_as, &format!("claim {offer} {count} {found}")).await?;
            list(&engine, found, Format::Table).await?;
        }
        CouponAction::Redeem { coupon, store, staff } => {
            let found = engine.coupon(&filter, &coupon, "coupon").await??.coupon;
            let Some(member) = MemberId::from_hex(&found.member) else { bail!("there is no such coupon") };
            let name = engine.name_of(&Whom::Id(member), member, "coupon").await??;
            let mut act = Act::new(Operation::CouponsUse, names::COUPON_REDEEMED, vec![name]);
            act.store = store;
            act.properties.insert("coupon_id".to_owned(), found.id.as_str().into());
            act.properties.insert("offer".to_owned(), found.offer.as_str().into());
            act.properties.extend(staff.map(|staff| ("staff".to_owned(), staff.into())));
            done(place, &engine, &act, member, None, &format!("redeem {}", found.id)).await?;
            say!("coupon {} is used up", found.code);
        }
        CouponAction::Withdraw { coupon, reason } => {
            let found = engine.coupon(&filter, &coupon, "coupon").await??.coupon;
            let Some(member) = MemberId::from_hex(&found.member) else { bail!("there is no such coupon") };
            let name = engine.name_of(&Whom::Id(member), member, "coupon").await??;
            let mut act = Act::new(Operation::CouponsIssue, names::COUPON_WITHDRAWN, vec![name]);
            act.properties.insert("coupon".to_owned(), found.id.as_str().into());
            act.properties.insert("reason".to_owned(), reason.into());
            done(place, &engine, &act, member, None, &format!("withdraw {}", found.id)).await?;
            say!("coupon {} is taken back", found.code);
        }
        CouponAction::List { member, format } => {
            let found = engine.reachable(&filter, &whom(&member)?, "member").await??.member.id;
            list(&engine, found, format).await?;
        }
        CouponAction::Show { code } => {
            let whole = engine.coupon(&filter, &code, "code").await??;
            say!("{}", serde_json::to_string_pretty(&whole)?);
        }
        CouponAction::Codes { action } => return codes(&engine, action).await,
        CouponAction::Issues { format } => {
            let views = engine.issue_views(1_000).await?;
            let columns =
                ["number", "batch", "offer", "state", "members", "issued", "not_issued", "audience"];
            let rows: Vec<Vec<String>> = views.iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: &IssueView) -> Vec<String> {
    vec![
        view.number.to_string(),
        view.batch.clone(),
        view.offer.clone(),
        view.state.clone(),
        view.members.map(|members| members.to_string()).unwrap_or_default(),
        view.issued.to_string(),
        view.not_issued.values().sum::<i64>().to_string(),
        view.audience.clone(),
    ]
}

pub(crate) fn whom(text: &str) -> Result<Whom> {
    if let Some(id) = MemberId::from_hex(text) {
        return Ok(Whom::Id(id));
    }
    match text.split_once(':') {
        Some((namespace, value)) => {
            Ok(Whom::Named(Identifier { namespace: namespace.to_owned(), value: value.to_owned() }))
        }
        None => bail!("{text}: a member is NAMESPACE:VALUE, or an id"),
    }
}

async fn list(engine: &Engine, member: MemberId, format: Format) -> Result<()> {
    let coupons = engine.coupons_of_member(member).await?;
    let columns = ["code", "offer", "state", "valid_from", "valid_until", "issued", "id", "partner_code"];
    let rows: Vec<Vec<String>> = coupons
        .into_iter()
        .map(|one| {
            let until = one.valid_until.unwrap_or_default();
            let theirs = one.partner_code.unwrap_or_default();
            vec![one.code, one.offer, one.state, one.valid_from, until, one.issued_at, one.id, theirs]
        })
        .collect();
    print(&columns.map(str::to_owned), &rows, format)?;
    Ok(())
}

/// Has a command decided, whether or not somebody serves this home.
pub(crate) async fn done(
    place: &Place,
    engine: &Engine,
    act: &Act,
    member: MemberId,
    known: Option<String>,
    request: &str,
) -> Result<()> {
    let by = who::system();
    let filter = engine.filter(&by, act.operation).await?;
    let chance = || {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok::<_, anyhow::Error>(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let idempotency_key = known.map_or_else(chance, Ok)?;
    let asker = Asker { grant: &by, filter: &filter, key: KEY, idempotency_key: &idempotency_key, request };
    let (stop, stopped) = oneshot::channel::<()>();
    let asked = async {
        let answer = engine.command(&asker, act, Some(member)).await;
        drop(stop);
        answer
    };
    let (answer, decided) = tokio::join!(asked, engine.run(place.batch(), async { drop(stopped.await) }));
    decided?;
    match answer? {
        Answer::Done(_) => Ok(()),
        Answer::Refused(refused) => bail!("{}: {}", refused.code, refused.message),
        Answer::StillDeciding => bail!("it is in the inbox and will be decided"),
    }
}

/// Issues to an audience, and decides it here.
async fn issue_many(place: &Place, engine: &Arc<Engine>, said: (&str, &str, &str)) -> Result<()> {
    let watch = zhiyin_engine::clock::stopwatch();
    let issue = engine.begin_issue(&who::system(), said).await??;
    let members = issue.listed.map_or(0, |(members, _)| members);
    eprintln!("issue {}: {members} members, listed in {:.1} s", issue.no, watch.elapsed().as_secs_f32());
    let (stop, stopped) = oneshot::channel::<()>();
    let issuing = async {
        let mut shown = 0;
        let done = async {
            engine.take_in_issue(&issue, |_| ()).await?;
            engine
                .issue_decided(issue.no, |view| {
                    let decided = view.issued + view.not_issued.values().sum::<i64>();
                    if decided >= shown + 50_000 {
                        shown = decided;
                        eprintln!("issue {}: {decided} of {members}", issue.no);
                    }
                })
                .await
        };
        let done = done.await;
        drop(stop);
        done
    };
    // Each of them is of another member: the larger a batch, the more of what it writes lies together.
    let deciding = engine.run(place.batch_import(), async { drop(stopped.await) });
    let (issued, decided) = tokio::join!(issuing, deciding);
    decided?;
    issued?;
    if let Some(view) = engine.issue_view(issue.no).await? {
        say!("issue {}: {} issued in {:.1} s", view.number, view.issued, watch.elapsed().as_secs_f32());
        for (why, n) in &view.not_issued {
            say!("{n} not issued: {why}");
        }
    }
    Ok(())
}
