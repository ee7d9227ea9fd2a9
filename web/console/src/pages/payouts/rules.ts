// What the page of transfers decides by itself: amounts as they are typed, months to choose from, what a state looks like, and by what a command is known.
import { Refusal, type Schemas } from "@zhiyin/api";

export type Payout = Schemas["PayoutView"];
export type Wanted = { member: { id: string }; amount_minor: number; remark: string; reason: string; account: string; name?: string; app?: string };

/** In fen, as WeChat Pay has it: the least and the most at a time, and from when on it wants the member's real name. */
export const MINOR_MIN = 10;
export const MINOR_MAX = 100_000_000;
const NAME_FROM = 200_000;
/** The longest texts, in characters. */
export const REMARK_MOST = 32;
export const REASON_MOST = 200;
export const NAME_MOST = 64;

export const STATES = ["waits_for_approval", "intended", "asked", "under_way", "waits_for_person", "cancelling", "done", "failed", "cancelled", "refused"] as const;
export const toneOf = (state: string): "good" | "bad" | "warn" | "info" | "" =>
  state === "done" ? "good" : ["failed", "refused"].includes(state) ? "bad" : ["waits_for_approval", "asked"].includes(state) ? "warn" : state === "cancelled" ? "" : "info";

/** What was typed as minor units; nothing, where it is no amount of the currency. Full-width digits count as well. */
export function minorOf(typed: string, exponent: number): number | undefined {
  const plain = typed.normalize("NFKC").replaceAll(/[\s,]/g, "");
  if (!new RegExp(exponent > 0 ? `^\\d{1,9}(\\.\\d{0,${exponent}})?$` : "^\\d{1,9}$").test(plain)) return undefined;
  const [major = "0", rest = ""] = plain.split(".");
  return Number(`${major}${rest.padEnd(exponent, "0")}`);
}
export const wantsName = (minor: number | undefined): boolean => minor !== undefined && minor >= NAME_FROM;

/** So many months up to the one of an instant by the wall clock, the newest first: `2026-11`. */
export function months(now: string, n: number): string[] {
  const at = new Date(`${now.slice(0, 7)}-01T00:00:00Z`);
  return Array.from({ length: n }, () => {
    const month = at.toISOString().slice(0, 7);
    at.setUTCMonth(at.getUTCMonth() - 1);
    return month;
  });
}

/** In which of the brand's apps somebody is known, by the names that they bear. */
export const appsOf = (identifiers: readonly { namespace: string }[]): string[] =>
  [...new Set(identifiers.filter(({ namespace }) => namespace.startsWith("openid:")).map(({ namespace }) => namespace.slice("openid:".length)))].sort();

/** Whether nobody knows if it was done: the same may be sent again under the same key, and nothing else should be. */
export const isUnsure = (error: unknown): boolean => !(error instanceof Refusal) || error.status === 0 || error.status === 202 || error.status === 408 || error.status >= 500;
/** Whether it was answered with a no; who was signed out, or came too often, was not answered. */
export const isAnswered = (error: unknown): boolean => !isUnsure(error) && error instanceof Refusal && ![401, 429].includes(error.status) && !error.code.startsWith("csrf");

type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;
/** What somebody is about to send, and by which key: both live, also over a page loaded anew, until the home said yes or no. A key is good only for who made it. */
export class Meant {
  readonly #at: string;
  constructor(
    private readonly shelf: Shelf,
    who: string,
    private readonly name: () => string = () => crypto.randomUUID(),
  ) {
    this.#at = `zhiyin.payout.${who}`;
  }
  /** What was sent last whose answer is not known. */
  left(): { key: string; wanted: Wanted } | undefined {
    try {
      return (JSON.parse(this.shelf.getItem(this.#at) ?? "null") as { key: string; wanted: Wanted } | null) ?? undefined;
    } catch {
      return undefined;
    }
  }
  key(wanted: Wanted): string {
    const before = this.left();
    if (before && JSON.stringify(before.wanted) === JSON.stringify(wanted)) return before.key;
    const key = this.name();
    this.shelf.setItem(this.#at, JSON.stringify({ key, wanted }));
    return key;
  }
  answered(): void {
    this.shelf.removeItem(this.#at);
  }
}
