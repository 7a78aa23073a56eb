// Failures, warnings and the log: one line each, through the program's own procedures where it has some.
#include "base/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/variables.h"
#include "fixture.h"

static char said[2048];

static void
read_all(int fd) {
  size_t used = 0;
  for (ssize_t bytes; (bytes = read(fd, said + used, sizeof said - 1 - used)) > 0;)
    used += (size_t)bytes;
  said[used] = '\0';
}

// What the log got from `function`.
static void
catch_log(void (*function)(void)) {
  int ends[2], log_fd = gc_hooks.log_fd;
  assert_int_equal(pipe(ends), 0);
  gc_hooks.log_fd = ends[1];
  function();
  gc_hooks.log_fd = log_fd;
  close(ends[1]);
  read_all(ends[0]);
  close(ends[0]);
}

// Run `function` in a child that is expected to abort, and keep what it wrote to standard error.
static void
expect_abort(void (*function)(void)) {
  int ends[2], status;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    function();
    _exit(0);
  }
  close(ends[1]);
  read_all(ends[0]);
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
fail_plainly(void) {
  gc_fail("%s of %zu bytes at %p", "object", (size_t)48, (void *)0x1230);
}

static void
a_failure_is_one_line_and_an_abort(void **state) {
  (void)state;
  expect_abort(fail_plainly);
  assert_string_equal(said, "loam: object of 48 bytes at 0x1230\n");
}

static void
say_got(const char *message) {
  dprintf(STDERR_FILENO, "got <%.*s>", (int)strcspn(message, "\n"), message);
}

static void
fail_through_hook(void) {
  GC_on_abort = say_got;
  fail_plainly();
}

static void
the_abort_function_gets_the_line_and_may_not_stop_the_abort(void **state) {
  (void)state;
  expect_abort(fail_through_hook);
  assert_string_equal(said, "got <loam: object of 48 bytes at 0x1230>");
}

static void
check_truth_and_falsehood(void) {
  GC_CHECK(true, "never said");
  GC_CHECK(1 == 2, "said %d", 7);
}

static void
assert_falsehood(void) {
  int bytes = 3;
  GC_ASSERT(bytes == 3);
  GC_ASSERT(bytes % 2 == 0);
}

static void
checks_fail_when_untrue(void **state) {
  (void)state;
  expect_abort(check_truth_and_falsehood);
  assert_string_equal(said, "loam: said 7\n");
  expect_abort(assert_falsehood);
  assert_non_null(strstr(said, "assertion failed: bytes % 2 == 0 ("));
  assert_non_null(strstr(said, "check_test.c:"));
}

static void
log_two_lines(void) {
  gc_log("%d", 1);
  gc_log("two %u", 2u);
}

static void
the_log_has_a_line_each(void **state) {
  (void)state;
  catch_log(log_two_lines);
  assert_string_equal(said, "loam: 1\nloam: two 2\n");
}

static void
log_too_much(void) {
  static char text[3000];
  memset(text, 'x', sizeof text - 1);
  gc_log("%s", text);
}

static void
a_long_line_is_cut_and_ends_all_the_same(void **state) {
  (void)state;
  catch_log(log_too_much);
  size_t length = strlen(said);
  assert_in_range(length, 400, 512);
  assert_int_equal(said[length - 1], '\n');
  assert_int_equal(strspn(said + 6, "x"), length - 7);
}

static void
warn_by_default(void) {
  gc_warn("no room for %lu bytes\n", 99);
}

static void
a_warning_is_one_line(void **state) {
  (void)state;
  catch_log(warn_by_default);
  assert_string_equal(said, "loam: warning: no room for 99 bytes\n");
}

static char *warn_format;
static unsigned long warn_argument;

static void
keep_warning(char *format, unsigned long argument) {
  warn_format = format;
  warn_argument = argument;
}

static void
the_warn_procedure_gets_format_and_argument(void **state) {
  (void)state;
  gc_hooks.warn = keep_warning;
  catch_log(warn_by_default);
  gc_hooks.warn = NULL;
  assert_string_equal(said, "");
  assert_string_equal(warn_format, "no room for %lu bytes\n");
  assert_int_equal(warn_argument, 99);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_is_one_line_and_an_abort),
      cmocka_unit_test(the_abort_function_gets_the_line_and_may_not_stop_the_abort),
      cmocka_unit_test(checks_fail_when_untrue),
      cmocka_unit_test(the_log_has_a_line_each),
      cmocka_unit_test(a_long_line_is_cut_and_ends_all_the_same),
      cmocka_unit_test(a_warning_is_one_line),
      cmocka_unit_test(the_warn_procedure_gets_format_and_argument),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
