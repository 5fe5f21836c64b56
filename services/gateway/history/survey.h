/* survey: asks the services every 15 seconds what they say of themselves, for the last
 * hour. Each asking ends by its own deadline before the next one. Main loop only. */
#ifndef GATEWAY_HISTORY_SURVEY_H
#define GATEWAY_HISTORY_SURVEY_H

#include "services/gateway/edge.h"
#include "services/gateway/history/history.h"

struct survey;

/* Asks first after a second, when replicas have been met. Both must outlive it. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err survey_open(struct edge *edge, struct history *history,
                                 struct survey **out);
/* *survey becomes NULL; memory goes on a later loop turn. NULL is fine. */
void survey_close(struct survey **survey);
/* What its timer does. */
void survey_ask(struct survey *survey);

#endif
