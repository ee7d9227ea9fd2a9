//! `platform-sim`: runs the platform and says in one line of JSON where it listens.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use zhiyin_platform_sim::{Options, start};

const USAGE: &str =
    "platform-sim [--seed N] [--start-ms MS] [--corpid ID] [--port N] [--port-file F] [--clock-file F]
             [--limits F] [--real [SPEED]] [--for SECONDS] [--until-eof]

Runs on 127.0.0.1 until SECONDS have passed (3600) or, with --until-eof, until its input closes.
Time stands still until it is told to go on, or goes with the wall clock (--real), SPEED times as fast.";

struct Asked {
    options: Options,
    port_file: Option<String>,
    seconds: u64,
    until_eof: bool,
}

fn read(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { options: Options::default(), port_file: None, seconds: 3_600, until_eof: false };
    let mut start_ms = None;
    let mut arguments = arguments.peekable();
    while let Some(name) = arguments.next() {
        if name == "--until-eof" {
            asked.until_eof = true;
            continue;
        }
        if name == "--real" {
            let speed = arguments.peek().and_then(|next| next.parse().ok());
            if speed.is_some() {
                arguments.next();
            }
            asked.options.real_speed = Some(speed.unwrap_or(1));
            continue;
        }
        let value =
            arguments.next().ok_or_else(|| format!("{name} is not known, or wants a value\n\n{USAGE}"))?;
        let wrong = || format!("{name}: {value} is no such value\n\n{USAGE}");
        match name.as_str() {
            "--seed" => asked.options.seed = value.parse().map_err(|_| wrong())?,
            "--start-ms" => start_ms = Some(value.parse().map_err(|_| wrong())?),
            "--corpid" => asked.options.corpid = value,
            "--port" => asked.options.port = value.parse().map_err(|_| wrong())?,
            "--port-file" => asked.port_file = Some(value),
            "--clock-file" => asked.options.clock_file = Some(value.into()),
            "--limits" => asked.options.limits_file = Some(value.into()),
            "--for" => asked.seconds = value.parse().map_err(|_| wrong())?,
            _ => return Err(format!("{name} is not known\n\n{USAGE}")),
        }
    }
    asked.options.start_ms = start_ms.unwrap_or_else(|| match asked.options.real_speed {
        Some(_) => wall_ms(),
        None => asked.options.start_ms,
    });
    Ok(asked)
}

/// Where time is real, a run begins now.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the simulator asks the wall what time it is"
)]
fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> ExitCode {
    let asked = match read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(says) => {
            let _ = writeln!(io::stderr(), "{says}");
            return ExitCode::from(2);
        }
    };
    match run(asked).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "platform-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(asked: Asked) -> io::Result<()> {
    let corpid = asked.options.corpid.clone();
    let running = start(asked.options).await?;
    let address = running.address;
    let told = json!({"address": address.to_string(), "url": format!("http://{address}"), "corpid": corpid});
    if let Some(path) = &asked.port_file {
        std::fs::write(path, address.port().to_string())?;
    }
    writeln!(io::stdout(), "{told}")?;
    io::stdout().flush()?;
    let (ended, end) = oneshot::channel();
    if asked.until_eof {
        // A thread, since standard input cannot be waited for otherwise; it ends with the process.
        std::thread::spawn(move || {
            let mut letters = [0; 256];
            while io::stdin().read(&mut letters).is_ok_and(|n| n > 0) {}
            let _ = ended.send(());
        });
        let _ = tokio::time::timeout(Duration::from_secs(asked.seconds), end).await;
    } else {
        tokio::time::sleep(Duration::from_secs(asked.seconds)).await;
    }
    Ok(())
}
