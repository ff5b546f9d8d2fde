//! How long operations waited.

#![forbid(unsafe_code)]

use alloc::boxed::Box;

use super::on::Site;
use crate::waiter::Kind;

/// So many buckets, two to a power of two: from less than 256 ns to more than 9 minutes.
pub(crate) const BUCKETS: usize = 64;
const FIRST_POWER: u32 = 8;

/// How often something took how long: a bucket's bounds are a factor of 1.33 or 1.5 apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Histogram {
    pub(crate) buckets: [u32; BUCKETS],
    pub(crate) count: u64,
    /// In nanoseconds, as all times here.
    pub(crate) total: u64,
    pub(crate) longest: u64,
}

impl Histogram {
    pub(crate) const EMPTY: Self = Self {
        buckets: [0; BUCKETS],
        count: 0,
        total: 0,
        longest: 0,
    };

    pub(crate) fn add(&mut self, nanos: u64) {
        let bucket = &mut self.buckets[bucket_of(nanos)];
        *bucket = bucket.saturating_add(1);
        self.count += 1;
        self.total = self.total.saturating_add(nanos);
        self.longest = self.longest.max(nanos);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket = bucket.saturating_add(more);
        }
        self.count += other.count;
        self.total = self.total.saturating_add(other.total);
        self.longest = self.longest.max(other.longest);
    }
}

fn bucket_of(nanos: u64) -> usize {
    let power = nanos.checked_ilog2().unwrap_or(0);
    if power < FIRST_POWER {
        return 0;
    }
    let half = (nanos >> (power - 1)) & 1;
    let bucket = 1 + 2 * (power - FIRST_POWER) as usize + half as usize;
    bucket.min(BUCKETS - 1)
}

/// The first time that is too long for the bucket; the last bucket has none.
pub(crate) fn end_of(bucket: usize) -> Option<u64> {
    match bucket {
        0 => Some(1 << FIRST_POWER),
        _ if bucket + 1 >= BUCKETS => None,
        _ => {
            let power = FIRST_POWER + ((bucket - 1) / 2) as u32;
            Some(match bucket % 2 {
                1 => 3 << (power - 1),
                _ => 2 << power,
            })
        }
    }
}

/// What a channel keeps of the waits that are over; made for the first of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Sends and requests for permits.
    pub(crate) send: Histogram,
    pub(crate) recv: Histogram,
}

const _: () = assert!(size_of::<Times>() <= 1024);

impl Times {
    pub(crate) const EMPTY: Self = Self {
        send: Histogram::EMPTY,
        recv: Histogram::EMPTY,
    };

    pub(crate) fn new() -> Box<Self> {
        Box::new(Self::EMPTY)
    }

    /// A wait for the close is no wait for a message or a place, and is not among them.
    pub(crate) fn add(&mut self, kind: Kind, nanos: u64) {
        match kind {
            Kind::Send | Kind::Reserve => self.send.add(nanos),
            Kind::Recv => self.recv.add(nanos),
            Kind::Closed | Kind::Drained => {}
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.send.merge(&other.send);
        self.recv.merge(&other.recv);
    }
}

/// So many kinds of operations there are: rows that stand for call sites for which there is no row.
pub(crate) const KINDS: usize = 5;

/// The waits of one operation at one call site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// `None`: the call sites for which there was no row.
    pub(crate) site: Option<Site>,
    pub(crate) kind: Kind,
    pub(crate) count: u64,
    pub(crate) total: u64,
    pub(crate) longest: u64,
}

impl Row {
    pub(crate) fn new(site: Option<Site>, kind: Kind) -> Self {
        Self {
            site,
            kind,
            count: 0,
            total: 0,
            longest: 0,
        }
    }

    pub(crate) fn is_of(&self, site: Option<Site>, kind: Kind) -> bool {
        self.kind == kind && self.site == site
    }

    pub(crate) fn add(&mut self, nanos: u64) {
        self.merge(&Self {
            count: 1,
            total: nanos,
            longest: nanos,
            ..*self
        });
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.total = self.total.saturating_add(other.total);
        self.longest = self.longest.max(other.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_holds_the_times_before_its_end() {
        for bucket in 0..BUCKETS - 1 {
            let end = end_of(bucket).unwrap();
            assert_eq!([end - 1, end].map(bucket_of), [bucket, bucket + 1]);
        }
        assert_eq!(end_of(BUCKETS - 1), None);
        assert_eq!([0, u64::MAX].map(bucket_of), [0, BUCKETS - 1]);
    }
}
