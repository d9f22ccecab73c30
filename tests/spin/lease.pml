/* lease.pml - the leader's lease, with voters that restart.
 *
 * Design, section 4. Checked: there are never two live leases, whatever is late, restarts or drifts.
 *
 * What is ours, and where the code does it:
 *   HEARTBEAT        common/raft/replicate.c   raft_replicate_tick: a round's number is when it was sent
 *   HEAR             common/raft/election.c    raft_election_heard: the promise, persisted before the echo leaves
 *   ECHO, PUBLISH    common/raft/lease.c       quorum_instant, raft_lease_until_us; raft_status publishes
 *   VOTE             common/raft/election.c    raft_election_receive_vote: stickiness, holds
 *   STEP DOWN        common/raft/lease.c       raft_lease_step_down: what was published holds this node back
 *   END, RELEASE, TRANSFER
 *                    common/raft/lease.c, transfer.c  raft_end_lease, raft_released, raft_transfer
 *   RESTART          common/raft/raft.c        raft_new: restart_hold_us, the persisted promise
 *   enforcers        vipd/lease.c, agent/db/worker/lease.c: they keep a deadline, whatever becomes of the agent
 *
 * Abstractions. Time is ticks; timers count down. A node's clock may be slow or fast by one tick once (SLOW, FAST: a
 * tick that it misses, or has twice), and the margin is 2 ticks, one for each of two clocks. Time itself has no bound. Messages are never lost on their own and never hurry: a heartbeat may be heard, and its echo counted,
 * at any time later while the round is the leader's newest. Logs are left out (plain Raft), and so is PreVote, which
 * only spares terms. A run begins with a leader and sees one election more (TERMS). A candidate is elected in steps: it asks each voter by itself. Node 0 and 1 are configured with
 * E, node 2 with the smaller E2 (profiles differ): who hears a leader promises that one's E if it is larger. */

#define N 3
#ifndef TERMS
#define TERMS 2
#endif
#ifndef FIRST
#define FIRST 0 /* the first leader */
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#define E 4
#define E2 3
#ifdef FAULT_NO_MARGIN
#define MARGIN 0
#else
#define MARGIN 2
#endif
#define OWN_E(n) (n == 2 -> E2 : E)
#define BIT(n) (1 << (n))
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))
#define LESS(x) x = (x > 0 -> x - 1 : 0)
#define MAX(a, b) (((a) > (b)) -> (a) : (b))

byte term[N];     /* persisted */
byte vote[N];     /* persisted, plus one; 0: none in this term */
byte promised[N]; /* persisted: the largest E */
bit leads[N];
bit ended[N];     /* its lease of this term was ended */
byte votes[N];    /* of a candidate */
bit transfers[N]; /* it was told TIMEOUT_NOW: stickiness does not count */
byte sticky[N];   /* no vote for anyone else for so long: a leader was heard */
byte hold[N];     /* no vote, no campaign for so long: a restart, or its own old lease */
byte age[N];      /* of its newest round; past a lease's length all is the same */
byte echoed[N];   /* who has answered it */
byte heard[N];    /* who has heard it */
byte lease[N];    /* what is left of the published deadline, at the enforcers */
byte owed[N];     /* the same as the agent counts it: lost with the agent */
bit told[N];      /* TIMEOUT_NOW is on its way to this node ... */
byte told_term[N];
byte restarts;
bit slow, fast;

#ifdef FAULT_NOT_STICKY
#define STICKY_IS_OVER(v) 1
#else
#define STICKY_IS_OVER(v) (sticky[v] == 0)
#endif
#ifdef FAULT_TRANSFER_BEFORE_THE_END
#define LEASE_IS_OVER(n) ended[n]
#else
#define LEASE_IS_OVER(n) (ended[n] && owed[n] == 0)
#endif
#ifdef FAULT_FROM_THE_ANSWER
#define LEFT(n) (OWN_E(n) - MARGIN)
#else
#define LEFT(n) (age[n] + MARGIN < OWN_E(n) -> OWN_E(n) - MARGIN - age[n] : 0)
#endif
#define FREE(v) (hold[v] == 0)

inline check()
{
    assert((lease[0] > 0) + (lease[1] > 0) + (lease[2] > 0) <= 1)
}

/* What the agent, and what stands under it, measure: one tick of n's clock. */
inline tick(n)
{
    LESS(sticky[n]);
    LESS(hold[n]);
    LESS(lease[n]);
    LESS(owed[n]);
    age[n] = (leads[n] && age[n] + MARGIN < E -> age[n] + 1 : age[n])
}

inline follow(n, t)
{
    if
    :: t > term[n] -> term[n] = t; vote[n] = 0
    :: else
    fi;
    if
    :: leads[n] ->
        leads[n] = 0;
        ended[n] = 0;
#ifndef FAULT_NO_HOLD_AFTER_LEADING
        hold[n] = MAX(hold[n], owed[n]);
#endif
    :: else
    fi;
    votes[n] = 0;
    transfers[n] = 0;
    echoed[n] = 0;
    heard[n] = 0;
    owed[n] = 0;
    age[n] = 0
}

proctype node(byte n)
{
    byte v;

    do
    /* ---- elections ---- */
    :: d_step { /* CAMPAIGN */
        !leads[n] && term[n] < TERMS && FREE(n) && votes[n] == 0 && (sticky[n] == 0 || transfers[n]) ->
        term[n]++;
        vote[n] = n + 1;
        votes[n] = BIT(n);
#ifndef FAULT_CANDIDATE_PROMISES_NOTHING
        promised[n] = MAX(promised[n], OWN_E(n))
#endif
       }
    :: atomic { /* VOTE of another one */
        votes[n] && !leads[n] ->
        select(v : 0 .. N - 1);
        if
        :: v != n && term[v] <= term[n] && FREE(v) && (STICKY_IS_OVER(v) || transfers[n]) &&
           (term[v] < term[n] || vote[v] == 0 || vote[v] == n + 1) ->
            if
            :: term[v] < term[n] -> follow(v, term[n])
            :: else
            fi;
            if
            :: FREE(v) ->  /* not even while its own old lease runs */
                vote[v] = n + 1;
                votes[n] = votes[n] | BIT(v)
            :: else
            fi
        :: else
        fi;
        v = 0
       }
    :: d_step { /* the votes are won */
        !leads[n] && COUNT(votes[n]) >= 2 ->
        leads[n] = 1;
        ended[n] = 0;
        votes[n] = 0;
        transfers[n] = 0;
        age[n] = 0;
        echoed[n] = BIT(n);
        heard[n] = BIT(n)
       }
    /* ---- the lease ---- */
    :: d_step { /* HEARTBEAT: a new round */
        leads[n] && age[n] > 0 ->
        age[n] = 0;
        echoed[n] = BIT(n);
        heard[n] = BIT(n)
       }
    :: atomic { /* HEAR, and ECHO at once or later: the echo may take as long as the round is the newest */
        leads[n] ->
        select(v : 0 .. N - 1);
        if
        :: v != n && !(heard[n] & BIT(v)) && term[v] <= term[n] ->
            if
            :: term[v] < term[n] || votes[v] || leads[v] -> follow(v, term[n])
            :: else
            fi;
            heard[n] = heard[n] | BIT(v);
#ifdef FAULT_PROMISE_NOT_PERSISTED
            sticky[v] = MAX(promised[v], MAX(OWN_E(n), OWN_E(v)))
#else
#ifdef FAULT_E_ASSUMED
            sticky[v] = OWN_E(v)
#else
            promised[v] = MAX(promised[v], OWN_E(n));
            sticky[v] = MAX(promised[v], OWN_E(v))
#endif
#endif
        :: else
        fi;
        v = 0
       }
    :: d_step { leads[n] && heard[n] != echoed[n] -> echoed[n] = heard[n] } /* the echoes arrive */
    :: d_step { /* PUBLISH */
        leads[n] && COUNT(echoed[n]) >= 2 && !ended[n] && lease[n] < LEFT(n) ->
        owed[n] = LEFT(n);
        lease[n] = owed[n];
        check()
       }
    :: d_step { leads[n] && !ended[n] -> ended[n] = 1 } /* END */
    :: d_step { /* RELEASE: the enforcers confirm that they let go */
        (!leads[n] || ended[n]) && owed[n] + hold[n] + lease[n] > 0 && (lease[n] > 0 || owed[n] > 0) ->
#ifndef FAULT_RELEASE_UNCONFIRMED
        lease[n] = 0;
#endif
        owed[n] = 0
       }
    :: atomic { /* TRANSFER: TIMEOUT_NOW; this leadership is over */
        leads[n] && LEASE_IS_OVER(n) ->
        select(v : 0 .. N - 1);
        if
        :: v != n && term[v] == term[n] && !told[v] ->
            told[v] = 1;
            told_term[v] = term[n];
#ifdef FAULT_LEADS_ON_AFTER_TRANSFER
            ended[n] = 0
#else
            follow(n, term[n])
#endif
        :: else
        fi;
        v = 0
       }
    :: d_step { /* it arrives */
        told[n] ->
        if
        :: told_term[n] == term[n] && !leads[n] && FREE(n) && term[n] < TERMS -> transfers[n] = 1; votes[n] = 0
        :: else
        fi;
        told[n] = 0;
        told_term[n] = 0
       }
    /* ---- stepping down, restarts ---- */
    :: d_step { leads[n] -> follow(n, term[n]) } /* CheckQuorum, say */
    :: d_step { /* the agent dies and restarts: what it knew is gone, what it persisted is not; the lease lives on */
        restarts < RESTARTS ->
        restarts++;
        leads[n] = 0; ended[n] = 0; votes[n] = 0; transfers[n] = 0; echoed[n] = 0; heard[n] = 0;
        age[n] = 0; owed[n] = 0; sticky[n] = 0; told[n] = 0; told_term[n] = 0;
#ifdef FAULT_NO_WAIT_AFTER_RESTART
        hold[n] = 0
#else
        hold[n] = promised[n]
#endif
       }
    od
}

proctype clock()
{
    byte n;

    do
    :: d_step { tick(0); tick(1); tick(2) }
    :: atomic { /* SLOW: one clock misses this tick */
        !slow ->
        slow = 1;
        select(n : 0 .. N - 1);
        if
        :: n == 0 -> tick(1); tick(2)
        :: n == 1 -> tick(0); tick(2)
        :: else -> tick(0); tick(1)
        fi;
        n = 0
       }
    :: atomic { /* FAST: one clock has one more */
        !fast ->
        fast = 1;
        select(n : 0 .. N - 1);
        tick(n);
        n = 0
       }
    od
}

init {
    byte n;

    atomic { /* FIRST was elected by all, and nobody has been heard yet */
        n = FIRST;
        term[0] = 1; term[1] = 1; term[2] = 1;
        vote[0] = n + 1; vote[1] = n + 1; vote[2] = n + 1;
        leads[n] = 1;
        echoed[n] = BIT(n);
        heard[n] = BIT(n);
#ifndef FAULT_CANDIDATE_PROMISES_NOTHING
        promised[n] = OWN_E(n);
#endif
        n = 0;
        run node(0);
        run node(1);
        run node(2);
        run clock()
    }
}
