// Saves a condition as an audience of the playbook: written into its file, which is otherwise left as it is, and made live after a look.
import { api, got } from "@zhiyin/api";
import { useQuery } from "@tanstack/react-query";
import { Checkbox, Input, Modal } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { useLive } from "../../live";
import { Apply } from "../../parts/apply";
import { Asked, None } from "../../parts/states";
import { useWords } from "../../words";

export default function Save({ condition, close }: { condition: string; close: () => void }) {
  const { t, lang } = useWords();
  const live = useLive();
  const saved = useQuery({ queryKey: ["audiences"], queryFn: ({ signal }) => got(api.GET("/v1/audiences", { signal })) });
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [standing, setStanding] = useState(true);
  const taken = saved.data?.items.some((one) => one.id === id) ?? false;
  const fits = /^[a-z][a-z0-9_]{0,39}$/.test(id);
  const base = live.data?.source ?? "";
  const ready = fits && !taken && name.trim() !== "";
  const made = useQuery({
    queryKey: ["audience written", base, id, name, standing, condition, lang],
    enabled: ready && base !== "",
    queryFn: async () => {
      const { putIn } = await import("../../yaml-edit");
      // The other language has the same name until somebody gives it one.
      return putIn(base, ["audiences"], id, { name: { zh: name.trim(), en: name.trim() }, who: condition, ...(standing ? { standing: true } : {}) });
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Modal open title={t("save.title")} onCancel={close} footer={null}>
      <Asked of={live}>
        {(held) =>
          held?.source == null ? (
            <None title={t("playbook.no_source")}>{t("playbook.no_source_say")}</None>
          ) : (
            <div className="stack">
              <p className="quiet small">{t("save.lead")}</p>
              <Field label={t("save.name")}>{(field) => <Input id={field} autoFocus maxLength={40} value={name} onChange={(event) => setName(event.target.value)} />}</Field>
              <Field label={t("save.id")} hint={t("save.id_say")} fault={taken ? t("save.taken") : id !== "" && !fits ? t("save.id_bad") : undefined}>
                {(field, described) => <Input id={field} aria-describedby={described} className="mono" maxLength={40} value={id} onChange={(event) => setId(event.target.value)} />}
              </Field>
              <Checkbox checked={standing} onChange={(event) => setStanding(event.target.checked)}>
                {t("save.standing")}
              </Checkbox>
              <p className="quiet small">{t("save.standing_say")}</p>
              {ready && made.data ? <Apply source={made.data} base={base} done={close} /> : null}
            </div>
          )
        }
      </Asked>
    </Modal>
  );
}
