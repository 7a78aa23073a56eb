// The allocators of gc_allocator.h in the containers of the library.

#include <gc/gc_allocator.h>
#include <gc/gc_cpp.h>

#include <list>
#include <map>
#include <string>
#include <vector>

#include "check.h"

struct numbers {
  unsigned long hidden;
  unsigned long others[3];
};
GC_DECLARE_PTRFREE(numbers);

#define NOINLINE __attribute__((noinline))

namespace {

typedef std::vector<void *, gc_allocator<void *>> collected;
typedef std::vector<void *, gc_allocator_ignore_off_page<void *>> collected_off_page;
typedef std::vector<void *, traceable_allocator<void *>> traceable;
typedef std::vector<unsigned long, gc_allocator<unsigned long>> pointer_free;
typedef std::vector<numbers, gc_allocator<numbers>> declared_pointer_free;

struct garbage memory, objects;

void
append(collected &vector, void *object) {
  vector.push_back(object);
}
void
append(collected_off_page &vector, void *object) {
  vector.push_back(object);
}
void
append(traceable &vector, void *object) {
  vector.push_back(object);
}
void
append(pointer_free &vector, void *object) {
  vector.push_back(reinterpret_cast<unsigned long>(object));
}
void
append(declared_pointer_free &vector, void *object) {
  numbers numbers = {reinterpret_cast<unsigned long>(object), {0, 0, 0}};
  vector.push_back(numbers);
}

// Each of many containers in *table has the only pointer to an object.
template <class Container>
NOINLINE void
fill(Container **table) {
  memory.count = objects.count = 0;
  for (int i = 0; i < GARBAGE_MAX; i++) {
    table[i] = new (NoGC) Container;
    void *object = GC_MALLOC(40);
    append(*table[i], object);
    garbage_add(&objects, object);
    garbage_add(&memory, static_cast<void *>(&table[i]->front()));
  }
}

// Forget the containers without destroying them.
template <class Container>
NOINLINE void
forget(Container **table) {
  for (int i = 0; i < GARBAGE_MAX; i++)
    GC_FREE(table[i]);
  GC_FREE(table);
}

template <class Container>
void
container(const char *name, bool searched, bool is_collected) {
  Container **table = new (NoGC) Container *[GARBAGE_MAX];
  fill(table);
  std::string title(name);
  if (searched)
    check((title + " keeps what it holds").c_str(), none_is_gone(&objects));
  else
    check((title + " does not keep what it holds").c_str(), most_are_gone(&objects));
  check((title + " keeps its memory").c_str(), none_is_gone(&memory));
  forget(table);
  if (is_collected)
    check((title + " is reclaimed").c_str(), most_are_gone(&memory));
  else
    check((title + " is not reclaimed").c_str(), none_is_gone(&memory));
}

void
containers_with_nodes() {
  typedef std::pair<const int, int *> entry;
  std::list<int *, gc_allocator<int *>> list;
  std::map<int, int *, std::less<int>, traceable_allocator<entry>> map;
  for (int i = 0; i < 10000; i++) {
    list.push_back(new (GC) int(i));
    map[i] = new (PointerFreeGC) int(i);
    if (i % 3000 == 0)
      GC_gcollect();
  }
  int next = 0, same = 1;
  for (std::list<int *, gc_allocator<int *>>::iterator i = list.begin(); i != list.end(); ++i)
    same &= **i == next++;
  for (int i = 0; i < 10000; i++)
    same &= *map[i] == i;
  check("a list and a map", same && next == 10000);
  check("nodes are objects", GC_base(&list.front()) != 0 && GC_base(&map.begin()->second) != 0);
}

void
parts() {
  gc_allocator<int> ints, others;
  gc_allocator<char> chars(ints);
  gc_allocator<int>::rebind<void *>::other pointers(ints);
  check("equal", ints == others && ints == chars && !(ints != pointers));
  check("as large as addresses allow", ints.max_size() == static_cast<std::size_t>(-1) / sizeof(int));
  int *object = ints.allocate(10);
  ints.construct(object, 7);
  check("address", ints.address(*object) == object && *object == 7);
  ints.destroy(object);
  ints.deallocate(object, 10);
  volatile std::size_t too_many = static_cast<std::size_t>(1) << 44;
  int thrown = 0;
  try {
    ints.allocate(too_many);
  } catch (std::bad_alloc &) {
    thrown++;
  }
  try {
    traceable_allocator<int>().allocate(too_many);
  } catch (std::bad_alloc &) {
    thrown++;
  }
  check("bad_alloc", thrown == 2);
}

} // namespace

int
main() {
  GC_INIT();
  GC_set_warn_proc(GC_ignore_warn_proc);
  container<collected>("gc_allocator", true, true);
  container<collected_off_page>("gc_allocator_ignore_off_page", true, true);
  container<traceable>("traceable_allocator", true, false);
  container<pointer_free>("gc_allocator of numbers", false, true);
  container<declared_pointer_free>("gc_allocator of what is declared pointer-free", false, true);
  containers_with_nodes();
  parts();
}
