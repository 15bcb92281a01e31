//! Pictures on their way in: in folders, in archives, and over an end without warning.

use std::{
    io::{Cursor, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::support::Place;
use citymind_knowledge::imports::{Import, ImportRow, ImportState, Imports, RowState, Staged};
use kernel::{identity::Caller, page::PageRequest};
use tokio::sync::broadcast::error::RecvError;

const ALL: PageRequest = PageRequest {
    page: None,
    page_size: Some(200),
};

async fn open(place: &Place) -> Arc<Imports> {
    let library = Arc::new(place.open().await);
    Imports::open(library, place.path().join("staging"), "here")
        .await
        .unwrap()
}

async fn over(imports: &Imports, id: &str) -> Import {
    if let Some(mut changes) = imports.follow(id) {
        while !matches!(changes.recv().await, Err(RecvError::Closed)) {}
    }
    imports.get(id, None, ALL).await.unwrap()
}

/// Stages the files of an upload and starts importing them.
async fn start(imports: &Arc<Imports>, files: &[(&str, &[u8])]) -> String {
    let (id, folder) = imports.stage().await.unwrap();
    let mut staged = Vec::new();
    for (place, (path, bytes)) in files.iter().enumerate() {
        let file = folder.join(place.to_string());
        std::fs::write(&file, bytes).unwrap();
        let path = (*path).to_owned();
        staged.push(Staged { path, file });
    }
    imports.start(id, "测试", staged).await.unwrap().id
}

async fn import(imports: &Arc<Imports>, files: &[(&str, &[u8])]) -> Import {
    let id = start(imports, files).await;
    over(imports, &id).await
}

fn row<'a>(import: &'a Import, path: &str) -> &'a ImportRow {
    let mut rows = import.rows.iter();
    rows.find(|r| r.path == path)
        .unwrap_or_else(|| panic!("no row for {path}: {import:#?}"))
}

/// Total, imported, unchanged, failed, pictures, unused.
fn counts(import: &Import) -> [u64; 6] {
    assert_eq!((import.state, import.waiting), (ImportState::Done, 0));
    [
        import.total,
        import.imported,
        import.unchanged,
        import.failed,
        import.pictures,
        import.unused,
    ]
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn document(title: &str, picture: &str) -> String {
    format!("# {title}\n\n一、打开页面。\n\n![页面]({picture})\n\n二、点“提交”。\n")
}

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

/// The pictures of a row's document.
async fn pictures(imports: &Imports, row: &ImportRow) -> Vec<Vec<u8>> {
    let id = row.document.as_deref().unwrap();
    let library = imports.library();
    let mut all = Vec::new();
    for picture in library.content(id).await.unwrap().pictures {
        all.push(library.picture_bytes(&picture).await.unwrap());
    }
    all
}

#[tokio::test]
async fn pictures_of_a_folder_go_with_the_documents_that_refer_to_them() {
    let place = Place::new();
    let imports = open(&place).await;
    let (one, two) = (
        document("登录说明", "图/一.svg"),
        document("注册说明", "../共用/二.png"),
    );
    let active = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let files: [(&str, &[u8]); 7] = [
        ("资料/甲.md", one.as_bytes()),
        ("资料/图/一.svg", SVG),
        ("资料/图/多余.svg", SVG),
        ("资料/图/活.svg", active),
        ("共用/二.png", PNG),
        ("资料/乙.md", two.as_bytes()),
        (
            "资料/丙.md",
            "# 说明\n\n一、见图。\n\n![图](没有.png)\n".as_bytes(),
        ),
    ];
    let done = import(&imports, &files).await;
    assert_eq!(counts(&done), [7, 3, 0, 1, 2, 1], "{done:#?}");
    for (path, title) in [("资料/图/一.svg", "登录说明"), ("共用/二.png", "注册说明")]
    {
        let row = row(&done, path);
        assert_eq!(
            (row.state, row.title.as_deref()),
            (RowState::Picture, Some(title))
        );
    }
    let unused = row(&done, "资料/图/多余.svg");
    assert_eq!((unused.state, unused.warnings.len()), (RowState::Unused, 1));
    let refused = row(&done, "资料/图/活.svg");
    assert_eq!(refused.state, RowState::Failed);
    assert!(refused.error.as_deref().unwrap().contains("脚本"));
    assert_eq!(pictures(&imports, row(&done, "资料/甲.md")).await, [SVG]);
    assert_eq!(pictures(&imports, row(&done, "资料/乙.md")).await, [PNG]);
    let dangling = row(&done, "资料/丙.md");
    assert_eq!(dangling.state, RowState::Imported);
    assert!(
        dangling.warnings[0].contains("资料/没有.png"),
        "{:?}",
        dangling.warnings
    );
    assert!(!place.stores(b"alert"), "what is refused is not kept");

    // The same again: nothing changes, and the pictures still say whose they are.
    let again = import(&imports, &files).await;
    assert_eq!(counts(&again), [7, 0, 3, 1, 2, 1], "{again:#?}");
    // Another picture beside the same texts.
    let mut changed = files;
    changed[1].1 = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><circle/></svg>";
    let third = import(&imports, &changed).await;
    assert_eq!(counts(&third), [7, 1, 2, 1, 2, 1], "{third:#?}");
    assert_eq!(row(&third, "资料/甲.md").state, RowState::Updated);
    assert_eq!(
        pictures(&imports, row(&third, "资料/甲.md")).await,
        [changed[1].1]
    );
}

#[tokio::test]
async fn pictures_of_an_archive_are_found_whether_they_come_before_or_after() {
    let place = Place::new();
    let imports = open(&place).await;
    let (one, two) = (
        document("登录说明", "前.svg"),
        document("注册说明", "图/后.png"),
    );
    let within = document("年报说明", "步骤/内.svg");
    let nested = zip(&[("丁.md", within.as_bytes()), ("步骤/内.svg", SVG)]);
    let archive = zip(&[
        ("前.svg", SVG),
        ("甲.md", one.as_bytes()),
        ("乙.md", two.as_bytes()),
        ("内.zip", &nested),
        ("图/后.png", PNG),
        ("图/多余.gif", b"GIF89a........"),
        ("图/假.png", b"no picture"),
    ]);
    let done = import(&imports, &[("打包.zip", &archive)]).await;
    assert_eq!(counts(&done), [8, 3, 0, 1, 3, 1], "{done:#?}");
    for (document, picture, bytes) in [
        ("打包.zip › 甲.md", "打包.zip › 前.svg", SVG),
        ("打包.zip › 乙.md", "打包.zip › 图/后.png", PNG),
        (
            "打包.zip › 内.zip/丁.md",
            "打包.zip › 内.zip/步骤/内.svg",
            SVG,
        ),
    ] {
        let (document, picture) = (row(&done, document), row(&done, picture));
        assert_eq!(pictures(&imports, document).await, [bytes]);
        assert_eq!(picture.state, RowState::Picture);
        assert_eq!(picture.document, document.document);
        assert!(document.warnings.is_empty(), "{document:?}");
    }
    assert_eq!(row(&done, "打包.zip › 图/多余.gif").state, RowState::Unused);
    let none = row(&done, "打包.zip › 图/假.png");
    assert!(
        none.error.as_deref().unwrap().contains("格式不支持"),
        "{none:?}"
    );
    assert!(
        !place.stores(b"GIF89a...."),
        "what nobody refers to is not kept"
    );
    assert!(!place.path().join("staging").join(&done.id).exists());

    // The same files as a folder of that name are the same documents with the same pictures.
    let folder = [
        ("打包/甲.md", one.as_bytes()),
        ("打包/前.svg", SVG),
        ("打包/乙.md", two.as_bytes()),
        ("打包/图/后.png", PNG),
    ];
    let again = import(&imports, &folder).await;
    assert_eq!(counts(&again), [4, 0, 2, 0, 2, 0], "{again:#?}");
}

#[tokio::test]
async fn pictures_alone_are_no_failure() {
    let place = Place::new();
    let imports = open(&place).await;
    let archive = zip(&[("a.png", PNG)]);
    let done = import(
        &imports,
        &[("照片.jpg", b"\xFF\xD8\xFFxx"), ("照片.zip", &archive)],
    )
    .await;
    assert_eq!(counts(&done), [2, 0, 0, 0, 0, 2], "{done:#?}");
}

#[test]
fn an_import_with_pictures_that_was_cut_off_goes_on_and_loses_none() {
    let place = Place::new();
    let pages: Vec<(String, String)> = (0..150)
        .map(|n| {
            (
                format!("第{n}号.md"),
                document(&format!("第{n}号说明"), &format!("图/{n}.svg")),
            )
        })
        .collect();
    let drawn: Vec<(String, Vec<u8>)> = (0..150)
        .map(|n| {
            let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{n}</text></svg>");
            (format!("图/{n}.svg"), svg.into_bytes())
        })
        .collect();
    let mut files: Vec<(&str, &[u8])> = pages.iter().map(|(p, t)| (&**p, t.as_bytes())).collect();
    files.extend(drawn.iter().map(|(p, b)| (&**p, &**b)));
    let archive = zip(&files);
    let outside = document("外面的说明", "打包/图/7.svg");
    let upload = [("打包.zip", &*archive), ("外面.md", outside.as_bytes())];

    let first = tokio::runtime::Runtime::new().unwrap();
    let id = first.block_on(async {
        let imports = open(&place).await;
        let id = start(&imports, &upload).await;
        let mut changes = imports.follow(&id).unwrap();
        while changes
            .recv()
            .await
            .is_ok_and(|import| import.imported < 40)
        {}
        id
    });
    first.shutdown_timeout(Duration::from_secs(30));

    let second = tokio::runtime::Runtime::new().unwrap();
    second.block_on(async {
        let imports = open(&place).await;
        imports.resume().await.unwrap();
        let done = over(&imports, &id).await;
        assert_eq!(done.total, 301);
        assert_eq!(
            (
                done.state,
                done.imported + done.unchanged,
                done.failed,
                done.pictures,
                done.unused
            ),
            (ImportState::Done, 151, 0, 150, 0)
        );
        let library = imports.library();
        assert_eq!(library.count().await.unwrap(), 151);
        let rows = |page| {
            let page = PageRequest {
                page: Some(page),
                page_size: Some(200),
            };
            imports.get(&id, None, page)
        };
        let mut checked = 0;
        for row in [rows(1).await.unwrap().rows, rows(2).await.unwrap().rows].concat() {
            let document = row.document.as_deref().unwrap();
            let kept = library.content(document).await.unwrap().pictures;
            assert_eq!(kept.len(), 1, "{row:?}");
            checked += usize::from(row.state != RowState::Picture);
        }
        assert_eq!(checked, 151);
    });
}

/// The files below a folder, under the path that a browser gives them.
fn below(folder: &Path, base: &Path, into: &mut Vec<Staged>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            below(&entry, base, into);
        } else {
            let path = entry
                .strip_prefix(base)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            into.push(Staged { path, file: entry });
        }
    }
}

#[tokio::test]
async fn the_demonstration_citys_steps_have_all_their_pictures() {
    let place = Place::new();
    let imports = open(&place).await;
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/knowledge");
    let mut files = Vec::new();
    below(&base.join("操作详解"), &base, &mut files);
    let (id, _) = imports.stage().await.unwrap();
    imports.start(id.clone(), "政务知识", files).await.unwrap();
    let done = over(&imports, &id).await;
    assert_eq!(counts(&done), [50, 8, 0, 0, 42, 0], "{done:#?}");
    let mut shown = 0;
    for row in done.rows.iter().filter(|r| r.state == RowState::Imported) {
        let id = row.document.as_deref().unwrap();
        let today = kernel::time::today();
        let library = imports.library();
        let detail = library.detail(&Caller::default(), id, today).await.unwrap();
        for picture in &detail.pictures {
            let clause = &detail.body[picture.clause.unwrap()];
            assert!(
                clause.label.contains('步'),
                "{picture:?} stands in {clause:?}"
            );
        }
        assert!(!row.warnings.iter().any(|w| w.contains("图片")), "{row:?}");
        shown += detail.pictures.len();
    }
    assert_eq!(shown, 42);
}
