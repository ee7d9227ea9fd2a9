//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::campaign::CampaignAction;
use crate::checkout::CheckoutAction;
use crate::coupon::CouponAction;
use crate::draw::DrawAction;
use crate::home::AUDIENCE_MIB;
use crate::link::{LinkAction, PosterAction};
use crate::people::PeopleAction;
use crate::serve::Serving;
use crate::webhook::WebhookAction;

mod acts;
mod audience;
mod bench;
mod books;
mod duplicates;
mod elsewhere;
mod place;

pub use acts::{
    ApprovalAction, AuditAction, DeadLetterAction, KeysAction, Member, MemberAction, PlacesAction,
};
pub use audience::{Asked, AudienceAction, ListFormat, Named, When};
pub use bench::{AudienceBench, CheckoutBench, FaultStore, Faults};
pub use books::{BooksAction, By, OfBooks};
pub use duplicates::DuplicatesAction;
pub use elsewhere::{AudienceEngine, Elsewhere};
pub use place::Place;

/// Zhiyin (知音): knows a brand's customers, keeps its promises to them.
#[derive(Debug, Parser)]
#[command(name = "zhiyin", version, about, max_term_width = 100)]
pub struct Arguments {
    /// Where the home is.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decides what comes in, and serves the API and the overview page.
    Serve(Serving),
    /// Decides what comes in and serves nothing: one more process for a home on PostgreSQL.
    Work {
        /// Ends when nothing waits and nothing is due any more.
        #[arg(long)]
        drain: bool,
        /// Address and port at which its health and what it measures are read; without it nothing is served.
        #[arg(long, value_name = "ADDR:PORT", conflicts_with = "drain")]
        listen: Option<String>,
        /// What it measures is read without a key: where nobody else reaches that address.
        #[arg(long, requires = "listen")]
        open: bool,
        /// A file that names channels outside of the home: what is due on them is handed over (docs/channels.md).
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS", conflicts_with = "drain")]
        channels: Option<PathBuf>,
    },
    /// Replays the demo's year if the home is empty, prints what was found, serves it.
    Demo {
        /// Folder with transactions.parquet and its siblings; a home that was filled needs none.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Address and port; port 0 takes a free one, which is printed.
        #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
        listen: String,
        /// A file that names channels outside of the home.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: Option<PathBuf>,
        /// A playbook that is made live once the year was replayed.
        #[arg(long, value_name = "FILE")]
        playbook: Option<String>,
    },
    /// Checks a playbook: a file, or the name of a shipped one.
    Check {
        /// The file.
        file: String,
        /// How problems are printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Prints the JSON Schema of playbooks, for editors.
    Schema,
    /// Says what a cart costs by a playbook: the best combination of offers, and why others do not apply.
    Quote(crate::quote::Quoting),
    /// Says what a changed playbook would have cost: the record replayed in memory under it, beside the live one.
    Simulate(crate::simulate::Simulating),
    /// Says of which category members will buy next, how sure that is, and who is likeliest to.
    Affinity(crate::affinity::Asking),
    /// Says in words what a playbook would change, and how many members each change touches.
    Diff {
        /// The file.
        file: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Makes a playbook live, as a new version.
    Apply {
        /// The file, or the name of a shipped one.
        file: String,
    },
    /// Lists the versions of the playbook that were applied.
    Playbooks,
    /// Brings history in.
    Import(Import),
    /// Reports: tiers, lifecycle, ledger, members, places.
    Report {
        /// Which.
        #[arg(value_enum)]
        report: ReportName,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
        /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// Only the stores under this place of the brand's tree.
        #[arg(long, value_name = "CODE")]
        under: Option<String>,
    },
    /// The books by month: what is owed to members, by store and tier; and months that are closed.
    #[command(arg_required_else_help = true)]
    Books {
        /// What to do.
        #[command(subcommand)]
        action: BooksAction,
    },
    /// Audiences: who a condition holds for, how many they are, by what they differ, and why somebody is among them.
    #[command(arg_required_else_help = true)]
    Audience {
        /// Memory that they may take, in MiB.
        #[arg(long, global = true, value_name = "MIB", default_value_t = AUDIENCE_MIB, value_parser = clap::value_parser!(u32).range(1..))]
        audience_memory: u32,
        /// What to ask.
        #[command(subcommand)]
        action: AudienceAction,
    },
    /// Partners: whom they brought, what those bought since, whom we sent to them.
    Partners {
        /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Draws (抽奖): of the playbook (open, close, run), or as files that anybody can check (commit, hold, verify; they need no home).
    #[command(subcommand)]
    Draw(DrawAction),
    /// Tills that sell without a network: leases, snapshots, what they sold.
    #[command(arg_required_else_help = true)]
    Till {
        /// What to do.
        #[command(subcommand)]
        action: crate::till::TillAction,
    },
    /// Short links and their QR codes (短链): made, read, drawn.
    Link {
        /// What to do about them.
        #[command(subcommand)]
        action: LinkAction,
    },
    /// Posters of the playbook (海报), each of one member.
    Poster {
        /// What to do about them.
        #[command(subcommand)]
        action: PosterAction,
    },
    /// Campaigns of the playbook (营销活动): how they go, and why somebody was sent something, or not.
    Campaign {
        /// What to do about them.
        #[command(subcommand)]
        action: CampaignAction,
    },
    /// What left the home on channels outside of it (外发消息): what came of it, dead letters.
    Send {
        /// What to do about it.
        #[command(subcommand)]
        action: crate::send::SendAction,
    },
    /// What people publish through staff (群发到群、朋友圈): into groups, and as moments.
    Post {
        /// What to do about it.
        #[command(subcommand)]
        action: crate::post::PostAction,
    },
    /// What members said to the brand's desks (微信客服会话收件箱), and answers.
    Inbox {
        /// What to do about it.
        #[command(subcommand)]
        action: crate::inbox::InboxAction,
    },
    /// What came from platforms (平台回调): what became of it, dead letters.
    Arrival {
        /// What to do about it.
        #[command(subcommand)]
        action: crate::arrival::ArrivalAction,
    },
    /// Codes that lead to staff and into groups (活码), of the playbook's touchpoints.
    Way {
        /// What to do about them.
        #[command(subcommand)]
        action: crate::way::WayAction,
    },
    /// Hand-overs (客户继承): customers of one of the staff to another.
    Transfer {
        /// What to do about them.
        #[command(subcommand)]
        action: crate::way::TransferAction,
    },
    /// What is known of platforms (企业微信): how far and how stale it is.
    Platform {
        /// What to do about it.
        #[command(subcommand)]
        action: crate::platform::PlatformAction,
    },
    /// Channels outside of the home (渠道): their file, and what comes back.
    Channel {
        /// What to do about them.
        #[command(subcommand)]
        action: crate::channel::ChannelAction,
    },
    /// The brand's tree: brand, regions, stores, staff.
    Places {
        /// What to do.
        #[command(subcommand)]
        action: PlacesAction,
    },
    /// Shows one member whole, erases one, or writes all that is known of one.
    Member(Member),
    /// The keys under which personal data is sealed.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Merges members who are one person. The first is who they all are.
    Merge {
        /// Each by NAMESPACE:VALUE.
        #[arg(required = true, num_args = 2..=20)]
        identifiers: Vec<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Parts a member who was two people: these identifiers become somebody else's, with their events, orders and points.
    Unmerge {
        /// Each by NAMESPACE:VALUE; all of one member.
        #[arg(required = true, num_args = 1..=20)]
        identifiers: Vec<String>,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Says what would become of either, and changes nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Records that are likely of one person: searches for them, shows the queue. Nothing is merged by itself.
    Duplicates {
        /// What to do.
        #[command(subcommand)]
        action: DuplicatesAction,
    },
    /// Lists identifiers of items that were given up: they contradict more telling ones, or go beyond a limit
    GivenUp {
        /// How many, the latest first.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Lists events that could not be decided, or puts them back.
    DeadLetters {
        /// What to do with them; lists them without it.
        #[command(subcommand)]
        action: Option<DeadLetterAction>,
    },
    /// Adds, lists, changes and removes who signs in to the console, and sets their passwords.
    People {
        /// What to do.
        #[command(subcommand)]
        action: PeopleAction,
    },
    /// Makes, lists, rotates and revokes the keys of programs and people.
    Key {
        /// What to do.
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Quotes carts, locks and redeems checkouts, lets go of them, takes back what was bought.
    Checkout {
        /// What to do.
        #[command(subcommand)]
        action: CheckoutAction,
    },
    /// Issues coupons, takes them back, lists and shows them.
    Coupon {
        /// What to do.
        #[command(subcommand)]
        action: CouponAction,
    },
    /// What waits for a second person: lists requests, approves them (and has them done), refuses them.
    Approval {
        /// What to do.
        #[command(subcommand)]
        action: ApprovalAction,
    },
    /// Whom the home tells of what happens: makes, changes, pauses and replays endpoints of webhooks.
    Webhook {
        /// What to do.
        #[command(subcommand)]
        action: WebhookAction,
    },
    /// Reads and proves the audit log.
    Audit {
        /// What to do.
        #[command(subcommand)]
        action: AuditAction,
    },
    /// Checks every invariant of the home.
    Doctor,
    /// Copies a home into an empty one, on any database, and proves it by the digest.
    Migrate {
        /// The home to copy: sqlite:PATH or postgres://…
        #[arg(long, value_name = "URL")]
        from: String,
        /// Where to: an address at which there is no home yet.
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Writes the whole home to a file, while it is at work, and reads it once to be sure.
    Backup {
        /// The file; one that is there is not written over.
        file: PathBuf,
    },
    /// Makes a home from a backup, on any database, and proves it by the digest.
    Restore {
        /// The file.
        file: PathBuf,
        /// For a backup of a sealed home, where its keystore is not in place: a file that `zhiyin keys backup` wrote.
        #[arg(long, value_name = "FILE")]
        keystore: Option<PathBuf>,
    },
    /// Moves months of events to Parquet files, once ids of that time need not be remembered any more.
    Archive {
        /// Months before this one (YYYY-MM, UTC, by when they came in).
        #[arg(long, value_name = "MONTH")]
        before: String,
        /// How many days the ids of items are remembered at least: younger months stay.
        #[arg(long, value_name = "DAYS", default_value_t = zhiyin_engine::archive::REMEMBERED_DAYS)]
        keep_days: u32,
    },
    /// Lets go of what events said, once the playbook's `retention` for them is over; for every night.
    Retain,
    /// Prints the home's state as one hash: equal however it came about.
    Digest,
    /// Measures, or breaks things: growth, pipeline, resolution, search, audience, checkout, issue, drop, ingest, commands, campaign, poster, faults.
    Bench {
        /// Which: growth, pipeline, resolution, search, audience, checkout, issue, drop, ingest, commands, faults.
        #[arg(default_value = "growth")]
        name: String,
        /// For faults.
        #[command(flatten)]
        faults: Faults,
        /// For audience, and for issue.
        #[command(flatten)]
        audience: AudienceBench,
        /// For checkout.
        #[command(flatten)]
        checkout: CheckoutBench,
    },
}

/// Where history comes from.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Import {
    /// A known data set.
    #[command(subcommand)]
    pub set: Option<DataSet>,
    /// JSON Lines (Segment items), or CSV with --mapping.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Who sends: message ids are unique within it. Default: the file's name.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Namespace of userId.
    #[arg(long, value_name = "NS", default_value = "user")]
    pub user_namespace: String,
    /// Its items show who is one person: members whom an item's identifiers name together are merged.
    #[arg(long)]
    pub trusted: bool,
    /// Its items are what people at a desk said: they may also part members (`Members Unmerged`) and merge those who were parted.
    #[arg(long)]
    pub desk: bool,
    /// Puts the items into the inbox and leaves deciding to those who serve.
    #[arg(long)]
    pub accept_only: bool,
    /// For CSV: a JSON file that says which column is what.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
}

/// Known data sets.
#[derive(Debug, Subcommand)]
pub enum DataSet {
    /// An old system's members, with their points, growth, tiers and tags: checked whole, taken over, laid beside the file.
    #[command(arg_required_else_help = true)]
    Members(Members),
    /// A real retailer's year, as Parquet.
    Completejourney {
        /// Folder with transactions.parquet and its siblings.
        dir: PathBuf,
        /// Stop after so many events.
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// A made-up brand.
    Synthetic {
        /// How many households.
        #[arg(long, default_value_t = 2469, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        households: u32,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// What is taken over from an old system.
#[derive(Debug, Args)]
pub struct Members {
    /// CSV with a head, or JSON lines: phone, card, unionid…, enrolled, points, points_expire, growth, tier, tier_until, tags, …
    pub file: PathBuf,
    /// Up to when the old system kept the books: the end of a day (YYYY-MM-DD) in the brand's zone, or an instant (RFC 3339).
    #[arg(long, value_name = "DATE")]
    pub as_of: String,
    /// What the old system is called: keys of rows are unique within it. Default: the file's name.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The identifier that is the key of a row. Default: the column `key`, else the most telling identifier of the row.
    #[arg(long, value_name = "NS")]
    pub key: Option<String>,
    /// Lets a row be of a member who is here already.
    #[arg(long)]
    pub join: bool,
    /// Checks every row, says what would be made, and writes nothing.
    #[arg(long, conflicts_with_all = ["reconcile", "sign_off"])]
    pub dry_run: bool,
    /// Lays the file beside the record, and writes nothing.
    #[arg(long, conflicts_with = "sign_off")]
    pub reconcile: bool,
    /// Notes the totals in the audit log, if there is no difference.
    #[arg(long, requires = "by")]
    pub sign_off: bool,
    /// Who signs off.
    #[arg(long, value_name = "NAME", requires = "sign_off")]
    pub by: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// What became of likely doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueueState {
    /// Nobody decided yet.
    Open,
    /// They were made one.
    Merged,
    /// They are two people.
    Different,
    /// All.
    All,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Makes a key and prints its secret, once.
    New(KeyNew),
    /// Lists keys, without their secrets.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Ends a key at once.
    Revoke {
        /// Its id, as listed.
        id: String,
    },
    /// Makes a key of the same kind, prints its secret once, and ends the old one.
    Rotate {
        /// The old one's id, as listed.
        id: String,
        /// How long the old one still works beside the new one.
        #[arg(long, value_name = "HOURS", default_value_t = 0)]
        keep_old: u32,
    },
}

/// What a new key is to be.
#[derive(Debug, Args)]
pub struct KeyNew {
    /// As what it acts: owner, marketer, analyst, store_manager, advisor, cashier.
    #[arg(long, value_name = "ROLE", required_unless_present = "public")]
    pub role: Option<String>,
    /// A write key that may lie open in a page or an app: it can only send.
    #[arg(long, conflicts_with_all = ["role", "only"])]
    pub public: bool,
    /// The code of the place that it is bound to.
    #[arg(long, value_name = "CODE")]
    pub place: Option<String>,
    /// The code of the person of the staff that it belongs to.
    #[arg(long, value_name = "CODE")]
    pub staff: Option<String>,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Narrows it to an operation of its role; may be given more than once.
    #[arg(long, value_name = "OPERATION")]
    pub only: Vec<String>,
    /// The last day on which it works (YYYY-MM-DD) in the brand's zone, or the instant from which it does not.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
}

/// Reports.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ReportName {
    /// Members and sales by tier.
    Tiers,
    /// Members by lifecycle stage.
    Lifecycle,
    /// Transfers by asset and kind.
    Ledger,
    /// One row a member.
    Members,
    /// Members and sales by place, rolled up.
    Places,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// How a member is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MemberFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}
