// Points by hand: how many and why; what is more than one person decides waits for a second.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, once, Refusal } from "@zhiyin/api";
import { App, Input, InputNumber, Modal } from "antd";
import { useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { useWords } from "../../words";

export function Adjust({ id, close }: { id: string; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [amount, setAmount] = useState<number | null>(null);
  const [reason, setReason] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  // One name for what is meant here, so that a second press, or a lost answer, books nothing twice.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another amount or reason is another command.
  const params = useMemo(once, [amount, reason]);
  const book = async () => {
    if (!amount) return;
    setBusy(true);
    setFault(undefined);
    try {
      const done = (await got(api.POST("/v1/commands/points/adjust", { params, body: { member: { id }, amount, reason: reason.trim() } }))) as { code?: string; approval?: number };
      if (done.code === "approval_asked") {
        message.info(
          <span>
            {t("adjust.asked", { no: done.approval ?? "" })} <Link to="/approvals">{t("nav.approvals")}</Link>
          </span>,
          6,
        );
      } else message.success(t("adjust.done", { n: whole(amount) }));
      await client.invalidateQueries();
      close();
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, "unreachable", t("state.unreachable")));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal open title={t("member.adjust")} okText={t("adjust.book")} onCancel={close} onOk={() => void book()} confirmLoading={busy} okButtonProps={{ disabled: !amount || reason.trim() === "" }}>
      <div className="stack">
        <Field label={t("adjust.amount")} hint={t("adjust.amount_say")} fault={fault && fault.field !== "reason" ? fault.title : undefined}>
          {(field, described) => <InputNumber id={field} aria-describedby={described} style={{ width: "100%" }} precision={0} value={amount} onChange={setAmount} autoFocus />}
        </Field>
        <Field label={t("adjust.reason")} hint={t("adjust.reason_say")} fault={fault?.field === "reason" ? fault.title : undefined}>
          {(field, described) => <Input id={field} aria-describedby={described} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />}
        </Field>
      </div>
    </Modal>
  );
}
