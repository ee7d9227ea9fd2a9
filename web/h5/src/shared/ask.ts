// Asks the home: reads with a state of their own, and commands whose key stays until they were answered.
import { asking, Refusal, send, type Session } from "@zhiyin/api";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { keyOf, settle } from "./keep";

/** Whether the answer is not known, or it is not done yet: the same may be sent again with the same key, and nothing else should be. */
export const unsure = (error: unknown): boolean => error instanceof Refusal && (error.status === 0 || error.status >= 500 || error.status === 408 || error.status === 202);
/** Heard by the app: whoever was signed out is shown the door. */
export const SIGNED_OUT = "zhiyin-signed-out";
export function asRefusal(error: unknown): Refusal {
  const refusal = error instanceof Refusal ? error : new Refusal(0, "unreachable", "");
  // Without a session the home asks for a key, or says that there is no session; what is wrong at the door itself is no such news.
  if (refusal.status === 401 && !/^(sign_in|code)_/.test(refusal.code)) dispatchEvent(new Event(SIGNED_OUT));
  return refusal;
}

/** One command under a key. What is in but not decided yet (202) is thrown as such: asked again it is answered. */
export async function sendOnce<T>(path: string, body: unknown, key: string, method = "POST", give_up_ms = 20_000): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "Accept-Language": asking.language === "zh" ? "zh-CN" : "en",
        "Content-Type": "application/json",
        "X-Zhiyin-CSRF": asking.csrf,
        "Idempotency-Key": key,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(give_up_ms),
    });
  } catch {
    throw new Refusal(0, "unreachable", "");
  }
  const told = (await response.json().catch(() => undefined)) as (Record<string, unknown> & { code?: string; title?: string; field?: string; detail?: string }) | undefined;
  if (response.status === 200 && told) return told as T;
  const after = Number(response.headers.get("Retry-After"));
  throw new Refusal(response.status, told?.code ?? `http_${response.status}`, told?.title ?? "", told?.field, told?.detail, after > 0 ? after : undefined);
}

/** One command of what is `meant`: its key stays until the home said yes or no. */
export async function command<T>(meant: string, path: string, body: unknown, method = "POST"): Promise<T> {
  try {
    const answer = await sendOnce<T>(path, body, keyOf(meant), method);
    settle(meant);
    return answer;
  } catch (error) {
    // Whoever was signed out meanwhile signs in and presses again: the key is still theirs.
    if (!unsure(error) && asRefusal(error).status !== 401 && asRefusal(error).status !== 429) settle(meant);
    throw error;
  }
}

/** POST that reads (lookup, quote): nothing is changed by it, so it needs no key. */
export const ask = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> => send<T>("POST", path, body, signal);

export type Read<T> = { data: T | undefined; fault: Refusal | undefined; busy: boolean; at: number | undefined; again: () => void };
const had = new Map<string, { data: unknown; at: number }>();
/** Forgets what was read, but what is nobody's own. */
export function forgetReads(...but: readonly string[]): void {
  for (const name of [...had.keys()]) if (!but.includes(name)) had.delete(name);
}
/** What the phone kept of a read before the page was loaded: shown until it is read anew. */
export function recall(name: string, data: unknown, at: number): void {
  if (!had.has(name)) had.set(name, { data, at });
}

/** Reads and keeps: what was read before stays, with its time, when it cannot be read anew. */
export function useRead<T>(name: string | undefined, read: (signal: AbortSignal) => Promise<T>): Read<T> {
  const [, draw] = useState(0);
  const state = useRef<{ name: string | undefined; fault: Refusal | undefined; busy: boolean }>({ name: undefined, fault: undefined, busy: false });
  const reader = useRef(read);
  reader.current = read;
  const [turn, setTurn] = useState(0);
  if (state.current.name !== name) state.current = { name, fault: undefined, busy: name !== undefined };
  useEffect(() => {
    if (name === undefined) return;
    const stop = new AbortController();
    const mine = { name, fault: undefined as Refusal | undefined, busy: true };
    state.current = mine;
    draw((n) => n + 1);
    reader
      .current(stop.signal)
      .then((data) => void had.set(name, { data, at: Date.now() }))
      .catch((error: unknown) => {
        if (!stop.signal.aborted) mine.fault = asRefusal(error);
      })
      .finally(() => {
        mine.busy = false;
        if (!stop.signal.aborted) draw((n) => n + 1);
      });
    return () => stop.abort();
  }, [name, turn]);
  // What could not be read for want of a network is read when it is back.
  useEffect(() => {
    const back = () => {
      if (state.current.fault?.status === 0) setTurn((n) => n + 1);
    };
    addEventListener("online", back);
    return () => removeEventListener("online", back);
  }, []);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const kept = name === undefined ? undefined : had.get(name);
  return { data: kept?.data as T | undefined, fault: state.current.fault, busy: state.current.busy, at: kept?.at, again };
}

export async function readSession(signal?: AbortSignal): Promise<Session> {
  const session = await send<Session>("GET", "/v1/session", undefined, signal);
  asking.csrf = session.csrf;
  return session;
}
