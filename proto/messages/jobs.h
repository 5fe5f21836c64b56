/* long work: see proto/messages.h. */
#ifndef PROTO_MESSAGES_JOBS_H
#define PROTO_MESSAGES_JOBS_H

/* clang-format off */
/* item: what stands for it with whoever made the job, "line 17". */
#define JOB_ERROR(F)                                                                \
    F(str,  item,                256, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)

/* state: queued, running, done, failed or cancelled. errors: the first of them. code and
 * error: why all of it failed, or what holds it up. Times are Unix seconds, 0: not yet.
 * version: goes up with every change. file_name: as of a new job. */
#define JOB(F)                                                                      \
    F(str,  id,                   36, _)                                            \
    F(str,  kind,                 64, _)                                            \
    F(str,  state,                16, _)                                            \
    F(u64,  done,         UINT64_MAX, _)                                            \
    F(u64,  failed,       UINT64_MAX, _)                                            \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(list, errors,              100, job_error)                                    \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)                                            \
    F(json, result,          1048576, _)                                            \
    F(str,  created_by,          256, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(f64,  started_at,            0, _)                                            \
    F(f64,  finished_at,           0, _)                                            \
    F(u64,  version,      UINT64_MAX, _)                                            \
    F(str,  file_name,           255, _)

#define JOB_REF(F)                                                                  \
    F(str,  id,                   64, _)

/* state, kind: empty: any. */
#define JOB_LIST(F)                                                                 \
    F(str,  state,                16, _)                                            \
    F(str,  kind,                 64, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,            100, _)

#define JOB_PAGE(F)                                                                 \
    F(list, jobs,                100, job)                                          \
    F(u64,  total,        UINT64_MAX, _)

/* kind: ingest. The job has the rights that the caller has now. file_name: what the file was
 * called that it is made from, without folders; empty: there is none, or nobody said. */
#define JOB_NEW(F)                                                                  \
    F(str,  kind,                 64, _)                                            \
    F(str,  file_name,           255, _)

/* What was in a line: a document, or why there is none. turn: the same for versions of the
 * same document, 0: alone. */
#define JOB_INPUT(F)                                                                \
    F(u64,  line,         UINT64_MAX, _)                                            \
    F(list, put,                   1, document_put)                                 \
    F(u64,  turn,         UINT64_MAX, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)

/* first: how many were added before. last: there are no more. */
#define JOB_APPEND(F)                                                               \
    F(str,  id,                   64, _)                                            \
    F(u64,  first,        UINT64_MAX, _)                                            \
    F(list, items,              1000, job_input)                                    \
    F(flag, last,                  0, _)

/* full: nothing was taken, too much waits; the same again later. */
#define JOB_APPENDED(F)                                                             \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(flag, full,                  0, _)                                            \
    F(str,  state,                16, _)

/* Answered when the job is of a later version, or has ended, or after wait_ms. */
#define JOB_WAIT(F)                                                                 \
    F(str,  id,                   64, _)                                            \
    F(u64,  version,      UINT64_MAX, _)                                            \
    F(u32,  wait_ms,           60000, _)

#define MESSAGES_JOBS(M)              \
    M(60, job_error, JOB_ERROR)       \
    M(61, job, JOB)                   \
    M(62, job_ref, JOB_REF)           \
    M(63, job_list, JOB_LIST)         \
    M(64, job_page, JOB_PAGE)         \
    M(65, job_new, JOB_NEW)           \
    M(66, job_input, JOB_INPUT)       \
    M(67, job_append, JOB_APPEND)     \
    M(68, job_appended, JOB_APPENDED) \
    M(69, job_wait, JOB_WAIT)

#define METHODS_JOBS(X)                                                                        \
    X(60, JOB_CREATE, "jobs.create", job_new, job, "a job that takes items")                   \
    X(61, JOB_APPEND, "jobs.append", job_append, job_appended, "items for a job, or its last") \
    X(62, JOB_GET, "jobs.get", job_ref, job, "what has become of a job")                       \
    X(63, JOB_LIST, "jobs.list", job_list, job_page, "a page of jobs, no errors")              \
    X(64, JOB_CANCEL, "jobs.cancel", job_ref, job, "end a job")                                \
    X(65, JOB_RETRY, "jobs.retry", job_ref, job, "what failed again")                          \
    X(66, JOB_WAIT, "jobs.wait", job_wait, job, "a job when it has changed")
/* clang-format on */

#endif
