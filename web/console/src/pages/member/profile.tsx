// Who a member is: attributes, names, tier and what is missing, lifecycle, tags with their rule, audiences, consents, dependants.
import { Link } from "@tanstack/react-router";
import { Tooltip } from "antd";
import { called, whole } from "../../format";
import { useOverview } from "../../home";
import { stageTint, tierTint, Tint, When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { None } from "../../parts/states";
import { Masked } from "../../parts/unmask";
import { useWords, word } from "../../words";
import { part, type Whole } from "../member";

export function Profile({ data }: { data: Whole }) {
  const { t } = useWords();
  const attributes = Object.entries(data.attributes as Record<string, unknown>);
  return (
    <div className="grid g2">
      <div className="stack">
        <Tier data={data} />
        <Card title={t("member.lifecycle")} aside={data.lifecycle ? <When at={data.lifecycle.since} only="day" /> : undefined}>
          {data.lifecycle ? <Lifecycle data={data} /> : <None slim title={t("member.no_lifecycle")} />}
        </Card>
        <Tags data={data} />
      </div>
      <div className="stack">
        <Card title={t("member.names")} aside={t("member.names_n", { n: data.identifiers.length })}>
          {data.identifiers.length === 0 ? (
            <None slim title={t("member.no_names")} />
          ) : (
            <Facts of={data.identifiers.map(({ namespace, value }) => [word("namespace", namespace), <Masked key={value} member={data.id} field={`identifiers.${namespace}`} value={value} mono />])} />
          )}
          {data.given_up.length > 0 ? <p className="small quiet">{t("member.given_up", { n: data.given_up.length })}</p> : null}
          {data.merged_from.length > 0 ? (
            <p className="small quiet" style={{ marginTop: 8 }}>
              {t("member.merged_from", { n: data.merged_from.length })}
            </p>
          ) : null}
        </Card>
        <Card title={t("member.attributes")}>
          {attributes.length === 0 ? (
            <None slim title={t("member.no_attributes")}>
              {t("member.no_attributes_say")}
            </None>
          ) : (
            <Facts of={attributes.map(([name, value]) => [word("attribute", name), <Masked key={name} member={data.id} field={`attributes.${name}`} value={Array.isArray(value) ? value.join(t("list_comma")) : String(value)} />])} />
          )}
        </Card>
        <Consents data={data} />
        {data.dependants.length > 0 ? (
          <Card title={t("member.dependants")}>
            <ul className="stack tight">
              {data.dependants.map((one, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: they have no names of their own.
                <li key={at} className="apart">
                  <span>{one.name ?? word("dependant", one.kind)}</span>
                  <span className="quiet">
                    {[word("dependant", one.kind), one.birthday ?? one.due_on].filter(Boolean).join(" · ")}
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        ) : null}
        {data.audiences.length > 0 ? (
          <Card title={t("member.audiences")}>
            <ul className="stack tight">
              {data.audiences.map((one) => (
                <li key={one.audience} className="apart">
                  <Link to="/audiences" search={{ c: one.rule ?? `audience("${one.audience}")` }}>
                    {called(one.name, one.audience)}
                  </Link>
                  <span className="quiet small">
                    {t("member.since")} <When at={one.since} only="day" />
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        ) : null}
      </div>
    </div>
  );
}

function Tier({ data }: { data: Whole }) {
  const { t } = useWords();
  const tier = data.tier;
  if (!tier) {
    return (
      <Card title={t("member.tier")}>
        <None slim title={t("member.no_tier")} />
      </Card>
    );
  }
  const needed = tier.next?.growth_needed ?? tier.keep?.growth_needed ?? 0;
  return (
    <Card title={t("member.tier")} aside={t("member.over_days", { n: tier.over_days })}>
      <div className="apart">
        <Tint color={tierTint(tier.level)}>
          <strong>{called(tier.name, tier.level)}</strong>
        </Tint>
        <span className="small quiet">
          <When at={tier.from} only="day" /> – <When at={tier.ends} only="day" />
        </span>
      </div>
      <div
        className="meter"
        style={{ margin: "10px 0 8px" }}
        role="meter"
        aria-label={t("member.growth")}
        aria-valuemin={0}
        aria-valuemax={Math.max(needed, 1)}
        aria-valuenow={Math.min(tier.growth, Math.max(needed, 1))}
      >
        <span style={{ width: part(tier.growth, needed), background: tierTint(tier.level) }} />
      </div>
      <Facts
        of={[
          [t("member.growth"), whole(tier.growth)],
          tier.next ? [t("member.next"), t("member.next_say", { level: called(tier.next.name, tier.next.level), n: whole(tier.next.growth_missing), all: whole(tier.next.growth_needed) })] : null,
          tier.keep
            ? [
                t("member.keep"),
                <span key="keep">
                  {tier.keep.growth_missing === 0 ? t("member.kept") : t("member.keep_say", { n: whole(tier.keep.growth_missing) })} <When at={tier.keep.by} only="day" />
                </span>,
              ]
            : null,
          tier.lapses
            ? [
                t("member.lapses"),
                <span key="lapses">
                  {t("member.lapses_say", { n: whole(tier.lapses.growth) })} <When at={tier.lapses.day} only="day" />
                </span>,
              ]
            : null,
        ]}
      />
      {data.terms.length > 1 ? (
        <div className="row small quiet" style={{ marginTop: 12, gap: 6 }}>
          {data.terms.map((term, at) => (
            <span key={`${term.level}${term.from}`} className="row" style={{ gap: 6 }}>
              {at > 0 ? "→" : ""}
              <Tint color={tierTint(term.level)}>
                <TierName id={term.level} of={data} /> <When at={term.from} only="day" />
              </Tint>
            </span>
          ))}
        </div>
      ) : null}
    </Card>
  );
}

/** What the brand calls a tier; where the overview may not be read, what the member's own answer says, else its id. */
export function TierName({ id, of }: { id: string; of?: Whole }) {
  const { data } = useOverview();
  const known = [of?.tier, of?.tier?.next].find((tier) => tier?.level === id)?.name;
  return <>{called(data?.tiers.find((tier) => tier.id === id)?.name ?? known, id)}</>;
}
export function StageName({ id, of }: { id: string; of?: Whole }) {
  const { data } = useOverview();
  const known = of?.lifecycle?.stage === id ? of.lifecycle.name : undefined;
  return <>{called(data?.lifecycle.stages.find((stage) => stage.id === id)?.name ?? known, id)}</>;
}

function Lifecycle({ data }: { data: Whole }) {
  const { t } = useWords();
  return (
    <>
      <ul className="timeline">
        {[...data.moves].reverse().map((move) => (
          <li key={move.at}>
            <span className="dot" style={{ borderColor: stageTint(move.to), background: stageTint(move.to) }} aria-hidden="true" />
            <span>
              {move.from ? (
                <span className="quiet">
                  <StageName id={move.from} of={data} /> →{" "}
                </span>
              ) : null}
              <StageName id={move.to} of={data} />
            </span>
            <span className="quiet small">
              <When at={move.at} only="day" />
            </span>
          </li>
        ))}
      </ul>
      {data.lifecycle?.rule ? (
        <p className="small quiet" style={{ marginTop: 8 }}>
          {t("member.by_rule")} <code>{data.lifecycle.rule}</code>
        </p>
      ) : null}
    </>
  );
}

function Tags({ data }: { data: Whole }) {
  const { t } = useWords();
  return (
    <Card title={t("member.tags")} aside={data.tags.length > 0 ? t("member.tags_aside") : undefined}>
      {data.tags.length === 0 ? (
        <None slim title={t("member.no_tags")} />
      ) : (
        <div className="row">
          {data.tags.map((tag) => (
            <Tooltip
              key={tag.tag}
              title={
                <>
                  {tag.by_rule ? <code style={{ whiteSpace: "pre-wrap" }}>{tag.rule}</code> : t("member.tag_by_hand")}
                  <br />
                  {t("member.since")} <When at={tag.since} only="day" />
                </>
              }
            >
              <Link to="/audiences" search={{ c: `"${tag.tag}" in tags` }} className="pill bare" style={{ color: "var(--ink)" }}>
                {called(tag.name, tag.tag)}
              </Link>
            </Tooltip>
          ))}
        </div>
      )}
    </Card>
  );
}

function Consents({ data }: { data: Whole }) {
  const { t } = useWords();
  return (
    <Card title={t("member.consents")}>
      {data.consents.length === 0 ? (
        <None slim title={t("member.no_consents")}>
          {t("member.no_consents_say")}
        </None>
      ) : (
        <ul className="stack tight">
          {data.consents.map((one) => (
            <li key={`${one.purpose}${one.channel}`} className="apart">
              <span>
                {word("purpose", one.purpose)} · {word("channel", one.channel)}
              </span>
              <span className="row" style={{ gap: 10 }}>
                <span className="small quiet">{word("consent_why", one.why)}</span>
                <Pill tone={one.allowed ? "good" : "bad"}>{one.allowed ? t("member.allowed") : t("member.not_allowed")}</Pill>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
