// Every sentence of the page, in both languages, under the same keys. {n} is a number or a text put in its
// place; {n|one|many} is a word chosen by the number n.
const WORDS = {
  zh: {
    title: "概览", doc: "概览 · 知音", loading: "正在读取概览",
    language: "English", dark: "深色", switches: "显示",
    asOf: "截至 {at}（{zone}）",
    demo: "演示时间", demoSlow: "业务时钟比真实时间慢 {span}。到期、等级和阶段都按 {at} 起的业务时间判断。",
    demoFast: "业务时钟比真实时间快 {span}。到期、等级和阶段都按 {at} 起的业务时间判断。",
    stale: "没能更新", staleText: "{why}下面是 {at} 读到的数字。", retry: "重试", retrying: "正在重试", updated: "已更新，截至 {at}",
    figures: "总览", members: "会员", membersNote: "已入会 {enrolled} 位，下过单 {buyers} 位",
    orders: "订单", ordersNote: "下过单的会员平均 {each} 笔", ordersNone: "还没有订单",
    paid: "实付总额", paidNote: "平均每笔 {each}",
    points: "在外积分", pointsWorth: "约值 {worth}", pointsNoWorth: "打法没有写每分值多少", also: "；{text}", pointsDebt: "另有欠分 {n}",
    byTier: "各等级会员", nMembers: "{n} 位", share: "占 {share}",
    weeks: "每周销售", weeksText: "{n} 个完整周里，平均每周 {mean}；最高的一周从 {top} 起，{best}。", weeksNone: "还没有订单。第一笔订单处理后，这里按周显示实付和订单数。",
    weeksShown: "图上是最近 {n} 周，全部在表里。",
    week: "周（起始日）", weekOf: "{day} 起的一周", weekPart: "这一周还没过完", walkWeeks: "逐周查看，用左右方向键", nOrders: "{n} 笔订单", sales: "实付", orderLine: "订单数（右轴）",
    fresh: "新鲜度", freshOk: "收到的都处理完了。", freshBehind: "还有 {n} 条在等，最早的一条等了 {span}。", freshDead: "有 {n} 条处理不了，放在死信里。",
    inbox: "待处理事件", oldest: "最早一条已等", dead: "死信", last: "最近一个事件", timers: "待触发定时", next: "下一个定时", live: "生效的打法", liveValue: "{name}，第 {version} 版", now: "业务时间", none: "无", nItems: "{n} 条", nTimers: "{n} 个",
    stages: "生命周期", stagesNow: "现在各阶段的会员", flow: "从 {from} 到 {to} 的流动",
    flowText: "{days} 天里，{n} 位会员换了阶段：去向最多的是{top}（{m} 位）。", flowStill: "{days} 天里没有会员换阶段。", flowNone: "还没有足够长的历史可以比较。",
    flowTip: "{from} → {to}：{n} 位会员", stayTip: "一直在{to}：{n} 位会员", newcomer: "新认识", stage: "阶段", from: "从", to: "到", count: "会员数", shareMembers: "占会员",
    tiers: "等级", tiersText: "{name}占会员的 {a}，带来实付的 {b}。", tiersNone: "还没有会员在任何等级里。", tier: "等级", shareSales: "占实付",
    ofMembers: "会员 {share}", ofSales: "实付 {share}",
    liability: "积分到期", liabilityText: "最早的一批在 {month}到期：{n} 分，占 {share}。", liabilityNone: "没有在外的积分。", month: "到期月", never: "永不过期", nPoints: "{n} 分", walkMonths: "逐月查看，用左右方向键", expiring: "到期积分", shareOf: "占比",
    tags: "规则标签", tagsText: "规则打上、规则不再成立时自动取下。", tag: "标签",
    numbers: "数字", item: "项目", value: "数值", of: "{title}：数字", enrolled: "已入会", buyers: "下过单的会员", debt: "欠分", worth: "积分价值", earned: "累计获得", spent: "累计使用", expired: "累计过期",
    emptyTitle: "还没有会员", emptyText: "事件进来以后，这里会显示会员、订单、积分、等级和生命周期。从一条命令开始：",
    emptyDemo: "导入一家零售商一年的真实数据：", emptyOwn: "导入自己的事件（JSONL）或表格（CSV):", emptyPlaybook: "应用一份打法（规则写在里面）：", copy: "复制", copied: "已复制",
    errorTitle: "没能读到概览", errorSafe: "数据不受影响。", errorNet: "连不上服务器。", errorStatus: "服务器答复 {status}。", errorShape: "服务器的答复不是概览应有的样子。", errorDo: "请重试；如果一直这样，请看服务器日志里的原因。",
    lockedTitle: "需要密钥", lockedText: "这些数字只给持有密钥的人看。密钥由所有者创建：", key: "密钥", unlock: "查看",
    days: "{n} 天", hours: "{n} 小时", minutes: "{n} 分钟", seconds: "{n} 秒",
  },
  en: {
    title: "Overview", doc: "Overview · Zhiyin", loading: "Reading the overview",
    language: "中文", dark: "Dark", switches: "Display",
    asOf: "As of {at} ({zone})",
    demo: "Demo time", demoSlow: "The business clock is {span} behind real time. Expiry, tiers and stages follow business time, which runs on from {at}.",
    demoFast: "The business clock is {span} ahead of real time. Expiry, tiers and stages follow business time, which runs on from {at}.",
    stale: "Not up to date", staleText: "{why} These are the numbers read at {at}.", retry: "Try again", retrying: "Trying again", updated: "Updated, as of {at}",
    figures: "Totals", members: "Members", membersNote: "{enrolled} enrolled, {buyers} with orders",
    orders: "Orders", ordersNote: "{each} per member with orders", ordersNone: "No orders yet",
    paid: "Paid in total", paidNote: "{each} per order",
    points: "Points outstanding", pointsWorth: "Worth about {worth}", pointsNoWorth: "The playbook sets no worth per point", also: "; {text}", pointsDebt: "{n} owed by members",
    byTier: "Members by tier", nMembers: "{n} {n|member|members}", share: "{share}",
    weeks: "Sales by week", weeksText: "{mean} in an average week of {n} whole {n|week|weeks}; the best began on {top} with {best}.", weeksNone: "No orders yet. Once the first is processed, sales and orders appear here week by week.",
    weeksShown: "The chart shows the last {n} weeks; the table has all.",
    week: "Week of", weekOf: "Week of {day}", weekPart: "This week is not over", walkWeeks: "Week by week, with the arrow keys", nOrders: "{n} {n|order|orders}", sales: "Paid", orderLine: "Orders (right axis)",
    fresh: "Freshness", freshOk: "Everything received has been processed.", freshBehind: "{n} {n|event is|events are} waiting, the oldest for {span}.", freshDead: "{n} {n|event|events} could not be processed and {n|is|are} among the dead letters.",
    inbox: "Inbox waiting", oldest: "Oldest waiting", dead: "Dead letters", last: "Last event", timers: "Open timers", next: "Next timer", live: "Live playbook", liveValue: "{name}, version {version}", now: "Business now", none: "None", nItems: "{n}", nTimers: "{n}",
    stages: "Lifecycle", stagesNow: "Members by stage now", flow: "Moves from {from} to {to}",
    flowText: "In {days} days {n} {n|member|members} changed stage, most of them to {top} ({m}).", flowStill: "In {days} days no member changed stage.", flowNone: "There is not yet enough history to compare.",
    flowTip: "{from} → {to}: {n} {n|member|members}", stayTip: "Stayed in {to}: {n} {n|member|members}", newcomer: "Newly met", stage: "Stage", from: "From", to: "To", count: "Members", shareMembers: "Of members",
    tiers: "Tiers", tiersText: "{name} is {a} of members and {b} of what was paid.", tiersNone: "No member holds a tier yet.", tier: "Tier", shareSales: "Of sales",
    ofMembers: "Members {share}", ofSales: "Sales {share}",
    liability: "Points by expiry", liabilityText: "The next expire in {month}: {n} {n|point|points}, {share} of all.", liabilityNone: "No points outstanding.", month: "Expiry month", never: "Never", nPoints: "{n} {n|point|points}", walkMonths: "Month by month, with the arrow keys", expiring: "Points expiring", shareOf: "Share",
    tags: "Rule tags", tagsText: "Set by a rule, removed when it stops holding.", tag: "Tag",
    numbers: "Numbers", item: "Item", value: "Value", of: "{title}: numbers", enrolled: "Enrolled", buyers: "Members with orders", debt: "Points owed", worth: "Worth of points", earned: "Ever earned", spent: "Ever spent", expired: "Ever expired",
    emptyTitle: "No members yet", emptyText: "Once events come in, members, orders, points, tiers and lifecycle appear here. Start with one command:",
    emptyDemo: "Import a real retailer's year:", emptyOwn: "Import your own events (JSONL) or tables (CSV):", emptyPlaybook: "Apply a playbook (the rules are in it):", copy: "Copy", copied: "Copied",
    errorTitle: "The overview could not be read", errorSafe: "Data is safe.", errorNet: "The server cannot be reached.", errorStatus: "The server answered {status}.", errorShape: "The server's answer is not an overview.", errorDo: "Try again. If it stays like this, the reason is in the server's log.",
    lockedTitle: "A key is needed", lockedText: "These numbers are for whoever holds a key. An owner makes one:", key: "Key", unlock: "Show",
    days: "{n} {n|day|days}", hours: "{n} {n|hour|hours}", minutes: "{n} {n|minute|minutes}", seconds: "{n} {n|second|seconds}",
  },
};

const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

// A key without words shows itself in brackets, so that a test (and a reader) sees what is missing.
function say(key, values = {}) {
  const sentence = WORDS[language][key];
  if (sentence === undefined) return `⟨${key}⟩`;
  return sentence.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = values[name];
    if (one !== undefined) return value === 1 ? one : many;
    return typeof value === "number" ? exact(value) : String(value);
  });
}

// A name given in both languages by the playbook.
const named = (name) => name[language] || name.zh || name.en;
