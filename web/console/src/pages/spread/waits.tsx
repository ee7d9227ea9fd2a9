// What waits for a second person, answered where it stands: by anybody who may, but not by who asked.
import { Button, Popconfirm } from "antd";
import { useSession } from "../../home";
import { useAct } from "../../parts/act";
import { useWords } from "../../words";

export function Waits({ no, by, say, ask, approve, refuse }: { no: number; by: string; say: string; ask: [string, string]; approve: () => Promise<unknown>; refuse: () => Promise<unknown> }) {
  const { t } = useWords();
  const act = useAct();
  const { data: me } = useSession();
  const own = me !== undefined && [`person:${me.person.name}`, `staff:${me.person.staff ?? ""}`].includes(by);
  return (
    <div className="note">
      <div className="grow">
        <strong>{t("posts.waits", { no })}</strong>
        <div className="small">{own ? t("approvals.own") : say}</div>
      </div>
      {own ? null : (
        <div className="row">
          <Button onClick={() => void act(refuse, t("approvals.refused"))}>{t("approvals.refuse")}</Button>
          <Popconfirm title={ask[0]} description={ask[1]} okText={t("approvals.approve")} onConfirm={() => act(approve, t("approvals.approved"))}>
            <Button type="primary">{t("approvals.approve")}</Button>
          </Popconfirm>
        </div>
      )}
    </div>
  );
}
