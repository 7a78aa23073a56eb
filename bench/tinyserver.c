// Hypothesis: a small server with less than 1 MiB live should not notice that it has a collector: the pacer
// lets the heap grow to a size at which collecting takes under 2 % of the time, instead of collecting a 200
// KiB heap thousands of times.
//
// Each request is parsed from text into a method, a path, query parameters and headers, finds or makes a
// session, and is answered by text formatted into a growing buffer: 2 to 10 KiB allocated per request, all
// of it dropped, plus now and then a new session that replaces an old one.
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SESSIONS = 512, SESSION_BYTES = 700, REQUEST_MAX = 4096, BUFFER_BYTES_AT_FIRST = 512 };

struct field {
  struct field *next;
  char *name, *value; // pointer-free
};

struct request {
  char *method, *path; // pointer-free
  struct field *query, *headers;
};

struct session {
  uint64_t user;
  uint64_t visits;
  char *cart; // pointer-free
};

struct buffer {
  char *text; // pointer-free
  size_t length, capacity;
};

static struct session *sessions[SESSIONS];
static uint64_t seed = 0x9E3779B97F4A7C15u;
static uint64_t answered_bytes;

// ---- Making up requests --------------------------------------------------------------------------------

static size_t
write_request(char *text, uint64_t number) {
  static const char *const paths[] = {"/",       "/index.html",     "/cart/add",
                                      "/search", "/account/orders", "/images/logo.svg"};
  uint64_t random = bench_random(&seed);
  int length = snprintf(text, REQUEST_MAX,
                        "GET %s?user=%u&item=%llu&colour=blue&sort=price&page=%u HTTP/1.1\r\n"
                        "Host: shop.example.org\r\n"
                        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101\r\n"
                        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                        "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
                        "Accept-Encoding: gzip, deflate, br\r\n"
                        "Cookie: session=%016llx; theme=dark\r\n"
                        "Connection: keep-alive\r\n\r\n",
                        paths[random % (sizeof paths / sizeof paths[0])], (unsigned)(random >> 8 & 0xFFFF),
                        (unsigned long long)number, (unsigned)(random >> 24 & 0x3F),
                        (unsigned)(random >> 32 & 0x7F), (unsigned long long)random);
  return (size_t)length;
}

// ---- Parsing -------------------------------------------------------------------------------------------

static char *
text_new(const char *from, size_t length) {
  char *text = bench_alloc_atomic(length + 1);
  memcpy(text, from, length);
  text[length] = '\0';
  return text;
}

static struct field *
field_new(const char *name, size_t name_length, const char *value, size_t value_length, struct field *next) {
  struct field *field = bench_alloc(sizeof *field);
  field->name = text_new(name, name_length);
  field->value = text_new(value, value_length);
  field->next = next;
  return field;
}

// Up to the first of `stops`, or the end of the text.
static size_t
span_to(const char *text, const char *stops) {
  return strcspn(text, stops);
}

// Parses a=b&c=d up to a space; returns what follows it.
static const char *
parse_query(struct request *request, const char *text) {
  while (*text != ' ') {
    size_t name = span_to(text, "= ");
    const char *value_at = text + name + 1;
    size_t value = span_to(value_at, "& ");
    request->query = field_new(text, name, value_at, value, request->query);
    text = value_at + value;
    if (*text == '&')
      text++;
  }
  return text + 1;
}

static void
parse_headers(struct request *request, const char *text) {
  while (*text != '\r') {
    size_t name = span_to(text, ":");
    const char *value_at = text + name + 2;
    size_t value = span_to(value_at, "\r");
    request->headers = field_new(text, name, value_at, value, request->headers);
    text = value_at + value + 2;
  }
}

static struct request *
parse(const char *text) {
  struct request *request = bench_alloc(sizeof *request);
  size_t method = span_to(text, " ");
  request->method = text_new(text, method);
  text += method + 1;
  size_t path = span_to(text, "?");
  request->path = text_new(text, path);
  text = parse_query(request, text + path + 1);
  text += span_to(text, "\n") + 1;
  parse_headers(request, text);
  return request;
}

static void
fields_free(struct field *field) {
  for (struct field *next; field != NULL; field = next) {
    next = field->next;
    bench_free(field->name);
    bench_free(field->value);
    bench_free(field);
  }
}

static void
request_free(struct request *request) {
  if (!BENCH_FREES)
    return;
  bench_free(request->method);
  bench_free(request->path);
  fields_free(request->query);
  fields_free(request->headers);
  bench_free(request);
}

static const char *
field_value(const struct field *field, const char *name) {
  for (; field != NULL; field = field->next) {
    if (strcmp(field->name, name) == 0)
      return field->value;
  }
  return "";
}

// ---- Sessions: what stays alive ------------------------------------------------------------------------

static struct session *
session_new(uint64_t user) {
  struct session *session = bench_alloc(sizeof *session);
  session->user = user;
  session->cart = bench_alloc_atomic(SESSION_BYTES);
  memset(session->cart, 'c', SESSION_BYTES);
  return session;
}

static struct session *
session_of(uint64_t user) {
  struct session **place = &sessions[user % SESSIONS];
  if (*place != NULL && (*place)->user == user)
    return *place;
  if (BENCH_FREES && *place != NULL) {
    bench_free((*place)->cart);
    bench_free(*place);
  }
  return *place = session_new(user);
}

// ---- Answering -----------------------------------------------------------------------------------------

static void
buffer_reserve(struct buffer *buffer, size_t bytes) {
  if (buffer->length + bytes <= buffer->capacity)
    return;
  size_t capacity = buffer->capacity == 0 ? BUFFER_BYTES_AT_FIRST : buffer->capacity * 2;
  while (capacity < buffer->length + bytes)
    capacity *= 2;
  char *text = bench_alloc_atomic(capacity);
  if (buffer->length > 0)
    memcpy(text, buffer->text, buffer->length);
  bench_free(buffer->text);
  buffer->text = text;
  buffer->capacity = capacity;
}

__attribute__((format(printf, 2, 3))) static void
buffer_print(struct buffer *buffer, const char *format, ...) {
  enum { LINE_MAX = 256 };
  buffer_reserve(buffer, LINE_MAX);
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(buffer->text + buffer->length, LINE_MAX, format, arguments);
  va_end(arguments);
  bench_check(length >= 0 && length < LINE_MAX);
  buffer->length += (size_t)length;
}

static void
answer(const struct request *request, struct session *session) {
  struct buffer buffer = {0};
  unsigned rows = 4 + (unsigned)(session->user % 24);
  buffer_print(&buffer, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: tiny\r\n\r\n");
  buffer_print(&buffer, "<h1>%s</h1><p>%s, visit %llu</p>\n", request->path,
               field_value(request->query, "user"), (unsigned long long)session->visits);
  for (unsigned i = 0; i < rows; i++)
    buffer_print(&buffer, "<tr><td>%u</td><td>item %s-%u</td><td>%u.%02u</td></tr>\n", i,
                 field_value(request->query, "item"), i * 7, i * 3 + 1, i % 100);
  buffer_print(&buffer, "<p>%s</p>\n", field_value(request->headers, "Accept-Language"));
  answered_bytes += buffer.length;
  bench_free(buffer.text);
}

static void
serve(uint64_t number) {
  char text[REQUEST_MAX];
  write_request(text, number);
  struct request *request = parse(text);
  struct session *session =
      session_of(strtoull(field_value(request->query, "user"), NULL, 10) % (SESSIONS * 2));
  session->visits++;
  answer(request, session);
  request_free(request);
}

int
main(int argc, char **argv) {
  bench_start("tinyserver", argc, argv);
  uint64_t requests = (uint64_t)bench_param("requests", 300000);
  bench_params_done();
  for (uint64_t i = 0; i < requests / 20; i++) // to warm up, and to fill the sessions
    serve(i);

  bench_begin();
  for (uint64_t i = 0; i < requests; i++)
    serve(i);
  bench_end();
  bench_check(answered_bytes > requests * 200);

  bench_report_begin("requests=%llu", (unsigned long long)requests);
  bench_field("ns_per_op", bench_seconds() * 1e9 / (double)requests);
  bench_field("gc_share_percent", 100 * bench_gc_seconds() / bench_seconds());
  bench_report_end();
  return 0;
}
