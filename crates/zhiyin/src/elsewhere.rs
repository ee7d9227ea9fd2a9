//! Where ClickHouse is, where audiences are asked of it: from flags and the environment, the password never from a flag.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use zhiyin_engine::Engine;
use zhiyin_engine::audience::clickhouse::{Access, Clear, Elsewhere, Target};

use crate::arguments::{AudienceEngine, Elsewhere as Said, Place};

/// Holds the password itself.
const VARIABLE: &str = "ZHIYIN_CLICKHOUSE_PASSWORD";
/// The longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;
/// The most servers.
const SERVERS_MAX: usize = 64;

impl Place {
    /// Has an engine ask ClickHouse, if that is what audiences are asked of; whether it does.
    pub fn ask_elsewhere(&self, engine: &Engine) -> Result<bool> {
        let said = &self.elsewhere;
        if said.audience_engine == AudienceEngine::Columns {
            return Ok(false);
        }
        engine.ask_clickhouse(read(said)?);
        Ok(true)
    }
}

fn read(said: &Said) -> Result<Elsewhere> {
    if said.clickhouse.is_empty() {
        bail!("--audience-engine clickhouse: say where it is: --clickhouse URL");
    }
    if said.clickhouse.len() > SERVERS_MAX {
        bail!("--clickhouse: at most {SERVERS_MAX} servers");
    }
    if said.clickhouse.len() > 1 && said.clickhouse_cluster.is_none() {
        bail!(
            "--clickhouse: several servers need --clickhouse-cluster NAME, as their configuration calls them"
        );
    }
    let servers = said.clickhouse.iter().map(|url| {
        // What stands there may hold a password by mistake: it is not shown.
        Target::parse(url.trim(), true).context("--clickhouse")
    });
    for (flag, name) in [
        ("--clickhouse-database", Some(&said.clickhouse_database)),
        ("--clickhouse-cluster", said.clickhouse_cluster.as_ref()),
        ("--clickhouse-user", Some(&said.clickhouse_user)),
    ] {
        if name.is_some_and(|name| !is_name(name)) {
            bail!("{flag}: 1 to 64 letters, digits, _, - and .");
        }
    }
    let password = match &said.clickhouse_password_file {
        Some(file) => from_file(file)?,
        None => std::env::var(VARIABLE).unwrap_or_default(),
    };
    if password.len() > PASSWORD_BYTES_MAX || password.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        bail!("the password for ClickHouse: at most {PASSWORD_BYTES_MAX} bytes, without control characters");
    }
    let clear = match said.clickhouse_clear.as_slice() {
        [] => None,
        names => {
            let read = Clear::read(names.iter().map(String::as_str));
            Some(read.map_err(|name| {
                anyhow::anyhow!(
                    "--clickhouse-clear: {name:?} is none of all, store, consents, dependants, items, properties, attr.NAME"
                )
            })?)
        }
    };
    Ok(Elsewhere {
        servers: servers.collect::<Result<_>>()?,
        access: Access { user: said.clickhouse_user.clone(), password },
        database: said.clickhouse_database.clone(),
        cluster: said.clickhouse_cluster.clone(),
        clear,
    })
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The first line of a file that others may not read.
fn from_file(path: &Path) -> Result<String> {
    let shown = || format!("--clickhouse-password-file {}", path.display());
    let metadata = std::fs::metadata(path).with_context(shown)?;
    if metadata.mode() & 0o077 != 0 {
        bail!("{}: others may read it; `chmod 600` it first", path.display());
    }
    if metadata.len() > PASSWORD_BYTES_MAX as u64 + 2 {
        bail!("{}: at most {PASSWORD_BYTES_MAX} bytes", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(shown)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(servers: &[&str], cluster: Option<&str>, clear: &[&str]) -> Said {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Said {
            audience_engine: AudienceEngine::Clickhouse,
            clickhouse: owned(servers),
            clickhouse_cluster: cluster.map(str::to_owned),
            clickhouse_database: "zhiyin".to_owned(),
            clickhouse_user: "default".to_owned(),
            clickhouse_password_file: None,
            clickhouse_clear: owned(clear),
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_by_its_flag_and_never_shown() {
        let one = "http://127.0.0.1:8123/";
        for (said, expected) in [
            (said(&[one], None, &[]), None),
            (said(&[one, "http://127.0.0.1:8124/"], Some("two"), &["all"]), None),
            (said(&[], None, &[]), Some("--clickhouse URL")),
            (said(&[one, one], None, &[]), Some("--clickhouse-cluster")),
            (said(&[one], Some("a`b"), &[]), Some("--clickhouse-cluster")),
            (said(&[one], None, &["names"]), Some("--clickhouse-clear")),
            (said(&["http://u:secret@127.0.0.1:8123/"], None, &[]), Some("--clickhouse")),
            (said(&["ftp://127.0.0.1/"], None, &[]), Some("--clickhouse")),
        ] {
            let told = read(&said).err().map(|error| format!("{error:#}"));
            match (expected, &told) {
                (None, None) => {}
                (Some(part), Some(told)) if told.contains(part) => {}
                _ => panic!("{said:?}: {told:?}"),
            }
            assert!(!told.unwrap_or_default().contains("secret"));
        }
    }
}
