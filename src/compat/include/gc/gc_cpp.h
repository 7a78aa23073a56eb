// Collected objects in C++.
//
//     class node : public gc { ... };               new node is collected, new (NoGC) node is not
//     class file : public gc_cleanup { ... };       and its destructor is called before it is reclaimed
//     int *table = new (PointerFreeGC) int[1000];   of any type, by placement
//
// The placements: UseGC is collected (GC_malloc), PointerFreeGC collected and not searched
// (GC_malloc_atomic), NoGC searched and not collected (GC_malloc_uncollectable).  GC is another name for
// UseGC unless GC_NAME_CONFLICT is defined; with GC_ATOMIC_UNCOLLECTABLE there is PointerFreeNoGC, which is
// neither.  With GC_NAMESPACE the names are in the namespace boehmgc.
//
// What is deleted is destroyed and freed at once, whatever it is.  A collected object that is not deleted is
// destroyed only if its class is derived from gc_cleanup, or has a member of such a class, and in the order
// of finalizers (gc.h): objects that refer to one another in a cycle are never destroyed nor reclaimed.  Of
// an array of them the first element alone is destroyed; give a clean-up function for the others.
//
// The ordinary new and delete are the collector's, as NoGC, in programs that are linked with libgccpp.
//
// Out of memory: std::bad_alloc is thrown, by GC_throw_bad_alloc of libgccpp or libgctba, or, if
// GC_INCLUDE_NEW is defined, without a library; with GC_NEW_ABORTS_ON_OOM the program is aborted.

#ifndef GC_CPP_H
#define GC_CPP_H

#include "gc.h"

#ifdef GC_NAMESPACE
#define GC_NS_QUALIFY(name) boehmgc::name
#else
#define GC_NS_QUALIFY(name) name
#endif
#define GC_cdecl GC_CALLBACK

// The compiler has operator new[] and calls the operator delete that belongs to a placement.
#ifndef GC_NO_OPERATOR_NEW_ARRAY
#define GC_OPERATOR_NEW_ARRAY
#endif
#define GC_PLACEMENT_DELETE

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS)
#define GC_OP_NEW_OOM_CHECK(object) \
  do {                              \
    if (!(object))                  \
      GC_abort_on_oom();            \
  } while (0)
#elif defined(GC_INCLUDE_NEW)
#include <new>
#define GC_OP_NEW_OOM_CHECK(object) \
  do {                              \
    if (!(object))                  \
      throw std::bad_alloc();       \
  } while (0)
#else
// Throw std::bad_alloc.
GC_API void GC_CALL GC_throw_bad_alloc();
#define GC_OP_NEW_OOM_CHECK(object) \
  do {                              \
    if (!(object))                  \
      GC_throw_bad_alloc();         \
  } while (0)
#endif

#ifdef GC_NAMESPACE
namespace boehmgc {
#endif

enum GCPlacement {
  UseGC,
#ifndef GC_NAME_CONFLICT
  GC = UseGC,
#endif
  NoGC,
  PointerFreeGC
#ifdef GC_ATOMIC_UNCOLLECTABLE
  ,
  PointerFreeNoGC
#endif
};

// What is called, with the object and `data`, instead of the destructor.
extern "C" {
typedef void(GC_CALLBACK *GCCleanUpFunc)(void *object, void *data);
}

// An object where the placement says, or NULL.
inline void *
GC_place(size_t bytes, GCPlacement placement) {
  switch (placement) {
  case UseGC:
    return GC_MALLOC(bytes);
  case PointerFreeGC:
    return GC_MALLOC_ATOMIC(bytes);
#ifdef GC_ATOMIC_UNCOLLECTABLE
  case PointerFreeNoGC:
    return GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes);
#endif
  default:
    return GC_MALLOC_UNCOLLECTABLE(bytes);
  }
}

// The base of classes whose objects are collected.
class gc {
public:
  void *
  operator new(size_t bytes) {
    return operator new(bytes, UseGC);
  }
  void *
  operator new(size_t bytes, GCPlacement placement) {
    void *object = GC_place(bytes, placement);
    GC_OP_NEW_OOM_CHECK(object);
    return object;
  }
  void *
  operator new(size_t, void *place) GC_NOEXCEPT {
    return place;
  }
  void
  operator delete(void *object) GC_NOEXCEPT {
    GC_FREE(object);
  }
  void
  operator delete(void *object, GCPlacement) GC_NOEXCEPT {
    GC_FREE(object);
  }
  void
  operator delete(void *, void *) GC_NOEXCEPT {
  }

#ifdef GC_OPERATOR_NEW_ARRAY
  void *
  operator new[](size_t bytes) {
    return operator new(bytes, UseGC);
  }
  void *
  operator new[](size_t bytes, GCPlacement placement) {
    return operator new(bytes, placement);
  }
  void *
  operator new[](size_t, void *place) GC_NOEXCEPT {
    return place;
  }
  void
  operator delete[](void *object) GC_NOEXCEPT {
    GC_FREE(object);
  }
  void
  operator delete[](void *object, GCPlacement) GC_NOEXCEPT {
    GC_FREE(object);
  }
  void
  operator delete[](void *, void *) GC_NOEXCEPT {
  }
#endif
};

// The base of classes whose objects are collected, and destroyed before.
class gc_cleanup : virtual public gc {
public:
  // The finalizer belongs to the whole object, of which this may be a part.  The first part to register one
  // stays in charge: its destructor is the whole object's, or no other is called.
  gc_cleanup() {
    void *part = this;
    void *whole = GC_base(part);
    if (!whole)
      return; // on a stack, say
    GC_finalization_proc before = 0;
    void *data = 0;
    void *offset = reinterpret_cast<void *>(static_cast<char *>(part) - static_cast<char *>(whole));
    GC_register_finalizer_ignore_self(whole, cleanup, offset, &before, &data);
    if (before)
      GC_register_finalizer_ignore_self(whole, before, data, 0, 0);
  }
  virtual ~gc_cleanup() {
    void *whole = GC_base(this);
    if (whole)
      GC_register_finalizer_ignore_self(whole, 0, 0, 0, 0);
  }

private:
  static void GC_cdecl
  cleanup(void *whole, void *offset) {
    void *part = static_cast<char *>(whole) + reinterpret_cast<ptrdiff_t>(offset);
    static_cast<gc_cleanup *>(part)->~gc_cleanup();
  }
};

#ifdef GC_NAMESPACE
}
#endif

// An object of any type where the placement says.  A clean-up function, for collected objects only, is called
// when the object cannot be reached any more; the object may not be deleted then, nor be a gc_cleanup.
inline void *
operator new(size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) cleanup = 0,
             void *data = 0) {
  void *object = GC_NS_QUALIFY(GC_place)(bytes, placement);
  GC_OP_NEW_OOM_CHECK(object);
  if (placement == GC_NS_QUALIFY(UseGC) && cleanup)
    GC_REGISTER_FINALIZER_IGNORE_SELF(object, cleanup, data, 0, 0);
  return object;
}

// What is called when a constructor throws.
inline void
operator delete(void *object, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc), void *) GC_NOEXCEPT {
  GC_FREE(object);
}

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *
operator new[](size_t bytes, GC_NS_QUALIFY(GCPlacement) placement, GC_NS_QUALIFY(GCCleanUpFunc) cleanup = 0,
               void *data = 0) {
  return ::operator new(bytes, placement, cleanup, data);
}

inline void
operator delete[](void *object, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc),
                  void *) GC_NOEXCEPT {
  GC_FREE(object);
}
#endif

#endif
