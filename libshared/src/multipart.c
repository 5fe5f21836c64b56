#include "shared/multipart.h"

#include "multipart_head.h"
#include "shared/mem.h"

/* A delimiter is CR LF "--" boundary. CR stands nowhere in it but at its start, so that
 * after a mismatch only the byte at hand can begin another one. */
enum {
    DELIMITER_MAX = 4 + MULTIPART_BOUNDARY_MAX,
    PADDING_MAX = 64, /* spaces after a delimiter, which receivers must bear */
    PARTS = 64,
    HEAD_BYTES = 4096,
};

enum state {
    PREAMBLE,  /* before the first delimiter: thrown away */
    DELIMITED, /* behind a delimiter */
    DASHED,    /* one dash behind it */
    CLOSING,   /* behind the last one */
    LINE_FEED, /* a CR behind a delimiter */
    HEAD,
    DATA,
    OVER, /* the epilogue: thrown away */
};

struct sh_multipart {
    struct sh_multipart_events events;
    void *arg;
    struct sh_multipart_limits limits;
    enum state state;
    enum sh_err err;
    const char *why;
    bool ended; /* the last delimiter was seen */
    size_t parts;
    size_t padding;
    size_t matched;  /* bytes of the delimiter */
    size_t borrowed; /* of them: from a line end that is no data */
    uint64_t part_bytes;
    struct sh_multipart_part part;
    struct multipart_seen seen;
    size_t head_len; /* of this part, lines taken included */
    size_t line_len;
    size_t delimiter_len;
    char delimiter[DELIMITER_MAX + 1];
    char line[]; /* limits.head_bytes */
};

static void fail(struct sh_multipart *self, enum sh_err err, const char *why)
{
    self->err = err;
    self->why = why;
}

static void malformed(struct sh_multipart *self, const char *why)
{
    fail(self, SH_MALFORMED, why);
}

static void told(struct sh_multipart *self, enum sh_err err)
{
    if (err != SH_OK)
        fail(self, err, sh_err_text(err));
}

/* --- data ------------------------------------------------------------------------- */

static void emit(struct sh_multipart *self, const char *data, size_t len)
{
    if (len == 0 || self->state != DATA || self->err != SH_OK)
        return;
    if (len > self->limits.part_bytes - self->part_bytes) {
        fail(self, SH_TOOBIG, "a part is too long");
        return;
    }
    self->part_bytes += len;
    told(self, self->events.data(self->arg, (struct sh_bytes){data, len}));
}

static void found_delimiter(struct sh_multipart *self)
{
    self->matched = 0;
    self->borrowed = 0;
    self->padding = 0;
    if (self->state == DATA)
        told(self, self->events.end(self->arg));
    self->state = DELIMITED;
}

/* A delimiter began in an earlier feed: does it go on? Returns what was used. */
static size_t go_on(struct sh_multipart *self, const char *at, size_t len)
{
    size_t used = 0;
    while (used < len && self->matched < self->delimiter_len &&
           at[used] == self->delimiter[self->matched]) {
        used++;
        self->matched++;
    }
    if (self->matched == self->delimiter_len) {
        found_delimiter(self);
    } else if (used < len) {
        size_t skip = self->borrowed;
        size_t held = self->matched;
        self->matched = 0;
        self->borrowed = 0;
        emit(self, self->delimiter + skip, held - skip);
    }
    return used;
}

/* Up to a delimiter, whole or its beginning at the end of what there is. */
static size_t take_data(struct sh_multipart *self, const char *at, size_t len)
{
    if (self->matched > 0)
        return go_on(self, at, len);
    size_t from = 0;
    while (from < len) {
        const char *cr = memchr(at + from, '\r', len - from);
        if (!cr)
            break;
        size_t start = (size_t)(cr - at);
        size_t there = len - start;
        size_t most = there < self->delimiter_len ? there : self->delimiter_len;
        if (memcmp(cr, self->delimiter, most) == 0) {
            emit(self, at, start);
            self->matched = most;
            if (most == self->delimiter_len && self->err == SH_OK)
                found_delimiter(self);
            return start + most;
        }
        from = start + 1;
    }
    emit(self, at, len);
    return len;
}

/* --- behind a delimiter ----------------------------------------------------------- */

static void begin_head(struct sh_multipart *self)
{
    if (self->parts == self->limits.parts) {
        fail(self, SH_TOOBIG, "there are too many parts");
        return;
    }
    self->parts++;
    self->part = (struct sh_multipart_part){.type = "text/plain"};
    self->seen = (struct multipart_seen){0};
    self->part_bytes = 0;
    self->head_len = 0;
    self->line_len = 0;
    self->state = HEAD;
}

static void take_delimited(struct sh_multipart *self, char c)
{
    static const char wrong[] = "something follows a boundary on its line";
    if ((c == ' ' || c == '\t') && self->padding++ < PADDING_MAX &&
        (self->state == DELIMITED || self->state == CLOSING))
        return;
    if (self->state == DELIMITED && c == '-' && self->padding == 0)
        self->state = DASHED;
    else if (self->state == DASHED && c == '-')
        self->state = CLOSING;
    else if ((self->state == DELIMITED || self->state == CLOSING) && c == '\r')
        self->state = self->state == CLOSING ? OVER : LINE_FEED;
    else if (self->state == LINE_FEED && c == '\n')
        begin_head(self);
    else
        malformed(self, wrong);
    self->ended |= self->state == CLOSING;
}

/* --- the head of a part ----------------------------------------------------------- */

static void take_line(struct sh_multipart *self, size_t len)
{
    if (len > 0) {
        const char *why = multipart_header((struct sh_bytes){self->line, len},
                                           &self->seen, &self->part);
        if (why)
            malformed(self, why);
        return;
    }
    if (!self->seen.disposition) {
        malformed(self, "a part has no Content-Disposition");
        return;
    }
    self->state = DATA;
    /* the line end before the data may be that of a delimiter: a part without data */
    self->matched = self->borrowed = 2;
    told(self, self->events.begin(self->arg, &self->part));
}

static size_t take_head(struct sh_multipart *self, const char *at, size_t len)
{
    const char *lf = memchr(at, '\n', len);
    size_t used = lf ? (size_t)(lf - at) + 1 : len;
    if (used > self->limits.head_bytes - self->head_len) {
        fail(self, SH_TOOBIG, "the headers of a part are too long");
        return used;
    }
    memcpy(self->line + self->line_len, at, used);
    self->line_len += used;
    self->head_len += used;
    if (!lf)
        return used;
    size_t line = self->line_len;
    self->line_len = 0;
    if (line < 2 || self->line[line - 2] != '\r')
        malformed(self, "a header line of a part does not end in CR LF");
    else
        take_line(self, line - 2); /* a CR elsewhere is a control character */
    return used;
}

/* --- from outside ----------------------------------------------------------------- */

enum sh_err sh_multipart_feed(struct sh_multipart *self, struct sh_bytes bytes)
{
    const char *at = bytes.data;
    size_t left = bytes.len;

    while (left > 0 && self->err == SH_OK && self->state != OVER) {
        size_t used = 1;
        if (self->state == PREAMBLE || self->state == DATA)
            used = take_data(self, at, left);
        else if (self->state == HEAD)
            used = take_head(self, at, left);
        else
            take_delimited(self, *at);
        at += used;
        left -= used;
    }
    return self->err;
}

enum sh_err sh_multipart_end(struct sh_multipart *self)
{
    if (self->err == SH_OK && !self->ended)
        malformed(self, "the last boundary is missing");
    return self->err;
}

const char *sh_multipart_why(const struct sh_multipart *self)
{
    return self->why ? self->why : "";
}

static struct sh_multipart_limits with_defaults(const struct sh_multipart_limits *limits)
{
    struct sh_multipart_limits out = *limits;
    if (out.parts == 0)
        out.parts = PARTS;
    if (out.head_bytes == 0)
        out.head_bytes = HEAD_BYTES;
    if (out.part_bytes == 0)
        out.part_bytes = UINT64_MAX;
    return out;
}

enum sh_err sh_multipart_create(struct sh_bytes content_type,
                                const struct sh_multipart_limits *limits,
                                const struct sh_multipart_events *events, void *arg,
                                struct sh_multipart **out)
{
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    struct sh_multipart_limits full = with_defaults(limits);

    *out = NULL;
    if (!multipart_boundary(content_type, boundary))
        return SH_INVALID;
    struct sh_multipart *self = sh_alloc(sizeof(*self) + full.head_bytes);
    if (!self)
        return SH_NOMEM;
    self->events = *events;
    self->arg = arg;
    self->limits = full;
    self->delimiter_len = strlen(boundary) + 4;
    memcpy(self->delimiter, "\r\n--", 4);
    memcpy(self->delimiter + 4, boundary, strlen(boundary) + 1);
    self->matched = self->borrowed =
        2; /* the first delimiter may begin the body, without a line before */
    *out = self;
    return SH_OK;
}

void sh_multipart_free(struct sh_multipart **self)
{
    sh_free(*self);
    *self = NULL;
}
