// Nonsense in the environment: one warning that names the variable and its value, and the default instead.

#include "gc.h"
#include "tests/death/child.h"

static const char *variable, *value;

// All that the collector may be told.
static const char *const variables[] = {
    "GC_INITIAL_HEAP_SIZE",
    "GC_MAXIMUM_HEAP_SIZE",
    "GC_FREE_SPACE_DIVISOR",
    "GC_LARGE_ALLOC_WARN_INTERVAL",
    "GC_DONT_GC",
    "GC_ALL_INTERIOR_POINTERS",
    "GC_MARKERS",
    "GC_NPROCS",
    "GC_UNMAP_THRESHOLD",
    "GC_FORCE_UNMAP_ON_GCOLLECT",
    "GC_RETRY_SIGNALS",
    "GC_PRINT_STATS",
    "GC_DUMP_REGULARLY",
    "GC_LOOP_ON_ABORT",
    "GC_USE_ENTIRE_HEAP",
    "GC_IGNORE_GCJ_INFO",
    "GC_ONLY_LOG_TO_FILE",
    "GC_PRINT_ADDRESS_MAP",
    "GC_NO_BLACKLIST_WARNING",
    "LOAM_RESERVE",
    "LOAM_MIN_BUDGET",
    "LOAM_PARALLEL_MIN",
    "LOAM_RELEASE",
    "LOAM_HUGE_PAGES",
    "LOAM_STOP_TIMEOUT",
    "LOAM_STOP_WARN",
    "LOAM_VERIFY",
    "LOAM_STRESS_COLLECT",
    "LOAM_STRESS_FAIL_OS",
    "LOAM_STRESS_DELAY",
    "GC_MODE",
    "GC_ENABLE_INCREMENTAL",
    "GC_DISABLE_INCREMENTAL",
    "GC_PAUSE_TIME_TARGET",
    "GC_FULL_FREQUENCY",
    "LOAM_PAUSE_ATTEMPTS",
    "LOAM_NURSERY",
    "LOAM_GENERATIONAL_MIN",
    "LOAM_CONCURRENT_MIN",
    "LOAM_WRITES",
};

static const char *const nonsense[] = {
    "banana", "12x", "-5", "0x", "1e3", "99999999999999999999999", "--1", "1 2", "\303\251\t\033[31m"};

// The collector works as if nothing had been said.
static void
use_collector(void) {
  char *list = NULL;
  for (unsigned i = 0; i < 20000; i++) {
    char *object = GC_malloc(32);
    CHILD_CHECK(object);
    *(char **)object = i % 100 ? list : NULL;
    list = object;
  }
  GC_gcollect();
  CHILD_CHECK(GC_get_gc_no() > 0 && GC_base(list) == list);
  CHILD_CHECK(GC_get_heap_size() < 100u << 20);
}

// What the collector wrote to standard error while it started and worked.
static void
capture(char text[CHILD_TEXT_BYTES]) {
  FILE *captured = tmpfile();
  int errors = dup(STDERR_FILENO);
  dup2(fileno(captured), STDERR_FILENO);
  GC_INIT();
  use_collector();
  dup2(errors, STDERR_FILENO);
  child_read(captured, text);
  fclose(captured);
}

static void
check_warning(const char *text) {
  char prefix[100];
  snprintf(prefix, sizeof prefix, "loam: warning: %s=", variable);
  if (strncmp(text, prefix, strlen(prefix)) != 0 || text[strcspn(text, "\n")] == '\0' ||
      text[strcspn(text, "\n") + 1])
    child_fail("%s=%s: not one line that names the variable: %s", variable, value, text);
  for (const char *byte = text; byte[1]; byte++)
    if (*byte < ' ' || *byte > '~')
      child_fail("%s: byte %#x is passed on to the terminal", variable, (unsigned char)*byte);
}

static void
try_nonsense(void) {
  char text[CHILD_TEXT_BYTES];
  setenv(variable, value, 1);
  capture(text);
  check_warning(text);
}

static void
every_variable(void) {
  char name[200];
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
    for (size_t j = 0; j < sizeof nonsense / sizeof nonsense[0]; j++) {
      variable = variables[i];
      value = nonsense[j];
      snprintf(name, sizeof name, "%s, nonsense %zu", variable, j);
      child_check(name, try_nonsense, CHILD_EXITS);
    }
}

static void
exact_number(void) {
  setenv("GC_MARKERS", "banana", 1);
  child_expect("loam: warning: GC_MARKERS=banana ignored: expected a decimal number\n");
  GC_INIT();
}

static void
default_is_used(void) {
  setenv("GC_FREE_SPACE_DIVISOR", "banana", 1);
  child_expect("loam: warning: GC_FREE_SPACE_DIVISOR=banana ignored: expected a decimal number\n");
  GC_INIT();
  CHILD_CHECK(GC_get_free_space_divisor() == 3);
}

static void
exact_size(void) {
  setenv("LOAM_RESERVE", "12 parsecs", 1);
  child_expect("loam: warning: LOAM_RESERVE=12 parsecs ignored: expected a size such as 65536, 64k or 1G\n");
  GC_INIT();
}

static void
exact_flag(void) {
  setenv("GC_RETRY_SIGNALS", "perhaps", 1);
  child_expect("loam: warning: GC_RETRY_SIGNALS=perhaps ignored: expected 0 or 1\n");
  GC_INIT();
}

static void
exact_range(void) {
  setenv("GC_FREE_SPACE_DIVISOR", "5000", 1);
  child_expect(
      "loam: warning: GC_FREE_SPACE_DIVISOR=5000 is out of range: using 1000 (allowed: 1 to 1000)\n");
  GC_INIT();
  CHILD_CHECK(GC_get_free_space_divisor() == 1000);
}

static void
exact_word(void) {
  setenv("GC_MODE", "banana", 1);
  child_expect("loam: warning: GC_MODE=banana ignored: expected one of: stop generational concurrent auto\n");
  GC_INIT();
  CHILD_CHECK(GC_get_mode() == GC_MODE_AUTO);
}

static void
long_value(void) {
  char *text = malloc(100000), captured[CHILD_TEXT_BYTES];
  memset(text, 'z', 99999);
  text[99999] = '\0';
  setenv("GC_MARKERS", text, 1);
  variable = "GC_MARKERS";
  value = "zzz...";
  capture(captured);
  check_warning(captured);
  CHILD_CHECK(strlen(captured) < 512);
}

static void
empty_value(void) {
  setenv("GC_MARKERS", "", 1);
  setenv("LOAM_RESERVE", "", 1);
  use_collector();
}

static void
log_file_refused(void) {
  setenv("GC_LOG_FILE", "/no/such/directory/log", 1);
  child_expect("loam: warning: GC_LOG_FILE: cannot open the file (errno %d); logging to standard error\n",
               ENOENT);
  GC_INIT();
}

static void
sensible_values(void) {
  setenv("GC_FREE_SPACE_DIVISOR", "10", 1);
  setenv("GC_INITIAL_HEAP_SIZE", "8M", 1);
  setenv("GC_MAXIMUM_HEAP_SIZE", "1g", 1);
  setenv("LOAM_RESERVE", "64G", 1);
  setenv("GC_RETRY_SIGNALS", "0", 1);
  GC_INIT();
  CHILD_CHECK(GC_get_free_space_divisor() == 10);
}

int
main(void) {
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
    unsetenv(variables[i]);
  every_variable();
  child_check("the line about a number", exact_number, CHILD_EXITS);
  child_check("the default is used", default_is_used, CHILD_EXITS);
  child_check("the line about a size", exact_size, CHILD_EXITS);
  child_check("the line about a flag", exact_flag, CHILD_EXITS);
  child_check("the line about a range", exact_range, CHILD_EXITS);
  child_check("the line about a word", exact_word, CHILD_EXITS);
  child_check("a value of 100 KB is cut", long_value, CHILD_EXITS);
  child_check("an empty value is no value", empty_value, CHILD_EXITS);
  child_check("a log file that cannot be opened", log_file_refused, CHILD_EXITS);
  child_check("sensible values give no warning", sensible_values, CHILD_EXITS);
  return tap_done();
}
