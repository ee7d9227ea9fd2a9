// The brand's tree: regions and stores as they stand, and how many work in each.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Drawer } from "antd";
import { called, whole } from "../../format";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";

export function Places() {
  const { t } = useWords();
  const [{ place = "" }, setAddress] = useAddress();
  const tree = useQuery({ queryKey: ["places"], queryFn: ({ signal }) => got(api.GET("/v1/places", { signal })) });
  return (
    <Asked of={tree}>
      {({ places }) => (
        <Card flush>
          {places.length === 0 ? (
            <None title={t("places.none")}>{t("places.none_say")}</None>
          ) : (
            <DataTable
              label={t("settings.places")}
              rows={places}
              id={(row) => row.code}
              open={(row) => setAddress({ place: row.code })}
              columns={[
                {
                  key: "name",
                  title: t("places.name"),
                  cell: (row) => (
                    <button type="button" className="plain" style={{ paddingLeft: row.level * 18 }} onClick={() => setAddress({ place: row.code })}>
                      {called(row.name, row.code)}
                    </button>
                  ),
                },
                { key: "code", title: t("places.code"), cell: (row) => <code>{row.code}</code> },
                { key: "kind", title: t("places.kind"), far: true, cell: (row) => word("place_kind", row.kind) },
                { key: "staff", title: t("places.staff"), right: true, cell: (row) => whole(row.staff) },
                { key: "zone", title: t("places.zone"), far: true, cell: (row) => row.zone },
                { key: "open", title: t("places.state"), right: true, cell: (row) => (row.closed_on ? <Pill tone="warn">{t("places.closed")}</Pill> : <Pill tone="good">{t("places.open")}</Pill>) },
              ]}
            />
          )}
          <Drawer open={place !== ""} onClose={() => setAddress({ place: "" })} title={place} size={460}>
            {place ? <One code={place} /> : null}
          </Drawer>
        </Card>
      )}
    </Asked>
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
          <h3>{t("places.staff")}</h3>
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
        </div>
      )}
    </Asked>
  );
}
