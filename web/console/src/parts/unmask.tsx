// One masked field of a member, shown for a reason that the audit log says first. It is gone with the page.
import { useMutation } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button, Input, Modal } from "antd";
import { useState, type ReactNode } from "react";
import { Field } from "../frame/sign-in";
import { useMay } from "../home";
import { useWords } from "../words";
import { Fault } from "./states";
import { isMasked, reasonFits } from "./masked";

export function Masked({ member, field, value, mono = false }: { member: string; field: string; value: string; mono?: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState<string>();
  const ask = useMutation({
    mutationFn: () => got(api.POST("/v1/commands/members/unmask", { body: { member: { id: member }, field, reason: reason.trim() } })),
    onSuccess: ({ values }) => {
      setShown(values.map((one) => (Array.isArray(one) ? one.join(t("list_comma")) : String(one))).join(t("list_comma")));
      setAsking(false);
    },
  });
  const text: ReactNode = <span className={mono ? "mono" : undefined}>{shown ?? value}</span>;
  if (shown !== undefined || !isMasked(value) || !may("member_update")) return text;
  return (
    <span className="row" style={{ gap: 6 }}>
      {text}
      <Button size="small" type="link" style={{ padding: 0, height: "auto" }} onClick={() => setAsking(true)}>
        {t("unmask.show")}
      </Button>
      {asking ? (
        <Modal open title={t("unmask.title")} okText={t("unmask.show")} confirmLoading={ask.isPending} okButtonProps={{ disabled: !reasonFits(reason) }} onOk={() => ask.mutate()} onCancel={() => setAsking(false)}>
          <div className="stack tight">
            <p>{t("unmask.say")}</p>
            <Field label={t("unmask.reason")} hint={t("unmask.reason_say")}>
              {(id, described) => <Input id={id} aria-describedby={described} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />}
            </Field>
            {ask.error ? <Fault error={ask.error} /> : null}
          </div>
        </Modal>
      ) : null}
    </span>
  );
}
