// A door before a home, for development and for tests of the pages: hands requests for /v1 on, bearing a key, and
// stands in for sign-in where the home has none yet. With `key` undefined it hands everything on as it came.
import { request } from "node:http";
import { randomUUID } from "node:crypto";

const OPERATIONS = [
  "member_list", "member_read", "member_lookup", "member_enrol", "member_update", "member_tag", "member_merge", "member_unmerge", "member_erase",
  "member_export", "points_spend", "points_return", "points_adjust", "payouts_make", "coupons_issue", "coupons_use", "coupons_issue_many", "draws_manage",
  "campaigns_manage", "messages_answer", "inbox_read", "inbox_answer", "checkout", "checkout_return", "tills_lease", "orders_read", "reports_read", "playbook_read",
  "playbook_apply", "places_read", "places_write", "staff_write", "dead_letters_read", "dead_letters_retry", "keys_manage", "audit_read",
  "home_manage", "duplicates_review", "consent_write", "webhooks_manage", "books_close",
];

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async function read(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

/** A middleware for Vite or for a plain server: `(request, response, next)`. */
export function door({ home, key, setup = false }) {
  const base = new URL(home);
  // Whoever is signed in: one person, as long as the process lives.
  const state = { owner: setup ? undefined : { name: "demo", password: "seven strings at dusk" }, language: undefined, sessions: new Map(), totp: false };

  const answer = (response, status, body, headers = {}) => {
    response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", ...headers });
    response.end(body === undefined ? "" : JSON.stringify(body));
  };
  const refuse = (response, status, code) => answer(response, status, { type: "about:blank", title: code, status, code });

  async function session(incoming, response, url) {
    const cookie = /zhiyin_door=([\w-]+)/.exec(incoming.headers.cookie ?? "")?.[1];
    const csrf = cookie && state.sessions.get(cookie);
    const method = incoming.method ?? "GET";
    const body = method === "GET" || method === "DELETE" ? {} : JSON.parse((await read(incoming)).toString() || "{}");
    if (url === "/v1/setup") {
      if (method === "GET") return answer(response, 200, { needed: !state.owner });
      if (state.owner) return refuse(response, 409, "setup_done");
      state.owner = { name: body.name, password: body.password };
      return answer(response, 200, { needed: false });
    }
    if (url === "/v1/session" && method === "POST") {
      if (!state.owner || body.name !== state.owner.name || body.password !== state.owner.password) return refuse(response, 401, "sign_in_wrong");
      const id = randomUUID();
      state.sessions.set(id, randomUUID());
      return answer(response, 200, who(state.sessions.get(id)), { "Set-Cookie": `zhiyin_door=${id}; Path=/; HttpOnly; SameSite=Strict` });
    }
    if (!csrf) return refuse(response, 401, "not_signed_in");
    if (method !== "GET" && incoming.headers["x-zhiyin-csrf"] !== csrf) return refuse(response, 403, "csrf_wrong");
    if (url === "/v1/session" && method === "GET") return answer(response, 200, who(csrf));
    if (url === "/v1/session" && method === "PATCH") {
      state.language = body.language;
      return answer(response, 200, who(csrf));
    }
    if (url === "/v1/session" && method === "DELETE") {
      state.sessions.delete(cookie);
      return answer(response, 204, undefined);
    }
    return refuse(response, 501, "not_in_the_door");
  }

  const who = (csrf) => ({
    person: { id: "demo", name: state.owner.name, language: state.language ?? "zh" },
    roles: ["owner"],
    permissions: OPERATIONS,
    csrf,
    totp: state.totp,
    expires_at: new Date(Date.now() + 12 * 3600e3).toISOString(),
  });

  return (incoming, response, next) => {
    const url = new URL(incoming.url ?? "/", "http://door");
    if (key && /^\/v1\/(setup|session)(\/|$)/.test(url.pathname)) {
      void session(incoming, response, url.pathname);
      return;
    }
    if (!/^\/(v1|docs|openapi\.json|q|l)(\/|$)/.test(url.pathname)) return next();
    const cookie = /zhiyin_door=([\w-]+)/.exec(incoming.headers.cookie ?? "")?.[1];
    if (key && !state.sessions.has(cookie)) return refuse(response, 401, "not_signed_in");
    const headers = { ...incoming.headers, host: base.host };
    // A home takes changes from pages of its own only; this one is, behind a door.
    if (headers.origin === `http://${incoming.headers.host}`) headers.origin = base.origin;
    if (key) {
      headers.authorization = `Bearer ${key}`;
      delete headers.cookie;
    }
    const onward = request({ host: base.hostname, port: base.port, path: incoming.url, method: incoming.method, headers }, (back) => {
      response.writeHead(back.statusCode ?? 502, back.headers);
      back.pipe(response);
    });
    onward.on("error", () => refuse(response, 502, "home_unreachable"));
    incoming.pipe(onward);
  };
}
