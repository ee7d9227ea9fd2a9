// Views of lists that somebody saved: what a page's address said, under a name. They stay in this browser.
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

export const sameSearch = (one: Record<string, string>, other: Record<string, string>): boolean => {
  const told = (search: Record<string, string>) =>
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join("&");
  return told(one) === told(other);
};
