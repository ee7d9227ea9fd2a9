//! A home in PostgreSQL: several processes work on it at once, each on the shares that it leases.
//!
//! What is sent together goes in one round trip ([`connection`]): an append takes two ([`append`]), a batch two
//! ([`write`]). Rows go as one array a column ([`batch`]), put apart by shard ([`gather`]), since a home may be spread over
//! several schemas ([`schemas`]). All SQL of this room stands in its files as templates, and a test prepares every
//! statement. No rule of the business lives here.

mod access;
mod append;
mod batch;
mod campaigns;
mod checkouts;
mod closing;
mod config;
mod connection;
mod coupons;
mod crowd;
mod digest;
mod doctor;
mod door;
mod draws;
mod dump;
mod emptied;
mod fate;
mod feed;
mod gather;
mod home;
mod keys;
mod lease;
mod link;
mod lists;
mod load;
mod memory;
mod migrate;
mod months;
mod names;
mod online;
mod overview;
mod partition;
mod partners;
mod personal;
mod persons;
mod places;
mod reading;
mod report;
mod retain;
mod retry;
mod rows;
mod schemas;
mod sealing;
mod standing;
mod statements;
mod suggestions;
mod survey;
mod takeover;
mod tills;
mod wait;
mod webhooks;
mod work;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use zhiyin_model::effect::Lot;
use zhiyin_model::id::{IdKey, MemberId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::place::Place;
use zhiyin_model::time::Ts;
use zhiyin_store::command::Came;
use zhiyin_store::flush::{Flush, Hold};
use zhiyin_store::partner::PartnerSums;
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::takeover::TakenOver;
use zhiyin_store::turn::Turn;
use zhiyin_store::{
    Ahead, Append, Home, LetGo, Loaded, LotsWanted, PastEvent, PastOf, PastTransfer, PlaybookVersion,
    Progress, Receipt, Result, Store, StoreError, Waiting, Wanted,
};
use zhiyin_store::{archive, dump as moving, feed as following, merge, places as tree, read, suggestion};

use append::Appender;
use config::Address;
use connection::Connections;
#[doc(hidden)]
pub use connection::PIPELINE;
#[doc(hidden)]
pub use emptied::Left;
pub use keys::PgKeystore;
use link::Link;
use memory::Memory;
use standing::Standings;
#[doc(hidden)]
pub use statements::statements;
use survey::survey;

/// So many leases lie between two times that what nobody follows of the change feed is forgotten.
const FORGET_EVERY: usize = 64;

/// A home in PostgreSQL.
pub struct PgStore {
    address: Address,
    connections: Arc<Connections>,
    memory: Arc<Memory>,
    standings: Standings,
    appender: Appender,
    link: Link,
    leases: AtomicUsize,
    /// Where archived months lie.
    archive: RwLock<PathBuf>,
    vault: Arc<RwLock<Arc<Vault>>>,
    /// How far this process has sealed what was not.
    sealing: Mutex<personal::Stage>,
}

impl PgStore {
    /// Opens the home at an address, or makes it with this id key; brings its schema up to date. A home that is there keeps
    /// the key and the layout that it was made with.
    ///
    /// The address is `postgres://user:password@host/database?home=NAME&slots=16&shards=1&connections=8`, with any other
    /// options of PostgreSQL.
    pub async fn open(url: &str, id_key: &IdKey) -> Result<Self> {
        Self::open_over(url, id_key, None).await
    }

    /// The same over the connections of one that is gone, which were made for this home: for tests that open it hundreds of times.
    #[doc(hidden)]
    pub async fn open_over(url: &str, id_key: &IdKey, left: Option<&Left>) -> Result<Self> {
        let address = Address::parse(url)?;
        let opened = migrate::open(&address, id_key).await?;
        let connections = match left {
            Some(Left(connections)) => Arc::clone(connections),
            None => Arc::new(Connections::new(&address, opened.schemas)?),
        };
        let memory = Arc::new(Memory::new(opened.own));
        let vault = Arc::new(RwLock::new(Vault::none()));
        let appender = Appender::start(Arc::clone(&connections), Arc::clone(&memory), Arc::clone(&vault));
        let link = Link::new(address.clone());
        let (leases, archive) = (AtomicUsize::new(0), RwLock::new(PathBuf::from("archive")));
        let (standings, sealing) = (Standings::default(), Mutex::default());
        Ok(Self { address, connections, memory, standings, appender, link, leases, archive, vault, sealing })
    }

    fn archive(&self) -> PathBuf {
        self.archive.read().map(|folder| folder.clone()).unwrap_or_default()
    }

    fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The id key of the home at an address, without opening it as a store; `None` if there is no home.
pub async fn id_key_of(url: &str) -> Result<Option<IdKey>> {
    migrate::id_key(&Address::parse(url)?).await
}

#[async_trait]
impl Store for PgStore {
    async fn home(&self) -> Result<Home> {
        let (home, last) = home::home(&self.connections).await?;
        self.memory.saw_last(last);
        self.vault().home(home)
    }

    async fn set_clock(&self, offset_us: i64, live_since: Option<Ts>) -> Result<()> {
        home::set_clock(&self.connections, offset_us, live_since).await
    }

    async fn live_playbook(&self) -> Result<Option<PlaybookVersion>> {
        home::live_playbook(&self.connections).await
    }

    async fn playbooks(&self) -> Result<Vec<PlaybookVersion>> {
        home::playbooks(&self.connections).await
    }

    async fn apply_playbook(&self, playbook: PlaybookVersion) -> Result<i64> {
        home::apply_playbook(&self.connections, &playbook).await
    }

    async fn members_behind(
        &self,
        of: Option<&Turn>,
        version: i64,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<MemberId>> {
        wait::members_behind(&self.connections, of, version, after, limit).await
    }

    async fn lease(&self, holder: &str, ttl: Duration) -> Result<Turn> {
        if self.leases.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            feed::forget(&self.connections).await?;
        }
        lease::lease(&self.connections, &self.link, holder, ttl).await
    }

    async fn release(&self, holder: &str) -> Result<()> {
        lease::release(&self.connections, &self.link, holder).await
    }

    fn mark(&self) -> u64 {
        self.link.mark()
    }

    async fn stirred(&self, turn: &Turn, since: u64) {
        self.link.stirred(turn, since).await;
    }

    async fn append(&self, append: Append) -> Result<Vec<Receipt>> {
        let mut given = append;
        loop {
            let vault = self.vault();
            let again = vault.is_sealed().then(|| given.clone());
            let append = vault.aside(|vault| vault.seal_append(given)).await?;
            match (self.appender.append(append).await, again) {
                // Somebody was erased meanwhile, and a key with them: there is another by now.
                (Err(StoreError::Erased), Some(again)) => given = again,
                (done, _) => return done,
            }
        }
    }

    async fn progress(&self, name: &str) -> Result<Option<Progress>> {
        home::progress(&self.connections, name).await
    }

    async fn waiting(&self, turn: &Turn, limit: usize) -> Result<Vec<Waiting>> {
        if turn.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = wait::waiting(&self.connections, turn, limit).await?;
        self.vault()
            .aside(move |vault| {
                vault.open_waiting(&mut rows)?;
                Ok(rows)
            })
            .await
    }

    async fn ahead(&self, turn: &Turn) -> Result<Option<Ahead>> {
        if turn.is_empty() {
            return Ok(None);
        }
        wait::ahead(&self.connections, turn).await
    }

    async fn any_waiting(&self) -> Result<bool> {
        wait::any_waiting(&self.connections).await
    }

    async fn due(&self, turn: &Turn, until: Ts, limit: usize) -> Result<Vec<MemberId>> {
        wait::due(&self.connections, turn, until, limit).await
    }

    async fn next_wake(&self, turn: &Turn) -> Result<Option<Ts>> {
        wait::next_wake(&self.connections, turn).await
    }

    async fn load(&self, wanted: Wanted) -> Result<Loaded> {
        load::load(&self.connections, &self.standings, &self.vault(), &wanted).await
    }

    async fn lots(&self, member: MemberId, wanted: LotsWanted<'_>) -> Result<Vec<Lot>> {
        load::lots(&self.connections, member, wanted).await
    }

    async fn terms(&self, member: MemberId) -> Result<Vec<Term>> {
        load::terms(&self.connections, member).await
    }

    async fn hold(&self, member: MemberId, id: TransferId) -> Result<Option<Hold>> {
        load::hold(&self.connections, member, id).await
    }

    async fn past_transfer(&self, member: MemberId, id: TransferId) -> Result<Option<PastTransfer>> {
        load::past_transfer(&self.connections, member, id).await
    }

    async fn order_lines(&self, order: OrderId) -> Result<Option<PastEvent>> {
        let mut found = load::order_lines(&self.connections, order).await?;
        archive::fill(&self.archive(), found.iter_mut())?;
        self.vault()
            .aside(move |vault| {
                vault.open_past(found.iter_mut())?;
                Ok(found)
            })
            .await
    }

    async fn history(&self, member: MemberId, names: Vec<String>) -> Result<PastOf> {
        let mut past = load::history(&self.connections, member, &names).await?;
        let lines = past.orders.iter_mut().map(|(_, lines)| lines);
        archive::fill(&self.archive(), lines.chain(past.events.iter_mut()))?;
        self.vault()
            .aside(move |vault| {
                let lines = past.orders.iter_mut().map(|(_, lines)| lines);
                vault.open_past(lines.chain(past.events.iter_mut()))?;
                Ok(past)
            })
            .await
    }

    async fn whole_past(&self, member: MemberId) -> Result<Vec<merge::Past>> {
        let mut past = persons::past(&self.connections, member).await?;
        archive::fill(&self.archive(), past.iter_mut().map(|past| &mut past.event))?;
        let vault = self.vault();
        vault
            .aside(move |vault| {
                for past in &mut past {
                    past.message_id = vault.called_text(std::mem::take(&mut past.message_id))?;
                }
                vault.open_past(past.iter_mut().map(|past| &mut past.event))?;
                Ok(past)
            })
            .await
    }

    async fn books(&self, member: MemberId) -> Result<merge::Books> {
        persons::books(&self.connections, member).await
    }

    async fn flush(&self, flush: Flush) -> Result<()> {
        let flush = self.vault().aside(|vault| vault.seal_flush(flush)).await?;
        write::flush(&self.connections, &self.memory, &self.standings, &flush).await
    }

    async fn feed(&self, after: following::Position, limit: usize) -> Result<Vec<following::Entry>> {
        feed::feed(&self.connections, after, limit).await
    }

    async fn feed_position(&self, consumer: &str) -> Result<following::Position> {
        feed::position(&self.connections, consumer).await
    }

    async fn feed_done(&self, consumer: &str, position: following::Position) -> Result<()> {
        feed::done(&self.connections, consumer, position).await
    }

    async fn work(&self) -> Result<read::Work> {
        survey!(self, survey => work::work(&survey))
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<read::DeadLetter>> {
        survey!(self, survey => report::dead_letters(&survey, &self.vault(), limit))
    }

    async fn retry_dead_letters(&self, seqs: Vec<i64>, now: Ts) -> Result<usize> {
        retry::retry_dead_letters(&self.connections, &seqs, now).await
    }

    async fn member_lines(&self, as_of: read::AsOf) -> Result<Vec<read::MemberLine>> {
        survey!(self, survey => report::member_lines(&survey, &self.vault(), as_of))
    }

    async fn ledger_lines(&self, as_of: read::AsOf) -> Result<Vec<read::LedgerLine>> {
        survey!(self, survey => report::ledger_lines(&survey, as_of))
    }

    async fn namespaces(&self) -> Result<Vec<String>> {
        survey!(self, survey => report::namespaces(&survey))
    }

    async fn member_whole(&self, member: MemberId) -> Result<Option<read::MemberWhole>> {
        survey!(self, survey => report::member_whole(&survey, &self.vault(), member, report::LATEST))
    }

    async fn overview(&self, ask: read::OverviewAsk) -> Result<read::OverviewRecord> {
        survey!(self, survey => overview::overview(&survey, ask))
    }

    async fn doctor(&self) -> Result<Vec<read::Check>> {
        survey!(self, survey => doctor::doctor(&survey, &self.vault()))
    }

    async fn digest(&self) -> Result<String> {
        survey!(self, survey => digest::digest(&survey, &self.vault()))
    }

    fn keep_archive(&self, folder: PathBuf) {
        if let Ok(mut archive) = self.archive.write() {
            *archive = folder;
        }
    }

    async fn months(&self) -> Result<Vec<archive::Month>> {
        survey!(self, survey => months::months(&survey))
    }

    async fn month_rows(&self, month: i64, out: mpsc::Sender<Vec<archive::Row>>) -> Result<()> {
        survey!(self, survey => months::rows(&survey, month, &out))
    }

    async fn month_archived(&self, month: i64, file: &str, events: i64, hash: &str) -> Result<()> {
        months::archived(&self.connections, month, file, events, hash).await
    }

    async fn dump(&self, out: moving::Out) -> Result<String> {
        survey!(self, survey => async {
            dump::dump(&survey, &out).await?;
            digest::digest(&survey, &self.vault()).await
        })
    }

    async fn fill(&self, rows: moving::In) -> Result<()> {
        let mut client = self.connections.survey().await?;
        let tx = client.transaction().await.map_err(rows::database)?;
        if let Err(error) = dump::fill(&tx, &self.connections.schemas, rows).await {
            drop(tx.rollback().await);
            return Err(error);
        }
        tx.commit().await.map_err(rows::database)?;
        let own = migrate::own(&**client, &self.connections.schemas).await?;
        self.memory.forget(own);
        self.standings.forget();
        Ok(())
    }

    async fn borne(&self, hashes: Vec<LookupHash>) -> Result<Vec<(LookupHash, MemberId, Ts)>> {
        names::borne(&self.connections, &hashes).await
    }

    async fn given_up(&self, limit: usize) -> Result<Vec<read::GivenUp>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.session().await?.rows((names::GIVEN_UP, 0), &[&limit]).await?;
        let vault = self.vault();
        rows.iter().map(|row| names::given_up(row, &vault)).collect()
    }

    async fn forget_given_up(&self, before: i64, limit: usize) -> Result<u64> {
        let (limit, session) = (i64::try_from(limit).unwrap_or(i64::MAX), self.connections.session().await?);
        session.run((names::GIVEN_UP_GONE, 0), &[&before, &limit]).await
    }

    async fn identifiers_of(&self, members: Vec<MemberId>) -> Result<Vec<(MemberId, String, String)>> {
        suggestions::identifiers_of(&self.connections, &self.vault(), &members).await
    }

    async fn put_suggestions(&self, found: Vec<suggestion::NewSuggestion>, at: Ts) -> Result<usize> {
        suggestions::put(&self.connections, &found, at).await
    }

    async fn suggestions(
        &self,
        state: Option<suggestion::State>,
        limit: usize,
    ) -> Result<Vec<suggestion::Suggestion>> {
        suggestions::list(&self.connections, state, limit).await
    }

    async fn suggestion(&self, no: i64) -> Result<Option<suggestion::Suggestion>> {
        suggestions::of_number(&self.connections, no).await
    }

    async fn decide_suggestion(
        &self,
        no: i64,
        state: suggestion::State,
        by: &str,
        at: Ts,
    ) -> Result<Option<suggestion::Suggestion>> {
        suggestions::decide(&self.connections, no, state, by, at).await
    }

    fn closing(&self) -> &dyn zhiyin_store::closing::Closing {
        self
    }

    fn access(&self) -> &dyn zhiyin_store::access::Access {
        self
    }

    fn coupons(&self) -> &dyn zhiyin_store::coupons::Coupons {
        self
    }

    fn tills(&self) -> &dyn zhiyin_store::tills::Tills {
        self
    }

    fn draws(&self) -> &dyn zhiyin_store::draws::Draws {
        self
    }

    fn webhooks(&self) -> &dyn zhiyin_store::webhooks::Webhooks {
        self
    }

    async fn places_version(&self) -> Result<i64> {
        places::version(&self.connections).await
    }

    async fn places(&self) -> Result<tree::Whole> {
        survey!(self, survey => places::whole(&survey, &self.vault()))
    }

    async fn places_at(&self, at: Ts) -> Result<Vec<Place>> {
        survey!(self, survey => places::at(&survey, at))
    }

    async fn place(&self, code: &str) -> Result<Option<tree::PlaceWhole>> {
        survey!(self, survey => places::one(&survey, &self.vault(), code))
    }

    async fn change_places(&self, change: tree::Change) -> Result<tree::Edited> {
        places::change(&self.connections, &self.vault(), &change).await
    }

    async fn stores_seen(&self) -> Result<Vec<tree::StoreSeen>> {
        survey!(self, survey => places::stores_seen(&survey))
    }

    async fn store_sums(&self, as_of: read::AsOf) -> Result<Vec<tree::StoreSums>> {
        survey!(self, survey => places::store_sums(&survey, as_of))
    }

    async fn member_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<tree::CutLine>> {
        survey!(self, survey => places::member_lines(&survey, &self.vault(), as_of, &stores))
    }

    async fn ledger_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<read::LedgerLine>> {
        survey!(self, survey => places::ledger_lines(&survey, as_of, &stores))
    }

    async fn fate(&self, source: &str, message_id: &str) -> Result<Option<Came>> {
        let vault = self.vault();
        let message_id = vault.message_id(message_id);
        fate::fate(&self.connections, &vault, source, &message_id).await
    }

    async fn came(&self, source: &str, message_ids: Vec<String>) -> Result<Vec<Option<[u8; 16]>>> {
        let message_ids = self.vault().message_ids(message_ids);
        takeover::came(&self.connections, source, &message_ids).await
    }

    async fn let_go(&self, before: BTreeMap<String, Ts>, after: i64, limit: usize) -> Result<LetGo> {
        retain::let_go(&self.connections, &before, after, limit).await
    }

    async fn partner_sums(&self, at: Ts) -> Result<BTreeMap<String, PartnerSums>> {
        survey!(self, survey => partners::sums(&survey, at))
    }

    async fn taken_over(&self, source: &str) -> Result<TakenOver> {
        survey!(self, survey => takeover::taken_over(&survey, source))
    }

    fn reading(&self) -> &dyn zhiyin_store::reading::Reading {
        self
    }

    fn crowd(&self) -> &dyn zhiyin_store::crowd::Crowd {
        self
    }

    fn lists(&self) -> &dyn zhiyin_store::lists::Lists {
        self
    }

    fn personal(&self) -> Option<&dyn zhiyin_store::personal::Personal> {
        Some(self)
    }
}
