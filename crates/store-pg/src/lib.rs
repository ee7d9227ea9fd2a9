//! A home in PostgreSQL.

mod load;
mod rows;
mod schemas;
mod survey;
