// What the runners of the peers share: the input, the clock, and the line that is printed.
//
// Only the peer's own call is timed; what is made ready for it and read from it is not, which is to the peer's favour.
// The best of three runs counts.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

// As a shop runs them.
process.env.NODE_ENV ??= "production";

const KINDS = ["percent_item", "fixed_item", "percent_order", "fixed_order", "bxgy", "nforx"];
const RUNS = 3;

function refuse(why) {
  console.error(why);
  process.exit(2);
}

// Offers (the first `--offers` of them) and carts from the file named on the command line, and how many seconds a run takes.
export function input() {
  const [file, ...rest] = process.argv.slice(2);
  const asked = { "--offers": Infinity, "--seconds": 3 };
  for (let at = 0; at < rest.length; at += 2) asked[rest[at]] = Number(rest[at + 1]);
  const { "--offers": n, "--seconds": seconds, ...unknown } = asked;
  if (!file || Object.keys(unknown).length || !(n >= 1) || !(seconds > 0 && seconds <= 60)) {
    refuse("usage: node PEER.mjs FILE.json [--offers N] [--seconds 1..60]");
  }
  const { offers, carts } = JSON.parse(readFileSync(file, "utf8"));
  if (!Array.isArray(offers) || !Array.isArray(carts) || !carts.length) refuse(`${file}: offers and carts are wanted`);
  for (const offer of offers) if (!KINDS.includes(offer.kind)) refuse(`${file}: offer ${offer.id} is of no known kind: ${offer.kind}`);
  for (const { lines } of carts) {
    for (const line of lines) {
      const whole = Number.isSafeInteger(line.price) && Number.isSafeInteger(line.quantity);
      if (!whole || line.price < 0 || line.quantity < 1) refuse(`${file}: line ${line.id}: price and quantity are whole numbers`);
    }
  }
  return { offers: offers.slice(0, n), carts, seconds };
}

// Sorts what a peer can express from what it cannot: `expressed` are what `express` made of an offer, `left_out` are
// ids with the reason that it threw.
export class NotExpressible extends Error {}
export function express(offers, one) {
  const expressed = [];
  const left_out = [];
  for (const offer of offers) {
    try {
      expressed.push(one(offer));
    } catch (error) {
      if (!(error instanceof NotExpressible)) throw error;
      left_out.push({ offer: offer.id, why: error.message });
    }
  }
  return { expressed, left_out };
}

// One pass over the carts, or as many as `seconds` of the peer's own time take. `discounts` must come out alike each time.
async function pass(jobs, seconds, discounts) {
  const times = [];
  let spent = 0;
  for (let at = 0; at < jobs.length || spent < seconds * 1000; at += 1) {
    const index = at % jobs.length;
    const { ready, call, discount } = jobs[index];
    const given = ready();
    const from = performance.now();
    const answer = await call(given);
    const took = performance.now() - from;
    spent += took;
    times.push(took);
    const found = discount(answer);
    if (discounts[index] === undefined) discounts[index] = found;
    else if (discounts[index] !== found) throw new Error(`cart ${index}: ${discounts[index]}, then ${found}`);
  }
  return { carts_per_s: (times.length * 1000) / spent, times };
}

// The value that `share` of the sorted `times` (ms) do not exceed, in microseconds.
const quantile = (times, share) => Math.round(times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)] * 1e4) / 10;

// Warms up, measures, and prints the one line. `jobs`, one a cart: `ready()` makes what `call` is timed with, `discount` reads
// the answer, in minor units.
export async function measure(who, jobs, seconds) {
  const discounts = new Array(jobs.length).fill(undefined);
  await pass(jobs, seconds, discounts);
  let best;
  for (let run = 0; run < RUNS; run += 1) {
    const one = await pass(jobs, seconds, discounts);
    if (!best || one.carts_per_s > best.carts_per_s) best = one;
  }
  best.times.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      peer: who.peer,
      version: who.version,
      offers: who.offers,
      carts_per_s: Math.round(best.carts_per_s),
      p50_us: quantile(best.times, 0.5),
      p99_us: quantile(best.times, 0.99),
      discounts,
      left_out: who.left_out,
    }),
  );
}

// The peer's own published cases: [name, found, expected]. What differs ends the runner: then it is not the peer that is measured.
export function selfCheck(peer, cases) {
  const wrong = cases.filter(([, found, expected]) => JSON.stringify(found) !== JSON.stringify(expected));
  for (const [name, found, expected] of wrong) {
    console.error(`${peer}: ${name}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
  if (wrong.length) {
    console.error(`${peer}: ${wrong.length} of ${cases.length} known cases differ; nothing is measured.`);
    process.exit(1);
  }
}
