// What stands over a list: what is looked for in it, its saved views, and the list as a file.
import { App, Button, Input } from "antd";
import { useEffect, useRef, useState } from "react";
import { keepCsv } from "../csv";
import { useAddress } from "../router";
import { dropView, sameSearch, saveView, viewsOf } from "../views";
import { useWords } from "../words";
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

/** `page` names the list; of its address only `names` belong to a view. */
export function Views({ page, names }: { page: string; names: readonly string[] }) {
  const { t } = useWords();
  const [address, setAddress] = useAddress();
  const [views, setViews] = useState(() => viewsOf(page));
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const search = Object.fromEntries(names.map((one) => [one, address[one] ?? ""]).filter(([, value]) => value !== "")) as Record<string, string>;
  const now = views.find((view) => sameSearch(view.search, search));
  const go = (to: Record<string, string>) => {
    setAddress({ ...Object.fromEntries(names.map((one) => [one, ""])), ...to }, { push: true });
    setOpen(false);
  };
  const save = () => {
    if (name.trim() === "") return;
    setViews(saveView(page, { name: name.trim(), search }));
    setName("");
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
  return (
    <span className="pop-of" ref={box}>
      <Button aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen((now) => !now)}>
        {now ? now.name : t("views.title")} <span aria-hidden="true">▾</span>
      </Button>
      {open ? (
        <div className="pop stack tight" role="dialog" aria-label={t("views.title")}>
          {views.length === 0 ? <p className="quiet small">{t("views.none")}</p> : null}
          <ul className="stack" style={{ gap: 2 }}>
            {views.map((view) => (
              <li key={view.name} className="apart" style={{ flexWrap: "nowrap" }}>
                <button type="button" className="plain cut grow" style={{ padding: "4px 0", fontWeight: view === now ? 600 : 400 }} onClick={() => go(view.search)}>
                  {view.name}
                </button>
                <Button size="small" type="text" aria-label={t("views.drop", { name: view.name })} onClick={() => setViews(dropView(page, view.name))}>
                  ✕
                </Button>
              </li>
            ))}
          </ul>
          <div className="row" style={{ flexWrap: "nowrap" }}>
            <Input size="small" maxLength={40} aria-label={t("views.name")} placeholder={t("views.name")} value={name} onChange={(event) => setName(event.target.value)} onPressEnter={save} />
            <Button size="small" disabled={name.trim() === ""} onClick={save}>
              {t("views.save")}
            </Button>
          </div>
          <p className="quiet small">{t("views.here")}</p>
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
