/* privileges.h - giving up what vipd does not need (capabilities(7)): it ends with CAP_NET_ADMIN and
 * CAP_NET_RAW and nothing else. */
#ifndef MHA_VIPD_PRIVILEGES_H
#define MHA_VIPD_PRIVILEGES_H

#include "common/base/error.h"
#include "vipd/settings.h"

/* Started as root: changes to the run_as user, without supplementary groups and with an empty bounding set.
 * Started as another user (a unit with AmbientCapabilities): keeps that user. In both cases no program that
 * it might start gains a privilege again (no_new_privs). ERR_REFUSED with the remedy: the two capabilities
 * cannot be had, or the user cannot be changed. */
enum error_code privileges_drop(const struct vipd_settings *settings, struct error *err);

/* Locks what is in memory now and what of it is touched later, and takes the lowest real-time priority, so
 * that neither a swapping nor a busy machine delays a removal. Best effort; costs no memory by itself. Call
 * before privileges_drop. */
void privileges_take_precedence(void);

#endif
