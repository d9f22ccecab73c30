/* rule.pml - the commit rule is changed while primaries die and others are promoted.
 *
 * Design, section 5. Checked: no acknowledged write is ever missing on a later primary (I4), nor anything that a
 * client could read after an opening; never two acknowledgers (I3): what a deposed primary answers late, if it does,
 * the new one had already when it was opened.
 *
 * What is ours, and where the code does it:
 *   PROMOTE          agent/cluster/promotion.c  policy_promotable, policy_positions_heard,
 *                                               policy_sync_after_promotion (sure_holders)
 *   AHEAD            agent/cluster/promotion.c  policy_ahead_outside
 *   WEAKEN, DROP, RAISE, FIRST, JOIN
 *                    agent/cluster/sync_set.c   weaken, drop, raise, raise_first, policy_propose_join
 *   SET_RULE, ALLOW, WITHDRAW
 *                    agent/cluster/commit_rule.c  policy_rule_is
 *   RECORD, OPENED, OPEN
 *                    agent/cluster/serve.c      write_epoch_record, epoch_record_held
 *   FREEZE, FOLLOW   agent/cluster/follow.c     policy_follow
 *   COMMIT           agent/cluster/state.c      cluster_state_apply
 *
 * Abstractions. Raft is a register: the leader of the newest term proposes one command at a time; it commits, or a
 * new leader finds it in its log or does not. (Raft itself is checked by the simulator and by arbiter.pml.) A leader
 * that is deposed may believe in itself for as long as it likes: leases are lease.pml's, and nothing here trusts one
 * but an opening. A database is a log of entries; an entry is the epoch that wrote it, and the first of each epoch is
 * its record. GTIDs are compared as logs are: one holds another that is its beginning. What a replica has received and
 * not applied may be lost when it restarts; a primary's own log never is. An acknowledgement may be processed at any
 * time after the replica received the entry, unless its acknowledging was withdrawn before. Everything can stop, die,
 * come back, be late, in any order; nothing but the bounds below ends a run.
 *
 * N 3 is k = 1: servers that wait for anybody's acknowledgement (MariaDB; M = {primary, one replica} and a standby, or
 * all three: members come and go at any time, so both are here) and servers that wait for k. N 4 is k = 2.
 *
 * FAULT_... make one step wrong each; tests/spin/run.sh has the list, and every one must be found. */

#ifndef N
#define N 3 /* data nodes */
#endif
#ifndef TERMS
#define TERMS 3
#endif
#ifndef LENGTH
#define LENGTH 5 /* of a log */
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef CHANGES
#define CHANGES 255 /* of the rule, proposed or begun */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif

/* With one election only, all replicas are alike before it: whoever is elected is called 1. */
#if TERMS == 2
#define MAY_BE_ELECTED(n) (n <= 1)
#else
#define MAY_BE_ELECTED(n) 1
#endif
#define MOST_ACKS (N / 2)
#define BIT(n) (1 << (n))
#define HAS(set, n) (((set) >> (n)) & 1)
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1) + (((set) >> 3) & 1))
#define AT(n, i) log[(n) * LENGTH + (i)]
#define GOT(p, n) got[(p) * N + (n)]

#ifdef FAULT_NOT_FROZEN
#define IS_FROZEN(n) 1
#else
#define IS_FROZEN(n) (frozen[n] && knows[n] == term)
#endif
#ifdef FAULT_OLD_NOT_FENCED
#define OLD_IS_FENCED (up[prim])
#else
#define OLD_IS_FENCED (up[prim] && !open[prim] && IS_FROZEN(prim))
#endif
#define MAY_FOLLOW(n) (knows[n] != epoch || !HAS(M, n) || HAS(inc, n))

/* ---- the replicated state (agent/cluster/state.h) ---- */
byte M;      /* the sync set */
byte k = 1;  /* acknowledgements */
byte prim;   /* the primary ... */
byte epoch = 1;
bit opened = 1;
byte inc; /* members whose database has not restarted since they became members */
byte who[TERMS + 1]; /* the primary of each epoch, plus one; 0: none */

/* ---- Raft ---- */
byte term = 1;
byte leader;
byte believes[N]; /* the term that it believes to lead; 0: none */
byte knows[N];    /* its own persisted term */
/* the leader's proposal that is not decided yet */
#define NONE 0
#define SYNC 1
#define PROMOTE 2
#define OPENED 3
byte pending;
byte pending_M, pending_k, pending_inc;
/* what a leader saw committed last, and whether a proposal of its own is undecided as far as it knows */
byte seen_M[N], seen_k[N];
bit undecided[N];

/* ---- a change of the rule under way (struct policy_tracker) ---- */
#define FIRST 1
#define DROP 2
#define RAISE 3
byte change, change_node, mark;
bit restarted; /* the database of change_node, since the mark was taken */

/* ---- databases ---- */
bit up[N];
byte log[N * LENGTH];
byte size[N];
byte source[N];   /* the epoch that it follows; 0: none */
bit frozen[N];    /* its receiver was seen stopped in the term that it knows */
byte promoted[N]; /* the epoch under which it was made a primary; 0: it is none */
byte open[N];     /* the epoch under which it is open; 0: closed */
byte waits[N];    /* the rule in the server: acknowledgements that a commit waits for */
byte allowed[N];  /* whose acknowledgements count there */
byte got[N * N];  /* how much of the primary's log a node has acknowledged to it */
byte answered[N]; /* how much of its log a primary has told its clients "committed" */
byte kept[N];     /* so much of its log survives a restart: what it has applied, if it is a replica */
byte writes, crashes, changes;

/* ---- what clients know ---- */
byte told[LENGTH];
byte told_len;
byte newest_open = 1;

/* for one step each; 0 between steps */
byte i, c, m, x, y;
bit ok, ok2;

/* ok: a holds all of b */
inline holds(a, b)
{
    ok = size[a] >= size[b];
    i = 0;
    do
    :: ok && i < size[b] -> ok = AT(a, i) == AT(b, i); i++
    :: else -> break
    od
}

/* ok: n holds the record of epoch e */
inline holds_record(n, e)
{
    ok = 0;
    i = 0;
    do
    :: !ok && i < size[n] -> ok = AT(n, i) == e; i++
    :: else -> break
    od
}

/* The clients were told the first `upto` entries of n: nothing told before may be missing among them. */
inline tell(n, upto)
{
    i = 0;
    do
    :: i < told_len && i < upto -> assert(told[i] == AT(n, i)); i++
    :: else -> break
    od;
    do
    :: told_len < upto -> told[told_len] = AT(n, told_len); told_len++
    :: else -> break
    od
}

/* c: how many of `set` but p hold the first `upto` entries of p, as followers of its epoch and unchanged members */
inline holders(set, p, upto)
{
    c = 0;
    m = 0;
    do
    :: m < N ->
        if
        :: m != p && HAS(set, m) && up[m] && source[m] == epoch && HAS(inc, m) && size[m] >= upto -> c++
        :: else
        fi;
        m++
    :: else -> break
    od
}

inline propose(what, set, acks, starts)
{
    pending = what;
    pending_M = set;
    pending_k = acks;
    pending_inc = starts;
    undecided[leader] = 1;
    change = 0;
    change_node = 0;
    mark = 0;
    restarted = 0
}

/* agent/cluster/state.c */
inline apply()
{
    if
    :: pending == PROMOTE ->
        prim = leader;
        epoch = term;
        opened = 0;
        who[term] = leader + 1
    :: pending == OPENED -> opened = 1
    :: else
    fi;
    if
    :: pending != OPENED -> M = pending_M; k = pending_k; inc = pending_inc
    :: else
    fi;
    pending = NONE;
    pending_M = 0;
    pending_k = 0;
    pending_inc = 0
}

/* ok: positions of enough members were heard, none ahead (policy_positions_heard). x: how many were heard. */
inline positions_heard(n)
{
    ok2 = 1;
    x = 0;
    m = 0;
    do
    :: m < N ->
        if
        :: m != prim && HAS(M, m) && up[m] && IS_FROZEN(m) ->
            x = x + HAS(inc, m);
            holds(n, m);
#ifndef FAULT_AHEAD_IGNORED
            ok2 = ok2 && (ok || n == prim)
#endif
        :: else
        fi;
        m++
    :: else -> break
    od;
    y = COUNT(M & ~BIT(prim));
    y = (y >= k -> y - k + 1 : 1);
#ifdef FAULT_ONE_POSITION_LESS
    y = (y > 1 -> y - 1 : 1);
#endif
    if
    :: x >= y || n == prim -> ok = 1
    :: else ->
        ok = 0;
        if
        :: OLD_IS_FENCED -> holds(n, prim)
        :: else
        fi
    fi;
    ok = ok && ok2;
    ok2 = 0
}

/* x: who stays (policy_sync_after_promotion), y: how many acknowledgements are sure (sure_holders) */
inline sync_after(n)
{
    x = BIT(n);
    c = 0;
    m = 0;
    do
    :: m < N ->
        if
        :: m != n && HAS(M, m) && up[m] && IS_FROZEN(m) && HAS(inc, m) ->
            holds(n, m);
            if
            :: ok ->
                x = x | BIT(m);
                holds(m, n);
                c = c + ok
            :: else
            fi
        :: else
        fi;
        m++
    :: else -> break
    od;
    y = k + (prim != n && HAS(x, prim));
#ifndef FAULT_KEEPS_ACKS
    m = 0;
    do
    :: m < N ->
        if
        :: HAS(M, m) && m != prim && (m == n || !HAS(x, m)) && y > 0 -> y--
        :: else
        fi;
        m++
    :: else -> break
    od;
#endif
    y = (c > y -> c : y);
    y = (y > k -> k : y);
    y = (y > COUNT(x) - 1 -> COUNT(x) - 1 : y);
    x = (y == 0 -> BIT(n) : x)
}

#define MAY_CHANGE (!change && changes < CHANGES)
#define CHANGED changes = (CHANGES == 255 -> 0 : changes + 1)
#define SERVES(n) (leader == n && believes[n] == term && prim == n && epoch == term && promoted[n] == epoch && up[n] && !pending)

proctype node(byte n)
{
    byte p, s;

    do
    /* ---- clients and replication ---- */
    :: d_step { /* WRITE */
        up[n] && open[n] && size[n] < LENGTH && writes < WRITES ->
        AT(n, size[n]) = open[n];
        size[n]++;
        writes++
       }
    :: d_step { /* ANSWER: the next commit returns */
        up[n] && open[n] && answered[n] < size[n] ->
        c = 0;
        m = 0;
        do
        :: m < N ->
            if
            :: HAS(allowed[n], m) && GOT(n, m) > answered[n] -> c++
            :: else
            fi;
            m++
        :: else -> break
        od;
        if
        :: c >= waits[n] ->
            answered[n]++;
            assert(open[n] >= newest_open || answered[n] <= told_len); /* I3 */
            tell(n, answered[n])                                       /* I4 */
        :: else
        fi;
        c = 0; m = 0; i = 0
       }
    :: d_step { /* RECEIVE */
        up[n] && source[n] && up[who[source[n]] - 1] && promoted[who[source[n]] - 1] == source[n] &&
            size[n] < size[who[source[n]] - 1] ->
        p = who[source[n]] - 1;
        AT(n, size[n]) = AT(p, size[n]);
        size[n]++;
        if
        :: HAS(allowed[p], n) -> GOT(p, n) = size[n]
        :: else
        fi;
        p = 0
       }
    /* ---- deaths and returns ---- */
    :: d_step { /* the database dies, or its host */
        up[n] && crashes < CRASHES ->
        crashes++;
        up[n] = 0;
        kept[n] = (promoted[n] -> size[n] : kept[n]);
        open[n] = 0; source[n] = 0; promoted[n] = 0; frozen[n] = 0;
        waits[n] = 0; allowed[n] = 0; answered[n] = 0;
#ifndef FAULT_RESTART_COUNTS
        inc = inc & ~BIT(n);
        pending_inc = pending_inc & ~BIT(n);
#endif
#ifndef FAULT_START_NOT_BOUND
        restarted = restarted || (change == FIRST && change_node == n);
#endif
#ifdef FAULT_TERM_FORGOTTEN
        knows[n] = 1;
        believes[n] = 0;
#endif
        m = 0;
        do
        :: m < N -> GOT(n, m) = 0; m++
        :: else -> break
        od;
        m = 0
       }
    :: atomic { /* and returns, read-only */
        !up[n] ->
        up[n] = 1;
        do
        :: size[n] > kept[n] -> size[n]--; AT(n, size[n]) = 0
        :: break
        od
       }
    :: d_step { open[n] && (believes[n] < term || !opened) -> open[n] = 0 } /* fenced, at any time after it lost */
#ifdef FAULT_FENCE_FREES_COMMITS
    :: d_step { open[n] && believes[n] < term && waits[n] -> waits[n] = 0 } /* semi-sync off, clients still there */
#endif
    /* ---- replicas ---- */
    :: d_step { /* FREEZE */
        up[n] && !open[n] && (knows[n] < term || (!frozen[n] && source[n] != term && promoted[n] != term)) && term > 1 ->
        knows[n] = term;
        frozen[n] = 1;
        source[n] = 0;
        kept[n] = (promoted[n] -> size[n] : kept[n]);
        promoted[n] = 0
       }
    :: d_step { /* FOLLOW the primary of its own term */
        up[n] && !open[n] && who[knows[n]] && who[knows[n]] - 1 != n && source[n] != knows[n] &&
            up[who[knows[n]] - 1] && promoted[who[knows[n]] - 1] == knows[n] && MAY_FOLLOW(n) ->
        p = who[knows[n]] - 1;
        holds(p, n);
        if
        :: ok ->
            source[n] = knows[n];
            frozen[n] = 0;
            kept[n] = (promoted[n] -> size[n] : kept[n]);
            promoted[n] = 0;
            GOT(p, n) = (HAS(allowed[p], n) -> size[n] : 0)
        :: else
        fi;
        p = 0; i = 0; ok = 0
       }
    :: d_step { /* cut back what the primary lacks: never on a member */
        up[n] && !open[n] && epoch == term && knows[n] == term && n != prim && promoted[prim] == epoch && up[prim] &&
            source[n] != term && !HAS(M, n) ->
        do
        :: size[n] > size[prim] || (size[n] > 0 && AT(n, size[n] - 1) != AT(prim, size[n] - 1)) ->
            size[n]--;
            AT(n, size[n]) = 0
        :: else -> break
        od;
        kept[n] = (kept[n] > size[n] -> size[n] : kept[n])
       }
    /* ---- Raft ---- */
    :: atomic { /* n is elected; what was proposed before is in its log or is not */
        term < TERMS && MAY_BE_ELECTED(n) ->
        if
        :: pending -> apply()
        :: 1 -> pending = NONE; pending_M = 0; pending_k = 0; pending_inc = 0
        fi;
        term++;
        leader = n;
        believes[n] = term;
        knows[n] = term;
        frozen[n] = 0;
        seen_M[n] = 0;
        seen_k[n] = 0;
        undecided[n] = 0;
        change = 0; change_node = 0; mark = 0; restarted = 0
       }
    :: d_step { /* COMMIT */
        pending && leader == n && believes[n] == term ->
        apply();
        undecided[n] = 0;
        seen_M[n] = (prim == n && epoch == term -> M : 0);
        seen_k[n] = (prim == n && epoch == term -> k : 0)
       }
    /* ---- take over ---- */
    :: d_step { /* PROMOTE */
        leader == n && believes[n] == term && !pending && epoch < term && up[n] && !open[n] && IS_FROZEN(n) &&
            HAS(M, n) ->
        holds_record(n, epoch);
#ifdef FAULT_NO_RECORD
        ok = 1;
#endif
        ok2 = ok || !opened;
        if
        :: ok2 && (n == prim || HAS(inc, n)) -> ok2 = 1
        :: ok2 && OLD_IS_FENCED -> holds(n, prim); ok2 = ok
        :: else -> ok2 = 0
        fi;
        if
        :: ok2 ->
            positions_heard(n);
            if
            :: ok ->
                kept[n] = size[n]; /* drained: all that it received is applied */
                sync_after(n);
                propose(PROMOTE, x, y, x)
            :: else
            fi
        :: else
        fi;
        i = 0; c = 0; m = 0; x = 0; y = 0; ok = 0; ok2 = 0
       }
    :: d_step { /* RECORD: the rule first, then the record */
        up[n] && believes[n] == epoch && epoch == term && prim == n && promoted[n] != epoch && !open[n] && !opened &&
            size[n] < LENGTH ->
        waits[n] = k;
        allowed[n] = M & ~BIT(n);
        promoted[n] = epoch;
        frozen[n] = 0;
        holds_record(n, epoch);
        if
        :: !ok -> AT(n, size[n]) = epoch; size[n]++
        :: else
        fi;
        i = 0; ok = 0;
        answered[n] = size[n];
        m = 0;
        do
        :: m < N -> GOT(n, m) = 0; m++
        :: else -> break
        od;
        m = 0
       }
    :: d_step { SERVES(n) && !opened -> propose(OPENED, 0, 0, 0) }
    :: d_step { /* OPEN: under a live lease; k members hold the record */
        SERVES(n) && opened && !open[n] && !undecided[n] && waits[n] == k && (k == 0 || allowed[n] == (M & ~BIT(n))) ->
        holders(M, n, size[n]);
#ifdef FAULT_NO_RECORD
        c = N;
#endif
        if
        :: c >= k ->
            open[n] = epoch;
            assert(told_len <= size[n]);
            tell(n, size[n]); /* all of it can be read from now on */
            answered[n] = size[n];
            newest_open = epoch
        :: else
        fi;
        c = 0; m = 0; i = 0
       }
    /* ---- the rule in the server follows what was seen committed; a deposed leader does it, too ---- */
    :: d_step { /* SET_RULE */
        up[n] && believes[n] && promoted[n] == believes[n] && seen_M[n] && waits[n] != seen_k[n] && !undecided[n] && !change ->
        waits[n] = seen_k[n]
       }
    :: d_step { /* ALLOW, WITHDRAW */
        up[n] && believes[n] && promoted[n] == believes[n] && seen_k[n] && !undecided[n] && !change &&
            allowed[n] != (seen_M[n] & ~BIT(n)) ->
        m = 0;
        do
        :: m < N ->
            if
            :: HAS(seen_M[n], m) && !HAS(allowed[n], m) && source[m] == promoted[n] -> GOT(n, m) = size[m]
            :: !HAS(seen_M[n], m) -> GOT(n, m) = 0
            :: else
            fi;
            m++
        :: else -> break
        od;
        allowed[n] = seen_M[n] & ~BIT(n);
        m = 0
       }
    /* ---- the leader changes the rule: somebody is gone, or may join, at any time ---- */
    :: atomic { /* WEAKEN: commit first */
        SERVES(n) && opened && k > 0 && MAY_CHANGE ->
        CHANGED;
        if
        :: k > 1 -> propose(SYNC, M, k - 1, inc)
        :: k == 1 -> propose(SYNC, BIT(n), 0, inc & BIT(n))
#ifdef FAULT_WEAKEN_DATABASE_FIRST
        ; waits[n] = 0
#endif
        fi
       }
    :: atomic { /* JOIN: commit first, then let it acknowledge */
        SERVES(n) && opened && k > 0 && MAY_CHANGE ->
        select(s : 0 .. N - 1);
        if
        :: s != n && !HAS(M, s) && up[s] && source[s] == epoch ->
            CHANGED;
            propose(SYNC, M | BIT(s), k, inc | BIT(s));
#ifdef FAULT_ALLOW_FIRST
            allowed[n] = allowed[n] | BIT(s); GOT(n, s) = size[s]
#endif
        :: else
        fi;
        s = 0
       }
    :: atomic { /* DROP, 1: withdraw its acknowledgement */
        SERVES(n) && opened && k > 0 && MAY_CHANGE && waits[n] == k && allowed[n] == (M & ~BIT(n)) && COUNT(M) - 2 >= k ->
        select(s : 0 .. N - 1);
        if
        :: s != n && HAS(M, s) ->
            CHANGED;
            change = DROP;
            change_node = s;
#ifndef FAULT_NOT_WITHDRAWN
            allowed[n] = allowed[n] & ~BIT(s); GOT(n, s) = 0
#endif
        :: else
        fi;
        s = 0
       }
    :: d_step { /* RAISE, 1: tell the database */
        SERVES(n) && opened && k > 0 && k < MOST_ACKS && MAY_CHANGE && waits[n] == k && allowed[n] == (M & ~BIT(n)) &&
            COUNT(M) > k + 1 ->
        CHANGED;
        change = RAISE;
#ifndef FAULT_RAISE_COMMIT_FIRST
        waits[n] = k + 1
#endif
       }
    :: atomic { /* FIRST, 1: tell the database */
        SERVES(n) && opened && open[n] && k == 0 && MAY_CHANGE && waits[n] == 0 ->
        select(s : 0 .. N - 1);
        if
        :: s != n && up[s] && source[s] == epoch ->
            CHANGED;
            change = FIRST;
            change_node = s;
            allowed[n] = BIT(s);
            m = 0;
            do
            :: m < N -> GOT(n, m) = (m == s -> size[s] : 0); m++
            :: else -> break
            od;
            m = 0;
#ifndef FAULT_RAISE_COMMIT_FIRST
            waits[n] = 1
#endif
        :: else
        fi;
        s = 0
       }
    :: d_step { /* 2: the end of the log, seen after the rule was in force, and after the joiner's start was seen */
        SERVES(n) && change && (!mark || restarted) ->
        mark = size[n];
        restarted = 0
       }
    :: d_step { /* 3: enough hold it: propose */
        SERVES(n) && change && mark && up[n] ->
#ifdef FAULT_NO_MARK
        mark = 1;
#endif
        if
        :: change == DROP ->
            holders(M & ~BIT(change_node), n, mark);
            if
            :: c >= k -> propose(SYNC, M & ~BIT(change_node), k, inc & ~BIT(change_node))
            :: else
            fi
        :: change == RAISE ->
            holders(M, n, mark);
            if
            :: c > k -> propose(SYNC, M, k + 1, inc)
            :: else
            fi
        :: change == FIRST ->
            if
            :: up[change_node] && source[change_node] == epoch && size[change_node] >= mark && !restarted ->
                propose(SYNC, BIT(n) | BIT(change_node), 1, BIT(n) | BIT(change_node))
            :: else
            fi
        fi;
        c = 0; m = 0
       }
    :: d_step { /* give the change up: the rule as committed again, but only while nothing is undecided */
        SERVES(n) && change ->
        change = 0; change_node = 0; mark = 0; restarted = 0
       }
#ifdef FAULT_GIVES_UP_UNDECIDED
    :: d_step { /* takes the rule back while its proposal may still be committed */
        pending == SYNC && leader == n && believes[n] == term && waits[n] > k -> waits[n] = k
       }
#endif
    :: atomic { /* AHEAD: a frozen replica outside M that holds more than this member joins, at the same k */
        leader == n && believes[n] == term && !pending && epoch < term && k > 0 && prim != n && up[n] &&
            HAS(M, n) && HAS(inc, n) && IS_FROZEN(n) ->
        select(s : 0 .. N - 1);
        if
        :: s != n && s != prim && !HAS(M, s) && up[s] && IS_FROZEN(s) && size[s] > size[n] ->
            holds(s, n);
            if
            :: ok -> propose(SYNC, M | BIT(s), k, inc | BIT(s))
            :: else
            fi
        :: else
        fi;
        s = 0; i = 0; ok = 0
       }
    od
}

init {
    d_step {
        M = BIT(N) - 1;
        k = N / 2;
        inc = M;
        who[1] = 1;
        believes[0] = 1;
        seen_M[0] = M;
        seen_k[0] = k;
        m = 0;
        do
        :: m < N ->
            up[m] = 1;
            knows[m] = 1;
            AT(m, 0) = 1;
            size[m] = 1;
            kept[m] = 1;
            source[m] = (m == 0 -> 0 : 1);
            GOT(0, m) = (m > 0 && HAS(M, m) -> 1 : 0);
            m++
        :: else -> break
        od;
        promoted[0] = 1;
        open[0] = 1;
        waits[0] = k;
        allowed[0] = M & ~BIT(0);
        answered[0] = 1;
        told[0] = 1;
        told_len = 1;
        m = 0
    }
    atomic {
        run node(0);
        run node(1);
        run node(2);
#if N > 3
        run node(3);
#endif
    }
}
