#include "agent/db/worker/task.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES (512 * 1024)

static void *task_main(void *arg)
{
    struct task *task = arg;
    const uint64_t one = 1;

    for (;;) {
        task_job job;
        void *context;
        pthread_mutex_lock(&task->lock);
        while (!task->job)
            pthread_cond_wait(&task->wake, &task->lock);
        job = task->job;
        context = task->job_context;
        task->job = NULL;
        pthread_mutex_unlock(&task->lock);
        job(context);
        while (write(task->done_fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
    }
    return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    struct task *task = arg;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) != sizeof count)
        return;
    task->busy = false;
    task->done(task->done_context);
}

bool task_start(struct task *task, const char *name, struct event_base *base, task_job done,
                void *done_context)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    bool started;

    *task = (struct task){.done = done, .done_context = done_context};
    pthread_mutex_init(&task->lock, NULL);
    pthread_cond_init(&task->wake, NULL);
    task->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (task->done_fd < 0)
        return false;
    task->done_event = event_new(base, task->done_fd, EV_READ | EV_PERSIST, on_done, task);
    if (!task->done_event || event_add(task->done_event, NULL) != 0)
        return false;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* signals are the main thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&task->thread, &attributes, task_main, task) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (started)
        pthread_setname_np(task->thread, name);
    return started;
}

void task_run(struct task *task, task_job job, void *job_context)
{
    assert(!task->busy);
    task->busy = true;
    pthread_mutex_lock(&task->lock);
    task->job = job;
    task->job_context = job_context;
    pthread_cond_signal(&task->wake);
    pthread_mutex_unlock(&task->lock);
}
