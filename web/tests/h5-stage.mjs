// Gives a home of the demo what the phones of a store's people need: two places, a cashier, a manager and an advisor who sign in, members whom the
// advisor looks after, tasks for them. Whatever is said is said once, by its name.
//
//   node h5-stage.mjs HOME_ADDRESS KEY

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const PASSWORD = "seven strings at dusk";
export const PEOPLE = {
  cashier: { name: "till-330", role: "cashier", place: "330", staff: "C1" },
  manager: { name: "manager-330", role: "store_manager", place: "330", staff: "M1" },
  advisor: { name: "advisor-330", role: "advisor", place: "330", staff: "A7" },
};
const FACES = [
  ["13911110001", "王芳"],
  ["13911110002", "陈静"],
  ["13911110003", "林晓东"],
];

/** Asks a home with a key. */
export function asker(base, key) {
  return async (method, path, body, name) => {
    const response = await fetch(new URL(path, base), {
      method,
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...(name ? { "Idempotency-Key": name } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 400)}`);
    return text ? JSON.parse(text) : undefined;
  };
}

export async function stage(base, key) {
  const ask = asker(base, key);
  const post = (path, body, name) => ask("POST", path, body, name);
  // A campaign that asks advisors to do something, beside those of the shop, and one offer that wants a little more.
  const source = readFileSync(new URL("./shop.yaml", import.meta.url), "utf8")
    .replace(
      "\ncampaigns:\n",
      "\ncampaigns:\n  visit:\n    name: { zh: 到店邀约, en: Invite to the store }\n    purpose: service\n    on: command\n    again: after 1d\n    steps:\n      - { task: thanks }\n",
    )
    .replace(
      "\nposters:\n",
      '\nposters:\n  hello:\n    name: { zh: 问候卡, en: A card }\n    svg: |\n      <svg xmlns="http://www.w3.org/2000/svg" width="600" height="400"><rect width="600" height="400" fill="#2B7A69"/><circle cx="300" cy="200" r="90" fill="#D9B25F"/></svg>\n',
    )
    .replace(/\n  quiet:.*/, "")
    .replace("\noffers:\n", "\noffers:\n  over-100:\n    name: { zh: 会员满100减5, en: $5 off $100 for members }\n    lane: order\n    spend: 100\n    off: 5\n");
  await post("/v1/commands/playbooks/apply", { source });
  await post("/v1/commands/places/put", {
    places: [
      { code: "shop", kind: "brand", name_zh: "名品", name_en: "Shop" },
      { code: "330", kind: "store", parent: "shop", name_zh: "南京东路店", name_en: "Nanjing Road" },
    ],
  });
  for (const { name, role, place, staff } of Object.values(PEOPLE)) {
    await post("/v1/people", { name, role, place, staff, password: PASSWORD }).catch((error) => {
      if (!/taken|exists|known/.test(error.message)) throw error;
    });
  }
  const ids = [];
  for (const [phone, name] of FACES) {
    const { member } = await post(
      "/v1/commands/members/enrol",
      { identifiers: [{ namespace: "phone", value: phone }], attributes: { name, advisor: "A7" }, touchpoint: "store-qr/330", store: "330" },
      `h5-enrol-${phone}`,
    );
    ids.push(member);
    await post("/v1/commands/consents/set", { member: { id: member }, purpose: "service", given: true }, `h5-service-${phone}`);
    await post("/v1/commands/campaigns/begin", { member: { id: member }, campaign: "visit", key: "h5" }, `h5-visit-${phone}`);
  }
  await post("/v1/commands/points/adjust", { member: { id: ids[0] }, amount: 260, reason: "the till was down" }, "h5-adjust");
  await post("/v1/commands/coupons/issue", { member: { id: ids[0] }, offer: "back-8", reason: "stage" }, "h5-coupon").catch((error) => {
    if (!/limit|stock/.test(error.message)) throw error;
  });
  return ids;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [base, key] = process.argv.slice(2);
  if (!base || !key) {
    console.error("usage: node h5-stage.mjs HOME_ADDRESS KEY");
    process.exit(2);
  }
  console.log(JSON.stringify(await stage(base, key)));
}
