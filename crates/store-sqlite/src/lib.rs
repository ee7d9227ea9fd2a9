//! A home in one SQLite file: WAL, full durability, one writer that commits whole batches, several readers.
//!
//! What callers ask the writer to do at the same time is committed together ([`connection`]); what a batch writes
//! goes through statements that are prepared once ([`write`]). All SQL of this room stands in its files, and a test
//! prepares every statement. No rule of the business lives here.

mod access;
mod campaigns;
mod checkouts;
mod closing;
mod connection;
mod coupons;
mod crowd;
mod digest;
mod doctor;
mod door;
mod draws;
mod dump;
mod fate;
mod feed;
mod folding;
mod keys;
mod lists;
mod load;
mod migrate;
mod months;
mod names;
mod overview;
mod partners;
mod personal;
mod persons;
mod places;
mod reading;
mod report;
mod retain;
mod rows;
mod shares;
mod sizes;
mod statements;
mod suggestions;
mod takeover;
mod tills;
mod together;
mod webhooks;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
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
    Append, Home, LetGo, Loaded, LotsWanted, OWN_SOURCE, PastEvent, PastOf, PastTransfer, PlaybookVersion,
    Progress, Receipt, Result, Store, StoreError, Waiting, Wanted,
};
use zhiyin_store::{archive, dump as moving, feed as following, merge, places as tree, read, suggestion};

use connection::Connections;
pub use connection::Durability;
pub use keys::{FileKeystore, id_key_of};
pub use sizes::{found_by_bytes, identity_bytes};
#[doc(hidden)]
pub use statements::statements;

/// A home in one SQLite file.
pub struct SqliteStore {
    connections: Connections,
    /// Held by whoever hands a batch over to the writer.
    handing: tokio::sync::Mutex<()>,
    shares: shares::Shares,
    /// Where archived months lie: beside the file, unless somebody says otherwise.
    archive: RwLock<PathBuf>,
    vault: RwLock<Arc<Vault>>,
    /// How far this process has sealed what was not.
    sealing: Mutex<personal::Stage>,
}

impl SqliteStore {
    /// Opens the file, or makes it with this id key; brings its schema up to date.
    pub fn open(path: &Path, id_key: &IdKey) -> Result<Self> {
        Self::open_with(path, id_key, Durability::Full)
    }

    /// Opens with another durability: for measurements only.
    pub fn open_with(path: &Path, id_key: &IdKey, durability: Durability) -> Result<Self> {
        let mut writer = connection::open(path, durability)?;
        migrate::migrate(&mut writer)?;
        writer
            .execute(write::HOME_NEW, params![id_key.bytes().as_slice(), Ts::MIN.0])
            .map_err(rows::database)?;
        writer.execute(write::SOURCE_NEW, [OWN_SOURCE, ""]).map_err(rows::database)?;
        writer.execute(write::SLOT_NEW, []).map_err(rows::database)?;
        let connections = Connections::start(path, writer, durability)?;
        let mut beside = path.file_name().unwrap_or_default().to_os_string();
        beside.push("-archive");
        let (archive, vault) = (RwLock::new(path.with_file_name(beside)), RwLock::new(Vault::none()));
        let handing = tokio::sync::Mutex::default();
        Ok(Self {
            connections,
            handing,
            shares: shares::Shares::of(path),
            archive,
            vault,
            sealing: Mutex::default(),
        })
    }

    fn archive(&self) -> PathBuf {
        self.archive.read().map(|folder| folder.clone()).unwrap_or_default()
    }

    fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn home(&self) -> Result<Home> {
        let home = self.connections.read_in_line(load::home).await?;
        self.vault().home(home)
    }

    async fn set_clock(&self, offset_us: i64, live_since: Option<Ts>) -> Result<()> {
        self.connections
            .write(move |c| {
                c.execute(write::CLOCK_SET, params![offset_us, live_since.map(|ts| ts.0)])
                    .map(drop)
                    .map_err(rows::database)
            })
            .await
    }

    async fn live_playbook(&self) -> Result<Option<PlaybookVersion>> {
        self.connections
            .read(|c| {
                c.prepare_cached(load::PLAYBOOK_LIVE)
                    .and_then(|mut statement| statement.query_row([], rows::playbook).optional())
                    .map_err(rows::database)
            })
            .await
    }

    async fn playbooks(&self) -> Result<Vec<PlaybookVersion>> {
        self.connections.read(|c| rows::all(c, load::PLAYBOOKS, [], rows::playbook)).await
    }

    async fn apply_playbook(&self, playbook: PlaybookVersion) -> Result<i64> {
        self.connections.write(move |c| write::apply_playbook(c, &playbook)).await
    }

    async fn members_behind(
        &self,
        of: Option<&Turn>,
        version: i64,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<MemberId>> {
        if of.is_some_and(Turn::is_empty) {
            return Ok(Vec::new());
        }
        let in_line = of.is_some();
        self.connections.read(move |c| load::members_behind(c, in_line, version, after, limit)).await
    }

    async fn append(&self, append: Append) -> Result<Vec<Receipt>> {
        let mut given = append;
        loop {
            let vault = self.vault();
            let again = vault.is_sealed().then(|| given.clone());
            let append = vault.aside(|vault| vault.seal_append(given)).await?;
            match (self.connections.write(move |c| door::append(c, &vault, &append)).await, again) {
                // Somebody was erased meanwhile, and a key with them: there is another by now.
                (Err(StoreError::Erased), Some(again)) => given = again,
                (done, _) => return done,
            }
        }
    }

    async fn progress(&self, name: &str) -> Result<Option<Progress>> {
        let name = name.to_owned();
        self.connections
            .read(move |c| {
                c.query_row(load::IMPORT, [&name], |row| {
                    Ok(Progress { name: name.clone(), position: row.get(0)?, done: row.get(1)? })
                })
                .optional()
                .map_err(rows::database)
            })
            .await
    }

    async fn lease(&self, holder: &str, _ttl: Duration) -> Result<Turn> {
        self.shares.lease(&self.connections, holder).await
    }

    async fn release(&self, holder: &str) -> Result<()> {
        let by = holder.to_owned();
        let noted = self.connections.write(move |c| shares::given_up(c, &by)).await;
        self.shares.give_up(holder)?;
        noted
    }

    async fn waiting(&self, turn: &Turn, limit: usize) -> Result<Vec<Waiting>> {
        if turn.is_empty() {
            return Ok(Vec::new());
        }
        let vault = self.vault();
        self.connections.read_in_line(move |c| load::waiting(c, &vault, limit)).await
    }

    async fn any_waiting(&self) -> Result<bool> {
        self.connections
            .read_in_line(|c| c.query_row(load::ANY_WAITING, [], |row| row.get(0)).map_err(rows::database))
            .await
    }

    async fn due(&self, turn: &Turn, until: Ts, limit: usize) -> Result<Vec<MemberId>> {
        if turn.is_empty() {
            return Ok(Vec::new());
        }
        self.connections.read_in_line(move |c| load::due(c, until, limit)).await
    }

    async fn next_wake(&self, turn: &Turn) -> Result<Option<Ts>> {
        if turn.is_empty() {
            return Ok(None);
        }
        self.connections
            .read_in_line(|c| {
                c.query_row(load::NEXT_WAKE, [], |row| row.get(0))
                    .optional()
                    .map(|wake| wake.map(Ts))
                    .map_err(rows::database)
            })
            .await
    }

    async fn load(&self, wanted: Wanted) -> Result<Loaded> {
        let vault = self.vault();
        self.connections.read_in_line(move |c| load::load(c, &vault, &wanted)).await
    }

    async fn load_ahead(&self, wanted: Wanted) -> Result<Loaded> {
        let vault = self.vault();
        self.connections.read_ahead(move |c| load::load(c, &vault, &wanted)).await
    }

    async fn lots(&self, member: MemberId, wanted: LotsWanted<'_>) -> Result<Vec<Lot>> {
        match wanted {
            LotsWanted::Covering(amount) => {
                self.connections.read_in_line(move |c| load::lots_covering(c, member, amount)).await
            }
            LotsWanted::ExpiringAt(at) => {
                self.connections
                    .read_in_line(move |c| load::lots_at(c, load::LOTS_EXPIRING, member, at))
                    .await
            }
            LotsWanted::ActiveAt(at) => {
                self.connections
                    .read_in_line(move |c| load::lots_at(c, load::LOTS_ACTIVATING, member, at))
                    .await
            }
            LotsWanted::These(ids) => {
                let ids = ids.to_vec();
                self.connections.read_in_line(move |c| load::lots_these(c, member, &ids)).await
            }
        }
    }

    async fn terms(&self, member: MemberId) -> Result<Vec<Term>> {
        self.connections
            .read_in_line(move |c| rows::all(c, load::TERMS, [member.bytes().as_slice()], rows::term))
            .await
    }

    async fn hold(&self, member: MemberId, id: TransferId) -> Result<Option<Hold>> {
        self.connections.read_in_line(move |c| load::hold(c, member, id)).await
    }

    async fn past_transfer(&self, member: MemberId, id: TransferId) -> Result<Option<PastTransfer>> {
        self.connections.read_in_line(move |c| load::past_transfer(c, member, id)).await
    }

    async fn order_lines(&self, order: OrderId) -> Result<Option<PastEvent>> {
        let mut found = self.connections.read_in_line(move |c| load::order_lines(c, order)).await?;
        archive::fill(&self.archive(), found.iter_mut())?;
        self.vault().open_past(found.iter_mut())?;
        Ok(found)
    }

    async fn history(&self, member: MemberId, names: Vec<String>) -> Result<PastOf> {
        let mut past = self.connections.read_in_line(move |c| load::history(c, member, &names)).await?;
        let lines = past.orders.iter_mut().map(|(_, lines)| lines);
        archive::fill(&self.archive(), lines.chain(past.events.iter_mut()))?;
        let lines = past.orders.iter_mut().map(|(_, lines)| lines);
        self.vault().open_past(lines.chain(past.events.iter_mut()))?;
        Ok(past)
    }

    async fn whole_past(&self, member: MemberId) -> Result<Vec<merge::Past>> {
        let vault = self.vault();
        let opening = Arc::clone(&vault);
        let mut past = self.connections.read_in_line(move |c| persons::past(c, &opening, member)).await?;
        archive::fill(&self.archive(), past.iter_mut().map(|past| &mut past.event))?;
        vault.open_past(past.iter_mut().map(|past| &mut past.event))?;
        Ok(past)
    }

    async fn books(&self, member: MemberId) -> Result<merge::Books> {
        self.connections.read_in_line(move |c| persons::books(c, member)).await
    }

    async fn flush(&self, flush: Flush) -> Result<()> {
        // Whoever came first is handed over first, however long their keys take.
        let first = self.handing.lock().await;
        let flush = self.vault().aside(|vault| vault.seal_flush(flush)).await?;
        let packed = write::Packed::of(&flush)?;
        // It is given back, for who made it lets go of it sooner than the writer would.
        let write = move |c: &Connection| write::flush(c, &flush, &packed).map(|()| (flush, packed));
        let answer = self.connections.hand_over(write).await?;
        drop(first);
        answer.await.map_err(|_| StoreError::Stopped)?.map(drop)
    }

    fn is_in_order(&self) -> bool {
        true
    }

    async fn feed(&self, after: following::Position, limit: usize) -> Result<Vec<following::Entry>> {
        self.connections.read(move |c| feed::feed(c, after, limit)).await
    }

    async fn feed_position(&self, consumer: &str) -> Result<following::Position> {
        let consumer = consumer.to_owned();
        self.connections.write(move |c| feed::position(c, &consumer)).await
    }

    async fn feed_done(&self, consumer: &str, position: following::Position) -> Result<()> {
        let consumer = consumer.to_owned();
        self.connections.write(move |c| feed::done(c, &consumer, position)).await
    }

    async fn work(&self) -> Result<read::Work> {
        self.connections.read(shares::work).await
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<read::DeadLetter>> {
        let vault = self.vault();
        self.connections.read(move |c| report::dead_letters(c, &vault, limit)).await
    }

    async fn retry_dead_letters(&self, seqs: Vec<i64>, now: Ts) -> Result<usize> {
        self.connections.write(move |c| write::retry_dead_letters(c, &seqs, now)).await
    }

    async fn member_lines(&self, as_of: read::AsOf) -> Result<Vec<read::MemberLine>> {
        let vault = self.vault();
        self.connections.survey(move |c| report::member_lines(c, &vault, as_of)).await
    }

    async fn ledger_lines(&self, as_of: read::AsOf) -> Result<Vec<read::LedgerLine>> {
        self.connections.survey(move |c| report::ledger_lines(c, as_of)).await
    }

    async fn namespaces(&self) -> Result<Vec<String>> {
        self.connections.read(|c| rows::all(c, report::NAMESPACES, [], |row| row.get(0))).await
    }

    async fn member_whole(&self, member: MemberId) -> Result<Option<read::MemberWhole>> {
        let vault = self.vault();
        self.connections.read(move |c| report::member_whole(c, &vault, member, report::LATEST)).await
    }

    async fn overview(&self, ask: read::OverviewAsk) -> Result<read::OverviewRecord> {
        self.connections.survey(move |c| overview::overview(c, ask)).await
    }

    async fn doctor(&self) -> Result<Vec<read::Check>> {
        let vault = self.vault();
        self.connections.survey(move |c| doctor::doctor(c, &vault)).await
    }

    async fn digest(&self) -> Result<String> {
        let vault = self.vault();
        self.connections.survey(move |c| digest::digest(c, &vault)).await
    }

    fn keep_archive(&self, folder: PathBuf) {
        if let Ok(mut archive) = self.archive.write() {
            *archive = folder;
        }
    }

    async fn months(&self) -> Result<Vec<archive::Month>> {
        self.connections.survey(months::months).await
    }

    async fn month_rows(&self, month: i64, out: mpsc::Sender<Vec<archive::Row>>) -> Result<()> {
        self.connections.survey(move |c| months::rows(c, month, &out)).await
    }

    async fn month_archived(&self, month: i64, file: &str, events: i64, hash: &str) -> Result<()> {
        let (file, hash) = (file.to_owned(), hash.to_owned());
        self.connections.write(move |c| months::note(c, month, &file, events, &hash)).await?;
        while self.connections.write(move |c| months::forget(c, month)).await? {}
        Ok(())
    }

    async fn dump(&self, out: moving::Out) -> Result<String> {
        let vault = self.vault();
        self.connections
            .survey(move |c| {
                dump::dump(c, &out)?;
                digest::digest(c, &vault)
            })
            .await
    }

    async fn fill(&self, rows: moving::In) -> Result<()> {
        self.connections.write(move |c| dump::fill(c, rows)).await
    }

    async fn borne(&self, hashes: Vec<LookupHash>) -> Result<Vec<(LookupHash, MemberId, Ts)>> {
        self.connections.read(move |c| names::borne(c, &hashes)).await
    }

    async fn given_up(&self, limit: usize) -> Result<Vec<read::GivenUp>> {
        let vault = self.vault();
        self.connections.read(move |c| names::given_up(c, &vault, limit)).await
    }

    async fn forget_given_up(&self, before: i64, limit: usize) -> Result<u64> {
        let gone = move |c: &rusqlite::Connection| {
            let gone =
                write::run(&mut write::prepare(c, names::GIVEN_UP_GONE)?, params![before, limit as i64]);
            gone.map(|n| n as u64)
        };
        self.connections.write(gone).await
    }

    async fn identifiers_of(&self, members: Vec<MemberId>) -> Result<Vec<(MemberId, String, String)>> {
        let vault = self.vault();
        self.connections.read(move |c| suggestions::identifiers_of(c, &vault, &members)).await
    }

    async fn put_suggestions(&self, found: Vec<suggestion::NewSuggestion>, at: Ts) -> Result<usize> {
        self.connections.write(move |c| suggestions::put(c, &found, at)).await
    }

    async fn suggestions(
        &self,
        state: Option<suggestion::State>,
        limit: usize,
    ) -> Result<Vec<suggestion::Suggestion>> {
        self.connections.read(move |c| suggestions::list(c, state, limit)).await
    }

    async fn suggestion(&self, no: i64) -> Result<Option<suggestion::Suggestion>> {
        self.connections.read(move |c| suggestions::of_number(c, no)).await
    }

    async fn decide_suggestion(
        &self,
        no: i64,
        state: suggestion::State,
        by: &str,
        at: Ts,
    ) -> Result<Option<suggestion::Suggestion>> {
        let by = by.to_owned();
        self.connections.write(move |c| suggestions::decide(c, no, state, &by, at)).await
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
        self.connections.read(places::version).await
    }

    async fn places(&self) -> Result<tree::Whole> {
        let vault = self.vault();
        self.connections.read(move |c| places::whole(c, &vault)).await
    }

    async fn places_at(&self, at: Ts) -> Result<Vec<Place>> {
        self.connections.read(move |c| places::at(c, at)).await
    }

    async fn place(&self, code: &str) -> Result<Option<tree::PlaceWhole>> {
        let (code, vault) = (code.to_owned(), self.vault());
        self.connections.read(move |c| places::one(c, &vault, &code)).await
    }

    async fn change_places(&self, change: tree::Change) -> Result<tree::Edited> {
        let vault = self.vault();
        self.connections.write(move |c| places::change(c, &vault, &change)).await
    }

    async fn stores_seen(&self) -> Result<Vec<tree::StoreSeen>> {
        self.connections.survey(places::stores_seen).await
    }

    async fn store_sums(&self, as_of: read::AsOf) -> Result<Vec<tree::StoreSums>> {
        self.connections.survey(move |c| places::store_sums(c, as_of)).await
    }

    async fn member_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<tree::CutLine>> {
        let vault = self.vault();
        self.connections.survey(move |c| places::member_lines(c, &vault, as_of, &stores)).await
    }

    async fn ledger_lines_of(&self, as_of: read::AsOf, stores: Vec<String>) -> Result<Vec<read::LedgerLine>> {
        self.connections.survey(move |c| places::ledger_lines(c, as_of, &stores)).await
    }

    async fn fate(&self, source: &str, message_id: &str) -> Result<Option<Came>> {
        let (source, vault) = (source.to_owned(), self.vault());
        let message_id = vault.message_id(message_id);
        self.connections.read(move |c| fate::fate(c, &vault, &source, &message_id)).await
    }

    async fn came(&self, source: &str, message_ids: Vec<String>) -> Result<Vec<Option<[u8; 16]>>> {
        let (source, message_ids) = (source.to_owned(), self.vault().message_ids(message_ids));
        self.connections.read(move |c| takeover::came(c, &source, &message_ids)).await
    }

    async fn let_go(&self, before: BTreeMap<String, Ts>, after: i64, limit: usize) -> Result<LetGo> {
        self.connections.write(move |c| retain::let_go(c, &before, after, limit)).await
    }

    async fn partner_sums(&self, at: Ts) -> Result<BTreeMap<String, PartnerSums>> {
        self.connections.survey(move |c| partners::sums(c, at)).await
    }

    async fn taken_over(&self, source: &str) -> Result<TakenOver> {
        let source = source.to_owned();
        self.connections.survey(move |c| takeover::taken_over(c, &source)).await
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
