#!/usr/bin/env bash
# TAP: `make install` gives what README.md's example needs, found through pkg-config, shared and static;
# `make install-libgc` gives what programs for libgc need, in C and C++; uninstalling leaves nothing.
set -u
cc=${LOAM_TEST_CC:-gcc}
cxx=${LOAM_TEST_CXX:-g++}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
prefix=/opt/loam
export DESTDIR=$root/image PKG_CONFIG_SYSROOT_DIR=$root/image
export PKG_CONFIG_PATH=$DESTDIR$prefix/lib/pkgconfig
number=0

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
  fi
}

from_makefile() {
  make -s "$1" CC="$cc" CXX="$cxx" PREFIX=$prefix DESTDIR="$DESTDIR"
}

same_version() {
  [ "$(pkg-config --modversion loam)" = "$(sed -n 's/^#define LOAM_VERSION "\(.*\)"/\1/p' gc.h)" ]
}

# The first block of C in README.md.
example() {
  awk '/^```$/ { inside = 0 } inside; /^```c$/ && !seen { inside = seen = 1 }' README.md >"$root/example.c"
  [ -s "$root/example.c" ]
}

# compile PROGRAM FLAG...
compile() {
  local program=$1
  shift
  $cc -std=gnu11 -Wall -Wextra -Werror "$root/example.c" "$@" -o "$root/$program"
}

compile_shared() {
  # shellcheck disable=SC2046
  compile shared $(pkg-config --cflags --libs loam)
}

compile_with_archive() {
  # shellcheck disable=SC2046
  compile archive $(pkg-config --cflags loam) "$DESTDIR$prefix/lib/libloam.a" -pthread -ldl
}

compile_static() {
  # shellcheck disable=SC2046
  compile static -static $(pkg-config --static --cflags --libs loam)
}

runs() {
  LD_LIBRARY_PATH=$DESTDIR$prefix/lib "$root/$1" | grep -E '^root 0, heap [0-9]+ KiB, [1-9][0-9]* collections$'
}

needs_library() {
  readelf -d "$root/shared" | grep -F 'libloam.so.1'
}

stands_in_for_libgc() {
  readelf -d "$DESTDIR$prefix/lib/loam/libgc.so.1" | grep -E 'SONAME.*libgc\.so\.1'
}

# Programs by each of libgc's names for the headers.
write_programs() {
  cat >"$root/names.c" <<'END'
#include <gc.h>
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <stdio.h>

int
main(void) {
  GC_INIT();
  void **list = NULL;
  for (int i = 0; i < 100000; i++) {
    void **next = GC_MALLOC(16);
    *next = i % 100 ? list : NULL;
    list = next;
  }
  GC_gcollect();
  printf("%d %d\n", GC_DS_BITMAP, GC_base(list) == list && GC_get_gc_no() > 0);
}
END
  cat >"$root/names.cc" <<'END'
#include <gc_cpp.h>
#include <gc/gc_allocator.h>
#include <cstdio>
#include <vector>

struct point : public gc {
  int x, y;
};

int
main() {
  std::vector<point *, gc_allocator<point *> > points;
  for (int i = 0; i < 1000; i++)
    points.push_back(new point);
  int *ordinary = new int[100];
  GC_gcollect();
  std::printf("%d %d %d\n", GC_base(points.back()) == points.back(), GC_base(&points[0]) == &points[0],
              GC_base(ordinary) == ordinary);
  delete[] ordinary;
}
END
}

# built_with PACKAGE PROGRAM SOURCE FLAG...
built_with() {
  local package=$1 program=$2 source=$3 compiler=$cc
  shift 3
  [ "$source" = names.c ] || compiler=$cxx
  # shellcheck disable=SC2046
  $compiler -Wall -Wextra -pedantic -Werror "$root/$source" "$@" $(pkg-config --cflags --libs "$package") \
    -o "$root/$program"
}

# prints PROGRAM TEXT LIBRARY...: and it needs those libraries
prints() {
  local program=$1 text=$2 got needed
  shift 2
  got=$(LD_LIBRARY_PATH=$DESTDIR$prefix/lib "$root/$program")
  needed=$(LD_LIBRARY_PATH=$DESTDIR$prefix/lib ldd "$root/$program")
  printf '%s\n' "$got" "$needed"
  [ "$got" = "$text" ] || return 1
  for library in "$@"; do
    [[ $needed == *"$library => $DESTDIR$prefix/lib/$library "* ]] || return 1
  done
}

same_libgc_version() {
  local version
  version=$(awk '$2 ~ /^GC_VERSION_M/ { printf "%s%s", dot, $3; dot = "." }' gc.h)
  [ "$(pkg-config --modversion bdw-gc)" = "$version" ]
}

not_found_as_libgc() {
  local found
  found=$(cd "$DESTDIR$prefix" && ls -d include/gc* lib/libgc* lib/pkgconfig/bdw-gc.pc 2>/dev/null)
  echo "found: $found"
  [ -z "$found" ]
}

nothing_left() {
  local left
  left=$(find "$DESTDIR" ! -type d -o \( -name loam -o -name gc \) -path "*$prefix/*")
  echo "left: $left"
  [ -z "$left" ]
}

check "make install" from_makefile install
check "the version is gc.h's" same_version
check "README.md has an example" example
check "it compiles with the shared library" compile_shared
check "it needs libloam.so.1" needs_library
check "it runs with the shared library" runs shared
check "it compiles with the archive" compile_with_archive
check "it runs with the archive" runs archive
check "it compiles as a static program" compile_static
check "it runs as a static program" runs static
check "the stand-in has libgc's name" stands_in_for_libgc
check "it is not found by libgc's name" not_found_as_libgc

write_programs
check "a program for libgc compiles against loam.pc" built_with loam c-loam names.c
check "it runs" prints c-loam "1 1" libloam.so.1
check "a C++ program for libgc compiles against loam.pc" built_with loam c++-loam names.cc -DGC_INCLUDE_NEW
check "it runs, and its ordinary new is the C++ library's" prints c++-loam "1 1 0" libloam.so.1

check "make install-libgc" from_makefile install-libgc
check "the version is that of the interface" same_libgc_version
check "a program for libgc compiles against bdw-gc.pc" built_with bdw-gc c-libgc names.c
check "it runs" prints c-libgc "1 1" libgc.so.1
check "a C++ program for libgc compiles against bdw-gc.pc" built_with bdw-gc c++-libgc names.cc -lgccpp
check "it runs, and its ordinary new is the collector's" prints c++-libgc "1 1 1" libgc.so.1 libgccpp.so.1
check "it compiles with libgctba alone" built_with bdw-gc c++-libgctba names.cc -lgctba
check "it runs" prints c++-libgctba "1 1 0" libgc.so.1 libgctba.so.1

check "make uninstall-libgc" from_makefile uninstall-libgc
check "make uninstall" from_makefile uninstall
check "it leaves nothing" nothing_left
echo "1..$number"
