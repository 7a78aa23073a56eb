// The tunables' table at work: defaults, parsing, range checks, print-out.
//
// Runs before the collector exists and perhaps inside the program's first malloc: it allocates nothing and
// keeps no state.  A bad value is the user's mistake and not a reason to stop his program: it is reported
// and survived.
#include "base/tunables.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

const struct gc_tunable gc_tunable_table[] = {
#define GC_TUNABLE(field_, type_, initial_, min_, max_, unit_, zero_, environment_, about_, grows_, \
                   shrinks_)                                                                        \
  {                                                                                                 \
      .field = #field_,                                                                             \
      .type = GC_TUNABLE_##type_,                                                                   \
      .offset = offsetof(struct gc_tunables, field_),                                               \
      .said_offset = offsetof(struct gc_tunables, said.field_),                                     \
      .initial = initial_,                                                                          \
      .min = min_,                                                                                  \
      .max = max_,                                                                                  \
      .unit = unit_,                                                                                \
      .zero = zero_,                                                                                \
      .environment = environment_,                                                                  \
      .about = about_,                                                                              \
      .grows = grows_,                                                                              \
      .shrinks = shrinks_,                                                                          \
  },
#include "base/tunables.def"
#undef GC_TUNABLE
};
const unsigned gc_tunable_count = sizeof gc_tunable_table / sizeof gc_tunable_table[0];

struct gc_tunables gc_tunables = {
#define GC_TUNABLE(field_, type_, initial_, ...) .field_ = initial_,
#include "base/tunables.def"
#undef GC_TUNABLE
};

// A default lies in its range, and a range fits the field's type.
#define WITHIN(value, low, high) ((int64_t)(value) >= (int64_t)(low) && (int64_t)(value) <= (int64_t)(high))
#define GC_TUNABLE(field, type, initial, min, max, unit, zero, ...)                                        \
  _Static_assert(WITHIN(initial, min, max) || ((initial) == 0 && sizeof(zero) > 1), "default of " #field); \
  _Static_assert(WITHIN(max, min, GC_TUNABLE_##type == GC_TUNABLE_number ? UINT_MAX : INT64_MAX),          \
                 "range of " #field);
#include "base/tunables.def"
#undef GC_TUNABLE

enum {
  NAME_BYTES = 64,     // a variable's name with its terminator
  VALUE_BYTES = 32,    // as much of a bad value as is worth repeating
  MESSAGE_BYTES = 512, // one warning or one line of the print-out
};

enum parsed { NONSENSE, PARSED };

// ---- Fields by row -------------------------------------------------------------------------------------

static uint64_t
load(const struct gc_tunables *tunables, const struct gc_tunable *row) {
  const void *field = (const char *)tunables + row->offset;
  switch (row->type) {
  case GC_TUNABLE_size:
    return *(const gc_tunable_size *)field;
  case GC_TUNABLE_number:
    return *(const gc_tunable_number *)field;
  case GC_TUNABLE_flag:
    return *(const gc_tunable_flag *)field;
  case GC_TUNABLE_text:
    break;
  }
  return 0;
}

static const char *
load_text(const struct gc_tunables *tunables, const struct gc_tunable *row) {
  return *(const gc_tunable_text *)((const char *)tunables + row->offset);
}

static void
store(struct gc_tunables *tunables, const struct gc_tunable *row, uint64_t value, const char *text) {
  void *field = (char *)tunables + row->offset;
  switch (row->type) {
  case GC_TUNABLE_size:
    *(gc_tunable_size *)field = value;
    break;
  case GC_TUNABLE_number:
    *(gc_tunable_number *)field = (gc_tunable_number)value;
    break;
  case GC_TUNABLE_flag:
    *(gc_tunable_flag *)field = value != 0;
    break;
  case GC_TUNABLE_text:
    *(gc_tunable_text *)field = text;
    break;
  }
}

void
gc_tunables_init_defaults(struct gc_tunables *tunables) {
  memset(tunables, 0, sizeof *tunables);
  for (unsigned i = 0; i < gc_tunable_count; i++)
    store(tunables, &gc_tunable_table[i], gc_tunable_table[i].initial, NULL);
}

// ---- Parsing: a saturated number is out of any range, so it needs no error of its own ------------------

static bool
all_blank(const char *text) {
  return text[strspn(text, " \t")] == '\0';
}

static uint64_t
multiply_saturated(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

// The decimal digits at *text, moving *text behind them.
static enum parsed
parse_digits(const char **text, uint64_t *value) {
  const char *cursor = *text + strspn(*text, " \t");
  if (!isdigit((unsigned char)*cursor))
    return NONSENSE;
  for (*value = 0; isdigit((unsigned char)*cursor); cursor++) {
    uint64_t digit = (uint64_t)(*cursor - '0');
    uint64_t shifted = multiply_saturated(*value, 10);
    *value = shifted > UINT64_MAX - digit ? UINT64_MAX : shifted + digit;
  }
  *text = cursor;
  return PARSED;
}

static enum parsed
parse_number(const char *text, uint64_t *value) {
  return parse_digits(&text, value) == PARSED && all_blank(text) ? PARSED : NONSENSE;
}

// 64, 64k, 64K, 64kB, 64KiB, 1m, 2G, 1t ...
static enum parsed
parse_size(const char *text, uint64_t *value) {
  static const char suffixes[] = "kmgt";
  if (parse_digits(&text, value) != PARSED)
    return NONSENSE;
  const char *suffix = *text != '\0' ? strchr(suffixes, tolower((unsigned char)*text)) : NULL;
  if (suffix != NULL) {
    *value = multiply_saturated(*value, KIB << (10 * (suffix - suffixes)));
    text++;
    if (strncasecmp(text, "ib", 2) == 0)
      text++;
  }
  if (tolower((unsigned char)*text) == 'b')
    text++;
  return all_blank(text) ? PARSED : NONSENSE;
}

// Present without a value means on, as libgc's variables do.
static enum parsed
parse_flag(const char *text, uint64_t *value) {
  static const char *const words[2][4] = {{"0", "no", "off", "false"}, {"1", "yes", "on", "true"}};
  *value = 1;
  if (all_blank(text))
    return PARSED;
  for (unsigned state = 0; state < 2; state++) {
    for (unsigned i = 0; i < 4; i++) {
      if (strcasecmp(text, words[state][i]) == 0) {
        *value = state;
        return PARSED;
      }
    }
  }
  return NONSENSE;
}

// Any text, or one of the row's words.
static enum parsed
parse_text(const char *words, const char *text) {
  if (words[0] == '\0')
    return PARSED;
  for (size_t length; words[0] != '\0'; words += length + strspn(words + length, " ")) {
    length = strcspn(words, " ");
    if (strlen(text) == length && strncmp(words, text, length) == 0)
      return PARSED;
  }
  return NONSENSE;
}

static enum parsed
parse(const struct gc_tunable *row, const char *text, uint64_t *value) {
  switch (row->type) {
  case GC_TUNABLE_size:
    return parse_size(text, value);
  case GC_TUNABLE_number:
    return parse_number(text, value);
  case GC_TUNABLE_flag:
    return parse_flag(text, value);
  case GC_TUNABLE_text:
    *value = 0;
    return parse_text(row->unit, text);
  }
  return NONSENSE;
}

static uint64_t
clamp(const struct gc_tunable *row, uint64_t value) {
  if (value == 0 && row->zero[0] != '\0')
    return value;
  return value < row->min ? row->min : value > row->max ? row->max : value;
}

// ---- Warnings ------------------------------------------------------------------------------------------

// Copy what fits of a value, harmless to a terminal.
static const char *
presentable(char copy[VALUE_BYTES], const char *value) {
  size_t length = strnlen(value, VALUE_BYTES);
  bool cut = length == VALUE_BYTES;
  length = cut ? VALUE_BYTES - 1 : length;
  for (size_t i = 0; i < length; i++)
    copy[i] = isprint((unsigned char)value[i]) ? value[i] : '?';
  if (cut)
    memset(copy + length - 3, '.', 3);
  copy[length] = '\0';
  return copy;
}

static const char *
expected(enum gc_tunable_type type) {
  static const char *const texts[] = {
      [GC_TUNABLE_size] = "a size such as 65536, 64k or 1G",
      [GC_TUNABLE_number] = "a decimal number",
      [GC_TUNABLE_flag] = "0 or 1",
      [GC_TUNABLE_text] = "one of: ",
  };
  return texts[type];
}

static void
warn_nonsense(const char *name, const struct gc_tunable *row, const char *value, gc_tunable_warner *warn) {
  char message[MESSAGE_BYTES], copy[VALUE_BYTES];
  snprintf(message, sizeof message, "%s=%s ignored: expected %s%s", name, presentable(copy, value),
           expected(row->type), row->type == GC_TUNABLE_text ? row->unit : "");
  warn(message);
}

static void
warn_clamped(const char *name, const struct gc_tunable *row, const char *value, uint64_t used,
             gc_tunable_warner *warn) {
  char message[MESSAGE_BYTES], copy[VALUE_BYTES];
  snprintf(message, sizeof message, "%s=%s is out of range: using %llu (allowed: %llu to %llu%s%s)", name,
           presentable(copy, value), (unsigned long long)used, (unsigned long long)row->min,
           (unsigned long long)row->max, row->unit[0] != '\0' ? " " : "", row->unit);
  warn(message);
}

// ---- The environment -----------------------------------------------------------------------------------

// Cut the next name off a row's list of variables; false at its end.
static bool
next_name(const char **list, char name[NAME_BYTES]) {
  size_t length = strcspn(*list, " ");
  if (length == 0 || length >= NAME_BYTES)
    return false;
  memcpy(name, *list, length);
  name[length] = '\0';
  *list += length + strspn(*list + length, " ");
  return true;
}

// The value of the first of the row's variables that is set, and which that is.
static const char *
find_value(const struct gc_tunable *row, gc_tunable_getter *get, char name[NAME_BYTES]) {
  const char *list = row->environment;
  while (next_name(&list, name)) {
    const char *value = get(name);
    if (value != NULL)
      return value;
  }
  return NULL;
}

static void
read_row(struct gc_tunables *tunables, const struct gc_tunable *row, gc_tunable_getter *get,
         gc_tunable_warner *warn) {
  char name[NAME_BYTES];
  const char *text = find_value(row, get, name);
  if (text == NULL || (text[0] == '\0' && row->type != GC_TUNABLE_flag))
    return;
  uint64_t value;
  if (parse(row, text, &value) != PARSED) {
    warn_nonsense(name, row, text, warn);
    return;
  }
  uint64_t used = clamp(row, value);
  if (used != value)
    warn_clamped(name, row, text, used, warn);
  store(tunables, row, used, text);
  *(bool *)((char *)tunables + row->said_offset) = true;
}

void
gc_tunables_read_environment(struct gc_tunables *tunables, gc_tunable_getter *get, gc_tunable_warner *warn) {
  for (unsigned i = 0; i < gc_tunable_count; i++)
    read_row(tunables, &gc_tunable_table[i], get, warn);
}

// ---- Print-out -----------------------------------------------------------------------------------------

static void
write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written <= 0)
      return;
    text += written;
    length -= (size_t)written;
  }
}

static int
format_text(char line[MESSAGE_BYTES], const struct gc_tunable *row, const char *text) {
  return snprintf(line, MESSAGE_BYTES, "%-29s %s\n", row->environment, text != NULL ? text : "(not set)");
}

static int
format_flag(char line[MESSAGE_BYTES], const struct gc_tunable *row, uint64_t value) {
  return snprintf(line, MESSAGE_BYTES, "%-29s %d (default %d)\n", row->environment, value != 0,
                  row->initial != 0);
}

static int
format_number(char line[MESSAGE_BYTES], const struct gc_tunable *row, uint64_t value) {
  bool named = value == 0 && row->zero[0] != '\0';
  const char *unit = named ? row->zero : row->unit;
  return snprintf(line, MESSAGE_BYTES, "%-29s %llu%s%s (default %llu, %llu to %llu)\n", row->environment,
                  (unsigned long long)value, unit[0] != '\0' ? " " : "", unit,
                  (unsigned long long)row->initial, (unsigned long long)row->min,
                  (unsigned long long)row->max);
}

static int
format_row(char line[MESSAGE_BYTES], const struct gc_tunables *tunables, const struct gc_tunable *row) {
  switch (row->type) {
  case GC_TUNABLE_text:
    return format_text(line, row, load_text(tunables, row));
  case GC_TUNABLE_flag:
    return format_flag(line, row, load(tunables, row));
  case GC_TUNABLE_size:
  case GC_TUNABLE_number:
    break;
  }
  return format_number(line, row, load(tunables, row));
}

void
gc_tunables_print(const struct gc_tunables *tunables, int fd) {
  for (unsigned i = 0; i < gc_tunable_count; i++) {
    char line[MESSAGE_BYTES];
    int length = format_row(line, tunables, &gc_tunable_table[i]);
    if (length > 0)
      write_all(fd, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
  }
}
