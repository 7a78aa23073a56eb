// The constants, sizes and layouts that libgc's headers compile into programs.

#include <gc/gc.h>
#include <gc/gc_backptr.h>
#include <gc/gc_disclaim.h>
#include <gc/gc_gcj.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_tiny_fl.h>
#include <gc/gc_typed.h>
#include <stdio.h>

struct sample {
  char name[24];
  void *first;
  long numbers[130];
  void *last;
};

#define SHOW(value) printf("%s %ld\n", #value, (long)(value))
#define SHOW_FIELD(type, field) \
  printf("%s.%s %ld %ld\n", #type, #field, (long)offsetof(type, field), (long)sizeof(((type *)0)->field))

static void
show_versions_and_results(void) {
  SHOW(GC_VERSION_MAJOR);
  SHOW(GC_VERSION_MINOR);
  SHOW(GC_VERSION_MICRO);
  SHOW(GC_SUCCESS);
  SHOW(GC_DUPLICATE);
  SHOW(GC_NO_MEMORY);
  SHOW(GC_NO_THREADS);
  SHOW(GC_UNIMPLEMENTED);
  SHOW(GC_NOT_FOUND);
  SHOW(GC_TIME_UNLIMITED);
  SHOW(GC_PROTECTS_NONE);
  SHOW(GC_PROTECTS_POINTER_HEAP);
  SHOW(GC_PROTECTS_PTRFREE_HEAP);
  SHOW(GC_PROTECTS_STATIC_DATA);
  SHOW(GC_PROTECTS_STACK);
}

static void
show_enumerations(void) {
  SHOW(GC_EVENT_START);
  SHOW(GC_EVENT_MARK_START);
  SHOW(GC_EVENT_MARK_END);
  SHOW(GC_EVENT_RECLAIM_START);
  SHOW(GC_EVENT_RECLAIM_END);
  SHOW(GC_EVENT_END);
  SHOW(GC_EVENT_PRE_STOP_WORLD);
  SHOW(GC_EVENT_POST_STOP_WORLD);
  SHOW(GC_EVENT_PRE_START_WORLD);
  SHOW(GC_EVENT_POST_START_WORLD);
  SHOW(GC_EVENT_THREAD_SUSPENDED);
  SHOW(GC_EVENT_THREAD_UNSUSPENDED);
  SHOW(GC_TOGGLE_REF_DROP);
  SHOW(GC_TOGGLE_REF_STRONG);
  SHOW(GC_TOGGLE_REF_WEAK);
  SHOW(GC_UNREFERENCED);
  SHOW(GC_NO_SPACE);
  SHOW(GC_REFD_FROM_ROOT);
  SHOW(GC_REFD_FROM_REG);
  SHOW(GC_REFD_FROM_HEAP);
  SHOW(GC_FINALIZER_REFD);
  SHOW(sizeof(GC_EventType));
  SHOW(sizeof(GC_ToggleRefStatus));
  SHOW(sizeof(GC_ref_kind));
}

static void
show_layouts(void) {
  SHOW(sizeof(GC_PTR));
  SHOW(sizeof(GC_word));
  SHOW(sizeof(GC_signed_word));
  SHOW(sizeof(GC_hidden_pointer));
  SHOW(sizeof(GC_descr));
  SHOW(sizeof(struct GC_ms_entry));
  SHOW(sizeof(struct GC_stack_base));
  SHOW(sizeof(struct GC_timeval_s));
  SHOW(sizeof(struct GC_prof_stats_s));
  SHOW(sizeof(struct GC_finalizer_closure));
  SHOW_FIELD(struct GC_stack_base, mem_base);
  SHOW_FIELD(struct GC_timeval_s, tv_ms);
  SHOW_FIELD(struct GC_timeval_s, tv_nsec);
  SHOW_FIELD(struct GC_finalizer_closure, proc);
  SHOW_FIELD(struct GC_finalizer_closure, cd);
  SHOW_FIELD(struct GC_prof_stats_s, heapsize_full);
  SHOW_FIELD(struct GC_prof_stats_s, free_bytes_full);
  SHOW_FIELD(struct GC_prof_stats_s, unmapped_bytes);
  SHOW_FIELD(struct GC_prof_stats_s, bytes_allocd_since_gc);
  SHOW_FIELD(struct GC_prof_stats_s, allocd_bytes_before_gc);
  SHOW_FIELD(struct GC_prof_stats_s, non_gc_bytes);
  SHOW_FIELD(struct GC_prof_stats_s, gc_no);
  SHOW_FIELD(struct GC_prof_stats_s, markers_m1);
  SHOW_FIELD(struct GC_prof_stats_s, bytes_reclaimed_since_gc);
  SHOW_FIELD(struct GC_prof_stats_s, reclaimed_bytes_before_gc);
  SHOW_FIELD(struct GC_prof_stats_s, expl_freed_bytes_since_gc);
  SHOW_FIELD(struct GC_prof_stats_s, obtained_from_os_bytes);
}

static void
show_descriptors(void) {
  GC_word high = (GC_word)1 << 63;
  SHOW(GC_PROC_BYTES);
  SHOW(GC_LOG_MAX_MARK_PROCS);
  SHOW(GC_MAX_MARK_PROCS);
  SHOW(GC_RESERVED_MARK_PROCS);
  SHOW(GC_GCJ_RESERVED_MARK_PROC_INDEX);
  SHOW(GC_DS_TAG_BITS);
  SHOW(GC_DS_TAGS);
  SHOW(high & ~GC_DS_TAGS);
  SHOW(GC_DS_LENGTH);
  SHOW(GC_DS_BITMAP);
  SHOW(GC_DS_PROC);
  SHOW(GC_DS_PER_OBJECT);
  SHOW(GC_INDIR_PER_OBJ_BIAS);
  SHOW(GC_MAKE_PROC(9, 0));
  SHOW(GC_MAKE_PROC(63, (GC_word)123456789));
  SHOW(GC_TYPE_DESCR_LEN);
}

static void
show_sizes(void) {
  GC_word bitmap[GC_BITMAP_SIZE(struct sample)] = {0};
  GC_set_bit(bitmap, GC_WORD_OFFSET(struct sample, first));
  GC_set_bit(bitmap, GC_WORD_OFFSET(struct sample, last));
  SHOW(bitmap[0]);
  SHOW(bitmap[1]);
  SHOW(bitmap[2]);
  SHOW(GC_get_bit(bitmap, 3));
  SHOW(GC_get_bit(bitmap, 4));
  SHOW(GC_WORDSZ);
  SHOW(GC_WORD_LEN(struct sample));
  SHOW(GC_BITMAP_SIZE(struct sample));
  SHOW(GC_GRANULE_BYTES);
  SHOW(GC_GRANULE_WORDS);
  SHOW(GC_TINY_FREELISTS);
  SHOW(GC_WORDS_TO_GRANULES(7));
  SHOW(GC_WORDS_TO_WHOLE_GRANULES(7));
  SHOW(GC_RAW_BYTES_FROM_INDEX(7));
  SHOW(GC_I_PTRFREE);
  SHOW(GC_I_NORMAL);
}

int
main(void) {
  show_versions_and_results();
  show_enumerations();
  show_layouts();
  show_descriptors();
  show_sizes();
  return 0;
}
