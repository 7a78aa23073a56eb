// Special forms that bind variables: lambda and the let family.
#include "error.h"
#include "scope.h"
#include "text.h"

struct node *
expand_lambda(value name, value formals, value body, struct scope *scope, value whole) {
  struct lambda *lambda = alloc_scanned(sizeof *lambda);
  lambda->parent = scope->lambda;
  lambda->name = name;
  struct scope *inner = scope_new(scope, lambda);
  uint32_t count = 0;
  for (value l = formals; is_pair(l); l = cdr(l))
    count++;
  lambda->variables = alloc_scanned((count + 1) * sizeof *lambda->variables);
  for (; is_pair(formals); formals = cdr(formals)) {
    if (!is_identifier(car(formals)))
      raise_syntax("bad parameter list in", syntax_strip(whole));
    lambda->variables[lambda->required++] = scope_bind_variable(inner, car(formals));
  }
  lambda->has_rest = formals != NIL;
  lambda->variable_count = lambda->required + lambda->has_rest;
  if (lambda->has_rest && !is_identifier(formals))
    raise_syntax("bad parameter list in", syntax_strip(whole));
  if (lambda->has_rest)
    lambda->variables[lambda->required] = scope_bind_variable(inner, formals);
  lambda->body = expand_body(body, inner, whole);
  struct node *node = node_new(NODE_LAMBDA, 0);
  node->lambda = lambda;
  return node;
}

static struct node *
special_lambda(value form, struct scope *scope) {
  if (list_length(form) < 3)
    raise_syntax("bad form", syntax_strip(form));
  return expand_lambda(NIL, car(cdr(form)), cdr(cdr(form)), scope, form);
}

// Check the bindings of a let form, ((name init) ...), and return their number.
static uint32_t
check_bindings(value bindings, value whole) {
  ptrdiff_t count = list_length(bindings);
  for (value l = bindings; count >= 0 && is_pair(l); l = cdr(l))
    if (list_length(car(l)) != 2 || !is_identifier(car(car(l))))
      count = -1;
  if (count < 0)
    raise_syntax("bad bindings in", syntax_strip(whole));
  return (uint32_t)count;
}

static struct node *
expand_let(value bindings, value body, struct scope *scope, value whole) {
  struct node *node = node_let(check_bindings(bindings, whole));
  struct scope *inner = scope_new(scope, scope->lambda);
  for (uint32_t i = 0; i < node->count; i++, bindings = cdr(bindings)) {
    node->items[i] = expand(car(cdr(car(bindings))), scope);
    node_name_procedure(node->items[i], alias_strip(car(car(bindings))));
    node->variables[i] = scope_bind_variable(inner, car(car(bindings)));
  }
  node->body = expand_body(body, inner, whole);
  return node;
}

static value
binding_names(value bindings) {
  value names = NIL;
  for (; is_pair(bindings); bindings = cdr(bindings))
    names = cons(car(car(bindings)), names);
  return list_reverse(names);
}

// (let name ((var init) ...) body ...): the inits do not see the name.
static struct node *
expand_named_let(value form, struct scope *scope) {
  if (list_length(form) < 4)
    raise_syntax("bad form", syntax_strip(form));
  value name = car(cdr(form)), bindings = car(cdr(cdr(form)));
  struct node *call = node_call(NULL, check_bindings(bindings, form));
  struct scope *inner = scope_new(scope, scope->lambda);
  struct variable *variable = scope_bind_variable(inner, name);
  value body = cdr(cdr(cdr(form)));
  struct node *lambda = expand_lambda(alias_strip(name), binding_names(bindings), body, inner, form);
  call->callee = node_local(variable);
  for (uint32_t i = 0; i < call->count; i++, bindings = cdr(bindings))
    call->items[i] = expand(car(cdr(car(bindings))), scope);
  return bind_procedure(variable, lambda, call);
}

static struct node *
special_let(value form, struct scope *scope) {
  if (list_length(form) < 3)
    raise_syntax("bad form", syntax_strip(form));
  if (is_identifier(car(cdr(form))))
    return expand_named_let(form, scope);
  return expand_let(car(cdr(form)), cdr(cdr(form)), scope, form);
}

static struct node *
expand_let_star(value bindings, value body, struct scope *scope, value whole) {
  if (!is_pair(bindings) || cdr(bindings) == NIL)
    return expand_let(bindings, body, scope, whole);
  check_bindings(list1(car(bindings)), whole);
  struct node *node = node_let(1);
  struct scope *inner = scope_new(scope, scope->lambda);
  node->items[0] = expand(car(cdr(car(bindings))), scope);
  node_name_procedure(node->items[0], alias_strip(car(car(bindings))));
  node->variables[0] = scope_bind_variable(inner, car(car(bindings)));
  node->body = expand_let_star(cdr(bindings), body, inner, whole);
  return node;
}

static struct node *
special_let_star(value form, struct scope *scope) {
  if (list_length(form) < 3)
    raise_syntax("bad form", syntax_strip(form));
  return expand_let_star(car(cdr(form)), cdr(cdr(form)), scope, form);
}

static struct node *
special_letrec(value form, struct scope *scope) {
  if (list_length(form) < 3)
    raise_syntax("bad form", syntax_strip(form));
  value bindings = car(cdr(form));
  check_bindings(bindings, form);
  value names = NIL, inits = NIL;
  for (value l = list_reverse(bindings); is_pair(l); l = cdr(l)) {
    names = cons(car(car(l)), names);
    inits = cons(car(cdr(car(l))), inits);
  }
  return expand_letrec(names, inits, cdr(cdr(form)), scope, form);
}

// let-syntax and letrec-syntax; the macros of the latter see each other.
static struct node *
expand_let_syntax(value form, struct scope *scope, bool recursive) {
  if (list_length(form) < 3)
    raise_syntax("bad form", syntax_strip(form));
  value bindings = car(cdr(form));
  check_bindings(bindings, form);
  struct scope *inner = scope_new(scope, scope->lambda);
  for (value l = bindings; is_pair(l); l = cdr(l))
    scope_bind(inner, car(car(l)))->macro = macro_parse(car(cdr(car(l))), recursive ? inner : scope);
  return expand_body(cdr(cdr(form)), inner, form);
}

static struct node *
special_let_syntax(value form, struct scope *scope) {
  return expand_let_syntax(form, scope, false);
}

static struct node *
special_letrec_syntax(value form, struct scope *scope) {
  return expand_let_syntax(form, scope, true);
}

void
define_binding_specials(void) {
  special_define("lambda", special_lambda);
  special_define("let", special_let);
  special_define("let*", special_let_star);
  special_define("letrec", special_letrec);
  special_define("letrec*", special_letrec);
  special_define("let-syntax", special_let_syntax);
  special_define("letrec-syntax", special_letrec_syntax);
}
