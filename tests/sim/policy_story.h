/* policy_story.h - stories of whole clusters: a text file with times in the margin and the trace under each
 * command (as in story.h and story_file.h), run on the models of cluster.h; its checkers look on at every
 * step. Times of the models that a story does not set are fixed, not drawn.
 *
 *   cluster A B X [E=1s] [H=100ms] [net=1ms] [probe-timeout=2s] [start=500ms] [write=10ms] [seed=1] [no-vip]
 *           [mariadb | mysql | postgresql] [rejoin-auto] [shared-account] [copy=500ms]
 *           [available=10s]      durability, and lag_most
 *                                 the first line; all hosts are off
 *   on A B X | off A              power
 *   kill WHAT A                   server, agent, worker, vipd: SIGKILL; the service manager starts the last
 *                                 three again, but for
 *   stays-down A                  ... this host's agent
 *   stop WHAT A 3s                the same with SIGSTOP and SIGCONT; `host`: all of them
 *   restart A                     its server, by hand, in place
 *   crash A after 3 steps         its agent, that many steps of its raft later
 *   told-to-stop A                SIGTERM to its agent
 *   late-lease A                  its vipd reads the last lease of the agent before only now
 *   cut A | B X, cut A > B, heal, delay KIND A > B 3s, drop KIND A > B        as in story.h
 *   applier A held 3s             received, not applied
 *   replication to B 300ms        on its way to it for that much longer
 *   disk A hangs | works          the server's: every write hangs
 *   errant A                      a transaction of the server's own
 *   fails A OPERATION | works A   each of fence, close, freeze, drain, follow, promote, open, rule
 *   address A refused | accepted  by the kernel
 *   start A fails | works         the command that starts its server
 *   switchover to B [timeout=10s] [refused]
 *   failover to B [old-primary-is-off] [refused]
 *   pause 60s | resume
 *   had-data A 10                 so many transactions, before the cluster was
 *   runs-already A [writable | from B]   its server, started and set up by somebody else
 *   init A [discard-others] [refused]    mhactl init
 *   rebuild A [refused] | drain A [refused] | cancel A
 *   rebuilds fail | work          before they have destroyed anything
 *   quiet | busy                  clients write, or not
 *   mark
 *   expect WHAT [within TIME | for TIME]
 *
 * WHAT:
 *   serves A | none               it answers commits at the address
 *   primary A, sync A B, acks 1   as committed
 *   leader A
 *   aside A | no-aside A          it is rebuilt or drained, as committed
 *   open A | closed A, address A | no-address A, up A | down A (the server), follows A (the primary, now)
 *   in-place A                    its server was last started in place, not to follow
 *   waits A TEXT                  why its agent does not do more
 *   says A TEXT                   the summary of its status; if-one-fails A TEXT: what it says of the next
 * failure outcome TEXT                  of the last request change KIND                   the last one:
 * first-start, failover, switchover, restart, forced changes 1, answers A | no-answers A, gap 300ms (at
 * most), term-growth 1: since the mark */
#ifndef MHA_SIM_POLICY_STORY_H
#define MHA_SIM_POLICY_STORY_H

#include <stdbool.h>
#include <stddef.h>

/* false: `problem` says which line expected what. */
bool policy_story_run(const char *path, char *problem, size_t problem_bytes);

#endif
