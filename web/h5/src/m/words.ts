// What the members' pages say.
import type { Language, Words } from "../shared/words";
import { en } from "./words-en";
import { zh } from "./words-zh";

export const words: Record<Language, Words> = { zh, en };
