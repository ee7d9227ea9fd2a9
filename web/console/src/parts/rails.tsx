// Why a member is, or is not, sent each message of a campaign: the guard-rails in their order, in words.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { moment } from "../format";
import { useZone } from "../home";
import { useWords, word } from "../words";
import { When } from "./marks";
import { Pill } from "./page";
import { railSays } from "./rail-words";
import { Asked, None } from "./states";

export function Rails({ member, campaign }: { member: string; campaign: string }) {
  const { t } = useWords();
  const zone = useZone();
  const why = useQuery({
    queryKey: ["why", member, campaign],
    queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/campaigns/{campaign}", { params: { path: { id: member, campaign } }, signal })),
  });
  return (
    <Asked of={why}>
      {(data) => (
        <div className="stack">
          <div className="row">
            <Pill tone={data.held_out ? "warn" : "good"}>{data.held_out ? t("rails.held_out") : t("rails.treated")}</Pill>
            {data.cannot_begin ? <Pill tone="warn">{t("rails.cannot_begin", { why: word("cannot_begin", data.cannot_begin) })}</Pill> : <Pill tone="good">{t("rails.can_begin")}</Pill>}
            {data.open.length > 0 ? <Pill tone="info">{t("rails.open", { n: data.open.length })}</Pill> : null}
          </div>
          {data.now.length === 0 ? <None slim title={t("rails.no_messages")} /> : null}
          <div className="grid g2">
            {data.now.map((would) => {
              const rails = would.rails as [string, string][];
              // The rail that decided is the last one that was asked.
              const stopped = would.verdict !== "send" ? rails.at(-1)?.[0] : undefined;
              return (
                <div key={`${would.message}${would.channel}`} className="card" style={{ padding: 16 }}>
                  <div className="apart">
                    <h3>
                      {would.message} · {word("channel", would.channel)}
                    </h3>
                    <Pill tone={would.verdict === "send" ? "good" : would.verdict === "later" ? "warn" : "bad"}>{word("verdict", would.verdict)}</Pill>
                  </div>
                  {would.later ? (
                    <p className="small quiet">
                      {t("rails.again_at")} <When at={would.later} />
                    </p>
                  ) : null}
                  <p style={{ margin: "6px 0 10px" }}>{would.text}</p>
                  <ol className="stack" style={{ gap: 2 }}>
                    {rails.map(([rail, says]) => (
                      <li key={rail} className="row small" style={{ gap: 8, flexWrap: "nowrap", alignItems: "flex-start" }}>
                        <span aria-hidden="true" style={{ color: rail === stopped ? "var(--cinnabar)" : "var(--celadon)", width: 12 }}>
                          {rail === stopped ? "✕" : "✓"}
                        </span>
                        <span style={{ minWidth: 92 }}>{word("rail", rail)}</span>
                        <span className={rail === stopped ? "danger" : "quiet"}>{railSays(rail, says, (at) => moment(at, zone))}</span>
                      </li>
                    ))}
                  </ol>
                </div>
              );
            })}
          </div>
        </div>
      )}
    </Asked>
  );
}
