/* What words of a text are good for, as far as their letters tell. */
#include "services/search/terminology/phrases_internal.h"

/* Words that say nothing by themselves, folded, of languages of which the index has no
 * list: it wants to find them. */
/* clang-format off */
static const struct {
    const char *language;
    const char *words; /* a space between them */
} stops[] = {
    {"german",
     "aber alle allem allen aller alles als also am an ander andere anderen auch"
     " auf aus bei bin bis bist da damit dann das dass dein dem den denn der des"
     " dessen die dies diese diesem diesen dieser dieses doch dort du durch ein"
     " eine einem einen einer eines er es etwas euch euer fur gegen hab habe haben"
     " hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren"
     " ihrer im in ins ist ja jede jedem jeden jeder jedes jener kann kein keine"
     " keinen konnen konnte man manche mehr mein mich mir mit muss mussen nach"
     " nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner"
     " selbst sich sie sind so solche soll sollte sondern sowie uber um und uns"
     " unser unter viel vom von vor war waren warum was weder weil weiter welche"
     " welcher wenn wer werde werden wie wieder will wir wird wo wurde wurden zu"
     " zum zur zwar zwischen"},
    {"french",
     "a ai ainsi alors au aucun aussi autre aux avait avec avoir c car ce ceci"
     " cela celle celles celui ces cet cette ceux chaque comme comment d dans de"
     " des deux donc dont du elle elles en encore entre es est et etaient etait"
     " etant ete etre eu eux faire fait font il ils j je jusqu l la le les leur"
     " leurs lors lui m ma mais me meme mes moi mon n ne ni nos notre nous on ont"
     " or ou par pas peu peut plus pour pourquoi qu quand que quel quelle quelles"
     " quels qui s sa sans se sera ses si son sont sous sur t ta te tes toi ton"
     " tous tout toute toutes tres tu un une vers vos votre vous y"},
    {"spanish",
     "a al algo ante antes asi aun aunque bajo cada casi como con contra cual"
     " cuando de del desde donde dos durante e el ella ellas ellos en entre era"
     " eran es esa esas ese eso esos esta estaba estan estar estas este esto estos"
     " fue fueron ha habia han hasta hay la las le les lo los mas me mi mientras"
     " mismo mucho muy nada ni no nos o os otra otras otro otros para pero poco por"
     " porque pues que quien se sea segun ser si sin sobre solo son su sus tambien"
     " tan tanto te tiene tienen todo todos tras tu un una unas uno unos y ya yo"},
    {"italian",
     "a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci come"
     " con contro cosi cui d da dagli dai dal dalla dalle dallo degli dei del dell"
     " della delle dello di dopo dove e ed era erano essere fra gli ha hanno i il"
     " in io l la le lei lo loro lui ma me mentre mi mia mio molto ne negli nei nel"
     " nella nelle nello no noi non o ogni oltre per perche piu poi prima pu pure"
     " qual quale quando quanto quella quelle quelli quello questa queste questi"
     " questo se sei si sia siamo solo sono sopra sotto stata stati stato su sua"
     " sugli sui sul sulla sulle suo tra tu tutti tutto un una uno vi voi"},
    {"portuguese",
     "a ainda ao aos apenas as ate cada com como contra da das de dela dele depois"
     " desde dessa desse desta deste do dos e ela elas ele eles em entre era eram"
     " essa essas esse esses esta estao estas este estes eu foi foram ha isso isto"
     " ja lhe mais mas me mesmo meu minha muito na nao nas nem no nos nossa nosso"
     " num numa o os ou outra outro para pela pelas pelo pelos pode por porque qual"
     " quando que quem se sem ser seu seus so sob sobre sua suas tambem te tem todo"
     " todos tu um uma umas uns voce"},
    {"dutch",
     "aan af al alle alles als altijd andere ben bij daar dan dat de der deze die"
     " dit doch doen door dus een en er ge geen haar had hebben heeft hem het hier"
     " hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer men met"
     " mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over"
     " reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we"
     " wel werd wezen wie wij wil worden wordt zal ze zei zelf zich zij zijn zo"
     " zonder zou"},
};
/* clang-format on */

bool phrases_is_stop(const char *language, struct sh_bytes word)
{
    for (size_t i = 0; i < SH_COUNT(stops); i++) {
        const char *at = stops[i].words;
        if (strcmp(stops[i].language, language) != 0)
            continue;
        for (size_t len; *at != '\0'; at += len + (at[len] == ' ')) {
            len = strcspn(at, " ");
            if (len == word.len && memcmp(at, word.data, len) == 0)
                return true;
        }
    }
    return false;
}

/* What may stand inside a term although it says nothing by itself. */
bool phrases_links(const char *language, struct sh_bytes word)
{
    static const struct {
        const char *language;
        const char *words[8];
    } all[] = {{"english", {"of", NULL}},
               {"french", {"de", "du", "des", "a", "d", NULL}},
               {"spanish", {"de", "del", NULL}},
               {"portuguese", {"de", "do", "da", "dos", "das", NULL}},
               {"italian", {"di", "del", "della", "dei", "delle", NULL}},
               {"dutch", {"van", NULL}},
               {"romanian", {"de", NULL}}};

    for (size_t i = 0; i < SH_COUNT(all); i++)
        for (size_t j = 0; strcmp(language, all[i].language) == 0 && all[i].words[j]; j++)
            if (sh_bytes_is(word, all[i].words[j]))
                return true;
    return false;
}

static bool is_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* Something else than digits and what stands between them. */
bool phrases_has_letter(struct sh_bytes word)
{
    const uint8_t *at = word.data;

    for (size_t i = 0; i < word.len; i++)
        if (at[i] >= 0x80 || is_letter(at[i]))
            return true;
    return false;
}

/* A pair of ideographs: part of a text without words. */
bool phrases_is_pair(struct sh_bytes word)
{
    const uint8_t *at = word.data;

    return word.len >= 3 && at[0] >= 0xe3 && at[0] <= 0xe9;
}

/* Three characters, or an abbreviation of two. */
bool phrases_is_whole(struct sh_bytes written)
{
    const uint8_t *at = written.data;
    size_t characters = 0;
    size_t capitals = 0;

    for (size_t i = 0; i < written.len; i++) {
        characters += (at[i] & 0xc0) != 0x80;
        capitals += at[i] >= 'A' && at[i] <= 'Z';
    }
    return characters >= 3 || (characters == 2 && capitals == 2);
}
