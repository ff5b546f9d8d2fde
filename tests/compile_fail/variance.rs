//! A handle, or what is made of it, for messages of one lifetime is none for messages of another: it takes messages, and gives them.

#![forbid(unsafe_code)]

use std::{future::Pending, vec::IntoIter};

use hchan::{
    ClosedFuture, Drain, IntoRecv, IntoSend, IterBlocking, OwnedPermit, Permit, Receiver, RecvAny, RecvFuture,
    RecvManyFuture, RecvStream, ReserveFuture, SendFromFuture, SendFuture, SendManyFuture, SendSink, Sender, TryIter,
    Until, WeakReceiver, WeakSender,
};

// Of shorter ones it would take messages that do not live long enough.
fn sender_of_shorter<'l>(x: Sender<&'static u8>) -> Sender<&'l u8> { x } //~ lifetime may not live long enough
fn receiver_of_shorter<'l>(x: Receiver<&'static u8>) -> Receiver<&'l u8> { x } //~ lifetime may not live long enough
fn weak_sender_of_shorter<'l>(x: WeakSender<&'static u8>) -> WeakSender<&'l u8> { x } //~ lifetime may not live long enough
fn weak_receiver_of_shorter<'l>(x: WeakReceiver<&'static u8>) -> WeakReceiver<&'l u8> { x } //~ lifetime may not live long enough
fn owned_permit_of_shorter<'l>(x: OwnedPermit<&'static u8>) -> OwnedPermit<&'l u8> { x } //~ lifetime may not live long enough
fn into_send_of_shorter<'l>(x: IntoSend<&'static u8>) -> IntoSend<&'l u8> { x } //~ lifetime may not live long enough
fn into_recv_of_shorter<'l>(x: IntoRecv<&'static u8>) -> IntoRecv<&'l u8> { x } //~ lifetime may not live long enough
fn permit_of_shorter<'b, 'l>(x: Permit<'b, &'static u8>) -> Permit<'b, &'l u8> { x } //~ lifetime may not live long enough
fn recv_stream_of_shorter<'b, 'l>(x: RecvStream<'b, &'static u8>) -> RecvStream<'b, &'l u8> { x } //~ lifetime may not live long enough
fn send_sink_of_shorter<'b, 'l>(x: SendSink<'b, &'static u8>) -> SendSink<'b, &'l u8> { x } //~ lifetime may not live long enough
fn send_future_of_shorter<'b, 'l>(x: SendFuture<'b, &'static u8>) -> SendFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn recv_future_of_shorter<'b, 'l>(x: RecvFuture<'b, &'static u8>) -> RecvFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn send_from_future_of_shorter<'b, 'l>(x: SendFromFuture<'b, &'static u8>) -> SendFromFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn recv_many_future_of_shorter<'b, 'l>(x: RecvManyFuture<'b, &'static u8>) -> RecvManyFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn reserve_future_of_shorter<'b, 'l>(x: ReserveFuture<'b, &'static u8>) -> ReserveFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn closed_future_of_shorter<'b, 'l>(x: ClosedFuture<'b, &'static u8>) -> ClosedFuture<'b, &'l u8> { x } //~ lifetime may not live long enough
fn recv_any_of_shorter<'b, 'l>(x: RecvAny<'b, &'static u8>) -> RecvAny<'b, &'l u8> { x } //~ lifetime may not live long enough
fn try_iter_of_shorter<'b, 'l>(x: TryIter<'b, &'static u8>) -> TryIter<'b, &'l u8> { x } //~ lifetime may not live long enough
fn iter_blocking_of_shorter<'b, 'l>(x: IterBlocking<'b, &'static u8>) -> IterBlocking<'b, &'l u8> { x } //~ lifetime may not live long enough
fn send_many_future_of_shorter<'b, 'l>(x: SendManyFuture<'b, IntoIter<&'static u8>>) -> SendManyFuture<'b, IntoIter<&'l u8>> { x } //~ lifetime may not live long enough
fn until_of_shorter<'b, 'l>(x: Until<RecvFuture<'b, &'static u8>, Pending<()>>) -> Until<RecvFuture<'b, &'l u8>, Pending<()>> { x } //~ lifetime may not live long enough

// Of longer ones it would give messages that do not live long enough.
fn sender_of_longer<'l>(x: Sender<&'l u8>) -> Sender<&'static u8> { x } //~ lifetime may not live long enough
fn receiver_of_longer<'l>(x: Receiver<&'l u8>) -> Receiver<&'static u8> { x } //~ lifetime may not live long enough
fn weak_sender_of_longer<'l>(x: WeakSender<&'l u8>) -> WeakSender<&'static u8> { x } //~ lifetime may not live long enough
fn weak_receiver_of_longer<'l>(x: WeakReceiver<&'l u8>) -> WeakReceiver<&'static u8> { x } //~ lifetime may not live long enough
fn owned_permit_of_longer<'l>(x: OwnedPermit<&'l u8>) -> OwnedPermit<&'static u8> { x } //~ lifetime may not live long enough
fn into_send_of_longer<'l>(x: IntoSend<&'l u8>) -> IntoSend<&'static u8> { x } //~ lifetime may not live long enough
fn into_recv_of_longer<'l>(x: IntoRecv<&'l u8>) -> IntoRecv<&'static u8> { x } //~ lifetime may not live long enough
fn permit_of_longer<'b, 'l>(x: Permit<'b, &'l u8>) -> Permit<'b, &'static u8> { x } //~ lifetime may not live long enough
fn recv_stream_of_longer<'b, 'l>(x: RecvStream<'b, &'l u8>) -> RecvStream<'b, &'static u8> { x } //~ lifetime may not live long enough
fn send_sink_of_longer<'b, 'l>(x: SendSink<'b, &'l u8>) -> SendSink<'b, &'static u8> { x } //~ lifetime may not live long enough
fn send_future_of_longer<'b, 'l>(x: SendFuture<'b, &'l u8>) -> SendFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn recv_future_of_longer<'b, 'l>(x: RecvFuture<'b, &'l u8>) -> RecvFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn send_from_future_of_longer<'b, 'l>(x: SendFromFuture<'b, &'l u8>) -> SendFromFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn recv_many_future_of_longer<'b, 'l>(x: RecvManyFuture<'b, &'l u8>) -> RecvManyFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn reserve_future_of_longer<'b, 'l>(x: ReserveFuture<'b, &'l u8>) -> ReserveFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn closed_future_of_longer<'b, 'l>(x: ClosedFuture<'b, &'l u8>) -> ClosedFuture<'b, &'static u8> { x } //~ lifetime may not live long enough
fn recv_any_of_longer<'b, 'l>(x: RecvAny<'b, &'l u8>) -> RecvAny<'b, &'static u8> { x } //~ lifetime may not live long enough
fn try_iter_of_longer<'b, 'l>(x: TryIter<'b, &'l u8>) -> TryIter<'b, &'static u8> { x } //~ lifetime may not live long enough
fn iter_blocking_of_longer<'b, 'l>(x: IterBlocking<'b, &'l u8>) -> IterBlocking<'b, &'static u8> { x } //~ lifetime may not live long enough
fn send_many_future_of_longer<'b, 'l>(x: SendManyFuture<'b, IntoIter<&'l u8>>) -> SendManyFuture<'b, IntoIter<&'static u8>> { x } //~ lifetime may not live long enough
fn until_of_longer<'b, 'l>(x: Until<RecvFuture<'b, &'l u8>, Pending<()>>) -> Until<RecvFuture<'b, &'static u8>, Pending<()>> { x } //~ lifetime may not live long enough

// As a program would do it.
fn smuggle_in<'l>(tx: &Sender<&'static u8>, short: &'l u8) { let tx: &Sender<&'l u8> = tx; let _ = tx.try_send(short); } //~ lifetime may not live long enough
fn smuggle_out<'l>(rx: &Receiver<&'l u8>) -> Option<&'static u8> { let rx: &Receiver<&'static u8> = rx; rx.try_recv().ok() } //~ lifetime may not live long enough

// What only gives messages may be of shorter ones: these compile, so it is the variance that the others fail by.
fn drain_of_shorter<'l>(x: Drain<&'static u8>) -> Drain<&'l u8> { x }
fn drain_of_longer<'l>(x: Drain<&'l u8>) -> Drain<&'static u8> { x } //~ lifetime may not live long enough
