// What the page of transfers decides by itself.
import { Refusal } from "@zhiyin/api";
import { expect, test } from "vitest";
import { appsOf, isAnswered, isUnsure, Meant, minorOf, months, STATES, wantsName, type Wanted } from "../src/pages/payouts/rules";
import { en } from "../src/words/en";

test("an amount is read to the minor unit of its currency, and is none where it has more places or is no number", () => {
  const rows: [string, number, number | undefined][] = [["10", 2, 1000], ["0.1", 2, 10], ["0.10", 2, 10], ["1,234.56", 2, 123_456], ["１２．５", 2, 1250], ["3.", 2, 300], ["1.234", 2, undefined], ["-1", 2, undefined], ["", 2, undefined], ["1e3", 2, undefined], ["500", 0, 500], ["5.0", 0, undefined], ["0.29", 2, 29], ["19.99", 2, 1999]];
  for (const [typed, exponent, minor] of rows) expect(minorOf(typed, exponent), typed).toBe(minor);
});

test("from 2,000 yuan on a name is wanted", () => {
  expect([wantsName(undefined), wantsName(199_999), wantsName(200_000)]).toEqual([false, false, true]);
});

test("months go back over the turn of a year, also from a 31st", () => {
  expect(months("2026-03-31T23:00:00Z", 4)).toEqual(["2026-03", "2026-02", "2026-01", "2025-12"]);
});

test("apps are those of openids, each once", () => {
  expect(appsOf([{ namespace: "phone" }, { namespace: "openid:wx2" }, { namespace: "openid:wx1" }, { namespace: "openid:wx2" }])).toEqual(["wx1", "wx2"]);
});

test("what is meant keeps its key until it was answered, and another amount has another", () => {
  const kept = new Map<string, string>();
  let n = 0;
  const shelf = { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value), removeItem: (name: string) => void kept.delete(name) };
  const meant = new Meant(shelf, "ann", () => `k${(n += 1)}`);
  const wanted = (amount_minor: number): Wanted => ({ member: { id: "m" }, amount_minor, remark: "r", reason: "w", account: "main" });
  expect([meant.key(wanted(10)), meant.key(wanted(10)), meant.left()?.wanted.amount_minor]).toEqual(["k1", "k1", 10]);
  expect(meant.key(wanted(11))).toBe("k2");
  // Whoever signs in after them is somebody else to the home, and would send it once more.
  expect(new Meant(shelf, "bob").left()).toBeUndefined();
  meant.answered();
  expect([meant.left(), meant.key(wanted(11))]).toEqual([undefined, "k3"]);
});

test("nobody knows where the network went away, a no is an answer, and who was signed out was not answered", () => {
  const rows: [number, string, boolean, boolean][] = [[0, "unreachable", true, false], [503, "busy", true, false], [202, "not_yet", true, false], [422, "bad_payout", false, true], [401, "not_signed_in", false, false], [429, "too_many_requests", false, false], [403, "csrf", false, false], [403, "forbidden", false, true]];
  for (const [status, code, unsure, answered] of rows) {
    const error = new Refusal(status, code, "");
    expect([isUnsure(error), isAnswered(error)], code).toEqual([unsure, answered]);
  }
});

test("each state has its word and says what comes next, and each refusal what to do", () => {
  for (const state of STATES) expect([en.of.payout_state[state], en.of.payout_next[state]].every(Boolean), state).toBe(true);
  const codes = ["account_unknown", "member_unknown", "bad_payout", "payout_currency", "payout_not_set_up", "payout_app_unknown", "payout_app_ambiguous", "payout_openid_missing", "payout_openid_ambiguous", "payout_unknown", "payout_over", "payout_waits_for_nobody", "approval_own", "approval_no_person", "approval_answered", "approval_late", "approval_unknown", "approval_request", "idempotency_key_reused", "reason_missing", "text_too_long", "bad_text", "no_playbook"];
  expect(codes.filter((code) => !en.of.payout_refused[code])).toEqual([]);
});
