#!/usr/bin/env bash
# TAP: real programs do the same work with the same result on Loam's libgc.so.1 as on the system's, in every
# mode and with the stress switches.  Programs that are not installed are skipped; CLIENTS="guile ecl/clos"
# runs some only.
set -u
cd "$(dirname "$0")/../.." || exit
client=tests/compat/clients/client
compat=${LOAM_LIB_DIR:-build/debug}/compat
limit=${CLIENTS_SECONDS:-180} # for one run on Loam: a hanging one ends there
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0

# A variable per mode; the first is Loam as it comes.
modes=(GC_PRINT_STATS=1 GC_MODE=generational GC_MODE=concurrent GC_ENABLE_INCREMENTAL=1 LOAM_VERIFY=1)

# Collections from the beginning are too much for nix, on any collector: its basic environment is known only to
# memory from malloc until the first function has been made.
stress() {
  case $1 in
  nix/*) echo LOAM_STRESS_COLLECT=20011 ;;
  stalin/*) echo LOAM_STRESS_COLLECT=5003 ;;
  *) echo LOAM_STRESS_COLLECT=499 ;;
  esac
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

# With sanitizers in the library, their runtime has to be there first.
runtime=
if [ "${LOAM_TEST_VARIANT:-}" = asan ]; then
  runtime=$(ldd "$compat/libgc.so.1" | awk '/lib(clang_rt\.)?asan/ { print $3 }')
  [ -n "$runtime" ] || {
    echo "1..0 # SKIP the sanitizers' runtime is in the program, not in the library"
    exit 0
  }
fi

# run WHERE NAME SIZE SECONDS VARIABLE...: the work's output to $work/WHERE, its messages to $work/WHERE.err;
# gives its exit status.
run() {
  local where=$1 name=$2 size=$3 seconds=$4
  shift 4
  timeout -k 5 "$seconds" env "$@" "$client" run "$name" "$size" "$work/files" \
    >"$work/$where" 2>"$work/$where.err" </dev/null
}

# reference NAME SIZE: the work on the system's libgc.  It is what Loam is compared with and not what is tested,
# so it may be tried again (guile's mutexes lose a wake-up now and then, see clients/guile/threads.scm).
reference() {
  local attempt status
  : >"$work/libgc.err"
  for attempt in 1 2 3 4; do
    timeout -k 5 20 "$client" prepare "$1" "$2" "$work/files" && run libgc "$1" "$2" 20
    status=$?
    [ $status -eq 0 ] && return
    echo "# $1 on libgc, attempt $attempt: exit status $status; $(tail -n 1 "$work/libgc.err")"
  done
  return $status
}

differences() {
  [ "$1" -eq 124 ] && echo "not finished after $limit s"
  [ "$1" -eq 0 ] || echo "exit status $1"
  diff -a "$work/libgc" "$work/loam" | head -n 10 | cut -c 1-200
  grep -q '^loam: collection' "$work/log" || echo "no collection by Loam"
  grep -v '^loam: collection' "$work/log" | head -n 10
}

try() {
  local name=$1 size=$2 mode status wrong
  reference "$name" "$size" || {
    report "$name" "fails on libgc"
    return
  }
  for mode in "${modes[@]}" "$(stress "$name")"; do
    : >"$work/log"
    run loam "$name" "$size" "$limit" LD_LIBRARY_PATH="$compat" ${runtime:+LD_PRELOAD="$runtime"} \
      GC_PRINT_STATS=1 GC_LOG_FILE="$work/log" "$mode"
    status=$?
    wrong=$(differences $status)
    if [ -z "$wrong" ]; then
      report "$name with $mode"
    else
      report "$name with $mode" "$wrong"$'\n'"$(tail -n 5 "$work/loam.err")"
    fi
  done
}

wanted() {
  local part
  [ -n "${CLIENTS:-}" ] || return 0
  for part in $CLIENTS; do [[ $1 == *$part* ]] && return; done
  return 1
}

while read -r name size _; do
  program=${name%%/*}
  [ "$program" = nix ] && program=nix-instantiate
  if ! wanted "$name"; then
    :
  elif command -v "$program" >/dev/null; then
    try "$name" "$size"
  else
    count=$((count + 1))
    echo "ok $count - $name # SKIP $program is not installed"
  fi
done < <("$client" names)
echo "1..$count"
exit $failed
