// A month of sends: what left the home, day by day, and what campaigns are to begin on which day by the playbook.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer } from "antd";
import { month as monthOf, whole } from "../../format";
import { useOverview, useZone } from "../../home";
import { useCampaignNames, useFile } from "../../live";
import { When } from "../../parts/marks";
import { Card, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { beginsOn, daysOf, type Planned } from "./days";

type Send = Schemas["SendView"];
type Task = Schemas["NoteView"];
const PAGES_MAX = 10;

const shift = (month: string, by: number) => {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + by);
  return at.toISOString().slice(0, 7);
};

export default function Calendar() {
  const { t, lang } = useWords();
  const zone = useZone() ?? "UTC";
  const [{ month: asked = "", on = "" }, setAddress] = useAddress();
  const now = useOverview().data?.clock.business_now ?? "";
  const dayIn = (at: string) => new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(at));
  const today = now ? dayIn(now) : "";
  const month = asked || today.slice(0, 7);
  const nameOf = useCampaignNames();
  const file = useFile();
  const sends = useQuery({
    queryKey: ["sends of a month", month, zone],
    enabled: month !== "",
    queryFn: async ({ signal }) => {
      // From the latest back to the first day of the month, so many pages at most.
      const found: Send[] = [];
      let before = "";
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const { items } = await got(api.GET("/v1/sends", { params: { query: { limit: 200, ...(before ? { before } : {}) } }, signal }));
        found.push(...items);
        const last = items.at(-1);
        if (items.length < 200 || !last || dayIn(last.at) < `${month}-01`) return { items: found, whole: true };
        before = last.send;
      }
      return { items: found, whole: false };
    },
  });
  const tasks = useQuery({ queryKey: ["tasks"], queryFn: ({ signal }) => got(api.GET("/v1/tasks", { signal })) });
  if (month === "") return <None slim title={t("state.loading")} />;
  const days = daysOf(month);
  const planned = (day: string): Planned[] => beginsOn(file.data?.campaigns ?? {}, day);
  const sentOn = (day: string) => (sends.data?.items ?? []).filter((one) => dayIn(one.at) === day);
  const tasksOn = (day: string): Task[] => (tasks.data?.items ?? []).filter((one) => dayIn(one.at) === day);
  const names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  return (
    <div className="stack">
      <div className="row">
        <Button onClick={() => setAddress({ month: shift(month, -1) })} aria-label={t("books.earlier")}>
          ‹
        </Button>
        <strong style={{ minWidth: 88, textAlign: "center" }}>{monthOf(month)}</strong>
        <Button onClick={() => setAddress({ month: shift(month, 1) })} aria-label={t("books.later")}>
          ›
        </Button>
        <span className="small quiet">{t("calendar.say")}</span>
      </div>
      <Asked of={sends}>
        {(data) => (
          <>
            {data.whole ? null : <p className="note warn small">{t("calendar.partial", { n: whole(data.items.length) })}</p>}
            <Card flush>
              <div className="table-box" tabIndex={0} role="region" aria-label={t("calendar.title")}>
                <table className="calendar">
                  <thead>
                    <tr>
                      {names.map((name) => (
                        <th key={name} scope="col">
                          {lang === "zh" ? word("weekday", name) : word("weekday", name).slice(0, 3)}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {days.map((week) => (
                      <tr key={week[0]}>
                        {week.map((day) => {
                          const out = day.slice(0, 7) !== month;
                          const sent = out ? [] : sentOn(day);
                          const told = out ? [] : tasksOn(day);
                          const due = out ? [] : planned(day);
                          return (
                            <td key={day} className={[out ? "out" : "", day === today ? "today" : ""].join(" ").trim() || undefined}>
                              <div className="apart" style={{ flexWrap: "nowrap" }}>
                                <span className="day">{Number(day.slice(8))}</span>
                                {sent.length + told.length > 0 ? (
                                  <button type="button" className="plain small" style={{ color: "var(--celadon)" }} onClick={() => setAddress({ on: day })}>
                                    {t("calendar.sent", { n: whole(sent.length + told.length) })}
                                  </button>
                                ) : null}
                              </div>
                              {due.slice(0, 3).map((one) => (
                                <Link key={one.campaign} to="/campaigns/$id" params={{ id: one.campaign }} search={{ tab: "flow" }} className="due cut" title={nameOf(one.campaign, one.campaign)}>
                                  {one.at} {nameOf(one.campaign, one.campaign)}
                                </Link>
                              ))}
                              {due.length > 3 ? <span className="small quiet">{t("calendar.more", { n: due.length - 3 })}</span> : null}
                            </td>
                          );
                        })}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Card>
          </>
        )}
      </Asked>
      <Drawer open={on !== ""} onClose={() => setAddress({ on: "" })} title={on} size={480}>
        {on === "" ? null : (
          <ul className="stack tight">
            {sentOn(on).map((one) => (
              <li key={one.send} className="apart">
                <span>
                  <Link to="/members/$id" params={{ id: one.member }} search={{ tab: "touches" }} className="mono">
                    {one.member.slice(0, 8)}
                  </Link>{" "}
                  {one.message} · {word("channel", one.channel)}
                  <div className="small quiet">
                    {nameOf(one.campaign, one.campaign)} · <When at={one.at} />
                  </div>
                </span>
                <Pill>{word("send_state", one.state)}</Pill>
              </li>
            ))}
            {tasksOn(on).map((one) => (
              <li key={one.id} className="apart">
                <span>
                  <Link to="/members/$id" params={{ id: one.member }} className="mono">
                    {one.member.slice(0, 8)}
                  </Link>{" "}
                  {one.text}
                </span>
                <Pill>{word("note_state", one.state)}</Pill>
              </li>
            ))}
          </ul>
        )}
      </Drawer>
    </div>
  );
}
