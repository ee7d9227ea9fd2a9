//! Tags of the business (path/96320), and which customer bears them for whom (path/92118). An app may change only what it made itself;
//! of another's it is refused (`of_another_app`).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::limits::Window;
use super::numbers::whole;
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// The most tags that are said in one call, and groups that are asked about.
const TAGS_MAX: u64 = 1_000;

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tag {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Since when, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
    /// The higher the more to the front.
    pub order: u32,
    /// Whether it is gone; said only where it was asked for by its id.
    pub deleted: bool,
}

/// A group of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TagGroup {
    /// Its id.
    pub group_id: String,
    /// Its name.
    pub group_name: String,
    /// Since when, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
    /// The higher the more to the front.
    pub order: u32,
    /// Whether it is gone.
    pub deleted: bool,
    /// Its tags.
    pub tag: Vec<Tag>,
}

/// Which tags are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// These, also where they are gone.
    Tags(&'a [String]),
    /// Those of these groups.
    Groups(&'a [String]),
}

/// Where new tags go.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// Into a group that there is.
    Group(&'a str),
    /// Into the group of this name, which is made if there is none.
    Named(&'a str),
}

/// A tag that is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewTag {
    /// Its name, at most 30 characters.
    pub name: String,
    /// The higher the more to the front.
    pub order: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    tag_group: Vec<TagGroup>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Added {
    tag_group: TagGroup,
}

impl Wecom {
    fn check_tag_name(&self, field: &str, name: &str) -> Result<(), Trouble> {
        bounds::filled(field, name)?;
        bounds::chars(field, name, self.most("tags.name_chars", Window::Call))
    }

    /// Tags of the business with their groups (path/96320).
    pub async fn tags(&self, which: Which<'_>) -> Result<Vec<TagGroup>, Trouble> {
        let body = match which {
            Which::All => json!({}),
            Which::Tags(ids) => {
                bounds::ids("tag_id", ids, 1, TAGS_MAX)?;
                json!({"tag_id": ids})
            }
            Which::Groups(ids) => {
                bounds::ids("group_id", ids, 1, TAGS_MAX)?;
                json!({"group_id": ids})
            }
        };
        let listed: Listed = self.post(&apis::TAG_LIST, &body).await?;
        Ok(listed.tag_group)
    }

    /// Adds tags to a group (path/96320). A name that the group has is not made twice; where all are there it is `tag_name_taken`. Where
    /// the answer is lost, the list shows what was made.
    pub async fn add_tags(&self, into: Place<'_>, tags: &[NewTag]) -> Result<TagGroup, Trouble> {
        bounds::count("tag", tags.len(), 1, TAGS_MAX)?;
        for (i, tag) in tags.iter().enumerate() {
            self.check_tag_name(&format!("tag[{i}].name"), &tag.name)?;
        }
        let body = match into {
            Place::Group(group_id) => {
                bounds::id("group_id", group_id)?;
                json!({"group_id": group_id, "tag": tags})
            }
            Place::Named(group_name) => {
                self.check_tag_name("group_name", group_name)?;
                json!({"group_name": group_name, "tag": tags})
            }
        };
        let mut added: Added = self.post(&apis::TAG_ADD, &body).await?;
        added.tag_group.group_id = bounds::given(added.tag_group.group_id)?;
        Ok(added.tag_group)
    }

    /// Gives a tag or a group another name or place (path/96320).
    pub async fn edit_tag(&self, id: &str, name: Option<&str>, order: Option<u32>) -> Result<(), Trouble> {
        bounds::id("id", id)?;
        let mut body = json!({"id": id});
        if let Some(name) = name {
            self.check_tag_name("name", name)?;
            body["name"] = json!(name);
        }
        if let Some(order) = order {
            body["order"] = json!(order);
        }
        if name.is_none() && order.is_none() {
            return Err(Trouble::input("name", "or order: nothing is to change"));
        }
        self.tell(&apis::TAG_EDIT, &body).await
    }

    /// Takes tags and groups away; with a group go its tags, with its last tag a group (path/96320). `tag_missing` where they were gone.
    pub async fn delete_tags(&self, tags: &[String], groups: &[String]) -> Result<(), Trouble> {
        bounds::ids("tag_id", tags, 0, TAGS_MAX)?;
        bounds::ids("group_id", groups, 0, TAGS_MAX)?;
        let mut body = json!({});
        if !tags.is_empty() {
            body["tag_id"] = json!(tags);
        }
        if !groups.is_empty() {
            body["group_id"] = json!(groups);
        }
        if tags.is_empty() && groups.is_empty() {
            return Err(Trouble::input("tag_id", "or group_id: nothing is to go"));
        }
        self.tell(&apis::TAG_DEL, &body).await
    }

    /// Gives a customer tags and takes others, for one member of staff who follows them (path/92118). At most five such calls go at once.
    pub async fn mark_tags(
        &self,
        userid: &str,
        external_userid: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), Trouble> {
        bounds::id("userid", userid)?;
        bounds::id("external_userid", external_userid)?;
        let most = self.most("tags.per_customer", Window::Total);
        bounds::ids("add_tag", add, 0, most)?;
        bounds::ids("remove_tag", remove, 0, most)?;
        if add.is_empty() && remove.is_empty() {
            return Err(Trouble::input("add_tag", "or remove_tag: nothing is to change"));
        }
        let mut body = json!({"userid": userid, "external_userid": external_userid});
        for (field, ids) in [("add_tag", add), ("remove_tag", remove)] {
            if !ids.is_empty() {
                body[field] = json!(ids);
            }
        }
        self.tell(&apis::TAG_MARK, &body).await
    }
}
