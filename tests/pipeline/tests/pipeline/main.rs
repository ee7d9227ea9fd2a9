//! The engine over a real store: every test is named after the rule it proves.
//!
//! [`home`] opens a home in a folder of its own and feeds it; [`items`] writes items of the wire; [`playbooks`] has the
//! rules that tests are judged by. The rest are rules: [`any_batch`] is the most important one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod access;
mod any_batch;
mod audience;
mod audiences;
mod book_coupons;
mod books;
mod brittle;
mod campaigns;
mod checkout;
mod claims;
mod codes;
mod consent;
mod coupons;
mod crowds;
mod dead_letters;
mod door;
mod draws;
mod duplicates;
mod gifts;
mod history;
mod home;
mod identity;
mod identity_cases;
mod items;
mod keeping;
mod links;
mod lists;
mod mail;
mod mail_server;
mod malformed;
mod measured;
mod partners;
mod persons;
mod places;
mod playbooks;
mod points;
mod reading;
mod receiver;
mod retain;
mod sealed;
mod sight;
mod sign_in;
mod silence;
mod simulate;
mod simulate_record;
mod standing;
mod streams;
mod takeover;
mod tills;
mod tills_at_random;
mod two_engines;
mod versions;
mod webhooks;
