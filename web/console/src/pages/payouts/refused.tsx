// Why the home does not do something with a transfer, and what to do about it.
import { Refusal } from "@zhiyin/api";
import { Fault } from "../../parts/states";
import { i18n, word } from "../../words";

/** By its name, and where it is about one field of several, by that too. */
export function saidOf(error: unknown): string | undefined {
  if (!(error instanceof Refusal)) return undefined;
  for (const name of [`${error.code}_${error.field ?? ""}`, error.code]) if (i18n.exists(`of.payout_refused.${name}`)) return word("payout_refused", name);
  return undefined;
}

export function Refused({ error, retry }: { error: unknown; retry?: () => void }) {
  const said = saidOf(error);
  if (said === undefined || !(error instanceof Refusal)) return <Fault error={error} retry={retry} />;
  return <Fault error={new Refusal(error.status, error.code, error.title, error.field, said)} retry={retry} />;
}
