// What the advisor's pages share: what they read, names, something to do.
import { send, type Refusal, type Schemas } from "@zhiyin/api";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { asRefusal, command, useRead } from "../shared/ask";
import { moment } from "../shared/format";
import { Copy, Fault } from "../shared/parts";
import { t, word } from "../shared/words";

export type Note = Schemas["NoteView"];
export type Listed = Schemas["MemberListed"];
export type Page = { items: Listed[]; next: string | null };

export const read = <T,>(path: string) => (signal: AbortSignal) => send<T>("GET", path, undefined, signal);
export const useTasks = () => useRead("tasks", read<{ items: Note[] }>("/v1/tasks"));
export const useMine = () => useRead("mine", read<Page>("/v1/members?limit=200"));
/** The brand's currency and zone, out of the live playbook. */
export const useBook = () => useRead("book", read<Schemas["PlaybookView"]>("/v1/playbooks/live"));
export const said = (source: string | null | undefined, key: string, without: string) => new RegExp(`^${key}:\\s*["']?([\\w/+-]+)`, "m").exec(source ?? "")?.[1] ?? without;

export const Name = ({ of }: { of: Listed | undefined }) => <>{of?.name ?? of?.identifiers[0]?.value ?? of?.id.slice(0, 8) ?? ""}</>;
export const Tier = ({ tier }: { tier: string | null | undefined }) => (tier ? <span class="pill gold">{word("tier", tier)}</span> : null);

/** Something to do for somebody: the words to say, and that it is done. */
export function Task({ note, who, zone, onDone }: { note: Note; who: ComponentChildren; zone: string; onDone: (note: Note) => void }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  return (
    <li class="stack task">
      {who}
      <pre class="text">{note.text}</pre>
      <p class="why">{t("today.asked", { at: moment(note.at, zone) })}</p>
      {fault ? <Fault fault={fault} /> : null}
      <div class="grid2">
        <Copy text={note.text} words={t("today.copy")} />
        <button
          type="button"
          class="button small go"
          disabled={busy}
          onClick={() => {
            setBusy(true);
            setFault(undefined);
            command(`done/${note.id}`, "/v1/commands/tasks/done", { task: note.id }).then(
              () => onDone(note),
              (error: unknown) => {
                setBusy(false);
                setFault(asRefusal(error));
              },
            );
          }}
        >
          {t("today.done")}
        </button>
      </div>
    </li>
  );
}

export const Part = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="card" aria-label={title}>
    <h2>{title}</h2>
    {children}
  </section>
);
