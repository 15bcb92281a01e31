//! The items of the demonstration city are sound, and what is wrong with a file is said with its place.

mod common;

use citymind_service::items::{Finding, read_item, reading::read_files, schema::Shared};
use common::{files, items};

const ITEM: &str = r#"id: rent
name: 租房提取
area: 公积金
audience: [person]
agency: 公积金中心
region: 启明市
summary: 租房提取公积金。
result: 到账
basis:
  - { id: paid, document: 办法, quote: 连续缴存满3个月 }
parameters:
  - id: limit
    name: 每月额度
    unit: 元
    values:
      - { from: 2024-07-01, value: 1500, basis: [paid] }
fields:
  - id: months
    label: 缴存月数
    question: 连续缴了几个月？
    type: number
    unit: 个月
    whole: true
    example: 14个月
  - id: married
    label: 已婚
    question: 您结婚了吗？
    type: yes_no
    example: 否
rules:
  - id: long_enough
    text: 满3个月
    require: months >= 3
    otherwise: 您缴存{months}个月，还不满。
    basis: [paid]
amounts:
  - id: yearly
    label: 一年可提取
    value: limit * 12
    unit: 元
    headline: true
channels:
  - { kind: online, name: 网上大厅 }
time_limit: { promised: 3, unit: working_days }
fee: { amount: 0, text: 不收费 }
form:
  title: 申请表
  sections:
    - { title: 情况, fields: [months, married], amounts: [yearly] }
"#;

fn findings(source: &str) -> Vec<Finding> {
    read_item(source, &Shared::default())
        .err()
        .unwrap_or_default()
}

/// The line on which a text stands, from 1.
fn line(source: &str, marker: &str) -> u64 {
    let before = source.split(marker).next().expect("the marker is there");
    assert!(before.len() < source.len(), "no {marker}");
    before.matches('\n').count() as u64 + 1
}

#[test]
fn the_items_of_the_demonstration_city_are_sound() {
    // That the sample applicant of each qualifies is a part of being sound.
    assert_eq!(items().len(), 47);
    assert_eq!(findings(ITEM), []);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_is_wrong_is_said_with_its_line() {
    for (from, to, marker, said) in [
        ("region:", "regoin:", "regoin", "没有“regoin”这个键"),
        ("agency: 公积金中心\n", "", "", "少了“agency”"),
        (
            "type: number",
            "type: numbers",
            "numbers",
            "没有“numbers”这个取值",
        ),
        (
            "months >= 3",
            "month >= 3",
            "month >= 3",
            "没有叫“month”的字段",
        ),
        (
            "months >= 3",
            "months >= married",
            "months >= married",
            "不能拿数和是否比较",
        ),
        ("months >= 3", "months + 3", "months + 3", "应当是是否"),
        ("months >= 3", "months >=", "months >=", "没有写完"),
        (
            "limit * 12",
            "limit * yearly",
            "limit * yearly",
            "绕回了自己",
        ),
        (
            "    basis: [paid]\namounts",
            "amounts",
            "long_enough",
            "条件要有依据",
        ),
        (
            "basis: [paid]\namounts",
            "basis: [paidd]\namounts",
            "[paidd]",
            "没有叫“paidd”的依据",
        ),
        ("example: 14个月", "example: 很久", "很久", "样例回答读不懂"),
        (
            "example: 14个月",
            "example: 2个月",
            "long_enough",
            "样例申请人应当符合条件",
        ),
        (
            "id: married",
            "id: months",
            "id: months\n    label: 已婚",
            "“months”用了两次",
        ),
        ("{months}个月", "{monhts}个月", "{monhts}", "没有叫“monhts”"),
        (
            "[months, married]",
            "[months]",
            "id: married",
            "申请表里没有这个字段",
        ),
        (
            "[months, married]",
            "[months, married, x]",
            "married, x",
            "没有叫“x”的字段",
        ),
        (
            "amounts: [yearly]",
            "amounts: [x]",
            "amounts: [x]",
            "没有叫“x”的算式",
        ),
        ("whole: true", "whole: 是的", "是的", "类型不对"),
        ("id: rent\n", "id: Rent\n", "id: Rent", "id 用小写英文字母"),
        (
            "id: rent\n",
            "id: rent\nid: other\n",
            "id: other",
            "写了两次",
        ),
        ("value: 1500", "value: 一千五", "一千五", ""),
        ("from: 2024-07-01", "from: 2024-13-01", "2024-13-01", ""),
        ("    type: yes_no", "\ttype: yes_no", "您结婚了吗", "YAML"),
        ("audience: [person]", "audience: [person", "", "YAML"),
        (
            "audience: [person]",
            "audience: []",
            "audience",
            "个人还是企业",
        ),
        (
            "quote: 连续缴存满3个月",
            "quote: \"\"",
            "quote: \"\"",
            "原文不能空着",
        ),
    ] {
        assert!(ITEM.contains(from), "{from}");
        let source = ITEM.replacen(from, to, 1);
        let found = findings(&source);
        let first = found.iter().find(|f| f.message.contains(said));
        let first = first.unwrap_or_else(|| panic!("{to}: {found:?}"));
        if !marker.is_empty() {
            assert_eq!(first.line, line(&source, marker), "{to}: {found:?}");
        }
    }
}

#[test]
fn several_faults_are_said_together_in_order() {
    let source = ITEM
        .replace("months >= 3", "month >= 3")
        .replace("limit * 12", "limits * 12");
    let found = findings(&source);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].line < found[1].line);
    // The column is that of the value.
    assert_eq!(
        (found[0].line, found[0].column),
        (line(&source, "month >= 3"), 14)
    );
}

#[test]
fn two_items_of_one_id_are_a_finding() {
    let files = [
        ("a/one.yaml".to_owned(), ITEM.to_owned()),
        ("a/two.yaml".to_owned(), ITEM.to_owned()),
    ];
    let read = read_files(&files);
    assert!(read[0].1.is_ok());
    let findings = read[1].1.as_ref().expect_err("the second");
    assert!(findings[0].message.contains("a/one.yaml"), "{findings:?}");
}

#[test]
fn files_meant_to_do_harm_are_refused_in_no_time() {
    let begin = std::time::Instant::now();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        bomb += &format!("a{n}: &a{n} [{}]\n", [before.as_str(); 9].join(", "));
    }
    let mut chain = String::new();
    for n in 1..60 {
        chain += &format!(
            "  - {{ id: m{n}, label: 数{n}, value: m{} + m{} }}\n",
            n - 1,
            n - 1
        );
    }
    let chain = ITEM.replace(
        "channels:",
        &format!("  - {{ id: m0, label: 数, value: months }}\n{chain}channels:"),
    );
    for source in [
        bomb.clone(),
        ITEM.replace("id: rent\n", &format!("{bomb}id: rent\n")),
        "[".repeat(100_000),
        format!("{}1", "- ".repeat(100_000)),
        format!("a: {}", "{a: ".repeat(50_000)),
        "x".repeat(600 << 10),
        ITEM.replace("months >= 3", &"(".repeat(10_000)),
        ITEM.replace(
            "months >= 3",
            &format!("months{} >= 3", " + 1".repeat(20_000)),
        ),
        chain,
        "\u{0}".to_owned(),
        String::new(),
        "--- 1\n--- 2\n".to_owned(),
    ] {
        let found = findings(&source);
        assert!(!found.is_empty(), "{}", &source[..source.len().min(200)]);
        assert!(found.iter().all(|f| f.line >= 1 && f.column >= 1));
    }
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
}

#[test]
fn every_prefix_of_a_file_is_read_or_refused_without_a_panic() {
    let files = files("service");
    let (_, source) = files
        .iter()
        .find(|f| f.0.contains("租房提取"))
        .expect("there");
    let ends = source.char_indices().map(|c| c.0).step_by(97);
    for end in ends {
        let _ = findings(&source[..end]);
    }
}
