/* What libgc's headers know of the compiler and the system, for programs that ask for it. */

#ifndef GC_CONFIG_MACROS_H
#define GC_CONFIG_MACROS_H

#include "gc.h"

#define __GC

/* Is this GCC, or what takes itself for it, of at least that version? */
#if defined(__GNUC__) && defined(__GNUC_MINOR__)
#define GC_GNUC_PREREQ(major, minor) \
  (__GNUC__ > (major) || (__GNUC__ == (major) && __GNUC_MINOR__ >= (minor)))
#else
#define GC_GNUC_PREREQ(major, minor) 0
#endif

/* The bytes of a pointer. */
#define GC_SIZEOF_PTR __SIZEOF_POINTER__

/* Which threads GC_THREADS means: the system's, and they are POSIX threads. */
#ifdef GC_THREADS
#define GC_PTHREADS
#if defined(__linux__) && !defined(GC_LINUX_THREADS)
#define GC_LINUX_THREADS
#elif defined(__FreeBSD__) && !defined(GC_FREEBSD_THREADS)
#define GC_FREEBSD_THREADS
#elif defined(__APPLE__) && !defined(GC_DARWIN_THREADS)
#define GC_DARWIN_THREADS
#endif
#define GC_HAVE_PTHREAD_EXIT
#define GC_PTHREAD_EXIT_DECLARED
#define GC_PTHREAD_EXIT_ATTRIBUTE __attribute__((noreturn))
#ifndef GC_PTHREAD_CREATE_CONST
#define GC_PTHREAD_CREATE_CONST const
#endif
#endif

/* Functions for debugging take a file name and a line, and no return address. */
#if defined(__linux__) || defined(__GLIBC__)
#define GC_HAVE_BUILTIN_BACKTRACE
#define GC_CAN_SAVE_CALL_STACKS
#endif

/* Attributes that gc.h does without. */
#ifndef GC_ATTR_CALLOC_SIZE
#ifdef __GNUC__
#define GC_ATTR_CALLOC_SIZE(count, bytes) __attribute__((alloc_size(count, bytes)))
#else
#define GC_ATTR_CALLOC_SIZE(count, bytes)
#endif
#endif
#ifndef GC_ATTR_CONST
#ifdef __GNUC__
#define GC_ATTR_CONST __attribute__((const))
#else
#define GC_ATTR_CONST
#endif
#endif

/* C++ that is older in some dialects. */
#ifdef __cplusplus
#ifndef GC_ATTR_EXPLICIT
#if __cplusplus >= 201103L && !defined(__clang__)
#define GC_ATTR_EXPLICIT explicit
#else
#define GC_ATTR_EXPLICIT
#endif
#endif
#ifndef GC_NOEXCEPT
#if __cplusplus >= 201103L
#define GC_NOEXCEPT noexcept
#else
#define GC_NOEXCEPT throw()
#endif
#endif
#ifndef GC_CONSTEXPR
#if __cplusplus >= 202002L
#define GC_CONSTEXPR constexpr
#else
#define GC_CONSTEXPR
#endif
#endif
#endif

#endif
