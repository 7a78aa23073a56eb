// The expander: forms to trees.  This file has the primitive special forms; expand_binding.c those that
// bind variables, expand_derived.c those that stand for others.
#include "scope.h"

#include "error.h"
#include "text.h"
#include "vm.h"

void
special_define(const char *name, special_form *special) {
  struct binding *binding = alloc_scanned(sizeof *binding);
  binding->special = special;
  symbol_of(symbol_from_c(name))->syntax = binding;
}

static struct node *
expand_reference(value id, struct scope *scope) {
  struct symbol *global = NULL;
  struct binding *binding = scope_lookup(scope, id, &global);
  if (binding == NULL) {
    struct node *node = node_new(NODE_GLOBAL, 0);
    node->symbol = global;
    return node;
  }
  if (binding->variable == NULL)
    raise_syntax("keyword used as a variable", alias_strip(id));
  return node_local(binding->variable);
}

static struct node *
expand_call(value form, struct scope *scope) {
  ptrdiff_t length = list_length(form);
  if (length < 0)
    raise_syntax("improper list as a call", syntax_strip(form));
  struct node *node = node_call(expand(car(form), scope), (uint32_t)length - 1);
  value rest = cdr(form);
  for (uint32_t i = 0; i < node->count; i++, rest = cdr(rest))
    node->items[i] = expand(car(rest), scope);
  return node;
}

struct node *
expand(value form, struct scope *scope) {
  c_stack_check("syntax error: form nested too deeply");
  for (;;) {
    if (is_identifier(form))
      return expand_reference(form, scope);
    if (form == NIL)
      raise_syntax("empty combination", form);
    if (!is_pair(form))
      return node_const(syntax_strip(form));
    struct symbol *global = NULL;
    struct binding *binding = is_identifier(car(form)) ? scope_lookup(scope, car(form), &global) : NULL;
    if (binding == NULL || binding->variable != NULL)
      return expand_call(form, scope);
    if (binding->special != NULL)
      return binding->special(form, scope);
    form = macro_expand(binding->macro, form, scope);
  }
}

struct node *
expand_sequence(value forms, struct scope *scope, value whole) {
  ptrdiff_t length = list_length(forms);
  if (length < 1)
    raise_syntax("expected one expression or more in", syntax_strip(whole));
  if (length == 1)
    return expand(car(forms), scope);
  struct node *node = node_new(NODE_SEQUENCE, (uint32_t)length);
  for (uint32_t i = 0; i < node->count; i++, forms = cdr(forms))
    node->items[i] = expand(car(forms), scope);
  return node;
}

// Check that form has min to max operands (max < 0: any number).
static void
check_form(value form, ptrdiff_t min, ptrdiff_t max) {
  ptrdiff_t length = list_length(form) - 1;
  if (length < min || (max >= 0 && length > max))
    raise_syntax("bad form", syntax_strip(form));
}

static struct node *
special_quote(value form, struct scope *scope) {
  (void)scope;
  check_form(form, 1, 1);
  return node_const(syntax_strip(car(cdr(form))));
}

static struct node *
special_if(value form, struct scope *scope) {
  check_form(form, 2, 3);
  struct node *node = node_new(NODE_IF, 3);
  value rest = cdr(form);
  for (int i = 0; i < 3; i++, rest = is_pair(rest) ? cdr(rest) : rest)
    node->items[i] = is_pair(rest) ? expand(car(rest), scope) : node_const(UNSPECIFIED);
  return node;
}

static struct node *
special_set(value form, struct scope *scope) {
  check_form(form, 2, 2);
  value id = car(cdr(form));
  if (!is_identifier(id))
    raise_syntax("bad form", syntax_strip(form));
  struct symbol *global = NULL;
  struct binding *binding = scope_lookup(scope, id, &global);
  if (binding != NULL && binding->variable == NULL)
    raise_syntax("keyword assigned", alias_strip(id));
  struct node *node = node_new(binding == NULL ? NODE_SET_GLOBAL : NODE_SET_LOCAL, 0);
  if (binding == NULL)
    symbol_release(node->symbol = global);
  else
    (node->variable = binding->variable)->assigned = true;
  node->body = expand(car(cdr(cdr(form))), scope);
  return node;
}

// At top level; the body expander takes those inside bodies before they get here.
static struct node *
special_define_global(value form, struct scope *scope) {
  check_form(form, 1, -1);
  if (scope->up != NULL)
    raise_syntax("definition where an expression is expected", syntax_strip(form));
  value target = car(cdr(form)), body = cdr(cdr(form));
  struct node *node = node_new(NODE_DEFINE, 0);
  while (is_pair(target) && is_pair(car(target))) { // curried: (define ((f a) b) ...)
    body = list1(cons(core("lambda"), cons(cdr(target), body)));
    target = car(target);
  }
  value id = is_pair(target) ? car(target) : target;
  if (!is_identifier(id))
    raise_syntax("bad form", syntax_strip(form));
  node->symbol = symbol_of(alias_strip(id));
  node->symbol->syntax = NULL;
  symbol_release(node->symbol);
  if (is_pair(target))
    node->body = expand_lambda((value)node->symbol, cdr(target), body, scope, form);
  else
    node->body = body == NIL ? node_const(UNSPECIFIED) : expand(car(body), scope);
  node_name_procedure(node->body, (value)node->symbol);
  return node;
}

static struct node *
special_begin(value form, struct scope *scope) {
  if (cdr(form) == NIL)
    return node_const(UNSPECIFIED);
  return expand_sequence(cdr(form), scope, form);
}

static struct node *
expand_logical(value form, struct scope *scope, enum node_kind kind, value empty) {
  check_form(form, 0, -1);
  uint32_t count = (uint32_t)list_length(form) - 1;
  if (count == 0)
    return node_const(empty);
  if (count == 1)
    return expand(car(cdr(form)), scope);
  struct node *node = node_new(kind, count);
  value rest = cdr(form);
  for (uint32_t i = 0; i < count; i++, rest = cdr(rest))
    node->items[i] = expand(car(rest), scope);
  return node;
}

static struct node *
special_and(value form, struct scope *scope) {
  return expand_logical(form, scope, NODE_AND, TRUE_VALUE);
}

static struct node *
special_or(value form, struct scope *scope) {
  return expand_logical(form, scope, NODE_OR, FALSE_VALUE);
}

static struct node *
expand_when(value form, struct scope *scope, bool sense) {
  check_form(form, 2, -1);
  struct node *node = node_new(NODE_IF, 3);
  node->items[0] = expand(car(cdr(form)), scope);
  node->items[sense ? 1 : 2] = expand_sequence(cdr(cdr(form)), scope, form);
  node->items[sense ? 2 : 1] = node_const(UNSPECIFIED);
  return node;
}

static struct node *
special_when(value form, struct scope *scope) {
  return expand_when(form, scope, true);
}

static struct node *
special_unless(value form, struct scope *scope) {
  return expand_when(form, scope, false);
}

static struct node *
special_define_syntax(value form, struct scope *scope) {
  check_form(form, 2, 2);
  if (scope->up != NULL || !is_identifier(car(cdr(form))))
    raise_syntax("bad form", syntax_strip(form));
  struct binding *binding = alloc_scanned(sizeof *binding);
  binding->macro = macro_parse(car(cdr(cdr(form))), NULL);
  symbol_of(alias_strip(car(cdr(form))))->syntax = binding;
  return node_const(UNSPECIFIED);
}

static struct node *
special_import(value form, struct scope *scope) {
  (void)form, (void)scope; // everything is always there
  return node_const(UNSPECIFIED);
}

static struct node *
special_misplaced(value form, struct scope *scope) {
  (void)scope;
  raise_syntax("keyword out of place", syntax_strip(form));
}

void
define_specials(void) {
  special_define("quote", special_quote);
  special_define("if", special_if);
  special_define("set!", special_set);
  special_define("define", special_define_global);
  special_define("begin", special_begin);
  special_define("and", special_and);
  special_define("or", special_or);
  special_define("when", special_when);
  special_define("unless", special_unless);
  special_define("define-syntax", special_define_syntax);
  special_define("import", special_import);
  special_define("syntax-rules", special_misplaced);
}

struct lambda *
expand_toplevel(value form) {
  struct lambda *lambda = alloc_scanned(sizeof *lambda);
  lambda->name = FALSE_VALUE;
  lambda->body = expand(form, scope_new(NULL, lambda));
  return lambda;
}
