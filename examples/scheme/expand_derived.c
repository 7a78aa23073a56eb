// Special forms that stand for others: cond, case, do, quasiquote, promises, case-lambda.  (The prelude
// defines the rest by syntax-rules.)  Names are written with core(), so that they mean the standard ones
// wherever the form is.
#include "error.h"
#include "scope.h"
#include "text.h"

static void
check(bool good, value form) {
  if (!good)
    raise_syntax("bad form", syntax_strip(form));
}

static struct node *
if_node(struct node *test, struct node *then, struct node *otherwise) {
  struct node *node = node_new(NODE_IF, 3);
  node->items[0] = test;
  node->items[1] = then;
  node->items[2] = otherwise;
  return node;
}

// A let of one variable that no identifier names.
static struct node *
let_temporary(struct node *init, struct scope *scope) {
  struct node *let = node_let(1);
  let->items[0] = init;
  let->variables[0] = alloc_scanned(sizeof *let->variables[0]);
  let->variables[0]->owner = scope->lambda;
  return let;
}

static struct node *expand_cond_clauses(value clauses, struct scope *scope, value whole);

// (test => receiver)
static struct node *
expand_arrow(struct node *test, value clause, value rest, struct scope *scope, value whole) {
  check(list_length(clause) == 3, whole);
  struct node *let = let_temporary(test, scope);
  struct node *call = node_call(expand(car(cdr(cdr(clause))), scope), 1);
  call->items[0] = node_local(let->variables[0]);
  let->body = if_node(node_local(let->variables[0]), call, expand_cond_clauses(rest, scope, whole));
  return let;
}

static struct node *
expand_cond_clauses(value clauses, struct scope *scope, value whole) {
  if (!is_pair(clauses))
    return node_const(UNSPECIFIED);
  value clause = car(clauses), rest = cdr(clauses);
  check(list_length(clause) >= 1, whole);
  if (is_keyword(car(clause), "else", scope))
    return expand_sequence(cdr(clause), scope, whole);
  struct node *test = expand(car(clause), scope);
  if (cdr(clause) == NIL) {
    struct node *node = node_new(NODE_OR, 2);
    node->items[0] = test;
    node->items[1] = expand_cond_clauses(rest, scope, whole);
    return node;
  }
  if (is_keyword(car(cdr(clause)), "=>", scope))
    return expand_arrow(test, clause, rest, scope, whole);
  struct node *then = expand_sequence(cdr(clause), scope, whole);
  return if_node(test, then, expand_cond_clauses(rest, scope, whole));
}

static struct node *
special_cond(value form, struct scope *scope) {
  check(list_length(form) >= 2, form);
  return expand_cond_clauses(cdr(form), scope, form);
}

// The body of a case clause, which may be (=> receiver).
static struct node *
expand_case_body(value body, struct variable *key, struct scope *scope, value whole) {
  if (is_pair(body) && is_keyword(car(body), "=>", scope)) {
    check(list_length(body) == 2, whole);
    struct node *call = node_call(expand(car(cdr(body)), scope), 1);
    call->items[0] = node_local(key);
    return call;
  }
  return expand_sequence(body, scope, whole);
}

// Is the key one of the clause's data?
static struct node *
case_test(value data, struct variable *key, struct scope *scope) {
  bool single = is_pair(data) && cdr(data) == NIL;
  struct node *call = node_call(expand(core(single ? "eqv?" : "memv"), scope), 2);
  call->items[0] = node_local(key);
  call->items[1] = node_const(syntax_strip(single ? car(data) : data));
  return call;
}

static struct node *
expand_case_clauses(value clauses, struct variable *key, struct scope *scope, value whole) {
  if (!is_pair(clauses))
    return node_const(UNSPECIFIED);
  value clause = car(clauses);
  check(list_length(clause) >= 2, whole);
  if (is_keyword(car(clause), "else", scope))
    return expand_case_body(cdr(clause), key, scope, whole);
  check(list_length(car(clause)) >= 0, whole);
  struct node *then = expand_case_body(cdr(clause), key, scope, whole);
  return if_node(case_test(car(clause), key, scope), then,
                 expand_case_clauses(cdr(clauses), key, scope, whole));
}

static struct node *
special_case(value form, struct scope *scope) {
  check(list_length(form) >= 3, form);
  struct node *let = let_temporary(expand(car(cdr(form)), scope), scope);
  let->body = expand_case_clauses(cdr(cdr(form)), let->variables[0], scope, form);
  return let;
}

// (do ((var init step) ...) (test result ...) body ...), as a named let.
static struct node *
special_do(value form, struct scope *scope) {
  check(list_length(form) >= 3 && list_length(car(cdr(form))) >= 0 && list_length(car(cdr(cdr(form)))) >= 1,
        form);
  value bindings = NIL, steps = NIL, exit = car(cdr(cdr(form))), name = core("do-loop");
  for (value l = car(cdr(form)); is_pair(l); l = cdr(l)) {
    ptrdiff_t length = list_length(car(l));
    check(length == 2 || length == 3, form);
    value variable = car(car(l)), rest = cdr(car(l));
    bindings = cons(list2(variable, car(rest)), bindings);
    steps = cons(length == 3 ? car(cdr(rest)) : variable, steps);
  }
  value again = cons(name, list_reverse(steps));
  value body = cons(core("begin"), list_reverse(cons(again, list_reverse(cdr(cdr(cdr(form)))))));
  value result = cdr(exit) == NIL ? list2(core("quote"), UNSPECIFIED) : cons(core("begin"), cdr(exit));
  value conditional = list4(core("if"), car(exit), result, body);
  return expand(list4(core("let"), name, list_reverse(bindings), conditional), scope);
}

static value quasi(value form, int depth, struct scope *scope);

static bool
is_unquote(value v, struct scope *scope) {
  return is_keyword(v, "unquote", scope) || is_keyword(v, "unquote-splicing", scope);
}

static bool
mentions_unquote(value form, struct scope *scope) {
  for (; is_pair(form); form = cdr(form))
    if (mentions_unquote(car(form), scope))
      return true;
  for (size_t i = 0; is_vector(form) && i < vector_of(form)->length; i++)
    if (mentions_unquote(vector_of(form)->items[i], scope))
      return true;
  return is_unquote(form, scope);
}

// If form is (NAME datum): its datum, else NO_VALUE.
static value
unquoted(value form, const char *name, struct scope *scope) {
  bool is_it = is_pair(form) && is_keyword(car(form), name, scope) && list_length(form) == 2;
  return is_it ? car(cdr(form)) : NO_VALUE;
}

static value
quasi_nested(const char *name, value datum, int depth, struct scope *scope) {
  value quoted_name = list2(core("quote"), symbol_from_c(name));
  return list3(core("list"), quoted_name, quasi(datum, depth, scope));
}

static value
quasi_pair(value form, int depth, struct scope *scope) {
  value datum = unquoted(car(form), "unquote-splicing", scope);
  if (datum != NO_VALUE && depth == 1)
    return list3(core("append"), datum, quasi(cdr(form), depth, scope));
  value head = datum != NO_VALUE ? quasi_nested("unquote-splicing", datum, depth - 1, scope)
                                 : quasi(car(form), depth, scope);
  return list3(core("%cons"), head, quasi(cdr(form), depth, scope));
}

// An expression that makes form, with what is unquoted at the given depth evaluated.
static value
quasi(value form, int depth, struct scope *scope) {
  if (!mentions_unquote(form, scope))
    return list2(core("quote"), form);
  value datum = unquoted(form, "unquote", scope);
  if (datum != NO_VALUE)
    return depth == 1 ? datum : quasi_nested("unquote", datum, depth - 1, scope);
  datum = unquoted(form, "quasiquote", scope);
  if (datum != NO_VALUE)
    return quasi_nested("quasiquote", datum, depth + 1, scope);
  if (is_pair(form))
    return quasi_pair(form, depth, scope);
  if (is_vector(form)) {
    value list = list_from_array(vector_of(form)->items, vector_of(form)->length, NIL);
    return list2(core("list->vector"), quasi(list, depth, scope));
  }
  return list2(core("quote"), form);
}

static struct node *
special_quasiquote(value form, struct scope *scope) {
  check(list_length(form) == 2, form);
  return expand(quasi(car(cdr(form)), 1, scope), scope);
}

static value
thunk(value body) {
  return list3(core("lambda"), NIL, body);
}

// A promise for a value, (delay x), is one for a promise that is already kept.
static struct node *
special_delay(value form, struct scope *scope) {
  check(list_length(form) == 2, form);
  value kept = list2(core("make-promise"), car(cdr(form)));
  return expand(list2(core("%make-lazy"), thunk(kept)), scope);
}

static struct node *
special_delay_force(value form, struct scope *scope) {
  check(list_length(form) == 2, form);
  return expand(list2(core("%make-lazy"), thunk(car(cdr(form)))), scope);
}

static struct node *
special_cons_stream(value form, struct scope *scope) {
  check(list_length(form) == 3, form);
  value tail = list2(core("delay"), car(cdr(cdr(form))));
  return expand(list3(core("%cons"), car(cdr(form)), tail), scope);
}

static struct node *
special_case_lambda(value form, struct scope *scope) {
  check(list_length(form) >= 1, form);
  value clauses = NIL;
  for (value l = cdr(form); is_pair(l); l = cdr(l)) {
    check(list_length(car(l)) >= 2, form);
    clauses = cons(cons(core("lambda"), car(l)), clauses);
  }
  return expand(cons(core("%case-lambda"), list_reverse(clauses)), scope);
}

void
define_derived_specials(void) {
  special_define("cond", special_cond);
  special_define("case", special_case);
  special_define("do", special_do);
  special_define("quasiquote", special_quasiquote);
  special_define("delay", special_delay);
  special_define("delay-force", special_delay_force);
  special_define("cons-stream", special_cons_stream);
  special_define("case-lambda", special_case_lambda);
}
