/* NAME.pub: a public key a line, in Z85; lines that begin with "# " say something to
 * people (the # alone is a digit of Z85). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zmq.h>

#include "libshared/src/rpc_keys_internal.h"

enum { FILE_MAX = 4096 };

static const char suffix[] = ".pub";

/* False when the file is not one of keys, such as a ConfigMap's "..data". */
static bool name_of(const char *file, char name[static RPC_KEY_NAME + 1])
{
    size_t len = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (len == 0 || len > RPC_KEY_NAME || strcmp(file + len, suffix) != 0)
        return false;
    memset(name, 0, RPC_KEY_NAME + 1);
    memcpy(name, file, len);
    return true;
}

/* Text of at most FILE_MAX bytes, ended by NUL; an errno value otherwise. */
static int read_text(int directory, const char *file, char out[static FILE_MAX + 1])
{
    int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len <= FILE_MAX) {
        got = read(fd, out + len, FILE_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int error = got < 0 ? errno : len > FILE_MAX ? EFBIG : 0;
    close(fd);
    out[error == 0 ? len : 0] = '\0';
    return error == 0 && strlen(out) != len ? EILSEQ : error;
}

static bool says_nothing(const char *line, size_t len)
{
    return len == 0 || (line[0] == '#' && (len == 1 || line[1] == ' '));
}

static bool add(struct rpc_keys *keys, const char *name, const char *line, size_t len)
{
    char text[RPC_KEY_TEXT + 1] = "";
    struct named_key *next = &keys->list[keys->count];
    if (len != RPC_KEY_TEXT || keys->count == RPC_KEYS_MAX)
        return false;
    memcpy(text, line, len);
    if (!zmq_z85_decode(next->key.bytes, text))
        return false;
    memcpy(next->name, name, sizeof(next->name));
    keys->count++;
    return true;
}

static void add_lines(struct rpc_keys *keys, const char *name, const char *text,
                      struct sh_buffer *faults)
{
    for (unsigned number = 1; *text; number++) {
        size_t whole = strcspn(text, "\n");
        size_t len = whole;
        while (len > 0 && strchr(" \t\r", text[len - 1]))
            len--;
        if (!says_nothing(text, len) && !add(keys, name, text, len))
            sh_buffer_printf(faults,
                             "RPC_KEYS_DIR: line %u of %s%s is no public key (40 "
                             "characters of Z85), or one too many\n",
                             number, name, suffix);
        text += whole + (text[whole] == '\n');
    }
}

static void add_file(struct rpc_keys *keys, int directory, const char *file,
                     struct sh_buffer *faults)
{
    char text[FILE_MAX + 1] = "";
    char name[RPC_KEY_NAME + 1];
    if (!name_of(file, name))
        return;
    int error = read_text(directory, file, text);
    if (error != 0)
        sh_buffer_printf(faults, "RPC_KEYS_DIR: cannot use %s: %s\n", file,
                         strerror(error));
    else
        add_lines(keys, name, text, faults);
}

void rpc_keys_read_directory(struct rpc_keys *keys, const char *directory,
                             struct sh_buffer *faults)
{
    DIR *dir = *directory ? opendir(directory) : NULL;
    if (!dir) {
        sh_buffer_printf(faults, "RPC_KEYS_DIR: cannot read the public keys: %s\n",
                         *directory ? strerror(errno) : "it is not set");
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        add_file(keys, dirfd(dir), entry->d_name, faults);
    closedir(dir);
}
