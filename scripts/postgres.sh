# shellcheck shell=bash
# A private PostgreSQL for tests and benches: a cluster in a temporary folder, at a free port of this
# machine only, gone with the shell that started it. Durable as a brand's would be (it waits for the
# disk) unless `postgres_waits` is off, sized for tests. Sourced by `run`; `has_postgres` in machine.sh
# finds the programs.

# Whether a commit waits for the disk, `on` or `off`. Only losing the machine could tell the difference.
postgres_waits=on

# The folder of the running cluster, the shell that owns it, and the process that watches that shell.
postgres_folder=""
postgres_owner=""
postgres_watchdog=""

# Starts it, makes the database `zhiyin` and exports ZHIYIN_TEST_POSTGRES, its address. Where that is
# set already, by an earlier call or by whoever has a server of their own, nothing is started.
# psql and pgbench of the same version come first on the path.
start_postgres() {
  if has_postgres && [[ ":$PATH:" != *":$postgres_bin:"* ]]; then PATH="$postgres_bin:$PATH"; fi
  [[ -z "${ZHIYIN_TEST_POSTGRES:-}" ]] || return 0
  postgres_folder="$(mktemp -d "${TMPDIR:-/tmp}/zhiyin-postgres.XXXXXX")" || return 1
  postgres_owner=$BASHPID
  # Also run when a signal ends this shell, and not by its subshells: those reset what is trapped.
  trap stop_postgres EXIT
  watch_postgres "$postgres_folder" "$postgres_owner"
  if ! make_cluster "$postgres_folder" >"$postgres_folder/log" 2>&1 || ! start_cluster "$postgres_folder"; then
    say "PostgreSQL did not start:"
    tail -n 20 "$postgres_folder/log"
    stop_postgres
    return 1
  fi
  say "PostgreSQL runs for this command: $ZHIYIN_TEST_POSTGRES"
}

# Ends it at once and removes its folder; what the server said stays in $cache/postgres.log.
# Does nothing where none was started, and in a subshell of the shell that started it.
stop_postgres() {
  [[ -n "$postgres_folder" && "$postgres_owner" == "$BASHPID" ]] || return 0
  # Its process group, so that its `sleep` goes with it.
  kill -- "-$postgres_watchdog" 2>/dev/null || true
  mkdir -p "$cache" && cp "$postgres_folder/log" "$cache/postgres.log" 2>/dev/null || true
  end_cluster "$postgres_folder"
  postgres_folder=""
  unset ZHIYIN_TEST_POSTGRES
}

# PostgreSQL refuses to run as root, so there its programs run as the user that its package made.
as_postgres() {
  if [[ "$(id -u)" == 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# In a folder where the server's user may be: ours may be closed to it.
make_cluster() (
  cd "$1" || exit 1
  if [[ "$(id -u)" == 0 ]]; then chown -R postgres: . || exit 1; fi
  chmod 755 . || exit 1
  as_postgres "$postgres_bin/initdb" --pgdata="$1/data" --username=zhiyin --auth=trust --encoding=UTF8 --no-locale \
    --no-sync || exit 1
  cat >>"$1/data/postgresql.conf" <<TEXT
listen_addresses = '127.0.0.1'
unix_socket_directories = '$1'
max_connections = 300
shared_buffers = $(postgres_buffers_mb)MB
fsync = $postgres_waits
synchronous_commit = on
full_page_writes = $postgres_waits
wal_level = replica
max_wal_size = 2GB
checkpoint_timeout = 15min
autovacuum = on
TEXT
  # Homes of tests are small and without statistics: more processes for one look only take time to start.
  [[ "$postgres_waits" == on ]] || echo "max_parallel_workers_per_gather = 0" >>"$1/data/postgresql.conf"
)

# An eighth of the memory, from 32 to 512 MB.
postgres_buffers_mb() {
  local memory_kb mb
  memory_kb="$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo 2>/dev/null || true)"
  mb=$((${memory_kb:-4194304} / 8192))
  echo $((mb < 32 ? 32 : mb > 512 ? 512 : mb))
}

# Only the server itself can say that a port is free, by taking it; so ports are tried, below those
# that the system hands out.
start_cluster() {
  local folder="$1" port tries
  for ((tries = 0; tries < 10; tries++)); do
    port=$((20000 + RANDOM % 12000))
    if ! (
      cd "$folder" && as_postgres "$postgres_bin/pg_ctl" start --pgdata="$folder/data" --log="$folder/log" \
        --options="-p $port" --wait --timeout=60 --silent
    ) >>"$folder/log" 2>&1; then
      grep -q 'could not bind' "$folder/log" || return 1
      continue
    fi
    "$postgres_bin/psql" --no-psqlrc --quiet --host="$folder" --port="$port" --username=zhiyin --dbname=postgres \
      --command='CREATE DATABASE zhiyin' >>"$folder/log" 2>&1 || return 1
    export ZHIYIN_TEST_POSTGRES="postgres://zhiyin@127.0.0.1:$port/zhiyin"
    return 0
  done
  return 1
}

# Ends the server of the cluster in folder $1 without a checkpoint, by its pid file, within ten seconds
# or else by force, and removes the folder.
end_cluster() {
  local folder="$1" pid
  pid="$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)"
  # The server works in its data folder, which tells it from a stranger that got its number.
  if [[ -n "$pid" ]] && ! (
    cd "$folder" && as_postgres "$postgres_bin/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --timeout=10 --silent
  ) >/dev/null 2>&1 && [[ "/proc/$pid/cwd" -ef "$folder/data" ]]; then
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -rf "$folder" || true
}

# Ends the cluster in folder $1 when process $2 is gone, even one that could not end it itself (`kill -9`).
# In a process group of its own, so that what is done to the group of that process does not reach it.
watch_postgres() {
  set -m
  {
    trap '' HUP INT
    # One that has ended, but that nobody has asked how, is still there by name.
    while kill -0 "$2" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$2/status" 2>/dev/null; do sleep 1; done
    end_cluster "$1"
  } </dev/null >/dev/null 2>&1 &
  postgres_watchdog=$!
  set +m
  disown "$postgres_watchdog"
}
