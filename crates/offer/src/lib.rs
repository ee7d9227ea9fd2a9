//! Offers: what a cart costs for a member at an instant, and why.
//!
//! [`Offers`] are compiled from a playbook once. A [`Till`] quotes carts by them: which offers apply is judged by their conditions
//! (`judge`), then the combination that leaves least to pay is searched for exactly (`exact`, by branch and bound), or the
//! playbook's order is taken (`greedy`). A [`Quote`] says what each line costs, what took how much off it, and of every other offer
//! why it does not apply ([`Reason`]). [`give_back`](fn@give_back) says what a return of pieces gives back.
//!
//! Nothing here ever does I/O, waits, reads a clock or draws chance: the same cart at the same instant is the same quote.
//! Amounts are whole minor units; the places where anything is rounded are in `split`. What everything means is in
//! `docs/offers.md`.

mod bound;
mod cart;
mod compile;
mod deal;
mod exact;
mod give;
mod give_back;
mod given;
mod greedy;
mod item;
mod judge;
mod nobody;
mod order;
#[cfg(test)]
mod proof;
mod purse;
mod quote;
mod reason;
mod replay;
mod split;

pub use cart::{Cart, CartProblem, Coupon, Customer, LINES_MAX, Left, Line, PIECES_MAX, TOTAL_MAX, Uses};
pub use compile::Offers;
pub use give_back::{Conditional, Deserved, DeservedGain, GiveBack, GiveBackProblem, Paid, Share, give_back};
pub use nobody::Nobody;
pub use quote::{Applied, Discount, Given, Mode, NotApplied, Quote, QuotedLine, STEPS_MAX, Till};
pub use reason::{Missing, Reason};
pub use split::split;
