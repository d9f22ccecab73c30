/* net_fixture.h - two nets on loopback in one loop, and what each has seen. */
#ifndef TESTS_UNIT_NET_FIXTURE_H
#define TESTS_UNIT_NET_FIXTURE_H

#include <event2/event.h>

#include "common/net/net.h"

#define WAIT_MS 5000

extern struct event_base *base;
extern const uint8_t key_one[NET_KEY_BYTES], key_two[NET_KEY_BYTES];
extern const struct net_callbacks callbacks; /* of a group whose context is its side */

/* One side and what it has seen. */
struct side {
    struct net *net;
    struct net_group *group;
    struct net_link *link;
    struct net_conn *conn; /* the newest accepted */
    unsigned accepted, closed, up, down, frames, link_frames;
    size_t last_size;
    uint8_t last_byte;
    char why[256];
    bool answer;       /* echo each frame on the accepted connection */
    bool close_answer; /* and close after it */
    bool reset_on_frame, free_on_frame;
};

void fixture_begin(const char *program); /* also CUnit's registry */
int fixture_end(void);                   /* runs the tests; the exit status */

/* `listen`: NULL, or where. */
void side_open(struct side *side, const char *cluster, const uint8_t *key, const char *listen);
void side_dial(struct side *side, const char *host, unsigned port);
/* A server on a port of its own, and a client that dials it. */
void two_sides(struct side *server, struct side *client);
/* Runs the loop until *value >= least. */
bool wait_for(const unsigned *value, unsigned least, unsigned ms);
void run_ms(unsigned ms);

#endif
