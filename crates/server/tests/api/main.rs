//! The API over real sockets, on a home at work.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod again;
mod arrivals;
mod audiences;
mod books;
mod campaigns;
mod channels;
mod checkout;
mod commands;
mod coupons;
mod document;
mod home;
mod links;
mod me;
mod me_said;
mod oidc;
mod places;
mod reads;
mod roles;
mod sends;
mod sign_in;
mod simulations;
mod strict;
mod tills;
mod unmask;
mod valid;
mod views;
