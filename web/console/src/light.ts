// Light and dark: what the reader chose, or what their machine says; and the same colours as Ant Design's tokens.
import { theme, type ThemeConfig } from "antd";
import { useSyncExternalStore } from "react";

export type Choice = "light" | "dark" | "system";
const KEY = "zhiyin.light";
const machine = matchMedia("(prefers-color-scheme: dark)");
const heard = new Set<() => void>();

const read = (): Choice => {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
};
let choice = read();
export const isDark = () => choice === "dark" || (choice === "system" && machine.matches);

function show() {
  document.documentElement.dataset.light = isDark() ? "dark" : "light";
  for (const hear of heard) hear();
}
machine.addEventListener("change", show);
show();

export function chooseLight(next: Choice) {
  choice = next;
  if (next === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  show();
}
const subscribe = (hear: () => void) => {
  heard.add(hear);
  return () => heard.delete(hear);
};
export const useDark = () => useSyncExternalStore(subscribe, isDark);
export const useChoice = () => useSyncExternalStore(subscribe, () => choice);

/** Whether the reader's machine asks for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const font = `-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", "PingFang SC", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif`;

export function tokens(dark: boolean): ThemeConfig {
  const c = dark
    ? { paper: "#141614", surface: "#1C1F1D", line: "#2C312E", ink: "#ECEBE6", celadon: "#5DB4A0", cinnabar: "#E5755E", gold: "#D9B25F", indigo: "#8CA8DE" }
    : { paper: "#FAF9F6", surface: "#FFFFFF", line: "#E7E4DC", ink: "#1E2321", celadon: "#2B7A69", cinnabar: "#B53C25", gold: "#B98A2F", indigo: "#3F5E9A" };
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      colorPrimary: c.celadon,
      // Ant Design lightens it where the mouse is: what is written on it would be read less well there.
      colorPrimaryHover: dark ? "#7AC4B3" : "#226354",
      colorPrimaryActive: dark ? "#8FD0C1" : "#1B5145",
      colorLink: c.celadon,
      // Ant Design darkens it by itself in the dark: a lighter one stays readable.
      colorError: dark ? "#F59C88" : c.cinnabar,
      colorWarning: c.gold,
      colorInfo: c.indigo,
      colorSuccess: c.celadon,
      colorBgBase: c.surface,
      colorBgLayout: c.paper,
      colorBgContainer: c.surface,
      colorBgElevated: dark ? "#222623" : c.surface,
      colorTextBase: c.ink,
      colorBorder: dark ? "#474E4A" : "#CFCBC0",
      colorBorderSecondary: c.line,
      colorTextPlaceholder: dark ? "#A9ACA6" : "#66706B",
      colorTextDescription: dark ? "#A9ACA6" : "#5D6360",
      borderRadius: 8,
      fontFamily: font,
      fontSize: 14,
      motion: !still(),
      motionDurationSlow: "0.15s",
      motionDurationMid: "0.12s",
      boxShadow: "none",
      boxShadowTertiary: "none",
    },
    components: {
      Button: { primaryShadow: "none", defaultShadow: "none", dangerShadow: "none", primaryColor: dark ? "#10201C" : "#FFFFFF", dangerColor: dark ? "#2A120C" : "#FFFFFF" },
      Segmented: { itemColor: dark ? "#C3C5BF" : "#4A514D", itemSelectedColor: c.ink },
      Select: { optionSelectedBg: dark ? "#1D332D" : "#E6F1EE", optionActiveBg: dark ? "#2C312E" : "#F4F2EC", optionSelectedFontWeight: 600 },
      Tabs: { itemColor: dark ? "#A9ACA6" : "#5D6360", itemSelectedColor: c.celadon },
    },
  };
}
