// Keys of programs: made once, shown once, revoked at once.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Input, Modal, Popconfirm, Select, Typography } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { Csv, Find, Views } from "../../parts/list-tools";
import { When } from "../../parts/marks";
import { Card, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { ROLES } from "./people";

export function Keys() {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [{ find = "" }] = useAddress();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  const keys = useQuery({ queryKey: ["keys"], queryFn: ({ signal }) => got(api.GET("/v1/keys", { signal })) });
  const revoke = async (id: string) => {
    try {
      await got(api.POST("/v1/keys/{id}/revoke", { params: { path: { id } }, body: {} as never }));
      message.success(t("keys.revoked"));
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  const rotate = async (id: string) => {
    try {
      const made = await got(api.POST("/v1/keys/{id}/rotate", { params: { path: { id } }, body: {} as never }));
      setSecret(made.secret);
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  const columns: Column<Schemas["KeyView"]>[] = [
    { key: "name", title: t("keys.name"), by: (row) => row.name, text: (row) => row.name, cell: (row) => row.name || <span className="quiet">—</span> },
    { key: "id", title: t("keys.id"), far: true, text: (row) => row.id, cell: (row) => <code>{row.id}</code> },
    { key: "role", title: t("keys.role"), by: (row) => word("role", row.role), text: (row) => row.role, cell: (row) => word("role", row.role) },
    { key: "bound", title: t("keys.bound"), far: true, cell: (row) => [row.place, row.staff].filter(Boolean).join(" · ") || "—" },
    { key: "made", title: t("keys.made"), far: true, right: true, by: (row) => row.made_at, text: (row) => row.made_at, cell: (row) => <When at={row.made_at} only="day" /> },
    { key: "state", title: t("keys.state"), by: (row) => (row.revoked_at ? 1 : 0), text: (row) => (row.revoked_at ? t("keys.is_revoked") : t("keys.works")), cell: (row) => <Pill tone={row.revoked_at ? "" : "good"}>{row.revoked_at ? t("keys.is_revoked") : t("keys.works")}</Pill> },
    {
      key: "do",
      title: <span className="only-heard">{t("messages.do")}</span>,
      right: true,
      cell: (row) =>
        row.revoked_at ? null : (
          <span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
            <Popconfirm title={t("keys.rotate_ask")} description={t("keys.rotate_say")} okText={t("keys.rotate")} onConfirm={() => rotate(row.id)}>
              <Button size="small">{t("keys.rotate")}</Button>
            </Popconfirm>
            <Popconfirm title={t("keys.revoke_ask")} description={t("keys.revoke_say")} okText={t("keys.revoke")} onConfirm={() => revoke(row.id)}>
              <Button size="small">{t("keys.revoke")}</Button>
            </Popconfirm>
          </span>
        ),
    },
  ];
  return (
    <Asked of={keys}>
      {({ items: all }) => {
        const items = all.filter((one) => `${one.name} ${one.id} ${word("role", one.role)} ${one.staff ?? ""} ${one.place ?? ""}`.toLowerCase().includes(find.trim().toLowerCase()));
        return (
          <div className="stack">
            <p className="quiet">{t("keys.lead")}</p>
            <div className="apart">
              <Find label={t("keys.find")} name="find" width={240} />
              <span className="row">
                <Views page="keys" names={["tab", "find", "sort"]} />
                <Csv name="keys" columns={columns} rows={items} />
                <Button type="primary" onClick={() => setMaking(true)}>
                  {t("keys.make")}
                </Button>
              </span>
            </div>
            <Card flush>
              {items.length === 0 ? (
                <None title={all.length === 0 ? t("keys.none") : t("keys.none_match")}>{all.length === 0 ? t("keys.none_say") : t("members.none_match_say")}</None>
              ) : (
                <DataTable label={t("settings.keys")} rows={items} id={(row) => row.id} columns={columns} />
              )}
            </Card>
            {making ? <Make close={() => setMaking(false)} /> : null}
            {secret ? (
              <Modal open title={t("keys.rotate")} onCancel={() => setSecret("")} footer={<Button onClick={() => setSecret("")}>{t("do.close")}</Button>}>
                <p>{t("keys.once")}</p>
                <Typography.Text code copyable style={{ overflowWrap: "anywhere" }}>
                  {secret}
                </Typography.Text>
              </Modal>
            ) : null}
          </div>
        );
      }}
    </Asked>
  );
}

function Make({ close }: { close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState("marketer");
  const [place, setPlace] = useState("");
  const [staff, setStaff] = useState("");
  const [secret, setSecret] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const make = async () => {
    setFault(undefined);
    try {
      const made = await got(api.POST("/v1/keys", { body: { name, role, ...(place ? { place } : {}), ...(staff ? { staff } : {}) } }));
      setSecret(made.secret);
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, "unreachable", t("state.unreachable")));
    }
  };
  const bound = ["store_manager", "cashier", "advisor"].includes(role);
  return (
    <Modal open title={t("keys.make")} onCancel={close} {...(secret ? { footer: <Button onClick={close}>{t("do.close")}</Button> } : { okText: t("keys.make"), onOk: () => void make(), okButtonProps: { disabled: name.trim() === "" } })}>
      {secret ? (
        <div className="stack">
          <p>{t("keys.once")}</p>
          <Typography.Text code copyable style={{ overflowWrap: "anywhere" }}>
            {secret}
          </Typography.Text>
        </div>
      ) : (
        <div className="stack">
          <Field label={t("keys.name")} hint={t("keys.name_say")}>
            {(id, described) => <Input id={id} aria-describedby={described} maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Field label={t("keys.role")}>{(id) => <Select id={id} aria-label={t("keys.role")} value={role} onChange={setRole} options={ROLES.map((value) => ({ value, label: word("role", value) }))} />}</Field>
          {bound ? (
            <div className="two-fields">
              <Field label={t("keys.place")}>{(id) => <Input id={id} value={place} onChange={(event) => setPlace(event.target.value)} />}</Field>
              <Field label={t("keys.staff")}>{(id) => <Input id={id} value={staff} onChange={(event) => setStaff(event.target.value)} />}</Field>
            </div>
          ) : null}
          {fault ? (
            <p className="danger small" role="alert">
              {fault.title} {fault.detail}
            </p>
          ) : null}
        </div>
      )}
    </Modal>
  );
}
