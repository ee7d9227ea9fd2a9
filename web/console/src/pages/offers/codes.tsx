// Codes of partners that coupons of an offer bear: what was uploaded and what is left of it, an upload from a text or a file with each line that was
// not taken, and its end. The codes themselves are told to nobody.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, type Named, type Schemas } from "@zhiyin/api";
import { AutoComplete, Button, Drawer, Input } from "antd";
import { useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { called, whole } from "../../format";
import { useFile } from "../../live";
import { useAct } from "../../parts/act";
import { TextFile } from "../../parts/file";
import { Csv } from "../../parts/list-tools";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { useSaving } from "../../parts/saving";
import { Asked, Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { inPieces } from "../members/names";
import { codesIn, PART, PARTS_MAX, withNamed, type NoCode } from "./codes-in";

type Upload = Schemas["CodeUploadView"];
const tone = (state: string) => (state === "whole" ? "good" : state === "open" ? "warn" : "");
const OPEN = "new:";

export default function Codes() {
  const { t } = useWords();
  const [{ codes = "", of = "" }, setAddress] = useAddress();
  const uploads = useQuery({ queryKey: ["code uploads"], queryFn: ({ signal }) => got(api.GET("/v1/code-uploads", { signal })) });
  const name = useOfferNames();
  const make = (
    <Button type="primary" onClick={() => setAddress({ codes: OPEN })}>
      {t("codes.make")}
    </Button>
  );
  return (
    <>
      <Asked of={uploads}>
        {({ items }) => (
          <Card flush>
            {items.length === 0 ? (
              <None title={t("codes.none")} action={make}>
                {t("codes.none_say")}
              </None>
            ) : (
              <Listed
                name="codes"
                label={t("codes.title")}
                rows={items}
                id={(row) => row.batch}
                open={(row) => setAddress({ codes: row.batch })}
                tools={make}
                columns={[
                  {
                    key: "batch",
                    title: t("codes.batch"),
                    by: (row) => row.batch,
                    text: (row) => row.batch,
                    cell: (row) => (
                      <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ codes: row.batch })}>
                        {row.batch}
                      </button>
                    ),
                  },
                  { key: "offer", title: t("coupons.offer"), far: true, by: (row) => name(row.offer), text: (row) => name(row.offer), cell: (row) => name(row.offer) },
                  { key: "partner", title: t("codes.partner"), far: true, by: (row) => row.partner, text: (row) => row.partner, cell: (row) => row.partner },
                  { key: "codes", title: t("codes.taken"), right: true, far: true, by: (row) => row.codes, text: (row) => row.codes, cell: (row) => whole(row.codes) },
                  { key: "out", title: t("codes.handed_out"), right: true, far: true, by: (row) => row.handed_out, text: (row) => row.handed_out, cell: (row) => whole(row.handed_out) },
                  { key: "left", title: t("codes.left"), right: true, by: (row) => row.left, text: (row) => row.left, cell: (row) => whole(row.left) },
                  { key: "until", title: t("codes.until"), far: true, by: (row) => row.valid_until, text: (row) => row.valid_until, cell: (row) => (row.valid_until ? <When at={row.valid_until} /> : t("codes.always")) },
                  { key: "state", title: t("coupons.state"), by: (row) => row.state, text: (row) => word("code_upload", row.state), cell: (row) => <Pill tone={tone(row.state)}>{word("code_upload", row.state)}</Pill> },
                ]}
              />
            )}
          </Card>
        )}
      </Asked>
      <Drawer open={codes !== ""} onClose={() => setAddress({ codes: "", of: "" })} title={codes === OPEN ? t("codes.make") : codes} size={600} destroyOnHidden>
        {codes === OPEN ? <Bring offer={of} done={(batch) => setAddress({ codes: batch, of: "" })} /> : codes ? <One batch={codes} name={name} /> : null}
      </Drawer>
    </>
  );
}

function useOfferNames() {
  const file = useFile();
  return (id: string) => called(file.data?.offers[id]?.name as Named | undefined, id);
}

function One({ batch, name }: { batch: string; name: (offer: string) => string }) {
  const { t } = useWords();
  const act = useAct();
  const [reason, setReason] = useState("");
  const params = { path: { batch } };
  const upload = useQuery({ queryKey: ["code upload", batch], queryFn: ({ signal }) => got(api.GET("/v1/code-uploads/{batch}", { params, signal })) });
  return (
    <Asked of={upload}>
      {(data) => (
        <div className="stack">
          <Facts
            of={[
              [t("coupons.state"), <Pill key="state" tone={tone(data.state)}>{word("code_upload", data.state)}</Pill>],
              [t("coupons.offer"), name(data.offer)],
              [t("codes.partner"), data.partner],
              [t("codes.left"), t("codes.left_of", { left: whole(data.left), codes: whole(data.codes) })],
              [t("codes.handed_out"), whole(data.handed_out)],
              data.withdrawn > 0 ? [t("codes.withdrawn"), whole(data.withdrawn)] : null,
              [t("codes.until"), data.valid_until ? <When key="until" at={data.valid_until} /> : t("codes.always")],
              [t("lists.by"), data.asked_by],
              [t("codes.at"), <When key="at" at={data.asked_at} />],
            ]}
          />
          {data.twice + data.known > 0 ? <Doubles of={data} /> : null}
          {data.state === "open" ? (
            <>
              <div className="note">
                <span className="grow">{t("codes.open_say")}</span>
              </div>
              <Bring offer={data.offer} batch={batch} done={() => undefined} />
            </>
          ) : null}
          {data.state === "open" || (data.state === "whole" && data.left > 0) ? (
            <Card title={t("codes.withdraw")}>
              <div className="stack tight">
                <p className="small quiet">{t("codes.withdraw_say")}</p>
                <Field label={t("codes.reason")}>{(id) => <Input id={id} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />}</Field>
                <div>
                  <Button danger disabled={reason.trim() === ""} onClick={() => void act(() => got(api.POST("/v1/code-uploads/{batch}/withdraw", { params, body: { reason: reason.trim() } })), t("codes.withdrew"))}>
                    {t("codes.withdraw")}
                  </Button>
                </div>
              </div>
            </Card>
          ) : null}
        </div>
      )}
    </Asked>
  );
}

/** What the home still knows of lines that it did not take: the first hundred, by their place. */
function Doubles({ of }: { of: Upload }) {
  const { t } = useWords();
  const columns: Column<Upload["doubles"][number]>[] = [
    { key: "line", title: t("codes.place"), right: true, text: (row) => row.part * PART + row.line, cell: (row) => whole(row.part * PART + row.line) },
    { key: "upload", title: t("codes.before"), text: (row) => row.upload, cell: (row) => (row.upload === of.batch ? t("codes.in_this") : row.upload) },
  ];
  return (
    <Card flush title={t("codes.not_taken", { n: whole(of.twice + of.known) })} aside={t("codes.doubles_say")}>
      <DataTable label={t("codes.doubles")} dense rows={of.doubles} id={(row) => `${row.part}/${row.line}`} columns={columns} sorts="by" />
    </Card>
  );
}

type Came = { codes: number; none: NoCode[]; more: number };

function Bring({ offer: given, batch: again, done }: { offer: string; batch?: string; done: (batch: string) => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const file = useFile();
  const [offer, setOffer] = useState(given);
  const [batch, setBatch] = useState(again ?? "");
  const [until, setUntil] = useState("");
  const [text, setText] = useState("");
  const [sent, setSent] = useState<[number, number]>();
  const [came, setCame] = useState<Came>();
  const { busy, error, save } = useSaving();
  const read = useMemo(() => codesIn(text), [text]);
  const known = Object.entries(file.data?.offers ?? {}).filter(([, one]) => (one?.coupon as { codes?: unknown } | undefined)?.codes !== undefined);
  const parts = Math.ceil(read.codes.length / PART);
  const bring = async () => {
    setCame(undefined);
    const name = batch.trim();
    const sum: Came = { codes: 0, none: read.none, more: 0 };
    // An upload that was stopped goes on from the start: parts that are there change nothing.
    if (!again) await got(api.POST("/v1/code-uploads", { body: { batch: name, offer: offer.trim(), ...(until ? { valid_until: until } : {}) } }));
    const params = { path: { batch: name } };
    let twice = 0;
    let before = 0;
    for (const [part, piece] of inPieces(read.codes, PART).entries()) {
      setSent([part, parts]);
      const answer = await got(api.POST("/v1/code-uploads/{batch}/parts", { params, body: { part, codes: piece.map((one) => one.code) } }));
      sum.codes += answer.codes;
      twice += answer.twice;
      before += answer.known;
      sum.none = withNamed(sum.none, piece, answer.doubles, name);
    }
    await got(api.POST("/v1/code-uploads/{batch}/end", { params, body: { parts } }));
    sum.more = twice + before - sum.none.filter((one) => one.why === "twice" || one.why === "known").length;
    setSent(undefined);
    setCame(sum);
    await client.invalidateQueries({ queryKey: ["code uploads"] });
    if (again) await client.invalidateQueries({ queryKey: ["code upload", name] });
  };
  const columns: Column<NoCode>[] = [
    { key: "line", title: t("lists.line"), right: true, text: (row) => row.line, cell: (row) => whole(row.line) },
    { key: "text", title: t("codes.code"), text: (row) => row.text, cell: (row) => <code className="cut" style={{ display: "block", maxWidth: 220 }}>{row.text || "—"}</code> },
    { key: "why", title: t("posts.why"), text: (row) => word("no_code", row.why), cell: (row) => [word("no_code", row.why), row.why === "twice" && row.before ? t("codes.at_line", { n: row.before }) : row.before].filter(Boolean).join(" ") },
  ];
  const none = came?.none ?? read.none;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save(bring);
      }}
    >
      {again ? null : (
        <>
          <Field label={t("coupons.offer")} hint={t("codes.offer_say")}>
            {(id, described) => (
              <AutoComplete
                id={id}
                aria-describedby={described}
                value={offer}
                onChange={(next: string) => setOffer(next)}
                options={known.map(([value, one]) => ({ value, label: `${called(one?.name as Named | undefined, value)} · ${String((one?.coupon as { codes?: unknown }).codes)}` }))}
              />
            )}
          </Field>
          <div className="two-fields">
            <Field label={t("codes.batch")} hint={t("codes.batch_say")} fault={batch === "" || /^[a-z0-9_-][a-z0-9_.-]{0,63}$/.test(batch) ? undefined : t("codes.batch_bad")}>
              {(id, described) => <Input id={id} aria-describedby={described} className="mono" style={{ height: 32 }} maxLength={64} value={batch} onChange={(event) => setBatch(event.target.value.toLowerCase())} />}
            </Field>
            <Field label={t("codes.until")} hint={t("codes.until_say")}>
              {(id, described) => <input id={id} aria-describedby={described} className="input" style={{ height: 32 }} type="date" value={until} onChange={(event) => setUntil(event.target.value)} />}
            </Field>
          </div>
        </>
      )}
      <Field label={t("codes.codes")} hint={t("codes.codes_say", { n: whole(read.codes.length) })}>
        {(id, described) => <Input.TextArea id={id} aria-describedby={described} className="mono" autoSize={{ minRows: 4, maxRows: 10 }} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <TextFile read={setText} />
      {parts > PARTS_MAX ? <p className="danger small" role="alert">{t("codes.too_many", { n: whole(PART * PARTS_MAX) })}</p> : null}
      {error ? <Fault error={error} /> : null}
      {sent && busy ? (
        <p className="small quiet" role="status">
          {t("codes.sent", { n: whole(sent[0]), all: whole(sent[1]) })}
        </p>
      ) : null}
      {came ? (
        <div className="note good" role="status">
          <span className="grow">{t("codes.came", { n: whole(came.codes) })}</span>
          {again ? null : (
            <Button size="small" onClick={() => done(batch.trim())}>
              {t("codes.open_it")}
            </Button>
          )}
        </div>
      ) : null}
      {none.length > 0 ? (
        <Card flush title={t("codes.not_taken", { n: whole(none.length + (came?.more ?? 0)) })} aside={<Csv name="codes-not-taken" columns={columns} rows={none} />}>
          <DataTable label={t("codes.not_taken_of")} dense rows={none} id={(row) => String(row.line)} columns={columns} sorts="by" />
          {came && came.more > 0 ? <p className="small quiet" style={{ padding: "8px 20px" }}>{t("codes.and_more", { n: whole(came.more) })}</p> : null}
        </Card>
      ) : null}
      {came ? null : (
        <div>
          <Button type="primary" htmlType="submit" loading={busy} disabled={offer.trim() === "" || batch.trim() === "" || read.codes.length === 0 || parts > PARTS_MAX}>
            {t("codes.bring")}
          </Button>
        </div>
      )}
    </form>
  );
}
