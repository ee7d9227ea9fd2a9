// One story, told by the clients that run in Node: somebody says who they are, buys two things, brings one back, and is
// recognised by what they were called before.
//
//   node story.mjs CLIENT HOST KEY
//
// Each client is used as its own documentation shows it; nothing of its request is made here.
import process from "node:process";

const [name, host, key] = process.argv.slice(2);
// `NAME-public` is the same client with a key that lies open.
const client = name.replace(/-public$/, "");
const user = `ann-${name}`;
const before = `guest-${name}`;
const order = `${name}-1`;
const traits = { city: "上海", gender: "female" };
const bought = {
  order_id: order,
  currency: "CNY",
  total: 88.8,
  products: [
    { product_id: "p1", category: "snacks", price: "15.90", quantity: 2 },
    { product_id: "p2", category: "beauty", price: 57, quantity: 1 },
  ],
};
const returned = { order_id: order, products: [{ product_id: "p2", quantity: 1 }] };
const extra = { seen: 3, where: "shelf" };

/** Tells the story through a client that takes one object a call, as Segment's do. */
function tell(analytics) {
  analytics.identify({ userId: user, traits });
  analytics.track({ userId: user, event: "Order Completed", properties: bought });
  analytics.track({ userId: user, event: "Order Refunded", properties: returned });
  analytics.track({ userId: user, event: "Something Of Our Own", properties: extra });
  analytics.alias?.({ userId: user, previousId: before });
}

/** Waits for a call that tells its end by a callback. */
const called = (ask) => new Promise((resolve, reject) => ask((error) => (error ? reject(error) : resolve())));

const clients = {
  async "segment-node"() {
    const { Analytics } = await import("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: key, host });
    analytics.on("error", (error) => {
      throw new Error(JSON.stringify(error));
    });
    tell(analytics);
    await analytics.closeAndFlush();
  },

  async "segment-old-node"() {
    const { default: Analytics } = await import("analytics-node");
    const analytics = new Analytics(key, { host });
    tell(analytics);
    await analytics.flush();
  },

  async "segment-browser"() {
    // What a page has and Node has not, as far as the client looks at it.
    globalThis.window = globalThis;
    Object.assign(globalThis, { addEventListener() {}, removeEventListener() {} });
    Object.defineProperty(globalThis, "navigator", { value: { onLine: true, userAgent: "test" }, configurable: true });
    globalThis.location = new URL("http://shop.test/?utm_source=douyin");
    globalThis.document = {
      cookie: "",
      title: "Shop",
      referrer: "",
      readyState: "complete",
      visibilityState: "visible",
      addEventListener() {},
      querySelector() {},
      querySelectorAll: () => [],
      getElementsByTagName: () => [],
    };
    const { AnalyticsBrowser } = await import("@segment/analytics-next");
    const [analytics] = await AnalyticsBrowser.load(
      { writeKey: key, cdnSettings: { integrations: { "Segment.io": { apiKey: key, versionSettings: {} } } } },
      {
        disableClientPersistence: true,
        integrations: { "Segment.io": { apiHost: `${host.replace("http://", "")}/v1`, protocol: "http" } },
      },
    );
    await analytics.identify(user, traits);
    await analytics.track("Order Completed", bought);
    await analytics.track("Order Refunded", returned);
    await analytics.track("Something Of Our Own", extra);
    await analytics.page("Shop");
    await analytics.alias(user, before);
    // It hides from the process that it is still at work.
    setTimeout(() => process.exit(0), 500);
  },

  async "rudder-node"() {
    const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
    const analytics = new Analytics(key, { dataPlaneUrl: host, flushAt: 100 });
    tell(analytics);
    await called((done) => analytics.flush(done));
  },

  async "customerio-node"() {
    const { Analytics } = await import("@customerio/cdp-analytics-node");
    const analytics = new Analytics({ writeKey: key, host });
    tell(analytics);
    await analytics.closeAndFlush();
  },

  async "posthog-node"() {
    const { PostHog } = await import("posthog-node");
    const posthog = new PostHog(key, { host, flushAt: 100 });
    const capture = (event, properties) => posthog.capture({ distinctId: user, event, properties });
    posthog.identify({ distinctId: user, properties: traits });
    capture("Order Completed", bought);
    capture("Order Refunded", returned);
    capture("Something Of Our Own", extra);
    posthog.alias({ distinctId: user, alias: before });
    await posthog.shutdown();
  },

  async jitsu() {
    const { jitsuAnalytics } = await import("@jitsu/js");
    // It asks for two halves; either may be the key.
    const analytics = jitsuAnalytics({ host, writeKey: `zhiyin:${key}`, s2s: true });
    await analytics.identify(user, traits);
    await analytics.track("Order Completed", { ...bought, userId: user });
    await analytics.track("Order Refunded", { ...returned, userId: user });
    await analytics.track("Something Of Our Own", { ...extra, userId: user });
  },

  async dittofeed() {
    const { DittofeedSdk } = await import("@dittofeed/sdk-node");
    await DittofeedSdk.init({ writeKey: key, host });
    tell(DittofeedSdk);
    await DittofeedSdk.flush();
  },
};

if (!(client in clients)) throw new Error(`there is no client ${client}; there are ${Object.keys(clients).join(" ")}`);
await clients[client]();
