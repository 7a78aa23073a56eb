// Limits of the machine, from made-up /proc and /sys trees.
#include "os/limits.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static int
make_root(void **state) {
  (void)state;
  strcpy(root, "/tmp/loam-limits-XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int
remove_root(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r '%s'", root);
  return system(command);
}

// A file below the root, with the directories that it needs.
static void
put(const char *name, const char *text) {
  char path[512];
  int used = snprintf(path, sizeof path, "%s%s", root, name);
  assert_true(used > 0 && (size_t)used < sizeof path);
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static const char mounts_v1[] =
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "31 22 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 22 0:29 / /sys/fs/cgroup/memory rw shared:10 master:3 - cgroup cgroup rw,memory\n"
    "33 22 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

static const char mounts_v2[] = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
                                "31 22 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

static void
no_files_no_limit(void **state) {
  (void)state;
  struct gc_limits limits = gc_limits_read("/nonexistent");
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  assert_int_equal(limits.cpus, CPU_COUNT(&cpus));
  assert_true(limits.memory_bytes <= (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE));
}

static void
real_files_are_read(void **state) {
  (void)state;
  struct gc_limits bare = gc_limits_read("/nonexistent"), limits = gc_limits_read("");
  assert_in_range(limits.cpus, 1, bare.cpus);
  assert_in_range(limits.memory_bytes, 1, bare.memory_bytes);
}

static void
version_2_limits(void **state) {
  (void)state;
  put("/proc/self/mountinfo", mounts_v2);
  put("/proc/self/cgroup", "0::/slice/service\n");
  put("/sys/fs/cgroup/slice/service/memory.max", "max\n");
  put("/sys/fs/cgroup/slice/memory.max", "104857600\n");
  put("/sys/fs/cgroup/slice/service/cpu.max", "50000 100000\n");
  put("/sys/fs/cgroup/slice/cpu.max", "max 100000\n");
  struct gc_limits limits = gc_limits_read(root);
  assert_int_equal(limits.cpus, 1);
  assert_int_equal(limits.memory_bytes, 104857600);
}

static void
version_2_in_a_container(void **state) {
  (void)state;
  put("/proc/self/mountinfo", "31 22 0:28 /docker/1234 /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
  put("/proc/self/cgroup", "0::/docker/1234/inner\n");
  put("/sys/fs/cgroup/memory.max", "300000000\n");
  put("/sys/fs/cgroup/inner/memory.max", "200000000\n");
  assert_int_equal(gc_limits_read(root).memory_bytes, 200000000);
  put("/proc/self/cgroup", "0::/docker/12345\n");
  assert_int_equal(gc_limits_read(root).memory_bytes, 300000000);
}

static void
version_1_limits(void **state) {
  (void)state;
  put("/proc/self/mountinfo", mounts_v1);
  put("/proc/self/cgroup", "5:cpuset:/\n4:memory:/a\n3:cpu,cpuacct:/b/c\n1:name=systemd:/x\n");
  put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "52428800\n");
  put("/sys/fs/cgroup/cpu,cpuacct/b/c/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu,cpuacct/b/c/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/b/cpu.cfs_quota_us", "20000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/b/cpu.cfs_period_us", "100000\n");
  struct gc_limits limits = gc_limits_read(root);
  assert_int_equal(limits.cpus, 1);
  assert_int_equal(limits.memory_bytes, 52428800);
}

static void
quotas_are_rounded_up(void **state) {
  (void)state;
  unsigned cpus = gc_limits_read("/nonexistent").cpus;
  put("/proc/self/mountinfo", mounts_v2);
  put("/proc/self/cgroup", "0::/\n");
  put("/sys/fs/cgroup/cpu.max", "110000 100000\n");
  assert_int_equal(gc_limits_read(root).cpus, gc_min(cpus, 2));
}

static void
nonsense_is_no_limit(void **state) {
  (void)state;
  struct gc_limits bare = gc_limits_read("/nonexistent");
  put("/proc/self/mountinfo",
      "nonsense\n31 22 0:28 / /sys/fs/cgroup rw\n - \n a - b c\n31 22 0:28 / /cg rw - cgroup2 x y\n");
  put("/proc/self/cgroup", "nonsense\n:\n::\n0::/a\n4:memory\n");
  put("/cg/a/memory.max", "much\n");
  put("/cg/a/cpu.max", "\n");
  put("/cg/cpu.max", "0 0\n");
  struct gc_limits limits = gc_limits_read(root);
  assert_int_equal(limits.cpus, bare.cpus);
  assert_int_equal(limits.memory_bytes, bare.memory_bytes);
}

#define TEST_WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_files_no_limit),  cmocka_unit_test(real_files_are_read),
      TEST_WITH_ROOT(version_2_limits),     TEST_WITH_ROOT(version_2_in_a_container),
      TEST_WITH_ROOT(version_1_limits),     TEST_WITH_ROOT(quotas_are_rounded_up),
      TEST_WITH_ROOT(nonsense_is_no_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
