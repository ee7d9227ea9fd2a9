//! The servers of ClickHouse as one: who answers is asked, tables are made on each, and how far a reader of the change feed has
//! come stands on each of them.

use std::time::Duration;

use zhiyin_audience::sql::{Dialect, Tables, settings};
use zhiyin_reach::clickhouse::{ClickHouse, Limits, Trouble};
use zhiyin_reach::client::Client;

use super::super::{AudienceProblem, patience};
use super::Elsewhere;
use crate::Result;

/// The oldest release that members are kept in.
const RELEASE_MIN: u32 = 24;
/// The old one, by which wiring is tried.
const RELEASE_OLD: u32 = 18;

/// All of them.
pub(super) struct Servers {
    each: Vec<ClickHouse>,
    pub(super) dialect: Dialect,
}

/// How far somebody has come, as the servers have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The version of the rows up to there.
    pub(super) version: u64,
    /// Of which attributes and zone they are.
    pub(super) layout: String,
}

/// What a release speaks; `None` where it is not spoken to.
fn dialect_of(release: &str) -> Option<Dialect> {
    let major: u32 = release.trim().split('.').next()?.parse().ok()?;
    match major {
        RELEASE_OLD => Some(Dialect::Old),
        RELEASE_MIN.. => Some(Dialect::Current),
        _ => None,
    }
}

fn text(answer: Vec<u8>) -> std::result::Result<String, Trouble> {
    String::from_utf8(answer).map_err(|_| Trouble::Refused(0))
}

/// The first that answers, as long as somebody waits for it; what is wrong with the last, where none does.
async fn any(each: &[ClickHouse], statement: &str) -> std::result::Result<String, Trouble> {
    let mut unreachable = Trouble::Refused(0);
    for server in each {
        match server.ask_within(patience::left(), statement).await {
            Err(trouble @ Trouble::Unreachable(_)) => unreachable = trouble,
            answered => return answered.and_then(text),
        }
    }
    Err(unreachable)
}

impl Servers {
    /// The servers, of a release that is spoken to.
    pub(super) async fn reached(how: &Elsewhere) -> Result<Self> {
        let client = Client::new();
        let limits = Limits { attempts: 2, pause: Duration::from_millis(200), ..Limits::default() };
        let spoken_to = |settings: &[(&str, &str)]| -> Vec<ClickHouse> {
            let servers = how.servers.iter().cloned();
            let access = &how.access;
            servers.map(|at| ClickHouse::at(client.clone(), at, access.clone(), settings, limits)).collect()
        };
        let release = any(&spoken_to(&[]), "SELECT version() FORMAT TabSeparated").await?;
        let Some(dialect) = dialect_of(&release) else {
            return Err(AudienceProblem::ClickHouseUnfit(format!(
                "ClickHouse {} is not spoken to: {RELEASE_MIN} or later is",
                release.trim().chars().take(32).collect::<String>()
            ))
            .into());
        };
        if dialect == Dialect::Old {
            tracing::warn!("this ClickHouse is of 2018: it is spoken to for trying, not for members");
        }
        Ok(Self { each: spoken_to(settings(dialect)), dialect })
    }

    /// Asks whoever answers.
    pub(super) async fn ask(&self, statement: &str) -> std::result::Result<String, Trouble> {
        any(&self.each, statement).await
    }

    /// Says something to each.
    pub(super) async fn tell_each(&self, statements: &[String]) -> std::result::Result<(), Trouble> {
        for server in &self.each {
            server.tell(statements).await?;
        }
        Ok(())
    }

    /// Sends lines through whoever takes them; all of them may be sent again.
    pub(super) async fn send(&self, insertion: &str, lines: &[String]) -> std::result::Result<(), Trouble> {
        let mut unreachable = Trouble::Refused(0);
        for server in &self.each {
            match server.send(insertion, lines.iter().cloned()).await {
                Err(trouble @ Trouble::Unreachable(_)) => unreachable = trouble,
                sent => return sent.map(drop),
            }
        }
        Err(unreachable)
    }

    /// Makes the tables on each, or makes them today's.
    pub(super) async fn migrate(&self, tables: &Tables) -> Result<()> {
        for server in &self.each {
            let found = match server.ask(&tables.version_asked()).await {
                Ok(found) => text(found)?.trim().parse().ok(),
                Err(Trouble::TablesMissing(_)) => None,
                Err(trouble) => return Err(trouble.into()),
            };
            let made = tables.migrations(found);
            let made = made.map_err(|newer| AudienceProblem::ClickHouseUnfit(newer.to_string()))?;
            server.tell(&made).await?;
        }
        Ok(())
    }

    /// How far a reader has come, where every server says the same of it or the least of one generation; `None` where one has
    /// nothing. Refused where other homes lie there.
    pub(super) async fn head(&self, tables: &Tables, reader: &str) -> Result<Option<Head>> {
        let mut least: Option<Head> = None;
        for server in &self.each {
            let known = match server.ask(&tables.consumers_asked()).await {
                Ok(known) => text(known)?,
                Err(Trouble::TablesMissing(_)) => return Ok(None),
                Err(trouble) => return Err(trouble.into()),
            };
            if known.lines().any(|other| other != reader) {
                let why = "the members of another home lie in this database of ClickHouse: name another one";
                return Err(AudienceProblem::ClickHouseUnfit(why.to_owned()).into());
            }
            let said = text(server.ask(&tables.position_asked(reader)).await?)?;
            let Some(head) = read_head(&said) else { return Ok(None) };
            least = match least.take() {
                None => Some(head),
                Some(known) if known.layout != head.layout => return Ok(None),
                Some(known) if known.version <= head.version => Some(known),
                Some(_) => Some(head),
            };
        }
        Ok(least)
    }
}

fn read_head(said: &str) -> Option<Head> {
    let (version, layout) = said.trim_end_matches('\n').split_once('\t')?;
    Some(Head { version: version.parse().ok()?, layout: layout.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_from_24_on_are_spoken_to_and_the_old_one_by_which_wiring_is_tried() {
        for (release, spoken) in [
            ("24.8.1.2\n", Some(Dialect::Current)),
            ("26.9.0", Some(Dialect::Current)),
            ("18.16.1", Some(Dialect::Old)),
            ("23.12.1", None),
            ("1.1.54385", None),
            ("", None),
        ] {
            assert_eq!(dialect_of(release), spoken, "{release}");
        }
    }

    #[test]
    fn a_head_is_a_version_and_a_layout() {
        let head = Head { version: 9, layout: "1/Asia/Shanghai/2/a".to_owned() };
        assert_eq!(read_head("9\t1/Asia/Shanghai/2/a\n"), Some(head));
        assert_eq!(read_head(""), None);
        assert_eq!(read_head("x\ty"), None);
    }
}
