// The brand's tree: regions and stores as they stand, which fold; how many work in each; and one place whole.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer } from "antd";
import { useMemo } from "react";
import { called, whole } from "../../format";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { below, folded } from "./tree";

type Place = Schemas["PlaceView"];

export function Places() {
  const { t } = useWords();
  const [{ place = "", fold = "", find = "", as_of = "" }, setAddress] = useAddress();
  const tree = useQuery({ queryKey: ["places", as_of], queryFn: ({ signal }) => got(api.GET("/v1/places", { params: { query: as_of ? { as_of } : {} }, signal })) });
  const shut = useMemo(() => new Set(fold.split(",").filter(Boolean)), [fold]);
  const places = tree.data?.places ?? [];
  const under = useMemo(() => below(places), [places]);
  const set = (codes: Iterable<string>) => setAddress({ fold: [...codes].sort().join(",") });
  const toggle = (code: string) => {
    const next = new Set(shut);
    if (!next.delete(code)) next.add(code);
    set(next);
  };
  const columns: Column<Place>[] = [
    {
      key: "name",
      title: t("places.name"),
      text: (row) => called(row.name, row.code),
      cell: (row) => (
        <span className="row" style={{ gap: 4, flexWrap: "nowrap", paddingLeft: find ? 0 : row.level * 18 }}>
          {(under.get(row.code) ?? 0) > 0 && !find ? (
            <button type="button" className="plain fold" aria-expanded={!shut.has(row.code)} aria-label={t("places.fold", { name: called(row.name, row.code) })} onClick={() => toggle(row.code)}>
              {shut.has(row.code) ? "▸" : "▾"}
            </button>
          ) : (
            <span className="fold" aria-hidden="true" />
          )}
          <button type="button" className="plain cut" style={{ minHeight: 24 }} onClick={() => setAddress({ place: row.code })}>
            {called(row.name, row.code)}
          </button>
          {shut.has(row.code) && !find ? <span className="small quiet">{t("places.below", { n: whole(under.get(row.code) ?? 0) })}</span> : null}
        </span>
      ),
    },
    { key: "code", title: t("places.code"), text: (row) => row.code, cell: (row) => <code>{row.code}</code> },
    { key: "kind", title: t("places.kind"), far: true, text: (row) => word("place_kind", row.kind), cell: (row) => word("place_kind", row.kind) },
    { key: "parent", title: t("places.parent"), far: true, text: (row) => row.parent, cell: (row) => <code className="quiet">{row.parent ?? "—"}</code> },
    { key: "staff", title: t("places.staff"), right: true, text: (row) => row.staff, cell: (row) => whole(row.staff) },
    { key: "zone", title: t("places.zone"), far: true, text: (row) => row.zone, cell: (row) => row.zone },
    {
      key: "open",
      title: t("places.state"),
      right: true,
      text: (row) => (row.closed_on ? t("places.closed") : t("places.open")),
      cell: (row) => (row.closed_on ? <Pill tone="warn">{t("places.closed")}</Pill> : <Pill tone="good">{t("places.open")}</Pill>),
    },
  ];
  return (
    <div className="stack">
      <Asked of={tree}>
        {() => (
          <Card flush>
            {places.length === 0 ? (
              <None title={t("places.none")}>{t("places.none_say")}</None>
            ) : (
              <Listed
                name="places"
                views={["tab", "find", "fold", "as_of"]}
                label={t("settings.places")}
                rows={find ? places : folded(places, shut)}
                id={(row) => row.code}
                open={(row) => setAddress({ place: row.code })}
                columns={columns}
                tools={
                  <>
                    <label className="row">
                      <span className="quiet">{t("audiences.as_of")}</span>
                      <input className="input" style={{ width: 152, height: 32 }} type="date" value={as_of} onChange={(event) => setAddress({ as_of: event.target.value })} />
                    </label>
                    <Button size="small" onClick={() => set(shut.size > 0 ? [] : under.keys())}>
                      {shut.size > 0 ? t("places.unfold_all") : t("places.fold_all")}
                    </Button>
                  </>
                }
              />
            )}
            <Drawer open={place !== ""} onClose={() => setAddress({ place: "" })} title={place} size={460}>
              {place ? <One code={place} /> : null}
            </Drawer>
          </Card>
        )}
      </Asked>
      <Unknown />
    </div>
  );
}

/** Stores that orders name and no place bears: what reports by tree leave out. */
function Unknown() {
  const { t } = useWords();
  const list = useQuery({ queryKey: ["places unknown"], queryFn: ({ signal }) => got(api.GET("/v1/places/unknown", { signal })) });
  const rows = (list.data?.rows ?? []) as Record<string, string | number | null>[];
  const names = list.data?.columns ?? [];
  if (rows.length === 0) return null;
  const columns: Column<Record<string, string | number | null>>[] = names.map((name) => ({
    key: name,
    title: word("report_column", name),
    right: typeof rows[0]?.[name] === "number",
    by: (row) => row[name],
    text: (row) => row[name],
    cell: (row) => {
      const said = row[name];
      if (typeof said === "number") return whole(said);
      return said && /^\d{4}-\d{2}-\d{2}T/.test(said) ? <When at={said} only="day" /> : (said ?? "—");
    },
  }));
  return (
    <Card flush title={t("places.unknown")} aside={t("places.unknown_say", { n: whole(rows.length) })}>
      {rows.length > 40 ? (
        <Listed name="unknown-stores" finds="unknown" sorts="unknowns" label={t("places.unknown")} rows={rows} id={(row) => String(row[names[0] ?? ""])} columns={columns} dense />
      ) : (
        <DataTable sorts="unknowns" label={t("places.unknown")} rows={rows} id={(row) => String(row[names[0] ?? ""])} columns={columns} dense />
      )}
    </Card>
  );
}

function One({ code }: { code: string }) {
  const { t } = useWords();
  const place = useQuery({ queryKey: ["place", code], queryFn: ({ signal }) => got(api.GET("/v1/places/{code}", { params: { path: { code } }, signal })) });
  return (
    <Asked of={place}>
      {(data) => (
        <div className="stack">
          <Facts
            of={[
              [t("places.name"), called(data.name, data.code)],
              [t("places.path"), data.path.join(" › ")],
              [t("places.kind"), word("place_kind", data.kind)],
              [t("places.hours"), data.hours ?? "—"],
              [t("places.opens_on"), data.opens_on ? <When key="opens" at={data.opens_on} only="day" /> : "—"],
            ]}
          />
          <h2>{t("places.staff")}</h2>
          {data.staff_codes.length === 0 ? (
            <p className="quiet">{t("places.no_staff")}</p>
          ) : (
            <ul className="stack tight">
              {data.staff_codes.map((one) => (
                <li key={one.code} className="apart">
                  <code>{one.code}</code>
                  <span className="quiet">
                    {word("role", one.role)} · {one.works ? t("places.works") : t("places.left")}
                  </span>
                </li>
              ))}
            </ul>
          )}
          {data.history.length > 0 ? (
            <>
              <h2>{t("places.history")}</h2>
              <ul className="stack tight">
                {data.history.map((one) => (
                  <li key={`${one.at}${one.by}`} className="apart">
                    <span>{one.by}</span>
                    <span className="small quiet">
                      <When at={one.at} />
                    </span>
                  </li>
                ))}
              </ul>
            </>
          ) : null}
        </div>
      )}
    </Asked>
  );
}
