//! Names of types and paths, as a hook rewrites them.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, string::String};
use std::sync::{Mutex, PoisonError};

/// What a name is that [`Config::rename`](super::Config::rename) is asked for.
///
/// # Examples
///
/// ```
/// use hchan::inspect::{self, Config, NameKind};
///
/// inspect::enable(Config {
///     rename: Some(|kind, name| match kind {
///         NameKind::Path => name.rsplit('/').next().unwrap_or(name).to_owned(),
///         _ => name.to_owned(),
///     }),
///     ..Config::default()
/// });
/// let (tx, _rx) = hchan::bounded::<u8>(1);
/// assert!(!tx.snapshot().created.unwrap().file.contains('/'));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameKind {
    /// The type of a channel's messages.
    Type,
    /// The path of a source file.
    Path,
}

pub(super) type Rename = fn(NameKind, &str) -> String;

static RENAME: Mutex<Option<Rename>> = Mutex::new(None);

pub(super) fn set(rename: Option<Rename>) {
    *RENAME.lock().unwrap_or_else(PoisonError::into_inner) = rename;
}

/// The name that is shown. A hook is user code: it runs without the lock.
pub(super) fn shown(kind: NameKind, name: &'static str) -> Cow<'static, str> {
    let rename = *RENAME.lock().unwrap_or_else(PoisonError::into_inner);
    match rename {
        Some(rename) => Cow::Owned(rename(kind, name)),
        None => Cow::Borrowed(name),
    }
}
