/* arbiter.pml - two data nodes and an arbiter that leads only to hand over.
 *
 * Design, section 3. Checked: a committed entry is never lost or changed (I1); and whenever things come to rest with a
 * data node and the arbiter up (or both data nodes), a data node leads and has every committed entry. B was down, A
 * and the arbiter committed, A dies for good, B returns: B gets to lead.
 *
 * What is ours, and where the code does it:
 *   CAMPAIGN of the arbiter  common/raft/election.c  raft_election_receive_prevote (arbiter_due_us: it has refused a
 *                                                    PreVote for nothing but a shorter log, and hears no leader)
 *   HAND OVER                common/raft/transfer.c  arbiter_target, raft_transfer_step
 *   COMMIT                   common/raft/replicate.c raft_replicate_commit: through an entry of the own term only
 *   with COMPACTION (compact.pml):
 *   COMPACT, CHUNK, INSTALL  common/raft/snapshot.c  raft_compact; chunks; a member that has the snapshot's last entry
 *                                                    keeps what follows it
 *
 * Abstractions. An election is one step: PreVote, term, votes and no-op; whoever wins has a majority that is up, and a
 * leader that is up is heard by everybody who is. Logs, terms and votes are durable (the simulator crashes disks). An
 * entry is the term that proposed it; entries travel one at a time. What can happen is bounded by the constants below,
 * and every run ends: `timeout` is when nothing is left to do. */

#define A 0
#define B 1
#define R 2 /* the arbiter */
#define N 3
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef WRITES
#define WRITES 2
#endif
#define TERMS 9 /* more than the crashes can make; an end at the last one would be seen as no leader */
#define LENGTH 9

#define AT(n, i) log[(n) * LENGTH + (i)]

bit up[N];
byte term[N], log[N * LENGTH], size[N];
bit leads[N];
bit told[N]; /* TIMEOUT_NOW has arrived */
byte committed[LENGTH], committed_size;
byte crashes, writes;
byte gone; /* the one that never comes back, plus one */

/* compact.pml: the log starts after base; a whole, durable snapshot up to saved; one on its way in */
byte base[N], saved[N];
byte coming[N], chunks[N]; /* up to which index; how many of its two chunks have come */
bit mixed[N];              /* its chunks are not of one snapshot */

/* for one step each; 0 between steps */
byte i, s;
bit ok;

#define COMMON_WITH_COMMITTED(n) (size[n] >= committed_size && AT(n, committed_size - 1) == committed[committed_size - 1])
#define HEARD (up[A] && leads[A] || up[B] && leads[B] || up[R] && leads[R])
#define MAX2(a, b) ((a > b) -> (a) : (b))
#define NEWEST MAX2(term[A], MAX2(term[B], term[R]))
#define LAST(n) (size[n] > 0 -> AT(n, size[n] - 1) : 0)
/* b would vote for a, by the logs */
#define UP_TO_DATE(a, b) (LAST(a) > LAST(b) || (LAST(a) == LAST(b) && size[a] >= size[b]))
#ifdef FAULT_VOTES_FOR_SHORTER
#define WOULD_VOTE(b, a) (b == R || UP_TO_DATE(a, b))
#else
#define WOULD_VOTE(b, a) UP_TO_DATE(a, b)
#endif
#ifdef FAULT_COMMITS_OLD_TERMS
#define MAY_COMMIT(n, i) 1
#else
#define MAY_COMMIT(n, i) (AT(n, i) == term[n])
#endif
#ifdef FAULT_NEVER_LEADS
#define ARBITER_CAMPAIGNS 0
#else
#define ARBITER_CAMPAIGNS 1
#endif
#ifdef FAULT_HANDS_OVER_EARLY
#define HAS_ALL(n) 1
#else
#define HAS_ALL(n) (size[n] == size[R] && LAST(n) == LAST(R))
#endif
#ifdef FAULT_KEEPS_LEADING
#define HANDS_OVER 0
#else
#define HANDS_OVER 1
#endif
#ifdef COMPACTION
#define IN_LOG(n, next) (next >= base[n])
#define WHOLE(n) (saved[n] >= base[n] && !mixed[n])
#else
#define IN_LOG(n, next) 1
#define WHOLE(n) 1
#endif

#define SAME(n, m, k) (k < size[n] && k < size[m] && AT(n, k) == AT(m, k))
/* how much of m's log is n's */
#define COMMON(n, m) \
    (SAME(n, m, 0) -> (SAME(n, m, 1) -> (SAME(n, m, 2) -> (SAME(n, m, 3) -> (SAME(n, m, 4) -> \
    (SAME(n, m, 5) -> (SAME(n, m, 6) -> (SAME(n, m, 7) -> (SAME(n, m, 8) -> 9 : 8) : 7) : 6) : 5) : 4) : 3) : 2) : 1) : 0)

#define CAN_WIN(n, v) (v != n && up[v] && WOULD_VOTE(v, n))
#define FREE(n) (up[n] && !HEARD && NEWEST < TERMS && size[n] < LENGTH)
#define LACKS(v) (up[v] && !UP_TO_DATE(v, R) && UP_TO_DATE(R, v))
#define MAY_SEND(n, m) (m != n && up[n] && up[m] && leads[n] && term[m] <= term[n])
#define MAY_REPLICATE(n, m) (MAY_SEND(n, m) && COMMON(n, m) < size[n] && IN_LOG(n, COMMON(n, m)))
#define COMMITS(n, m) (up[n] && up[m] && n != m && leads[n] && COMMON(n, m) > committed_size && MAY_COMMIT(n, COMMON(n, m) - 1))
#define NEEDS_CHUNK(n, m) (MAY_SEND(n, m) && WHOLE(n) && saved[n] > 0 && \
    ((COMMON(n, m) < size[n] && !IN_LOG(n, COMMON(n, m))) || (m == R && base[R] < saved[n])))
#ifdef FAULT_MIXES_CHUNKS
#define IS_LAST_CHUNK(n, m) (chunks[m] == 1)
#else
#define IS_LAST_CHUNK(n, m) (chunks[m] == 1 && coming[m] == saved[n])
#endif

/* n leads a new term, with the vote of v. */
inline lead(n, v)
{
    leads[A] = 0; leads[B] = 0; leads[R] = 0;
    term[n] = NEWEST + 1;
    term[v] = term[n];
    leads[n] = 1;
    told[n] = 0;
    AT(n, size[n]) = term[n];
    size[n]++
}

inline replicate(n, m)
{
    i = COMMON(n, m);
    assert(i >= committed_size || i >= size[m] || AT(m, i) != committed[i]); /* a committed entry is never cut */
    do
    :: size[m] > i -> size[m]--; AT(m, size[m]) = 0
    :: else -> break
    od;
    AT(m, i) = AT(n, i);
    size[m] = i + 1;
    term[m] = term[n];
    coming[m] = 0;
    chunks[m] = 0;
    i = 0
}

inline commit(n, m)
{
    i = COMMON(n, m);
    s = 0;
    do
    :: s < i ->
        assert(s >= committed_size || committed[s] == AT(n, s)); /* I1 */
        committed[s] = AT(n, s);
        s++
    :: else -> break
    od;
    committed_size = i;
    s = 0;
    i = 0
}

/* A chunk; with the last one the whole is installed, durably. */
inline chunk(n, m)
{
    term[m] = term[n];
    if
    :: IS_LAST_CHUNK(n, m) ->
        mixed[m] = coming[m] != saved[n];
        coming[m] = 0;
        chunks[m] = 0;
        saved[m] = saved[n];
        base[m] = saved[n];
        ok = size[m] >= saved[n] && AT(m, saved[n] - 1) == AT(n, saved[n] - 1);
        do
        :: !ok && size[m] > 0 -> size[m]--; AT(m, size[m]) = 0
        :: else -> break
        od;
        do
        :: !ok && size[m] < saved[m] -> AT(m, size[m]) = AT(n, size[m]); size[m]++
        :: else -> break
        od;
        ok = 0
    :: else ->
        chunks[m] = 1;
        coming[m] = saved[n];
#ifdef FAULT_DROPS_AT_THE_FIRST_CHUNK
        base[m] = (m == R && size[m] >= saved[n] -> saved[n] : base[m]);
#endif
        ok = 0
    fi
}

proctype node(byte n)
{
    do
    /* ---- elections ---- */
    :: d_step { n != R && FREE(n) && CAN_WIN(n, A) -> lead(n, A) } /* CAMPAIGN */
    :: d_step { n != R && FREE(n) && CAN_WIN(n, B) -> lead(n, B) }
    :: d_step { n != R && FREE(n) && CAN_WIN(n, R) -> lead(n, R) }
    :: d_step { n == R && FREE(R) && ARBITER_CAMPAIGNS && !told[A] && !told[B] && LACKS(A) -> lead(R, A) }
    :: d_step { n == R && FREE(R) && ARBITER_CAMPAIGNS && !told[A] && !told[B] && LACKS(B) -> lead(R, B) }
    :: d_step { n != R && HANDS_OVER && up[R] && leads[R] && up[n] && HAS_ALL(n) -> told[n] = 1; leads[R] = 0 } /* HAND OVER */
    :: d_step { /* TIMEOUT_NOW arrives */
        up[n] && told[n] ->
        told[n] = 0;
        if
        :: FREE(n) && CAN_WIN(n, R) -> lead(n, R)
        :: else
        fi
       }
    /* ---- the log ---- */
    :: d_step { /* PROPOSE: never the arbiter */
        up[n] && leads[n] && n != R && writes < WRITES && size[n] < LENGTH ->
        AT(n, size[n]) = term[n];
        size[n]++;
        writes++
       }
    :: d_step { MAY_REPLICATE(n, A) -> replicate(n, A) }
    :: d_step { MAY_REPLICATE(n, B) -> replicate(n, B) }
    :: d_step { MAY_REPLICATE(n, R) -> replicate(n, R) }
    :: d_step { COMMITS(n, A) -> commit(n, A) }
    :: d_step { COMMITS(n, B) -> commit(n, B) }
    :: d_step { COMMITS(n, R) -> commit(n, R) }
#ifdef COMPACTION
    :: d_step { /* COMPACT: a data node has saved a snapshot of what it has applied */
        up[n] && n != R && saved[n] < committed_size && COMMON_WITH_COMMITTED(n) ->
        saved[n] = committed_size;
        base[n] = saved[n];
        mixed[n] = 0
       }
#ifdef FAULT_DROPS_WITH_THE_LEADER
    :: d_step { up[R] && n != R && up[n] && leads[n] && base[R] < base[n] && size[R] >= base[n] -> base[R] = base[n] }
#endif
    :: d_step { NEEDS_CHUNK(n, A) -> chunk(n, A) }
    :: d_step { NEEDS_CHUNK(n, B) -> chunk(n, B) }
    :: d_step { NEEDS_CHUNK(n, R) -> chunk(n, R) }
#endif
    /* ---- deaths and returns ---- */
    :: atomic {
        up[n] && crashes < CRASHES ->
        crashes++;
        if
        :: gone == 0 -> gone = n + 1
        :: 1
        fi;
        up[n] = 0;
        leads[n] = 0;
        told[n] = 0;
        coming[n] = 0;
        chunks[n] = 0;
#ifdef FAULT_ARBITER_FORGETS
        size[n] = (n == R -> 0 : size[n]);
        term[n] = (n == R -> 0 : term[n])
#endif
       }
    :: d_step { !up[n] && gone != n + 1 -> up[n] = 1 }
    od
}

/* Everything has come to rest. */
proctype rest()
{
    timeout;
    d_step {
        i = (up[A] && leads[A] -> A : B);
        assert(up[i] && leads[i]); /* a data node leads */
        assert(size[i] >= committed_size && (committed_size == 0 || AT(i, committed_size - 1) == committed[committed_size - 1]));
        assert(WHOLE(A) || !up[A]);
        assert(WHOLE(B) || !up[B]);
        assert(!up[A] || COMMON(i, A) == size[i]); /* and who is up has all */
        assert(!up[B] || COMMON(i, B) == size[i])
    }
}

init {
    atomic {
        up[A] = 1; up[R] = 1; /* B is down at first, or has been since the last commit */
        if
        :: up[B] = 1
        :: up[B] = 0
        fi;
        run node(A);
        run node(B);
        run node(R);
        run rest()
    }
}
