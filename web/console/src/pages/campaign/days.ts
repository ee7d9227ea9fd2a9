// Days of a calendar, and on which of them campaigns begin by what the playbook says.

/** Weeks of a month from Monday to Sunday, days of its neighbours where a week is not whole. */
export function daysOf(month: string): string[][] {
  const first = new Date(`${month}-01T00:00:00Z`);
  const start = new Date(first);
  start.setUTCDate(1 - ((first.getUTCDay() + 6) % 7));
  const weeks: string[][] = [];
  for (const day = start; weeks.length === 0 || day.toISOString().slice(0, 7) <= month; ) {
    const week: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      week.push(day.toISOString().slice(0, 10));
      day.setUTCDate(day.getUTCDate() + 1);
    }
    weeks.push(week);
  }
  return weeks;
}

export type Planned = { campaign: string; at: string };
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Campaigns that begin on a day by the clock (`every wed at 10:00 in shoppers`), within their first and last day. */
export function beginsOn(campaigns: Record<string, Record<string, unknown> | null>, day: string): Planned[] {
  const weekday = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()];
  return Object.entries(campaigns)
    .flatMap(([campaign, said]) => {
      const found = /^every (day|mon|tue|wed|thu|fri|sat|sun) at (\d{1,2}:\d{2})/.exec(typeof said?.on === "string" ? said.on : "");
      if (!found?.[2] || (found[1] !== "day" && found[1] !== weekday)) return [];
      if (typeof said?.from === "string" && day < said.from.slice(0, 10)) return [];
      if (typeof said?.until === "string" && day > said.until.slice(0, 10)) return [];
      return [{ campaign, at: found[2] }];
    })
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}
