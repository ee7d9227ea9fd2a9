//! The rules of the business, as tables: one test for a rule or a boundary of it, named after what it proves.

#[path = "../scenario/mod.rs"]
mod scenario;

mod audiences;
mod chances;
mod checkout;
mod claims;
mod codes;
mod consent;
mod coupons;
mod orders;
mod partners;
mod points;
mod purity;
mod refunds;
mod spending;
mod stages;
mod tags;
mod takeover;
mod tiers;
mod touches;
