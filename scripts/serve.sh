# shellcheck shell=bash
# Starting the server from scripts, and starting it anew when a source changes. Sourced by `run`.

server_pid=""
server_address=""

# Starts `zhiyin serve` with the given options and waits for the address it prints.
# Sets server_pid and server_address; its output goes to the file $1.
start_server() {
  local log="$1" tries
  shift
  mkdir -p "$(dirname "$log")"
  : >"$log"
  "$zhiyin" serve "$@" >"$log" 2>&1 &
  server_pid=$!
  for ((tries = 0; tries < 300; tries++)); do
    server_address="$(grep -m 1 -oE 'http://127\.0\.0\.1:[0-9]+' "$log" || true)"
    [[ -z "$server_address" ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  say "The server did not start:"
  cat "$log"
  stop_server
  return 1
}

stop_server() {
  [[ -n "$server_pid" ]] || return 0
  kill "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=""
}

# Serves, and builds and starts anew when something under crates/ or playbooks/ has changed.
# A build that fails leaves the last good one running. The port stays what it was at first.
dev() {
  build
  local log="$cache/dev/server.log" seen="$cache/dev/seen" options=("$@")
  trap stop_server EXIT
  mkdir -p "$cache/dev"
  touch "$seen"
  local at
  at="127.0.0.1:$(free_port)"
  start_platform "$at"
  options+=("${platform_options[@]}")
  # A home that promises something already keeps its word.
  local its_home=() i
  for ((i = 0; i < ${#options[@]}; i++)); do
    [[ "${options[i]}" != --home ]] || its_home=(--home "${options[i + 1]:-}")
  done
  if [[ ${#platform_options[@]} -gt 0 && -z "$("$zhiyin" playbooks "${its_home[@]}" 2>/dev/null | sed -n 2p)" ]]; then
    "$zhiyin" apply "$root/tests/platform-sim/newcomer.yaml" "${its_home[@]}" || true
  fi
  start_server "$log" --listen "$at" --open "${options[@]}"
  say "Serving at $server_address (log: ${log#"$root/"}). Reload the page after a change; Ctrl-C ends."
  local listen="${server_address#http://}"
  while sleep 1; do
    if ! kill -0 "$server_pid" 2>/dev/null && [[ -n "$server_pid" ]]; then
      say "The server has ended; its last words:"
      tail -n 5 "$log"
      server_pid=""
    fi
    [[ -n "$(find crates playbooks Cargo.toml web/console/src web/console/index.html web/packages -newer "$seen" -type f -print -quit)" ]] || continue
    touch "$seen"
    if build_web && cargo build --release -p zhiyin; then
      stop_server
      start_server "$log" --listen "$listen" --open "${options[@]}" && say "Serving at $server_address"
    fi
  done
}
