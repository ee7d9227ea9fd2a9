// Keeps an app's page and its files on the phone, so that it opens without a network. What the home is asked (/v1/) is never kept.
// Served beside each app that wants it: the folder it lies in is what it keeps.
const HOME = new URL("./", self.location).pathname;
const SHELF = `zhiyin${HOME.replaceAll("/", "-")}1`;
self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELF)
      .then(async (shelf) => {
        const page = await fetch(HOME, { cache: "no-store" });
        if (!page.ok) return;
        const text = await page.clone().text();
        await shelf.put(HOME, page);
        const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((found) => found[1]).filter((file) => file.startsWith(HOME));
        await shelf.addAll(files);
      })
      .then(() => self.skipWaiting()),
  );
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !pathname.startsWith(HOME)) return;
  const fresh = async () => {
    const answer = await fetch(request);
    if (answer.ok) {
      const copy = answer.clone();
      event.waitUntil(caches.open(SHELF).then((shelf) => shelf.put(request.mode === "navigate" ? HOME : request, copy)));
    }
    return answer;
  };
  if (pathname.startsWith(`${HOME}assets/`)) event.respondWith(caches.match(request).then((kept) => kept ?? fresh()));
  else event.respondWith(fresh().catch(async () => (await caches.match(request.mode === "navigate" ? HOME : request)) ?? Response.error()));
});
