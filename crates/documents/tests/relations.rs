//! What documents say of others, what they are about, and from when they hold.
#![allow(clippy::unwrap_used)]

mod common;

use citymind_documents::RelationKind::{Amends, Cites, Implements, Repeals};
use citymind_documents::{Document, RelationKind, field_of_topic};
use common::{check, open};

fn document(name: &str, text: &str) -> Document {
    let document = open(name, text.as_bytes());
    check(&document).unwrap();
    document
}

/// Kind, title, number and article of each relation.
fn said(document: &Document) -> Vec<(RelationKind, &str, &str, &str)> {
    let word = |word: &'_ Option<String>| word.as_deref().unwrap_or("").to_owned();
    let leak = |text: String| -> &'static str { text.leak() };
    let relations = document.metadata.relations.iter();
    relations
        .map(|r| {
            (
                r.kind,
                leak(word(&r.reference.title)),
                leak(word(&r.reference.number)),
                leak(word(&r.article)),
            )
        })
        .collect()
}

#[test]
fn tells_what_a_regulation_carries_out_cites_and_repeals() {
    let text = "# 启明市城市绿化管理办法

第一条　为了规范城市绿化管理，根据《中华人民共和国森林法》《城市绿化条例》（国务院令第100号）和《启明市城市管理条例》，结合本市实际，制定本办法。

第二条　违反本办法的，依照《中华人民共和国森林法》第七十一条、第七十三条第二款和《中华人民共和国行政处罚法》的规定处罚。

第三条　申请人凭《居民身份证》《采伐许可证》和《绿化迁移申请表》办理。《城市绿化条例》另有规定的，从其规定。

第四条　参照《人民日报》《红楼梦》《施工方法》的写法。

第五条　本办法自2025年1月1日起施行。《启明市绿化暂行规定》（启府发〔2010〕3号）同时废止。";
    let document = document("a.md", text);
    assert_eq!(
        said(&document),
        [
            (Repeals, "启明市绿化暂行规定", "启府发〔2010〕3号", ""),
            (Implements, "中华人民共和国森林法", "", ""),
            (Implements, "城市绿化条例", "国务院令第100号", ""),
            (Implements, "启明市城市管理条例", "", ""),
            (Cites, "中华人民共和国森林法", "", "第七十一条"),
            (Cites, "中华人民共和国森林法", "", "第七十三条"),
            (Cites, "中华人民共和国行政处罚法", "", ""),
        ]
    );
    let clause = |at: usize| {
        let clause = document.metadata.relations[at].clause.unwrap();
        document.clauses[clause].label.as_str()
    };
    assert_eq!(
        (clause(0), clause(1), clause(4)),
        ("第五条", "第一条", "第二条")
    );
    assert_eq!(document.metadata.repeals.len(), 1);
}

#[test]
fn tells_what_a_notice_carries_out_and_a_decision_changes() {
    let notice = document(
        "a.txt",
        "启明市人力资源和社会保障局关于做好稳就业工作的通知\n\n各区人力资源社会保障局：\n\n为贯彻落实《国务院办公厅关于优化调整稳就业政策措施的通知》（国办发〔2023〕11号）和《就业促进法》，现就有关事项通知如下：\n\n一、扩大补贴范围。按《失业保险条例》第二十三条执行。\n\n二、简化手续。\n\n启明市人力资源和社会保障局\n2024年3月5日",
    );
    assert_eq!(
        said(&notice),
        [
            (
                Implements,
                "国务院办公厅关于优化调整稳就业政策措施的通知",
                "国办发〔2023〕11号",
                ""
            ),
            (Implements, "就业促进法", "", ""),
            (Cites, "失业保险条例", "", "第二十三条"),
        ]
    );
    assert_eq!(notice.metadata.topics, ["就业创业"]);
    let decision = document(
        "b.md",
        "# 启明市人民政府关于修改《启明市养犬管理办法》等规章的决定\n\n经研究，决定对部分规章作如下修改：\n\n一、对《启明市烟花爆竹管理规定》作出修改\n\n（一）删去第三条。\n\n二、将《启明市停车场管理办法》第八条、第九条修改为：“收费实行明码标价。”\n\n本决定自2025年1月1日起施行。",
    );
    assert_eq!(
        said(&decision),
        [
            (Amends, "启明市养犬管理办法", "", ""),
            (Amends, "启明市烟花爆竹管理规定", "", ""),
            (Amends, "启明市停车场管理办法", "", "第八条"),
            (Amends, "启明市停车场管理办法", "", "第九条"),
        ]
    );
    assert_eq!(
        decision.metadata.relations[0].clause, None,
        "the title says it"
    );
}

#[test]
fn follows_short_names_and_leaves_the_history_of_a_law_out() {
    let law = document(
        "启明市实施《中华人民共和国消防法》办法(2021-11-25).md",
        "# 启明市实施《中华人民共和国消防法》办法\n\n2010年5月28日 启明市第一届人民代表大会常务委员会第一次会议通过\n\n根据2021年11月25日启明市第三届人民代表大会常务委员会第九次会议《关于修改〈启明市邮政条例〉等三件地方性法规的决定》修正\n\n第一条　根据《中华人民共和国消防法》（以下简称《消防法》），制定本办法。\n\n第二条　依照《消防法》第十六条办理，《办法》另有规定的除外。\n\n第三条　本办法自2010年10月1日起施行。",
    );
    assert_eq!(
        said(&law),
        [
            (Implements, "中华人民共和国消防法", "", ""),
            (Cites, "中华人民共和国消防法", "", "第十六条"),
        ]
    );
    let date = |date: Option<jiff::civil::Date>| date.unwrap().to_string();
    assert_eq!(date(law.metadata.issued), "2021-11-25");
    assert_eq!(
        date(law.metadata.effective_from),
        "2021-11-25",
        "this wording holds since it was amended"
    );
}

#[test]
fn answers_and_guides_cite_but_change_nothing() {
    let faq = document(
        "a.md",
        "# 社保常见问答\n\n问：依据是什么？\n\n答：根据《社会保险法》第十六条制定本市办法。《旧办法》同时废止。\n",
    );
    assert_eq!(
        said(&faq),
        [
            (Cites, "社会保险法", "", "第十六条"),
            (Cites, "旧办法", "", "")
        ]
    );
    assert_eq!(faq.metadata.topics, ["社会保险"]);
    assert_eq!(field_of_topic("社会保险"), Some("民生保障"));
    assert_eq!(field_of_topic("没有的"), None);
}

#[test]
fn takes_the_day_of_a_version_from_the_name_unless_the_text_tells_a_later_one() {
    let issued = |name: &str, text: &str| {
        let document = document(name, text);
        let date = |date: Option<jiff::civil::Date>| date.map(|d| d.to_string());
        (
            date(document.metadata.issued),
            date(document.metadata.effective_from),
        )
    };
    let day = |day: &str| Some(day.to_owned());
    let body = "第一条　为了管理，制定本条例。\n\n第二条　本条例自";
    for (front, end, want) in [
        (
            "",
            "2022年5月1日起施行。",
            (day("2022-03-29"), day("2022-05-01")),
        ),
        (
            "",
            "公布之日起施行。",
            (day("2022-03-29"), day("2022-03-29")),
        ),
        // First in force long ago: the wording holds from the version's day.
        (
            "",
            "2004年1月1日起施行。",
            (day("2022-03-29"), day("2022-03-29")),
        ),
        (
            "2003年4月27日中华人民共和国国务院令第375号公布\n\n",
            "2004年1月1日起施行。",
            (day("2022-03-29"), day("2022-03-29")),
        ),
        (
            "根据2023年7月20日《国务院关于修改和废止部分行政法规的决定》修订\n\n",
            "2004年1月1日起施行。",
            (day("2023-07-20"), day("2023-07-20")),
        ),
    ] {
        let text = format!("# 启明市道路管理条例\n\n{front}{body}{end}");
        assert_eq!(
            issued("启明市道路管理条例(2022-03-29).md", &text),
            want,
            "{front}{end}"
        );
    }
    let signed = "启明市教育局关于招生的通知\n\n各学校：\n\n现将有关事项通知如下，请遵照执行。\n\n启明市教育局\n2024年2月20日";
    assert_eq!(
        issued("关于招生的通知(2024-03-05).txt", signed).0,
        day("2024-02-20")
    );
}
