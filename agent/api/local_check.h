/* local_check.h - what this node alone finds and knows of itself: its part of `mhactl check`, and of the look
 * before a switchover.
 *
 * The worker is asked once it has nothing else to do, and again when an operation of the agent's took the
 * question's place; beside that the VIP's port is tried. What cannot be had in LOCAL_CHECK_US is a finding.
 * The answer is a ControlReply with findings and facts (control.proto). */
#ifndef MHA_API_LOCAL_CHECK_H
#define MHA_API_LOCAL_CHECK_H

#include "agent/agent.h"

#define LOCAL_CHECK_US 15000000u

struct local_check;

/* From local_check_step alone. `reply` is valid until it returns; the check is over, and the owner frees it
 * then or later. */
typedef void (*local_check_done)(void *context, const Mha__ControlReply *reply);

/* `switchover`: only what would stand in the way of one now. NULL: no memory. */
struct local_check *local_check_start(struct agent *agent, bool switchover, local_check_done done,
                                      void *context);
/* After each step of the agent. true: it is over, `done` was called. */
bool local_check_step(struct local_check *check);
/* While the worker is asked (local_check_step has not said true), only when the agent itself ends. */
void local_check_free(struct local_check *check);

#endif
