// The frame of the console: who is nobody yet is asked in; then the rail, the page beside it, and the palette over it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Refusal, send } from "@zhiyin/api";
import { App } from "antd";
import { lazy, Suspense, useEffect, useState } from "react";
import { sessionKey, useMay, useSession } from "../home";
import { chooseLight, useChoice, type Choice } from "../light";
import { Menu } from "../parts/menu";
import { Bones, Fault } from "../parts/states";
import { speak, tagOf, useWords } from "../words";
import { Icon, Mark } from "./icons";
import { allowed } from "./places";
import { SignIn } from "./sign-in";

const Palette = lazy(() => import("./palette"));
const SetUp = lazy(() => import("./set-up"));

export function Frame() {
  const session = useSession();
  const { t } = useWords();
  const nobody = session.error instanceof Refusal && session.error.status === 401;
  const setup = useQuery({
    queryKey: ["setup"],
    queryFn: ({ signal }) => send<{ needed: boolean }>("GET", "/v1/setup", undefined, signal),
    enabled: nobody && !session.data,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (nobody) {
    if (setup.data?.needed) {
      return (
        <Suspense fallback={null}>
          <SetUp />
        </Suspense>
      );
    }
    if (setup.error) return <Outside>{<Fault error={setup.error} retry={() => void setup.refetch()} />}</Outside>;
    return setup.data ? <SignIn /> : null;
  }
  if (session.data) return <Inside />;
  if (session.error) return <Outside>{<Fault error={session.error} retry={() => void session.refetch()} />}</Outside>;
  return (
    <Outside>
      <h1 className="only-heard">{t("brand")}</h1>
      <Bones />
    </Outside>
  );
}

const Outside = ({ children }: { children: React.ReactNode }) => <main style={{ maxWidth: 560, margin: "20vh auto 0" }}>{children}</main>;

function Inside() {
  const { t } = useWords();
  const [seeking, setSeeking] = useState(false);
  const [menu, setMenu] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setSeeking((now) => !now);
      }
      if (event.key === "Escape") setMenu(false);
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
  useEffect(() => setMenu(false), [path]);
  const seek = () => {
    setMenu(false);
    setSeeking(true);
  };
  return (
    <>
      <a className="skip" href="#page">
        {t("frame.skip")}
      </a>
      <div className="frame">
        <Rail seek={seek} />
        <div>
          <header className="topbar">
            <button type="button" className="plain icon-button" onClick={() => setMenu(true)} aria-label={t("frame.menu")} aria-expanded={menu}>
              <Icon name="menu" size={20} />
            </button>
            <Link to="/" className="brand">
              {t("brand")}
            </Link>
            <button type="button" className="plain icon-button" onClick={seek} aria-label={t("frame.search")}>
              <Icon name="search" size={20} />
            </button>
          </header>
          <main id="page" tabIndex={-1} style={{ outline: "none" }}>
            <Suspense fallback={<Bones lines={8} />}>
              <Outlet />
            </Suspense>
          </main>
        </div>
      </div>
      {menu ? (
        // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too.
        <div className="drawer-nav" onClick={(event) => event.target === event.currentTarget && setMenu(false)}>
          <Rail seek={seek} />
        </div>
      ) : null}
      {seeking ? (
        <Suspense fallback={null}>
          <Palette close={() => setSeeking(false)} />
        </Suspense>
      ) : null}
    </>
  );
}

function Rail({ seek }: { seek: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const here = (to: string) => (to === "/" ? path === "/" || path === "/console" || path === "/console/" : new RegExp(`^(/console)?${to}(/|$)`).test(path));
  return (
    <aside className="rail" aria-label={t("frame.aside")}>
      <Link to="/" className="brand">
        <Mark />
        <span>{t("brand")}</span>
      </Link>
      <button type="button" className="plain seek" onClick={seek}>
        <Icon name="search" size={15} />
        <span>{t("frame.search")}</span>
        <kbd>{/Mac/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <nav aria-label={t("frame.pages")}>
        {allowed(may).map(({ group, places }) => (
          <div key={group}>
            <h2>{t(`frame.${group}`)}</h2>
            <ul>
              {places.map((place) => (
                <li key={place.to}>
                  <Link to={place.to} aria-current={here(place.to) ? "page" : undefined}>
                    <Icon name={place.name} />
                    <span>{t(`nav.${place.name}`)}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <Me />
    </aside>
  );
}

function Me() {
  const { t, lang } = useWords();
  const { data } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const choice = useChoice();
  if (!data) return null;
  const { person } = data;
  const switchTo = async (next: "zh" | "en") => {
    await speak(next);
    // It is the person's own from now on, wherever they sign in; that it could not be kept does not matter here.
    await send("PATCH", "/v1/session", { language: tagOf(next) }).catch(() => undefined);
    await client.invalidateQueries();
  };
  const leave = async () => {
    try {
      await send("DELETE", "/v1/session");
    } catch {
      message.error(t("state.wrong"));
      return;
    }
    client.clear();
    await client.invalidateQueries({ queryKey: sessionKey });
    location.assign("/console/");
  };
  const lights: Choice[] = ["light", "dark", "system"];
  return (
    <div className="me">
      <Menu
        items={[
            { key: "language", label: lang === "zh" ? "English" : "中文", onClick: () => void switchTo(lang === "zh" ? "en" : "zh") },
            { type: "divider" },
            ...lights.map((light) => ({ key: `light-${light}`, label: `${choice === light ? "✓ " : ""}${t(`frame.${light}`)}`, onClick: () => chooseLight(light) })),
            { type: "divider" },
            { key: "leave", label: t("frame.leave"), onClick: () => void leave() },
        ]}
      >
        <button type="button" className="plain who" aria-label={t("frame.me", { name: person.name })}>
          <span className="face" aria-hidden="true">
            {person.name.slice(0, 1).toUpperCase()}
          </span>
          <span className="grow cut">{person.name}</span>
        </button>
      </Menu>
    </div>
  );
}
