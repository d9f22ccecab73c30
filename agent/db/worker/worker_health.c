/* Dead, hung or full: what the looks, the log's answers and the doubts come to.
 *
 * A server that accepts commits but cannot carry them out is hung, whatever else it answers. Tried on
 * MariaDB 10.11:
 * - A full disk under the binary log: a commit waits for space with the log locked. SELECT goes on working,
 * and so does a write that is not logged; the process list names the reason. (ENOSPC under InnoDB's files
 * alone is refused, 1114.)
 * - A file system that hangs (fsfreeze): an unlogged write hangs too, if InnoDB's log is there.
 * - One that has become read-only, or fails: under InnoDB's log the server aborts itself; under the binary
 * log alone every commit is refused, and all else goes on. So beside the looks
 * the log line asks what waits for whoever writes the log, and the doubt line asks for the reason as soon as
 * an answer is late. */
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/worker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* In probe_timeouts. A log that is not written on, while unlogged writes are: a large transaction is just
 * copied to it, or its device hangs. The former can last: so long counts as hung. */
#define PATIENCE 5
/* After a hang the server must have answered for so long, or probe_timeout if that is shorter. */
#define WELL_AGAIN_US 1000000
#define TELL_AGAIN_US 250000

static uint64_t timeout_us(const struct worker *worker)
{
    return MS_TO_US(worker->settings.probe_timeout_ms);
}

/* ---- the state ---- */

struct hang {
    Mha__DbTrouble kind;
    char text[VIEW_TEXT_BYTES];
};

static bool commits_are_its_work(const struct worker *worker)
{
    return worker->has_view && !worker->view.read_only && worker->writable != WRITABLE_NO && !worker->fencing;
}

static uint64_t late_us(uint64_t since_us, uint64_t now_us)
{
    return since_us && now_us > since_us ? now_us - since_us : 0;
}

/* How long the log has owed an answer, and not for the reason that commits wait for an acknowledgement: the
 * second one that does holds the log (tried). */
static uint64_t log_late_us(const struct worker *worker, uint64_t now_us)
{
    if (worker->log_tells || worker->log_asked_us == 0)
        return 0;
    return late_us(worker->waited_us > worker->log_asked_us ? worker->waited_us : worker->log_asked_us,
                   now_us);
}

/* The reason that the doubt line has found for what is late since `since_us`. Where there is room again and
 * the server does not look, another node may take over at once; without one, a restart helps: no full disk.
 */
static void take_reason(const struct worker *worker, uint64_t since_us, uint64_t now_us, struct hang *out)
{
    const struct doubt *doubt = &worker->doubt;
    size_t used = strlen(out->text);

    if (worker->doubted_us < since_us || worker->doubted_us == 0)
        return;
    if (!doubt->has_room || late_us(since_us, now_us) < PATIENCE * timeout_us(worker))
        out->kind = doubt->kind;
    if (doubt->text[0])
        snprintf(out->text + used, sizeof out->text - used, ": %s", doubt->text);
}

/* Whether it hangs at this moment. */
static bool hangs(const struct worker *worker, uint64_t now_us, struct hang *out)
{
    uint64_t look_us = late_us(worker->unanswered_us, now_us), log_us = log_late_us(worker, now_us);

    *out = (struct hang){.kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE};
    if (look_us >= timeout_us(worker)) {
        snprintf(out->text, sizeof out->text, "it accepts, but has not answered a %s for %llu ms",
                 worker->probe_write ? "write" : "question", (unsigned long long)look_us / 1000);
        take_reason(worker, worker->unanswered_us, now_us, out);
        return true;
    }
    if (!commits_are_its_work(worker))
        return false;
    if (log_us >= timeout_us(worker)) {
        snprintf(out->text, sizeof out->text, "commits wait for its binary log since %llu ms",
                 (unsigned long long)log_us / 1000);
        take_reason(worker, worker->log_asked_us, now_us, out);
        if (out->kind == MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL || log_us >= PATIENCE * timeout_us(worker))
            return true;
    }
    if (worker->commits_refused) {
        out->kind = MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES;
        snprintf(
            out->text, sizeof out->text,
            "every commit is refused: its binary log takes no writes (a file system that became read-only, a "
            "device that fails?)");
        return true;
    }
    if (worker->writes_refused_in_a_row >= 2) {
        out->kind = worker->write_kind;
        snprintf(out->text, sizeof out->text, "writes are refused: %s", worker->write_text);
        return true;
    }
    return false;
}

static void log_trouble(struct worker *worker, enum trouble_change change, const struct trouble *before,
                        uint64_t now_us)
{
    if (change == TROUBLE_BEGINS)
        log_warning("trouble: %s (seen since %llu ms)", worker->trouble.text,
                    (unsigned long long)(now_us - worker->trouble.candidate_us) / 1000);
    else if (change == TROUBLE_ENDS)
        log_notice("the trouble is over after %llu ms: %s",
                   (unsigned long long)(before->seen_us - before->since_us) / 1000, before->text);
}

static bool intruded_lately(const struct worker *worker, uint64_t now_us)
{
    return worker->intruded_us && now_us < worker->intruded_us + INTRUDED_US;
}

/* What is wrong with a server that does not hang. */
static void judge_trouble(struct worker *worker, uint64_t now_us, const struct hang *late)
{
    struct trouble before = worker->trouble;
    Mha__DbTrouble kind = worker->view.trouble_kind;
    const char *text = worker->view.trouble;
    enum trouble_change change;

    if (kind == MHA__DB_TROUBLE__DB_TROUBLE_NONE) {
        kind = worker->write_kind;
        text = worker->write_text;
    }
    if (kind == MHA__DB_TROUBLE__DB_TROUBLE_NONE && late->text[0]) {
        kind = MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD;
        text = late->text;
    }
    if (kind == MHA__DB_TROUBLE__DB_TROUBLE_NONE && intruded_lately(worker, now_us)) {
        kind = MHA__DB_TROUBLE__DB_TROUBLE_OTHER;
        text = worker->intruder;
    }
    change = trouble_look(&worker->trouble, now_us, kind, text);
    log_trouble(worker, change, &before, now_us);
}

void worker_judge_health(struct worker *worker)
{
    uint64_t now_us = clock_now_us();
    uint64_t again_us = timeout_us(worker) < WELL_AGAIN_US ? timeout_us(worker) : WELL_AGAIN_US;
    struct hang hang;

    if (worker->server.pidfd < 0 || (!worker->has_view && worker->unanswered_us == 0))
        return;
    if (hangs(worker, now_us, &hang)) {
        worker->hung_us = now_us;
        worker->hung_kind = hang.kind;
        worker_set_state(worker, MHA__DB_STATE__DB_HUNG, hang.text);
        return;
    }
    /* Nothing is known yet, or a look has not come back: what it was it stays. */
    if (worker->unanswered_us && worker->state != MHA__DB_STATE__DB_UP)
        return;
    if (worker->state == MHA__DB_STATE__DB_HUNG && now_us < worker->hung_us + again_us) {
        char text[VIEW_TEXT_BYTES];
        snprintf(text, sizeof text,
                 "it hung, and has answered for %llu ms again; it counts as up after %llu ms",
                 (unsigned long long)(now_us - worker->hung_us) / 1000, (unsigned long long)again_us / 1000);
        worker_set_state(worker, MHA__DB_STATE__DB_HUNG, text);
        return;
    }
    worker_set_state(worker, MHA__DB_STATE__DB_UP, "");
    judge_trouble(worker, now_us, &hang);
}

/* ---- doubts ---- */

static void doubt_job(void *context)
{
    struct worker *worker = context;
    struct error ignored;

    worker->doubt_found = (struct doubt){.kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE};
    worker->doubt_code = worker->kind->doubt(worker->adapter, &worker->doubt_found, &ignored);
}

static bool owes(const struct worker *worker)
{
    return worker->unanswered_us || (worker->log_asked_us && !worker->log_tells);
}

/* The next moment at which an answer that is owed since `since_us` means something by being missing. */
static uint64_t next_doubt_us(const struct worker *worker, uint64_t since_us, uint64_t now_us)
{
    if (since_us == 0)
        return UINT64_MAX;
    if (now_us < since_us + timeout_us(worker) / 2)
        return since_us + timeout_us(worker) / 2;
    if (now_us < since_us + timeout_us(worker))
        return since_us + timeout_us(worker);
    return now_us + MS_TO_US(worker->settings.probe_interval_ms);
}

static void set_doubt_timer(struct worker *worker)
{
    uint64_t now_us = clock_now_us();
    uint64_t look_us = next_doubt_us(worker, worker->unanswered_us, now_us);
    uint64_t log_us = next_doubt_us(worker, worker->log_tells ? 0 : worker->log_asked_us, now_us);

    if (log_us < look_us)
        look_us = log_us;
    worker_set_timer(worker->doubt_timer, look_us == UINT64_MAX ? 0 : look_us);
}

static void doubt(struct worker *worker)
{
    if (!worker->kind->doubt || task_busy(&worker->doubt_task))
        return;
    worker->doubt_began_us = clock_now_us();
    task_run(&worker->doubt_task, doubt_job, worker);
}

void worker_prepare_doubt(struct worker *worker)
{
    doubt(worker);
}

static void on_doubt_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd, (void)what;
    if (!owes(worker))
        return;
    doubt(worker);
    worker_judge_health(worker);
    worker_judge(worker);
    /* at the normal pace, so that the agent sees that we live */
    if (worker->state == MHA__DB_STATE__DB_HUNG)
        worker_report(worker, clock_now_us());
    set_doubt_timer(worker);
}

static void on_doubt_done(void *context)
{
    struct worker *worker = context;

    if (worker->doubt_code == ERR_OK) {
        worker->doubted_us = worker->doubt_began_us;
        worker->doubt = worker->doubt_found;
    }
    if (owes(worker))
        worker_judge_health(worker);
}

/* ---- the log's end ---- */

static void log_job(void *context)
{
    struct worker *worker = context;

    worker->log_code = worker->log_tells ? worker->kind->tell(worker->adapter, &worker->log_error)
                                         : worker->kind->ask_log(worker->adapter, &worker->log_job_refused,
                                                                 &worker->log_error);
}

static void on_log_done(void *context)
{
    struct worker *worker = context;
    bool told = worker->log_tells;

    worker->log_asked_us = 0;
    worker->log_tells = false;
    if (told && worker->log_code != ERR_OK) {
        worker->told = false; /* again, after the next look */
        if (worker->log_code != ERR_BUSY)
            log_info("%s", worker->log_error.text);
    }
    if (!told && worker->log_code == ERR_OK)
        worker->commits_refused = worker->log_job_refused;
    set_doubt_timer(worker);
    if (worker->state == MHA__DB_STATE__DB_HUNG || worker->commits_refused)
        worker_judge_health(worker);
}

static void run_log_job(struct worker *worker, bool tells)
{
    worker->log_tells = tells;
    worker->log_began_us = worker->log_asked_us = clock_now_us();
    task_run(&worker->log_task, log_job, worker);
    set_doubt_timer(worker);
}

/* A receiver that began, or broke off and began again, has told its source nothing of what is held already.
 */
static bool wants_to_tell(struct worker *worker, uint64_t now_us)
{
    const struct db_view *view = &worker->view;

    if (!view->acknowledging || view->acknowledgements_sent < worker->told_acknowledgements_sent ||
        strcmp(view->relay_log, worker->told_relay_log) != 0)
        worker->told = false;
    worker->told_acknowledgements_sent = view->acknowledgements_sent;
    memcpy(worker->told_relay_log, view->relay_log, sizeof worker->told_relay_log);
    return worker->kind->tell && worker->view.acknowledging && !worker->told &&
           now_us >= worker->log_began_us + TELL_AGAIN_US;
}

void worker_ask_log(struct worker *worker)
{
    uint64_t now_us = clock_now_us();

    if (worker->view.waiting_commits)
        worker->waited_us = now_us;
    if (task_busy(&worker->log_task) || worker->fencing)
        return;
    if (wants_to_tell(worker, now_us)) {
        /* what was received before this moment is told; what comes later is asked for */
        worker->told = true;
        run_log_job(worker, true);
    } else if (!commits_are_its_work(worker)) {
        worker->commits_refused = false;
    } else if (worker->kind->ask_log &&
               now_us >= worker->log_began_us + MS_TO_US(worker->settings.probe_interval_ms)) {
        run_log_job(worker, false);
    }
}

/* ---- who writes all the same ---- */

void worker_see_intruder(struct worker *worker, const struct closed_look *before)
{
    const struct db_view *view = &worker->view;
    uint64_t now_us = clock_now_us();

    /* An operation writes too: the looks on both sides of it say nothing. */
    if (before->read_only && view->read_only && view->own_writes > before->own_writes &&
        worker->running.id == 0 && before->began_us > worker->operation_us &&
        before->began_us > worker->settled_us && !worker->fencing) {
        if (!intruded_lately(worker, now_us)) {
            log_error("the database is closed, but somebody has written to it");
            snprintf(worker->intruder, sizeof worker->intruder,
                     "it is closed, but somebody has written to it who may write under read_only; see "
                     "`mhactl check`");
        }
        worker->intruded_us = now_us;
    }
    if (intruded_lately(worker, now_us) && view->read_only)
        worker_expel(worker);
}

/* ---- start, end of a server ---- */

void worker_forget_health(struct worker *worker)
{
    trouble_forget(&worker->trouble);
    worker->hung_us = worker->doubted_us = worker->intruded_us = 0;
    worker->told = false;
    worker->commits_refused = false;
    worker->writes_refused_in_a_row = 0;
    worker->write_kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE;
}

void worker_expect_answer(struct worker *worker)
{
    set_doubt_timer(worker);
}

bool worker_health_start(struct worker *worker)
{
    worker->doubt_timer = evtimer_new(worker->base, on_doubt_timer, worker);
    return worker->doubt_timer &&
           task_start(&worker->log_task, "dbw-log", worker->base, on_log_done, worker) &&
           task_start(&worker->doubt_task, "dbw-doubt", worker->base, on_doubt_done, worker);
}
