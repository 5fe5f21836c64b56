#include "services/search/glossary/glossary_parts.h"

#include "proto/messages.h"

enum sh_err glossary_parts_start(struct glossary_parts *self,
                                 const struct glossary_parts_options *options)
{
    const struct {
        uint32_t method;
        const char *name;
        sh_rpc_handler_fn *handler;
        void *arg;
    } all[] = {
        {METHOD_GLOSSARY_LIST, "glossary.list", terms_list_handle, &self->terms},
        {METHOD_GLOSSARY_GET, "glossary.get", terms_get_handle, &self->terms},
        {METHOD_GLOSSARY_PUT, "glossary.put", terms_put_handle, &self->terms},
        {METHOD_GLOSSARY_DELETE, "glossary.delete", terms_delete_handle, &self->terms},
    };
    enum sh_err err = SH_OK;

    self->terms = (struct terms){options->pg};
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(options->rpc, all[i].method, all[i].name, 0,
                                all[i].handler, all[i].arg);
    return err;
}
