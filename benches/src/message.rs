//! What is sent.

/// What any crate can send, the most demanding included: thingbuf keeps defaults in its places.
pub(crate) trait Payload: Clone + Default + Send + Sync + Unpin + 'static {}

impl<T: Clone + Default + Send + Sync + Unpin + 'static> Payload for T {}

/// A message that carries its number.
pub(crate) trait Message: Payload {
    fn numbered(number: u64) -> Self;

    /// `None`: it has come to harm on the way.
    fn number(&self) -> Option<u64>;
}

impl Message for u64 {
    #[inline]
    fn numbered(number: u64) -> Self {
        number
    }

    #[inline]
    fn number(&self) -> Option<u64> {
        Some(*self)
    }
}

/// A larger message, its number in every word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<const N: usize>([u64; N]);

impl<const N: usize> Default for Words<N> {
    fn default() -> Self {
        Words([0; N])
    }
}

impl<const N: usize> Message for Words<N> {
    #[inline]
    fn numbered(number: u64) -> Self {
        Words([number; N])
    }

    /// A look at both ends: a copy that stopped half way is noticed, and reading costs next to nothing.
    #[inline]
    fn number(&self) -> Option<u64> {
        (self.0[0] == self.0[N - 1]).then_some(self.0[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_knows_its_number() {
        assert_eq!(u64::numbered(7).number(), Some(7));
        assert_eq!(Words::<512>::numbered(7).number(), Some(7));
    }

    #[test]
    fn half_a_message_has_none() {
        let mut torn = Words::<32>::numbered(7);
        torn.0[31] = 6;
        assert_eq!(torn.number(), None);
    }
}
