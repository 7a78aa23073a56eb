#!/usr/bin/env bash
# TAP: what libgc's manual says is so.  The programs in finalizers/ (which are about disappearing links and
# toggle references as well) and kinds/ say for each clause what is wanted and what they saw; built against the
# system's libgc and against Loam they must see just that.
set -u
cd "$(dirname "$0")/../.." || exit
cc=${LOAM_TEST_CC:-${CC:-cc}}
cflags=${LOAM_TEST_CFLAGS:--std=gnu11 -O1 -g}
lib=${LOAM_LIB_DIR:-build/debug}/libloam.a
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0

# report NAME [WHAT IS WRONG]
report() {
  count=$((count + 1))
  if [ $# -eq 1 ]; then
    echo "ok $count - $1"
  else
    failed=1
    echo "not ok $count - $1"
    printf '%s\n' "$2" | sed 's/^/# /'
  fi
}

# built COLLECTOR PROGRAM FLAG...: links the program, or reports why it cannot.
built() {
  local collector=$1 program=$2
  shift 2
  $cc "$source" "$@" -pthread -ldl -lm -o "$work/$program-$collector" \
    2>"$work/log" && return
  report "$program: builds with $collector" "$(head -n 30 "$work/log")"
  return 1
}

# seen COLLECTOR PROGRAM CLAUSE
seen() {
  local got
  got=$(awk -F '\t' -v clause="$3" '$1 == clause { print $3 }' "$work/$2-$1.out")
  echo "${got:-nothing}"
}

libgc=1
echo '#include <gc.h>' | $cc -E -x c - >/dev/null 2>&1 || libgc=
[ -n "$libgc" ] || echo "# libgc-dev is not installed: Loam is compared with what is wanted only"

shopt -s nullglob
for source in tests/compat/{finalizers,kinds}/*.c; do
  program=$(basename "$source" .c)
  # shellcheck disable=SC2086
  built Loam "$program" $cflags -Wall -Wextra -Werror -Isrc/compat/include "$lib" || continue
  env -u LD_PRELOAD "$work/$program-Loam" >"$work/$program-Loam.out"
  if [ -n "$libgc" ]; then
    built libgc "$program" -std=gnu11 -O1 -w -lgc || continue
    "$work/$program-libgc" >"$work/$program-libgc.out"
  fi
  while IFS=$'\t' read -r clause wanted got; do
    reference=$wanted
    [ -z "$libgc" ] || reference=$(seen libgc "$program" "$clause")
    if [ "$got" = "$wanted" ] && [ "$reference" = "$wanted" ]; then
      report "$program: $clause"
    else
      report "$program: $clause" "wanted: $wanted"$'\n'"libgc:  $reference"$'\n'"Loam:   $got"
    fi
  done <"$work/$program-Loam.out"
done
[ "$count" -gt 0 ] || report "there are clauses" "none"
echo "1..$count"
exit $failed
