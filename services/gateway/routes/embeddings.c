/* Routes: vectors and models. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

static const struct route routes[] = {
    {ROUTE_POST, 200, "/api/embed", "embed", embed_post, &embed_schema, PERMIT_EMBED,
     ROUTE_LARGE_BODY | ROUTE_AS_OLLAMA | ROUTE_EMBEDS, "Embeddings",
     "Texts to vectors, as Ollama does it", NULL, "Embeddings"},
    {ROUTE_POST, 200, "/api/embeddings", "embeddings", embeddings_post,
     &embeddings_schema, PERMIT_EMBED, ROUTE_LARGE_BODY | ROUTE_AS_OLLAMA | ROUTE_EMBEDS,
     "Embeddings", "One text to a vector, as Ollama did it", NULL, "Embedding"},
    {ROUTE_GET, 200, "/api/tags", "models", models_tags, NULL, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "The models, as Ollama lists them", NULL, "Tags"},
    {ROUTE_POST, 200, "/api/show", "show_model", models_show, &show_schema, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "A model, as Ollama describes it", NULL, "Shown"},
    {ROUTE_GET, 200, "/api/version", "version", models_version, NULL, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "The version of Cairn", NULL, "Version"},
    {ROUTE_POST, 200, "/v1/embeddings", "openai_embeddings", openai_embed_post,
     &openai_embed_schema, PERMIT_EMBED,
     ROUTE_LARGE_BODY | ROUTE_AS_OPENAI | ROUTE_EMBEDS, "Embeddings",
     "Texts to vectors, as OpenAI does it", NULL, "OpenAIEmbeddings"},
    {ROUTE_GET, 200, "/v1/models", "openai_models", openai_models, NULL, PERMIT_EMBED,
     ROUTE_AS_OPENAI, "Embeddings", "The models, as OpenAI lists them", NULL,
     "OpenAIModels"},
    {ROUTE_GET, 200, "/v1/models/{model}", "openai_model", openai_model, NULL,
     PERMIT_EMBED, ROUTE_AS_OPENAI, "Embeddings", "A model, as OpenAI describes it", NULL,
     "OpenAIModel"},
};

const struct route_table routes_of_embeddings = {routes, SH_COUNT(routes)};
