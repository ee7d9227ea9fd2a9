// The latest code that a simulated phone got by SMS: for `m.mjs --code`.
//
//   node sms-code.mjs PLATFORM_ADDRESS PHONE
//
// Waits until one is there that is later than the last it told (kept beside it, in the file named by $CODES), since a text takes a moment to leave the home.

import { existsSync, readFileSync, writeFileSync } from "node:fs";

const [platform, phone] = process.argv.slice(2);
if (!platform || !phone) {
  console.error("usage: node sms-code.mjs PLATFORM_ADDRESS PHONE");
  process.exit(2);
}
const kept = process.env.CODES;
const told = kept && existsSync(kept) ? Number(readFileSync(kept, "utf8")) : 0;
const until = Date.now() + 20_000;
for (;;) {
  const { messages } = await (await fetch(new URL("/sim/truth?part=sms", platform))).json();
  const mine = messages.filter((one) => JSON.stringify(one).includes(phone));
  if (mine.length > told) {
    const code = /\b\d{6}\b/.exec(String(mine.at(-1).text))?.[0];
    if (!code) throw new Error(`no code in ${JSON.stringify(mine.at(-1))}`);
    if (kept) writeFileSync(kept, String(mine.length));
    console.log(code);
    break;
  }
  if (Date.now() > until) throw new Error("no code came");
  await new Promise((done) => setTimeout(done, 100));
}
