//! Another process that wants a processor.

use std::hint::spin_loop;
use std::io::{self, Read};
use std::process::{Child, Stdio};
use std::thread;

use anyhow::Result;

use crate::child;

/// Burns until it is dropped.
#[derive(Debug)]
pub(crate) struct Neighbour(Child);

impl Neighbour {
    pub(crate) fn moves_in() -> Result<Neighbour> {
        let mut command = child::this(&["child-neighbour"])?;
        Ok(Neighbour(command.stdin(Stdio::piped()).spawn()?))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // There is nobody to tell.
        let _ = self.0.wait();
    }
}

/// In the child: burns until whoever began it drops it, or dies.
pub(crate) fn burn() -> Result<()> {
    thread::spawn(|| {
        loop {
            spin_loop();
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
