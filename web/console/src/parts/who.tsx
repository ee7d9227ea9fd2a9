// Somebody chosen by what they are called: a phone, a card, any number, or an id.
import { Input } from "antd";
import { useState } from "react";
import { lookUp, type Found } from "../seek";
import { useWords } from "../words";
import { shortId } from "./marks";

export function Who({ label, choose, id: field }: { label: string; choose: (id: string) => void; id?: string }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<Found>();
  const [nobody, setNobody] = useState(false);
  const look = async () => {
    if (typed.trim() === "") return;
    const [one] = await lookUp(typed, JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[]);
    setFound(one);
    setNobody(one === undefined);
    choose(one?.id ?? "");
  };
  const change = (next: string) => {
    setTyped(next);
    setNobody(false);
    setFound(undefined);
    choose("");
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
      ) : null}
    </div>
  );
}
