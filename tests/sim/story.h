/* story.h - tests that read as stories: a text file with times in the margin, run on a world, and under each
 * command the trace of what it brought about (story_file.h says how those lines come about and are renewed).
 *
 * One command a line, `#` begins a comment. A time before the command (1.5s, 200ms, counted from the
 * beginning; +50ms from the line before) lets the world run until then. Data nodes are A, B, ..., arbiters X,
 * Y; the checkers of check.h look on all the while.
 *
 *   cluster A B X [+C] [E=1s] [H=100ms] [net=1ms] [disk=1ms] [chunk=32768]
 *                                 the first line; nothing runs yet. +C is started empty, to be added later
 *   start A B X
 *   crash A [keeping]             loses the writes under way, or keeps them
 *   crash A after 3 steps [keeping]
 *   cut A | B X                   both ways, between the two sides
 *   cut A > B X                   one way
 *   heal                          all links, and drop and delay
 *   drop VOTE A > B               every such message
 *   delay TIMEOUT_NOW A > B 3s
 *   disk A 200ms | hangs | works
 *   disk A full BYTES | write-error | sync-error | rots BIT | power-fails-after OPERATIONS | well
 *                                 as enum world_disk_fault (world.h) says
 *   propose A text [refused REASON] | propose A text times 300      text1, text2, ...
 *   add C at A [refused REASON]   as a learner; promote C at A, remove B at A
 *   wipe C                        a new disk, and a new member id
 *   compact A                     a snapshot of what it has applied; its log begins after that
 *   read A [refused REASON]       linearizable; the checkers look at what it may answer
 *   end-lease A                   release A
 *   transfer A to B [refused REASON]          renew A [refused REASON]
 *   campaign-delay B 500ms
 *   profile B 200ms 50ms          its own E and H, from its next start on
 *   mark                          for term-growth and sent
 *   expect WHAT [within TIME | for TIME]      now; or once until then; or all the while until then
 *
 * REASON: not-leader, busy, invalid. WHAT:
 *
 *   leader A | none | any         the ready leader
 *   role A leader                 follower, precandidate, candidate
 *   lease A | no-lease A          published, and neither run out nor released
 *   held A | free A               it may neither vote nor campaign
 *   waits A TEXT                  raft_status says so
 *   log A text | no-log A text    in its log; `disk`, `no-disk`: on its disk
 *   applied text A B | unapplied text A B
 *   commit A 3                    the commit index
 *   vote A B                      on A's disk: its vote in its term
 *   members A A B +C              what A counts; learners behind a +
 *   log-start A 5                 its log begins after this entry
 *   same-state A B C              they have applied the same entries
 *   reads-done 1, reads-open 0    answered since the mark; asked and not answered
 *   refused A, down A             it does not run, because of its disk, or at all
 *   term-growth 1                 since the mark, of the highest term
 *   sent VOTE A 0                 since the mark */
#ifndef MHA_SIM_STORY_H
#define MHA_SIM_STORY_H

#include <stdbool.h>
#include <stddef.h>

/* false: `problem` says which line expected what. */
bool story_run(const char *path, char *problem, size_t problem_bytes);

#endif
