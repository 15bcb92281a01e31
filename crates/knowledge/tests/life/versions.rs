//! Versions: kept, in force by date, compared, brought back; wordings of one law under several paths.

use super::support::{Place, add, add_one, file, found, status};
use citymind_knowledge::{
    Incoming, Library,
    compare::{Changes, Fate},
    library::{CompareInput, ListInput, OutcomeState},
};
use jiff::civil::{Date, date};
use kernel::{
    ErrorCode,
    evidence::DocumentStatus::{self, Amended, Current, Upcoming},
    identity::Caller,
};

const YEARS: [(i16, &str); 3] = [(2020, "六十"), (2023, "八十"), (2026, "一百")];

/// The city's by-law in the wording of a year.
fn wording(year: i16, amount: &str) -> String {
    format!(
        "# 启明市高龄津贴发放办法\n\n启明市民政局 {year}年1月10日\n\n第一条　年满八十周岁的老年人，每人每月发放高龄津贴{amount}元。\n\n第二条　津贴由街道办事处按月发放。\n\n第三条　本办法自{year}年2月1日起施行。\n"
    )
}

fn of_year(year: i16, path: &str) -> Incoming {
    let amount = YEARS.iter().find(|(y, _)| *y == year).unwrap().1;
    file(path, wording(year, amount))
}

/// What the text says on a day, as found by a search: one amount, or none.
async fn amounts(library: &Library, on: Date) -> Vec<String> {
    let hits = found(library, "高龄津贴每人每月发放多少元", on).await;
    let mut out: Vec<String> = YEARS
        .iter()
        .filter(|(_, amount)| {
            hits.iter()
                .any(|h| h.text.contains(&format!("高龄津贴{amount}元")) && h.status == Current)
        })
        .map(|(_, amount)| (*amount).to_owned())
        .collect();
    out.sort();
    out
}

async fn each_day_has_its_amount(library: &Library) {
    for (day, wanted) in [
        (date(2020, 1, 31), None),
        (date(2020, 2, 1), Some("六十")),
        (date(2023, 1, 31), Some("六十")),
        (date(2023, 2, 1), Some("八十")),
        (date(2026, 1, 31), Some("八十")),
        (date(2026, 2, 1), Some("一百")),
        (date(2030, 1, 1), Some("一百")),
    ] {
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        assert_eq!(amounts(library, day).await, wanted, "{day}");
    }
}

#[tokio::test]
async fn under_one_path_every_day_keeps_the_version_that_was_in_force() {
    let place = Place::new();
    let library = place.open().await;
    for (year, _) in YEARS {
        let outcome = add_one(&library, of_year(year, "津贴.md")).await;
        assert_eq!(
            outcome.state == OutcomeState::Imported,
            year == 2020,
            "{year}"
        );
    }
    each_day_has_its_amount(&library).await;
    assert_eq!(library.count().await.unwrap(), 1);
    let id = add_one(&library, of_year(2026, "津贴.md")).await;
    assert_eq!(id.state, OutcomeState::Unchanged);
    let versions = library
        .versions(&Caller::default(), &id.document.id, date(2024, 1, 1))
        .await
        .unwrap();
    let told: Vec<_> = versions
        .versions
        .iter()
        .map(|v| (v.version, v.status, v.ends, v.replaced))
        .collect();
    assert_eq!(
        told,
        [
            (3, Upcoming, None, false),
            (2, Current, Some(date(2026, 1, 31)), false),
            (1, Amended, Some(date(2023, 1, 31)), false),
        ]
    );
    // The law changed in two clauses; its head names another day.
    assert!(versions.versions[0].changes.unwrap().changed >= 2);
    // The versions outlive the process.
    drop(library);
    each_day_has_its_amount(&place.open().await).await;
}

#[tokio::test]
async fn under_several_paths_the_order_of_import_does_not_matter() {
    for order in [
        [2020, 2023, 2026],
        [2026, 2023, 2020],
        [2023, 2026, 2020],
        [2026, 2020, 2023],
    ] {
        let place = Place::new();
        let library = place.open().await;
        for year in order {
            add_one(&library, of_year(year, &format!("{year}年.md"))).await;
        }
        each_day_has_its_amount(&library).await;
        let place = Place::new();
        let library = place.open().await;
        let files = order.map(|year| of_year(year, &format!("{year}年.md")));
        let outcomes = add(&library, files.into()).await;
        each_day_has_its_amount(&library).await;
        // What is told of the file is what holds after the whole batch.
        for outcome in outcomes {
            let stored = library.document(&outcome.document.id).await.unwrap();
            assert_eq!(outcome.document, stored);
        }
    }
}

#[tokio::test]
async fn withdrawing_the_later_wording_revives_the_earlier() {
    let place = Place::new();
    let library = place.open().await;
    let old = add_one(&library, of_year(2020, "旧.md")).await.document.id;
    let new = add_one(&library, of_year(2023, "新.md")).await.document.id;
    let day = date(2024, 1, 1);
    assert_eq!(status(&library, &old, day).await, Amended);
    let detail = library.detail(&Caller::default(), &old, day).await.unwrap();
    assert_eq!(detail.amended_by.unwrap().document, Some(new.clone()));
    library.withdraw(&new).await.unwrap();
    assert_eq!(status(&library, &old, day).await, Current);
    assert_eq!(amounts(&library, day).await, ["六十"]);
    library.restore(&new).await.unwrap();
    assert_eq!(status(&library, &old, day).await, Amended);
    assert_eq!(amounts(&library, day).await, ["八十"]);
}

#[tokio::test]
async fn withdrawing_a_document_takes_down_its_versions_too() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, of_year(2020, "津贴.md")).await;
    let id = add_one(&library, of_year(2023, "津贴.md"))
        .await
        .document
        .id;
    library.withdraw(&id).await.unwrap();
    for day in [date(2021, 1, 1), date(2024, 1, 1)] {
        assert!(amounts(&library, day).await.is_empty(), "{day}");
    }
    library.restore(&id).await.unwrap();
    assert_eq!(amounts(&library, date(2021, 1, 1)).await, ["六十"]);
    assert_eq!(amounts(&library, date(2024, 1, 1)).await, ["八十"]);
}

#[tokio::test]
async fn a_correction_replaces_and_the_old_text_is_kept_to_be_read() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, file("津贴.md", wording(2020, "六十"))).await;
    let fixed = add_one(&library, file("津贴.md", wording(2020, "八十"))).await;
    assert_eq!(fixed.state, OutcomeState::Updated);
    assert_eq!(
        fixed.changes,
        Some(Changes {
            changed: 1,
            same: 3,
            ..Changes::default()
        })
    );
    for day in [date(2020, 3, 1), date(2024, 1, 1)] {
        assert_eq!(amounts(&library, day).await, ["八十"], "{day}");
    }
    let id = fixed.document.id;
    let versions = library
        .versions(&Caller::default(), &id, date(2024, 1, 1))
        .await
        .unwrap()
        .versions;
    assert_eq!(versions.len(), 2);
    assert!(versions[1].replaced && versions[1].status == Amended);
    let old = library
        .detail(&Caller::default(), &versions[1].id, date(2024, 1, 1))
        .await
        .unwrap();
    assert!(old.body.iter().any(|c| c.text.contains("六十元")));
    assert_eq!(old.summary.version_of, Some(id.clone()));

    // Brought back, the old text is the latest version, and stands for all days.
    let restored = library.restore_version(&id, &versions[1].id).await.unwrap();
    assert_eq!(
        (restored.document.version, restored.document.id.as_str()),
        (3, id.as_str())
    );
    assert_eq!(amounts(&library, date(2024, 1, 1)).await, ["六十"]);
    let other = add_one(&library, of_year(2026, "别的.md")).await.document;
    let refused = library.restore_version(&id, &other.id).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidInput);
}

#[tokio::test]
async fn a_file_that_begins_earlier_than_what_stood_is_a_correction_with_a_word() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, of_year(2023, "津贴.md")).await;
    let outcome = add_one(&library, of_year(2020, "津贴.md")).await;
    assert!(
        outcome.warnings.iter().any(|w| w.contains("早于原有版本")),
        "{:?}",
        outcome.warnings
    );
    assert_eq!(amounts(&library, date(2024, 1, 1)).await, ["六十"]);
}

#[tokio::test]
async fn versions_are_compared_clause_by_clause() {
    let place = Place::new();
    let library = place.open().await;
    let old = add_one(&library, of_year(2020, "旧.md")).await.document.id;
    let longer = wording(2023, "八十").replace(
        "第二条　津贴由街道办事处按月发放。\n\n第三条",
        "第二条　申请人应当提供身份证和银行卡。\n\n第三条　津贴由街道办事处按月发放。\n\n第四条",
    );
    let new = add_one(&library, file("新.md", longer)).await.document.id;
    let input = CompareInput {
        id: new,
        old,
        only_differences: true,
    };
    let compared = library
        .compare(&Caller::default(), &input, date(2024, 1, 1))
        .await
        .unwrap();
    let told = |fate| {
        let of = compared.clauses.iter().filter(|p| p.fate == fate);
        of.map(|p| {
            let side = p.new.as_ref().or(p.old.as_ref()).unwrap();
            side.path.clone()
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(told(Fate::Added), ["第二条"]);
    assert_eq!(told(Fate::Moved), ["第三条"]);
    assert!(told(Fate::Changed).contains(&"第一条".to_owned()));
    assert_eq!(told(Fate::Same), Vec::<String>::new());
    let first = compared
        .clauses
        .iter()
        .find(|p| p.new.as_ref().is_some_and(|s| s.path == "第一条"))
        .unwrap();
    let (old, new) = (first.old.as_ref().unwrap(), first.new.as_ref().unwrap());
    let cut = |side: &citymind_knowledge::compare::Side| -> Vec<String> {
        let chars: Vec<char> = side.text.chars().collect();
        side.spans
            .iter()
            .map(|(from, to)| chars[*from..*to].iter().collect())
            .collect()
    };
    assert_eq!(cut(old), ["六"]);
    assert_eq!(cut(new), ["八"]);
}

#[tokio::test]
async fn what_is_not_the_same_law_stays_as_it_is() {
    let place = Place::new();
    let library = place.open().await;
    let elsewhere = wording(2023, "八十")
        .replace("启明市民政局", "云海市民政局")
        .replace("启明市高龄", "高龄");
    let nameless = wording(2020, "六十").replace("启明市高龄", "高龄");
    let notice = |year: i16| {
        format!(
            "# 启明市医疗保障局关于做好城乡居民医保参保缴费工作的通知\n\n启医保发〔{year}〕3号\n\n启明市医疗保障局 {year}年9月1日\n\n一、缴费标准为每人每年{}元。\n\n二、自{year}年9月10日起施行。\n",
            year - 1640
        )
    };
    let files = vec![
        file("云海.md", elsewhere),
        file("启明.md", nameless),
        file("通知2023.md", notice(2023)),
        file("通知2024.md", notice(2024)),
    ];
    let ids: Vec<String> = add(&library, files)
        .await
        .into_iter()
        .map(|o| o.document.id)
        .collect();
    let mut told: Vec<DocumentStatus> = Vec::new();
    for id in &ids {
        told.push(status(&library, id, date(2025, 1, 1)).await);
    }
    assert_eq!(told, [Current; 4]);
}

#[tokio::test]
async fn a_wording_that_ends_the_one_before_by_name_is_not_ended_by_it() {
    let place = Place::new();
    let library = place.open().await;
    let ends = |year: i16, amount: &str| {
        wording(year, amount).replace(
            "起施行。",
            "起施行。市民政局印发的《启明市高龄津贴发放办法》同时废止。",
        )
    };
    let files = vec![
        file("2026.md", ends(2026, "一百")),
        file("2023.md", ends(2023, "八十")),
        of_year(2020, "2020.md"),
    ];
    let outcomes = add(&library, files).await;
    each_day_has_its_amount(&library).await;
    let ended = &outcomes[2].document;
    assert_eq!(ended.status(date(2024, 1, 1)), DocumentStatus::Repealed);
    assert_eq!(ended.repealed_on, Some(date(2023, 2, 1)));
}

#[tokio::test]
async fn an_undated_wording_is_pointed_out() {
    let place = Place::new();
    let library = place.open().await;
    add_one(&library, of_year(2023, "新.md")).await;
    let undated = "# 启明市高龄津贴发放办法\n\n启明市民政局\n\n第一条　年满八十周岁的老年人，每人每月发放高龄津贴五十元。\n";
    let outcome = add_one(&library, file("不知何时.md", undated)).await;
    assert!(
        outcome.warnings.iter().any(|w| w.contains("没有写明日期")),
        "{:?} {:?}",
        outcome.warnings,
        outcome.document
    );
}

#[tokio::test]
async fn a_list_shows_the_version_in_force_beside_the_one_to_come() {
    let place = Place::new();
    let library = place.open().await;
    let today = kernel::time::today();
    add_one(&library, file("津贴.md", wording(2020, "六十"))).await;
    let next = wording(today.year() + 1, "八十");
    add_one(&library, file("津贴.md", next)).await;
    let list = async |status| {
        let input = ListInput {
            status,
            ..ListInput::default()
        };
        let items = library
            .list(&Caller::default(), &input)
            .await
            .unwrap()
            .items;
        items
            .into_iter()
            .map(|d| (d.version, d.status))
            .collect::<Vec<_>>()
    };
    let mut all = list(None).await;
    all.sort_by_key(|(version, _)| *version);
    assert_eq!(all, [(1, Current), (2, Upcoming)]);
    assert_eq!(list(Some(Current)).await, [(1, Current)]);
    assert_eq!(list(Some(Upcoming)).await, [(2, Upcoming)]);
    assert_eq!(list(Some(Amended)).await, []);
    assert_eq!(library.count().await.unwrap(), 1);
}
