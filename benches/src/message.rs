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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_knows_its_number() {
        assert_eq!(u64::numbered(7).number(), Some(7));
    }
}
