//! `zhiyin checkout quote | lock | redeem | cancel | return | show`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde_json::json;
use zhiyin_engine::Engine;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Filter, Operation};

use crate::arguments::Place;
use crate::coupon::{done, whom};
use crate::say::say;
use crate::who;

/// The largest file that is read as a cart.
const CART_BYTES_MAX: u64 = 64 * 1024;

/// What a checkout is called.
#[derive(Clone, Debug, Args)]
pub struct Name {
    /// Its name.
    checkout: String,
    /// Whose naming it is.
    #[arg(long, default_value = "")]
    namespace: String,
}

/// What to do with checkouts.
#[derive(Clone, Debug, Subcommand)]
pub enum CheckoutAction {
    /// Says what a cart costs a member now; nothing is held.
    Quote {
        /// NAMESPACE:VALUE, or the member's id; nobody known, where it is left out.
        #[arg(long)]
        member: Option<String>,
        /// The cart, as JSON; see docs/checkout.md.
        #[arg(long, value_name = "FILE")]
        cart: PathBuf,
    },
    /// Prices a cart for a member and holds what its discounts take.
    Lock {
        #[command(flatten)]
        name: Name,
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
        /// The cart, as JSON; see docs/checkout.md.
        #[arg(long, value_name = "FILE")]
        cart: PathBuf,
        /// For how many seconds it is held.
        #[arg(long, value_name = "N")]
        hold_seconds: Option<u32>,
    },
    /// It was paid: what it holds is used. With a cart it is judged first.
    Redeem {
        #[command(flatten)]
        name: Name,
        /// NAMESPACE:VALUE, or the member's id, where it was not locked.
        #[arg(long, requires = "cart")]
        member: Option<String>,
        /// The cart, as JSON, where it is another than was locked.
        #[arg(long, value_name = "FILE")]
        cart: Option<PathBuf>,
        /// How it was paid, where that is otherwise than the cart said.
        #[arg(long)]
        payment: Option<String>,
        /// What was paid of the lines, in minor units: another sum is refused.
        #[arg(long, value_name = "AMOUNT")]
        payable: Option<i64>,
        /// The number of the order that is made of it.
        #[arg(long, value_name = "NUMBER")]
        order: Option<String>,
        /// Whose numbering that is.
        #[arg(long, value_name = "NAME", requires = "order")]
        order_namespace: Option<String>,
    },
    /// Lets go of what it holds.
    Cancel {
        #[command(flatten)]
        name: Name,
    },
    /// What was bought comes back; all that is left, where no lines are named.
    Return {
        #[command(flatten)]
        name: Name,
        /// A line and how many pieces, such as 1:2; may be said again.
        #[arg(long, value_name = "LINE:PIECES")]
        line: Vec<String>,
    },
    /// Shows a checkout, as JSON.
    Show {
        #[command(flatten)]
        name: Name,
    },
}

/// Does with checkouts what was asked.
pub async fn checkout(place: &Place, action: CheckoutAction) -> Result<ExitCode> {
    let engine = Arc::new(place.open_existing().await?);
    let filter = engine.filter(&who::system(), Operation::Checkout).await?;
    let (name, mut act, member) = match action {
        CheckoutAction::Quote { member, cart } => {
            let member = match member {
                Some(member) => Some(engine.reachable(&filter, &whom(&member)?, "member").await??.member.id),
                None => None,
            };
            let quoted = engine.checkout_quote(member, &read(&cart)?).await??;
            say!("{}", serde_json::to_string_pretty(&quoted)?);
            return Ok(ExitCode::SUCCESS);
        }
        CheckoutAction::Show { name } => {
            show(&engine, &filter, &name).await?;
            return Ok(ExitCode::SUCCESS);
        }
        CheckoutAction::Lock { name, member, cart, hold_seconds } => {
            let (member, called) = found(&engine, &filter, &member).await?;
            let mut act = Act::new(Operation::Checkout, names::CHECKOUT_LOCKED, vec![called]);
            act.properties.insert("cart".to_owned(), json!(read(&cart)?));
            act.properties.extend(hold_seconds.map(|seconds| ("hold_seconds".to_owned(), json!(seconds))));
            (name, act, member)
        }
        CheckoutAction::Redeem { name, member, cart, payment, payable, order, order_namespace } => {
            let (member, called) = match member {
                Some(member) => found(&engine, &filter, &member).await?,
                None => owner(&engine, &name).await?,
            };
            let mut act = Act::new(Operation::Checkout, names::CHECKOUT_REDEEMED, vec![called]);
            let cart = cart.as_deref().map(read).transpose()?;
            let said = [
                ("cart", cart.map(|cart| json!(cart))),
                ("payment", payment.map(|payment| json!(payment))),
                ("payable", payable.map(|payable| json!(payable))),
                ("order_id", order.map(|order| json!(order))),
                ("order_namespace", order_namespace.map(|namespace| json!(namespace))),
            ];
            act.properties.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
            (name, act, member)
        }
        CheckoutAction::Cancel { name } => {
            let (member, called) = owner(&engine, &name).await?;
            (name, Act::new(Operation::Checkout, names::CHECKOUT_CANCELLED, vec![called]), member)
        }
        CheckoutAction::Return { name, line } => {
            let (member, called) = owner(&engine, &name).await?;
            let mut act = Act::new(Operation::CheckoutReturn, names::CHECKOUT_RETURNED, vec![called]);
            let lines = line.iter().map(|text| {
                let (id, pieces) = text.rsplit_once(':').with_context(|| format!("{text}: LINE:PIECES"))?;
                let pieces: u32 = pieces.parse().with_context(|| format!("{text}: LINE:PIECES"))?;
                Ok(json!({"id": id, "pieces": pieces}))
            });
            let lines: Vec<_> = lines.collect::<Result<_>>()?;
            if !lines.is_empty() {
                act.properties.insert("lines".to_owned(), json!(lines));
            }
            (name, act, member)
        }
    };
    act.properties.insert("checkout".to_owned(), json!(name.checkout));
    act.properties.insert("checkout_namespace".to_owned(), json!(name.namespace));
    let request = format!("{} {}", act.event, serde_json::Value::from(act.properties.clone()));
    done(place, &engine, &act, member, None, &request).await?;
    show(&engine, &filter, &name).await?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<CartFacts> {
    let name = file.display().to_string();
    let size = std::fs::metadata(file).with_context(|| name.clone())?.len();
    ensure!(size <= CART_BYTES_MAX, "{name}: a cart is at most {CART_BYTES_MAX} bytes");
    let text = std::fs::read_to_string(file).with_context(|| name.clone())?;
    serde_json::from_str(&text).with_context(|| format!("{name}: this is no cart"))
}

async fn found(engine: &Engine, filter: &Filter, member: &str) -> Result<(MemberId, Identifier)> {
    let whom = whom(member)?;
    let found = engine.reachable(filter, &whom, "member").await??.member.id;
    Ok((found, engine.name_of(&whom, found, "member").await??))
}

async fn owner(engine: &Engine, name: &Name) -> Result<(MemberId, Identifier)> {
    let Some(stored) = engine.checkout_named(&name.namespace, &name.checkout).await? else {
        bail!("checkout_unknown: there is no checkout {:?}", name.checkout);
    };
    let member = stored.checkout.member;
    Ok((member, engine.name_of(&Whom::Id(member), member, "checkout").await??))
}

async fn show(engine: &Engine, filter: &Filter, name: &Name) -> Result<()> {
    let view = engine.checkout_view(filter, &name.namespace, &name.checkout).await??;
    say!("{}", serde_json::to_string_pretty(&view)?);
    Ok(())
}
