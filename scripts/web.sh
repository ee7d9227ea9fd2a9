# shellcheck shell=bash
# What the browser is given: the apps under web/, built where they are stale. Sourced by `run`, which sets `root` and `cache`.

# One sum over whatever a build is made of.
web_sum() {
  find web docs/openapi.json \( -name node_modules -o -name dist -o -path web/tests \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# Builds web/console/dist and web/h5/dist, once for each state of its sources. Node: the machine's, else PyPI's.
build_web() {
  local sum stamp="$cache/web.stamp" version
  sum="$(web_sum)"
  [[ ! -e web/console/dist/index.html || ! -e web/h5/dist/pos/index.html || ! -e web/h5/dist/a/index.html || ! -e web/h5/dist/m/index.html || "$(cat "$stamp" 2>/dev/null)" != "$sum" ]] || return 0
  heading "Web"
  version="$(node --version 2>/dev/null || true)"
  at_least "${version#v}" "$node_wanted" || need python
  with_node
  npm_packages web
  (cd web && npm run --silent build)
  mkdir -p "$cache"
  printf '%s' "$sum" >"$stamp"
}
