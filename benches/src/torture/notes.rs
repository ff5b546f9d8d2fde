//! Why the crates do what is found here: what they say themselves, or what their source shows at these versions.

/// A crate, the trials it is about, and the note.
type Note = (&'static str, &'static [&'static str], &'static str);

const NOTES: &[Note] = &[
    (
        "kanal",
        &["storm", "storm-tasks", "recv-cancelled"],
        "Documented: a receive that was polled must be polled to its end, and does not go with `tokio::select!` \
         ([`AsyncReceiver::recv`](https://docs.rs/kanal/0.1.1/kanal/struct.AsyncReceiver.html#method.recv), \
         [kanal#24](https://github.com/fereidani/kanal/issues/24), \
         [kanal#65](https://github.com/fereidani/kanal/issues/65)).",
    ),
    (
        "kanal",
        &["close", "close-tasks"],
        "Documented: `close` closes both sides completely \
         ([`Sender::close`](https://docs.rs/kanal/0.1.1/kanal/struct.Sender.html#method.close)). What is buffered drops then.",
    ),
    (
        "thingbuf",
        &["storm", "storm-tasks", "send-cancelled"],
        "A send that was woken for a free place and is then dropped wakes nobody else (the drop of `SendRefFuture`), so the \
         next send sleeps beside the place.",
    ),
    (
        "async-channel",
        &["waker-reenters", "waker-drop-reenters"],
        "event-listener, on which it builds, wakes and drops wakers under the lock of its list.",
    ),
    (
        "flume",
        &["waker-reenters", "waker-drop-reenters"],
        "It wakes and drops wakers under its locks.",
    ),
    (
        "kanal",
        &["waker-reenters"],
        "It wakes sends of a channel with a buffer, and everybody at the end, under its lock. (Receives it wakes without.)",
    ),
    (
        "kanal",
        &["waker-drop-reenters"],
        "The old waker is dropped in its place, while a send can find it there: that one clones and drops it once more.",
    ),
    (
        "loole",
        &["waker-drop-reenters"],
        "It drops the old waker under its lock. (It wakes without.)",
    ),
    (
        "tachyonix",
        &["waker-reenters"],
        "async-event, on which its sends build, wakes under the lock of its list.",
    ),
    ("async-channel", &["waker-panics"], UNWOKEN),
    ("crossfire", &["waker-panics"], UNWOKEN),
    ("kanal", &["waker-panics"], UNWOKEN),
    ("loole", &["waker-panics"], UNWOKEN),
    ("thingbuf", &["waker-panics"], UNWOKEN),
    ("tokio", &["waker-panics"], UNWOKEN),
    ("flume", &["waker-panics"], POISONED),
    ("tachyonix", &["waker-panics"], POISONED),
    ("async-channel", &["drop-panics"], LEAKED),
    ("crossbeam-channel", &["drop-panics"], LEAKED),
    ("crossfire", &["drop-panics"], LEAKED),
    ("std", &["drop-panics"], LEAKED),
    ("tachyonix", &["drop-panics"], LEAKED),
    ("thingbuf", &["drop-panics"], LEAKED),
];

const UNWOKEN: &str = "The panic leaves the loop that wakes the others. A message that a receive had taken from the channel when the \
                       send's waker panicked drops with that receive.";

const POISONED: &str = "It wakes under a lock of the standard library, which the panic poisons. Futures and handles that are dropped \
                        later panic, too; the second panic at a time ends the process.";

const LEAKED: &str =
    "The panic leaves the loop that drops the messages; those behind it are leaked, which is safe.";

/// What there is to say of this crate in this trial.
pub(crate) fn of(peer: &str, trial: &str) -> Option<&'static str> {
    let mut notes = NOTES.iter();
    notes
        .find(|(name, trials, _)| *name == peer && trials.contains(&trial))
        .map(|(.., note)| *note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::{TRIALS, peers};

    #[test]
    fn each_note_is_about_a_crate_and_trials_that_there_are() {
        for (name, trials, _) in NOTES {
            assert!(peers::named(name).is_some(), "{name}");
            for trial in *trials {
                assert!(TRIALS.iter().any(|known| known.name == *trial), "{trial}");
            }
        }
    }

    #[test]
    fn each_crate_has_one_note_a_trial_at_most() {
        for peer in &peers::ALL {
            for trial in &TRIALS {
                let about =
                    |(name, trials, _): &&Note| *name == peer.name && trials.contains(&trial.name);
                let notes = NOTES.iter().filter(about).count();
                assert!(notes <= 1, "{} {}", peer.name, trial.name);
            }
        }
    }
}
