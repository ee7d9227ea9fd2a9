// Gives a home conversations: customers of the simulated WeCom write to desks of the brand, who are members of it where they are known by
// `unionid`; colleagues answer some of them in their own client.
//
//   node talks.mjs HOME_ADDRESS KEY PLATFORM_ADDRESS
//
// The simulator's app, its callback and the two desks are there already (scripts/platform.sh).

import { fileURLToPath } from "node:url";
import { asker } from "./h5-stage.mjs";

/** Both are the persona `little_advisor`. */
export const DESKS = ["wkDoor", "wkOrders"];
/** A post that is asked for and waits for a second person, and who of the customers are contacts of 荷's. */
export const POST = "tea-friday";
export const CONTACTS = ["wmTalk1", "wmTalk2", "wmTalk3"];
const STAFF = [
  { code: "A7", name: "荷", place: "330", role: "advisor" },
  { code: "A8", name: "林", place: "330", role: "advisor" },
];
// Who writes: as whom they are known in the shop, and what they say at which desk. A picture is `{ kind }`. With `household` it is one of
// the year's gold members who bought a lot and is called so from now on; the others are those of that name.
const TALKS = [
  { name: "陈静", unionid: "un-chenjing", household: 40, says: [[0, "你好，我上周买的咖啡少了一包"], [0, { kind: "image" }], [1, "订单号是 A-1042，麻烦看一下"]] },
  { name: "李娜", unionid: "un-lina", says: [[0, "周三会员日的券可以和满减一起用吗？"]] },
  { name: "欧阳若兰", unionid: "un-ouyang", says: [[1, "帮我留一个布袋，周末来取"], [1, { kind: "voice" }]], staff: "好的，给您留到周日，报手机号就行。" },
  { name: "Alice Lee", unionid: "un-alice", says: [[0, "Is the Nanjing Road store open on New Year's Day?"]] },
  { name: "子期", says: [[0, "门店几点关门？"]] },
  { name: "青瓷", says: [[1, "想问一下积分什么时候到期"], [1, "我有一千多分"]] },
];

export async function talks(home, key, platform) {
  const ask = asker(home, key);
  const act = async (what, body) => {
    const response = await fetch(new URL(`/sim/${what}`, platform), { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${what}: ${response.status} ${(await response.text()).slice(0, 300)}`);
    return response.json();
  };
  await ask("POST", "/v1/commands/places/put", {
    places: [
      { code: "shop", kind: "brand", name_zh: "名品", name_en: "Shop" },
      { code: "east", kind: "region", parent: "shop", name_zh: "华东", name_en: "East" },
      { code: "330", kind: "store", parent: "east", name_zh: "南京东路店", name_en: "Nanjing Road" },
      { code: "404", kind: "store", parent: "east", name_zh: "湖滨店", name_en: "Lakeside" },
    ],
  });
  await ask("POST", "/v1/commands/staff/put", { staff: STAFF });
  const { items: gold } = await ask("GET", "/v1/members?tier=gold&limit=60");
  for (const { unionid, name, household } of TALKS) {
    if (!unionid) continue;
    const id = household === undefined ? (await ask("GET", `/v1/members?name=${encodeURIComponent(name)}&limit=2`)).items[0]?.id : gold[household]?.id;
    if (!id) throw new Error(`nobody is called ${name}: was the home staged?`);
    const identifiers = [{ namespace: "unionid", value: unionid }];
    await ask("POST", "/v1/commands/members/update", { member: { id }, identifiers, attributes: household === undefined ? {} : { name } }, `talks-${unionid}`);
  }
  for (const [at, { name, unionid, says, staff }] of TALKS.entries()) {
    const customer = `wmTalk${at}`;
    await act("customers", { external_userid: customer, name, ...(unionid ? { unionid } : {}) });
    for (const [desk, words] of says) {
      await act("say", { customer, open_kfid: DESKS[desk], ...(typeof words === "string" ? { text: words } : { kind: words.kind, media_id: `media-${customer}` }) });
    }
    if (staff) {
      const desk = DESKS[says.at(-1)[0]];
      await act("kf/session", { open_kfid: desk, customer, state: 3, userid: "lin" });
      await act("kf/answer", { open_kfid: desk, customer, userid: "lin", text: staff });
      await act("kf/session", { open_kfid: desk, customer, state: 4 });
    }
  }
  for (const customer of CONTACTS) await act("add", { userid: "xiaohe", customer });
  // Callbacks tell that there is something; it is pulled a moment later. Each has a member once its first word was decided.
  const patience = Date.now() + 60_000;
  for (;;) {
    const { items } = await ask("GET", "/v1/inbox?limit=200");
    const heard = items.filter((one) => one.member).length;
    if (heard >= TALKS.length) {
      // What waits for a second person: something published into groups.
      await ask("POST", "/v1/posts", { batch: POST, text: "本周五晚八点，会员茶会，欢迎带朋友来。", groups: { groups: [], named: "茶会" } });
      return items;
    }
    if (Date.now() > patience) throw new Error(`${heard} of ${TALKS.length} conversations came, of ${items.length} in all`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [home, key, platform] = process.argv.slice(2);
  if (!home || !key || !platform) {
    console.error("usage: node talks.mjs HOME_ADDRESS KEY PLATFORM_ADDRESS");
    process.exit(2);
  }
  console.log(`${(await talks(home, key, platform)).length} conversations`);
}
