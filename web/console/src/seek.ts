// Finds members by anything: a name, or whatever they may be called by somewhere.
import { api, got, Refusal, type Schemas } from "@zhiyin/api";

export type Found = { id: string; name?: string | null; tier?: string | null; points: number; by: string };

/** The namespaces that what was typed may be of; who says one (`card:1001`) means that one. */
export function readings(text: string, known: readonly string[]): { namespace: string; value: string }[] {
  const typed = text.trim();
  const said = /^([a-z][a-z0-9_.-]{0,31}):(.+)$/i.exec(typed);
  if (said?.[1] && said[2]) return [{ namespace: said[1], value: said[2].trim() }];
  if (typed.includes("@")) return [{ namespace: "email", value: typed }];
  const digits = typed.replaceAll(/[\s+()-]/g, "");
  const others = known.filter((namespace) => !["phone", "email"].includes(namespace));
  if (/^\d{8,15}$/.test(digits)) return [{ namespace: "phone", value: typed }, ...others.map((namespace) => ({ namespace, value: typed }))];
  if (/\d/.test(typed) && !/\s/.test(typed)) return [...new Set(["user", "card", ...others])].map((namespace) => ({ namespace, value: typed }));
  return [];
}

/** Whether the home takes it as how a name begins: it has a letter, and is no longer than names are. */
export const isName = (text: string) => /\p{L}/u.test(text) && text.trim().length <= 60 && text.trim().split(/\s+/).length <= 6 && !/[@:]/.test(text) && !isId(text);

export const isId = (text: string) => /^[0-9a-f]{32}$/.test(text.trim());

export async function lookUp(text: string, known: readonly string[], signal?: AbortSignal): Promise<Found[]> {
  const asked = isId(text) ? [{ id: text.trim() }] : readings(text, known).slice(0, 6);
  const found = await Promise.all(
    asked.map(async (member) => {
      try {
        const brief = await got(api.POST("/v1/commands/members/lookup", { body: { member }, ...(signal ? { signal } : {}) }));
        const by = "namespace" in member ? `${member.namespace}: ${member.value}` : "";
        return { id: brief.id, name: brief.name ?? null, tier: brief.tier ?? null, points: brief.points.shown, by };
      } catch (error) {
        // Nobody is called so, or it cannot be a name of that kind: then it was meant otherwise.
        if (error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429) return undefined;
        throw error;
      }
    }),
  );
  const seen = new Set<string>();
  return found.filter((one): one is Found & { name: string | null; tier: string | null } => one !== undefined && !seen.has(one.id) && Boolean(seen.add(one.id)));
}

export const byName = (name: string, limit: number, signal?: AbortSignal) =>
  got(api.GET("/v1/members", { params: { query: { name, limit } }, ...(signal ? { signal } : {}) }));

export type MemberRow = Schemas["Page"]["items"][number];
