// Serves the built console before a home, as the home itself does: at /console/, under the same policy, any deep address with its page.
//
//   node serve.mjs HOME_ADDRESS KEY [--setup]
//
// With --setup nobody is its owner yet. Prints its address.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { door, POLICY } from "../console/door/door.mjs";

const [home, key, ...rest] = process.argv.slice(2);
const dist = new URL("../console/dist/", import.meta.url).pathname;
const kinds = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json" };

async function serve(request, response) {
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

const before = door({ home, key, setup: rest.includes("--setup") });
const server = createServer((request, response) => before(request, response, () => void serve(request, response)));
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
