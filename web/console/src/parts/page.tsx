// A page with its title and one primary action, cards on it, figures, and lists of facts.
import { Link } from "@tanstack/react-router";
import { Fragment, useEffect, type ReactNode } from "react";
import { useWords } from "../words";

export function Page({
  title,
  lead,
  actions,
  back,
  wide = false,
  children,
}: {
  title: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; label: string };
  wide?: boolean;
  children: ReactNode;
}) {
  const { t } = useWords();
  const name = typeof title === "string" ? title : undefined;
  useEffect(() => {
    document.title = name ? `${name} · ${t("brand")}` : t("brand");
  }, [name, t]);
  return (
    <div className={wide ? "page wide" : "page"}>
      <div className="page-head">
        <div className="grow">
          {back ? (
            <Link to={back.to} className="back">
              ← {back.label}
            </Link>
          ) : null}
          <h1>{title}</h1>
          {lead ? <p className="quiet">{lead}</p> : null}
        </div>
        {actions ? <div className="row">{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}

export function Card({ title, aside, flush = false, children, style }: { title?: ReactNode; aside?: ReactNode; flush?: boolean; children: ReactNode; style?: React.CSSProperties }) {
  return (
    <section className={flush ? "card flush" : "card"} style={style}>
      {title ? (
        <div className="apart">
          <h2>{title}</h2>
          {aside ? <div className="quiet small">{aside}</div> : null}
        </div>
      ) : null}
      {children}
    </section>
  );
}

export type FigureOf = { label: string; value: ReactNode; exact?: string; note?: ReactNode; to?: string; search?: Record<string, string> };

export function Figures({ of }: { of: FigureOf[] }) {
  return (
    <div className="figures">
      {of.map((figure) => {
        const inner = (
          <>
            <span className="label">{figure.label}</span>
            <span className="value" title={figure.exact}>
              {figure.value}
            </span>
            {figure.note ? <span className="note-say">{figure.note}</span> : null}
          </>
        );
        return figure.to ? (
          <Link key={figure.label} className="figure" to={figure.to} search={figure.search ?? {}}>
            {inner}
          </Link>
        ) : (
          <div key={figure.label} className="figure">
            {inner}
          </div>
        );
      })}
    </div>
  );
}

export function Facts({ of }: { of: ([string, ReactNode] | null)[] }) {
  return (
    <dl className="facts">
      {of.map((fact) =>
        fact ? (
          <Fragment key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </Fragment>
        ) : null,
      )}
    </dl>
  );
}

/** A state as a word with a dot; the dot alone never says anything. */
export function Pill({ tone = "", children, title }: { tone?: "good" | "bad" | "warn" | "info" | "bare" | ""; children: ReactNode; title?: string }) {
  return (
    <span className={`pill ${tone}`} title={title}>
      <span className="cut">{children}</span>
    </span>
  );
}

export type BarOf = { key: string; label: ReactNode; value: number; shown: ReactNode; more?: ReactNode; color?: string; to?: string; search?: Record<string, string> };

export function Bars({ of, most }: { of: BarOf[]; most?: number }) {
  const top = most ?? Math.max(1, ...of.map((bar) => bar.value));
  return (
    <div className="bars">
      {of.map((bar) => {
        const inner = (
          <>
            <span className="cut" title={typeof bar.label === "string" ? bar.label : undefined}>
              {bar.label}
            </span>
            <span className="track">
              <span className="fill" style={{ display: "block", width: `${(100 * bar.value) / top}%`, ...(bar.color ? { background: bar.color } : {}) }} />
            </span>
            <span className="figures-of">
              <span>{bar.shown}</span>
              {bar.more ? (
                <span className="quiet right" style={{ minWidth: 46 }}>
                  {bar.more}
                </span>
              ) : null}
            </span>
          </>
        );
        return bar.to ? (
          <Link key={bar.key} className="bar" to={bar.to} search={bar.search ?? {}}>
            {inner}
          </Link>
        ) : (
          <div key={bar.key} className="bar">
            {inner}
          </div>
        );
      })}
    </div>
  );
}
