// Threads as the kernel sees them: ids, signals, what /proc tells of them.
#include "os/threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/files.h"

pid_t
gc_os_thread_id(void) {
  return (pid_t)syscall(SYS_gettid);
}

enum gc_os_sent
gc_os_thread_signal(pid_t tid, int signal_number) {
  if (syscall(SYS_tgkill, getpid(), tid, signal_number) == 0)
    return GC_OS_SENT;
  return errno == EAGAIN ? GC_OS_SENT_LATER : GC_OS_SENT_NOBODY;
}

static bool
read_task_file(pid_t tid, const char *name, char *text, size_t capacity) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)tid, name);
  return gc_os_file_read(path, text, capacity);
}

void
gc_os_thread_name(pid_t tid, char name[GC_OS_THREAD_NAME_BYTES]) {
  if (!read_task_file(tid, "comm", name, GC_OS_THREAD_NAME_BYTES))
    strcpy(name, "?");
  name[strcspn(name, "\n")] = '\0';
}

// The value of a line "\nkey:\tvalue" of the thread's status, in `text`; NULL if there is none.
static const char *
read_status(pid_t tid, const char *key, char *text, size_t capacity) {
  if (!read_task_file(tid, "status", text, capacity))
    return NULL;
  const char *line = strstr(text, key);
  return line ? line + strlen(key) + strspn(line + strlen(key), "\t ") : NULL;
}

char
gc_os_thread_doing(pid_t tid) {
  char text[4096];
  const char *value = read_status(tid, "\nState:", text, sizeof text);
  return value ? *value : '?';
}

bool
gc_os_thread_blocks(pid_t tid, int signal_number) {
  char text[4096];
  const char *value = read_status(tid, "\nSigBlk:", text, sizeof text);
  return value && strtoull(value, NULL, 16) >> (signal_number - 1) & 1;
}

void
gc_os_thread_delay(unsigned max_us) {
  if (max_us == 0)
    return;
  uint64_t seed = gc_os_now_ns() * 0x9e3779b97f4a7c15;
  long delay_ns = (long)((seed >> 32) % ((uint64_t)max_us * 1000));
  struct timespec delay = {delay_ns / 1000000000, delay_ns % 1000000000};
  syscall(SYS_nanosleep, &delay, NULL); // nanosleep would be a cancellation point
}
