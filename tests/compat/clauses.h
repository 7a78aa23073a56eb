// The frame of these programs.  A clause of libgc's manual is a function that does what the clause is about
// and says what it saw, in words.  Each runs in a process of its own: what one leaves behind, or its crash,
// is nothing to the others.  The report has a line for each clause: its name, what is wanted, what was seen.
//
// A conservative collector may keep any one object for a stray word, so objects are made a hundred at a time,
// deep in a stack that is then cleared, and known by hidden addresses only.  `most` of them die; but of those
// that must not die `none` does.
#pragma once

#include <gc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void GC_finalize_all(void); // libgc declares it in a header of its own, javaxfc.h

enum { OBJECTS = 100, FRAMES = 40, CLAUSE_SECONDS = 120, SAID_BYTES = 4000 };
enum { A, B, C, D, SETS };
enum order { UNREGISTERED, ORDERED, IGNORE_SELF, NO_ORDER, UNREACHABLE };

#define OUT_OF_LINE __attribute__((noinline, unused)) static

// ---- What was seen -------------------------------------------------------------------------------------

static char *said; // shared with the process that reports

__attribute__((format(printf, 1, 2), unused)) static void
say(const char *format, ...) {
  size_t length = strlen(said);
  va_list arguments;
  va_start(arguments, format);
  if (length)
    length += snprintf(said + length, SAID_BYTES - length, "; ");
  vsnprintf(said + length, SAID_BYTES - length, format, arguments);
  va_end(arguments);
}

// In words, as long as the number is one of those expected.
static inline const char *
share(int count, int of) {
  static char numbers[8][40];
  static int next;
  if (count == 0)
    return "none";
  if (count <= of && count * 10 >= of * 9)
    return "most";
  char *text = numbers[next++ % 8];
  snprintf(text, sizeof numbers[0], "%d of %d", count, of);
  return text;
}

// As share, where no object may be missing.
static inline const char *
precisely(int count, int of) {
  return count == of ? "all" : share(count * 10 >= of * 9 ? of * 10 + count : count, of);
}

static inline const char *
yes(bool is) {
  return is ? "yes" : "no";
}

// ---- Memory --------------------------------------------------------------------------------------------

// And vector registers: what a copy has left there the dynamic linker may spill when it looks up a symbol.
OUT_OF_LINE void
clear_stack(void) {
  static char zeros[2][1024];
  volatile char dirt[1 << 16];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
  for (volatile size_t bytes = sizeof zeros[0]; bytes; bytes -= 8)
    memmove(zeros[1], zeros[0], bytes);
}

OUT_OF_LINE void
collect(int times) {
  while (times--) {
    clear_stack();
    GC_gcollect();
  }
  clear_stack();
}

OUT_OF_LINE void
deeply(int frames, void (*function)(int), int i) {
  volatile char frame[500];
  frame[0] = 1;
  if (frames)
    deeply(frames - 1, function, i);
  else
    function(i);
  (void)frame[0]; // the frame is in use until now
}

// function(0) to function(OBJECTS - 1); meanwhile nothing is collected.
static inline void
each(void (*function)(int)) {
  GC_disable();
  for (int i = 0; i < OBJECTS; i++)
    deeply(FRAMES, function, i);
  GC_enable();
  clear_stack();
}

// ---- Objects -------------------------------------------------------------------------------------------

// Most objects are nodes; the others begin with one if they are large enough.
struct node {
  struct node *next, *other;
  GC_word stamp; // STAMP and the node's number
  void *link;
};

static const GC_word STAMP = 0x5ee5000000000000;

static GC_word hidden[SETS][OBJECTS];    // where each object is
static struct node *held[SETS][OBJECTS]; // static data: what is here is reachable

static inline int
number_of(const struct node *node) {
  GC_word number = node->stamp - STAMP;
  return number < SETS * OBJECTS ? (int)number : -1;
}

static inline struct node *
known_as(void *memory, int set, int i) {
  struct node *node = memory;
  *node = (struct node){.stamp = STAMP + set * OBJECTS + i};
  hidden[set][i] = GC_HIDE_POINTER(node);
  return node;
}

// Behind a neighbour that nobody uses: the start of an object may count as the end of the one before.
static inline struct node *
new_node(int set, int i) {
  GC_malloc(sizeof(struct node));
  return known_as(GC_malloc(sizeof(struct node)), set, i);
}

static inline struct node *
new_atomic_node(int set, int i) {
  GC_malloc_atomic(sizeof(struct node));
  return known_as(GC_malloc_atomic(sizeof(struct node)), set, i);
}

static inline struct node *
object(int set, int i) {
  return GC_REVEAL_POINTER(hidden[set][i]);
}

// A node with all it refers to, directly.
static inline bool
intact(const struct node *node) {
  return number_of(node) >= 0 && (!node->next || number_of(node->next) >= 0) &&
         (!node->other || number_of(node->other) >= 0);
}

// Objects of a node's size that overwrite what has been reclaimed too early.
static inline void
litter(void) {
  GC_disable();
  for (int i = 0; i < 10; i++)
    memset(GC_malloc(sizeof(struct node)), 0xa5, sizeof(struct node));
  GC_enable();
}

// The static data lets go of what it holds.
static inline void
release(int set) {
  memset(held[set], 0, sizeof held[set]);
}

// ---- Finalizers ----------------------------------------------------------------------------------------

typedef void (*registrar)(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **);
static const registrar registrars[] = {[ORDERED] = GC_register_finalizer,
                                       [IGNORE_SELF] = GC_register_finalizer_ignore_self,
                                       [NO_ORDER] = GC_register_finalizer_no_order,
                                       [UNREACHABLE] = GC_register_finalizer_unreachable};

static int calls[SETS][OBJECTS];
static int faults; // finalizers called with wrong arguments, or for damaged objects

static inline void *
tag(int set, int i) {
  return (void *)(GC_word)(set * OBJECTS + i + 1);
}

// Count a finalizer's call; gives the object's number, or -1.
static inline int
called_for(void *finalizable) {
  struct node *node = finalizable;
  int number = number_of(node);
  if (number < 0 || hidden[number / OBJECTS][number % OBJECTS] != GC_HIDE_POINTER(node) || !intact(node)) {
    faults++;
    return -1;
  }
  calls[number / OBJECTS][number % OBJECTS]++;
  return number;
}

static inline void
finalized(void *finalizable, void *data) {
  if (called_for(finalizable) + 1 != (int)(GC_word)data)
    faults++;
  litter();
}

static inline void
enroll(enum order order, struct node *node, int set, int i) {
  if (order != UNREGISTERED)
    registrars[order](node, finalized, tag(set, i), NULL, NULL);
}

static inline int
called(int set) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += calls[set][i] > 0;
  return count;
}

static inline void
say_called(int sets) {
  char text[200] = "";
  for (int set = 0; set < sets; set++) {
    size_t length = strlen(text);
    const char *how_many = share(called(set), OBJECTS);
    snprintf(text + length, sizeof text - length, "%s%c %s", set ? ", " : "", 'A' + set, how_many);
  }
  say("%s", text);
}

// Nothing is said unless something is wrong.
static inline void
say_faults(void) {
  int again = 0;
  for (int set = 0; set < SETS; set++)
    for (int i = 0; i < OBJECTS; i++)
      again += calls[set][i] > 1;
  if (faults)
    say("faults %d", faults);
  if (again)
    say("called again %d", again);
}

// Collections one by one, and what has been called after each.
static inline void
say_steps(int sets, int collections) {
  for (int i = 0; i < collections; i++) {
    collect(1);
    say_called(sets);
  }
  say_faults();
}

// ---- Links in static data, which hold hidden pointers ---------------------------------------------------

static void *links[SETS][OBJECTS], *long_links[SETS][OBJECTS];

static inline void
watch(int set, int i, struct node *node) {
  links[set][i] = (void *)GC_HIDE_POINTER(node);
  if (GC_general_register_disappearing_link(&links[set][i], node) != GC_SUCCESS)
    faults++;
}

static inline void
watch_long(int set, int i, struct node *node) {
  long_links[set][i] = (void *)GC_HIDE_POINTER(node);
  if (GC_register_long_link(&long_links[set][i], node) != GC_SUCCESS)
    faults++;
}

static inline int
cleared(void *const *words) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += words[i] == NULL;
  return count;
}

static inline void
say_cleared(const char *what, void *const *words) {
  say("%s %s", what, share(cleared(words), OBJECTS));
}

// ---- The report ----------------------------------------------------------------------------------------

struct clause {
  const char *name;
  void (*run)(void);
  const char *wanted;
};

static inline void
run_clause(const struct clause *clause) {
  said[0] = 0;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(CLAUSE_SECONDS);
    GC_INIT();
    GC_set_warn_proc(GC_ignore_warn_proc);
    clause->run();
    _exit(0);
  }
  int status = -1;
  if (child > 0)
    waitpid(child, &status, 0);
  if (child < 0 || WIFSIGNALED(status))
    say("killed by signal %d", child < 0 ? 0 : WTERMSIG(status));
  else if (WEXITSTATUS(status))
    say("ended with %d", WEXITSTATUS(status));
  printf("%s\t%s\t%s\n", clause->name, clause->wanted, said);
}

// All clauses, or those whose names contain the program's argument.
static inline int
run_clauses(const struct clause *clauses, size_t count, const char *part) {
  said = mmap(NULL, SAID_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (said == MAP_FAILED)
    return EXIT_FAILURE;
  for (size_t i = 0; i < count; i++)
    if (!part || strstr(clauses[i].name, part))
      run_clause(&clauses[i]);
  return EXIT_SUCCESS;
}

#define RUN_CLAUSES(clauses, part) run_clauses(clauses, sizeof(clauses) / sizeof(clauses)[0], part)
