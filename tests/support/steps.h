/* Steps of the search service's statements against a database, without its pool. For
 * tests of cmocka. */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include "services/search/store/write.h"

/* Runs a step as the pool would; the test fails when the server refuses it. */
static inline PGresult *steps_run(PGconn *db, const struct sh_pg_step *step)
{
    const char *values[SH_PG_PARAMS_MAX] = {0};
    char *copies[SH_PG_PARAMS_MAX] = {0};
    int lengths[SH_PG_PARAMS_MAX] = {0};
    int formats[SH_PG_PARAMS_MAX] = {0};

    for (unsigned i = 0; i < step->count; i++) {
        struct sh_bytes value = step->params[i].value;
        if (value.data != NULL) {
            copies[i] = strndup(value.data, value.len);
            values[i] = step->params[i].binary ? value.data : copies[i];
        }
        lengths[i] = (int)value.len;
        formats[i] = step->params[i].binary;
    }
    PGresult *result = PQexecParams(db, step->statement->sql, (int)step->count, NULL,
                                    values, lengths, formats, step->binary_result);
    for (unsigned i = 0; i < step->count; i++)
        free(copies[i]);
    if (PQresultStatus(result) != PGRES_TUPLES_OK &&
        PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", step->statement->name, PQresultErrorMessage(result));
    return result;
}

/* All of them, in one transaction. */
static inline void steps_store(PGconn *db, struct write *write)
{
    assert_int_equal(write_prepare(write), SH_OK);
    PQclear(PQexec(db, "BEGIN"));
    for (size_t i = 0; i < write->step_count; i++)
        PQclear(steps_run(db, &write->steps[i]));
    PQclear(PQexec(db, "COMMIT"));
    write_free(write);
}

#endif
