// Offers: what the live playbook says, as sentences, changed in forms; a cart priced as a till would; what became of coupons; draws and drops as they stand.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button, Drawer, Segmented } from "antd";
import { lazy, Suspense, useEffect, useState } from "react";
import { called, whole } from "../format";
import { useCurrency, useMay, useOverview } from "../home";
import { useLive } from "../live";
import { Csv, Find, Views } from "../parts/list-tools";
import { Listed } from "../parts/listed";
import { Card, Page, Pill } from "../parts/page";
import { Asked, Bones, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords, word } from "../words";
import { Simulator } from "./offers/cart";
import { Funnel } from "./offers/funnel";
import { kindOf, offersOf, sentence, type Offer } from "./offers/sentence";

const OfferForm = lazy(() => import("./offers/form"));
const Draws = lazy(() => import("./offers/draws"));
const Codes = lazy(() => import("./offers/codes"));

export function Offers() {
  const { t } = useWords();
  const may = useMay();
  const [{ tab = "offers", offer = "" }, setAddress] = useAddress();
  const live = useLive();
  return (
    <Page
      title={t("offers.title")}
      lead={t("offers.lead")}
      actions={
        may("playbook_apply") && live.data?.source ? (
          <Button type="primary" onClick={() => setAddress({ offer: "new" })}>
            {t("offers.new")}
          </Button>
        ) : undefined
      }
    >
      <Tabs
        label={t("offers.title")}
        activeKey={tab}
        onChange={(next) => setAddress({ tab: next, sort: "", find: "", way: "", codes: "", of: "" }, { push: true })}
        items={[
          { key: "offers", label: t("offers.written"), children: <Written /> },
          ...(may("checkout") ? [{ key: "cart", label: t("offers.cart"), children: <Simulator /> }] : []),
          {
            key: "coupons",
            label: t("offers.funnel"),
            children: (
              <div className="stack">
                <Funnel />
                {may("coupons_issue_many") ? <Issues /> : null}
              </div>
            ),
          },
          ...(may("coupons_issue_many")
            ? [
                {
                  key: "codes",
                  label: t("codes.title"),
                  children: (
                    <Suspense fallback={<Bones lines={6} />}>
                      <Codes />
                    </Suspense>
                  ),
                },
              ]
            : []),
          {
            key: "draws",
            label: t("offers.draws"),
            children: (
              <Suspense fallback={<Bones lines={6} />}>
                <Draws />
              </Suspense>
            ),
          },
        ]}
      />
      <Drawer open={offer !== ""} onClose={() => setAddress({ offer: "" })} title={offer === "new" ? t("offers.new") : t("offers.one")} size={560} destroyOnHidden>
        {offer !== "" && live.data?.source ? (
          <Suspense fallback={<Bones lines={8} />}>
            <OfferForm key={offer} id={offer === "new" ? "" : offer} base={live.data.source} close={() => setAddress({ offer: "" })} />
          </Suspense>
        ) : (
          <None slim title={t("playbook.no_source")}>
            {t("playbook.no_source_say")}
          </None>
        )}
      </Drawer>
    </Page>
  );
}

function Written() {
  const { t, lang } = useWords();
  const currency = useCurrency();
  const tiers = useOverview().data?.tiers;
  const tierName = (id: string) => called(tiers?.find((one) => one.id === id)?.name, id);
  const [{ find = "", way = "all" }, setAddress] = useAddress();
  const live = useLive();
  const [found, setFound] = useState<{ offers: Offer[]; base: string | undefined }>();
  const source = live.data?.source ?? "";
  useEffect(() => {
    let current = true;
    void offersOf(source).then((read) => current && setFound(read));
    return () => {
      current = false;
    };
  }, [source]);
  const says = (row: Offer) => sentence(row, t, currency, lang, tierName);
  const columns: Column<Offer>[] = [
    {
      key: "name",
      title: t("offers.name"),
      by: (row) => called(row.name, row.id),
      text: (row) => called(row.name, row.id),
      cell: (row) => (
        <div style={{ padding: "6px 0" }}>
          <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ offer: row.id })}>
            {called(row.name, row.id)}
          </button>
          <div className="small quiet mono far">{row.id}</div>
        </div>
      ),
    },
    { key: "kind", title: t("offers.kind"), far: true, by: (row) => word("offer_kind", kindOf(row.raw)), text: (row) => word("offer_kind", kindOf(row.raw)), cell: (row) => word("offer_kind", kindOf(row.raw)) },
    { key: "says", title: t("offers.says"), text: says, cell: (row) => <span style={{ display: "block", maxWidth: 560 }}>{says(row)}</span> },
    {
      key: "lane",
      title: t("offers.lane"),
      far: true,
      by: (row) => row.lane ?? null,
      text: (row) => row.lane ?? "",
      cell: (row) => (row.lane ? <Pill tone="bare">{called(row.laneName, row.lane)}</Pill> : <span className="quiet">—</span>),
    },
    {
      key: "coupon",
      title: t("offers.way"),
      far: true,
      by: (row) => (row.coupon ? 1 : 0),
      text: (row) => (row.coupon ? t("offers.by_coupon") : t("offers.by_itself")),
      cell: (row) => <Pill tone={row.coupon ? "info" : "good"}>{row.coupon ? t("offers.by_coupon") : t("offers.by_itself")}</Pill>,
    },
  ];
  return (
    <Asked of={live}>
      {() => {
        if (!found) return <Bones />;
        const rows = found.offers.filter(
          (one) => (way === "all" || (way === "coupon") === one.coupon) && `${one.id} ${called(one.name)} ${says(one)}`.toLowerCase().includes(find.trim().toLowerCase()),
        );
        return (
          <>
            <div className="apart" style={{ marginBottom: 12 }}>
              <div className="row">
                <Find label={t("offers.find")} name="find" width={220} />
                <Segmented
                  aria-label={t("offers.way")}
                  value={way}
                  onChange={(next) => setAddress({ way: next === "all" ? "" : next })}
                  options={[
                    { value: "all", label: t("offers.every") },
                    { value: "itself", label: t("offers.by_itself") },
                    { value: "coupon", label: t("offers.by_coupon") },
                  ]}
                />
              </div>
              <div className="row">
                <Views page="offers" names={["find", "way", "sort"]} />
                <Csv name="offers" columns={columns} rows={rows} />
              </div>
            </div>
            <Card flush>
              {rows.length === 0 ? (
                <None title={found.offers.length === 0 ? t("offers.none") : t("offers.none_match")}>{found.base ? t("offers.none_own", { base: found.base }) : t("offers.none_say")}</None>
              ) : (
                <DataTable label={t("offers.title")} rows={rows} id={(row) => row.id} open={(row) => setAddress({ offer: row.id })} columns={columns} />
              )}
              {found.base ? (
                <p className="small quiet" style={{ padding: "10px 20px" }}>
                  {t("offers.and_base", { base: found.base })}
                </p>
              ) : null}
            </Card>
            {live.data ? <p className="small quiet" style={{ marginTop: 8 }}>{t("offers.of_version", { id: live.data.id, version: live.data.version })}</p> : null}
          </>
        );
      }}
    </Asked>
  );
}

function Issues() {
  const { t } = useWords();
  const issues = useQuery({ queryKey: ["issues"], queryFn: ({ signal }) => got(api.GET("/v1/coupon-issues", { signal })) });
  return (
    <Card flush title={t("offers.issues")}>
      <Asked of={issues}>
        {({ items }) =>
          items.length === 0 ? (
            <None slim title={t("offers.no_issues")}>
              {t("offers.no_issues_say")}
            </None>
          ) : (
            <Listed
              name="issues"
              finds="issue"
              label={t("offers.issues")}
              rows={items}
              id={(row) => String(row.number)}
              sorts="issues"
              columns={[
                { key: "no", title: t("offers.number"), by: (row) => row.number, text: (row) => row.number, cell: (row) => row.number },
                { key: "offer", title: t("coupons.offer"), by: (row) => row.offer, text: (row) => row.offer, cell: (row) => row.offer },
                { key: "audience", title: t("offers.audience"), far: true, text: (row) => row.audience, cell: (row) => <code className="quiet">{row.audience}</code> },
                { key: "state", title: t("coupons.state"), by: (row) => row.state, text: (row) => word("issue_state", row.state), cell: (row) => <Pill>{word("issue_state", row.state)}</Pill> },
                { key: "members", title: t("offers.members"), right: true, by: (row) => row.members, text: (row) => row.members, cell: (row) => (row.members == null ? "—" : whole(row.members)) },
                { key: "issued", title: t("coupons.issued"), right: true, by: (row) => row.issued, text: (row) => row.issued, cell: (row) => whole(row.issued) },
              ]}
            />
          )
        }
      </Asked>
    </Card>
  );
}
