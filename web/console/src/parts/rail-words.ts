// What guard-rails said, in the reader's words: of one rail, and of a whole line of a member's way through a campaign.
import { i18n, word } from "../words";

const t = (key: string, holes: Record<string, unknown> = {}) => (i18n.t as (key: string, holes: Record<string, unknown>) => string)(key, holes);

const WITHIN: Record<string, string> = { "a day": "day", "a week": "week", "a month": "month" };

/** What one rail said. `moment` writes an instant. */
export function railSays(rail: string, says: string, moment: (at: string) => string): string {
  if (rail === "blocked") return says === "yes" ? word("rail_says", "on the list") : says === "no" ? word("rail_says", "not on the list") : word("rail_says", says);
  const away = /^no since (\S+): (.*)$/.exec(says);
  if (away?.[1]) return t("rails.unreachable", { at: moment(away[1]), why: away[2] ?? "" });
  const when = /^(until|from) (\S+)$/.exec(says);
  if (when?.[2]) return when[1] === "until" ? t("rails.until", { at: moment(when[2]) }) : t("rails.from", { at: moment(when[2]) });
  if (/^\d+ of \d+/.test(says)) return says.split(" and ").map(counted).join(word("rail_says", "and"));
  return word("rail_says", says);
}

/** `2 of 3 marketing in 168h`, `0 of 1 a day`, `12 of 500`: how often something was sent, and how often it may be. */
function counted(says: string): string {
  const read = /^(\d+) of (\d+)(?: (?!a |in )(\S+))?(?: (a day|a week|a month|in (\d+)h))?$/.exec(says);
  if (!read) return says;
  const [, n, most, of, within, hours] = read;
  const what = of ? (word("purpose", of) === of ? word("channel", of) : word("purpose", of)) : "";
  const count = { n, most, of: what };
  if (hours) return t("rails.caps", { ...count, hours });
  return within && WITHIN[within] ? t(`rails.caps_${WITHIN[within]}`, count) : t("rails.caps_all", count);
}

/** The rails of each channel that was asked, as a line of the record has them: `inbox: blocked: no, consent: given; till: …`. */
export function railsOf(why: string): { channel: string; rails: [string, string][] }[] | undefined {
  const parts = why.split("; ").map((part) => /^([a-z_]+): (.+)$/.exec(part));
  if (parts.some((part) => part === null)) return undefined;
  const read = parts.map((part) => ({
    channel: part?.[1] ?? "",
    // A comma within what one rail says ("open, but it sells nothing") is not followed by a rail's name.
    rails: (part?.[2] ?? "").split(/, (?=[a-z_]+: )/).map((one): [string, string] => {
      const at = one.indexOf(": ");
      return at < 0 ? [one, ""] : [one.slice(0, at), one.slice(at + 2)];
    }),
  }));
  return read.every(({ rails }) => rails.every(([rail, says]) => rail !== "" && says !== "")) ? read : undefined;
}

/** Why something was, or was not, said: for each channel the rail that decided, which is the last one that was asked. */
export function whySaid(kind: string, why: string, moment: (at: string) => string): string {
  const read = railsOf(why);
  if (!read) return word("run_why", why);
  return read
    .map(({ channel, rails }) => {
      const last = rails.at(-1);
      if (kind === "sent" || kind === "would_send" || !last) return t("rails.all_passed", { channel: word("channel", channel), n: rails.length });
      const [rail, says] = kind === "held_out" ? (rails.find(([one]) => one === "holdout") ?? last) : last;
      return t("rails.decided", { channel: word("channel", channel), rail: word("rail", rail), says: railSays(rail, says, moment) });
    })
    .join(t("rails.next"));
}
