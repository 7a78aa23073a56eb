#!/usr/bin/env bash
# TAP: the examples that check themselves build with no more than gc.h and the library, and find all in order,
# in each mode.
set -u
cd "$(dirname "$0")/../.." || exit
cc=${LOAM_TEST_CC:-gcc}
library=${LOAM_LIB_DIR:-build/debug}/libloam.a
read -ra flags <<<"${LOAM_TEST_CFLAGS:--std=gnu11 -O1}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failures=0

# check NAME COMMAND...: its output is shown only if it fails.
check() {
  local name=$1 output
  shift
  number=$((number + 1))
  if output=$("$@" 2>&1); then
    echo "ok $number - $name"
  else
    echo "not ok $number - $name"
    printf '%s\n' "$output" | sed 's/^/# /'
    failures=$((failures + 1))
    return 1
  fi
}

build() {
  $cc "${flags[@]}" -Wall -Wextra -Werror -I. "examples/$1.c" "$library" -pthread -ldl -lm -o "$work/$1"
}

for example in fibers file_handles interning object_cache; do
  [ -e "examples/$example.c" ] || continue
  check "$example compiles" build $example || continue
  for mode in auto stop generational concurrent; do
    check "$example runs, $mode" env GC_MODE=$mode "$work/$example"
  done
done
echo "1..$number"
[ $failures -eq 0 ]
