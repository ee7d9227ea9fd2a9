// Serves the built apps for phones before a home, as the home's binary does: under the same policy, with a new word for styles in each answer. In place
// of a home, `before` may answer what is asked of one: `(request, response, next)`.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { door } from "../console/door/door.mjs";

const dist = new URL("../h5/dist/", import.meta.url).pathname;
const kinds = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

async function answer(request, response) {
  const { pathname } = new URL(request.url ?? "/", "http://phone");
  const app = /^\/(pos|a|m)(\/.*)$/.exec(pathname);
  const wanted = normalize(decodeURIComponent(app?.[2] ?? "/"));
  const file = extname(wanted) === "" || wanted.includes("..") ? "/index.html" : wanted;
  try {
    if (!app) throw new Error("no app");
    const bytes = await readFile(join(dist, app[1], file));
    const head = { "Content-Type": kinds[extname(file)] ?? "application/octet-stream", "X-Content-Type-Options": "nosniff" };
    if (file !== "/index.html") {
      response.writeHead(200, head).end(bytes);
      return;
    }
    const nonce = randomBytes(16).toString("base64url");
    const policy = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
    response.writeHead(200, { ...head, "Cache-Control": "no-store", "Content-Security-Policy": policy }).end(bytes.toString().replaceAll("__CSP_NONCE__", nonce));
  } catch {
    response.writeHead(404).end();
  }
}

/** Serves at a free port; gives its address and how to end it. */
export async function serve({ home, before = door({ home, key: undefined, setup: false }) }) {
  const server = createServer((request, response) => before(request, response, () => void answer(request, response)));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${server.address().port}`, end: () => server.close() };
}
