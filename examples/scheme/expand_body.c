// Bodies with internal definitions, and letrec: which variables are procedures that can be closed over
// together, which need a box because something may look at them before they have a value.
#include "error.h"
#include "scope.h"
#include "text.h"

static struct node *
set_node(struct variable *variable, struct node *content) {
  struct node *node = node_new(NODE_SET_LOCAL, 0);
  node->variable = variable;
  node->body = content;
  return node;
}

static struct node *
sequence_node(struct node *first, struct node *second) {
  struct node *node = node_new(NODE_SEQUENCE, 2);
  node->items[0] = first;
  node->items[1] = second;
  return node;
}

// One definition of a body or letrec, or an expression between definitions (variable is NULL).
//
// Neighbouring lambdas make a group that can be closed over together; anything else is a group of its own.
struct definition {
  struct variable *variable;
  value form;
  struct node *node;
  uint32_t group;
  bool is_lambda;
};

struct definitions {
  struct definition *items;
  uint32_t count;
  uint32_t capacity;
};

static void
definitions_add(struct definitions *all, struct variable *variable, value form) {
  if (all->count == all->capacity) {
    uint32_t capacity = 2 * all->capacity + 8;
    struct definition *grown = alloc_scanned(capacity * sizeof *grown);
    for (uint32_t i = 0; i < all->count; i++)
      grown[i] = all->items[i];
    all->items = grown;
    all->capacity = capacity;
  }
  all->items[all->count++] = (struct definition){.variable = variable, .form = form};
}

static special_form *
special_named(const char *name) {
  return symbol_of(symbol_from_c(name))->syntax->special;
}

static bool
is_special(value form, special_form *special, struct scope *scope) {
  struct symbol *global = NULL;
  if (!is_pair(form) || !is_identifier(car(form)))
    return false;
  struct binding *binding = scope_lookup(scope, car(form), &global);
  return binding != NULL && binding->special == special;
}

static void
assign_groups(struct definitions *all, struct scope *scope) {
  uint32_t group = 0;
  for (uint32_t i = 0; i < all->count; i++) {
    struct definition *d = &all->items[i];
    d->is_lambda = d->variable != NULL && is_special(d->form, special_named("lambda"), scope);
    if (i > 0 && !(d->is_lambda && d[-1].is_lambda))
      group++;
    d->group = group;
  }
}

// After the group's inits are expanded: variables that they mention and that get their value only later
// need a box.
static void
mark_early_references(struct definitions *all, uint32_t done) {
  uint32_t group = all->items[done].group;
  for (uint32_t i = 0; i < all->count; i++) {
    struct definition *d = &all->items[i];
    bool later = d->group > group || (d->group == group && !d->is_lambda);
    if (d->variable != NULL && later && d->variable->references > 0 && !d->variable->early)
      d->variable->early = d->variable->assigned = true;
  }
}

static bool
is_prebound(const struct definition *d) {
  return d->variable != NULL && (d->variable->early || (d->is_lambda && d->variable->assigned));
}

// The lambdas of items[start, end) around body.
static struct node *
build_fix(struct definition *items, uint32_t count, struct node *body) {
  uint32_t plain = 0;
  for (uint32_t i = 0; i < count; i++)
    plain += !items[i].variable->assigned;
  struct node *fix = node_let(plain);
  fix->kind = NODE_FIX;
  for (uint32_t i = count; i > 0; i--) {
    struct definition *d = &items[i - 1];
    if (d->variable->assigned) {
      body = sequence_node(set_node(d->variable, d->node), body);
      continue;
    }
    fix->variables[--plain] = d->variable;
    fix->items[plain] = d->node;
  }
  fix->body = body;
  return fix->count > 0 ? node_settle_fix(fix) : body;
}

static struct node *
build_one(struct definition *d, struct node *body) {
  if (d->variable == NULL)
    return sequence_node(d->node, body);
  if (is_prebound(d))
    return sequence_node(set_node(d->variable, d->node), body);
  struct node *let = node_let(1);
  let->variables[0] = d->variable;
  let->items[0] = d->node;
  let->body = body;
  return let;
}

static struct node *
prebind(struct definitions *all, struct node *body) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < all->count; i++)
    count += is_prebound(&all->items[i]);
  if (count == 0)
    return body;
  struct node *let = node_let(count);
  for (uint32_t i = 0; i < all->count; i++) {
    if (!is_prebound(&all->items[i]))
      continue;
    let->variables[--count] = all->items[i].variable;
    let->items[count] = node_const(UNBOUND);
  }
  let->body = body;
  return let;
}

// letrec*: the definitions in order, then the body.
static struct node *
expand_definitions(struct definitions *all, value body_forms, struct scope *scope, value whole) {
  assign_groups(all, scope);
  for (uint32_t i = 0; i < all->count; i++) {
    struct definition *d = &all->items[i];
    d->node = expand(d->form, scope);
    if (d->variable != NULL)
      node_name_procedure(d->node, d->variable->name);
    if (i + 1 == all->count || d[1].group != d->group)
      mark_early_references(all, i);
  }
  struct node *body = expand_sequence(body_forms, scope, whole);
  for (uint32_t end = all->count, start; end > 0; end = start) {
    start = end - 1;
    while (start > 0 && all->items[start - 1].group == all->items[start].group)
      start--;
    struct definition *first = &all->items[start];
    body = first->is_lambda ? build_fix(first, end - start, body) : build_one(first, body);
  }
  return prebind(all, body);
}

// (define target body...) in a body: bind the name, remember the init.
static void
add_definition(struct definitions *all, value form, struct scope *scope) {
  if (list_length(form) < 2)
    raise_syntax("bad form", syntax_strip(form));
  value target = car(cdr(form)), rest = cdr(cdr(form));
  while (is_pair(target)) {
    rest = list1(cons(core("lambda"), cons(cdr(target), rest)));
    target = car(target);
  }
  if (!is_identifier(target))
    raise_syntax("bad form", syntax_strip(form));
  value init = is_pair(rest) ? car(rest) : list2(core("quote"), UNSPECIFIED);
  definitions_add(all, scope_bind_variable(scope, target), init);
}

static struct binding *
head_binding(value form, struct scope *scope) {
  struct symbol *global = NULL;
  return is_pair(form) && is_identifier(car(form)) ? scope_lookup(scope, car(form), &global) : NULL;
}

// Scan a body: definitions are bound and collected, macros at the head of forms expanded, begins spliced.
// Returns the expressions after the last definition.
static value
scan_body(value forms, struct scope *scope, struct definitions *all) {
  static special_form *define, *begin, *define_syntax;
  if (define == NULL) {
    define = special_named("define");
    begin = special_named("begin");
    define_syntax = special_named("define-syntax");
  }
  value expressions = NIL; // since the last definition, reversed
  while (is_pair(forms)) {
    value form = car(forms);
    forms = cdr(forms);
    struct binding *binding;
    while ((binding = head_binding(form, scope)) != NULL && binding->macro != NULL)
      form = macro_expand(binding->macro, form, scope);
    special_form *special = binding == NULL ? NULL : binding->special;
    if (special == begin) {
      for (value inner = list_reverse(cdr(form)); is_pair(inner); inner = cdr(inner))
        forms = cons(car(inner), forms);
    } else if (special == define) {
      for (value l = list_reverse(expressions); is_pair(l); l = cdr(l))
        definitions_add(all, NULL, car(l));
      expressions = NIL;
      add_definition(all, form, scope);
    } else if (special == define_syntax && list_length(form) == 3) {
      scope_bind(scope, car(cdr(form)))->macro = macro_parse(car(cdr(cdr(form))), scope);
    } else {
      expressions = cons(form, expressions);
    }
  }
  return list_reverse(expressions);
}

struct node *
expand_body(value forms, struct scope *scope, value whole) {
  if (list_length(forms) < 1)
    raise_syntax("expected one expression or more in", syntax_strip(whole));
  struct scope *inner = scope_new(scope, scope->lambda);
  struct definitions all = {0};
  value expressions = scan_body(forms, inner, &all);
  if (expressions == NIL)
    expressions = list1(list2(core("quote"), UNSPECIFIED));
  return expand_definitions(&all, expressions, inner, whole);
}

struct node *
expand_letrec(value names, value inits, value body_forms, struct scope *scope, value whole) {
  struct scope *inner = scope_new(scope, scope->lambda);
  struct definitions all = {0};
  for (; is_pair(names); names = cdr(names), inits = cdr(inits))
    definitions_add(&all, scope_bind_variable(inner, car(names)), car(inits));
  value body = list1(cons(core("let"), cons(NIL, body_forms)));
  return expand_definitions(&all, body, inner, whole);
}

struct node *
bind_procedure(struct variable *variable, struct node *lambda, struct node *body) {
  struct definitions one = {0};
  definitions_add(&one, variable, NIL);
  one.items[0].is_lambda = true;
  one.items[0].node = lambda;
  return prebind(&one, build_fix(one.items, 1, body));
}
