// A new transfer: to whom, how much and why; then once more as a whole with what comes of it, and only then it is asked for, once.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal } from "@zhiyin/api";
import { App, Button, Input, Select } from "antd";
import { useEffect, useRef, useState } from "react";
import { Field } from "../../frame/sign-in";
import { called, money } from "../../format";
import { useCurrency, useMay, useOverview, useSession } from "../../home";
import { shortId } from "../../parts/marks";
import { Facts } from "../../parts/page";
import { Who } from "../../parts/who";
import { useWords } from "../../words";
import { Refused, saidOf } from "./refused";
import { appsOf, isAnswered, isUnsure, Meant, MINOR_MAX, MINOR_MIN, minorOf, NAME_MOST, REASON_MOST, REMARK_MOST, wantsName, type Payout, type Wanted } from "./rules";

type Faults = Partial<Record<"member" | "amount_minor" | "remark" | "reason" | "name" | "app" | "account", string>>;
const length = (text: string) => [...text].length;

export default function Make({ accounts, account: first, member: given, made }: { accounts: string[]; account: string; member: string; made: (one: Payout) => void }) {
  const { t } = useWords();
  const may = useMay();
  const client = useQueryClient();
  const { message } = App.useApp();
  const currency = useCurrency();
  const overview = useOverview();
  const exponent = overview.data?.brand.exponent ?? 2;
  // What was sent last time and never answered comes first: nothing else is sent in its place.
  const meant = useRef<Meant>(null);
  const session = useSession();
  meant.current ??= new Meant(sessionStorage, session.data?.person.id ?? "");
  const [left] = useState(() => meant.current?.left());
  const before = left?.wanted;
  const [member, setMember] = useState(before?.member.id ?? given);
  const [typed, setTyped] = useState(before ? String(before.amount_minor / 10 ** exponent) : "");
  const [remark, setRemark] = useState(before?.remark ?? "");
  const [reason, setReason] = useState(before?.reason ?? "");
  const [name, setName] = useState(before?.name ?? "");
  const [account, setAccount] = useState(before?.account ?? first);
  const [app, setApp] = useState(before?.app ?? "");
  const [faults, setFaults] = useState<Faults>({});
  const [looks, setLooks] = useState<Wanted | undefined>(before);
  const [lost, setLost] = useState(before !== undefined);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (looks) head.current?.focus();
  }, [looks]);
  const person = useQuery({
    queryKey: ["member", member],
    enabled: member !== "" && may("member_read"),
    queryFn: ({ signal }) => got(api.GET("/v1/members/{id}", { params: { path: { id: member } }, signal })),
  });
  const whom = person.data?.name || (member ? shortId(member) : "");
  const apps = person.data ? appsOf(person.data.identifiers) : [];
  const minor = minorOf(typed, exponent);
  const least = money(MINOR_MIN, currency);

  const look = () => {
    const wrong: Faults = {};
    if (member === "") wrong.member = t("payouts.member_missing");
    if (minor === undefined || minor < MINOR_MIN || minor > MINOR_MAX) wrong.amount_minor = t("payouts.amount_wrong", { least, most: money(MINOR_MAX, currency) });
    if (remark.trim() === "" || length(remark.trim()) > REMARK_MOST) wrong.remark = t("payouts.remark_wrong", { n: REMARK_MOST });
    if (reason.trim() === "" || length(reason.trim()) > REASON_MOST) wrong.reason = t("payouts.reason_wrong", { n: REASON_MOST });
    if (wantsName(minor) && name.trim() === "") wrong.name = t("payouts.name_wrong");
    setFaults(wrong);
    setError(undefined);
    if (Object.keys(wrong).length > 0 || minor === undefined) return;
    setLooks({ member: { id: member }, amount_minor: minor, remark: remark.trim(), reason: reason.trim(), account, ...(wantsName(minor) ? { name: name.trim() } : {}), ...(app ? { app } : {}) });
  };
  const send = async (wanted: Wanted) => {
    const held = meant.current;
    if (!held) return;
    setBusy(true);
    setError(undefined);
    try {
      const one = await got(api.POST("/v1/payouts", { params: { header: { "Idempotency-Key": held.key(wanted) } }, body: wanted as never }));
      // It is in, and not decided yet: asked again it is told.
      if (!("payout" in one)) throw new Refusal(202, one.code, one.title);
      held.answered();
      message.success(one.state === "waits_for_approval" ? t("payouts.made_waits", { no: one.approval ?? "" }) : t("payouts.made"));
      void client.invalidateQueries({ queryKey: ["payouts"] });
      made(one);
    } catch (refused) {
      if (isAnswered(refused)) {
        held.answered();
        setLost(false);
        const field = refused instanceof Refusal ? (refused.field ?? "").split(".")[0] : "";
        const known = ["member", "amount_minor", "remark", "reason", "name", "app"].find((one) => one === field) as keyof Faults | undefined;
        // Whatever is about a field is told there.
        if (known) setFaults({ [known]: saidOf(refused) ?? (refused as Refusal).title });
        setLooks(undefined);
      } else setLost((now) => now || isUnsure(refused));
      setError(refused);
    } finally {
      setBusy(false);
    }
  };

  if (looks)
    return (
      <div className="stack">
        <h2 ref={head} tabIndex={-1} style={{ outline: "none" }}>
          {t("payouts.look", { amount: money(looks.amount_minor, currency), who: whom })}
        </h2>
        <Facts
          of={[
            [t("payouts.member"), whom],
            [t("payouts.amount"), <strong key="amount">{money(looks.amount_minor, currency)}</strong>],
            [t("payouts.remark"), looks.remark],
            [t("payouts.reason"), looks.reason],
            looks.name ? [t("payouts.name"), looks.name] : null,
            accounts.length > 1 ? [t("payouts.account"), looks.account] : null,
            looks.app ? [t("payouts.app"), looks.app] : null,
          ]}
        />
        <div>
          <p>{t("payouts.then")}</p>
          <ol style={{ margin: "4px 0 0", paddingLeft: 20, listStyle: "decimal" }}>
            <li>{t("payouts.then_second")}</li>
            <li>{t("payouts.then_confirm")}</li>
            <li>{t("payouts.then_back")}</li>
          </ol>
        </div>
        {error && !(lost && isUnsure(error)) ? <Refused error={error} /> : null}
        {lost ? (
          <div className="note warn" role="status">
            <span className="grow">{t("payouts.lost")}</span>
          </div>
        ) : null}
        <div className="row">
          <Button type="primary" loading={busy} onClick={() => void send(looks)}>
            {lost ? t("payouts.ask_again") : t("payouts.send", { amount: money(looks.amount_minor, currency) })}
          </Button>
          {lost ? null : (
            <Button disabled={busy} onClick={() => setLooks(undefined)}>
              {t("payouts.back")}
            </Button>
          )}
        </div>
      </div>
    );
  const placed = error instanceof Refusal && Object.keys(faults).length > 0;
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        look();
      }}
    >
      {error && !placed ? <Refused error={error} /> : null}
      {member ? (
        <div className="field">
          <span className="small quiet">{t("payouts.member")}</span>
          <div className="row">
            <strong>{whom}</strong>
            {person.data?.tier ? <span className="quiet">{called(person.data.tier.name, person.data.tier.level)}</span> : null}
            <Button
              size="small"
              onClick={() => {
                setMember("");
                setApp("");
                setFaults({});
              }}
            >
              {t("payouts.other_member")}
            </Button>
          </div>
          {faults.member ? (
            <span className="fault" role="alert">
              {faults.member}
            </span>
          ) : person.data && apps.length === 0 ? (
            <span className="hint">{t("payouts.no_app")}</span>
          ) : null}
        </div>
      ) : (
        <Field label={t("payouts.member")} hint={t("payouts.member_say")} fault={faults.member}>
          {(id) => (
            <Who
              id={id}
              label={t("payouts.member")}
              names
              choose={(next) => {
                setMember(next);
                setApp("");
                setFaults({});
              }}
            />
          )}
        </Field>
      )}
      <Field label={t("payouts.amount_of", { currency })} hint={t("payouts.amount_say", { least })} fault={faults.amount_minor}>
        {(id, described) => <Input id={id} aria-describedby={described} inputMode="decimal" autoComplete="off" maxLength={16} value={typed} onChange={(event) => setTyped(event.target.value)} suffix={minor === undefined ? undefined : money(minor, currency)} />}
      </Field>
      {wantsName(minor) ? (
        <Field label={t("payouts.name")} hint={t("payouts.name_say")} fault={faults.name}>
          {(id, described) => <Input id={id} aria-describedby={described} autoComplete="off" maxLength={NAME_MOST} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
      ) : null}
      <Field label={t("payouts.remark")} hint={t("payouts.remark_say", { n: REMARK_MOST })} fault={faults.remark}>
        {(id, described) => <Input id={id} aria-describedby={described} value={remark} maxLength={2 * REMARK_MOST} onChange={(event) => setRemark(event.target.value)} suffix={<span className="quiet small">{`${length(remark)}/${REMARK_MOST}`}</span>} />}
      </Field>
      <Field label={t("payouts.reason")} hint={t("payouts.reason_say")} fault={faults.reason}>
        {(id, described) => <Input.TextArea id={id} aria-describedby={described} value={reason} maxLength={2 * REASON_MOST} autoSize={{ minRows: 2, maxRows: 5 }} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      {accounts.length > 1 ? <Field label={t("payouts.account")} fault={faults.account}>{(id) => <Select id={id} aria-label={t("payouts.account")} value={account} onChange={setAccount} options={accounts.map((value) => ({ value, label: value }))} />}</Field> : null}
      {apps.length > 1 || faults.app ? (
        <Field label={t("payouts.app")} hint={t("payouts.app_say")} fault={faults.app}>
          {(id, described) =>
            apps.length > 0 ? (
              <Select id={id} aria-label={t("payouts.app")} value={app} onChange={setApp} options={[{ value: "", label: t("payouts.app_only") }, ...apps.map((value) => ({ value, label: value }))]} />
            ) : (
              <Input id={id} aria-describedby={described} className="mono" maxLength={64} value={app} onChange={(event) => setApp(event.target.value.trim())} />
            )
          }
        </Field>
      ) : null}
      <div>
        <Button type="primary" htmlType="submit">
          {t("payouts.next")}
        </Button>
      </div>
    </form>
  );
}
