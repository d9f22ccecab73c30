#include "agent/db/worker/adapter.h"

#include <string.h>

const struct adapter_kind *adapter_find(const char *kind)
{
    static const struct adapter_kind *const kinds[] = {&adapter_mariadb, &adapter_mysql};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, kind) == 0)
            return kinds[i];
    return NULL;
}
