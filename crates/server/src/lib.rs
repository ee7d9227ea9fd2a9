//! HTTP: the overview page, the numbers it draws, and whether the house is alive and ready.
//!
//! What lives here: routes, the bounds that keep a stranger from tying the server up (`serve`), problems
//! as people read them (`problem`), and the page as embedded files (`page`, `overview/`).
//! What never does: SQL, rules of the business, and any request to the outside. What the routes show comes
//! through one trait, [`Readings`], which the engine implements.
//!
//! Read on in `routes` (which address answers what), then `serve` (how connections are held and let go).

mod api;
mod app_sign_in;
mod apps;
mod callbacks;
mod follow;
mod home_readings;
mod language;
mod me;
mod oidc;
pub mod overview;
mod page;
mod problem;
mod readings;
mod routes;
mod serve;
mod sign_in;
mod unsubscribe;
mod wire;

pub use api::Api;
pub use home_readings::HomeReadings;
pub use overview::Overview;
pub use readings::{ReadingError, Readings};
pub use routes::router;
pub use serve::{Limits, serve, serve_within};
pub use sign_in::Front;
pub use wire::Bounds;
