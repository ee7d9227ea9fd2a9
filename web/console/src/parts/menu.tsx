// A menu that a button opens: in the browser's own top layer, so that nothing cuts it off and whatever else is pressed closes it.
import { cloneElement, useId, useRef, type KeyboardEvent, type MouseEvent, type ReactElement, type ReactNode } from "react";

export type MenuItem = { key: string; label: ReactNode; danger?: boolean; onClick: () => void } | { type: "divider" };

type Opens = { onClick?: (event: MouseEvent<HTMLElement>) => void; onPointerDown?: () => void; "aria-haspopup"?: "menu"; "aria-controls"?: string };

const GAP = 4;

/** Beneath the button, or above it where there is no room; as far to the left as it must be to be seen. */
function place(menu: HTMLElement, button: DOMRect) {
  const { width, height } = menu.getBoundingClientRect();
  const beneath = button.bottom + GAP;
  const top = beneath + height > innerHeight - GAP ? Math.max(GAP, button.top - GAP - height) : beneath;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(GAP, Math.min(button.left, innerWidth - width - GAP))}px`;
}

export function Menu({ items, children }: { items: MenuItem[]; children: ReactElement<Opens> }) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  // Pressing the button closes what is open before it is a click.
  const wasOpen = useRef(false);
  const entries = () => [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const opens = (event: MouseEvent<HTMLElement>) => {
    const menu = list.current;
    if (!menu || wasOpen.current) {
      wasOpen.current = false;
      return;
    }
    menu.showPopover();
    place(menu, event.currentTarget.getBoundingClientRect());
    entries()[0]?.focus();
  };
  const moves = (event: KeyboardEvent) => {
    const all = entries();
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || all.length === 0) return;
    event.preventDefault();
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  return (
    <>
      {cloneElement(children, {
        onClick: opens,
        onPointerDown: () => {
          wasOpen.current = list.current?.matches(":popover-open") ?? false;
        },
        "aria-haspopup": "menu",
        "aria-controls": id,
      })}
      <div id={id} ref={list} popover="auto" role="menu" className="menu" onKeyDown={moves}>
        {items.map((item, at) =>
          "type" in item ? (
            <hr key={`line-${at}`} />
          ) : (
            <button
              key={item.key}
              type="button"
              role="menuitem"
              className={item.danger ? "danger" : undefined}
              onClick={() => {
                list.current?.hidePopover();
                item.onClick();
              }}
            >
              {item.label}
            </button>
          ),
        )}
      </div>
    </>
  );
}
