// People who sign in: added, given another role or a new password, removed; and what each role may.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Checkbox, Drawer, Input, Popconfirm, Select } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { useSession } from "../../home";
import { Csv, Find, Views } from "../../parts/list-tools";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";

type Person = Schemas["PersonView"];

export const ROLES = ["owner", "marketer", "analyst", "store_manager", "advisor", "cashier"];
/** What a role is bound to: an advisor to themselves, a manager and a cashier to a place. */
const needsPlace = (role: string) => role === "store_manager" || role === "cashier" || role === "advisor";
const needsStaff = (role: string) => role === "advisor";

export function People() {
  const { t } = useWords();
  const [{ find = "", role = "", person = "" }, setAddress] = useAddress();
  const people = useQuery({ queryKey: ["people"], queryFn: ({ signal }) => got(api.GET("/v1/people", { signal })) });
  const columns: Column<Person>[] = [
    {
      key: "name",
      title: t("people.name"),
      by: (row) => row.name,
      text: (row) => row.name,
      cell: (row) => (
        <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ person: row.id })}>
          {row.name}
        </button>
      ),
    },
    { key: "role", title: t("keys.role"), by: (row) => word("role", row.role), text: (row) => word("role", row.role), cell: (row) => word("role", row.role) },
    { key: "bound", title: t("keys.bound"), far: true, text: (row) => [row.place, row.staff].filter(Boolean).join(" "), cell: (row) => [row.place, row.staff].filter(Boolean).join(" · ") || <span className="quiet">—</span> },
    {
      key: "door",
      title: t("people.door"),
      text: (row) => (row.password ? t("people.can") : t("people.cannot")),
      cell: (row) => <Pill tone={row.password ? "good" : "warn"}>{row.password ? t("people.can") : t("people.cannot")}</Pill>,
    },
    {
      key: "totp",
      title: t("own.totp"),
      far: true,
      text: (row) => (row.totp ? t("own.totp_on") : t("own.totp_off")),
      cell: (row) => <span className={row.totp ? "" : "quiet"}>{row.totp ? t("own.totp_on") : t("own.totp_off")}</span>,
    },
    { key: "made", title: t("people.since"), far: true, right: true, by: (row) => row.made_at, text: (row) => row.made_at, cell: (row) => <When at={row.made_at} only="day" /> },
  ];
  return (
    <Asked of={people}>
      {({ items }) => {
        const rows = items.filter((one) => (role === "" || one.role === role) && `${one.name} ${one.place ?? ""} ${one.staff ?? ""}`.toLowerCase().includes(find.trim().toLowerCase()));
        const open = items.find((one) => one.id === person);
        return (
          <>
            <div className="apart" style={{ marginBottom: 12 }}>
              <div className="row">
                <Find label={t("people.find")} name="find" width={200} />
                <Select
                  aria-label={t("keys.role")}
                  placeholder={t("keys.role")}
                  allowClear
                  style={{ width: 132 }}
                  value={role || undefined}
                  onChange={(next: string | undefined) => setAddress({ role: next ?? "" })}
                  options={ROLES.map((value) => ({ value, label: word("role", value) }))}
                />
              </div>
              <div className="row">
                <Views page="people" names={["find", "role", "sort"]} />
                <Csv name="people" columns={columns} rows={rows} />
                <Button type="primary" onClick={() => setAddress({ person: "new" })}>
                  {t("people.add")}
                </Button>
              </div>
            </div>
            <Card flush>
              {rows.length === 0 ? (
                <None title={items.length === 0 ? t("people.none") : t("people.none_match")}>{t("people.none_say")}</None>
              ) : (
                <DataTable label={t("settings.people")} rows={rows} id={(row) => row.id} open={(row) => setAddress({ person: row.id })} columns={columns} />
              )}
            </Card>
            <Card title={t("people.roles")} style={{ marginTop: 16 }}>
              <Facts of={ROLES.map((one) => [word("role", one), word("role_says", one)])} />
            </Card>
            <Drawer open={person !== ""} onClose={() => setAddress({ person: "" })} title={person === "new" ? t("people.add") : (open?.name ?? t("people.gone"))} size={460} destroyOnHidden>
              {person === "new" ? <Add close={() => setAddress({ person: "" })} /> : open ? <One key={open.id} of={open} close={() => setAddress({ person: "" })} /> : <None slim title={t("people.gone")} />}
            </Drawer>
          </>
        );
      }}
    </Asked>
  );
}

/** Role, place and staff: what somebody acts as. */
function As({ role, place, staff, set, fault }: { role: string; place: string; staff: string; set: (change: { role?: string; place?: string; staff?: string }) => void; fault: Refusal | undefined }) {
  const { t } = useWords();
  return (
    <>
      <Field label={t("keys.role")} hint={word("role_says", role)} fault={fault?.field === "role" ? fault.title : undefined}>
        {(id) => <Select id={id} aria-label={t("keys.role")} value={role} onChange={(next: string) => set({ role: next })} options={ROLES.map((value) => ({ value, label: word("role", value) }))} />}
      </Field>
      {needsPlace(role) || place !== "" ? (
        <Field label={t("keys.place")} hint={t("people.place_say")} fault={fault?.field === "place" ? fault.title : undefined}>
          {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={place} onChange={(event) => set({ place: event.target.value })} />}
        </Field>
      ) : null}
      <Field label={t("keys.staff")} hint={needsStaff(role) ? t("people.staff_needed") : t("people.staff_say")} fault={fault?.field === "staff" ? fault.title : undefined}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={staff} onChange={(event) => set({ staff: event.target.value })} />}
      </Field>
    </>
  );
}

const asRefusal = (error: unknown, unreachable: string) => (error instanceof Refusal ? error : new Refusal(0, "unreachable", unreachable));
const bound = (as: { place: string; staff: string }) => ({ ...(as.place.trim() ? { place: as.place.trim() } : {}), ...(as.staff.trim() ? { staff: as.staff.trim() } : {}) });
const ELSEWHERE = ["name", "password", "role", "place", "staff"];

function Add({ close }: { close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [as, setAs] = useState({ role: "marketer", place: "", staff: "" });
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const add = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      const made = await got(api.POST("/v1/people", { body: { name: name.trim(), role: as.role, ...bound(as), ...(password ? { password } : {}) } }));
      message.success(t("people.added", { name: made.name }));
      await client.invalidateQueries({ queryKey: ["people"] });
      close();
    } catch (error) {
      setFault(asRefusal(error, t("state.unreachable")));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <Field label={t("people.name")} hint={t("people.name_say")} fault={fault?.field === "name" ? fault.title : undefined}>
        {(id, described) => <Input id={id} aria-describedby={described} autoFocus maxLength={254} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <As {...as} set={(change) => setAs((now) => ({ ...now, ...change }))} fault={fault} />
      <Field label={t("people.first_password")} hint={t("people.first_password_say")} fault={fault?.field === "password" ? fault.title : undefined}>
        {(id, described) => <Input type="password" id={id} aria-describedby={described} autoComplete="new-password" maxLength={256} value={password} onChange={(event) => setPassword(event.target.value)} />}
      </Field>
      {fault && !ELSEWHERE.includes(fault.field ?? "") ? (
        <p className="danger small" role="alert">
          {fault.title} {fault.detail}
        </p>
      ) : null}
      <div>
        <Button type="primary" htmlType="submit" loading={busy} disabled={name.trim() === "" || (password !== "" && password.length < 10)}>
          {t("people.add")}
        </Button>
      </div>
    </form>
  );
}

function One({ of, close }: { of: Person; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const own = useSession().data?.person.id === of.id;
  const [as, setAs] = useState({ role: of.role, place: of.place ?? "", staff: of.staff ?? "" });
  const [password, setPassword] = useState("");
  const [withoutCodes, setWithoutCodes] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  const params = { path: { id: of.id } };
  const act = async (doing: () => Promise<unknown>, said: string) => {
    setFault(undefined);
    try {
      await doing();
      message.success(said);
      await client.invalidateQueries({ queryKey: ["people"] });
      return true;
    } catch (error) {
      setFault(asRefusal(error, t("state.unreachable")));
      return false;
    }
  };
  const changed = as.role !== of.role || as.place !== (of.place ?? "") || as.staff !== (of.staff ?? "");
  return (
    <div className="stack">
      <Facts
        of={[
          [t("people.door"), <Pill key="door" tone={of.password ? "good" : "warn"}>{of.password ? t("people.can") : t("people.cannot")}</Pill>],
          [t("own.totp"), of.totp ? t("own.totp_on") : t("own.totp_off")],
          [t("people.since"), <span key="since"><When at={of.made_at} /> · {of.made_by}</span>],
        ]}
      />
      <h2>{t("people.acts")}</h2>
      {own ? (
        <p className="quiet small">{t("people.own_say")}</p>
      ) : (
        <>
          <As {...as} set={(change) => setAs((now) => ({ ...now, ...change }))} fault={fault} />
          <div>
            <Button disabled={!changed} onClick={() => void act(() => got(api.PATCH("/v1/people/{id}", { params, body: { role: as.role, ...bound(as) } })), t("people.changed"))}>
              {t("people.change")}
            </Button>{" "}
            <span className="quiet small">{t("people.sessions_end")}</span>
          </div>
          <h2>{of.password ? t("people.reset") : t("people.give")}</h2>
          <Field label={t("own.new")} hint={t("door.password_say", { n: 10 })} fault={fault?.field === "password" ? fault.title : undefined}>
            {(id, described) => <Input type="password" id={id} aria-describedby={described} autoComplete="new-password" maxLength={256} value={password} onChange={(event) => setPassword(event.target.value)} />}
          </Field>
          {of.totp ? (
            <Checkbox checked={withoutCodes} onChange={(event) => setWithoutCodes(event.target.checked)}>
              {t("people.without_codes")}
            </Checkbox>
          ) : null}
          <div>
            <Button
              disabled={password.length < 10}
              onClick={() =>
                void act(() => got(api.POST("/v1/people/{id}/password", { params, body: { password, without_codes: withoutCodes } })), t("people.password_done")).then((done) => done && setPassword(""))
              }
            >
              {of.password ? t("people.reset") : t("people.give")}
            </Button>
          </div>
          <h2>{t("people.remove")}</h2>
          <p className="quiet small">{t("people.remove_say")}</p>
          <div>
            <Popconfirm
              title={t("people.remove_ask", { name: of.name })}
              okText={t("people.remove")}
              onConfirm={() => act(() => got(api.DELETE("/v1/people/{id}", { params, body: {} as never })), t("people.removed")).then((done) => done && close())}
            >
              <Button danger>{t("people.remove")}</Button>
            </Popconfirm>
          </div>
        </>
      )}
      {fault && !ELSEWHERE.includes(fault.field ?? "") ? (
        <p className="danger small" role="alert">
          {fault.title} {fault.detail}
        </p>
      ) : null}
    </div>
  );
}
