//! Imports go one way, files stay short: what ARCHITECTURE.md says, held by the build itself.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What a crate depends on when it is built for use: ours by short name, others by their own.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(root)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let packages = metadata.packages.iter().map(|p| {
        let normal = p
            .dependencies
            .iter()
            .filter(|d| d.kind != DependencyKind::Development);
        (short(&p.name), normal.map(|d| short(&d.name)).collect())
    });
    packages.collect()
}

fn short(name: &str) -> String {
    name.strip_prefix("citymind-").unwrap_or(name).to_owned()
}

fn ours(all: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    all[name]
        .iter()
        .filter(|d| all.contains_key(*d))
        .cloned()
        .collect()
}

/// Everything of ours below a crate.
fn below(all: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        for own in ours(all, &next) {
            if found.insert(own.clone()) {
                open.push(own);
            }
        }
    }
    found
}

fn is_engine(name: &str) -> bool {
    name.starts_with("engine-")
}

const PRODUCTS: [&str; 6] = [
    "service", "cockpit", "incident", "opinion", "vision", "office",
];

#[test]
fn crates_import_only_downwards() {
    let all = dependencies();
    assert!(all.len() >= 10, "{all:?}");
    for name in all.keys() {
        let allowed: &[&str] = match name.as_str() {
            "kernel" | "console-assets" => &[],
            // It needs no vocabulary of ours at all.
            "lang" => &["kernel"],
            "rules" => &[],
            "documents" => &["kernel", "lang"],
            "knowledge" => &["kernel", "lang", "documents"],
            "platform" => &["kernel", "lang", "documents", "knowledge"],
            engine if is_engine(engine) => &["kernel", "lang"],
            product if PRODUCTS.contains(&product) => &[
                "kernel",
                "lang",
                "rules",
                "documents",
                "knowledge",
                "platform",
            ],
            "citymind" => continue,
            other => {
                panic!("where does {other} stand? Give it a place here and in ARCHITECTURE.md")
            }
        };
        let beyond: Vec<String> = ours(&all, name)
            .into_iter()
            .filter(|d| !allowed.contains(&d.as_str()))
            .collect();
        assert!(beyond.is_empty(), "{name} must not import {beyond:?}");
    }
}

#[test]
fn nothing_imports_itself_in_a_circle() {
    let all = dependencies();
    for name in all.keys() {
        assert!(!below(&all, name).contains(name), "{name} imports itself");
    }
}

#[test]
fn products_know_no_engine_no_web_server_and_not_each_other() {
    let all = dependencies();
    for product in PRODUCTS.iter().filter(|p| all.contains_key(**p)) {
        let reach = below(&all, product);
        assert!(
            !reach.iter().any(|d| is_engine(d)),
            "{product} reaches {reach:?}"
        );
        assert!(
            !reach.iter().any(|d| PRODUCTS.contains(&d.as_str())),
            "{product} reaches {reach:?}"
        );
        for name in reach.iter().map(String::as_str).chain([*product]) {
            for foreign in [
                "axum",
                "reqwest",
                "clap",
                "tantivy",
                "rusqlite",
                "hyper",
                "tower-http",
            ] {
                assert!(
                    !all[name].contains(foreign),
                    "{product} gets {foreign} through {name}"
                );
            }
        }
    }
}

#[test]
fn only_the_binary_knows_the_doors_and_only_engines_know_their_runtimes() {
    let all = dependencies();
    for (name, wanted) in &all {
        if name != "citymind" {
            for door in [
                "axum",
                "clap",
                "rmcp",
                "hyper",
                "tower-http",
                "indicatif",
                "figment",
            ] {
                assert!(!wanted.contains(door), "{name} imports {door}");
            }
        }
        // Only engines reach out; the command line reaches its own server.
        if !is_engine(name) && name != "citymind" {
            assert!(!wanted.contains("reqwest"), "{name} imports reqwest");
        }
        if !is_engine(name) {
            for runtime in [
                "rusqlite",
                "tantivy",
                "tokio-postgres",
                "rusty-s3",
                "async-nats",
                "openidconnect",
                "candle-core",
                "tokenizers",
            ] {
                assert!(!wanted.contains(runtime), "{name} imports {runtime}");
            }
        }
    }
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut open: Vec<PathBuf> = vec![root];
    let (mut long, mut seen) = (Vec::new(), 0);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                seen += 1;
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                if lines > 800 {
                    long.push((path, lines));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} files were found");
    assert!(long.is_empty(), "{long:?}");
}
