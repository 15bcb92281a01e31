use kernel::{
    lexical::{Attributes, Change, Filter, Passage},
    testkit::MemoryIndex,
};

use super::*;
use crate::retrieval::{CHARACTER_WEIGHT, rank, tokens};

fn city() -> MemoryIndex {
    let index = MemoryIndex::default();
    let texts = [
        ("违约", 0, "当事人一方不履行合同义务的，应当承担违约责任"),
        (
            "铁路",
            0,
            "列车运行中旅客应当遵守秩序，列车晚点时铁路企业予以公告",
        ),
        ("铁路", 1, "列车上禁止吸烟"),
        ("租赁", 0, "承租人应当按照约定的期限支付租金"),
        ("旧规", 0, "列车晚点的处理办法"),
    ];
    let mut changes: HashMap<&str, Vec<Passage>> = HashMap::new();
    for (document, clause, text) in texts {
        changes.entry(document).or_default().push(Passage {
            clause,
            tokens: [tokens::of_title(document, &[]), tokens::of_text(text)],
        });
    }
    let changes = changes
        .into_iter()
        .map(|(document, passages)| Change::Replace {
            document: document.to_owned(),
            attributes: Attributes {
                until: (document == "旧规").then_some(10),
                ..Attributes::default()
            },
            passages,
        });
    index.apply(changes.collect(), 1).unwrap();
    index
}

fn pair(question: &str, document: &str, clause: u32) -> Pair {
    Pair {
        question: question.to_owned(),
        passage: Key {
            document: document.to_owned(),
            clause,
        },
        weight: 1.0,
    }
}

fn asked(index: &MemoryIndex, learned: Option<&Learned>, text: &str) -> Vec<(String, u32)> {
    let question = Question::new(text, CHARACTER_WEIGHT);
    let filter = Filter {
        in_force: Some(20),
        ..Filter::default()
    };
    rank(index, None, &HashMap::new(), learned, question, filter, 10)
        .unwrap()
        .hits
        .into_iter()
        .map(|h| (h.document, h.clause))
        .collect()
}

#[test]
fn a_question_asked_again_finds_the_clause_that_shares_no_word_with_it() {
    let index = city();
    let question = "列车晚点耽误了行程能赔钱吗";
    assert_eq!(asked(&index, None, question)[0].0, "铁路");
    let model = train(vec![pair(question, "违约", 0)], &index).unwrap();
    let learned = Model::from_bytes(&model.to_bytes().unwrap())
        .unwrap()
        .ready();
    assert_eq!(learned.questions(), 1);
    assert_eq!(asked(&index, Some(&learned), question)[0].0, "违约");
}

#[test]
fn what_is_not_near_stays_as_it_was() {
    let index = city();
    let model = train(vec![pair("列车晚点耽误了行程能赔钱吗", "违约", 0)], &index).unwrap();
    let learned = model.ready();
    let other = "租金什么期限支付";
    assert_eq!(
        asked(&index, Some(&learned), other),
        asked(&index, None, other)
    );
    assert_eq!(asked(&index, Some(&learned), "？"), Vec::new());
}

#[test]
fn a_clause_that_is_no_longer_in_force_or_gone_is_not_brought_back() {
    let index = city();
    let question = "赔钱的规矩";
    let gone = vec![pair(question, "旧规", 0), pair(question, "没有", 3)];
    let learned = train(gone, &index).unwrap().ready();
    assert_eq!(
        asked(&index, Some(&learned), question),
        asked(&index, None, question)
    );
    // Of a document that is still there, the clause that is gone speaks for what stands near it, and isn't found itself.
    let learned = train(vec![pair(question, "违约", 7)], &index)
        .unwrap()
        .ready();
    assert!(!asked(&index, Some(&learned), question).contains(&("违约".to_owned(), 7)));
}

#[test]
fn confirming_twice_counts_once_and_left_out_questions_do_not_count() {
    let index = city();
    let pairs = vec![
        pair("火车晚点", "铁路", 0),
        pair("火车晚点 ", "铁路", 0),
        pair("火车误点", "铁路", 0),
    ];
    let learned = train(pairs, &index).unwrap().ready();
    assert_eq!((learned.questions(), learned.confirmed[0]), (2, 2.0));
    let without = Without {
        questions: HashSet::from([0]),
    };
    assert_eq!(learned.times(0, &without), 1.0);
}

#[test]
fn a_statute_crowds_by_its_other_clauses() {
    let hits = [("铁路", 0, 2.0), ("铁路", 1, 1.9), ("违约", 0, 1.9)];
    let hits = hits.map(|(document, clause, score)| Hit {
        document: document.to_owned(),
        clause,
        score,
    });
    let scopes = HashMap::new();
    let crowd = Crowd::of(&hits, 2.0, &scopes);
    let [best, second, lone] = hits
        .each_ref()
        .map(|h| crowd.beside((&h.document, h.clause), drawn(h.score / 2.0), &scopes));
    assert!(second > best && best > lone, "{best} {second} {lone}");
    assert!(lone < 1e-6, "{lone}");
    assert!(crowd.beside(("铁路", 9), 0.0, &scopes) > second);
    assert_eq!(crowd.beside(("租赁", 0), 0.0, &scopes), 0.0);
}

#[test]
fn a_model_of_another_form_is_not_read() {
    assert!(Model::from_bytes(br#"{"form":0,"pairs":[],"rarity":{},"unknown":1.0}"#).is_none());
    assert!(Model::from_bytes(b"{").is_none());
}

#[test]
fn a_batch_that_teaches_is_promoted_and_nonsense_is_not() {
    let index = city();
    let scopes = HashMap::new();
    let judged = |pairs: &[Pair]| {
        let replays: Vec<Replay> = pairs
            .iter()
            .map(|p| {
                let right = vec![p.passage.clone()];
                replay(&index, None, &scopes, &p.question, right, &|_| None).unwrap()
            })
            .collect();
        let after = train(pairs.to_vec(), &index).unwrap().ready();
        judge(None, &after, &replays, pairs, &scopes).unwrap()
    };
    let late: Vec<Pair> = [
        "能赔钱吗",
        "要赔钱吗",
        "给赔钱吗",
        "可否赔钱",
        "会赔钱吗",
        "该赔钱吗",
    ]
    .iter()
    .map(|end| pair(&format!("列车晚点{end}"), "违约", 0))
    .collect();
    let verdict = judged(&late);
    assert!(verdict.all.recall_gain.mean > 0.9, "{verdict:?}");
    let nonsense: Vec<Pair> = ["苹果甜", "天气冷", "足球赛", "电影票"]
        .iter()
        .map(|q| pair(q, "租赁", 0))
        .collect();
    let verdict = judged(&nonsense);
    assert!(
        !verdict.promoted && verdict.doubted.len() >= 3,
        "{verdict:?}"
    );
    assert!(!judged(&[]).promoted);
}
