"""One story, told by the clients that run in Python: somebody says who they are, buys two things, brings one back, and is
recognised by what they were called before.

    python story.py CLIENT HOST KEY

Each client is used as its own documentation shows it; nothing of its request is made here.
"""

import sys

CLIENT, HOST, KEY = sys.argv[1:4]
USER, BEFORE, ORDER = f"ann-{CLIENT}", f"guest-{CLIENT}", f"{CLIENT}-1"
TRAITS = {"city": "上海", "gender": "female"}
BOUGHT = {
    "order_id": ORDER,
    "currency": "CNY",
    "total": "88.80",
    "products": [
        {"product_id": "p1", "category": "snacks", "price": 15.9, "quantity": 2},
        {"product_id": "p2", "category": "beauty", "price": "57.00", "quantity": 1},
    ],
}
RETURNED = {"order_id": ORDER, "products": [{"product_id": "p2", "quantity": 1}]}
EXTRA = {"seen": 3, "where": "shelf"}


def failed(error, items):
    """Ends with what a client says went wrong; it runs in a thread of the client's own."""
    print(f"{CLIENT}: {error!r}", file=sys.stderr, flush=True)


def tell(analytics):
    """Tells it through a client of Segment's kind."""
    analytics.identify(USER, TRAITS)
    analytics.track(USER, "Order Completed", BOUGHT)
    analytics.track(USER, "Order Refunded", RETURNED)
    analytics.track(USER, "Something Of Our Own", EXTRA)
    analytics.alias(BEFORE, USER)
    analytics.flush()


def segment_python():
    from segment.analytics.client import Client

    tell(Client(KEY, host=HOST, on_error=failed))


def segment_python_gzip():
    from segment.analytics.client import Client

    tell(Client(KEY, host=HOST, gzip=True, on_error=failed))


def rudder_python():
    import rudderstack.analytics as rudder

    rudder.write_key, rudder.dataPlaneUrl, rudder.on_error = KEY, HOST, failed
    tell(rudder)


def customerio_python():
    from customerio.analytics.client import Client

    tell(Client(KEY, host=HOST, on_error=failed))


def segment_old_python():
    from analytics.client import Client

    tell(Client(KEY, host=HOST, on_error=failed))


def posthog_python():
    from posthog import Posthog

    posthog = Posthog(KEY, host=HOST, on_error=failed)
    posthog.set(distinct_id=USER, properties=TRAITS)
    posthog.capture("Order Completed", distinct_id=USER, properties=BOUGHT)
    posthog.capture("Order Refunded", distinct_id=USER, properties=RETURNED)
    posthog.capture("Something Of Our Own", distinct_id=USER, properties=EXTRA)
    posthog.alias(BEFORE, USER)
    posthog.flush()
    posthog.shutdown()


CLIENTS = {
    "segment-python": segment_python,
    "segment-python-gzip": segment_python_gzip,
    "segment-old-python": segment_old_python,
    "rudder-python": rudder_python,
    "customerio-python": customerio_python,
    "posthog-python": posthog_python,
}
CLIENTS[CLIENT]()
