//! Pictures of documents, from the files beside them or out of the documents themselves.

use std::{collections::HashMap, path::PathBuf};

use super::support::{Place, file};
use citymind_knowledge::{
    Library, Outcome,
    library::{Beside, ComposeInput, OutcomeState},
    record::PictureRecord,
};
use documents::Media;
use jiff::civil::date;
use kernel::{ErrorCode, capability::Context, identity::Caller};

const TEXT: &str = "# 网上申领操作详解\n\n## 第一步　登录\n\n![登录页](图/一.png)\n\n打开APP，刷脸登录。\n\n## 第二步　填写\n\n填写合同编号。\n\n![填写页](图/二.svg)\n";

fn png(mark: u8) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".as_slice(), &[mark; 20]].concat()
}

fn svg(word: &str) -> Vec<u8> {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{word}</text></svg>").into_bytes()
}

/// A folder of picture files.
struct Folder(tempfile::TempDir, Beside);

impl Folder {
    fn of(pictures: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let beside: HashMap<String, PathBuf> = pictures
            .iter()
            .enumerate()
            .map(|(n, (path, bytes))| {
                let file = folder.path().join(n.to_string());
                std::fs::write(&file, bytes).unwrap();
                ((*path).to_owned(), file)
            })
            .collect();
        Self(folder, beside)
    }
}

async fn add(library: &Library, text: &str, pictures: &[(&str, Vec<u8>)]) -> Outcome {
    let folder = Folder::of(pictures);
    assert!(folder.0.path().is_dir());
    let mut outcomes = library
        .add_beside(vec![file("详解/申领.md", text)], &folder.1, &mut |_| {
            Ok(Vec::new())
        })
        .await
        .unwrap();
    outcomes.remove(0).unwrap()
}

fn both() -> [(&'static str, Vec<u8>); 2] {
    [("详解/图/一.png", png(1)), ("详解/图/二.svg", svg("填写"))]
}

async fn pictures(library: &Library, id: &str) -> Vec<PictureRecord> {
    library.content(id).await.unwrap().pictures
}

/// The bytes of a document's pictures.
async fn bytes(library: &Library, id: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (ordinal, kept) in pictures(library, id).await.iter().enumerate() {
        let picture = library.picture(&Caller::default(), id, ordinal).await;
        assert_eq!(&picture.unwrap(), kept);
        all.push(library.picture_bytes(kept).await.unwrap());
    }
    all
}

#[tokio::test]
async fn a_picture_beside_a_document_is_kept_with_it_and_stands_at_its_step() {
    let place = Place::new();
    let library = place.open().await;
    let outcome = add(&library, TEXT, &both()).await;
    assert_eq!(outcome.state, OutcomeState::Imported);
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    assert_eq!(outcome.pictures, ["详解/图/一.png", "详解/图/二.svg"]);
    let id = &outcome.document.id;
    assert_eq!(bytes(&library, id).await, [png(1), svg("填写")]);
    let detail = library
        .detail(&Caller::default(), id, date(2025, 1, 1))
        .await
        .unwrap();
    let shown = &detail.pictures;
    assert_eq!(
        shown
            .iter()
            .map(|p| (p.picture, &*p.alt, p.media))
            .collect::<Vec<_>>(),
        [(0, "登录页", Media::Png), (1, "填写页", Media::Svg)]
    );
    for (picture, said) in shown.iter().zip(["刷脸登录", "合同编号"]) {
        let clause = &detail.body[picture.clause.unwrap()];
        assert!(clause.text.contains(said), "{picture:?} {clause:?}");
        assert!(picture.at <= clause.end);
        let end = format!("/{id}/pictures/{}?v=", picture.picture);
        assert!(picture.address.contains(&end), "{}", picture.address);
    }
    let none = library.picture(&Caller::default(), id, 2).await;
    assert_eq!(none.unwrap_err().code, ErrorCode::NotFound);
    let hidden = Caller {
        hidden_spaces: std::sync::Arc::new(["测试".to_owned()].into()),
        ..Caller::default()
    };
    let unseen = library.picture(&hidden, id, 0).await;
    assert_eq!(unseen.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_same_again_changes_nothing_with_or_without_the_pictures() {
    let place = Place::new();
    let library = place.open().await;
    let first = add(&library, TEXT, &both()).await;
    let again = add(&library, TEXT, &both()).await;
    assert_eq!(again.state, OutcomeState::Unchanged);
    assert_eq!(again.pictures.len(), 2, "they are still its pictures");
    let alone = add(&library, TEXT, &[]).await;
    assert_eq!(alone.state, OutcomeState::Unchanged);
    assert!(alone.warnings.is_empty(), "{:?}", alone.warnings);
    let stands = library.document(&first.document.id).await.unwrap();
    assert_eq!(stands, first.document);
    assert_eq!(pictures(&library, &stands.id).await.len(), 2);
}

#[tokio::test]
async fn another_picture_beside_the_same_text_is_a_new_version_and_the_old_one_keeps_its_own() {
    let place = Place::new();
    let library = place.open().await;
    let first = add(&library, TEXT, &both()).await.document;
    let changed = [("详解/图/一.png", png(2)), ("详解/图/二.svg", svg("填写"))];
    let second = add(&library, TEXT, &changed).await;
    assert_eq!(second.state, OutcomeState::Updated);
    assert_eq!(
        (&second.document.id, second.document.version),
        (&first.id, 2)
    );
    assert_eq!(bytes(&library, &first.id).await, [png(2), svg("填写")]);
    let versions = library
        .versions(&Caller::default(), &first.id, date(2025, 1, 1))
        .await
        .unwrap()
        .versions;
    let old = &versions[1].id;
    assert_eq!(bytes(&library, old).await, [png(1), svg("填写")]);
    library.restore_version(&first.id, old).await.unwrap();
    assert_eq!(bytes(&library, &first.id).await, [png(1), svg("填写")]);
    assert_eq!(library.document(&first.id).await.unwrap().version, 3);
}

#[tokio::test]
async fn a_changed_text_that_comes_alone_keeps_its_pictures_and_says_so() {
    let place = Place::new();
    let library = place.open().await;
    add(&library, TEXT, &both()).await;
    let text = TEXT.replace("合同编号", "备案编号");
    let changed = add(&library, &text, &[]).await;
    assert_eq!(
        (changed.state, changed.document.version),
        (OutcomeState::Updated, 2)
    );
    assert!(
        changed.warnings.iter().any(|w| w.contains("沿用")),
        "{:?}",
        changed.warnings
    );
    assert_eq!(
        bytes(&library, &changed.document.id).await,
        [png(1), svg("填写")]
    );
}

#[tokio::test]
async fn what_is_missing_or_unsafe_is_told_and_can_be_brought_later() {
    let place = Place::new();
    let library = place.open().await;
    let active = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let with = [("详解/图/二.svg", active.to_vec())];
    let lacking = add(&library, TEXT, &with).await;
    assert_eq!(lacking.state, OutcomeState::Imported);
    let told = lacking.warnings.join("\n");
    assert!(
        told.contains("没有找到：详解/图/一.png") && told.contains("脚本"),
        "{told}"
    );
    let id = &lacking.document.id;
    let content = library.content(id).await.unwrap();
    assert!(content.pictures.is_empty());
    assert_eq!(content.notes.len(), 2, "{:?}", content.notes);
    let whole = add(&library, TEXT, &both()).await;
    assert_eq!(
        (whole.state, whole.document.version),
        (OutcomeState::Updated, 1)
    );
    assert!(whole.warnings.is_empty(), "{:?}", whole.warnings);
    assert_eq!(bytes(&library, id).await, [png(1), svg("填写")]);
}

#[tokio::test]
async fn a_picture_that_was_damaged_in_the_store_is_mended_by_importing_it_again() {
    let place = Place::new();
    let library = place.open().await;
    let id = add(&library, TEXT, &both()).await.document.id;
    let kept = pictures(&library, &id).await.remove(0);
    place.damage(&kept.file);
    let broken = library.picture_bytes(&kept).await;
    assert_eq!(broken.unwrap_err().code, ErrorCode::SourceChanged);
    let again = add(&library, TEXT, &both()).await;
    assert_eq!(again.state, OutcomeState::Unchanged);
    assert_eq!(bytes(&library, &id).await, [png(1), svg("填写")]);
}

#[tokio::test]
async fn a_picture_inside_of_a_page_is_kept_like_one_beside_it() {
    let place = Place::new();
    let library = place.open().await;
    let page = "<html><body><h1>办事指南</h1><p>窗口受理。</p><img alt=\"大厅\" src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"><p>当天办结。</p></body></html>";
    let added = super::support::add_one(&library, file("指南.html", page)).await;
    let id = &added.document.id;
    let kept = pictures(&library, id).await;
    assert_eq!(
        (kept.len(), kept[0].media, &*kept[0].alt),
        (1, Media::Gif, "大厅")
    );
    assert!(kept[0].path.is_none() && added.pictures.is_empty());
    assert!(bytes(&library, id).await[0].starts_with(b"GIF89a"));
}

#[tokio::test]
async fn the_picture_of_a_step_is_a_file_and_comes_back_into_the_form() {
    use citymind_knowledge::forms::{Form, Step, Walkthrough};
    let place = Place::new();
    let library = place.open().await;
    let step = |title: &str, picture: Option<&str>| Step {
        title: title.into(),
        text: format!("{title}，按页面提示操作。"),
        picture: picture.map(str::to_owned),
    };
    let form = |picture: &str| {
        Form::Walkthrough(Walkthrough {
            title: "网上年报操作详解".into(),
            issuer: None,
            audience: None,
            steps: vec![step("登录", None), step("填报", Some(picture))],
        })
    };
    let (one, two) = (
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "data:image/gif;base64,R0lGODlhAgACAAAAACw=",
    );
    let context = Context::default();
    let compose = async |form: Form, id: Option<(String, u64)>| {
        let (id, revision) = id.unzip();
        let space = None;
        let input = ComposeInput {
            id,
            revision,
            space,
            form,
        };
        library.compose(&context, input).await
    };
    let first = compose(form(one), None).await.unwrap().document;
    let content = library.content(&first.id).await.unwrap();
    assert_eq!(content.pictures.len(), 1);
    assert!(content.pictures[0].alt.contains("填报"));
    let record = serde_json::to_string(&content).unwrap();
    assert!(
        !record.contains("base64"),
        "the record names the file: {record}"
    );
    let opened = library.composed(&context, &first.id).await.unwrap();
    assert_eq!(opened.form, form(one));

    let changed = compose(form(two), Some((first.id.clone(), opened.revision)));
    assert_eq!(changed.await.unwrap().document.version, 2);
    let versions = library
        .versions(&Caller::default(), &first.id, date(2025, 1, 1))
        .await
        .unwrap()
        .versions;
    for (version, picture) in versions.iter().zip([two, one]) {
        let opened = library.composed(&context, &version.id).await.unwrap();
        assert_eq!(opened.form, form(picture));
    }
    library
        .restore_version(&first.id, &versions[1].id)
        .await
        .unwrap();
    let restored = library.composed(&context, &first.id).await.unwrap();
    assert_eq!(restored.form, form(one));

    let file = &content.pictures[0].file;
    for refused in [
        "data:image/png;base64,AAAA",
        "data:image/png;base64,###",
        "data:image/svg+xml;base64,PHN2Zy8+",
        &format!("stored:{file}"),
    ] {
        let error = compose(form(refused), None).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidInput, "{refused}");
        assert!(error.message.contains("第 2 步的图片"), "{}", error.message);
    }
}
