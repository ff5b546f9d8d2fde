//! That the names of other channel crates find something in the documentation, and stand in the guides' tables: `peer_names.txt` has
//! the list.

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
    const KINDS: [&str; 7] = [
        "const fn",
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "macro_rules!",
    ];
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let is_macro = line.starts_with("macro_rules!");
        let item = if is_macro {
            line
        } else {
            line.strip_prefix("pub ")?
        };
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

/// A name that the list has, of which peer, and why nothing here answers to it.
struct Listed {
    peer: &'static str,
    name: &'static str,
    reason: Option<&'static str>,
}

fn listed() -> impl Iterator<Item = Listed> {
    let mut peer = "";
    let lines = include_str!("peer_names.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .flat_map(move |line| {
            let (names, reason) = match (line.strip_prefix('['), line.split_once(": ")) {
                (Some(heading), _) => {
                    peer = heading.split(' ').next().unwrap_or_default();
                    ("", None)
                }
                (None, Some((name, reason))) => (name, Some(reason)),
                (None, None) => (line, None),
            };
            let names = names.split(' ').filter(|name| !name.is_empty());
            names.map(move |name| Listed { peer, name, reason })
        })
}

/// The guide's page for users of this peer; users of crossfire have none.
fn page(peer: &str) -> Option<&str> {
    match peer {
        "async-channel" => Some("from_async_channel"),
        "crossbeam-channel" => Some("from_crossbeam"),
        "crossfire" => None,
        "flume" => Some("from_flume"),
        "kanal" => Some("from_kanal"),
        "std::sync::mpsc" => Some("from_std"),
        "tokio::sync::mpsc" => Some("from_tokio"),
        _ => panic!("`{peer}` is no peer"),
    }
}

/// The words that are set as code in the first column of the page's tables.
fn old_names(page: &str) -> HashSet<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix('|'));
    let first_cells = rows.filter_map(|row| row.split('|').next());
    let code = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect()
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "reads files")]
#[cfg_attr(miri, ignore = "reads files, and has nothing that is unsafe")]
fn each_name_of_a_peer_finds_something_or_has_a_reason() {
    let names = names();
    for Listed { peer, name, reason } in listed() {
        match reason {
            None => assert!(names.contains(name), "{peer}: nothing is found by `{name}`"),
            Some(reason) => {
                assert!(!reason.is_empty(), "{peer}: `{name}` has no reason");
                assert!(
                    !names.contains(name),
                    "{peer}: `{name}` is found, so it needs no reason"
                );
            }
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "reads files")]
#[cfg_attr(miri, ignore = "reads files, and has nothing that is unsafe")]
fn the_table_of_a_guide_has_each_name_of_its_peer() {
    let mut missing = Vec::new();
    for Listed { peer, name, .. } in listed() {
        let Some(page) = page(peer) else { continue };
        let file = format!("{}/src/guide/{page}.md", env!("CARGO_MANIFEST_DIR"));
        if !old_names(&fs::read_to_string(file).unwrap()).contains(name) {
            missing.push(format!("{page}: `{name}`"));
        }
    }
    assert!(missing.is_empty(), "no row has {missing:#?}");
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
        macro_rules! six {}
    ";
    assert!(aliases(source).eq(["one", "two", "three"]));
    assert!(items(source).eq(["four", "Five", "six"]));
}

#[test]
fn names_of_a_page_are_read_from_the_first_column() {
    let page = "
        | `outside` |
| `Old::{One, two}`, then `three()` | `new` | `note` |
A line with `prose`.
";
    assert_eq!(
        old_names(page),
        HashSet::from(["Old", "One", "two", "three", ""])
    );
}
