// Words in two languages: an app gives its own, the shared ones lie beside. The reader's choice is kept on the phone.
import { asking } from "@zhiyin/api";
import { useEffect, useState } from "preact/hooks";

export type Language = "zh" | "en";
export type Words = Record<string, string>;
const KEY = "zhiyin.language";
const heard = new Set<() => void>();
let now: Language = "zh";
let words: Record<Language, Words> = { zh: {}, en: {} };

export function begin(all: Record<Language, Words>): void {
  words = all;
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // A phone that keeps nothing is asked what it speaks each time.
  }
  speak(kept === "en" || kept === "zh" ? kept : navigator.language.startsWith("zh") ? "zh" : "en", false);
}
export const language = (): Language => now;
export function speak(next: Language, keep = true): void {
  now = next;
  asking.language = next;
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  if (keep) {
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // See above.
    }
  }
  for (const hear of heard) hear();
}

export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replaceAll(/\{(\w+)\}/g, (hole, name: string) => (name in values ? String(values[name]) : hole));
}
/** A sentence by its key; a key that nobody gave words shows as it is, which a test finds. */
export const t = (key: string, values?: Record<string, string | number>): string => fill(words[now][key] ?? key, values);
/** What one of the home's own values is called, else the value. */
export const word = (group: string, value: string): string => words[now][`of.${group}.${value}`] ?? value;

/** Draws anew when the language changes. */
export function useLanguage(): Language {
  const [, draw] = useState(0);
  useEffect(() => {
    const hear = () => draw((n) => n + 1);
    heard.add(hear);
    return () => void heard.delete(hear);
  }, []);
  return now;
}
