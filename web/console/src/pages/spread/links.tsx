// Short links that were made by hand, with how often each was followed; one with its QR code; a new one.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link as Goes } from "@tanstack/react-router";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer, Input, InputNumber, Segmented, Select, Typography } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { called, whole } from "../../format";
import { useMay } from "../../home";
import { useFile } from "../../live";
import { Listed } from "../../parts/listed";
import { shortId, When } from "../../parts/marks";
import { Card, Facts } from "../../parts/page";
import { Asked, Fault, None } from "../../parts/states";
import type { Column } from "../../parts/table";
import { Who } from "../../parts/who";
import { useAddress } from "../../router";
import { useWords } from "../../words";
import type { Named } from "@zhiyin/api";

type Row = Schemas["LinkView"];

export default function Links() {
  const { t } = useWords();
  const may = useMay();
  const file = useFile();
  const [{ link = "", page = "" }, setAddress] = useAddress();
  const list = useInfiniteQuery({
    queryKey: ["links", page],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => got(api.GET("/v1/links", { params: { query: { limit: 100, ...(page ? { page } : {}), ...(pageParam ? { after: pageParam } : {}) } }, signal })),
    getNextPageParam: (last) => (last.items.length < 100 ? undefined : last.items.at(-1)?.code),
  });
  const rows = list.data?.pages.flatMap((one) => one.items) ?? [];
  const pages = Object.keys(file.data?.pages ?? {});
  const columns: Column<Row>[] = [
    {
      key: "code",
      title: t("links.code"),
      text: (row) => row.url,
      cell: (row) => (
        <button type="button" className="plain mono" onClick={() => setAddress({ link: row.code })}>
          {row.code}
        </button>
      ),
    },
    { key: "to", title: t("links.to"), by: (row) => row.page ?? row.to, text: (row) => row.to, cell: (row) => <span className="cut" style={{ display: "block", maxWidth: 320 }} title={row.to ?? undefined}>{row.page ?? row.to ?? t("links.nowhere")}</span> },
    { key: "touchpoint", title: t("links.touchpoint"), far: true, by: (row) => row.touchpoint, text: (row) => row.touchpoint, cell: (row) => row.touchpoint ?? <span className="quiet">—</span> },
    { key: "made", title: t("links.made"), far: true, by: (row) => row.made_at, text: (row) => row.made_at, cell: (row) => <When at={row.made_at} /> },
    { key: "until", title: t("links.until"), far: true, by: (row) => row.until, text: (row) => row.until, cell: (row) => (row.until ? <When at={row.until} /> : <span className="quiet">{t("links.for_ever")}</span>) },
    { key: "clicks", title: t("links.clicks"), right: true, by: (row) => row.clicks, text: (row) => row.clicks, cell: (row) => whole(row.clicks) },
    { key: "scans", title: t("links.scans"), right: true, by: (row) => row.scans, text: (row) => row.scans, cell: (row) => whole(row.scans) },
  ];
  const make = may("campaigns_manage") ? (
    <Button type="primary" onClick={() => setAddress({ link: "new" })}>
      {t("links.make")}
    </Button>
  ) : undefined;
  return (
    <>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None title={t("links.none")} action={make}>
              {t("links.none_say")}
            </None>
          ) : (
            <Listed
              name="links"
              views={["tab", "find", "sort", "page"]}
              label={t("links.title")}
              rows={rows}
              id={(row) => row.code}
              columns={columns}
              open={(row) => setAddress({ link: row.code })}
              more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loading={list.isFetching}
              tools={
                <>
                  {pages.length > 0 ? (
                    <Select aria-label={t("links.page")} allowClear placeholder={t("links.page")} style={{ width: 160 }} value={page || undefined} onChange={(next?: string) => setAddress({ page: next ?? "" })} options={pages.map((value) => ({ value, label: value }))} />
                  ) : null}
                  {make}
                </>
              }
            />
          )}
        </Card>
      )}
      <Drawer open={link !== ""} onClose={() => setAddress({ link: "" })} title={link === "new" ? t("links.make") : <span className="mono">{link}</span>} size={520} destroyOnHidden>
        {link === "new" ? <Make pages={pages} made={(code) => { void list.refetch(); setAddress({ link: code }); }} /> : link ? <One code={link} /> : null}
      </Drawer>
    </>
  );
}

function One({ code }: { code: string }) {
  const { t } = useWords();
  const link = useQuery({ queryKey: ["link", code], queryFn: ({ signal }) => got(api.GET("/v1/links/{code}", { params: { path: { code } }, signal })) });
  const whose = (id: string) => (
    <Goes to="/members/$id" params={{ id }}>
      {shortId(id)}
    </Goes>
  );
  return (
    <Asked of={link}>
      {(data) => (
        <div className="stack">
          <div className="row" style={{ alignItems: "flex-start" }}>
            <img className="qr-of" width={184} height={184} src={`/v1/links/${encodeURIComponent(code)}/qr?format=svg`} alt={t("links.qr_of", { code })} style={{ background: "#fff", borderRadius: 8 }} />
            <div className="stack tight">
              <Button href={`/v1/links/${encodeURIComponent(code)}/qr?format=png&pixels=1024`} download={`${code}.png`}>
                {t("links.png")}
              </Button>
              <Button href={`/v1/links/${encodeURIComponent(code)}/qr?format=svg`} download={`${code}.svg`}>
                {t("links.svg")}
              </Button>
              <p className="quiet small">{t("links.qr_say")}</p>
            </div>
          </div>
          <Facts
            of={[
              [t("links.url"), <Typography.Text key="url" copyable style={{ overflowWrap: "anywhere" }}>{data.url}</Typography.Text>],
              [t("links.to"), data.to ? <span key="to" style={{ overflowWrap: "anywhere" }}>{data.to}</span> : <span key="to" className="danger">{t("links.nowhere")}</span>],
              data.page ? [t("links.page"), data.page] : null,
              data.touchpoint ? [t("links.touchpoint"), data.touchpoint] : null,
              data.campaign ? [t("touches.campaign"), data.campaign] : null,
              data.member ? [t("links.member"), whose(data.member)] : null,
              data.sharer ? [t("links.sharer"), whose(data.sharer)] : null,
              [t("links.made"), <When key="made" at={data.made_at} />],
              [t("links.until"), data.until ? <When key="until" at={data.until} /> : t("links.for_ever")],
              [t("links.clicks"), whole(data.clicks)],
              [t("links.scans"), whole(data.scans)],
            ]}
          />
        </div>
      )}
    </Asked>
  );
}

function Make({ pages, made }: { pages: string[]; made: (code: string) => void }) {
  const { t } = useWords();
  const file = useFile();
  const [chosenWay, setWay] = useState("");
  const [chosen, setPage] = useState("");
  // The playbook may be read after the form stands.
  const way = chosenWay || (pages.length > 0 ? "page" : "to");
  const page = chosen || pages[0] || "";
  const [to, setTo] = useState("");
  const [touchpoint, setTouchpoint] = useState("");
  const [campaign, setCampaign] = useState("");
  const [days, setDays] = useState<number | null>(null);
  const [key, setKey] = useState("");
  const [sharer, setSharer] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const body = { ...(way === "page" ? { page } : { to: to.trim() }), ...(touchpoint ? { touchpoint } : {}), ...(campaign ? { campaign } : {}), ...(days ? { days } : {}), ...(key.trim() ? { key: key.trim() } : {}), ...(sharer ? { sharer: { id: sharer } } : {}) };
      made((await got(api.POST("/v1/links", { body }))).code);
    } catch (wrong) {
      setError(wrong);
    } finally {
      setBusy(false);
    }
  };
  const named = (all: Record<string, unknown> | undefined) => Object.entries(all ?? {}).map(([value, one]) => ({ value, label: called((one as { name?: Named } | null)?.name, value) }));
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Segmented aria-label={t("links.to")} value={way} onChange={setWay} options={[{ value: "page", label: t("links.page"), disabled: pages.length === 0 }, { value: "to", label: t("links.address") }]} />
      {way === "page" ? (
        <Field label={t("links.page")}>{(id) => <Select id={id} aria-label={t("links.page")} value={page} onChange={setPage} options={pages.map((value) => ({ value, label: value }))} />}</Field>
      ) : (
        <Field label={t("links.address")} hint={t("links.address_say")}>
          {(id, described) => <Input id={id} aria-describedby={described} maxLength={1024} placeholder="/card" value={to} onChange={(event) => setTo(event.target.value)} />}
        </Field>
      )}
      <Field label={t("links.touchpoint")} hint={t("links.touchpoint_say")}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={touchpoint} onChange={(event) => setTouchpoint(event.target.value)} />}
      </Field>
      <Field label={t("touches.campaign")}>{(id) => <Select id={id} aria-label={t("touches.campaign")} allowClear value={campaign || undefined} onChange={(next?: string) => setCampaign(next ?? "")} options={named(file.data?.campaigns)} />}</Field>
      <Field label={t("links.days")} hint={t("links.days_say")}>
        {(id, described) => <InputNumber id={id} aria-describedby={described} min={1} max={3660} precision={0} style={{ width: "100%" }} value={days} onChange={setDays} />}
      </Field>
      <Field label={t("links.sharer")} hint={t("links.sharer_say")}>
        {(id) => <Who id={id} label={t("links.sharer")} choose={setSharer} />}
      </Field>
      <Field label={t("links.key")} hint={t("links.key_say")}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={key} onChange={(event) => setKey(event.target.value)} />}
      </Field>
      {error ? <Fault error={error} /> : null}
      <div>
        <Button type="primary" htmlType="submit" loading={busy} disabled={way === "page" ? page === "" : to.trim() === ""}>
          {t("links.make")}
        </Button>
      </div>
    </form>
  );
}
