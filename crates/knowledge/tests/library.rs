//! The library over its real engines: relations between documents, the index that follows the store, real statutes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use citymind_knowledge::{
    Incoming, Library, Limits, Outcome,
    library::{OutcomeState, Search, SearchInput},
};
use engine_search::TantivyIndex;
use engine_store::{LocalFiles, SqliteRecords};
use jiff::civil::{Date, date};
use kernel::{
    ErrorCode,
    capability::Context,
    evidence::DocumentStatus,
    identity::Caller,
    lexical::{Change, LexicalIndex, Source},
};

/// A data folder whose library can be opened again and again.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn files(&self) -> PathBuf {
        self.0.path().join("files")
    }

    fn index(&self, name: &str) -> Arc<TantivyIndex> {
        Arc::new(TantivyIndex::open(&self.0.path().join(name)).unwrap())
    }

    async fn open(&self) -> Library {
        self.open_with(self.index("index")).await
    }

    async fn open_with(&self, index: Arc<dyn LexicalIndex>) -> Library {
        let records = Arc::new(SqliteRecords::open(&self.0.path().join("db")).unwrap());
        Library::open(
            records,
            Arc::new(LocalFiles::new(self.files())),
            index,
            Limits::default(),
        )
        .await
        .unwrap()
    }
}

fn file(path: &str, text: impl Into<Vec<u8>>) -> Incoming {
    Incoming {
        space: "测试".into(),
        path: path.into(),
        bytes: text.into(),
        title: None,
    }
}

async fn add(library: &Library, files: Vec<Incoming>) -> Vec<Outcome> {
    let outcomes = library.add(files, &mut |_| Ok(Vec::new())).await.unwrap();
    outcomes.into_iter().map(Result::unwrap).collect()
}

async fn status(library: &Library, id: &str, on: Date) -> DocumentStatus {
    library.document(id).await.unwrap().status(on)
}

fn old() -> Incoming {
    file(
        "旧.md",
        "# 启明市高龄津贴发放办法\n\n启民发〔2020〕3号\n\n2020年1月10日印发\n\n第一条　年满80周岁的老年人，每人每月发放高龄津贴60元。\n\n第二条　本办法自2020年2月1日起施行。\n",
    )
}

fn new() -> Incoming {
    file(
        "新.md",
        "# 启明市老年人津贴管理办法\n\n启民发〔2025〕8号\n\n2025年3月1日印发\n\n第一条　年满80周岁的老年人，每人每月发放高龄津贴100元。\n\n第二条　本办法自2025年4月1日起施行，《启明市高龄津贴发放办法》（启民发〔2020〕3号）同时废止。\n",
    )
}

/// The old document is in force until the new one begins; the index says the same as the record.
#[allow(clippy::too_many_lines)] // A table of days, and what holds on each.
async fn check_repeal(library: &Library) {
    let documents = library
        .list(&Caller::default(), &Default::default())
        .await
        .unwrap()
        .items;
    assert_eq!(documents.len(), 2);
    let by_title = |t: &str| documents.iter().find(|d| d.title == t).unwrap().id.clone();
    let (old, new) = (
        by_title("启明市高龄津贴发放办法"),
        by_title("启明市老年人津贴管理办法"),
    );
    for (day, of_old, of_new) in [
        (
            date(2020, 1, 31),
            DocumentStatus::Upcoming,
            DocumentStatus::Upcoming,
        ),
        (
            date(2020, 2, 1),
            DocumentStatus::Current,
            DocumentStatus::Upcoming,
        ),
        (
            date(2025, 3, 31),
            DocumentStatus::Current,
            DocumentStatus::Upcoming,
        ),
        (
            date(2025, 4, 1),
            DocumentStatus::Repealed,
            DocumentStatus::Current,
        ),
        (
            date(2026, 1, 1),
            DocumentStatus::Repealed,
            DocumentStatus::Current,
        ),
    ] {
        assert_eq!(
            (
                status(library, &old, day).await,
                status(library, &new, day).await
            ),
            (of_old, of_new),
            "{day}"
        );
        let input = SearchInput {
            query: "高龄津贴每月多少元".into(),
            as_of: Some(day),
            ..SearchInput::default()
        };
        let found = library
            .search(&Caller::default(), input)
            .await
            .unwrap()
            .hits;
        let holds = |id: &str| found.iter().any(|h| h.document == id);
        assert_eq!(holds(&old), of_old == DocumentStatus::Current, "{day}");
        assert_eq!(holds(&new), of_new == DocumentStatus::Current, "{day}");
    }
    let detail = library
        .detail(&Caller::default(), &old, date(2026, 1, 1))
        .await
        .unwrap();
    assert_eq!(
        detail
            .repealed_by
            .iter()
            .map(|l| l.document.clone())
            .collect::<Vec<_>>(),
        [Some(new.clone())]
    );
    let detail = library
        .detail(&Caller::default(), &new, date(2026, 1, 1))
        .await
        .unwrap();
    assert_eq!(
        detail
            .repeals
            .iter()
            .map(|l| l.document.clone())
            .collect::<Vec<_>>(),
        [Some(old)]
    );
}

#[tokio::test]
async fn a_repeal_is_recognised_in_whatever_order_the_documents_come() {
    for (name, batches) in [
        ("repealed first", vec![vec![old()], vec![new()]]),
        ("repealing first", vec![vec![new()], vec![old()]]),
        ("one batch, repealed first", vec![vec![old(), new()]]),
        ("one batch, repealing first", vec![vec![new(), old()]]),
        (
            "both twice",
            vec![vec![new(), old()], vec![old()], vec![new()]],
        ),
    ] {
        println!("{name}");
        let place = Place::new();
        let library = place.open().await;
        for batch in batches {
            add(&library, batch).await;
        }
        check_repeal(&library).await;
    }
}

#[tokio::test]
async fn a_repeal_that_a_new_version_no_longer_states_is_taken_back() {
    let place = Place::new();
    let library = place.open().await;
    let ids: Vec<String> = add(&library, vec![old(), new()])
        .await
        .into_iter()
        .map(|o| o.document.id)
        .collect();
    assert_eq!(
        status(&library, &ids[0], date(2026, 1, 1)).await,
        DocumentStatus::Repealed
    );
    let silent = String::from_utf8(new().bytes).unwrap().replace(
        "，《启明市高龄津贴发放办法》（启民发〔2020〕3号）同时废止",
        "",
    );
    let outcome = add(&library, vec![file("新.md", silent)]).await;
    assert_eq!(
        (outcome[0].state, &outcome[0].document.id),
        (OutcomeState::Updated, &ids[1])
    );
    assert_eq!(
        status(&library, &ids[0], date(2026, 1, 1)).await,
        DocumentStatus::Current
    );
    assert!(
        library
            .document(&ids[0])
            .await
            .unwrap()
            .repealed_by
            .is_empty()
    );
}

#[tokio::test]
async fn a_repeal_holds_no_longer_once_the_document_that_states_it_is_withdrawn() {
    let place = Place::new();
    let library = place.open().await;
    let ids: Vec<String> = add(&library, vec![old(), new()])
        .await
        .into_iter()
        .map(|o| o.document.id)
        .collect();
    library.withdraw(&ids[1]).await.unwrap();
    assert_eq!(
        status(&library, &ids[0], date(2026, 1, 1)).await,
        DocumentStatus::Current
    );
    library.restore(&ids[1]).await.unwrap();
    check_repeal(&library).await;
}

#[tokio::test]
async fn the_earliest_of_two_repeals_counts_and_the_other_remains_when_it_goes() {
    let place = Place::new();
    let library = place.open().await;
    let later = file(
        "再新.md",
        "# 启明市养老服务条例实施办法\n\n启民发〔2026〕1号\n\n2026年1月5日印发\n\n第一条　为做好养老服务，制定本办法。\n\n第二条　本办法自2026年2月1日起施行，《启明市高龄津贴发放办法》（启民发〔2020〕3号）同时废止。\n",
    );
    let ids: Vec<String> = add(&library, vec![old(), new(), later])
        .await
        .into_iter()
        .map(|o| o.document.id)
        .collect();
    assert_eq!(
        library.document(&ids[0]).await.unwrap().repealed_on,
        Some(date(2025, 4, 1))
    );
    let silent = String::from_utf8(new().bytes).unwrap().replace(
        "，《启明市高龄津贴发放办法》（启民发〔2020〕3号）同时废止",
        "",
    );
    add(&library, vec![file("新.md", silent)]).await;
    assert_eq!(
        library.document(&ids[0]).await.unwrap().repealed_on,
        Some(date(2026, 2, 1))
    );
}

#[tokio::test]
async fn the_status_of_a_document_follows_its_dates() {
    let place = Place::new();
    let library = place.open().await;
    let text = "# 启明市就业补贴办法\n\n启人社发〔2024〕5号\n\n2024年5月1日印发\n\n第一条　吸纳就业的，给予补贴。\n\n第二条　本办法自2024年6月1日起施行，有效期至2026年5月31日。\n";
    let id = add(&library, vec![file("补贴.md", text)])
        .await
        .remove(0)
        .document
        .id;
    for (day, wanted) in [
        (date(2024, 5, 31), DocumentStatus::Upcoming),
        (date(2024, 6, 1), DocumentStatus::Current),
        (date(2026, 5, 31), DocumentStatus::Current),
        (date(2026, 6, 1), DocumentStatus::Expired),
    ] {
        assert_eq!(status(&library, &id, day).await, wanted, "{day}");
        let find = |status| SearchInput {
            query: "吸纳就业补贴".into(),
            as_of: Some(day),
            status,
            ..SearchInput::default()
        };
        let found = library
            .search(&Caller::default(), find(Some(wanted)))
            .await
            .unwrap()
            .hits;
        assert!(
            found.iter().any(|h| h.document == id && h.status == wanted),
            "{day}: {found:?}"
        );
        assert_eq!(
            !library
                .search(&Caller::default(), find(None))
                .await
                .unwrap()
                .hits
                .is_empty(),
            wanted == DocumentStatus::Current,
            "{day}"
        );
    }
}

#[tokio::test]
async fn the_same_content_under_another_name_is_pointed_out() {
    let place = Place::new();
    let library = place.open().await;
    add(&library, vec![old()]).await;
    let mut copy = old();
    copy.path = "副本/旧（1）.md".into();
    let outcome = add(&library, vec![copy]).await.remove(0);
    assert!(
        outcome
            .warnings
            .iter()
            .any(|w| w.contains("内容相同") && w.contains("旧.md")),
        "{:?}",
        outcome.warnings
    );
    let mut elsewhere = old();
    elsewhere.space = "别处".into();
    assert!(
        add(&library, vec![elsewhere]).await[0].warnings.is_empty(),
        "another space is another matter"
    );
}

#[tokio::test]
async fn the_same_content_twice_in_one_batch_is_pointed_out() {
    let place = Place::new();
    let library = place.open().await;
    let mut copy = old();
    copy.path = "副本.md".into();
    let outcomes = add(&library, vec![old(), copy]).await;
    assert!(
        outcomes
            .iter()
            .any(|o| o.warnings.iter().any(|w| w.contains("内容相同"))),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn an_index_that_lags_behind_catches_up() {
    let place = Place::new();
    {
        let library = place.open().await;
        add(&library, vec![old()]).await;
    }
    // Another index follows, as after a crash between store and index: this one has seen nothing of it.
    let ids: Vec<String> = {
        let library = place.open_with(place.index("other")).await;
        let ids = add(&library, vec![old(), new()])
            .await
            .into_iter()
            .map(|o| o.document.id)
            .collect();
        let many = (0..200).map(|n| {
            file(
                &format!("第{n}号.md"),
                format!("# 第{n}号通知\n\n第{n}号试点的补助为{n}元。"),
            )
        });
        add(&library, many.collect()).await;
        ids
    };
    let library = place.open().await;
    let (stored, indexed) = library.revisions().await.unwrap();
    assert_eq!(stored, indexed);
    assert_eq!(
        library.passages(),
        place.open_with(place.index("third")).await.passages()
    );
    let hits = library
        .search(
            &Caller::default(),
            SearchInput {
                query: "高龄津贴".into(),
                ..SearchInput::default()
            },
        )
        .await
        .unwrap()
        .hits;
    assert!(
        !hits.is_empty() && hits.iter().all(|h| h.document == ids[1]),
        "the repealed one is no longer found"
    );
    library.withdraw(&ids[1]).await.unwrap();
    drop(library);
    let library = place.open_with(place.index("other")).await;
    let hits = library
        .search(
            &Caller::default(),
            SearchInput {
                query: "高龄津贴".into(),
                ..SearchInput::default()
            },
        )
        .await
        .unwrap()
        .hits;
    assert!(
        !hits.is_empty() && hits.iter().all(|h| h.document == ids[0]),
        "the withdrawn one is no longer found, and repeals no longer"
    );
}

#[tokio::test]
async fn building_the_index_again_gives_the_same_ranking() {
    let place = Place::new();
    let library = place.open().await;
    for n in 0..40 {
        let files = (0..5).map(|m| file(&format!("{n}-{m}.md"), format!("# 第{n}号通知\n\n第一条　第{m}类人员每月补助{}元。\n\n第二条　补助由街道按月发放。\n", n * m)));
        add(&library, files.collect()).await;
    }
    add(&library, vec![old(), new()]).await;
    let rank = async |library: &Library| {
        let mut all = Vec::new();
        for query in ["补助多少元", "第3类人员", "高龄津贴", "街道按月发放"] {
            let ranking = library
                .rank(
                    query,
                    Search {
                        limit: 50,
                        ..Search::default()
                    },
                )
                .await
                .unwrap();
            all.push(
                ranking
                    .hits
                    .into_iter()
                    .map(|h| (h.document, h.clause, h.score.to_bits()))
                    .collect::<Vec<_>>(),
            );
        }
        all
    };
    let (before, passages) = (rank(&library).await, library.passages());
    let rebuilt = library.reindex(&Context::default()).await.unwrap();
    assert_eq!(
        (rebuilt.documents, rebuilt.passages, library.passages()),
        (202, passages, passages)
    );
    assert_eq!(rank(&library).await, before);
    drop(library);
    assert_eq!(
        rank(&place.open().await).await,
        before,
        "and after opening again"
    );
}

#[tokio::test]
async fn while_the_index_is_built_again_what_stood_is_found_and_stopping_changes_nothing() {
    let place = Place::new();
    let library = Arc::new(place.open().await);
    let files = (0..150).map(|n| {
        file(
            &format!("{n}.md"),
            format!("# 第{n}号通知\n\n第{n}号补助由街道按月发放。"),
        )
    });
    add(&library, files.collect()).await;
    let passages = library.passages();
    let find = async |library: &Library| {
        let input = SearchInput {
            query: "补助由街道按月发放".into(),
            limit: Some(100),
            ..SearchInput::default()
        };
        let found = library.search(&Caller::default(), input).await;
        found.unwrap().hits.len()
    };
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    for stop_after in [2, usize::MAX] {
        let context = Context::default().following({
            let (library, seen) = (library.clone(), seen.clone());
            let told = std::sync::atomic::AtomicUsize::new(0);
            move |_| {
                seen.lock().unwrap().push(library.passages());
                told.fetch_add(1, Ordering::SeqCst) < stop_after
            }
        });
        let rebuilt = library.reindex(&context).await;
        match rebuilt {
            Ok(rebuilt) => assert_eq!((rebuilt.documents, rebuilt.passages), (150, passages)),
            Err(error) => assert_eq!(error.code, ErrorCode::Cancelled),
        }
        assert_eq!(find(&library).await, 100, "{stop_after}");
        let (stored, indexed) = library.revisions().await.unwrap();
        assert!(indexed >= stored);
    }
    let seen = seen.lock().unwrap().clone();
    assert!(
        seen.len() > 4 && seen.iter().all(|p| *p == passages),
        "{seen:?}"
    );
    // What comes after it is found as ever.
    add(&library, vec![new()]).await;
    assert_eq!(library.passages(), passages + new_passages().await);
}

/// How many passages the new document has.
async fn new_passages() -> u64 {
    let alone = Place::new();
    let library = alone.open().await;
    add(&library, vec![new()]).await;
    library.passages()
}

/// The stored texts in which a phrase stands get another last byte.
fn tamper(files: &Path, phrase: &str) {
    for folder in std::fs::read_dir(files).unwrap() {
        for entry in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            if let Some(place) = bytes
                .windows(phrase.len())
                .position(|w| w == phrase.as_bytes())
            {
                bytes[place + phrase.len() - 1] ^= 1;
                std::fs::write(&path, bytes).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_document_whose_text_was_changed_does_not_stop_the_import_of_one_that_repeals_it() {
    let place = Place::new();
    let library = place.open().await;
    let ended = add(&library, vec![old()]).await.remove(0).document.id;
    tamper(&place.files(), "高龄津贴60元");
    assert_eq!(
        library
            .text(&library.document(&ended).await.unwrap())
            .await
            .unwrap_err()
            .code,
        ErrorCode::SourceChanged
    );
    let outcomes = library.add(vec![new()], &mut |_| Ok(Vec::new())).await;
    let outcomes = outcomes.map_err(|e| format!("{e} {:?}", e.detail)).unwrap();
    let id = &outcomes[0].as_ref().unwrap().document.id;
    let hits = library
        .search(
            &Caller::default(),
            SearchInput {
                query: "高龄津贴".into(),
                ..SearchInput::default()
            },
        )
        .await
        .unwrap()
        .hits;
    assert!(hits.iter().any(|h| h.document == *id), "{hits:?}");
}

/// An index that fails when told to, as on a full disk.
struct Flaky {
    inner: Arc<TantivyIndex>,
    fails: Arc<AtomicBool>,
}

impl LexicalIndex for Flaky {
    fn apply(&self, changes: Vec<Change>, revision: u64) -> kernel::Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(kernel::Error::new(ErrorCode::StorageFull, "存储空间已满。"));
        }
        self.inner.apply(changes, revision)
    }

    fn rebuild(&self, source: &mut Source<'_>, revision: u64) -> kernel::Result<()> {
        self.inner.rebuild(source, revision)
    }

    fn revision(&self) -> u64 {
        self.inner.revision()
    }

    fn clear(&self) -> kernel::Result<()> {
        self.inner.clear()
    }

    fn search(&self, query: &kernel::lexical::Query) -> kernel::Result<Vec<kernel::lexical::Hit>> {
        self.inner.search(query)
    }

    fn rarity(&self, tokens: &[String]) -> kernel::Result<Vec<f32>> {
        self.inner.rarity(tokens)
    }

    fn admitted(
        &self,
        passages: &[(&str, u32)],
        filter: &kernel::lexical::Filter,
    ) -> kernel::Result<Vec<bool>> {
        self.inner.admitted(passages, filter)
    }

    fn passages(&self) -> u64 {
        self.inner.passages()
    }
}

#[tokio::test]
async fn what_was_stored_while_the_index_failed_is_found_once_it_works_again() {
    let place = Place::new();
    let fails = Arc::new(AtomicBool::new(false));
    let library = place
        .open_with(Arc::new(Flaky {
            inner: place.index("index"),
            fails: fails.clone(),
        }))
        .await;
    fails.store(true, Ordering::SeqCst);
    let outcome = library.add(vec![new()], &mut |_| Ok(Vec::new())).await;
    let stored = library.count().await.unwrap();
    println!("refused: {}, stored: {stored}", outcome.is_err());
    fails.store(false, Ordering::SeqCst);
    add(
        &library,
        vec![file("别的.md", "# 别的通知\n\n每月发放就业补助三百元。")],
    )
    .await;
    let find = async |library: &Library| {
        library
            .search(
                &Caller::default(),
                SearchInput {
                    query: "高龄津贴".into(),
                    ..SearchInput::default()
                },
            )
            .await
            .unwrap()
            .hits
            .len()
    };
    let found = find(&library).await;
    assert_eq!(found > 0, stored > 0, "what is listed is found");
    drop(library);
    let library = place.open().await;
    assert_eq!(
        find(&library).await > 0,
        stored > 0,
        "what is listed is found after the next start"
    );
}

#[tokio::test]
async fn a_bad_file_of_a_batch_leaves_the_others_whole() {
    let place = Place::new();
    let library = place.open().await;
    let outcomes = library
        .add(vec![old(), file("坏.docx", "PK"), new()], &mut |_| {
            Ok(Vec::new())
        })
        .await
        .unwrap();
    assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok());
    check_repeal(&library).await;
}

/// The Markdown files of an archive, unpacked into a folder.
fn markdown_in(archive: &Path, folder: &Path) -> Vec<PathBuf> {
    assert!(
        Command::new("tar")
            .arg("-xzf")
            .arg(archive)
            .arg("-C")
            .arg(folder)
            .status()
            .unwrap()
            .success()
    );
    let mut paths = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                paths.push(path);
            }
        }
    }
    paths
}

#[tokio::test]
async fn the_statutes_of_the_country_import_whole_and_a_second_time_change_nothing() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|up| up.join("shared/data/zhida/laws_markdown.tar.gz"));
    let Some(archive) = data.into_iter().find(|p| p.exists()) else {
        println!("SKIPPED: shared/data/zhida/laws_markdown.tar.gz is not beside the project");
        return;
    };
    let unpacked = tempfile::tempdir().unwrap();
    let mut paths = markdown_in(&archive, unpacked.path());
    paths.sort();
    assert_eq!(paths.len(), 3504);
    let place = Place::new();
    let library = place.open().await;
    // Folders of the collection have index pages, some of them without a word.
    let is_empty = |path: &Path| {
        path.ends_with("_index.md")
            && std::fs::read_to_string(path)
                .unwrap()
                .split("---")
                .last()
                .unwrap()
                .trim()
                .is_empty()
    };
    let empty = paths.iter().filter(|p| is_empty(p)).count();
    println!("{empty} index pages have no text");
    let import = async |library: &Library, wanted: OutcomeState| {
        for batch in paths.chunks(48) {
            let files = batch.iter().map(|p| {
                file(
                    p.strip_prefix(unpacked.path()).unwrap().to_str().unwrap(),
                    std::fs::read(p).unwrap(),
                )
            });
            for (path, outcome) in batch.iter().zip(
                library
                    .add(files.collect(), &mut |_| Ok(Vec::new()))
                    .await
                    .unwrap(),
            ) {
                match outcome {
                    Err(error) if is_empty(path) => {
                        assert_eq!(error.code, ErrorCode::EmptyDocument, "{}", path.display())
                    }
                    Err(error) => panic!("{}: {error}", path.display()),
                    Ok(outcome) => {
                        assert_eq!(outcome.state, wanted, "{}", path.display());
                        assert!(outcome.document.clauses > 0, "{}", path.display());
                    }
                }
            }
        }
    };
    import(&library, OutcomeState::Imported).await;
    assert_eq!(library.count().await.unwrap(), (3504 - empty) as u64);
    let (passages, revisions) = (library.passages(), library.revisions().await.unwrap());
    assert_eq!(revisions.0, revisions.1);
    assert!(passages > 100_000, "{passages}");
    import(&library, OutcomeState::Unchanged).await;
    assert_eq!(
        (library.passages(), library.revisions().await.unwrap()),
        (passages, revisions)
    );
}
