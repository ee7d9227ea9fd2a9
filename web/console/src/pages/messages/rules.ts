// What messages are made of, free of a page.

/** A text for both languages, or in each. */
export const both = (value: unknown): { zh?: string; en?: string } => (typeof value === "string" ? { zh: value, en: value } : typeof value === "object" && value !== null ? (value as { zh?: string; en?: string }) : {});

/** Signs a short message may have (docs/connect-sms.md). */
export const SMS_MOST = 500;
/** Fields a template may have. */
export const FIELDS_MOST = 20;

/** As how many a short message is billed within mainland China, before its signature and what variables fill in: 70 signs are one, longer ones count 67 each. */
export function partsOf(text: string): number {
  const signs = text.length;
  return signs === 0 ? 0 : signs <= 70 ? 1 : Math.ceil(signs / 67);
}
