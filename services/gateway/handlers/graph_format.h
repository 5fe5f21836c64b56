/* graph_format: in which format a graph comes or is wanted. */
#ifndef GATEWAY_GRAPH_FORMAT_H
#define GATEWAY_GRAPH_FORMAT_H

#include "services/gateway/exchange.h"
#include "services/gateway/graphs/reader.h"

/* From ?format=, else from the Content-Type of the body. False: answered. */
SH_CHECK bool graph_format_read(struct exchange *x, enum graph_format *out);
const char *graph_format_name(enum graph_format format);
const char *graph_format_type(enum graph_format format); /* Content-Type */

#endif
