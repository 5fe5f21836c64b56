#include "shared/err.h"

#include <uv.h>

#define ERR_ROW(name, status, code, text) [name] = {status, code, text},
static const struct {
    int status;
    const char *code;
    const char *text;
} rows[SH_ERR_COUNT] = {SH_ERRORS(ERR_ROW)};

/* A value from nowhere is somebody's bug, not a reason to read past the table. */
static enum sh_err known(enum sh_err err)
{
    return (unsigned)err < SH_ERR_COUNT ? err : SH_INTERNAL;
}

const char *sh_err_text(enum sh_err err)
{
    return rows[known(err)].text;
}

const char *sh_err_code(enum sh_err err)
{
    return rows[known(err)].code;
}

int sh_err_http_status(enum sh_err err)
{
    return rows[known(err)].status;
}

static const struct {
    int status;
    enum sh_err err;
} from_uv[] = {
    {UV_ENOMEM, SH_NOMEM},
    {UV_EINVAL, SH_INVALID},
    {UV_E2BIG, SH_TOOBIG},
    {UV_EFBIG, SH_TOOBIG},
    {UV_EMSGSIZE, SH_TOOBIG},
    {UV_ENAMETOOLONG, SH_TOOBIG},
    {UV_ENOENT, SH_NOTFOUND},
    {UV_EEXIST, SH_CONFLICT},
    {UV_EACCES, SH_FORBIDDEN},
    {UV_EPERM, SH_FORBIDDEN},
    {UV_EAGAIN, SH_BUSY},
    {UV_ENOBUFS, SH_BUSY},
    {UV_EMFILE, SH_BUSY},
    {UV_ENFILE, SH_BUSY},
    {UV_ETIMEDOUT, SH_TIMEOUT},
    {UV_ECANCELED, SH_CANCELED},
    {UV_ECONNREFUSED, SH_UNAVAILABLE},
    {UV_ECONNRESET, SH_UNAVAILABLE},
    {UV_ECONNABORTED, SH_UNAVAILABLE},
    {UV_EPIPE, SH_UNAVAILABLE},
    {UV_EHOSTUNREACH, SH_UNAVAILABLE},
    {UV_ENETUNREACH, SH_UNAVAILABLE},
    {UV_EOF, SH_UNAVAILABLE},
    {UV_EAI_AGAIN, SH_UNAVAILABLE},
    {UV_EAI_NONAME, SH_UNAVAILABLE},
};

enum sh_err sh_err_from_uv(int status)
{
    if (status >= 0)
        return SH_OK;
    for (size_t i = 0; i < sizeof(from_uv) / sizeof(from_uv[0]); i++) {
        if (from_uv[i].status == status)
            return from_uv[i].err;
    }
    return SH_IO;
}

enum sh_err sh_err_from_errno(int code)
{
    return code <= 0 ? SH_OK : sh_err_from_uv(uv_translate_sys_error(code));
}
