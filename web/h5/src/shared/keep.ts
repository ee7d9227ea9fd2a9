// Small things that a phone keeps, and the keys of what it meant to do: a key lives until the home answered, so that a second press, or one after
// the page was loaded anew, does nothing twice.
export function kept<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(`zhiyin.${name}`);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}
export function keep(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`zhiyin.${name}`);
    else localStorage.setItem(`zhiyin.${name}`, JSON.stringify(value));
  } catch {
    // A phone that keeps nothing forgets it with the page.
  }
}

export type Shelf = { read: () => Record<string, string>; write: (all: Record<string, string>) => void };
const own: Shelf = { read: () => kept<Record<string, string>>("keys") ?? {}, write: (all) => keep("keys", all) };
const KEYS_MAX = 50;

/** The key of what is meant: the same until `settle`. */
export function keyOf(meant: string, shelf: Shelf = own): string {
  const all = shelf.read();
  const before = all[meant];
  if (before !== undefined) return before;
  const key = crypto.randomUUID();
  shelf.write(Object.fromEntries([...Object.entries(all), [meant, key]].slice(-KEYS_MAX)));
  return key;
}
/** The home answered: what is meant next is something else. */
export function settle(meant: string, shelf: Shelf = own): void {
  const { [meant]: _, ...rest } = shelf.read();
  shelf.write(rest);
}
