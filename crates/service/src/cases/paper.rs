//! The filled form as it is printed.

use documents::{Paper, PaperSection};
use kernel::time;
use platform::answer::guide::{Amount, Guide, GuideForm, Material, Origin, Row};

use super::case::Case;

/// The form of a case, with its number and day.
pub fn of_case(case: &Case) -> Paper {
    let mut paper = of_form(&case.form, &case.amounts, &case.materials);
    paper.head = vec![
        ("办件编号".to_owned(), case.number.clone()),
        ("提交日期".to_owned(), time::chinese(case.submitted_on())),
        ("受理单位".to_owned(), case.agency.clone()),
    ];
    paper.foot.clone_from(&case.number);
    paper
}

/// The form of a dialogue that has not been handed in, or of one that has.
pub fn of_guide(guide: &Guide, agency: &str) -> Paper {
    let mut paper = of_form(&guide.form, &guide.amounts, &guide.materials);
    let number = guide.case.clone().unwrap_or_else(|| "尚未提交".to_owned());
    paper.head = vec![
        ("办件编号".to_owned(), number),
        ("打印日期".to_owned(), time::chinese(time::today())),
        ("受理单位".to_owned(), agency.to_owned()),
    ];
    paper
}

fn of_form(form: &GuideForm, amounts: &[Amount], materials: &[Material]) -> Paper {
    let mut sections: Vec<PaperSection> = form
        .sections
        .iter()
        .map(|section| PaperSection {
            title: section.title.clone(),
            rows: section.rows.iter().map(row).collect(),
        })
        .collect();
    let computed: Vec<_> = amounts
        .iter()
        .filter(|a| a.value.is_some())
        .map(|amount| {
            let value = amount.value.clone().into_iter();
            let steps = amount.steps.iter().cloned();
            let figures = amount.figures.iter().map(|f| format!("依据：{f}"));
            let note = amount.note.iter().map(|n| format!("说明：{n}"));
            let lines = value.chain(steps).chain(figures).chain(note).collect();
            (amount.label.clone(), lines)
        })
        .collect();
    if !computed.is_empty() {
        sections.push(PaperSection {
            title: "金额计算".to_owned(),
            rows: computed,
        });
    }
    let needed: Vec<_> = materials
        .iter()
        .map(|material| {
            let mut told = material.form.clone();
            if let Some(copies) = material.copies {
                told.push_str(&format!("，{copies}份"));
            }
            if let Some(exempt) = &material.exempt {
                told.push_str(&format!("（免交：{exempt}）"));
            }
            (material.name.clone(), vec![told])
        })
        .collect();
    if !needed.is_empty() {
        sections.push(PaperSection {
            title: "申请材料".to_owned(),
            rows: needed,
        });
    }
    Paper {
        title: form.title.clone(),
        sections,
        statement: form.statement.clone(),
        signer: Some("申请人".to_owned()),
        ..Paper::default()
    }
}

fn row(row: &Row) -> (String, Vec<String>) {
    let value = match (&row.value, row.origin) {
        (Some(value), _) => value.clone(),
        (None, Origin::LeftOut) => "（未填）".to_owned(),
        (None, _) => String::new(),
    };
    (row.label.clone(), vec![value])
}
