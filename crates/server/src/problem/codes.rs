//! Every code there is: its status, and what it is called in English and Chinese.

/// A code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Its status.
    pub(crate) status: u16,
    /// Its name, which never changes its meaning.
    pub(crate) name: &'static str,
    /// What it is called in Chinese.
    pub(crate) zh: &'static str,
    /// What it is called in English.
    pub(crate) en: &'static str,
    /// A sentence more, in English and Chinese; empty where what exactly went wrong is said case by case.
    pub(crate) detail: [&'static str; 2],
}

const fn c(status: u16, name: &'static str, [zh, en]: [&'static str; 2]) -> Code {
    Code { status, name, zh, en, detail: ["", ""] }
}

const fn d(status: u16, name: &'static str, [zh, en]: [&'static str; 2], detail: [&'static str; 2]) -> Code {
    Code { status, name, zh, en, detail }
}

/// What nobody foresaw.
pub(crate) const UNFORESEEN: Code = c(500, "unforeseen", ["未预料的错误", "Something nobody foresaw"]);

/// All of them.
#[rustfmt::skip]
pub(crate) const CODES: &[Code] = &[
    d(404, "not_found", ["没有这个地址", "Not found"], [
        "Nothing lives at this address. Check it, or start from the reference at /docs.",
        "这里没有要找的内容。请核对地址，或查看 /docs 的接口说明。",
    ]),
    d(405, "method_not_allowed", ["不支持这种请求方法", "Method not allowed"], [
        "This address does not take this method. Those it takes are in the Allow header.",
        "这个地址不接受这种请求方法，接受的列在 Allow 头里。",
    ]),
    d(413, "body_too_large", ["请求体过大", "Content too large"], [
        "The body is over the limit and was not read. Send it in parts.",
        "请求体超过上限，没有读取。请分成几次发送。",
    ]),
    d(503, "took_too_long", ["超时", "Took too long"], [
        "The answer was not ready in time. Data is safe. Try again shortly.",
        "没能按时答复，数据不受影响。请稍后再试。",
    ]),
    d(503, "not_ready", ["尚未就绪", "Not ready"], [
        "The server is up but cannot take work yet. Try again shortly.",
        "服务已启动，但还不能受理请求。请稍后再试。",
    ]),
    d(503, "reading_unavailable", ["暂时读不到数据", "Data cannot be read right now"], [
        "The database cannot be read right now. Data is safe. Try again shortly.",
        "数据库暂时不能读取，数据不受影响。请稍后再试。",
    ]),
    d(500, "reading_failed", ["处理失败", "The request failed"], [
        "It failed here. Data is safe. The reason is in the server's log. Try again.",
        "处理时出错，数据不受影响。原因在服务器日志里；请再试一次。",
    ]),
    d(401, "key_missing", ["缺少密钥", "A key is missing"], [
        "Send `Authorization: Bearer KEY`.",
        "请在请求头中带上 `Authorization: Bearer 密钥`。",
    ]),
    c(401, "key_unknown", ["密钥无效", "This is no key of this home"]),
    c(401, "key_expired", ["密钥已过期", "This key has expired"]),
    c(401, "key_revoked", ["密钥已吊销", "This key was revoked"]),
    c(403, "operation_refused", ["没有权限", "This key's role may not do this"]),
    c(403, "key_narrowed", ["密钥不含此权限", "This key was made for other operations"]),
    c(403, "grant_without_place", ["密钥没有绑定门店", "This key names no place"]),
    c(403, "grant_without_staff", ["密钥没有绑定员工", "This key names nobody of the staff"]),
    c(403, "outside_scope", ["超出权限范围", "This lies outside what this key reaches"]),
    d(429, "too_many_requests", ["请求过于频繁", "Too many requests"], [
        "Wait as long as Retry-After says.",
        "请按 Retry-After 所示时间后再试。",
    ]),
    d(400, "idempotency_key_missing", ["缺少幂等键", "An Idempotency-Key is missing"], [
        "A command bears an `Idempotency-Key` header: a word of your own, the same when it is sent again.",
        "命令须带 `Idempotency-Key` 请求头：由你方生成，重试时保持不变。",
    ]),
    d(400, "bad_idempotency_key", ["幂等键不合法", "The Idempotency-Key is malformed"], [
        "One word of 1 to 90 visible ASCII characters.",
        "应为 1 到 90 个可见 ASCII 字符。",
    ]),
    c(409, "idempotency_key_reused", ["幂等键已用于其他请求", "This Idempotency-Key came before with another request"]),
    c(400, "bad_query", ["查询参数不合法", "The query cannot be understood"]),
    c(400, "bad_cursor", ["翻页游标不合法", "This is no cursor of this list"]),
    c(400, "bad_body", ["请求体不合法", "The body cannot be understood"]),
    c(400, "body_unreadable", ["请求体无法读取", "The body could not be read"]),
    d(415, "content_type_not_json", ["请求体须为 JSON", "The body must be JSON"], [
        "Send `Content-Type: application/json`.",
        "请使用 `Content-Type: application/json`。",
    ]),
    c(404, "member_unknown", ["没有这位会员", "Nobody is known by this"]),
    c(403, "name_search_refused", ["此角色不能按姓名查找", "This role may not search by name"]),
    c(400, "bad_condition", ["人群条件不合法", "The condition does not check"]),
    c(400, "bad_expression", ["表达式不合法", "The expression does not check"]),
    c(404, "audience_unknown", ["没有这个人群", "There is no such audience"]),
    c(422, "audience_is_a_list", ["名单尚未上传", "Nothing was uploaded to this list yet"]),
    c(400, "bad_list_name", ["名单名称不合法", "This is no name of a list"]),
    c(409, "list_name_taken", ["名称已被打法中的人群占用", "The playbook has an audience of this name"]),
    c(404, "list_unknown", ["没有这个名单", "There is no such list"]),
    c(409, "too_many_lists", ["名单数量已达上限", "There are too many lists"]),
    c(409, "list_overtaken", ["名单已开始另一次上传", "Another upload of this list began"]),
    c(400, "namespace_missing", ["须指明标识类型", "Say the namespace"]),
    c(400, "too_many_audiences", ["人群数量超出范围", "Too few or too many audiences at once"]),
    c(400, "too_many_members", ["人数超出范围", "Too few or too many members at once"]),
    c(422, "too_many_values", ["不同取值过多", "Too many different values"]),
    c(400, "bad_step", ["步长不合法", "A step is a number above zero"]),
    c(404, "namespace_unknown", ["没有这类标识", "Nobody bears a name of this namespace"]),
    c(422, "not_in_clickhouse", ["ClickHouse 无法回答此条件", "This cannot be asked of ClickHouse"]),
    d(503, "audiences_unavailable", ["暂时不能圈人", "Audiences cannot be asked right now"], [
        "Audiences are being built from the record, would take more memory than they may, or ClickHouse does not answer. Data is safe. Try again shortly.",
        "人群数据正在重建、超出内存预算，或 ClickHouse 没有应答；数据不受影响。请稍后再试。",
    ]),
    d(503, "audience_took_too_long", ["圈人超时", "This audience took too long"], [
        "There was no answer within the time that was given. Data is safe. Give it more time (timeout_seconds), or ask less at once.",
        "没能在限定时间内得出结果，数据不受影响。可以放宽时限（timeout_seconds），或减少一次查询的内容。",
    ]),
    c(404, "report_unknown", ["没有这个报表", "There is no such report"]),
    c(404, "place_unknown", ["没有这个地点", "There is no such place"]),
    c(404, "key_not_found", ["没有这个密钥", "There is no such key"]),
    c(404, "no_playbook", ["还没有生效的打法", "No playbook is applied yet"]),
    c(409, "home_not_sealed", ["数据未加密", "This home is not sealed"]),
    c(400, "books_month_bad", ["月份不合法", "This is no month"]),
    c(400, "books_span_bad", ["月份范围不合法", "These are no months, or too many"]),
    c(400, "books_not_begun", ["月份还没有开始", "This month has not begun"]),
    c(409, "books_not_ended", ["月份还没有结束", "This month has not ended"]),
    c(409, "books_earlier_open", ["之前的月份尚未结账", "An earlier month is open"]),
    c(409, "books_before_first", ["早于账本的第一个月", "This comes before the first month of the books"]),
    c(409, "books_empty", ["还没有任何账目", "Nothing was booked yet"]),
    c(409, "books_unsettled", ["本月还有未处理的事件", "Something of this month is not decided yet"]),
    c(409, "import_unfinished", ["数据导入尚未完成", "An import is not finished"]),
    c(400, "as_of_future", ["日期还没有到", "This day has not come yet"]),
    c(202, "approval_asked", ["等待第二人批准", "A second person must approve this"]),
    c(400, "approval_request", ["审批内容不合法", "This cannot be asked for"]),
    c(404, "approval_unknown", ["没有这条审批", "There is no such request"]),
    c(409, "approval_own", ["不能批准自己的请求", "Somebody else must answer this request"]),
    c(403, "approval_no_person", ["须由员工本人批准", "A person must answer, and this key names nobody"]),
    c(409, "approval_answered", ["审批已有结论", "This request was answered before"]),
    c(409, "approval_late", ["审批已过期", "This request can no longer be answered"]),
    c(400, "key_without_place", ["密钥须绑定门店", "A key of this role needs a place"]),
    c(400, "key_without_staff", ["密钥须绑定员工", "A key of this role needs a person of the staff"]),
    c(400, "key_bad_text", ["名称不合法", "A text is too long, or has characters that nobody sees"]),
    c(400, "key_in_the_past", ["有效期已过", "It would have expired already"]),
    c(400, "key_of_nothing", ["此角色不具备所选权限", "This role may do none of these"]),
    c(403, "key_beyond", ["不能超出自身权限", "A key may not give more than it has itself"]),
    c(404, "key_ended", ["密钥不存在或已失效", "There is no such key that is still good"]),
    c(400, "key_kept_too_long", ["旧密钥保留过久", "The old key would go on for too long"]),
    d(202, "still_deciding", ["仍在处理", "Still being decided"], [
        "It was accepted durably and will be decided. Ask again with the same Idempotency-Key.",
        "请求已可靠接收，稍后会处理。请用同一幂等键重发，即可得到结果。",
    ]),
    c(422, "amount_too_large", ["数量过大", "The amount is too large"]),
    c(422, "bad_amount", ["数量不合法", "This is no amount"]),
    c(422, "bad_attribute", ["属性不合法", "This is no value of this attribute"]),
    c(422, "bad_by", ["操作人不合法", "This does not say who"]),
    c(422, "bad_cell", ["单元格不合法", "A cell cannot be understood"]),
    c(422, "bad_code", ["编码不合法", "This is no code"]),
    c(422, "bad_consent", ["同意项不合法", "This consent cannot be understood"]),
    c(422, "bad_coordinate", ["坐标不合法", "This is no coordinate"]),
    c(422, "bad_date", ["日期不合法", "This is no date"]),
    c(422, "bad_dependant", ["家庭成员信息不合法", "This is no dependant"]),
    c(422, "bad_head", ["表头不合法", "The head of the table cannot be understood"]),
    c(422, "bad_hold", ["冻结标志不合法", "hold is true or false"]),
    c(422, "bad_hours", ["营业时间不合法", "These are no opening hours"]),
    c(422, "bad_identifier", ["身份标识不合法", "This is no identifier"]),
    c(422, "bad_item", ["条目不合法", "An item is a JSON object"]),
    c(400, "bad_json", ["不是合法的 JSON", "This is no JSON"]),
    c(422, "bad_lots", ["批次不合法", "These are no lots"]),
    c(422, "bad_message_id", ["消息编号不合法", "This is no message id"]),
    c(422, "bad_name", ["名称不合法", "This is no name"]),
    c(422, "bad_products", ["商品列表不合法", "products is a list of products"]),
    c(422, "bad_reference", ["流水号不合法", "This is no id of a transfer"]),
    c(422, "bad_role", ["角色不合法", "There is no such role"]),
    c(422, "bad_row", ["行不合法", "A row cannot be understood"]),
    c(422, "bad_tags", ["标签不合法", "These are no tags"]),
    c(422, "bad_text", ["文本不合法", "This text cannot be taken"]),
    c(422, "bad_timestamp", ["时间不合法", "This is no time"]),
    c(422, "bad_traits", ["属性不合法", "traits is an object"]),
    c(422, "bad_zone", ["时区不合法", "This is no time zone"]),
    c(422, "bad_quantity", ["件数不合法", "This is no quantity"]),
    c(422, "before_takeover", ["早于接管时间", "This is of a time before the take-over"]),
    c(422, "closed_before_open", ["关店早于开店", "It would close before it opens"]),
    c(422, "column_not_yet", ["暂不支持此列", "This column is not taken yet"]),
    c(422, "column_twice", ["列重复", "A column stands twice"]),
    c(422, "column_unknown", ["未知的列", "A column is unknown"]),
    c(422, "consent_channel_unknown", ["未知的触达渠道", "The playbook has no such channel for this purpose"]),
    c(422, "consent_not_declared", ["打法未声明同意项", "The playbook declares no consent"]),
    c(422, "consent_purpose_missing", ["缺少用途", "A consent says for what"]),
    c(422, "consent_purpose_unknown", ["未知的用途", "The playbook has no such purpose"]),
    c(422, "consent_version_missing", ["缺少文本版本", "A consent says to which version of the text"]),
    c(422, "consent_version_unknown", ["未知的文本版本", "The playbook has no such version of the text"]),
    c(422, "currency_mismatch", ["币种不符", "This is another currency than the brand's"]),
    d(500, "decision_broke", ["规则执行出错", "The decision broke down"], [
        "A defect of this program; please report it.",
        "这是程序缺陷，请反馈给我们。",
    ]),
    c(422, "dependant_key_missing", ["缺少家庭成员标识", "A dependant has a key"]),
    c(400, "duplicate_key", ["字段重复", "A key stands twice"]),
    c(422, "email_malformed", ["邮箱格式不正确", "This is no e-mail address"]),
    c(422, "enrolled_later", ["入会时间晚于接管", "They enrolled after the take-over"]),
    c(410, "erased", ["已被删除", "This was erased"]),
    c(422, "event_from_the_future", ["时间过于超前", "This is more than 24 hours ahead"]),
    c(422, "event_missing", ["缺少事件名", "A track item names its event"]),
    c(403, "event_reserved", ["系统保留事件", "This event is stated by this home only"]),
    c(422, "event_too_old", ["时间过早", "Ids of that time are no longer remembered"]),
    c(422, "expiry_missing", ["缺少到期日", "An expiry is missing"]),
    c(422, "gift_to_self", ["不能转赠给自己", "A gift goes to someone else"]),
    c(409, "hold_closed", ["冻结已结束", "This hold was posted or released before"]),
    c(404, "hold_unknown", ["没有这笔冻结", "This member has no such hold"]),
    c(422, "hours_overlap", ["营业时间重叠", "Opening hours overlap"]),
    c(422, "identifier_blocked", ["此标识不代表任何人", "This value names nobody"]),
    c(422, "identifier_empty", ["身份标识为空", "An identifier is empty"]),
    c(409, "identifier_limit", ["身份标识数量超限", "There are too many of these for one member"]),
    c(409, "insufficient_points", ["可用积分不足", "Not enough points"]),
    c(413, "item_too_large", ["条目过大", "An item is too large"]),
    c(422, "location_incomplete", ["坐标不完整", "A location is incomplete"]),
    c(409, "member_known", ["会员已存在", "This member is here already"]),
    c(409, "merged_again", ["已经合并", "They were merged before"]),
    c(409, "merged_already", ["已是同一会员", "They are one member already"]),
    c(422, "name_missing", ["缺少名称", "A name is missing"]),
    c(422, "negative_amount", ["金额为负", "An amount is below zero"]),
    c(422, "negative_paid", ["实付为负", "What was paid is below zero"]),
    c(422, "negative_quantity", ["件数为负", "A quantity is below zero"]),
    c(422, "nobody", ["没有身份标识", "It names nobody"]),
    c(422, "not_a_store", ["不是门店", "This place is no store"]),
    c(409, "not_one_member", ["不属于同一会员", "These are not all of one member"]),
    c(422, "order_id_missing", ["缺少订单号", "An order has an order_id"]),
    c(404, "order_unknown", ["没有这个订单", "There is no such order"]),
    c(409, "order_cancelled", ["订单已取消", "This order was cancelled"]),
    c(409, "order_of_another_member", ["订单属于其他会员", "This order is another member's"]),
    c(409, "orders_came_first", ["订单先于会员导入", "Orders of before came in first"]),
    c(422, "parent_missing", ["缺少上级地点", "The place above is missing"]),
    c(422, "partner_unknown", ["未知的合作方", "The playbook has no such partner"]),
    c(422, "phone_malformed", ["手机号格式不正确", "This is no phone number"]),
    c(422, "points_expired", ["积分已过期", "These points had expired"]),
    c(422, "post_exceeds_hold", ["超出冻结数量", "More than was held"]),
    c(422, "price_missing", ["缺少单价", "A price is missing"]),
    c(422, "reason_missing", ["缺少原因", "It must say why"]),
    c(422, "receiver_missing", ["缺少受赠人", "A gift names its receiver"]),
    c(409, "refund_exceeds_paid", ["退款超过实付", "More than was paid"]),
    c(409, "return_exceeds_quantity", ["退货超过购买件数", "More than was bought"]),
    c(409, "return_exceeds_spend", ["退回超过已用积分", "More than was spent"]),
    c(422, "row_too_large", ["行过大", "A row is too large"]),
    c(422, "same_person", ["是同一个人", "They are one and the same"]),
    c(409, "several_members", ["对应多位会员", "These are several members'"]),
    c(404, "spend_unknown", ["没有这笔积分消费", "This member has no such spend"]),
    c(422, "stores_only", ["仅限门店", "Only stores have this"]),
    c(409, "suggestion_decided", ["建议已处理", "This suggestion was decided before"]),
    c(422, "tag_by_rule", ["此标签由规则判定", "This tag is put on by its rule"]),
    c(422, "tag_unknown", ["未知的标签", "The playbook has no such tag"]),
    c(409, "tag_held", ["已有此标签", "They bear this tag already"]),
    c(409, "tag_not_held", ["没有此标签", "They do not bear this tag"]),
    c(409, "taken_over_already", ["已接管过", "They were taken over before"]),
    c(422, "text_too_long", ["文本过长", "A text is too long"]),
    c(422, "tier_ended", ["等级有效期已过", "Its term had ended"]),
    c(422, "tier_missing", ["缺少等级", "A tier is missing"]),
    c(422, "tier_unknown", ["未知的等级", "The playbook has no such tier"]),
    c(422, "timestamp_missing", ["缺少时间", "An item says when it happened"]),
    c(422, "too_deep", ["嵌套过深", "It is nested too deeply"]),
    c(400, "not_utf8", ["不是 UTF-8 编码", "This is not UTF-8"]),
    c(422, "parent_of_brand", ["品牌没有上级地点", "A brand lies under nothing"]),
    c(422, "points_twice", ["积分重复", "Points stand twice"]),
    c(422, "too_many_lines", ["订单行过多", "An order has too many lines"]),
    c(422, "code_twice", ["编码重复", "A code stands twice"]),
    c(422, "parent_unknown", ["上级地点不存在", "There is no such place above"]),
    c(422, "parent_is_a_store", ["门店不能作为上级", "Nothing lies under a store"]),
    c(422, "place_misfit", ["与现有的门店结构不符", "It does not fit into the tree"]),
    c(422, "playbook_problems", ["打法有问题", "The playbook has problems"]),
    c(409, "currency_fixed", ["已有订单，不能更换币种", "The currency cannot change once orders have come in"]),
    c(404, "suggestion_unknown", ["没有这条建议", "There is no such suggestion"]),
    c(422, "too_many", ["数量过多", "There are too many"]),
    c(422, "too_many_categories", ["类别过多", "There are too many categories"]),
    c(422, "too_many_dependants", ["家庭成员过多", "There are too many dependants"]),
    c(422, "too_many_identifiers", ["身份标识过多", "There are too many identifiers"]),
    c(422, "too_many_lots", ["批次过多", "There are too many lots"]),
    c(422, "total_missing", ["缺少总额", "A total is missing"]),
    c(422, "type_missing", ["缺少类型", "An item has a type"]),
    c(422, "type_unknown", ["未知的类型", "There is no such type"]),
    c(422, "unreadable", ["无法读取", "This cannot be read"]),
    c(422, "until_before_from", ["结束早于开始", "It would end before it begins"]),
    d(429, "too_many_deliveries", ["同时处理的请求过多", "Too much is under way"], [
        "Send it again shortly.",
        "请稍后重发。",
    ]),
    d(429, "inbox_behind", ["收件箱积压", "The inbox is behind"], [
        "What came before is to be decided first. Send it again later.",
        "先前的事件还在处理，请稍后重发。",
    ]),
    d(408, "body_too_slow", ["请求体接收超时", "The body was too slow"], [
        "It did not come in in time.",
        "没有按时收齐。",
    ]),
    c(400, "body_cut_off", ["请求体不完整", "The body broke off"]),
    d(413, "batch_too_large", ["一次发送过多", "Too much at once"], [
        "At most 500 KB at once, with what a batch shares counted in each item at most 1,000 KB. Send it in parts.",
        "一次最多 500 KB；批次共用的内容计入每个事件后最多 1000 KB。请分批发送。",
    ]),
    d(413, "unpacked_too_large", ["解压后过大", "Too large once unpacked"], [
        "At most 500 KB once unpacked. Send it in parts.",
        "解压后最多 500 KB，请分批发送。",
    ]),
    c(400, "bad_compression", ["压缩内容已损坏", "What is compressed is damaged"]),
    d(415, "encoding_unknown", ["不支持的压缩方式", "This encoding is not taken"], [
        "Send it plain, or as gzip or deflate.",
        "请不压缩，或使用 gzip、deflate。",
    ]),
    d(400, "too_many_items", ["事件过多", "Too many items"], [
        "At most 2,500 at once. Send them in parts.",
        "一次最多 2500 个，请分批发送。",
    ]),
    c(400, "batch_missing", ["缺少 batch", "A batch has a list of items"]),
    c(400, "bad_batch", ["batch 不合法", "batch is a list of items"]),
    c(403, "event_server_only", ["只接受服务端发送的事件", "This event is taken from a server only"]),
    c(403, "consent_of_others", ["不能代他人同意", "This key says nothing of what users agree to"]),
    c(409, "source_namespace", ["userId 的命名空间已变", "The userId of this key was of another namespace before"]),
    c(400, "webhook_url_too_long", ["回调地址过长", "The address is too long"]),
    c(400, "webhook_url_unreadable", ["回调地址不合法", "This is no address"]),
    c(400, "webhook_url_not_encrypted", ["回调地址须用 https", "The address must be https"]),
    c(400, "webhook_url_credentials", ["回调地址不能带用户名或密码", "The address bears a user or a password"]),
    c(400, "webhook_url_port", ["回调地址的端口不可用", "This port is another service's"]),
    c(400, "webhook_url_private", ["回调地址是内网地址", "The address is a private one"]),
    c(400, "webhook_type_unknown", ["没有这种消息", "There is no such kind of message"]),
    c(400, "webhook_description_bad", ["说明不合法", "The description is too long, or has characters that nobody sees"]),
    c(409, "webhooks_too_many", ["回调数量已达上限", "There are as many webhooks as a home may have"]),
    c(404, "webhook_unknown", ["没有这个回调", "There is no such webhook"]),
    c(409, "webhook_moved", ["回调刚被他人修改", "Somebody changed it at the same time"]),
    c(409, "message_id_reused", ["消息编号重复且内容不同", "This id came before with another body"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_stands_once_and_speaks_both_languages() {
        let names: BTreeSet<&str> = CODES.iter().map(|code| code.name).collect();
        assert_eq!(names.len(), CODES.len());
        for code in CODES {
            assert!((200..600).contains(&code.status), "{}", code.name);
            assert!(!code.en.is_empty() && code.en.is_ascii(), "{}", code.name);
            assert!(code.zh.chars().any(|c| c > '\u{2fff}'), "{}", code.name);
            assert_eq!(code.detail[0].is_empty(), code.detail[1].is_empty(), "{}", code.name);
        }
    }
}
