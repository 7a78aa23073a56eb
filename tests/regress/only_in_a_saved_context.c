// An object vanished whose only pointer was in a saved context, a jmp_buf or a ucontext_t, on the stack or in
// the heap.

#include <setjmp.h>
#include <ucontext.h>

#include "tests/regress/objects.h"

#if defined(__x86_64__)

__attribute__((noinline)) static void
save_pointer(ucontext_t *context, uintptr_t object) {
  getcontext(context);
  context->uc_mcontext.gregs[REG_RBX] = (greg_t)~object;
}

static void
check_context(const char *where, ucontext_t *context) {
  hidden object = new_hidden();
  save_pointer(context, object);
  collect();
  tap_ok(is_there(object), "ucontext_t %s", where);
}

// The caller's rbx, as setjmp finds it.
__attribute__((noinline)) static void
fill_jmp_buf(jmp_buf *buffer, uintptr_t object) {
  ((uintptr_t *)buffer)[0] = ~object; // where glibc keeps rbx, which it does not mangle
}

static void
check_jmp_buf(const char *where, jmp_buf *buffer) {
  hidden object = new_hidden();
  if (setjmp(*buffer) == 0)
    fill_jmp_buf(buffer, object);
  collect();
  tap_ok(is_there(object), "jmp_buf %s", where);
}

int
main(void) {
  ucontext_t context;
  static ucontext_t static_context;
  jmp_buf buffer;
  static jmp_buf static_buffer;
  GC_INIT();
  check_context("on the stack", &context);
  check_context("in static data", &static_context);
  ucontext_t *volatile heap_context = GC_malloc(sizeof *heap_context);
  check_context("in the heap", heap_context);
  check_jmp_buf("on the stack", &buffer);
  check_jmp_buf("in static data", &static_buffer);
  jmp_buf *volatile heap_buffer = GC_malloc(sizeof *heap_buffer);
  check_jmp_buf("in the heap", heap_buffer);
  return tap_done();
}

#else

int
main(void) {
  tap_skip("written for x86-64", "an object only in a saved context");
  return tap_done();
}

#endif
