// Money in minor units, numbers and instants as the reader's language writes them.
import { language } from "./words";

const locale = () => (language() === "zh" ? "zh-CN" : "en-US");

export const digits = (currency: string): number => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
export const money = (minor: number, currency: string): string =>
  new Intl.NumberFormat(locale(), { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(minor / 10 ** digits(currency));
export const whole = (n: number): string => new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(n);
export const moment = (at: string | number, zone?: string): string =>
  new Intl.DateTimeFormat(locale(), { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}) }).format(new Date(at));
export const day = (at: string, zone?: string): string =>
  new Intl.DateTimeFormat(locale(), { year: "numeric", month: "short", day: "numeric", timeZone: /^\d{4}-\d{2}-\d{2}$/.test(at) ? "UTC" : (zone ?? "UTC") }).format(new Date(at));
export const called = (name: { zh?: string | null; en?: string | null } | null | undefined, id = ""): string =>
  (language() === "zh" ? (name?.zh ?? name?.en) : (name?.en ?? name?.zh)) ?? id;

/** What somebody typed as minor units; nothing, where it is no amount of at most a million. Full-width digits count as well. */
export function minor(typed: string, currency: string): number | undefined {
  const plain = typed.normalize("NFKC").replaceAll(/[\s,]/g, "");
  const places = digits(currency);
  if (!new RegExp(`^\\d{1,7}(\\.\\d{0,${places}})?$`).test(plain)) return undefined;
  const [major = "0", rest = ""] = plain.split(".");
  const amount = Number(major) * 10 ** places + Number(rest.padEnd(places, "0") || "0");
  return amount > 0 && amount <= 1_000_000 * 10 ** places ? amount : undefined;
}
