#!/usr/bin/env bash
# The probes of same_as_libgc.c give libgc's own values: the same source, built against the system's libgc, must agree line by line.
set -eu
cd "$(dirname "$0")/../.."
cc=${LOAM_TEST_CC:-${CC:-cc}}
loam=${LOAM_TEST_DIR:-build/debug/tests}/compat/same_as_libgc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "1..0 # SKIP $1"
  exit 0
}

[ -x "$loam" ] || skip "$loam has not been built"
# -iquote: "tests/tap.h" is ours, <gc.h> is the system's.
echo '#include <gc.h>' | $cc -E -x c - >"$work/where" 2>/dev/null || skip "libgc-dev is not installed"
$cc -std=gnu11 -O1 -w -iquote . tests/compat/same_as_libgc.c -o "$work/reference" -lgc -pthread 2>"$work/log" || {
  cat "$work/log" >&2
  skip "the probes cannot be built against libgc"
}
"$work/reference" values >"$work/libgc"
env -u LD_PRELOAD "$loam" values >"$work/loam"

count=0 failed=0
while read -r name value; do
  count=$((count + 1))
  ours=$(sed -n "s/^$name //p" "$work/loam")
  if [ "$ours" = "$value" ]; then
    echo "ok $count - $name"
  else
    echo "not ok $count - $name: libgc gives $value, Loam ${ours:-nothing}"
    failed=1
  fi
done <"$work/libgc"
echo "1..$count"
exit $failed
