/* backup sets: see proto/messages.h. */
#ifndef PROTO_MESSAGES_BACKUP_H
#define PROTO_MESSAGES_BACKUP_H

/* clang-format off */
/* proven: what verified rests on: checksums, archive or restored; empty: not known.
 * safety: made by a restore in place of what it replaces. */
#define BACKUP_SET(F)                                                               \
    F(str,  id,                  128, _)                                            \
    F(str,  kind,                 32, _)                                            \
    F(str,  label,               256, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(u64,  size_bytes,   UINT64_MAX, _)                                            \
    F(flag, verified,              0, _)                                            \
    F(flag, safety,                0, _)                                            \
    F(str,  proven,               16, _)

#define BACKUP_LIST_REPLY(F)                                                        \
    F(list, sets,              10000, backup_set)

/* A run to be started. verb: create, verify, drill, restore, undo, prune, delete, copy or
 * fetch; the rest as the command line of cairn-backup has it, empty: not given. */
#define BACKUP_ORDER(F)                                                             \
    F(str,  verb,                 16, _)                                            \
    F(str,  id,                   63, _)                                            \
    F(str,  kind,                 16, _)                                            \
    F(str,  label,               256, _)                                            \
    F(str,  proof,                16, _)                                            \
    F(str,  target,               16, _)                                            \
    F(str,  database,             63, _)                                            \
    F(str,  confirm,              64, _)                                            \
    F(str,  from,                256, _)                                            \
    F(flag, dry_run,               0, _)                                            \
    F(flag, force,                 0, _)                                            \
    F(str,  until,                48, _)                                            \
    F(strs, tables,               16, _)                                            \
    F(strs, collections,          16, _)

/* run_id: of the run that the body is about; empty: of none. version: of that run, goes up
 * with every change; 0: not told. ended: it changes no more. */
#define BACKUP_ANSWER(F)                                                            \
    F(json, body,            2097152, _)                                            \
    F(str,  run_id,               64, _)                                            \
    F(u64,  version,      UINT64_MAX, _)                                            \
    F(flag, ended,                 0, _)

#define BACKUP_REF(F)                                                               \
    F(str,  id,                   64, _)

#define MESSAGES_BACKUP(M)                      \
    M(50, backup_set, BACKUP_SET)               \
    M(51, backup_list_reply, BACKUP_LIST_REPLY) \
    M(170, backup_order, BACKUP_ORDER)          \
    M(171, backup_answer, BACKUP_ANSWER)        \
    M(172, backup_ref, BACKUP_REF)

#define METHODS_BACKUP(X) \
    X(50, BACKUP_LIST, "backup.list", empty, backup_list_reply, "backup sets, newest first")     \
    X(140, BACKUP_RUN, "backup.run", backup_order, backup_answer, "start a run")                         \
    X(141, BACKUP_SHOW, "backup.show", backup_ref, backup_answer, "the manifest of a set")               \
    X(142, BACKUP_RUNS, "backup.runs", empty, backup_answer, "runs, newest first")                       \
    X(143, BACKUP_RUN_GET, "backup.run_get", backup_ref, backup_answer, "what has become of a run")      \
    X(144, BACKUP_RUN_CANCEL, "backup.run_cancel", backup_ref, backup_answer, "end a run")               \
    X(145, BACKUP_SCHEDULE, "backup.schedule", empty, backup_answer, "when full sets are due, what stays") \
    X(195, BACKUP_RUN_WAIT, "backup.run_wait", job_wait, backup_answer, "a run when it has changed")
/* clang-format on */

#endif
