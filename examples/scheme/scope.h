// Names at expansion time.  An identifier is a symbol, or an alias: a symbol that a macro inserted, which
// remembers the scope of the macro's definition, so that it means there what its author meant (hygiene by
// renaming).
#ifndef SCHEME_SCOPE_H
#define SCHEME_SCOPE_H

#include "ast.h"
#include "value.h"

struct scope;

typedef struct node *special_form(value form, struct scope *scope);

struct macro {    // syntax-rules
  value ellipsis; // identifier
  value literals; // list of identifiers
  value rules;    // list of (pattern template)
  struct scope *scope;
};

struct binding { // exactly one of the last three is set
  struct binding *next;
  value id;
  struct variable *variable;
  struct macro *macro;
  special_form *special;
};

struct scope {
  struct scope *up;      // NULL is the global scope
  struct lambda *lambda; // the procedure whose code is expanded in this scope
  struct binding *bindings;
};

struct alias {
  struct object head;
  value id; // what it renames: a symbol or another alias
  struct scope *scope;
};

static inline bool
is_identifier(value v) {
  return is_symbol(v) || is_type(v, TYPE_ALIAS);
}

struct scope *scope_new(struct scope *up, struct lambda *lambda);
struct binding *scope_bind(struct scope *scope, value id);
struct variable *scope_bind_variable(struct scope *scope, value id);

// What id means in scope: a binding, or NULL for a global variable, whose symbol goes to *global.
struct binding *scope_lookup(struct scope *scope, value id, struct symbol **global);

// Do a in scope_a and b in scope_b mean the same thing?
bool same_identifier(value a, struct scope *scope_a, value b, struct scope *scope_b);

// Is id, in scope, the unbound global keyword `name` (else, =>, ...)?
bool is_keyword(value id, const char *name, struct scope *scope);

value alias_new(value id, struct scope *scope);
value alias_strip(value id);    // the symbol behind an identifier
value syntax_strip(value form); // form with all aliases replaced by their symbols

// A name of the global scope whatever the scope it is put into, for forms the expander makes.
value core(const char *name);

value macro_expand(struct macro *macro, value form, struct scope *scope);
struct macro *macro_parse(value rules_form, struct scope *scope);

// The expander.
struct node *expand(value form, struct scope *scope);
struct node *expand_body(value forms, struct scope *scope, value whole);
struct node *expand_sequence(value forms, struct scope *scope, value whole);
struct node *expand_lambda(value name, value formals, value body, struct scope *scope, value whole);
struct node *expand_letrec(value names, value inits, value body_forms, struct scope *scope, value whole);
struct node *bind_procedure(struct variable *variable, struct node *lambda,
                            struct node *body); // which may be a loop
struct lambda *expand_toplevel(value form);     // a procedure of no arguments
void define_specials(void);
void define_binding_specials(void);
void define_derived_specials(void);
void special_define(const char *name, special_form *special);

#endif
