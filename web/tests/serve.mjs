// Serves the built console before a home, as the home itself does: at /console/, under the same policy, any deep address with its page.
//
//   node serve.mjs HOME_ADDRESS [KEY [--setup]]
//
// Without a key the home signs people in itself; with one the door does, and with --setup nobody is its owner yet. Prints its address.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { door, POLICY } from "../console/door/door.mjs";

const dist = new URL("../console/dist/", import.meta.url).pathname;
const kinds = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json" };

async function answer(request, response) {
  const { pathname } = new URL(request.url ?? "/", "http://console");
  if (!pathname.startsWith("/console")) {
    response.writeHead(302, { Location: "/console/" });
    response.end();
    return;
  }
  const wanted = normalize(decodeURIComponent(pathname.slice("/console".length)));
  const file = extname(wanted) === "" || wanted.includes("..") ? "index.html" : wanted;
  try {
    const bytes = await readFile(join(dist, file));
    response.writeHead(200, { "Content-Type": kinds[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff" });
    response.end(bytes);
  } catch {
    response.writeHead(404);
    response.end();
  }
}

/** Serves at a free port, or at `port`; gives its address and how to end it. */
export async function serve({ home, key, setup = false, port = 0 }) {
  const before = door({ home, key, setup });
  const server = createServer((request, response) => before(request, response, () => void answer(request, response)));
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${server.address().port}`, end: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [home, key, ...rest] = process.argv.slice(2);
  if (!home) {
    console.error("usage: node serve.mjs HOME_ADDRESS [KEY [--setup]]");
    process.exit(2);
  }
  const { address } = await serve({ home, key, setup: rest.includes("--setup"), port: Number(process.env.PORT ?? 0) });
  console.log(`${address}/console/`);
}
