// What a page shows before there is something, when there is nothing, when it went wrong, and when what stands there is old.
import { Refusal } from "@zhiyin/api";
import type { UseQueryResult } from "@tanstack/react-query";
import { Button } from "antd";
import type { ReactNode } from "react";
import { moment } from "../format";
import { useWords } from "../words";

export function Bones({ lines = 4, height = 14 }: { lines?: number; height?: number }) {
  const { t } = useWords();
  return (
    <div className="stack tight" role="status" aria-label={t("state.loading")} style={{ padding: "8px 0" }}>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} className="bone" style={{ width: `${92 - ((at * 37) % 46)}%`, height }} />
      ))}
    </div>
  );
}

export function None({ title, children, action, slim = false }: { title: string; children?: ReactNode; action?: ReactNode; slim?: boolean }) {
  return (
    <div className={slim ? "none slim" : "none"}>
      <strong>{title}</strong>
      {children ? <p>{children}</p> : null}
      {action ? <div style={{ marginTop: 8 }}>{action}</div> : null}
    </div>
  );
}

/** What happened, what is safe, what to do. */
export function Fault({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { t } = useWords();
  const refusal = error instanceof Refusal ? error : undefined;
  const title = refusal?.status === 0 ? t("state.unreachable") : refusal?.title || t("state.wrong");
  return (
    <div className="note bad" role="alert">
      <div className="grow">
        <strong>{title}</strong>
        <div className="small">
          {refusal?.status === 0 ? t("state.unreachable_say") : refusal?.status === 403 ? t("state.forbidden_say") : (refusal?.detail ?? t("state.wrong_say"))}
          {refusal && refusal.status !== 0 ? (
            <>
              {" "}
              <code>{refusal.code}</code>
            </>
          ) : null}
        </div>
      </div>
      {retry ? (
        <Button size="small" onClick={retry}>
          {t("do.retry")}
        </Button>
      ) : null}
    </div>
  );
}

/** A query as people see it: bones, a fault with a way out, or its data, with a word where it could not be read again. */
export function Asked<T>({
  of,
  children,
  bones = 4,
  height,
}: {
  of: UseQueryResult<T>;
  children: (data: T) => ReactNode;
  bones?: number;
  height?: number;
}) {
  const { t } = useWords();
  if (of.data === undefined) {
    if (of.error) return <Fault error={of.error} retry={() => void of.refetch()} />;
    return <Bones lines={bones} {...(height ? { height } : {})} />;
  }
  return (
    <>
      {of.error ? (
        <div className="note warn" role="status" style={{ marginBottom: 12 }}>
          <span className="grow">{t("state.stale", { at: moment(new Date(of.dataUpdatedAt).toISOString(), Intl.DateTimeFormat().resolvedOptions().timeZone) })}</span>
          <Button size="small" onClick={() => void of.refetch()}>
            {t("do.retry")}
          </Button>
        </div>
      ) : null}
      {children(of.data)}
    </>
  );
}
