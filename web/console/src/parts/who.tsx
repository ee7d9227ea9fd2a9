// Somebody chosen by what they are called: a phone, a card, any number, or an id; where it is asked for, also by how their name begins.
import { Button, Input } from "antd";
import { useState } from "react";
import { useMay } from "../home";
import { byName, isName, lookUp, type Found } from "../seek";
import { useWords } from "../words";
import { shortId } from "./marks";

const SHOWN = 8;

export function Who({ label, choose, id: field, names = false }: { label: string; choose: (id: string) => void; id?: string; names?: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<Found>();
  const [several, setSeveral] = useState<Found[]>([]);
  const [nobody, setNobody] = useState(false);
  const take = (one: Found | undefined) => {
    setFound(one);
    setSeveral([]);
    choose(one?.id ?? "");
  };
  const look = async () => {
    if (typed.trim() === "") return;
    const [one] = await lookUp(typed, JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[]);
    const named = !one && names && may("member_list") && isName(typed) ? (await byName(typed.trim(), SHOWN)).items.map((row): Found => ({ id: row.id, name: row.name ?? null, points: row.points, by: shortId(row.id) })) : [];
    take(one ?? (named.length === 1 ? named[0] : undefined));
    setSeveral(named.length > 1 ? named : []);
    setNobody(one === undefined && named.length === 0);
  };
  const change = (next: string) => {
    setTyped(next);
    setNobody(false);
    take(undefined);
  };
  return (
    <div className="stack tight" style={{ gap: 4 }}>
      <Input.Search {...(field ? { id: field } : {})} aria-label={label} placeholder={t("campaigns.trace_find")} status={nobody ? "error" : ""} value={typed} enterButton={t("do.look")} onChange={(event) => change(event.target.value)} onSearch={() => void look()} />
      {nobody ? (
        <p className="danger small" role="alert">
          {t("campaigns.trace_nobody")}
        </p>
      ) : found ? (
        <p className="small">
          ✓ {found.name || shortId(found.id)} <span className="quiet">{found.by}</span>
        </p>
      ) : several.length > 0 ? (
        <ul className="row" aria-label={label}>
          {several.map((one) => (
            <li key={one.id}>
              <Button size="small" onClick={() => take(one)}>
                {one.name} <span className="quiet">{one.by}</span>
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
