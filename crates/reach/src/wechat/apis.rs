//! Every call that is made of the platform, with what is known when its answer is lost. The paths are the platform's.

/// A call.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    /// Its path.
    pub path: &'static str,
    /// Whether it is a GET; else a POST of JSON.
    pub is_get: bool,
    /// Whether it says the app's token.
    pub with_token: bool,
    /// Whether saying it twice is as good as once.
    pub is_safe: bool,
}

const fn get(path: &'static str) -> Api {
    Api { path, is_get: true, with_token: true, is_safe: true }
}

const fn post(path: &'static str, is_safe: bool) -> Api {
    Api { path, is_get: false, with_token: true, is_safe }
}

/// The token of an app (`stable_token`): asked again within its time it is the same.
pub const STABLE_TOKEN: Api =
    Api { path: "/cgi-bin/stable_token", is_get: false, with_token: false, is_safe: true };
/// Addresses that callbacks come from: asked to see whether calls work.
pub const CALLBACK_IPS: Api = get("/cgi-bin/getcallbackip");
/// What is known of a follower.
pub const USER_INFO: Api = get("/cgi-bin/user/info");
/// The ticket that pages are signed with.
pub const TICKET: Api = get("/cgi-bin/ticket/getticket");
/// A code with a scene. A lasting one with the same text is the same code.
pub const MAKE_CODE: Api = post("/cgi-bin/qrcode/create", true);
/// A template message: told twice with one `client_msg_id` within ten minutes it is sent once.
pub const SEND_TEMPLATE: Api = post("/cgi-bin/message/template/send", false);
/// A subscription message of an official account.
pub const SEND_SUBSCRIBED: Api = post("/cgi-bin/message/subscribe/bizsend", false);
/// A subscription message of a mini program.
pub const SEND_SUBSCRIBED_MINI: Api = post("/cgi-bin/message/subscribe/send", false);
/// A word to whoever said something within 48 hours.
pub const SEND_WORD: Api = post("/cgi-bin/message/custom/send", false);
/// Template messages that the account may send.
pub const TEMPLATES: Api = get("/cgi-bin/template/get_all_private_template");
/// Subscription messages that the app may send.
pub const SUBSCRIPTIONS: Api = get("/wxaapi/newtmpl/gettemplate");
/// Who brings a code of a page's sign-in: the code is good once.
pub const PAGE_SIGN_IN: Api =
    Api { path: "/sns/oauth2/access_token", is_get: true, with_token: false, is_safe: false };
/// What a person let a page know of them.
pub const PAGE_PERSON: Api = Api { path: "/sns/userinfo", is_get: true, with_token: false, is_safe: true };
/// Who brings a code of a mini program: the code is good once.
pub const MINI_SIGN_IN: Api =
    Api { path: "/sns/jscode2session", is_get: true, with_token: false, is_safe: false };
/// A phone number that somebody gave: the code is good once.
pub const PHONE: Api = post("/wxa/business/getuserphonenumber", false);
/// A code of a mini program with a scene: a picture.
pub const MAKE_MINI_CODE: Api = post("/wxa/getwxacodeunlimit", true);
