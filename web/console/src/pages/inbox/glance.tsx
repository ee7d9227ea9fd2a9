// The member of a conversation at a glance: who they are, what they have, what they bought last; the whole of them is a link away.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got } from "@zhiyin/api";
import { called, money, whole } from "../../format";
import { useMay } from "../../home";
import { stageTint, tierTint, Tint, When } from "../../parts/marks";
import { Facts, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { useWords, word } from "../../words";
import { nameOf } from "../member";
import { useTalk } from "./talk";

export function Glance({ talk }: { talk: string }) {
  const { t } = useWords();
  const may = useMay();
  const member = useTalk(talk).data?.pages[0]?.conversation.member ?? undefined;
  return (
    <aside className="inbox-glance" aria-label={t("inbox.member")}>
      {member === undefined ? (
        <None slim title={t("inbox.no_member")}>
          {t("inbox.no_member_say")}
        </None>
      ) : may("member_read") ? (
        <Of id={member} />
      ) : (
        <None slim title={t("inbox.member_hidden")} />
      )}
    </aside>
  );
}

function Of({ id }: { id: string }) {
  const { t } = useWords();
  const member = useQuery({ queryKey: ["member", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}", { params: { path: { id } }, signal })) });
  return (
    <Asked of={member} bones={8}>
      {(data) => {
        const points = data.accounts.find((account) => account.asset === "points");
        const soon = data.expiries[0];
        return (
          <div className="stack">
            <div>
              <h2>
                <Link to="/members/$id" params={{ id }}>
                  {nameOf(data)}
                </Link>
              </h2>
              <div className="row small" style={{ gap: "2px 12px" }}>
                {data.tier ? <Tint color={tierTint(data.tier.level)}>{called(data.tier.name, data.tier.level)}</Tint> : null}
                {data.lifecycle ? <Tint color={stageTint(data.lifecycle.stage)}>{called(data.lifecycle.name, data.lifecycle.stage)}</Tint> : null}
              </div>
            </div>
            <Facts
              of={[
                [t("member.points"), whole(points?.shown ?? 0)],
                soon
                  ? [
                      t("inbox.expires"),
                      <span key="soon" style={{ display: "flex", flexWrap: "wrap", columnGap: 8 }}>
                        {whole(soon.points)} <When at={soon.at} only="day" />
                      </span>,
                    ]
                  : null,
                [t("member.paid"), money(data.orders.paid_minor, data.orders.currency)],
                [t("inbox.orders"), whole(data.orders.count)],
                [t("member.known_since"), <When key="since" at={data.known_since} only="day" />],
                data.store ? [t("members.store"), data.store] : null,
                data.advisor ? [t("inbox.advisor"), data.advisor] : null,
                ...data.identifiers.slice(0, 3).map(({ namespace, value }): [string, React.ReactNode] => [
                  word("namespace", namespace),
                  <span key={value} className="mono cut" style={{ display: "block" }} title={value}>
                    {value}
                  </span>,
                ]),
              ]}
            />
            {data.tags.length > 0 ? (
              <div className="row" style={{ gap: 6 }}>
                {data.tags.slice(0, 8).map((tag) => (
                  <Pill key={tag.tag} tone="bare">
                    {called(tag.name, tag.tag)}
                  </Pill>
                ))}
              </div>
            ) : null}
            <ul className="stack" style={{ gap: 4 }}>
              {(["orders", "coupons", "touches", "timeline"] as const)
                .filter((tab) => tab !== "orders" || data.orders.count > 0)
                .map((tab) => (
                  <li key={tab}>
                    <Link to="/members/$id" params={{ id }} search={{ tab }}>
                      {tab === "orders" ? t("member.orders_of", { n: whole(data.orders.count) }) : t(`member.${tab}`)} →
                    </Link>
                  </li>
                ))}
            </ul>
          </div>
        );
      }}
    </Asked>
  );
}
