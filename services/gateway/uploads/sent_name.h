/* sent_name: what the sender of a body that is a file says that it is called:
 * ?file_name=. Loop thread only. */
#ifndef GATEWAY_SENT_NAME_H
#define GATEWAY_SENT_NAME_H

#include "services/gateway/exchange.h"
#include "services/gateway/uploads/file_name.h"

/* As of file_name_clean(); "" when the sender did not say. False: answered, it is no text
 * or longer than 1024 bytes. */
SH_CHECK bool sent_name_read(struct exchange *x, char out[static FILE_NAME_MAX]);

#endif
