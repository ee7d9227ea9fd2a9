//! Moments: a task for members of staff, who publish it themselves (path/95094), and what came of it (path/93333). The platform makes the
//! task after it has answered; by its job (good for 24 hours) it is asked whether it is there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attachments::{Media, Text};
use super::limits::Window;
use super::numbers::whole;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// How many moments are listed on a page (path/93333).
const LIST_MAX: u64 = 20;
/// How many of staff, and of customers, are on a page (path/93333).
const TASKS_MAX: u64 = 1_000;
/// The most departments and tags that are named.
const NAMED_MAX: u64 = 1_000;

/// A link in a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MomentLink {
    /// Its title, at most 64 bytes.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// The picture on it, uploaded for moments.
    pub media_id: String,
}

/// What is shown beside the text: one kind, uploaded by [`Wecom::upload_attachment`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// Up to 9 pictures.
    Images(Vec<String>),
    /// One video.
    Video(String),
    /// One link.
    Link(MomentLink),
}

/// A moment that is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The text, at most 2,000 characters.
    pub text: Option<Text>,
    /// What is shown beside it.
    pub shown: Shown,
    /// Who publishes it, up to 100,000; nobody named means all.
    pub staff: Vec<String>,
    /// Whose members publish it.
    pub departments: Vec<i64>,
    /// Customers with one of these tags see it; none means all.
    pub tags: Vec<String>,
}

/// What became of making the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MomentMade {
    /// It is being made: ask again.
    Making,
    /// It was made.
    Made {
        /// By which it is known.
        moment_id: String,
        /// Of staff, who cannot publish.
        invalid_staff: Vec<String>,
        /// Of tags, which are none.
        invalid_tags: Vec<String>,
    },
}

/// A moment of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MomentRecord {
    /// By which it is known.
    pub moment_id: String,
    /// Who made it.
    pub creator: String,
    /// When, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
    /// 0: the business, 1: a member of staff.
    pub create_type: i64,
    /// 0: some see it, 1: all.
    pub visible_type: i64,
    /// Its text.
    pub text: Text,
}

/// A member of staff who is to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MomentTask {
    /// Who.
    pub userid: String,
    /// 0: not yet, 1: published.
    pub publish_status: i64,
}

/// A customer who may see, or has been shown, a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MomentCustomer {
    /// Whose customer, where it is of what was meant to be.
    pub userid: String,
    /// The customer.
    pub external_userid: String,
}

/// A comment, or a like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reaction {
    /// The customer; empty where it is staff.
    pub external_userid: String,
    /// The member of staff; empty where it is a customer.
    pub userid: String,
    /// When, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
}

/// What was said to a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reactions {
    /// Comments; their text is not given.
    pub comment_list: Vec<Reaction>,
    /// Likes.
    pub like_list: Vec<Reaction>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    jobid: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Making {
    status: i64,
    result: Made,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Made {
    errcode: i64,
    moment_id: String,
    invalid_sender_list: Invalid,
    invalid_external_contact_list: Invalid,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Invalid {
    user_list: Vec<String>,
    tag_list: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    moment_list: Vec<MomentRecord>,
    task_list: Vec<MomentTask>,
    customer_list: Vec<MomentCustomer>,
    next_cursor: String,
}

impl Moment {
    fn body(&self) -> Value {
        let mut body = json!({});
        if let Some(text) = &self.text {
            body["text"] = json!(text);
        }
        let media = |media_id: &String| Media { media_id: media_id.clone() };
        let image = |media_id: &String| json!({"msgtype": "image", "image": media(media_id)});
        let attachments: Vec<Value> = match &self.shown {
            Shown::Nothing => Vec::new(),
            Shown::Images(images) => images.iter().map(image).collect(),
            Shown::Video(video) => vec![json!({"msgtype": "video", "video": media(video)})],
            Shown::Link(link) => vec![json!({"msgtype": "link", "link": link})],
        };
        if !attachments.is_empty() {
            body["attachments"] = json!(attachments);
        }
        let mut senders = json!({});
        if !self.staff.is_empty() {
            senders["user_list"] = json!(self.staff);
        }
        if !self.departments.is_empty() {
            senders["department_list"] = json!(self.departments);
        }
        if senders != json!({}) {
            body["visible_range"]["sender_list"] = senders;
        }
        if !self.tags.is_empty() {
            body["visible_range"]["external_contact_list"] = json!({"tag_list": self.tags});
        }
        body
    }
}

impl Wecom {
    fn check_moment(&self, moment: &Moment) -> Result<(), Trouble> {
        let content = moment.text.as_ref().map_or("", |text| text.content.as_str());
        bounds::chars("text.content", content, self.most("moments.text_chars", Window::Call))?;
        match &moment.shown {
            Shown::Nothing => bounds::filled("text.content", content)?,
            Shown::Images(images) => {
                bounds::ids("attachments", images, 1, self.most("moments.images", Window::Call))?;
            }
            Shown::Video(video) => bounds::id("attachments[0].video.media_id", video)?,
            Shown::Link(link) => {
                let most = self.most("moments.link_title_bytes", Window::Call);
                bounds::bytes("attachments[0].link.title", &link.title, most)?;
                bounds::url("attachments[0].link.url", &link.url)?;
                bounds::id("attachments[0].link.media_id", &link.media_id)?;
            }
        }
        let most = self.most("moments.staff", Window::Call);
        bounds::ids("visible_range.sender_list.user_list", &moment.staff, 0, most)?;
        let departments = moment.departments.len();
        bounds::count("visible_range.sender_list.department_list", departments, 0, NAMED_MAX)?;
        bounds::ids("visible_range.external_contact_list.tag_list", &moment.tags, 0, NAMED_MAX)
    }

    /// Has a task made, and gives the job by which it is asked for (path/95094). Said twice there are two: where the answer is lost the list
    /// shows whether it was made.
    pub async fn add_moment(&self, moment: &Moment) -> Result<String, Trouble> {
        self.check_moment(moment)?;
        let job: Job = self.post(&apis::MOMENT_ADD, &moment.body()).await?;
        bounds::given(job.jobid)
    }

    /// Whether a task is there (path/95094).
    pub async fn moment_made(&self, jobid: &str) -> Result<MomentMade, Trouble> {
        bounds::id("jobid", jobid)?;
        let Making { status, result } = self.get(&apis::MOMENT_RESULT, &[("jobid", jobid)]).await?;
        if status != 3 {
            return Ok(MomentMade::Making);
        }
        if result.errcode != 0 {
            return Err(super::errcodes::trouble(result.errcode));
        }
        Ok(MomentMade::Made {
            moment_id: result.moment_id,
            invalid_staff: result.invalid_sender_list.user_list,
            invalid_tags: result.invalid_external_contact_list.tag_list,
        })
    }

    /// Stops a task; what was published stays (path/97612).
    pub async fn cancel_moment(&self, moment_id: &str) -> Result<(), Trouble> {
        bounds::id("moment_id", moment_id)?;
        self.tell(&apis::MOMENT_CANCEL, &json!({"moment_id": moment_id})).await
    }

    /// Moments of a time of 30 days at most, in seconds since 1970 UTC, of the business and of staff (path/93333).
    pub async fn moments(
        &self,
        start_time: i64,
        end_time: i64,
        cursor: Option<&str>,
    ) -> Result<Page<MomentRecord>, Trouble> {
        bounds::span(start_time, end_time, self.most("moments.list_days", Window::Call))?;
        let cursor = pages::cursor(cursor)?;
        let body = json!({
            "start_time": start_time, "end_time": end_time, "filter_type": 2, "cursor": cursor, "limit": LIST_MAX,
        });
        let listed: Listed = self.post(&apis::MOMENT_LIST, &body).await?;
        Ok(Page::of(listed.moment_list, listed.next_cursor))
    }

    /// Who is to publish one, and who has (path/93333).
    pub async fn moment_tasks(
        &self,
        moment_id: &str,
        cursor: Option<&str>,
    ) -> Result<Page<MomentTask>, Trouble> {
        bounds::id("moment_id", moment_id)?;
        let body = json!({"moment_id": moment_id, "cursor": pages::cursor(cursor)?, "limit": TASKS_MAX});
        let listed: Listed = self.post(&apis::MOMENT_TASKS, &body).await?;
        Ok(Page::of(listed.task_list, listed.next_cursor))
    }

    /// To which customers one of staff was to show it (path/93333).
    pub async fn moment_customers(
        &self,
        moment_id: &str,
        userid: &str,
        cursor: Option<&str>,
    ) -> Result<Page<MomentCustomer>, Trouble> {
        self.moment_of(&apis::MOMENT_CUSTOMERS, moment_id, userid, cursor, TASKS_MAX).await
    }

    /// To which customers it was shown (path/93333).
    pub async fn moment_results(
        &self,
        moment_id: &str,
        userid: &str,
        cursor: Option<&str>,
    ) -> Result<Page<MomentCustomer>, Trouble> {
        let most = self.most("moments.results", Window::Page);
        self.moment_of(&apis::MOMENT_RESULTS, moment_id, userid, cursor, most).await
    }

    async fn moment_of(
        &self,
        api: &'static apis::Api,
        moment_id: &str,
        userid: &str,
        cursor: Option<&str>,
        limit: u64,
    ) -> Result<Page<MomentCustomer>, Trouble> {
        bounds::id("moment_id", moment_id)?;
        bounds::id("userid", userid)?;
        let cursor = pages::cursor(cursor)?;
        let body = json!({"moment_id": moment_id, "userid": userid, "cursor": cursor, "limit": limit});
        let listed: Listed = self.post(api, &body).await?;
        Ok(Page::of(listed.customer_list, listed.next_cursor))
    }

    /// Comments and likes of one that somebody published (path/93333).
    pub async fn moment_reactions(&self, moment_id: &str, userid: &str) -> Result<Reactions, Trouble> {
        bounds::id("moment_id", moment_id)?;
        bounds::id("userid", userid)?;
        self.post(&apis::MOMENT_COMMENTS, &json!({"moment_id": moment_id, "userid": userid})).await
    }
}
