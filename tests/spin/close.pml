/* A channel is closed while others use it, by a call or by its last handle. */

#define CHANNELS 1
#define ch 0
#define MESSAGES 2
#define WAITERS 4
#include "chan.pml"

byte senders = 2;
byte receivers = 2;

/* Sends until that fails, and drops its handle: Chan::drop_sender. A message that was not sent comes back with the error. */
proctype Sender(byte me; byte message; byte last) {
  LOCALS;
  bool is_last;
  do
  :: message <= last ->
     start_send(message);
     atomic {
       await();
       if
       :: polled == Closed -> ends(waiter[me].slot, Returned); waiter[me].slot = 0
       :: polled == Done
       fi;
       message++
     }
  :: else -> break
  od;
  atomic { senders--; is_last = senders == 0 };
  if
  :: is_last && with(CLOSE_BY_LAST) -> close()
  :: else
  fi
}

/* Receives until the channel is closed and empty, or has had enough, and drops its handle: Chan::drop_receiver. */
proctype Receiver(byte me) {
  LOCALS;
  bool is_last;
  do
  :: true ->
     start_recv();
     atomic {
       await();
       if
       :: polled == Done -> is_received()
       :: polled == Closed -> break
       fi
     }
  :: true -> close(); break
  :: true -> break
  od;
  atomic { receivers--; is_last = receivers == 0 };
  if
  :: is_last && with(CLOSE_BY_LAST) -> close(); clear()
  :: else
  fi
}

init {
  atomic { run Sender(0, 1, 1); run Sender(1, 2, 2); run Receiver(2); run Receiver(3) };
  _nr_pr == 1;
  d_step { assert(fate[1] != 0 && fate[2] != 0) }
}
