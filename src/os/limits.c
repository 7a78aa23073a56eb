// How much of the machine this process may use: sched_getaffinity, sysinfo, and control groups of both
// versions.
//
// A process is in one group per hierarchy (/proc/self/cgroup), hierarchies are mounted somewhere
// (/proc/self/mountinfo), and a limit on any group from the process's own up to the hierarchy's root counts.
// In a container the root of the mount need not be the root of the hierarchy, and the group's name may begin
// with it.
#include "os/limits.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/hooks.h"
#include "os/files.h"

enum { PATH_BYTES = 512, CPUS_MAX = 8192 };

// ---- The machine ---------------------------------------------------------------------------------------

static unsigned
affinity_cpus(void) {
  unsigned long mask[CPUS_MAX / (8 * sizeof(unsigned long))];
  if (sched_getaffinity(0, sizeof mask, (cpu_set_t *)mask) != 0)
    return 1;
  return (unsigned)gc_max(1, (size_t)CPU_COUNT_S(sizeof mask, (cpu_set_t *)mask));
}

static size_t
physical_bytes(void) {
  struct sysinfo info;
  return sysinfo(&info) == 0 ? (size_t)info.totalram * info.mem_unit : SIZE_MAX;
}

// ---- A group's limits ----------------------------------------------------------------------------------

// The first number in a file of a group; false for "max", -1 or no file.
static bool
read_number(const char *group, const char *name, uint64_t *number) {
  char path[PATH_BYTES + 64], text[64], *end;
  snprintf(path, sizeof path, "%s/%s", group, name);
  if (!gc_os_file_read(path, text, sizeof text) || text[0] == '-')
    return false;
  *number = strtoull(text, &end, 10);
  return end != text;
}

static void
limit_memory(struct gc_limits *limits, const char *group, const char *name) {
  uint64_t bytes;
  if (read_number(group, name, &bytes) && bytes > 0)
    limits->memory_bytes = gc_min(limits->memory_bytes, bytes);
}

static void
limit_cpus(struct gc_limits *limits, uint64_t quota, uint64_t period) {
  if (quota > 0 && period > 0)
    limits->cpus = (unsigned)gc_max(1, gc_min(limits->cpus, gc_divide_up(quota, period)));
}

static void
read_group_v1(struct gc_limits *limits, const char *group) {
  uint64_t quota, period;
  limit_memory(limits, group, "memory.limit_in_bytes");
  if (read_number(group, "cpu.cfs_quota_us", &quota) && read_number(group, "cpu.cfs_period_us", &period))
    limit_cpus(limits, quota, period);
}

// cpu.max holds "quota period".
static void
read_group_v2(struct gc_limits *limits, const char *group) {
  char path[PATH_BYTES + 64], text[64], *end;
  limit_memory(limits, group, "memory.max");
  snprintf(path, sizeof path, "%s/cpu.max", group);
  if (!gc_os_file_read(path, text, sizeof text))
    return;
  uint64_t quota = strtoull(text, &end, 10);
  if (end != text)
    limit_cpus(limits, quota, strtoull(end, NULL, 10));
}

// The group at `path` and those above it, as far as `top` bytes of the path.
static void
read_groups(struct gc_limits *limits, char *path, size_t top, bool v2) {
  for (;;) {
    (v2 ? read_group_v2 : read_group_v1)(limits, path);
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) < top)
      return;
    *slash = '\0';
  }
}

// ---- Where groups are ----------------------------------------------------------------------------------

struct mount {
  char *root, *point, *type, *options;
};

// "31 23 0:28 /root /point options [optional ...] - type source options"
static bool
parse_mount(char *line, struct mount *mount) {
  char *rest = line, *dash = strstr(line, " - ");
  if (!dash)
    return false;
  *dash = '\0';
  for (int i = 0; i < 3; i++)
    strsep(&rest, " ");
  mount->root = strsep(&rest, " ");
  mount->point = strsep(&rest, " ");
  rest = dash + 3;
  mount->type = strsep(&rest, " ");
  strsep(&rest, " ");
  mount->options = strsep(&rest, " ");
  return mount->root && mount->point && mount->type && mount->options;
}

// Whether `word` is in a list with commas.
static bool
has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)); at += length)
    if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
      return true;
  return false;
}

static bool
is_mount_of(const struct mount *mount, const char *controller) {
  if (!controller)
    return strcmp(mount->type, "cgroup2") == 0;
  return strcmp(mount->type, "cgroup") == 0 && has_word(mount->options, controller);
}

// The group's name as it appears below the mount.
static const char *
strip_root(const char *name, const char *root) {
  size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
  bool within = strncmp(name, root, length) == 0 && (name[length] == '/' || name[length] == '\0');
  const char *rest = within ? name + length : "";
  return strcmp(rest, "/") == 0 ? "" : rest;
}

// Read the group `name` of the hierarchy with `controller`, or of version 2 for NULL, wherever that is
// mounted.
static void
read_hierarchy(struct gc_limits *limits, const char *root, const char *controller, const char *name) {
  char path[PATH_BYTES], *line;
  struct gc_os_lines lines;
  struct mount mount;
  snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
  if (!gc_os_lines_open(&lines, path))
    return;
  while ((line = gc_os_lines_next(&lines))) {
    if (!parse_mount(line, &mount) || !is_mount_of(&mount, controller))
      continue;
    int used = snprintf(path, sizeof path, "%s%s%s", root, mount.point, strip_root(name, mount.root));
    if (used > 0 && (size_t)used < sizeof path)
      read_groups(limits, path, strlen(root) + strlen(mount.point), !controller);
  }
  gc_os_lines_close(&lines);
}

// A line of /proc/self/cgroup: "4:memory:/name", or "0::/name" for version 2.
static void
read_membership(struct gc_limits *limits, const char *root, char *line) {
  strsep(&line, ":");
  const char *controllers = strsep(&line, ":");
  if (!controllers || !line)
    return;
  if (controllers[0] == '\0')
    read_hierarchy(limits, root, NULL, line);
  if (has_word(controllers, "cpu"))
    read_hierarchy(limits, root, "cpu", line);
  if (has_word(controllers, "memory"))
    read_hierarchy(limits, root, "memory", line);
}

struct gc_limits
gc_limits_read(const char *root) {
  struct gc_limits limits = {affinity_cpus(), physical_bytes()};
  char path[PATH_BYTES], *line;
  struct gc_os_lines lines;
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  if (!gc_os_lines_open(&lines, path))
    return limits;
  while ((line = gc_os_lines_next(&lines)))
    read_membership(&limits, root, line);
  gc_os_lines_close(&lines);
  return limits;
}

// ---- Asked once ----------------------------------------------------------------------------------------

// Two threads may both ask: they get the same.
static const struct gc_limits *
limits_once(void) {
  static struct gc_limits limits;
  if (limits.cpus == 0)
    limits = gc_limits_read("");
  return &limits;
}

unsigned
gc_limits_cpus(void) {
  return gc_tunables.nprocs ? gc_tunables.nprocs : limits_once()->cpus;
}

size_t
gc_limits_memory_bytes(void) {
  return limits_once()->memory_bytes;
}
