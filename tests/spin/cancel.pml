/* Operations that give up while they are parked: what was handed over goes back. */

#define CHANNELS 1
#define ch 0
#define MESSAGES 2
#define WAITERS 4
#include "chan.pml"

/* Sends each message; may give up a parked send, once, and then sends that message anew: `send_from`. */
proctype Sender(byte me; byte message; byte last; bool may_cancel) {
  LOCALS;
  do
  :: message <= last ->
     start_send(message);
     if
     :: polled == Parked && may_cancel ->
        may_cancel = false;
        cancel_send();
        if
        :: polled == Done -> message++
        :: polled == Idle
        fi
     :: atomic { skip; await(); assert(polled == Done); message++ }
     fi
  :: else -> break
  od
}

/* Receives some messages; may drop a parked receive, once, and then receives anew. */
proctype Receiver(byte me; byte count; bool may_cancel) {
  LOCALS;
  do
  :: count > 0 ->
     start_recv();
     if
     :: polled == Parked && may_cancel -> may_cancel = false; cancel_and_return()
     :: atomic { skip; await(); is_received(); count-- }
     fi
  :: else -> break
  od
}

init {
  atomic { run Sender(0, 1, 1, true); run Sender(1, 2, 2, false); run Receiver(2, 1, true); run Receiver(3, 1, true) };
  _nr_pr == 1;
  d_step { assert(fate[1] == Received && fate[2] == Received) }
}
