/* With GC_THREADS, pthread_create and its kin become GC_pthread_create and its kin, which gc.h describes.

   Not with GC_NO_THREAD_REDIRECTS; and GC_NO_DLOPEN, GC_NO_PTHREAD_SIGMASK and GC_NO_PTHREAD_CANCEL leave out
   one each.  A program that has undone the redirections gets them back by including this file again. */

#include "gc.h"

#ifdef GC_THREADS

/* What GC_suspend_thread takes (javaxfc.h). */
#ifndef GC_SUSPEND_THREAD_ID
#define GC_SUSPEND_THREAD_ID pthread_t
#endif

#ifndef GC_NO_THREAD_REDIRECTS
#undef pthread_create
#undef pthread_join
#undef pthread_detach
#undef pthread_exit
#undef pthread_cancel
#undef pthread_sigmask
#undef dlopen
#define pthread_create GC_pthread_create
#define pthread_join GC_pthread_join
#define pthread_detach GC_pthread_detach
#define pthread_exit GC_pthread_exit
#ifndef GC_NO_PTHREAD_CANCEL
#define pthread_cancel GC_pthread_cancel
#endif
#ifndef GC_NO_PTHREAD_SIGMASK
#define pthread_sigmask GC_pthread_sigmask
#endif
#ifndef GC_NO_DLOPEN
#define dlopen GC_dlopen
#endif
#endif

#endif
