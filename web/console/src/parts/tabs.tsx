// Tabs of a page: one row that scrolls on a phone, moved through by arrows as such rows are.
import { useId, type ReactNode } from "react";

export type Tab = { key: string; label: ReactNode; children: ReactNode };

export function Tabs({ label, activeKey, onChange, items }: { label: string; activeKey: string; onChange: (key: string) => void; items: Tab[] }) {
  const id = useId();
  const active = items.find((item) => item.key === activeKey) ?? items[0];
  const keys = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || !active) return;
    const next = items[(items.indexOf(active) + step + items.length) % items.length];
    if (!next) return;
    event.preventDefault();
    onChange(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} onKeyDown={keys}>
        {items.map((item) => (
          <button
            key={item.key}
            id={`${id}-${item.key}`}
            type="button"
            role="tab"
            className="plain tab"
            aria-selected={item === active}
            aria-controls={item === active ? `${id}-panel` : undefined}
            tabIndex={item === active ? 0 : -1}
            onClick={() => onChange(item.key)}
          >
            {item.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={active ? `${id}-${active.key}` : undefined}>
        {active?.children}
      </div>
    </>
  );
}
