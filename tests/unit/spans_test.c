// Spans against a slow truthful model: an array that says of each page whether it is beyond the frontier,
// clean, dirty or used.
#include <sys/mman.h>
#include <sys/resource.h>

#include "fixture.h"
#include "heap/ahead.h"
#include "os/files.h"
#include "os/writes.h"

enum { MODEL_PAGES = 2048, SPANS_MAX = 512, STEPS = 20000 };

enum model_state { MODEL_BEYOND, MODEL_CLEAN, MODEL_DIRTY, MODEL_USED };

struct model_span {
  uint32_t page, pages;
};

static struct {
  uint8_t pages[MODEL_PAGES + 1];
  struct model_span spans[SPANS_MAX];
  size_t span_count;
  uint32_t frontier;
} model;

static void
begin(const char *test) {
  fixture_heap(MODEL_PAGES * GC_PAGE_BYTES);
  memset(&model, 0, sizeof model);
  model.frontier = 1;
  model.pages[0] = MODEL_USED;
  random_begin(test);
}

// ---- What the model expects ----------------------------------------------------------------------------

static size_t
model_count(enum model_state state) {
  size_t count = 0;
  for (uint32_t page = 1; page < model.frontier; page++)
    count += model.pages[page] == state;
  return count;
}

static bool
model_may_grow(size_t pages) {
  size_t resident = model.frontier - 1 - model_count(MODEL_CLEAN);
  return gc_heap.max_bytes == 0 || (resident + pages) * GC_PAGE_BYTES <= gc_heap.max_bytes;
}

// The length of the run of pages in `state` (or, if `mixed`, clean or dirty) that starts at `page`.
static uint32_t
model_run(uint32_t page, enum model_state state, bool mixed) {
  uint32_t length = 0;
  while (page + length < model.frontier &&
         (mixed ? model.pages[page + length] != MODEL_USED : model.pages[page + length] == state))
    length++;
  return length;
}

// The length of the shortest maximal run that holds `pages`; 0 if none does.
static uint32_t
model_best(uint32_t pages, enum model_state state, bool mixed) {
  uint32_t best = 0;
  for (uint32_t page = 1; page < model.frontier;) {
    uint32_t length = model_run(page, state, mixed);
    if (length >= pages && (best == 0 || length < best))
      best = length;
    page += length ? length : 1;
  }
  return best;
}

enum source { FROM_DIRTY, FROM_CLEAN, FROM_MIXED, FROM_FRONTIER, FROM_NOWHERE };

static enum source
model_source(uint32_t pages) {
  if (model_best(pages, MODEL_DIRTY, false))
    return FROM_DIRTY;
  if (!model_may_grow(pages))
    return FROM_NOWHERE;
  if (model_best(pages, MODEL_CLEAN, false))
    return FROM_CLEAN;
  if (model_best(pages, 0, true))
    return FROM_MIXED;
  return model.frontier + pages <= MODEL_PAGES ? FROM_FRONTIER : FROM_NOWHERE;
}

static void
model_set(uint32_t page, uint32_t pages, enum model_state state) {
  memset(model.pages + page, (int)state, pages);
}

// ---- Does the heap agree? ------------------------------------------------------------------------------

static bool
heap_free_span_matches(uint32_t page, uint32_t pages, unsigned state) {
  bool listed = false;
  for (unsigned bin = 0; bin < GC_BINS; bin++)
    for (uint32_t at = gc_heap.bins[state].heads[bin]; at; at = gc_heap.infos[at].next) {
      listed |= at == page;
      assert_true(gc_heap.bins[state].occupied[bin / 64] >> (bin % 64) & 1);
    }
  return listed && gc_heap.infos[page].span_pages == pages &&
         gc_heap.infos[page + pages - 1].span_pages == pages;
}

static void
check_against_model(void) {
  assert_int_equal(gc_heap.frontier, model.frontier);
  assert_int_equal(gc_heap.clean_pages, model_count(MODEL_CLEAN));
  assert_int_equal(gc_heap.dirty_pages, model_count(MODEL_DIRTY));
  for (uint32_t page = 1; page < model.frontier;) {
    enum model_state state = model.pages[page];
    uint32_t length = model_run(page, state, false);
    if (state == MODEL_CLEAN)
      assert_true(heap_free_span_matches(page, length, GC_PAGE_FREE_CLEAN));
    if (state == MODEL_DIRTY)
      assert_true(heap_free_span_matches(page, length, GC_PAGE_FREE_DIRTY));
    page += length;
  }
}

// As any owner of a span does: no page of it looks free.
static void
own(uint32_t page, uint32_t pages) {
  for (uint32_t i = 0; i < pages; i++)
    gc_heap.pages[page + i] = (struct gc_page){.state = GC_PAGE_LARGE, .span_offset = i};
  gc_heap.infos[page].span_pages = pages;
}

// The words that a test leaves in each page show whether a span that is said to be clean is.
static void
scribble(uint32_t page, uint32_t pages) {
  for (uint32_t i = 0; i < pages; i++)
    memset(gc_heap_page_address(page + i), 0xA5, 64);
}

static void
expect_zero(uint32_t page, uint32_t pages) {
  static const char zeros[64];
  for (uint32_t i = 0; i < pages; i++)
    assert_memory_equal(gc_heap_page_address(page + i), zeros, sizeof zeros);
}

// ---- The steps -----------------------------------------------------------------------------------------

// It lies in one of the shortest runs that hold it, at the end where its sort belongs.
static void
check_best_fit(uint32_t page, uint32_t pages, enum model_state state, unsigned kind) {
  uint32_t first = page;
  while (first > 1 && model.pages[first - 1] == state)
    first--;
  uint32_t length = model_run(first, state, false);
  assert_int_equal(length, model_best(pages, state, false));
  assert_int_equal(page, gc_kind_is_pointer_free(kind) ? first + length - pages : first);
}

// The heap may have taken more than was needed, and that is clean.
static void
model_learn_frontier(uint32_t pages) {
  assert_in_range(gc_heap.frontier - model.frontier, pages, gc_max(pages, model.frontier / 4));
  model_set(model.frontier, gc_heap.frontier - model.frontier, MODEL_CLEAN);
  model.frontier = gc_heap.frontier;
}

static void
allocate(uint32_t pages) {
  enum source source = model_source(pages);
  unsigned kind = random_below(2) ? GC_KIND_NORMAL : GC_KIND_ATOMIC;
  bool clean;
  uint32_t page = gc_span_allocate(pages, kind, &clean);
  if (source == FROM_NOWHERE) {
    assert_int_equal(page, 0);
    return;
  }
  assert_int_not_equal(page, 0);
  assert_int_equal(clean, source == FROM_CLEAN || source == FROM_FRONTIER);
  if (source == FROM_FRONTIER)
    model_learn_frontier(pages);
  if (source == FROM_MIXED)
    assert_true(model_run(page, 0, true) >= pages);
  else
    check_best_fit(page, pages, source == FROM_DIRTY ? MODEL_DIRTY : MODEL_CLEAN, kind);
  if (clean)
    expect_zero(page, pages);
  model_set(page, pages, MODEL_USED);
  model.spans[model.span_count++] = (struct model_span){page, pages};
  own(page, pages);
  scribble(page, pages);
}

static void
free_one(size_t index) {
  struct model_span span = model.spans[index];
  model.spans[index] = model.spans[--model.span_count];
  gc_span_free(span.page, span.pages);
  model_set(span.page, span.pages, MODEL_DIRTY);
}

static void
extend(size_t index, uint32_t pages) {
  struct model_span *span = &model.spans[index];
  uint32_t next = span->page + span->pages;
  uint32_t clean = model_run(next, MODEL_CLEAN, false);
  bool at_frontier = next + clean == model.frontier && clean < pages;
  enum model_state state = model.pages[next];
  bool expected = at_frontier ? model_may_grow(pages) && next + pages <= MODEL_PAGES
                              : state != MODEL_USED && model_run(next, state, false) >= pages &&
                                    (state == MODEL_DIRTY || model_may_grow(pages));
  bool extended = gc_span_extend(next, pages);
  if (at_frontier && gc_heap.frontier > model.frontier)
    model_learn_frontier(pages - clean);
  assert_int_equal(extended, expected);
  if (!expected)
    return;
  model_set(next, pages, MODEL_USED);
  span->pages += pages;
  own(span->page, span->pages);
  scribble(next, pages);
}

// The heap chooses what to release; the model learns it from the pages' states.
static void
release(size_t pages_max) {
  size_t dirty = model_count(MODEL_DIRTY);
  size_t released = gc_span_release(0, pages_max);
  assert_int_equal(released, gc_min(dirty, pages_max));
  for (uint32_t page = 1; page < model.frontier; page++)
    if (model.pages[page] == MODEL_DIRTY && gc_heap.pages[page].state == GC_PAGE_FREE_CLEAN)
      model.pages[page] = MODEL_CLEAN;
}

static uint32_t
random_length(void) {
  return random_below(8) ? 1 + (uint32_t)random_below(8) : 1 + (uint32_t)random_below(200);
}

static void
random_step(void) {
  size_t dice = random_below(100);
  if (dice < 45 && model.span_count < SPANS_MAX)
    allocate(random_length());
  else if (dice < 88 && model.span_count > 0)
    free_one(random_below(model.span_count));
  else if (dice < 95 && model.span_count > 0)
    extend(random_below(model.span_count), 1 + (uint32_t)random_below(20));
  else if (dice >= 95)
    release(random_below(40));
}

static void
random_operations_agree_with_the_model(void **state) {
  (void)state;
  begin("random operations");
  for (int step = 0; step < STEPS; step++) {
    random_step();
    if (step % 16 == 0)
      check_against_model();
  }
}

static void
random_operations_respect_a_limit(void **state) {
  (void)state;
  begin("with a limit");
  gc_heap.max_bytes = 300 * GC_PAGE_BYTES;
  for (int step = 0; step < STEPS / 4; step++) {
    random_step();
    assert_true(gc_heap_resident_bytes() <= gc_heap.max_bytes);
    if (step % 16 == 0)
      check_against_model();
  }
}

static void
freed_neighbours_become_one_span(void **state) {
  (void)state;
  begin("coalescing");
  for (int i = 0; i < 64; i++)
    allocate(4);
  while (model.span_count > 0)
    free_one(random_below(model.span_count));
  check_against_model();
  assert_int_equal(gc_heap.dirty_pages, 256);
}

static void
clean_and_dirty_runs_serve_a_long_request_together(void **state) {
  (void)state;
  begin("mixed");
  for (int i = 0; i < 4; i++)
    allocate(10);
  struct model_span first = model.spans[0], last = model.spans[2];
  free_one(0);
  release(10);
  for (size_t i = 0; i < model.span_count; i++)
    if (model.spans[i].page == first.page + 10) {
      free_one(i);
      break;
    }
  uint32_t frontier = gc_heap.frontier;
  bool clean;
  uint32_t page = gc_span_allocate(20, GC_KIND_NORMAL, &clean);
  assert_int_equal(page, first.page);
  assert_false(clean);
  assert_int_equal(gc_heap.frontier, frontier);
  assert_true(last.page > page);
}

static void
young_spans_are_not_released(void **state) {
  (void)state;
  begin("age");
  gc_heap.now_ms = 1000;
  allocate(10);
  free_one(0);
  gc_heap.now_ms = 1400;
  assert_int_equal(gc_span_release(500, 100), 0);
  gc_heap.now_ms = 1500;
  assert_int_equal(gc_span_release(500, 4), 4);
  assert_int_equal(gc_span_release(500, 100), 6);
}

// ---- What the system sees ------------------------------------------------------------------------------

static size_t
mappings(void) {
  FILE *file = fopen("/proc/self/maps", "r");
  assert_non_null(file);
  size_t lines = 0;
  for (int c; (c = getc(file)) != EOF;)
    lines += c == '\n';
  fclose(file);
  return lines;
}

static size_t
resident_bytes(void) {
  unsigned long total, resident;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
  fclose(file);
  return resident * gc_os_page_bytes();
}

static void
mappings_stay_as_many_over_growth_and_release(void **state) {
  (void)state;
  begin("mappings");
  gc_tunables.huge_pages_min_bytes = 0;
  allocate(1);
  size_t before = mappings();
  for (int step = 0; step < 3000; step++)
    random_step();
  release(MODEL_PAGES);
  assert_in_range(mappings(), 1, before + 1);
}

static void
memory_falls_after_release_and_reads_as_zero(void **state) {
  (void)state;
  begin("resident memory");
  bool clean;
  uint32_t page = gc_span_allocate(1024, GC_KIND_NORMAL, &clean);
  memset(gc_heap_page_address(page), 1, 1024 * GC_PAGE_BYTES);
  size_t full = resident_bytes();
  gc_span_free(page, 1024);
  assert_int_equal(gc_span_release(0, 1024), 1024);
  assert_int_equal(gc_heap_resident_bytes(), 0);
  assert_true(resident_bytes() + 60 * GC_MIB < full);
  assert_int_equal(gc_span_allocate(1024, GC_KIND_NORMAL, &clean), page);
  assert_true(clean);
  expect_zero(page, 1024);
}

static uint32_t *
cell_of(uint32_t page, size_t cell) {
  return &gc_heap.cells[page * GC_PAGE_CELLS + cell];
}

static void
use_cells(uint32_t page) {
  for (size_t i = 0; i < GC_PAGE_CELLS; i++)
    *cell_of(page, i) = page;
  gc_page_set_add(gc_heap.referred, page);
}

// The last cells of one span and the first of the next may share an OS page.
static void
cells_go_with_the_memory_of_their_pages(void **state) {
  (void)state;
  enum { PAGES = 32, KEPT = 64 / 8 }; // OS pages have up to 64 KiB, cells of a page 8
  begin("cells");
  bool clean;
  uint32_t page = gc_span_allocate(PAGES, GC_KIND_NORMAL, &clean);
  own(page, PAGES);
  uint32_t next = gc_span_allocate(PAGES, GC_KIND_NORMAL, &clean);
  own(next, PAGES);
  assert_int_equal(next, page + PAGES);
  assert_true(gc_heap_commit_cells(next) && gc_heap.cell_pages >= gc_heap.frontier);
  for (uint32_t i = 0; i < PAGES; i++) {
    use_cells(page + i);
    use_cells(next + i);
  }
  gc_span_free(page, PAGES);
  assert_true(gc_page_set_has_any(gc_heap.referred, page, PAGES)); // their cells have memory yet
  assert_int_equal(gc_span_release(0, PAGES), PAGES);
  assert_false(gc_page_set_has_any(gc_heap.referred, page, PAGES));
  for (uint32_t i = KEPT; i < PAGES - KEPT; i++)
    assert_true(*cell_of(page + i, 0) == 0 && *cell_of(page + i, GC_PAGE_CELLS - 1) == 0);
  for (uint32_t i = 0; i < PAGES; i++) {
    assert_true(gc_page_set_has(gc_heap.referred, next + i));
    assert_true(*cell_of(next + i, 0) == next + i && *cell_of(next + i, GC_PAGE_CELLS - 1) == next + i);
  }
}

static void
where_all_cells_are_refused_those_of_one_page_will_do(void **state) {
  (void)state;
  begin("refused cells");
  bool clean;
  uint32_t page = gc_span_allocate(2, GC_KIND_NORMAL, &clean);
  gc_os_stress_fail(1);
  assert_true(gc_heap_commit_cells(page));
  assert_int_equal(gc_heap.cell_pages, page + 1);
  *cell_of(page, GC_PAGE_CELLS - 1) = 1;
  assert_true(gc_heap_commit_cells(page));
  assert_int_equal(gc_heap.cell_pages, page + 1); // it has them
  assert_true(gc_heap_commit_cells(page + 1));
  assert_int_equal(gc_heap.cell_pages, gc_heap.committed_pages);
  *cell_of(gc_heap.committed_pages - 1, GC_PAGE_CELLS - 1) = 1;
}

// OS pages of these that have memory.
static size_t
present(uint32_t page, uint32_t pages) {
  static unsigned char parts[MODEL_PAGES * GC_PAGE_BYTES / 4096];
  size_t count = (size_t)pages * GC_PAGE_BYTES / gc_os_page_bytes(), found = 0;
  assert_int_equal(mincore(gc_heap_page_address(page), (size_t)pages * GC_PAGE_BYTES, parts), 0);
  for (size_t i = 0; i < count; i++)
    found += parts[i] & 1;
  return found;
}

static uint32_t
take(uint32_t pages, unsigned kind) {
  bool clean;
  uint32_t page = gc_span_allocate(pages, kind, &clean);
  assert_true(page != 0 && clean);
  own(page, pages);
  return page;
}

static void
give_back(uint32_t page, uint32_t pages) {
  gc_span_free(page, pages);
  assert_int_equal(gc_span_release(0, pages), pages);
}

// Two huge pages from where the program goes on, upward or, for pointer-free pages, downward; each once.
static void
memory_comes_before_it_is_used(void **state) {
  (void)state;
  enum { HUGE_PAGES = GC_HUGE_PAGE_BYTES / GC_PAGE_BYTES, ALL = 575 };
  begin("ahead");
  gc_tunables.huge_pages_min_bytes = 1;
  give_back(take(ALL, GC_KIND_NORMAL), ALL);
  gc_ahead_populate(); // the trial, beyond all these
  assert_int_equal(present(1, ALL), 0);
  uint32_t clean_pages = gc_heap.clean_pages;
  assert_int_equal(take(40, GC_KIND_NORMAL), 1);
  gc_ahead_populate();
  size_t two = 2 * GC_HUGE_PAGE_BYTES / gc_os_page_bytes();
  if (present(64, 2 * HUGE_PAGES) == 0)
    skip(); // Linux before 5.14
  assert_int_equal(present(64, 2 * HUGE_PAGES), two);
  assert_int_equal(present(1, ALL), two);
  expect_zero(64, 2 * HUGE_PAGES);

  uint32_t above = (uint32_t)gc_round_down(take(40, GC_KIND_ATOMIC), HUGE_PAGES);
  gc_ahead_populate();
  assert_int_equal(present(above - 2 * HUGE_PAGES, 2 * HUGE_PAGES), two);
  assert_int_equal(gc_heap.clean_pages, clean_pages - 80);

  uint32_t rest = take(88, GC_KIND_NORMAL);
  give_back(rest, 88);
  assert_int_equal(present(64, 2 * HUGE_PAGES), 0);
  take(1, GC_KIND_NORMAL);
  gc_ahead_populate();
  assert_int_equal(present(64, 2 * HUGE_PAGES), 0);
}

// Nothing of what is handed out or released stays armed; of what follows only free pages, and not too many,
// are disarmed with it.
static void
free_pages_are_disarmed_in_advance(void **state) {
  (void)state;
  enum { NEXT_PAGES = 32 };
  begin("disarmed");
  assert_true(gc_writes_choose(gc_heap.base, MODEL_PAGES * GC_PAGE_BYTES, GC_WRITES_CARDS));
  uint32_t first = take(100, GC_KIND_NORMAL), second = take(8, GC_KIND_NORMAL),
           third = take(8, GC_KIND_NORMAL);
  gc_page_set_add_all(gc_heap.armed, first, 116);
  gc_span_free(first, 100);
  gc_span_free(third, 8);
  bool clean;
  assert_int_equal(gc_span_allocate(10, GC_KIND_NORMAL, &clean), first);
  assert_int_equal(gc_page_set_next(gc_heap.armed, first, 200), first + 10 + NEXT_PAGES);
  assert_int_equal(gc_span_allocate(90, GC_KIND_NORMAL, &clean), first + 10);
  assert_int_equal(gc_page_set_next(gc_heap.armed, first, 200), second);
  assert_int_equal(gc_span_allocate(2, GC_KIND_NORMAL, &clean), third);
  assert_int_equal(gc_page_set_next(gc_heap.armed, third, 200), 200);
  assert_int_equal(gc_page_set_next_absent(gc_heap.armed, second, 200), third);
  gc_span_free(second, 8);
  assert_true(gc_span_release(0, MODEL_PAGES) >= 8);
  assert_int_equal(gc_page_set_next(gc_heap.armed, 1, 200), 200);
  assert_true(gc_writes_choose(gc_heap.base, MODEL_PAGES * GC_PAGE_BYTES, GC_WRITES_NONE));
}

// What the system was told of the mapping at `address`: "hg", "nh" or, of neither, "".
static const char *
advice_at(const char *address) {
  struct gc_os_lines lines;
  size_t base, limit;
  bool here = false;
  const char *advice = "";
  assert_true(gc_os_lines_open(&lines, "/proc/self/smaps"));
  for (char *line; (line = gc_os_lines_next(&lines));) {
    if (sscanf(line, "%zx-%zx ", &base, &limit) == 2)
      here = base <= (uintptr_t)address && (uintptr_t)address < limit;
    else if (here && strncmp(line, "VmFlags:", 8) == 0)
      advice = strstr(line, " hg") ? "hg" : strstr(line, " nh") ? "nh" : "";
  }
  gc_os_lines_close(&lines);
  return advice;
}

static void
learn(uint64_t ms, size_t times) {
  for (size_t i = 0; i < times; i++)
    gc_ahead_learn(ms * 1000000);
}

static const char *
advice_at_end(void) {
  return advice_at(gc_heap_page_address(gc_heap.committed_pages / 32 * 32 - 1));
}

// Only the last ones are asked for before they have been tried.  A slow one among quick ones is forgiven; as
// a rule they must be quicker than small pages would be.
static void
huge_pages_that_come_slowly_are_given_up_for_a_while(void **state) {
  (void)state;
  begin("slow huge pages");
  gc_tunables.huge_pages_min_bytes = 1;
  take(100, GC_KIND_NORMAL);
  if (strcmp(advice_at_end(), "hg") != 0)
    skip();                                           // a system without huge pages, or one CPU
  assert_string_equal(advice_at(gc_heap.base), "nh"); // whatever the system does of itself
  size_t before = mappings();
  learn(1, 20); // not of huge pages
  assert_int_equal(gc_heap.huge_state, GC_HUGE_ON_TRIAL);
  gc_ahead_end_trial(1000000);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_QUICK);
  assert_string_equal(advice_at(gc_heap.base), "hg");
  learn(0, 20);
  learn(5, 1);
  learn(0, 20);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_QUICK);
  learn(3, 8);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_SLOW);
  assert_string_equal(advice_at(gc_heap.base), "nh");
  learn(0, 20);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_SLOW);

  uint32_t slow_pages = gc_heap.huge_slow_pages;
  take(slow_pages / 2 * 3 - 100, GC_KIND_NORMAL);
  assert_string_equal(advice_at_end(), "nh");
  take(slow_pages, GC_KIND_NORMAL);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_ON_TRIAL);
  assert_string_equal(advice_at(gc_heap.base), "nh");
  assert_string_equal(advice_at_end(), "hg");
  gc_ahead_end_trial(2000000);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_SLOW);
  assert_string_equal(advice_at_end(), "nh");
  assert_in_range(mappings(), 1, before + 1);
}

// Nobody does the trial: they are asked for without one.
static void
huge_pages_are_asked_for_untried_in_the_end(void **state) {
  (void)state;
  begin("no trial");
  gc_tunables.huge_pages_min_bytes = 1;
  take(100, GC_KIND_NORMAL);
  if (strcmp(advice_at_end(), "hg") != 0)
    skip();
  take(400, GC_KIND_NORMAL);
  assert_int_equal(gc_heap.huge_state, GC_HUGE_QUICK);
  assert_string_equal(advice_at(gc_heap.base), "hg");
}

static void
a_generous_commit_that_is_refused_is_followed_by_an_exact_one(void **state) {
  (void)state;
  begin("refused once");
  allocate(60);
  gc_os_stress_fail(1);
  allocate(1000);
  gc_os_stress_fail(0);
  assert_int_equal(gc_heap.committed_pages, gc_heap.frontier);
  check_against_model();
}

static void
refused_memory_leaves_the_heap_as_it_was(void **state) {
  (void)state;
  begin("refused");
  allocate(60);
  uint32_t committed = gc_heap.committed_pages;
  bool clean;
  struct rlimit old, none = {.rlim_cur = gc_os_page_bytes()}; // 0 would mean something else
  assert_int_equal(getrlimit(RLIMIT_DATA, &old), 0);
  none.rlim_max = old.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_DATA, &none), 0);
  uint32_t page = gc_span_allocate(1000, GC_KIND_NORMAL, &clean);
  assert_int_equal(setrlimit(RLIMIT_DATA, &old), 0);
  assert_int_equal(page, 0);
  assert_int_equal(gc_heap.committed_pages, committed);
  check_against_model();
  allocate(1000);
  check_against_model();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_the_model),
      cmocka_unit_test(random_operations_respect_a_limit),
      cmocka_unit_test(freed_neighbours_become_one_span),
      cmocka_unit_test(clean_and_dirty_runs_serve_a_long_request_together),
      cmocka_unit_test(young_spans_are_not_released),
      cmocka_unit_test(mappings_stay_as_many_over_growth_and_release),
      cmocka_unit_test(memory_falls_after_release_and_reads_as_zero),
      cmocka_unit_test(cells_go_with_the_memory_of_their_pages),
      cmocka_unit_test(where_all_cells_are_refused_those_of_one_page_will_do),
      cmocka_unit_test(memory_comes_before_it_is_used),
      cmocka_unit_test(free_pages_are_disarmed_in_advance),
      cmocka_unit_test(huge_pages_that_come_slowly_are_given_up_for_a_while),
      cmocka_unit_test(huge_pages_are_asked_for_untried_in_the_end),
      cmocka_unit_test(a_generous_commit_that_is_refused_is_followed_by_an_exact_one),
      cmocka_unit_test(refused_memory_leaves_the_heap_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
