#include "scope.h"

#include "error.h"

#include "text.h"

struct scope *
scope_new(struct scope *up, struct lambda *lambda) {
  struct scope *scope = alloc_scanned(sizeof *scope);
  scope->up = up;
  scope->lambda = lambda;
  return scope;
}

struct binding *
scope_bind(struct scope *scope, value id) {
  struct binding *binding = alloc_scanned(sizeof *binding);
  binding->id = id;
  binding->next = scope->bindings;
  scope->bindings = binding;
  return binding;
}

struct variable *
scope_bind_variable(struct scope *scope, value id) {
  struct variable *variable = alloc_scanned(sizeof *variable);
  variable->name = alias_strip(id);
  variable->owner = scope->lambda;
  scope_bind(scope, id)->variable = variable;
  return variable;
}

static struct binding *
scope_find(struct scope *scope, value id) {
  for (; scope != NULL; scope = scope->up)
    for (struct binding *b = scope->bindings; b != NULL; b = b->next)
      if (b->id == id)
        return b;
  return NULL;
}

struct binding *
scope_lookup(struct scope *scope, value id, struct symbol **global) {
  for (;;) {
    struct binding *binding = scope_find(scope, id);
    if (binding != NULL)
      return binding;
    if (is_symbol(id)) {
      *global = symbol_of(id);
      return symbol_of(id)->syntax;
    }
    scope = ((struct alias *)id)->scope;
    id = ((struct alias *)id)->id;
  }
}

bool
same_identifier(value a, struct scope *scope_a, value b, struct scope *scope_b) {
  struct symbol *global_a = NULL, *global_b = NULL;
  struct binding *x = scope_lookup(scope_a, a, &global_a), *y = scope_lookup(scope_b, b, &global_b);
  return x == y && (x != NULL || global_a == global_b);
}

bool
is_keyword(value id, const char *name, struct scope *scope) {
  return is_identifier(id) && same_identifier(id, scope, symbol_from_c(name), NULL);
}

value
alias_new(value id, struct scope *scope) {
  struct alias *alias = object_new(TYPE_ALIAS, sizeof *alias);
  alias->id = id;
  alias->scope = scope;
  return (value)alias;
}

value
alias_strip(value id) {
  while (is_type(id, TYPE_ALIAS))
    id = ((struct alias *)id)->id;
  return id;
}

// Floyd's tortoise ends the walk of a circular constant.
static bool
has_alias(value form) {
  c_stack_check("syntax error: form nested too deeply");
  value slow = form;
  for (bool odd = false; is_pair(form); odd = !odd) {
    if (has_alias(car(form)))
      return true;
    form = cdr(form);
    slow = odd ? cdr(slow) : slow;
    if (odd && form == slow)
      return false;
  }
  if (is_vector(form)) {
    for (size_t i = 0; i < vector_of(form)->length; i++)
      if (has_alias(vector_of(form)->items[i]))
        return true;
  }
  return is_type(form, TYPE_ALIAS);
}

static value
strip_copy(value form) {
  if (is_pair(form)) {
    value head = list1(strip_copy(car(form))), last = head;
    for (form = cdr(form); is_pair(form); form = cdr(form))
      last = pair_of(last)->cdr = list1(strip_copy(car(form)));
    pair_of(last)->cdr = strip_copy(form);
    return head;
  }
  if (!is_vector(form))
    return alias_strip(form);
  value copy = vector_new(TYPE_VECTOR, vector_of(form)->length, NIL);
  for (size_t i = 0; i < vector_of(form)->length; i++)
    vector_of(copy)->items[i] = strip_copy(vector_of(form)->items[i]);
  return copy;
}

// Constants that no macro touched keep their identity (and may be circular: the reader's labels).
value
syntax_strip(value form) {
  return has_alias(form) ? strip_copy(form) : form;
}

value
core(const char *name) {
  return alias_new(symbol_from_c(name), NULL);
}
