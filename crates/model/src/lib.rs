//! The words of the house: ids, money, time, scalars, events, members, effects and the playbook's types.
//!
//! Everything else speaks in these. Nothing here ever does I/O, knows a database, reads a clock or waits.
//! Read on in [`event`] (what comes in), [`member`] (what we know), [`effect`] (what a decision says), [`place`] (the brand's tree), and
//! [`playbook`] (what a brand promises).

pub mod checkout;
pub mod consent;
pub mod contact;
pub mod coupon;
pub mod dependant;
pub mod effect;
pub mod event;
pub mod group;
pub mod id;
pub mod identifier;
pub mod link;
pub mod lunar;
pub mod mask;
pub mod member;
pub mod membership;
pub mod money;
pub mod month;
pub mod personal;
pub mod place;
pub mod playbook;
pub mod role;
pub mod run;
pub mod scalar;
pub mod till;
pub mod time;
pub mod webhook;
