// Stores where they are: on a canvas of coordinates, and as a list; those that nobody has put anywhere yet; and putting one there.
import { api, got, type Located, type Schemas } from "@zhiyin/api";
import { Button, Input, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { called, whole } from "../../format";
import { useMay } from "../../home";
import { useAct } from "../../parts/act";
import { Listed } from "../../parts/listed";
import { Card, Pill } from "../../parts/page";
import { None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { Canvas, type Dot } from "./canvas";
import type { At } from "./map";

type Place = Schemas["PlaceView"] & Located;
const COLORS = ["var(--celadon)", "var(--indigo)", "var(--gold)", "var(--cinnabar)", "var(--mute-1)", "var(--mute-2)", "var(--mute-3)", "var(--mute-4)"];
const DATUMS = ["wgs84", "gcj02", "bd09"];
const isAt = (place: Place): place is Place & At => typeof place.lat === "number" && typeof place.lon === "number";
const degrees = (value: number) => value.toFixed(5);

export default function Stores({ places }: { places: Place[] }) {
  const { t } = useWords();
  const may = useMay();
  const [{ put = "", place = "", map = "" }, setAddress] = useAddress();
  const [ghost, setGhost] = useState<At>();
  const names = useMemo(() => new Map(places.map((one) => [one.code, called(one.name, one.code)])), [places]);
  const stores = useMemo(() => places.filter((one) => one.kind === "store"), [places]);
  const regions = useMemo(() => [...new Set(stores.map((one) => one.parent ?? ""))], [stores]);
  const color = useCallback((parent: string | null | undefined) => COLORS[regions.indexOf(parent ?? "") % COLORS.length] ?? "var(--celadon)", [regions]);
  const under = (one: Place) => (one.parent ? (names.get(one.parent) ?? one.parent) : "");
  const dots = useMemo(() => stores.filter(isAt).map((one): Dot => ({ id: one.code, name: called(one.name, one.code), under: one.parent ? (names.get(one.parent) ?? one.parent) : "", lat: one.lat, lon: one.lon, color: color(one.parent), faded: one.closed_on !== null })), [stores, names, color]);
  const nowhere = stores.filter((one) => !isAt(one));
  const seen = useCallback((at: string) => setAddress({ map: at }), [setAddress]);
  const placing = stores.find((one) => one.code === put);
  const begin = (code: string) => {
    const known = stores.find((one) => one.code === code);
    setGhost(known && isAt(known) ? { lat: known.lat, lon: known.lon } : undefined);
    setAddress({ put: code, place: "" });
  };
  const ends = () => {
    setGhost(undefined);
    setAddress({ put: "" });
  };
  const name: Column<Place> = {
    key: "name",
    title: t("places.name"),
    by: (row) => called(row.name, row.code),
    text: (row) => called(row.name, row.code),
    cell: (row) => (
      <button type="button" className="plain" style={{ minHeight: 24, fontWeight: 500 }} onClick={() => setAddress({ place: row.code })}>
        {called(row.name, row.code)}
      </button>
    ),
  };
  const region: Column<Place> = {
    key: "parent",
    title: t("places.parent"),
    by: under,
    text: under,
    cell: (row) => (
      <span className="row" style={{ gap: 8, flexWrap: "nowrap" }}>
        <i className="spot" style={{ background: color(row.parent) }} aria-hidden="true" />
        <span className="cut">{under(row) || "—"}</span>
      </span>
    ),
  };
  const code: Column<Place> = { key: "code", title: t("places.code"), far: true, by: (row) => row.code, text: (row) => row.code, cell: (row) => <code>{row.code}</code> };
  const doing: Column<Place> = {
    key: "do",
    title: <span className="only-heard">{t("messages.do")}</span>,
    right: true,
    cell: (row) => (
      <Button size="small" onClick={() => begin(row.code)}>
        {t("map.put")}
      </Button>
    ),
  };
  const writes = may("places_write");
  if (stores.length === 0) return <Card><None title={t("places.none")}>{t("places.none_say")}</None></Card>;
  return (
    <div className="stack">
      {placing ? <Put key={placing.code} place={placing} at={ghost} change={setGhost} close={ends} /> : null}
      <Card flush>
        <Canvas dots={dots} label={t("map.label", { n: whole(dots.length) })} at={map} changed={seen} picked={put || place} pick={(id) => setAddress({ place: id })} ghost={placing ? ghost : undefined} point={placing ? setGhost : undefined} />
        <div className="map-legend small">
          {regions.slice(0, COLORS.length).map((one) => (
            <span key={one} className="row" style={{ gap: 6 }}>
              <i className="spot" style={{ background: color(one) }} aria-hidden="true" />
              {one ? (names.get(one) ?? one) : t("map.no_region")}
            </span>
          ))}
          <span className="quiet map-keys">{t("map.keys")}</span>
        </div>
      </Card>
      {nowhere.length > 0 ? (
        <Card flush title={t("map.nowhere", { n: whole(nowhere.length) })} aside={writes ? t("map.nowhere_say") : undefined}>
          <DataTable label={t("map.nowhere_list")} rows={nowhere} id={(row) => row.code} sorts="nowhere" columns={[name, region, code, ...(writes ? [doing] : [])]} dense />
        </Card>
      ) : null}
      {dots.length > 0 ? (
        <Card flush title={t("map.there", { n: whole(dots.length) })}>
          <Listed
            name="stores"
            label={t("map.there_list")}
            rows={stores.filter(isAt)}
            id={(row) => row.code}
            open={(row) => setAddress({ place: row.code })}
            dense
            columns={[
              name,
              region,
              code,
              { key: "lat", title: t("map.lat"), right: true, far: true, by: (row) => row.lat, text: (row) => row.lat, cell: (row) => degrees(row.lat as number) },
              { key: "lon", title: t("map.lon"), right: true, far: true, by: (row) => row.lon, text: (row) => row.lon, cell: (row) => degrees(row.lon as number) },
              { key: "state", title: t("places.state"), right: true, far: true, text: (row) => (row.closed_on ? t("places.closed") : t("places.open")), cell: (row) => <Pill tone={row.closed_on ? "warn" : "good"}>{row.closed_on ? t("places.closed") : t("places.open")}</Pill> },
            ]}
          />
        </Card>
      ) : null}
    </div>
  );
}

/** One store being put somewhere: pressed on the canvas or typed, in the datum that whoever knows it has it in. */
function Put({ place, at, change, close }: { place: Place; at: At | undefined; change: (at: At | undefined) => void; close: () => void }) {
  const { t } = useWords();
  const act = useAct();
  const [datum, setDatum] = useState("wgs84");
  const [typed, setTyped] = useState<{ lat: string; lon: string }>();
  const lat = typed?.lat ?? (at ? at.lat.toFixed(6) : "");
  const lon = typed?.lon ?? (at ? at.lon.toFixed(6) : "");
  const fits = isDegrees(lat, 90) && isDegrees(lon, 180);
  const type = (next: { lat: string; lon: string }) => {
    setTyped(next);
    // A dot is shown where it is typed against the canvas's own datum; the others the home converts.
    change(datum === "wgs84" && isDegrees(next.lat, 90) && isDegrees(next.lon, 180) ? { lat: Number(next.lat), lon: Number(next.lon) } : at);
  };
  // A press on the canvas is newer than what was typed.
  const [last, setLast] = useState(at);
  if (last !== at) {
    setLast(at);
    if (typed && at && (Number(typed.lat) !== at.lat || Number(typed.lon) !== at.lon)) {
      setTyped(undefined);
      setDatum("wgs84");
    }
  }
  // Closed once it is written: what is read anew afterwards nobody has to wait for.
  const write = (row: Record<string, string>) => act(() => got(api.POST("/v1/commands/places/put", { body: { places: [{ code: place.code, ...row }] } })).then(close), t("map.saved"));
  return (
    <form
      className="note map-put"
      onSubmit={(event) => {
        event.preventDefault();
        if (fits) void write({ lat, lon, datum });
      }}
    >
      <div className="grow stack tight">
        <strong>{t("map.putting", { name: called(place.name, place.code) })}</strong>
        <span className="small quiet">{t("map.putting_say")}</span>
        <div className="row top">
          <Field label={t("map.lat")}>{(id) => <Input id={id} inputMode="decimal" style={{ width: 132 }} status={lat !== "" && !isDegrees(lat, 90) ? "error" : ""} value={lat} onChange={(event) => type({ lat: event.target.value.trim(), lon })} />}</Field>
          <Field label={t("map.lon")}>{(id) => <Input id={id} inputMode="decimal" style={{ width: 132 }} status={lon !== "" && !isDegrees(lon, 180) ? "error" : ""} value={lon} onChange={(event) => type({ lat, lon: event.target.value.trim() })} />}</Field>
          <Field label={t("map.datum")}>{(id) => <Select id={id} aria-label={t("map.datum")} style={{ width: 208 }} value={datum} onChange={setDatum} options={DATUMS.map((value) => ({ value, label: word("datum", value) }))} />}</Field>
        </div>
        <div className="row">
          <Button type="primary" htmlType="submit" disabled={!fits}>
            {t("map.save")}
          </Button>
          <Button onClick={close}>{t("do.close")}</Button>
          {isAt(place) ? (
            <Button danger type="text" onClick={() => void write({ lat: "", lon: "", datum: "" })}>
              {t("map.drop")}
            </Button>
          ) : null}
        </div>
      </div>
    </form>
  );
}

const isDegrees = (text: string, most: number): boolean => /^-?\d{1,3}(\.\d{1,7})?$/.test(text) && Math.abs(Number(text)) <= most;
