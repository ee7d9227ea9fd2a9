// One member whole: who they are, what they have, how they moved, what was said to them and what was not, and why.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer } from "antd";
import { Menu } from "../parts/menu";
import { lazy, Suspense, useState } from "react";
import { called, money, share, whole } from "../format";
import { useMay } from "../home";
import { stageTint, tierTint, Tint, When } from "../parts/marks";
import { isMasked } from "../parts/masked";
import { Figures, Page } from "../parts/page";
import { Asked, Bones } from "../parts/states";
import { Tabs } from "../parts/tabs";
import { Masked } from "../parts/unmask";
import { useAddress } from "../router";
import { useWords, word } from "../words";
import { Adjust } from "./member/adjust";
import { Coupons, Lots, Orders } from "./member/has";
import { Profile } from "./member/profile";
import { Timeline } from "./member/timeline";
import { Touches } from "./member/touches";

const Merge = lazy(() => import("./member/join").then((page) => ({ default: page.Merge })));
const Part = lazy(() => import("./member/join").then((page) => ({ default: page.Part })));

export type Whole = Schemas["MemberView"];

export function Member() {
  const { t } = useWords();
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const may = useMay();
  const [{ tab = "profile", act = "" }, setAddress] = useAddress();
  const navigate = useNavigate();
  const [adjusting, setAdjusting] = useState(false);
  const member = useQuery({ queryKey: ["member", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}", { params: { path: { id } }, signal })) });
  const data = member.data;
  const title = data ? nameOf(data) : t("member.title");
  return (
    <Page
      title={data?.name && isMasked(data.name) ? <Masked member={id} field="name" value={data.name} /> : title}
      back={{ to: "/members", label: t("members.title") }}
      lead={
        data ? (
          <span className="row" style={{ gap: "2px 16px", marginTop: 2 }}>
            {data.tier ? <Tint color={tierTint(data.tier.level)}>{called(data.tier.name, data.tier.level)}</Tint> : null}
            {data.lifecycle ? <Tint color={stageTint(data.lifecycle.stage)}>{called(data.lifecycle.name, data.lifecycle.stage)}</Tint> : null}
            <span>
              {t("member.known_since")} <When at={data.known_since} only="day" />
            </span>
            {data.store ? <span>{t("member.of_store", { store: data.store })}</span> : null}
            {data.advisor ? <span>{t("member.of_advisor", { advisor: data.advisor })}</span> : null}
          </span>
        ) : undefined
      }
      actions={
        data ? (
          <>
            {may("points_adjust") ? <Button onClick={() => setAdjusting(true)}>{t("member.adjust")}</Button> : null}
            {may("member_merge") || may("member_unmerge") || may("payouts_make") ? (
              <Menu
                items={[
                    ...(may("payouts_make") ? [{ key: "payout", label: t("payouts.make"), onClick: () => void navigate({ to: "/payouts", search: { payout: "new", member: id } }) }] : []),
                    ...(may("member_merge") ? [{ key: "merge", label: t("join.title"), onClick: () => setAddress({ act: "merge" }) }] : []),
                    ...(may("member_unmerge") ? [{ key: "part", label: t("join.part_title"), onClick: () => setAddress({ act: "part" }) }] : []),
                ]}
              >
                <Button>{t("join.more")} ▾</Button>
              </Menu>
            ) : null}
          </>
        ) : undefined
      }
    >
      <Asked of={member} bones={8} height={24}>
        {(data) => (
          <>
            <Head data={data} />
            <Tabs
              label={t("member.title")}
              activeKey={tab}
              onChange={(next) => setAddress({ tab: next, find: "", sort: "" }, { push: true })}
              items={[
                { key: "profile", label: t("member.profile"), children: <Profile data={data} /> },
                { key: "timeline", label: t("member.timeline"), children: <Timeline id={id} /> },
                ...(may("orders_read") ? [{ key: "orders", label: t("member.orders_of", { n: whole(data.orders.count) }), children: <Orders id={id} /> }] : []),
                { key: "lots", label: t("member.lots"), children: <Lots id={id} data={data} /> },
                { key: "coupons", label: t("member.coupons"), children: <Coupons id={id} /> },
                { key: "touches", label: t("member.touches"), children: <Touches id={id} /> },
              ]}
            />
            {adjusting ? <Adjust id={id} close={() => setAdjusting(false)} /> : null}
            <Drawer open={act !== ""} onClose={() => setAddress({ act: "" })} title={act === "part" ? t("join.part_title") : t("join.title")} size={620} destroyOnHidden>
              <Suspense fallback={<Bones lines={6} />}>
                {act === "merge" ? (
                  <Merge data={data} close={(to) => (to ? void navigate({ to: "/members/$id", params: { id: to } }) : setAddress({ act: "" }))} />
                ) : act === "part" ? (
                  <Part data={data} close={() => setAddress({ act: "" })} />
                ) : null}
              </Suspense>
            </Drawer>
          </>
        )}
      </Asked>
    </Page>
  );
}

export const nameOf = (data: Whole) => {
  const first = data.identifiers[0];
  return data.name ?? (first ? `${word("namespace", first.namespace)} ${first.value}` : data.id.slice(0, 8));
};

function Head({ data }: { data: Whole }) {
  const { t } = useWords();
  const points = data.accounts.find((account) => account.asset === "points");
  const soon = data.expiries[0];
  const tier = data.tier;
  const average = data.orders.count > 0 ? Math.round(data.orders.paid_minor / data.orders.count) : 0;
  return (
    <Figures
      of={[
        {
          label: t("member.points"),
          value: whole(points?.shown ?? 0),
          note: [
            points && points.pending > 0 ? t("member.pending", { n: whole(points.pending) }) : "",
            points && points.held > 0 ? t("member.held", { n: whole(points.held) }) : "",
            points && points.debt > 0 ? t("member.debt", { n: whole(points.debt) }) : "",
          ]
            .filter(Boolean)
            .join(t("list_comma")) || (soon ? <>{t("member.first_expire", { n: whole(soon.points) })} <When at={soon.at} only="day" /></> : t("member.none_expire")),
        },
        {
          label: t("member.tier"),
          value: tier ? called(tier.name, tier.level) : "—",
          note: tier
            ? tier.next
              ? t("member.to_next", { n: whole(tier.next.growth_missing), level: called(tier.next.name, tier.next.level) })
              : t("member.top_tier")
            : t("member.no_tier"),
        },
        {
          label: t("member.paid"),
          value: money(data.orders.paid_minor, data.orders.currency),
          note: t("member.orders_note", { n: whole(data.orders.count), each: money(average, data.orders.currency) }),
        },
        {
          label: t("member.last_seen"),
          value: data.touches.last ? <When at={data.touches.last.at} only="day" /> : "—",
          note: data.touches.last ? called(data.touches.last.name, data.touches.last.touchpoint) : t("member.never_seen"),
        },
      ]}
    />
  );
}

export const part = (have: number, need: number) => share(Math.min(1, need === 0 ? 1 : have / need), 1, 0);
