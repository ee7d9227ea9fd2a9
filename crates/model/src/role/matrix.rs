//! The table: what each role may do. It is written to be read; [docs/roles.md](../../../../docs/roles.md) shows it to people.
//!
//! A verdict is a scope and how much of a person is shown: `ALL`, `TREE` (the place of the grant and what is under it), `MINE`
//! (members whose advisor one is), `OWN` (that place alone); `_M` shows masked identifiers and names, `_0` none at all.

use super::{About, Operation, Scope, Verdict};
use crate::mask::Mask;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is done.
    pub operation: Operation,
    /// What a scope is compared with.
    pub about: About,
    /// A verdict a role, in the order of [`Role::ALL`](super::Role::ALL).
    pub verdicts: [Verdict; 7],
}

const NO: Verdict = Verdict::Refused;
const ALL: Verdict = Verdict::Allowed(Scope::All, Mask::Full);
const ALL_M: Verdict = Verdict::Allowed(Scope::All, Mask::Masked);
const ALL_0: Verdict = Verdict::Allowed(Scope::All, Mask::Hidden);
const TREE: Verdict = Verdict::Allowed(Scope::Subtree, Mask::Full);
const TREE_M: Verdict = Verdict::Allowed(Scope::Subtree, Mask::Masked);
const TREE_0: Verdict = Verdict::Allowed(Scope::Subtree, Mask::Hidden);
const MINE: Verdict = Verdict::Allowed(Scope::Mine, Mask::Full);
const MINE_0: Verdict = Verdict::Allowed(Scope::Mine, Mask::Hidden);
const OWN: Verdict = Verdict::Allowed(Scope::OwnPlace, Mask::Full);
const OWN_M: Verdict = Verdict::Allowed(Scope::OwnPlace, Mask::Masked);
const OWN_0: Verdict = Verdict::Allowed(Scope::OwnPlace, Mask::Hidden);

use About::{Act, Brand, Member, Order, Place};
use Operation as O;

const fn row(operation: Operation, about: About, verdicts: [Verdict; 7]) -> Row {
    Row { operation, about, verdicts }
}

/// The table.
#[rustfmt::skip]
pub const MATRIX: [Row; 44] = [
    //   operation            compared   owner  marketer  analyst  manager  advisor  cashier  public
    row(O::MemberLookup,      Member,  [ ALL,   ALL_M,    NO,      ALL_M,   ALL_M,   ALL_M,   NO    ]),
    row(O::MemberRead,        Member,  [ ALL,   ALL_M,    ALL_M,   TREE,    MINE,    NO,      NO    ]),
    row(O::MemberList,        Member,  [ ALL,   ALL_M,    ALL_M,   TREE_M,  MINE,    NO,      NO    ]),
    row(O::MemberEnrol,       Act,     [ ALL,   ALL,      NO,      TREE,    OWN,     OWN,     NO    ]),
    row(O::MemberUpdate,      Member,  [ ALL,   ALL_M,    NO,      TREE,    MINE,    NO,      NO    ]),
    row(O::MemberTag,         Member,  [ ALL,   ALL_M,    NO,      TREE,    MINE,    NO,      NO    ]),
    row(O::MemberMerge,       Member,  [ ALL,   NO,       NO,      TREE,    NO,      NO,      NO    ]),
    row(O::MemberUnmerge,     Member,  [ ALL,   NO,       NO,      TREE,    NO,      NO,      NO    ]),
    row(O::MemberErase,       Member,  [ ALL,   NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::MemberExport,      Member,  [ ALL,   ALL_M,    ALL_0,   NO,      NO,      NO,      NO    ]),
    row(O::PointsSpend,       Act,     [ ALL,   NO,       NO,      TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::PointsReturn,      Act,     [ ALL,   NO,       NO,      TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::PointsAdjust,      Member,  [ ALL,   ALL_M,    NO,      TREE_M,  NO,      NO,      NO    ]),
    row(O::PayoutsMake,       Member,  [ ALL,   ALL_M,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::CouponsIssue,      Member,  [ ALL,   ALL_M,    NO,      TREE_M,  MINE,    NO,      NO    ]),
    row(O::CouponsUse,        Act,     [ ALL,   NO,       NO,      TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::CouponsIssueMany,  Brand,   [ ALL_0, ALL_0,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::DrawsManage,       Brand,   [ ALL_0, ALL_0,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::CampaignsManage,   Brand,   [ ALL_0, ALL_0,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::ContactsHandOver,  Brand,   [ ALL_0, ALL_0,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::MessagesAnswer,    Member,  [ ALL,   ALL_M,    NO,      TREE_M,  MINE,    ALL_M,   NO    ]),
    row(O::InboxRead,         Member,  [ ALL,   ALL_M,    NO,      TREE,    MINE,    NO,      NO    ]),
    row(O::InboxAnswer,       Member,  [ ALL,   ALL_M,    NO,      TREE,    MINE,    NO,      NO    ]),
    row(O::Checkout,          Act,     [ ALL,   NO,       NO,      TREE_M,  OWN_M,   OWN_M,   NO    ]),
    row(O::CheckoutReturn,    Act,     [ ALL,   NO,       NO,      TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::TillsLease,        Act,     [ ALL,   NO,       NO,      TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::OrdersRead,        Order,   [ ALL,   ALL_M,    ALL_M,   TREE_M,  NO,      OWN_M,   NO    ]),
    row(O::ReportsRead,       Member,  [ ALL_0, ALL_0,    ALL_0,   TREE_0,  MINE_0,  NO,      NO    ]),
    row(O::PlaybookRead,      Brand,   [ ALL_0, ALL_0,    ALL_0,   ALL_0,   ALL_0,   NO,      NO    ]),
    row(O::PlaybookApply,     Brand,   [ ALL_0, ALL_0,    NO,      NO,      NO,      NO,      NO    ]),
    row(O::PlacesRead,        Place,   [ ALL_0, ALL_0,    ALL_0,   TREE_0,  OWN_0,   OWN_0,   NO    ]),
    row(O::PlacesWrite,       Place,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::StaffWrite,        Place,   [ ALL_0, NO,       NO,      TREE_0,  NO,      NO,      NO    ]),
    row(O::DeadLettersRead,   Brand,   [ ALL,   ALL_0,    ALL_0,   NO,      NO,      NO,      NO    ]),
    row(O::DeadLettersRetry,  Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::IngestWrite,       Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::IngestPublic,      Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      ALL_0 ]),
    row(O::KeysManage,        Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::AuditRead,         Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::HomeManage,        Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::DuplicatesReview,  Member,  [ ALL,   ALL_M,    NO,      TREE_M,  NO,      NO,      NO    ]),
    row(O::ConsentWrite,      Act,     [ ALL,   NO,       NO,      TREE_M,  OWN_M,   OWN_M,   NO    ]),
    row(O::WebhooksManage,    Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
    row(O::BooksClose,        Brand,   [ ALL_0, NO,       NO,      NO,      NO,      NO,      NO    ]),
];
