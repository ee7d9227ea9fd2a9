"""Two servers of ClickHouse on this machine, each with a part of the members: asked, one of them stopped, started, asked again.

The servers are Debian's (an old release, spoken to in its own dialect); each has its own configuration and data in a
temporary folder, listens on 127.0.0.1 only, and is ended by its process. What is said to them goes the way that it would go
from an engine: the example `clickhouse_wiring` of the room `reach`.
"""

import argparse
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

CLUSTER = "zhiyin_two"
CONFIG = """<yandex>
  <logger><level>warning</level><log>{folder}/server.log</log><errorlog>{folder}/error.log</errorlog><size>10M</size><count>1</count></logger>
  <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>
  <listen_host>127.0.0.1</listen_host>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><format_schema_path>{folder}/</format_schema_path>
  <users_config>{folder}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><max_concurrent_queries>50</max_concurrent_queries>
  <remote_servers><{cluster}>{shards}</{cluster}></remote_servers>
</yandex>
"""
USERS = """<yandex>
  <profiles><default><max_memory_usage>1000000000</max_memory_usage><max_threads>1</max_threads></default></profiles>
  <users><default><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
  <quotas><default></default></quotas>
</yandex>
"""


def free_ports(n):
    """Ports that nobody has, below those that the system hands out, so that no connection takes one meanwhile."""
    ports = []
    for port in random.sample(range(20_000, 32_000), 100 + n):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == n:
            return ports
    raise SystemExit("no port is free")


class Server:
    def __init__(self, binary, folder, http, tcp, shards, password=""):
        self.binary, self.folder, self.url, self.process = binary, folder, f"http://127.0.0.1:{http}/", None
        for part in ("data", "tmp"):
            (folder / part).mkdir(parents=True)
        (folder / "users.xml").write_text(USERS.format(password=escape(password)))
        values = {"folder": folder, "http": http, "tcp": tcp, "shards": shards, "cluster": CLUSTER}
        (folder / "config.xml").write_text(CONFIG.format(**values))

    def start(self):
        log = (self.folder / "output.log").open("ab")
        command = [self.binary, f"--config-file={self.folder}/config.xml"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "ping", timeout=2) as answer:
                    if answer.read() == b"Ok.\n":
                        return
            except OSError:
                # Not yet: the server itself is waited for, by its own answer.
                time.sleep(0.1)
        raise SystemExit(f"the server did not start:\n{self.told()}")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def told(self):
        texts = [(self.folder / name).read_text(errors="replace")[-3000:] for name in ("output.log", "error.log") if (self.folder / name).exists()]
        return "\n".join(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wiring", required=True, help="the built example clickhouse_wiring")
    parser.add_argument("--server", default="clickhouse-server")
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    work = Path(options.work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    ports = free_ports(4)
    shard = "<shard><replica><host>127.0.0.1</host><port>{}</port></replica></shard>"
    shards = "".join(shard.format(port) for port in ports[2:])
    servers = [Server(options.server, work / f"server{n}", ports[n], ports[2 + n], shards) for n in range(2)]
    urls = [server.url for server in servers]
    failed = passed = 0

    def step(rule, name, urls, expected_code, expected_text):
        nonlocal failed, passed
        done = subprocess.run([options.wiring, name, CLUSTER, *urls], capture_output=True, text=True, timeout=180)
        is_right = done.returncode == expected_code and expected_text in done.stdout
        print(f"{'ok' if is_right else 'FAILED'}: {rule}: {done.stdout.strip().splitlines()[-1:]}")
        if not is_right:
            print(done.stdout[-2000:], done.stderr[-3000:], servers[0].told()[-2000:], sep="\n")
        passed, failed = passed + is_right, failed + (not is_right)

    try:
        for server in servers:
            server.start()
        step("tables are made on each server, twice", "tables", urls, 0, "tables made on 2 servers")
        step("members go in through one server", "load", urls[:1], 0, "400 members sent, version 2")
        step("each server finds whom the reference finds", "ask", urls, 0, "8 conditions agree")
        step("what goes in again changes nothing", "load", urls[1:], 0, "400 members sent, version 2")
        step("as the answers show", "ask", urls, 0, "8 conditions agree")
        servers[1].stop()
        step("without one shard there is no answer, by name", "ask", urls[:1], 3, "clickhouse_shard_unavailable")
        step("nor do members go in", "load", urls[:1], 3, "clickhouse_shard_unavailable")
        step("the server that is stopped is named too", "ask", urls[1:], 3, "clickhouse_unreachable")
        servers[1].start()
        step("it starts, and members go in again", "load", urls[:1], 0, "400 members sent, version 2")
        step("and all are found again", "ask", urls, 0, "8 conditions agree")
        servers[0].stop()
        servers[0].start()
        step("and after the other one started anew", "ask", urls, 0, "8 conditions agree")
    finally:
        for server in servers:
            server.stop()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
