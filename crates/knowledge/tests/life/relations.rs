//! What documents say of one another, in both directions and for whom.

use std::sync::Arc;

use super::support::{Place, add, add_one, file};
use citymind_knowledge::{
    Incoming, Library,
    library::{Direction, Related, RelatedInput},
    record::RelationKind,
};
use jiff::civil::date;
use kernel::{evidence::DocumentStatus, identity::Caller};

fn in_space(space: &str, mut file: Incoming) -> Incoming {
    file.space = space.into();
    file
}

fn law() -> Incoming {
    file(
        "旧法.md",
        "# 中华人民共和国启明养老法\n\n第一条　为了养老，制定本法。\n\n第二条　本法自2010年1月1日起施行。\n",
    )
}

fn ending(n: i8) -> Incoming {
    file(
        &format!("新{n}.md"),
        format!(
            "# 启明市第{n}区养老管理办法\n\n启明市第{n}区人民政府 2024年{n}月1日\n\n第一条　为了养老，制定本办法。\n\n第二条　本办法自2024年{n}月5日起施行，《启明养老法》同时废止。\n"
        ),
    )
}

async fn related(
    library: &Library,
    caller: &Caller,
    id: &str,
    direction: Direction,
    page: u64,
) -> (Vec<Related>, u64) {
    let input = RelatedInput {
        id: id.into(),
        direction,
        page: Some(page),
        page_size: Some(2),
        ..RelatedInput::default()
    };
    let page = library
        .related(caller, &input, date(2025, 1, 1))
        .await
        .unwrap();
    (page.items, page.total)
}

#[tokio::test]
async fn a_short_name_finds_the_law_from_both_sides_and_in_pages() {
    let place = Place::new();
    let library = place.open().await;
    let files = (1..=5).map(ending).chain([law()]).collect();
    let ids: Vec<String> = add(&library, files)
        .await
        .into_iter()
        .map(|o| o.document.id)
        .collect();
    let anyone = Caller::default();
    let (says, total) = related(&library, &anyone, &ids[0], Direction::Says, 1).await;
    assert_eq!(total, 1);
    assert_eq!(says[0].kind, RelationKind::Repeals);
    assert_eq!(says[0].document.as_ref(), Some(&ids[5]));
    assert_eq!(says[0].status, Some(DocumentStatus::Repealed));
    let mut told = Vec::new();
    for page in 1..=3 {
        let (items, total) = related(&library, &anyone, &ids[5], Direction::SaidOf, page).await;
        assert_eq!(total, 5);
        told.extend(items.into_iter().map(|r| r.document.unwrap()));
    }
    // The latest first.
    let latest_first: Vec<String> = ids[..5].iter().rev().cloned().collect();
    assert_eq!(told, latest_first);
    library.withdraw(&ids[0]).await.unwrap();
    let (_, total) = related(&library, &anyone, &ids[5], Direction::SaidOf, 1).await;
    assert_eq!(total, 4);
}

#[tokio::test]
async fn relations_reach_across_spaces_and_tell_nothing_of_hidden_ones() {
    let place = Place::new();
    let library = place.open().await;
    let old = add_one(&library, in_space("法规", law())).await.document;
    let new = add_one(&library, in_space("机密", ending(3)))
        .await
        .document;
    let anyone = Caller::default();
    let outsider = Caller {
        hidden_spaces: Arc::new(["机密".to_owned()].into()),
        ..Caller::default()
    };
    let (items, _) = related(&library, &anyone, &new.id, Direction::Says, 1).await;
    assert_eq!(items[0].document.as_ref(), Some(&old.id));
    let (items, _) = related(&library, &anyone, &old.id, Direction::SaidOf, 1).await;
    assert_eq!(items[0].document.as_ref(), Some(&new.id));
    let (items, total) = related(&library, &outsider, &old.id, Direction::SaidOf, 1).await;
    assert_eq!((items, total), (Vec::new(), 0));
    // In another space it is named, and does not end.
    let stored = library.document(&old.id).await.unwrap();
    assert_eq!(stored.status(date(2025, 1, 1)), DocumentStatus::Current);

    let secret = add_one(&library, in_space("机密", law())).await.document;
    let public = add_one(&library, in_space("公开", ending(4)))
        .await
        .document;
    library.withdraw(&old.id).await.unwrap();
    let (items, _) = related(&library, &outsider, &public.id, Direction::Says, 1).await;
    assert_eq!((items[0].document.as_ref(), items[0].status), (None, None));
    let (items, _) = related(&library, &anyone, &public.id, Direction::Says, 1).await;
    assert_eq!(items[0].document.as_ref(), Some(&secret.id));
}

#[tokio::test]
async fn the_next_wording_is_a_relation_in_both_directions() {
    let place = Place::new();
    let library = place.open().await;
    let wording = |year: i16| {
        file(
            &format!("{year}.md"),
            format!(
                "# 启明市养老条例\n\n启明市人民代表大会常务委员会 {year}年1月1日\n\n第一条　为了养老，制定本条例。\n\n第二条　本条例自{year}年5月1日起施行。\n"
            ),
        )
    };
    let old = add_one(&library, wording(2015)).await.document.id;
    let new = add_one(&library, wording(2020)).await.document.id;
    let anyone = Caller::default();
    let (says, _) = related(&library, &anyone, &new, Direction::Says, 1).await;
    assert_eq!(
        (says[0].kind, says[0].document.as_ref()),
        (RelationKind::Supersedes, Some(&old))
    );
    let (said, _) = related(&library, &anyone, &old, Direction::SaidOf, 1).await;
    assert_eq!(
        (said[0].kind, said[0].document.as_ref()),
        (RelationKind::Supersedes, Some(&new))
    );
    let detail = library
        .detail(&anyone, &old, date(2025, 1, 1))
        .await
        .unwrap();
    assert_eq!(detail.said_of.items, said);
}

#[tokio::test]
async fn basis_citation_and_articles_are_relations_of_their_kinds() {
    let place = Place::new();
    let library = place.open().await;
    let rules = file(
        "细则.md",
        "# 启明市养老服务补贴实施细则\n\n启明市民政局 2024年3月1日\n\n第一条　根据《启明养老法》，制定本细则。\n\n第二条　申请人应当符合《启明市户籍管理规定》第三条规定的条件。\n\n第三条　本细则自2024年4月1日起施行。\n",
    );
    let new = add_one(&library, rules).await.document.id;
    // The law comes later, and is found all the same.
    let old = add_one(&library, law()).await.document.id;
    let anyone = Caller::default();
    let (says, total) = related(&library, &anyone, &new, Direction::Says, 1).await;
    assert_eq!(total, 2, "{says:?}");
    assert_eq!(
        (says[0].kind, says[0].document.as_ref()),
        (RelationKind::Implements, Some(&old))
    );
    assert_eq!(
        (says[1].kind, says[1].document.as_ref()),
        (RelationKind::Cites, None)
    );
    assert_eq!(says[1].article.as_deref(), Some("第三条"));
    let (said, _) = related(&library, &anyone, &old, Direction::SaidOf, 1).await;
    assert_eq!(
        (said[0].kind, said[0].document.as_ref()),
        (RelationKind::Implements, Some(&new))
    );
    // What is cited is not ended.
    let law = library.document(&old).await.unwrap();
    assert_eq!(law.status(date(2025, 1, 1)), DocumentStatus::Current);
}
