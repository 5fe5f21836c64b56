/* ask: of the gateway, without a word on stderr. */
#ifndef CAIRN_DOCTOR_ASK_H
#define CAIRN_DOCTOR_ASK_H

#include "cli/cairn/doctor/doctor.h"

/* The answer as JSON, also of an error when `any`; NULL otherwise. The status is in
 * self->cli->reply, 0 when there was no answer. */
json_t *doctor_ask(struct doctor *self, const char *path, bool any);

/* Says what kept a check from being made: rights, as a rule. */
void doctor_kept(struct doctor *self, const char *check);

json_t *doctor_in(const json_t *object, const char *a, const char *b);
const char *doctor_text(const json_t *object, const char *member);
double doctor_number(const json_t *object, const char *member);

#endif
