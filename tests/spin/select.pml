/* One select, as src/select/state.rs has it. Step 1, which tries the arms one by one, does nothing that step 2 does not do again. */

#define CHANNELS 2
#define MESSAGES 3
#define WAITERS 5
#ifndef SEND_ARM /* 1: the second arm is a send */
#define SEND_ARM 0
#endif

/* Waiters 0 and 1 are the arms of the select: of channel 0 and of channel 1. */
bool selecting;
#define is_arm(of_select) (of_select < 2 && selecting)
#define task(of_task) (of_task == 1 -> 0 : of_task)
#define cut }; d_step {
#include "chan.pml"

/* ErasedSelect::park and park_all: the arm parks unless it can be done by now. */
inline attempt_or_park(arm) {
  me = arm; ch = arm;
  if
  :: me == 1 && SEND_ARM -> send_or_park()
  :: else -> recv_or_park()
  fi
}

inline choose() {
  if
  :: waiter[0].state == Done -> chosen = 0
  :: waiter[1].state == Done -> chosen = 1
  :: else
  fi
}

inline attempt_locked() {
  if
  :: chosen == NONE && waiter[me].state == Idle && with(SECOND_TRY) ->
     if
     :: me == 1 && SEND_ARM -> send()
     :: else -> recv()
     fi;
     if
     :: waiter[me].state == Done -> chosen = me
     :: else
     fi
  :: else
  fi
}
inline park_locked() {
  if
  :: waiter[me].state == Idle ->
     if
     :: me == 1 && SEND_ARM -> park(sendq[ch])
     :: else -> park(recvq[ch])
     fi
  :: else
  fi
}

/* All channels are locked, in their order; every idle arm is tried; all park; and the claim opens before the unlock. */
inline park_all() {
  ch = 0; lock_both(); ch = 1; lock_both();
  section {
    me = 0; ch = 0; attempt_locked();
    me = 1; ch = 1; attempt_locked();
    if
    :: chosen == NONE ->
       me = 0; ch = 0; park_locked(); me = 1; ch = 1; park_locked();
       claim = OPEN
    :: else
    fi;
    ch = 0; unlock_both(); ch = 1; unlock_both()
  }
}
/* Chan::leave_select: where a peer is at the arm, this waits for the lock that the peer holds. */
inline leave_select(arm) {
  me = arm; ch = arm;
  if
  :: me == 1 && SEND_ARM -> unpark(sendq[ch])
  :: else -> unpark(recvq[ch])
  fi
}

/* The claim opens unless a peer has passed by: then there may be something to do that nobody will wake the select for. */
inline reopen() {
  if
  :: atomic { claim == AWAKE || !with(LOOK_AT_MARK) -> claim = OPEN }
  :: claim == MARKED && with(LOOK_AT_MARK) -> park_all()
  fi
}

inline finish() {
  if
  :: me == 1 && SEND_ARM
  :: else -> d_step { is_received() }
  fi
}

proctype Selector() {
  LOCALS;
  byte me, ch, tries;
  byte chosen = NONE;
  bool recalled;

  selecting = true;
  waiter[0].state = Idle;
  waiter[1].state = Idle;
  if
  :: SEND_ARM -> waiter[1].slot = 3
  :: else
  fi;

  /* Step 2: each arm in its turn, in any order, is tried, and parks. Nobody can claim the select yet. */
  if
  :: me = 0
  :: me = 1
  fi;
  do
  :: tries < 2 && chosen == NONE ->
     attempt_or_park(me);
     if
     :: polled == Done -> chosen = me
     :: else
     fi;
     me = 1 - me;
     tries++
  :: else -> break
  od;
  if
  :: chosen == NONE -> reopen()
  :: else
  fi;

  /* Step 3: sleep; take the claim back; if it has been claimed, one arm is completed. */
  do
  :: chosen != NONE -> break
  :: chosen == NONE ->
     atomic { woken[0] -> woken[0] = false };
     d_step {
       recalled = claim != CLAIMED;
       if
       :: claim == OPEN -> claim = AWAKE
       :: else
       fi
     };
     if
     :: recalled -> reopen()
     :: !recalled ->
        if
        :: with(WAIT_FOR_PEER) -> leave_select(0); leave_select(1)
        :: else
        fi;
        choose();
        assert(chosen != NONE)
     fi
  od;

  /* The arms that lost are unlinked. Exactly one has happened. */
  if
  :: with(UNLINK_OF_LOSERS) -> leave_select(0); leave_select(1)
  :: else
  fi;
  run_wake();
  assert((waiter[0].state == Done) + (waiter[1].state == Done) == 1);
  selecting = false;
  claim = AWAKE;

  /* What the other arm would have done is done now, so that every peer is served. */
  me = chosen; ch = chosen;
  finish();
  me = 1 - me; ch = me;
  if
  :: me == 1 && SEND_ARM -> start_send(3)
  :: else -> start_recv()
  fi;
  await();
  finish()
}
proctype Sender(byte me; byte ch; byte message; byte last) {
  LOCALS;
  do
  :: message <= last ->
     start_send(message);
     atomic { await(); assert(polled == Done); message++ }
  :: else -> break
  od
}

proctype Receiver(byte me; byte ch) {
  LOCALS;
  start_recv();
  atomic { await(); is_received() }
}

/* Another future of the select's task wakes it, once. */
proctype Bell() { woken[0] = true }

init {
  atomic {
    run Selector();
    run Sender(2, 0, 1, 2);
    if
    :: SEND_ARM -> run Receiver(3, 1)
    :: else -> run Sender(3, 1, 3, 3)
    fi;
    run Receiver(4, 0);
    run Bell()
  };
  _nr_pr == 1;
  d_step { assert(fate[1] == Received && fate[2] == Received && fate[3] == Received) }
}
