//! That the names of other channel crates find something in the documentation: `peer_names.txt` has the list.

#![forbid(unsafe_code)]

use std::{collections::HashSet, fs};

use walkdir::WalkDir;

/// What the search of the documentation finds: names of public items, and their aliases.
fn names() -> HashSet<String> {
    let mut names = HashSet::new();
    for file in WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")) {
        let file = file.unwrap();
        if file
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            let source = fs::read_to_string(file.path()).unwrap();
            names.extend(items(&source).chain(aliases(&source)));
        }
    }
    names
}

fn items(source: &str) -> impl Iterator<Item = String> {
    const KINDS: [&str; 6] = ["const fn", "fn", "struct", "enum", "trait", "type"];
    source.lines().filter_map(|line| {
        let item = line.trim_start().strip_prefix("pub ")?;
        let name = KINDS.iter().find_map(|kind| {
            let name = item.strip_prefix(kind)?.strip_prefix(' ')?;
            name.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })?;
        Some(name.to_owned())
    })
}

fn aliases(source: &str) -> impl Iterator<Item = String> {
    source.split("#[doc(alias").skip(1).flat_map(|rest| {
        let alias = rest.split(")]").next().unwrap_or_default();
        alias.split('"').skip(1).step_by(2).map(str::to_owned)
    })
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "reads files")]
#[cfg_attr(miri, ignore = "reads files, and has nothing that is unsafe")]
fn each_name_of_a_peer_finds_something_or_has_a_reason() {
    let names = names();
    let mut peer = "";
    for line in include_str!("peer_names.txt").lines() {
        if let Some(heading) = line.strip_prefix('[') {
            peer = heading.trim_end_matches(']');
        } else if line.starts_with('#') {
            continue;
        } else if let Some((name, reason)) = line.split_once(": ") {
            assert!(!reason.is_empty(), "{peer}: `{name}` has no reason");
            assert!(
                !names.contains(name),
                "{peer}: `{name}` is found, so it needs no reason"
            );
        } else {
            for name in line.split(' ').filter(|name| !name.is_empty()) {
                assert!(names.contains(name), "{peer}: nothing is found by `{name}`");
            }
        }
    }
}

#[test]
fn aliases_and_items_are_read_from_the_source() {
    let source = "
        #[doc(alias = \"one\")]
        #[doc(alias(
            \"two\", \"three\",
        ))]
        pub const fn four<T>() {}
        pub struct Five<T>(T);
        pub(crate) fn hidden() {}
    ";
    assert!(aliases(source).eq(["one", "two", "three"]));
    assert!(items(source).eq(["four", "Five"]));
}
