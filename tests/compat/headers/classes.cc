// The classes and placements of gc_cpp.h, and the ordinary new and delete of libgccpp.

#define GC_ATOMIC_UNCOLLECTABLE
#include <gc_cpp.h>

#include <cstdlib>
#include <new>

#include "check.h"

#define NOINLINE __attribute__((noinline))

namespace {

// Counted apart, because an object that a stale word keeps may go at any time.
enum { ALONE, LATE, BASE, MEMBER, DELETED, REFUSING, CLEANED, COUNTERS };
int destroyed[COUNTERS];

class plain : public gc {
public:
  plain() : next(0) {
  }
  plain *next;
  long numbers[4];
};

template <int WHICH> class counted : public gc_cleanup {
public:
  ~counted() {
    destroyed[WHICH]++;
  }
  long numbers[4];
};

class first_base {
public:
  virtual ~first_base() {
  }
  long before[3];
};

// The part that registers the finalizer does not begin where the object does.
class late : public first_base, public counted<BASE> {
public:
  ~late() {
    destroyed[LATE]++;
  }
};

// Not derived itself.
class holder : public plain {
public:
  counted<MEMBER> member;
};

class refusing : public counted<REFUSING> {
public:
  refusing() {
    throw 1;
  }
};

extern "C" void
clean(void *object, void *data) {
  destroyed[CLEANED] += *static_cast<int *>(object) == 7 && data == destroyed;
}

// What `create` made becomes garbage but for what it holds itself.
template <class Type>
NOINLINE void
drop(garbage *garbage, Type *(*create)()) {
  for (int i = 0; i < GARBAGE_MAX; i++)
    garbage_add(garbage, create());
}

template <class Type>
int
are_reclaimed(Type *(*create)()) {
  garbage *garbage = static_cast<struct garbage *>(GC_malloc_atomic_uncollectable(sizeof *garbage));
  garbage->count = 0;
  drop(garbage, create);
  return most_are_gone(garbage);
}

template <class Type>
int
are_kept(Type *(*create)()) {
  garbage *garbage = static_cast<struct garbage *>(GC_malloc_atomic_uncollectable(sizeof *garbage));
  garbage->count = 0;
  drop(garbage, create);
  return none_is_gone(garbage);
}

plain *
create_plain() {
  return new plain;
}
plain *
create_plain_uncollected() {
  return new (NoGC) plain;
}
plain *
create_plain_array() {
  return new plain[3];
}
int *
create_ints() {
  return new (GC) int[5];
}
int *
create_ints_pointer_free() {
  return new (PointerFreeGC) int[5];
}
int *
create_ints_uncollected() {
  return new (PointerFreeNoGC) int[5];
}
int *
create_ints_ordinary() {
  return new int[5];
}

// The only pointer to a new object is in what `holds` gives.
template <class Holder>
NOINLINE void
hold(garbage *garbage, void **table, Holder *(*holds)()) {
  for (int i = 0; i < GARBAGE_MAX; i++) {
    plain *object = new plain;
    Holder *holder = holds();
    holder[0] = object;
    garbage_add(garbage, object);
    table[i] = holder;
  }
}

template <class Holder>
int
are_held(Holder *(*holds)()) {
  garbage *garbage = static_cast<struct garbage *>(GC_malloc_atomic_uncollectable(sizeof *garbage));
  void **table = new (NoGC) void *[GARBAGE_MAX];
  garbage->count = 0;
  hold(garbage, table, holds);
  return none_is_gone(garbage);
}

void **
holder_collected() {
  return new (GC) void *[2];
}
void **
holder_uncollected() {
  return new (NoGC) void *[2];
}
void **
holder_pointer_free() {
  return new (PointerFreeGC) void *[2];
}
void **
holder_ordinary() {
  return new void *[2];
}

template <class Type>
NOINLINE void
drop_1000() {
  for (int i = 0; i < 1000; i++)
    new Type;
}
NOINLINE void
drop_deleted() {
  for (int i = 0; i < 1000; i++)
    delete new counted<DELETED>;
}
NOINLINE void
drop_refusing() {
  for (int i = 0; i < 1000; i++)
    try {
      new refusing;
    } catch (int) {
    }
}
NOINLINE void
drop_with_clean_up() {
  for (int i = 0; i < 1000; i++)
    *new (GC, clean, destroyed) int = 7;
}

void
objects() {
  plain *object = new plain, array[2], *placed = new (static_cast<void *>(array)) plain;
  check("gc: an object's start", GC_base(object) == object);
  check("gc: placed where it is told to be", placed == array);
  check("gc: reclaimed", are_reclaimed(create_plain));
  check("gc: an array is reclaimed", are_reclaimed(create_plain_array));
  check("gc: NoGC is kept", are_kept(create_plain_uncollected));
  check("GC is reclaimed", are_reclaimed(create_ints));
  check("PointerFreeGC is reclaimed", are_reclaimed(create_ints_pointer_free));
  check("PointerFreeNoGC is kept", are_kept(create_ints_uncollected));
  check("ordinary new is kept", are_kept(create_ints_ordinary));
  check("GC is searched", are_held(holder_collected));
  check("NoGC is searched", are_held(holder_uncollected));
  check("PointerFreeGC is not searched", !are_held(holder_pointer_free));
  check("ordinary new is searched", are_held(holder_ordinary));
  delete object;
}

// Most of 1000, and none twice.
int
most(int which) {
  return destroyed[which] >= 900 && destroyed[which] <= 1000;
}

void
destructors() {
  counted<ALONE> on_the_stack;
  drop_1000<counted<ALONE>>();
  drop_1000<late>();
  drop_1000<holder>();
  drop_deleted();
  drop_refusing();
  drop_with_clean_up();
  for (int i = 0; i < 3; i++) {
    GC_gcollect();
    GC_invoke_finalizers();
  }
  check("gc_cleanup: destroyed", most(ALONE));
  check("gc_cleanup: the whole object", most(LATE) && destroyed[LATE] == destroyed[BASE]);
  check("gc_cleanup: a member", most(MEMBER));
  check("gc_cleanup: deleted, destroyed once", destroyed[DELETED] == 1000);
  check("gc_cleanup: not constructed, destroyed as far as it was", destroyed[REFUSING] == 1000);
  check("gc_cleanup: not in the heap", GC_base(&on_the_stack) == 0);
  check("a clean-up function is called", most(CLEANED));
}

template <class Function>
int
throws(Function function) {
  try {
    function();
  } catch (std::bad_alloc &) {
    return 1;
  }
  return 0;
}

char *volatile kept; // or the compiler would leave the allocation out
volatile std::size_t too_many = static_cast<std::size_t>(1) << 46;

void
array_collected() {
  kept = new (GC) char[too_many];
}
void
array_ordinary() {
  kept = new char[too_many];
}

void
memory_is_short() {
  GC_set_warn_proc(GC_ignore_warn_proc);
  check("bad_alloc from a placement", throws(array_collected));
  check("bad_alloc from ordinary new", throws(array_ordinary));
  kept = new (std::nothrow) char[too_many];
  check("no bad_alloc from nothrow", kept == 0);
}

} // namespace

int
main() {
  GC_INIT();
  objects();
  destructors();
  memory_is_short();
}
