/* filter_parser: what the two files that read filters share. */
#ifndef SEARCH_FILTER_PARSER_H
#define SEARCH_FILTER_PARSER_H

#include <jansson.h>

#include "services/search/filter/filter_internal.h"

struct filter_parser {
    const struct caller *caller;
    struct sh_arena *arena;
    struct filter_problem *problem;
    char path[sizeof(((struct filter_problem *)0)->field)];
    size_t nodes;
};

/* What the nodes made from one JSON value have in common. */
struct filter_subject {
    enum filter_field field;
    struct sh_bytes key;
};

/* Always SH_INVALID, with the field that is being read. */
__attribute__((format(printf, 2, 3))) enum sh_err
filter_refuse(struct filter_parser *parser, const char *format, ...);
/* Names the member now read; returns the length to go back to. What is too long for the
 * path is cut, between characters. */
size_t filter_enter(struct filter_parser *parser, const char *separator,
                    const char *name);
void filter_leave(struct filter_parser *parser, size_t len);
/* Errors: SH_FORBIDDEN (the level is above that of the caller). */
SH_CHECK enum sh_err filter_check_clearance(struct filter_parser *parser, double level);
/* A new node below `parent`; `subject` NULL for groups. Errors: SH_INVALID (too many),
 * SH_NOMEM. */
SH_CHECK enum sh_err filter_add(struct filter_parser *parser, struct filter_node *parent,
                                const struct filter_subject *subject,
                                enum filter_kind kind, struct filter_node **out);
/* What a field must be: a value, or an object of conditions that must all hold. */
SH_CHECK enum sh_err filter_condition(struct filter_parser *parser,
                                      struct filter_node *parent,
                                      const struct filter_subject *subject, json_t *json);

#endif
