# shellcheck shell=bash
# The release before this one, built from its commit for the test that both share a home. Sourced by `run`.

# Sets `previous_release`, the path of its program, whether or not it is there.
name_previous_release() {
  local version
  read -r version _ < <(grep -v '^#' "$root/scripts/releases.txt")
  previous_release="$cache/release/$version/zhiyin"
}

# Builds it and sets `previous_release`. Fails where it cannot be had.
get_previous_release() {
  local version commit tree
  name_previous_release
  read -r version commit < <(grep -v '^#' "$root/scripts/releases.txt")
  [[ ! -x "$previous_release" ]] || return 0
  if ! git -C "$root" cat-file -e "$commit^{commit}" 2>/dev/null; then
    git -C "$root" fetch --quiet origin "$commit" 2>/dev/null || true
  fi
  if ! git -C "$root" cat-file -e "$commit^{commit}" 2>/dev/null; then
    say "Release $version is not in the history of this checkout: clone it whole, or \`git fetch --unshallow\`."
    return 1
  fi
  say "Building release $version, once"
  tree="$cache/release/$version/source"
  rm -rf "$tree" && mkdir -p "$tree" || return 1
  git -C "$root" archive "$commit" | tar -x -C "$tree" || return 1
  # In the same folder of outputs: what does not differ is not compiled again.
  # With what it rests on compiled as for this one; its own crates need not be quick.
  local status=0 quick=(--config 'profile.release.lto="off"' --config 'profile.release.codegen-units=4'
    --config 'profile.release.package."*".debug=false') crate
  for crate in "$tree"/crates/*/Cargo.toml; do
    crate="$(sed -n 's/^name = "\(.*\)"$/\1/p' "$crate" | head -n 1)"
    quick+=(--config "profile.release.package.$crate.opt-level=1")
  done
  cargo build --quiet --release --locked "${quick[@]}" --manifest-path "$tree/Cargo.toml" --target-dir "$target" -p zhiyin || status=1
  if [[ "$status" == 0 ]]; then
    # Moved: a program that was copied half is never found.
    cp "$target/release/zhiyin" "$previous_release.part" && mv "$previous_release.part" "$previous_release" || status=1
  fi
  rm -rf "$tree"
  return "$status"
}
