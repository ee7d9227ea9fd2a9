// What the home answers to a member (`/v1/me…`). Money in minor units, points whole, instants RFC 3339, days `YYYY-MM-DD`.
// What may be missing is read as if it were: a page of an older or newer home shows less, and never breaks.
import type { Named } from "@zhiyin/api";

export type Way = "phone" | "wechat";
export type Door = {
  ways: readonly Way[];
  currency?: string | null;
  exponent?: number | null;
  /** `timezone`: the zone by which the brand's days begin; without it, the phone's. */
  brand?: { name?: Named | null; timezone?: string | null } | null;
  /** Where WeChat's way in begins, where there is one. */
  wechat_url?: string | null;
};
export type CodeSent = { again_in: number; good_for: number };
export type Session = { csrf: string; joined: boolean; fresh_until?: string | null; expires_at?: string | null };

export type Attributes = Partial<Record<"name" | "nickname" | "birthday" | "gender" | "city" | "language", string | null>>;
export type Level = { level: string; name?: Named | null; from: number; /** What one has by it. */ benefits?: readonly Named[] | null };
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
  /** Where they belong. */
  store_name?: Named | null;
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
/** `event`: what moved them, by its name; empty, where it was the clock. */
export type Moved = { at: string; kind: string; points: number; event?: string | null };
export type Lot = { remaining: number; expires_at?: string | null };
/** `quantity` and `amount` are exact decimals, the latter in major units. */
export type Line = { product: string; name?: string | null; quantity: string; amount?: string | null };
export type Order = { id: string; number?: string | null; at: string; store?: string | null; store_name?: Named | null; status: string; paid_minor: number; refunded_minor?: number | null; currency: string; points?: number | null; lines?: readonly Line[] | null };
export type Offer = {
  offer: string;
  name?: Named | null;
  about?: Named | null;
  /** `chance`: one of a draw; else a coupon, or a gift that is one. */
  kind?: string | null;
  points: number;
  opens?: string | null;
  closes?: string | null;
  left?: number | null;
  state: string;
  missing?: number | null;
};
export type Claimed = { codes?: readonly string[] | null; points?: number | null };
export type Draw = { draw: string; name?: Named | null; state: string; entry?: string | null; chances: number; fate?: string | null; prize?: string | null; alternate?: number | null };
/** By what WeChat is asked to have its person confirm a transfer, in the app of this id only. */
export type Confirm = { mchid: string; sub_mchid?: string | null; appid: string; package: string };
/** Money that the brand sent. `state`: `to_confirm`, `under_way`, `received`, `over`. */
export type Payout = { payout: string; amount_minor: number; currency: string; remark: string; state: string; at: string; confirm?: Confirm | null };
export type Purpose = {
  purpose: string;
  name?: Named | null;
  channels: readonly { channel: string; name?: Named | null; allowed: boolean; since?: string | null }[];
  version?: string | null;
  /** Whether nothing is done without a yes. */
  needed?: boolean | null;
  text?: Named | null;
};
export type Seen = {
  /** `shows`: `full`, `masked`, `hidden`; `whom`: `all`, `subtree`, `mine`, `own_place`. */
  roles?: readonly { role: string; name?: Named | null; shows: string; whom?: string | null }[] | null;
  /** `who`: `member`, `staff`, `person`, `key`, `system`. */
  items?: readonly { at: string; role: string; who: string; operation: string }[] | null;
};
export type Paged<T> = { items: readonly T[]; next?: string | null };
