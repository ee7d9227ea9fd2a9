//! What a changed playbook would have cost: replayed beside the work of the home, one change at a time, for as long as somebody looks.
//!
//! Whoever asks is told a name at once, and asks by it how far it is. Where nobody asked for a while the work is let go, and it ends in
//! any case. What came of the last one is kept until another begins.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use zhiyin_engine::clock;
use zhiyin_engine::playbooks::read_given;
use zhiyin_engine::simulate::{Aside, Sample, Simulated, Simulation};
use zhiyin_model::role::{Bound, Operation};
use zhiyin_model::time::Day;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// The largest request: a playbook has at most 1 MB.
const BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;
/// How long it goes on though nobody looks, and how long at most.
const LET_GO_AFTER: Duration = Duration::from_secs(60);
const AT_MOST: Duration = Duration::from_secs(15 * 60);
/// After how many seconds to come again where another one is under way.
const AGAIN_SECONDS: u64 = 10;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let needs = Operation::ReportsRead;
    let (path, one) = ("/v1/simulations/{simulation}", json!({"simulation": "0123456789abcdef"}));
    vec![
        Endpoint::change(Method::POST, "simulations_begin", "/v1/simulations", needs, begin)
            .says(
                "Try a changed playbook on the record",
                "试算打法改动",
                "The record is replayed under the live playbook and under this one, beside the work of the home; nothing is written. The \
                 same again while it goes on is the same one. It is let go where nobody reads how far it is for a minute, and after 15 \
                 minutes at most. For whoever may read the sums of the whole home.",
            )
            .refuses(&[
                "playbook_problems",
                "simulation_busy",
                "simulation_currency",
                "simulation_backwards",
                "outside_scope",
                "no_playbook",
            ])
            .body_at_most(BYTES_MAX)
            .example(json!({
                "source": "playbook: my-brand\nextends: variety-store\n", "from": "2025-01-01", "to": "2025-12-31", "sample": "10%",
            })),
        Endpoint::get("simulations_read", path, needs, read)
            .says(
                "Read how far a simulation is, and what it found",
                "查看试算",
                "Amounts are in minor units. Every number assumes that behaviour is unchanged.",
            )
            .refuses(&["simulation_unknown", "outside_scope"])
            .example(one.clone()),
        Endpoint::change(Method::DELETE, "simulations_stop", path, needs, stop)
            .says("Stop a simulation", "停止试算", "What was found so far is let go.")
            .refuses(&["simulation_unknown", "outside_scope"])
            .example(one),
    ]
}

/// What is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SimulationAsked {
    /// The changed playbook's text, YAML; `extends` names a shipped one.
    source: String,
    /// The day from which on it holds (YYYY-MM-DD); from the beginning, where it is left out.
    #[schemars(length(min = 10, max = 10))]
    from: Option<String>,
    /// The last day (YYYY-MM-DD); now, where it is left out.
    #[schemars(length(min = 10, max = 10))]
    to: Option<String>,
    /// Only so many members, such as `10000`, or such a part of them, such as `2.5%`; all, where it is left out.
    #[schemars(length(min = 1, max = 12))]
    sample: Option<String>,
}

/// How a simulation stands.
#[derive(Serialize, JsonSchema)]
struct SimulationView {
    /// By what it is read and stopped.
    id: String,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// How much of it is done, in thousandths.
    done_thousandths: u32,
    /// When it began.
    began: String,
    /// The code of why it failed: `simulation_too_long`, `simulation_let_go`, ….
    why: Option<String>,
    /// What it found.
    found: Option<Simulated>,
}

/// Which one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfSimulation {
    /// By what it is known.
    simulation: String,
}

/// Where one stands.
enum State {
    Running,
    Done(Box<Simulated>),
    Failed(String),
}

/// One simulation.
struct Job {
    id: String,
    /// By whom and what was asked, in one form.
    asked: String,
    began: String,
    aside: Aside,
    /// Sent each time that somebody looks.
    looked: watch::Sender<()>,
    state: Mutex<State>,
}

impl Job {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_running(&self) -> bool {
        matches!(*self.state(), State::Running)
    }

    fn view(&self) -> SimulationView {
        let (state, why, found) = match &*self.state() {
            State::Running => ("running", None, None),
            State::Done(found) => ("done", None, Some((**found).clone())),
            State::Failed(why) => ("failed", Some(why.clone()), None),
        };
        SimulationView {
            id: self.id.clone(),
            state,
            done_thousandths: if found.is_some() { 1000 } else { self.aside.done_thousandths() },
            began: self.began.clone(),
            why,
            found,
        }
    }

    /// Does the work, for as long as somebody looks and it does not take too long.
    async fn done_by(
        &self,
        work: impl Future<Output = Result<Simulated, Problem>>,
        (let_go, most): (Duration, Duration),
    ) {
        let looks = self.looked.subscribe();
        let ended = tokio::select! {
            found = work => match found {
                Ok(found) => State::Done(Box::new(found)),
                Err(problem) => State::Failed(problem.name().to_owned()),
            },
            () = unwanted(looks, let_go) => State::Failed("simulation_let_go".to_owned()),
            () = sleep(most) => State::Failed("simulation_too_long".to_owned()),
        };
        *self.state() = ended;
    }
}

/// Ends when nobody looked for so long.
async fn unwanted(mut looks: watch::Receiver<()>, let_go: Duration) {
    while timeout(let_go, looks.changed()).await.is_ok_and(|looked| looked.is_ok()) {}
}

/// The simulation of a home, where there is one.
#[derive(Default)]
pub(crate) struct Simulations {
    last: Mutex<Option<(Arc<Job>, AbortHandle)>>,
}

impl Simulations {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Job>, AbortHandle)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, unless another goes on; the very same that goes on is told again.
    fn begin(
        &self,
        asked: String,
        id: String,
        spawned: impl FnOnce(Arc<Job>) -> AbortHandle,
    ) -> Result<Arc<Job>, Problem> {
        let mut last = self.last();
        // One whose work ended without a word (it panicked) goes on no more.
        if let Some((job, work)) = last.as_ref()
            && job.is_running()
            && !work.is_finished()
        {
            if job.asked == asked {
                job.looked.send_replace(());
                return Ok(Arc::clone(job));
            }
            return Err(Problem::of("simulation_busy").after(AGAIN_SECONDS));
        }
        let began = clock::wall().rfc3339();
        let (looked, state) = (watch::Sender::new(()), Mutex::new(State::Running));
        let job = Arc::new(Job { id, asked, began, aside: Aside::modest(), looked, state });
        *last = Some((Arc::clone(&job), spawned(Arc::clone(&job))));
        Ok(job)
    }

    /// The one of a name.
    fn of(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let last = self.last();
        let (job, work) =
            last.as_ref().filter(|(job, _)| job.id == id).ok_or_else(|| Problem::of("simulation_unknown"))?;
        if job.is_running() && work.is_finished() {
            // It may have ended between the two questions: what it said then stays.
            let mut state = job.state();
            if matches!(*state, State::Running) {
                *state = State::Failed("reading_failed".to_owned());
            }
        }
        job.looked.send_replace(());
        Ok(Arc::clone(job))
    }

    /// Stops the one of a name, and forgets it.
    fn stop(&self, id: &str) -> Result<SimulationView, Problem> {
        let job = self.of(id)?;
        if let Some((_, work)) = self.last().take_if(|(job, _)| job.id == id) {
            work.abort();
        }
        Ok(job.view())
    }
}

/// Sums of the whole home are for whoever may read them.
fn may_read_all(caller: &Caller) -> Result<(), Problem> {
    if caller.filter.bound == Bound::Everything { Ok(()) } else { Err(Problem::of("outside_scope")) }
}

fn day(said: Option<&String>, field: &str) -> Result<Option<Day>, Problem> {
    let Some(said) = said else { return Ok(None) };
    let day = Day::parse(said)
        .ok_or_else(|| Problem::of("bad_body").at(field).says("a date is YYYY-MM-DD".to_owned()))?;
    Ok(Some(day))
}

async fn begin(caller: Caller, asked: SimulationAsked) -> Result<SimulationView, Problem> {
    may_read_all(&caller)?;
    let sample = match &asked.sample {
        None => Sample::All,
        Some(said) => Sample::parse(said).ok_or_else(|| {
            let says = "a number of members such as 10000, or a share from 0.01% to 100%";
            Problem::of("bad_body").at("sample").says(says.to_owned())
        })?,
    };
    let simulation =
        Simulation { from: day(asked.from.as_ref(), "from")?, to: day(asked.to.as_ref(), "to")?, sample };
    let (playbook, _) = read_given(&asked.source).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        let says = format!("{} problems; the first: {first}", problems.len());
        Problem::of("playbook_problems").at("source").says(says)
    })?;
    let engine = caller.shared();
    engine.can_simulate(&playbook, &simulation)?;
    let mut id = [0; 8];
    getrandom::fill(&mut id).map_err(|_| Problem::of("reading_failed"))?;
    let id = format!("{:016x}", u64::from_be_bytes(id));
    let asked = format!("{} {} {simulation:?}", caller.grant.who, playbook.hash());
    let work = move |job: Arc<Job>| {
        let working = async move {
            let work = async {
                engine.simulate_aside(&playbook, simulation, &job.aside).await.map_err(Problem::from)
            };
            job.done_by(work, (LET_GO_AFTER, AT_MOST)).await;
        };
        tokio::spawn(working).abort_handle()
    };
    Ok(caller.api.simulations.begin(asked, id, work)?.view())
}

async fn read(caller: Caller, of: OfSimulation) -> Result<SimulationView, Problem> {
    may_read_all(&caller)?;
    Ok(caller.api.simulations.of(&of.simulation)?.view())
}

async fn stop(caller: Caller, of: OfSimulation) -> Result<SimulationView, Problem> {
    may_read_all(&caller)?;
    caller.api.simulations.stop(&of.simulation)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// Work that does not end by itself.
    fn endless(job: Arc<Job>) -> AbortHandle {
        tokio::spawn(async move { job.done_by(pending(), (AT_MOST, AT_MOST)).await }).abort_handle()
    }

    fn begun(all: &Simulations, asked: &str, id: &str) -> Result<String, &'static str> {
        let job = all.begin(asked.to_owned(), id.to_owned(), endless);
        job.map(|job| job.id.clone()).map_err(|problem| problem.name())
    }

    #[tokio::test]
    async fn one_goes_on_at_a_time_and_the_same_again_is_the_same() {
        let all = Simulations::default();
        assert_eq!(begun(&all, "a", "1"), Ok("1".to_owned()));
        assert_eq!(begun(&all, "a", "2"), Ok("1".to_owned()));
        assert_eq!(begun(&all, "b", "3"), Err("simulation_busy"));
        assert_eq!(all.of("1").unwrap().view().state, "running");
        assert_eq!(all.stop("1").unwrap().id, "1");
        assert_eq!(all.stop("1").map(|_| ()).map_err(|problem| problem.name()), Err("simulation_unknown"));
        assert_eq!(begun(&all, "b", "4"), Ok("4".to_owned()));
    }

    #[tokio::test]
    async fn it_is_let_go_where_nobody_looks_and_ends_in_any_case() {
        let short = Duration::from_millis(1);
        for (bounds, code) in
            [((short, AT_MOST), "simulation_let_go"), ((AT_MOST, short), "simulation_too_long")]
        {
            let all = Simulations::default();
            let job = all.begin(String::new(), "1".to_owned(), endless).unwrap();
            job.done_by(pending(), bounds).await;
            let view = all.of("1").unwrap().view();
            assert_eq!((view.state, view.why.as_deref()), ("failed", Some(code)));
            // Another one may begin.
            assert_eq!(begun(&all, "b", "2"), Ok("2".to_owned()));
        }
    }

    #[tokio::test]
    async fn why_it_failed_is_told_by_name() {
        let all = Simulations::default();
        let job = all.begin(String::new(), "1".to_owned(), endless).unwrap();
        job.done_by(ready(Err(Problem::of("no_playbook"))), (AT_MOST, AT_MOST)).await;
        assert_eq!(all.of("1").unwrap().view().why.as_deref(), Some("no_playbook"));
    }

    #[tokio::test]
    async fn work_that_ended_without_a_word_failed() {
        let all = Simulations::default();
        let task = tokio::spawn(async {});
        let handle = task.abort_handle();
        task.await.unwrap();
        all.begin(String::new(), "1".to_owned(), |_| handle).unwrap();
        assert_eq!(all.of("1").unwrap().view().why.as_deref(), Some("reading_failed"));
    }
}
