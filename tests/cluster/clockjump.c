/* clockjump.so - LD_PRELOAD: a wall clock that is wrong by as many seconds as the first bytes of the file
 * CLOCKJUMP_FILE say (a signed 64-bit number, read at each look at the clock). The monotonic clocks are left
 * alone, and a wait until a moment of the wall clock lasts as long as it was meant to at its beginning. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t nothing;
static const volatile int64_t *seconds = &nothing;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCKJUMP_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *found = mmap(NULL, sizeof nothing, PROT_READ, MAP_SHARED, fd, 0);
    if (found != MAP_FAILED)
        seconds = found;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += *seconds;
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

static struct timespec meant(const struct timespec *until)
{
    struct timespec real = *until;

    real.tv_sec -= *seconds;
    return real;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    /* glibc keeps the condition's clock in the second bit of __wrefs: 1 is CLOCK_MONOTONIC */
    bool monotonic = condition->__data.__wrefs & 2;
    struct timespec real = monotonic ? *until : meant(until);

    if (!next)
        next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    return next(condition, mutex, &real);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until)
{
    struct timespec real = clock == CLOCK_REALTIME ? meant(until) : *until;

    return NEXT(pthread_cond_clockwait)(condition, mutex, clock, &real);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    struct timespec real = meant(until);

    return NEXT(pthread_mutex_timedlock)(mutex, &real);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    struct timespec real = meant(until);

    return NEXT(sem_timedwait)(semaphore, &real);
}
