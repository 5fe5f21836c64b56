/* meter_overload: what is counted and logged about a request that was refused because
 * there is too much to do. Most of what an overloaded gateway answers are such: a line
 * each would cost more than refusing does. */
#ifndef GATEWAY_METER_OVERLOAD_H
#define GATEWAY_METER_OVERLOAD_H

#include "services/gateway/meter.h"

/* Counted as by meter_finished(). In place of a line of the access log a few in ten
 * seconds are told in a line of the log, of the others the number. Loop thread only. */
void meter_overloaded(struct meter *meter, struct sh_http_request *request, int status,
                      uint64_t duration_us);

#endif
