//! `zhiyin serve` and `zhiyin demo`: the pipeline at work and the page that shows it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use zhiyin_engine::Engine;
use zhiyin_engine::delivery::Terms;
use zhiyin_engine::effects::history::HistoryAsked;
use zhiyin_engine::webhooks::Client;
use zhiyin_server::{Api, Bounds, Front, HomeReadings};

use crate::arguments::{Arguments, Command, Format, Place, ReportName};
use crate::channel::{channels, lanes, platforms};
use crate::home::{AUDIENCE_MIB, mebibytes};
use crate::oidc::oidc;
use crate::say::say;
use crate::{campaign, import, report, who};

/// Requests a second that a key is answered, unless it is said otherwise.
const REQUESTS_PER_SECOND: u32 = 5_000;
/// How often it is looked whether prizes of draws were not claimed.
const DRAWS_ROLL_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// How often it is looked whether what is left of leases of tills comes back.
const LEASES_END_EVERY: std::time::Duration = std::time::Duration::from_secs(15);

/// Where and how a home is served.
#[derive(Debug, Args)]
pub struct Serving {
    /// Address and port; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// The overview and what is measured are read without a key: where nobody else reaches that address.
    #[arg(long)]
    open: bool,
    /// How many requests a second each key is answered.
    #[arg(long, value_name = "N", default_value_t = REQUESTS_PER_SECOND, value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,
    /// Namespace of the `userId` of what programs send.
    #[arg(long, value_name = "NAMESPACE", default_value_t = Terms::default().user_namespace)]
    user_namespace: String,
    /// How many items may wait in the inbox before senders are told to come back later.
    #[arg(long, value_name = "ITEMS", default_value_t = Terms::default().waiting_max)]
    inbox_max: u64,
    /// Memory that audiences may take, in MiB; 0 keeps none, and who asks for one has it built from the record, in no more than
    /// there is by default.
    #[arg(long, value_name = "MIB", default_value_t = AUDIENCE_MIB)]
    audience_memory: u32,
    /// A file that names channels outside of the home: what is due on them is handed over (docs/channels.md).
    #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
    channels: Option<PathBuf>,
    /// A file that names the provider by which people sign in: OpenID Connect (docs/sign-in.md).
    #[arg(long, value_name = "FILE", env = "ZHIYIN_OIDC")]
    oidc: Option<PathBuf>,
    /// Where people reach this home: https://NAME. Cookies of who signs in then go nowhere but by https (docs/sign-in.md).
    #[arg(long, value_name = "URL", env = "ZHIYIN_PUBLIC_URL", value_parser = public_url)]
    public_url: Option<String>,
    /// A proxy in front, whose word is taken for where a request comes from; may be given more than once.
    #[arg(long, value_name = "ADDR", env = "ZHIYIN_PROXIES", value_delimiter = ',')]
    proxy: Vec<std::net::IpAddr>,
}

/// An address of this home, as people write it.
fn public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let name = rest.map(|rest| rest.trim_end_matches('/')).unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@\\".contains(&b)) {
        return Err(
            "https:// and the name under which people reach this home, with nothing after it".to_owned()
        );
    }
    Ok(text.trim_end_matches('/').to_ascii_lowercase())
}

impl Serving {
    /// At an address, as it is unless said otherwise.
    pub fn at(listen: String, open: bool) -> Self {
        let Terms { user_namespace, waiting_max: inbox_max } = Terms::default();
        let (requests_per_second, audience_memory) = (REQUESTS_PER_SECOND, AUDIENCE_MIB);
        let (channels, oidc, public_url, proxy) = (None, None, None, Vec::new());
        Self {
            listen,
            open,
            requests_per_second,
            user_namespace,
            inbox_max,
            audience_memory,
            channels,
            oidc,
            public_url,
            proxy,
        }
    }

    fn bounds(&self) -> Bounds {
        let terms = Terms { user_namespace: self.user_namespace.clone(), waiting_max: self.inbox_max };
        Bounds { terms, ..Bounds::default() }
    }
}

/// Structured logs on standard error; a server says more than a command.
pub fn log(arguments: &Arguments) {
    let quiet = !matches!(arguments.command, Command::Serve(_) | Command::Work { .. });
    let default = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_env("ZHIYIN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Decides what comes in and serves until it is told to stop.
pub async fn serve(place: &Place, at: &Serving) -> Result<ExitCode> {
    let engine = Arc::new(place.open().await?);
    engine.clock_audited(&who::system(), engine.go_live()).await?;
    run(place, engine, at).await
}

/// Decides what comes in until it is told to stop, or until there is nothing left to do.
pub async fn work(
    place: &Place,
    drain: bool,
    (at, channels): (Option<Serving>, Option<PathBuf>),
) -> Result<ExitCode> {
    let engine = Arc::new(place.open_existing().await?);
    if let Some(at) = at {
        return run(place, engine, &Serving { channels, ..at }).await;
    }
    let lanes = lanes(channels.as_deref())?;
    let platforms = platforms(channels.as_deref())?;
    let (asked, merchants) =
        (zhiyin_engine::platforms::all(&platforms), zhiyin_engine::pays::all(&platforms));
    let shops = zhiyin_engine::shops::all(&platforms);
    let errands = zhiyin_engine::platforms::errands(&engine, &asked);
    let apps = zhiyin_engine::apps::all(&platforms);
    if drain {
        // What came from platforms is worked on first.
        while engine.work_on_arrivals(errands.as_deref(), zhiyin_engine::clock::wall()).await?.done > 0 {}
        engine.drain(place.batch(), None, |_| ()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("At work  (stop with Ctrl-C)");
    let (stop, mut stopped) = watch::channel(false);
    let client = Client::new();
    let (mut stopped_too, mut stopped_as_well, mut stopped_last) =
        (stop.subscribe(), stop.subscribe(), stop.subscribe());
    let (mut stopped_paying, mut stopped_hearing, mut stopped_knowing) =
        (stop.subscribe(), stop.subscribe(), stop.subscribe());
    let senders = zhiyin_engine::sends::receipts::all(&platforms);
    let hearing = engine
        .work_receipts(senders, async move { drop(stopped_hearing.wait_for(|stopped| *stopped).await) });
    let knowing =
        engine.work_apps(apps, async move { drop(stopped_knowing.wait_for(|stopped| *stopped).await) });
    let paying =
        engine.work_pays(merchants, async move { drop(stopped_paying.wait_for(|stopped| *stopped).await) });
    let mut stopped_looking = stop.subscribe();
    let looking =
        engine.work_shops(shops, async move { drop(stopped_looking.wait_for(|stopped| *stopped).await) });
    let arriving = engine
        .work_arrivals(errands, async move { drop(stopped_as_well.wait_for(|stopped| *stopped).await) });
    let asking =
        engine.work_platforms(asked, async move { drop(stopped_last.wait_for(|stopped| *stopped).await) });
    let telling = engine.tell(&client, async move { drop(stopped.wait_for(|stopped| *stopped).await) });
    let handing = engine.dispatch(lanes, async move { drop(stopped_too.wait_for(|stopped| *stopped).await) });
    let working = async {
        let done = engine.run(place.batch(), told_to_stop()).await;
        let _nobody_left = stop.send(true).is_err();
        done
    };
    let (worked, (), (), (), (), (), (), (), ()) =
        tokio::join!(working, telling, handing, arriving, asking, paying, hearing, knowing, looking);
    worked?;
    Ok(ExitCode::SUCCESS)
}

/// Replays the year into an empty home, prints what was found, serves.
pub async fn demo(
    place: &Place,
    data: Option<&Path>,
    (listen, channels): (&str, Option<PathBuf>),
    playbook: Option<&str>,
) -> Result<ExitCode> {
    let engine = Arc::new(place.open().await?);
    let empty = engine.home().await?.live_since.is_none();
    match data {
        Some(data) if empty => {
            say!("Replaying a real retailer's year, event by event…");
            let watch = zhiyin_engine::clock::stopwatch();
            let tally = import::completejourney(place, &engine, data, None).await?;
            let seconds = watch.elapsed().as_secs_f32();
            say!("{} events decided in {seconds:.1} s", tally.decided);
        }
        None if empty => bail!("the home is empty: name the data with --data DIR (`./run demo` gets it)"),
        _ => say!("The home is filled already; serving it."),
    }
    for name in [ReportName::Tiers, ReportName::Lifecycle, ReportName::Ledger] {
        say!();
        report::report(place, name, Format::Table, None, None).await?;
    }
    say!();
    if campaign::history(&engine, HistoryAsked::default(), Format::Table).await? {
        say!();
    }
    if let Some(file) = playbook {
        let _applied = crate::playbook::apply_to(&engine, file).await?;
    }
    // What it shows is nobody's secret, and it runs where somebody looks at it.
    let at = Serving { channels, ..Serving::at(listen.to_owned(), true) };
    run(place, engine, &at).await
}

async fn run(place: &Place, engine: Arc<Engine>, at: &Serving) -> Result<ExitCode> {
    let elsewhere = place.ask_elsewhere(&engine)?;
    let lanes = lanes(at.channels.as_deref())?;
    let platforms = platforms(at.channels.as_deref())?;
    let channels = channels(at.channels.as_deref(), &platforms, &lanes)?;
    let oidc = oidc(at.oidc.as_deref(), at.public_url.as_deref())?;
    if oidc.is_some() && at.public_url.is_none() {
        tracing::warn!(
            "people sign in by the provider on this machine only: --public-url says where they reach this home"
        );
    }
    let listener =
        TcpListener::bind(&at.listen).await.with_context(|| format!("cannot listen on {}", at.listen))?;
    say!("Serving at http://{}  (stop with Ctrl-C)", listener.local_addr()?);
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let waiter = |mut stopped: watch::Receiver<bool>| async move {
        // An error means the sender is gone: that is a stop too.
        let _gone = stopped.wait_for(|stopped| *stopped).await.is_err();
    };
    let pipeline = {
        let (engine, batch, stopped) = (Arc::clone(&engine), place.batch(), waiter(stopped.clone()));
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let done = engine.run(batch, stopped).await;
            if let Err(error) = &done {
                tracing::error!(%error, "the pipeline stopped; so does the server");
            }
            // A server that decides nothing must not look well.
            let _nobody_left = stop.send(true).is_err();
            done
        })
    };
    let telling = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        tokio::spawn(async move { engine.tell(&Client::new(), stopped).await })
    };
    let handing = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        tokio::spawn(async move { engine.dispatch(lanes, stopped).await })
    };
    let all = zhiyin_engine::platforms::all(&platforms);
    let errands = zhiyin_engine::platforms::errands(&engine, &all);
    let asking = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        tokio::spawn(async move { engine.work_platforms(all, stopped).await })
    };
    let paying = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        let merchants = zhiyin_engine::pays::all(&platforms);
        tokio::spawn(async move { engine.work_pays(merchants, stopped).await })
    };
    let hearing = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        let senders = zhiyin_engine::sends::receipts::all(&platforms);
        tokio::spawn(async move { engine.work_receipts(senders, stopped).await })
    };
    let apps = zhiyin_engine::apps::all(&platforms);
    let knowing = {
        let (engine, stopped, apps) = (Arc::clone(&engine), waiter(stopped.clone()), apps.clone());
        tokio::spawn(async move { engine.work_apps(apps, stopped).await })
    };
    let looking = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        let shops = zhiyin_engine::shops::all(&platforms);
        tokio::spawn(async move { engine.work_shops(shops, stopped).await })
    };
    let arriving = {
        let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
        tokio::spawn(async move { engine.work_arrivals(errands, stopped).await })
    };
    // What was asked for and not taken in to its end, when this home was served last.
    let issuing = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            if let Err(error) = engine.take_up_issues().await {
                tracing::error!(%error, "an issue of coupons was not taken up");
            }
        })
    };
    let rolling = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            loop {
                if let Err(error) = engine.roll_draws().await {
                    tracing::error!(%error, "prizes that nobody claimed do not roll on");
                }
                tokio::time::sleep(DRAWS_ROLL_EVERY).await;
            }
        })
    };
    let ending = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            loop {
                if let Err(error) = engine.end_leases().await {
                    tracing::error!(%error, "what is left of leases of tills does not come back");
                }
                tokio::time::sleep(LEASES_END_EVERY).await;
            }
        })
    };
    let audience_bytes = mebibytes(at.audience_memory);
    if audience_bytes > 0 {
        engine.audience_memory(audience_bytes);
    }
    if elsewhere || audience_bytes == 0 {
        let_go(place, &engine).await;
    }
    let keeping = match audience_bytes {
        _ if elsewhere => {
            let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
            Some(tokio::spawn(async move { engine.keep_clickhouse(stopped).await }))
        }
        0 => None,
        bytes => {
            let (how, held) = place.audiences(bytes)?;
            if held.is_none() {
                tracing::warn!("another process keeps audiences in this folder; this one makes no snapshots");
            }
            let (engine, stopped) = (Arc::clone(&engine), waiter(stopped.clone()));
            Some(tokio::spawn(async move {
                engine.keep_audiences(&how, stopped).await;
                drop(held);
            }))
        }
    };
    let readings = Arc::new(HomeReadings::new(Arc::clone(&engine)));
    let front = Front { public_url: at.public_url.clone(), proxies: at.proxy.clone() };
    let rates = (at.requests_per_second, at.open);
    let senders = zhiyin_engine::sends::receipts::all(&platforms);
    let texts = zhiyin_engine::me::texts::ByText::of(senders, platforms.codes.clone());
    let api = Api::behind(front, Arc::clone(&engine), rates, at.bounds(), platforms.doors);
    api.knows_channels(channels);
    if let Some(oidc) = oidc {
        api.signs_in_by(oidc);
    }
    if let Some(texts) = texts {
        api.texts_by(Arc::new(texts));
    }
    api.knows_apps(apps);
    if !engine.store().access().people().owned().await? {
        tracing::info!("nobody owns this home yet: open /console/ on this machine to make an owner");
    }
    let counting = {
        let (api, stopped) = (Arc::clone(&api), waiter(stopped.clone()));
        tokio::spawn(async move { api.tell_follows(stopped).await })
    };
    let counted = Arc::clone(&api);
    let served = zhiyin_server::serve(listener, readings, Some(api), async move {
        tokio::select! {
            () = told_to_stop() => {}
            () = waiter(stopped) => {}
        }
        let _nobody_left = stop.send(true).is_err();
    });
    served.await?;
    counting.await?;
    // Of whoever came while it was stopping.
    counted.tell_follows_now().await;
    issuing.abort();
    rolling.abort();
    ending.abort();
    telling.await?;
    handing.await?;
    asking.await?;
    paying.await?;
    hearing.await?;
    knowing.await?;
    looking.await?;
    arriving.await?;
    if let Some(keeping) = keeping {
        keeping.await?;
    }
    pipeline.await??;
    Ok(ExitCode::SUCCESS)
}

/// Where no columns are kept here any more, the change feed is not kept for them.
async fn let_go(place: &Place, engine: &Engine) {
    let left = match place.audiences_left() {
        Ok(Some(how)) => engine.feed_left(&how.consumer).await.map_err(anyhow::Error::from).map(drop),
        left => left.map(drop),
    };
    if let Err(error) = left {
        tracing::warn!("the change feed may be kept for audiences that nobody keeps: {error:#}");
    }
}

/// Ctrl-C, or the signal by which a service is stopped.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
