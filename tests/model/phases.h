// The driver of the model tests: each phase runs the model in forked children, under one setting of the
// collector's stress switches, for its share of LOAM_TEST_SECONDS.
//
//     heap                            every phase, seeds drawn from the clock
//     LOAM_TEST_SEED=0x12 heap verify one run of one phase: the replay
//     LOAM_VERIFY=1 heap              a switch of one's own: the phase `environment` only
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "failure.h"
#include "random.h"
#include "tests/tap.h"

// One run of the model: until `seconds` are over or, if `operations` is not 0, so many are done.
typedef void (*model_run)(uint64_t seed, double seconds, unsigned long operations);

struct phase {
  const char *name;
  const char *variable, *value; // what the child finds in its environment
  unsigned share;               // of the time
  unsigned fail_calls; // not 0: one short child for each of the first n system calls, which fails in it
};

static const struct phase phases[] = {
    {"plain", NULL, NULL, 8, 0},
    {"collect", "LOAM_STRESS_COLLECT", "1", 4, 0},
    {"sparse", "LOAM_STRESS_COLLECT", "97", 2, 0},
    {"verify", "LOAM_VERIFY", "1", 3, 0},
    {"delay", "LOAM_STRESS_DELAY", "50", 2, 0},
    {"idle", "GC_PAUSE_TIME_TARGET", "999999", 2, 0}, // no pause is long: idle caches' pages are armed
    {"gaps", "LOAM_RELEASE", "0", 2, 0},              // memory between objects goes back at the second cycle
    {"protect", "LOAM_WRITES", "mprotect", 3, 0},
    {"refuse", "LOAM_STRESS_FAIL_OS", NULL, 1, 50},
};

static const struct phase phase_environment = {"environment", NULL, NULL, 1, 0};
static const char *const switches[] = {"LOAM_STRESS_COLLECT", "LOAM_STRESS_FAIL_OS", "LOAM_STRESS_DELAY",
                                       "LOAM_VERIFY", "LOAM_WRITES"};

#define REFUSE_SECONDS 0.05
enum {
  PHASES = sizeof phases / sizeof phases[0],
  REFUSE_OPERATIONS = 400,
  HANG_SECONDS = 240,
  ROUND_SECONDS = 20
};

struct tally {
  unsigned long runs, operations, failures, refused_programs;
};

static char *program_path;

static inline double
seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// ---- One child -----------------------------------------------------------------------------------------

struct launch {
  const struct phase *phase;
  char value[20]; // of the phase's variable
  uint64_t seed;
  double seconds;
  unsigned long operations_max;
};

static inline const char *
launch_replay(const struct launch *launch) {
  static char command[500];
  const struct phase *phase = launch->phase;
  char assignment[60] = "";
  if (phase->fail_calls)
    snprintf(assignment, sizeof assignment, "%s=%s ", phase->variable, launch->value);
  snprintf(command, sizeof command, "%sLOAM_TEST_SEED=%#lx %s %s", assignment, (unsigned long)launch->seed,
           program_path, phase->fail_calls ? "environment" : phase->name);
  return command;
}

// The seed decides how the heap is collected, unless the environment does: in each mode, often, with minor
// cycles that come soon.
static inline void
choose_mode(uint64_t seed) {
  static const char *const modes[] = {"stop", "generational", "concurrent", "concurrent"};
  setenv("GC_MODE", modes[seed >> 8 & 3], 0);
  setenv("LOAM_NURSERY", seed >> 10 & 1 ? "64K" : "1M", 0);
}

static inline void
child_run(const struct launch *launch, model_run run, FILE *errors) {
  dup2(fileno(errors), STDERR_FILENO);
  choose_mode(launch->seed);
  if (launch->phase->variable)
    setenv(launch->phase->variable, launch->value, 1);
  alarm((unsigned)launch->seconds + HANG_SECONDS);
  run(launch->seed, launch->seconds, launch->operations_max);
  fflush(stdout);
  _exit(EXIT_SUCCESS);
}

static inline void
print_errors(FILE *errors) {
  char line[1000];
  rewind(errors);
  while (fgets(line, sizeof line, errors))
    printf("# stderr: %s", line);
}

// Where a refusal cannot be reported the collector may end the program with a line that says so: at its
// start, and in GC_add_roots.
static inline bool
ended_by_refusal(int status, FILE *errors) {
  static const char roots[] = "loam: GC_add_roots: no memory";
  char line[200] = "";
  rewind(errors);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !fgets(line, sizeof line, errors))
    return false;
  return strncmp(line, roots, strlen(roots)) == 0 || (!progress->started && strncmp(line, "loam: ", 6) == 0);
}

static inline bool
child_passed(const struct launch *launch, int status, FILE *errors, struct tally *tally) {
  bool refused = ended_by_refusal(status, errors);
  bool passed = refused || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (WIFSIGNALED(status) && !refused)
    printf("# killed by signal %d (%s) after %lu operations\n# replay: %s\n", WTERMSIG(status),
           strsignal(WTERMSIG(status)), progress->operations, launch_replay(launch));
  if (!passed)
    print_errors(errors);
  tally->runs++;
  tally->operations += progress->operations;
  tally->failures += progress->failures;
  tally->refused_programs += refused;
  return passed;
}

// Run the model in a child; false if it failed.
static inline bool
child_spawn(const struct launch *launch, model_run run, struct tally *tally) {
  FILE *errors = tmpfile();
  int status;
  *progress = (struct progress){0};
  replay_command = launch_replay(launch);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0)
    child_run(launch, run, errors);
  waitpid(child, &status, 0);
  bool passed = child_passed(launch, status, errors, tally);
  fclose(errors);
  return passed;
}

// ---- Phases --------------------------------------------------------------------------------------------

static inline bool
phase_run_refusing(struct launch launch, model_run run, struct tally *tally) {
  bool passed = true;
  uint64_t seed = launch.seed;
  launch.operations_max = REFUSE_OPERATIONS;
  launch.seconds = REFUSE_SECONDS;
  for (unsigned call = 1; passed && call <= launch.phase->fail_calls; call++) {
    snprintf(launch.value, sizeof launch.value, "%u", call);
    launch.seed = random_mix(seed + call);
    passed = child_spawn(&launch, run, tally);
  }
  return passed;
}

static inline bool
phase_run(struct launch launch, model_run run, struct tally *tally) {
  if (launch.phase->fail_calls)
    return phase_run_refusing(launch, run, tally);
  snprintf(launch.value, sizeof launch.value, "%s", launch.phase->value ? launch.phase->value : "");
  return child_spawn(&launch, run, tally);
}

static inline void
phase_report(const struct phase *phase, bool passed, const struct tally *tally) {
  tap_ok(passed, "%s: %lu runs, %lu operations, %lu allocations refused, %lu programs refused", phase->name,
         tally->runs, tally->operations, tally->failures, tally->refused_programs);
}

static inline const struct phase *
phase_named(const char *name) {
  for (unsigned i = 0; i < PHASES; i++)
    if (strcmp(phases[i].name, name) == 0)
      return &phases[i];
  return &phase_environment;
}

// ---- The program ---------------------------------------------------------------------------------------

// A number of the environment's, or `otherwise`.
static inline double
environment_number(const char *variable, double otherwise) {
  const char *value = getenv(variable);
  return value && *value ? strtod(value, NULL) : otherwise;
}

static inline uint64_t
first_seed(void) {
  const char *value = getenv("LOAM_TEST_SEED");
  uint64_t clock = (uint64_t)(seconds_now() * 1e9) ^ ((uint64_t)getpid() << 40);
  return value && *value ? strtoull(value, NULL, 0) : random_mix(clock);
}

static inline bool
switches_are_set(void) {
  for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
    if (getenv(switches[i]))
      return true;
  return false;
}

// One phase alone, with the seed as given.
static inline int
main_single(const struct phase *phase, model_run run) {
  struct tally tally = {0};
  struct launch launch = {.phase = phase,
                          .seed = first_seed(),
                          .seconds = environment_number("LOAM_TEST_SECONDS", 3),
                          .operations_max = (unsigned long)environment_number("LOAM_TEST_OPERATIONS", 0)};
  tap_note("seed %#lx", (unsigned long)launch.seed);
  bool passed = phase_run(launch, run, &tally);
  phase_report(phase, passed, &tally);
  return tap_done();
}

static inline unsigned
phases_shares(void) {
  unsigned shares = 0;
  for (unsigned i = 0; i < PHASES; i++)
    shares += phases[i].share;
  return shares;
}

// Every phase, and again with other seeds while there is time.
static inline int
main_all(model_run run) {
  struct tally tallies[PHASES] = {{0}};
  bool failed[PHASES] = {false};
  double seconds = environment_number("LOAM_TEST_SECONDS", 3), limit = seconds_now() + seconds;
  double round = seconds < ROUND_SECONDS ? seconds : ROUND_SECONDS;
  struct random seeds = {first_seed()};
  tap_note("seed %#lx", (unsigned long)seeds.state);
  do
    for (unsigned i = 0; i < PHASES; i++) {
      struct launch launch = {.phase = &phases[i],
                              .seed = random_next(&seeds),
                              .seconds = round * phases[i].share / phases_shares()};
      failed[i] = failed[i] || !phase_run(launch, run, &tallies[i]);
    }
  while (seconds_now() < limit - round / 2);
  for (unsigned i = 0; i < PHASES; i++)
    phase_report(&phases[i], !failed[i], &tallies[i]);
  return tap_done();
}

static inline int
phases_main(int argc, char **argv, model_run run) {
  program_path = argv[0];
  progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (progress == MAP_FAILED)
    return EXIT_FAILURE;
  if (argc > 1)
    return main_single(phase_named(argv[1]), run);
  return switches_are_set() ? main_single(&phase_environment, run) : main_all(run);
}
