//! What there is on the platform: a corp with its apps and staff, phones of customers, and what lies between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::crypto::Key;

/// Where an app takes callbacks.
#[derive(Clone)]
pub struct Callback {
    /// `http://127.0.0.1:PORT/path`.
    pub url: String,
    /// Of the signature.
    pub token: String,
    /// Of the text.
    pub key: Key,
}

/// A self-built app of the corp.
#[derive(Clone)]
pub struct App {
    /// Its secret.
    pub secret: String,
    /// What it is called.
    pub name: String,
    /// Whether it may call the APIs of customer contact.
    pub is_contact: bool,
    /// Addresses that may call; any where empty.
    pub ips: BTreeSet<String>,
    /// Where its events go.
    pub callback: Option<Callback>,
}

/// A token of an app.
#[derive(Clone)]
pub struct Token {
    /// Whose.
    pub agent: i64,
    /// Until when.
    pub until_ms: i64,
}

/// How a member of staff behaves. Minutes of `None` are never.
#[derive(Clone)]
pub struct Habit {
    /// After how many minutes they confirm mass messages.
    pub mass_minutes: Option<i64>,
    /// After how many minutes they publish moments.
    pub moment_minutes: Option<i64>,
    /// After how many minutes they accept customers whose code asks for it.
    pub accept_minutes: Option<i64>,
}

/// A member of staff.
#[derive(Clone)]
pub struct Staff {
    /// What they are called.
    pub name: String,
    /// Their departments.
    pub departments: Vec<i64>,
    /// Whether they may have customers.
    pub is_follower: bool,
    /// How many customers they may have.
    pub capacity: usize,
    /// Whether the console has a welcome for them, so that no code is issued.
    pub has_console_welcome: bool,
    /// What they do and when.
    pub habit: Habit,
    /// When they left the company.
    pub left_ms: Option<i64>,
    /// What apps told them.
    pub inbox: VecDeque<Value>,
}

/// Something that arrived on a phone.
#[derive(Clone)]
pub struct Received {
    /// When.
    pub at_ms: i64,
    /// `welcome`, `mass`, `group_mass`, `moment`, `chat`, `kf`.
    pub kind: &'static str,
    /// Which message, moment or code.
    pub id: String,
    /// Of whom.
    pub from: String,
    /// In which group.
    pub chat_id: Option<String>,
    /// What it says.
    pub content: Value,
}

impl Received {
    /// As JSON.
    pub fn told(&self) -> Value {
        json!({
            "at_ms": self.at_ms, "kind": self.kind, "id": self.id, "from": self.from, "chat_id": self.chat_id,
            "content": self.content,
        })
    }
}

/// A customer's phone.
#[derive(Clone)]
pub struct Phone {
    /// What they are called.
    pub name: String,
    /// 0 unknown, 1 man, 2 woman.
    pub gender: i64,
    /// Their id in the corp's apps and mini programs.
    pub unionid: String,
    /// Their id in one of them.
    pub openid: String,
    /// Whether they refuse to be handed over.
    pub refuses_transfer: bool,
    /// Who of the staff has them.
    pub staff: BTreeSet<String>,
    /// The groups they are in.
    pub chats: BTreeSet<String>,
    /// What arrived, the oldest dropped first.
    pub inbox: VecDeque<Received>,
    /// How much arrived in all.
    pub n_received: u64,
    /// What they said: when, to whom, what.
    pub said: VecDeque<Value>,
    /// How often they were handed over, and when.
    pub transferred_ms: Vec<i64>,
    /// What was answered where they were asked for before they were a customer, and when.
    pub pending: Option<(String, i64)>,
}

/// A member of staff who has a customer.
#[derive(Clone, Default)]
pub struct Relation {
    /// What the staff calls them.
    pub remark: String,
    /// What the staff notes.
    pub description: String,
    /// Their company.
    pub remark_company: String,
    /// Their telephones.
    pub remark_mobiles: Vec<String>,
    /// Of the contact way they came by.
    pub state: String,
    /// How they came: 1 by code, 3 by name card, 202 handed over.
    pub add_way: i64,
    /// When.
    pub created_ms: i64,
    /// Corp tags.
    pub tags: BTreeSet<String>,
    /// Whether the customer has yet to confirm.
    pub is_half: bool,
    /// Whether the customer blocks the staff.
    pub is_blocked: bool,
    /// When they last spoke, or met.
    pub spoke_ms: i64,
    /// Whether the customer said something.
    pub has_chatted: bool,
}

/// A group of corp tags.
#[derive(Clone)]
pub struct TagGroup {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub order: i64,
    /// When it was made.
    pub created_ms: i64,
    /// By which app; by the console where none.
    pub made_by: Option<i64>,
}

/// A corp tag.
#[derive(Clone)]
pub struct Tag {
    /// Its group.
    pub group: String,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub order: i64,
    /// When it was made.
    pub created_ms: i64,
    /// By which app; by the console where none.
    pub made_by: Option<i64>,
}

/// A contact way: a code that leads to staff.
#[derive(Clone)]
pub struct Way {
    /// What it was made with, as it is given back.
    pub body: Value,
    /// Whom it leads to.
    pub users: Vec<String>,
    /// When it was made.
    pub created_ms: i64,
}

/// A join way: a code that leads into groups.
#[derive(Clone)]
pub struct JoinWay {
    /// What it was made with, as it is given back.
    pub body: Value,
    /// The groups, the first with room is joined.
    pub chats: Vec<String>,
    /// The number of the next group that it makes.
    pub next_room: i64,
}

/// Who is in a group.
#[derive(Clone)]
pub struct Member {
    /// 1 staff, 2 customer.
    pub kind: i64,
    /// When they joined.
    pub joined_ms: i64,
    /// 1 invited, 2 by link, 3 by code.
    pub scene: i64,
    /// Who invited them.
    pub invitor: Option<String>,
    /// Of the join way they came by.
    pub state: String,
}

/// What of a group the API shows: it lags.
#[derive(Clone, Default)]
pub struct Shown {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// What is written over it.
    pub notice: String,
    /// Who is in it.
    pub members: BTreeMap<String, Member>,
    /// How often members changed.
    pub version: u64,
}

/// A group with customers.
#[derive(Clone)]
pub struct Chat {
    /// As it is.
    pub now: Shown,
    /// As the API shows it.
    pub shown: Shown,
    /// When it was made.
    pub created_ms: i64,
    /// Whether it is no more.
    pub is_dismissed: bool,
    /// Mass messages that arrived in it.
    pub received: VecDeque<Received>,
}

/// What one member of staff was asked to send.
#[derive(Clone, Default)]
pub struct MassTask {
    /// When they did.
    pub sent_ms: Option<i64>,
    /// To whom: customers, or groups.
    pub targets: Vec<String>,
    /// By target: 1 sent, 2 not friends, 3 over the limit.
    pub results: BTreeMap<String, i64>,
}

/// A mass message.
#[derive(Clone)]
pub struct Mass {
    /// `single` or `group`.
    pub chat_type: &'static str,
    /// When it was made.
    pub created_ms: i64,
    /// Text and attachments.
    pub content: Value,
    /// By member of staff.
    pub tasks: BTreeMap<String, MassTask>,
    /// Whether it was stopped.
    pub is_cancelled: bool,
    /// When staff were reminded.
    pub reminded_ms: Vec<i64>,
}

/// A moment of the corp.
#[derive(Clone)]
pub struct Moment {
    /// The job that made it.
    pub job: String,
    /// When it was asked for.
    pub created_ms: i64,
    /// Whether the job is done.
    pub is_ready: bool,
    /// Text and attachments.
    pub content: Value,
    /// Tags a customer must have one of; all customers where empty.
    pub tags: BTreeSet<String>,
    /// By member of staff: when they published it, and who saw it.
    pub tasks: BTreeMap<String, Option<(i64, Vec<String>)>>,
    /// Whom it was asked of but who is not there.
    pub invalid_staff: Vec<String>,
    /// Tags that are not there.
    pub invalid_tags: Vec<String>,
    /// Whether it was stopped.
    pub is_cancelled: bool,
}

/// A file that was uploaded; what was in it is not kept.
#[derive(Clone)]
pub struct Media {
    /// `image`, `voice`, `video`, `file`.
    pub kind: String,
    /// When.
    pub created_ms: i64,
    /// How large.
    pub n_bytes: usize,
}

/// A customer who is handed over.
#[derive(Clone)]
pub struct Transfer {
    /// Whose they were.
    pub from: String,
    /// Whose they are to be.
    pub to: String,
    /// Who.
    pub external: String,
    /// Whether the staff left the company.
    pub is_resigned: bool,
    /// When it takes effect.
    pub due_ms: i64,
    /// 1 done, 2 waits, 3 refused, 4 the other has too many.
    pub status: i64,
}

/// A code that greets a new customer, once.
#[derive(Clone)]
pub struct Welcome {
    /// Whose customer.
    pub staff: String,
    /// Which customer.
    pub external: String,
    /// When it was issued.
    pub issued_ms: i64,
    /// When an app first took the event that carries it.
    pub arrived_ms: Option<i64>,
    /// When it was used, and by which app.
    pub used: Option<(i64, i64)>,
    /// How often it was called in vain.
    pub n_refused: u64,
}

/// An account of customer service.
#[derive(Clone, Default)]
pub struct Kf {
    /// What it is called.
    pub name: String,
    /// What was said, in order.
    pub messages: Vec<Value>,
    /// By customer: when they last spoke, and how many answers they had since.
    pub spoke: BTreeMap<String, (i64, i64)>,
    /// By customer: 0 nobody has them, 1 an app, 2 they wait, 3 one of the staff has them (who), 4 it is over.
    pub sessions: BTreeMap<String, (i64, String)>,
    /// What callbacks bore, and when.
    pub tokens: BTreeMap<String, i64>,
    /// Customers who refuse what it says.
    pub refused_by: BTreeSet<String>,
}

/// What is due at a time.
#[derive(Clone, Debug)]
pub enum Due {
    /// A callback is to be delivered.
    Deliver(u64),
    /// A member of staff sends what they were asked to.
    Mass(String, String),
    /// A moment's job is done.
    MomentReady(String),
    /// A member of staff publishes a moment.
    Moment(String, String),
    /// A hand-over takes effect.
    Transfer(String),
    /// The API shows a group as it is.
    Show(String),
    /// The network says what became of a short message.
    SmsReceipt(usize),
    /// A transfer of money goes on.
    PayMoves(String),
    /// A member of staff accepts a customer who came by a way.
    Accept(String, String, String),
}
