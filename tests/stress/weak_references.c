// A thousand small scenes of weak, long and soft references, disappearing and long links, ephemerons,
// finalizers and cleaners, performed a hundred times in each mode, always with the same end.
//
// A scene is a few objects that refer to each other, drawn by a seed that never changes.  Some are kept, the
// others die when the scene is set.  What becomes of each reference in three collections, between which
// finalizers are called, is predicted by a model (the sets of tests/model/reference_reach.h), compared, and
// hashed.  So that no stray word keeps anything, each act is a thread on a stack of its own, which is
// unmapped after it; and no collection comes while the scenes are set.
#include <string.h>
#include <sys/mman.h>

#include "tests/stress/stress.h"

enum {
  SCENES = 1000,
  PERFORMANCES = 100,
  ACTORS = 5, // in a scene
  ROPES = 2,  // edges of each
  PAIRS = 2,  // ephemerons
  ACTS = 3,
  NOBODY = ACTORS
};

enum { UNREGISTERED = GC_FINALIZER_UNREACHABLE + 1 };

// What follows an actor: a reference or a word.
enum { WEAK, LONG, SOFT, LINK, LONG_LINK, FOLLOWERS };

// ---- Scenes, as they are drawn -------------------------------------------------------------------------

struct scene {
  uint8_t ropes[ACTORS][ROPES]; // NOBODY: none
  uint8_t order[ACTORS];        // of the finalizer
  uint8_t keys[PAIRS], values[PAIRS];
  uint8_t kept, cleaned, returns; // sets of actors: the last are stored by their finalizers
};

static struct scene scenes[SCENES];

static size_t
draw(uint64_t *random, size_t limit) {
  return (size_t)(stress_random(random) >> 33) % limit;
}

static uint8_t
draw_set(uint64_t *random, size_t rarity) {
  uint8_t set = 0;
  for (size_t i = 0; i < ACTORS; i++)
    if (draw(random, rarity) == 0)
      set |= (uint8_t)(1u << i);
  return set;
}

static void
draw_scene(struct scene *scene, uint64_t *random) {
  size_t sparse = 1 + draw(random, 4);
  for (size_t i = 0; i < ACTORS; i++) {
    for (size_t rope = 0; rope < ROPES; rope++)
      scene->ropes[i][rope] = (uint8_t)(draw(random, sparse) ? NOBODY : draw(random, ACTORS));
    scene->order[i] = (uint8_t)draw(random, UNREGISTERED + 2);
  }
  for (size_t pair = 0; pair < PAIRS; pair++) {
    scene->keys[pair] = (uint8_t)draw(random, ACTORS);
    scene->values[pair] = (uint8_t)draw(random, ACTORS);
  }
  scene->kept = draw_set(random, 4);
  scene->cleaned = draw_set(random, 2);
  scene->returns = draw_set(random, 3);
}

static void
draw_scenes(void) {
  uint64_t random = 0x5eed0f5ce7e5;
  for (size_t i = 0; i < SCENES; i++)
    draw_scene(&scenes[i], &random);
}

// ---- What is predicted ---------------------------------------------------------------------------------

// Of each scene: sets of actors, pairs and followers.
struct course {
  uint8_t kept, registered, cleaned, broken, cleared[FOLLOWERS];
  uint8_t ready;     // in this act
  uint8_t cleanings; // so far
};

static bool
has(unsigned set, size_t number) {
  return set >> number & 1;
}

static unsigned
ropes_of(const struct scene *scene, size_t actor, bool ignore_self) {
  unsigned set = 0;
  for (size_t rope = 0; rope < ROPES; rope++)
    if (scene->ropes[actor][rope] != NOBODY && !(ignore_self && scene->ropes[actor][rope] == actor))
      set |= 1u << scene->ropes[actor][rope];
  return set;
}

static unsigned
close_set(const struct scene *scene, unsigned set) {
  for (unsigned before = ~0u; before != set;) {
    before = set;
    for (size_t i = 0; i < ACTORS; i++)
      if (has(set, i))
        set |= ropes_of(scene, i, false);
  }
  return set;
}

static unsigned
reach(const struct scene *scene, const struct course *course) {
  unsigned set = close_set(scene, course->kept);
  for (unsigned before = ~0u; before != set;) {
    before = set;
    for (size_t pair = 0; pair < PAIRS; pair++)
      if (!has(course->broken, pair) && has(set, scene->keys[pair]))
        set = close_set(scene, set | 1u << scene->values[pair]);
  }
  return set;
}

static unsigned
hold_back(const struct scene *scene, unsigned dying, unsigned reached) {
  unsigned set = reached;
  for (size_t i = 0; i < ACTORS; i++)
    if (has(dying, i) && scene->order[i] != GC_FINALIZER_NO_ORDER)
      set |= ropes_of(scene, i, scene->order[i] == GC_FINALIZER_IGNORE_SELF);
  return close_set(scene, set);
}

// An act: what the collection decides.
static void
predict(const struct scene *scene, struct course *course) {
  unsigned reached = reach(scene, course), dying = course->registered & ~reached, all = (1u << ACTORS) - 1;
  unsigned held_back = hold_back(scene, dying, reached), called = dying & ~held_back, unreachable = 0;
  for (size_t i = 0; i < ACTORS; i++)
    if (has(called, i) && scene->order[i] == GC_FINALIZER_UNREACHABLE)
      unreachable |= 1u << i;
  unsigned referred_to = close_set(scene, held_back | (called & ~unreachable));
  unsigned gone = all & ~close_set(scene, referred_to | dying);
  course->ready = (uint8_t)(called & ~(unreachable & referred_to));
  course->registered &= (uint8_t)~course->ready;
  for (size_t i = 0; i < PAIRS; i++)
    if (!has(reached, scene->keys[i]))
      course->broken |= (uint8_t)(1u << i);
  for (size_t follower = 0; follower < FOLLOWERS; follower++) {
    bool is_long = follower == LONG || follower == LONG_LINK;
    course->cleared[follower] |= (uint8_t)(is_long ? gone : all & ~reached);
  }
  course->cleanings |= course->cleaned & (uint8_t)gone;
}

// What the finalizers do.
static void
predict_calls(const struct scene *scene, struct course *course) {
  course->kept |= course->ready & scene->returns;
}

static struct course
predicted_start(const struct scene *scene) {
  struct course course = {.kept = scene->kept, .cleaned = scene->cleaned};
  for (size_t i = 0; i < ACTORS; i++)
    if (scene->order[i] < UNREGISTERED)
      course.registered |= (uint8_t)(1u << i);
  return course;
}

// ---- What happens --------------------------------------------------------------------------------------

struct actor {
  void *ropes[ROPES];
  size_t scene, number;
  struct actor *nothing; // so that it does not fill its slot
};

// Pointers into objects, not to their starts, which might keep what lies before.
static void *volatile kept[SCENES][ACTORS];
static void *volatile references[SCENES][LINK][ACTORS], *volatile ephemerons[SCENES][PAIRS];

static uintptr_t (*links)[2][ACTORS]; // in malloc memory, hidden
static struct course courses[SCENES];

static void *
inside(void *object) {
  return (char *)object + sizeof(void *);
}

static void *
start(void *address) {
  return (char *)address - sizeof(void *);
}

static void
finalize(void *object, void *data) {
  struct actor *actor = object;
  STRESS_CHECK(data == &scenes[actor->scene]);
  courses[actor->scene].ready |= (uint8_t)(1u << actor->number);
  if (has(scenes[actor->scene].returns, actor->number))
    kept[actor->scene][actor->number] = inside(actor);
}

static void
clean(void *data) {
  size_t number = (uintptr_t)data / 2;
  STRESS_CHECK(!has(courses[number / ACTORS].cleanings, number % ACTORS));
  courses[number / ACTORS].cleanings |= (uint8_t)(1u << number % ACTORS);
}

static void
follow(size_t scene, size_t number, struct actor *actor) {
  references[scene][WEAK][number] = inside(GC_weak_ref_new(actor));
  references[scene][LONG][number] = inside(GC_long_ref_new(actor));
  references[scene][SOFT][number] = inside(GC_soft_ref_new(actor));
  links[scene][0][number] = links[scene][1][number] = GC_HIDE_POINTER(actor);
  STRESS_CHECK(GC_general_register_disappearing_link((void **)&links[scene][0][number], actor) == GC_SUCCESS);
  STRESS_CHECK(GC_register_long_link((void **)&links[scene][1][number], actor) == GC_SUCCESS);
}

static void *
cleaner_data(size_t scene, size_t number) {
  return (void *)(2 * (scene * ACTORS + number) + 1);
}

static void
register_functions(size_t scene, size_t number, struct actor *actor) {
  uint8_t order = scenes[scene].order[number];
  if (order < UNREGISTERED)
    STRESS_CHECK(GC_register_finalizer_on(NULL, actor, (enum GC_FinalizerOrder)order, finalize,
                                          &scenes[scene]) == GC_SUCCESS);
  if (has(scenes[scene].cleaned, number))
    STRESS_CHECK(GC_register_cleaner(NULL, actor, clean, cleaner_data(scene, number)) == GC_SUCCESS);
}

static void
set_scene(size_t number) {
  const struct scene *scene = &scenes[number];
  struct actor *actors[ACTORS + 1] = {NULL};
  for (size_t i = 0; i < ACTORS; i++)
    *(actors[i] = GC_NEW(struct actor)) = (struct actor){.scene = number, .number = i};
  for (size_t i = 0; i < ACTORS; i++) {
    for (size_t rope = 0; rope < ROPES; rope++)
      actors[i]->ropes[rope] = actors[scene->ropes[i][rope]];
    kept[number][i] = has(scene->kept, i) ? inside(actors[i]) : NULL;
    follow(number, i, actors[i]);
    register_functions(number, i, actors[i]);
  }
  for (size_t pair = 0; pair < PAIRS; pair++)
    ephemerons[number][pair] =
        inside(GC_ephemeron_new(actors[scene->keys[pair]], actors[scene->values[pair]]));
}

static void *
set_scenes(void *unused) {
  for (size_t i = 0; i < SCENES; i++)
    set_scene(i);
  return unused;
}

// As the mode has it, and then all.
static void *
collect(void *unused) {
  GC_start_incremental_collection();
  while (GC_collect_a_little())
    ;
  for (size_t i = 0; i < 10000; i++)
    GC_reachable_here(GC_malloc(100));
  GC_gcollect();
  return unused;
}

static void *
call_finalizers(void *unused) {
  while (GC_should_invoke_finalizers())
    GC_invoke_finalizers();
  return unused;
}

static void
look_at_followers(size_t scene, size_t actor) {
  struct course *course = &courses[scene];
  for (size_t follower = 0; follower < FOLLOWERS; follower++) {
    bool cleared = follower < LINK ? !GC_weak_ref_get(start(references[scene][follower][actor]))
                                   : links[scene][follower - LINK][actor] == 0;
    course->cleared[follower] |= (uint8_t)((unsigned)cleared << actor);
  }
}

static void *
look(void *unused) {
  for (size_t i = 0; i < SCENES; i++) {
    for (size_t actor = 0; actor < ACTORS; actor++)
      look_at_followers(i, actor);
    for (size_t pair = 0; pair < PAIRS; pair++) {
      GC_ephemeron *ephemeron = start(ephemerons[i][pair]);
      void *key = GC_ephemeron_key(ephemeron);
      STRESS_CHECK(!key == !GC_ephemeron_value(ephemeron));
      courses[i].broken |= (uint8_t)((unsigned)!key << pair);
    }
  }
  return unused;
}

// Of what is left nothing is to be heard in the next performance.
static void *
take_everything_back(void *unused) {
  for (size_t i = 0; i < SCENES; i++)
    for (size_t actor = 0; actor < ACTORS; actor++) {
      void *object = GC_weak_ref_get(start(references[i][LONG][actor]));
      GC_unregister_disappearing_link((void **)&links[i][0][actor]);
      GC_unregister_long_link((void **)&links[i][1][actor]);
      if (!object)
        continue;
      GC_register_finalizer(object, NULL, NULL, NULL, NULL);
      GC_unregister_cleaner(object, clean, cleaner_data(i, actor));
    }
  return unused;
}

// ---- A performance -------------------------------------------------------------------------------------

// In a thread whose stack nobody has used before.
static void
act(void *(*function)(void *)) {
  enum { STACK_BYTES = 1 << 20 };
  pthread_attr_t attributes;
  pthread_t thread;
  void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_init(&attributes);
  if (stack == MAP_FAILED || pthread_attr_setstack(&attributes, stack, STACK_BYTES) != 0 ||
      pthread_create(&thread, &attributes, function, NULL) != 0)
    exit(2);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  munmap(stack, STACK_BYTES);
}

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t count) { // FNV-1a (Fowler, Noll, Vo)
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
  return hash;
}

static struct course predictions[SCENES];

static size_t surprises;

static void
note_surprises(size_t performance, size_t act_number) {
  for (size_t i = 0; i < SCENES; i++) {
    const struct course *seen = &courses[i], *expected = &predictions[i];
    bool same = seen->ready == expected->ready && seen->broken == expected->broken &&
                seen->cleanings == expected->cleanings &&
                memcmp(seen->cleared, expected->cleared, FOLLOWERS) == 0;
    if (!same && surprises++ < 5)
      tap_note("performance %zu, scene %zu, act %zu: ready %#x (%#x), broken %#x (%#x), cleaned %#x (%#x), "
               "cleared %#x (%#x), long %#x (%#x)",
               performance, i, act_number, seen->ready, expected->ready, seen->broken, expected->broken,
               seen->cleanings, expected->cleanings, seen->cleared[WEAK], expected->cleared[WEAK],
               seen->cleared[LONG], expected->cleared[LONG]);
  }
}

static uint64_t
perform(size_t performance) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < SCENES; i++)
    predictions[i] = predicted_start(&scenes[i]);
  GC_disable();
  act(set_scenes);
  GC_enable();
  memset(courses, 0, sizeof courses);
  for (size_t number = 0; number < ACTS; number++) {
    for (size_t i = 0; i < SCENES; i++)
      courses[i].ready = 0;
    act(collect);
    act(call_finalizers);
    act(look);
    for (size_t i = 0; i < SCENES; i++)
      predict(&scenes[i], &predictions[i]);
    note_surprises(performance, number);
    for (size_t i = 0; i < SCENES; i++) {
      hash = hash_bytes(hash, &courses[i], sizeof courses[i]);
      predict_calls(&scenes[i], &predictions[i]);
    }
  }
  act(take_everything_back);
  return hash;
}

static void
perform_often(void) {
  GC_set_finalize_on_demand(1);
  GC_set_soft_ref_policy(0);
  links = calloc(SCENES, sizeof *links);
  draw_scenes();
  uint64_t first = perform(0);
  size_t others = 0;
  for (size_t i = 1; i < PERFORMANCES; i++)
    others += perform(i) != first;
  STRESS_CHECK(others == 0);
  STRESS_CHECK(surprises == 0);
  tap_note("%zu of %d performances were like the first, %#lx", PERFORMANCES - others, PERFORMANCES,
           (unsigned long)first);
}

static void
ignore_warning(char *format, GC_word argument) {
  (void)format, (void)argument;
}

int
main(void) {
  GC_set_warn_proc(ignore_warning); // of rings
  stress_phase("scenes", perform_often, "GC_MODE", "stop");
  stress_phase("scenes", perform_often, "GC_MODE", "generational");
  stress_phase("scenes", perform_often, "GC_MODE", "concurrent");
  stress_phase("scenes", perform_often, "GC_MARKERS", "1");
  return tap_done();
}
