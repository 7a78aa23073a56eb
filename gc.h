// Loam: an embeddable conservative tracing garbage collector for C.
//
// A program calls GC_malloc where it called malloc and never frees.  Loam finds the objects that the
// program can still reach by reading its registers, stacks, thread-local and static data conservatively
// (Boehm and Weiser 1988): any aligned word that could be the address of an object, of its start or of its
// inside, keeps the object.  All else is reclaimed.
//
//     #include "gc.h"
//
//     struct node { struct node *next; int value; };
//
//     int main(void) {
//       GC_INIT();
//       struct node *list = NULL;
//       for (int i = 0; i < 1000000; i++) {
//         struct node *node = GC_NEW(struct node);
//         node->value = i;
//         node->next = i % 1000 ? list : NULL;     // every thousandth node forgets all before it
//         list = node;
//       }
//     }
//
// This header is the manual.  It uses libgc's names with libgc's meaning, so that a program written for
// libgc compiles.
//
// What holds for every function unless its comment says otherwise:
//
// * Threads.  Any function may be called from any thread; a thread that the collector does not know is
//   attached by its first call and detached when it ends.
// * Signals.  No function is async-signal-safe.  A signal handler may not call the collector.
// * Memory.  Objects do not move.  Each begins at a multiple of 16 bytes.  A pointer anywhere into an
//   object keeps it, and a pointer just past its end does so while it lies in a root (stack, register,
//   static data, GC_add_roots).  Memory obtained from malloc or mmap is not searched: use
//   GC_malloc_uncollectable or GC_add_roots for it.
// * Errors.  Allocation that fails calls the out-of-memory function (GC_set_oom_fn), whose default returns
//   NULL. Misuse that would corrupt the heap (freeing what is not an object) prints one line to standard
//   error and aborts through the abort function (GC_set_abort_func).
// * Before GC_init, any function may be called: it initialises the collector first.  The exceptions are
//   setters and getters: what is set is taken note of.  What the environment says about the same counts more,
//   from GC_init on; what is set after that counts most.

#ifndef GC_H
#define GC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(GC_API)
#define GC_API extern __attribute__((visibility("default")))
#elif !defined(GC_API)
#define GC_API extern
#endif

#define GC_CALL
#define GC_CALLBACK

#if defined(__GNUC__)
#define GC_ATTR_MALLOC __attribute__((malloc))
#define GC_ATTR_ALLOC_SIZE(argument) __attribute__((alloc_size(argument)))
#define GC_ATTR_NONNULL(argument) __attribute__((nonnull(argument)))
#else
#define GC_ATTR_MALLOC
#define GC_ATTR_ALLOC_SIZE(argument)
#define GC_ATTR_NONNULL(argument)
#endif

// GC_BUILD is defined by the library's own sources.
#if defined(__GNUC__) && !defined(GC_BUILD) && !defined(GC_ATTR_DEPRECATED)
#define GC_ATTR_DEPRECATED __attribute__((deprecated))
#elif !defined(GC_ATTR_DEPRECATED)
#define GC_ATTR_DEPRECATED
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- Types ---------------------------------------------------------------------------------------------

// A machine word, and a signed one.
typedef unsigned long GC_word;
typedef long GC_signed_word;

// The version of libgc's interface that this header follows.
#define GC_VERSION_MAJOR 8
#define GC_VERSION_MINOR 2
#define GC_VERSION_MICRO 2

// Loam's own version.
#define LOAM_VERSION "0.1.0"

// What functions that may fail return.
#define GC_SUCCESS 0
#define GC_DUPLICATE 1     // it was so already
#define GC_NO_MEMORY 2     // no memory for the collector's own tables
#define GC_NO_THREADS 2    // threads are not supported here
#define GC_UNIMPLEMENTED 3 // this platform cannot
#define GC_NOT_FOUND 4     // there is no such thing

// ---- Start ---------------------------------------------------------------------------------------------

// Initialise the collector: reserve address space, read the environment (docs/TUNABLES.md), attach the
// calling thread. Calls after the first do nothing.  A program need not call it, but one whose first
// allocation comes from a shared library's constructor, say, gains predictable behaviour by doing so in
// main.  GC_INIT(), below, is the same with a program's own defaults.
GC_API void GC_CALL GC_init(void);

// 1 once the collector is initialised, else 0.
GC_API int GC_CALL GC_is_init_called(void);

// The version of libgc's interface: (GC_VERSION_MAJOR << 16) | (GC_VERSION_MINOR << 8) | GC_VERSION_MICRO.
GC_API unsigned GC_CALL GC_get_version(void);

// libgc's shutdown.  There is nothing to shut down, and the program may go on; but GC_is_init_called says 0.
GC_API void GC_CALL GC_deinit(void);

// Loam's own version, LOAM_VERSION as the library was built with.
GC_API const char *GC_CALL GC_get_loam_version(void);

// ---- Allocation ----------------------------------------------------------------------------------------

// A new object of at least `bytes` bytes, all zero, or what the out-of-memory function returns.  It is
// reclaimed when nothing reachable points to it.  A request of 0 bytes gives a distinct object of the least
// size.
GC_API void *GC_CALL GC_malloc(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// As GC_malloc, for an object that will never contain pointers to collected objects: strings, numbers,
// pixels.  It is not cleared, and the collector never reads it, which makes it cheaper and keeps its bits
// from being taken for pointers.
GC_API void *GC_CALL GC_malloc_atomic(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// As GC_malloc, for an object that lives until GC_free and keeps what it points to: a root on the heap.
GC_API void *GC_CALL GC_malloc_uncollectable(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// As GC_malloc_atomic, for an object that lives until GC_free.
GC_API void *GC_CALL GC_malloc_atomic_uncollectable(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// As GC_malloc and GC_malloc_atomic, with the program's promise to keep a pointer to the object's first 256
// bytes while it is in use.  For objects of 100 KiB and more this makes false retention less likely.
GC_API void *GC_CALL GC_malloc_ignore_off_page(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_malloc_atomic_ignore_off_page(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// The object with its size changed to at least `bytes`, moved if need be, its kind (pointer-free,
// uncollectable) kept.  Bytes gained are zero unless the object is pointer-free.  NULL for `object` means
// GC_malloc(bytes); 0 for `bytes` frees the object and returns NULL.  When memory is short the old object
// stays as it is.  `object` must be the start of an object, else abort.
GC_API void *GC_CALL GC_realloc(void *object, size_t bytes) GC_ATTR_ALLOC_SIZE(2);

// Give an object back at once.  Never needed, sometimes useful.  NULL is ignored.  The program must not use
// the object again. A pointer that is not the start of an object, or an object freed before, ends the
// program with a message.
GC_API void GC_CALL GC_free(void *object);

// A new zeroed object of `bytes` bytes that starts at a multiple of `alignment`, a power of two (else NULL,
// errno EINVAL).
GC_API void *GC_CALL GC_memalign(size_t alignment, size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(2);

// As GC_memalign; stores the object in *object and returns 0, or EINVAL (alignment no power of two or no
// multiple of the pointer size) or ENOMEM, with *object unchanged.
GC_API int GC_CALL GC_posix_memalign(void **object, size_t alignment, size_t bytes) GC_ATTR_NONNULL(1);

// A pointer-free copy of a string, of at most `limit` bytes of it.  NULL and errno ENOMEM when memory is
// short; NULL for NULL.
GC_API char *GC_CALL GC_strdup(const char *string) GC_ATTR_MALLOC;
GC_API char *GC_CALL GC_strndup(const char *string, size_t limit) GC_ATTR_MALLOC GC_ATTR_NONNULL(1);
GC_API wchar_t *GC_CALL GC_wcsdup(const wchar_t *string) GC_ATTR_MALLOC GC_ATTR_NONNULL(1);

// Several objects of `bytes` bytes each at the price of about one, linked through their first words
// (GC_NEXT) and otherwise zero. The program must clear the link of each object that it takes.  At least one
// object, or NULL when memory is short.
GC_API void *GC_CALL GC_malloc_many(size_t bytes) GC_ATTR_MALLOC;
#define GC_NEXT(object) (*(void **)(object))

// GC_realloc that frees the object if it finds no memory, and then returns NULL.  (libgc 8.3.)
GC_API void *GC_CALL GC_reallocf(void *object, size_t bytes) GC_ATTR_ALLOC_SIZE(2);

// GC_free, the object's first `bytes` bytes, or all if it has fewer, being cleared before.  (libgc 8.3.)
GC_API void GC_CALL GC_freezero(void *object, size_t bytes);

// A new zeroed object that starts at a multiple of the OS page; GC_pvalloc also rounds its size up to one.
// (libgc 8.3.)
GC_API void *GC_CALL GC_valloc(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_pvalloc(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

// GC_malloc by an old name.
GC_API GC_ATTR_DEPRECATED void *GC_CALL GC_malloc_stubborn(size_t bytes);

// GC_MALLOC and its kin are macros for these functions, or with GC_DEBUG defined for those that note where
// they were called ("Debugging").
//
// In programs that are compiled with optimisation, GC_MALLOC and GC_MALLOC_ATOMIC of a constant of at most
// 256 bytes, and so GC_NEW of a small type, take the calling thread's next free slot of that size without a
// call; when there is none, the function is called.  Such a program needs a library that keeps its slots in
// the same way, and does not start with another.  Compilers then do not know the sizes of objects; so with
// _FORTIFY_SOURCE, which checks them, each allocation is a call.  GC_INLINE_MALLOC defined as 0 or 1 before
// inclusion decides in any case.  <gc/gc.h> defines it as 0 unless it is defined already, since what is
// compiled with that header may come to run on libgc's own library.  (Loam.)
#if !defined(GC_INLINE_MALLOC) && defined(__OPTIMIZE__) && defined(__GNUC__) && defined(__ELF__) && \
    defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__)) &&                           \
    !(defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0)
#define GC_INLINE_MALLOC 1
#endif
#if defined(GC_INLINE_MALLOC) && GC_INLINE_MALLOC && !defined(GC_BUILD)

// A run of free slots of one size.  Between a thread's reading `next` and its writing it the library does not
// change it, and leaves the slot there to that thread.
struct __attribute__((may_alias)) GC_run {
  char *next;  // == limit: the library must be asked
  char *limit; // the slots before it are cleared, if they may contain pointers
  void *internal[3];
};

#define GC_RUNS_OF_ATOMIC 0
#define GC_RUNS_OF_ROOMY 88 // may contain pointers, and do not fill their slots
#define GC_RUNS_OF_EXACT 352
#define GC_INLINE_BYTES_MAX 256

#ifdef __cplusplus
#define GC_INLINE_FUNCTION inline __attribute__((always_inline))
#else
#define GC_INLINE_FUNCTION extern __inline__ __attribute__((gnu_inline, always_inline))
#endif

// The calling thread's runs, or NULL.  GC_runs_1 is thread-local, and 1 the version of the runs' layout.
// Read in assembly language, since a compiler may keep such a variable's address, and a fiber can come back
// on another thread.
GC_INLINE_FUNCTION struct GC_run *
GC_thread_runs(void) {
#if defined(__x86_64__)
  struct GC_run *runs;
  __asm__ volatile("{movq GC_runs_1@gottpoff(%%rip), %0|mov %0, QWORD PTR GC_runs_1@gottpoff[rip]}\n\t"
                   "{movq %%fs:(%0), %0|mov %0, QWORD PTR fs:[%0]}"
                   : "=r"(runs));
#else
  struct GC_run *runs;
  size_t offset;
  __asm__ volatile("mrs %0, tpidr_el0\n\t"
                   "adrp %1, :gottprel:GC_runs_1\n\t"
                   "ldr %1, [%1, #:gottprel_lo12:GC_runs_1]\n\t"
                   "ldr %0, [%0, %1]"
                   : "=&r"(runs), "=&r"(offset));
#endif
  return runs;
}

GC_INLINE_FUNCTION void *
GC_take_slot(size_t bytes, size_t first_run, void *(GC_CALL *otherwise)(size_t bytes)) {
  struct GC_run *run = GC_thread_runs();
  if (__builtin_expect(!run, 0))
    return otherwise(bytes);
  size_t granules = bytes > 0 ? (bytes + 15) / 16 : 1;
  run += first_run + granules - 1;
  char *slot = run->next;
  if (__builtin_expect(slot == run->limit, 0))
    return otherwise(bytes);
  run->next = slot + 16 * granules;
  __asm__ volatile("" : "+r"(slot) : : "memory"); // it is an object before anything is stored in it
  return slot;
}

GC_INLINE_FUNCTION void *
GC_malloc_inline(size_t bytes) {
  if (!__builtin_constant_p(bytes) || bytes > GC_INLINE_BYTES_MAX)
    return GC_malloc(bytes);
  return GC_take_slot(bytes, bytes % 16 == 0 ? GC_RUNS_OF_EXACT : GC_RUNS_OF_ROOMY, GC_malloc);
}

GC_INLINE_FUNCTION void *
GC_malloc_atomic_inline(size_t bytes) {
  if (!__builtin_constant_p(bytes) || bytes > GC_INLINE_BYTES_MAX)
    return GC_malloc_atomic(bytes);
  return GC_take_slot(bytes, GC_RUNS_OF_ATOMIC, GC_malloc_atomic);
}
#else
#define GC_malloc_inline(bytes) GC_malloc(bytes)
#define GC_malloc_atomic_inline(bytes) GC_malloc_atomic(bytes)
#endif

// One object of a type: GC_NEW(struct node) has type struct node *.
#define GC_NEW(type) ((type *)GC_MALLOC(sizeof(type)))
#define GC_NEW_ATOMIC(type) ((type *)GC_MALLOC_ATOMIC(sizeof(type)))
#define GC_NEW_UNCOLLECTABLE(type) ((type *)GC_MALLOC_UNCOLLECTABLE(sizeof(type)))

// An array of `count` of them; too many are memory that is not to be had.
static inline size_t
GC_array_bytes(size_t count, size_t bytes) {
  return bytes > 0 && count > (size_t)-1 / bytes ? (size_t)-1 : count * bytes;
}
#define GC_NEW_ARRAY(type, count) ((type *)GC_MALLOC(GC_array_bytes(count, sizeof(type))))
#define GC_NEW_ATOMIC_ARRAY(type, count) ((type *)GC_MALLOC_ATOMIC(GC_array_bytes(count, sizeof(type))))
#define GC_NEW_UNCOLLECTABLE_ARRAY(type, count) \
  ((type *)GC_MALLOC_UNCOLLECTABLE(GC_array_bytes(count, sizeof(type))))

// ---- Asking about memory -------------------------------------------------------------------------------

// The start of the object that an address lies in, or NULL if it lies in none.
GC_API void *GC_CALL GC_base(void *address);
#define GC_base_C(address) ((const void *)GC_base((void *)(uintptr_t)(address)))

// The size in bytes of the object that `object` points to or into (it may be more than was asked for), or 0
// if there is none.
GC_API size_t GC_CALL GC_size(const void *object);

// 1 if the address lies in an object of the collected heap, else 0.
GC_API int GC_CALL GC_is_heap_ptr(const void *address);

// The size in bytes of the object that a request of `bytes` bytes gets, for 0 <= bytes <= 2048; else
// (size_t)-1.
GC_API size_t GC_CALL GC_get_size_map_at(int bytes);

// ---- Collecting ----------------------------------------------------------------------------------------

// Collect now.  Returns when garbage has been reclaimed; does nothing while collection is disabled.
GC_API void GC_CALL GC_gcollect(void);

// As GC_gcollect, and return all free memory to the operating system.
GC_API void GC_CALL GC_gcollect_and_unmap(void);

// Asked now and then while marking: a value other than 0 calls the collection off.  It may run with the world
// stopped: it may read the clock or a flag, and must neither allocate nor lock.
typedef int(GC_CALLBACK *GC_stop_func)(void);

// Collect unless `stop` (not NULL) calls it off.  1 if the collection was finished, 0 if it was called off
// or collection is disabled; then nothing has changed.
GC_API int GC_CALL GC_try_to_collect(GC_stop_func stop) GC_ATTR_NONNULL(1);

// The stop function of the collections that allocation starts.  Default: one that always returns 0.
GC_API void GC_CALL GC_set_stop_func(GC_stop_func stop) GC_ATTR_NONNULL(1);
GC_API GC_stop_func GC_CALL GC_get_stop_func(void);

// Stop collecting until the matching GC_enable; calls nest.  The heap grows instead.  GC_is_disabled: how
// many are open.
GC_API void GC_CALL GC_disable(void);
GC_API void GC_CALL GC_enable(void);
GC_API int GC_CALL GC_is_disabled(void);

// Finish the collection that is under way beside the program, if any, and GC_disable.  (libgc 8.3.)
GC_API void GC_CALL GC_finish_and_disable(void);

// With 1 no collection begins because enough has been allocated, or because the program is idle: only when
// the program asks for one, or memory is short.  Default: 0.
GC_API void GC_CALL GC_set_disable_automatic_collection(int on);
GC_API int GC_CALL GC_get_disable_automatic_collection(void);

// ---- Heap size and policy ------------------------------------------------------------------------------

// Make the heap at least `bytes` larger at once, so that it collects later.  1 if done, 0 if the system or
// the limit refuses.
GC_API int GC_CALL GC_expand_hp(size_t bytes);

// The most bytes that the heap may take from the system; 0 (the default) for no limit.  A heap above it
// does not shrink.
GC_API void GC_CALL GC_set_max_heap_size(GC_word bytes);

// Trade memory for time: a collection starts when allocation since the last one has reached about live
// bytes / divisor, times a factor that makes libgc's default of 3 a good choice here too.  Larger is
// smaller and slower.
GC_API void GC_CALL GC_set_free_space_divisor(GC_word divisor);
GC_API GC_word GC_CALL GC_get_free_space_divisor(void);

// Allocation of at least so many bytes lies between two collections that allocation starts (at least 1).
GC_API void GC_CALL GC_set_min_bytes_allocd(size_t bytes);
GC_API size_t GC_CALL GC_get_min_bytes_allocd(void);

// Whether the heap may grow before a collection has been tried.  Non-zero forbids it.
GC_API void GC_CALL GC_set_dont_expand(int on);
GC_API int GC_CALL GC_get_dont_expand(void);

// Bytes that the program says are not the collector's to reclaim (uncollectable objects count by
// themselves).  It is only kept for programs that use it as a counter of their own.
GC_API void GC_CALL GC_set_non_gc_bytes(GC_word bytes);
GC_API GC_word GC_CALL GC_get_non_gc_bytes(void);

// How many more collections are tried, after one that was not enough, before memory counts as exhausted;
// those above 100 do not count.  Default: 0.
GC_API void GC_CALL GC_set_max_retries(GC_word count);
GC_API GC_word GC_CALL GC_get_max_retries(void);

// libgc's: whether GC_init does without a collection.  Loam's always does; it is only remembered.
GC_API void GC_CALL GC_set_dont_precollect(int on);
GC_API int GC_CALL GC_get_dont_precollect(void);

// Whether objects may hold code that is executed (0, the default).  Set it before GC_init; from then on it is
// as it is.
GC_API void GC_CALL GC_set_pages_executable(int on);
GC_API int GC_CALL GC_get_pages_executable(void);

// Tell of bytes that code of the program's own has taken from free lists, or given back to them, so that they
// count for the next collection.
GC_API void GC_CALL GC_incr_bytes_allocd(size_t bytes);
GC_API void GC_CALL GC_incr_bytes_freed(size_t bytes);

// Whether each GC_gcollect returns all free memory to the system, as GC_gcollect_and_unmap does.
GC_API void GC_CALL GC_set_force_unmap_on_gcollect(int on);
GC_API int GC_CALL GC_get_force_unmap_on_gcollect(void);

// Whether a pointer to the inside of an object, found in the heap, keeps it (1, the default).  Set it
// before GC_init only.  With 0, the inside counts only at displacements registered with
// GC_register_displacement; stacks and registers always count.
GC_API void GC_CALL GC_set_all_interior_pointers(int on);
GC_API int GC_CALL GC_get_all_interior_pointers(void);
GC_API void GC_CALL GC_register_displacement(size_t displacement);

// ---- Minor and concurrent collections ------------------------------------------------------------------
// Besides collections of the whole heap in one pause there are minor ones, which look at the objects
// allocated since the last collection only, and concurrent ones, which mark while the program runs and stop
// it twice, briefly.  Both need to know where the program writes.  The kernel tells that of any program, so
// an unmodified one has them too; and a program that can promise to tell its own writes need not ask the
// kernel.

// The modes.  Unless something is said, by GC_MODE in the environment or by a call, it is AUTO, where a heap
// of less than LOAM_GENERATIONAL_MIN is collected as by STOP.  There it is also measured what concurrent
// collections cost the program: where it gets more done when it is stopped instead, for 0.1 s or so each
// time, it is, unless it has called GC_start_incremental_collection or GC_collect_a_little.  CONCURRENT is
// for programs of which short pauses are wanted at any cost.  (Loam.)
enum GC_Mode {
  GC_MODE_STOP,         // all collections are of the whole heap and in one pause
  GC_MODE_GENERATIONAL, // minor collections, and full ones in one pause
  GC_MODE_CONCURRENT,   // minor collections, and full ones beside the program
  GC_MODE_AUTO          // STOP, GENERATIONAL or CONCURRENT, by the heap's size and by what it costs
};

// Change the mode, at any time.  Returns the mode now in force: `mode`, or GC_MODE_STOP if it needs to notice
// writes and cannot (GC_get_write_tracking says why).  Before GC_init it is only taken note of, and GC_MODE
// in the environment counts more.
GC_API enum GC_Mode GC_CALL GC_set_mode(enum GC_Mode mode);

// The mode as it was set.
GC_API enum GC_Mode GC_CALL GC_get_mode(void);

// How writes are noticed: "userfaultfd", "mprotect", "barrier" (the program tells them) or "none".  If
// `reason` is not NULL, *reason becomes a text that says why the last way that was tried cannot be had, or
// "".  (Loam.)
GC_API const char *GC_CALL GC_get_write_tracking(const char **reason);

// libgc's way of asking for GC_MODE_CONCURRENT; if the time limit was set to GC_TIME_UNLIMITED before, for
// GC_MODE_GENERATIONAL.  Initialises the collector.  Does nothing if GC_DISABLE_INCREMENTAL is in the
// environment.
GC_API void GC_CALL GC_enable_incremental(void);

// 1 if GC_MODE_GENERATIONAL or GC_MODE_CONCURRENT was asked for and is in force.  0 in GC_MODE_AUTO, so that
// a program that asked for nothing gets libgc's answer.
GC_API int GC_CALL GC_is_incremental_mode(void);

// What may be write-protected to notice writes: with GC_PROTECTS_POINTER_HEAP a system call that writes to
// an object that is not pointer-free may fail with EFAULT.  That is so only where writes are noticed by
// mprotect.  The answer is final once GC_enable_incremental or GC_set_mode has been called.
GC_API int GC_CALL GC_incremental_protection_needs(void);
#define GC_PROTECTS_NONE 0
#define GC_PROTECTS_POINTER_HEAP 1
#define GC_PROTECTS_PTRFREE_HEAP 2 // never
#define GC_PROTECTS_STATIC_DATA 4  // never
#define GC_PROTECTS_STACK 8        // never

// Begin a collection that runs beside the program, unless one is under way or the mode has none.
GC_API void GC_CALL GC_start_incremental_collection(void);

// Do a little of what there is to do, for about the time limit: mark for the collection under way, or begin
// one that is due.  1 while a collection is under way, else 0.  A program may call this whenever it waits,
// until it says 0; nothing depends on it.
GC_API int GC_CALL GC_collect_a_little(void);

// How long, in ms, a pause of a concurrent collection ought to last at most; it is no promise.  A final pause
// that would take longer is called off, and marking goes on beside the program, but not more often than
// GC_set_max_prior_attempts says; GC_TIME_UNLIMITED: none is called off.  The default is 1 ms.  The getter
// says GC_TIME_UNLIMITED while nothing else than the default was set, because that is libgc's answer.
GC_API void GC_CALL GC_set_time_limit(unsigned long ms);
GC_API unsigned long GC_CALL GC_get_time_limit(void);
#define GC_TIME_UNLIMITED 999999

// The same with ns besides, of which there are less than 1000000; they do not count beside GC_TIME_UNLIMITED.
// GC_set_time_limit leaves them as they are, at first 0.
struct GC_timeval_s {
  unsigned long tv_ms;
  unsigned long tv_nsec;
};
GC_API void GC_CALL GC_set_time_limit_tv(struct GC_timeval_s limit);
GC_API struct GC_timeval_s GC_CALL GC_get_time_limit_tv(void);

// How often the final pause of a collection may be called off (at least 0).  Default: 3 as in libgc's later
// versions, not 1 as in 8.2.
GC_API void GC_CALL GC_set_max_prior_attempts(int attempts);
GC_API int GC_CALL GC_get_max_prior_attempts(void);

// At most so many minor collections lie between two full ones (less than 1 counts as 1).  Without it there
// may be any number, as the heap's growth suggests; the getter then says 19, which is libgc's default.
GC_API void GC_CALL GC_set_full_freq(int minor_collections);
GC_API int GC_CALL GC_get_full_freq(void);

// How much a call of GC_collect_a_little does, in libgc's units (at least 1).  It is only remembered: a
// little is measured in time here.
GC_API void GC_CALL GC_set_rate(int units);
GC_API int GC_CALL GC_get_rate(void);

// Whether writes may be noticed by mprotect, where there is no userfaultfd; the default is that they may.  In
// GC_MODE_AUTO they are not, unless LOAM_WRITES is set to it.  Does nothing while GC_is_incremental_mode().
GC_API void GC_CALL GC_set_mprotect_vdb_allowed(int on);
GC_API int GC_CALL GC_get_mprotect_vdb_allowed(void);

// How writes can be noticed, as libgc encodes it: what this library has been built with, whether or not the
// system grants it; and what is in use.
GC_API unsigned GC_CALL GC_get_supported_vdbs(void);
GC_API unsigned GC_CALL GC_get_actual_vdb(void);
#define GC_VDB_NONE 0
#define GC_VDB_MPROTECT 0x01
#define GC_VDB_MANUAL 0x02 // the program tells them
#define GC_VDB_DEFAULT 0x04
#define GC_VDB_GWW 0x08
#define GC_VDB_PROC 0x20
#define GC_VDB_SOFT 0x40
#define GC_VDB_UFFDWP 0x80

// ---- Telling writes ------------------------------------------------------------------------------------

// With 1 the program promises to tell each write of a pointer into a collected object, the first one into a
// new object included, by one of the functions below; then the collector asks nobody else.  The promise
// takes in writes by others on the program's behalf: memcpy, read, the C library.  Stacks, static data and
// registered roots are searched anyway.  Does nothing while GC_is_incremental_mode(); so call it first.
// Default: 0.
GC_API void GC_CALL GC_set_manual_vdb_allowed(int on);
GC_API int GC_CALL GC_get_manual_vdb_allowed(void);

// What GC_write_barrier reads.  The collector writes it; nobody else does.
struct GC_barrier {
  char *base;                     // of the heap's address space
  size_t bytes;                   // how much of it counts: 0 unless the promise was made
  unsigned char *volatile *table; // *table: a byte for each 4 KiB of it, or NULL while nobody wants to know
};
GC_API struct GC_barrier GC_barrier_state;

// A pointer was just written at `address`; the program holds that pointer somewhere until after this call
// (GC_reachable_here).  The address may lie anywhere.  Without the promise this costs four instructions, with
// it ten.  May be called by a signal handler.  (Loam.)
GC_API void GC_CALL GC_note_write(const void *address); // the same as a function, for other languages
#if defined(__GNUC__)
static inline void
GC_write_barrier(const void *address) {
  size_t bytes = __atomic_load_n(&GC_barrier_state.bytes, __ATOMIC_ACQUIRE);
  size_t offset = (size_t)((const char *)address - GC_barrier_state.base);
  if (__builtin_expect(offset < bytes, 0)) {
    unsigned char *table = *GC_barrier_state.table;
    if (table)
      __atomic_store_n(&table[offset >> 12], 1, __ATOMIC_RELEASE);
  }
}
#else
#define GC_write_barrier(address) GC_note_write(address)
#endif

// libgc's names.  Pointers were written anywhere into the object that `object` points to or into.
GC_API void GC_CALL GC_end_stubborn_change(const void *object) GC_ATTR_NONNULL(1);

// *(void **)place = value, and tell of it.
GC_API void GC_CALL GC_ptr_store_and_dirty(void *place, const void *value) GC_ATTR_NONNULL(1);

// Once announced a change to come.  Does nothing.
GC_API void GC_CALL GC_change_stubborn(const void *object);
#define GC_CHANGE_STUBBORN(object) GC_change_stubborn(object)

// ---- Finalizers ----------------------------------------------------------------------------------------
//
// A finalizer is a function to be called when an object cannot be reached any more.  The collector finds
// that out while it collects, keeps the object and all that it refers to for once more (resurrection), and
// makes the finalizer ready; it is called later, by a thread that allocates, collects or asks for it.  It may
// do everything: allocate, collect, register anew, store the object where it can be reached again.  It is
// called once; after that the object is an ordinary one.
//
// The order (Boehm 2003): a finalizer is called only when nothing that waits for its own finalizer refers to
// the object, directly or through others.  Objects that refer to themselves, or to one another in a cycle,
// are therefore never finalized, which a warning reports; say _ignore_self for a pointer to itself, _no_order
// for finalizers that do not mind the order.
//
// What is decided when:
//   links-first     when a finalizer is called, the ordinary disappearing links and weak references to its
//                   object, and to all that only such objects refer to, have been cleared
//   long-last       long links and long weak references are cleared when an object is about to be reclaimed,
//                   after its finalizer, and only if that has not stored it anywhere
//   cleaner-after   a cleaner runs when the object is gone for good, after its finalizer
//   at-once         all links to an object are cleared in one pause: no thread sees some of them cleared
//   old-stays-old   a minor collection decides about young objects only
//
// GC_free of an object drops its finalizer and cleaners without a call; links and weak references to it must
// be unregistered or cleared before.  At exit nothing is called, unless the program calls GC_finalize_all.
// After fork the child has all registrations and all that is ready.
//
// Where a function of this section or the next asks for the start of an object, an address in its first 16
// bytes will do, so that a language may hand over pointers with tags in their low bits; a finalizer gets the
// address that was registered.

// `client_data` is what was given at registration; it is kept alive until the call.
typedef void(GC_CALLBACK *GC_finalization_proc)(void *object, void *client_data);

// Call `finalizer` with the object and `client_data` when the object, which must be the start of one, cannot
// be reached any more; NULL takes back what was registered.  An object has one finalizer at most: what was
// registered before is replaced and stored through `old_finalizer` and `old_data` (each NULL if there was
// nothing; either may be NULL if it is not wanted).  For what is no object of the collector's nothing
// happens. If memory is refused the out-of-memory function is called; if that gives none either, nothing is
// registered and the old values are not stored.  Takes the collector's lock, so not from within
// GC_call_with_alloc_lock.
GC_API void GC_CALL GC_register_finalizer(void *object, GC_finalization_proc finalizer, void *client_data,
                                          GC_finalization_proc *old_finalizer, void **old_data)
    GC_ATTR_NONNULL(1);

// The same, but pointers from the object to itself do not count.
GC_API void GC_CALL GC_register_finalizer_ignore_self(void *object, GC_finalization_proc finalizer,
                                                      void *client_data, GC_finalization_proc *old_finalizer,
                                                      void **old_data) GC_ATTR_NONNULL(1);

// The same, but called without regard to what else is finalizable: what the object refers to may have been
// finalized before it.
GC_API void GC_CALL GC_register_finalizer_no_order(void *object, GC_finalization_proc finalizer,
                                                   void *client_data, GC_finalization_proc *old_finalizer,
                                                   void **old_data) GC_ATTR_NONNULL(1);

// The same, but only when the object cannot be reached from other finalizable objects either, not even from
// those registered with _no_order: when it will really be gone.
GC_API void GC_CALL GC_register_finalizer_unreachable(void *object, GC_finalization_proc finalizer,
                                                      void *client_data, GC_finalization_proc *old_finalizer,
                                                      void **old_data) GC_ATTR_NONNULL(1);

// Are finalizers ready?  Without a lock.
GC_API int GC_CALL GC_should_invoke_finalizers(void);

// Call those finalizers that are ready and belong to no queue of the program's own.  Returns how many were
// called.  No lock of the collector's is held meanwhile.
GC_API int GC_CALL GC_invoke_finalizers(void);

// How many finalizers one GC_invoke_finalizers may call; 0, the default, for all.  GC_finalize_all resets it.
GC_API void GC_CALL GC_set_interrupt_finalizers(unsigned count);
GC_API unsigned GC_CALL GC_get_interrupt_finalizers(void);

// With 0, the default, ready finalizers are called from allocation and collection, by whichever thread comes
// first, and with whatever locks the program holds there.  Otherwise only by GC_invoke_finalizers; and after
// a collection that made some ready the notifier is called, once, by a thread that allocates or collects.
GC_API void GC_CALL GC_set_finalize_on_demand(int on);
GC_API int GC_CALL GC_get_finalize_on_demand(void);
typedef void(GC_CALLBACK *GC_finalizer_notifier_proc)(void);
GC_API void GC_CALL GC_set_finalizer_notifier(GC_finalizer_notifier_proc notifier);
GC_API GC_finalizer_notifier_proc GC_CALL GC_get_finalizer_notifier(void);

// Let a thread of the collector's own call ready finalizers: they then run with no lock of the program's
// held, and beside the program.  GC_SUCCESS, or GC_NO_THREADS if no thread can be had.  0 stops it.  Default:
// 0.  (Loam.)
GC_API int GC_CALL GC_set_finalizer_thread(int on);
GC_API int GC_CALL GC_get_finalizer_thread(void);

// Make all finalizers ready that are registered, whether their objects can be reached or not, and call those
// that belong to no queue of the program's own, until none is registered.  Cleaners are left alone.  For the
// end of a program; what finalizers refer to may have been finalized already.
GC_API void GC_CALL GC_finalize_all(void);

// With 0, objects registered with _unreachable are treated like ordinary ones.  Default: 1.
GC_API void GC_CALL GC_set_java_finalization(int on);
GC_API int GC_CALL GC_get_java_finalization(void);

// Called for each object whose finalizer becomes ready, while the world is stopped: it may not call the
// collector nor take a lock.  NULL, the default: none.
typedef void(GC_CALLBACK *GC_await_finalize_proc)(void *object);
GC_API void GC_CALL GC_set_await_finalize_proc(GC_await_finalize_proc function);
GC_API GC_await_finalize_proc GC_CALL GC_get_await_finalize_proc(void);

// A registered finalizer or cleaner counts for a hundredth of this in the bytes to allocate until the next
// collection (in libgc for all of it), since it may hold more than memory, and dead objects are best not
// many.  It counts for less, down to an eighth, where the last collection found few dead of those that were
// new.  Default: 10000.
GC_API void GC_CALL GC_set_allocd_bytes_per_finalizer(GC_word bytes);
GC_API GC_word GC_CALL GC_get_allocd_bytes_per_finalizer(void);

// Print what is registered to the log.
GC_API void GC_CALL GC_dump_finalization(void);

// ---- Queues of finalizers (Loam) -----------------------------------------------------------------------
//
// A program can own queues, for instance one for each event loop: finalizers and cleaners registered with a
// queue are called only by who drains it.  So they run where the program wants them, holding no lock by
// accident, and a bounded number at a time.

typedef struct GC_finalizer_queue GC_finalizer_queue;

// A new queue; NULL if memory is refused.  `notify`, which may be NULL, is called with `data` when something
// becomes ready in the queue after it was empty: after a collection, by the thread that collected, with no
// lock of the collector's held.
typedef void(GC_CALLBACK *GC_queue_notify_proc)(GC_finalizer_queue *queue, void *data);
GC_API GC_finalizer_queue *GC_CALL GC_finalizer_queue_new(GC_queue_notify_proc notify, void *data);

// Give a queue up.  What is ready in it and what is registered with it goes to the collector's own queue.
GC_API void GC_CALL GC_finalizer_queue_free(GC_finalizer_queue *queue) GC_ATTR_NONNULL(1);

// Call what is ready in the queue: at most `count` functions, and none after `us` microseconds have passed;
// 0: no bound.  Returns how many were called.  Several threads may drain one queue.
GC_API size_t GC_CALL GC_finalizer_queue_drain(GC_finalizer_queue *queue, size_t count, unsigned long us)
    GC_ATTR_NONNULL(1);

// How many are ready.  Without a lock.
GC_API size_t GC_CALL GC_finalizer_queue_ready(GC_finalizer_queue *queue) GC_ATTR_NONNULL(1);

// Register a finalizer as above, to be called from `queue` (NULL: the collector's own).  GC_SUCCESS;
// GC_NOT_FOUND if `object` is not the start of an object; GC_NO_MEMORY.
enum GC_FinalizerOrder {
  GC_FINALIZER_ORDERED,
  GC_FINALIZER_IGNORE_SELF,
  GC_FINALIZER_NO_ORDER,
  GC_FINALIZER_UNREACHABLE
};
GC_API int GC_CALL GC_register_finalizer_on(GC_finalizer_queue *queue, void *object,
                                            enum GC_FinalizerOrder order, GC_finalization_proc finalizer,
                                            void *client_data) GC_ATTR_NONNULL(2);

// A cleaner is called with `client_data` when the object is gone: it cannot bring it back (a phantom
// reference in Java's words).  An object may have several.  `client_data`, which is kept alive, must not
// refer to the object, or it never dies.  GC_SUCCESS, GC_NOT_FOUND, GC_NO_MEMORY.
typedef void(GC_CALLBACK *GC_cleaner_proc)(void *client_data);
GC_API int GC_CALL GC_register_cleaner(GC_finalizer_queue *queue, void *object, GC_cleaner_proc cleaner,
                                       void *client_data) GC_ATTR_NONNULL(2);

// Take back the cleaner of the object that was registered with this function and data.  1, or 0 if there is
// none: it may be ready already.
GC_API int GC_CALL GC_unregister_cleaner(void *object, GC_cleaner_proc cleaner, void *client_data)
    GC_ATTR_NONNULL(1);

// ---- Disappearing links --------------------------------------------------------------------------------
//
// A link is a word that the collector sets to NULL when an object cannot be reached any more.  It must be in
// memory that the collector does not search (GC_malloc_atomic, malloc), or hold the pointer hidden
// (GC_HIDE_POINTER), or it would keep the object; and it must stay mapped as long as it is registered.  A
// link inside an object is forgotten when that object dies.  To read one, reveal it where no collection can
// come between: within GC_call_with_alloc_lock; or use weak references, below, which do that.

// When the object that `link` lies in cannot be reached, `*link` becomes NULL, before finalizers are called.
// GC_SUCCESS; GC_DUPLICATE if the link was registered, the object being replaced by this; GC_NO_MEMORY.
// Aborts if `link` lies in no object.
GC_API int GC_CALL GC_register_disappearing_link(void **link) GC_ATTR_NONNULL(1);

// When `object`, the start of an object, cannot be reached, `*link` becomes NULL, whatever it holds.  Aborts
// if `link` is not a multiple of the word's size.
GC_API int GC_CALL GC_general_register_disappearing_link(void **link, const void *object) GC_ATTR_NONNULL(1)
    GC_ATTR_NONNULL(2);

// A registration moves to another word, of which the contents are the caller's business.  GC_SUCCESS (also if
// both are the same word, registered); GC_DUPLICATE if `new_link` is registered already; GC_NOT_FOUND if
// `link` is not.
GC_API int GC_CALL GC_move_disappearing_link(void **link, void **new_link) GC_ATTR_NONNULL(2);

// 1 if the link was registered and is no longer, 0 if it was not.
GC_API int GC_CALL GC_unregister_disappearing_link(void **link);

// Long links: cleared only when the object is really gone, after its finalizer.  A word may be a link of both
// sorts.
GC_API int GC_CALL GC_register_long_link(void **link, const void *object) GC_ATTR_NONNULL(1)
    GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_move_long_link(void **link, void **new_link) GC_ATTR_NONNULL(2);
GC_API int GC_CALL GC_unregister_long_link(void **link);

// The macros of the same names are in "Debugging".  These are for objects given by a pointer to any place in
// them.
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK_SAFE(link, object) \
  GC_general_register_disappearing_link(link, GC_base_C(object))
#define GC_REGISTER_LONG_LINK_SAFE(link, object) GC_register_long_link(link, GC_base_C(object))

// References that are now strong, now weak, as a function of the program's decides at each full collection;
// it is called with the collector's lock held, while the world runs, and may not call the collector.
typedef enum { GC_TOGGLE_REF_DROP, GC_TOGGLE_REF_STRONG, GC_TOGGLE_REF_WEAK } GC_ToggleRefStatus;
typedef GC_ToggleRefStatus(GC_CALLBACK *GC_toggleref_func)(void *object);
GC_API void GC_CALL GC_set_toggleref_func(GC_toggleref_func function);
GC_API GC_toggleref_func GC_CALL GC_get_toggleref_func(void);

// Let the function decide about an object from now on; until it is asked the reference is strong or not, as
// said here.  GC_SUCCESS, also if there is no function, when nothing is done; GC_NO_MEMORY.
GC_API int GC_CALL GC_toggleref_add(void *object, int is_strong) GC_ATTR_NONNULL(1);

// ---- Weak references (Loam) ----------------------------------------------------------------------------
//
// A weak reference is an object of the collector's own, which is reclaimed when nothing refers to it.
// Getting its referent takes a few nanoseconds, no lock, and is safe against a collection by another thread:
// what it returned stays.
//
//   weak    cleared when the referent cannot be reached any more, before its finalizer is called
//   long    cleared when the referent is gone for good, after its finalizer
//   soft    as weak; but as long as the referent was got lately, and memory is not short, it stays reachable
//           (GC_set_soft_ref_policy): for caches

typedef struct GC_weak_ref GC_weak_ref;
GC_API GC_weak_ref *GC_CALL GC_weak_ref_new(void *object) GC_ATTR_NONNULL(1); // NULL if memory is refused, or
GC_API GC_weak_ref *GC_CALL GC_long_ref_new(void *object) GC_ATTR_NONNULL(1); // if `object` is not the start
GC_API GC_weak_ref *GC_CALL GC_soft_ref_new(void *object) GC_ATTR_NONNULL(1); // of an object

// The referent, or NULL if it has been cleared.
GC_API void *GC_CALL GC_weak_ref_get(GC_weak_ref *reference) GC_ATTR_NONNULL(1);

// Clear a reference now.
GC_API void GC_CALL GC_weak_ref_clear(GC_weak_ref *reference) GC_ATTR_NONNULL(1);

// A soft reference keeps its referent for `ms_per_free_mib` ms after it was last got, for each MiB that the
// heap could still grow within its limit (GC_set_max_heap_size) or, without one, within a quarter of the
// memory that the process may have; decided by full collections only.  0: like weak ones.  When memory is
// refused all are cleared before the program hears of it.  Default: 1000.
GC_API void GC_CALL GC_set_soft_ref_policy(unsigned long ms_per_free_mib);
GC_API unsigned long GC_CALL GC_get_soft_ref_policy(void);

// An ephemeron (Hayes 1997) holds a key and a value: the value is kept as long as the key can be reached from
// elsewhere and the ephemeron can; a reference from the value to the key does not count.  When the key cannot
// be reached, both become NULL, before finalizers are called.
typedef struct GC_ephemeron GC_ephemeron;

// NULL if memory is refused.  What is not the start of an object counts as always reachable.
GC_API GC_ephemeron *GC_CALL GC_ephemeron_new(void *key, void *value);
GC_API void *GC_CALL GC_ephemeron_key(GC_ephemeron *ephemeron) GC_ATTR_NONNULL(1);
GC_API void *GC_CALL GC_ephemeron_value(GC_ephemeron *ephemeron) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_ephemeron_set_value(GC_ephemeron *ephemeron, void *value) GC_ATTR_NONNULL(1);

// ---- Weak hash tables (Loam) ---------------------------------------------------------------------------
//
// A hash table that does not keep its entries alive, itself an object of the collector's.
//
//   keys     an entry stays as long as its key can be reached (from elsewhere, as with ephemerons)
//   values   an entry stays as long as its value can be reached, and keeps its key meanwhile
//   both     an entry stays as long as both can, and keeps neither
//
// Entries go before finalizers are called.  Keys and values that are not the starts of objects count as
// always reachable, so small integers may be either.  Each function takes the table's own lock, save that
// GC_weak_map_each calls without it.

enum GC_WeakMapKind { GC_WEAK_KEYS, GC_WEAK_VALUES, GC_WEAK_BOTH };
typedef struct GC_weak_map GC_weak_map;

// Keys are compared by `equal` and hashed by `hash`, with `data`, or by address if `hash` is NULL; objects do
// not move.  Both may be called for keys whose entries are about to go; they may not use the table.
typedef size_t(GC_CALLBACK *GC_weak_map_hash_proc)(const void *key, void *data);
typedef int(GC_CALLBACK *GC_weak_map_equal_proc)(const void *key, const void *other, void *data);
struct GC_weak_map_options {
  enum GC_WeakMapKind kind;
  GC_weak_map_hash_proc hash;
  GC_weak_map_equal_proc equal;
  void *data; // kept alive
};

// NULL if memory is refused.  NULL for `options`: weak keys, by address.
GC_API GC_weak_map *GC_CALL GC_weak_map_new(const struct GC_weak_map_options *options);

// The value of a key; NULL if there is none.
GC_API void *GC_CALL GC_weak_map_get(GC_weak_map *map, const void *key) GC_ATTR_NONNULL(1);

// The key that is in the table and equal to `key`; NULL if there is none.  What interning tables need.
GC_API void *GC_CALL GC_weak_map_get_key(GC_weak_map *map, const void *key) GC_ATTR_NONNULL(1);

// Enter a key with its value, neither NULL, in place of an entry with an equal key.  GC_SUCCESS,
// GC_NO_MEMORY.
GC_API int GC_CALL GC_weak_map_put(GC_weak_map *map, void *key, void *value) GC_ATTR_NONNULL(1)
    GC_ATTR_NONNULL(2) GC_ATTR_NONNULL(3);

// Remove a key's entry.  1, or 0 if there was none.
GC_API int GC_CALL GC_weak_map_remove(GC_weak_map *map, const void *key) GC_ATTR_NONNULL(1);

// How many entries there are, some of which may be about to go.
GC_API size_t GC_CALL GC_weak_map_count(GC_weak_map *map) GC_ATTR_NONNULL(1);

// Call `visit` for each entry until it returns 0.  Entries that come or go meanwhile may be visited or not.
typedef int(GC_CALLBACK *GC_weak_map_visit_proc)(void *key, void *value, void *data);
GC_API void GC_CALL GC_weak_map_each(GC_weak_map *map, GC_weak_map_visit_proc visit, void *data)
    GC_ATTR_NONNULL(1) GC_ATTR_NONNULL(2);

// ---- Roots ---------------------------------------------------------------------------------------------

// Search [low, limit) for pointers at each collection, until removed.  Ranges may overlap.  Any number of
// them.
GC_API void GC_CALL GC_add_roots(void *low, void *limit);

// Stop searching [low, limit): every registered range and static data segment loses what it shares with it.
GC_API void GC_CALL GC_remove_roots(void *low, void *limit);

// Forget all registered ranges and, until the next library is loaded, all static data segments.
GC_API void GC_CALL GC_clear_roots(void);

// Never search [low, limit) of static data.
GC_API void GC_CALL GC_exclude_static_roots(void *low, void *limit);

// Forget what GC_exclude_static_roots and GC_remove_roots have said about static data.
GC_API void GC_CALL GC_clear_exclusion_table(void);

// Asked about each static data segment of the program (whose name is "") and its libraries, with the file's
// name, when the list of libraries has changed: 0 keeps it from being searched.  NULL, the default: all are
// searched.  Called with locks held, so it may not call the collector, nor the dynamic linker.
typedef int(GC_CALLBACK *GC_has_static_roots_func)(const char *file, void *segment, size_t bytes);
GC_API void GC_CALL GC_register_has_static_roots_callback(GC_has_static_roots_func function);

// Non-zero: static data of shared libraries (not of the executable) is not searched.
GC_API void GC_CALL GC_set_no_dls(int on);
GC_API int GC_CALL GC_get_no_dls(void);

// ---- Threads -------------------------------------------------------------------------------------------

// Where a thread's stack begins: its highest address.
struct GC_stack_base {
  void *mem_base;
};

typedef void *(GC_CALLBACK *GC_fn_type)(void *argument);
typedef void *(GC_CALLBACK *GC_stack_base_func)(struct GC_stack_base *base, void *argument);

// Attach the calling thread now, with the stack base given (or found, for NULL).  GC_SUCCESS, or
// GC_DUPLICATE if it was attached. A thread need not do this before its first call, only before it holds
// the one pointer to an object that another thread allocated.
GC_API int GC_CALL GC_register_my_thread(const struct GC_stack_base *base);

// 1 if the calling thread is attached.
GC_API int GC_CALL GC_thread_is_registered(void);

// Detach the calling thread; its stack is not searched from here on.  GC_SUCCESS.  Needed only by a thread
// that goes on living, which must be on its own stack.
GC_API int GC_CALL GC_unregister_my_thread(void);

// Kept for libgc programs: attaching is always allowed.
GC_API void GC_CALL GC_allow_register_threads(void);

// The stack base of the calling thread.  GC_SUCCESS.
GC_API int GC_CALL GC_get_stack_base(struct GC_stack_base *base) GC_ATTR_NONNULL(1);

// Call `function` with the stack base of the caller.  Returns its result.
GC_API void *GC_CALL GC_call_with_stack_base(GC_stack_base_func function, void *argument) GC_ATTR_NONNULL(1);

// Call `function` while the calling thread counts as blocked: collections do not signal nor wait for it.
// It may not touch collected objects or call the collector, save through GC_call_with_gc_active.  For
// system calls that take long.
GC_API void *GC_CALL GC_do_blocking(GC_fn_type function, void *argument) GC_ATTR_NONNULL(1);

// Within GC_do_blocking: call `function` as an ordinary thread again.
GC_API void *GC_CALL GC_call_with_gc_active(GC_fn_type function, void *argument) GC_ATTR_NONNULL(1);

// The alternate signal stack of a thread, [stack, stack + stack_bytes) its ordinary one.  Kept for libgc
// programs: Loam asks the kernel.
GC_API void GC_CALL GC_register_altstack(void *stack, GC_word stack_bytes, void *altstack,
                                         GC_word altstack_bytes);

// Call `function` with the collector's lock held: no collection, no allocation by others.  It may not
// allocate.
GC_API void *GC_CALL GC_call_with_alloc_lock(GC_fn_type function, void *argument) GC_ATTR_NONNULL(1);

// The same.  libgc 8.3 lets several threads do this at a time if they only read; `release` is not 0 if they
// write.
GC_API void *GC_CALL GC_call_with_reader_lock(GC_fn_type function, void *argument, int release)
    GC_ATTR_NONNULL(1);

// Called for each thread whose stack is about to be searched, while the world is stopped, with the address of
// what is held to be its stack pointer and its pthread_t; it may write another there: for coroutines.  NULL,
// the default: none.  (libgc 8.2.4.)
typedef void(GC_CALLBACK *GC_sp_corrector_proc)(void **stack_pointer, void *thread);
GC_API void GC_CALL GC_set_sp_corrector(GC_sp_corrector_proc function);
GC_API GC_sp_corrector_proc GC_CALL GC_get_sp_corrector(void);

// Take and release that lock.  No call of the collector's in between, save those that ask for it.
GC_API void GC_CALL GC_alloc_lock(void);
GC_API void GC_CALL GC_alloc_unlock(void);

// For programs that switch stacks by themselves.  GC_get_my_stackbottom: where the stack of the calling
// thread ends goes to *base; returns a handle on the thread.  GC_set_stackbottom: from here on the stack that
// the thread is on ends at base->mem_base, and only what lies between its stack pointer and there is
// searched; all other stacks are the program's to tell of (GC_add_roots, GC_set_push_other_roots).  `thread`
// is a handle; NULL means the calling thread or, before GC_init, the initial one.  The order of this call and
// the switch does not matter.  For the initial thread assigning GC_stackbottom does the same, at any moment.
GC_API void *GC_CALL GC_get_my_stackbottom(struct GC_stack_base *base) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_set_stackbottom(void *thread, const struct GC_stack_base *base) GC_ATTR_NONNULL(2);
GC_API char *GC_stackbottom;

// Stop all threads but the calling one, and let them go on.  In between the calling thread holds the
// collector's locks: it may not call the collector.
GC_API void GC_CALL GC_stop_world_external(void);
GC_API void GC_CALL GC_start_world_external(void);

// The signal that stops threads; set before GC_init only.  Default SIGPWR.  -1 from the getter before
// GC_init and no choice made.  The restart signal is libgc's; Loam needs none and only remembers it.
GC_API void GC_CALL GC_set_suspend_signal(int signal_number);
GC_API int GC_CALL GC_get_suspend_signal(void);
GC_API void GC_CALL GC_set_thr_restart_signal(int signal_number);
GC_API int GC_CALL GC_get_thr_restart_signal(void);

// How many threads mark: the collecting one and its helpers.  0 (the default) asks the system: CPUs allowed
// to the process, the cgroup's quota, at most 16.  Set before GC_init, or at any time between collections.
GC_API void GC_CALL GC_set_markers_count(unsigned count);
GC_API int GC_CALL GC_get_parallel(void); // the helpers that would take part: markers - 1
GC_API void GC_CALL GC_start_mark_threads(void);

// fork.  Loam always handles it (0 from a program is ignored); the three calls are for programs that set
// their own handlers.
GC_API void GC_CALL GC_set_handle_fork(int on);
GC_API void GC_CALL GC_atfork_prepare(void);
GC_API void GC_CALL GC_atfork_parent(void);
GC_API void GC_CALL GC_atfork_child(void);

// ---- Fibers (Loam) -------------------------------------------------------------------------------------
//
// A fiber is a stack that a thread can leave in the middle of a function and go on with later, this thread or
// another: a coroutine, a generator, a task of an event loop.  While no thread is on it, it is parked, and
// what is live of its stack is searched like that of a thread: from where it was left up; below that it is
// not touched.  So any number of fibers cost no memory but what they have used, and a collection no more than
// reading what lives on them.  A long parked stack that nobody has written to since is not read again by the
// next minor collection, nor by the last pause of a concurrent one.
//
// A thread's own stack is a fiber too, which GC_fiber_current gives before the first switch; it ends with the
// thread.
//
//     GC_fiber *squares(void *argument) {            // a generator: gives numbers to who switches to it
//       int *result = argument;
//       for (int i = 0; i < 10; i++) {
//         *result = i * i;
//         GC_fiber_switch(GC_fiber_previous());      // back, until it is wanted again
//       }
//       return GC_fiber_previous();                  // who goes on when this fiber has ended
//     }
//
//     GC_fiber *fiber = GC_fiber_create(0, squares, &number);
//     GC_fiber_switch(fiber);                        // now number is 0; again: 1, 4, 9 ...
//
// When may another thread go on with a fiber?  Not before the first is out of it.  So a fiber does not put
// itself into a queue of what can go on and then switch; the fiber that is switched to does it, with
// GC_fiber_previous(), which is the one just left.
//
// Fibers are no thread's property, but a call of the collector is: its hooks and finalizers may not switch,
// nor may what runs within GC_do_blocking or GC_call_with_alloc_lock.  A thread that is on fibers has nothing
// to tell with GC_set_stackbottom.  Of two threads on one fiber, and of a switch to a parked one whose stack
// the program has reused, nothing good comes.

typedef struct gc_fiber GC_fiber;

// What a fiber does, with the argument of GC_fiber_create, which is kept until then.  It returns the fiber
// that its thread goes on with; the ended one waits for GC_fiber_free, and may not be switched to.
typedef GC_fiber *(GC_CALLBACK *GC_fiber_function)(void *argument);

// A new fiber, parked before its function's first instruction, on a stack of its own of at least
// `stack_bytes` bytes, and 16 KiB; 0: 256 KiB.  Below it lies a page that ends the program when the stack
// overflows.  Memory is taken as the stack is used.  NULL if the system refuses it.
GC_API GC_fiber *GC_CALL GC_fiber_create(size_t stack_bytes, GC_fiber_function function, void *argument)
    GC_ATTR_NONNULL(2);

// Park the fiber that the calling thread is on, and go on with `to`, which is parked by this function or new.
// Returns when a thread switches back.  Registers, the stack and the floating-point mode are the fiber's; the
// signal mask, errno and thread-local variables are the thread's.  About 40 instructions, no lock and no
// system call.  To the fiber that it is on: does nothing.  Aborts if it can see that a thread is on `to`.
GC_API void GC_CALL GC_fiber_switch(GC_fiber *to) GC_ATTR_NONNULL(1);

// The fiber that the calling thread is on.
GC_API GC_fiber *GC_CALL GC_fiber_current(void);

// The fiber that the calling thread has left last, NULL if it never has.  It may have been freed since.
GC_API GC_fiber *GC_CALL GC_fiber_previous(void);

// Forget a fiber that no thread is on: what it alone kept is garbage.  A stack of GC_fiber_create's goes back
// to the system, as it is; functions that are not at their end do not go on.  NULL: does nothing.  Aborts if
// a thread is on it.
GC_API void GC_CALL GC_fiber_free(GC_fiber *fiber);

// For programs that switch stacks by themselves, with swapcontext or instructions of their own.  Make a fiber
// of the stack [stack, stack + bytes), which is readable and writable memory without a guard page, and no
// collected object.  Until it is entered its highest 512 bytes are searched, where a first frame may lie.
// NULL: no memory.  The fiber must be freed before its stack is.
GC_API GC_fiber *GC_CALL GC_fiber_register(void *stack, size_t bytes) GC_ATTR_NONNULL(1);

// To be called just before such a switch: the calling thread is about to change to the stack of `to`.  What
// the stack holds above this call, and the registers that a call keeps, are what is searched while the fiber
// that it leaves is parked; so what the program loads between this call and the switch must be there as well.
// A fiber that was left so is entered by the program's own switch, not by GC_fiber_switch.
GC_API void GC_CALL GC_fiber_note_switch(GC_fiber *to) GC_ATTR_NONNULL(1);

// ---- Hooks ---------------------------------------------------------------------------------------------

// Called when memory is exhausted, with the bytes asked for, without locks; its result is the allocation's.
// Default: returns NULL.
typedef void *(GC_CALLBACK *GC_oom_func)(size_t bytes);
GC_API void GC_CALL GC_set_oom_fn(GC_oom_func function) GC_ATTR_NONNULL(1);
GC_API GC_oom_func GC_CALL GC_get_oom_fn(void);

// Called with a printf-like format and one argument when something is odd but survivable.  Default: prints
// to standard error.
typedef void(GC_CALLBACK *GC_warn_proc)(char *format, GC_word argument);
GC_API void GC_CALL GC_set_warn_proc(GC_warn_proc function) GC_ATTR_NONNULL(1);
GC_API GC_warn_proc GC_CALL GC_get_warn_proc(void);
GC_API void GC_CALL GC_ignore_warn_proc(char *format, GC_word argument);

// Called with a message before the program is aborted; NULL says that no message is due.  Default: prints it.
typedef void(GC_CALLBACK *GC_abort_func)(const char *message);
GC_API void GC_CALL GC_set_abort_func(GC_abort_func function) GC_ATTR_NONNULL(1);
GC_API GC_abort_func GC_CALL GC_get_abort_func(void);

// End the program, with exit status 1, because memory is exhausted.  The abort function is called with NULL.
GC_API void GC_CALL GC_abort_on_oom(void);

// The file descriptor that logs, statistics and warnings go to.  If it cannot be written, standard error gets
// one warning, and what follows.
GC_API void GC_CALL GC_set_log_fd(int fd);

// Print to standard output, standard error and the log, at most 1023 bytes at a time, without stdio's
// streams. With GC_LOG_FILE in the environment all three go to that file, unless GC_ONLY_LOG_TO_FILE says
// otherwise.
#if defined(__GNUC__)
#define GC_ATTR_FORMAT_PRINTF(format_argument, first) __attribute__((format(printf, format_argument, first)))
#else
#define GC_ATTR_FORMAT_PRINTF(format_argument, first)
#endif
GC_API void GC_printf(const char *format, ...) GC_ATTR_FORMAT_PRINTF(1, 2);
GC_API void GC_err_printf(const char *format, ...) GC_ATTR_FORMAT_PRINTF(1, 2);
GC_API void GC_log_printf(const char *format, ...) GC_ATTR_FORMAT_PRINTF(1, 2);

// What a collection goes through, in this order.  The world is stopped from PRE_STOP_WORLD to
// POST_START_WORLD (libgc's values).  A concurrent collection stops the world at least twice and goes from
// START to END each time; RECLAIM_START comes the last time only.
typedef enum {
  GC_EVENT_START,
  GC_EVENT_MARK_START,
  GC_EVENT_MARK_END,
  GC_EVENT_RECLAIM_START,
  GC_EVENT_RECLAIM_END,
  GC_EVENT_END,
  GC_EVENT_PRE_STOP_WORLD,
  GC_EVENT_POST_STOP_WORLD,
  GC_EVENT_PRE_START_WORLD,
  GC_EVENT_POST_START_WORLD,
  GC_EVENT_THREAD_SUSPENDED,
  GC_EVENT_THREAD_UNSUSPENDED
} GC_EventType;

// Called at each event, by the collecting thread, with the collector's lock held: it may not allocate or
// call the collector.  NULL: none.
typedef void(GC_CALLBACK *GC_on_collection_event_proc)(GC_EventType event);
GC_API void GC_CALL GC_set_on_collection_event(GC_on_collection_event_proc function);
GC_API GC_on_collection_event_proc GC_CALL GC_get_on_collection_event(void);

// Called with GC_EVENT_THREAD_SUSPENDED and a pthread_t for each thread that has been stopped, and with
// GC_EVENT_THREAD_UNSUSPENDED when it may go on, by the collecting thread and under the lock.  NULL: none.
typedef void(GC_CALLBACK *GC_on_thread_event_proc)(GC_EventType event, void *thread);
GC_API void GC_CALL GC_set_on_thread_event(GC_on_thread_event_proc function);
GC_API GC_on_thread_event_proc GC_CALL GC_get_on_thread_event(void);

// Called with memory that the heap has taken from the system, or with NULL and the bytes that were refused,
// under the lock.  NULL: none.  (libgc 8.3.)
typedef void(GC_CALLBACK *GC_on_os_get_mem_proc)(void *memory, size_t bytes);
GC_API void GC_CALL GC_set_on_os_get_mem(GC_on_os_get_mem_proc function);
GC_API GC_on_os_get_mem_proc GC_CALL GC_get_on_os_get_mem(void);

// Called with the new heap size in bytes when the heap has grown, under the lock.  NULL: none.
typedef void(GC_CALLBACK *GC_on_heap_resize_proc)(GC_word bytes);
GC_API void GC_CALL GC_set_on_heap_resize(GC_on_heap_resize_proc function);
GC_API GC_on_heap_resize_proc GC_CALL GC_get_on_heap_resize(void);

// Called before each pause of a collection, under the lock, while the world still runs.  NULL: none.
typedef void(GC_CALLBACK *GC_start_callback_proc)(void);
GC_API void GC_CALL GC_set_start_callback(GC_start_callback_proc function);
GC_API GC_start_callback_proc GC_CALL GC_get_start_callback(void);

// ---- Debugging -----------------------------------------------------------------------------------------
//
// The functions below allocate annotated objects: each has a header before it that says where it was
// allocated (a file and a line) and how many bytes were asked for, and marks before and behind it that show
// when somebody writes there.  Marks are looked at when the object is freed, and those of all annotated
// objects at each collection, which takes longer for it; what is found to be smashed is reported to the log,
// with positions.
//
// GC_base gives the start of an annotated object's header, GC_size its size with all that.  What is
// registered for such an object (links, references, tables) is registered for its base; only the finalizers
// below take the object as the program knows it.  Do not mix: an annotated object is for GC_debug_free and
// GC_debug_realloc only.
//
// A program that is compiled with GC_DEBUG defined before inclusion, and uses the macros GC_MALLOC and so on,
// gets these functions with its own positions.  With GC_DEBUG_REPLACEMENT, GC_MALLOC and GC_REALLOC become
// those without positions.
//
// What keeps an object alive, annotated or not, is for gc_backptr.h to say.

#define GC_EXTRAS __FILE__, __LINE__
#define GC_EXTRA_PARAMS const char *file, int line

// As the functions without debug_, and GC_malloc for _stubborn.  `file` is not copied.  When NULL is returned
// the log says where.
GC_API void *GC_CALL GC_debug_malloc(size_t bytes, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_atomic(size_t bytes, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_uncollectable(size_t bytes, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_atomic_uncollectable(size_t bytes, const char *file,
                                                          int line) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_ignore_off_page(size_t bytes, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_atomic_ignore_off_page(size_t bytes, const char *file,
                                                            int line) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_stubborn(size_t bytes, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API char *GC_CALL GC_debug_strdup(const char *string, const char *file, int line) GC_ATTR_MALLOC;
GC_API char *GC_CALL GC_debug_strndup(const char *string, size_t limit, const char *file,
                                      int line) GC_ATTR_MALLOC GC_ATTR_NONNULL(1);
GC_API wchar_t *GC_CALL GC_debug_wcsdup(const wchar_t *string, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_NONNULL(1);

// Free an annotated object.  NULL is ignored.  If marks were written over, or the object has been freed
// before, the log says so; in the second case nothing is done.  An uncollectable object, and while
// GC_find_leak is set any, is given back at once.  Others are only filled with 0xEFBEADDEDEADBEEF, and stay
// until nothing refers to them, so that a mistaken use does no harm.  A pointer to another place in an object
// is reported to the log and treated likewise; one that lies in no object ends the program.
GC_API void GC_CALL GC_debug_free(void *object);

// As GC_realloc, for an annotated object: it always moves.  For others the log is told, and it is GC_realloc.
GC_API void *GC_CALL GC_debug_realloc(void *object, size_t bytes, const char *file, int line)
    GC_ATTR_ALLOC_SIZE(2);

// As GC_reallocf and GC_freezero, for annotated objects.  (libgc 8.3.)
GC_API void *GC_CALL GC_debug_reallocf(void *object, size_t bytes, const char *file, int line)
    GC_ATTR_ALLOC_SIZE(2);
GC_API void GC_CALL GC_debug_freezero(void *object, size_t bytes);

// The same without a position, for the place of malloc and realloc.
GC_API void *GC_CALL GC_debug_malloc_replacement(size_t bytes) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_malloc_uncollectable_replacement(size_t bytes) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_realloc_replacement(void *object, size_t bytes) GC_ATTR_ALLOC_SIZE(2);
GC_API void *GC_CALL GC_debug_reallocf_replacement(void *object, size_t bytes) GC_ATTR_ALLOC_SIZE(2);

// How far behind its base an annotated object begins, in bytes: 32.
GC_API size_t GC_CALL GC_get_debug_header_size(void);

// As GC_register_finalizer and so on, for an annotated object as the program knows it; that is also what the
// finalizer gets.  The log says when `object` is none such, or had a finalizer from the other functions; then
// the old values are not stored.
GC_API void GC_CALL GC_debug_register_finalizer(void *object, GC_finalization_proc finalizer,
                                                void *client_data, GC_finalization_proc *old_finalizer,
                                                void **old_data) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_ignore_self(void *object, GC_finalization_proc finalizer,
                                                            void *client_data,
                                                            GC_finalization_proc *old_finalizer,
                                                            void **old_data) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_no_order(void *object, GC_finalization_proc finalizer,
                                                         void *client_data,
                                                         GC_finalization_proc *old_finalizer, void **old_data)
    GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_unreachable(void *object, GC_finalization_proc finalizer,
                                                            void *client_data,
                                                            GC_finalization_proc *old_finalizer,
                                                            void **old_data) GC_ATTR_NONNULL(1);

// As GC_register_displacement, for annotated and other objects.
GC_API void GC_CALL GC_debug_register_displacement(size_t displacement);

// As GC_end_stubborn_change, but aborts if `object` lies in no object; GC_debug_change_stubborn does nothing.
GC_API void GC_CALL GC_debug_end_stubborn_change(const void *object) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_change_stubborn(const void *object);

// As GC_ptr_store_and_dirty, with GC_is_visible(place) and GC_is_valid_displacement(value).
GC_API void GC_CALL GC_debug_ptr_store_and_dirty(void *place, const void *value);

// Finding leaks.  While this is not 0, objects that nothing refers to and that were not freed are reported at
// each collection, with positions if they are annotated, and reclaimed; and once more at exit, if it was set
// when the collector was initialised.  The log gets the first 40 of each collection.  All collections are
// of the whole heap and in one pause then; registering finalizers does nothing, registering links gives
// GC_UNIMPLEMENTED.  Set it, by GC_FIND_LEAK in the environment, by the setter or by hand, before GC_init.
GC_API void GC_CALL GC_set_find_leak(int on);
GC_API int GC_CALL GC_get_find_leak(void);

// Checks of pointers, for programs that have them made for each arithmetic with pointers and each store.
// Each gives its first argument, after calling the function named below if it finds something wrong.

// Do both lie in the same object, or neither in one?  Just past an object's end counts as in it.
GC_API void *GC_CALL GC_same_obj(void *pointer, void *other);

// Is the pointer, if it points into the heap, one that keeps an object?  NULL is good.
GC_API void *GC_CALL GC_is_valid_displacement(void *pointer);

// Would the collector see a pointer that is stored here?  Wrong if it is not aligned, or lies in the heap but
// in no object; of what lies elsewhere nothing is known.
GC_API void *GC_CALL GC_is_visible(void *place);

// Add `bytes` to *pointer, and look whether it stays in its object.  The new value; the old one.
GC_API void *GC_CALL GC_pre_incr(void **pointer, ptrdiff_t bytes) GC_ATTR_NONNULL(1);
GC_API void *GC_CALL GC_post_incr(void **pointer, ptrdiff_t bytes) GC_ATTR_NONNULL(1);

// What is called when something is wrong.  By default the program is aborted with a message.  The variables
// may be written at any time.
typedef void(GC_CALLBACK *GC_valid_ptr_print_proc_t)(void *pointer);
typedef void(GC_CALLBACK *GC_same_obj_print_proc_t)(void *pointer, void *other);
GC_API GC_same_obj_print_proc_t GC_same_obj_print_proc;
GC_API GC_valid_ptr_print_proc_t GC_is_valid_displacement_print_proc;
GC_API GC_valid_ptr_print_proc_t GC_is_visible_print_proc;
GC_API void GC_CALL GC_set_same_obj_print_proc(GC_same_obj_print_proc_t function) GC_ATTR_NONNULL(1);
GC_API GC_same_obj_print_proc_t GC_CALL GC_get_same_obj_print_proc(void);
GC_API void GC_CALL GC_set_is_valid_displacement_print_proc(GC_valid_ptr_print_proc_t function)
    GC_ATTR_NONNULL(1);
GC_API GC_valid_ptr_print_proc_t GC_CALL GC_get_is_valid_displacement_print_proc(void);
GC_API void GC_CALL GC_set_is_visible_print_proc(GC_valid_ptr_print_proc_t function) GC_ATTR_NONNULL(1);
GC_API GC_valid_ptr_print_proc_t GC_CALL GC_get_is_visible_print_proc(void);

// The macros that GC_DEBUG changes.
#if defined(GC_DEBUG_REPLACEMENT)
#define GC_MALLOC(bytes) GC_debug_malloc_replacement(bytes)
#define GC_REALLOC(object, bytes) GC_debug_realloc_replacement(object, bytes)
#define GC_REALLOCF(object, bytes) GC_debug_reallocf_replacement(object, bytes)
#elif defined(GC_DEBUG)
#define GC_MALLOC(bytes) GC_debug_malloc(bytes, GC_EXTRAS)
#define GC_REALLOC(object, bytes) GC_debug_realloc(object, bytes, GC_EXTRAS)
#define GC_REALLOCF(object, bytes) GC_debug_reallocf(object, bytes, GC_EXTRAS)
#else
#define GC_MALLOC(bytes) GC_malloc_inline(bytes)
#define GC_REALLOC(object, bytes) GC_realloc(object, bytes)
#define GC_REALLOCF(object, bytes) GC_reallocf(object, bytes)
#endif

#if defined(GC_DEBUG)
#define GC_MALLOC_ATOMIC(bytes) GC_debug_malloc_atomic(bytes, GC_EXTRAS)
#define GC_MALLOC_UNCOLLECTABLE(bytes) GC_debug_malloc_uncollectable(bytes, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes) GC_debug_malloc_atomic_uncollectable(bytes, GC_EXTRAS)
#define GC_MALLOC_IGNORE_OFF_PAGE(bytes) GC_debug_malloc_ignore_off_page(bytes, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) GC_debug_malloc_atomic_ignore_off_page(bytes, GC_EXTRAS)
#define GC_STRDUP(string) GC_debug_strdup(string, GC_EXTRAS)
#define GC_STRNDUP(string, limit) GC_debug_strndup(string, limit, GC_EXTRAS)
#define GC_WCSDUP(string) GC_debug_wcsdup(string, GC_EXTRAS)
#define GC_FREE(object) GC_debug_free(object)
#define GC_FREEZERO(object, bytes) GC_debug_freezero(object, bytes)
#define GC_REGISTER_FINALIZER(object, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(object, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_ignore_self(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_NO_ORDER(object, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_no_order(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_UNREACHABLE(object, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_unreachable(object, finalizer, data, old_finalizer, old_data)
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, object) \
  GC_general_register_disappearing_link(link, GC_base((void *)(object)))
#define GC_REGISTER_LONG_LINK(link, object) GC_register_long_link(link, GC_base((void *)(object)))
#define GC_END_STUBBORN_CHANGE(object) GC_debug_end_stubborn_change(object)
#define GC_PTR_STORE_AND_DIRTY(place, value) GC_debug_ptr_store_and_dirty(place, value)
#define GC_PTR_STORE(place, value) \
  (*(void **)GC_is_visible((void *)(place)) = GC_is_valid_displacement((void *)(value)))
#define GC_REGISTER_DISPLACEMENT(displacement) GC_debug_register_displacement(displacement)
#else
#define GC_MALLOC_ATOMIC(bytes) GC_malloc_atomic_inline(bytes)
#define GC_MALLOC_UNCOLLECTABLE(bytes) GC_malloc_uncollectable(bytes)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes) GC_malloc_atomic_uncollectable(bytes)
#define GC_MALLOC_IGNORE_OFF_PAGE(bytes) GC_malloc_ignore_off_page(bytes)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) GC_malloc_atomic_ignore_off_page(bytes)
#define GC_STRDUP(string) GC_strdup(string)
#define GC_STRNDUP(string, limit) GC_strndup(string, limit)
#define GC_WCSDUP(string) GC_wcsdup(string)
#define GC_FREE(object) GC_free(object)
#define GC_FREEZERO(object, bytes) GC_freezero(object, bytes)
#define GC_REGISTER_FINALIZER(object, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(object, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_ignore_self(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_NO_ORDER(object, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_no_order(object, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_UNREACHABLE(object, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_unreachable(object, finalizer, data, old_finalizer, old_data)
#define GC_GENERAL_REGISTER_DISAPPEARING_LINK(link, object) \
  GC_general_register_disappearing_link(link, object)
#define GC_REGISTER_LONG_LINK(link, object) GC_register_long_link(link, object)
#define GC_END_STUBBORN_CHANGE(object) GC_end_stubborn_change(object)
#define GC_PTR_STORE_AND_DIRTY(place, value) GC_ptr_store_and_dirty(place, value)
#define GC_PTR_STORE(place, value) (*(void **)(place) = (void *)(value))
#define GC_REGISTER_DISPLACEMENT(displacement) GC_register_displacement(displacement)
#endif

#define GC_FREEZEROALL(object) GC_FREEZERO(object, (size_t)-1)
#define GC_MALLOC_STUBBORN(bytes) GC_MALLOC(bytes)
#define GC_NEW_STUBBORN(type) GC_NEW(type)

// Arithmetic with pointers, checked with GC_DEBUG: `pointer` may be evaluated twice.
#if defined(GC_DEBUG) && defined(__GNUC__)
#define GC_PTR_ADD3(pointer, count, result_type) ((result_type)GC_same_obj((pointer) + (count), (pointer)))
#define GC_PRE_INCR3(pointer, count, result_type) \
  ((result_type)GC_pre_incr((void **)(&(pointer)), (count) * (ptrdiff_t)sizeof(*(pointer))))
#define GC_POST_INCR3(pointer, count, result_type) \
  ((result_type)GC_post_incr((void **)(&(pointer)), (count) * (ptrdiff_t)sizeof(*(pointer))))
#define GC_PTR_ADD(pointer, count) GC_PTR_ADD3(pointer, count, __typeof__(pointer))
#define GC_PRE_INCR(pointer, count) GC_PRE_INCR3(pointer, count, __typeof__(pointer))
#define GC_POST_INCR(pointer) GC_POST_INCR3(pointer, 1, __typeof__(pointer))
#define GC_POST_DECR(pointer) GC_POST_INCR3(pointer, -1, __typeof__(pointer))
#else
#define GC_PTR_ADD(pointer, count) ((pointer) + (count))
#define GC_PRE_INCR(pointer, count) ((pointer) += (count))
#define GC_POST_INCR(pointer) ((pointer)++)
#define GC_POST_DECR(pointer) ((pointer)--)
#endif

// ---- Statistics ----------------------------------------------------------------------------------------
// The getters are cheap and take no lock: figures may be a moment old and need not agree with each other.

GC_API GC_word GC_CALL GC_get_gc_no(void);         // collections so far, minor ones included
GC_API size_t GC_CALL GC_get_heap_size(void);      // bytes of the heap's pages, but for those returned
GC_API size_t GC_CALL GC_get_free_bytes(void);     // of these, free (no objects in them)
GC_API size_t GC_CALL GC_get_unmapped_bytes(void); // bytes of pages returned to the system and still reserved
GC_API size_t GC_CALL GC_get_bytes_since_gc(void); // bytes allocated since the last collection
GC_API size_t GC_CALL GC_get_total_bytes(void);    // bytes allocated since the start
GC_API size_t GC_CALL
GC_get_expl_freed_bytes_since_gc(void);                    // bytes given to GC_free since the last collection
GC_API size_t GC_CALL GC_get_obtained_from_os_bytes(void); // bytes taken from the system, tables included
GC_API size_t GC_CALL
GC_get_memory_use(void); // bytes in objects after the last collection plus those allocated since

// Several of these at once, under the lock.  Any pointer may be NULL.
GC_API void GC_CALL GC_get_heap_usage_safe(GC_word *heap_bytes, GC_word *free_bytes, GC_word *unmapped_bytes,
                                           GC_word *bytes_since_gc, GC_word *total_bytes);

// libgc's record of statistics; the fields as in the getters.
struct GC_prof_stats_s {
  GC_word heapsize_full;
  GC_word free_bytes_full;
  GC_word unmapped_bytes;
  GC_word bytes_allocd_since_gc;
  GC_word allocd_bytes_before_gc;
  GC_word non_gc_bytes;
  GC_word gc_no;
  GC_word markers_m1;
  GC_word bytes_reclaimed_since_gc;
  GC_word reclaimed_bytes_before_gc;
  GC_word expl_freed_bytes_since_gc;
  GC_word obtained_from_os_bytes;
};

// Fill the first `bytes` bytes of *stats; bytes beyond the struct become 0xff.  Returns the bytes filled.
// _unsafe takes no lock.
GC_API size_t GC_CALL GC_get_prof_stats(struct GC_prof_stats_s *stats, size_t bytes);
GC_API size_t GC_CALL GC_get_prof_stats_unsafe(struct GC_prof_stats_s *stats, size_t bytes);

// The time for which collections stopped the world, in ms, since GC_start_performance_measurement (Loam
// measures always), and the ns besides; and what of it went to marking, in all and on average.
GC_API void GC_CALL GC_start_performance_measurement(void);
GC_API unsigned long GC_CALL GC_get_full_gc_total_time(void);
GC_API unsigned long GC_CALL GC_get_full_gc_total_ns_frac(void);    // (libgc 8.3.)
GC_API unsigned long GC_CALL GC_get_stopped_mark_total_time(void);  // (libgc 8.3.)
GC_API unsigned long GC_CALL GC_get_avg_stopped_mark_time_ns(void); // (libgc 8.3.)

// How long the world was stopped, over all collections; percentiles are within 6.25 %.  (Loam.)
struct GC_pause_stats {
  uint64_t count, total_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};
GC_API void GC_CALL GC_get_pause_stats(struct GC_pause_stats *stats) GC_ATTR_NONNULL(1);

// The pauses as a histogram: how many lay in [low_ns, high_ns).  Fills at most `capacity` buckets, those
// that are not empty, in rising order. Returns how many there are.  (Loam.)
struct GC_pause_bucket {
  uint64_t low_ns, high_ns, count;
};
GC_API size_t GC_CALL GC_get_pause_histogram(struct GC_pause_bucket *buckets, size_t capacity);

// What the world is stopped for, and what goes on meanwhile.  (Loam.)
enum GC_PauseKind {
  GC_PAUSE_KIND_FULL,   // a whole collection of the whole heap
  GC_PAUSE_KIND_MINOR,  // a whole collection of the young objects
  GC_PAUSE_KIND_START,  // a concurrent collection begins, or looks at the roots a second time
  GC_PAUSE_KIND_FINISH, // its marking ends, or this is called off and it goes on
  GC_PAUSE_KIND_COUNT
};
enum GC_PausePhase {
  GC_PAUSE_PHASE_STOP,       // until all threads stand still
  GC_PAUSE_PHASE_ROOTS,      // finding out what to search
  GC_PAUSE_PHASE_HARVEST,    // asking where the program has written
  GC_PAUSE_PHASE_MARK,       // tracing
  GC_PAUSE_PHASE_REFERENCES, // finalizers, weak links
  GC_PAUSE_PHASE_SWEEP,      // freeing
  GC_PAUSE_PHASE_RESUME,     // until all may run
  GC_PAUSE_PHASE_COUNT
};

// The same of the pauses of one kind, or with GC_PAUSE_KIND_COUNT of all: how long they were, how many of
// them were called off, and what their time went to.  The phases add up to the total.  (Loam.)
struct GC_pause_kind_stats {
  struct GC_pause_stats pauses;
  uint64_t called_off;
  uint64_t phase_ns[GC_PAUSE_PHASE_COUNT];
};
GC_API void GC_CALL GC_get_pause_kind_stats(enum GC_PauseKind kind, struct GC_pause_kind_stats *stats)
    GC_ATTR_NONNULL(2);
GC_API size_t GC_CALL GC_get_pause_kind_histogram(enum GC_PauseKind kind, struct GC_pause_bucket *buckets,
                                                  size_t capacity);

// One pause.  (Loam.)
struct GC_pause {
  enum GC_PauseKind kind;
  int called_off;
  uint64_t began_ns; // of CLOCK_MONOTONIC
  uint64_t total_ns;
  uint64_t phase_ns[GC_PAUSE_PHASE_COUNT];
};

// `listener` is called with each pause to come, and with `data`, which is kept alive; NULL: nobody is.  The
// world runs again by then and the collector holds no lock, so the listener may take the program's locks,
// write, and wake threads.  The calling thread is one that has collected or one of the collector's own, so
// the listener may read the collector's statistics and settings, but neither allocate nor collect.  Calls
// may overlap, then not in the order of the pauses.  A listener so slow that 64 pauses wait for it misses
// some.  (Loam.)
typedef void(GC_CALLBACK *GC_pause_listener)(const struct GC_pause *pause, void *data);
GC_API void GC_CALL GC_set_pause_listener(GC_pause_listener listener, void *data);

// Print the heap's state for people: sizes, classes, roots, threads, pauses.  GC_dump_named puts a name
// above it.
GC_API void GC_CALL GC_dump(void);
GC_API void GC_CALL GC_dump_named(const char *name);

// Print a line for each piece of the heap.
GC_API void GC_CALL GC_dump_regions(void);

// ---- Settings as variables -----------------------------------------------------------------------------
//
// libgc's older interface, which works as ever: a program may read and write these variables at any time
// (those said to be set before GC_init, before that); the collector reads them when it acts.  Setters and
// getters are functions for the same, and to be preferred.  Nonsense counts as the nearest value that
// makes sense.

GC_API GC_ATTR_DEPRECATED GC_word GC_gc_no; // as GC_get_gc_no; not to be written
GC_API GC_ATTR_DEPRECATED int GC_parallel;  // as GC_get_parallel; not to be written
GC_API GC_ATTR_DEPRECATED int GC_all_interior_pointers;
GC_API GC_ATTR_DEPRECATED int GC_dont_expand;
GC_API GC_ATTR_DEPRECATED int GC_dont_precollect;
GC_API GC_ATTR_DEPRECATED int GC_finalize_on_demand;
GC_API GC_ATTR_DEPRECATED GC_finalizer_notifier_proc GC_finalizer_notifier;
GC_API GC_ATTR_DEPRECATED int GC_find_leak;
GC_API GC_ATTR_DEPRECATED GC_word GC_free_space_divisor; // 0 counts as 1
GC_API GC_ATTR_DEPRECATED int GC_full_freq;
GC_API GC_ATTR_DEPRECATED int GC_java_finalization;
GC_API GC_ATTR_DEPRECATED GC_word GC_max_retries;
GC_API GC_ATTR_DEPRECATED int GC_no_dls;
GC_API GC_ATTR_DEPRECATED GC_word GC_non_gc_bytes;
GC_API GC_ATTR_DEPRECATED GC_on_heap_resize_proc GC_on_heap_resize;
GC_API GC_ATTR_DEPRECATED GC_oom_func GC_oom_fn;
GC_API GC_ATTR_DEPRECATED unsigned long GC_time_limit; // in ms
GC_API GC_ATTR_DEPRECATED int GC_use_entire_heap;      // only kept

// Not 0: nothing is collected, not even by GC_gcollect.  GC_disable adds 1 and GC_enable takes 1 away.
// What a thread of the collector's is doing while it is written may still be finished; GC_disable waits
// for that.
#if !defined(GC_DONT_GC)
GC_ATTR_DEPRECATED
#endif
GC_API int GC_dont_gc;

// ---- Checking ------------------------------------------------------------------------------------------

// Stop the world and recompute what ought to be true of the heap: object and mark bytes, page table, free
// counts and, by a second, slow and simple marker, that nothing reachable is gone.  Returns the faults
// found, each reported by one line to the log.  0 is a sound heap.  (Loam.)
GC_API size_t GC_CALL gc_verify(void);

// Collect at every n-th allocation that leaves the fast path's run, which this also shortens to one object;
// 0 stops it.  For tests.  (Loam.)
GC_API void GC_CALL GC_set_stress_collect(unsigned every);

// ---- Macros --------------------------------------------------------------------------------------------

// Keep a pointer visible to the collector up to this place, whatever the compiler thinks of it.
GC_API void GC_CALL GC_noop1(GC_word value);              // does nothing, and the compiler does not know it
GC_API void GC_CALL GC_noop1_ptr(volatile void *pointer); // (libgc 8.3.)
#if defined(__GNUC__)
#define GC_reachable_here(pointer) __asm__ volatile("" : : "X"(pointer) : "memory")
#else
#define GC_reachable_here(pointer) GC_noop1((GC_word)(pointer))
#endif

// A pointer in disguise: the collector does not see it.  Since objects do not move, what is hidden stays
// valid as long as the object lives, and addresses may be hashed and compared.
typedef GC_word GC_hidden_pointer;
#define GC_HIDE_POINTER(pointer) (~(GC_hidden_pointer)(pointer))
#define GC_REVEAL_POINTER(hidden) ((void *)GC_HIDE_POINTER(hidden))

// Another one, with which NULL remains 0.
#define GC_HIDE_NZ_POINTER(pointer) ((GC_hidden_pointer)(-(GC_signed_word)(pointer)))
#define GC_REVEAL_NZ_POINTER(hidden) ((void *)GC_HIDE_NZ_POINTER(hidden))

// GC_init with the defaults that a program was compiled with: of these macros, those that are defined before
// inclusion.  What the environment says comes first where there is such a variable.
//
//   GC_DONT_EXPAND                  GC_set_dont_expand(1)
//   GC_FORCE_UNMAP_ON_GCOLLECT      GC_set_force_unmap_on_gcollect(1)
//   GC_DONT_GC                      no collections: GC_dont_gc = 1
//   GC_MAX_RETRIES                  GC_set_max_retries of it, if not GC_DONT_GC
//   GC_ALLOCD_BYTES_PER_FINALIZER   GC_set_allocd_bytes_per_finalizer of it
//   GC_FREE_SPACE_DIVISOR           GC_set_free_space_divisor of it
//   GC_FULL_FREQ                    GC_set_full_freq of it
//   GC_TIME_LIMIT                   GC_set_time_limit of it
//   GC_MARKERS                      GC_set_markers_count of it, if GC_THREADS
//   GC_SIG_SUSPEND                  GC_set_suspend_signal of it, if GC_THREADS
//   GC_SIG_THR_RESTART              GC_set_thr_restart_signal of it, if GC_THREADS
//   GC_MAXIMUM_HEAP_SIZE            GC_set_max_heap_size of it
//   GC_IGNORE_WARN                  no warnings: GC_set_warn_proc(GC_ignore_warn_proc)
//   GC_INITIAL_HEAP_SIZE            a heap of at least so many bytes
#define GC_INIT()                      \
  {                                    \
    GC_INIT_DONT_EXPAND                \
    GC_INIT_FORCE_UNMAP_ON_GCOLLECT    \
    GC_INIT_MAX_RETRIES                \
    GC_INIT_ALLOCD_BYTES_PER_FINALIZER \
    GC_INIT_FREE_SPACE_DIVISOR         \
    GC_INIT_FULL_FREQ                  \
    GC_INIT_TIME_LIMIT                 \
    GC_INIT_MARKERS                    \
    GC_INIT_SIG_SUSPEND                \
    GC_INIT_SIG_THR_RESTART            \
    GC_INIT_MAXIMUM_HEAP_SIZE          \
    GC_init();                         \
    GC_INIT_IGNORE_WARN                \
    GC_INIT_INITIAL_HEAP_SIZE          \
  }

#ifdef GC_DONT_EXPAND
#define GC_INIT_DONT_EXPAND GC_set_dont_expand(1);
#else
#define GC_INIT_DONT_EXPAND
#endif
#ifdef GC_FORCE_UNMAP_ON_GCOLLECT
#define GC_INIT_FORCE_UNMAP_ON_GCOLLECT GC_set_force_unmap_on_gcollect(1);
#else
#define GC_INIT_FORCE_UNMAP_ON_GCOLLECT
#endif
#if defined(GC_DONT_GC)
#define GC_INIT_MAX_RETRIES GC_dont_gc = 1;
#elif defined(GC_MAX_RETRIES)
#define GC_INIT_MAX_RETRIES GC_set_max_retries(GC_MAX_RETRIES);
#else
#define GC_INIT_MAX_RETRIES
#endif
#ifdef GC_ALLOCD_BYTES_PER_FINALIZER
#define GC_INIT_ALLOCD_BYTES_PER_FINALIZER GC_set_allocd_bytes_per_finalizer(GC_ALLOCD_BYTES_PER_FINALIZER);
#else
#define GC_INIT_ALLOCD_BYTES_PER_FINALIZER
#endif
#ifdef GC_FREE_SPACE_DIVISOR
#define GC_INIT_FREE_SPACE_DIVISOR GC_set_free_space_divisor(GC_FREE_SPACE_DIVISOR);
#else
#define GC_INIT_FREE_SPACE_DIVISOR
#endif
#ifdef GC_FULL_FREQ
#define GC_INIT_FULL_FREQ GC_set_full_freq(GC_FULL_FREQ);
#else
#define GC_INIT_FULL_FREQ
#endif
#ifdef GC_TIME_LIMIT
#define GC_INIT_TIME_LIMIT GC_set_time_limit(GC_TIME_LIMIT);
#else
#define GC_INIT_TIME_LIMIT
#endif
#if defined(GC_MARKERS) && defined(GC_THREADS)
#define GC_INIT_MARKERS GC_set_markers_count(GC_MARKERS);
#else
#define GC_INIT_MARKERS
#endif
#if defined(GC_SIG_SUSPEND) && defined(GC_THREADS)
#define GC_INIT_SIG_SUSPEND GC_set_suspend_signal(GC_SIG_SUSPEND);
#else
#define GC_INIT_SIG_SUSPEND
#endif
#if defined(GC_SIG_THR_RESTART) && defined(GC_THREADS)
#define GC_INIT_SIG_THR_RESTART GC_set_thr_restart_signal(GC_SIG_THR_RESTART);
#else
#define GC_INIT_SIG_THR_RESTART
#endif
#ifdef GC_MAXIMUM_HEAP_SIZE
#define GC_INIT_MAXIMUM_HEAP_SIZE GC_set_max_heap_size(GC_MAXIMUM_HEAP_SIZE);
#else
#define GC_INIT_MAXIMUM_HEAP_SIZE
#endif
#ifdef GC_IGNORE_WARN
#define GC_INIT_IGNORE_WARN GC_set_warn_proc(GC_ignore_warn_proc);
#else
#define GC_INIT_IGNORE_WARN
#endif
#ifdef GC_INITIAL_HEAP_SIZE
#define GC_INIT_INITIAL_HEAP_SIZE                  \
  if (GC_get_heap_size() < (GC_INITIAL_HEAP_SIZE)) \
    (void)GC_expand_hp((GC_INITIAL_HEAP_SIZE)-GC_get_heap_size());
#else
#define GC_INIT_INITIAL_HEAP_SIZE
#endif

#ifdef __cplusplus
}
#endif

// ---- Thread functions ----------------------------------------------------------------------------------
// With GC_THREADS defined before inclusion, as libgc asks, pthread_create and its kin become the functions
// below, so that a thread is attached before its first instruction and its argument and result are safe at
// every moment.

#if defined(GC_THREADS) || defined(GC_PTHREADS_DECLARE)
#include <pthread.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif
GC_API int GC_CALL GC_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                     void *(*start)(void *), void *argument);
// As pthread_join; collections do not stop who waits here, as in GC_do_blocking.
GC_API int GC_CALL GC_pthread_join(pthread_t thread, void **result);
GC_API int GC_CALL GC_pthread_detach(pthread_t thread);
GC_API int GC_CALL GC_pthread_cancel(pthread_t thread);
GC_API void GC_CALL GC_pthread_exit(void *result) __attribute__((noreturn));
// As pthread_sigmask, except that the stop signal is never blocked.
GC_API int GC_CALL GC_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
// As dlopen.
GC_API void *GC_CALL GC_dlopen(const char *path, int mode);
#ifdef __cplusplus
}
#endif

#if defined(GC_THREADS) && !defined(GC_NO_THREAD_REDIRECTS)
#define pthread_create GC_pthread_create
#define pthread_join GC_pthread_join
#define pthread_detach GC_pthread_detach
#define pthread_cancel GC_pthread_cancel
#define pthread_exit GC_pthread_exit
#define pthread_sigmask GC_pthread_sigmask
#define dlopen GC_dlopen
#endif
#endif

#endif
