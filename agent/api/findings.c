#include "agent/api/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEM_BYTES 1024

static void free_finding(Mha__Finding *finding)
{
    if (!finding)
        return;
    free(finding->node);
    free(finding->subject);
    free(finding->problem);
    free(finding->remedy);
    free(finding);
}

void findings_free(struct findings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_finding(list->items[i]);
    free(list->items);
    *list = (struct findings){0};
}

static bool make_room(struct findings *list)
{
    size_t room = list->room ? list->room * 2 : 16;
    Mha__Finding **items;

    if (list->count < list->room)
        return true;
    items = realloc(list->items, room * sizeof *items);
    if (!items)
        return false;
    list->items = items;
    list->room = room;
    return true;
}

static void append(struct findings *list, const char *node, bool fatal, const char *subject,
                   const char *problem, const char *remedy)
{
    Mha__Finding *finding = make_room(list) ? malloc(sizeof *finding) : NULL;

    if (finding) {
        mha__finding__init(finding);
        finding->node = strdup(node);
        finding->subject = strdup(subject);
        finding->problem = strdup(problem);
        finding->remedy = strdup(remedy);
        finding->fatal = fatal;
    }
    if (!finding || !finding->node || !finding->subject || !finding->problem || !finding->remedy) {
        free_finding(finding);
        list->incomplete = true;
        return;
    }
    list->items[list->count++] = finding;
}

void findings_add(struct findings *list, const char *node, bool fatal, const char *subject,
                  const char *remedy, const char *problem, ...)
{
    char text[PROBLEM_BYTES];
    va_list args;

    va_start(args, problem);
    vsnprintf(text, sizeof text, problem, args);
    va_end(args);
    append(list, node, fatal, subject, text, remedy);
}

void findings_take(struct findings *list, const char *node, const Mha__Finding *finding)
{
    append(list, finding->node[0] ? finding->node : node, finding->fatal, finding->subject, finding->problem,
           finding->remedy);
}

bool findings_fatal(const struct findings *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->fatal)
            return true;
    return false;
}
