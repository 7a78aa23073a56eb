#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "interpreter.h"

static const char *stats_path; // from SCHEME_STATS, or NULL
static const char *stats_program;
static double stats_began;

static double
now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void
stats_start(const char *program) {
  stats_path = getenv("SCHEME_STATS");
  if (stats_path == NULL || *stats_path == '\0')
    return;
  stats_program = program;
  stats_began = now_seconds();
  pauses_start();
}

// The last component of the program's path, without ".scm".
static void
write_program_name(FILE *file) {
  const char *slash = strrchr(stats_program, '/');
  const char *name = slash == NULL ? stats_program : slash + 1;
  size_t length = strlen(name);
  if (length > 4 && strcmp(name + length - 4, ".scm") == 0)
    length -= 4;
  for (size_t i = 0; i < length; i++) {
    if (name[i] == '"' || name[i] == '\\')
      fputc('\\', file);
    if ((unsigned char)name[i] >= ' ')
      fputc(name[i], file);
  }
}

static void
write_pauses(FILE *file, const struct pauses *pauses) {
  fprintf(file, ", \"pause_count\": %llu", (unsigned long long)pauses->count);
  fprintf(file, ", \"pause_p50_ns\": %llu", (unsigned long long)pauses->p50_ns);
  fprintf(file, ", \"pause_p99_ns\": %llu", (unsigned long long)pauses->p99_ns);
  fprintf(file, ", \"pause_max_ns\": %llu, \"histogram\": [", (unsigned long long)pauses->max_ns);
  for (size_t i = 0; i < pauses->bucket_count; i++) {
    const struct pause_bucket *b = &pauses->buckets[i];
    fprintf(file, "%s[%llu, %llu, %llu]", i > 0 ? ", " : "", (unsigned long long)b->low_ns,
            (unsigned long long)b->high_ns, (unsigned long long)b->count);
  }
  fprintf(file, "]");
}

// The kernel's high-water mark for this program; getrusage's would begin with that of whoever started it.
static long
peak_rss_kib(void) {
  char line[256];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld", &kib) == 1)
      break;
  if (status)
    fclose(status);
  return kib;
}

void
stats_finish(void) {
  if (stats_program == NULL)
    return;
  FILE *file = fopen(stats_path, "a");
  if (file == NULL) {
    perror(stats_path);
    return;
  }
  struct pauses pauses;
  pauses_read(&pauses);
  fprintf(file, "{\"program\": \"");
  write_program_name(file);
  fprintf(file, "\", \"allocator\": \"%s\", \"seconds\": %.6f", ALLOC_NAME, now_seconds() - stats_began);
  fprintf(file, ", \"collections\": %zu, \"peak_rss_kib\": %ld", alloc_collections(), peak_rss_kib());
  write_pauses(file, &pauses);
  fprintf(file, "}\n");
  fclose(file);
}
