// Prints docs/TUNABLES.md from the tunables' table (`make docs`).
#include "base/tunables.h"

#include <inttypes.h>
#include <stdio.h>

// Bytes in the largest unit that divides them, everything else as it is.
static void
print_value(const struct gc_tunable *row, uint64_t value) {
  static const char *const units[] = {"", " KiB", " MiB", " GiB", " TiB"};
  unsigned unit = 0;
  while (row->type == GC_TUNABLE_size && unit < 4 && value > 0 && value % 1024 == 0) {
    value /= 1024;
    unit++;
  }
  printf("%" PRIu64 "%s", value, units[unit]);
}

static void
print_default(const struct gc_tunable *row) {
  if (row->type == GC_TUNABLE_text) {
    printf("not set");
    return;
  }
  print_value(row, row->initial);
  if (row->initial == 0 && row->zero[0] != '\0')
    printf(" (%s)", row->zero);
}

static void
print_names(const char *names) {
  putchar('`');
  for (; *names != '\0'; names++) {
    if (*names == ' ')
      printf("`, `");
    else
      putchar(*names);
  }
  putchar('`');
}

static void
print_text_range(const struct gc_tunable *row) {
  if (row->unit[0] != '\0')
    print_names(row->unit);
  else
    printf("any text");
}

static void
print_range(const struct gc_tunable *row) {
  if (row->type == GC_TUNABLE_text) {
    print_text_range(row);
    return;
  }
  if (row->type == GC_TUNABLE_flag) {
    printf("0 or 1");
    return;
  }
  print_value(row, row->min);
  printf(" to ");
  print_value(row, row->max);
  if (row->type == GC_TUNABLE_number && row->unit[0] != '\0')
    printf(" %s", row->unit);
  if (row->zero[0] != '\0')
    printf("; 0: %s", row->zero);
}

static void
print_row(const struct gc_tunable *row) {
  printf("| ");
  print_names(row->environment);
  printf(" | ");
  print_default(row);
  printf(" | ");
  print_range(row);
  printf(" | %s | %s | %s |\n", row->about, row->grows, row->shrinks);
}

int
main(void) {
  puts("<!-- Generated from src/base/tunables.def by `make docs`.  Do not edit. -->\n"
       "# Tunables\n\n"
       "Environment variables, read once when the collector starts.  Names that begin with `GC_` mean what "
       "they\n"
       "mean to libgc; names that begin with `LOAM_` are Loam's own.\n\n"
       "- Sizes are bytes, or take a suffix: `64k`, `128M`, `2G`, `1T`, also `128MB` and `128MiB`; all are "
       "powers of 1024.\n"
       "- Flags are on when the variable is present, unless its value is `0`, `no`, `off` or `false`.\n"
       "- A value out of range is clamped, one that makes no sense is ignored; either gives one warning.\n\n"
       "| variable | default | range | what it is | larger or on: more | larger or on: less |\n"
       "| --- | --- | --- | --- | --- | --- |");
  for (unsigned i = 0; i < gc_tunable_count; i++)
    print_row(&gc_tunable_table[i]);
  return 0;
}
