// scheme: a small Scheme on a garbage collector.
//
//     scheme                 read, evaluate, print
//     scheme FILE [ARGS...]  run a program; (command-line) is (FILE ARGS...)
//     scheme -e EXPR...      evaluate expressions, print their values
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "interpreter.h"

static int
usage(void) {
  fputs("usage: scheme [FILE [ARGS...] | -e EXPR...]\n", stderr);
  return 2;
}

static bool
run_expressions(int count, char **expressions) {
  for (int i = 0; i < count; i++) {
    value port = port_from_bytes((const uint8_t *)expressions[i], strlen(expressions[i]), 0, "expression");
    if (!interpreter_run_port(port_of(port), "expression", true))
      return false;
  }
  return true;
}

static bool
run_file(const char *path) {
  jmp_buf catcher;
  error_catcher = &catcher;
  if (setjmp(catcher) != 0) {
    fprintf(stderr, "scheme: cannot open %s\n", path);
    return false;
  }
  value port = port_open(path, PORT_INPUT);
  error_catcher = NULL;
  return interpreter_run_port(port_of(port), path, false);
}

int
main(int argc, char **argv) {
  alloc_start();
  c_stack_start(__builtin_frame_address(0));
  setlocale(LC_CTYPE, "C.UTF-8"); // for the classes and cases of characters
  bool expressions = argc > 1 && strcmp(argv[1], "-e") == 0;
  if (argc > 1 && argv[1][0] == '-' && (!expressions || argc == 2))
    return usage();
  stats_start(argc == 1 ? "repl" : argv[1]);
  interpreter_start();
  system_set_arguments(argc - 1, argv + 1);
  bool good = true;
  if (argc == 1)
    interpreter_repl();
  else
    good = expressions ? run_expressions(argc - 2, argv + 2) : run_file(argv[1]);
  interpreter_exit(good ? 0 : 1);
}
