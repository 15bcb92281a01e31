//! The dialogue as every door shows it.

use jiff::civil::Date;
use kernel::{Result, evidence::Citation};
use platform::answer::guide::{
    Amount, Ask, Choice, Condition, ConditionState, Difference, Guide, GuideForm, GuideProgress,
    GuideSection, GuideState, Material, Origin, Reason, Row,
};
use rules::{
    Assessment, Value,
    assessment::State,
    book::{Case, Severity},
    expression::Labels,
};

use super::dialogue::{Dialogue, Phase};
use crate::items::{
    Catalogue,
    catalogue::Entry,
    schema::{Field, FieldKind, MaterialForm},
};

/// The dialogue as it is shown; what its statements stand on is added to `citations`.
///
/// # Errors
/// `Storage`.
#[expect(clippy::too_many_lines, reason = "a part of the view after the other")]
pub async fn show(
    catalogue: &Catalogue,
    entry: &Entry,
    dialogue: &Dialogue,
    changed: &[(String, Option<Value>)],
    on: Date,
    citations: &mut Vec<Citation>,
) -> Result<Guide> {
    let (item, book) = (&entry.item, &entry.book);
    let case = Case {
        book,
        facts: &dialogue.facts,
        on,
    };
    let assessment = dialogue.assess(book, on);
    let mut ask = None;
    if let Some(field) = dialogue.pending.as_deref().and_then(|id| item.field(id)) {
        let mut shown = ask_of(field);
        shown.citations = catalogue.cite(item, &field.basis, on, citations).await?;
        ask = Some(shown);
    }
    let (mut reasons, mut conditions) = (Vec::new(), Vec::new());
    for rule in &assessment.rules {
        let marks = catalogue.cite(item, &rule.basis, on, citations).await?;
        if let Some(text) = &rule.reason {
            reasons.push(Reason {
                condition: rule.text.clone(),
                text: text.clone(),
                told: rule.told.clone(),
                instead: rule.instead.clone(),
                citations: marks.clone(),
            });
        }
        conditions.push(Condition {
            text: rule.text.clone(),
            state: state(rule.state),
            refuses: rule.severity == Severity::Must,
            told: rule.told.clone(),
            citations: marks,
        });
    }
    let mut amounts = Vec::new();
    for amount in &assessment.amounts {
        let mut bases = amount.basis.clone();
        bases.extend(
            amount
                .steps
                .iter()
                .flat_map(|s| s.figures.iter().flat_map(|f| f.basis.clone())),
        );
        let steps = amount
            .steps
            .iter()
            .map(|s| format!("{}：{} = {}", s.label, s.told, s.result));
        let figures = amount.steps.iter().flat_map(|s| &s.figures);
        amounts.push(Amount {
            label: amount.label.clone(),
            value: amount.told.clone(),
            steps: steps.collect(),
            figures: figures
                .map(|f| {
                    format!(
                        "{}：{}（{}起）",
                        f.name,
                        f.value,
                        kernel::time::chinese(f.from)
                    )
                })
                .collect(),
            headline: amount.headline,
            note: amount.fault.clone().or_else(|| amount.note.clone()),
            citations: catalogue.cite(item, &bases, on, citations).await?,
        });
    }
    amounts.sort_by_key(|a| !a.headline);
    let mut materials = Vec::new();
    for material in &item.materials {
        let needed = case.holds(material.when.as_ref());
        if needed == Some(false) {
            continue;
        }
        materials.push(Material {
            name: material.name.clone(),
            form: form_name(material.form).to_owned(),
            copies: material.copies,
            exempt: material.exempt.clone(),
            perhaps: needed.is_none(),
            citations: catalogue.cite(item, &material.basis, on, citations).await?,
        });
    }
    let nearest = if dialogue.phase == Phase::Ineligible {
        book.nearest(&dialogue.facts, on).unwrap_or_default()
    } else {
        Vec::new()
    };
    Ok(Guide {
        item: item.name.clone(),
        item_id: item.id.clone(),
        state: match dialogue.phase {
            Phase::Asking => GuideState::Asking,
            Phase::Review => GuideState::Review,
            Phase::Ineligible => GuideState::Ineligible,
            Phase::Submitted => GuideState::Submitted,
            Phase::Stopped => GuideState::Stopped,
        },
        ask,
        form: form(entry, dialogue, &assessment, &case),
        case: dialogue.case.clone(),
        reasons,
        nearest: nearest
            .into_iter()
            .map(|c| Difference {
                field: c.field,
                label: c.label,
                from: c.from,
                to: c.to,
            })
            .collect(),
        conditions,
        amounts,
        materials,
        progress: progress(entry, dialogue, &case),
        changed: changed
            .iter()
            .filter_map(|(field, before)| {
                let now = dialogue.facts.get(field)?;
                Some(Difference {
                    field: field.clone(),
                    label: case.label(field),
                    from: before.as_ref().map(|v| told(&case, field, v)),
                    to: told(&case, field, now),
                })
            })
            .collect(),
        needs_sign_in: false,
    })
}

/// A value in the form: choices without quotation marks.
pub(crate) fn told(case: &Case<'_>, field: &str, value: &Value) -> String {
    case.told(field, value).trim_matches(['“', '”']).to_owned()
}

fn state(state: State) -> ConditionState {
    match state {
        State::Met => ConditionState::Met,
        State::Unmet => ConditionState::Unmet,
        State::Unknown => ConditionState::Unknown,
        State::NotApplicable => ConditionState::NotApplicable,
    }
}

pub(crate) fn form_name(form: MaterialForm) -> &'static str {
    match form {
        MaterialForm::Original => "原件",
        MaterialForm::Copy => "复印件",
        MaterialForm::Electronic => "电子件",
    }
}

/// A field as a question.
pub fn ask_of(field: &Field) -> Ask {
    let choice = |label: &str, value: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        help: None,
    };
    let choices = match field.kind {
        FieldKind::YesNo => vec![choice(field.yes(), "true"), choice(field.no(), "false")],
        _ => field
            .choices
            .iter()
            .map(|c| Choice {
                help: c.help.clone(),
                ..choice(&c.label, &c.value)
            })
            .collect(),
    };
    let kind = serde_json::to_value(field.kind).ok();
    Ask {
        field: field.id.clone(),
        label: field.label.clone(),
        question: field.question.clone(),
        kind: kind
            .as_ref()
            .and_then(|k| k.as_str())
            .unwrap_or_default()
            .to_owned(),
        choices,
        example: field.example.text(),
        help: field.help.clone(),
        unit: field.unit.clone(),
        optional: field.optional,
        citations: Vec::new(),
    }
}

fn form(entry: &Entry, dialogue: &Dialogue, assessment: &Assessment, case: &Case<'_>) -> GuideForm {
    let item = &entry.item;
    let sections = item.form.sections.iter().map(|section| {
        let fields = section
            .fields
            .iter()
            .filter_map(|id| item.field(id))
            .filter_map(|field| {
                let applies = entry.book.field(&field.id).and_then(|f| case.applies(f));
                if applies == Some(false) {
                    return None;
                }
                let value = dialogue.facts.get(&field.id);
                // What matters only perhaps is not shown before it is known to.
                if applies.is_none() && value.is_none() {
                    return None;
                }
                let origin = if value.is_some() && dialogue.prefilled.contains(&field.id) {
                    Origin::Account
                } else if value.is_some() {
                    Origin::Said
                } else if dialogue.skipped.contains(&field.id) {
                    Origin::LeftOut
                } else {
                    Origin::Missing
                };
                Some(Row {
                    field: field.id.clone(),
                    label: field.label.clone(),
                    value: value.map(|v| told(case, &field.id, v)),
                    origin,
                    ask: (dialogue.phase != Phase::Submitted).then(|| ask_of(field)),
                })
            });
        let computed = section.amounts.iter().filter_map(|id| {
            let amount = assessment.amounts.iter().find(|a| a.id == *id)?;
            Some(Row {
                field: id.clone(),
                label: amount.label.clone(),
                value: amount.told.clone(),
                origin: Origin::Computed,
                ask: None,
            })
        });
        GuideSection {
            title: section.title.clone(),
            rows: fields.chain(computed).collect(),
        }
    });
    GuideForm {
        title: item.form.title.clone(),
        sections: sections.filter(|s| !s.rows.is_empty()).collect(),
        statement: item.form.statement.clone(),
    }
}

fn progress(entry: &Entry, dialogue: &Dialogue, case: &Case<'_>) -> GuideProgress {
    let matters = entry
        .book
        .fields
        .iter()
        .filter(|f| case.applies(f) != Some(false));
    let (mut done, mut total) = (0, 0);
    for field in matters {
        total += 1;
        let settled =
            dialogue.facts.contains_key(&field.id) || dialogue.skipped.contains(&field.id);
        done += usize::from(settled);
    }
    GuideProgress { done, total }
}
