// How audiences lie over each other: for each way of being in some and not in the others, how many are in exactly these.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Select } from "antd";
import { called, share, whole } from "../../format";
import { Card } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { useAddress } from "../../router";
import { useWords } from "../../words";

const MOST = 4;

export default function Overlap({ condition, day }: { condition: string; day: string }) {
  const { t } = useWords();
  const [{ over = "" }, setAddress] = useAddress();
  const picked = over.split(",").filter(Boolean).slice(0, MOST);
  const saved = useQuery({ queryKey: ["audiences"], queryFn: ({ signal }) => got(api.GET("/v1/audiences", { signal })) });
  const nameOf = (id: string) => called(saved.data?.items.find((one) => one.id === id)?.name, id);
  const laid = useQuery({
    queryKey: ["overlap", condition, over, day],
    enabled: picked.length > 0,
    queryFn: ({ signal }) => got(api.POST("/v1/audiences/overlap", { body: { conditions: [condition, ...picked.map((id) => `audience("${id}")`)], ...(day ? { as_of: day } : {}) }, signal })),
    placeholderData: keepPreviousData,
  });
  const names = [t("overlap.this"), ...picked.map(nameOf)];
  return (
    <Card title={t("overlap.title")} aside={t("overlap.aside")}>
      <Select
        mode="multiple"
        maxCount={MOST}
        aria-label={t("overlap.choose")}
        placeholder={t("overlap.choose")}
        style={{ width: "100%", maxWidth: 520, marginBottom: 12 }}
        value={picked}
        onChange={(next: string[]) => setAddress({ over: next.join(",") })}
        options={(saved.data?.items ?? []).map((one) => ({ value: one.id, label: called(one.name, one.id) }))}
        optionFilterProp="label"
      />
      {picked.length === 0 ? (
        <None slim title={t("overlap.none")}>
          {t("overlap.none_say")}
        </None>
      ) : (
        <Asked of={laid}>
          {(data) => {
            const n = data.counts.length;
            const all = data.exactly.reduce((sum, one) => sum + one.count, 0);
            const most = Math.max(1, ...data.exactly.map((one) => one.count));
            const rows = [...data.exactly].filter((one) => one.audiences.length > 0).sort((a, b) => b.count - a.count);
            return (
              <div className="table-box" tabIndex={0} role="region" aria-label={t("overlap.title")}>
                <table className="data dense">
                  <thead>
                    <tr>
                      {names.slice(0, n).map((name, at) => (
                        <th key={name + String(at)} scope="col" style={{ maxWidth: 140 }}>
                          <span className="cut" style={{ display: "block", maxWidth: 132 }} title={name}>
                            {name}
                          </span>
                          <span className="quiet">{whole(data.counts[at] ?? 0)}</span>
                        </th>
                      ))}
                      <th scope="col" className="far" style={{ width: "40%" }}>
                        {t("overlap.exactly")}
                      </th>
                      <th scope="col" className="right">
                        {t("audiences.members")}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={row.audiences.join()}>
                        {names.slice(0, n).map((name, at) => (
                          <td key={name + String(at)}>
                            <span className="dots">
                              <i className={row.audiences.includes(at) ? "in" : ""} aria-hidden="true" />
                            </span>
                            <span className="only-heard">{row.audiences.includes(at) ? t("audiences.is_in") : t("audiences.is_out")}</span>
                          </td>
                        ))}
                        <td className="far">
                          <div className="bar" style={{ gridTemplateColumns: "1fr", margin: 0, minHeight: 0 }}>
                            <span className="track">
                              <span className="fill" style={{ display: "block", width: `${(100 * row.count) / most}%`, background: row.audiences.length > 1 ? "var(--celadon)" : "var(--mute-1)" }} />
                            </span>
                          </div>
                        </td>
                        <td className="right nowrap">
                          {whole(row.count)}
                          <span className="quiet small" style={{ display: "inline-block", minWidth: 40 }}>
                            {share(row.count, all, 0)}
                          </span>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            );
          }}
        </Asked>
      )}
    </Card>
  );
}
