#include "services/embedder/settings.h"

SH_SETTINGS_DEFINE(embedder, "Embedding", EMBEDDER_SETTINGS)
