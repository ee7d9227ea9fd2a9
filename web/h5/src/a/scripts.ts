// Messages of the live playbook, as words to be copied. The reader of its language is loaded only where it is needed.
export type Script = { id: string; zh: string; en: string; sells: boolean };

type Names = Record<string, { zh?: string; en?: string } | undefined>;
type Named = Record<string, { name?: Names[string] } | null>;
/** What a playbook calls its offers, its campaigns and its posters. */
export async function namesOf(source: string): Promise<{ offers: Names; campaigns: Names; posters: Names }> {
  const { parse } = await import("yaml");
  const book = parse(source) as { offers?: Named; campaigns?: Named; posters?: Named } | null;
  const names = (all: Named | undefined) => Object.fromEntries(Object.entries(all ?? {}).map(([id, one]) => [id, one?.name]));
  return { offers: names(book?.offers), campaigns: names(book?.campaigns), posters: names(book?.posters) };
}

/** Messages of a playbook's text; none where it has none that can be read. */
export async function scriptsOf(source: string): Promise<Script[]> {
  const { parse } = await import("yaml");
  const book = parse(source) as { messages?: Record<string, { text?: string | { zh?: string; en?: string }; sells?: boolean }> } | null;
  return Object.entries(book?.messages ?? {}).flatMap(([id, one]) => {
    const text = one?.text;
    const both = typeof text === "string" ? { zh: text, en: text } : { zh: text?.zh ?? text?.en ?? "", en: text?.en ?? text?.zh ?? "" };
    return both.zh || both.en ? [{ id, ...both, sells: one.sells !== false }] : [];
  });
}
