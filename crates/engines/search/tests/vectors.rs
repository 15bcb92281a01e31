//! The exact index of vectors: the contract, and what survives a restart.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use citymind_engine_search::FlatVectors;
use kernel::{
    dense::{Change, VectorIndex},
    lexical::{Attributes, Filter},
    testkit::{MemoryVectors, vector_index_conforms},
};

fn place(index: &FlatVectors, document: &str, keys: &[u8], revision: u64) {
    let passages = (0..).zip(keys.iter().map(|k| [*k; 16])).collect();
    let change = Change::Replace {
        document: document.to_owned(),
        attributes: Attributes::default(),
        passages,
    };
    index.apply(vec![change], revision).unwrap();
}

fn put(index: &FlatVectors, key: u8) {
    let vector = vec![f32::from(key), 1.0, 0.0, 0.0];
    index.put(vec![([key; 16], vector)]).unwrap();
}

fn open(folder: &Path) -> FlatVectors {
    FlatVectors::open(folder, "e5", 4).unwrap()
}

fn hits(index: &FlatVectors) -> usize {
    let query = [1.0, 0.0, 0.0, 0.0];
    index.search(&query, &Filter::default(), 99).unwrap().len()
}

#[test]
fn both_implementations_do_what_the_seam_says() {
    let folder = tempfile::tempdir().unwrap();
    vector_index_conforms(&open(folder.path()));
    vector_index_conforms(&MemoryVectors::new(4));
}

#[test]
fn a_restart_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    place(&index, "甲", &[1, 2, 3], 5);
    put(&index, 1);
    put(&index, 2);
    drop(index);
    let index = open(folder.path());
    assert_eq!(
        (index.revision(), index.waiting(), hits(&index)),
        (5, (1, 3), 2)
    );
    // Vectors outlive their passages.
    index.clear().unwrap();
    drop(index);
    let index = open(folder.path());
    place(&index, "乙", &[2, 3], 6);
    assert_eq!((index.waiting(), hits(&index)), ((1, 2), 1));
}

#[test]
fn vectors_of_another_embedder_are_thrown_away_and_the_passages_wait() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    place(&index, "甲", &[1, 2], 5);
    put(&index, 1);
    drop(index);
    for (version, dimensions) in [("bge", 4), ("bge", 8)] {
        let index = FlatVectors::open(folder.path(), version, dimensions).unwrap();
        assert_eq!((index.revision(), index.waiting()), (5, (2, 2)));
    }
}

/// Whatever is cut off or overwritten, what is before it stands, and the index opens.
#[test]
fn damage_costs_only_what_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    place(&index, "甲", &[1], 5);
    place(&index, "乙", &[2], 6);
    put(&index, 1);
    put(&index, 2);
    drop(index);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let (vectors, passages) = (read("vectors"), read("passages"));
    for cut in 0..=passages.len() {
        fs::write(folder.path().join("passages"), &passages[..cut]).unwrap();
        let index = open(folder.path());
        assert!([0, 5, 6].contains(&index.revision()));
        assert_eq!(hits(&index) as u64, index.waiting().1);
    }
    fs::write(folder.path().join("passages"), &passages).unwrap();
    for at in 0..vectors.len() {
        let mut damaged = vectors.clone();
        damaged[at] ^= 0x55;
        fs::write(folder.path().join("vectors"), &damaged).unwrap();
        let index = open(folder.path());
        let (waiting, passages) = index.waiting();
        assert_eq!(hits(&index) as u64 + waiting, passages);
        drop(index);
    }
}

/// A log that says the same thing over and over is written anew.
#[test]
fn files_do_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
    let index = open(folder.path());
    for revision in 1..100 {
        place(&index, "甲", &[1, 2], revision);
    }
    put(&index, 1);
    drop(index);
    let before = size("passages");
    let index = open(folder.path());
    assert!(size("passages") * 50 < before);
    assert_eq!(
        (index.revision(), index.waiting(), hits(&index)),
        (99, (1, 2), 1)
    );
    place(&index, "乙", &[2], 100);
    drop(index);
    assert_eq!(open(folder.path()).revision(), 100);
}
