// What was taken while the network was gone. Kept on the phone until the home said what became of each, in the order in which it was taken, each
// under the key it got then: whatever is sent again is done once. The rules are here, free of a browser; where it is kept is `shelf.ts`.
import { Refusal } from "@zhiyin/api";

/** A command under its key, or a line of a till's journal under its lease (docs/tills.md). */
export type Waiting = {
  id: string;
  /** When it was taken, by the phone. */
  at: number;
  /** Who took it: keys are a person's own, so only they send it. */
  by: string;
  byName: string;
  state: "waiting" | "refused";
  /** Why it was refused, and what the home said of it. */
  code?: string | undefined;
  said?: string | undefined;
  /** What people read. */
  about: { kind: "sale" | "redeem" | "enrol" | "consent"; of: string; minor?: number; currency?: string };
} & ({ kind: "command"; path: string; body: unknown; key: string } | { kind: "sale"; lease: string; line: unknown });

export type Shelf = { all: () => Promise<Waiting[]>; put: (one: Waiting) => Promise<void>; remove: (id: string) => Promise<void> };
export type SaleTold = { checkout: string; state: string; code?: string | null; message?: string | null };
export type Sender = {
  command: (path: string, body: unknown, key: string) => Promise<unknown>;
  sales: (lease: string, lines: unknown[]) => Promise<{ sales: SaleTold[] }>;
};

const AT_ONCE = 100;
/** Whether to try again later: nobody knows whether it arrived, or the home is busy, or whoever sends is signed out. */
const later = (error: unknown) => !(error instanceof Refusal) || error.status === 0 || error.status === 202 || error.status === 401 || (error.status === 403 && error.code === "csrf") || error.status === 408 || error.status === 429 || error.status >= 500;

/** What happened in the reader's language, and what exactly. */
const words = (refusal: Refusal) => [refusal.title, refusal.detail].filter(Boolean).join(" · ");

/** Sends what waits of `who`, the oldest first. Gives how many were taken in, how many refused, and whether it stopped before the end. */
export async function flush(shelf: Shelf, sender: Sender, who: string): Promise<{ sent: number; refused: number; stopped: boolean }> {
  const waiting = (await shelf.all()).filter((one) => one.state === "waiting" && one.by === who).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  let sent = 0;
  let refused = 0;
  const refuse = async (one: Waiting, code: string, said: string) => {
    refused += 1;
    await shelf.put({ ...one, state: "refused", code, said });
  };
  for (let i = 0; i < waiting.length; ) {
    const one = waiting[i] as Waiting;
    try {
      if (one.kind === "command") {
        i += 1;
        try {
          await sender.command(one.path, one.body, one.key);
          await shelf.remove(one.id);
          sent += 1;
        } catch (error) {
          if (later(error)) throw error;
          const refusal = error as Refusal;
          await refuse(one, refusal.code, words(refusal));
        }
      } else {
        // Neighbours under one lease go together.
        const batch = [];
        while (i < waiting.length && batch.length < AT_ONCE) {
          const next = waiting[i] as Waiting;
          if (next.kind !== "sale" || next.lease !== one.lease) break;
          batch.push(next);
          i += 1;
        }
        let told: SaleTold[];
        try {
          told = (await sender.sales(one.lease, batch.map((sale) => (sale as Waiting & { kind: "sale" }).line))).sales;
        } catch (error) {
          if (later(error)) throw error;
          const refusal = error as Refusal;
          for (const sale of batch) await refuse(sale, refusal.code, words(refusal));
          continue;
        }
        for (const [at, sale] of batch.entries()) {
          const what = told[at];
          // `waiting`: it is in durably, and is decided without the phone.
          if (what?.state === "refused") await refuse(sale, what.code ?? "refused", what.message ?? "");
          else if (what) {
            await shelf.remove(sale.id);
            sent += 1;
          }
        }
      }
    } catch {
      return { sent, refused, stopped: true };
    }
  }
  return { sent, refused, stopped: false };
}
