#!/usr/bin/env bash
# TAP: libgc's headers, as Loam has them.  Each alone and all together compile without a warning in every
# dialect of C and C++; their constants are libgc's; and programs that use their macros and classes print the
# same with either's headers on either's library.
set -u
cd "$(dirname "$0")/../.." || exit
cc=${LOAM_TEST_CC:-${CC:-gcc}}
cxx=${LOAM_TEST_CXX:-g++}
lib=${LOAM_LIB_DIR:-$PWD/build/release}
include=-Isrc/compat/include
sources=tests/compat/headers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# new (std::nothrow) stays a sanitizer's own.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1
count=0 failed=0

# report NAME [WHAT IS WRONG]
report() {
  count=$((count + 1))
  if [ -z "${2:-}" ]; then
    echo "ok $count - $1"
  else
    failed=1
    echo "not ok $count - $1"
    head -n 30 <<<"$2" | sed 's/^/# /'
  fi
}

skip() {
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}

# ---- Dialects ----

# compiles FLAG... -- COMPILER LANGUAGE: standard input, without a warning; prints what is said.
compiles() {
  "$1" -x "$2" -fsyntax-only -Wall -Wextra -pedantic -Werror $include "${@:3}" - 2>&1 ||
    echo "$*"
}

# all_headers: #include directives of all of a language.
all_headers() {
  local header
  for header in "${headers[@]}"; do echo "#include <$header>"; done
}

# dialect COMPILER LANGUAGE STANDARD: all headers of the language, in it.
dialect() {
  local header flag wrong=
  for header in "${headers[@]}"; do
    wrong+=$(printf '#include <%s>\nint nothing;\n' "$header" | compiles "$1" "$2" "-std=$3")
  done
  for flag in -DNOTHING -DGC_THREADS -DGC_DEBUG; do
    wrong+=$({ all_headers && echo 'int nothing;'; } | compiles "$1" "$2" "-std=$3" $flag)
    wrong+=$({ all_headers | tac && echo 'int nothing;'; } | compiles "$1" "$2" "-std=$3" $flag)
    wrong+=$(compiles "$1" "$2" "-std=$3" $flag <$sources/uses.c)
  done
  report "${1##*/} -std=$3" "$wrong"
}

mapfile -t headers < <(cd src/compat/include && printf '%s\n' *.h gc/*.h | grep -vE 'cpp|allocator|loam')
for compiler in gcc clang; do
  command -v $compiler >/dev/null || continue
  for standard in gnu89 gnu99 c99 gnu11 gnu17; do dialect $compiler c $standard; done
done
mapfile -t headers < <(cd src/compat/include && printf '%s\n' *.h gc/*.h | grep -v loam)
for compiler in g++ clang++; do
  command -v $compiler >/dev/null || continue
  for standard in c++98 gnu++98 c++11 c++14 c++17 c++20; do dialect $compiler c++ $standard; done
done
for flag in GC_NAME_CONFLICT GC_NAMESPACE GC_NAMESPACE_ALLOCATOR GC_ATOMIC_UNCOLLECTABLE GC_INCLUDE_NEW \
  GC_NO_OPERATOR_NEW_ARRAY; do
  report "C++ with $flag" "$(all_headers | compiles "$cxx" c++ "-D$flag")"
done

# ---- The same as libgc's ----

have_libgc=
echo '#include <gc/gc_mark.h>' | $cc -E -x c - >/dev/null 2>&1 && have_libgc=1

# words FLAG...: what other names the headers give to these.
words() {
  printf '%s\n' '#include <gc/gc.h>' '#ifdef LEAKS' '#include <gc/leak_detector.h>' '#endif' \
    'pthread_create(1) pthread_join(1) pthread_detach(1) pthread_exit(1) pthread_cancel(1)' \
    'pthread_sigmask(1) dlopen(1) malloc(1) calloc(2,3) realloc(1,2) free(1) strdup(1) strndup(1,2) memalign(1,2)' |
    $cc -E -P -x c "$@" - | tail -n 2 | tr -d ' \n'
}

# differences COMMAND...: of what it prints with libgc's headers and with Loam's.
differences() {
  diff <("$@") <("$@" $include)
}

if [ -n "$have_libgc" ]; then
  for flags in -DNOTHING -DGC_THREADS -DGC_LINUX_THREADS -DLINUX_THREADS -DLEAKS \
    '-DGC_THREADS -DGC_NO_THREAD_REDIRECTS' '-DGC_THREADS -DGC_USE_LD_WRAP' '-DGC_THREADS -DGC_NO_DLOPEN' \
    '-DGC_THREADS -DGC_NO_PTHREAD_SIGMASK' '-DGC_THREADS -DGC_NO_PTHREAD_CANCEL'; do
    # shellcheck disable=SC2086
    report "redirections with $flags" "$(differences words $flags)"
  done
else
  skip redirections "libgc-dev is not installed"
fi

# ---- Programs ----

# build PROGRAM HEADERS LIBRARY: what is said, if it fails.
build() {
  local source program=$work/$1.$2.$3 flags=(-w) libraries=(-lgc)
  source=$(echo "$sources/$1".c*)
  local compiler=$cc
  case $source in *.cc) compiler=$cxx libraries=(-lgccpp -lgc) ;; esac
  [ "$2" = libgc ] || flags+=("$include")
  if [ "$3" = Loam ]; then
    libraries=("$lib/libloam.a" -ldl -lm)
    read -ra own <<<"${LOAM_TEST_CFLAGS:--std=gnu11 -O1 -g}"
    if [ "$compiler" = "$cxx" ]; then
      # All of the archive, because a sanitizer's own operator new would come before it.
      libraries=(-Wl,--whole-archive "$lib/compat/libgccpp.a" -Wl,--no-whole-archive "${libraries[@]}")
      read -ra own <<<"${LOAM_TEST_CXXFLAGS:--O1 -g}"
    fi
    flags+=("${own[@]}")
  fi
  $compiler "${flags[@]}" "$source" "${libraries[@]}" -pthread -o "$program" 2>&1 || echo "$source"
}

# run PROGRAM HEADERS LIBRARY: what is wrong.
run() {
  local program=$work/$1.$2.$3
  build "$@" | grep . && return
  env -u LD_PRELOAD timeout 60 "$program" >"$program.out" || echo "it ends with $?"
  grep ': no$' "$program.out"
  [ ! -e "$work/$1.libgc.libgc.out" ] || diff "$work/$1.libgc.libgc.out" "$program.out"
}

for program in values init no_collections inline classes allocators; do
  for library in libgc Loam; do
    for from in libgc Loam; do
      name="$program with $from's headers on $library's library"
      if [ "$from $library" != "Loam Loam" ] && [ -z "$have_libgc" ]; then
        skip "$name" "libgc-dev is not installed"
      else
        report "$name" "$(run $program $from $library)"
      fi
    done
  done
done
echo "1..$count"
exit $failed
