// What guard-rails said is read as the home writes it (crates/decide, campaign/guard.rs).
import { expect, test } from "vitest";
import { railsOf } from "../src/parts/rail-words";

test("a line of rails is read channel by channel; a comma within what a rail says is of it", () => {
  expect(railsOf("inbox: blocked: no, consent: never_given; till: blocked: yes")).toEqual([
    { channel: "inbox", rails: [["blocked", "no"], ["consent", "never_given"]] },
    { channel: "till", rails: [["blocked", "yes"]] },
  ]);
  expect(railsOf("inbox: complaint: open, but it sells nothing, first_touch: not needed")).toEqual([
    { channel: "inbox", rails: [["complaint", "open, but it sells nothing"], ["first_touch", "not needed"]] },
  ]);
  expect(railsOf("email: reachable: no since 2026-01-02T03:04:05Z: mailbox full")).toEqual([{ channel: "email", rails: [["reachable", "no since 2026-01-02T03:04:05Z: mailbox full"]] }]);
});

test("what is no line of rails is left as it is", () => {
  for (const why of ["", "end", "held out", "back-8"]) expect(railsOf(why), why).toBeUndefined();
});
