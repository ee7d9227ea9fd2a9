// What a simulation found, as a page shows it: the sums that say something, what the change costs, and whom it touches.
import type { Schemas } from "@zhiyin/api";

export type Simulated = Schemas["Simulated"];
export type Sum = Simulated["totals"][number];

/** The sums of which at least one side is not nothing, in the home's order. */
export const sumsOf = (found: Pick<Simulated, "totals">): Sum[] => found.totals.filter((one) => one.live !== 0 || one.changed !== 0);

const difference = (found: Pick<Simulated, "totals">, name: string): number => found.totals.find((one) => one.measure === name)?.difference ?? 0;

export type Gist = {
  /** What the change adds to what offers cost, in minor units. */
  cost: number;
  /** The same for all members, where only some were replayed. */
  cost_of_all: number | undefined;
  points: number;
  gain: number;
  lose: number;
  replayed: number;
  /** Whether the replay under the live rules arrives where the record is. */
  true_to_record: boolean;
};

export function gistOf(found: Pick<Simulated, "totals" | "groups" | "members" | "reproduced">): Gist {
  const all = found.groups.find((one) => one.by === "all");
  const cost = difference(found, "offers_cost");
  return {
    cost,
    cost_of_all: found.members.sample ? Math.round((cost * found.members.factor_thousandths) / 1000) : undefined,
    points: difference(found, "points_granted"),
    gain: all?.gain ?? 0,
    lose: all?.lose ?? 0,
    replayed: found.members.replayed,
    true_to_record: found.reproduced.equal === found.reproduced.compared,
  };
}

/** The year that ends on a day: from the same day of the year before on. */
export function yearBefore(today: string): { from: string; to: string } {
  const [year = 0, month = 1, date = 1] = today.split("-").map(Number);
  const from = new Date(Date.UTC(year - 1, month - 1, date));
  // The year before may have no 29 February.
  if (from.getUTCMonth() !== month - 1) from.setUTCDate(0);
  return { from: from.toISOString().slice(0, 10), to: today };
}

/** Whether a sample is one that the home takes: `1000`, `2.5%`; nothing is all. */
export function sampleFits(text: string): boolean {
  const said = text.trim();
  if (said === "") return true;
  if (/^\d{1,9}$/.test(said)) return Number(said) > 0;
  const share = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(said)?.[1];
  return share !== undefined && Number(share) >= 0.01 && Number(share) <= 100;
}
