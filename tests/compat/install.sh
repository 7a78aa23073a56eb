#!/usr/bin/env bash
# TAP: `make install` gives what README.md's example needs, found through pkg-config, shared and static; `make uninstall`
# leaves nothing.
set -u
cc=${LOAM_TEST_CC:-gcc}
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
  make -s "$1" CC="$cc" PREFIX=$prefix DESTDIR="$DESTDIR"
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

nothing_left() {
  local left
  left=$(find "$DESTDIR" ! -type d -o -name loam -path "*$prefix/*")
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
check "make uninstall" from_makefile uninstall
check "it leaves nothing" nothing_left
echo "1..$number"
