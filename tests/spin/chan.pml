/*
 * The channel on one page: src/chan, src/waiter and src/op as a protocol, without types, errors and user code.
 *
 * The models (handoff.pml, cancel.pml, close.pml, select.pml) include this file. Each adds a few tasks that use the channel. SPIN
 * runs the tasks through every interleaving; it reports a state in which nobody can go on, and an assertion that fails.
 *
 * Each inline is named after the function that it models. All of them use these variables of the task that runs them:
 *
 *   ch        the channel
 *   me        the waiter of the task's operation
 *   w         the waiter that `dequeue` has found, or NONE
 *   outcome   the state that `w` is to get
 *   wake      the waiter whose task is to be woken after the unlock, or NONE
 *   polled    the state in which the task left its waiter when it last held a lock
 *
 * `with(PART)` is true unless the runner has taken that part out of the protocol. README.md lists the parts.
 */

#ifndef CAPACITY
#define CAPACITY 1
#endif
#ifndef SINGLE_LOCK /* 1: the receivers' lock stands for both, as in every small channel (LARGEST_SINGLE_LOCK) */
#define SINGLE_LOCK 1
#endif
#ifndef WITHOUT
#define WITHOUT NOTHING
#endif
#define with(part) (WITHOUT != part)
#define sound (WITHOUT == NOTHING)

#define NOTHING              0
#define HANDOFF_WAKE         1
#define PROMOTION            2
#define PROMOTION_WAKE       3
#define SECOND_LOOK_OF_SEND  4
#define SECOND_LOOK_OF_RECV  5
#define SEND_SLOW            6
#define RECV_SLOW            7
#define TRY_LOCK             8
#define GIVE_BACK            9
#define GIVE_BACK_TO_PARKED 10
#define GIVE_BACK_WAKE      11
#define GIVE_BACK_BY_NUMBER 12
#define GIVE_BACK_SLOW      13
#define SECOND_LOOK_OF_UNPARK 14
#define CLOSE_OF_SENDQ      15
#define CLOSE_OF_RECVQ      16
#define CLOSE_WAKE          17
#define CLOSE_BY_LAST       18
#define BUFFER_AFTER_CLOSE  19
#define CLEAR               20
#define CLOSE_SLOW          27
#define CLAIM               21
#define MARK                22
#define LOOK_AT_MARK        23
#define SECOND_TRY          24
#define UNLINK_OF_LOSERS    25
#define WAIT_FOR_PEER       26

/*
 * What is done under a lock is one step to all who need that lock. A `section` is such a step. So the interleavings are those of
 * critical sections, of the wakes after them, and of what a task reads without a lock. The select reads its claim without a lock:
 * in its model a `cut` parts a section, and others may look in before the waiter is completed and the lock released.
 */
#define section d_step
#ifndef cut
#define cut ;
#endif

#define NONE 255
#if CAPACITY == 0
#define PLACES 1
#else
#define PLACES CAPACITY
#endif

/* ==== Waiters: src/waiter ================================================================================================= */

mtype = { Idle, Parked, Done, Closed } /* waiter::State */

/*
 * One operation. While it is `Parked` its contents belong to the holder of the receivers' lock, else to its owner. The owner reads
 * the state without a lock.
 */
typedef Waiter {
  mtype state;
  byte slot; /* the message; 0: there is none */
  byte seq   /* the number of a message received */
}
Waiter waiter[WAITERS];
bool woken[WAITERS]; /* The task has been woken since it was polled. */

/* waiter::Claim: which peer commits the select. */
mtype = { AWAKE, MARKED, OPEN, CLAIMED }
mtype claim = AWAKE;

#ifndef is_arm
#define is_arm(which) false /* Its wake target is a select. */
#define task(which) which /* the task to wake */
#endif

/* ==== The two sides: src/chan/state.rs ==================================================================================== */

/* RecvSide: guarded by the receivers' lock. */
bool recv_locked[CHANNELS];
bool closed[CHANNELS];
chan sendq[CHANNELS] = [WAITERS] of { byte };    /* parked sends, the oldest first */
chan recvq[CHANNELS] = [WAITERS] of { byte };    /* parked receives, the oldest first */
chan closing[CHANNELS] = [WAITERS] of { byte };  /* those that the close has ended and nobody has completed yet */
chan returned[CHANNELS] = [MESSAGES] of { byte, byte }; /* messages given back: number, message */
byte next_seq[CHANNELS];
byte head[CHANNELS];      /* how many messages have left the ring, modulo twice its size */
bool recv_slow[CHANNELS]; /* A receive needs both locks: a sender is parked, or a message was given back (9). */

/* SendSide: guarded by the senders' lock. */
bool send_locked[CHANNELS];
byte tail[CHANNELS];      /* how many messages have entered the ring */
bool send_slow[CHANNELS]; /* A send needs both locks: a receiver is parked, or the channel is closed (8). */

/* The ring. An empty cell (0) is the senders' side's, a full one the receivers' side's: each side sees there whether it can go on. */
byte cells[CHANNELS * PLACES];
#define next_out cells[ch * PLACES + head[ch] % PLACES]
#define next_in cells[ch * PLACES + tail[ch] % PLACES]
#define after(position) ((position + 1) % (2 * PLACES))

/* With both locks held the positions are exact. */
#define ring_len ((2 * PLACES + tail[ch] - head[ch]) % (2 * PLACES))
#define has_room (ring_len < CAPACITY)

/* ==== What has to hold: this part sees everything, and no part of the protocol sees it ==================================== */

/* The messages of the channel, those of parked sends among them, in the order in which their sends came: rank, message. */
chan order[CHANNELS] = [MESSAGES] of { byte, byte };
byte entries;
byte rank[MESSAGES + 1];

inline enters(message) { entries++; rank[message] = entries; order[ch] !! rank[message], message }
inline enters_again(message) { order[ch] !! rank[message], message }
inline is_withdrawn(message) { order[ch] ?? eval(rank[message]), eval(message) }

/* FIFO: a message that leaves is the oldest in the channel. */
inline leaves(message) {
  assert(order[ch] ? [eval(rank[message]), eval(message)]);
  order[ch] ? _, _
}

/* A message ends once: received, or back with its sender, or dropped with the channel. */
mtype = { Received, Returned, Dropped }
mtype fate[MESSAGES + 1];
inline ends(message, how) {
  assert(message != 0 && fate[message] == 0);
  fate[message] = how;
  rank[message] = 0
}

/* The invariants of src/chan/mod.rs, where both locks are free. A mutation must be found by what users see, so they are asserted in
 * the sound model alone. */
inline assert_invariants() {
  assert(!sound || len(recvq[ch]) == 0 || len(returned[ch]) + ring_len == 0);     /* 1 */
  assert(!sound || len(sendq[ch]) == 0 || closed[ch] || !has_room);               /* 2 */
  assert(!sound || len(sendq[ch]) == 0 || len(recvq[ch]) == 0);                   /* 3 */
  assert(!sound || ring_len <= CAPACITY);                                         /* 4 */
  assert(!sound || !closed[ch] || len(sendq[ch]) + len(recvq[ch]) == 0);          /* 5 */
  assert(!sound || send_slow[ch] || !closed[ch] && len(recvq[ch]) == 0);          /* 8 */
  assert(!sound || recv_slow[ch] || len(returned[ch]) + len(sendq[ch]) == 0)      /* 9 */
}

/* ==== Locks: src/chan/mod.rs ============================================================================================== */

inline lock_recv() { atomic { !recv_locked[ch] -> recv_locked[ch] = true } }

/* The state of a completed waiter comes last: from then on it is its owner's again, who may free it at once. */
inline unlock_recv() {
  if
  :: outcome != 0 -> waiter[w].state = outcome; outcome = 0
  :: outcome == 0
  fi;
  w = NONE;
  polled = waiter[me].state;
  recv_locked[ch] = false
}
inline lock_send() { atomic { !send_locked[ch] -> send_locked[ch] = true } }
inline unlock_send() { polled = waiter[me].state; send_locked[ch] = false }

/* Both locks: the receivers' first. */
inline lock_both() { lock_recv(); lock_send_beside() }
inline lock_send_beside() {
  if
  :: SINGLE_LOCK
  :: !SINGLE_LOCK -> lock_send()
  fi
}

/* A send that holds the senders' lock needs both. This is the wrong order, but a thread that does not wait blocks nobody. */
inline lock_both_after_send() {
  if
  :: atomic { !recv_locked[ch] -> recv_locked[ch] = true }
  :: recv_locked[ch] && with(TRY_LOCK) -> unlock_send(); lock_both()
  fi
}

/* Before both locks are free each side learns what concerns it. */
inline unlock_both() {
  send_slow[ch] = closed[ch] && with(CLOSE_SLOW) || len(recvq[ch]) > 0 && with(SEND_SLOW);
  recv_slow[ch] = len(returned[ch]) > 0 || len(sendq[ch]) > 0 && with(RECV_SLOW);
  assert_invariants();
  send_locked[ch] = false;
  unlock_recv()
}

/* ==== Transitions, with both locks held: src/chan/transition.rs; Go's chansend, chanrecv, closechan ======================== */

/* A peer claims the select if that is open, and marks it if that is awake: one atomic `or`. */
inline try_claim() {
  is_claimed = claim == OPEN || !with(CLAIM);
  if
  :: claim == OPEN -> claim = CLAIMED
  :: claim == AWAKE && with(MARK) -> claim = MARKED
  :: else
  fi
}

/* Unlinks the oldest waiter that can be completed. An arm that cannot be claimed is unlinked, too, and left to its owner. */
inline dequeue(queue) {
  do
  :: len(queue) == 0 -> w = NONE; break
  :: queue ? w ->
     if
     :: !is_arm(w) -> break
     :: is_arm(w) ->
        try_claim();
        if
        :: is_claimed -> break
        :: !is_claimed -> withdraw(w); waiter[w].state = Idle
        fi
     fi
  od
}
inline withdraw(who) {
  if
  :: waiter[who].slot != 0 -> is_withdrawn(waiter[who].slot)
  :: else
  fi
}

/* A message goes from slot to slot, and a receive gets the number of the message with it. */
inline relocate(from, to) { waiter[to].slot = waiter[from].slot; waiter[from].slot = 0 }
inline number(to) { waiter[to].seq = next_seq[ch]; next_seq[ch]++ }

/* Claimed::fill, drain, fail: the unlock below stores the state. */
inline complete(as) { outcome = as; wake = w }


/* A send: into the slot of the oldest parked receiver, else into the ring, else not now. */
inline send() {
  if
  :: closed[ch] -> waiter[me].state = Closed
  :: !closed[ch] ->
     dequeue(recvq[ch]);
     if
     :: w != NONE ->
        enters(waiter[me].slot); leaves(waiter[me].slot); relocate(me, w); number(w);
        complete(Done);
        waiter[me].state = Done;
        wake = (with(HANDOFF_WAKE) -> wake : NONE)
     :: w == NONE && has_room ->
        enters(waiter[me].slot); push(me);
        waiter[me].state = Done
     :: w == NONE && !has_room
     fi
  fi
}

/* The cell comes before the position: a thread with both locks counts only what is there. */
inline push(from) { next_in = waiter[from].slot; waiter[from].slot = 0; tail[ch] = after(tail[ch]) }

/* A receive: what was given back first, then the ring, then (capacity 0) the slot of the oldest parked send. */
inline recv() {
  if
  :: closed[ch] && !with(BUFFER_AFTER_CLOSE) -> waiter[me].state = Closed
  :: else ->
     if
     :: len(returned[ch]) > 0 ->
        returned[ch] ? waiter[me].seq, waiter[me].slot; leaves(waiter[me].slot);
        waiter[me].state = Done
     :: len(returned[ch]) == 0 && next_out != 0 ->
        take();
        waiter[me].state = Done;
        promote()
     :: len(returned[ch]) == 0 && next_out == 0 -> complete_send()
     fi
  fi
}

inline take() {
  leaves(next_out);
  waiter[me].slot = next_out;
  next_out = 0;
  head[ch] = after(head[ch]);
  number(me)
}

/* A message has left the ring. Its place goes to the message of the oldest parked sender, in this critical section: a sender that
 * comes later cannot get it. */
inline promote() {
  if
  :: with(PROMOTION) -> dequeue(sendq[ch])
  :: !with(PROMOTION)
  fi;
  if
  :: w != NONE ->
     push(w);
     complete(Done);
     wake = (with(PROMOTION_WAKE) -> wake : NONE)
  :: w == NONE
  fi
}

inline complete_send() {
  dequeue(sendq[ch]);
  if
  :: w != NONE ->
     leaves(waiter[w].slot); relocate(w, me); number(me);
     complete(Done);
     waiter[me].state = Done;
     wake = (with(PROMOTION_WAKE) -> wake : NONE)
  :: w == NONE && closed[ch] -> waiter[me].state = Closed
  :: w == NONE && !closed[ch] /* empty */
  fi
}

/* ==== Operations: src/chan/attempt.rs, src/op ============================================================================== */

/* A wake is the user's code, so it runs with no lock held. */
inline run_wake() {
  if
  :: wake != NONE -> d_step { woken[task(wake)] = true; wake = NONE }
  :: wake == NONE
  fi
}

/* The first poll of a send. First it tries; what it sees with one lock may be old, and what it saw before an unlock is. So before it
 * parks it decides again, with all locks that it needs. */
inline start_send(message) {
  atomic {
    waiter[me].slot = message;
    waiter[me].state = Idle;
    if
    :: SINGLE_LOCK -> lock_recv()
    :: !SINGLE_LOCK -> lock_send()
    fi
  };
  attempt_send();
  if
  :: polled == Idle -> send_or_park()
  :: else
  fi
}

/* While no receiver is parked the senders' lock is enough for a send into the ring: SendSide::try_push. */
inline attempt_send() {
  if
  :: SINGLE_LOCK -> section { send() cut unlock_both() }
  :: !SINGLE_LOCK && send_slow[ch] -> lock_both_after_send(); section { send() cut unlock_both() }
  :: !SINGLE_LOCK && !send_slow[ch] ->
     section {
       if
       :: CAPACITY > 0 && next_in == 0 ->
          enters(waiter[me].slot); push(me);
          waiter[me].state = Done
       :: else /* full, as far as this side can see */
       fi cut unlock_send()
     }
  fi
}

/* Behind parked senders a send parks with the receivers' lock alone: there is no room (2), and none can come meanwhile. */
inline send_or_park() {
  lock_recv();
  if
  :: len(sendq[ch]) > 0 && len(recvq[ch]) == 0 -> section { park(sendq[ch]) cut unlock_recv() }
  :: else ->
     lock_send_beside();
     section {
       if
       :: with(SECOND_LOOK_OF_SEND) -> send()
       :: !with(SECOND_LOOK_OF_SEND)
       fi;
       if
       :: waiter[me].state == Idle -> park(sendq[ch])
       :: else
       fi cut unlock_both()
     }
  fi
}

inline park(queue) {
  waiter[me].state = Parked;
  queue ! me;
  if
  :: waiter[me].slot != 0 -> enters(waiter[me].slot)
  :: else
  fi
}

/* The first poll of a receive, in the same way. */
inline start_recv() {
  atomic { waiter[me].state = Idle; lock_recv() };
  attempt_recv();
  if
  :: polled == Idle -> recv_or_park()
  :: else
  fi
}

/* While no sender is parked the receivers' lock is enough for a receive from the ring: RecvSide::take. */
inline attempt_recv() {
  if
  :: !SINGLE_LOCK && !recv_slow[ch] && next_out != 0 ->
     section { take(); waiter[me].state = Done cut unlock_recv() }
  :: !SINGLE_LOCK && !recv_slow[ch] && next_out == 0 && !closed[ch] ->
     unlock_recv() /* empty, as far as this side can see */
  :: else -> lock_send_beside(); section { recv() cut unlock_both() }
  fi
}

inline recv_or_park() {
  lock_both();
  section {
    if
    :: with(SECOND_LOOK_OF_RECV) -> recv()
    :: !with(SECOND_LOOK_OF_RECV)
    fi;
    if
    :: waiter[me].state == Idle -> park(recvq[ch])
    :: else
    fi cut unlock_both()
  }
}

/* The rest of an operation. If it is done, its task runs the wake that it owes. If it is parked, its task sleeps until a wake
 * comes; that may be one which was owed to an operation before, so the task looks at the state. */
inline await() {
  if
  :: polled != Parked -> run_wake()
  :: polled == Parked ->
     do
     :: woken[task(me)] ->
        woken[task(me)] = false;
        polled = waiter[me].state;
        if
        :: polled != Parked -> break
        :: polled == Parked
        fi
     od
  fi
}

/* The message of a receive is in the user's hands. */
inline is_received() {
  assert(waiter[me].state == Done);
  ends(waiter[me].slot, Received);
  waiter[me].slot = 0;
  waiter[me].seq = 0
}

/* ==== Giving up: OpRef::give_up, RecvSide::take_back ====================================================================== */

/* A peer may have completed the waiter before this task had the lock: the state is looked at again. */
inline unpark(queue) {
  if
  :: atomic { waiter[me].state == Parked -> lock_recv() };
     section {
       if
       :: waiter[me].state == Parked || !with(SECOND_LOOK_OF_UNPARK) ->
          if
          :: closed[ch] -> unlink(closing[ch])
          :: !closed[ch] -> unlink(queue); withdraw(me)
          fi;
          waiter[me].state = Idle
       :: else
       fi cut unlock_recv()
     }
  :: waiter[me].state != Parked -> polled = waiter[me].state
  fi
}
inline unlink(queue) { assert(queue ?? [eval(me)]); queue ?? eval(me) }

/* A parked send is dropped, unless a peer has taken its message: then it was sent. */
inline cancel_send() { unpark(sendq[ch]) }

/* A parked receive is dropped. If a peer has handed a message to it, the message goes back. */
inline cancel_and_return() {
  unpark(recvq[ch]);
  if
  :: polled == Done && with(GIVE_BACK) -> give_back()
  :: else
  fi
}

/* To the oldest parked receive, else to the front of the channel; with the number that it has, for those have an order. */
inline give_back() {
  lock_recv();
  section {
    if
    :: with(GIVE_BACK_TO_PARKED) -> dequeue(recvq[ch])
    :: !with(GIVE_BACK_TO_PARKED)
    fi;
    if
    :: w != NONE ->
       waiter[w].seq = waiter[me].seq; relocate(me, w);
       complete(Done);
       wake = (with(GIVE_BACK_WAKE) -> wake : NONE)
    :: w == NONE ->
       enters_again(waiter[me].slot);
       if
       :: with(GIVE_BACK_BY_NUMBER) -> returned[ch] !! waiter[me].seq, waiter[me].slot /* sorted */
       :: !with(GIVE_BACK_BY_NUMBER) -> returned[ch] ! waiter[me].seq, waiter[me].slot /* at the end */
       fi;
       waiter[me].slot = 0;
       recv_slow[ch] = with(GIVE_BACK_SLOW)
    fi cut unlock_recv()
  };
  run_wake()
}

/* ==== Close: src/chan/mod.rs ============================================================================================== */

/* All that are parked move to `closing` in one critical section, and are completed in batches, each with the lock and its wakes after
 * the lock. Here a batch is one waiter. */
inline close() {
  lock_both();
  section {
    if
    :: !closed[ch] ->
       closed[ch] = true;
       do
       :: with(CLOSE_OF_RECVQ) && len(recvq[ch]) > 0 -> recvq[ch] ? w; closing[ch] ! w
       :: with(CLOSE_OF_SENDQ) && len(sendq[ch]) > 0 -> sendq[ch] ? w; closing[ch] ! w; withdraw(w)
       :: else -> break
       od
    :: closed[ch]
    fi cut unlock_both()
  };
  complete_closing()
}

inline complete_closing() {
  do
  :: lock_recv();
     section {
       dequeue(closing[ch]);
       if
       :: w != NONE -> complete(Closed)
       :: w == NONE
       fi cut unlock_recv()
     };
     if
     :: wake == NONE -> break
     :: wake != NONE ->
        wake = (with(CLOSE_WAKE) -> wake : NONE);
        run_wake()
     fi
  od
}

/* The last receiver is gone and has closed the channel: what is left in it drops, a message at a time, after the lock. */
inline clear() {
  do
  :: with(CLEAR) ->
     waiter[me].state = Idle;
     lock_both();
     section { recv() cut unlock_both() };
     if
     :: polled == Done -> d_step { ends(waiter[me].slot, Dropped); waiter[me].slot = 0 }
     :: polled != Done -> break
     fi
  :: !with(CLEAR) -> break
  od
}

#define LOCALS byte w = NONE; byte wake = NONE; mtype outcome; mtype polled; bool is_claimed
