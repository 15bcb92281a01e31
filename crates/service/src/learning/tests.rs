use engine_search::TantivyIndex;
use engine_store::{LocalFiles, SqliteRecords};
use kernel::{ErrorCode, identity::Caller, page::PageRequest};
use knowledge::{Incoming, Limits, library::SearchInput};

use super::{pair::ConfirmInput, *};

const CONTRACTS: &str = "# 合同责任规定\n\n第一条 当事人一方不履行合同义务的，应当承担违约责任。\n\n第二条 当事人可以约定违约金。\n";
const RAILWAYS: &str =
    "# 铁路旅客规则\n\n第一条 列车晚点时铁路企业予以公告。\n\n第二条 列车上禁止吸烟。\n";

async fn opened(folder: &std::path::Path) -> (Arc<Library>, Learning) {
    let records = Arc::new(SqliteRecords::open(&folder.join("db")).unwrap());
    let index = Arc::new(TantivyIndex::open(&folder.join("index")).unwrap());
    let files = Arc::new(LocalFiles::new(folder.join("files")));
    let library = Library::open(records.clone(), files, index, Limits::default())
        .await
        .unwrap();
    let library = Arc::new(library);
    let learning = Learning::open(library.clone(), records).await.unwrap();
    (library, learning)
}

async fn first(library: &Library, query: &str) -> String {
    let input = SearchInput {
        query: query.to_owned(),
        ..SearchInput::default()
    };
    let found = library.search(&Caller::default(), input).await.unwrap();
    found.hits[0].title.clone()
}

#[tokio::test]
async fn what_is_confirmed_is_trained_judged_used_at_once_kept_and_gone_back_from() {
    let folder = tempfile::tempdir().unwrap();
    let (library, learning) = opened(folder.path()).await;
    let file = |path: &str, text: &str| Incoming {
        space: "测试".into(),
        path: path.into(),
        bytes: text.into(),
        title: None,
    };
    let files = vec![file("合同.md", CONTRACTS), file("铁路.md", RAILWAYS)];
    let added = library.add(files, &mut |_| Ok(Vec::new())).await.unwrap();
    let document = added.into_iter().next().unwrap().unwrap().document.id;
    let content = library.content(&document).await.unwrap();
    let text = library
        .text(&library.document(&document).await.unwrap())
        .await
        .unwrap();
    let clause = content
        .clauses
        .iter()
        .position(|c| text.at(&c.span).is_some_and(|t| t.contains("承担违约责任")))
        .unwrap();
    let caller = Caller::system("测试");
    let confirm = |question: String, clause: usize| ConfirmInput {
        question,
        document: document.clone(),
        clause,
        source: Source::Expert,
    };
    let ends = [
        "能赔钱吗",
        "要赔钱吗",
        "给赔钱吗",
        "可否赔钱",
        "会赔钱吗",
        "该赔钱吗",
        "赔钱不",
    ];
    for end in ends {
        let input = confirm(format!("列车晚点{end}"), clause);
        learning.confirm(&caller, input).await.unwrap();
    }
    // The same once more is the same.
    let again = confirm(format!("列车晚点{}", ends[0]), clause);
    let known = learning.confirm(&caller, again).await.unwrap();
    let wrong = learning.confirm(&caller, confirm("？".into(), 99)).await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::NotFound);
    let pairs = learning.pairs(false, PageRequest::default()).await.unwrap();
    assert_eq!((pairs.total, &pairs.items[0].title), (7, &known.title));

    let asked = "列车晚点能赔钱吗？";
    let told = |_: u64, _: u64, _: &str| Ok(());
    assert_eq!(first(&library, asked).await, "铁路旅客规则");
    let trained = learning.train("测试", &told).await.unwrap();
    assert_eq!(trained.state, ModelState::Promoted, "{:?}", trained.verdict);
    assert_eq!((trained.version, trained.pairs, trained.gone), (1, 7, 0));
    assert_eq!(first(&library, asked).await, "合同责任规定");

    // Nothing new is no gain, and the one in use stays.
    let idle = learning.train("测试", &told).await.unwrap();
    assert_eq!((idle.state, idle.version), (ModelState::Rejected, 2));
    assert_eq!(learning.used().await.unwrap().unwrap().version, 1);
    let refused = learning.roll_back(Some(&idle.id)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);

    // It is ranked by after a restart, until somebody goes back.
    drop((library, learning));
    let (library, learning) = opened(folder.path()).await;
    assert_eq!(first(&library, asked).await, "合同责任规定");
    learning.roll_back(None).await.unwrap();
    assert_eq!(first(&library, asked).await, "铁路旅客规则");
    learning.roll_back(Some(&trained.id)).await.unwrap();
    assert_eq!(first(&library, asked).await, "合同责任规定");

    // What is withdrawn is unlearned with the next training.
    for pair in learning
        .pairs(false, PageRequest::default())
        .await
        .unwrap()
        .items
    {
        learning.withdraw(&pair.id).await.unwrap();
    }
    let unlearned = learning.train("测试", &told).await.unwrap();
    assert_eq!(
        (unlearned.state, unlearned.unlearned),
        (ModelState::Promoted, 7)
    );
    assert_eq!(first(&library, asked).await, "铁路旅客规则");
}
