//! Crashes, damage and a full disk: nothing that was acknowledged is lost, nothing false is said.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use common::{
    Server, at, citymind, expect,
    files::{below, code, policy},
    run, said, wait_for,
};
use serde_json::{Value, json};

const QUESTION: &str = "我生二胎了，有没有政府给补贴的政策？";

fn many(count: usize) -> (Vec<String>, Vec<Vec<u8>>) {
    (
        (0..count).map(|n| format!("批量/第{n}号.md")).collect(),
        (0..count).map(|n| policy(n).into_bytes()).collect(),
    )
}

/// An answer without what differs each time it is asked.
fn essence(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for field in ["session", "turn", "trace", "elapsed_ms"] {
        answer.as_object_mut().unwrap().remove(field);
    }
    answer
}

async fn tell_whole(server: &Server, count: usize, import: &str) {
    let import = server.import_done(import).await;
    assert_eq!(import["state"], "done");
    assert_eq!(
        (
            at(&import["total"]),
            at(&import["waiting"]),
            at(&import["failed"])
        ),
        (count, 0, 0),
        "{import:#}"
    );
    let rows = import["rows"].as_array().unwrap();
    let told: BTreeSet<&str> = rows
        .iter()
        .map(|r| r["document"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), count, "every row names its own document");
    let documents = server.documents().await;
    let stored: BTreeSet<&str> = documents
        .iter()
        .map(|d| d["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        (stored, documents.len()),
        (told, count),
        "no document twice, none missing"
    );
    for (n, row) in rows
        .iter()
        .map(|r| (number(r["path"].as_str().unwrap()), r))
    {
        let id = row["document"].as_str().unwrap();
        if n % 10 == 0 {
            let text: String = server.text(id).await.into_iter().collect();
            assert!(
                text.contains(&format!("代号{}的试点单位", code(n))) && text.contains("第二十三条"),
                "第{n}号 is whole"
            );
        }
        assert_eq!(
            server.search(&code(n)).await[0]["document"],
            id,
            "第{n}号 is found"
        );
    }
}

fn number(path: &str) -> usize {
    path.rsplit('/')
        .next()
        .unwrap()
        .trim_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap()
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_loses_nothing() {
    const COUNT: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (paths, files) = many(COUNT);
    let mut server = Server::start(&data, &[]).await;
    let accepted = server
        .upload(paths.iter().map(String::as_str).zip(files).collect())
        .await;
    let id = accepted["id"].as_str().unwrap().to_owned();
    // Killed three times, each time after some more is in.
    for share in [1, 100, 250] {
        wait_for("part of the import", || async {
            let import = server
                .read(&format!("/api/v1/knowledge/imports/{id}?page_size=1"))
                .await;
            (at(&import["imported"]) >= share || import["state"] != "running").then_some(())
        })
        .await;
        server.kill();
        server = Server::start(&data, &[]).await;
    }
    tell_whole(&server, COUNT, &id).await;
    assert!(
        below(&data.join("staging")).is_empty(),
        "uploads are cleared away"
    );
    assert!(
        !below(&data.join("files")).iter().any(|p| p
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with('.')),
        "no drafts are left"
    );
}

#[tokio::test]
async fn an_archive_whose_import_was_killed_goes_on_and_loses_nothing() {
    const COUNT: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (paths, files) = many(COUNT);
    let entries: Vec<(&str, &[u8])> = paths
        .iter()
        .map(String::as_str)
        .zip(files.iter().map(Vec::as_slice))
        .collect();
    let server = Server::start(&data, &[]).await;
    let accepted = server
        .upload(vec![("全部.zip", common::files::zip(&entries))])
        .await;
    let id = accepted["id"].as_str().unwrap().to_owned();
    wait_for("part of the import", || async {
        let import = server
            .read(&format!("/api/v1/knowledge/imports/{id}?page_size=1"))
            .await;
        (at(&import["imported"]) >= 1 || import["state"] != "running").then_some(())
    })
    .await;
    server.kill();
    let server = Server::start(&data, &[]).await;
    tell_whole(&server, COUNT, &id).await;
}

#[tokio::test]
async fn what_was_answered_is_kept_over_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::demo(&data).await;
    let visitor = common::Visitor::new(&server).await;
    let asked = visitor.ask(json!({"question": QUESTION})).await;
    let (trace, documents) = (
        asked["trace"].as_str().unwrap().to_owned(),
        server.documents().await,
    );
    server.kill();
    let server = Server::demo(&data).await;
    assert_eq!(
        server.read(&format!("/api/v1/traces/{trace}")).await["question"],
        QUESTION
    );
    assert_eq!(
        server.documents().await,
        documents,
        "the demonstration city isn't loaded twice"
    );
    assert_eq!(essence(&server.ask(QUESTION).await), essence(&asked));
}

#[tokio::test]
async fn an_index_that_is_lost_or_corrupt_is_built_again_from_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::demo(&data).await;
    let before = server.ask(QUESTION).await;
    let search = |hits: Vec<Value>| {
        hits.into_iter()
            .map(|h| {
                (
                    h["document"].clone(),
                    h["clause"].clone(),
                    h["score"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    let found = search(server.search("生育津贴").await);
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("the folder is gone", |index| {
            std::fs::remove_dir_all(index).unwrap()
        }),
        ("meta.json is cut", |index| {
            std::fs::write(meta(index), b"{\"segm").unwrap()
        }),
        ("meta.json is empty", |index| {
            std::fs::write(meta(index), b"").unwrap()
        }),
        ("meta.json is gone", |index| {
            std::fs::remove_file(meta(index)).unwrap()
        }),
        ("a segment is gone", |index| {
            std::fs::remove_file(segment(index)).unwrap()
        }),
        ("a segment is cut", |index| {
            std::fs::write(segment(index), b"x").unwrap()
        }),
    ];
    for (what, damage) in damages {
        println!("{what}");
        assert!(server.stop().await.success());
        damage(&data.join("index"));
        server = Server::start(&data, &[]).await;
        assert_eq!(
            essence(&server.ask(QUESTION).await),
            essence(&before),
            "{what}"
        );
        assert_eq!(search(server.search("生育津贴").await), found, "{what}");
    }
    let rebuilt = expect(
        200,
        server.post("/api/v1/knowledge/reindex").json(&json!({})),
    )
    .await;
    assert_eq!(at(&rebuilt["documents"]), server.documents().await.len());
    assert_eq!(essence(&server.ask(QUESTION).await), essence(&before));
}

fn meta(index: &Path) -> PathBuf {
    below(index)
        .into_iter()
        .find(|p| p.ends_with("meta.json"))
        .unwrap()
}

fn segment(index: &Path) -> PathBuf {
    below(index)
        .into_iter()
        .filter(|p| !p.to_string_lossy().ends_with("json"))
        .max_by_key(|p| p.metadata().unwrap().len())
        .unwrap()
}

/// Changes a byte of the stored text in which a phrase stands.
fn tamper(data: &Path, phrase: &str) {
    let mut changed = 0;
    for path in below(&data.join("files")) {
        let mut bytes = std::fs::read(&path).unwrap();
        if let Some(place) = bytes
            .windows(phrase.len())
            .position(|w| w == phrase.as_bytes())
        {
            bytes[place + phrase.len() - 1] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "{phrase} is nowhere");
}

async fn two_policies(data: &Path) -> (Server, String) {
    let server = Server::start(data, &[]).await;
    let import = server
        .import(vec![
            ("第一号.md", policy(1).into_bytes()),
            ("第二号.md", policy(2).into_bytes()),
        ])
        .await;
    let id = common::row(&import, "第一号.md")["document"]
        .as_str()
        .unwrap()
        .to_owned();
    (server, id)
}

#[tokio::test]
async fn a_source_in_which_a_byte_was_changed_is_not_quoted_and_the_answer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (server, id) = two_policies(&data).await;
    let question = format!("代号{}的试点单位每月补助多少元？", code(1));
    let cites = |answer: &Value| {
        answer["citations"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["document"] == id.as_str())
    };
    assert!(cites(&server.ask(&question).await));
    tamper(&data, "每月补助101元");
    let noticed = |answer: &Value| {
        answer["notices"]
            .as_array()
            .unwrap()
            .iter()
            .any(|n| n.as_str().unwrap().contains("启明市第1号试点办法"))
    };
    let answer = server.ask(&question).await;
    assert!(!cites(&answer) && noticed(&answer), "{answer:#}");
    assert!(
        !answer["answer"].as_str().unwrap().contains("101"),
        "{answer:#}"
    );
    common::problem(
        409,
        "source_changed",
        server.get(&format!("/api/v1/knowledge/documents/{id}")),
    )
    .await;
    // The other document still answers.
    let other = server
        .ask(&format!("代号{}的试点单位每月补助多少元？", code(2)))
        .await;
    assert_eq!(other["status"], "answered", "{other:#}");
    server.kill();
    let server = Server::start(&data, &[]).await;
    let answer = server.ask(&question).await;
    assert!(
        !cites(&answer) && noticed(&answer),
        "after a restart: {answer:#}"
    );
}

#[tokio::test]
async fn a_changed_source_does_not_break_the_search_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (server, id) = two_policies(&data).await;
    tamper(&data, "每月补助101元");
    let hits = server.search("试点单位每月补助").await;
    assert!(
        !hits.is_empty() && hits.iter().all(|h| h["document"] != id.as_str()),
        "{hits:?}"
    );
}

#[tokio::test]
async fn importing_the_file_again_heals_a_changed_source() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (server, id) = two_policies(&data).await;
    tamper(&data, "每月补助101元");
    server
        .import(vec![("第一号.md", policy(1).into_bytes())])
        .await;
    let answer = server
        .ask(&format!("代号{}的试点单位每月补助多少元？", code(1)))
        .await;
    assert!(
        answer["citations"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["document"] == id.as_str()),
        "{answer:#}"
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_with_a_clear_word() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]).await;
    let output = run(&[
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ])
    .await;
    let (_, complaints) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    assert!(
        complaints.contains("正被另一个") && complaints.contains("--data"),
        "{complaints}"
    );
    assert_eq!(
        server.get("/health/ready").send().await.unwrap().status(),
        200
    );
    let announced = std::fs::read_to_string(data.join("server")).unwrap();
    assert!(
        announced.starts_with(&server.address),
        "the first server's announcement stands"
    );
}

fn corpus(folder: &Path) -> PathBuf {
    let root = folder.join("文件夹");
    std::fs::create_dir_all(root.join("下级")).unwrap();
    std::fs::write(root.join("第一号.md"), policy(1)).unwrap();
    std::fs::write(root.join("下级/第二号.md"), policy(2)).unwrap();
    std::fs::write(root.join("坏.docx"), b"PK\x03\x04").unwrap();
    std::fs::write(root.join(".隐藏.md"), policy(3)).unwrap();
    root
}

async fn imports_and_asks_on_the_command_line(data: &Path, folder: &Path) {
    let (data, root) = (data.to_str().unwrap(), corpus(folder));
    let output = run(&[
        "knowledge",
        "import",
        root.to_str().unwrap(),
        "--data",
        data,
        "--space",
        "命令行",
    ])
    .await;
    let (printed, complaints) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}{complaints}");
    assert!(
        printed.contains("共 3 个文件") && printed.contains("导入 2") && printed.contains("失败 1"),
        "{printed}"
    );
    assert!(complaints.contains("坏.docx"), "{complaints}");
    let again = run(&[
        "knowledge",
        "import",
        root.to_str().unwrap(),
        "--data",
        data,
        "--space",
        "命令行",
        "--json",
    ])
    .await;
    let import: Value = serde_json::from_str(&said(&again).0).unwrap();
    assert_eq!(
        (
            at(&import["imported"]),
            at(&import["unchanged"]),
            at(&import["failed"])
        ),
        (0, 2, 1),
        "{import:#}"
    );
    let question = format!("代号{}的试点单位每月补助多少元？", code(2));
    let asked = run(&["ask", &question, "--data", data]).await;
    let (printed, complaints) = said(&asked);
    assert_eq!(asked.status.code(), Some(0), "{printed}{complaints}");
    assert!(
        printed.contains("102元")
            && printed.contains("依据")
            && printed.contains("启明市第2号试点办法"),
        "{printed}"
    );
    let asked = run(&["ask", &question, "--data", data, "--json"]).await;
    let answer: Value = serde_json::from_str(&said(&asked).0).unwrap();
    assert_eq!(answer["status"], "answered", "{answer:#}");
    let refused = run(&["ask", "火星移民局的落户积分怎么算？", "--data", data]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).0.contains("12345"));
    let empty = run(&["ask", "  ", "--data", data]).await;
    assert_eq!(empty.status.code(), Some(2), "{:?}", said(&empty));
    let missing = run(&["knowledge", "import", "/no/such/file.md", "--data", data]).await;
    assert_eq!(missing.status.code(), Some(2), "{:?}", said(&missing));
    let rebuilt = run(&["knowledge", "reindex", "--data", data]).await;
    assert!(
        said(&rebuilt).0.contains("2 份文件"),
        "{:?}",
        said(&rebuilt)
    );
    let key = run(&[
        "keys", "create", "--name", "试", "--role", "clerk", "--print", "--data", data,
    ])
    .await;
    assert_eq!(
        key.status.code(),
        Some(0),
        "a key can be made: {:?}",
        said(&key)
    );
}

#[tokio::test]
async fn the_command_line_works_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    imports_and_asks_on_the_command_line(&data, folder.path()).await;
    // What it imported is there for a server.
    let server = Server::start(&data, &[]).await;
    assert_eq!(server.documents().await.len(), 2);
}

#[tokio::test]
async fn the_command_line_goes_through_the_server_that_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]).await;
    imports_and_asks_on_the_command_line(&data, folder.path()).await;
    let documents = server.documents().await;
    assert_eq!(documents.len(), 2);
    assert!(
        documents.iter().all(|d| d["space"] == "命令行"),
        "{documents:?}"
    );
    assert_eq!(server.read("/api/v1/knowledge/imports").await["total"], 2);
}

#[tokio::test]
async fn sigterm_ends_the_server_although_a_stream_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &[]).await;
    let (paths, files) = many(1200);
    let accepted = server
        .upload(paths.iter().map(String::as_str).zip(files).collect())
        .await;
    let id = accepted["id"].as_str().unwrap().to_owned();
    let mut stream = server
        .get(&format!("/api/v1/knowledge/imports/{id}/events"))
        .send()
        .await
        .unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    // A client that never finishes what it sends.
    let mut slow = tokio::net::TcpStream::connect(&server.address)
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut slow,
        b"POST /api/v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
    )
    .await
    .unwrap();
    let begun = std::time::Instant::now();
    let status = server.stop().await;
    assert!(status.success(), "{status}: {}", server.log());
    // The contract's ten seconds; it is a promise to whoever stops the service, not a measure of speed.
    assert!(begun.elapsed().as_secs() <= 10, "{:?}", begun.elapsed());
    assert!(
        !data.join("server").exists(),
        "the announcement is taken back"
    );
    // What was under way goes on.
    let server = Server::start(&data, &[]).await;
    let import = server.import_done(&id).await;
    assert_eq!(
        (
            &import["state"],
            at(&import["failed"]),
            server.documents().await.len()
        ),
        (&json!("done"), 0, 1200)
    );
}

/// A file system of a given size, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .output();
        match done {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            other => {
                println!("SKIPPED: a small tmpfs can't be mounted here (needs root): {other:?}");
                None
            }
        }
    }

    /// Takes all room but `free` bytes.
    fn fill(&self, free: u64) {
        use std::io::Write;
        let path = self.0.join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        let (block, mut size) = (vec![7; 1 << 16], 0);
        while file.write_all(&block).is_ok() {
            size += block.len() as u64;
        }
        while file.write_all(&block[..4096]).is_ok() {
            size += 4096;
        }
        file.set_len(size.saturating_sub(free)).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

async fn import_is_over_or_refused(server: &Server, files: Vec<(&str, Vec<u8>)>) -> Vec<String> {
    let response = server.uploading(files).send().await.unwrap();
    if response.status() == 507 {
        let body = common::problem_of(507, "storage_full", response).await;
        return vec![body["detail"].as_str().unwrap().to_owned()];
    }
    assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());
    let accepted: Value = response.json().await.unwrap();
    let import = server.import_done(accepted["id"].as_str().unwrap()).await;
    let failed = import["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["state"] == "failed");
    failed
        .map(|r| r["error"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_full_disk_refuses_new_files_and_keeps_answering() {
    let folder = tempfile::tempdir().unwrap();
    let disk_folder = folder.path().join("disk");
    let Some(disk) = SmallDisk::mount(&disk_folder, 64) else {
        return;
    };
    let data = disk_folder.join("data");
    let mut server = Server::demo(&data).await;
    let before = server.ask(QUESTION).await;
    let documents = server.documents().await.len();
    disk.fill(0);
    let large: Vec<u8> = policy(1).into_bytes().repeat(200);
    let refused = import_is_over_or_refused(&server, vec![("大.md", large)]).await;
    assert!(
        !refused.is_empty() && refused.iter().all(|m| m.contains("存储空间已满")),
        "{refused:?}"
    );
    assert!(server.runs());
    let found = server.search("生育津贴").await;
    assert!(!found.is_empty());
    // Room that the database gave up earlier is used first; then what is lost is said.
    let elsewhere = common::test_database().is_some();
    let mut told = false;
    for _ in 0..400 {
        let meanwhile = server.ask(QUESTION).await;
        for part in ["status", "answer", "citations"] {
            assert_eq!(meanwhile[part], before[part], "citizens are still answered");
        }
        told = meanwhile["notices"].to_string().contains("没有保存");
        if told || elsewhere {
            break;
        }
    }
    // Nothing is lost where the conversation is kept elsewhere.
    assert!(told != elsewhere, "what is lost is said");
    assert_eq!(server.documents().await.len(), documents);
    disk.free();
    let import = server
        .import(vec![("第一号.md", policy(1).into_bytes())])
        .await;
    assert_eq!(
        common::row(&import, "第一号.md")["state"],
        "imported",
        "{import:#}"
    );
    assert_eq!(
        server.search(&code(1)).await[0]["document"],
        common::row(&import, "第一号.md")["document"]
    );
}

#[tokio::test]
async fn a_disk_that_fills_up_during_an_import_loses_nothing_and_leaves_no_document_unfound() {
    let folder = tempfile::tempdir().unwrap();
    let disk_folder = folder.path().join("disk");
    let Some(disk) = SmallDisk::mount(&disk_folder, 96) else {
        return;
    };
    let data = disk_folder.join("data");
    let mut server = Server::demo(&data).await;
    let demo = server.documents().await.len();
    // More and more room: the disk fills up at another step each time.
    for free in [200, 400, 700, 1000, 1400, 1900] {
        disk.fill(free << 10);
        let (paths, files) = many(60);
        let paths: Vec<String> = paths.iter().map(|p| format!("{free}/{p}")).collect();
        let errors = import_is_over_or_refused(
            &server,
            paths.iter().map(String::as_str).zip(files).collect(),
        )
        .await;
        println!("{free} KiB free: {} refused", errors.len());
        assert!(
            errors.iter().all(|m| m.contains("存储空间已满")),
            "{errors:?}"
        );
        assert!(server.runs());
        disk.free();
    }
    let import = server
        .import(vec![("最后.md", policy(999).into_bytes())])
        .await;
    assert_eq!(common::row(&import, "最后.md")["state"], "imported");
    every_document_is_found(&server, demo).await;
    server.kill();
    let server = Server::start(&data, &[]).await;
    for import in server.read("/api/v1/knowledge/imports?page_size=200").await["items"]
        .as_array()
        .unwrap()
    {
        server.import_done(import["id"].as_str().unwrap()).await;
    }
    every_document_is_found(&server, demo).await;
}

/// Whatever is listed can be found, and is whole.
async fn every_document_is_found(server: &Server, besides: usize) {
    let documents = server.documents().await;
    let own: Vec<&Value> = documents.iter().filter(|d| d["space"] == "测试").collect();
    assert_eq!(documents.len(), own.len() + besides);
    for document in own {
        let n: usize = document["number"]
            .as_str()
            .unwrap()
            .rsplit('〕')
            .next()
            .unwrap()
            .trim_end_matches('号')
            .parse()
            .unwrap();
        let input = json!({"query": code(n), "limit": 50});
        let found = expect(200, server.post("/api/v1/knowledge/search").json(&input)).await;
        let hit = found["hits"]
            .as_array()
            .unwrap()
            .iter()
            .any(|h| h["document"] == document["id"]);
        assert!(hit, "第{n}号 is listed ({}) and not found", document["id"]);
        server.text(document["id"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn settings_that_are_wrong_end_the_start_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("citymind.toml"), "[server]\ncolour = \"red\"\n").unwrap();
    let wrong = run(&[
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ])
    .await;
    assert_eq!(wrong.status.code(), Some(2), "{:?}", said(&wrong));
    assert!(said(&wrong).1.contains("colour"), "{:?}", said(&wrong));
    std::fs::remove_file(data.join("citymind.toml")).unwrap();
    let nowhere = run(&[
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "nowhere",
    ])
    .await;
    assert_eq!(nowhere.status.code(), Some(2), "{:?}", said(&nowhere));
    let mut command = citymind();
    command
        .args(["ask", "津贴", "--data", data.to_str().unwrap()])
        .env("CITYMIND__LIMITS__COLOUR", "red");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{:?}", said(&output));
}
