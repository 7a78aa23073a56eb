// gc.h, "Debugging": finalizers of annotated objects.
//
// The object that is registered is the whole one; the program's finalizer gets the part that the program
// knows, by way of a function of ours.
#include "api/init.h"
#include "base/check.h"
#include "debug/annotation.h"
#include "gc.h"

struct closure {
  GC_finalization_proc finalizer;
  void *data;
};

typedef void register_function(void *object, GC_finalization_proc finalizer, void *client_data,
                               GC_finalization_proc *old_finalizer, void **old_data);

static void
call_closure(void *object, void *closure_) {
  const struct closure *closure = closure_;
  closure->finalizer((char *)object + GC_ANNOTATION_BYTES, closure->data);
}

// Stays where it is if nothing was registered.
static void
nothing_done(void *object, void *data) {
  (void)object;
  (void)data;
}

static void
store_old(const void *object, GC_finalization_proc finalizer, const struct closure *closure,
          GC_finalization_proc *old_finalizer, void **old_data) {
  if (finalizer == nothing_done)
    return;
  if (finalizer && finalizer != call_closure) {
    gc_log("the object at %p had a finalizer that was registered without debugging", object);
    return;
  }
  if (old_finalizer)
    *old_finalizer = finalizer ? closure->finalizer : NULL;
  if (old_data)
    *old_data = finalizer ? closure->data : NULL;
}

static struct closure *
make_closure(GC_finalization_proc finalizer, void *data) {
  struct closure *closure = GC_malloc(sizeof *closure);
  if (!closure)
    return NULL;
  closure->finalizer = finalizer;
  closure->data = data;
  GC_end_stubborn_change(closure);
  return closure;
}

// `caller` is the name of the function, and `base_function` what it does for objects without annotation.
static void
register_annotated(const char *caller, register_function *base_function, void *object,
                   GC_finalization_proc finalizer, void *data, GC_finalization_proc *old_finalizer,
                   void **old_data) {
  GC_finalization_proc old = nothing_done;
  void *old_closure = NULL;
  struct closure *closure = NULL;
  char *base = GC_base(object);
  if (!base) {
    store_old(object, NULL, NULL, old_finalizer, old_data);
    return;
  }
  if ((char *)object != base + GC_ANNOTATION_BYTES)
    gc_log("%s: %p was allocated without debugging", caller, object);
  if (finalizer && !(closure = make_closure(finalizer, data)))
    return;
  base_function(base, finalizer ? call_closure : NULL, closure, &old, &old_closure);
  store_old(object, old, old_closure, old_finalizer, old_data);
}

void
GC_debug_register_finalizer(void *object, GC_finalization_proc finalizer, void *client_data,
                            GC_finalization_proc *old_finalizer, void **old_data) {
  register_annotated("GC_debug_register_finalizer", GC_register_finalizer, object, finalizer, client_data,
                     old_finalizer, old_data);
}

void
GC_debug_register_finalizer_ignore_self(void *object, GC_finalization_proc finalizer, void *client_data,
                                        GC_finalization_proc *old_finalizer, void **old_data) {
  register_annotated("GC_debug_register_finalizer_ignore_self", GC_register_finalizer_ignore_self, object,
                     finalizer, client_data, old_finalizer, old_data);
}

void
GC_debug_register_finalizer_no_order(void *object, GC_finalization_proc finalizer, void *client_data,
                                     GC_finalization_proc *old_finalizer, void **old_data) {
  register_annotated("GC_debug_register_finalizer_no_order", GC_register_finalizer_no_order, object,
                     finalizer, client_data, old_finalizer, old_data);
}

void
GC_debug_register_finalizer_unreachable(void *object, GC_finalization_proc finalizer, void *client_data,
                                        GC_finalization_proc *old_finalizer, void **old_data) {
  register_annotated("GC_debug_register_finalizer_unreachable", GC_register_finalizer_unreachable, object,
                     finalizer, client_data, old_finalizer, old_data);
}
