// The inbox's own rules: who comes first, who is looked for, and that the same reply keeps its name.
import fc from "fast-check";
import { expect, test } from "vitest";
import { beside, bytesOf, matches, Replies, unreadFirst, whoIs, type Talk } from "../src/pages/inbox/rules";

const states = ["unread", "open", "answered", "closed"] as const;
const talk = (conversation: string, state: Talk["state"], at: string, more: Partial<Talk> = {}): Talk => ({
  conversation, state, persona: "p", unread: 0, assignee: null, member: null, name: null, last: { at, by: "member", words: "hello" }, since: at, reply_until: null, replies_left: 0, desks: [], complaint: null, trouble: null, ...more,
});
const some = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 30 }), state: fc.constantFrom(...states), minute: fc.integer({ min: 10, max: 59 }) }).map(({ id, state, minute }) => talk(`t${id}`, state, `2026-11-28T10:${minute}:00Z`)),
  { maxLength: 40 },
);

test("what nobody has read stands first, then the latest words, and each conversation once", () => {
  fc.assert(
    fc.property(some, (talks) => {
      const shown = unreadFirst(talks);
      expect(new Set(shown.map((one) => one.conversation)).size).toBe(shown.length);
      expect(new Set(shown.map((one) => one.conversation))).toEqual(new Set(talks.map((one) => one.conversation)));
      for (const [at, one] of shown.entries()) {
        const next = shown[at + 1];
        if (!next) continue;
        expect(one.state === "unread" || next.state !== "unread").toBe(true);
        if ((one.state === "unread") === (next.state === "unread")) expect((one.last?.at ?? "") >= (next.last?.at ?? "")).toBe(true);
      }
    }),
    { seed: 9, numRuns: 500 },
  );
});

test("what was read since somebody came stays where it was", () => {
  const [a, b, c] = [talk("a", "open", "2026-11-28T10:20:00Z"), talk("b", "unread", "2026-11-28T10:10:00Z"), talk("c", "open", "2026-11-28T10:30:00Z")] as const;
  expect(unreadFirst([a, b, c], new Set(["a"])).map((one) => one.conversation)).toEqual(["a", "b", "c"]);
  expect(unreadFirst([a, b, c]).map((one) => one.conversation)).toEqual(["b", "c", "a"]);
});

test("a conversation is found by name, words, persona, code, or since the member is called so", () => {
  const one = talk("c1", "open", "2026-11-28T10:00:00Z", { name: "张伟", member: "m1", assignee: "A7", desks: [{ channel: "wecom", account: "main", desk: "wk1", spoke: "", session: null }] });
  const cut = { find: "", desk: "", complaint: false };
  expect(matches(one, cut)).toBe(true);
  for (const find of ["张", "HELL", "a7", " p "]) expect(matches(one, { ...cut, find }), find).toBe(true);
  expect(matches(one, { ...cut, find: "13912345678" })).toBe(false);
  expect(matches(one, { ...cut, find: "13912345678" }, new Set(["m1"]))).toBe(true);
  expect(matches(one, { ...cut, desk: "main/wk1" })).toBe(true);
  expect(matches(one, { ...cut, desk: "main/wk2" })).toBe(false);
  expect(matches(one, { ...cut, complaint: true })).toBe(false);
});

test("j and k stop at either end, and begin at the first", () => {
  const all = ["a", "b", "c"].map((id) => talk(id, "open", ""));
  expect(beside(all, "", 1)).toBe("a");
  expect(beside(all, "a", 1)).toBe("b");
  expect(beside(all, "c", 1)).toBe("c");
  expect(beside(all, "a", -1)).toBe("a");
  expect(beside([], "", 1)).toBeUndefined();
});

test("the same words keep the name of their reply until it was taken; other words get another", () => {
  let n = 0;
  const replies = new Replies(() => `r-${++n}`);
  expect(replies.of("c", "yes")).toBe("r-1");
  expect(replies.of("c", "yes")).toBe("r-1");
  expect(replies.of("d", "yes")).toBe("r-2");
  expect(replies.of("c", "no")).toBe("r-3");
  replies.taken("c");
  expect(replies.of("c", "no")).toBe("r-4");
});

test("a text is as long as its bytes, and who said something is a name", () => {
  expect(bytesOf("  您好 ")).toBe(6);
  expect(whoIs("person:demo")).toBe("demo");
  expect(whoIs("LiSi")).toBe("LiSi");
  expect(whoIs(null)).toBe("");
});
