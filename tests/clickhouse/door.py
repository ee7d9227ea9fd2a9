"""The current release of ClickHouse behind a door of HTTP: chdb, in this process, with as much of a server's interface as a
home speaks: a statement in the body (or in `query`, with lines after it), settings in the address, user and password in
headers, an error by its number.

    python tests/clickhouse/door.py --folder DIR --password-file FILE

Prints the address it listens at, then serves until it is ended. What was written is in DIR when it is started again.
"""

import argparse
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from chdb import session

# What a server takes of an address and is no setting of a statement here.
OWN = {"query", "wait_end_of_query", "max_execution_time", "insert_distributed_sync"}


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    said = {}

    def do_GET(self):
        self.answer(200, b"Ok.\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.headers.get("x-clickhouse-key", "") != self.server.password:
            return self.answer(403, b"Code: 516. DB::Exception: Authentication failed", 516)
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        statement = f"{asked['query']}\n{body}" if "query" in asked else body
        self.answer(*self.told(statement, asked))

    def told(self, statement, asked):
        """Status, answer, number of an error."""
        with self.server.lock:
            try:
                for name, value in asked.items():
                    if name not in OWN and self.said.get(name) != value:
                        self.server.chdb.query(f"SET {name} = {value}")
                        self.said[name] = value
                answer = self.server.chdb.query(statement, "TabSeparated")
                return 200, answer.bytes() if answer is not None else b""
            except Exception as error:  # noqa: BLE001: whatever it is, it is told by its number
                number = re.search(r"Code: ([0-9]+)", str(error))
                return 500, str(error)[:4000].encode(), int(number[1]) if number else 1

    def answer(self, status, body, number=None):
        try:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if number is not None:
                self.send_header("x-clickhouse-exception-code", str(number))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # Whoever asked was killed meanwhile.
            self.close_connection = True

    def log_message(self, *_):
        pass


class Doors(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Whoever asked was killed meanwhile: nobody is there to be told."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--password-file", required=True, type=Path)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = Doors(("127.0.0.1", options.port), Door)
    server.lock, server.password = Lock(), options.password_file.read_text().strip()
    server.chdb = session.Session(options.folder)
    # Of so few rows one thread is done sooner than several, most of all where others are at work.
    server.chdb.query("SET max_threads = 1")
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
