/* Every macro of libgc's headers in use, in what C90 and C++ have in common; to be compiled only. */

#include <gc/gc_disclaim.h>
#include <gc/gc_gcj.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>
#include <gc/gc_version.h>
#include <gc/javaxfc.h>

struct node {
  struct node *next;
  long number;
  struct node *other;
};

struct GC_ms_entry *mark(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit,
                         GC_word environment);
void *allocate(void *type, void **lists);
void *allocate_from_lists(size_t granules, int kind, void **lists);
void describe(void *object, char *text);
int ask(void *object);
void finalize(void *object, void *data);
unsigned make_kind(void);
#ifdef GC_THREADS
void *run(void *argument);
int threads(void);
#endif

struct GC_ms_entry *
mark(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  struct node *node = (struct node *)object;
  if (environment)
    node = (struct node *)GC_USR_PTR_FROM_BASE(node);
  top = GC_MARK_AND_PUSH(node->next, top, limit, (void **)&node->next);
  return GC_MARK_AND_PUSH(node->other, top, limit, (void **)&node->other);
}

void
describe(void *object, char *text) {
  text[object ? GC_TYPE_DESCR_LEN - 1 : 0] = 0;
}

int
ask(void *object) {
  return GC_size(object) == 0;
}

void
finalize(void *object, void *data) {
  GC_reachable_here(object);
  GC_reachable_here(data);
}

unsigned
make_kind(void) {
  unsigned kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(mark), 0), 0, 1);
  GC_register_describe_type_fn((int)kind, describe);
  GC_register_disclaim_proc((int)kind, ask, 0);
  return kind + GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1) + GC_VERSION_MICRO;
}

void *
allocate(void *type, void **lists) {
  static struct GC_finalizer_closure closure = {finalize, NULL};
  GC_word bitmap[GC_BITMAP_SIZE(struct node)] = {0};
  GC_descr descriptor;
  void *objects[10];
  GC_set_bit(bitmap, GC_WORD_OFFSET(struct node, next));
  GC_set_bit(bitmap, GC_WORD_OFFSET(struct node, other));
  descriptor = GC_make_descriptor(bitmap, GC_WORD_LEN(struct node));
  objects[0] = GC_MALLOC_EXPLICITLY_TYPED(sizeof(struct node), descriptor);
  objects[1] = GC_CALLOC_EXPLICITLY_TYPED(10, sizeof(struct node), descriptor);
  objects[2] = GC_GCJ_MALLOC(sizeof(struct node), type);
  objects[3] = GC_GCJ_MALLOC_IGNORE_OFF_PAGE(1000000, type);
  objects[4] = GC_GENERIC_OR_SPECIAL_MALLOC(100, GC_I_NORMAL);
  objects[5] = GC_finalized_malloc(100, &closure);
  GC_MALLOC_WORDS(objects[6], 3, lists);
  GC_MALLOC_ATOMIC_WORDS(objects[7], 3, lists);
  GC_CONS(objects[8], objects[0], objects[1], lists);
  objects[9] = allocate_from_lists(3, GC_I_NORMAL, lists);
  return objects[GC_get_bit(bitmap, 0)];
}

void *
allocate_from_lists(size_t granules, int kind, void **lists) {
  void *result;
  GC_FAST_MALLOC_GRANS(result, granules, lists, 3, kind, GC_malloc_kind(granules * GC_GRANULE_BYTES, kind),
                       *(void **)result = 0);
  return result;
}

#ifdef GC_THREADS
void *
run(void *argument) {
  return dlopen((const char *)argument, RTLD_NOW);
}

int
threads(void) {
  pthread_t thread;
  sigset_t set;
  void *result;
  sigemptyset(&set);
  if (pthread_sigmask(SIG_BLOCK, &set, NULL) || pthread_create(&thread, NULL, run, NULL))
    pthread_exit(NULL);
  GC_suspend_thread(thread);
  while (GC_is_thread_suspended(thread))
    GC_resume_thread(thread);
  return pthread_cancel(thread) + pthread_join(thread, &result) + pthread_detach(thread);
}
#endif
