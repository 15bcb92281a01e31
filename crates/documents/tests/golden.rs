//! Small files of each format and structure, compared with what was accepted before (`INSTA_UPDATE=always` accepts anew).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use citymind_documents::{Limits, Media, PictureSource, picture_media};
use common::{check, docx, open, paragraph, render};

fn golden(file: &str) {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let document = open(file, &std::fs::read(path).unwrap());
    check(&document).unwrap();
    insta::with_settings!({snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(file, render(&document));
    });
}

#[test]
fn reads_a_statute_with_contents_chapters_and_a_table() {
    golden("statute.md");
}

#[test]
fn reads_an_official_notice_with_an_annex() {
    golden("notice.txt");
}

#[test]
fn reads_the_main_content_of_a_web_page() {
    golden("guide.html");
}

#[test]
fn reads_questions_and_answers() {
    golden("faq.md");
}

#[test]
fn takes_a_notice_on_one_line_apart() {
    golden("scraped.txt");
}

#[test]
fn reads_the_items_of_an_amendment() {
    golden("amendment.md");
}

#[test]
fn reads_a_pdf_of_a_word_processor() {
    golden("notice.pdf");
}

#[test]
fn reads_a_pdf_in_two_columns_with_a_table_over_two_pages() {
    golden("columns.pdf");
}

#[test]
fn reads_fonts_that_are_not_embedded_and_files_that_are_only_guarded_against_changes() {
    golden("ucs2.pdf");
    let text = |file: &str| {
        let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        open(file, &std::fs::read(path).unwrap()).text
    };
    assert_eq!(text("gbk.pdf"), text("ucs2.pdf"));
    assert_eq!(text("guarded.pdf"), text("ucs2.pdf"));
}

#[test]
fn reads_a_sheet_of_questions_and_leaves_hidden_sheets_out() {
    golden("faq.xlsx");
}

#[test]
fn reads_a_list_of_service_items() {
    golden("items.xlsx");
}

#[test]
fn reads_a_table_with_merged_heads_formulas_dates_and_percent() {
    golden("table.xlsx");
}

#[test]
fn reads_steps_with_their_pictures() {
    golden("walkthrough.md");
    let path = format!("{}/tests/golden/walkthrough.md", env!("CARGO_MANIFEST_DIR"));
    let document = open("walkthrough.md", &std::fs::read(path).unwrap());
    let at = document.text.find("核对姓名").unwrap();
    assert_eq!(document.locate(at).unwrap().label, "第二步2");
}

#[test]
fn reads_what_something_is() {
    golden("primer.txt");
}

#[test]
fn tells_kinds_by_title_folder_and_structure() {
    use citymind_documents::DocumentKind::{Faq, Guide, Law, Other, Policy, Primer, Walkthrough};
    let steps = "第一步：登录。\n\n第二步：填写。\n\n第三步：提交。";
    let numbers = "1. 打开应用\n2. 点击“我的”\n3. 提交";
    let guide = "## 受理条件\n\n年满八十。\n\n## 申请材料\n\n身份证。\n\n## 办理流程\n\n第一步：申请。\n\n第二步：审核。\n\n第三步：发放。";
    for (name, title, body, want) in [
        ("a.md", "公积金提取操作指南", steps, Walkthrough),
        ("a.md", "公积金提取操作指南", numbers, Walkthrough),
        // Without any step it is a guide like others.
        ("a.md", "公积金提取操作指南", "按规定办理。", Guide),
        ("a.md", "高龄津贴申领", guide, Guide),
        ("a.md", "怎样申领", steps, Walkthrough),
        ("a.md", "怎样申领", numbers, Other),
        ("操作详解/a.md", "怎样申领", numbers, Walkthrough),
        (
            "操作详解/a.md",
            "启明市城市绿化条例",
            "第一条　为了绿化。",
            Law,
        ),
        ("a.md", "公积金常识", "公积金是储金。", Primer),
        (
            "通识知识/社保/a.md",
            "社会保险怎么运转",
            "由基金支付。",
            Primer,
        ),
        (
            "a.md",
            "启明市知识产权保护办法",
            "第一条　为了保护。",
            Policy,
        ),
        ("a.md", "关于开展科普活动的通知", "请照此办理。", Policy),
        ("常见问答/a.md", "公积金", "离职以后怎么办？封存。", Faq),
        ("政策/a.md", "一些说明", "照此办理。", Policy),
        ("a.md", "一些说明", "照此办理。", Other),
    ] {
        let text = format!("# {title}\n\n{body}\n");
        let kind = open(name, text.as_bytes()).metadata.kind;
        assert_eq!(kind, want, "{name} {title}");
    }
}

#[test]
fn labels_numbered_lines_of_instructions_as_steps_and_nothing_else() {
    let body = "1. 打开应用，点击右下角的“我的”\n\n2. 搜索“失业保险金”\n\n核对信息。\n\n3. 提交";
    let labels = |name: &str| {
        let text = format!("# 申领失业保险金\n\n{body}\n");
        let document = open(name, text.as_bytes());
        check(&document).unwrap();
        document
            .clauses
            .into_iter()
            .map(|c| c.label)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        labels("操作详解/a.md"),
        ["文首", "第一步", "第二步", "第三步"]
    );
    assert!(!labels("a.md").iter().any(|label| label.contains('步')));
}

/// A picture of one point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

#[test]
fn takes_pictures_out_of_word_documents_and_pages() {
    let drawing = |id: &str, alt: &str| {
        format!(
            r#"<w:p><w:r><w:drawing><wp:inline xmlns:wp="wp"><wp:docPr id="1" name="图片 1" descr="{alt}"/><a:graphic xmlns:a="a"><pic:pic xmlns:pic="p"><a:blip xmlns:r="r" r:embed="{id}"/></pic:pic></a:graphic></wp:inline></w:drawing></w:r></w:p>"#
        )
    };
    let body = [
        paragraph("第一步：登录。"),
        drawing("rId1", "登录页面"),
        drawing("rId2", "外面的"),
        drawing("rId3", "矢量"),
        drawing("rId9", "没有的"),
        paragraph("第二步：提交。"),
    ]
    .concat();
    let rels = r#"<Relationships><Relationship Id="rId1" Type="t/image" Target="media/a.png"/><Relationship Id="rId2" Type="t/image" Target="http://example.com/a.png" TargetMode="External"/><Relationship Id="rId3" Type="t/image" Target="media/a.emf"/></Relationships>"#;
    let png = String::from_utf8_lossy(b"GIF89a....").into_owned();
    let document = open(
        "a.docx",
        &docx(
            &body,
            &[
                ("word/_rels/document.xml.rels", rels),
                ("word/media/a.png", &png),
                ("word/media/a.emf", "\u{1} EMF"),
            ],
        ),
    );
    check(&document).unwrap();
    let [picture] = document.pictures.as_slice() else {
        panic!("{:?}", document.pictures)
    };
    assert_eq!(
        (picture.alt.as_str(), &document.text[..picture.at]),
        ("登录页面", "第一步：登录。")
    );
    assert!(matches!(
        picture.source,
        PictureSource::Embedded {
            media: Media::Gif,
            ..
        }
    ));
    let notes: String = document.notes.iter().map(|n| n.message.as_str()).collect();
    for word in ["外部网址", "格式不支持", "读不出来"] {
        assert!(notes.contains(word), "{notes}");
    }
    let page = "<html><body><article><h1>申领步骤</h1><p>第一步：登录。<img src='../图/a.png?v=1' alt='登录'></p><p><img data-src='data:image/svg+xml,%3Csvg xmlns=%22x%22/%3E'></p><p>第二步：提交。</p><p><img src='//example.com/b.png'><img src='/c.png'><img src='../../../d.png'></p></article></body></html>";
    let document = open("指南/页/a.html", page.as_bytes());
    check(&document).unwrap();
    let sources: Vec<&PictureSource> = document.pictures.iter().map(|p| &p.source).collect();
    assert!(
        matches!(sources[..], [PictureSource::Relative(path), PictureSource::Embedded { media: Media::Svg, .. }] if path == "指南/图/a.png"),
        "{sources:?}"
    );
    assert!(document.notes[0].message.starts_with("有 3 张图片没有读入"));
    assert_eq!(picture_media(PNG, &Limits::default()), Ok(Media::Png));
    let json = serde_json::to_string(&document).unwrap();
    assert_eq!(
        serde_json::from_str::<citymind_documents::Document>(&json).unwrap(),
        document
    );
}

#[test]
fn repeats_the_head_of_a_long_table_for_each_group_of_rows() {
    let rows: String = (1..=70).map(|n| format!("街道{n},{n}00,{n}.5\n")).collect();
    let document = open("人口.csv", format!("街道,人口,面积\n{rows}").as_bytes());
    check(&document).unwrap();
    assert_eq!(document.metadata.title, "人口");
    let labels: Vec<&str> = document.clauses.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(labels, ["表1", "表1（续1）", "表1（续2）"]);
    for clause in &document.clauses {
        let text = &document.text[clause.span.clone()];
        assert!(
            text.starts_with("| 街道 | 人口 | 面积 |\n| --- |"),
            "{text}"
        );
    }
}

#[test]
fn reads_separated_values_in_any_usual_writing() {
    let rows = [
        ["问题", "答案"],
        ["怎么办？", "第一行\n第二行；有分号，有逗号"],
        ["多久？", "五天"],
    ];
    let want = open(
        "a.csv",
        "问题,答案\n怎么办？,\"第一行\n第二行；有分号，有逗号\"\n多久？,五天\n".as_bytes(),
    );
    check(&want).unwrap();
    assert_eq!(want.metadata.kind, citymind_documents::DocumentKind::Faq);
    assert_eq!(want.clauses.len(), 2);
    for separator in [",", ";", "\t"] {
        let text: String = rows
            .iter()
            .map(|[a, b]| format!("\"{a}\"{separator}\"{b}\"\r\n"))
            .collect();
        let (gbk, _, _) = encoding_rs::GBK.encode(&text);
        let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        for bytes in [gbk.as_ref(), &marked, text.as_bytes()] {
            assert_eq!(open("a.csv", bytes).text, want.text, "{separator:?}");
        }
    }
}

const NUMBERING: &str = r#"<w:numbering xmlns:w="x"><w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="（%2）"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%3."/></w:lvl></w:abstractNum>
<w:num w:numId="5"><w:abstractNumId w:val="1"/></w:num></w:numbering>"#;
const STYLES: &str = r#"<w:styles xmlns:w="x"><w:style w:type="paragraph" w:styleId="a3"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style></w:styles>"#;
const FOOTNOTES: &str = r#"<w:footnotes xmlns:w="x"><w:footnote w:id="2"><w:p><w:r><w:t>以社保系统记录为准。</w:t></w:r></w:p></w:footnote></w:footnotes>"#;

fn numbered(level: u8, text: &str) -> String {
    format!(
        r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="5"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
    )
}

#[test]
fn reads_a_word_document_with_automatic_numbers_and_tracked_changes() {
    let body = [
        r#"<w:p><w:pPr><w:pStyle w:val="a3"/></w:pPr><w:r><w:t>启明市就业补助资金管理细则</w:t></w:r></w:p>"#.to_owned(),
        paragraph("启人社规〔2025〕9号"),
        r#"<w:p><w:pPr><w:pStyle w:val="TOC1"/></w:pPr><w:r><w:t>一、补助对象1</w:t></w:r></w:p>"#.to_owned(),
        numbered(0, "补助对象"),
        r#"<w:p><w:r><w:t>本细则所称补助对象是</w:t></w:r><w:del><w:r><w:delText>旧的</w:delText></w:r></w:del><w:ins><w:r><w:t>本市登记的</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t>隐藏</w:t></w:r><w:r><w:t>失业人员&amp;困难人员</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>。</w:t></w:r></w:p>"#.to_owned(),
        numbered(0, "补助标准"),
        numbered(1, "培训补贴。按照培训合格人数给予补贴，每人每年最多享受三次，同一职业同一等级不得重复享受，补贴直接拨付到培训机构。"),
        numbered(1, "社保补贴。标准如下："),
        r#"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>类别</w:t></w:r></w:p></w:tc><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>标准</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr><w:p><w:r><w:t>养老</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>单位</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>16%</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p><w:r><w:t>个人</w:t></w:r></w:p></w:tc><w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>8%</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr></w:tbl>"#.to_owned(),
        r#"<w:p><mc:AlternateContent><mc:Choice><w:r><w:txbxContent><w:p><w:r><w:t>文本框里的说明文字</w:t></w:r></w:p></w:txbxContent></w:r></mc:Choice><mc:Fallback><w:r><w:t>文本框里的说明文字</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"#.to_owned(),
        paragraph("本细则自2025年6月1日起施行，有效期5年。"),
        paragraph("启明市人力资源和社会保障局"),
        paragraph("2025年5月20日"),
    ]
    .concat();
    let bytes = docx(
        &body,
        &[
            ("word/styles.xml", STYLES),
            ("word/numbering.xml", NUMBERING),
            ("word/footnotes.xml", FOOTNOTES),
        ],
    );
    let document = open("启明市就业补助资金管理细则.docx", &bytes);
    check(&document).unwrap();
    insta::with_settings!({snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("numbered.docx", render(&document));
    });
}

#[test]
fn says_where_in_an_article_a_byte_stands() {
    let path = format!("{}/tests/golden/statute.md", env!("CARGO_MANIFEST_DIR"));
    let document = open("statute.md", &std::fs::read(path).unwrap());
    let at = |words: &str| {
        document
            .locate(document.text.rfind(words).unwrap())
            .unwrap()
            .label
    };
    assert_eq!(at("为了加强城市绿化"), "第一条");
    assert_eq!(at("法律另有规定"), "第二条第一款");
    assert_eq!(at("公园绿地"), "第二条第二款第（一）项");
    assert_eq!(at("河道两岸"), "第二条第二款第（二）项第2目");
    assert_eq!(at("其他绿地"), "第二条第二款第（三）项");
    assert_eq!(at("前款第（三）项"), "第二条第三款");
    assert_eq!(at("居住区"), "表1");
    assert_eq!(at("前款指标"), "第五条第二款");
    assert_eq!(
        document.locate(
            document
                .text
                .find("第二章　规划和建设\n\n### ")
                .unwrap_or(document.text.len())
        ),
        None
    );
}

#[test]
fn serialises_and_reads_back() {
    let path = format!("{}/tests/golden/statute.md", env!("CARGO_MANIFEST_DIR"));
    let document = open("statute.md", &std::fs::read(path).unwrap());
    let json = serde_json::to_string(&document).unwrap();
    assert!(json.contains(r#""format":"md""#) && json.contains(r#""effective_from":"2024-03-01""#));
    assert_eq!(
        serde_json::from_str::<citymind_documents::Document>(&json).unwrap(),
        document
    );
}
