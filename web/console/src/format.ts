// Dates, money and numbers as the reader's language writes them. Money comes in minor units, days as YYYY-MM-DD.
import type { Named } from "@zhiyin/api";
import { language } from "./words";

const locale = () => (language() === "zh" ? "zh-CN" : "en-US");
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const name = `n ${locale()} ${JSON.stringify(options)}`;
  let format = made.get(name) as Intl.NumberFormat | undefined;
  if (!format) made.set(name, (format = new Intl.NumberFormat(locale(), options)));
  return format;
}
function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `d ${locale()} ${JSON.stringify(options)}`;
  let format = made.get(name) as Intl.DateTimeFormat | undefined;
  if (!format) made.set(name, (format = new Intl.DateTimeFormat(locale(), options)));
  return format;
}

export const whole = (n: number) => numbers({ maximumFractionDigits: 0 }).format(n);
export const decimal = (n: number, digits = 1) => numbers({ maximumFractionDigits: digits }).format(n);
export const share = (part: number, of: number, digits = 1) => numbers({ style: "percent", maximumFractionDigits: digits }).format(of === 0 ? 0 : part / of);
export const signed = (n: number) => numbers({ signDisplay: "exceptZero", maximumFractionDigits: 0 }).format(n);

/** 3.2 万, 459.6 万, 1.2 亿; 32K, 4.6M. The exact one belongs beside it, or in its title. */
export function short(n: number): string {
  if (language() !== "zh") return Math.abs(n) < 10_000 ? whole(n) : numbers({ notation: "compact", maximumFractionDigits: 1 }).format(n);
  const size = Math.abs(n);
  if (size < 10_000) return whole(n);
  if (size < 100_000_000) return `${numbers({ maximumFractionDigits: 1 }).format(n / 10_000)} 万`;
  return `${numbers({ maximumFractionDigits: 1 }).format(n / 100_000_000)} 亿`;
}

const symbol = (currency: string) =>
  numbers({ style: "currency", currency, currencyDisplay: "narrowSymbol" })
    .formatToParts(0)
    .find((part) => part.type === "currency")?.value ?? currency;
const exponent = (currency: string) => numbers({ style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;

export function money(minor: number, currency: string): string {
  return numbers({ style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(minor / 10 ** exponent(currency));
}
/** Money in ten-thousandths of its unit, as short messages are paid: ¥0.045. */
export const fineMoney = (tenThousandths: number, currency: string): string => numbers({ style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 4 }).format(tenThousandths / 10_000);
export function shortMoney(minor: number, currency: string): string {
  const major = minor / 10 ** exponent(currency);
  return Math.abs(major) < 10_000 ? money(minor, currency) : `${symbol(currency)}${short(major)}`;
}

export type Zone = string | undefined;
export const day = (at: string, zone?: Zone) => {
  // A bare day is that day everywhere.
  const bare = /^\d{4}-\d{2}-\d{2}$/.test(at);
  return dates({ year: "numeric", month: "short", day: "numeric", timeZone: bare ? "UTC" : (zone ?? "UTC") }).format(new Date(bare ? `${at}T00:00:00Z` : at));
};
export const moment = (at: string, zone?: Zone) =>
  dates({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone ?? "UTC" }).format(new Date(at));
export const timeOfDay = (at: string, zone?: Zone) => dates({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone ?? "UTC" }).format(new Date(at));
/** The time of today, the day of this year, else the whole day. */
export const brief = (at: string, zone?: Zone, now: Date = new Date()) => {
  const today = day(now.toISOString(), zone);
  if (day(at, zone) === today) return timeOfDay(at, zone);
  const yearOf = (one: Date) => dates({ year: "numeric", timeZone: zone ?? "UTC" }).format(one);
  return yearOf(new Date(at)) === yearOf(now) ? dates({ month: "short", day: "numeric", timeZone: zone ?? "UTC" }).format(new Date(at)) : day(at, zone);
};
/** How long ago, in the largest unit of which there is one. */
export function ago(seconds: number): string {
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of units) if (seconds >= size) return format.format(-Math.floor(seconds / size), unit);
  return format.format(-Math.max(0, Math.floor(seconds)), "second");
}
export const month = (at: string) => dates({ year: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${at.slice(0, 7)}-01T00:00:00Z`));

/** What people call it, in their language, else in the other, else by its id. */
export const called = (name: Named | null | undefined, id = ""): string => (language() === "zh" ? (name?.zh ?? name?.en) : (name?.en ?? name?.zh)) ?? id;
