//! Ten thousand businesses against five hundred policies, and the same results as one by one.

mod common;

use std::{collections::BTreeMap, time::Instant};

use common::{Dice, TODAY, files, people};
use jiff::ToSpan;
use rules::{
    Amount, Book, Domain, Facts, Outcome, Parameter, Rule, Value,
    book::Field,
    compiled::{Layout, Profile, Program},
};
use serde::Deserialize;

const BUSINESSES: usize = 10_000;
const POLICIES: usize = 500;

/// The part of a policy that decides.
#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    parameters: Vec<Parameter>,
    rules: Vec<Rule>,
    #[serde(default)]
    amounts: Vec<Amount>,
}

fn texts(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// What is known of a business: `docs/guide/service-items.md`.
fn fields() -> Vec<Field> {
    let choice = |list: &str| Domain::Choice(texts(list));
    let number = || Domain::Number {
        min: Some(0.into()),
        max: None,
        whole: false,
    };
    let date = Domain::Date {
        min: None,
        max: None,
    };
    let mut domains = vec![
        ("kind", choice("company individual cooperative nonprofit")),
        (
            "industry",
            choice(
                "agriculture mining manufacturing utilities construction trade transport hospitality information finance \
                 real_estate business_services research environment household_services education health culture",
            ),
        ),
        ("size", choice("micro small medium large")),
        (
            "district",
            choice("shuguang chenyang yunqiao xinghe wangshan linxi outside"),
        ),
        ("established_on", date),
        (
            "qualifications",
            Domain::Choices(texts(
                "high_tech sme_tech specialised little_giant innovative_sme above_scale first_above_scale green_factory \
                 smart_factory tech_centre time_honoured agri_leader listed incubator headquarters foreign_trade \
                 training_base entrepreneur_key_group",
            )),
        ),
    ];
    let numbers = "staff insured_staff new_hires new_graduates disabled_staff laid_off veterans_hired poverty_hires \
                   unemployed_hires revenue revenue_last_year rnd_spend tax_paid fixed_investment export_value \
                   output_value online_sales loan_amount training_spend rent_paid social_insurance_paid \
                   unemployment_insurance_paid energy_saved_tce invention_patents utility_patents standards_led";
    domains.extend(numbers.split_whitespace().map(|n| (n, number())));
    let flags = "dishonest tax_arrears wage_arrears safety_accident environmental_penalty";
    domains.extend(flags.split_whitespace().map(|n| (n, Domain::Bool)));
    let field = |(id, domain): (&str, Domain)| Field {
        id: id.to_owned(),
        label: id.to_owned(),
        unit: None,
        domain,
        labels: BTreeMap::new(),
        when: None,
    };
    domains.into_iter().map(field).collect()
}

fn books() -> Vec<Book> {
    let files = files("support");
    let read = files.iter().map(|(path, source)| {
        let policy: Policy = match serde_saphyr::from_str(source) {
            Ok(policy) => policy,
            Err(error) => panic!("{path}: {error}"),
        };
        let book = Book {
            fields: fields(),
            parameters: policy.parameters,
            rules: policy.rules,
            amounts: policy.amounts,
        };
        for rule in &book.rules {
            for expression in rule.when.iter().chain([&rule.require]) {
                let checked = expression.check(&|name: &str| book.type_of(name));
                assert!(checked.is_ok(), "{path} {}: {checked:?}", rule.id);
            }
        }
        book
    });
    read.collect()
}

fn business(dice: &mut Dice, fields: &[Field]) -> Facts {
    let mut facts = Facts::new();
    for field in fields {
        // Of some businesses not everything is known.
        if dice.one_in(12) {
            continue;
        }
        let value: Value = match &field.domain {
            Domain::Bool => dice.one_in(10).into(),
            Domain::Choice(choices) => dice.pick(choices).as_str().into(),
            Domain::Choices(choices) => {
                Value::List(choices.iter().filter(|_| dice.one_in(4)).cloned().collect())
            }
            Domain::Number { .. } => {
                let size = 10_i64.pow(dice.below(9) as u32);
                (dice.below(100) as i64 * size / 10).into()
            }
            Domain::Date { .. } => {
                let days = dice.below(8_000) as i64;
                TODAY.checked_sub(days.days()).expect("a day").into()
            }
            Domain::Text => "".into(),
        };
        facts.insert(field.id.clone(), value);
    }
    facts
}

#[test]
fn ten_thousand_businesses_meet_five_hundred_policies() {
    let books = books();
    assert_eq!(books.len(), 60);
    let fields = fields();
    let layout = Layout::new(fields.iter().map(|f| f.id.as_str()));
    let programs = books.iter().map(|b| Program::new(b, &layout, TODAY));
    let programs: Vec<Program> = programs.collect();
    let mut dice = Dice(1);
    let facts: Vec<Facts> = (0..people(BUSINESSES))
        .map(|_| business(&mut dice, &fields))
        .collect();
    let profiles: Vec<Profile> = facts.iter().map(|f| layout.profile(f)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (facts, profile) in facts.iter().zip(&profiles).take(200) {
        for (book, program) in books.iter().zip(&programs) {
            let outcome = program.outcome(profile);
            assert_eq!(outcome, book.outcome(facts, TODAY), "{facts:?}");
            *seen.entry(format!("{outcome:?}")).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    let begin = Instant::now();
    let half = profiles.len().div_ceil(2);
    let eligible: usize = std::thread::scope(|scope| {
        let workers = profiles.chunks(half).map(|profiles| {
            let programs = &programs;
            scope.spawn(move || {
                let matched = |profile: &Profile| {
                    let all = programs.iter().cycle().take(POLICIES);
                    all.filter(|p| p.outcome(profile) == Outcome::Eligible)
                        .count()
                };
                profiles.iter().map(matched).sum::<usize>()
            })
        });
        let workers: Vec<_> = workers.collect();
        workers
            .into_iter()
            .map(|w| w.join().expect("no panic"))
            .sum()
    });
    println!(
        "{} businesses × {POLICIES} policies: {eligible} matches in {:?}; {seen:?}",
        profiles.len(),
        begin.elapsed()
    );
}
