// Helper threads.  See helper.h.
#include "os/helper.h"

#include <pthread.h>
#include <signal.h>

enum { STACK_BYTES = 256 * 1024 };

static bool
start(const pthread_attr_t *attributes, void *(*main)(void *), void *argument) {
  pthread_t thread;
  sigset_t blocked, old;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGSEGV);
  pthread_sigmask(SIG_SETMASK, &blocked, &old);
  int error = pthread_create(&thread, attributes, main, argument);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error == 0;
}

bool
gc_os_start_helper(void *(*main)(void *), void *argument) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  bool started = start(&attributes, main, argument);
  pthread_attr_destroy(&attributes);
  return started;
}
