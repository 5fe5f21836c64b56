#include "services/gateway/audit/kinds.h"

#include <string.h>

static const struct kind {
    unsigned bit;
    const char *name;
} kinds_known[] = {{AUDIT_CHANGES, "change"},
                   {AUDIT_LOGINS, "login"},
                   {AUDIT_SEARCHES, "search"},
                   {AUDIT_LOOKS, "read"},
                   {AUDIT_DENIED, "denied"}};

static const char *const own[] = {"audit.start", "audit.stop", "audit.anchor",
                                  "audit.retention", "audit.lost"};

static unsigned named(struct sh_bytes name)
{
    for (size_t i = 0; i < SH_COUNT(kinds_known); i++)
        if (sh_bytes_is(name, kinds_known[i].name))
            return kinds_known[i].bit;
    return 0;
}

bool audit_kinds_parse(struct sh_bytes text, unsigned *kinds)
{
    const char *at = text.data;
    size_t left = text.len;

    *kinds = 0;
    for (;;) {
        const char *comma = left > 0 ? memchr(at, ',', left) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - at) : left;
        unsigned bit = named((struct sh_bytes){at, len});

        *kinds |= bit;
        if (bit == 0 || comma == NULL)
            return bit != 0;
        at += len + 1;
        left -= len + 1;
    }
}

unsigned audit_kind_of(const struct route *route)
{
    enum permission permission = route->permission;

    if ((route->flags & ROUTE_ENTRY) != 0)
        return AUDIT_LOGINS;
    if (permission == PERMIT_SEARCH || (route->flags & ROUTE_AS_SEARCH) != 0)
        return AUDIT_SEARCHES;
    bool reads = permission == PERMIT_READ_DOCUMENTS ||
                 permission == PERMIT_READ_GLOSSARY || permission == PERMIT_READ_GRAPH ||
                 permission == PERMIT_EMBED;
    return reads || route->method == ROUTE_GET ? AUDIT_LOOKS : AUDIT_CHANGES;
}

void audit_choose(const struct route *routes, size_t count, unsigned kinds,
                  struct audit_choice *choice)
{
    bool first = true;

    *choice = (struct audit_choice){.without = (kinds & AUDIT_CHANGES) != 0};
    sh_buffer_text(&choice->names, "{");
    for (size_t i = 0; i < count; i++) {
        unsigned kind = audit_kind_of(&routes[i]);
        bool wanted = (kinds & kind) != 0;

        if (wanted == choice->without) /* changes are what is not among the others */
            continue;
        sh_buffer_printf(&choice->names, "%s%s", first ? "" : ",", routes[i].operation);
        first = false;
    }
    sh_buffer_text(&choice->names, "}");
}

/* Probes and pages that everybody may see leave no record. */
static bool leaves_record(const struct route *route)
{
    bool open = route->permission == PERMIT_PUBLIC && route->method == ROUTE_GET;

    return (route->flags & (ROUTE_QUIET | ROUTE_HIDDEN)) == 0 && !open;
}

static void write_names(const struct route *routes, size_t count, unsigned kind,
                        struct sh_buffer *out)
{
    const char *gap = "";

    for (size_t i = 0; i < count; i++) {
        if (audit_kind_of(&routes[i]) != kind || !leaves_record(&routes[i]))
            continue;
        sh_buffer_printf(out, "%s\"%s\"", gap, routes[i].operation);
        gap = ",";
    }
    for (size_t i = 0; kind == AUDIT_CHANGES && i < SH_COUNT(own); i++) {
        sh_buffer_printf(out, "%s\"%s\"", gap, own[i]);
        gap = ",";
    }
}

void audit_actions_json(const struct route *routes, size_t count, struct sh_buffer *out)
{
    for (size_t i = 0; i < SH_COUNT(kinds_known); i++) {
        if (kinds_known[i].bit == AUDIT_DENIED)
            continue;
        sh_buffer_printf(out, "%s\"%s\":[", i > 0 ? "," : "{", kinds_known[i].name);
        write_names(routes, count, kinds_known[i].bit, out);
        sh_buffer_text(out, "]");
    }
    sh_buffer_text(out, "}");
}
