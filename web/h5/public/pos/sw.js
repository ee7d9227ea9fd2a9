// Keeps the till's page and its files on the phone, so that it opens without a network. What the home is asked (/v1/) is never kept.
const SHELF = "zhiyin-pos-1";
self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELF)
      .then(async (shelf) => {
        const page = await fetch("/pos/", { cache: "no-store" });
        if (!page.ok) return;
        const text = await page.clone().text();
        await shelf.put("/pos/", page);
        const files = [...text.matchAll(/(?:src|href)="(\/pos\/[^"]+)"/g)].map((found) => found[1]);
        await shelf.addAll(files);
      })
      .then(() => self.skipWaiting()),
  );
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !pathname.startsWith("/pos/")) return;
  const fresh = async () => {
    const answer = await fetch(request);
    if (answer.ok) {
      const copy = answer.clone();
      event.waitUntil(caches.open(SHELF).then((shelf) => shelf.put(request.mode === "navigate" ? "/pos/" : request, copy)));
    }
    return answer;
  };
  if (pathname.startsWith("/pos/assets/")) event.respondWith(caches.match(request).then((kept) => kept ?? fresh()));
  else event.respondWith(fresh().catch(async () => (await caches.match(request.mode === "navigate" ? "/pos/" : request)) ?? Response.error()));
});
