//! What people ask of hand-overs: beginning one, and how far each is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::playbook::way::ACCOUNT_USUAL;
use zhiyin_model::role::{Grant, Operation, second_person};

use super::{CUSTOMERS_MAX, PASSED, Passed, Passing, State, TRANSFER, Transfer};
use crate::audit::{self, Outcome, Target, detail};
use crate::platforms::{About, Row};
use crate::{Engine, Result, approvals, boxed, clock};

/// The most hand-overs that are listed.
const LISTED_MAX: usize = 1_000;
/// The most customers that one request names.
pub const NAMED_MAX: usize = 1_000;
/// The longest word to customers, in characters (path/92125).
const WORD_CHARS_MAX: usize = 200;
/// How whoever runs the home at its machine is called, to begin with.
const OWNER: &str = "system:";

type Refused<T> = std::result::Result<T, Refusal>;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct TransferAsked {
    /// What it is known by: the same again is the same one.
    pub name: String,
    /// The brand's account on the platform; `main` where nothing is said.
    pub account: Option<String>,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Whether whoever hands over has left.
    pub has_left: bool,
    /// Which customers; all, where none is named.
    pub customers: Vec<String>,
    /// Whether their groups go too.
    pub groups: bool,
    /// What customers are told, where whoever hands over is there.
    pub word: Option<String>,
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferView {
    /// What it is known by.
    pub transfer: String,
    /// The brand's account on the platform.
    pub account: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Whether whoever hands over has left.
    pub has_left: bool,
    /// `approval`, `listing`, `groups`, `asking`, `waiting`, `done`, `refused` (by a second person) or `failed`.
    pub state: String,
    /// The request for a second person, where it needs one.
    pub approval: Option<i64>,
    /// Who asked.
    pub asked_by: String,
    /// When, by the wall clock.
    pub asked_at: String,
    /// How many customers are `listed`, `asked`, `done`, `kept` (they stay where they are) or `unheard` of.
    pub customers: BTreeMap<String, usize>,
    /// Why customers stay where they are, with how many.
    pub kept_because: BTreeMap<String, usize>,
    /// How many groups were handed over.
    pub groups: usize,
    /// Groups that were not, with why.
    pub groups_kept: BTreeMap<String, String>,
    /// What it waits for, by a name that stays.
    pub why: Option<String>,
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn checked(asked: &TransferAsked) -> Refused<()> {
    let wrong = |field: &str, message: &str| Err(Refusal::new("bad_transfer", field, message));
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !(1..=64).contains(&asked.name.len()) || !asked.name.chars().all(is_name) {
        return wrong("transfer", "1 to 64 of a-z, 0-9, - and _");
    }
    for (field, id) in [("from", &asked.from), ("to", &asked.to)] {
        if !is_id(id) {
            return wrong(field, "an account of the staff, as the platform calls it");
        }
    }
    if asked.from.eq_ignore_ascii_case(&asked.to) {
        return wrong("to", "somebody else than `from`");
    }
    if asked.customers.len() > NAMED_MAX || asked.customers.iter().any(|customer| !is_id(customer)) {
        return wrong("customers", "at most 1,000, each as the platform calls them");
    }
    let is_word = |word: &String| word.chars().count() <= WORD_CHARS_MAX && !word.trim().is_empty();
    match &asked.word {
        Some(_) if asked.has_left => wrong("word", "customers of somebody who has left are told nothing"),
        Some(word) if !is_word(word) => wrong("word", "1 to 200 characters"),
        _ => Ok(()),
    }
}

impl Engine {
    /// Begins a hand-over, or tells of the one of this name. It needs a second person where it is of more customers than one person
    /// issues coupons to (`alone.members`), or of all.
    #[boxed]
    pub async fn begin_transfer(
        &self,
        grant: &Grant,
        asked: &TransferAsked,
    ) -> Result<Refused<TransferView>> {
        grant.may(Operation::ContactsHandOver)?;
        if let Err(refusal) = checked(asked) {
            return Ok(Err(refusal));
        }
        let account = asked.account.clone().unwrap_or_else(|| ACCOUNT_USUAL.to_owned());
        let shelf = self.shelf(&account).await?;
        let (id, part) = (shelf.id(TRANSFER, &[&asked.name]), shelf.id(TRANSFER, &[]));
        let mut customers = asked.customers.clone();
        customers.sort_unstable();
        customers.dedup();
        if let Some(row) = shelf.get::<Transfer>(id).await? {
            return self.same(&account, asked, row).await;
        }
        let (limits, wall) = (self.alone(), clock::wall());
        let n =
            if customers.is_empty() { i64::MAX } else { i64::try_from(customers.len()).unwrap_or(i64::MAX) };
        let by_two = second_person(Operation::ContactsHandOver, n, &limits) && !grant.who.starts_with(OWNER);
        let approval = match by_two {
            true => {
                let request = json!({
                    "command": "transfers", "transfer": asked.name, "account": account, "from": asked.from,
                    "to": asked.to, "customers": (!customers.is_empty()).then_some(customers.len()),
                });
                let store = self.store().as_ref();
                Some(approvals::ask(store, grant, Operation::ContactsHandOver, &request, &limits).await?)
            }
            false => None,
        };
        let transfer = Transfer {
            name: asked.name.clone(),
            from: asked.from.clone(),
            to: asked.to.clone(),
            has_left: asked.has_left,
            groups: asked.groups,
            word: asked.word.clone(),
            listed: !customers.is_empty(),
            state: if approval.is_some() { State::Approval } else { State::Listing },
            approval,
            asked_by: grant.who.clone(),
            asked_at: wall,
            cursor: None,
            after: None,
            waits_since: None,
            groups_done: 0,
            groups_failed: BTreeMap::new(),
            trouble: None,
            fails: 0,
        };
        let noted = detail(
            json!({"transfer": asked.name, "from": asked.from, "to": asked.to, "customers": customers.len()}),
        );
        let (store, target) = (self.store().as_ref(), Target::code(&account));
        audit::note(store, grant, Operation::ContactsHandOver, &target, Outcome::Begun, &noted).await?;
        let passed: Vec<Passed> = customers
            .into_iter()
            .map(|customer| Passed { customer, state: Passing::Listed, why: None })
            .collect();
        let name = id.to_string();
        let rows: Vec<_> = passed
            .iter()
            .map(|one| {
                (shelf.id(PASSED, &[&name, &one.customer]), id, About::Customer(&one.customer), None, one)
            })
            .collect();
        // Who is handed over is there before it is due.
        if !rows.is_empty() {
            shelf.add(PASSED, &rows).await?;
        }
        shelf.add(TRANSFER, &[(id, part, About::Nobody, Some(wall), &transfer)]).await?;
        match shelf.get::<Transfer>(id).await? {
            Some(row) => self.same(&account, asked, row).await,
            None => Ok(Err(unknown())),
        }
    }

    /// The one of this name, if it is of the same.
    async fn same(
        &self,
        account: &str,
        asked: &TransferAsked,
        row: Row<Transfer>,
    ) -> Result<Refused<TransferView>> {
        let of = &row.what;
        if (&of.from, &of.to, of.has_left, of.groups)
            != (&asked.from, &asked.to, asked.has_left, asked.groups)
        {
            let message = "there is a hand-over of this name, from or to somebody else";
            return Ok(Err(Refusal::new("transfer_reused", "transfer", message)));
        }
        self.transfer_view(account, row).await.map(Ok)
    }

    async fn transfer_view(&self, account: &str, row: Row<Transfer>) -> Result<TransferView> {
        let shelf = self.shelf(account).await?;
        let (mut customers, mut kept_because) = (BTreeMap::new(), BTreeMap::new());
        for one in shelf.all::<Passed>(PASSED, row.id, CUSTOMERS_MAX).await? {
            let state = match one.what.state {
                Passing::Listed => "listed",
                Passing::Asked => "asked",
                Passing::Done => "done",
                Passing::Kept => "kept",
                Passing::Unheard => "unheard",
            };
            *customers.entry(state.to_owned()).or_default() += 1;
            if let Some(why) = one.what.why {
                *kept_because.entry(why).or_default() += 1;
            }
        }
        let of = row.what;
        let state = match of.state {
            State::Approval => "approval",
            State::Listing => "listing",
            State::Groups => "groups",
            State::Asking => "asking",
            State::Waiting => "waiting",
            State::Done => "done",
            State::Refused => "refused",
            State::Failed => "failed",
        };
        Ok(TransferView {
            transfer: of.name,
            account: account.to_owned(),
            from: of.from,
            to: of.to,
            has_left: of.has_left,
            state: state.to_owned(),
            approval: of.approval,
            asked_by: of.asked_by,
            asked_at: of.asked_at.rfc3339(),
            customers,
            kept_because,
            groups: of.groups_done,
            groups_kept: of.groups_failed,
            why: of.trouble,
        })
    }

    /// A hand-over, by its name.
    #[boxed]
    pub async fn transfer(&self, account: Option<&str>, name: &str) -> Result<Refused<TransferView>> {
        let account = account.unwrap_or(ACCOUNT_USUAL);
        let shelf = self.shelf(account).await?;
        match shelf.get::<Transfer>(shelf.id(TRANSFER, &[name])).await? {
            Some(row) => self.transfer_view(account, row).await.map(Ok),
            None => Ok(Err(unknown())),
        }
    }

    /// A second person answers.
    #[boxed]
    pub async fn answer_transfer(
        &self,
        grant: &Grant,
        (account, name): (Option<&str>, &str),
        approved: bool,
    ) -> Result<Refused<TransferView>> {
        grant.may(Operation::ContactsHandOver)?;
        let shelf = self.shelf(account.unwrap_or(ACCOUNT_USUAL)).await?;
        let Some(row) = shelf.get::<Transfer>(shelf.id(TRANSFER, &[name])).await? else {
            return Ok(Err(unknown()));
        };
        let Some(no) = row.what.approval else {
            let message = "it waits for no second person";
            return Ok(Err(Refusal::new("transfer_waits_for_nobody", "transfer", message)));
        };
        let store = self.store().as_ref();
        if approved {
            approvals::approve(store, grant, no).await?;
        } else {
            approvals::refuse(store, grant, no).await?;
        }
        self.transfer(account, name).await
    }

    /// Hand-overs of an account, the latest first.
    #[boxed]
    pub async fn transfers(&self, account: Option<&str>) -> Result<Vec<TransferView>> {
        let account = account.unwrap_or(ACCOUNT_USUAL);
        let shelf = self.shelf(account).await?;
        let mut rows = shelf.all::<Transfer>(TRANSFER, shelf.id(TRANSFER, &[]), LISTED_MAX).await?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.what.asked_at));
        let mut views = Vec::new();
        for row in rows.into_iter().take(LISTED_MAX / 10) {
            views.push(self.transfer_view(account, row).await?);
        }
        Ok(views)
    }
}

fn unknown() -> Refusal {
    Refusal::new("transfer_unknown", "transfer", "there is no hand-over of this name")
}
