/* kernel_amx: shared by the parts of the AMX kernel. */
#ifndef EMBEDDER_KERNEL_AMX_H
#define EMBEDDER_KERNEL_AMX_H

#include "services/embedder/model/kernel.h"

void kernel_amx_product(const struct kernel_product *product);
void kernel_amx_attention(const struct kernel_attention *attention);

#endif
