//! What the crate does with its futures, through a bound on the public trait, through its trait object, through an opaque type, and
//! on the futures themselves.

#![forbid(unsafe_code)]

use std::pin::Pin;

use hchan::{Arm, RecvFuture, SendFromFuture, SendFuture, Until, __private::OperationArm};

fn operation<A: Arm>(arm: Pin<&mut A>) { arm.operation(); } //~ E0624
fn operation_of_trait<A: Arm>(arm: Pin<&mut A>) { A::operation(arm); } //~ E0624
fn operation_by_name<A: Arm>(arm: Pin<&mut A>) { <A as Arm>::operation(arm); } //~ E0576
fn operation_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.operation(); } //~ E0624
fn operation_of_opaque(arm: Pin<&mut impl Arm>) { arm.operation(); } //~ E0624
fn operation_of_recv(arm: Pin<&mut RecvFuture<'_, u8>>) { arm.operation(); } //~ E0599
fn operation_of_send(arm: Pin<&mut SendFuture<'_, u8>>) { arm.operation(); } //~ E0599
fn operation_of_select(arm: Pin<&mut hchan::Select<'_>>) { arm.operation(); } //~ E0599
fn load<A: Arm>(arm: Pin<&mut A>) { arm.load(); } //~ E0624
fn load_of_trait<A: Arm>(arm: Pin<&mut A>) { A::load(arm); } //~ E0624
fn load_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.load(); } //~ E0624
fn load_of_opaque(arm: Pin<&mut impl Arm>) { arm.load(); } //~ E0624
fn load_of_send_from(arm: Pin<&mut SendFromFuture<'_, u8>>) { arm.load(); } //~ E0624
fn begin<A: Arm>(arm: Pin<&mut A>) { arm.begin(); } //~ E0624

fn attempt<A: Arm>(arm: Pin<&mut A>) { arm.attempt(); } //~ E0599
fn attempt_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.attempt(); } //~ E0599
fn attempt_of_opaque(arm: Pin<&mut impl Arm>) { arm.attempt(); } //~ E0599
fn attempt_of_recv(arm: Pin<&mut RecvFuture<'_, u8>>) { arm.attempt(); } //~ E0599
fn withdraw<A: Arm>(arm: Pin<&mut A>) { arm.withdraw(); } //~ E0599
fn withdraw_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.withdraw(); } //~ E0599
fn withdraw_of_opaque(arm: Pin<&mut impl Arm>) { arm.withdraw(); } //~ E0599
fn limited<A: Arm>(arm: Pin<&mut A>) { arm.limited(None); } //~ E0599
fn limited_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.limited(None); } //~ E0599
fn limited_of_opaque(arm: Pin<&mut impl Arm>) { arm.limited(None); } //~ E0599
fn limited_of_send(arm: Pin<&mut SendFuture<'_, u8>>) { arm.limited(None); } //~ E0599
fn watched<A: Arm>(arm: Pin<&mut A>) { arm.watched(); } //~ E0599
fn watched_of_object(arm: Pin<&mut dyn Arm<Output = ()>>) { arm.watched(); } //~ E0599
fn watched_of_opaque(arm: Pin<&mut impl Arm>) { arm.watched(); } //~ E0599
fn through_until<F, S>(f: Pin<&mut F>) where Until<F, S>: Future { f.attempt(); } //~ E0599
fn of_until<F, S>(until: Pin<&mut Until<F, S>>) where Until<F, S>: Future { until.withdraw(); } //~ E0599
fn of_operation<A: Arm>(arm: Pin<&mut A>) -> A::Limited { todo!() } //~ E0220

// By a detour.
trait Detour { fn go(self); }
impl<A: Arm> Detour for Pin<&mut A> { fn go(self) { self.begin() } } //~ E0624
trait Below: Arm {}
fn through_own_subtrait<A: Below>(arm: Pin<&mut A>) { arm.operation(); } //~ E0624
fn as_function<A: Arm>(arm: Pin<&mut A>) { let begin = A::begin; begin(arm) } //~ E0624
fn of_boxed_object(mut arm: Pin<Box<dyn Arm<Output = ()> + Send>>) { arm.as_mut().begin() } //~ E0624
fn made(rx: &hchan::Receiver<u8>) -> impl Arm { rx.recv() }
fn of_made(rx: &hchan::Receiver<u8>) { Box::pin(made(rx)).as_mut().attempt(); } //~ E0599

// The lists of arms, and what is in them.
type List<'a> = (OperationArm<'a, RecvFuture<'a, u8>>, ());
fn visit(list: Pin<&mut List<'_>>) { list.visit(0, |_| ()) } //~ E0599
fn place(list: &mut List<'_>) { list.0.place(); } //~ E0599
fn arm(list: List<'_>) { list.0.0; } //~ E0616
fn chance(list: &mut List<'_>) { hchan::__private::attempt_blocking(list, true).unwrap_err().0; } //~ E0616

struct Own;
impl Arm for Own {} //~ E0277
struct Other;
fn own_operation(own: Pin<&mut Option<Other>>) { OperationArm::new(own); } //~ E0277
fn own_outcome(own: Pin<&mut Other>) { hchan::__private::outcome(own); } //~ E0277
fn own_arms(own: &mut (Own, ())) { hchan::__private::attempt_blocking(own, true); } //~ E0277
