/* <gc/gc.h>: Loam's gc.h, which is the manual, and what libgc's has besides.

   The headers of this directory have the names of libgc's, so that programs written for it compile, and use
   block comments, because C90 knows no others. */

#ifndef LOAM_GC_GC_H
#define LOAM_GC_GC_H

/* Other names for GC_THREADS. */
#if !defined(GC_THREADS) && (defined(GC_LINUX_THREADS) || defined(LINUX_THREADS) || \
                             defined(GC_FREEBSD_THREADS) || defined(GC_DARWIN_THREADS))
#define GC_THREADS
#endif

/* With the linker's --wrap there is nothing to redirect. */
#if (defined(GC_USE_LD_WRAP) || defined(USE_LD_WRAP)) && !defined(GC_NO_THREAD_REDIRECTS)
#define GC_NO_THREAD_REDIRECTS
#endif

/* The redirected functions are declared before they get other names. */
#ifdef GC_THREADS
#ifndef _REENTRANT
#define _REENTRANT 1
#endif
#include <pthread.h>
#include <signal.h>
#ifndef GC_NO_DLOPEN
#include <dlfcn.h>
#endif
#endif

/* What is compiled with this header also runs on libgc's own library, which has no runs. */
#ifndef GC_INLINE_MALLOC
#define GC_INLINE_MALLOC 0
#endif

/* Loam's gc.h is not written in C90; as a system header it passes. */
#if defined(__GNUC__) && !defined(__cplusplus) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L)
#pragma GCC system_header
#endif
#include "loam.h"

#include "gc_config_macros.h"
#include "gc_pthread_redirects.h"
#include "gc_version.h"

/* Any pointer. */
typedef void *GC_PTR;

#endif
