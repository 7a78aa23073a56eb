// Libraries that are loaded and unloaded all the time, by threads that are attached, blocked, or unknown to
// the collector, while others collect.  The libraries hold the only pointers to trees in their data and in
// their thread-local storage.
#include <dlfcn.h>
#include <stdio.h>

#include "tests/stress/stress.h"

enum { LIBRARIES = 8, LOADERS = 2, DEPTH = 5, PATH_BYTES = 300 };

static char directory[] = "/tmp/loam-dlopen-XXXXXX";
static char paths[LIBRARIES][PATH_BYTES];
static double deadline;

struct plugin {
  void *library;
  void (*keep)(size_t, void *);
  void *(*kept)(size_t);
  void (*keep_own)(size_t, void *);
  void *(*kept_own)(size_t);
};

static bool
load(struct plugin *plugin, size_t i) {
  plugin->library = dlopen(paths[i], RTLD_NOW);
  if (!plugin->library) {
    tap_note("%s", dlerror());
    return false;
  }
  plugin->keep = (void (*)(size_t, void *))dlsym(plugin->library, "plugin_keep");
  plugin->kept = (void *(*)(size_t))dlsym(plugin->library, "plugin_kept");
  plugin->keep_own = (void (*)(size_t, void *))dlsym(plugin->library, "plugin_keep_own");
  plugin->kept_own = (void *(*)(size_t))dlsym(plugin->library, "plugin_kept_own");
  return true;
}

static void
churn(uint64_t seed) {
  for (uint64_t i = 0; i < 10; i++)
    STRESS_CHECK(tree_is_right(tree_build(DEPTH, seed + i), DEPTH, seed + i));
}

// The library of one loader alone, so that nobody else writes into its data.
static void
keep_and_check(size_t library, uint64_t seed) {
  struct plugin plugin;
  if (!load(&plugin, library)) {
    STRESS_CHECK(!"loaded");
    return;
  }
  plugin.keep(seed, tree_build(DEPTH, seed));
  plugin.keep_own(seed, tree_build(DEPTH, seed + 1));
  if (seed % 4 == 0)
    GC_gcollect();
  churn(seed);
  STRESS_CHECK(tree_is_right(plugin.kept(seed), DEPTH, seed));
  STRESS_CHECK(tree_is_right(plugin.kept_own(seed), DEPTH, seed + 1));
  dlclose(plugin.library);
}

static void *
load_attached(void *lane) {
  for (uint64_t i = 0; stress_now() < deadline; i++)
    keep_and_check((size_t)lane, i);
  return NULL;
}

// Never calls the collector.
static void *
load_unknown(void *lane) {
  while (stress_now() < deadline) {
    struct plugin plugin;
    if (load(&plugin, (size_t)lane)) {
      plugin.keep_own(7, &plugin);
      STRESS_CHECK(plugin.kept_own(7) == &plugin);
      dlclose(plugin.library);
    }
  }
  return NULL;
}

static void *
load_blocked(void *lane) {
  return GC_do_blocking(load_unknown, lane);
}

static void *
collect(void *unused) {
  while (stress_now() < deadline)
    GC_gcollect();
  return unused;
}

static void
under_load(void) {
  pthread_t threads[2 * LOADERS + 3];
  size_t count = 0;
  deadline = stress_now() + stress_seconds(0.4);
  for (uintptr_t i = 0; i < LOADERS; i++)
    stress_create(&threads[count++], load_attached, (void *)i);
  for (uintptr_t i = 0; i < LOADERS; i++)
    stress_create(&threads[count++], load_unknown, (void *)(LOADERS + i));
  stress_create(&threads[count++], load_blocked, (void *)(2 * LOADERS));
  stress_create(&threads[count++], collect, NULL);
  while (stress_now() < deadline) {
    STRESS_CHECK(gc_verify() == 0);
    usleep(5000);
  }
  while (count > 0)
    pthread_join(threads[--count], NULL);
}

static void
many_libraries(void) {
  struct plugin plugins[LIBRARIES];
  for (uint64_t round = 0; round < 20; round++) {
    for (size_t i = 0; i < LIBRARIES; i++) {
      STRESS_CHECK(load(&plugins[i], i));
      plugins[i].keep(i, tree_build(DEPTH, i));
      plugins[i].keep_own(i, tree_build(DEPTH, i + 100));
    }
    GC_gcollect();
    churn(round);
    STRESS_CHECK(gc_verify() == 0);
    for (size_t i = 0; i < LIBRARIES; i++) {
      STRESS_CHECK(tree_is_right(plugins[i].kept(i), DEPTH, i));
      STRESS_CHECK(tree_is_right(plugins[i].kept_own(i), DEPTH, i + 100));
      dlclose(plugins[i].library);
    }
  }
}

// ---- Copies of the library: the loader takes each file for a library of its own ------------------------

static bool
copy_file(const char *from, const char *to) {
  char bytes[4096];
  size_t got;
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  if (!in || !out)
    return false;
  while ((got = fread(bytes, 1, sizeof bytes, in)) > 0)
    fwrite(bytes, 1, got, out);
  fclose(in);
  return fclose(out) == 0;
}

static bool
make_copies(void) {
  if (!mkdtemp(directory))
    return false;
  for (size_t i = 0; i < LIBRARIES; i++) {
    snprintf(paths[i], sizeof paths[i], "%s/plugin%zu.so", directory, i);
    if (!copy_file(TEST_BUILD_DIR "/stress/libplugin.so", paths[i]))
      return false;
  }
  return true;
}

static void
remove_copies(void) {
  for (size_t i = 0; i < LIBRARIES; i++)
    unlink(paths[i]);
  rmdir(directory);
}

int
main(void) {
  if (!tap_ok(make_copies(), "copies of the library"))
    return tap_done();
  stress_phase("many libraries", many_libraries, NULL, NULL);
  stress_phase("libraries come and go", under_load, NULL, NULL);
  stress_phase("libraries come and go", under_load, "LOAM_STRESS_DELAY", "100");
  stress_phase_in_modes("libraries come and go", under_load);
  remove_copies();
  return tap_done();
}
