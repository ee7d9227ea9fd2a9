// Through which of the brand's accounts at WeCom; asked only where there are several.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Select } from "antd";
import { useMay } from "../../home";
import { useAddress } from "../../router";
import { useWords } from "../../words";

export const useAccount = (): string => useAddress()[0].account || "main";

export function Accounts() {
  const { t } = useWords();
  const may = useMay();
  const account = useAccount();
  const [, setAddress] = useAddress();
  const known = useQuery({ queryKey: ["platforms", ""], enabled: may("reports_read"), queryFn: ({ signal }) => got(api.GET("/v1/platforms", { params: { query: {} }, signal })) });
  // `inbox` is a row of the home's own.
  const names = [...new Set(["main", ...(known.data?.items ?? []).filter((row) => row.channel === "wecom" && row.account !== "inbox").map((row) => row.account)])];
  return names.length > 1 ? <Select aria-label={t("spread.account")} style={{ width: 160 }} value={account} onChange={(next: string) => setAddress({ account: next === "main" ? "" : next })} options={names.map((value) => ({ value, label: value }))} /> : null;
}
