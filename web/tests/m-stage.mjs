// Gives a home of the demo a member to be: the playbook beside this file, and a phone for somebody of gold who bought for a year.
//
//   node m-stage.mjs HOME_ADDRESS KEY PHONE

import { readFileSync } from "node:fs";

const [base, key, phone] = process.argv.slice(2);
if (!base || !key || !phone) {
  console.error("usage: node m-stage.mjs HOME_ADDRESS KEY PHONE");
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
  return JSON.parse(text);
}

await ask("POST", "/v1/commands/playbooks/apply", { source: readFileSync(new URL("./shop.yaml", import.meta.url), "utf8") });
const { items } = await ask("GET", "/v1/members?tier=gold&limit=60");
await ask(
  "POST",
  "/v1/commands/members/enrol",
  { identifiers: [...items.at(-1).identifiers.filter((one) => one.namespace !== "phone"), { namespace: "phone", value: phone }], attributes: { name: "顾清音" }, touchpoint: "store-qr/330", store: "330" },
  `m-enrol-${phone}`,
);
await ask("POST", "/v1/draws/spring/open", {}).catch((error) => {
  if (!/draw_opened/.test(error.message)) throw error;
});
console.log("staged");
