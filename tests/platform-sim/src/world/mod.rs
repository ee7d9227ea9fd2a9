//! The state of the platform, and what changes with time.

mod chats;
pub mod events;
mod kf;
mod people;
mod reach;
pub mod types;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::clock::Clients;
use crate::door::Calls;
use crate::faults::Faults;
use crate::limits::{Limits, Rule};
use crate::meters::Meters;
use crate::pay::Pay;
use crate::queue::Queue;
use crate::shops::Shops;
use crate::sms::Sms;
use crate::wechat::Wechat;
use types::{
    App, Chat, Due, JoinWay, Kf, Mass, Media, Moment, Phone, Relation, Staff, Tag, TagGroup, Token, Transfer,
    Way, Welcome,
};

/// The most things of one kind: a run that makes more is told so.
pub const THINGS_MAX: usize = 1_000_000;
/// How much of what happened is kept, by log.
pub const LOG_MAX: usize = 2_000;
/// How much of what arrived is kept, by phone.
pub const INBOX_MAX: usize = 500;

/// Why something did not happen, as the platform says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The platform's number.
    pub code: i64,
    /// The platform's words.
    pub says: String,
}

/// A refusal.
pub fn refuse<T>(code: i64, says: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, says: says.into() })
}

/// Everything.
pub struct World {
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// Where a reader of the file sees it.
    pub clock_file: Option<File>,
    /// Who waits with us.
    pub clients: Clients,
    /// The platform's rules.
    pub limits: Limits,
    /// What is counted.
    pub meters: Meters,
    /// What goes wrong.
    pub faults: Faults,
    /// Ids.
    pub ids: Chance,
    /// Whom a code picks.
    pub picks: Chance,
    /// What was called.
    pub calls: Calls,
    /// Callbacks on their way.
    pub queue: Queue,
    /// What is due, by time and order.
    pub timers: BTreeMap<(i64, u64), Due>,
    /// How many timers there were.
    n_timers: u64,
    /// What went against the platform's rules.
    pub violations: VecDeque<Value>,
    /// How often.
    pub n_violations: u64,

    /// The corp.
    pub corpid: String,
    /// Apps by agent id.
    pub apps: BTreeMap<i64, App>,
    /// Tokens.
    pub tokens: BTreeMap<String, Token>,
    /// Sign-in codes: whose, and until when.
    pub login_codes: BTreeMap<String, (String, i64)>,
    /// Staff by userid.
    pub staff: BTreeMap<String, Staff>,
    /// Customers by external_userid.
    pub phones: BTreeMap<String, Phone>,
    /// Customers by unionid.
    pub unionids: BTreeMap<String, String>,
    /// How many customers each of the staff has: counting them at each scan would make a busy code slow.
    pub n_of: BTreeMap<String, usize>,
    /// By staff and customer.
    pub relations: BTreeMap<(String, String), Relation>,
    /// Customers of staff who left: by staff and customer.
    pub unassigned: BTreeMap<(String, String), Relation>,
    /// Groups of corp tags.
    pub tag_groups: BTreeMap<String, TagGroup>,
    /// Corp tags.
    pub tags: BTreeMap<String, Tag>,
    /// Contact ways by config_id.
    pub ways: BTreeMap<String, Way>,
    /// Join ways by config_id.
    pub join_ways: BTreeMap<String, JoinWay>,
    /// Groups by chat_id.
    pub chats: BTreeMap<String, Chat>,
    /// Mass messages by msgid.
    pub masses: BTreeMap<String, Mass>,
    /// Moments by moment_id.
    pub moments: BTreeMap<String, Moment>,
    /// Media by media_id.
    pub media: BTreeMap<String, Media>,
    /// Group welcomes: by which app, and what.
    pub group_welcomes: BTreeMap<String, (i64, Value)>,
    /// Hand-overs, by an id of ours.
    pub transfers: BTreeMap<String, Transfer>,
    /// Welcome codes.
    pub welcomes: BTreeMap<String, Welcome>,
    /// Messages of apps to staff: when, and to whom.
    pub app_messages: BTreeMap<String, (i64, Vec<String>)>,
    /// Accounts of customer service.
    pub kfs: BTreeMap<String, Kf>,
    /// WeChat Pay.
    pub pay: Pay,
    /// Shops.
    pub shops: Shops,
    /// Short messages.
    pub sms: Sms,
    /// Official accounts and mini programs.
    pub wechat: Wechat,
}

impl World {
    /// A platform with one corp and nothing in it.
    pub fn new(seed: u64, start_ms: i64, corpid: String, limits: Limits, clock_file: Option<File>) -> Self {
        let mut world = Self {
            now_ms: start_ms,
            clock_file,
            clients: Clients::default(),
            limits,
            meters: Meters::default(),
            faults: Faults::new(seed),
            ids: Chance::new(seed, "ids"),
            picks: Chance::new(seed, "picks"),
            calls: Calls::default(),
            queue: Queue::new(seed),
            timers: BTreeMap::new(),
            n_timers: 0,
            violations: VecDeque::new(),
            n_violations: 0,
            corpid,
            apps: BTreeMap::new(),
            tokens: BTreeMap::new(),
            login_codes: BTreeMap::new(),
            staff: BTreeMap::new(),
            phones: BTreeMap::new(),
            unionids: BTreeMap::new(),
            n_of: BTreeMap::new(),
            relations: BTreeMap::new(),
            unassigned: BTreeMap::new(),
            tag_groups: BTreeMap::new(),
            tags: BTreeMap::new(),
            ways: BTreeMap::new(),
            join_ways: BTreeMap::new(),
            chats: BTreeMap::new(),
            masses: BTreeMap::new(),
            moments: BTreeMap::new(),
            media: BTreeMap::new(),
            group_welcomes: BTreeMap::new(),
            transfers: BTreeMap::new(),
            welcomes: BTreeMap::new(),
            app_messages: BTreeMap::new(),
            kfs: BTreeMap::new(),
            pay: Pay::new(seed),
            shops: Shops::new(seed),
            sms: Sms::new(seed),
            wechat: Wechat::new(seed),
        };
        world.show_time();
        world
    }

    /// Time goes on, never back.
    pub fn set_now(&mut self, now_ms: i64) {
        if now_ms > self.now_ms {
            self.now_ms = now_ms;
            self.show_time();
        }
    }

    /// Writes the time in place. A file that cannot be written was asked for in vain; the clock's own requests still tell it.
    fn show_time(&mut self) {
        let bytes = self.now_ms.to_le_bytes();
        if let Some(file) = &mut self.clock_file {
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes));
        }
    }

    /// Sets something due.
    pub fn at(&mut self, due_ms: i64, due: Due) {
        self.n_timers += 1;
        self.timers.insert((due_ms.max(self.now_ms), self.n_timers), due);
    }

    /// When the next thing is due.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.timers.keys().next().map(|(due_ms, _)| *due_ms)
    }

    /// Does all that is due by now.
    pub fn run_due(&mut self) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > self.now_ms {
                return;
            }
            match entry.remove() {
                Due::Deliver(id) => self.queue.ready(id),
                Due::Mass(msgid, userid) => self.confirm_mass(&msgid, &userid),
                Due::MomentReady(moment_id) => self.moment_ready(&moment_id),
                Due::Moment(moment_id, userid) => self.publish_moment(&moment_id, &userid),
                Due::Transfer(id) => self.transfer_takes_effect(&id),
                Due::Show(chat_id) => self.show_chat(&chat_id),
                Due::SmsReceipt(n) => self.sms_receipt(n),
                Due::PayMoves(bill) => self.pay_moves(&bill),
                Due::Accept(userid, external, state) => {
                    // Somebody who left meanwhile accepts nobody.
                    let _ = self.befriend(&userid, &external, &state, 1, true);
                }
            }
        }
    }

    /// Notes what went against the platform's rules.
    pub fn violate(&mut self, what: &str, code: i64, detail: Value) {
        self.n_violations += 1;
        let noted = json!({"at_ms": self.now_ms, "what": what, "errcode": code, "detail": detail});
        keep(&mut self.violations, noted, LOG_MAX);
    }

    /// An id with a beginning that tells what it is of.
    pub fn new_id(&mut self, begins: &str, n_letters: usize) -> String {
        format!("{begins}{}", self.ids.letters(n_letters))
    }

    /// How many customers somebody has.
    pub fn n_customers(&self, userid: &str) -> usize {
        self.n_of.get(userid).copied().unwrap_or_default()
    }

    /// The customers of somebody.
    pub fn customers_of(&self, userid: &str) -> impl Iterator<Item = (&String, &Relation)> {
        let from = (userid.to_owned(), String::new());
        let whose = userid.to_owned();
        let rows = self.relations.range(from..).take_while(move |((staff, _), _)| *staff == whose);
        rows.map(|((_, external), relation)| (external, relation))
    }

    /// The relation of a member of staff with a customer.
    pub fn relation(&self, userid: &str, external: &str) -> Option<&Relation> {
        self.relations.get(&(userid.to_owned(), external.to_owned()))
    }

    /// The same, to change it.
    pub fn relation_mut(&mut self, userid: &str, external: &str) -> Option<&mut Relation> {
        self.relations.get_mut(&(userid.to_owned(), external.to_owned()))
    }

    /// Staff who work here.
    pub fn active_staff(&self, userid: &str) -> Option<&Staff> {
        self.staff.get(userid).filter(|staff| staff.left_ms.is_none())
    }

    /// Who may have customers.
    pub fn followers(&self) -> impl Iterator<Item = &String> {
        self.staff
            .iter()
            .filter(|(_, staff)| staff.is_follower && staff.left_ms.is_none())
            .map(|(userid, _)| userid)
    }

    /// How many codes there are, of both kinds.
    pub fn n_ways(&self) -> usize {
        self.ways.len() + self.join_ways.len()
    }

    /// Whether a code may be made.
    pub fn way_fits(&self) -> bool {
        self.n_ways() < self.limits.n(Rule::Ways).min(THINGS_MAX)
    }

    /// Media of a kind that is good now.
    pub fn media_is_good(&self, media_id: &str, kind: &str) -> bool {
        let made_ms =
            self.media.get(media_id).filter(|media| media.kind == kind).map(|media| media.created_ms);
        made_ms.is_some_and(|made_ms| self.now_ms < made_ms + self.limits.of(Rule::MediaMs))
    }
}

/// Keeps the latest of a log.
pub fn keep<T>(log: &mut VecDeque<T>, new: T, n_max: usize) {
    if log.len() >= n_max {
        log.pop_front();
    }
    log.push_back(new);
}
