// A shared library that holds a pointer in each of its kinds of variables; for only_in_a_library.c.

void *holder_data = (void *)1;
void *holder_bss;
static __thread void *holder_thread_bss;
static __thread void *holder_thread_data = (void *)1;
static __thread char holder_padding[5000];

void **
holder_thread(int initialised) {
  holder_padding[4999] = 1;
  return initialised ? &holder_thread_data : &holder_thread_bss;
}
