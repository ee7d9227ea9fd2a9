// One transfer whole: how it stands and what comes next, who asked and why; cancelled until its member confirmed it, approved or refused by a second person.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal } from "@zhiyin/api";
import { App, Button, Popconfirm } from "antd";
import { useState } from "react";
import { money } from "../../format";
import { useMay, useSession } from "../../home";
import { shortId, When } from "../../parts/marks";
import { Facts, Pill } from "../../parts/page";
import { Bones } from "../../parts/states";
import { useWords, word } from "../../words";
import { whoIs } from "../inbox/rules";
import { Refused, saidOf } from "./refused";
import { toneOf, type Payout } from "./rules";

export default function One({ account, payout }: { account: string; payout: string }) {
  const one = useQuery({
    queryKey: ["payout", account, payout],
    queryFn: ({ signal }) => got(api.GET("/v1/payouts/{payout}", { params: { path: { payout }, query: { account } }, signal })),
    refetchInterval: 15_000,
  });
  if (one.data === undefined) return one.error ? <Refused error={one.error} retry={() => void one.refetch()} /> : <Bones lines={8} />;
  return (
    <div className="stack">
      {one.error ? <Refused error={one.error} retry={() => void one.refetch()} /> : null}
      <Whole of={one.data} />
    </div>
  );
}

function Whole({ of }: { of: Payout }) {
  const { t } = useWords();
  const may = useMay();
  const client = useQueryClient();
  const { message } = App.useApp();
  const { data: session } = useSession();
  const [busy, setBusy] = useState("");
  const own = session !== undefined && [`person:${session.person.name}`, `staff:${session.person.staff ?? ""}`].includes(of.asked_by ?? "");
  const person = useQuery({
    queryKey: ["member", of.member],
    enabled: of.member !== null && may("member_read"),
    queryFn: ({ signal }) => got(api.GET("/v1/members/{id}", { params: { path: { id: of.member ?? "" } }, signal })),
  });
  const waits = of.state === "waits_for_approval" && !of.cancel;
  // Each may be said again: the home knows what it did.
  const act = async (what: "cancel" | "approve" | "refuse", said: string) => {
    const params = { path: { payout: of.payout } };
    const body = { account: of.account };
    setBusy(what);
    try {
      if (what === "cancel") await got(api.POST("/v1/payouts/{payout}/cancel", { params, body }));
      else if (what === "approve") await got(api.POST("/v1/payouts/{payout}/approve", { params, body }));
      else await got(api.POST("/v1/payouts/{payout}/refuse", { params, body }));
      message.success(said);
    } catch (error) {
      message.error(saidOf(error) ?? (error instanceof Refusal && error.title ? error.title : t("state.wrong")));
    } finally {
      setBusy("");
      await Promise.all([client.invalidateQueries({ queryKey: ["payout"] }), client.invalidateQueries({ queryKey: ["payouts"] })]);
    }
  };
  return (
    <>
      <div className="apart">
        <strong style={{ fontSize: 24, lineHeight: "32px" }}>{money(of.amount_minor, of.currency)}</strong>
        <Pill tone={toneOf(of.state)}>{word("payout_state", of.state)}</Pill>
      </div>
      <div className="note">
        <span className="grow">
          {of.cancel && of.may_cancel === false && !["cancelled", "done", "failed", "refused"].includes(of.state) ? t("payouts.is_cancelling") : word("payout_next", of.state)}
          {of.why ? <strong> {word("payout_why", of.why)}</strong> : null}
        </span>
      </div>
      <Facts
        of={[
          [
            t("payouts.member"),
            of.member ? (
              may("member_read") ? (
                <Link key="member" to="/members/$id" params={{ id: of.member }}>
                  {person.data?.name || shortId(of.member)}
                </Link>
              ) : (
                <span key="member" className="mono">
                  {shortId(of.member)}
                </span>
              )
            ) : (
              t("payouts.by_program")
            ),
          ],
          [t("payouts.remark"), of.remark],
          of.reason ? [t("payouts.reason"), of.reason] : null,
          [t("payouts.asked_by"), whoIs(of.asked_by) || "—"],
          [t("payouts.asked_at"), <When key="at" at={of.asked_at} />],
          of.approval === null ? null : [t("payouts.approval"), t("payouts.approval_no", { no: of.approval })],
          [t("payouts.account"), of.account],
          [
            t("payouts.number"),
            <code key="number" style={{ overflowWrap: "anywhere" }}>
              {of.payout}
            </code>,
          ],
          of.platform_number
            ? [
                t("payouts.platform_number"),
                <code key="platform" style={{ overflowWrap: "anywhere" }}>
                  {of.platform_number}
                </code>,
              ]
            : null,
        ]}
      />
      {waits && own ? <p className="small quiet">{t("payouts.own")}</p> : null}
      <div className="row">
        {waits && !own ? (
          <>
            <Popconfirm title={t("payouts.approve_ask", { amount: money(of.amount_minor, of.currency) })} description={t("payouts.approve_say")} okText={t("payouts.approve")} onConfirm={() => act("approve", t("payouts.approved"))}>
              <Button type="primary" loading={busy === "approve"}>
                {t("payouts.approve")}
              </Button>
            </Popconfirm>
            <Button loading={busy === "refuse"} onClick={() => void act("refuse", t("payouts.refused"))}>
              {t("payouts.refuse")}
            </Button>
          </>
        ) : null}
        {of.may_cancel ? (
          <Popconfirm title={t("payouts.cancel_ask")} description={t("payouts.cancel_say")} okText={t("payouts.cancel")} okButtonProps={{ danger: true }} onConfirm={() => act("cancel", t("payouts.cancelled"))}>
            <Button danger loading={busy === "cancel"}>
              {t("payouts.cancel")}
            </Button>
          </Popconfirm>
        ) : null}
        {of.member ? (
          <Link to="/payouts" search={{ member: of.member }}>
            {t("payouts.others")}
          </Link>
        ) : null}
      </div>
    </>
  );
}
