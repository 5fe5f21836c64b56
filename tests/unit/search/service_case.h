/* service_case: a test program with one service, new for each test, and who may see all
 * of it. Header only. */
#ifndef TESTS_SERVICE_CASE_H
#define TESTS_SERVICE_CASE_H

#include "tests/unit/search/service_fixture.h"

static struct service service;

static const struct caller everybody = {
    .role = {"admin", 5}, .clearance = 5, .all_departments = true};

static inline int set_up(void **state)
{
    (void)state;
    service_start(&service);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

#endif
