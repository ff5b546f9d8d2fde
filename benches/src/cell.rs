//! The situations that are measured.

use std::fmt;

use crate::shape::Shape;

/// What runs the senders and the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A thread each, with the blocking operations.
    Threads,
    /// A task each, on tokio with this many workers.
    Tokio { workers: usize },
}

/// One situation: where, how many, and over which capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) place: Place,
    pub(crate) shape: Shape,
}

pub(crate) const PLACES: [Place; 3] = [
    Place::Threads,
    Place::Tokio { workers: 2 },
    Place::Tokio { workers: 1 },
];
const SHAPES: [(usize, usize); 3] = [(1, 1), (4, 1), (4, 4)];
const CAPACITIES: [Option<usize>; 5] = [Some(0), Some(1), Some(64), Some(1024), None];

impl Cell {
    pub(crate) fn all() -> Vec<Cell> {
        let mut cells = Vec::new();
        for place in PLACES {
            for (senders, receivers) in SHAPES {
                for capacity in CAPACITIES {
                    let shape = Shape {
                        senders,
                        receivers,
                        capacity,
                    };
                    cells.push(Cell { place, shape });
                }
            }
        }
        cells
    }

    pub(crate) fn named(name: &str) -> Option<Cell> {
        Cell::all()
            .into_iter()
            .find(|cell| cell.to_string() == name)
    }
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
        write!(f, "{}/{}", self.place, self.shape)
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
}
