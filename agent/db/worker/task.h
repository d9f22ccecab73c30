/* task.h - one thread that runs one job at a time, for calls that block; its end is an event in the main
 * loop.
 *
 * The job's data belongs to the thread from task_run until `done` is called in the loop. */
#ifndef MHA_DB_WORKER_TASK_H
#define MHA_DB_WORKER_TASK_H

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>

typedef void (*task_job)(void *context);

struct task {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    task_job job; /* what to run; NULL: nothing */
    void *job_context;
    int done_fd; /* eventfd */
    struct event *done_event;
    task_job done;
    void *done_context;
    bool busy; /* main thread's: a job is given out and `done` has not been called */
};

/* `name` is for ps and gdb, at most 15 characters. false: no memory, no thread. Never ended: the process
 * exits around it. */
bool task_start(struct task *task, const char *name, struct event_base *base, task_job done,
                void *done_context);
/* Not while it is busy. */
void task_run(struct task *task, task_job job, void *job_context);
static inline bool task_busy(const struct task *task)
{
    return task->busy;
}

#endif
