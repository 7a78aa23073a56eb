// Allocators for the containers of C++'s library.
//
//     std::vector<node *, gc_allocator<node *> > nodes;           its memory is collected
//     std::vector<node *, traceable_allocator<node *> > table;    its memory is not, and is searched
//
// gc_allocator<T> is GC_malloc, or GC_malloc_atomic for types that hold no pointers: the arithmetic ones
// below and those that GC_DECLARE_PTRFREE names.  gc_allocator_ignore_off_page<T> is the same with the
// promise of GC_malloc_ignore_off_page.  traceable_allocator<T> is GC_malloc_uncollectable.  What a container
// gives up is freed at once.
//
// Out of memory: std::bad_alloc is thrown; with GC_NEW_ABORTS_ON_OOM the program is aborted.  With
// GC_NAMESPACE_ALLOCATOR the names are in the namespace boehmgc.

#ifndef GC_ALLOCATOR_H
#define GC_ALLOCATOR_H

#include "gc.h"

#include <new>
#if __cplusplus >= 201103L
#include <utility>
#endif

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS)
#define GC_ALLOCATOR_THROW_OR_ABORT() GC_abort_on_oom()
#else
#define GC_ALLOCATOR_THROW_OR_ABORT() throw std::bad_alloc()
#endif

#ifdef GC_NAMESPACE_ALLOCATOR
namespace boehmgc {
#endif

struct GC_true_type {};
struct GC_false_type {};

// Whether objects of a type hold no pointers to collected objects.
template <class T> struct GC_type_traits { GC_false_type GC_is_ptr_free; };
#define GC_DECLARE_PTRFREE(T) \
  template <> struct GC_type_traits<T> { GC_true_type GC_is_ptr_free; }
GC_DECLARE_PTRFREE(char);
GC_DECLARE_PTRFREE(signed char);
GC_DECLARE_PTRFREE(unsigned char);
GC_DECLARE_PTRFREE(signed short);
GC_DECLARE_PTRFREE(unsigned short);
GC_DECLARE_PTRFREE(signed int);
GC_DECLARE_PTRFREE(unsigned int);
GC_DECLARE_PTRFREE(signed long);
GC_DECLARE_PTRFREE(unsigned long);
GC_DECLARE_PTRFREE(float);
GC_DECLARE_PTRFREE(double);
GC_DECLARE_PTRFREE(long double);

inline void *
GC_allocated(void *object) {
  if (!object)
    GC_ALLOCATOR_THROW_OR_ABORT();
  return object;
}

inline void *
GC_selective_alloc(size_t bytes, GC_false_type, bool ignore_off_page) {
  return GC_allocated(ignore_off_page ? GC_MALLOC_IGNORE_OFF_PAGE(bytes) : GC_MALLOC(bytes));
}

inline void *
GC_selective_alloc(size_t bytes, GC_true_type, bool ignore_off_page) {
  return GC_allocated(ignore_off_page ? GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) : GC_MALLOC_ATOMIC(bytes));
}

// What the three have in common.
template <class T> class GC_allocator_base {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef T *pointer;
  typedef const T *const_pointer;
  typedef T &reference;
  typedef const T &const_reference;
  typedef T value_type;

  pointer
  address(reference object) const {
    return &object;
  }
  const_pointer
  address(const_reference object) const {
    return &object;
  }
  void
  deallocate(pointer objects, size_type) GC_NOEXCEPT {
    GC_FREE(objects);
  }
  size_type
  max_size() const GC_NOEXCEPT {
    return static_cast<size_type>(-1) / sizeof(T);
  }
#if __cplusplus >= 201103L
  template <class Any, class... Arguments>
  void
  construct(Any *object, Arguments &&...arguments) {
    ::new (static_cast<void *>(object)) Any(std::forward<Arguments>(arguments)...);
  }
  template <class Any>
  void
  destroy(Any *object) {
    object->~Any();
  }
#else
  void
  construct(pointer object, const T &value) {
    ::new (static_cast<void *>(object)) T(value);
  }
  void
  destroy(pointer object) {
    object->~T();
  }
#endif
};

template <> class GC_allocator_base<void> {
public:
  typedef size_t size_type;
  typedef ptrdiff_t difference_type;
  typedef void *pointer;
  typedef const void *const_pointer;
  typedef void value_type;
};

template <class T> class gc_allocator : public GC_allocator_base<T> {
public:
  template <class Other> struct rebind { typedef gc_allocator<Other> other; };
  gc_allocator() GC_NOEXCEPT {
  }
  template <class Other> gc_allocator(const gc_allocator<Other> &) GC_NOEXCEPT {
  }

  T *
  allocate(size_t count, const void * = 0) {
    return static_cast<T *>(GC_selective_alloc(count * sizeof(T), GC_type_traits<T>().GC_is_ptr_free, false));
  }
};

template <class T> class gc_allocator_ignore_off_page : public GC_allocator_base<T> {
public:
  template <class Other> struct rebind { typedef gc_allocator_ignore_off_page<Other> other; };
  gc_allocator_ignore_off_page() GC_NOEXCEPT {
  }
  template <class Other>
  gc_allocator_ignore_off_page(const gc_allocator_ignore_off_page<Other> &) GC_NOEXCEPT {
  }

  T *
  allocate(size_t count, const void * = 0) {
    return static_cast<T *>(GC_selective_alloc(count * sizeof(T), GC_type_traits<T>().GC_is_ptr_free, true));
  }
};

template <class T> class traceable_allocator : public GC_allocator_base<T> {
public:
  template <class Other> struct rebind { typedef traceable_allocator<Other> other; };
  traceable_allocator() GC_NOEXCEPT {
  }
  template <class Other> traceable_allocator(const traceable_allocator<Other> &) GC_NOEXCEPT {
  }

  T *
  allocate(size_t count, const void * = 0) {
    return static_cast<T *>(GC_allocated(GC_MALLOC_UNCOLLECTABLE(count * sizeof(T))));
  }
};

// What one of them allocated, another one of the same sort may free.
#define GC_ALLOCATORS_ARE_EQUAL(allocator)                                             \
  template <class T, class Other>                                                      \
  inline bool operator==(const allocator<T> &, const allocator<Other> &) GC_NOEXCEPT { \
    return true;                                                                       \
  }                                                                                    \
  template <class T, class Other>                                                      \
  inline bool operator!=(const allocator<T> &, const allocator<Other> &) GC_NOEXCEPT { \
    return false;                                                                      \
  }
GC_ALLOCATORS_ARE_EQUAL(gc_allocator)
GC_ALLOCATORS_ARE_EQUAL(gc_allocator_ignore_off_page)
GC_ALLOCATORS_ARE_EQUAL(traceable_allocator)
#undef GC_ALLOCATORS_ARE_EQUAL

#ifdef GC_NAMESPACE_ALLOCATOR
}
#endif

#endif
