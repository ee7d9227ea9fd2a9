// Small things that stand in many places: a number with the exact one behind it, a time, a tier, a member's name.
import type { ReactNode } from "react";
import { day, moment, short, whole } from "../format";
import { useZone } from "../home";

export const Short = ({ n }: { n: number }) => <span title={whole(n)}>{short(n)}</span>;

export function When({ at, only }: { at: string | null | undefined; only?: "day" }) {
  const zone = useZone();
  if (!at) return <span className="quiet">—</span>;
  return (
    <time dateTime={at} title={at.length > 10 ? moment(at, zone) : undefined} className="nowrap">
      {only === "day" || at.length === 10 ? day(at, zone) : moment(at, zone)}
    </time>
  );
}

const tints = ["var(--mute-1)", "var(--indigo)", "var(--mute-4)", "var(--celadon)"];
/** One hue for one tier everywhere: gold is gold, silver is grey-blue, others by their place. */
export function tierTint(id: string, at = 0): string {
  if (/gold/.test(id)) return "var(--gold)";
  if (/silver/.test(id)) return "var(--mute-2)";
  if (/regular|basic|member|bronze/.test(id)) return "var(--mute-1)";
  if (/diamond|black|plat/.test(id)) return "var(--indigo)";
  return tints[at % tints.length] ?? "var(--mute-1)";
}
const stageTints: Record<string, string> = {
  introduction: "var(--mute-2)",
  growth: "var(--mute-1)",
  maturity: "var(--celadon)",
  decline: "var(--gold)",
  lost: "var(--cinnabar)",
};
export const stageTint = (id: string) => stageTints[id] ?? "var(--indigo)";

export const Tint = ({ color, children }: { color: string; children: ReactNode }) => (
  <span className="row nowrap" style={{ gap: 6, flexWrap: "nowrap" }}>
    <span aria-hidden="true" style={{ width: 8, height: 8, borderRadius: 4, background: color, flex: "none" }} />
    <span className="cut">{children}</span>
  </span>
);

export const shortId = (id: string) => (id.length > 14 ? `${id.slice(0, 8)}…` : id);
