#include "services/gateway/auth/principal.h"

#include "shared/mem.h"

const char *credential_name(enum credential credential)
{
    static const char *const names[CREDENTIALS] = {"token", "key", "session"};
    return credential < CREDENTIALS ? names[credential] : "";
}

static struct sh_bytes move(char **room, struct sh_bytes text)
{
    char *at = *room;

    if (text.len > 0)
        memcpy(at, text.data, text.len);
    *room += text.len;
    return (struct sh_bytes){at, text.len};
}

struct principal *principal_create(const struct principal *from)
{
    size_t texts = from->user_id.len + from->username.len + from->department.len +
                   from->campus.len + from->role.len + from->id.len;
    struct principal *self = sh_alloc(sizeof *self + texts);

    if (self == NULL)
        return NULL;
    char *room = (char *)(self + 1);
    *self = *from;
    self->user_id = move(&room, from->user_id);
    self->username = move(&room, from->username);
    self->department = move(&room, from->department);
    self->campus = move(&room, from->campus);
    self->role = move(&room, from->role);
    self->id = move(&room, from->id);
    self->references = 1;
    self->table = NULL;
    return self;
}

struct principal *principal_hold(struct principal *self)
{
    self->references++;
    return self;
}

void principal_drop(struct principal *self)
{
    if (self != NULL && --self->references == 0)
        sh_free(self);
}

const struct role *principal_role(struct principal *self, const struct role_table *table)
{
    if (self->table == table)
        return self->found;
    self->table = table;
    self->found = role_find(table, self->role);
    if (self->found == NULL)
        self->found = role_anonymous(table);
    return self->found;
}
