//! Members of staff: who they are, where they belong, and who has just signed in.

use serde::Deserialize;
use serde_json::json;

use super::limits::Window;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// A member of staff (path/90196). Apps made since 2022-06-20 are told no number, mail or picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Staff {
    /// What the business calls them.
    pub userid: String,
    /// Their name.
    pub name: String,
    /// What they are also called.
    pub alias: String,
    /// Their departments.
    pub department: Vec<i64>,
    /// The first of them.
    pub main_department: i64,
    /// In which of the departments they lead: 1 where they do.
    pub is_leader_in_dept: Vec<i64>,
    /// Who leads them.
    pub direct_leader: Vec<String>,
    /// Their position.
    pub position: String,
    /// 1: active, 2: shut out, 4: not active yet, 5: has left.
    pub status: i64,
}

/// Where a member of staff belongs (path/96067). Who belongs to several departments is there several times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Belongs {
    /// The member of staff.
    pub userid: String,
    /// The department.
    pub department: i64,
}

/// A department (path/90208).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Department {
    /// By which it is known; 1 is the root.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Who leads it.
    pub department_leader: Vec<String>,
    /// The one above.
    pub parentid: i64,
    /// The higher the more to the front.
    pub order: i64,
}

/// Who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// A member of staff.
    Staff(String),
    /// Somebody else: what WeChat calls them for this business, and what the business does, if they are a customer.
    Other {
        /// What WeChat calls them.
        openid: String,
        /// What the business calls them.
        external_userid: Option<String>,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    dept_user: Vec<Belongs>,
    department: Vec<Department>,
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Who {
    #[serde(alias = "UserId")]
    userid: String,
    #[serde(alias = "OpenId")]
    openid: String,
    external_userid: String,
}

impl Wecom {
    /// A member of staff (path/90196).
    pub async fn staff(&self, userid: &str) -> Result<Staff, Trouble> {
        bounds::id("userid", userid)?;
        self.get(&apis::STAFF_GET, &[("userid", userid)]).await
    }

    /// Everybody and where they belong, 10,000 to a page (path/96067).
    pub async fn staff_ids(&self, cursor: Option<&str>) -> Result<Page<Belongs>, Trouble> {
        let body = json!({"cursor": pages::cursor(cursor)?, "limit": self.most("staff.list", Window::Page)});
        let listed: Listed = self.post(&apis::STAFF_LIST, &body).await?;
        Ok(Page::of(listed.dept_user, listed.next_cursor))
    }

    /// A department and all below it, or all that there are (path/90208).
    pub async fn departments(&self, below: Option<i64>) -> Result<Vec<Department>, Trouble> {
        let id = below.map(|id| id.to_string());
        let query: Vec<(&str, &str)> = id.iter().map(|id| ("id", id.as_str())).collect();
        let listed: Listed = self.get(&apis::DEPARTMENTS, &query).await?;
        Ok(listed.department)
    }

    /// Who has signed in with a code, which is good for five minutes and once (path/91023). Where the answer is lost they sign in again.
    pub async fn signed_in(&self, code: &str) -> Result<SignedIn, Trouble> {
        // The platform's own are up to 512 bytes (path/91022).
        bounds::filled("code", code)?;
        bounds::bytes("code", code, 512)?;
        let who: Who = self.get(&apis::LOGIN, &[("code", code)]).await?;
        if !who.userid.is_empty() {
            return Ok(SignedIn::Staff(who.userid));
        }
        let external_userid = Some(who.external_userid).filter(|id| !id.is_empty());
        Ok(SignedIn::Other { openid: bounds::given(who.openid)?, external_userid })
    }
}
