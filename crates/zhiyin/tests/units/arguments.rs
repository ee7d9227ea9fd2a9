//! What is said on the command line, as far as the files under test know of it.

#[path = "../../src/arguments/elsewhere.rs"]
mod elsewhere;
#[path = "../../src/arguments/place.rs"]
mod place;

pub use elsewhere::{AudienceEngine, Elsewhere};
pub use place::Place;
