//! What guards every question, document and model output: orders to the model, people in distress, threats, how to break
//! the law, other people's data, bare abuse; and personal data, which is masked.
//!
//! The rules are data (`data/*.tsv`, form in [`lang::spot`]): kind, action, where they hold (`u` question, `d` document,
//! `o` output), pattern, and the words that show that it isn't meant: who reports, asks for the law or for help passes.

mod abuse;
mod reply;

use std::sync::LazyLock;

use lang::{
    fold::Folded,
    personal::{self, Found},
    spot::Rules,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reply::{channels, reply};

/// Labels of a rule: kind, action, places.
const LABELS: usize = 3;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let text = concat!(
        include_str!("data/words.tsv"),
        include_str!("data/injection.tsv"),
        include_str!("data/harm.tsv"),
        include_str!("data/crime.tsv"),
        include_str!("data/vice.tsv"),
        include_str!("data/privacy.tsv"),
        include_str!("data/speech.tsv"),
    );
    Rules::parse(text, LABELS).expect("the rules are fixed")
});

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A person wrote it.
    User,
    /// A document holds it.
    Document,
    /// A model wrote it.
    Output,
}

/// What is done with a text, from nothing to most.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It passes as it is.
    Allow,
    /// It passes with personal data masked.
    Mask,
    /// It isn't gone into.
    Deflect,
    /// It is stopped.
    Block,
    /// A person takes over.
    Handoff,
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What is done with it.
    pub action: Action,
    /// Why: the kinds of rules that it meets.
    pub kinds: Vec<&'static str>,
    /// The text with personal data masked.
    pub text: String,
}

impl Verdict {
    /// Whether the text is answered, if perhaps masked.
    pub fn passes(&self) -> bool {
        self.action <= Action::Mask
    }
}

/// Personal data in a text.
pub const PERSONAL_DATA: &str = "personal_data";
/// Orders to a model.
pub const INJECTION: &str = "injection";
/// A person in distress.
pub const SELF_HARM: &str = "self_harm";
/// Nothing but abuse.
pub const ABUSE: &str = "abuse";

/// Words of a citizen's report.
const COMPLAINT: &str = "complaint";

/// A report longer than this, in characters, tells what others do: that it speaks of crime doesn't make it one.
const LONG: usize = 60;

/// Says what a text is and what is done with it.
pub fn check(place: Place, text: &str) -> Verdict {
    check_known(place, text, &[])
}

/// The same for what a model wrote from evidence: personal data that the evidence holds is let stand.
pub fn check_output(text: &str, evidence: &[&str]) -> Verdict {
    check_known(Place::Output, text, evidence)
}

fn check_known(place: Place, text: &str, evidence: &[&str]) -> Verdict {
    let folded = Folded::new(text);
    let mut kinds: Vec<(&'static str, Action)> = Vec::new();
    let ordered = match place {
        Place::User => documents::is_order(&folded),
        Place::Document | Place::Output => documents::order_in(&folded).is_some(),
    };
    if ordered || hides_orders(&folded) {
        kinds.push((INJECTION, Action::Block));
    }
    let letter = match place {
        Place::User => 'u',
        Place::Document => 'd',
        Place::Output => 'o',
    };
    for found in RULES.find(&folded) {
        if let [kind, action, places] = found.labels
            && places.contains(letter)
        {
            kinds.push((kind.as_str(), action_named(action)));
        }
    }
    if kinds.iter().any(|(kind, _)| *kind == COMPLAINT) {
        let told = folded.glyphs.len() > LONG;
        kinds.retain(|(kind, action)| match *kind {
            COMPLAINT => false,
            INJECTION => true,
            _ => !told || *action == Action::Handoff,
        });
    }
    if place == Place::User && kinds.is_empty() && abuse::is_bare(&folded) {
        kinds.push((ABUSE, Action::Deflect));
    }
    let personal = personal_data(place, text, evidence);
    if !personal.is_empty() {
        kinds.push((PERSONAL_DATA, Action::Mask));
    }
    let action = kinds
        .iter()
        .max_by_key(|(kind, action)| weight(kind, *action));
    let action = action.map_or(Action::Allow, |(_, action)| *action);
    let mut names: Vec<&'static str> = Vec::new();
    kinds.sort_by_key(|(kind, action)| std::cmp::Reverse(weight(kind, *action)));
    for (kind, _) in kinds {
        if !names.contains(&kind) {
            names.push(kind);
        }
    }
    Verdict {
        action,
        kinds: names,
        text: personal::mask_found(text, &personal),
    }
}

/// A person in distress comes first; what is stopped comes before a threat that is handed on.
fn weight(kind: &str, action: Action) -> u8 {
    match action {
        Action::Handoff if kind == SELF_HARM => 5,
        Action::Block => 4,
        Action::Handoff => 3,
        Action::Deflect => 2,
        Action::Mask => 1,
        Action::Allow => 0,
    }
}

fn action_named(name: &str) -> Action {
    match name {
        "handoff" => Action::Handoff,
        "deflect" => Action::Deflect,
        "mask" => Action::Mask,
        "allow" => Action::Allow,
        _ => Action::Block,
    }
}

/// So many characters that nobody sees are no accident of a word processor.
fn hides_orders(folded: &Folded) -> bool {
    folded.invisible > 12 && folded.invisible * 2 > folded.glyphs.len()
}

/// A citizen's own data is masked before it is stored or sent on. In what is given out, telephones and addresses may be an
/// office's, and what the evidence says is public.
fn personal_data(place: Place, text: &str, evidence: &[&str]) -> Vec<Found> {
    let mut found = personal::find(text);
    if place == Place::Document {
        return Vec::new();
    }
    if place == Place::Output {
        found.retain(|f| {
            let piece = &text[f.span.clone()];
            f.kind.always_personal() && !evidence.iter().any(|e| e.contains(piece))
        });
    }
    found
}
/// The rules that a text meets, with the words that meet them: for whoever looks after the rules.
pub fn explain(text: &str) -> Vec<(&'static str, String)> {
    let folded = Folded::new(text);
    let found = RULES.find(&folded).into_iter();
    let told = found.map(|f| (f.labels[0].as_str(), text[f.span].to_owned()));
    told.filter(|(kind, _)| *kind != COMPLAINT).collect()
}
