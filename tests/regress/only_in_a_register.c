// An object vanished while its only pointer was in a callee-saved register of the thread that collected, or
// in any register of one that was stopped.

#include <pthread.h>
#include <stdatomic.h>

#include "tests/regress/objects.h"

#if defined(__x86_64__)

// Call GC_gcollect with the object's address in one register and its complement everywhere else.
#define COLLECT_WITH(register_name)                                                                    \
  __attribute__((noinline)) static uintptr_t collect_with_##register_name(uintptr_t hidden_address) {  \
    uintptr_t result;                                                                                  \
    __asm__ volatile("mov %%rsp, %%rcx\n\t"                                                            \
                     "sub $256, %%rsp\n\t"                                                             \
                     "and $-16, %%rsp\n\t"                                                             \
                     "push %%rcx\n\t"                                                                  \
                     "push %%rcx\n\t"                                                                  \
                     "mov %[hidden], %%" #register_name "\n\t"                                         \
                     "not %%" #register_name "\n\t"                                                    \
                     "xor %%eax, %%eax\n\t"                                                            \
                     "call GC_gcollect@PLT\n\t"                                                        \
                     "pop %%rcx\n\t"                                                                   \
                     "mov %%rcx, %%rsp\n\t"                                                            \
                     "mov %%" #register_name ", %[result]\n\t"                                         \
                     "not %[result]"                                                                   \
                     : [result] "=a"(result)                                                           \
                     : [hidden] "d"(hidden_address)                                                    \
                     : #register_name, "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc",  \
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                          \
    return result;                                                                                     \
  }

COLLECT_WITH(rbx)
COLLECT_WITH(r12)
COLLECT_WITH(r13)
COLLECT_WITH(r14)
COLLECT_WITH(r15)

static void
check_callee_saved(const char *name, uintptr_t (*collect_with)(uintptr_t hidden_address)) {
  hidden object = new_hidden();
  clear_stack();
  hidden same = collect_with(object);
  tap_ok(same == object && is_there(object), "%s across GC_gcollect", name);
}

static atomic_int spinning, released;

// Spin with the address in one register until released.
#define SPIN_WITH(register_name)                                              \
  static void *spin_with_##register_name(void *hidden_address) {              \
    clear_stack();                                                            \
    __asm__ volatile("mov %[hidden], %%" #register_name "\n\t"                \
                     "not %%" #register_name "\n\t"                           \
                     "movl $1, %[spinning]\n"                                 \
                     "1:\n\t"                                                 \
                     "pause\n\t"                                              \
                     "cmpl $0, %[released]\n\t"                               \
                     "je 1b\n\t"                                              \
                     "xor %%" #register_name ", %%" #register_name            \
                     : [spinning] "+m"(spinning)                              \
                     : [hidden] "a"(hidden_address), [released] "m"(released) \
                     : #register_name, "memory", "cc");                       \
    return NULL;                                                              \
  }

SPIN_WITH(rbx)
SPIN_WITH(rcx)
SPIN_WITH(rdx)
SPIN_WITH(rsi)
SPIN_WITH(rdi)
SPIN_WITH(r8)
SPIN_WITH(r9)
SPIN_WITH(r10)
SPIN_WITH(r11)
SPIN_WITH(r12)
SPIN_WITH(r13)
SPIN_WITH(r14)
SPIN_WITH(r15)

// A thread that never calls the collector by itself: it is attached at its start.
static void *(*spin_with)(void *hidden_address);

static void *
attach_and_spin(void *hidden_address) {
  GC_register_my_thread(NULL);
  return spin_with(hidden_address);
}

static void
check_stopped(const char *name, void *(*spin)(void *hidden_address)) {
  pthread_t thread;
  hidden object = new_hidden();
  spinning = released = 0;
  spin_with = spin;
  pthread_create(&thread, NULL, attach_and_spin, (void *)object);
  while (!spinning)
    continue;
  collect();
  bool kept = is_there(object);
  released = 1;
  pthread_join(thread, NULL);
  tap_ok(kept, "%s of a stopped thread", name);
}

int
main(void) {
  GC_INIT();
  check_callee_saved("rbx", collect_with_rbx);
  check_callee_saved("r12", collect_with_r12);
  check_callee_saved("r13", collect_with_r13);
  check_callee_saved("r14", collect_with_r14);
  check_callee_saved("r15", collect_with_r15);
  check_stopped("rbx", spin_with_rbx);
  check_stopped("rcx", spin_with_rcx);
  check_stopped("rdx", spin_with_rdx);
  check_stopped("rsi", spin_with_rsi);
  check_stopped("rdi", spin_with_rdi);
  check_stopped("r8", spin_with_r8);
  check_stopped("r9", spin_with_r9);
  check_stopped("r10", spin_with_r10);
  check_stopped("r11", spin_with_r11);
  check_stopped("r12", spin_with_r12);
  check_stopped("r13", spin_with_r13);
  check_stopped("r14", spin_with_r14);
  check_stopped("r15", spin_with_r15);
  return tap_done();
}

#else

int
main(void) {
  tap_skip("written for x86-64", "an object only in a register");
  return tap_done();
}

#endif
