// The command palette: pages, members and a few actions, from the keyboard.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { useMay } from "../home";
import { chooseLight, isDark } from "../light";
import { byName, isName, lookUp } from "../seek";
import { speak, useWords } from "../words";
import { Icon, type IconName } from "./icons";
import { allowed } from "./places";

type Entry = { key: string; icon: IconName; label: string; note?: string; go: () => void };

export default function Palette({ close }: { close: () => void }) {
  const { t, lang } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [asked, setAsked] = useState("");
  const from = useRef(document.activeElement as HTMLElement | null);
  useEffect(() => {
    const before = from.current;
    return () => before?.focus();
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 120);
    return () => clearTimeout(timer);
  }, [text]);

  const people = useQuery({
    queryKey: ["palette", asked],
    enabled: asked.length > 0,
    queryFn: async ({ signal }) => {
      const known = JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[];
      const [named, called] = await Promise.all([
        may("member_list") && isName(asked) ? byName(asked, 6, signal).then((page) => page.items.map((row) => ({ id: row.id, name: row.name, points: row.points, by: "" }))) : [],
        may("member_lookup") ? lookUp(asked, known, signal) : [],
      ]);
      return [...called, ...named.filter((one) => !called.some((other) => other.id === one.id))].slice(0, 8);
    },
  });

  const entries = useMemo<Entry[]>(() => {
    const go = (to: string) => () => void navigate({ to });
    const all: Entry[] = allowed(may)
      .flatMap(({ places }) => places)
      .map((place) => ({ key: place.to, icon: place.name, label: t(`nav.${place.name}`), note: t("palette.page"), go: go(place.to) }));
    all.push(
      { key: "language", icon: "settings", label: lang === "zh" ? "Switch to English" : "切换到中文", note: t("palette.action"), go: () => void speak(lang === "zh" ? "en" : "zh") },
      { key: "light", icon: "settings", label: t("palette.light"), note: t("palette.action"), go: () => chooseLight(isDark() ? "light" : "dark") },
    );
    const wanted = text.trim().toLowerCase();
    const pages = wanted === "" ? all : all.filter((entry) => entry.label.toLowerCase().includes(wanted));
    const members: Entry[] = (wanted === "" ? [] : (people.data ?? [])).map((one) => ({
      key: one.id,
      icon: "members",
      label: one.name ?? (one.by || one.id.slice(0, 8)),
      note: one.name && one.by ? one.by : t("palette.member"),
      go: go(`/members/${one.id}`),
    }));
    return [...members, ...pages];
  }, [may, t, lang, text, people.data, navigate]);

  const pick = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.go();
  };
  const keys = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((now) => Math.max(0, Math.min(entries.length - 1, now + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter") pick(entries[at]);
    else if (event.key === "Tab") event.preventDefault();
  };
  const shown = entries[Math.min(at, entries.length - 1)];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too.
    <div className="veil" onClick={(event) => event.target === event.currentTarget && close()}>
      <div className="palette" role="dialog" aria-modal="true" aria-label={t("frame.search")}>
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={shown ? `palette-${shown.key}` : undefined}
          aria-label={t("palette.say")}
          placeholder={t("palette.say")}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={keys}
        />
        {entries.length > 0 ? (
          <ul id="palette-list" role="listbox" aria-label={t("frame.search")}>
            {entries.map((entry) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys.
              <li key={entry.key} id={`palette-${entry.key}`} role="option" aria-selected={entry === shown} onClick={() => pick(entry)} onMouseMove={() => setAt(entries.indexOf(entry))}>
                <Icon name={entry.icon} size={16} />
                <span className="cut">{entry.label}</span>
                <span className="quiet">{entry.note}</span>
              </li>
            ))}
          </ul>
        ) : (
          <p className="quiet" id="palette-list" style={{ padding: "16px 20px" }}>
            {people.isFetching ? t("state.loading") : t("palette.none")}
          </p>
        )}
      </div>
    </div>
  );
}
