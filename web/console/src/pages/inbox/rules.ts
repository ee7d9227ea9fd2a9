// What the inbox decides by itself, free of a page: which conversations are shown and in which order, and what may be typed.
import type { DeskNamed, Schemas, Unanswerable } from "@zhiyin/api";

export type Talk = Schemas["ConversationView"] & Unanswerable;
export type Word = Schemas["WordView"];

/** The tone of where a conversation stands. */
export const talkTone = (state: Talk["state"]): "warn" | "info" | "good" | "" => (state === "unread" ? "warn" : state === "open" ? "info" : state === "answered" ? "good" : "");

/** The longest reply, in bytes of UTF-8 (docs/inbox.md). */
export const BYTES_MAX = 2_048;
export const bytesOf = (text: string): number => new TextEncoder().encode(text.trim()).length;

const latest = (talk: Talk) => talk.last?.at ?? talk.since;

/** Those that nobody has read first, each part with the latest words first. Each stands once: pages shift while people speak. Those of `stay`
    were unread when somebody came to the list, and stay among them, so that what is opened does not move away from under the reader. */
export function unreadFirst(talks: readonly Talk[], stay: ReadonlySet<string> = new Set()): Talk[] {
  const once = [...new Map(talks.map((talk) => [talk.conversation, talk])).values()];
  const rank = (talk: Talk) => (talk.state === "unread" || stay.has(talk.conversation) ? 0 : 1);
  return once.sort((a, b) => rank(a) - rank(b) || (latest(a) < latest(b) ? 1 : latest(a) > latest(b) ? -1 : a.conversation < b.conversation ? -1 : 1));
}

export type Cut = { find: string; desk: string; complaint: boolean };

/** Whether a conversation is looked for: by what is typed (a name, a word, a number of the member, a persona, a code), desk and complaint. */
export function matches(talk: Talk, cut: Cut, found: ReadonlySet<string> = new Set()): boolean {
  if (cut.complaint && !talk.complaint) return false;
  if (cut.desk && !talk.desks.some((desk) => deskKey(desk) === cut.desk)) return false;
  const find = cut.find.trim().toLowerCase();
  if (find === "") return true;
  if (talk.member && found.has(talk.member)) return true;
  return [talk.name, talk.last?.words, talk.persona, talk.assignee, talk.member, talk.conversation].some((text) => text?.toLowerCase().includes(find));
}

export const deskKey = (desk: { account: string; desk: string }): string => `${desk.account}/${desk.desk}`;

/** What a desk is called; its id where the home does not say. */
export const deskSaid = (desk: { desk: string } & DeskNamed): string => desk.name || desk.desk;

/** The conversation beside one in the list; the first where none is open, itself at either end. */
export function beside(talks: readonly Talk[], open: string, step: 1 | -1): string | undefined {
  const at = talks.findIndex((talk) => talk.conversation === open);
  if (at < 0) return talks[0]?.conversation;
  return talks[Math.max(0, Math.min(talks.length - 1, at + step))]?.conversation;
}

/** By what a reply is known: the same for the same words to the same conversation until it was taken, so that asking again says nothing twice. */
export class Replies {
  readonly #meant = new Map<string, { text: string; reply: string }>();
  constructor(private readonly name: () => string = () => `r-${crypto.randomUUID()}`) {}
  of(conversation: string, text: string): string {
    const before = this.#meant.get(conversation);
    if (before?.text === text) return before.reply;
    const reply = this.name();
    this.#meant.set(conversation, { text, reply });
    return reply;
  }
  taken(conversation: string): void {
    this.#meant.delete(conversation);
  }
}

/** Who of the brand's said something, without what kind of name it is. */
export const whoIs = (who: string | null | undefined): string => (who ?? "").replace(/^(person|staff|key):/, "");
