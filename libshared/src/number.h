/* number: a double as the shortest decimal text that reads back as the same value. */
#ifndef LIBSHARED_NUMBER_H
#define LIBSHARED_NUMBER_H

/* Finite values only; 32 bytes are always enough. Any thread. */
void sh_number_text(double value, char out[static 32]);

#endif
