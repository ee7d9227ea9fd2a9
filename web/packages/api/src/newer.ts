// What a newer home answers and the document that the types were made of does not name yet. An older home leaves it out, so all of it is optional.
import type { Named } from "./index";

/** Of a place: degrees of WGS-84, and against what they were written down. */
export type Located = { lat?: number | null; lon?: number | null; datum?: string | null };

/** A list as somebody saved it: the query of its address. */
export type SavedView = { view: string; page: string; name: string; query: string; shared: boolean; mine: boolean; may_change: boolean; by: string; at: string };

/** By what one may sign in. */
export type Ways = { password: boolean; oidc: { name: Named; start: string } | null };

/** Of the inbox: how many conversations stand how. */
export type InboxCounts = { counts?: Record<"unread" | "open" | "answered" | "closed", number> | null };
/** Of a conversation: why nothing can be said in it now. */
export type Unanswerable = { cannot_reply?: string | null };
/** Of a desk: what it is called. */
export type DeskNamed = { name?: string | null };
