#!/usr/bin/env bash
# TAP: debugging as libgc has it.  The programs in debug/ are built against the system's libgc and against
# Loam, and must see the same and be told of the same mistakes: what is compared of reports is the places and
# sizes that they name, and how many there are.
set -u
cd "$(dirname "$0")/../.." || exit
cc=${LOAM_TEST_CC:-${CC:-cc}}
cflags=${LOAM_TEST_CFLAGS:--std=gnu11 -O1 -g}
lib=${LOAM_LIB_DIR:-build/debug}/libloam.a
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset GC_FIND_LEAK GC_FINDLEAK_DELAY_FREE GC_ABORT_ON_LEAK GC_MODE LOAM_STRESS_COLLECT
count=0 failed=0

if ! echo '#include <gc.h>' | $cc -E -x c - >/dev/null 2>&1; then
  echo "1..0 # SKIP libgc-dev is not installed"
  exit
fi

# same NAME REFERENCE OURS: whether two files agree.
same() {
  local differences
  count=$((count + 1))
  if differences=$(diff "$2" "$3"); then
    echo "ok $count - $1"
  else
    failed=1
    echo "not ok $count - $1"
    printf '%s\n' "# < libgc, > Loam" "$differences" | sed 's/^/# /'
  fi
}

# What reports say, between the lines of the program's own: "group file:line bytes", sorted, for each object
# that has a place.  Of objects that were freed libgc says how much room they take, Loam how much there is for
# the program.
places() {
  sed -nE 's/.*[( \/]([a-z_]+\.c:[0-9]+)[,)][^0-9]*([0-9]*).*/\1 \2/p; /^[a-z]+$/p' "$1" |
    sed '/^use_after_free/s/ .*//' |
    awk '/^[a-z]+$/ { group++ } { print group + 0, $0 }' | LC_ALL=C sort
}

# The same when it is a matter of chance how often and when it is reported: "file:line bytes".
places_once() {
  places "$1" | cut -d ' ' -f 2- | LC_ALL=C sort -u
}

# build PROGRAM
build() {
  # shellcheck disable=SC2086
  $cc -std=gnu11 -O1 -w "tests/compat/debug/$1.c" -lgc -o "$work/$1-libgc" 2>"$work/log" &&
    $cc $cflags -Wall -Wextra -Werror -Wno-unused-result -Wno-deprecated-declarations -Isrc/compat/include \
      "tests/compat/debug/$1.c" "$lib" -pthread -ldl -lm -o "$work/$1-loam" 2>"$work/log"
}

# run COLLECTOR PROGRAM VARIABLE...: what it sees goes to COLLECTOR.out, what it is told to COLLECTOR.err.
run() {
  local collector=$1 program=$2
  shift 2
  env -u LD_PRELOAD "$@" "$work/$program-$collector" >"$work/$collector.out" 2>"$work/$collector.err"
  echo "status $?" >>"$work/$collector.out"
  grep -c 'without debugging\|w/o debugging\|with non-base' "$work/$collector.err" >>"$work/$collector.out"
}

# same_reports NAME PLACES
same_reports() {
  "$2" "$work/libgc.err" >"$work/libgc.places"
  "$2" "$work/loam.err" >"$work/loam.places"
  same "$1" "$work/libgc.places" "$work/loam.places"
}

# compare PROGRAM [VARIABLE...]
compare() {
  local program=$1 mode
  if ! build "$program"; then
    same "$program: builds" /dev/null "$work/log"
    return
  fi
  run libgc "$@"
  for mode in GC_MODE=stop GC_MODE=generational GC_MODE=concurrent; do
    run loam "$@" "$mode"
    same "$* $mode: what it sees" "$work/libgc.out" "$work/loam.out"
    same_reports "$* $mode: what is reported" places
  done
  run loam "$@" LOAM_STRESS_COLLECT=3
  same "$* LOAM_STRESS_COLLECT=3: what it sees" "$work/libgc.out" "$work/loam.out"
  same_reports "$* LOAM_STRESS_COLLECT=3: what is reported" places_once
}

compare facts
compare reports
compare leaks GC_FIND_LEAK=1
compare leaks GC_FIND_LEAK=1 GC_FINDLEAK_DELAY_FREE=1
compare use_after_free GC_FIND_LEAK=1 GC_FINDLEAK_DELAY_FREE=1
echo "1..$count"
exit $failed
