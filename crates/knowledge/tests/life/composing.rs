//! Knowledge typed into forms.

use std::sync::Arc;

use super::support::{Place, add_one, file, found};
use citymind_knowledge::{
    Library, Outcome,
    forms::{Faq, Form, Guide, Pair, Policy, Primer, Step, Walkthrough},
    library::{ComposeInput, OutcomeState},
};
use documents::{ClauseKind, DocumentKind};
use jiff::civil::date;
use kernel::{ErrorCode, Result, capability::Context, identity::Caller};

fn new(form: Form) -> ComposeInput {
    ComposeInput {
        id: None,
        revision: None,
        space: Some("录入".into()),
        form,
    }
}

async fn compose(library: &Library, input: ComposeInput) -> Result<Outcome> {
    library.compose(&Context::default(), input).await
}

fn all(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|e| (*e).to_owned()).collect()
}

fn policy() -> Policy {
    Policy {
        title: "启明市租房补贴办法".into(),
        number: Some("启建规〔2024〕7号".into()),
        issuer: Some("启明市住房和城乡建设局".into()),
        issued: Some(date(2024, 6, 3)),
        effective_from: Some(date(2024, 7, 1)),
        effective_until: Some(date(2029, 6, 30)),
        body: "第一条　为了支持新市民租房，制定本办法。\n第二条　每人每月补贴三百元。".into(),
    }
}

fn guide() -> Guide {
    Guide {
        item: "租房补贴申领".into(),
        issuer: Some("启明市住房和城乡建设局".into()),
        basis: all(&["《启明市租房补贴办法》（启建规〔2024〕7号）第二条"]),
        conditions: all(&["在本市无自有住房", "连续缴纳社会保险满六个月"]),
        materials: all(&["居民身份证", "租赁合同备案证明"]),
        steps: all(&["网上提交申请", "部门审核", "按月发放"]),
        time_limit: Some("自受理之日起十个工作日".into()),
        fee: Some("不收费".into()),
        channels: all(&["“启明办事”APP"]),
        contact: Some("12345".into()),
    }
}

fn faq() -> Faq {
    Faq {
        title: "租房补贴常见问答".into(),
        issuer: None,
        pairs: vec![
            Pair {
                question: "租房补贴一个月多少钱".into(),
                variants: all(&["租房能领多少", "房租补助标准"]),
                answer: "每人每月三百元。\n按月发放到社会保障卡。".into(),
                basis: Some("《启明市租房补贴办法》第二条".into()),
            },
            Pair {
                question: "合租可以申请吗？".into(),
                answer: "可以，各人分别申请。".into(),
                ..Pair::default()
            },
        ],
    }
}

fn walkthrough() -> Walkthrough {
    let step = |title: &str, text: &str, picture: Option<&str>| Step {
        title: title.into(),
        text: text.into(),
        picture: picture.map(str::to_owned),
    };
    Walkthrough {
        title: "网上申领租房补贴操作详解".into(),
        issuer: None,
        audience: Some("新市民".into()),
        steps: vec![
            step("登录", "打开“启明办事”APP，刷脸登录。", None),
            step(
                "填写申请",
                "选择“租房补贴”，填写合同编号。",
                Some("data:image/png;base64,iVBORw0KGgo="),
            ),
        ],
    }
}

#[tokio::test]
async fn every_form_becomes_clauses_that_are_found_and_can_be_opened_again() {
    let place = Place::new();
    let library = place.open().await;
    let primer = Primer {
        title: "什么是公租房".into(),
        issuer: None,
        body: "## 含义\n公租房是政府提供的租赁住房。\n## 租金\n租金低于市场水平。".into(),
    };
    for (form, asked, holds, kind) in [
        (
            Form::Policy(policy()),
            "新市民租房每月补贴",
            "三百元",
            "policy",
        ),
        (
            Form::Guide(guide()),
            "租房补贴申领需要什么材料",
            "租赁合同备案证明",
            "guide",
        ),
        (Form::Faq(faq()), "房租补助标准", "每人每月三百元", "faq"),
        (
            Form::Walkthrough(walkthrough()),
            "填写申请合同编号",
            "填写合同编号",
            "walkthrough",
        ),
        (
            Form::Primer(primer),
            "公租房租金比市场低吗",
            "低于市场水平",
            "primer",
        ),
    ] {
        let outcome = compose(&library, new(form.clone())).await.unwrap();
        assert_eq!(outcome.state, OutcomeState::Imported);
        let document = &outcome.document;
        let wanted: DocumentKind = serde_json::from_value(kind.into()).unwrap();
        assert_eq!((document.kind, &document.title), (wanted, &form.title()));
        let hits = found(&library, asked, date(2025, 1, 1)).await;
        let holding = hits
            .iter()
            .any(|h| h.document == document.id && h.text.contains(holds));
        assert!(holding, "{kind}: {hits:?}");
        let text = library.text(document).await.unwrap();
        assert!(!text.as_str().contains("base64"), "{}", text.as_str());
        let opened = library
            .composed(&Context::default(), &document.id)
            .await
            .unwrap();
        assert_eq!(opened.form, form);
    }
}

#[tokio::test]
async fn a_policy_has_the_days_that_were_typed_in_also_after_export() {
    let place = Place::new();
    let library = place.open().await;
    let form = policy();
    let document = compose(&library, new(Form::Policy(form.clone())))
        .await
        .unwrap()
        .document;
    let exported = library.original(&document).await.unwrap();
    let again = add_one(&library, file("导出.md", exported.clone()))
        .await
        .document;
    for document in [&document, &again] {
        assert_eq!(document.number, form.number);
        assert_eq!(document.issuer, form.issuer);
        assert_eq!(
            (
                document.issued,
                document.effective_from,
                document.effective_until
            ),
            (form.issued, form.effective_from, form.effective_until)
        );
    }
    let clauses = async |id: &str| library.content(id).await.unwrap().clauses;
    assert_eq!(clauses(&document.id).await, clauses(&again.id).await);
    // Under its own path it is the same file.
    let mut same = file(&document.path, exported);
    same.space = "录入".into();
    assert_eq!(add_one(&library, same).await.state, OutcomeState::Unchanged);
    // A body that tells its days is not told them twice.
    let mut telling = form;
    telling.title = "启明市购房补贴办法".into();
    telling.body += "\n第三条　本办法自2024年7月1日起施行，有效期至2029年6月30日。";
    let document = compose(&library, new(Form::Policy(telling)))
        .await
        .unwrap()
        .document;
    let text = library.text(&document).await.unwrap();
    assert_eq!(text.as_str().matches("起施行").count(), 1);
}

#[tokio::test]
async fn questions_and_guide_sections_are_clauses_of_their_own() {
    let place = Place::new();
    let library = place.open().await;
    let id = compose(&library, new(Form::Faq(faq())))
        .await
        .unwrap()
        .document
        .id;
    let content = library.content(&id).await.unwrap();
    let questions = content.clauses.iter();
    assert_eq!(
        questions.filter(|c| c.kind == ClauseKind::Question).count(),
        2
    );
    let id = compose(&library, new(Form::Guide(guide())))
        .await
        .unwrap()
        .document
        .id;
    let outline = library.content(&id).await.unwrap().outline;
    let headings: Vec<&str> = outline.iter().map(|h| h.title.as_str()).collect();
    for heading in ["受理条件", "申请材料", "办理流程", "咨询方式"] {
        assert!(headings.iter().any(|h| h.contains(heading)), "{headings:?}");
    }
}

#[tokio::test]
async fn a_form_that_is_changed_is_a_new_version_with_the_form_of_each() {
    let place = Place::new();
    let library = place.open().await;
    let first = compose(&library, new(Form::Faq(faq()))).await.unwrap();
    let mut changed = faq();
    changed.pairs[0].answer = "每人每月四百元。".into();
    let change = |revision| ComposeInput {
        id: Some(first.document.id.clone()),
        revision,
        space: None,
        form: Form::Faq(changed.clone()),
    };
    let missing = compose(&library, change(None)).await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::InvalidInput);
    let second = compose(&library, change(Some(first.document.revision)))
        .await
        .unwrap();
    assert_eq!(second.document.version, 2);
    assert_eq!(second.changes.unwrap().changed, 1);
    let stale = compose(&library, change(Some(first.document.revision)))
        .await
        .unwrap_err();
    assert_eq!(stale.code, ErrorCode::Conflict);
    let versions = library
        .versions(&Caller::default(), &first.document.id, date(2025, 1, 1))
        .await
        .unwrap()
        .versions;
    let context = Context::default();
    let old = library.composed(&context, &versions[1].id).await.unwrap();
    assert_eq!(old.form, Form::Faq(faq()));
    library
        .restore_version(&first.document.id, &versions[1].id)
        .await
        .unwrap();
    let restored = library
        .composed(&context, &first.document.id)
        .await
        .unwrap();
    assert_eq!(restored.form, Form::Faq(faq()));
}

#[tokio::test]
async fn what_a_form_lacks_is_named_and_nothing_is_taken_over() {
    let place = Place::new();
    let library = place.open().await;
    let message = async |form| compose(&library, new(form)).await.unwrap_err().message;
    let mut form = faq();
    form.pairs[1].answer = " ".into();
    assert!(message(Form::Faq(form)).await.contains("第 2 问的答案"));
    let mut form = walkthrough();
    form.steps[1].picture = Some("https://example.org/a.png".into());
    assert!(message(Form::Walkthrough(form)).await.contains("图片"));
    let mut form = policy();
    form.effective_until = Some(date(2020, 1, 1));
    assert!(message(Form::Policy(form)).await.contains("早于施行日期"));
    assert!(
        message(Form::Guide(Guide {
            item: "甲".into(),
            ..Guide::default()
        }))
        .await
        .contains("受理条件")
    );
    assert_eq!(library.count().await.unwrap(), 0);

    compose(&library, new(Form::Faq(faq()))).await.unwrap();
    let twice = compose(&library, new(Form::Faq(faq()))).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Conflict);
    let imported = add_one(&library, file("文件.md", "# 通知\n\n一、内容。\n")).await;
    let form = ComposeInput {
        id: Some(imported.document.id.clone()),
        revision: Some(imported.document.revision),
        space: None,
        form: Form::Faq(faq()),
    };
    let refused = compose(&library, form).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
    let hidden = Context::of(Caller {
        hidden_spaces: Arc::new(["录入".to_owned()].into()),
        ..Caller::default()
    });
    let refused = library.compose(&hidden, new(Form::Guide(guide()))).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
}
