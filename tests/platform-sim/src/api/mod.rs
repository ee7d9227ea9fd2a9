//! The server API: one row an endpoint, one function a row.

mod ask;
mod convert;
mod customers;
mod directory;
mod groups;
mod kf;
mod mass;
mod media;
mod moments;
mod tags;
mod transfer;
mod ways;
mod welcome;

use std::collections::BTreeMap;

use hyper::Method;
use hyper::body::Bytes;
use serde_json::Value;

use crate::limits::Rule;
use crate::world::{Refusal, World};

/// What an endpoint answers: its fields, or why not.
pub type Answer = Result<Value, Refusal>;

/// One call, past the door.
pub struct Call<'a> {
    /// The app that calls.
    pub agent: i64,
    /// What stands behind `?`.
    pub query: &'a BTreeMap<String, String>,
    /// An object; empty where there was no body or it is a file.
    pub body: &'a Value,
    /// How the body was written.
    pub content_type: &'a str,
    /// The body as it came.
    pub raw: &'a Bytes,
}

/// An endpoint.
pub struct Endpoint {
    /// After `/cgi-bin/`.
    pub path: &'static str,
    /// Whether it is asked by GET; else by POST.
    pub is_get: bool,
    /// Whether only apps of customer contact may call it.
    pub is_of_contact: bool,
    /// How many calls there may be at one time.
    pub at_once: Option<Rule>,
    /// What it does.
    pub run: fn(&mut World, &Call<'_>) -> Answer,
}

const fn get(path: &'static str, run: fn(&mut World, &Call<'_>) -> Answer) -> Endpoint {
    Endpoint { path, is_get: true, is_of_contact: false, at_once: None, run }
}

const fn post(path: &'static str, run: fn(&mut World, &Call<'_>) -> Answer) -> Endpoint {
    Endpoint { path, is_get: false, is_of_contact: false, at_once: None, run }
}

impl Endpoint {
    /// How it is asked.
    pub const fn method(&self) -> Method {
        if self.is_get { Method::GET } else { Method::POST }
    }

    const fn contact(self) -> Self {
        Self { is_of_contact: true, ..self }
    }

    const fn at_once(self, rule: Rule) -> Self {
        Self { at_once: Some(rule), ..self }
    }
}

/// All endpoints.
pub static ENDPOINTS: &[Endpoint] = &[
    get("gettoken", directory::gettoken),
    get("auth/getuserinfo", directory::getuserinfo),
    get("user/get", directory::user_get),
    post("user/list_id", directory::user_list_id),
    get("getcallbackip", directory::getcallbackip),
    post("message/send", directory::message_send),
    post("message/recall", directory::message_recall),
    post("media/upload", media::upload),
    post("media/uploadimg", media::uploadimg),
    post("media/upload_attachment", media::upload),
    get("externalcontact/get_follow_user_list", customers::get_follow_user_list).contact(),
    get("externalcontact/list", customers::list).contact(),
    get("externalcontact/get", customers::get).contact(),
    post("externalcontact/batch/get_by_user", customers::batch_get_by_user)
        .contact()
        .at_once(Rule::ConcurrentBatchGet),
    post("externalcontact/remark", customers::remark).contact(),
    post("externalcontact/unionid_to_external_userid", convert::old).contact(),
    post("idconvert/unionid_to_external_userid", convert::new).contact(),
    post("idconvert/batch/external_userid_to_pending_id", convert::pending).contact(),
    post("externalcontact/add_contact_way", ways::add).contact(),
    post("externalcontact/get_contact_way", ways::get).contact(),
    post("externalcontact/list_contact_way", ways::list).contact(),
    post("externalcontact/update_contact_way", ways::update).contact(),
    post("externalcontact/del_contact_way", ways::del).contact(),
    post("externalcontact/get_corp_tag_list", tags::list).contact(),
    post("externalcontact/add_corp_tag", tags::add).contact(),
    post("externalcontact/edit_corp_tag", tags::edit).contact(),
    post("externalcontact/del_corp_tag", tags::del).contact(),
    post("externalcontact/mark_tag", tags::mark).contact().at_once(Rule::ConcurrentMarkTag),
    post("externalcontact/groupchat/list", groups::list).contact(),
    post("externalcontact/groupchat/get", groups::get).contact(),
    post("externalcontact/groupchat/transfer", groups::transfer).contact(),
    post("externalcontact/groupchat/onjob_transfer", groups::onjob_transfer).contact(),
    post("externalcontact/groupchat/add_join_way", groups::add_join_way).contact(),
    post("externalcontact/groupchat/get_join_way", groups::get_join_way).contact(),
    post("externalcontact/groupchat/update_join_way", groups::update_join_way).contact(),
    post("externalcontact/groupchat/del_join_way", groups::del_join_way).contact(),
    post("externalcontact/add_msg_template", mass::add).contact(),
    post("externalcontact/get_groupmsg_list_v2", mass::list).contact(),
    post("externalcontact/get_groupmsg_task", mass::task).contact(),
    post("externalcontact/get_groupmsg_send_result", mass::send_result).contact(),
    post("externalcontact/remind_groupmsg_send", mass::remind).contact(),
    post("externalcontact/cancel_groupmsg_send", mass::cancel).contact(),
    post("externalcontact/send_welcome_msg", welcome::send).contact(),
    post("externalcontact/group_welcome_template/add", welcome::template_add).contact(),
    post("externalcontact/group_welcome_template/edit", welcome::template_edit).contact(),
    post("externalcontact/group_welcome_template/get", welcome::template_get).contact(),
    post("externalcontact/group_welcome_template/del", welcome::template_del).contact(),
    post("externalcontact/add_moment_task", moments::add).contact(),
    get("externalcontact/get_moment_task_result", moments::job).contact(),
    post("externalcontact/cancel_moment_task", moments::cancel).contact(),
    post("externalcontact/get_moment_list", moments::list).contact(),
    post("externalcontact/get_moment_task", moments::task).contact(),
    post("externalcontact/get_moment_customer_list", moments::customers).contact(),
    post("externalcontact/get_moment_send_result", moments::send_result).contact(),
    post("externalcontact/transfer_customer", transfer::customer).contact(),
    post("externalcontact/transfer_result", transfer::result).contact(),
    post("externalcontact/resigned/transfer_customer", transfer::resigned_customer).contact(),
    post("externalcontact/resigned/transfer_result", transfer::resigned_result).contact(),
    post("externalcontact/get_unassigned_list", transfer::unassigned).contact(),
    post("kf/account/list", kf::account_list).contact(),
    post("kf/sync_msg", kf::sync_msg).contact(),
    post("kf/send_msg", kf::send_msg).contact(),
    post("kf/service_state/get", kf::service_state).contact(),
    post("kf/customer/batchget", kf::customers).contact(),
];

/// The endpoint of a path.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_a_row_in_the_readme() {
        let readme = include_str!("../../README.md");
        for endpoint in ENDPOINTS {
            assert!(readme.contains(&format!("`{}`", endpoint.path)), "{} has no row", endpoint.path);
        }
    }
}
