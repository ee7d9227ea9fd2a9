// The playbook: the file as it holds, changed here, checked while it is written, compared in words, made live; and all versions before.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal } from "@zhiyin/api";
import { App, Button, Modal } from "antd";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { whole } from "../format";
import { useMay } from "../home";
import { When } from "../parts/marks";
import { Card, Page, Pill } from "../parts/page";
import { Simulate } from "../parts/simulate";
import { Asked, Bones, Fault, None } from "../parts/states";
import { DataTable } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords } from "../words";

const Editor = lazy(() => import("../parts/editor"));

export function Playbook() {
  const { t } = useWords();
  const [{ tab = "file", version = "" }, setAddress] = useAddress();
  const versions = useQuery({ queryKey: ["playbooks"], queryFn: ({ signal }) => got(api.GET("/v1/playbooks", { signal })) });
  const live = versions.data?.items.find((one) => one.live);
  return (
    <Page
      title={t("playbook.title")}
      lead={
        live ? (
          <span className="row" style={{ gap: "2px 12px" }}>
            <span>{t("playbook.live", { id: live.id, version: live.version })}</span>
            <span>
              {t("playbook.since")} <When at={live.applied_at} />
            </span>
            <code>{live.hash.slice(0, 12)}</code>
          </span>
        ) : undefined
      }
    >
      <Asked of={versions} bones={8}>
        {({ items }) =>
          items.length === 0 ? (
            <Card>
              <None title={t("playbook.none")}>{t("playbook.none_say")}</None>
            </Card>
          ) : (
            <Tabs
label={t("playbook.title")}
              activeKey={tab}
              onChange={(next) => setAddress({ tab: next, version: "" }, { push: true })}
              items={[
                { key: "file", label: t("playbook.file"), children: <File live={live?.version ?? 0} /> },
                {
                  key: "history",
                  label: t("playbook.history", { n: items.length }),
                  children: (
                    <div className="stack">
                      <Card flush>
                        <DataTable
                          label={t("playbook.versions")}
                          rows={items}
                          id={(row) => String(row.version)}
                          open={(row) => setAddress({ version: String(row.version) })}
                          columns={[
                            {
                              key: "version",
                              title: t("playbook.version"),
                              cell: (row) => (
                                <button type="button" className="plain" onClick={() => setAddress({ version: String(row.version) })}>
                                  {row.id} · {row.version}
                                </button>
                              ),
                            },
                            { key: "at", title: t("playbook.applied_at"), cell: (row) => <When at={row.applied_at} /> },
                            { key: "hash", title: t("playbook.hash"), far: true, cell: (row) => <code className="quiet">{row.hash.slice(0, 12)}</code> },
                            { key: "live", title: t("playbook.state"), right: true, cell: (row) => (row.live ? <Pill tone="good">{t("playbook.holds")}</Pill> : <span className="quiet">{t("playbook.past")}</span>) },
                          ]}
                        />
                      </Card>
                      {version ? <Old version={version} live={live?.version ?? 0} /> : null}
                    </div>
                  ),
                },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}

const read = (version: number | string) => ({
  queryKey: ["playbook", String(version)],
  queryFn: ({ signal }: { signal: AbortSignal }) => got(api.GET("/v1/playbooks/{version}", { params: { path: { version: String(version) } }, signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** A version before, against the one that holds. */
function Old({ version, live }: { version: string; live: number }) {
  const { t } = useWords();
  const old = useQuery(read(version));
  const now = useQuery(read(live));
  return (
    <Card title={t("playbook.compared", { version, live })}>
      <Asked of={old}>
        {(data) => (
          <Asked of={now}>
            {(held) => (
              <Suspense fallback={<Bones lines={8} />}>
                <Editor kind="yaml" label={t("playbook.version")} value={held.source ?? ""} original={data.source ?? ""} readOnly height="60vh" />
              </Suspense>
            )}
          </Asked>
        )}
      </Asked>
    </Card>
  );
}

function File({ live }: { live: number }) {
  const { t } = useWords();
  const held = useQuery(read(live));
  return <Asked of={held}>{(data) => (data.source == null ? <None title={t("playbook.no_source")}>{t("playbook.no_source_say")}</None> : <Change source={data.source} />)}</Asked>;
}

function Change({ source }: { source: string }) {
  const { t, lang } = useWords();
  const may = useMay();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [text, setText] = useState(source);
  const [settled, setSettled] = useState(source);
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 350);
    return () => clearTimeout(timer);
  }, [text]);
  const changed = settled !== source;
  const checked = useQuery({
    queryKey: ["check", settled],
    queryFn: ({ signal }) => got(api.POST("/v1/commands/playbooks/check", { body: { source: settled }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const problems = useMemo(
    () => (checked.data?.problems ?? []).map((one) => ({ line: one.line, column: one.column, message: [one.path, one.message].filter(Boolean).join(": ") })),
    [checked.data],
  );
  const right = checked.data !== undefined && problems.length === 0;
  const diff = useQuery({
    queryKey: ["diff", settled],
    enabled: changed && right,
    queryFn: ({ signal }) => got(api.POST("/v1/commands/playbooks/diff", { body: { source: settled }, signal })),
  });
  const apply = useMutation({
    mutationFn: () => got(api.POST("/v1/commands/playbooks/apply", { body: { source: text } })),
    onSuccess: async (done) => {
      setAsking(false);
      message.success(t("playbook.applied", { version: done.version }));
      await client.invalidateQueries();
    },
    onError: (error) => {
      setAsking(false);
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    },
  });
  return (
    <div className="grid g21">
      <div className="stack tight">
        <Suspense fallback={<Bones lines={12} />}>
          <Editor kind="yaml" label={t("playbook.file")} value={text} onChange={setText} problems={problems} readOnly={!may("playbook_apply")} height="calc(100dvh - 250px)" />
        </Suspense>
      </div>
      <div className="stack">
        <Card
          title={t("playbook.check")}
          aside={
            <Pill tone={checked.isFetching ? "" : right ? "good" : "bad"}>
              {checked.isFetching ? t("playbook.checking") : right ? t("playbook.is_right") : t("playbook.problems", { n: problems.length })}
            </Pill>
          }
        >
          {checked.error ? (
            <Fault error={checked.error} retry={() => void checked.refetch()} />
          ) : problems.length > 0 ? (
            <ul className="stack tight">
              {problems.slice(0, 20).map((one) => (
                <li key={`${one.line}:${one.column}${one.message}`} className="small">
                  <code>
                    {one.line}:{one.column}
                  </code>{" "}
                  {one.message}
                </li>
              ))}
            </ul>
          ) : (
            <p className="quiet small">{changed ? t("playbook.right_say") : t("playbook.unchanged")}</p>
          )}
        </Card>
        <Card title={t("playbook.differences")} aside={diff.data ? t("playbook.n_changes", { n: diff.data.items.length }) : undefined}>
          {!changed ? (
            <None slim title={t("playbook.no_changes")}>
              {t("playbook.no_changes_say")}
            </None>
          ) : !right ? (
            <p className="quiet small">{t("playbook.diff_later")}</p>
          ) : (
            <Asked of={diff}>
              {({ items }) =>
                items.length === 0 ? (
                  <p className="quiet small">{t("playbook.same")}</p>
                ) : (
                  <ul className="stack" style={{ gap: 10, maxHeight: "44vh", overflow: "auto" }} tabIndex={0} aria-label={t("playbook.differences")}>
                    {items.map((item) => (
                      <li key={item.id + item.kind}>
                        <div>{lang === "zh" ? item.zh : item.en}</div>
                        {item.members > 0 ? <div className="small quiet">{t("playbook.for_members", { n: whole(item.members) })}</div> : null}
                      </li>
                    ))}
                  </ul>
                )
              }
            </Asked>
          )}
        </Card>
        {changed && right && may("reports_read") ? (
          <Card title={t("simulate.do")}>
            <Simulate source={settled} ready={text === settled} />
          </Card>
        ) : null}
        {may("playbook_apply") ? (
          <div className="row">
            <Button type="primary" disabled={!changed || !right || text !== settled} onClick={() => setAsking(true)}>
              {t("playbook.apply")}
            </Button>
            <Button disabled={text === source} onClick={() => setText(source)}>
              {t("playbook.reset")}
            </Button>
          </div>
        ) : (
          <p className="quiet small">{t("playbook.read_only")}</p>
        )}
      </div>
      <Modal open={asking} title={t("playbook.apply_ask")} okText={t("playbook.apply")} confirmLoading={apply.isPending} onOk={() => apply.mutate()} onCancel={() => setAsking(false)}>
        <p>{t("playbook.apply_say", { n: diff.data?.items.length ?? 0 })}</p>
      </Modal>
    </div>
  );
}
