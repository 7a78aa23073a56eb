#!/usr/bin/env bash
# TAP: libgc's variables are as large as libgc's, and each scene of variables/variables.c says the same with libgc and with
# Loam: as a program built for libgc, not position-independent, so that it has the variables' storage itself (copy
# relocations), which is given the stand-in; built for the shared library; and built with the archive.
set -u
cd "$(dirname "$0")/../.." || exit
cc=${LOAM_TEST_CC:-${CC:-cc}}
cflags=${LOAM_TEST_CFLAGS:--std=gnu11 -O1 -g}
libs=$(cd "${LOAM_LIB_DIR:-build/debug}" && pwd)
source=tests/compat/variables/variables.c
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0

skip() {
  echo "1..0 # SKIP $1"
  exit 0
}

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

# build PROGRAM FLAG...
build() {
  local program=$1
  shift
  $cc "$source" "$work/libholder.so" -Wl,-rpath,"$work" -Wno-deprecated-declarations "$@" -pthread -ldl -lm \
    -o "$work/$program" 2>"$work/log" || report "$program is built" "$(head -n 30 "$work/log")"
}

# play PROGRAM SCENE: leaves $work/seen.
play() {
  rm -f "$work/log"
  env -u LD_PRELOAD ${preload:+"LD_LIBRARY_PATH=$preload"} "$work/$1" "$2" >"$work/seen" 2>"$work/errors"
  echo "exit status $?" >>"$work/seen"
  if [ "$2" = printing ]; then
    sed 's/^/errors: /' "$work/errors" >>"$work/seen"
    [ ! -e "$work/log" ] || sed 's/^/log: /' "$work/log" >>"$work/seen"
  fi
}

# compare PROGRAM SCENE NAME
compare() {
  preload='' play libgc "$2"
  mv "$work/seen" "$work/wanted"
  play "$1" "$2"
  local differences
  if differences=$(diff "$work/wanted" "$work/seen"); then
    report "$3"
  else
    report "$3" "< libgc, > Loam"$'\n'"$differences"$'\n'"$(head -n 20 "$work/errors")"
  fi
}

compare_all() {
  local scene
  for scene in $scenes; do
    compare "$1" "$scene" "$2: $scene"
  done
  GC_LOG_FILE="$work/log" compare "$1" printing "$2: printing with a log file"
  GC_LOG_FILE="$work/log" GC_ONLY_LOG_TO_FILE=1 compare "$1" printing "$2: printing with a log file only for the log"
  GC_DONT_GC=1 GC_FREE_SPACE_DIVISOR=8 GC_FULL_FREQUENCY=4 GC_PAUSE_TIME_TARGET=30 GC_USE_ENTIRE_HEAP=1 \
    GC_ALL_INTERIOR_POINTERS=1 compare "$1" set_before "$2: the environment counts more than setters before GC_init"
}

# objects LIBRARY: lines "name size", without what debugging builds add.
objects() {
  readelf -sW --dyn-syms "$1" | awk '$4 == "OBJECT" && $7 != "UND" && $8 ~ /^GC_/ { print $8, $3 }' | sort -u
}

compare_sizes() {
  local libgc pairs
  libgc=$(ldd "$work/libgc" | awk '$1 == "libgc.so.1" { print $3 }')
  pairs=$(join <(objects "$libgc") <(objects "$libs/compat/libgc.so.1"))
  if [ "$(wc -l <<<"$pairs")" -ge 25 ] && awk '$2 != $3 { exit 1 }' <<<"$pairs"; then
    report "the variables have libgc's sizes"
  else
    report "the variables have libgc's sizes" "$pairs"
  fi
}

compare_copied() {
  local copied
  copied=$(readelf -rW "$work/libgc" | grep -c 'R_[A-Z0-9_]*_COPY.* GC_')
  if [ "$copied" -ge 20 ]; then
    report "the program has copies of the variables"
  else
    report "the program has copies of the variables" "$copied"
  fi
}

# dump LIBRARY_PATH: the line that tells of a lean budget, if any, of a program built for libgc.
dump() {
  env -u LD_PRELOAD "LD_LIBRARY_PATH=$1" "$work/dump" 2>&1 | grep 'budget.*, lean$'
}

check_lean() {
  echo 'int main(void) { GC_init(); GC_dump(); }' | $cc -include gc.h -x c - -lgc -o "$work/dump" || exit
  mkdir "$work/loam" && ln -s "$libs/libloam.so.1" "$work/loam/libgc.so.1"
  local lean told other
  lean=$(dump "$libs/compat") told=$(LOAM_LEAN=0 dump "$libs/compat") other=$(dump "$work/loam")
  if [ -n "$lean" ] && [ -z "$told$other" ]; then
    report "the stand-in is lean, unless told otherwise, and the shared library is not"
  else
    report "the stand-in is lean, unless told otherwise, and the shared library is not" "$lean, $told, $other"
  fi
}

echo '#include <gc.h>' | $cc -E -x c - >/dev/null 2>&1 || skip "libgc-dev is not installed"
$cc -shared -fPIC tests/compat/variables/libholder.c -o "$work/libholder.so" || exit
build libgc -std=gnu11 -O1 -fno-pie -no-pie -lgc
scenes=$("$work/libgc")

preload=''
# shellcheck disable=SC2086
build archive $cflags -I. "$libs/libloam.a"
compare_all archive "the archive"

# A sanitizer wants to be in the program too, and there it would put more about the variables.
if [ "${LOAM_TEST_VARIANT:-}" != asan ]; then
  compare_copied
  compare_sizes
  # shellcheck disable=SC2086
  build shared $cflags -I. -fPIE -pie "$libs/libloam.so.1" -Wl,-rpath,"$libs"
  compare_all shared "the shared library"
  preload=$libs/compat
  compare_all libgc "the stand-in"
  check_lean
fi
echo "1..$count"
exit $failed
