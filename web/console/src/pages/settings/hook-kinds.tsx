// Which kinds of news a webhook gets, chosen from those that there are.
import { Select } from "antd";
import { useWords, word } from "../../words";
import { KINDS } from "./kinds";

export const kindSaid = (kind: string): string => word("hook_kind", kind.replaceAll(".", "_"));

/** Nothing chosen is all of them. */
export function Kinds({ id, described, value, onChange }: { id: string; described: string | undefined; value: string[]; onChange: (next: string[]) => void }) {
  const { t } = useWords();
  const groups = [...new Set(KINDS.map((kind) => kind.split(".")[0] ?? ""))];
  return (
    <Select
      id={id}
      aria-label={t("hooks.types")}
      aria-describedby={described}
      mode="multiple"
      allowClear
      placeholder={t("hooks.all")}
      style={{ width: "100%" }}
      value={value}
      onChange={onChange}
      showSearch={{ filterOption: (typed, option) => `${option?.label ?? ""} ${option && "value" in option ? String(option.value) : ""}`.toLowerCase().includes(typed.trim().toLowerCase()) }}
      options={groups.map((group) => ({ label: word("hook_group", group), title: group, options: KINDS.filter((kind) => kind.startsWith(`${group}.`)).map((kind) => ({ value: kind, label: kindSaid(kind) })) }))}
    />
  );
}
