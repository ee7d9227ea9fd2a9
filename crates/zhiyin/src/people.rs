//! `zhiyin people add | list | password | role | remove`: who signs in to the console.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use zhiyin_engine::clock;
use zhiyin_engine::sign_in::{LANGUAGES, NewPerson, PersonEdit, SignIn};
use zhiyin_model::role::Role;
use zhiyin_store::access::people::Person;

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// The most bytes of a password that are read.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// What to do with people who sign in.
#[derive(Debug, Subcommand)]
pub enum PeopleAction {
    /// Adds somebody; their password is read from standard input, or given later.
    Add {
        /// By what they sign in.
        name: String,
        /// As what they act, and where.
        #[command(flatten)]
        bound: Bound,
        /// In which language they read: zh-CN, en.
        #[arg(long, value_name = "TAG", default_value = LANGUAGES[0])]
        language: String,
        /// They get their password later (`zhiyin people password NAME`): nothing is read.
        #[arg(long)]
        no_password: bool,
    },
    /// Lists them, without passwords.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Gives somebody a password, read from standard input. Their sessions end.
    Password {
        /// By what they sign in, or their id.
        name: String,
        /// No codes are asked of them any more: for whoever lost their app.
        #[arg(long)]
        without_codes: bool,
    },
    /// Changes as what somebody acts, and where. Their sessions end.
    Role {
        /// By what they sign in, or their id.
        name: String,
        /// As what, and where.
        #[command(flatten)]
        bound: Bound,
    },
    /// Removes somebody. Their sessions end, and nobody else gets their name.
    Remove {
        /// By what they sign in, or their id.
        name: String,
    },
}

/// As what somebody acts, and where.
#[derive(Debug, Args)]
pub struct Bound {
    /// As what they act: owner, marketer, analyst, store_manager, advisor, cashier.
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// The code of the place that they are bound to.
    #[arg(long, value_name = "CODE")]
    place: Option<String>,
    /// Their code among the staff.
    #[arg(long, value_name = "CODE")]
    staff: Option<String>,
}

impl Bound {
    fn edit(self) -> Result<PersonEdit> {
        let Some(role) = Role::named(&self.role) else {
            let all: Vec<&str> =
                Role::ALL.iter().filter(|role| **role != Role::Public).map(|role| role.name()).collect();
            bail!("--role: there is no role {}; there are {}", self.role, all.join(", "));
        };
        Ok(PersonEdit { role, place: self.place, staff: self.staff, unlink: false })
    }
}

fn fill(bytes: &mut [u8]) -> bool {
    getrandom::fill(bytes).is_ok()
}

/// One line, without its end: a blank at its end is part of a password.
fn password(name: &str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("A password for {name} (it is shown as you type; pipe it in where others look on):");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("standard input")?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    let mut text = String::new();
    std::io::stdin().take(PASSWORD_BYTES_MAX).read_to_string(&mut text).context("standard input")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Does with people what was asked.
pub async fn people(place: &Place, action: PeopleAction) -> Result<ExitCode> {
    let engine = match &action {
        // The first owner may be made before anything else.
        PeopleAction::Add { .. } => place.open().await?,
        _ => place.open_existing().await?,
    };
    let sign_in = SignIn::new(Arc::clone(engine.store()), fill);
    let (by, now) = (who::system(), clock::wall());
    match action {
        PeopleAction::Add { name, bound, language, no_password } => {
            let PersonEdit { role, place, staff, .. } = bound.edit()?;
            let password = if no_password { None } else { Some(password(&name)?) };
            let new = NewPerson { name, role, place, staff, language, password };
            let person = sign_in.add(&by, &new, now).await?;
            say!("{} signs in as {} ({})", person.is.name, person.is.role, person.id);
        }
        PeopleAction::List { format } => list(&sign_in.everybody().await?, format)?,
        PeopleAction::Password { name, without_codes } => {
            let person = sign_in.find(&name).await?;
            let password = password(&person.is.name)?;
            let person = sign_in.reset(&by, (&person.id, &password), without_codes, now).await?;
            say!("{} has a new password; their sessions ended", person.is.name);
        }
        PeopleAction::Role { name, bound } => {
            let person = sign_in.edit(&by, &name, &bound.edit()?, now).await?;
            say!("{} signs in as {}; their sessions ended", person.is.name, person.is.role);
        }
        PeopleAction::Remove { name } => {
            let person = sign_in.remove(&by, &name, now).await?;
            say!("{} cannot sign in any more", person.is.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(all: &[Person], format: Format) -> Result<()> {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let row = |person: &Person| {
        let is = &person.is;
        vec![
            person.id.clone(),
            is.name.clone(),
            is.role.name().to_owned(),
            is.place.clone().unwrap_or_default(),
            is.staff.clone().unwrap_or_default(),
            is.language.clone(),
            yes(is.password.is_some()),
            yes(is.codes.is_some()),
            is.made_at.rfc3339(),
            is.made_by.clone(),
        ]
    };
    let columns = ["person", "name", "role", "place", "staff", "language", "password", "codes", "made", "by"];
    print(&columns.map(str::to_owned), &all.iter().map(row).collect::<Vec<_>>(), format)
}
