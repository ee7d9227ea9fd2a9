// Steps of a check and messages of a channel, as marks and numbers.
import type { Schemas } from "@zhiyin/api";

const MARKS: Record<string, string> = { well: "✓", wrong: "✕", left: "–" };
const TONES: Record<string, string> = { well: "var(--celadon)", wrong: "var(--cinnabar)" };

/** What could not be looked at, and what nobody foresaw, is a question. */
export const markOf = (health: string): string => MARKS[health] ?? "?";
export const toneOf = (health: string): string => TONES[health] ?? "var(--ink-2)";

type Counted = Pick<Schemas["ChannelView"], "messages">;
const sum = (of: Counted, states: readonly string[]): number => of.messages.filter((one) => states.includes(one.state)).reduce((n, one) => n + one.n, 0);

/** Those that are still to go. */
export const waitingOf = (of: Counted): number => sum(of, ["waiting", "handed"]);
/** Those that somebody has to look at: dead letters, and those of which nobody knows. */
export const failedOf = (of: Counted): number => sum(of, ["failed", "unknown"]);
