//! What is known of a document, corrected by people.

use std::sync::Arc;

use super::support::{Place, add_one, file, found, status};
use citymind_knowledge::{
    Library,
    facts::{Corrections, Field},
    library::{EditInput, OutcomeState, SearchInput},
};
use jiff::civil::date;
use kernel::{
    ErrorCode, Result,
    capability::Context,
    evidence::DocumentStatus,
    identity::{Account, Caller},
};
use serde_json::Value;

const TEXT: &str = "# 启明市高龄津贴发放办法\n\n启明市民政局 2020年1月10日\n\n第一条　年满八十周岁的老年人，每人每月发放高龄津贴六十元。\n\n第二条　本办法自2020年2月1日起施行。\n";

fn clerk() -> Context {
    Context::of(Caller::system("王芳"))
}

async fn edit(
    library: &Library,
    id: &str,
    set: Corrections,
    undo: Vec<Field>,
) -> Result<citymind_knowledge::record::DocumentRecord> {
    let revision = library.document(id).await.unwrap().revision;
    let input = EditInput {
        id: id.into(),
        revision,
        set,
        undo,
    };
    library.edit(&clerk(), &input).await
}

fn title(title: &str) -> Corrections {
    Corrections {
        title: Some(title.into()),
        ..Corrections::default()
    }
}

fn from(day: &str) -> Corrections {
    Corrections {
        effective_from: Some(Some(day.into())),
        ..Corrections::default()
    }
}

#[tokio::test]
async fn a_correction_is_found_at_once_survives_re_import_and_can_be_undone() {
    let place = Place::new();
    let library = place.open().await;
    let id = add_one(&library, file("津贴.md", TEXT)).await.document.id;
    let corrections = Corrections {
        region: Some(Some("启明市东湖区".into())),
        topics: Some(vec!["养老".into(), "养老".into(), "补贴".into()]),
        ..title("银龄关怀金发放办法")
    };
    let edited = edit(&library, &id, corrections, Vec::new()).await.unwrap();
    assert_eq!(edited.topics, ["养老", "补贴"]);
    let hits = found(&library, "银龄关怀金", date(2024, 1, 1)).await;
    assert_eq!(hits[0].title, "银龄关怀金发放办法");

    let same = add_one(&library, file("津贴.md", TEXT)).await;
    assert_eq!(same.state, OutcomeState::Unchanged);
    let changed = add_one(&library, file("津贴.md", TEXT.replace("六十元", "八十元"))).await;
    assert_eq!(changed.document.title, "银龄关怀金发放办法");
    assert_eq!(changed.document.region.as_deref(), Some("启明市东湖区"));
    assert_eq!(changed.document.edits[&Field::Title].by, "王芳");

    let undone = edit(&library, &id, Corrections::default(), vec![Field::Title])
        .await
        .unwrap();
    assert_eq!(undone.title, "启明市高龄津贴发放办法");
    assert_eq!(undone.topics, ["养老", "补贴"]);
    assert!(!undone.edits.contains_key(&Field::Title));
    // What the file says itself is no correction.
    let again = edit(&library, &id, title("启明市高龄津贴发放办法"), Vec::new())
        .await
        .unwrap();
    assert!(!again.edits.contains_key(&Field::Title));
    drop(library);
    let stored = place.open().await.document(&id).await.unwrap();
    assert_eq!(stored.title, "启明市高龄津贴发放办法");
}

#[tokio::test]
async fn who_comes_second_is_told_what_the_first_has_changed() {
    let place = Place::new();
    let library = place.open().await;
    let read = add_one(&library, file("津贴.md", TEXT)).await.document;
    let input = |set| EditInput {
        id: read.id.clone(),
        revision: read.revision,
        set,
        undo: Vec::new(),
    };
    library
        .edit(&clerk(), &input(title("甲办法")))
        .await
        .unwrap();
    let refused = library
        .edit(&clerk(), &input(title("乙办法")))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(
        refused.message.contains("王芳") && refused.message.contains("标题"),
        "{}",
        refused.message
    );
    assert_eq!(library.document(&read.id).await.unwrap().title, "甲办法");
    add_one(&library, file("津贴.md", TEXT.replace("六十元", "八十元"))).await;
    let refused = library
        .edit(&clerk(), &input(title("乙办法")))
        .await
        .unwrap_err();
    assert!(refused.message.contains("重新导入"), "{}", refused.message);
}

#[tokio::test]
async fn corrected_days_settle_what_is_in_force() {
    let place = Place::new();
    let library = place.open().await;
    let old = add_one(&library, file("旧.md", TEXT)).await.document.id;
    let undated = "# 启明市高龄津贴发放办法\n\n启明市民政局\n\n第一条　年满八十周岁的老年人，每人每月发放高龄津贴一百元。\n";
    let new = add_one(&library, file("新.md", undated)).await.document.id;
    let day = date(2024, 1, 1);
    assert_eq!(status(&library, &old, day).await, DocumentStatus::Current);
    edit(&library, &new, from("2023-05-01"), Vec::new())
        .await
        .unwrap();
    assert_eq!(status(&library, &old, day).await, DocumentStatus::Amended);
    assert_eq!(
        status(&library, &new, date(2023, 4, 30)).await,
        DocumentStatus::Upcoming
    );
    let hits = found(&library, "高龄津贴", day).await;
    assert!(!hits.is_empty() && hits.iter().all(|h| h.document == new));
    edit(
        &library,
        &new,
        Corrections::default(),
        vec![Field::EffectiveFrom],
    )
    .await
    .unwrap();
    assert_eq!(status(&library, &old, day).await, DocumentStatus::Current);
}

#[tokio::test]
async fn a_correction_of_the_day_gives_a_replaced_version_its_days_back() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, file("津贴.md", TEXT)).await;
    let id = add_one(&library, file("津贴.md", TEXT.replace("六十元", "八十元")))
        .await
        .document
        .id;
    let before = date(2021, 1, 1);
    let amount = async |text: &str, on| {
        let hits = found(&library, "高龄津贴每人每月多少元", on).await;
        hits.iter().any(|h| h.text.contains(text))
    };
    assert!(!amount("六十元", before).await && amount("八十元", before).await);
    edit(&library, &id, from("2023-01-01"), Vec::new())
        .await
        .unwrap();
    assert!(amount("六十元", before).await && !amount("八十元", before).await);
    assert!(!amount("六十元", date(2023, 1, 1)).await);
    // A later file that says another day than the one that was corrected is pointed out.
    let text = TEXT.replace("2020年2月1日起", "2025年2月1日起");
    let outcome = add_one(&library, file("津贴.md", text)).await;
    assert!(
        outcome.warnings.iter().any(|w| w.contains("施行日期")
            && w.contains("2023-01-01")
            && w.contains("2025-02-01")),
        "{:?}",
        outcome.warnings
    );
}

#[tokio::test]
async fn a_moved_document_keeps_its_id_and_is_found_where_it_went() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, file("津贴.md", TEXT)).await;
    let later = TEXT.replace("2020年", "2023年").replace("六十元", "八十元");
    let id = add_one(&library, file("津贴.md", later.clone()))
        .await
        .document
        .id;
    let to = |space: &str| Corrections {
        space: Some(space.into()),
        ..Corrections::default()
    };
    edit(&library, &id, to("养老"), Vec::new()).await.unwrap();
    let in_space = async |space: &str, on| {
        let input = SearchInput {
            query: "高龄津贴".into(),
            space: Some(space.into()),
            as_of: Some(on),
            ..SearchInput::default()
        };
        let hits = library.search(&Caller::default(), input).await.unwrap();
        hits.hits.len()
    };
    for day in [date(2021, 1, 1), date(2024, 1, 1)] {
        assert_eq!(in_space("测试", day).await, 0, "{day}");
        assert!(in_space("养老", day).await > 0, "{day}");
    }
    // Imported again where it came from or where it went, it is the same document.
    for space in ["测试", "养老"] {
        let mut again = file("津贴.md", later.clone());
        again.space = space.into();
        let outcome = add_one(&library, again).await;
        assert_eq!(outcome.document.id, id, "{space}");
        assert_eq!(outcome.document.space, "养老", "{space}");
    }
    let mut other = file("津贴.md", TEXT);
    other.space = "别处".into();
    add_one(&library, other).await;
    let refused = edit(&library, &id, to("别处"), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
}

#[tokio::test]
async fn what_is_hidden_or_wrong_is_refused() {
    let place = Place::new();
    let library = place.open().await;
    let document = add_one(&library, file("津贴.md", TEXT)).await.document;
    let input = |set| EditInput {
        id: document.id.clone(),
        revision: document.revision,
        set,
        undo: Vec::new(),
    };
    let hiding = |space: &str| {
        Context::of(Caller {
            account: Some(Account::system("李雷")),
            hidden_spaces: Arc::new([space.to_owned()].into()),
            ..Caller::default()
        })
    };
    let to_secret = Corrections {
        space: Some("机密".into()),
        ..Corrections::default()
    };
    let code = async |context: Context, set| {
        let refused = library.edit(&context, &input(set)).await;
        refused.unwrap_err().code
    };
    assert_eq!(code(hiding("机密"), to_secret).await, ErrorCode::Forbidden);
    assert_eq!(code(hiding("测试"), title("甲")).await, ErrorCode::NotFound);
    let until = Corrections {
        effective_until: Some(Some("2019-01-01".into())),
        ..Corrections::default()
    };
    assert_eq!(code(clerk(), until).await, ErrorCode::InvalidInput);
    let unchanged = library.document(&document.id).await.unwrap();
    assert_eq!(unchanged, document);
}

#[tokio::test]
async fn the_public_is_not_told_who_corrected() {
    let place = Place::new();
    let library = place.open().await;
    let id = add_one(&library, file("津贴.md", TEXT)).await.document.id;
    edit(&library, &id, title("甲办法"), Vec::new())
        .await
        .unwrap();
    let on = date(2024, 1, 1);
    let public = library.detail(&Caller::default(), &id, on).await.unwrap();
    assert!(public.edits.is_empty() && public.log.is_empty());
    let staff = library
        .detail(&Caller::system("王芳"), &id, on)
        .await
        .unwrap();
    assert_eq!(
        staff.edits[&Field::Title].over,
        Value::from("启明市高龄津贴发放办法")
    );
    assert_eq!(staff.log.last().unwrap().what, ["title"]);
}
