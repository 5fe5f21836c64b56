/* text: values as strings. Functions that return bool fail as env.h says. */
#ifndef CYPHER_TEXT_H
#define CYPHER_TEXT_H

#include "services/graph/cypher/value.h"

enum { CY_NUMBER_ROOM = 40 };

/* What toString() makes of a string, number, boolean or time. Fails on what has no string
 * form. */
bool cy_text_of(struct cy_env *env, struct cy_value value, struct cy_value *out);
/* The shortest that reads back as the same number: "1.0", "1.0E-10", "NaN". Returns its
 * length. */
size_t cy_float_text(double real, char out[static CY_NUMBER_ROOM]);
/* From decimal or hexadecimal digits and a sign, spaces around. False: no such number. */
bool cy_parse_integer(struct sh_bytes text, int64_t *out);
bool cy_parse_float(struct sh_bytes text, double *out);

#endif
