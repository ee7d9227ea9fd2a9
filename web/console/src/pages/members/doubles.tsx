// Pairs that are likely one person, with what speaks for it; somebody says whether they are.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Popconfirm, Segmented } from "antd";
import { decimal, share } from "../../format";
import { Csv } from "../../parts/list-tools";
import { shortId, When } from "../../parts/marks";
import { Card, Pill } from "../../parts/page";
import { Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";

type Pair = Schemas["DuplicateView"];
const STATES = ["open", "merged", "different"];

export default function Doubles() {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [{ state = "open" }, setAddress] = useAddress();
  const list = useInfiniteQuery({
    queryKey: ["duplicates", state],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => got(api.GET("/v1/duplicates", { params: { query: { state, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const act = async (doing: () => Promise<unknown>, said: string) => {
    try {
      await doing();
      message.success(said);
      await client.invalidateQueries();
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  const member = (id: string) => (
    <Link to="/members/$id" params={{ id }} className="mono">
      {shortId(id)}
    </Link>
  );
  const columns: Column<Pair>[] = [
    { key: "one", title: t("doubles.one"), text: (row) => row.one, cell: (row) => member(row.one) },
    { key: "other", title: t("doubles.other"), text: (row) => row.other, cell: (row) => member(row.other) },
    { key: "score", title: t("doubles.score"), right: true, text: (row) => row.score_ppm / 1e6, cell: (row) => share(row.score_ppm, 1_000_000, 1) },
    {
      key: "why",
      title: t("doubles.why"),
      far: true,
      text: (row) => row.evidence.map((one) => `${one.field} ${one.agrees}`).join("; "),
      cell: (row) => (
        <span className="small quiet">
          {[...row.evidence]
            .sort((a, b) => b.bits - a.bits)
            .slice(0, 4)
            .map((one) => `${word("attribute", one.field)} ${word("agrees", one.agrees)} ${one.bits > 0 ? "+" : ""}${decimal(one.bits)}`)
            .join(t("list_comma"))}
        </span>
      ),
    },
    { key: "at", title: t("doubles.found"), far: true, text: (row) => row.found_at, cell: (row) => <When at={row.found_at} only="day" /> },
    {
      key: "do",
      title: <span className="only-heard">{t("messages.do")}</span>,
      right: true,
      cell: (row) =>
        row.state === "open" ? (
          <span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
            <Popconfirm title={t("doubles.merge_ask")} description={t("join.say")} okText={t("doubles.merge")} onConfirm={() => act(() => got(api.POST("/v1/duplicates/{number}/merge", { params: { path: { number: String(row.number) } }, body: {} as never })), t("join.done"))}>
              <Button size="small">{t("doubles.merge")}</Button>
            </Popconfirm>
            <Button size="small" onClick={() => void act(() => got(api.POST("/v1/duplicates/{number}/different", { params: { path: { number: String(row.number) } }, body: {} as never })), t("doubles.kept"))}>
              {t("doubles.different")}
            </Button>
          </span>
        ) : (
          <Pill>{word("double_state", row.state)}</Pill>
        ),
    },
  ];
  return (
    <>
      <div className="apart" style={{ marginBottom: 12 }}>
        <Segmented aria-label={t("doubles.state")} value={state} onChange={(next) => setAddress({ state: next === "open" ? "" : next })} options={STATES.map((value) => ({ value, label: word("double_state", value) }))} />
        <Csv name="duplicates" columns={columns} rows={rows} />
      </div>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None title={t("doubles.none")}>{t("doubles.none_say")}</None>
          ) : (
            <DataTable label={t("doubles.title")} rows={rows} id={(row) => String(row.number)} columns={columns} loading={list.isFetching} more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} />
          )}
        </Card>
      )}
    </>
  );
}
