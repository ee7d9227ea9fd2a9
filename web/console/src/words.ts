// Words in two languages: Chinese unless the reader chose English. Each language is loaded when it is needed.
import { asking } from "@zhiyin/api";
import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import type { Words } from "./words/zh";

export type Language = "zh" | "en";
declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: Words };
    returnNull: false;
    enableSelector: false;
  }
}

const KEY = "zhiyin.language";
export const language = (): Language => (i18next.language === "en" ? "en" : "zh");

async function load(next: Language) {
  if (i18next.hasResourceBundle(next, "translation")) return;
  const words = next === "zh" ? (await import("./words/zh")).zh : (await import("./words/en")).en;
  i18next.addResourceBundle(next, "translation", words);
}

/** A language as the home names it. */
export const tagOf = (of: Language) => (of === "zh" ? "zh-CN" : "en");

export async function begin() {
  const kept = localStorage.getItem(KEY);
  const first: Language = kept === "en" || kept === "zh" ? kept : "zh";
  await i18next.use(initReactI18next).init({ lng: first, fallbackLng: false, nsSeparator: false, interpolation: { escapeValue: false }, react: { useSuspense: false }, resources: {} });
  await speak(first);
}

export async function speak(next: Language) {
  await load(next);
  localStorage.setItem(KEY, next);
  asking.language = next;
  document.documentElement.lang = tagOf(next);
  await i18next.changeLanguage(next);
}

/** For what is said outside of a page. */
export const i18n = i18next;

export function useWords() {
  const { t } = useTranslation();
  return { t, lang: language() };
}

/** The word for a value that the home names (a state, a reason), or the value itself where there is none yet. */
export function word(group: keyof Words["of"], value: string): string {
  const key = `of.${group}.${value}`;
  return i18next.exists(key) ? (i18next.t as (key: string) => string)(key) : value.replaceAll("_", " ");
}
