// Primitives on the world outside: exit, time, files, the collector.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interpreter.h"
#include "primitives.h"
#include "text.h"

static value command_line;

void
system_set_arguments(int argc, char **argv) {
  command_line = NIL;
  while (argc > 0)
    command_line = cons(string_from_c(argv[--argc]), command_line);
}

static value
prim_command_line(void) {
  return command_line;
}

static value
prim_exit(uint32_t argc, value *argv) {
  value v = argc == 0 ? TRUE_VALUE : argv[0];
  int status = is_fixnum(v) ? (int)fixnum_of(v) & 0xFF : v == FALSE_VALUE;
  interpreter_exit(status);
}

static double
clock_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static value
prim_current_second(void) {
  return make_flonum(clock_seconds(CLOCK_REALTIME));
}

static value
prim_current_jiffy(void) {
  return make_fixnum((intptr_t)(clock_seconds(CLOCK_MONOTONIC) * 1e6));
}

static value
prim_jiffies_per_second(void) {
  return make_fixnum(1000000);
}

static char *
check_path(const char *who, value v) {
  check_type(who, "a string", v, TYPE_STRING);
  return string_to_c(string_of(v));
}

static value
prim_file_exists(value path) {
  return make_bool(access(check_path("file-exists?", path), F_OK) == 0);
}

static value
prim_delete_file(value path) {
  if (unlink(check_path("delete-file", path)) != 0)
    raise_kind(CONDITION_FILE, "cannot delete file:", list1(path));
  return UNSPECIFIED;
}

// The names in a directory, sorted; the empty list when there is no such directory.
static value
prim_directory_files(value path) {
  struct dirent **entries;
  int count = scandir(check_path("directory-files", path), &entries, NULL, alphasort);
  value names = NIL;
  for (int i = count; i > 0; i--) {
    if (entries[i - 1]->d_name[0] != '.')
      names = cons(string_from_c(entries[i - 1]->d_name), names);
    free(entries[i - 1]);
  }
  if (count >= 0)
    free(entries);
  return names;
}

static value
prim_getenv(value name) {
  const char *text = getenv(check_path("get-environment-variable", name));
  return text == NULL ? FALSE_VALUE : string_from_c(text);
}

static value
prim_collect(void) {
  alloc_collect();
  return UNSPECIFIED;
}

static value
prim_collections(void) {
  return make_fixnum((intptr_t)alloc_collections());
}

static value
prim_heap_bytes(void) {
  return make_fixnum((intptr_t)alloc_heap_bytes());
}

static value
prim_unspecified(void) {
  return UNSPECIFIED;
}

static value
prim_environment(uint32_t argc, value *argv) {
  (void)argc, (void)argv; // there is one environment
  return UNSPECIFIED;
}

static value
prim_features(void) {
  return list4(symbol_from_c("r7rs"), symbol_from_c("ratios"), symbol_from_c("full-unicode"),
               symbol_from_c(ALLOC_NAME));
}

const struct primitive_entry system_primitives[] = {
    PRIMITIVE_0("command-line", prim_command_line),
    PRIMITIVE_N("%exit", prim_exit, 0, 1),
    PRIMITIVE_N("emergency-exit", prim_exit, 0, 1),
    PRIMITIVE_0("current-second", prim_current_second),
    PRIMITIVE_0("current-jiffy", prim_current_jiffy),
    PRIMITIVE_0("jiffies-per-second", prim_jiffies_per_second),
    PRIMITIVE_1("file-exists?", prim_file_exists),
    PRIMITIVE_1("delete-file", prim_delete_file),
    PRIMITIVE_1("directory-files", prim_directory_files),
    PRIMITIVE_1("get-environment-variable", prim_getenv),
    PRIMITIVE_0("gc", prim_collect),
    PRIMITIVE_0("gc-count", prim_collections),
    PRIMITIVE_0("gc-heap-size", prim_heap_bytes),
    PRIMITIVE_0("unspecified", prim_unspecified),
    PRIMITIVE_N("environment", prim_environment, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("interaction-environment", prim_environment, 0, 0),
    PRIMITIVE_0("features", prim_features),
    PRIMITIVE_END,
};
