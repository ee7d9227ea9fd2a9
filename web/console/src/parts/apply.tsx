// A change of the playbook that was made elsewhere than in its file: checked, said in words, with how many it touches, and only then made live.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal } from "@zhiyin/api";
import { App, Button } from "antd";
import { useEffect, useState } from "react";
import { whole } from "../format";
import { useWords } from "../words";
import { Asked, Fault } from "./states";

export function Apply({ source, base, done }: { source: string; base: string; done: () => void }) {
  const { t, lang } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const checked = useQuery({
    queryKey: ["check", source],
    queryFn: ({ signal }) => got(api.POST("/v1/commands/playbooks/check", { body: { source }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const problems = checked.data?.problems ?? [];
  const right = checked.data !== undefined && problems.length === 0;
  // What would change is reckoned over all members: it is asked for once somebody pauses.
  const [paused, setPaused] = useState(source);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(source), 400);
    return () => clearTimeout(timer);
  }, [source]);
  const diff = useQuery({
    queryKey: ["diff", source],
    enabled: right && source !== base && paused === source,
    queryFn: ({ signal }) => got(api.POST("/v1/commands/playbooks/diff", { body: { source }, signal })),
  });
  const apply = useMutation({
    mutationFn: async () => {
      // Whoever applied meanwhile has the file as it is now: this change was made in another.
      const { items } = await got(api.GET("/v1/playbooks"));
      const now = items.find((one) => one.live);
      const held = now ? await got(api.GET("/v1/playbooks/{version}", { params: { path: { version: String(now.version) } } })) : undefined;
      if (held && held.source !== base) throw new Refusal(409, "playbook_changed", t("apply.changed"));
      return got(api.POST("/v1/commands/playbooks/apply", { body: { source } }));
    },
    onSuccess: async (made) => {
      message.success(t("playbook.applied", { version: made.version }));
      await client.invalidateQueries();
      done();
    },
  });
  return (
    <div className="stack tight">
      {source === base ? (
        <p className="quiet small">{t("playbook.no_changes")}</p>
      ) : (
        <Asked of={checked} bones={2}>
          {() =>
            problems.length > 0 ? (
              <ul className="stack tight" role="alert">
                {problems.slice(0, 8).map((one) => (
                  <li key={`${one.path}${one.message}`} className="small danger">
                    <code>{one.path}</code> {one.message}
                    {one.allowed ? <> ({one.allowed})</> : null}
                  </li>
                ))}
              </ul>
            ) : (
              <Asked of={diff} bones={2}>
                {({ items }) => (
                  <ul className="stack tight">
                    {items.length === 0 ? <li className="quiet small">{t("playbook.same")}</li> : null}
                    {items.map((item) => (
                      <li key={item.id + item.kind} className="small">
                        {lang === "zh" ? item.zh : item.en}
                        {item.members > 0 ? <span className="quiet"> · {t("playbook.for_members", { n: whole(item.members) })}</span> : null}
                      </li>
                    ))}
                  </ul>
                )}
              </Asked>
            )
          }
        </Asked>
      )}
      {apply.error ? <Fault error={apply.error} /> : null}
      <div>
        <Button type="primary" loading={apply.isPending} disabled={!right || source === base || diff.data === undefined} onClick={() => apply.mutate()}>
          {t("playbook.apply")}
        </Button>
      </div>
    </div>
  );
}
