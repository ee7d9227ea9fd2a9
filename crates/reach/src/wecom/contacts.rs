//! Customers as the members of staff know them: who they are, who follows them, what is noted of them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::limits::Window;
use super::numbers::whole;
use super::pages::{self, Page};
use super::trouble::{Fault, Trouble};
use super::{Wecom, apis, bounds};

/// How many pages of followers of one customer are read: of 500 each.
pub const FOLLOWER_PAGES_MAX: usize = 100;
/// The most mobile numbers that are noted.
const MOBILES_MAX: u64 = 30;

/// A customer (path/92114).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// What the business calls them: another than a service provider's.
    pub external_userid: String,
    /// Their name in WeChat, or in WeCom.
    pub name: String,
    /// Their position; of people of WeCom.
    pub position: String,
    /// Where their picture lies.
    pub avatar: String,
    /// Their company's short name; of people of WeCom.
    pub corp_name: String,
    /// Its full name.
    pub corp_full_name: String,
    /// 1: somebody of WeChat, 2: of WeCom.
    #[serde(rename = "type")]
    pub kind: i64,
    /// 0: not known, 1: male, 2: female.
    pub gender: i64,
    /// Who they are across apps of WeChat, where the business has bound its developer account.
    pub unionid: String,
}

/// A tag that a member of staff gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FollowTag {
    /// The name of its group.
    pub group_name: String,
    /// Its name.
    pub tag_name: String,
    /// Its id, of tags of the business.
    pub tag_id: String,
    /// 1: of the business, 2: of the member of staff, 3: of a strategy.
    #[serde(rename = "type")]
    pub kind: i64,
}

/// A member of staff who follows a customer (path/92114; path/92994 has `tag_id` in place of `tags`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Follower {
    /// The member of staff.
    pub userid: String,
    /// What they call the customer.
    pub remark: String,
    /// What they note.
    pub description: String,
    /// Since when, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub createtime: i64,
    /// The tags they gave, where one customer was asked for.
    pub tags: Vec<FollowTag>,
    /// The ids of tags of the business, where many were.
    pub tag_id: Vec<String>,
    /// The company they note.
    pub remark_corp_name: String,
    /// The numbers they note.
    pub remark_mobiles: Vec<String>,
    /// How they came together: 1 a code, 3 a card, 4 a group, 16 an acquisition link, 201 a colleague, 202 an administrator, and others.
    pub add_way: i64,
    /// Who added whom.
    pub oper_userid: String,
    /// The state of the code or link by which the customer came.
    pub state: String,
}

/// One page of a customer: who they are, and up to 500 followers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// Who they are.
    pub contact: Contact,
    /// Who follows them, as far as the app may see.
    pub followers: Vec<Follower>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// One relation: a customer and one who follows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Relation {
    /// The customer.
    pub external_contact: Contact,
    /// The follower; of their tags there are ids only.
    pub follow_info: Follower,
}

/// What is noted of a customer; what is `None` stays (path/92115).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The member of staff who notes it.
    pub userid: String,
    /// The customer.
    pub external_userid: String,
    /// What they are called, at most 20 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// A description, at most 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A company, at most 20 characters; of customers of WeChat only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark_company: Option<String>,
    /// All numbers, in place of those that are noted; none takes them away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark_mobiles: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ids {
    external_userid: Vec<String>,
    follow_user: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Got {
    external_contact: Contact,
    follow_user: Vec<Follower>,
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Batch {
    external_contact_list: Vec<Relation>,
    next_cursor: String,
}

impl Wecom {
    /// Members of staff who may have customers, as far as the app may see (path/92571).
    pub async fn follow_users(&self) -> Result<Vec<String>, Trouble> {
        let ids: Ids = self.get(&apis::FOLLOW_USERS, &[]).await?;
        Ok(ids.follow_user)
    }

    /// Ids of a member of staff's customers (path/92113). The platform says `no_relation` of who has none, which is an empty list here.
    pub async fn customers_of(&self, userid: &str) -> Result<Vec<String>, Trouble> {
        bounds::id("userid", userid)?;
        match self.get::<Ids>(&apis::CONTACT_LIST, &[("userid", userid)]).await {
            Ok(ids) => Ok(ids.external_userid),
            Err(Trouble::Refused { name: "no_relation", .. }) => Ok(Vec::new()),
            Err(trouble) => Err(trouble),
        }
    }

    /// A customer, with one page of followers (path/92114).
    pub async fn customer_page(
        &self,
        external_userid: &str,
        cursor: Option<&str>,
    ) -> Result<Customer, Trouble> {
        bounds::id("external_userid", external_userid)?;
        let mut query = vec![("external_userid", external_userid)];
        let cursor = pages::cursor(cursor)?;
        if !cursor.is_empty() {
            query.push(("cursor", cursor));
        }
        let got: Got = self.get(&apis::CONTACT_GET, &query).await?;
        let followers = Page::of(got.follow_user, got.next_cursor);
        Ok(Customer { contact: got.external_contact, followers: followers.items, next: followers.next })
    }

    /// A customer with all followers, also where there are more than 500.
    pub async fn customer(&self, external_userid: &str) -> Result<Customer, Trouble> {
        let mut whole = self.customer_page(external_userid, None).await?;
        let refused = |name| Err(Trouble::Refused { code: 0, name, fault: Fault::Ours });
        for _ in 1..FOLLOWER_PAGES_MAX {
            let Some(at) = whole.next.take() else { return Ok(whole) };
            let page = self.customer_page(external_userid, Some(&at)).await?;
            if page.next.as_ref() == Some(&at) {
                return refused("cursor_stuck");
            }
            whole.followers.extend(page.followers);
            whole.next = page.next;
        }
        if whole.next.is_some() { refused("pages_at_most") } else { Ok(whole) }
    }

    /// Relations of up to 100 members of staff, 100 to a page (path/92994). At most five such calls go at once.
    pub async fn customers_of_many(
        &self,
        userids: &[String],
        cursor: Option<&str>,
    ) -> Result<Page<Relation>, Trouble> {
        bounds::ids("userid_list", userids, 1, self.most("contacts.batch_staff", Window::Call))?;
        let limit = self.most("contacts.batch", Window::Page);
        let body = json!({"userid_list": userids, "cursor": pages::cursor(cursor)?, "limit": limit});
        let batch: Batch = self.post(&apis::CONTACT_BATCH, &body).await?;
        Ok(Page::of(batch.external_contact_list, batch.next_cursor))
    }

    /// Notes something of a customer (path/92115).
    pub async fn remark(&self, remark: &Remark) -> Result<(), Trouble> {
        bounds::id("userid", &remark.userid)?;
        bounds::id("external_userid", &remark.external_userid)?;
        let Remark { remark: name, description, remark_company, remark_mobiles, .. } = remark;
        if name.is_none() && description.is_none() && remark_company.is_none() && remark_mobiles.is_none() {
            return Err(Trouble::input("remark", "or another: nothing is to be noted"));
        }
        for (field, text, subject) in [
            ("remark", name, "contacts.remark_chars"),
            ("description", description, "contacts.description_chars"),
            ("remark_company", remark_company, "contacts.company_chars"),
        ] {
            bounds::chars(field, text.as_deref().unwrap_or_default(), self.most(subject, Window::Call))?;
        }
        let mut remark = remark.clone();
        if let Some(mobiles) = &mut remark.remark_mobiles {
            bounds::ids("remark_mobiles", mobiles, 0, MOBILES_MAX)?;
            // An empty list changes nothing; one empty number takes all away.
            if mobiles.is_empty() {
                mobiles.push(String::new());
            }
        }
        self.tell(&apis::CONTACT_REMARK, &remark).await
    }
}
