#include "cli/cairn/secret.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cairn/cli.h"

void secret_forget(struct secret *secret)
{
    explicit_bzero(secret->text, sizeof(secret->text));
}

bool secret_line(FILE *from, char *into, size_t size)
{
    if (!fgets(into, (int)size, from))
        return false;
    size_t len = strcspn(into, "\r\n");
    if (len + 1 == size) /* cut: not what was meant */
        return false;
    into[len] = '\0';
    return len > 0;
}

bool secret_read(const char *prompt, struct secret *secret)
{
    struct termios shown;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        struct termios hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden); /* before who reads it types */
        (void)fprintf(stderr, "%s: ", prompt);
    }
    bool good = secret_line(stdin, secret->text, sizeof(secret->text));
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', stderr);
    }
    return good && !cli_stop;
}

bool secret_choose(const char *prompt, struct secret *secret)
{
    static struct secret again;
    char once_more[64];
    bool good = secret_read(prompt, secret);
    if (!good) {
        cli_say("nothing was read: type it, or pipe one line to standard input");
        return false;
    }
    if (!isatty(STDIN_FILENO))
        return true;
    (void)snprintf(once_more, sizeof(once_more), "%s, once more", prompt);
    good = secret_read(once_more, &again) && strcmp(secret->text, again.text) == 0;
    secret_forget(&again);
    if (!good)
        cli_say("the two are not the same");
    return good;
}
