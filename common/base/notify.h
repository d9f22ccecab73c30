/* notify.h - tells the service manager that this program is ready, as sd_notify(3) describes. */
#ifndef MHA_BASE_NOTIFY_H
#define MHA_BASE_NOTIFY_H

/* Sends `state`, "READY=1" or "STOPPING=1", to the socket named by NOTIFY_SOCKET; nothing without one. A
 * failure is of no consequence but to the manager, which then reports the start as failed. */
void notify_manager(const char *state);

#endif
