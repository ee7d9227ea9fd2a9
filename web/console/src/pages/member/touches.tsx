// What was said to a member and what was not, with why: runs of campaigns, the inbox, what left the home, and the guard-rails now.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Select } from "antd";
import { moment } from "../../format";
import { useMay, useZone } from "../../home";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Card, Pill } from "../../parts/page";
import { whySaid } from "../../parts/rail-words";
import { Rails } from "../../parts/rails";
import { Asked, None } from "../../parts/states";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";

export function Touches({ id }: { id: string }) {
  const { t, lang } = useWords();
  const may = useMay();
  const zone = useZone();
  const [{ campaign = "" }, setAddress] = useAddress();
  const path = { path: { id } };
  const runs = useQuery({ queryKey: ["runs", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/runs", { params: path, signal })) });
  const inbox = useQuery({ queryKey: ["inbox", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/inbox", { params: path, signal })) });
  const sends = useQuery({ queryKey: ["member sends", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/sends", { params: path, signal })) });
  const campaigns = useQuery({ queryKey: ["campaigns", lang], queryFn: ({ signal }) => got(api.GET("/v1/campaigns", { signal })), enabled: may("campaigns_manage") });
  const known = campaigns.data?.items ?? [];
  const asked = campaign || runs.data?.moves[0]?.campaign || known[0]?.campaign || "";
  const nameOf = (of: string) => known.find((one) => one.campaign === of)?.name ?? of;
  return (
    <div className="stack">
      <Card
        title={t("touches.why")}
        aside={
          known.length > 0 ? (
            <Select
              aria-label={t("touches.campaign")}
              style={{ minWidth: 180 }}
              value={asked || undefined}
              options={known.map((one) => ({ value: one.campaign, label: one.name }))}
              onChange={(next: string) => setAddress({ campaign: next })}
            />
          ) : undefined
        }
      >
        {asked ? <Rails member={id} campaign={asked} /> : <None slim title={t("campaigns.none")}>{t("campaigns.none_say")}</None>}
      </Card>
      <Card flush title={t("touches.moves")}>
        <Asked of={runs}>
          {({ moves }) =>
            moves.length === 0 ? (
              <None slim title={t("touches.no_moves")} />
            ) : (
              <Listed
                name="campaign-moves"
                label={t("touches.moves")}
                rows={moves.map((move, at) => ({ ...move, no: at }))}
                id={(move) => String(move.no)}
                columns={[
                  { key: "at", title: t("touches.at"), by: (move) => move.at, text: (move) => move.at, cell: (move) => <When at={move.at} /> },
                  { key: "campaign", title: t("touches.campaign"), by: (move) => nameOf(move.campaign), text: (move) => nameOf(move.campaign), cell: (move) => nameOf(move.campaign) },
                  { key: "kind", title: t("touches.what"), by: (move) => move.kind, text: (move) => word("run", move.kind), cell: (move) => <Pill tone={/not_sent|held|stopped/.test(move.kind) ? "warn" : move.kind === "sent" ? "good" : ""}>{word("run", move.kind)}</Pill> },
                  {
                    key: "why",
                    title: t("touches.because"),
                    far: true,
                    text: (move) => move.why,
                    cell: (move) => (
                      <span className="quiet small cut" style={{ display: "block", maxWidth: 460 }} title={move.why}>
                        {move.why ? whySaid(move.kind, move.why, (at) => moment(at, zone)) : "—"}
                      </span>
                    ),
                  },
                ]}
              />
            )
          }
        </Asked>
      </Card>
      <div className="grid g2">
        <Card title={t("touches.inbox")}>
          <Asked of={inbox}>
            {({ items }) =>
              items.length === 0 ? (
                <None slim title={t("touches.no_inbox")} />
              ) : (
                <ul className="stack">
                  {items.map((note) => (
                    <li key={note.id}>
                      <p>{note.text}</p>
                      <p className="small quiet">
                        {nameOf(note.campaign)} · <When at={note.at} /> · {word("note_state", note.state)}
                      </p>
                    </li>
                  ))}
                </ul>
              )
            }
          </Asked>
        </Card>
        <Card title={t("touches.outside")}>
          <Asked of={sends}>
            {({ items }) =>
              items.length === 0 ? (
                <None slim title={t("touches.no_outside")}>
                  {t("touches.no_outside_say")}
                </None>
              ) : (
                <ul className="stack tight">
                  {items.map((send) => (
                    <li key={send.send} className="apart">
                      <span>
                        {word("channel", send.channel)} · {send.message}
                        {send.arrived_at ? (
                          <span className="small quiet">
                            {" "}
                            {t("costs.arrived")} <When at={send.arrived_at} />
                          </span>
                        ) : null}
                        {send.error ? <span className="small danger"> {send.error}</span> : null}
                      </span>
                      <span className="row">
                        <span className="small quiet">
                          <When at={send.at} />
                        </span>
                        <Pill tone={send.state === "sent" ? "good" : ["failed", "bounced"].includes(send.state) ? "bad" : "warn"}>{word("send_state", send.state)}</Pill>
                      </span>
                    </li>
                  ))}
                </ul>
              )
            }
          </Asked>
        </Card>
      </div>
    </div>
  );
}
