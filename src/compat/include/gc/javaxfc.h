/* What implementations of Java need: gc.h's GC_finalize_all, and threads that other threads suspend. */

#ifndef GC_JAVAXFC_H
#define GC_JAVAXFC_H

#include "gc.h"

#ifdef GC_THREADS

#ifdef __cplusplus
extern "C" {
#endif

/* Let a thread stand still from the next place on where it can, at the latest when this returns, until
   GC_resume_thread; it need not be called as often as this was.  A thread may suspend itself.  A thread that
   the collector does not know is left alone.  A suspended thread may hold any lock of the program's or of the
   C library's. */
GC_API void GC_CALL GC_suspend_thread(GC_SUSPEND_THREAD_ID thread);
GC_API void GC_CALL GC_resume_thread(GC_SUSPEND_THREAD_ID thread);

/* 1 if the thread is suspended, else 0. */
GC_API int GC_CALL GC_is_thread_suspended(GC_SUSPEND_THREAD_ID thread);

#ifdef __cplusplus
}
#endif

#endif

#endif
