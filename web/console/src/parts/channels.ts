/** Channels that messages go by, in the order in which people think of them. */
export const CHANNELS = ["inbox", "till", "advisor", "wecom", "wechat", "wechat_mini", "sms", "email"] as const;
