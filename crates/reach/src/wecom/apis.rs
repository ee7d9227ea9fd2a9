//! Every call that is made: its path, and what may be done when its answer is lost. `docs/wecom-api.md` has a row for each, with how
//! the truth is found out.

/// How a call goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Without a body.
    Get,
    /// With one.
    Post,
}

/// What may be done when nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Said twice it is as good as once: a lost answer is only a delay ([`super::Trouble::Later`]).
    Safe,
    /// Said again it does no harm, but the answer may be another: it was done already, or a quota was used twice.
    Told,
    /// Said twice it is done twice: first it is looked up.
    Never,
}

/// One call of the platform.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    /// How it goes out.
    pub verb: Verb,
    /// Its path below `/cgi-bin/`.
    pub path: &'static str,
    /// What may be done when its answer is lost.
    pub repeat: Repeat,
    /// Where it is documented (developer.work.weixin.qq.com/document/…).
    pub source: &'static str,
}

const fn get(path: &'static str, repeat: Repeat, source: &'static str) -> Api {
    Api { verb: Verb::Get, path, repeat, source }
}

const fn post(path: &'static str, repeat: Repeat, source: &'static str) -> Api {
    Api { verb: Verb::Post, path, repeat, source }
}

use Repeat::{Never, Safe, Told};

pub(crate) const GETTOKEN: Api = get("gettoken", Safe, "path/91039");
pub(crate) const CONTACT_LIST: Api = get("externalcontact/list", Safe, "path/92113");
pub(crate) const CONTACT_GET: Api = get("externalcontact/get", Safe, "path/92114");
pub(crate) const CONTACT_BATCH: Api = post("externalcontact/batch/get_by_user", Safe, "path/92994");
pub(crate) const CONTACT_REMARK: Api = post("externalcontact/remark", Safe, "path/92115");
pub(crate) const FOLLOW_USERS: Api = get("externalcontact/get_follow_user_list", Safe, "path/92571");
pub(crate) const UNIONID: Api = post("idconvert/unionid_to_external_userid", Safe, "path/95900");
pub(crate) const UNIONID_OLD: Api = post("externalcontact/unionid_to_external_userid", Safe, "path/93274");
pub(crate) const PENDING: Api = post("idconvert/batch/external_userid_to_pending_id", Safe, "path/95900");
pub(crate) const CONTACT_WAY_ADD: Api = post("externalcontact/add_contact_way", Never, "path/92228");
pub(crate) const CONTACT_WAY_GET: Api = post("externalcontact/get_contact_way", Safe, "path/92228");
pub(crate) const CONTACT_WAY_LIST: Api = post("externalcontact/list_contact_way", Safe, "path/92228");
pub(crate) const CONTACT_WAY_UPDATE: Api = post("externalcontact/update_contact_way", Safe, "path/92228");
pub(crate) const CONTACT_WAY_DEL: Api = post("externalcontact/del_contact_way", Safe, "path/92228");
pub(crate) const JOIN_WAY_ADD: Api = post("externalcontact/groupchat/add_join_way", Never, "path/92229");
pub(crate) const JOIN_WAY_GET: Api = post("externalcontact/groupchat/get_join_way", Safe, "path/92229");
pub(crate) const JOIN_WAY_UPDATE: Api = post("externalcontact/groupchat/update_join_way", Safe, "path/92229");
pub(crate) const JOIN_WAY_DEL: Api = post("externalcontact/groupchat/del_join_way", Safe, "path/92229");
pub(crate) const TAG_LIST: Api = post("externalcontact/get_corp_tag_list", Safe, "path/96320");
pub(crate) const TAG_ADD: Api = post("externalcontact/add_corp_tag", Told, "path/96320");
pub(crate) const TAG_EDIT: Api = post("externalcontact/edit_corp_tag", Safe, "path/96320");
pub(crate) const TAG_DEL: Api = post("externalcontact/del_corp_tag", Told, "path/96320");
pub(crate) const TAG_MARK: Api = post("externalcontact/mark_tag", Safe, "path/92118");
pub(crate) const GROUP_LIST: Api = post("externalcontact/groupchat/list", Safe, "path/92120");
pub(crate) const GROUP_GET: Api = post("externalcontact/groupchat/get", Safe, "path/92122");
pub(crate) const MASS_ADD: Api = post("externalcontact/add_msg_template", Never, "path/92135");
pub(crate) const MASS_LIST: Api = post("externalcontact/get_groupmsg_list_v2", Safe, "path/93338");
pub(crate) const MASS_TASKS: Api = post("externalcontact/get_groupmsg_task", Safe, "path/93338");
pub(crate) const MASS_RESULTS: Api = post("externalcontact/get_groupmsg_send_result", Safe, "path/93338");
pub(crate) const MASS_REMIND: Api = post("externalcontact/remind_groupmsg_send", Never, "path/97610");
pub(crate) const MASS_CANCEL: Api = post("externalcontact/cancel_groupmsg_send", Safe, "path/97611");
pub(crate) const WELCOME: Api = post("externalcontact/send_welcome_msg", Told, "path/92137");
pub(crate) const GROUP_WELCOME_ADD: Api =
    post("externalcontact/group_welcome_template/add", Never, "path/92366");
pub(crate) const GROUP_WELCOME_EDIT: Api =
    post("externalcontact/group_welcome_template/edit", Safe, "path/92366");
pub(crate) const GROUP_WELCOME_GET: Api =
    post("externalcontact/group_welcome_template/get", Safe, "path/92366");
pub(crate) const GROUP_WELCOME_DEL: Api =
    post("externalcontact/group_welcome_template/del", Told, "path/92366");
pub(crate) const MOMENT_ADD: Api = post("externalcontact/add_moment_task", Never, "path/95094");
pub(crate) const MOMENT_RESULT: Api = get("externalcontact/get_moment_task_result", Safe, "path/95094");
pub(crate) const MOMENT_CANCEL: Api = post("externalcontact/cancel_moment_task", Safe, "path/97612");
pub(crate) const MOMENT_LIST: Api = post("externalcontact/get_moment_list", Safe, "path/93333");
pub(crate) const MOMENT_TASKS: Api = post("externalcontact/get_moment_task", Safe, "path/93333");
pub(crate) const MOMENT_CUSTOMERS: Api = post("externalcontact/get_moment_customer_list", Safe, "path/93333");
pub(crate) const MOMENT_RESULTS: Api = post("externalcontact/get_moment_send_result", Safe, "path/93333");
pub(crate) const MOMENT_COMMENTS: Api = post("externalcontact/get_moment_comments", Safe, "path/93333");
pub(crate) const MEDIA_UPLOAD: Api = post("media/upload", Safe, "path/90253");
pub(crate) const MEDIA_PICTURE: Api = post("media/uploadimg", Told, "path/90256");
pub(crate) const MEDIA_ATTACHMENT: Api = post("media/upload_attachment", Safe, "path/95098");
pub(crate) const TRANSFER: Api = post("externalcontact/transfer_customer", Told, "path/92125");
pub(crate) const TRANSFER_RESULT: Api = post("externalcontact/transfer_result", Safe, "path/94088");
pub(crate) const RESIGNED_TRANSFER: Api =
    post("externalcontact/resigned/transfer_customer", Told, "path/94081");
pub(crate) const RESIGNED_RESULT: Api = post("externalcontact/resigned/transfer_result", Safe, "path/94082");
pub(crate) const UNASSIGNED: Api = post("externalcontact/get_unassigned_list", Safe, "path/92124");
pub(crate) const GROUP_TRANSFER: Api = post("externalcontact/groupchat/transfer", Told, "path/92127");
pub(crate) const GROUP_ONJOB_TRANSFER: Api =
    post("externalcontact/groupchat/onjob_transfer", Told, "path/95703");
pub(crate) const SERVICE_ACCOUNTS: Api = post("kf/account/list", Safe, "path/94661");
pub(crate) const SERVICE_MESSAGES: Api = post("kf/sync_msg", Safe, "path/94670");
pub(crate) const SERVICE_REPLY: Api = post("kf/send_msg", Never, "path/94677");
pub(crate) const SERVICE_STATE: Api = post("kf/service_state/get", Safe, "path/94669");
pub(crate) const SERVICE_CUSTOMERS: Api = post("kf/customer/batchget", Safe, "path/95159");
pub(crate) const STAFF_GET: Api = get("user/get", Safe, "path/90196");
pub(crate) const STAFF_LIST: Api = post("user/list_id", Safe, "path/96067");
pub(crate) const DEPARTMENTS: Api = get("department/list", Safe, "path/90208");
pub(crate) const LOGIN: Api = get("auth/getuserinfo", Told, "path/91023");
pub(crate) const NOTIFY: Api = post("message/send", Told, "path/90236");
pub(crate) const RECALL: Api = post("message/recall", Safe, "path/94867");

/// All of them.
pub const ALL: [&Api; 65] = [
    &GETTOKEN,
    &CONTACT_LIST,
    &CONTACT_GET,
    &CONTACT_BATCH,
    &CONTACT_REMARK,
    &FOLLOW_USERS,
    &UNIONID,
    &UNIONID_OLD,
    &PENDING,
    &CONTACT_WAY_ADD,
    &CONTACT_WAY_GET,
    &CONTACT_WAY_LIST,
    &CONTACT_WAY_UPDATE,
    &CONTACT_WAY_DEL,
    &JOIN_WAY_ADD,
    &JOIN_WAY_GET,
    &JOIN_WAY_UPDATE,
    &JOIN_WAY_DEL,
    &TAG_LIST,
    &TAG_ADD,
    &TAG_EDIT,
    &TAG_DEL,
    &TAG_MARK,
    &GROUP_LIST,
    &GROUP_GET,
    &MASS_ADD,
    &MASS_LIST,
    &MASS_TASKS,
    &MASS_RESULTS,
    &MASS_REMIND,
    &MASS_CANCEL,
    &WELCOME,
    &GROUP_WELCOME_ADD,
    &GROUP_WELCOME_EDIT,
    &GROUP_WELCOME_GET,
    &GROUP_WELCOME_DEL,
    &MOMENT_ADD,
    &MOMENT_RESULT,
    &MOMENT_CANCEL,
    &MOMENT_LIST,
    &MOMENT_TASKS,
    &MOMENT_CUSTOMERS,
    &MOMENT_RESULTS,
    &MOMENT_COMMENTS,
    &MEDIA_UPLOAD,
    &MEDIA_PICTURE,
    &MEDIA_ATTACHMENT,
    &TRANSFER,
    &TRANSFER_RESULT,
    &RESIGNED_TRANSFER,
    &RESIGNED_RESULT,
    &UNASSIGNED,
    &GROUP_TRANSFER,
    &GROUP_ONJOB_TRANSFER,
    &SERVICE_ACCOUNTS,
    &SERVICE_MESSAGES,
    &SERVICE_REPLY,
    &SERVICE_STATE,
    &SERVICE_CUSTOMERS,
    &STAFF_GET,
    &STAFF_LIST,
    &DEPARTMENTS,
    &LOGIN,
    &NOTIFY,
    &RECALL,
];

/// Whether something is the path of one of them.
pub fn is_path(path: &str) -> bool {
    ALL.iter().any(|api| api.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_in_the_document_with_what_a_lost_answer_means() {
        let document = include_str!("../../../../docs/wecom-api.md");
        for api in ALL {
            let verb = if api.verb == Verb::Get { "GET" } else { "POST" };
            let row = format!("| {verb} `{}` |", api.path);
            let line = document.lines().find(|line| line.contains(&row));
            let line = line.unwrap_or_else(|| panic!("docs/wecom-api.md has no row with {row}"));
            let word = match api.repeat {
                Safe => "| yes",
                Told => "| told",
                Never => "| no:",
            };
            assert!(line.contains(word), "{word} in {line}");
            assert!(line.contains(api.source.trim_start_matches("path/")), "{} in {line}", api.source);
        }
    }

    #[test]
    fn paths_are_there_once() {
        let mut paths: Vec<&str> = ALL.iter().map(|api| api.path).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
