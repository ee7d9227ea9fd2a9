// What the home answers to a member (`/v1/me…`). Money in minor units, points whole, instants RFC 3339, days `YYYY-MM-DD`.
// What may be missing is read as if it were: a page of an older or newer home shows less, and never breaks.
import type { Named } from "@zhiyin/api";

export type Way = "phone" | "wechat";
export type Door = {
  /** `timezone`: the zone by which the brand's days begin; without it, the phone's. */
  brand: { name?: Named | null; currency: string; exponent?: number; timezone?: string | null };
  ways: readonly Way[];
  wechat_url?: string | null;
};
export type CodeSent = { again_in: number; good_for: number };
export type Session = { csrf: string; joined: boolean; fresh_until?: string | null; expires_at?: string | null };

export type Attributes = Partial<Record<"name" | "nickname" | "birthday" | "gender" | "city" | "language", string | null>>;
export type Level = { level: string; name?: Named | null; from: number };
export type Tier = {
  level: string;
  name?: Named | null;
  /** The day at whose beginning the term ends. */
  ends?: string | null;
  growth: number;
  next?: { level: string; name?: Named | null; growth_needed: number; growth_missing: number } | null;
  /** `by`: the last day on which it can be earned. */
  keep?: { growth_needed: number; growth_missing: number; by: string } | null;
  lapses?: { day: string; growth: number } | null;
};
export type Points = { shown: number; pending?: number; held?: number; debt?: number; worth_minor?: number | null; expiries?: readonly { at: string; points: number }[] | null };
export type Me = {
  id: string;
  name?: string | null;
  /** As it may be read over a shoulder: `139****5678`. */
  phone?: string | null;
  card?: string | null;
  joined_at?: string | null;
  attributes?: Attributes | null;
  tier?: Tier | null;
  levels?: readonly Level[] | null;
  points: Points;
  coupons: number;
  offers: number;
};

export type PassGiven = { pass: string; until?: string | null };
export type Coupon = {
  id: string;
  code: string;
  offer: string;
  name?: Named | null;
  about?: Named | null;
  state: string;
  usable: boolean;
  why?: string | null;
  valid_from?: string | null;
  /** From when on it cannot be used. */
  valid_until?: string | null;
  partner_code?: string | null;
};
export type Moved = { at: string; kind: string; points: number; what?: Named | null };
export type Lot = { points: number; expires_at?: string | null };
export type Order = {
  id: string;
  number?: string | null;
  at: string;
  store?: string | null;
  paid_minor: number;
  currency?: string | null;
  state: string;
  items?: readonly { product: string; name?: string | null; quantity: number; paid_minor: number }[] | null;
};
export type Offer = {
  offer: string;
  name?: Named | null;
  about?: Named | null;
  kind: string;
  points: number;
  opens?: string | null;
  closes?: string | null;
  left?: number | null;
  yours?: number | null;
  state: string;
  missing?: number | null;
};
export type Claimed = { codes?: readonly string[] | null; points?: number | null };
export type Draw = { draw: string; name?: Named | null; state: string; entry?: string | null; chances: number; fate?: string | null; prize?: string | null; alternate?: number | null };
export type Purpose = {
  purpose: string;
  name?: Named | null;
  channels: readonly { channel: string; name?: Named | null; allowed: boolean; since?: string | null }[];
  version?: string | null;
  text?: Named | null;
};
export type Seen = {
  roles?: readonly { role: string; name?: Named | null; shows: string }[] | null;
  items?: readonly { at: string; role: string; who: string; operation: string; name?: Named | null }[] | null;
};
export type Paged<T> = { items: readonly T[]; cursor?: string | null };
