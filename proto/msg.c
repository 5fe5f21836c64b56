#include "proto/msg.h"

/* One descriptor per message; `owner` is local so that a row needs no message name. */
#define COUNT_u32(name)   0
#define COUNT_u64(name)   0
#define COUNT_f64(name)   0
#define COUNT_flag(name)  0
#define COUNT_str(name)   0
#define COUNT_json(name)  0
#define COUNT_bytes(name) 0
#define COUNT_strs(name)  offsetof(owner, name##_count)
#define COUNT_list(name)  offsetof(owner, name##_count)

#define OF_u32(of)        NULL
#define OF_u64(of)        NULL
#define OF_f64(of)        NULL
#define OF_flag(of)       NULL
#define OF_str(of)        NULL
#define OF_json(of)       NULL
#define OF_bytes(of)      NULL
#define OF_strs(of)       NULL
#define OF_list(of)       (of##_desc)

#define FIELD_ROW(type, name, max, of)                                                   \
    {#name, MSG_##type, offsetof(owner, name), COUNT_##type(name), max, OF_##type(of)},
#define DEFINE(id_, name_, FIELDS)                                                       \
    const struct msg_desc *name_##_desc(void)                                            \
    {                                                                                    \
        typedef struct name_ owner;                                                      \
        static const struct msg_field fields[] = {FIELDS(FIELD_ROW)};                    \
        static const struct msg_desc desc = {id_, #name_, sizeof(owner), fields,         \
                                             SH_COUNT(fields)};                          \
        return &desc;                                                                    \
    }
MESSAGES(DEFINE)

#define INDEX(id, name, FIELDS) INDEX_##name,
#define FILL(id, name, FIELDS)  all[i++] = name##_desc();
enum { MESSAGES(INDEX) MESSAGE_COUNT };

const struct msg_desc *const *msg_all(void)
{
    static _Thread_local const struct msg_desc *all[MESSAGE_COUNT + 1];
    if (!all[0]) {
        size_t i = 0;
        MESSAGES(FILL)
    }
    return all;
}

#define METHOD_NAME(id, constant, name, request, reply, meaning)                         \
    case METHOD_##constant:                                                              \
        return name;

const char *method_name(uint32_t method)
{
    switch (method) {
        METHODS(METHOD_NAME)
    default:
        return "unknown";
    }
}
