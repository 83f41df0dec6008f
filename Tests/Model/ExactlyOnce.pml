/* Exactly once between two processes joined by a pipe, as a model for spin.
 *
 * One partition of MESSAGES lines is read by a group of two pipelines, each `kcat-in | filter | kcat-out` under a
 * supervisor that starts it again when all three have ended. Any process may be killed between any two steps, and the
 * coordinator may put any member out of the group at any time, as it does with one that is stopped: that is a step which
 * the others take before it. Pauses need no step of their own: a process that is not chosen stands still.
 *
 * kcat-in waits for its commits before it gives the partition back, and goes on in the same stream when it gets it again.
 * The filter keeps a total, which it puts out with every line, and which comes back as state: kcat-in restores it each time
 * it gets the partition.
 *
 * What is checked, in every state that can be reached:
 *   no line is counted twice     the assertion in commit()
 *   the total fits the offset    the same
 *   no line is lost              the assertions in Observer, where nothing can go on any more
 *   nobody waits for ever        the same: to wait while lines are missing is such a state
 * Endless loops are not looked for: each loop here uses up a line, a fault or a commit.
 *
 * The broken variants must fail, which shows that the model can:
 *   -DNO_GENERATION  the broker takes offsets without a generation, as it does when the metadata has none
 *   -DNO_CLOSE       kcat-out commits at the end of its input even without `close`
 *   -DNO_WAIT        kcat-in restores what stands before the first open transaction, and does not wait for what is behind
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#define PIPELINES 2
#define NOBODY PIPELINES

#define LINE 0    /* value: which line */
#define COMMIT 1  /* value: the next offset */
#define CLOSE 2
#define END 3     /* end of file: the writer of the pipe has ended */
#define RESTORE 4 /* value: the total */
#define IDLE 5    /* a barrier without an offset: nothing has come */

/* The broker. */
byte offset;                 /* committed by the group */
byte counted[MESSAGES];      /* how often each line is in the committed output */
byte total;                  /* the last one that is committed */
byte visible;                /* the last one in front of all open transactions */
byte generation;
byte owner = NOBODY;         /* who has the partition */
bool member[PIPELINES];
bool rebalancing;            /* the owner is asked to let go */
byte producerEpoch[PIPELINES];
byte data[PIPELINES];        /* lines in the open transaction, a bit each */
bool hasOffset[PIPELINES];   /* offsets are in the open transaction */
byte newOffset[PIPELINES];
byte newTotal[PIPELINES];

/* The pipelines. A pipe holds two lines. */
chan first[PIPELINES] = [2] of { byte, byte, byte };   /* kind, value, generation */
chan second[PIPELINES] = [2] of { byte, byte, byte };  /* the same; with a line: the total so far */
bool readerRuns[PIPELINES], filterRuns[PIPELINES], writerRuns[PIPELINES];
byte faults = FAULTS;
bool hasIdled;

/* Whether the broker takes offsets from the writer of pipeline p with this generation. */
#ifdef NO_GENERATION
#define mayCommit(p, from) true
#else
#define mayCommit(p, from) (generation == (from) && owner == (p))
#endif

#define allCounted (offset == MESSAGES)

inline abort(who) {
    data[who] = 0; hasOffset[who] = false; newOffset[who] = 0; newTotal[who] = 0;
#ifdef NO_WAIT
    if
    :: !data[0] && !data[1] -> visible = total
    :: else -> skip
    fi
#endif
}

/* The coordinator gives the partition to a member, in a new generation. */
inline handOver() {
    generation++;
    rebalancing = false;
    if
    :: member[0] -> owner = 0
    :: member[1] -> owner = 1
    :: !member[0] && !member[1] -> owner = NOBODY
    fi
}

/* The owner lets go. */
inline yieldTo(who) {
    generation++;
    rebalancing = false;
    if
    :: member[who] -> owner = who
    :: else -> skip
    fi
}

/* A member is gone: it said so, or was not heard from in time. */
inline remove(who) {
    member[who] = false;
    if
    :: owner == who -> handOver()
    :: else -> rebalancing = false
    fi
}

inline join(who) {
    if
    :: owner == who -> handOver()             /* its former self still counted as a member */
    :: else -> skip
    fi;
    member[who] = true;
    if
    :: owner == NOBODY -> handOver()
    :: owner != NOBODY && owner != who -> rebalancing = true
    :: else -> skip
    fi
}

/* The end of a transaction: output and offset move together. */
inline commit(who) {
    for (line : 0 .. MESSAGES - 1) {
        if
        :: data[who] & (1 << line) ->
            counted[line]++;
            assert(counted[line] <= 1)      /* no line is counted twice */
        :: else -> skip
        fi
    }
    line = 0;
    if
    :: data[who] -> total = newTotal[who]
    :: else -> skip
    fi;
    if
    :: hasOffset[who] -> offset = newOffset[who]
    :: else -> skip
    fi;
    assert(total == offset);                /* the total fits the offset */
    abort(who)
}

/* kcat-in. `next` is the next line to be read, `marked` the one behind the last barrier. */
active [PIPELINES] proctype Reader() {
    byte p = _pid % PIPELINES, next, marked, mine;
start:
    atomic { readerRuns[p] -> join(p) }
assigned:
    if
    /* The offset is not read while a transaction holds a new one: else what that one commits would be read again. */
    :: atomic { owner == p && !hasOffset[0] && !hasOffset[1] -> mine = generation; next = offset; marked = offset }
    :: allCounted -> goto close
    :: !member[p] -> goto ended                         /* put out of the group */
    :: !filterRuns[p] -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
    if
#ifdef NO_WAIT
    :: atomic { filterRuns[p] && nfull(first[p]) -> first[p]!RESTORE(visible, 0) }
#else
    /* To the end that the state has now: behind what is open there may be what others have committed. */
    :: atomic { filterRuns[p] && nfull(first[p]) && !data[0] && !data[1] -> first[p]!RESTORE(total, 0) }
#endif
    :: atomic { rebalancing && owner == p && generation == mine -> yieldTo(1 - p); goto assigned }
    :: generation != mine -> goto assigned              /* nothing is owed yet */
    :: !filterRuns[p] || !writerRuns[p] -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
    do
    :: atomic { next < MESSAGES && filterRuns[p] && nfull(first[p]) -> first[p]!LINE(next, mine); next++ }
    :: atomic { next > marked && filterRuns[p] && nfull(first[p]) -> first[p]!COMMIT(next, mine); marked = next }
    /* Nothing has come: a barrier all the same. One from one of them is enough to see. */
    :: atomic { p == 0 && !hasIdled && next == marked && filterRuns[p] && nfull(first[p]) ->
            first[p]!IDLE(0, 0); hasIdled = true }
    /* Asked to let go: not before all that was written is committed. */
    :: atomic { rebalancing && owner == p && generation == mine && marked == next && offset == next ->
            yieldTo(1 - p); goto assigned }
    :: generation != mine -> goto ended                 /* put out of the group, and it has noticed */
    :: !filterRuns[p] || !writerRuns[p] -> goto ended   /* a broken pipe, or no commit in time */
    :: next == MESSAGES && offset == MESSAGES -> goto close
    :: atomic { faults > 0 -> faults--; goto ended }
    od;
close:
    if
    :: atomic { filterRuns[p] && nfull(first[p]) -> first[p]!CLOSE(0, 0); remove(p) }
    :: !filterRuns[p] -> skip
    :: atomic { faults > 0 -> faults-- }
    fi;
ended:
    atomic { readerRuns[p] = false; next = 0; marked = 0; mine = 0; goto start }
}

/* A filter that keeps what it has read until a barrier, or the end of its input, and puts it out then. */
active [PIPELINES] proctype Filter() {
    byte p = _pid % PIPELINES, kind, value, from, held, line, sum;
start:
    atomic { filterRuns[p] -> skip }
read:
    if
    :: atomic { first[p]?kind, value, from ->
            if
            :: kind == LINE -> held = held | (1 << value); goto read
            :: kind == RESTORE -> assert(!held); sum = value; goto read
            :: else -> skip
            fi }
    :: atomic { !readerRuns[p] && empty(first[p]) -> kind = END }
    :: !writerRuns[p] -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
    do
    :: atomic { line < MESSAGES && !(held & (1 << line)) -> line++ }
    :: atomic { line < MESSAGES && (held & (1 << line)) && writerRuns[p] && nfull(second[p]) ->
            sum++; second[p]!LINE(line, sum); line++ }
    :: line == MESSAGES && kind == END -> goto ended
    :: atomic { line == MESSAGES && kind != END && writerRuns[p] && nfull(second[p]) ->
            second[p]!kind(value, from); line = 0; held = 0; goto read }
    :: !writerRuns[p] -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    od;
ended:
    atomic { filterRuns[p] = false; kind = 0; value = 0; from = 0; line = 0; held = 0; sum = 0; goto start }
}

/* kcat-out: a transactional producer, with the id of its replica. */
active [PIPELINES] proctype Writer() {
    byte p = _pid % PIPELINES, kind, value, from, epoch, line;
start:
    /* The broker ends what the id had left open, and shuts out who had it. */
    atomic { writerRuns[p] -> abort(p); producerEpoch[p]++; epoch = producerEpoch[p] }
read:
    if
    :: atomic { second[p]?kind, value, from ->
            if
            :: kind == CLOSE || producerEpoch[p] != epoch && kind != IDLE -> goto ended
            :: kind == IDLE -> goto read
            :: producerEpoch[p] == epoch && kind == LINE -> data[p] = data[p] | (1 << value); newTotal[p] = from; goto read
            :: else -> skip
            fi }
    :: atomic { !filterRuns[p] && empty(second[p]) ->
#ifdef NO_CLOSE
            if
            :: producerEpoch[p] == epoch -> commit(p)
            :: else -> skip
            fi;
#endif
            goto ended }
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
    /* A commit: first the offsets go into the transaction, ... */
    if
    :: atomic { producerEpoch[p] == epoch && mayCommit(p, from) -> hasOffset[p] = true; newOffset[p] = value }
    :: producerEpoch[p] != epoch || !mayCommit(p, from) -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
    /* ... then it ends. */
    if
    :: atomic { producerEpoch[p] == epoch -> commit(p); goto read }
    :: producerEpoch[p] != epoch -> goto ended
    :: atomic { faults > 0 -> faults--; goto ended }
    fi;
ended:
    atomic { writerRuns[p] = false; kind = 0; value = 0; from = 0; epoch = 0; goto start }
}

/* Starts a pipeline, and starts it again when all of it has ended. */
active [PIPELINES] proctype Supervisor() {
    byte p = _pid % PIPELINES, kind, value, from;
    do
    :: atomic { !readerRuns[p] && !filterRuns[p] && !writerRuns[p] && !allCounted ->
            do
            :: first[p]?kind, value, from
            :: second[p]?kind, value, from
            :: empty(first[p]) && empty(second[p]) -> break
            od;
            kind = 0; value = 0; from = 0;
            readerRuns[p] = true; filterRuns[p] = true; writerRuns[p] = true }
    od
}

/* What the broker does by itself when it does not hear from somebody: from the dead always, from others as a fault. */
active proctype Broker() {
    byte p, line;
    do
    :: atomic { member[0] && !readerRuns[0] -> remove(0) }
    :: atomic { member[1] && !readerRuns[1] -> remove(1) }
    :: atomic { faults > 0 && owner != NOBODY -> faults--; remove(owner) }
    :: atomic { !writerRuns[0] && (data[0] || hasOffset[0]) -> abort(0) }
    :: atomic { !writerRuns[1] && (data[1] || hasOffset[1]) -> abort(1) }
    :: atomic { faults > 0 && (data[0] || hasOffset[0]) -> faults--; abort(0); producerEpoch[0]++ }
    :: atomic { faults > 0 && (data[1] || hasOffset[1]) -> faults--; abort(1); producerEpoch[1]++ }
    od
}

/* When nothing can go on, everything has been counted. */
active proctype Observer() {
    byte line;
    timeout ->
        assert(offset == MESSAGES);
        for (line : 0 .. MESSAGES - 1) {
            assert(counted[line] == 1)
        }
}
