#include <utf8proc.h>

#include "services/gateway/auth/password.h"

enum { WORD_MOST = 64 };

const char *password_fault_text(enum password_fault fault)
{
    static const char *const texts[PASSWORD_FAULTS] = {
        [PASSWORD_GOOD] = "good",
        [PASSWORD_SHORT] = "must have at least 8 characters",
        [PASSWORD_LONG] = "must not be longer than 256 bytes",
        [PASSWORD_NO_UPPER] = "needs an upper-case letter",
        [PASSWORD_NO_LOWER] = "needs a lower-case letter",
        [PASSWORD_NO_DIGIT] = "needs a digit",
        [PASSWORD_NO_SYMBOL] = "needs a symbol such as ! # % - or _",
        [PASSWORD_COMMON] = "is one of the first that anybody would try",
        [PASSWORD_NAME] = "must not be made of the user's name",
        [PASSWORD_TEXT] = "must be printable text",
    };
    return fault < PASSWORD_FAULTS ? texts[fault] : "";
}

/* --- kinds of characters ---------------------------------------------------------- */

struct kinds {
    size_t characters;
    bool upper;
    bool lower;
    bool digit;
    bool symbol;
};

static bool count_kinds(struct sh_bytes password, struct kinds *kinds)
{
    const utf8proc_uint8_t *at = password.data;
    utf8proc_ssize_t left = (utf8proc_ssize_t)password.len;
    while (left > 0) {
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, left, &c);
        if (bytes <= 0)
            return false;
        utf8proc_category_t category = utf8proc_category(c);
        if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CN)
            return false;
        kinds->characters++;
        kinds->upper = kinds->upper || category == UTF8PROC_CATEGORY_LU;
        kinds->lower = kinds->lower || category == UTF8PROC_CATEGORY_LL;
        kinds->digit = kinds->digit || category == UTF8PROC_CATEGORY_ND;
        kinds->symbol = kinds->symbol || (category >= UTF8PROC_CATEGORY_PC &&
                                          category <= UTF8PROC_CATEGORY_SO);
        at += bytes;
        left -= bytes;
    }
    return true;
}

/* --- common ones ------------------------------------------------------------------ */

/* What people dress up with a capital, "@" for a, a year and a mark of exclamation. */
static const char *const common[] = {
    "password",   "passwort",  "passwd",    "pass",     "welcome",    "willkommen",
    "qwerty",     "qwertz",    "azerty",    "letmein",  "admin",      "administrator",
    "root",       "user",      "guest",     "test",     "testing",    "login",
    "master",     "monkey",    "dragon",    "football", "baseball",   "basketball",
    "soccer",     "hockey",    "superman",  "batman",   "trustno",    "iloveyou",
    "sunshine",   "princess",  "shadow",    "michael",  "jordan",     "jennifer",
    "charlie",    "thomas",    "robert",    "daniel",   "andrew",     "joshua",
    "hunter",     "ranger",    "harley",    "mustang",  "access",     "secret",
    "changeme",   "change",    "default",   "company",  "computer",   "internet",
    "server",     "database",  "summer",    "winter",   "spring",     "autumn",
    "january",    "february",  "march",     "april",    "june",       "july",
    "august",     "september", "october",   "november", "december",   "monday",
    "tuesday",    "wednesday", "thursday",  "friday",   "saturday",   "sunday",
    "university", "student",   "staff",     "school",   "college",    "library",
    "edinburgh",  "scotland",  "london",    "hello",    "helloworld", "starwars",
    "pokemon",    "freedom",   "whatever",  "cheese",   "cookie",     "flower",
    "ginger",     "killer",    "liverpool", "chelsea",  "arsenal",    "rangers",
    "celtic",     "blink",     "matrix",    "zaq",      "zxcvbn",     "zxcvbnm",
    "asdf",       "asdfgh",    "asdfghjkl", "qazwsx",   "qazwsxedc",  "qwertyuiop",
    "abc",        "abcd",      "abcdef",    "cairn",    "temp",       "temporary",
    "demo",       "example",   "sample",    "oracle",   "postgres",   "redis",
};

/* The letter that a sign stands for; 0: none. */
static char plain(char c)
{
    static const char signs[] = "@4301!|5$7+8";
    static const char letters[] = "aaeoiiissttb";
    const char *found = c != '\0' ? strchr(signs, c) : NULL;
    if (c >= 'a' && c <= 'z')
        return c;
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (char)(found ? letters[found - signs] : 0);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Without what stands before the first and behind the last letter: "2024!Passw0rd#1" is
 * "password". Signs between letters are letters. */
static size_t core(struct sh_bytes password, char word[WORD_MOST])
{
    const char *text = password.data;
    size_t first = 0;
    size_t end = password.len;
    size_t len = 0;
    while (first < end && !is_letter(text[first]) && text[first] != '@')
        first++;
    while (end > first && !is_letter(text[end - 1]))
        end--;
    for (size_t i = first; i < end && len < WORD_MOST; i++) {
        char c = plain(text[i]);
        if (c != 0)
            word[len++] = c;
    }
    return len;
}

/* The word once or several times over: "PassPass1!". */
static bool repeats(const char *word, size_t len, const char *part)
{
    size_t size = strlen(part);
    if (size == 0 || len % size != 0 || len == 0)
        return false;
    for (size_t at = 0; at < len; at += size) {
        if (memcmp(word + at, part, size) != 0)
            return false;
    }
    return true;
}

static bool is_common(struct sh_bytes password)
{
    char word[WORD_MOST];
    size_t len = core(password, word);
    for (size_t i = 0; i < SH_COUNT(common); i++) {
        if (repeats(word, len, common[i]))
            return true;
    }
    return len <= 1; /* digits and signs with a letter at each end */
}

static bool is_name(struct sh_bytes password, struct sh_bytes username)
{
    char word[WORD_MOST];
    char name[WORD_MOST + 1];
    size_t len = core(password, word);
    size_t size = core(username, name);
    name[size < WORD_MOST ? size : WORD_MOST] = '\0';
    return size >= 3 && repeats(word, len, name);
}

enum password_fault password_check(struct sh_bytes password, struct sh_bytes username)
{
    struct kinds kinds = {0};
    if (password.len > PASSWORD_MOST)
        return PASSWORD_LONG;
    if (!count_kinds(password, &kinds))
        return PASSWORD_TEXT;
    if (kinds.characters < PASSWORD_LEAST)
        return PASSWORD_SHORT;
    if (!kinds.upper)
        return PASSWORD_NO_UPPER;
    if (!kinds.lower)
        return PASSWORD_NO_LOWER;
    if (!kinds.digit)
        return PASSWORD_NO_DIGIT;
    if (!kinds.symbol)
        return PASSWORD_NO_SYMBOL;
    if (is_common(password))
        return PASSWORD_COMMON;
    return is_name(password, username) ? PASSWORD_NAME : PASSWORD_GOOD;
}
