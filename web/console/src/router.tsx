// Where each page lies. Pages are loaded when they are gone to; the address holds the whole state of a page.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { Frame } from "./frame/frame";
import { Missing } from "./frame/missing";

const root = createRootRoute({ component: Frame, notFoundComponent: Missing });
type Search = Record<string, string>;
const validateSearch = (search: Record<string, unknown>): Search => Object.fromEntries(Object.entries(search).map(([name, value]) => [name, String(value)]));

const routes = [
  createRoute({ getParentRoute: () => root, path: "/", validateSearch, component: lazyRouteComponent(() => import("./pages/overview"), "Overview") }),
  createRoute({ getParentRoute: () => root, path: "/members", validateSearch, component: lazyRouteComponent(() => import("./pages/members"), "Members") }),
  createRoute({ getParentRoute: () => root, path: "/members/$id", validateSearch, component: lazyRouteComponent(() => import("./pages/member"), "Member") }),
  createRoute({ getParentRoute: () => root, path: "/audiences", validateSearch, component: lazyRouteComponent(() => import("./pages/audiences"), "Audiences") }),
  createRoute({ getParentRoute: () => root, path: "/offers", validateSearch, component: lazyRouteComponent(() => import("./pages/offers"), "Offers") }),
  createRoute({ getParentRoute: () => root, path: "/campaigns", validateSearch, component: lazyRouteComponent(() => import("./pages/campaigns"), "Campaigns") }),
  createRoute({ getParentRoute: () => root, path: "/campaigns/$id", validateSearch, component: lazyRouteComponent(() => import("./pages/campaign"), "Campaign") }),
  createRoute({ getParentRoute: () => root, path: "/inbox", validateSearch, component: lazyRouteComponent(() => import("./pages/inbox"), "Inbox") }),
  createRoute({ getParentRoute: () => root, path: "/messages", validateSearch, component: lazyRouteComponent(() => import("./pages/messages"), "Messages") }),
  createRoute({ getParentRoute: () => root, path: "/spread", validateSearch, component: lazyRouteComponent(() => import("./pages/spread"), "Spread") }),
  createRoute({ getParentRoute: () => root, path: "/books", validateSearch, component: lazyRouteComponent(() => import("./pages/books"), "Books") }),
  createRoute({ getParentRoute: () => root, path: "/payouts", validateSearch, component: lazyRouteComponent(() => import("./pages/payouts"), "Payouts") }),
  createRoute({ getParentRoute: () => root, path: "/approvals", validateSearch, component: lazyRouteComponent(() => import("./pages/approvals"), "Approvals") }),
  createRoute({ getParentRoute: () => root, path: "/audit", validateSearch, component: lazyRouteComponent(() => import("./pages/audit"), "Audit") }),
  createRoute({ getParentRoute: () => root, path: "/playbook", validateSearch, component: lazyRouteComponent(() => import("./pages/playbook"), "Playbook") }),
  createRoute({ getParentRoute: () => root, path: "/settings", validateSearch, component: lazyRouteComponent(() => import("./pages/settings"), "Settings") }),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: "/console",
  defaultPreload: "intent",
  scrollRestoration: true,
  // Plain words in the address: `?tier=gold`, never JSON.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(Object.entries(search as Search).filter(([, value]) => value !== undefined && value !== "")).toString();
    return text === "" ? "" : `?${text}`;
  },
});
declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** The state of a page as its address holds it, and how to change some of it. */
export function useAddress(): [Search, (change: Search, how?: { push?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (next: Search, how?: { push?: boolean }) => {
      void navigate({ to: ".", search: ((old: Search) => ({ ...old, ...next })) as never, replace: !how?.push });
    },
    [navigate],
  );
  return [search, change];
}
