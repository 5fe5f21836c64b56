/* readable: the right to read, in search's SQL: that of the whole project. */
#ifndef SEARCH_READABLE_H
#define SEARCH_READABLE_H

#include "proto/readable.h"

#endif
