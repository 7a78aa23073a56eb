// syntax-rules: matching a macro use against patterns, and filling in the template.
//
// Identifiers that the template inserts become fresh aliases, one per name and expansion, so that bindings
// they make cannot capture the user's names, and free ones keep the meaning they had where the macro was
// defined.
#include "error.h"
#include "scope.h"
#include "text.h"

// A pattern variable and what it matched: at depth d > 0, a list of the matches at depth d - 1.
struct match {
  struct match *next;
  value id;
  int depth;
  value content;
};

struct expansion {
  struct macro *macro;
  struct scope *scope; // of the macro's use
  value renames;       // alist from template identifier to alias
};

static bool
is_ellipsis(struct macro *m, value v) {
  return is_identifier(v) && same_identifier(v, m->scope, m->ellipsis, m->scope);
}

static bool
is_literal(struct macro *m, value id) {
  for (value l = m->literals; is_pair(l); l = cdr(l))
    if (car(l) == id)
      return true;
  return false;
}

static bool
has_ellipsis_next(struct macro *m, value pattern) {
  return is_pair(cdr(pattern)) && is_ellipsis(m, car(cdr(pattern)));
}

static struct match *
match_new(struct match *next, value id, int depth, value content) {
  struct match *match = alloc_scanned(sizeof *match);
  *match = (struct match){.next = next, .id = id, .depth = depth, .content = content};
  return match;
}

static struct match *
match_find(struct match *matches, value id) {
  while (matches != NULL && matches->id != id)
    matches = matches->next;
  return matches;
}

static value
vector_to_list(value v) {
  return list_from_array(vector_of(v)->items, vector_of(v)->length, NIL);
}

// The variables of a pattern with their depths, and empty lists as their contents.
static struct match *
pattern_variables(struct macro *m, value pattern, int depth, struct match *found) {
  if (is_vector(pattern))
    pattern = vector_to_list(pattern);
  for (; is_pair(pattern); pattern = cdr(pattern)) {
    bool repeated = has_ellipsis_next(m, pattern);
    found = pattern_variables(m, car(pattern), depth + repeated, found);
  }
  if (is_identifier(pattern) && !is_ellipsis(m, pattern) && !is_literal(m, pattern))
    found = match_new(found, pattern, depth, NIL);
  return found;
}

static bool match_form(struct expansion *e, value pattern, value form, struct match **matches);

static ptrdiff_t
count_pairs(value list) {
  ptrdiff_t count = 0;
  for (; is_pair(list); list = cdr(list))
    count++;
  return count;
}

// Match (sub ... . rest): as many items as leave enough for rest.
static bool
match_ellipsis(struct expansion *e, value pattern, value form, struct match **matches) {
  value sub = car(pattern), rest = cdr(cdr(pattern));
  ptrdiff_t repeats = count_pairs(form) - count_pairs(rest);
  if (repeats < 0)
    return false;
  struct match *variables = pattern_variables(e->macro, sub, 1, NULL);
  for (; repeats > 0; repeats--, form = cdr(form)) {
    struct match *inner = NULL;
    if (!match_form(e, sub, car(form), &inner))
      return false;
    for (struct match *v = variables; v != NULL; v = v->next)
      v->content = cons(match_find(inner, v->id)->content, v->content);
  }
  for (struct match *v = variables; v != NULL; v = v->next)
    *matches = match_new(*matches, v->id, v->depth, list_reverse(v->content));
  return match_form(e, rest, form, matches);
}

static bool
match_identifier(struct expansion *e, value pattern, value form, struct match **matches) {
  if (is_literal(e->macro, pattern))
    return is_identifier(form) && same_identifier(form, e->scope, pattern, e->macro->scope);
  if (!is_keyword(pattern, "_", e->macro->scope))
    *matches = match_new(*matches, pattern, 0, form);
  return true;
}

static bool
match_form(struct expansion *e, value pattern, value form, struct match **matches) {
  c_stack_check("syntax error: form nested too deeply");
  if (is_identifier(pattern))
    return match_identifier(e, pattern, form, matches);
  if (is_pair(pattern)) {
    if (has_ellipsis_next(e->macro, pattern))
      return match_ellipsis(e, pattern, form, matches);
    return is_pair(form) && match_form(e, car(pattern), car(form), matches) &&
           match_form(e, cdr(pattern), cdr(form), matches);
  }
  if (is_vector(pattern))
    return is_vector(form) && match_form(e, vector_to_list(pattern), vector_to_list(form), matches);
  return values_equal(pattern, form);
}

static value instantiate(struct expansion *e, value template, struct match *matches, bool escaped);

static value
rename_identifier(struct expansion *e, value id) {
  for (value l = e->renames; is_pair(l); l = cdr(l))
    if (car(car(l)) == id)
      return cdr(car(l));
  value alias = alias_new(id, e->macro->scope);
  e->renames = cons(cons(id, alias), e->renames);
  return alias;
}

static bool
template_mentions(value template, value id) {
  for (; is_pair(template); template = cdr(template))
    if (template_mentions(car(template), id))
      return true;
  if (is_vector(template))
    return template_mentions(vector_to_list(template), id);
  return template == id;
}

static bool
is_repeated_in(value template, const struct match *m) {
  return m->depth > 0 && template_mentions(template, m->id);
}

// Has every repeated variable of template another item?
static bool
has_repetition(value template, const struct match *matches) {
  bool found = false;
  for (; matches != NULL; matches = matches->next) {
    if (!is_repeated_in(template, matches))
      continue;
    if (!is_pair(matches->content))
      return false;
    found = true;
  }
  if (!found)
    raise_syntax("nothing to repeat before the ellipsis", syntax_strip(template));
  return true;
}

// The matches with the repeated variables of template narrowed to their first items (`first`), or to the
// rest.
static struct match *
narrow(value template, const struct match *matches, bool first) {
  struct match *narrowed = NULL, **end = &narrowed;
  for (; matches != NULL; matches = matches->next, end = &(*end)->next) {
    bool repeated = is_repeated_in(template, matches);
    value content = matches->content;
    if (repeated)
      content = first ? car(content) : cdr(content);
    *end = match_new(NULL, matches->id, matches->depth - (repeated && first), content);
  }
  return narrowed;
}

// All the repetitions of template, in reverse, in front of done; `depth` is the number of ellipses that
// follow it.
static value
instantiate_repeated(struct expansion *e, value template, struct match *matches, int depth, value done) {
  for (; has_repetition(template, matches); matches = narrow(template, matches, false)) {
    struct match *once = narrow(template, matches, true);
    done = depth == 1 ? cons(instantiate(e, template, once, false), done)
                      : instantiate_repeated(e, template, once, depth - 1, done);
  }
  return done;
}

static value
instantiate_list(struct expansion *e, value template, struct match *matches, bool escaped) {
  value reversed = NIL;
  while (is_pair(template)) {
    int depth = 0;
    value rest = cdr(template);
    for (; !escaped && is_pair(rest) && is_ellipsis(e->macro, car(rest)); rest = cdr(rest))
      depth++;
    if (depth > 0)
      reversed = instantiate_repeated(e, car(template), matches, depth, reversed);
    else
      reversed = cons(instantiate(e, car(template), matches, escaped), reversed);
    template = rest;
  }
  value list = instantiate(e, template, matches, escaped);
  for (; is_pair(reversed); reversed = cdr(reversed))
    list = cons(car(reversed), list);
  return list;
}

static value
list_to_vector(value list) {
  value v = vector_new(TYPE_VECTOR, (size_t)count_pairs(list), NIL);
  for (size_t i = 0; is_pair(list); list = cdr(list))
    vector_of(v)->items[i++] = car(list);
  return v;
}

static value
instantiate(struct expansion *e, value template, struct match *matches, bool escaped) {
  if (is_identifier(template)) {
    struct match *match = match_find(matches, template);
    if (match == NULL)
      return rename_identifier(e, template);
    if (match->depth > 0)
      raise_syntax("ellipsis missing after", template);
    return match->content;
  }
  if (is_pair(template)) {
    if (!escaped && is_ellipsis(e->macro, car(template)) && is_pair(cdr(template)))
      return instantiate(e, car(cdr(template)), matches, true); // (... ...)
    return instantiate_list(e, template, matches, escaped);
  }
  if (is_vector(template))
    return list_to_vector(instantiate(e, vector_to_list(template), matches, escaped));
  return template;
}

value
macro_expand(struct macro *macro, value form, struct scope *scope) {
  struct expansion e = {.macro = macro, .scope = scope, .renames = NIL};
  for (value rules = macro->rules; is_pair(rules); rules = cdr(rules)) {
    struct match *matches = NULL;
    if (match_form(&e, cdr(car(car(rules))), cdr(form), &matches))
      return instantiate(&e, car(cdr(car(rules))), matches, false);
  }
  raise_syntax("no macro pattern matches", syntax_strip(form));
}

struct macro *
macro_parse(value rules_form, struct scope *scope) {
  if (!is_pair(rules_form) || !is_keyword(car(rules_form), "syntax-rules", scope) ||
      list_length(rules_form) < 2)
    raise_syntax("expected (syntax-rules ...)", syntax_strip(rules_form));
  struct macro *macro = alloc_scanned(sizeof *macro);
  macro->scope = scope;
  macro->ellipsis = symbol_from_c("...");
  value rest = cdr(rules_form);
  if (is_identifier(car(rest))) {
    macro->ellipsis = car(rest);
    rest = cdr(rest);
  }
  if (!is_pair(rest) || list_length(car(rest)) < 0)
    raise_syntax("expected a list of literals in", syntax_strip(rules_form));
  macro->literals = car(rest);
  macro->rules = cdr(rest);
  for (value l = macro->rules; is_pair(l); l = cdr(l))
    if (list_length(car(l)) != 2 || !is_pair(car(car(l))))
      raise_syntax("bad syntax rule", syntax_strip(car(l)));
  return macro;
}
