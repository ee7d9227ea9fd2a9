//! What a brand writes of any shop: what its orders mean to a home, and by which names its customers are known.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::news::{ShopRefund, ShopRefunded};
pub use crate::settings::SettingsProblem;
use crate::settings::{TEXT_BYTES_MAX, text, wrong};

/// Which number of an order is the brand's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberIs {
    /// The one that people read.
    #[default]
    Number,
    /// The platform's own.
    Id,
}

/// From when an order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// From when it is paid.
    #[default]
    Paid,
    /// From when it is placed.
    Placed,
}

/// What becomes of refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refunds {
    /// They take back what the order earned.
    #[default]
    Count,
    /// They are noted: another source tells them, too.
    Note,
}

/// What orders of a shop mean.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// Which number is the brand's.
    pub number: NumberIs,
    /// Whose numbering it is; empty where tills, payments and the shop share one.
    pub namespace: String,
    /// From when an order counts.
    pub counts: Counts,
    /// What becomes of refunds.
    pub refunds: Refunds,
    /// Through what they come, as conditions ask for it.
    pub channel: String,
    /// Where they come from, as the brand's tree of places calls it.
    pub store: Option<String>,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            number: NumberIs::Number,
            namespace: String::new(),
            counts: Counts::Paid,
            refunds: Refunds::Count,
            channel: "online".to_owned(),
            store: None,
        }
    }
}

/// By what a shop's customers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The shop's own number of them.
    Customer,
    /// Their phone.
    Phone,
    /// Their e-mail address.
    Email,
}

/// Which of them, and what the shop's own numbers are called in a home.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customers {
    /// The namespace of the shop's own numbers; where nothing is said, the channel's name and the account's.
    pub namespace: Option<String>,
    /// By what they are known.
    pub known_by: Vec<By>,
}

impl Default for Customers {
    fn default() -> Self {
        Self { namespace: None, known_by: vec![By::Customer, By::Phone, By::Email] }
    }
}

/// A shop's account, as far as any kind of shop has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What the channel is called.
    pub channel: &'static str,
    /// What the brand calls the account.
    pub name: String,
    /// What its orders mean.
    pub orders: Orders,
    /// The namespace of the shop's own numbers of customers.
    pub customers: String,
    /// By what customers are known.
    pub known_by: BTreeSet<By>,
}

impl Account {
    /// What is written, checked.
    pub(super) fn of(
        channel: &'static str,
        name: &str,
        orders: Orders,
        customers: Customers,
    ) -> Result<Self, SettingsProblem> {
        if !orders.namespace.is_empty() {
            text("orders.namespace", &orders.namespace)?;
        }
        text("orders.channel", &orders.channel)?;
        if let Some(store) = &orders.store {
            text("orders.store", store)?;
        }
        let namespace = customers.namespace.unwrap_or_else(|| format!("{channel}:{name}"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_:-.".contains(c);
        if namespace.is_empty() || namespace.len() > TEXT_BYTES_MAX || !namespace.chars().all(is_plain) {
            return wrong("customers.namespace", format!("1 to {TEXT_BYTES_MAX} letters, digits and _:-."));
        }
        let known_by: BTreeSet<By> = customers.known_by.into_iter().collect();
        if known_by.is_empty() {
            return wrong("customers.known_by", "some of customer, phone and email");
        }
        Ok(Self { channel, name: name.to_owned(), orders, customers: namespace, known_by })
    }

    /// Names in a home of whoever a shop knows by these.
    pub(super) fn names(
        &self,
        customer: Option<String>,
        phone: Option<String>,
        email: Option<String>,
    ) -> Vec<(String, String)> {
        let all = [
            (By::Customer, self.customers.as_str(), customer),
            (By::Phone, "phone", phone),
            (By::Email, "email", email),
        ];
        let known = all.into_iter().filter(|(by, ..)| self.known_by.contains(by));
        known.filter_map(|(_, namespace, value)| Some((namespace.to_owned(), value?))).collect()
    }

    /// Whether an order counts.
    pub(super) fn counts(&self, stage: super::news::Stage) -> bool {
        match stage {
            super::news::Stage::Paid => true,
            super::news::Stage::Placed => self.orders.counts == Counts::Placed,
            super::news::Stage::Cancelled => false,
        }
    }

    /// A refund that was told by itself.
    pub(super) fn refunded(
        &self,
        (order, numbered_key): (Option<String>, Option<String>),
        currency: Option<String>,
        refund: ShopRefund,
    ) -> ShopRefunded {
        let counts = self.orders.refunds == Refunds::Count;
        ShopRefunded {
            order,
            numbered_key,
            namespace: self.orders.namespace.clone(),
            currency,
            counts,
            refund,
        }
    }
}
