//! A store around another: every call passes two places at which something may go wrong, and those calls that are worth
//! more than that can be replaced.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use zhiyin_model::effect::Lot;
use zhiyin_model::id::{MemberId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::place::Place;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::{Flush, Hold};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::turn::Turn;
use zhiyin_store::{
    Ahead, Append, Home, LetGo, Loaded, LotsWanted, PastEvent, PastOf, PastTransfer, PlaybookVersion,
    Progress, Receipt, Result, Store, Waiting, Wanted, archive, dump, feed, merge, partner, places, read,
    suggestion, takeover,
};

/// What shall happen at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It fails.
    Fail,
    /// It is kept back until somebody lets it go on.
    Hang,
}

/// What stands around a store.
#[async_trait]
pub trait Around: Send + Sync {
    /// The store within.
    fn inner(&self) -> &Arc<dyn Store>;

    /// A call comes in; what shall happen once it is done.
    async fn before(&self, _call: &'static str) -> Result<Option<Deed>> {
        Ok(None)
    }

    /// It was done, well or not.
    async fn after(&self, _call: &'static str, _deed: Option<Deed>, _well: bool) -> Result<()> {
        Ok(())
    }

    /// See [`Store::lease`].
    async fn lease(&self, holder: &str, ttl: Duration) -> Result<Turn> {
        self.inner().lease(holder, ttl).await
    }

    /// See [`Store::release`].
    async fn release(&self, holder: &str) -> Result<()> {
        self.inner().release(holder).await
    }

    /// See [`Store::append`].
    async fn append(&self, append: Append) -> Result<Vec<Receipt>> {
        self.inner().append(append).await
    }

    /// See [`Store::due`].
    async fn due(&self, turn: &Turn, until: Ts, limit: usize) -> Result<Vec<MemberId>> {
        self.inner().due(turn, until, limit).await
    }

    /// See [`Store::next_wake`].
    async fn next_wake(&self, turn: &Turn) -> Result<Option<Ts>> {
        self.inner().next_wake(turn).await
    }

    /// See [`Store::feed`].
    async fn feed(&self, after: feed::Position, limit: usize) -> Result<Vec<feed::Entry>> {
        self.inner().feed(after, limit).await
    }

    /// See [`Store::flush`].
    async fn flush(&self, flush: Flush) -> Result<()> {
        self.inner().flush(flush).await
    }
}

/// It as a store.
pub struct Wrapped<A>(pub A);

macro_rules! passed_on {
    (replaced { $($own:ident($($own_argument:ident: $own_kind:ty),*) -> $own_answer:ty;)* }
     plain { $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)* }) => {
        #[async_trait]
        impl<A: Around> Store for Wrapped<A> {
            fn keep_archive(&self, folder: PathBuf) {
                self.0.inner().keep_archive(folder);
            }

            fn access(&self) -> &dyn zhiyin_store::access::Access {
                self.0.inner().access()
            }

            fn reading(&self) -> &dyn zhiyin_store::reading::Reading {
                self.0.inner().reading()
            }
            fn crowd(&self) -> &dyn zhiyin_store::crowd::Crowd {
                self.0.inner().crowd()
            }
            fn coupons(&self) -> &dyn zhiyin_store::coupons::Coupons {
                self.0.inner().coupons()
            }
            fn draws(&self) -> &dyn zhiyin_store::draws::Draws {
                self.0.inner().draws()
            }
            fn tills(&self) -> &dyn zhiyin_store::tills::Tills {
                self.0.inner().tills()
            }
            fn closing(&self) -> &dyn zhiyin_store::closing::Closing {
                self.0.inner().closing()
            }
            fn lists(&self) -> &dyn zhiyin_store::lists::Lists {
                self.0.inner().lists()
            }
            fn webhooks(&self) -> &dyn zhiyin_store::webhooks::Webhooks {
                self.0.inner().webhooks()
            }
            $(async fn $own(&self, $($own_argument: $own_kind),*) -> Result<$own_answer> {
                let deed = self.0.before(stringify!($own)).await?;
                let answer = self.0.$own($($own_argument),*).await;
                self.0.after(stringify!($own), deed, answer.is_ok()).await?;
                answer
            })*
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                let deed = self.0.before(stringify!($name)).await?;
                let answer = self.0.inner().$name($($argument),*).await;
                self.0.after(stringify!($name), deed, answer.is_ok()).await?;
                answer
            })*
        }
    };
}

passed_on! {
    replaced {
        lease(holder: &str, ttl: Duration) -> Turn;
        release(holder: &str) -> ();
        append(append: Append) -> Vec<Receipt>;
        due(turn: &Turn, until: Ts, limit: usize) -> Vec<MemberId>;
        next_wake(turn: &Turn) -> Option<Ts>;
        feed(after: feed::Position, limit: usize) -> Vec<feed::Entry>;
        flush(flush: Flush) -> ();
    }
    plain {
        home() -> Home;
        set_clock(offset_us: i64, live_since: Option<Ts>) -> ();
        live_playbook() -> Option<PlaybookVersion>;
        playbooks() -> Vec<PlaybookVersion>;
        apply_playbook(playbook: PlaybookVersion) -> i64;
        members_behind(of: Option<&Turn>, version: i64, after: Option<MemberId>, limit: usize) -> Vec<MemberId>;
        progress(name: &str) -> Option<Progress>;
        waiting(turn: &Turn, limit: usize) -> Vec<Waiting>;
        ahead(turn: &Turn) -> Option<Ahead>;
        any_waiting() -> bool;
        load(wanted: Wanted) -> Loaded;
        lots(member: MemberId, wanted: LotsWanted<'_>) -> Vec<Lot>;
        terms(member: MemberId) -> Vec<Term>;
        hold(member: MemberId, id: TransferId) -> Option<Hold>;
        past_transfer(member: MemberId, id: TransferId) -> Option<PastTransfer>;
        order_lines(order: OrderId) -> Option<PastEvent>;
        history(member: MemberId, names: Vec<String>) -> PastOf;
        whole_past(member: MemberId) -> Vec<merge::Past>;
        books(member: MemberId) -> merge::Books;
        feed_position(consumer: &str) -> feed::Position;
        feed_done(consumer: &str, position: feed::Position) -> ();
        work() -> read::Work;
        dead_letters(limit: usize) -> Vec<read::DeadLetter>;
        retry_dead_letters(seqs: Vec<i64>, now: Ts) -> usize;
        member_lines(as_of: read::AsOf) -> Vec<read::MemberLine>;
        ledger_lines(as_of: read::AsOf) -> Vec<read::LedgerLine>;
        namespaces() -> Vec<String>;
        member_whole(member: MemberId) -> Option<read::MemberWhole>;
        overview(ask: read::OverviewAsk) -> read::OverviewRecord;
        doctor() -> Vec<read::Check>;
        digest() -> String;
        months() -> Vec<archive::Month>;
        month_rows(month: i64, out: mpsc::Sender<Vec<archive::Row>>) -> ();
        month_archived(month: i64, file: &str, events: i64, hash: &str) -> ();
        dump(out: dump::Out) -> String;
        fill(rows: dump::In) -> ();
        borne(hashes: Vec<LookupHash>) -> Vec<(LookupHash, MemberId, Ts)>;
        given_up(limit: usize) -> Vec<read::GivenUp>;
        forget_given_up(before: i64, limit: usize) -> u64;
        identifiers_of(members: Vec<MemberId>) -> Vec<(MemberId, String, String)>;
        put_suggestions(found: Vec<suggestion::NewSuggestion>, at: Ts) -> usize;
        suggestions(state: Option<suggestion::State>, limit: usize) -> Vec<suggestion::Suggestion>;
        suggestion(no: i64) -> Option<suggestion::Suggestion>;
        decide_suggestion(no: i64, state: suggestion::State, by: &str, at: Ts) -> Option<suggestion::Suggestion>;
        places_version() -> i64;
        places() -> places::Whole;
        places_at(at: Ts) -> Vec<Place>;
        place(code: &str) -> Option<places::PlaceWhole>;
        change_places(change: places::Change) -> places::Edited;
        stores_seen() -> Vec<places::StoreSeen>;
        store_sums(as_of: read::AsOf) -> Vec<places::StoreSums>;
        member_lines_of(as_of: read::AsOf, stores: Vec<String>) -> Vec<places::CutLine>;
        ledger_lines_of(as_of: read::AsOf, stores: Vec<String>) -> Vec<read::LedgerLine>;
        fate(source: &str, message_id: &str) -> Option<zhiyin_store::command::Came>;
        came(source: &str, message_ids: Vec<String>) -> Vec<Option<[u8; 16]>>;
        let_go(before: std::collections::BTreeMap<String, Ts>, after: i64, limit: usize) -> LetGo;
        partner_sums(at: Ts) -> std::collections::BTreeMap<String, partner::PartnerSums>;
        taken_over(source: &str) -> takeover::TakenOver;
    }
}
