//! The situations that are measured.

use std::fmt;

use crate::shape::Shape;

/// What runs the senders and the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A thread each, with the blocking operations.
    Threads,
    /// A task each, on tokio with this many workers; or a goroutine each, with as many processors.
    Tokio { workers: usize },
}

/// One situation: where, how many, over which capacity, and how large a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) shape: Shape,
    /// In bytes.
    pub(crate) size: usize,
}

pub(crate) const TOKIO_1: Place = Place::Tokio { workers: 1 };
pub(crate) const TOKIO_2: Place = Place::Tokio { workers: 2 };
pub(crate) const PLACES: [Place; 3] = [Place::Threads, TOKIO_2, TOKIO_1];

const SHAPES: [(usize, usize); 3] = [(1, 1), (4, 1), (4, 4)];
/// Nobody has a thousand threads for this.
const SHAPES_OF_TASKS: [(usize, usize); 2] = [(1000, 1), (1, 1000)];
const CAPACITIES: [Option<usize>; 5] = [Some(0), Some(1), Some(64), Some(1024), None];

pub(crate) const SIZES: [usize; 3] = [SMALL, 256, 4096];
const SMALL: usize = 8;

impl Cell {
    /// Every cell there is, the larger messages of each behind the smallest.
    pub(crate) fn all() -> Vec<Cell> {
        let mut cells = Vec::new();
        for place in PLACES {
            for &(senders, receivers) in shapes(place) {
                for capacity in CAPACITIES {
                    let shape = Shape {
                        senders,
                        receivers,
                        capacity,
                    };
                    cells.extend(SIZES.map(|size| Cell { place, shape, size }));
                }
            }
        }
        cells
    }

    /// Larger messages change little that the capacity changes, too: a few cells with them will do.
    pub(crate) fn is_for_every_day(&self) -> bool {
        let Shape {
            senders,
            receivers,
            capacity,
        } = self.shape;
        let is_sized = [(1, 1), (4, 4)].contains(&(senders, receivers)) && capacity == Some(64);
        self.is_small() || is_sized
    }

    pub(crate) fn is_small(&self) -> bool {
        self.size == SMALL
    }

    pub(crate) fn named(name: &str) -> Option<Cell> {
        Cell::all()
            .into_iter()
            .find(|cell| cell.to_string() == name)
    }
}

fn shapes(place: Place) -> impl Iterator<Item = &'static (usize, usize)> {
    let more: &[_] = match place {
        Place::Threads => &[],
        Place::Tokio { .. } => &SHAPES_OF_TASKS,
    };
    SHAPES.iter().chain(more)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Threads => f.write_str("threads"),
            Place::Tokio { workers } => write!(f, "tokio{workers}"),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.shape)?;
        match self.size {
            SMALL => Ok(()),
            size => write!(f, "/{size}B"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_found_by_its_name() {
        for cell in Cell::all() {
            assert_eq!(Cell::named(&cell.to_string()), Some(cell));
        }
    }

    #[test]
    fn only_larger_messages_have_their_size_in_the_name() {
        let names: Vec<_> = Cell::all().iter().map(Cell::to_string).collect();
        for name in [
            "tokio1/1-1/64",
            "tokio2/1-1000/unbounded",
            "threads/4-4/64/256B",
        ] {
            assert!(names.iter().any(|cell| cell == name), "{name}");
        }
    }
}
