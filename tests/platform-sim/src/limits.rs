//! The platform's limits: dated configuration with its sources, `limits.json`, changeable while it runs.

use serde_json::{Map, Value, json};

use crate::calendar::{Period, days_of_month};

/// What is shipped.
const SHIPPED: &str = include_str!("../limits.json");

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal,)*) => {
        /// A number the platform keeps to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// All of them, in the order of [`Limits::values`].
            const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// Its name in the file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    TokenMs = "token_ms",
    CallsPerApiMinute = "calls_per_api_minute",
    CallsPerApiHour = "calls_per_api_hour",
    CallsPerIpMinute = "calls_per_ip_minute",
    CallsPerIpHour = "calls_per_ip_hour",
    PenaltyMinuteMs = "penalty_minute_ms",
    PenaltyHourMs = "penalty_hour_ms",
    ConcurrentMarkTag = "concurrent_mark_tag",
    ConcurrentBatchGet = "concurrent_batch_get_by_user",
    CallbackAnswerMs = "callback_answer_ms",
    CallbackRetries = "callback_retries",
    CallbackRetryGapMs = "callback_retry_gap_ms",
    WelcomeCodeMs = "welcome_code_ms",
    WelcomeAttachments = "welcome_attachments",
    MassTargets = "mass_targets",
    MassGroups = "mass_groups",
    MassTextBytes = "mass_text_bytes",
    MassAttachments = "mass_attachments",
    MassReminders = "mass_reminders_per_24_hours",
    Ways = "contact_and_join_ways",
    WayUsers = "way_users",
    WayStateChars = "way_state_chars",
    WayRemarkChars = "way_remark_chars",
    JoinWayChats = "join_way_chats",
    RemarkChars = "remark_chars",
    DescriptionChars = "description_chars",
    CorpTags = "corp_tags",
    TagNameChars = "tag_name_chars",
    CustomerTags = "tags_of_a_customer",
    BatchUsers = "batch_get_users",
    BatchPage = "batch_get_page",
    GetFollowers = "get_followers_page",
    GroupWelcomes = "group_welcome_templates",
    GroupWelcomeBytes = "group_welcome_text_bytes",
    GroupByCode = "group_members_by_code",
    GroupMembers = "group_members",
    GroupPage = "group_list_page",
    GroupOwners = "group_list_owners_unfiltered",
    GroupLagMs = "group_info_lag_ms",
    GroupTransfers = "group_transfer_groups",
    GroupTransfersPerOwnerDay = "group_transfers_per_owner_day",
    TransferCustomers = "transfer_customers",
    TransferEffectMs = "transfer_effect_ms",
    TransferTimes = "transfer_times_in_90_days",
    TransferMessageChars = "transfer_message_chars",
    ResignedMs = "resigned_transfer_ms",
    UnionidPerHour = "unionid_conversions_per_hour",
    UnionidPerDay = "unionid_conversions_per_day",
    UnionidPerMonth = "unionid_conversions_per_month",
    PendingMs = "pending_id_ms",
    MomentsPerMinute = "moments_per_minute",
    MomentsPerMonth = "moments_per_month",
    MomentTextChars = "moment_text_chars",
    MomentImages = "moment_images",
    MomentSpanMs = "moment_list_span_ms",
    MomentPage = "moment_result_page",
    MomentJobMs = "moment_job_ms",
    MediaMs = "media_ms",
    MediaImageBytes = "media_image_bytes",
    MediaVoiceBytes = "media_voice_bytes",
    MediaVideoBytes = "media_video_bytes",
    MediaFileBytes = "media_file_bytes",
    UploadimgBytes = "uploadimg_bytes",
    UploadimgPerDay = "uploadimg_per_day",
    UploadimgPerMonth = "uploadimg_per_month",
    MessagesPerAccountDay = "messages_per_account_day",
    MessagesPerMemberMinute = "messages_per_member_minute",
    MessagesPerMemberHour = "messages_per_member_hour",
    RecallMs = "message_recall_ms",
    KfAnswers = "kf_answers",
    KfAnswerMs = "kf_answer_ms",
    KfKeptMs = "kf_kept_ms",
    KfTokenMs = "kf_token_ms",
    Capacity = "staff_capacity",
}

/// How often a customer or a group may be reached by mass messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MassRule {
    /// As many as the month has days, in a calendar month.
    DaysOfMonth,
    /// The old rule: 4 in a calendar month.
    FourPerMonth,
    /// As an administrator may choose.
    SevenPerWeek,
    /// As an administrator may choose.
    OnePerDay,
}

impl MassRule {
    const ALL: [Self; 4] = [Self::DaysOfMonth, Self::FourPerMonth, Self::SevenPerWeek, Self::OnePerDay];

    /// Its name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DaysOfMonth => "days_of_month",
            Self::FourPerMonth => "4_per_month",
            Self::SevenPerWeek => "7_per_week",
            Self::OnePerDay => "1_per_day",
        }
    }

    /// The window it counts in and how many it allows there.
    pub fn window(self, at_ms: i64) -> (Period, i64) {
        match self {
            Self::DaysOfMonth => (Period::Month, days_of_month(at_ms)),
            Self::FourPerMonth => (Period::Month, 4),
            Self::SevenPerWeek => (Period::Week, 7),
            Self::OnePerDay => (Period::Day, 1),
        }
    }
}

/// The limits that hold now.
#[derive(Clone, Debug)]
pub struct Limits {
    values: Vec<i64>,
    /// How mass messages are counted.
    pub mass_rule: MassRule,
    /// The file, with sources and dates.
    file: Value,
}

impl Limits {
    /// Reads a file of limits; the shipped one where none is given. Every rule must be there.
    ///
    /// # Errors
    /// Says which rule is missing or no number.
    pub fn read(text: Option<&str>) -> Result<Self, String> {
        let file: Value =
            serde_json::from_str(text.unwrap_or(SHIPPED)).map_err(|error| format!("limits: {error}"))?;
        let mut limits =
            Self { values: vec![0; Rule::ALL.len()], mass_rule: MassRule::DaysOfMonth, file: Value::Null };
        for rule in Rule::ALL {
            let value = file["rules"][rule.name()]["value"].as_i64();
            limits.values[*rule as usize] =
                value.ok_or_else(|| format!("limits: {} is no number", rule.name()))?;
        }
        let mass = file["rules"]["mass_rule"]["value"].as_str().unwrap_or_default();
        limits.mass_rule = MassRule::ALL
            .into_iter()
            .find(|rule| rule.name() == mass)
            .ok_or("limits: mass_rule is not known")?;
        limits.file = file;
        Ok(limits)
    }

    /// A number.
    pub fn of(&self, rule: Rule) -> i64 {
        self.values.get(rule as usize).copied().unwrap_or_default()
    }

    /// A number of things.
    pub fn n(&self, rule: Rule) -> usize {
        usize::try_from(self.of(rule)).unwrap_or_default()
    }

    /// Changes rules by their names: `{"welcome_code_ms": 20000, "mass_rule": "4_per_month"}`.
    ///
    /// # Errors
    /// Names the rule that is not known or whose value is not of its kind; nothing is changed then.
    pub fn change(&mut self, changes: &Map<String, Value>) -> Result<(), String> {
        let mut changed = self.clone();
        for (name, value) in changes {
            if name == "mass_rule" {
                changed.mass_rule = MassRule::ALL
                    .into_iter()
                    .find(|rule| value == rule.name())
                    .ok_or_else(|| format!("{name}: {value} is not a rule"))?;
            } else {
                let rule = Rule::ALL
                    .iter()
                    .find(|rule| rule.name() == name)
                    .ok_or_else(|| format!("{name} is not known"))?;
                let number = value.as_i64().filter(|number| *number >= 0);
                changed.values[*rule as usize] =
                    number.ok_or_else(|| format!("{name} is no number of at least 0"))?;
            }
        }
        *self = changed;
        Ok(())
    }

    /// Every rule with the value that holds now, its date and its source.
    pub fn told(&self) -> Value {
        let mut file = self.file.clone();
        for rule in Rule::ALL {
            file["rules"][rule.name()]["value"] = json!(self.of(*rule));
        }
        file["rules"]["mass_rule"]["value"] = json!(self.mass_rule.name());
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_rule_is_used_and_has_a_date_and_a_source() {
        let limits = Limits::read(None).unwrap();
        let rules = limits.file["rules"].as_object().unwrap();
        for (name, rule) in rules {
            let known = name == "mass_rule" || Rule::ALL.iter().any(|rule| rule.name() == name);
            assert!(known, "{name} is used by nothing");
            assert!(rule["source"].as_str().is_some_and(|text| !text.is_empty()), "{name} has no source");
            assert!(rule["as_of"].as_str().is_some_and(|text| text.len() == 10), "{name} has no date");
        }
    }

    #[test]
    fn a_change_is_whole_or_not_at_all() {
        let mut limits = Limits::read(None).unwrap();
        let changes = json!({"welcome_code_ms": 1, "no_such": 2});
        assert_eq!(limits.change(changes.as_object().unwrap()).unwrap_err(), "no_such is not known");
        assert_eq!(limits.of(Rule::WelcomeCodeMs), 20_000);
        let changes = json!({"welcome_code_ms": 1, "mass_rule": "4_per_month"});
        limits.change(changes.as_object().unwrap()).unwrap();
        assert_eq!((limits.of(Rule::WelcomeCodeMs), limits.mass_rule), (1, MassRule::FourPerMonth));
    }
}
