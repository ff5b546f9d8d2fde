//! A program without the standard library: it has a panic handler of its own, and if the standard library comes along with
//! a dependency, that has one too many. ("Found duplicate lang item `panic_impl`.")

#![no_std]

extern crate alloc;

use alloc::{boxed::Box, vec::Vec};
use core::{
    alloc::{GlobalAlloc, Layout},
    pin::{Pin, pin},
    ptr::null_mut,
    task::{Context, Poll, Waker},
};

use futures_sink::Sink;
use hchan::{Receiver, Select, Sender};

struct NoMemory;

// SAFETY: it never gives any memory.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: NoMemory = NoMemory;

#[panic_handler]
fn end(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Something of everything, so that all of it is compiled.
#[unsafe(no_mangle)]
pub extern "C" fn use_hchan() -> bool {
    let (tx, rx) = hchan::bounded(1);
    let (unbounded_tx, unbounded_rx) = hchan::unbounded();
    hchan::seed_select(1);
    let polled = poll(pin!(use_channels(&tx, &rx, &unbounded_tx, &unbounded_rx)));
    let batch = poll(pin!(use_batches(&tx, &rx)));
    tx.close();
    polled.is_ready() && batch.is_ready() && rx.try_iter().count() == 0
}

async fn use_channels(
    tx: &Sender<u8>,
    rx: &Receiver<u8>,
    boxes: &Sender<Box<u8>>,
    boxed: &Receiver<Box<u8>>,
) -> Option<()> {
    tx.send(1).await.ok()?;
    let mut slot = rx.recv().await.ok();
    tx.send_from(&mut slot).await.ok()?;
    boxes.force_send(Box::new(2)).ok()?;
    hchan::select! {
        recv(rx) -> n => n.ok()?,
        recv(boxed) -> n => *n.ok()?,
        future(core::future::pending()) -> n => n,
        default => 0,
    };
    let mut receive = pin!(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    select.until(core::future::ready(())).await;
    Some(())
}

async fn use_batches(tx: &Sender<u8>, rx: &Receiver<u8>) -> Option<()> {
    let mut received = Vec::new();
    tx.try_send_many([1, 2]).err()?.into_inner().rest.next();
    rx.recv_many(&mut received, 2).await.ok()?;
    tx.send_many([3]).await.ok()?;
    rx.drain().next();
    tx.reserve().await.ok()?.send(4).ok()?;
    rx.clone().into_recv().await.1.ok()?;
    let mut sink = pin!(tx.sink());
    core::future::poll_fn(|cx| sink.as_mut().poll_ready(cx))
        .await
        .ok()?;
    sink.as_mut().start_send(5).ok()?;
    tx.closed().until(rx.drained().until(async {})).await;
    Some(())
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
