/* backup sets: see proto/messages.h. */
#ifndef PROTO_MESSAGES_BACKUP_H
#define PROTO_MESSAGES_BACKUP_H

/* clang-format off */
#define BACKUP_SET(F)                                                               \
    F(str,  id,                  128, _)                                            \
    F(str,  kind,                 32, _)                                            \
    F(str,  label,               256, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(u64,  size_bytes,   UINT64_MAX, _)                                            \
    F(flag, verified,              0, _)

#define BACKUP_LIST_REPLY(F)                                                        \
    F(list, sets,              10000, backup_set)

#define MESSAGES_BACKUP(M)        \
    M(50, backup_set, BACKUP_SET) \
    M(51, backup_list_reply, BACKUP_LIST_REPLY)

#define METHODS_BACKUP(X) \
    X(50, BACKUP_LIST, "backup.list", empty, backup_list_reply, "backup sets, newest first")
/* clang-format on */

#endif
