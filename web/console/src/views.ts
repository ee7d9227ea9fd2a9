// Views of lists: what a page's address said, under a name. The home keeps them, one's own and those for all who see the page; a home that keeps none
// leaves them in this browser, and whatever lies there is handed to a home that does.
import { Refusal, send, type SavedView } from "@zhiyin/api";

export type View = { name: string; search: Record<string, string> };

const MOST = 20;
const keyOf = (page: string) => `zhiyin.views.${page}`;

export function viewsOf(page: string): View[] {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(page)) ?? "[]") as unknown;
    if (!Array.isArray(kept)) return [];
    return kept.filter((one): one is View => typeof one?.name === "string" && typeof one?.search === "object" && one.search !== null).slice(0, MOST);
  } catch {
    return [];
  }
}

/** Saved under its name, in place of one of that name; the latest first. */
export function saveView(page: string, view: View): View[] {
  const next = [view, ...viewsOf(page).filter((one) => one.name !== view.name)].slice(0, MOST);
  localStorage.setItem(keyOf(page), JSON.stringify(next));
  return next;
}

export function dropView(page: string, name: string): View[] {
  const next = viewsOf(page).filter((one) => one.name !== name);
  localStorage.setItem(keyOf(page), JSON.stringify(next));
  return next;
}

const told = (search: Record<string, string>): [string, string][] =>
  Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
export const sameSearch = (one: Record<string, string>, other: Record<string, string>): boolean => queryOf(one) === queryOf(other);
/** As the home keeps it: `sort=-points&tier=gold`. */
export const queryOf = (search: Record<string, string>): string => new URLSearchParams(told(search)).toString();
export const searchOf = (query: string): Record<string, string> => Object.fromEntries(new URLSearchParams(query));

const keep = (page: string, name: string, query: string, shared: boolean) => send<SavedView>("PUT", "/v1/views", { page, name, query, shared });

/** What the home keeps of a page; nothing where it keeps no views, or none of this page. */
export async function keptViews(page: string, signal?: AbortSignal): Promise<SavedView[] | undefined> {
  const list = () => send<{ items: SavedView[] }>("GET", `/v1/views?page=${encodeURIComponent(page)}`, undefined, signal);
  let items: SavedView[];
  try {
    items = (await list()).items;
  } catch (error) {
    if (error instanceof Refusal && (error.status === 404 || error.code === "view_page_unknown")) return undefined;
    throw error;
  }
  const here = viewsOf(page);
  if (here.length === 0) return items;
  // What lay in this browser goes where it is found from every other; what the home has under that name stays.
  const own = new Set(items.filter((one) => one.mine && !one.shared).map((one) => one.name));
  for (const view of here) {
    if (!own.has(view.name)) await keep(page, view.name, queryOf(view.search), false);
    dropView(page, view.name);
  }
  return (await list()).items;
}

export const keepView = keep;
export const forgetView = (view: string) => send<{ dropped: boolean }>("DELETE", `/v1/views/${encodeURIComponent(view)}`, {});
