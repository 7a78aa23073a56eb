// Finding the cycles of a value before it is printed.  A first walk with a step budget shows most values to
// be small, and so acyclic when it ends; only those that exhaust it pay for the search.
#include "error.h"
#include "print.h"

enum { ACYCLIC_STEPS = 1000 }; // objects the first walk may visit

// Walk at most *steps objects; false when there are more.
static bool
is_small(value v, int *steps) {
  for (; is_pair(v); v = cdr(v)) {
    if (--*steps < 0 || !is_small(car(v), steps))
      return false;
  }
  if (!is_vector(v))
    return true;
  for (size_t i = 0; i < vector_of(v)->length; i++)
    if (--*steps < 0 || !is_small(vector_of(v)->items[i], steps))
      return false;
  return true;
}

// Depth-first search that records in `cycles` every object found again while still being walked.  `state`
// maps an object to #t while it is being walked, to #f afterwards.
static void
find_cycles(value v, struct table *state, struct table *cycles) {
  if (!is_pair(v) && !is_vector(v))
    return;
  c_stack_check("write: structure nested too deeply");
  value list = NIL; // the pairs of this spine, to be marked done at its end
  for (; is_pair(v); v = cdr(v)) {
    value seen = table_ref(state, v, NO_VALUE);
    if (seen == TRUE_VALUE)
      table_set(cycles, v, TRUE_VALUE);
    if (seen != NO_VALUE)
      break;
    table_set(state, v, TRUE_VALUE);
    list = cons(v, list);
    find_cycles(car(v), state, cycles);
  }
  if (is_vector(v)) {
    value seen = table_ref(state, v, NO_VALUE);
    if (seen == TRUE_VALUE)
      table_set(cycles, v, TRUE_VALUE);
    if (seen == NO_VALUE) {
      table_set(state, v, TRUE_VALUE);
      for (size_t i = 0; i < vector_of(v)->length; i++)
        find_cycles(vector_of(v)->items[i], state, cycles);
      table_set(state, v, FALSE_VALUE);
    }
  }
  for (; list != NIL; list = cdr(list))
    table_set(state, car(list), FALSE_VALUE);
}

struct table *
print_find_cycles(value v) {
  int steps = ACYCLIC_STEPS;
  if (is_small(v, &steps))
    return NULL;
  struct table *cycles = (struct table *)table_new(TABLE_EQ);
  find_cycles(v, (struct table *)table_new(TABLE_EQ), cycles);
  return cycles->count > 0 ? cycles : NULL;
}
