//! The rules of the platform, proven through its HTTP interface on its own time.

mod calls;
mod clock;
mod contacts;
mod events;
mod groups;
mod reach;
mod stage;
