// Valgrind's client requests, where its header is; nothing elsewhere.
//
// Conservative marking reads memory that the program never wrote and branches on it: on purpose, so
// memcheck must not report it.  Stacks that it is not told of it takes for large frames.
#pragma once

#ifndef GC_HAVE_VALGRIND
#error "GC_HAVE_VALGRIND must be defined as 0 or 1"
#endif

#if GC_HAVE_VALGRIND
#include <valgrind/memcheck.h>
#define GC_VALGRIND_RUNNING() (RUNNING_ON_VALGRIND != 0)
#define GC_VALGRIND_BEGIN_CONSERVATIVE() VALGRIND_DISABLE_ERROR_REPORTING
#define GC_VALGRIND_END_CONSERVATIVE() VALGRIND_ENABLE_ERROR_REPORTING
#define GC_VALGRIND_REGISTER_STACK(base, limit) VALGRIND_STACK_REGISTER(base, limit)
#define GC_VALGRIND_DEREGISTER_STACK(number) VALGRIND_STACK_DEREGISTER(number)
#else
#define GC_VALGRIND_RUNNING() 0
#define GC_VALGRIND_BEGIN_CONSERVATIVE() (void)0
#define GC_VALGRIND_END_CONSERVATIVE() (void)0
#define GC_VALGRIND_REGISTER_STACK(base, limit) 0u
#define GC_VALGRIND_DEREGISTER_STACK(number) (void)(number)
#endif
