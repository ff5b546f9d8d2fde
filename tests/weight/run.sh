#!/usr/bin/env bash
# What a message type costs the programs that use this crate: the bytes of code that one more type adds to an optimized program,
# for two programs. `usual` sends, receives and tries; `rich` also reserves, streams, gives up, blocks and selects. Fails if a type
# costs more than its bound. usage: tests/weight/run.sh
set -euo pipefail
crate=$(cd "$(dirname "$0")/../.." && pwd)
work=$crate/target/weight
types=30

command -v size >/dev/null || { echo "skipped: no program \`size\`, which comes with the linker"; exit 0; }

usual() {
  printf 'async fn t%d() { let (tx, rx) = hchan::bounded::<M%d>(4); let _ = tx.send(m%d()).await; black_box(&rx.recv().await);' "$1" "$1" "$1"
  printf ' let _ = tx.try_send(m%d()); black_box(&rx.try_recv()); }\n' "$1"
}

rich() {
  printf 'async fn t%d() { let (tx, rx) = hchan::bounded::<M%d>(4); let _ = tx.send(m%d()).await; black_box(&rx.recv().await);' "$1" "$1" "$1"
  printf ' let _ = tx.try_send(m%d()); black_box(&rx.try_recv());' "$1"
  printf ' if let Ok(permit) = tx.reserve().await { let _ = permit.send(m%d()); }' "$1"
  printf ' let mut stream = Box::pin(rx.stream()); black_box(&stream.next().await); drop(stream);'
  printf ' black_box(&rx.recv().until(std::future::ready(())).await);'
  printf ' let _ = tx.send_blocking(m%d()); black_box(&rx.recv_blocking());' "$1"
  printf ' let other = rx.clone(); let _ = tx.try_send(m%d());' "$1"
  printf ' hchan::select! { recv(rx) -> got => { black_box(&got); } recv(other) -> got => { black_box(&got); } } }\n'
}

# program NAME COUNT: the size of the code of an optimized program with so many message types.
program() {
  local folder=$work/$1 n
  mkdir -p "$folder/src"
  cat >"$folder/Cargo.toml" <<TOML
[package]
name = "weight-$1"
version = "0.0.0"
edition = "2021"
[workspace]
[dependencies]
hchan = { path = "$crate" }
futures = { version = "0.3.31", default-features = false, features = ["executor"] }
TOML
  {
    echo '#![allow(dead_code, unused_imports)] use futures::StreamExt; use std::hint::black_box;'
    for ((n = 0; n < $2; n++)); do
      printf '#[derive(Debug)] pub struct M%d(u64, [u8; %d]); fn m%d() -> M%d { M%d(1, [0; %d]) }\n' "$n" "$n" "$n" "$n" "$n" "$n"
      "$1" "$n"
    done
    printf 'fn main() { futures::executor::block_on(async {'
    for ((n = 0; n < $2; n++)); do printf ' t%d().await;' "$n"; done
    echo ' }) }'
  } >"$folder/src/main.rs"
  cargo build --quiet --release --manifest-path "$folder/Cargo.toml" --target-dir "$work/target" || exit
  size "$work/target/release/weight-$1" | awk 'NR == 2 { print $1 }'
}

failed=no
for check in usual:4850 rich:13800; do
  name=${check%:*} most=${check#*:}
  one=$(program "$name" 1)
  all=$(program "$name" $types)
  bytes=$(((all - one) / (types - 1)))
  echo "$name: a message type adds $bytes bytes of code (at most $most)"
  [ "$bytes" -le "$most" ] || failed=yes
done
[ $failed = no ]
