//! Checkouts: a cart is quoted, locked, paid, let go of; what was bought comes back.

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::checkout::{CheckoutQuoted, CheckoutView};
use zhiyin_engine::command::{Act, Whom};
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::{Account, CommandDone, MemberRef, Transfer, text};
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// What any of them may be refused with.
macro_rules! refusals {
    ($($more:literal),* $(,)?) => {
        &["member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
          "text_too_long", "outside_scope", "bad_number", "checkout_unknown", "checkout_of_another_member", "erased", $($more),*]
    };
}

/// What judging a cart may be refused with.
macro_rules! judging {
    ($($more:literal),*) => {
        refusals!("bad_cart", "cart_missing", "too_many_lines", "item_too_large", "coupon_unknown", "coupon_not_active", "coupon_locked",
            "not_on_sale_yet", "payable_changed", "too_many_checkouts", "checkout_redeemed", "insufficient_points", $($more),*)
    };
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    let cart = json!({"payment": "wechat", "lines": [
        {"id": "1", "product": "towel", "category": "home", "price": 3400, "quantity": 2}]});
    let name = "till-7/000123";
    vec![
        Endpoint::change(Method::POST, "checkout_quote", "/v1/commands/checkout/quote", Operation::Checkout, quote)
            .says(
                "Quote a cart",
                "试算",
                "What it costs this member now, line by line, with the best combination of what the member may have, and of every other \
                 offer why it does not apply. Nothing is held. Amounts are whole minor units.",
            )
            .refuses(&[
                "member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
                "text_too_long", "outside_scope", "bad_cart", "coupon_unknown", "coupon_not_active", "coupon_locked", "no_playbook",
            ])
            .example(json!({"member": member, "cart": cart})),
        Endpoint::command_told("checkout_lock", "/v1/commands/checkout/lock", Operation::Checkout, lock, told)
            .says(
                "Lock a checkout",
                "锁定结算",
                "Prices a cart and holds what its discounts take (coupons, stock, budgets, uses, points) for a while. Locked again by the \
                 same name the cart is judged again: the old lock is given back, and `changed` says what changed.",
            )
            .refuses(judging!())
            .example(json!({"member": member, "checkout": name, "cart": cart, "hold_seconds": 900})),
        Endpoint::command_told("checkout_redeem", "/v1/commands/checkout/redeem", Operation::Checkout, redeem, told)
            .says(
                "Redeem a checkout",
                "核销结算",
                "It was paid: what it holds is used. With a cart, or another payment method, it is judged first, whether it was locked or \
                 not. Redeemed again it is not used twice.",
            )
            .refuses(judging!("checkout_not_locked", "checkout_expired", "order_of_another_member", "hold_closed"))
            .example(json!({"checkout": name, "payable": 6800, "order": {"number": "A-1001"}})),
        Endpoint::command_told("checkout_cancel", "/v1/commands/checkout/cancel", Operation::Checkout, cancel, told)
            .says("Cancel a checkout", "取消结算", "Lets go of all that it holds, once.")
            .refuses(refusals!("checkout_redeemed"))
            .example(json!({"checkout": name})),
        Endpoint::command_told(
            "checkout_return",
            "/v1/commands/checkout/return",
            Operation::CheckoutReturn,
            give_back,
            told,
        )
        .says(
            "Return what was bought",
            "退货",
            "By line and piece; all that is left, where no lines are named. What is given back says the last of `returns`. All returns \
             together give back what was paid, to the minor unit. With the last piece coupons, uses and stock come back.",
        )
        .refuses(refusals!(
            "checkout_not_redeemed", "nothing_to_return", "returned_more_than_bought", "line_unknown", "bad_lines", "too_many_lines",
            "too_many_returns", "order_unknown"
        ))
        .example(json!({"checkout": name, "lines": [{"id": "1", "pieces": 1}]})),
        Endpoint::get("checkout_read", "/v1/checkout", Operation::Checkout, read)
            .says("Read a checkout", "查询结算", "By its name: what it costs, where it stands, what came back.")
            .refuses(&["checkout_unknown", "erased", "bad_text", "text_too_long"])
            .example(json!({"checkout": name})),
    ]
}

/// A checkout as it stands after a command, with what was booked for it.
#[derive(Serialize, JsonSchema)]
struct CheckoutDone {
    /// The checkout. It may have moved on since the command, where this idempotency key had come before.
    #[serde(flatten)]
    checkout: CheckoutView,
    /// What was booked for the command in the ledger, in order.
    transfers: Vec<Transfer>,
    /// The member's points as they are now.
    points: Account,
    /// True where this idempotency key had come before: it was not done again.
    again: bool,
}

async fn told<A: Named>(caller: Arc<Caller>, asked: A, done: CommandDone) -> Result<CheckoutDone, Problem> {
    let (namespace, name) = asked.name()?;
    let checkout = caller.engine().checkout_view(&caller.filter, &namespace, &name).await??;
    let CommandDone { transfers, points, again, .. } = done;
    Ok(CheckoutDone { checkout, transfers, points, again })
}

/// What a checkout is called.
trait Named {
    fn said(&self) -> (Option<&str>, &str);

    fn name(&self) -> Result<(String, String), Problem> {
        let (namespace, name) = self.said();
        let namespace = text("namespace", namespace.unwrap_or_default(), 255)?;
        let name = text("checkout", name, 255)?;
        if name.is_empty() {
            return Err(Problem::of("checkout_unknown").at("checkout"));
        }
        Ok((namespace, name))
    }
}

macro_rules! named {
    ($($asked:ident),*) => {
        $(impl Named for $asked {
            fn said(&self) -> (Option<&str>, &str) {
                (self.namespace.as_deref(), &self.checkout)
            }
        })*
    };
}
named!(Lock, Redeem, Cancel, Return, WhichCheckout);

/// A cart to be quoted.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Quoted {
    /// For whom; nobody known, if it says nothing.
    member: Option<MemberRef>,
    /// The cart.
    cart: CartFacts,
}

async fn quote(caller: Caller, asked: Quoted) -> Result<CheckoutQuoted, Problem> {
    let member = match &asked.member {
        Some(member) => Some(caller.member(&member.whom("member")?, "member").await?.member.id),
        None => None,
    };
    let mut cart = asked.cart;
    placed(&caller, &mut cart).await?;
    Ok(caller.engine().checkout_quote(member, &cart).await??)
}

/// Where a cart stands: as it says, or where the key is; with that store's zone.
async fn placed(caller: &Caller, cart: &mut CartFacts) -> Result<(), Problem> {
    cart.store = caller.store(cart.store.as_deref())?;
    if let (Some(store), None) = (&cart.store, &cart.timezone) {
        let zone = caller.engine().zone_of_store(store).await?;
        cart.timezone = Some(zone.name().to_owned());
    }
    Ok(())
}

/// A cart to be locked.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lock {
    /// For whom.
    member: MemberRef,
    /// What the checkout is called: unique in the home, or in its namespace.
    #[schemars(length(min = 1, max = 255))]
    checkout: String,
    /// Whose naming it is.
    #[schemars(length(max = 255))]
    namespace: Option<String>,
    /// The cart.
    cart: CartFacts,
    /// For how many seconds what it takes is held; 900, if it says nothing.
    #[schemars(range(min = 10, max = 86400))]
    hold_seconds: Option<u32>,
    /// What was quoted as payable of the lines: another sum is refused.
    payable: Option<i64>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn lock(caller: Arc<Caller>, asked: Lock) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let mut act = act(&caller, names::CHECKOUT_LOCKED, name, &asked, asked.staff.as_deref())?;
    put_cart(&caller, &mut act, asked.cart).await?;
    put(&mut act, "hold_seconds", asked.hold_seconds.map(i64::from));
    put(&mut act, "payable", asked.payable);
    caller.done(&act, Some(member)).await
}

/// What is done with a checkout.
fn act(
    caller: &Caller,
    event: &'static str,
    name: Identifier,
    asked: &impl Named,
    staff: Option<&str>,
) -> Result<Act, Problem> {
    let operation = match event {
        names::CHECKOUT_RETURNED => Operation::CheckoutReturn,
        _ => Operation::Checkout,
    };
    let mut act = Act::new(operation, event, vec![name]);
    let (namespace, checkout) = asked.name()?;
    act.noted = json!({"act": event});
    act.properties.insert("checkout".to_owned(), checkout.into());
    if !namespace.is_empty() {
        act.properties.insert("checkout_namespace".to_owned(), namespace.into());
    }
    if let Some(staff) = caller.staff(staff)? {
        act.properties.insert("staff".to_owned(), staff.into());
    }
    Ok(act)
}

fn put(act: &mut Act, key: &str, number: Option<i64>) {
    if let Some(number) = number {
        act.properties.insert(key.to_owned(), number.into());
    }
}

async fn put_cart(caller: &Caller, act: &mut Act, mut cart: CartFacts) -> Result<(), Problem> {
    placed(caller, &mut cart).await?;
    act.store.clone_from(&cart.store);
    let cart = serde_json::to_value(cart).map_err(|error| Problem::of("bad_cart").says(error.to_string()))?;
    act.properties.insert("cart".to_owned(), cart);
    Ok(())
}

/// Whose a checkout is, and a name by which they are found.
async fn owner(caller: &Caller, asked: &impl Named) -> Result<Option<(MemberId, Identifier)>, Problem> {
    let (namespace, name) = asked.name()?;
    let Some(stored) = caller.engine().checkout_named(&namespace, &name).await? else { return Ok(None) };
    let member = stored.checkout.member;
    let unknown = |_| Problem::of("checkout_unknown").at("checkout");
    let reached = caller.engine().reachable(&caller.filter, &Whom::Id(member), "checkout").await?;
    let member = reached.map_err(unknown)?.member.id;
    let name = caller.engine().name_of(&Whom::Id(member), member, "checkout").await?;
    Ok(Some((member, name.map_err(unknown)?)))
}

fn unknown() -> Problem {
    Problem::of("checkout_unknown").at("checkout")
}

/// Where it is done, where no cart says so.
fn at_store(caller: &Caller, act: &mut Act, store: Option<&str>) -> Result<(), Problem> {
    if act.store.is_none() {
        act.store = caller.store(store)?;
    }
    Ok(())
}

/// An order as its source calls it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderRef {
    /// Whose numbering it is; nobody's, if it says nothing.
    #[schemars(length(max = 255))]
    namespace: Option<String>,
    /// Its number.
    #[schemars(length(min = 1, max = 255))]
    number: String,
}

/// A checkout that was paid.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Redeem {
    /// What the checkout is called.
    #[schemars(length(min = 1, max = 255))]
    checkout: String,
    /// Whose naming it is.
    #[schemars(length(max = 255))]
    namespace: Option<String>,
    /// For whom, where it was not locked before.
    member: Option<MemberRef>,
    /// The cart, where it is another than was locked, or nothing was.
    cart: Option<CartFacts>,
    /// How it was paid, where that is otherwise than the cart said.
    #[schemars(length(max = 255))]
    payment: Option<String>,
    /// What was paid of the lines: if another sum is payable, it is refused.
    payable: Option<i64>,
    /// The order that is made of it.
    order: Option<OrderRef>,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn redeem(caller: Arc<Caller>, asked: Redeem) -> Result<CommandDone, Problem> {
    let (member, name) = match (&asked.member, owner(&caller, &asked).await?) {
        (Some(member), _) => caller.named(member, "member").await?,
        (None, Some(owner)) => owner,
        (None, None) => return Err(unknown()),
    };
    let mut act = act(&caller, names::CHECKOUT_REDEEMED, name, &asked, asked.staff.as_deref())?;
    if let Some(cart) = asked.cart {
        put_cart(&caller, &mut act, cart).await?;
    }
    at_store(&caller, &mut act, asked.store.as_deref())?;
    put(&mut act, "payable", asked.payable);
    if let Some(payment) = &asked.payment {
        act.properties.insert("payment".to_owned(), text("payment", payment, 255)?.into());
    }
    if let Some(order) = &asked.order {
        act.properties.insert("order_id".to_owned(), text("order.number", &order.number, 255)?.into());
        let namespace = text("order.namespace", order.namespace.as_deref().unwrap_or_default(), 255)?;
        act.properties.insert("order_namespace".to_owned(), namespace.into());
    }
    caller.done(&act, Some(member)).await
}

/// A checkout that is let go of.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    /// What the checkout is called.
    #[schemars(length(min = 1, max = 255))]
    checkout: String,
    /// Whose naming it is.
    #[schemars(length(max = 255))]
    namespace: Option<String>,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn cancel(caller: Arc<Caller>, asked: Cancel) -> Result<CommandDone, Problem> {
    let (member, name) = owner(&caller, &asked).await?.ok_or_else(unknown)?;
    let mut act = act(&caller, names::CHECKOUT_CANCELLED, name, &asked, asked.staff.as_deref())?;
    at_store(&caller, &mut act, asked.store.as_deref())?;
    caller.done(&act, Some(member)).await
}

/// Pieces of a line.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pieces {
    /// The line, as the cart calls it.
    #[schemars(length(min = 1, max = 255))]
    id: String,
    /// How many pieces.
    #[schemars(range(min = 1))]
    pieces: u32,
}

/// What comes back.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Return {
    /// What the checkout is called.
    #[schemars(length(min = 1, max = 255))]
    checkout: String,
    /// Whose naming it is.
    #[schemars(length(max = 255))]
    namespace: Option<String>,
    /// What comes back; all that is left, if it says nothing.
    #[serde(default)]
    #[schemars(length(max = 200))]
    lines: Vec<Pieces>,
    /// The code of the store where it is done.
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    staff: Option<String>,
}

async fn give_back(caller: Arc<Caller>, asked: Return) -> Result<CommandDone, Problem> {
    let (member, name) = owner(&caller, &asked).await?.ok_or_else(unknown)?;
    let mut act = act(&caller, names::CHECKOUT_RETURNED, name, &asked, asked.staff.as_deref())?;
    at_store(&caller, &mut act, asked.store.as_deref())?;
    if !asked.lines.is_empty() {
        act.properties.insert("lines".to_owned(), json!(asked.lines));
    }
    caller.done(&act, Some(member)).await
}

/// Which checkout.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhichCheckout {
    /// What it is called.
    checkout: String,
    /// Whose naming it is.
    namespace: Option<String>,
}

async fn read(caller: Caller, asked: WhichCheckout) -> Result<CheckoutView, Problem> {
    let (namespace, name) = asked.name()?;
    Ok(caller.engine().checkout_view(&caller.filter, &namespace, &name).await??)
}
