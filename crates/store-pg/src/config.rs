//! Where a home is: a `postgres://` address, with a few words of our own among its options.
//!
//! `home` names the home (its schema), `slots` and `shards` say into how many shares and schemas it falls when it is made,
//! `connections` how many connections a process keeps. All others are PostgreSQL's own and are passed on.

use std::time::Duration;

use tokio_postgres::Config;
use zhiyin_store::{Result, StoreError};

use crate::rows::chain;
use crate::schemas::Schemas;

/// What an address says.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The server, the user, the database.
    pub(crate) config: Config,
    /// The home's name.
    pub(crate) home: String,
    /// Into how many shares members fall, if the home is made now.
    pub(crate) slots: i32,
    /// Over how many schemas they are spread, if the home is made now.
    pub(crate) shards: i32,
    /// How many connections the pipeline may have.
    pub(crate) connections: usize,
}

/// A connection that nobody answers is given up after this time, unless the address says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that went away without a word is noticed after about this time.
const KEEPALIVE: Duration = Duration::from_secs(30);

impl Address {
    /// Reads an address.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (own, rest) = split(url);
        let config: Config = rest.parse().map_err(|error| {
            StoreError::Database(format!("the address of the database: {}", chain(&error)))
        })?;
        let mut address = Self { config, home: "zhiyin".to_owned(), slots: 16, shards: 1, connections: 8 };
        for (name, value) in own {
            let number = || {
                let message = format!("the address of the database: {name}={value} is no number");
                value.parse::<i32>().map_err(|_| StoreError::Database(message))
            };
            match name {
                "home" => value.clone_into(&mut address.home),
                "slots" => address.slots = number()?,
                "shards" => address.shards = number()?,
                _ => address.connections = usize::try_from(number()?).unwrap_or(0).clamp(2, 1_000),
            }
        }
        // What is wrong with them is said before anybody connects.
        Schemas::new(&address.home, address.shards, address.slots)?;
        if address.config.get_connect_timeout().is_none() {
            address.config.connect_timeout(CONNECT);
        }
        if address.config.get_application_name().is_none() {
            address.config.application_name("zhiyin");
        }
        address.config.keepalives_idle(KEEPALIVE);
        Ok(address)
    }

    /// The server, with settings for each session beside those that the address names.
    pub(crate) fn with(&self, settings: &[(&str, &str)]) -> Config {
        let mut options = self.config.get_options().unwrap_or_default().to_owned();
        for (name, value) in settings {
            options.push_str(&format!(" -c {name}={value}"));
        }
        let mut config = self.config.clone();
        config.options(options.trim_start());
        config
    }
}

/// The options that are ours, and the address without them.
fn split(url: &str) -> (Vec<(&str, &str)>, String) {
    let Some((place, options)) = url.split_once('?') else { return (Vec::new(), url.to_owned()) };
    let mut own = Vec::new();
    let mut rest = Vec::new();
    for option in options.split('&') {
        match option.split_once('=') {
            Some((name @ ("home" | "slots" | "shards" | "connections"), value)) => own.push((name, value)),
            _ => rest.push(option),
        }
    }
    let rest = if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
    (own, rest)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn an_address_has_words_of_ours_among_others() {
        let address = Address::parse(
            "postgres://me:secret@db.example:5433/brand?home=oak&slots=64&connect_timeout=3&shards=4&connections=20",
        );
        let address = address.unwrap();
        assert_eq!((address.home.as_str(), address.slots, address.shards), ("oak", 64, 4));
        assert_eq!(address.connections, 20);
        assert_eq!(address.config.get_hosts(), [Host::Tcp("db.example".to_owned())]);
        assert_eq!(address.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        let address = Address::parse("postgres://me@/brand?host=/run/postgresql").unwrap();
        assert_eq!(address.config.get_hosts(), [Host::Unix("/run/postgresql".into())]);
        assert_eq!((address.home.as_str(), address.slots, address.shards), ("zhiyin", 16, 1));
    }

    #[test]
    fn settings_come_beside_those_of_the_address() {
        let address = Address::parse("postgres://me@db.example/brand?options=-c%20geqo%3Doff").unwrap();
        let config = address.with(&[("jit", "off"), ("synchronous_commit", "on")]);
        assert_eq!(config.get_options(), Some("-c geqo=off -c jit=off -c synchronous_commit=on"));
        assert_eq!(config.get_application_name(), Some("zhiyin"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anybody_connects() {
        for url in [
            "nowhere",
            "postgres://me@db.example/brand?shards=many",
            "postgres://me@db.example/brand?home=Oak",
            "postgres://me@db.example/brand?shards=0",
            "postgres://me@db.example/brand?slots=2&shards=3",
            "postgres://me@db.example/brand?colour=red",
        ] {
            assert!(matches!(Address::parse(url), Err(StoreError::Database(_))), "{url}");
        }
    }
}
