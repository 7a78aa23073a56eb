// Random numbers that can be replayed: SplitMix64 (Steele, Lea, Flood 2014).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
  uint64_t state;
};

static inline uint64_t
random_mix(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  return word ^ (word >> 31);
}

static inline uint64_t
random_next(struct random *random) {
  random->state += 0x9e3779b97f4a7c15u;
  return random_mix(random->state);
}

// A number in [0, limit), limit > 0.
static inline size_t
random_below(struct random *random, size_t limit) {
  return (size_t)(random_next(random) % limit);
}

// A number in [low, high].
static inline size_t
random_between(struct random *random, size_t low, size_t high) {
  return low + random_below(random, high - low + 1);
}

// True once in n times.
static inline bool
random_one_in(struct random *random, size_t n) {
  return random_below(random, n) == 0;
}

// A size in [1, limit], mostly small: each doubling is about half as likely as the one before up to 4 KiB,
// then rarer.
static inline size_t
random_size(struct random *random, size_t limit) {
  static const size_t ceilings[16] = {32,  32,  32,  64,   64,   128,  128,  256,
                                      256, 512, 512, 1024, 2048, 4096, 8192, 65536};
  size_t ceiling = ceilings[random_below(random, 16)];
  if (ceiling == 65536 && random_one_in(random, 20))
    ceiling = random_one_in(random, 10) ? 8u << 20 : 1u << 20;
  return random_between(random, 1, ceiling < limit ? ceiling : limit);
}
