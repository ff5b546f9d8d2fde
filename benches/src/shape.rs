//! How many have which ends of one channel.

use std::fmt;
use std::iter::repeat_n;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    /// `None` is unbounded.
    pub(crate) capacity: Option<usize>,
}

impl Shape {
    pub(crate) fn participants(self) -> usize {
        self.senders + self.receivers
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}/", self.senders, self.receivers)?;
        match self.capacity {
            Some(capacity) => write!(f, "{capacity}"),
            None => f.write_str("unbounded"),
        }
    }
}

/// The ends of one channel: as many as there are participants, and no spare one, so that the
/// channel closes when the last sender is through.
#[derive(Debug)]
pub(crate) struct Ends<Tx, Rx> {
    pub(crate) senders: Vec<Tx>,
    pub(crate) receivers: Vec<Rx>,
}

impl<Tx, Rx> Ends<Tx, Rx> {
    /// The ends of a channel that has two.
    pub(crate) fn sole(mut self) -> (Tx, Rx) {
        let ends = self.senders.pop().zip(self.receivers.pop());
        ends.expect("both ends")
    }

    pub(crate) fn one_to_one((tx, rx): (Tx, Rx)) -> Self {
        Ends {
            senders: vec![tx],
            receivers: vec![rx],
        }
    }

    pub(crate) fn many_to_one((tx, rx): (Tx, Rx), shape: Shape) -> Self
    where
        Tx: Clone,
    {
        Ends {
            senders: repeat_n(tx, shape.senders).collect(),
            receivers: vec![rx],
        }
    }

    pub(crate) fn many_to_many((tx, rx): (Tx, Rx), shape: Shape) -> Self
    where
        Tx: Clone,
        Rx: Clone,
    {
        Ends {
            senders: repeat_n(tx, shape.senders).collect(),
            receivers: repeat_n(rx, shape.receivers).collect(),
        }
    }
}
