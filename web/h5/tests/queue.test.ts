// What waits on a phone is sent once, in its order, under its keys; what is refused stays to be seen.
import { Refusal } from "@zhiyin/api";
import { expect, test } from "vitest";
import { flush, type Sender, type Shelf, type Waiting } from "../src/shared/queue";
import { keyOf, settle } from "../src/shared/keep";

function shelfOf(...all: Waiting[]): Shelf & { now: Map<string, Waiting> } {
  const now = new Map(all.map((one) => [one.id, one]));
  return {
    now,
    all: async () => [...now.values()],
    put: async (one) => void now.set(one.id, one),
    remove: async (id) => void now.delete(id),
  };
}
const base = (id: string, at: number) => ({ id, at, by: "p1", byName: "till", state: "waiting" as const, about: { kind: "sale" as const, of: id } });
const sale = (id: string, at: number, lease = "l1"): Waiting => ({ ...base(id, at), kind: "sale", lease, line: { messageId: id } });
const command = (id: string, at: number): Waiting => ({ ...base(id, at), kind: "command", path: "/v1/commands/members/enrol", body: { id }, key: `key-${id}` });

function sender(over: Partial<Sender> = {}): Sender & { said: string[] } {
  const said: string[] = [];
  return {
    said,
    command: async (path, body, key) => {
      said.push(key);
      return over.command?.(path, body, key);
    },
    sales: async (lease, lines) => {
      said.push(`${lease}: ${lines.map((line) => (line as { messageId: string }).messageId).join(" ")}`);
      return over.sales?.(lease, lines) ?? { sales: lines.map((line) => ({ checkout: (line as { messageId: string }).messageId, state: "sold" })) };
    },
  };
}

test("what waits is sent in the order in which it was taken, neighbours under one lease together", async () => {
  const shelf = shelfOf(sale("c", 3), command("b", 2), sale("a", 1), sale("d", 4), sale("e", 5, "l2"));
  const to = sender();
  expect(await flush(shelf, to, "p1")).toEqual({ sent: 5, refused: 0, stopped: false });
  expect(to.said).toEqual(["l1: a", "key-b", "l1: c d", "l2: e"]);
  expect(shelf.now.size).toBe(0);
});

test("without a network all of it stays as it is, and the next time the same keys are said", async () => {
  const shelf = shelfOf(command("a", 1), sale("b", 2));
  let there = false;
  const to = sender({
    command: async () => {
      if (!there) throw new Refusal(0, "unreachable", "");
    },
  });
  expect(await flush(shelf, to, "p1")).toEqual({ sent: 0, refused: 0, stopped: true });
  expect([...shelf.now.values()].map((one) => one.state)).toEqual(["waiting", "waiting"]);
  there = true;
  expect((await flush(shelf, to, "p1")).sent).toBe(2);
  expect(to.said).toEqual(["key-a", "key-a", "l1: b"]);
});

test.each([0, 202, 401, 408, 429, 500, 503])("status %i is no answer yet: it is kept", async (status) => {
  const shelf = shelfOf(command("a", 1));
  const to = sender({ command: async () => Promise.reject(new Refusal(status, "busy", "")) });
  expect(await flush(shelf, to, "p1")).toEqual({ sent: 0, refused: 0, stopped: true });
  expect(shelf.now.get("a")?.state).toBe("waiting");
});

test("what is refused stays with why, does not keep others, and is not sent again", async () => {
  const shelf = shelfOf(command("a", 1), sale("b", 2), sale("c", 3));
  const to = sender({
    command: async () => Promise.reject(new Refusal(422, "bad_phone", "no phone", undefined, "13")),
    sales: async () => ({ sales: [{ checkout: "b", state: "refused", code: "lease_over", message: "too late" }, { checkout: "c", state: "waiting" }] }),
  });
  expect(await flush(shelf, to, "p1")).toEqual({ sent: 1, refused: 2, stopped: false });
  expect([...shelf.now.values()].map((one) => [one.id, one.state, one.code, one.said])).toEqual([
    ["a", "refused", "bad_phone", "no phone · 13"],
    ["b", "refused", "lease_over", "too late"],
  ]);
  expect(await flush(shelf, to, "p1")).toEqual({ sent: 0, refused: 0, stopped: false });
});

test("a sale of which the home said nothing stays", async () => {
  const shelf = shelfOf(sale("a", 1), sale("b", 2));
  await flush(shelf, sender({ sales: async () => ({ sales: [{ checkout: "a", state: "sold" }] }) }), "p1");
  expect([...shelf.now.keys()]).toEqual(["b"]);
});

test("what somebody else took is theirs to send", async () => {
  const shelf = shelfOf({ ...command("a", 1), by: "p2" });
  const to = sender();
  await flush(shelf, to, "p1");
  expect([to.said, shelf.now.size]).toEqual([[], 1]);
});

test("a key is the same until the home answered, and another one then", () => {
  let kept: Record<string, string> = {};
  const shelf = { read: () => kept, write: (all: Record<string, string>) => void (kept = all) };
  const first = keyOf("refund/1", shelf);
  expect(keyOf("refund/1", shelf)).toBe(first);
  expect(keyOf("refund/2", shelf)).not.toBe(first);
  settle("refund/1", shelf);
  expect(keyOf("refund/1", shelf)).not.toBe(first);
  for (let i = 0; i < 200; i += 1) keyOf(`x/${i}`, shelf);
  expect(Object.keys(kept).length).toBeLessThanOrEqual(51);
});
