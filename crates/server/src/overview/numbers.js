// Numbers, money, shares, days and spans as people of each language write them.
const locale = language === "en" ? "en-US" : "zh-CN";
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
// From the largest: what one stands for, and its sign. Below 10,000 a number is written out.
const UNITS = language === "en" ? [[1e9, "B"], [1e6, "M"], [1e3, "K"]] : [[1e8, " 亿"], [1e4, " 万"]];

const exact = (n) => whole.format(n);
const oneTenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = (part, all) => (part && all ? `${oneTenth.format((part / all) * 100)}%` : "0%");

// 32K or 3.2 万. Rounded first, so that 999,960 is 1M and not 1000K.
function compact(n) {
  if (Math.abs(n) < 1e4) return exact(Math.round(n));
  for (const [size, sign] of UNITS) {
    const shown = Math.round((Math.abs(n) / size) * 10) / 10;
    if (shown >= 1) return `${n < 0 ? "−" : ""}${tenth.format(shown)}${sign}`;
  }
  return exact(n);
}

// Money comes in minor units; the brand says its currency and how many decimals it has.
function currencyOf(brand) {
  const exponent = brand ? brand.exponent : 2;
  const form = { minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  const style = brand ? { style: "currency", currency: brand.currency, currencyDisplay: "narrowSymbol" } : {};
  const format = new Intl.NumberFormat(locale, { ...style, ...form });
  const sign = brand ? format.formatToParts(0).find((part) => part.type === "currency").value : "";
  const major = (minor) => minor / 10 ** exponent;
  return {
    unit: 10 ** exponent,
    exact: (minor) => format.format(major(minor)),
    compact: (minor) => {
      const n = major(minor);
      return Math.abs(n) < 1e4 ? format.format(n) : `${n < 0 ? "−" : ""}${sign}${compact(Math.abs(n))}`;
    },
    // For axes, where the cents of a round number say nothing.
    round: (minor) => `${sign}${compact(major(minor))}`,
  };
}

// 2018-01-01 04:01 in the brand's zone.
function clockOf(zone) {
  const options = { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const format = new Intl.DateTimeFormat("en-GB", options);
  return (instant) => {
    const part = Object.fromEntries(format.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]));
    return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
  };
}

// A span in its largest sensible unit.
function span(seconds) {
  const s = Math.abs(seconds);
  if (s >= 2 * 86400) return say("days", { n: Math.floor(s / 86400) });
  if (s >= 2 * 3600) return say("hours", { n: Math.floor(s / 3600) });
  if (s >= 120) return say("minutes", { n: Math.floor(s / 60) });
  return say("seconds", { n: s });
}

const dayNumber = (day) => Date.parse(`${day}T00:00:00Z`) / 864e5;
const EN_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
// "3 月" or "Mar", of a day or a month.
function monthName(day) {
  const month = Number(day.slice(5, 7));
  return language === "en" ? EN_MONTHS[month - 1] : `${month} 月`;
}
// "2018 年 12 月" or "Dec 2018".
function monthOfYear(month) {
  if (month === null) return say("never");
  return language === "en" ? `${monthName(month)} ${month.slice(0, 4)}` : `${month.slice(0, 4)} 年 ${monthName(month)}`;
}
