// The brand's tree: regions and stores as they stand, which fold; how many work in each; and one place whole.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Located, type Schemas } from "@zhiyin/api";
import { Button, Drawer, Segmented } from "antd";
import { lazy, Suspense, useMemo } from "react";
import { called, whole } from "../../format";
import { useMay } from "../../home";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Asked, Bones, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { below, folded } from "./tree";

const Stores = lazy(() => import("./stores"));
type Place = Schemas["PlaceView"] & Located;

export function Places() {
  const { t } = useWords();
  const [{ place = "", fold = "", find = "", as_of = "", as = "" }, setAddress] = useAddress();
  const tree = useQuery({ queryKey: ["places", as_of], queryFn: ({ signal }) => got(api.GET("/v1/places", { params: { query: as_of ? { as_of } : {} }, signal })) });
  const shut = useMemo(() => new Set(fold.split(",").filter(Boolean)), [fold]);
  const places: Place[] = tree.data?.places ?? [];
  // A home that knows no coordinates leaves them out.
  const located = places.some((one) => one.lat !== undefined);
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
      {located ? (
        <div>
          <Segmented aria-label={t("map.as")} value={as === "map" ? "map" : "list"} onChange={(next) => setAddress({ as: next === "map" ? "map" : "", put: "", map: "", find: "", sort: "" })} options={[{ value: "list", label: t("map.as_list") }, { value: "map", label: t("map.as_map") }]} />
        </div>
      ) : null}
      <Asked of={tree}>
        {() => as === "map" && located ? (
          <Suspense fallback={<Bones lines={10} />}>
            <Stores places={places} />
          </Suspense>
        ) : (
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
          </Card>
        )}
      </Asked>
      <Drawer open={place !== ""} onClose={() => setAddress({ place: "" })} title={called(places.find((one) => one.code === place)?.name, place)} size={460}>
        {place ? <One code={place} /> : null}
      </Drawer>
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
  const may = useMay();
  const [, setAddress] = useAddress();
  const place = useQuery({ queryKey: ["place", code], queryFn: ({ signal }) => got(api.GET("/v1/places/{code}", { params: { path: { code } }, signal })) });
  return (
    <Asked of={place}>
      {(data: Schemas["PlaceWholeView"] & Located) => (
        <div className="stack">
          <Facts
            of={[
              [t("places.code"), <code key="code">{data.code}</code>],
              [t("places.path"), data.path.join(" › ")],
              [t("places.kind"), word("place_kind", data.kind)],
              [t("places.hours"), data.hours ?? "—"],
              [t("places.opens_on"), data.opens_on ? <When key="opens" at={data.opens_on} only="day" /> : "—"],
              data.kind === "store" && data.lat !== undefined
                ? [
                    t("map.where"),
                    <span key="where" className="row">
                      {typeof data.lat === "number" && typeof data.lon === "number" ? `${data.lat.toFixed(5)}, ${data.lon.toFixed(5)}` : "—"}
                      {data.datum && data.datum !== "wgs84" ? <span className="quiet small">{t("map.from", { datum: word("datum", data.datum) })}</span> : null}
                      {may("places_write") ? (
                        <button type="button" className="plain small link" onClick={() => setAddress({ as: "map", put: data.code, place: "" })}>
                          {typeof data.lat === "number" ? t("map.move") : t("map.put")}
                        </button>
                      ) : null}
                    </span>,
                  ]
                : null,
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
