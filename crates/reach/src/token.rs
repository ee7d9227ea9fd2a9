//! The access token of one app of a platform: asked for once however many want it, renewed before it ends, never asked for again and again.
//!
//! One is good for two hours, and asking again within them gives the same one (WeCom: path/91039; WeChat: `stable_token`). A wrong secret
//! asked with often has an address shut out for an hour (path/90313, 45009), so a refusal is kept for a while and told to whoever asks
//! meanwhile. The time is the caller's.

use std::sync::{Mutex as Quick, PoisonError};

use tokio::sync::Mutex;

/// How long before its end another is asked for, in milliseconds; or half of its time, if that is shorter.
const EARLY_MS: i64 = 300_000;
/// For how long a refusal of the secret is kept, in milliseconds.
pub(crate) const REFUSAL_MS: i64 = 60_000;
/// The longest that a token is believed to be good, in seconds.
const GOOD_SECONDS_MAX: i64 = 86_400;

/// Why there is none.
pub(crate) trait Rests: Clone {
    /// For how long that is told to whoever asks, without asking the platform, in milliseconds.
    fn rests_ms(&self) -> i64;
}

/// What was answered to the question for one.
pub(crate) struct Fresh {
    /// The token.
    pub(crate) token: String,
    /// For how many seconds it is good.
    pub(crate) expires_in: i64,
}

/// A token as it is used. Its number tells it from the one before, even where the platform gave the same again.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    number: u64,
    good_until_ms: i64,
    early_from_ms: i64,
}

struct State<E> {
    token: Option<Token>,
    /// How often one was asked for.
    asked: u64,
    /// What came of the last time, where it was nothing good, and until when that is not tried again.
    failed: Option<(E, i64)>,
}

/// The token of one app; `E` is why there is none.
pub(crate) struct Tokens<E> {
    state: Quick<State<E>>,
    /// Whoever holds it asks; others wait for what comes of it.
    asking: Mutex<()>,
}

impl<E> Default for Tokens<E> {
    fn default() -> Self {
        Self { state: Quick::new(State { token: None, asked: 0, failed: None }), asking: Mutex::default() }
    }
}

impl<E: Rests> Tokens<E> {
    fn state(&self) -> std::sync::MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is good now. `ask` gets one from the platform; where none is needed it is not begun.
    pub(crate) async fn get(
        &self,
        now_ms: i64,
        ask: impl Future<Output = Result<Fresh, E>>,
    ) -> Result<Token, E> {
        let (held, asked) = {
            let state = self.state();
            (state.token.clone().filter(|token| now_ms < token.good_until_ms), state.asked)
        };
        let Some(held) = held else { return self.asked_for(now_ms, asked, None, ask).await };
        if now_ms < held.early_from_ms {
            return Ok(held);
        }
        // It ends soon: one renews it, the others go on with it; and so does that one where it fails.
        let Ok(_mine) = self.asking.try_lock() else { return Ok(held) };
        Ok(self.renewed(now_ms, Some(held.number), ask).await.unwrap_or(held))
    }

    /// Another one than this, which the platform did not take.
    pub(crate) async fn instead(
        &self,
        bad: &Token,
        now_ms: i64,
        ask: impl Future<Output = Result<Fresh, E>>,
    ) -> Result<Token, E> {
        let asked = self.state().asked;
        self.asked_for(now_ms, asked, Some(bad.number), ask).await
    }

    /// Waits for its turn, and asks unless somebody else did meanwhile.
    async fn asked_for(
        &self,
        now_ms: i64,
        asked: u64,
        bad: Option<u64>,
        ask: impl Future<Output = Result<Fresh, E>>,
    ) -> Result<Token, E> {
        let _mine = self.asking.lock().await;
        {
            let state = self.state();
            // Who waited while it failed is not the next to try.
            if let Some((trouble, until_ms)) = &state.failed
                && (state.asked != asked || now_ms < *until_ms)
            {
                return Err(trouble.clone());
            }
        }
        self.renewed(now_ms, bad, ask).await
    }

    /// The one that is held, if it is good and not the bad one; else what the platform gives. Only who holds `asking` comes here.
    async fn renewed(
        &self,
        now_ms: i64,
        bad: Option<u64>,
        ask: impl Future<Output = Result<Fresh, E>>,
    ) -> Result<Token, E> {
        let is_good = |token: &Token| now_ms < token.good_until_ms && Some(token.number) != bad;
        {
            let mut state = self.state();
            if let Some(token) = state.token.as_ref().filter(|token| is_good(token)) {
                return Ok(token.clone());
            }
            if let Some((trouble, until_ms)) = &state.failed
                && now_ms < *until_ms
            {
                return Err(trouble.clone());
            }
            state.asked += 1;
        }
        let fresh = ask.await;
        let mut state = self.state();
        match fresh {
            Ok(fresh) => {
                let good_ms = fresh.expires_in.clamp(1, GOOD_SECONDS_MAX) * 1_000;
                let token = Token {
                    text: fresh.token,
                    number: state.asked,
                    good_until_ms: now_ms.saturating_add(good_ms),
                    early_from_ms: now_ms.saturating_add(good_ms - EARLY_MS.min(good_ms / 2)),
                };
                state.failed = None;
                state.token = Some(token.clone());
                Ok(token)
            }
            Err(trouble) => {
                let for_ms = trouble.rests_ms();
                state.failed = Some((trouble.clone(), now_ms.saturating_add(for_ms)));
                Err(trouble)
            }
        }
    }
}
