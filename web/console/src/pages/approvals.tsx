// What one person does not decide alone: asked by somebody, answered by somebody else.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Popconfirm, Segmented } from "antd";
import { signed, whole } from "../format";
import { useMay, useSession } from "../home";
import { When } from "../parts/marks";
import { Card, Page, Pill } from "../parts/page";
import { Asked, None } from "../parts/states";
import { useAddress } from "../router";
import { useWords, word } from "../words";

type Request = Schemas["Requests"]["items"][number];

export function Approvals() {
  const { t } = useWords();
  const may = useMay();
  const [{ state = "open" }, setAddress] = useAddress();
  const requests = useQuery({ queryKey: ["approvals"], queryFn: ({ signal }) => got(api.GET("/v1/approvals", { signal })), refetchInterval: 30_000 });
  return (
    <Page title={t("approvals.title")} lead={t("approvals.lead")}>
      <Asked of={requests}>
        {({ items }) => {
          const shown = items.filter((one) => state === "all" || (state === "open" ? one.state === "open" : one.state !== "open"));
          return (
            <div className="stack">
              <div className="row">
                <Segmented
                  aria-label={t("approvals.state")}
                  value={state}
                  onChange={(next) => setAddress({ state: next })}
                  options={(["open", "answered", "all"] as const).map((value) => ({ value, label: t(`approvals.${value}`) }))}
                />
                {may("payouts_make") ? (
                  <Link to="/payouts" search={{ state: "waits_for_approval" }}>
                    {t("approvals.payouts")}
                  </Link>
                ) : null}
              </div>
              {shown.length === 0 ? (
                <Card>
                  <None title={state === "open" ? t("approvals.none_open") : t("approvals.none")}>{t("approvals.none_say")}</None>
                </Card>
              ) : (
                shown.map((one) => <One key={one.no} request={one} />)
              )}
            </div>
          );
        }}
      </Asked>
    </Page>
  );
}

function One({ request }: { request: Request }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const { data } = useSession();
  const asked = request.request as Record<string, unknown>;
  const own = data !== undefined && [`person:${data.person.name}`, `staff:${data.person.staff ?? ""}`].includes(request.asked_by);
  const answer = async (yes: boolean) => {
    const params = { path: { no: String(request.no) } };
    try {
      if (yes) await got(api.POST("/v1/approvals/{no}/approve", { params, body: {} as never }));
      else await got(api.POST("/v1/approvals/{no}/refuse", { params, body: {} as never }));
      message.success(yes ? t("approvals.approved") : t("approvals.refused"));
      await client.invalidateQueries();
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  const member = typeof asked.member === "string" ? asked.member : undefined;
  const amount = typeof asked.amount === "number" ? asked.amount : undefined;
  return (
    <Card>
      <div className="apart" style={{ alignItems: "flex-start" }}>
        <div className="stack tight grow" style={{ gap: 4 }}>
          <div className="row">
            <span className="quiet">№ {request.no}</span>
            <strong>{word("operation", request.operation)}</strong>
            {amount !== undefined ? <strong className={amount < 0 ? "danger" : "golden"}>{t("approvals.points", { n: signed(amount) })}</strong> : null}
            <Pill tone={request.state === "open" ? "warn" : request.state === "refused" ? "bad" : "good"}>{word("request_state", request.state)}</Pill>
          </div>
          <About asked={asked} />
          {typeof asked.reason === "string" ? <p>{t("approvals.because", { reason: asked.reason })}</p> : null}
          <p className="small quiet">
            {t("approvals.asked_by", { who: request.asked_by })} · <When at={request.asked_at} />
            {request.state === "open" ? (
              <>
                {" · "}
                {t("approvals.until")} <When at={request.answer_by} />
              </>
            ) : (
              <>
                {" · "}
                {t("approvals.answered_by", { who: request.answered_by ?? "—" })}
              </>
            )}
            {member ? (
              <>
                {" · "}
                <Link to="/members/$id" params={{ id: member }}>
                  {t("approvals.member")}
                </Link>
              </>
            ) : null}
          </p>
        </div>
        {request.state === "open" ? (
          own ? (
            <span className="small quiet">{t("approvals.own")}</span>
          ) : (
            <div className="row">
              <Button onClick={() => void answer(false)}>{t("approvals.refuse")}</Button>
              <Popconfirm title={t("approvals.ask")} description={t("approvals.ask_say")} okText={t("approvals.approve")} onConfirm={() => answer(true)}>
                <Button type="primary">{t("approvals.approve")}</Button>
              </Popconfirm>
            </div>
          )
        ) : null}
      </div>
    </Card>
  );
}

/** What is asked, and the way to it, where it is a thing with a page of its own. */
function About({ asked }: { asked: Record<string, unknown> }) {
  const { t } = useWords();
  const text = (key: string) => (typeof asked[key] === "string" ? (asked[key] as string) : "");
  const account = text("account");
  const through: Record<string, string> = account && account !== "main" ? { account } : {};
  if (asked.command === "transfers") {
    const n = typeof asked.customers === "number" ? t("approvals.customers", { n: whole(asked.customers) }) : t("approvals.all_customers");
    return (
      <p>
        {t("approvals.transfer", { from: text("from"), to: text("to"), n })}{" "}
        <Link to="/spread" search={{ tab: "transfers", transfer: text("transfer"), ...through }}>
          {text("transfer")}
        </Link>
      </p>
    );
  }
  if (asked.command === "posts") {
    return (
      <p>
        {word("post_into", text("into"))}{" "}
        <Link to="/spread" search={{ tab: "posts", post: text("batch"), ...through }}>
          {text("batch")}
        </Link>
      </p>
    );
  }
  return null;
}
