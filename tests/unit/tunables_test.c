// The tunables' table: defaults, parsing, clamping, warnings, print-out.
#include "base/tunables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// A pretended environment: up to four variables, and what was warned of.
static const char *environment[4][2];
static char warning[1024];
static int warnings;

static const char *
get(const char *name) {
  for (int i = 0; i < 4; i++) {
    if (environment[i][0] != NULL && strcmp(environment[i][0], name) == 0)
      return environment[i][1];
  }
  return NULL;
}

static void
warn(const char *message) {
  warnings++;
  snprintf(warning, sizeof warning, "%s", message);
}

static struct gc_tunables
read_environment(void) {
  struct gc_tunables tunables;
  gc_tunables_init_defaults(&tunables);
  warnings = 0;
  warning[0] = '\0';
  gc_tunables_read_environment(&tunables, get, warn);
  return tunables;
}

static struct gc_tunables
read_with(const char *name, const char *value) {
  memset(environment, 0, sizeof environment);
  environment[0][0] = name;
  environment[0][1] = value;
  return read_environment();
}

static void
defaults_are_the_tables(void **state) {
  (void)state;
  struct gc_tunables tunables = read_with(NULL, NULL);
  assert_int_equal(tunables.reserve_bytes, 0);
  assert_int_equal(tunables.free_space_divisor, 3);
  assert_int_equal(tunables.min_budget_bytes, 3 << 19);
  assert_int_equal(tunables.stop_timeout_ms, 10000);
  assert_int_equal(tunables.large_warn_interval, 5);
  assert_true(tunables.retry_signals);
  assert_false(tunables.dont_gc);
  assert_null(tunables.log_file);
  assert_null(tunables.mode);
  assert_int_equal(tunables.pause_target_ms, 1);
  assert_int_equal(tunables.max_prior_attempts, 3);
  assert_int_equal(tunables.full_freq, 0);
  assert_int_equal(tunables.generational_min_bytes, 4 << 20);
  assert_int_equal(tunables.concurrent_min_bytes, 16 << 20);
  assert_int_equal(warnings, 0);
}

static void
sizes_take_suffixes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t bytes;
  } cases[] = {
      {"100000000", 100000000},  {"131072k", 128 << 20},    {"128M", 128 << 20},
      {"128mb", 128 << 20},      {"128MiB", 128 << 20},     {" 128 ", 64 << 20}, // below the minimum
      {"2G", (uint64_t)2 << 30}, {"1t", (uint64_t)1 << 40}, {"0", 0}, // automatic, although below the minimum
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(read_with("LOAM_RESERVE", cases[i].text).reserve_bytes, cases[i].bytes);
}

static void
numbers_are_decimal(void **state) {
  (void)state;
  assert_int_equal(read_with("GC_MARKERS", "7").markers, 7);
  assert_int_equal(read_with("GC_MARKERS", "010").markers, 10);
  assert_int_equal(read_with("GC_MARKERS", "0").markers, 0);
  assert_int_equal(warnings, 0);
}

static void
flags_are_on_when_present(void **state) {
  (void)state;
  static const char *const on[] = {"", "1", "yes", "ON", "true"}, *const off[] = {"0", "no", "Off", "false"};
  for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
    assert_true(read_with("GC_DONT_GC", on[i]).dont_gc);
  for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
    assert_false(read_with("GC_RETRY_SIGNALS", off[i]).retry_signals);
  assert_int_equal(warnings, 0);
}

static void
texts_are_kept_as_they_are(void **state) {
  (void)state;
  static const char path[] = "/tmp/a log.txt";
  assert_ptr_equal(read_with("GC_LOG_FILE", path).log_file, path);
  assert_null(read_with("GC_LOG_FILE", "").log_file);
}

static void
some_texts_are_one_of_several_words(void **state) {
  (void)state;
  static const char *const modes[] = {"stop", "generational", "concurrent", "auto"};
  static const char *const nonsense[] = {"banana", "Stop", "sto", "stopp", "stop generational", " stop", " "};
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
    assert_ptr_equal(read_with("GC_MODE", modes[i]).mode, modes[i]);
  assert_int_equal(warnings, 0);
  for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
    assert_null(read_with("GC_MODE", nonsense[i]).mode);
    assert_int_equal(warnings, 1);
  }
  read_with("GC_MODE", "banana");
  assert_string_equal(warning, "GC_MODE=banana ignored: expected one of: stop generational concurrent auto");
}

static void
an_empty_value_is_no_value(void **state) {
  (void)state;
  assert_int_equal(read_with("GC_FREE_SPACE_DIVISOR", "").free_space_divisor, 3);
  assert_null(read_with("GC_MODE", "").mode);
  assert_int_equal(warnings, 0);
}

static void
nonsense_warns_once_and_keeps_the_default(void **state) {
  (void)state;
  static const char *const nonsense[] = {"abc", "-1",  "0x10",     "3.5", "3 4", "k",
                                         "1z",  "1kk", "\xff\xfe", "1e9", "+"};
  for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
    assert_int_equal(read_with("LOAM_MIN_BUDGET", nonsense[i]).min_budget_bytes, 3 << 19);
    assert_int_equal(warnings, 1);
    assert_int_equal(read_with("GC_FREE_SPACE_DIVISOR", nonsense[i]).free_space_divisor, 3);
    assert_int_equal(warnings, 1);
    assert_false(read_with("GC_PRINT_STATS", nonsense[i]).print_stats);
    assert_int_equal(warnings, 1);
  }
  read_with("GC_FREE_SPACE_DIVISOR", "many");
  assert_string_equal(warning, "GC_FREE_SPACE_DIVISOR=many ignored: expected a decimal number");
}

static void
out_of_range_warns_once_and_is_clamped(void **state) {
  (void)state;
  assert_int_equal(read_with("GC_MARKERS", "9999").markers, 256);
  assert_string_equal(warning, "GC_MARKERS=9999 is out of range: using 256 (allowed: 1 to 256 threads)");
  assert_int_equal(read_with("LOAM_MIN_BUDGET", "1").min_budget_bytes, 64 << 10);
  assert_int_equal(warnings, 1);
  assert_int_equal(read_with("GC_FREE_SPACE_DIVISOR", "0").free_space_divisor, 1);
  assert_int_equal(warnings, 1);
}

static void
overflow_is_out_of_range(void **state) {
  (void)state;
  assert_int_equal(read_with("GC_MARKERS", "18446744073709551617").markers, 256);
  assert_int_equal(warnings, 1);
  assert_int_equal(read_with("LOAM_MIN_BUDGET", "99999999999999T").min_budget_bytes, 1 << 30);
  assert_int_equal(warnings, 1);
}

static void
a_long_or_unprintable_value_is_repeated_harmlessly(void **state) {
  (void)state;
  char value[4096];
  memset(value, '\33', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  read_with("GC_MARKERS", value);
  assert_int_equal(warnings, 1);
  assert_true(strlen(warning) < 200);
  assert_null(strchr(warning, '\33'));
  assert_null(strchr(warning, '\n'));
}

static void
several_variables_each_count(void **state) {
  (void)state;
  memset(environment, 0, sizeof environment);
  environment[0][0] = "GC_MARKERS", environment[0][1] = "3";
  environment[1][0] = "GC_NPROCS", environment[1][1] = "nonsense";
  environment[2][0] = "LOAM_STOP_WARN", environment[2][1] = "50";
  struct gc_tunables tunables = read_environment();
  assert_int_equal(tunables.markers, 3);
  assert_int_equal(tunables.nprocs, 0);
  assert_int_equal(tunables.stop_warn_ms, 50);
  assert_int_equal(warnings, 1);
}

static void
every_variable_is_named_once(void **state) {
  (void)state;
  for (unsigned i = 0; i < gc_tunable_count; i++) {
    assert_true(gc_tunable_table[i].about[0] != '\0');
    for (unsigned j = 0; j < i; j++)
      assert_string_not_equal(gc_tunable_table[i].environment, gc_tunable_table[j].environment);
  }
}

static void
print_has_a_line_each(void **state) {
  (void)state;
  struct gc_tunables tunables = read_with("GC_MARKERS", "5");
  FILE *file = tmpfile();
  assert_non_null(file);
  gc_tunables_print(&tunables, fileno(file));
  rewind(file);
  char line[1024];
  unsigned lines = 0;
  bool seen = false;
  while (fgets(line, sizeof line, file) != NULL) {
    lines++;
    if (strncmp(line, "GC_MARKERS ", 11) == 0) {
      assert_non_null(strstr(line, " 5 threads (default 0, 1 to 256)\n"));
      seen = true;
    }
  }
  assert_true(seen);
  assert_int_equal(lines, gc_tunable_count);
  fclose(file);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_tables),
      cmocka_unit_test(sizes_take_suffixes),
      cmocka_unit_test(numbers_are_decimal),
      cmocka_unit_test(flags_are_on_when_present),
      cmocka_unit_test(texts_are_kept_as_they_are),
      cmocka_unit_test(some_texts_are_one_of_several_words),
      cmocka_unit_test(an_empty_value_is_no_value),
      cmocka_unit_test(nonsense_warns_once_and_keeps_the_default),
      cmocka_unit_test(out_of_range_warns_once_and_is_clamped),
      cmocka_unit_test(overflow_is_out_of_range),
      cmocka_unit_test(a_long_or_unprintable_value_is_repeated_harmlessly),
      cmocka_unit_test(several_variables_each_count),
      cmocka_unit_test(every_variable_is_named_once),
      cmocka_unit_test(print_has_a_line_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
