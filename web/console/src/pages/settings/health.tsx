// Whether the home is well: every invariant checked, and its state as one hash.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button } from "antd";
import { useState } from "react";
import { Card, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { useWords, word } from "../../words";

export function Health() {
  const { t } = useWords();
  const [asked, setAsked] = useState(false);
  const doctor = useQuery({ queryKey: ["doctor"], enabled: asked, queryFn: ({ signal }) => got(api.GET("/v1/doctor", { signal })), staleTime: Number.POSITIVE_INFINITY });
  return (
    <Card
      title={t("health.title")}
      aside={
        <Button loading={doctor.isFetching} onClick={() => (asked ? void doctor.refetch() : setAsked(true))}>
          {t("health.check")}
        </Button>
      }
    >
      {!asked ? (
        <None slim title={t("health.not_yet")}>
          {t("health.not_yet_say")}
        </None>
      ) : (
        <Asked of={doctor} bones={8}>
          {(data) => (
            <div className="stack tight">
              <div className="row">
                <Pill tone={data.well ? "good" : "bad"}>{data.well ? t("health.well") : t("health.unwell")}</Pill>
                <Pill tone={data.sealed ? "good" : "warn"}>{data.sealed ? t("health.sealed") : t("health.not_sealed")}</Pill>
              </div>
              <ul className="stack tight" style={{ gap: 4 }}>
                {data.checks.map((one) => (
                  <li key={one.invariant} className="row" style={{ flexWrap: "nowrap", alignItems: "flex-start" }}>
                    <span aria-hidden="true" style={{ color: one.broken.length === 0 ? "var(--celadon)" : "var(--cinnabar)" }}>
                      {one.broken.length === 0 ? "✓" : "✕"}
                    </span>
                    <span className="grow">
                      {word("invariant", one.invariant)}
                      {one.broken.length > 0 ? <span className="danger small"> {one.broken.slice(0, 3).join("; ")}</span> : null}
                    </span>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Asked>
      )}
    </Card>
  );
}
