//! The command line: one file a command, no logic of its own.
//!
//! Exit codes: 0 done, 1 refused or failed (with the reason), 2 wrong usage.

mod affinity;
mod approval;
mod arguments;
mod arrival;
mod audience;
mod audit;
mod bench;
mod books;
mod campaign;
mod channel;
mod checkout;
mod codes;
mod coupon;
mod draw;
mod draws;
mod duplicates;
mod elsewhere;
mod home;
mod import;
mod inbox;
mod key;
mod link;
mod lists;
mod master;
mod member;
mod moving;
mod oidc;
mod partners;
mod people;
mod persons;
mod places;
mod platform;
mod playbook;
mod post;
mod progress;
mod quote;
mod report;
mod retain;
mod say;
mod sealing;
mod send;
mod serve;
mod simulate;
mod takeover;
mod till;
mod told;
mod way;
mod webhook;
mod who;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Command};
use serve::Serving;

/// Decisions make many small values: this allocator takes a fifth off a replay (measured; see docs/bench.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    serve::log(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("zhiyin: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(error) if say::reader_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zhiyin: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let place = arguments.place;
    match arguments.command {
        Command::Serve(at) => serve::serve(&place, &at).await,
        Command::Work { drain, listen, open, channels } => {
            let at = listen.map(|listen| Serving::at(listen, open));
            serve::work(&place, drain, (at, channels)).await
        }
        Command::Demo { data, listen, channels, playbook } => {
            serve::demo(&place, data.as_deref(), (&listen, channels), playbook.as_deref()).await
        }
        Command::Quote(asked) => quote::quote(&asked),
        Command::Simulate(asked) => simulate::simulate(&place, &asked).await,
        Command::Affinity(asked) => affinity::affinity(&place, &asked).await,
        Command::Check { file, format } => playbook::check(&file, format),
        Command::Schema => playbook::schema(),
        Command::Diff { file, format } => playbook::diff(&place, &file, format).await,
        Command::Apply { file } => playbook::apply(&place, &file).await,
        Command::Playbooks => playbook::list(&place).await,
        Command::Import(import) => import::import(&place, import).await,
        Command::Merge { identifiers, reason } => persons::merge(&place, &identifiers, &reason).await,
        Command::Unmerge { identifiers, reason, dry_run } => {
            persons::unmerge(&place, &identifiers, &reason, dry_run).await
        }
        Command::Report { report, format, as_of, under } => {
            report::report(&place, report, format, as_of, under.as_deref()).await
        }
        Command::Books { action } => books::books(&place, action).await,
        Command::Audience { audience_memory, action } => {
            audience::audience(&place, home::mebibytes(audience_memory), action).await
        }
        Command::Partners { as_of, format } => partners::partners(&place, as_of.as_deref(), format).await,
        Command::Draw(action) => draw::draw(&place, action).await,
        Command::Till { action } => till::till(&place, action).await,
        Command::Places { action } => places::places(&place, action).await,
        Command::Member(arguments) => member::member(&place, arguments).await,
        Command::Keys { action } => sealing::keys(&place, action).await,
        Command::Duplicates { action } => duplicates::duplicates(&place, action).await,
        Command::GivenUp { limit, format } => report::given_up(&place, limit as usize, format).await,
        Command::DeadLetters { action } => report::dead_letters(&place, action).await,
        Command::People { action } => people::people(&place, action).await,
        Command::Key { action } => key::key(&place, action).await,
        Command::Checkout { action } => checkout::checkout(&place, action).await,
        Command::Send { action } => send::send(&place, action).await,
        Command::Post { action } => post::post(&place, action).await,
        Command::Inbox { action } => inbox::inbox(&place, action).await,
        Command::Arrival { action } => arrival::arrival(&place, action).await,
        Command::Platform { action } => platform::platform(&place, action).await,
        Command::Channel { action } => channel::channel(&place, action).await,
        Command::Way { action } => way::way(&place, action).await,
        Command::Transfer { action } => way::transfer(&place, action).await,
        Command::Campaign { action } => campaign::campaign(&place, action).await,
        Command::Link { action } => link::link(&place, action).await,
        Command::Poster { action } => link::poster(&place, action).await,
        Command::Coupon { action } => coupon::coupon(&place, action).await,
        Command::Approval { action } => approval::approval(&place, action).await,
        Command::Webhook { action } => webhook::webhook(&place, action).await,
        Command::Audit { action } => audit::audit(&place, action).await,
        Command::Doctor => report::doctor(&place).await,
        Command::Migrate { from, to } => moving::migrate(&place, &from, &to).await,
        Command::Backup { file } => moving::backup(&place, &file).await,
        Command::Restore { file, keystore } => moving::restore(&place, &file, keystore.as_deref()).await,
        Command::Archive { before, keep_days } => moving::archive(&place, &before, keep_days).await,
        Command::Retain => retain::retain(&place).await,
        Command::Digest => report::digest(&place).await,
        Command::Bench { name, faults, audience, checkout } => {
            bench::bench(&place, &name, &faults, &audience, &checkout).await
        }
    }
}
