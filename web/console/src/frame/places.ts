// The pages of the rail, and by which of someone's operations they see each.
import type { IconName } from "./icons";

export type Place = { to: string; name: IconName & ("overview" | "members" | "audiences" | "offers" | "campaigns" | "inbox" | "messages" | "spread" | "books" | "payouts" | "approvals" | "audit" | "playbook" | "settings"); any: string[] };

export const places: { group: "work" | "account" | "rules"; places: Place[] }[] = [
  {
    group: "work",
    places: [
      { to: "/", name: "overview", any: ["reports_read"] },
      { to: "/members", name: "members", any: ["member_list", "member_lookup"] },
      { to: "/audiences", name: "audiences", any: ["reports_read"] },
      { to: "/offers", name: "offers", any: ["playbook_read"] },
      { to: "/campaigns", name: "campaigns", any: ["campaigns_manage"] },
      { to: "/inbox", name: "inbox", any: ["inbox_read"] },
      { to: "/messages", name: "messages", any: ["campaigns_manage"] },
      { to: "/spread", name: "spread", any: ["campaigns_manage", "contacts_hand_over", "reports_read"] },
    ],
  },
  {
    group: "account",
    places: [
      { to: "/books", name: "books", any: ["reports_read"] },
      { to: "/payouts", name: "payouts", any: ["payouts_make"] },
      { to: "/approvals", name: "approvals", any: ["points_adjust", "coupons_issue_many"] },
      { to: "/audit", name: "audit", any: ["audit_read"] },
    ],
  },
  {
    group: "rules",
    places: [
      { to: "/playbook", name: "playbook", any: ["playbook_read"] },
      // Everybody has a password of their own to look after.
      { to: "/settings", name: "settings", any: [] },
    ],
  },
];

export const allowed = (may: (operation: string) => boolean) =>
  places
    .map(({ group, places }) => ({ group, places: places.filter(({ any }) => any.length === 0 || any.some(may)) }))
    .filter(({ places }) => places.length > 0);
