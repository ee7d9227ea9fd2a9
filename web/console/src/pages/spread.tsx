// How the brand spreads: short links and their codes, posters, what staff publish, customers handed over, and what passes with partners.
import { lazy, Suspense, type ReactNode } from "react";
import { useMay } from "../home";
import { Page } from "../parts/page";
import { Bones, None } from "../parts/states";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords } from "../words";

const Links = lazy(() => import("./spread/links"));
const Posters = lazy(() => import("./spread/posters"));
const Posts = lazy(() => import("./spread/posts"));
const Transfers = lazy(() => import("./spread/transfers"));
const Partners = lazy(() => import("./spread/partners"));
const CLEAR = { find: "", sort: "", link: "", poster: "", post: "", transfer: "", partner: "", page: "", state: "", account: "", day: "" };

export function Spread() {
  const { t } = useWords();
  const may = useMay();
  const [{ tab = "" }, setAddress] = useAddress();
  const later = (children: ReactNode) => <Suspense fallback={<Bones lines={8} />}>{children}</Suspense>;
  const items = [
    ...(may("campaigns_manage") ? [{ key: "links", label: t("links.title"), children: later(<Links />) }] : []),
    ...(may("member_read") && may("playbook_read") ? [{ key: "posters", label: t("posters.title"), children: later(<Posters />) }] : []),
    ...(may("campaigns_manage") ? [{ key: "posts", label: t("posts.title"), children: later(<Posts />) }] : []),
    ...(may("contacts_hand_over") ? [{ key: "transfers", label: t("transfers.title"), children: later(<Transfers />) }] : []),
    ...(may("reports_read") ? [{ key: "partners", label: t("partners.title"), children: later(<Partners />) }] : []),
  ];
  return (
    <Page wide title={t("spread.title")} lead={t("spread.lead")}>
      {items.length === 0 ? <None title={t("state.forbidden_say")} /> : <Tabs label={t("spread.title")} activeKey={tab} onChange={(next) => setAddress({ ...CLEAR, tab: next }, { push: true })} items={items} />}
    </Page>
  );
}
