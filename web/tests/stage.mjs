// Gives a home of the demo something to look at: the playbook beside this file, new members, consents, a campaign that began for
// many, coupons, points by hand of which some wait for a second person. Whatever is said is said once, by its name.
//
//   node stage.mjs HOME_ADDRESS KEY

import { readFileSync } from "node:fs";

const [base, key] = process.argv.slice(2);
if (!base || !key) {
  console.error("usage: node stage.mjs HOME_ADDRESS KEY");
  process.exit(2);
}

async function ask(method, path, body, name) {
  const response = await fetch(new URL(path, base), {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...(name ? { "Idempotency-Key": name } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : undefined;
}
const post = (path, body, name) => ask("POST", path, body, name);

const source = readFileSync(new URL("./shop.yaml", import.meta.url), "utf8");
await post("/v1/commands/playbooks/apply", { source });

const people = [
  ["13912345678", "张伟", "330"],
  ["13812341234", "李娜", "330"],
  ["13700001111", "欧阳若兰", "404"],
  ["13655556666", "Alice Lee", "404"],
];
for (const [phone, name, store] of people) {
  await post(
    "/v1/commands/members/enrol",
    { identifiers: [{ namespace: "phone", value: phone }], attributes: { name }, touchpoint: `store-qr/${store}`, store },
    `stage-enrol-${phone}`,
  );
}
const { items } = await ask("GET", "/v1/members?tier=gold&limit=60");
for (const [at, { id }] of items.entries()) {
  if (at % 4 !== 3) await post("/v1/commands/consents/set", { member: { id }, purpose: "marketing", given: at % 9 !== 8, version: "2026-01" }, `stage-consent-${id}`);
  if (at < 40) await post("/v1/commands/campaigns/begin", { member: { id }, campaign: "win-back", key: "stage" }, `stage-begin-${id}`);
}
for (const { id } of items.slice(0, 5)) {
  await post("/v1/commands/coupons/issue", { member: { id }, offer: "back-8", reason: "stage" }, `stage-coupon-${id}`).catch((error) => {
    if (!/limit|stock/.test(error.message)) throw error;
  });
}
for (const { id } of items.slice(0, 12)) {
  await post("/v1/commands/coupons/claim", { member: { id }, offer: "tote-for-points" }, `stage-claim-${id}`).catch((error) => {
    if (!/limit|stock|points/.test(error.message)) throw error;
  });
}
await post("/v1/draws/spring/open", {}).catch((error) => {
  if (!/draw_opened/.test(error.message)) throw error;
});
await post("/v1/commands/points/adjust", { member: { id: items[0].id }, amount: 200, reason: "the till was down" }, "stage-adjust-1");
await post("/v1/commands/points/adjust", { member: { id: items[1].id }, amount: 5000, reason: "a promise of the store" }, "stage-adjust-2");
await post("/v1/commands/points/adjust", { member: { id: items[2].id }, amount: -3000, reason: "booked twice" }, "stage-adjust-3");
await post("/v1/webhooks", { url: "https://erp.shop.example/zhiyin", description: "ERP", types: ["points.adjusted"] }).catch((error) => console.log(`no webhook: ${error.message}`));
// What the webhook is told: nobody is there to take it.
await post("/v1/commands/points/adjust", { member: { id: items[3].id }, amount: 60, reason: "a card was left at home" }, "stage-adjust-4");
// Audiences are built once a home is served, and whoever asks before that is told to come back.
const patience = Date.now() + 120_000;
for (;;) {
  const answer = await post("/v1/audiences/count", { condition: 'tier == "gold"' }).catch((error) => error);
  if (!(answer instanceof Error)) break;
  if (Date.now() > patience || !/503/.test(answer.message)) throw answer;
  await new Promise((resolve) => setTimeout(resolve, 250));
}
console.log("staged");

// Links, a list that was uploaded (one line names nobody), and whom a partner brought.
const flyer = await post("/v1/links", { page: "snacks", touchpoint: "flyer-330", key: "stage" }, "stage-link");
await post("/v1/links", { page: "invite", sharer: { id: items[0].id } }, "stage-link-2");
await fetch(new URL(`/q/${flyer.code}`, base), { redirect: "manual", headers: { "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)" } });
await ask("PUT", "/v1/lists/spring_guests", { namespace: "phone", identifiers: [{ value: "13912345678" }, { value: "13812341234" }, { value: "13900000001" }] });
await post(
  "/v1/commands/members/enrol",
  { identifiers: [{ namespace: "phone", value: "13611112222" }], attributes: { name: "周敏" }, touchpoint: "music_school", store: "330" },
  "stage-enrol-partner",
);
