// What stands over a list: what is looked for in it, its saved views, and the list as a file.
import { useQuery } from "@tanstack/react-query";
import { Refusal } from "@zhiyin/api";
import { App, Button, Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { keepCsv } from "../csv";
import { useAddress } from "../router";
import { dropView, forgetView, keepView, keptViews, queryOf, sameSearch, saveView, searchOf, viewsOf } from "../views";
import { useWords } from "../words";
import { Bones } from "./states";
import type { Column } from "./table";

/** What is typed stays here and follows into the address once somebody pauses; what the address says otherwise (a view, back) comes in. */
export function Find({ label, name, width = 220 }: { label: string; name: string; width?: number }) {
  const [address, setAddress] = useAddress();
  const said = address[name] ?? "";
  const [typed, setTyped] = useState(said);
  const sent = useRef(said);
  useEffect(() => {
    if (said === sent.current) return;
    sent.current = said;
    setTyped(said);
  }, [said]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      setAddress({ [name]: typed });
    }, 200);
    return () => clearTimeout(timer);
  }, [typed, name, setAddress]);
  return <Input allowClear aria-label={label} placeholder={label} style={{ width, maxWidth: "100%" }} value={typed} onChange={(event) => setTyped(event.target.value)} />;
}

type Kept = { key: string; name: string; search: Record<string, string>; shared: boolean; by: string; drop?: () => Promise<unknown> };

/** `page` names the list; of its address only `names` belong to a view. */
export function Views({ page, names }: { page: string; names: readonly string[] }) {
  const { t } = useWords();
  const [address, setAddress] = useAddress();
  const { message } = App.useApp();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const search = Object.fromEntries(names.map((one) => [one, address[one] ?? ""]).filter(([, value]) => value !== "")) as Record<string, string>;
  // Asked for once somebody opens them, or comes by an address that may be one.
  const home = useQuery({ queryKey: ["views", page], queryFn: async ({ signal }) => (await keptViews(page, signal)) ?? null, enabled: open || Object.keys(search).length > 0, retry: false, staleTime: 60_000 });
  const here = home.data === null || home.error !== null;
  const views: Kept[] = here
    ? viewsOf(page).map((one) => ({ key: one.name, name: one.name, search: one.search, shared: false, by: "", drop: async () => dropView(page, one.name) }))
    : (home.data ?? []).map((one) => ({ key: one.view, name: one.name, search: searchOf(one.query), shared: one.shared, by: one.mine ? "" : one.by, ...(one.may_change ? { drop: () => forgetView(one.view) } : {}) }));
  const now = views.find((view) => sameSearch(view.search, search));
  const go = (to: Record<string, string>) => {
    setAddress({ ...Object.fromEntries(names.map((one) => [one, ""])), ...to }, { push: true });
    setOpen(false);
  };
  const act = async (doing: () => Promise<unknown>) => {
    try {
      await doing();
      await home.refetch();
    } catch (error) {
      message.error(error instanceof Refusal ? error.title || t("state.wrong") : t("state.wrong"));
    }
  };
  const save = () => {
    if (name.trim() === "") return;
    void act(async () => {
      if (here) saveView(page, { name: name.trim(), search });
      else await keepView(page, name.trim(), queryOf(search), shared);
      setName("");
      setShared(false);
    });
  };
  const box = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: MouseEvent) => !box.current?.contains(event.target as globalThis.Node) && setOpen(false);
    const escape = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    addEventListener("mousedown", outside);
    addEventListener("keydown", escape);
    return () => {
      removeEventListener("mousedown", outside);
      removeEventListener("keydown", escape);
    };
  }, [open]);
  const list = (of: Kept[], label: string) =>
    of.length === 0 ? null : (
      <ul className="stack" style={{ gap: 2 }} aria-label={label}>
        {of.map((view) => (
          <li key={view.key} className="apart" style={{ flexWrap: "nowrap" }}>
            <button type="button" className="plain cut grow" style={{ padding: "4px 0", fontWeight: view === now ? 600 : 400 }} onClick={() => go(view.search)}>
              {view.name}
              {view.by ? <span className="quiet small"> {view.by.replace(/^(person|staff|key):/, "")}</span> : null}
            </button>
            {view.drop ? (
              <Button size="small" type="text" aria-label={t("views.drop", { name: view.name })} onClick={() => view.drop && void act(view.drop)}>
                ✕
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    );
  const ours = views.filter((view) => view.shared);
  return (
    <span className="pop-of" ref={box}>
      <Button aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen((now) => !now)}>
        {now ? now.name : t("views.title")} <span aria-hidden="true">▾</span>
      </Button>
      {open ? (
        <div className="pop stack tight" role="dialog" aria-label={t("views.title")}>
          {home.isLoading ? <Bones lines={2} /> : views.length === 0 ? <p className="quiet small">{t("views.none")}</p> : null}
          {list(
            views.filter((view) => !view.shared),
            t("views.own"),
          )}
          {ours.length > 0 ? <p className="quiet small">{t("views.ours")}</p> : null}
          {list(ours, t("views.ours"))}
          <div className="row" style={{ flexWrap: "nowrap" }}>
            <Input size="small" maxLength={40} aria-label={t("views.name")} placeholder={t("views.name")} value={name} onChange={(event) => setName(event.target.value)} onPressEnter={save} />
            <Button size="small" disabled={name.trim() === "" || home.isLoading} onClick={save}>
              {t("views.save")}
            </Button>
          </div>
          {here ? (
            <p className="quiet small">{t("views.here")}</p>
          ) : (
            <label className="row small">
              <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} />
              {t("views.share")}
            </label>
          )}
        </div>
      ) : null}
    </span>
  );
}

/** The rows as they stand, columns that say how, as CSV. `all` reads what has not been read yet. */
export function Csv<Row>({ name, columns, rows, all }: { name: string; columns: Column<Row>[]; rows: Row[]; all?: (() => Promise<Row[]>) | undefined }) {
  const { t } = useWords();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const said = columns.filter((column) => column.text);
  const take = async () => {
    setBusy(true);
    try {
      const whole = all ? await all() : rows;
      keepCsv(
        name,
        said.map((column) => (typeof column.title === "string" ? column.title : column.key)),
        whole.map((row) => said.map((column) => column.text?.(row))),
      );
    } catch {
      message.error(t("state.wrong"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button loading={busy} disabled={rows.length === 0} onClick={() => void take()}>
      {t("views.csv")}
    </Button>
  );
}
