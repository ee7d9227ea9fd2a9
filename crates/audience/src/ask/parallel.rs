//! Pieces of work on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `n` pieces of work on several threads; answers come in order.
pub(crate) fn in_parallel<T: Send>(n: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    in_parallel_with(n, threads, || (), |(), at| work(at)).0
}

/// The same, each thread with a state of its own, which come back in no order.
pub(crate) fn in_parallel_with<T: Send, S: Send>(
    n: usize,
    threads: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> (Vec<T>, Vec<S>) {
    let threads = threads.min(n).max(1);
    if threads == 1 {
        let mut state = state();
        let done = (0..n).map(|at| work(&mut state, at)).collect();
        return (done, vec![state]);
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let (mut state, mut done) = (state(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= n {
                return (done, state);
            }
            done.push((at, work(&mut state, at)));
        }
    };
    let (mut all, states) = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let (mut all, state) = run();
        let mut states = vec![state];
        for other in others {
            match other.join() {
                Ok((done, state)) => {
                    all.extend(done);
                    states.push(state);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (all, states)
    });
    all.sort_unstable_by_key(|(at, _): &(usize, T)| *at);
    (all.into_iter().map(|(_, done)| done).collect(), states)
}
