//! Nothing: the feature `inspect` is off.

use alloc::borrow::Cow;
use core::task::Waker;

use crate::waiter::{Kind, State};

pub(crate) const IS_ON: bool = false;

#[derive(Clone, Copy)]
pub(crate) struct Site;

impl Site {
    #[inline(always)]
    pub(crate) const fn here() -> Self {
        Self
    }
}

pub(crate) struct Tag;

impl Tag {
    #[inline(always)]
    pub(crate) fn new(_: Site) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn note(&self, _: State) {}

    #[inline(always)]
    pub(crate) fn complete(&self, _: State) -> WakeTag {
        WakeTag
    }
}

pub(crate) struct WakeTag;

impl WakeTag {
    #[inline(always)]
    pub(crate) fn note_woken(&self) {}
}

#[derive(Clone, Copy)]
pub(crate) struct Task;

impl Task {
    #[inline(always)]
    pub(crate) fn of(_: &Waker) -> Self {
        Self
    }
}

pub(crate) struct Channel;

impl Channel {
    #[inline(always)]
    pub(crate) fn new(_: Site, _: fn() -> &'static str) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn attach<C>(&self, _: &C) {}

    #[inline(always)]
    pub(crate) fn detach_side(&self) {}

    #[inline(always)]
    pub(crate) fn begin(&self, _: &Tag, _: Kind, _: Option<usize>, _: Task) {}

    #[inline(always)]
    pub(crate) fn end(&self, _: &Tag, _: impl FnOnce() -> State) {}

    #[inline(always)]
    pub(crate) fn move_to(&self, _: &Tag, _: &Waker) {}

    #[inline(always)]
    pub(crate) fn set_name(&self, _: impl Into<Cow<'static, str>>) {}

    #[inline(always)]
    pub(crate) fn refused_as_full(&self) {}

    #[inline(always)]
    pub(crate) fn refused_as_closed(&self) {}

    #[inline(always)]
    pub(crate) fn evicted(&self) {}
}

pub(crate) struct Paths;

impl Paths {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn handed_over(&mut self) {}

    #[inline(always)]
    pub(crate) fn promoted_into_ring(&mut self) {}

    #[inline(always)]
    pub(crate) fn promoted(&mut self) {}

    #[inline(always)]
    pub(crate) fn given_back(&mut self) {}

    #[inline(always)]
    pub(crate) fn went_beyond_ring(&mut self) {}

    #[inline(always)]
    pub(crate) fn came_into_ring(&mut self) {}
}
