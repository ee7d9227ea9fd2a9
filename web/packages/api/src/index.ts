// Asks the home: types come from its own document, refusals come back as `Refusal` with their name and field.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

export type * from "./newer";

export type Schemas = components["schemas"];
export type { paths };

/** A refusal of the home (RFC 9457): `code` never changes its meaning, `title` is in the reader's language. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly field?: string,
    readonly detail?: string,
    /** Seconds after which it may be asked again, where the home said so. */
    readonly retryAfter?: number,
  ) {
    super(`${code}: ${title}`);
  }
}

/** What each request says of whoever asks; the console keeps it current. */
export const asking = { language: "zh", csrf: "" };

const headers = (method: string): Record<string, string> => ({
  "Accept-Language": asking.language === "zh" ? "zh-CN" : "en",
  ...(method === "GET" ? {} : { "X-Zhiyin-CSRF": asking.csrf }),
});

const says: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(headers(request.method))) request.headers.set(name, value);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", credentials: "same-origin" });
api.use(says);

async function refusal(response: Response, body: unknown): Promise<Refusal> {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof problem[name] === "string" ? (problem[name] as string) : undefined);
  const after = Number(response.headers.get("Retry-After"));
  return new Refusal(response.status, text("code") ?? `http_${response.status}`, text("title") ?? "", text("field"), text("detail"), after > 0 ? after : undefined);
}

/** The data of an answer, or its refusal thrown. */
export async function got<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answered: { data?: T; error?: unknown; response: Response };
  try {
    answered = await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "");
  }
  if (!answered.response.ok) throw await refusal(answered.response, answered.error);
  return answered.data as T;
}

/** For what the document does not name yet (sign-in, the overview). */
export async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: { ...headers(method), Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "");
  }
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === "" ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!response.ok) throw await refusal(response, parsed);
  return parsed as T;
}

/** A name that makes a command be done once, whatever is sent again. */
export const once = () => ({ header: { "Idempotency-Key": crypto.randomUUID() } });

export type Named = { zh?: string | null; en?: string | null };

/** `GET /v1/overview`, which is not in the document. Money in minor units, times RFC 3339. */
export type Overview = {
  brand: { playbook: string; version: number; hash: string; applied_at: string; timezone: string; currency: string; exponent: number };
  clock: { business_now: string; offset_seconds: number };
  as_of: string;
  members: { total: number; enrolled: number; with_orders: number };
  orders: { count: number; paid_minor: number };
  points: { outstanding: number; debt: number; worth_minor: number | null; earned: number; spent: number; expired: number };
  tiers: { id: string; name: Named; members: number; paid_minor: number }[];
  lifecycle: {
    stages: { id: string; name: Named; members: number }[];
    flow: { from: string; to: string; links: { from: string | null; to: string; members: number }[] };
  };
  weeks: { start: string; orders: number; paid_minor: number }[];
  liability: { month: string; points: number }[];
  tags: { id: string; name: Named; members: number }[];
  freshness: {
    inbox_waiting: number;
    oldest_waiting_seconds: number | null;
    last_event_at: string | null;
    dead_letters: number;
    timers_open: number;
    next_timer_at: string | null;
  };
};

/** Who is signed in, and what they may do: names of operations (docs/roles.md). */
export type Session = {
  person: { id: string; name: string; language: string; place?: string | null; staff?: string | null };
  roles: unknown[];
  permissions: string[];
  csrf: string;
  totp: boolean;
  expires_at: string;
  idle_seconds?: number;
};
