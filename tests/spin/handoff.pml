/* Two senders and two receivers share a channel: handoff, the ring, promotion. */

#define CHANNELS 1
#define ch 0
#define MESSAGES 3
#define WAITERS 4
#include "chan.pml"

proctype Sender(byte me; byte message; byte last) {
  LOCALS;
  do
  :: message <= last ->
     start_send(message);
     atomic { await(); assert(polled == Done); message++ }
  :: else -> break
  od
}

proctype Receiver(byte me; byte count) {
  LOCALS;
  do
  :: count > 0 ->
     start_recv();
     atomic { await(); is_received(); count-- }
  :: else -> break
  od
}

init {
  atomic { run Sender(0, 1, 2); run Sender(1, 3, 3); run Receiver(2, 2); run Receiver(3, 1) };
  _nr_pr == 1;
  d_step { assert(fate[1] == Received && fate[2] == Received && fate[3] == Received) }
}
