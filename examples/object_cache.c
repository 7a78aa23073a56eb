// A cache that gives way.  Which numbers are prime is computed a page at a time, and pages are kept behind
// soft references: as long as there is memory they stay, and each is computed once; when it is short they go,
// the program computes them again when it needs them, and its answers are the same.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc.h"

#define MIB ((size_t)1 << 20)

enum { PAGE_NUMBERS = 1 << 16, PAGES = 256, QUESTIONS = 3000 };
static const size_t PLENTY = 1024 * MIB, LITTLE = 6 * MIB; // all pages together are 16 MiB
static const size_t PRIMES_BELOW_2_TO_24 = 1077871;        // a known number: PAGES * PAGE_NUMBERS is 2^24

struct page {
  bool is_prime[PAGE_NUMBERS];
};

// ---- The cache -----------------------------------------------------------------------------------------

static GC_weak_ref *cache[PAGES];
static unsigned long hits, misses;

static struct page *new_page(size_t number);

// The page stays as long as the caller has a pointer to it.
static struct page *
get_page(size_t number) {
  struct page *page = cache[number] ? GC_weak_ref_get(cache[number]) : NULL;
  if (page) {
    hits++;
    return page;
  }
  misses++;
  page = new_page(number);
  cache[number] = GC_soft_ref_new(page); // without memory for it the page is just not kept
  return page;
}

// ---- What is costly ------------------------------------------------------------------------------------

static void
strike_multiples(struct page *page, size_t base, size_t divisor) {
  size_t first = divisor * divisor;
  if (first < base)
    first = (base + divisor - 1) / divisor * divisor;
  for (size_t multiple = first; multiple < base + PAGE_NUMBERS; multiple += divisor)
    page->is_prime[multiple - base] = false;
}

// The sieve of Eratosthenes.  Its divisors are the primes of page 0, which may have gone like any other.
static struct page *
new_page(size_t number) {
  struct page *page = GC_malloc_atomic(sizeof *page);
  if (!page) {
    fprintf(stderr, "no memory for a page\n");
    exit(EXIT_FAILURE);
  }
  const struct page *divisors = number == 0 ? page : get_page(0);
  size_t base = number * PAGE_NUMBERS;
  memset(page->is_prime, true, sizeof page->is_prime);
  if (number == 0)
    page->is_prime[0] = page->is_prime[1] = false;
  for (size_t divisor = 2; divisor * divisor < base + PAGE_NUMBERS; divisor++)
    if (divisors->is_prime[divisor])
      strike_multiples(page, base, divisor);
  return page;
}

// ---- The program ---------------------------------------------------------------------------------------

static bool
is_prime(size_t number) {
  return get_page(number / PAGE_NUMBERS)->is_prime[number % PAGE_NUMBERS];
}

static size_t
count_primes(void) {
  size_t count = 0;
  for (size_t number = 0; number < PAGES; number++) {
    const struct page *page = get_page(number);
    for (size_t i = 0; i < PAGE_NUMBERS; i++)
      count += page->is_prime[i];
  }
  return count;
}

// Goldbach's conjecture: an even number from 4 on is the sum of two primes.  The least of them.
static size_t
least_summand(size_t even) {
  size_t prime = 2;
  while (!is_prime(prime) || !is_prime(even - prime))
    prime++;
  return prime;
}

// The sum of the answers to some questions, the same ones each time.
static size_t
ask_questions(void) {
  size_t sum = 0;
  uint32_t random = 1;
  for (int i = 0; i < QUESTIONS; i++) {
    random = random * 1664525 + 1013904223; // Numerical Recipes' constants
    sum += least_summand(4 + 2 * (random % (PAGES * PAGE_NUMBERS / 2 - 2)));
  }
  return sum;
}

struct outcome {
  size_t primes, sum, heap_bytes;
  unsigned long misses;
};

static struct outcome
run_with(size_t limit_bytes, const char *how_much) {
  hits = misses = 0;
  GC_set_max_heap_size(limit_bytes);
  GC_gcollect_and_unmap(); // a heap that is above its limit does not shrink by itself
  struct outcome outcome = {.primes = count_primes()};
  GC_gcollect();
  outcome.sum = ask_questions();
  outcome.misses = misses;
  outcome.heap_bytes = GC_get_heap_size();
  printf("%s memory: %lu hits, %lu misses, heap of %zu MiB\n", how_much, hits, misses,
         outcome.heap_bytes / MIB);
  return outcome;
}

int
main(void) {
  GC_INIT();
  struct outcome plenty = run_with(PLENTY, "plenty of");
  struct outcome little = run_with(LITTLE, "little");
  bool right =
      plenty.primes == PRIMES_BELOW_2_TO_24 && little.primes == plenty.primes && little.sum == plenty.sum;
  bool kept = plenty.misses == PAGES;
  bool gave_way = little.misses > PAGES && little.heap_bytes <= LITTLE;
  printf("%zu primes; answers %s, pages %s, then %s\n", little.primes, right ? "right" : "WRONG",
         kept ? "kept" : "LOST", gave_way ? "gave way" : "DID NOT GIVE WAY");
  return right && kept && gave_way ? EXIT_SUCCESS : EXIT_FAILURE;
}
