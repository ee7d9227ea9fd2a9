// What happened to a member and what came of it, the latest first.
import { useInfiniteQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button, Segmented } from "antd";
import { signed } from "../../format";
import { When } from "../../parts/marks";
import { Card, Pill } from "../../parts/page";
import { Bones, Fault, None } from "../../parts/states";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { StageName, TierName } from "./profile";

const KINDS = ["all", "order", "points", "tier", "lifecycle", "tag", "consent", "identity"] as const;

export function Timeline({ id }: { id: string }) {
  const { t } = useWords();
  const [{ kind = "all" }, setAddress] = useAddress();
  const list = useInfiniteQuery({
    queryKey: ["timeline", id, kind],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(
        api.GET("/v1/members/{id}/timeline", {
          params: { path: { id }, query: { limit: 50, ...(kind === "all" ? {} : { kinds: kind }), ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card>
      <div style={{ overflowX: "auto", marginBottom: 8 }}>
        <Segmented
          aria-label={t("member.kinds")}
          value={kind}
          onChange={(next) => setAddress({ kind: next === "all" ? "" : next })}
          options={KINDS.map((value) => ({ value, label: word("kind", value) }))}
        />
      </div>
      {list.error && items.length === 0 ? <Fault error={list.error} retry={() => void list.refetch()} /> : null}
      {items.length === 0 && !list.isFetching && !list.error ? <None title={t("member.no_timeline")} /> : null}
      <ul className="timeline">
        {items.map((item) => (
          <li key={item.id}>
            <span className={`dot ${item.kind}`} aria-hidden="true" />
            <div className="grow">
              <div className="row" style={{ gap: 10 }}>
                <span>{word("event", item.event)}</span>
                {item.transfers.map((transfer) => (
                  <span key={transfer.id} className={transfer.asset === "points" ? "golden" : "quiet"}>
                    {signed(transfer.moved)} {word("asset", transfer.asset)}
                  </span>
                ))}
                <Change change={item.change as Record<string, string>} />
                <span className="small quiet">{t("member.from_source", { source: word("source", item.source.split(":")[0] ?? item.source) })}</span>
              </div>
            </div>
            <span className="quiet small">
              <When at={item.at} />
            </span>
          </li>
        ))}
      </ul>
      {list.isFetching ? <Bones lines={items.length === 0 ? 8 : 2} /> : null}
      {list.hasNextPage && !list.isFetching ? <Button onClick={() => void list.fetchNextPage()}>{t("do.more")}</Button> : null}
    </Card>
  );
}

function Change({ change }: { change: Record<string, string> }) {
  const { t } = useWords();
  if (change.tag) return <Pill tone="bare">{change.tag}</Pill>;
  if (change.audience) return <Pill tone="info">{change.audience}</Pill>;
  if (change.from || change.to) {
    const tier = change.asset === "tier" || "level" in change;
    const name = (id: string | undefined) => (id ? tier ? <TierName id={id} /> : <StageName id={id} /> : t("member.nothing"));
    return (
      <span className="quiet">
        {name(change.from)} → {name(change.to)}
      </span>
    );
  }
  return null;
}
